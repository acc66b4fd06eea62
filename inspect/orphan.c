/* SPDX-License-Identifier: Apache-2.0 */
/*
 * orphan.c - see orphan.h.
 *
 * YES is said where the kernel itself counts the users (those attached to a
 * segment, the locks of a channel) or where we have looked at every process that
 * could be one (who maps or has open a file), and nobody is left who made it or
 * last used it.  Whoever is paused or stopped cannot come back for what is his
 * meanwhile: of what he could reach, nothing is called an orphan.  And he could
 * reach anything if we cannot see where he is.
 */
#include "orphan.h"

#include <string.h>

#include "memory.h"

/* A clause about a process, or plainer words if there is no memory. */
static const char *about(const struct snapshot *s, const struct process *p, const char *what)
{
	const char *container = p->container == NOBODY ? "" : s->containers[p->container].name;
	const char *text = memory_print(s->memory, "pid %d (%s)%s%s %s", (int)p->pid, p->command,
					*container ? " of " : "", container, what);

	return text ? text : what;
}

static bool is_alive(const struct process *p)
{
	return p->state != 'Z' && p->state != 'X';
}

static const struct process *living(const struct snapshot *s, pid_t pid)
{
	for (unsigned int i = 0; i < s->process_count; i++)
		if (s->processes[i].pid == pid)
			return is_alive(&s->processes[i]) ? &s->processes[i] : NULL;
	return NULL;
}

static bool is_stopped(const struct snapshot *s, const struct process *p)
{
	return p->frozen || p->state == 'T' || p->state == 't' ||
	       (p->container != NOBODY && s->containers[p->container].state == CONTAINER_PAUSED);
}

/* Does it share the place that the object is in, as far as we know? */
static bool is_beside(const struct process *p, const struct object *o)
{
	if (o->ipcns != NOBODY)
		return p->ipcns == o->ipcns || p->ipcns == NOBODY;
	return o->area == NOBODY || p->shm_area == o->area || p->shm_area == NOBODY;
}

/* Who has a volume that is served, is not known: anybody may. */
static bool may_have(const struct snapshot *s, const struct process *p, const struct object *o)
{
	return is_beside(p, o) ||
	       (o->kind != OBJECT_CHANNEL && o->area != NOBODY && !s->areas[o->area].dev_shm);
}

static const struct process *stopped_beside(const struct snapshot *s, const struct object *o)
{
	for (unsigned int i = 0; i < s->process_count; i++)
		if (may_have(s, &s->processes[i], o) && is_stopped(s, &s->processes[i]))
			return &s->processes[i];
	return NULL;
}

static bool is_file(const struct object *o)
{
	return o->kind == OBJECT_POSIX_SHM || o->kind == OBJECT_POSIX_SEM;
}

const char *orphan_hidden(const struct snapshot *s, int object)
{
	const struct object *o = &s->objects[object];

	if (o->ipcns != NOBODY && !s->ipcns[o->ipcns].seen)
		return "its IPC namespace could not be entered";
	if (o->area != NOBODY && !s->areas[o->area].seen)
		return "its file system could not be looked into";
	if (!s->pid_host)
		return "processes of other PID namespaces cannot be seen from here";
	for (unsigned int i = 0; is_file(o) && i < s->process_count; i++) {
		const struct process *p = &s->processes[i];

		if (is_alive(p) && may_have(s, p, o) && !p->maps_seen)
			return about(s, p, "does not show what it maps");
	}
	return NULL;
}

static enum orphan say(enum orphan verdict, const char *text, const char **why)
{
	*why = text;
	return verdict;
}

/* The kernel, or the locks of a table, count who is attached, whatever namespace he is in. */
static enum orphan judge_segment(const struct snapshot *s, const struct object *o, const char **why)
{
	const struct process *p;
	const char *text;

