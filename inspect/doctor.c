/* SPDX-License-Identifier: Apache-2.0 */
/*
 * doctor.c - both questions to the doctor, and the order of what it finds.
 */
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "doctor_rules.h"

const char *finding_code_name(enum finding_code code)
{
	static const char *const names[] = {
		[FINDING_SHARED] = "shared",
		[FINDING_IMPOSSIBLE] = "impossible",
		[FINDING_UNTIL_RESTART] = "until-restart",
		[FINDING_SPLIT] = "split",
		[FINDING_DONOR_PRIVATE] = "donor-private",
		[FINDING_DONOR_OWN_SHM] = "donor-own-shm",
		[FINDING_NOT_JOINED] = "not-joined",
		[FINDING_POSIX_ONLY] = "posix-only",
		[FINDING_SYSV_ONLY] = "sysv-only",
		[FINDING_CHANNELS_ONLY] = "channels-only",
		[FINDING_DIRECTORY] = "directory",
		[FINDING_NO_SHM] = "no-shm",
		[FINDING_STOPPED] = "stopped",
		[FINDING_DONOR_GONE] = "donor-gone",
		[FINDING_UNSEEN] = "unseen",
		[FINDING_USER_NAMESPACE] = "user-namespace",
		[FINDING_LABEL] = "label",
		[FINDING_DENIED] = "denied",
		[FINDING_PID_LIVENESS] = "pid-liveness",
		[FINDING_SHM_FULL] = "shm-full",
		[FINDING_SIGBUS_AHEAD] = "sigbus-ahead",
		[FINDING_SHM_SIZE_IGNORED] = "shm-size-ignored",
		[FINDING_SYSCTL_OF_DONOR] = "sysctl-of-donor",
		[FINDING_FTOK] = "ftok",
		[FINDING_LIMIT] = "limit",
		[FINDING_ORPHAN] = "orphan",
		[FINDING_DEAD_PEER] = "dead-peer",
	};

	return names[code];
}

const char *severity_name(enum severity severity)
{
	static const char *const names[] = { "fine", "note", "warning", "error" };

	return names[severity];
}

static const char *print_list(struct memory *m, const char *format, va_list list)
{
	char *text = NULL;
	const char *kept;
	int length = vasprintf(&text, format, list);

	kept = length < 0 ? "" : memory_copy(m, text, (size_t)length);
	if (length >= 0)
		free(text);
	return kept;
}

struct finding *add_finding(struct doctor *d, enum finding_code code, enum severity severity,
			    const char *title, ...)
{
	struct finding *f = memory_add(d->m, d->out->findings, d->out->count);
	va_list list;

	if (!f)
		f = &d->spare;
	*f = (struct finding){ .code = code,
			       .severity = severity,
			       .container_a = NOBODY,
			       .container_b = NOBODY,
			       .object = NOBODY };
	va_start(list, title);
	f->title = print_list(d->m, title, list);
	va_end(list);
	return f;
}

static void add_line(const char *lines[FINDING_LINES], const char *line)
{
	for (unsigned int i = 0; i < FINDING_LINES; i++) {
		if (!lines[i]) {
			lines[i] = line;
			return;
		}
	}
}

void add_evidence(struct doctor *d, struct finding *f, const char *format, ...)
{
	va_list list;

	va_start(list, format);
	add_line(f->evidence, print_list(d->m, format, list));
	va_end(list);
}

void add_fix(struct doctor *d, struct finding *f, const char *format, ...)
{
	va_list list;

	va_start(list, format);
	add_line(f->fix, print_list(d->m, format, list));
	va_end(list);
}

void about(struct finding *f, const struct party *a, const struct party *b)
{
	f->container_a = a->container;
	f->container_b = b ? b->container : NOBODY;
}

const char *amount(struct doctor *d, uint64_t bytes)
{
	static const char *const units[] = { "KiB", "MiB", "GiB", "TiB", "PiB", "EiB" };
	double value = (double)bytes / 1024;
	unsigned int unit = 0;

	if (d->exact || bytes < 1024)
		return memory_print(d->m, "%" PRIu64 " bytes", bytes);
	for (; value >= 1024 && unit < 5; unit++)
		value /= 1024;
	return memory_print(d->m, "%.4g %s", value, units[unit]);
}

