/* SPDX-License-Identifier: Apache-2.0 */
/*
 * changes.c - what has happened between two looks; changes.h says what is told.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "changes.h"
#include "coshm.h"
#include "memory.h"
#include "same.h"

struct finder {
	const struct same *same;
	struct changes *found;
};

static void add(struct finder *f, struct change change)
{
	struct change *room = memory_add(f->found->memory, f->found->change, f->found->count);

	if (room)
		*room = change;
}

/* ---- containers --------------------------------------------------------------------------- */

static bool runs(const struct container *c)
{
	return c->process != NOBODY || c->state == CONTAINER_RUNNING ||
	       c->state == CONTAINER_PAUSED;
}

static bool is_paused(const struct snapshot *s, const struct container *c)
{
	return c->state == CONTAINER_PAUSED ||
	       (c->process != NOBODY && s->processes[c->process].frozen);
}

/* Has it run from one look to the other, without a restart? */
static bool ran_on(const struct same *same, int before, int after)
{
	const struct container *was, *is;

	if (before == NOBODY || after == NOBODY)
		return false;
	was = &same->before->containers[before];
	is = &same->after->containers[after];
	if (!runs(was) || !runs(is))
		return false;
	if (was->process != NOBODY && is->process != NOBODY)
		return same->processes.was[is->process] == was->process;
	return was->started_ns == is->started_ns;
}

static void about_container(struct finder *f, enum change_kind kind, const struct snapshot *look,
			    int container, int donor)
{
	add(f, (struct change){ .kind = kind,
				.look = look,
				.container = container,
				.donor = donor,
				.object = NOBODY,
				.process = look->containers[container].process });
}

enum bond { BOND_NONE, BOND_JOINED, BOND_SPLIT };

/* How a container stands to the one whose namespace it was told to join. */
static enum bond bond_of(const struct snapshot *s, int container)
{
	const struct container *c = &s->containers[container];
	int there = c->donor == NOBODY ? NOBODY : s->containers[c->donor].ipcns;

	if (c->ipcns == NOBODY || there == NOBODY)
		return BOND_NONE;
	return c->ipcns == there ? BOND_JOINED : BOND_SPLIT;
}

static void find_bond(struct finder *f, int before, int after)
{
	const struct same *same = f->same;
	enum bond is = bond_of(same->after, after), was = BOND_NONE;

	if (ran_on(same, before, after))
		was = bond_of(same->before, before);
	if (is == was || is == BOND_NONE)
		return;
	about_container(f, is == BOND_JOINED ? CHANGE_JOINED : CHANGE_SPLIT, same->after, after,
			same->after->containers[after].donor);
}

static void find_containers(struct finder *f)
{
	const struct snapshot *before = f->same->before, *after = f->same->after;

	for (int i = 0; i < (int)before->container_count; i++)
		if (runs(&before->containers[i]) && !ran_on(f->same, i, f->same->containers.is[i]))
			about_container(f, CHANGE_STOPPED, before, i, NOBODY);
	for (int i = 0; i < (int)after->container_count; i++) {
		const struct container *c = &after->containers[i];
		int was = f->same->containers.was[i];
		bool ran;

		if (!runs(c))
			continue;
		ran = ran_on(f->same, was, i);
		if (!ran)
			about_container(f, CHANGE_STARTED, after, i, NOBODY);
		if (is_paused(after, c) != (ran && is_paused(before, &before->containers[was])))
			about_container(f, is_paused(after, c) ? CHANGE_PAUSED : CHANGE_RESUMED,
					after, i, NOBODY);
		find_bond(f, was, i);
	}
}

/* ---- peers of channels -------------------------------------------------------------------- */

static void about_peers(struct finder *f, int object, const struct channel_peer *peer,
			uint64_t count)
{
	add(f, (struct change){ .kind = CHANGE_DIED,
				.look = f->same->after,
				.container = NOBODY,
				.donor = NOBODY,
				.object = object,
				.process = NOBODY,
				.count = count,
				.peer = peer });
}

static const struct channel_peer *find_peer(const struct channel *c,
					    const struct channel_peer *like)
{
	for (unsigned int i = 0; c && i < c->peer_count; i++)
		if (c->peers[i].slot == like->slot && c->peers[i].role == like->role &&
		    c->peers[i].pid == like->pid && strcmp(c->peers[i].host, like->host) == 0)
			return &c->peers[i];
	return NULL;
}

/* Those that were alive and have gone: by their own will, or dead and recovered for. */
static unsigned int count_gone(const struct channel *was, const struct channel *is)
{
	unsigned int gone = 0;

	for (unsigned int i = 0; i < was->peer_count; i++)
		gone += was->peers[i].state != COSHM_PEER_DEAD && !find_peer(is, &was->peers[i]);
	return gone;
}