	if (o->count > 0)
		return say(ORPHAN_NO, "somebody is attached", why);
	if (o->status & STATUS_DEST && o->allocated == 0)
		return say(ORPHAN_NO, "its memory is freed", why);
	if (o->status & STATUS_DEST)
		return say(ORPHAN_YES, "it was removed, and nobody is attached any more", why);
	p = living(s, o->cpid);
	if (p)
		return say(ORPHAN_NO, about(s, p, "made it"), why);
	p = living(s, o->lpid);
	if (p)
		return say(ORPHAN_NO, about(s, p, "was the last to use it"), why);
	if (o->cpid == 0 && o->ipcns != NOBODY)
		return say(ORPHAN_MAYBE, "who made it is in a PID namespace that is not seen", why);
	text = o->cpid == 0 ? "nobody is attached, and who made it is gone" :
			      memory_print(s->memory,
					   "nobody is attached, and pid %d, which made it, is gone",
					   (int)o->cpid);
	return say(ORPHAN_YES, text ? text : "nobody is attached", why);
}

static enum orphan judge_channel(const struct object *o, const char **why)
{
	const struct channel *c = o->channel;

	if (!c)
		return say(ORPHAN_MAYBE, "it could not be looked into", why);
	if (c->peer_count > c->dead)
		return say(ORPHAN_NO, "a peer is alive", why);
	if (c->dead == 0)
		return say(ORPHAN_MAYBE,
			   "all closed it in good order: it may be kept for the next ones "
			   "(coshm rm removes it)",
			   why);
	return say(ORPHAN_YES, "all of its peers are dead", why);
}

/* Podman is no daemon: its file stays between its runs, and running containers need it. */
static bool is_podmans(const struct object *o)
{
	static const char rootless[] = "libpod_rootless_lock_";

	return strcmp(o->name, "libpod_lock") == 0 ||
	       strncmp(o->name, rootless, sizeof(rootless) - 1) == 0;
}

/* Nobody need have a key file open, and without it the next ones find another segment, or none. */
static enum orphan judge_file(const struct object *o, const char **why)
{
	if (is_podmans(o))
		return say(ORPHAN_MAYBE, "Podman keeps its locks in it", why);
	if (o->bytes == 0)
		return say(ORPHAN_MAYBE, "it is empty, and may be a key file of ftok(3)", why);
	return say(ORPHAN_YES, "nobody maps it or has it open", why);
}

static enum orphan judge(const struct snapshot *s, const struct object *o, const char **why)
{
	switch (o->kind) {
	case OBJECT_SHM:
		return judge_segment(s, o, why);
	case OBJECT_CHANNEL:
		return judge_channel(o, why);
	case OBJECT_POSIX_SHM:
	case OBJECT_POSIX_SEM:
		return judge_file(o, why);
	case OBJECT_SEM:
		return say(ORPHAN_MAYBE,
			   o->ipcns == NOBODY ? "semaphores may be kept for who comes next" :
						"the kernel does not count who uses semaphores",
			   why);
	case OBJECT_MSG:
	case OBJECT_POSIX_MQ:
		return say(ORPHAN_MAYBE, "a message queue may be kept for who comes next", why);
	case OBJECT_TABLE:
		return say(ORPHAN_NO, "it is the table of a directory that coshm run serves", why);
	case OBJECT_DELETED:
	case OBJECT_MEMFD:
		break;
	}
	/* The kernel frees it with its last user. */
	return say(ORPHAN_NO, "it lives as long as its users", why);
}

enum orphan object_orphan(const struct snapshot *s, int object, const char **why)
{
	const struct object *o = &s->objects[object];
	const struct process *stopped;
	enum orphan verdict;
	const char *hidden;

	if (o->uses > 0)
		return say(ORPHAN_NO, "somebody maps it or has it open", why);
	verdict = judge(s, o, why);
	if (verdict != ORPHAN_YES)
		return verdict;
	hidden = orphan_hidden(s, object);
	if (hidden)
		return say(ORPHAN_MAYBE, hidden, why);
	stopped = stopped_beside(s, o);
	if (stopped)
		return say(ORPHAN_MAYBE, about(s, stopped, "is paused, and could use it"), why);
	return verdict;
}