const char *path_text(struct doctor *d, const struct object *o)
{
	char path[PATH_MAX];

	return memory_print(d->m, "%s/%s", d->s->areas[o->area].point,
			    object_path(o, path, sizeof(path)));
}

const char *object_text(struct doctor *d, const struct object *o)
{
	static const char *const kinds[] = { "shm", "sem", "msg" };

	if (o->kind <= OBJECT_MSG)
		return memory_print(d->m, "%s 0x%08" PRIx32 " (id %" PRId64 ")%s%s", kinds[o->kind],
				    (uint32_t)o->key, o->id, o->area == NOBODY ? "" : " at ",
				    o->area == NOBODY ? "" : path_text(d, o));
	if (o->area == NOBODY)
		return o->name;
	return path_text(d, o);
}

bool same_text(const char *a, const char *b)
{
	return a[0] != '\0' && strcmp(a, b) == 0;
}

struct party party_of_container(struct doctor *d, int container)
{
	const struct container *c = &d->s->containers[container];
	int process = c->state == CONTAINER_STOPPED ? NOBODY : c->process;

	return (struct party){ .container = container,
			       .process = process,
			       .c = c,
			       .p = process == NOBODY ? NULL : &d->s->processes[process],
			       .name = c->name,
			       .ipcns = process == NOBODY ? NOBODY : c->ipcns,
			       .area = process == NOBODY ? NOBODY : c->shm_area };
}

struct party party_of(struct doctor *d, const struct side *side)
{
	const struct process *p;

	if (side->container != NOBODY)
		return party_of_container(d, side->container);
	p = &d->s->processes[side->process];
	return (struct party){ .container = NOBODY,
			       .process = side->process,
			       .p = p,
			       .name = memory_print(d->m, "pid %d (%s)", (int)p->pid, p->command),
			       .ipcns = p->ipcns,
			       .area = p->shm_area };
}

/* The verdict comes first among findings that are as bad; else the order is the rules'. */
static int worse_first(const void *x, const void *y)
{
	const struct finding *a = x, *b = y;

	if (a->severity != b->severity)
		return a->severity > b->severity ? -1 : 1;
	if (a->verdict != b->verdict)
		return a->verdict ? -1 : 1;
	return a->code < b->code ? -1 : a->code > b->code;
}

static int begin(const struct snapshot *s, bool exact, struct doctor *d)
{
	struct memory *m = memory_new();

	*d = (struct doctor){
		.s = s, .m = m, .out = m ? memory_get(m, sizeof(*d->out)) : NULL, .exact = exact
	};
	if (!d->out) {
		memory_free(m);
		return -ENOMEM;
	}
	d->out->memory = m;
	return 0;
}

static int end(struct doctor *d, struct diagnosis **diagnosis)
{
	if (memory_failed(d->m)) {
		memory_free(d->m);
		return -ENOMEM;
	}
	if (d->out->count > 1)
		qsort(d->out->findings, d->out->count, sizeof(struct finding), worse_first);
	*diagnosis = d->out;
	return 0;
}

int doctor_pair(const struct snapshot *s, const struct side *a, const struct side *b,
		const struct key_file *key, bool exact, struct diagnosis **diagnosis)
{
	struct party pa, pb;
	struct doctor d;
	int err = begin(s, exact, &d);

	if (err < 0)
		return err;
	pa = party_of(&d, a);
	pb = party_of(&d, b);
	if (judge_pair(&d, &pa, &pb))
		judge_between(&d, &pa, &pb);
	if (key)
		judge_key(&d, &pa, &pb, key);
	return end(&d, diagnosis);
}

int doctor_machine(const struct snapshot *s, bool exact, struct diagnosis **diagnosis)
{
	struct doctor d;
	int err = begin(s, exact, &d);

	if (err < 0)
		return err;
	for (unsigned int i = 0; i < s->container_count; i++) {
		judge_told(&d, (int)i);
		judge_joiner_options(&d, (int)i);
	}
	for (unsigned int i = 0; i < s->ipcns_count; i++)
		judge_limits(&d, (int)i);
	for (unsigned int i = 0; i < s->area_count; i++) {
		judge_area(&d, (int)i);
		judge_channels(&d, (int)i);
	}
	judge_orphans(&d, NOBODY, NOBODY, NULL);
	return end(&d, diagnosis);
}

void doctor_free(struct diagnosis *diagnosis)
{
	if (diagnosis)
		memory_free(diagnosis->memory);
}
