/* SPDX-License-Identifier: Apache-2.0 */
/*
 * findings.c - see findings.h.
 */
#include "findings.h"

#include <stdio.h>
#include <string.h>

#include "json.h"
#include "scols.h"
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

/* In lines of 80 columns: the first begins with first, the others are indented as far. */
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

static void print_nothing(const struct findings *f)
{
	unsigned int others = f->diagnosis->count;

	if (others == 0)
		printf("nothing found: %u containers, %u IPC namespaces\n", f->s->container_count,
		       f->s->ipcns_count);
	else
		printf("nothing found of what is asked for; %u other finding%s\n", others,
		       others == 1 ? "" : "s");
}

/* The answer comes first, whatever is worse. */
void findings_print_text(const struct findings *f)
{
	const struct finding *verdict = find_verdict(f->diagnosis);
	const struct finding *all = f->diagnosis->findings;
	bool begun = false;

	if (f->count == 0)
		print_nothing(f);
	for (unsigned int i = 0; i < f->count; i++)
		if (&all[f->row[i]] == verdict) {
			print_finding(f->rows->memory, verdict);
			begun = true;
		}
	for (unsigned int i = 0; i < f->count; i++) {
		if (&all[f->row[i]] == verdict)
			continue;
		if (begun)
			putchar('\n');
		print_finding(f->rows->memory, &all[f->row[i]]);
		begun = true;
	}
}

int findings_print_table(const struct findings *f)
{
	return table_print_rows(&f->selection, f->no_headings, f->rows, f->row, f->count);
}

/* ---- for programs */

static json_t *json_findings(const struct findings *f)
{
	json_t *list = json_array();

	for (unsigned int i = 0; list && i < f->count; i++) {
		if (json_array_append_new(list, json_row(&finding_columns, f->rows, f->row[i])) <
		    0) {
			json_decref(list);
			return NULL;
		}
	}
	return list;
}

/* The verdict is told also where no filter lets it pass. */
int findings_print_json(const struct findings *f)
{
	const struct finding *verdict = find_verdict(f->diagnosis);
	struct memory *m = f->rows->memory;

	return json_print(json_pack(
		"{s:o, s:b, s:o, s:o}", "verdict",
		json_printable(m, verdict ? finding_code_name(verdict->code) : ""), "complete",
		f->s->note_count == 0, "not_seen", json_texts(m, f->s->notes, f->s->note_count),
		"findings", json_findings(f)));
}
