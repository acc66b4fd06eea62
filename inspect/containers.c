/* SPDX-License-Identifier: Apache-2.0 */
/*
 * containers.c - which processes are whose container: by their cgroup, and, where
 * no engine has marked them, by their namespaces alone.
 *
 * A process without a container's cgroup is in one if it has another mount
 * namespace than the machine's first process, and another IPC or PID namespace, too:
 * services with private folders have a mount namespace of their own, and are none.
 */
#include <stdio.h>

#include "engine.h"
#include "gather.h"

#define LABEL_MOST 256u

static bool starts_before(const struct process *a, const struct process *b)
{
	return a->start_ticks != b->start_ticks ? a->start_ticks < b->start_ticks : a->pid < b->pid;
}

static void join(struct scan *scan, int number, int container)
{
	struct container *c = &scan->s->containers[container];
	struct process *p = &scan->s->processes[number];
	int view = scan->facts[number].view;

	p->container = container;
	if (view != NOBODY && scan->views[view].container == NOBODY)
		scan->views[view].container = container;
	if (c->process != NOBODY && !starts_before(p, &scan->s->processes[c->process]))
		return;
	c->process = number;
	c->pid = p->pid;
}

static int new_container(struct scan *scan, enum engine engine, const char *id)
{
	struct container *c = engine_container(scan->s, engine, id);

	return c ? (int)(c - scan->s->containers) : NOBODY;
}

static void gather_by_cgroup(struct scan *scan)
{
	struct table by_id = { 0 };

	for (unsigned int i = 0; i < scan->s->process_count; i++) {
		const struct process_facts *f = &scan->facts[i];
		uint64_t hash = span_hash(span_of(f->id, strlen(f->id)));
		int found;

		if (f->engine == ENGINE_NONE || f->id[0] == '\0')
			continue;
		found = table_find(&by_id, hash, f->engine);
		if (found < 0) {
			found = new_container(scan, f->engine, f->id);
			if (found == NOBODY)
				return;
			table_put(&by_id, scan->scratch, hash, f->engine, found);
		}
		join(scan, (int)i, found);
	}
}

static bool lives_apart(const struct process *p, const struct process *first)
{
	return p->mntns_ino != 0 && p->mntns_ino != first->mntns_ino &&
	       (p->ipcns_ino != first->ipcns_ino || p->pidns_ino != first->pidns_ino);
}

/* The machine's first process, or the oldest one beside it if we may not look into that. */
static const struct process *first_seen(const struct snapshot *s)
{
	const struct process *found = NULL;

	for (unsigned int i = 0; i < s->process_count; i++) {
		const struct process *p = &s->processes[i];

		if (p->mntns_ino != 0 && p->pidns_ino == FIRST_PIDNS &&
		    p->ipcns_ino == FIRST_IPCNS && (!found || starts_before(p, found)))
			found = p;
	}
	return found;
}

/* Who is in the mount namespace of a container, is in it, whatever his cgroup: nsenter(1). */
static void gather_by_namespace(struct scan *scan)
{
	const struct snapshot *s = scan->s;
	const struct process *first = first_seen(s);
	int container;

	if (!s->pid_host || !first)
		return; /* what the machine's own namespaces are is not to be seen */
	for (unsigned int i = 0; i < s->process_count; i++) {
		const struct process *p = &s->processes[i];

		if (p->container != NOBODY || !lives_apart(p, first))
			continue;
		container = scan->views[scan->facts[i].view].container;
		if (container == NOBODY)
			container = new_container(scan, ENGINE_OTHER, "");
		if (container == NOBODY)
			return;
		join(scan, (int)i, container);
	}
}

static const char *read_label(struct scan *scan, pid_t pid)
{
	char path[NUMBER_ROOM + 16];
	struct span text, line = { "", "" };

	snprintf(path, sizeof(path), "%d/attr/current", pid);
	if (buffer_read(&scan->text, scan->proc, path) < 0)
		return "";
	text = buffer_span(&scan->text);
	span_line(&text, &line);
	return memory_printable(scan->m, line.at, span_length(line), LABEL_MOST);
}

void containers_gather(struct scan *scan)
{
	gather_by_cgroup(scan);
	gather_by_namespace(scan);
	for (unsigned int i = 0; i < scan->s->container_count; i++) {
		struct container *c = &scan->s->containers[i];
		const struct process *p = &scan->s->processes[c->process];

		c->label = read_label(scan, c->pid);
		c->state = p->frozen ? CONTAINER_PAUSED : CONTAINER_RUNNING;
		if (c->engine != ENGINE_OTHER)
			continue;
		c->name = memory_print(scan->m, "pid %d", c->pid);
		if (p->state == 'T')
			c->state = CONTAINER_PAUSED;
	}
}

/* Where its first process is, or, if we may not look at that, the first one that is seen. */
static void place(struct container *c, const struct process *p)
{
	if (c->ipcns == NOBODY)
		c->ipcns = p->ipcns;
	if (c->shm_area == NOBODY)
		c->shm_area = p->shm_area;
}

void containers_place(struct scan *scan)
{
	const struct snapshot *s = scan->s;

	for (unsigned int i = 0; i < s->container_count; i++)
		place(&s->containers[i], &s->processes[s->containers[i].process]);
	for (unsigned int i = 0; i < s->process_count; i++)
		if (s->processes[i].container != NOBODY)
			place(&s->containers[s->processes[i].container], &s->processes[i]);
	for (unsigned int i = 0; i < s->container_count; i++) {
		const struct container *c = &s->containers[i];

		if (c->ipcns != NOBODY)
			s->ipcns[c->ipcns].containers++;
		if (c->shm_area != NOBODY)
			s->areas[c->shm_area].containers++;
	}
}