/* Peers that the channel's others have recovered for: the dead of before, and these. */
static uint64_t count_recovered(const struct channel *was, const struct channel *is)
{
	uint64_t recovered = is->evicted - was->evicted;

	for (unsigned int i = 0; i < was->peer_count; i++)
		if (was->peers[i].state == COSHM_PEER_DEAD && !find_peer(is, &was->peers[i]) &&
		    recovered > 0)
			recovered--;
	return recovered;
}

static void find_dead(struct finder *f, int object, const struct channel *was,
		      const struct channel *is)
{
	const struct channel_peer *before;
	uint64_t recovered;

	for (unsigned int i = 0; i < is->peer_count; i++) {
		before = was ? find_peer(was, &is->peers[i]) : NULL;
		if (is->peers[i].state == COSHM_PEER_DEAD &&
		    !(before && before->state == COSHM_PEER_DEAD))
			about_peers(f, object, &is->peers[i], 1);
	}
	recovered = was ? count_recovered(was, is) : is->evicted;
	if (recovered == 0)
		return;
	/* If as many have gone as were recovered for, it was these. */
	if (!was || count_gone(was, is) != recovered) {
		about_peers(f, object, NULL, recovered);
		return;
	}
	for (unsigned int i = 0; i < was->peer_count; i++)
		if (was->peers[i].state != COSHM_PEER_DEAD && !find_peer(is, &was->peers[i]))
			about_peers(f, object, &was->peers[i], 1);
}

/* ---- objects ------------------------------------------------------------------------------ */

static void about_object(struct finder *f, enum change_kind kind, const struct snapshot *look,
			 int object, int process, bool ended, uint64_t count)
{
	add(f, (struct change){ .kind = kind,
				.look = look,
				.container = process == NOBODY ? NOBODY :
								 look->processes[process].container,
				.donor = NOBODY,
				.object = object,
				.process = process,
				.ended = ended,
				.count = count });
}

/* A queue is used by whoever has it open; memory by whoever maps it. */
static bool counts(const struct snapshot *s, const struct use *use)
{
	return use && (use->mapped || s->objects[use->object].kind == OBJECT_POSIX_MQ);
}

/* Dead, and only not yet reaped: it has no maps that could be seen. */
static bool is_dead(const struct process *p)
{
	return p->state == 'Z' || p->state == 'X';
}

/* The same process in the other look, if it is alive there. */
static int alive_there(const struct snapshot *there, const int *pairs, int process)
{
	int twin = pairs[process];

	return twin != NOBODY && is_dead(&there->processes[twin]) ? NOBODY : twin;
}

/* Users in the one look that are none in the other; how many. */
static unsigned int compare_users(struct finder *f, enum change_kind kind, int object, int other)
{
	const struct same *same = f->same;
	bool gone = kind == CHANGE_DETACHED;
	const struct snapshot *s = gone ? same->before : same->after;
	const struct snapshot *t = gone ? same->after : same->before;
	const unsigned int *first = gone ? same->first_before : same->first_after;
	const unsigned int *others = gone ? same->first_after : same->first_before;
	const int *there = gone ? same->processes.is : same->processes.was;
	unsigned int changed = 0;

	for (unsigned int i = first[object]; i < first[object + 1]; i++) {
		int process = s->uses[i].process, twin = alive_there(t, there, process);

		if (!counts(s, &s->uses[i]) || (twin != NOBODY && !t->processes[twin].maps_seen))
			continue;
		if (twin != NOBODY && other != NOBODY &&
		    counts(t, same_use(t, others, other, twin)))
			continue;
		about_object(f, kind, s, object, process, gone && twin == NOBODY, 1);
		changed++;
	}
	return changed;
}

/* Was the place of an object that is missing in the other look looked into there? */
static bool place_seen(const struct snapshot *s, const struct object *o, const int *ipcns,
		       const int *areas)
{
	if (o->ipcns != NOBODY && ipcns[o->ipcns] != NOBODY)
		return s->ipcns[ipcns[o->ipcns]].seen;
	if (o->area != NOBODY && areas[o->area] != NOBODY)
		return s->areas[areas[o->area]].seen;
	return true;
}

static bool is_unlinked(const struct object *o)
{
	return o->kind == OBJECT_DELETED || (o->kind == OBJECT_SHM && (o->status & STATUS_DEST));
}

