/* SPDX-License-Identifier: Apache-2.0 */
/*
 * doctor_show.c - what was read where: the evidence of a verdict.
 */
#include <inttypes.h>
#include <string.h>
#include <time.h>

#include "doctor_rules.h"

static void show_namespaces(struct doctor *d, struct finding *f, const struct party *a,
			    const struct party *b)
{
	if (a->p && b->p)
		add_evidence(d, f,
			     "/proc/%d/ns/ipc is ipc:[%" PRIu64 "], /proc/%d/ns/ipc ipc:[%" PRIu64
			     "]",
			     (int)a->p->pid, a->p->ipcns_ino, (int)b->p->pid, b->p->ipcns_ino);
}

static const char *area_text(struct doctor *d, const struct party *who)
{
	const struct shm_area *area = who->area == NOBODY ? NULL : &d->s->areas[who->area];

	if (!area)
		return memory_print(d->m, "of %s there is none", who->name);
	return memory_print(d->m, "of %s is device %u:%u (%s%s%s)", who->name, area->dev_major,
			    area->dev_minor, area->fs,
			    strcmp(area->root, "/") == 0 ? "" : ", its folder ",
			    strcmp(area->root, "/") == 0 ? "" : area->root);
}

static void show_areas(struct doctor *d, struct finding *f, const struct party *a,
		       const struct party *b)
{
	add_evidence(d, f, "mountinfo: /dev/shm %s, %s", area_text(d, a), area_text(d, b));
}

static const char *moment(struct doctor *d, int64_t realtime_ns)
{
	time_t seconds = (time_t)(realtime_ns / 1000000000);
	char text[32];
	struct tm tm;

	if (!gmtime_r(&seconds, &tm) ||
	    strftime(text, sizeof(text), "%Y-%m-%d %H:%M:%S UTC", &tm) == 0)
		return "?";
	return memory_copy(d->m, text, strlen(text));
}

/* The ids of engines have 64 digits: 12 of them name a container. */
static const char *mode_text(struct doctor *d, const struct container *c)
{
	static const char joined[] = "container:";
	const size_t head = sizeof(joined) - 1;

	if (strncmp(c->ipc_mode, joined, head) != 0 || strlen(c->ipc_mode) <= head + 12)
		return c->ipc_mode;
	return memory_copy(d->m, c->ipc_mode, head + 12);
}

void show_told(struct doctor *d, struct finding *f, const struct party *who)
{
	const char *started = "";

	if (!who->c || who->c->ipc_mode[0] == '\0')
		return;
	if (who->c->started_ns != 0)
		started = memory_print(d->m, ", started at %s", moment(d, who->c->started_ns));
	add_evidence(d, f, "%s inspect %s: IpcMode %s%s", engine_name(who->c->engine), who->name,
		     mode_text(d, who->c), started);
}

void show_all(struct doctor *d, struct finding *f, const struct party *a, const struct party *b)
{
	about(f, a, b);
	f->verdict = true;
	show_namespaces(d, f, a, b);
	show_areas(d, f, a, b);
	show_told(d, f, a);
	show_told(d, f, b);
}

void show_users(struct doctor *d, struct finding *f, const struct party *a, const struct party *b)
{
	add_evidence(d, f,
		     "/proc/%d/ns/user is user:[%" PRIu64 "], /proc/%d/ns/user user:[%" PRIu64 "]",
		     (int)a->p->pid, a->p->userns_ino, (int)b->p->pid, b->p->userns_ino);
}
