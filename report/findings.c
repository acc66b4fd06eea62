/* SPDX-License-Identifier: Apache-2.0 */
/*
 * findings.c - what the doctor has found, for people and as JSON; see findings.h.
 */
#include "findings.h"

#include <stdio.h>
#include <string.h>

#include "json.h"
#include "text.h"

#define WIDTH 80

/* ---- for people */

/* The next line of it: as many words as fit, or one that does not. */
static size_t line_length(const char *text, size_t room)
{
	size_t length = strlen(text), end = room;

	if (length <= room)
		return length;
	while (end > 0 && text[end] != ' ')
		end--;
	return end > 0 ? end : strcspn(text, " ");
}

/* In lines of 80 columns: the first begins with @first, the others are indented as far. */
static void print_wrapped(const char *first, const char *text)
{
	size_t indent = strlen(first), length;

	fputs(first, stdout);
	for (;;) {
		length = line_length(text, WIDTH - indent);
		printf("%.*s\n", (int)length, text);
		text += length + strspn(text + length, " ");
		if (*text == '\0')
			return;
		printf("%*s", (int)indent, "");
	}
}

/* What is to be copied is not broken into lines. */
static void print_finding(struct memory *m, const struct finding *f)
{
	char first[32];

	snprintf(first, sizeof(first), "%s: ", severity_name(f->severity));
	print_wrapped(first, text_printable(m, memory_print(m, "%s [%s]", f->title,
							    finding_code_name(f->code))));
	for (unsigned int i = 0; i < FINDING_LINES && f->evidence[i]; i++)
		print_wrapped("  - ", text_printable(m, f->evidence[i]));
	if (f->fix[0])
		puts("  fix:");
	for (unsigned int i = 0; i < FINDING_LINES && f->fix[i]; i++)
		printf("    %s\n", text_printable(m, f->fix[i]));
	if (f->fix_note)
		print_wrapped("  ", text_printable(m, f->fix_note));
}

static const struct finding *find_verdict(const struct diagnosis *d)
{
	for (unsigned int i = 0; i < d->count; i++)
		if (d->findings[i].verdict)
			return &d->findings[i];
	return NULL;
}

/* The answer comes first, whatever is worse. */
void findings_print_text(const struct snapshot *s, const struct diagnosis *d)
{
	const struct finding *verdict = find_verdict(d);

	if (d->count == 0)
		printf("nothing found: %u containers, %u IPC namespaces\n", s->container_count,
		       s->ipcns_count);
	if (verdict)
		print_finding(d->memory, verdict);
	for (unsigned int i = 0; i < d->count; i++) {
		if (&d->findings[i] == verdict)
			continue;
		if (i > 0 || verdict)
			putchar('\n');
		print_finding(d->memory, &d->findings[i]);
	}
}

/* ---- for programs */

static json_t *json_lines(struct memory *m, const char *const lines[FINDING_LINES])
{
	unsigned int count = 0;

	while (count < FINDING_LINES && lines[count])
		count++;
	return json_texts(m, lines, count);
}

static json_t *json_whom(const struct snapshot *s, struct memory *m, const struct finding *f)
{
	const char *names[2];
	unsigned int count = 0;

	if (f->container_a != NOBODY)
		names[count++] = s->containers[f->container_a].name;
	if (f->container_b != NOBODY)
		names[count++] = s->containers[f->container_b].name;
	return json_texts(m, names, count);
}

static json_t *json_object_of(const struct snapshot *s, struct memory *m, const struct finding *f)
{
	char room[512];

	if (f->object == NOBODY)
		return json_null();
	return json_printable(m, text_object(s, f->object, room, sizeof(room)));
}

static json_t *json_finding(const struct snapshot *s, struct memory *m, const struct finding *f)
{
	return json_pack("{s:s, s:s, s:o, s:o, s:o, s:o, s:o, s:o}", "code",
			 finding_code_name(f->code), "severity", severity_name(f->severity),
			 "title", json_printable(m, f->title), "evidence",
			 json_lines(m, f->evidence), "fix", json_lines(m, f->fix), "fix_note",
			 json_printable(m, f->fix_note ? f->fix_note : ""), "containers",
			 json_whom(s, m, f), "object", json_object_of(s, m, f));
}

static json_t *json_findings(const struct snapshot *s, const struct diagnosis *d)
{
	json_t *list = json_array();

	for (unsigned int i = 0; list && i < d->count; i++) {
		if (json_array_append_new(list, json_finding(s, d->memory, &d->findings[i])) < 0) {
			json_decref(list);
			return NULL;
		}
	}
	return list;
}

int findings_print_json(const struct snapshot *s, const struct diagnosis *d)
{
	const struct finding *verdict = find_verdict(d);

	return json_print(json_pack(
		"{s:o, s:b, s:o, s:o}", "verdict",
		json_printable(d->memory, verdict ? finding_code_name(verdict->code) : ""),
		"complete", s->note_count == 0, "not_seen",
		json_texts(d->memory, s->notes, s->note_count), "findings", json_findings(s, d)));
}