static void compare_object(struct finder *f, int before, int after)
{
	const struct object *was = &f->same->before->objects[before];
	const struct object *is = &f->same->after->objects[after];
	unsigned int users = compare_users(f, CHANGE_DETACHED, before, after);

	if (was->channel && is->channel)
		find_dead(f, after, was->channel, is->channel);
	if (is_unlinked(is) && !is_unlinked(was))
		about_object(f, CHANGE_UNLINKED, f->same->after, after, NOBODY, false, 0);
	users += compare_users(f, CHANGE_ATTACHED, after, before);
	if (users != 0 || is->kind != OBJECT_SHM)
		return;
	if (is->count > was->count)
		about_object(f, CHANGE_ATTACHED, f->same->after, after, NOBODY, false,
			     is->count - was->count);
	else if (is->count < was->count)
		about_object(f, CHANGE_DETACHED, f->same->before, before, NOBODY, false,
			     was->count - is->count);
}

static void find_objects(struct finder *f)
{
	const struct same *same = f->same;
	const struct snapshot *before = same->before, *after = same->after;

	for (int i = 0; i < (int)before->object_count; i++) {
		if (same->objects.is[i] != NOBODY) {
			compare_object(f, i, same->objects.is[i]);
		} else if (place_seen(after, &before->objects[i], same->ipcns.is, same->areas.is)) {
			compare_users(f, CHANGE_DETACHED, i, NOBODY);
			about_object(f, CHANGE_REMOVED, before, i, NOBODY, false, 0);
		}
	}
	for (int i = 0; i < (int)after->object_count; i++) {
		const struct object *o = &after->objects[i];

		if (same->objects.was[i] != NOBODY ||
		    !place_seen(before, o, same->ipcns.was, same->areas.was))
			continue;
		about_object(f, CHANGE_CREATED, after, i, NOBODY, false, 0);
		compare_users(f, CHANGE_ATTACHED, i, NOBODY);
		if (o->channel)
			find_dead(f, i, NULL, o->channel);
	}
}

/* ---- all ---------------------------------------------------------------------------------- */

/* Those of one kind stay in the order they were found in. */
static int by_kind(struct changes *found)
{
	struct change *sorted = memory_get(found->memory, (found->count + 1) * sizeof(*sorted));
	unsigned int count = 0;

	if (!sorted)
		return -ENOMEM;
	for (int kind = 0; kind < CHANGE_KINDS; kind++)
		for (unsigned int i = 0; i < found->count; i++)
			if ((int)found->change[i].kind == kind)
				sorted[count++] = found->change[i];
	found->change = sorted;
	return 0;
}

int changes_find(const struct snapshot *before, const struct snapshot *after,
		 struct changes **changes)
{
	struct memory *m = memory_new();
	struct changes *found = m ? memory_get(m, sizeof(*found)) : NULL;
	struct same same;
	struct finder f = { .same = &same, .found = found };

	if (!found || same_find(before, after, m, &same) < 0) {
		memory_free(m);
		return -ENOMEM;
	}
	found->memory = m;
	find_containers(&f);
	find_objects(&f);
	if (memory_failed(m) || by_kind(found) < 0) {
		memory_free(m);
		return -ENOMEM;
	}
	*changes = found;
	return 0;
}

void changes_free(struct changes *changes)
{
	if (changes)
		memory_free(changes->memory);
}

static bool hides(const struct same *same)
{
	const struct snapshot *before = same->before, *after = same->after;
	int was;

	for (unsigned int i = 0; i < after->ipcns_count; i++) {
		was = same->ipcns.was[i];
		if (was != NOBODY && before->ipcns[was].seen && !after->ipcns[i].seen)
			return true;
	}
	for (unsigned int i = 0; i < after->area_count; i++) {
		was = same->areas.was[i];
		if (was != NOBODY && before->areas[was].seen && !after->areas[i].seen)
			return true;
	}
	return false;
}

bool changes_hidden(const struct snapshot *before, const struct snapshot *after)
{
	struct memory *m = memory_new();
	struct same same;
	bool hidden = m && same_find(before, after, m, &same) == 0 && hides(&same);

	memory_free(m);
	return hidden;
}

const char *change_name(enum change_kind kind)
{
	static const char *const names[CHANGE_KINDS] = {
		[CHANGE_STOPPED] = "stopped",   [CHANGE_DIED] = "died",
		[CHANGE_DETACHED] = "detached", [CHANGE_UNLINKED] = "unlinked",
		[CHANGE_REMOVED] = "removed",   [CHANGE_STARTED] = "started",
		[CHANGE_JOINED] = "joined",     [CHANGE_SPLIT] = "split",
		[CHANGE_PAUSED] = "paused",     [CHANGE_RESUMED] = "resumed",
		[CHANGE_CREATED] = "created",   [CHANGE_ATTACHED] = "attached",
	};

	return names[kind];
}
