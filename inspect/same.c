/* SPDX-License-Identifier: Apache-2.0 */
/*
 * same.c - what of one look is what of another; same.h says by what.
 *
 * Each thing has a key of three numbers.  Those of the earlier look are sorted,
 * those of the later one searched, so that large machines cost n log n.  Keys may
 * agree by accident (hard links, a recycled number): a check has the last word.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "same.h"

struct key {
	uint64_t part[3];
	int index;
};

static int compare(const void *x, const void *y)
{
	const struct key *a = x, *b = y;

	for (unsigned int i = 0; i < 3; i++)
		if (a->part[i] != b->part[i])
			return a->part[i] < b->part[i] ? -1 : 1;
	return (a->index > b->index) - (a->index < b->index);
}

/* How to pair things of one sort. */
struct sort {
	unsigned int (*count)(const struct snapshot *s);
	struct key (*key)(const struct snapshot *s, int index);
	bool (*check)(const struct same *same, int before, int after); /* or NULL */
};

static int *nobody(struct memory *m, unsigned int count)
{
	int *list = memory_get(m, (count + 1) * sizeof(*list));

	for (unsigned int i = 0; list && i < count; i++)
		list[i] = NOBODY;
	return list;
}

static struct key *sorted(const struct snapshot *s, const struct sort *sort, struct memory *m)
{
	unsigned int count = sort->count(s);
	struct key *keys = memory_get(m, (count + 1) * sizeof(*keys));

	for (unsigned int i = 0; keys && i < count; i++) {
		keys[i] = sort->key(s, (int)i);
		keys[i].index = (int)i;
	}
	if (keys)
		qsort(keys, count, sizeof(*keys), compare);
	return keys;
}

/* The first in @keys that is not before @wanted. */
static unsigned int search(const struct key *keys, unsigned int count, const struct key *wanted)
{
	unsigned int low = 0, high = count;

	while (low < high) {
		unsigned int middle = low + (high - low) / 2;

		if (compare(&keys[middle], wanted) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static int pair_all(const struct same *same, const struct sort *sort, struct memory *m,
		    struct pairs *pairs)
{
	unsigned int before = sort->count(same->before), after = sort->count(same->after);
	struct key *keys = sorted(same->before, sort, m);

	pairs->was = nobody(m, after);
	pairs->is = nobody(m, before);
	if (memory_failed(m))
		return -ENOMEM;
	for (unsigned int i = 0; i < after; i++) {
		struct key wanted = sort->key(same->after, (int)i);

		wanted.index = NOBODY;
		for (unsigned int k = search(keys, before, &wanted); k < before; k++) {
			int was = keys[k].index;

			if (memcmp(keys[k].part, wanted.part, sizeof(wanted.part)) != 0)
				break;
			if (pairs->is[was] != NOBODY ||
			    (sort->check && !sort->check(same, was, (int)i)))
				continue;
			pairs->was[i] = was;
			pairs->is[was] = (int)i;
			break;
		}
	}
	return 0;
}

/* ---- processes and containers ------------------------------------------------------------- */

static unsigned int count_processes(const struct snapshot *s)
{
	return s->process_count;
}

static struct key key_process(const struct snapshot *s, int i)
{
	const struct process *p = &s->processes[i];

	return (struct key){ .part = { (uint64_t)p->pid, p->start_ticks } };
}

static unsigned int count_containers(const struct snapshot *s)
{
	return s->container_count;
}

static uint64_t hash(const char *text)
{
	uint64_t h = 14695981039346656037u; /* FNV-1a */

	for (; *text != '\0'; text++)
		h = (h ^ (unsigned char)*text) * 1099511628211u;
	return h;
}

/* One that no engine made has no id.  Before it has set its own name, it is another one. */
static const char *identity(const struct container *c)
{
	return c->id[0] != '\0' ? c->id : c->name;
}

static struct key key_container(const struct snapshot *s, int i)
{
	const struct container *c = &s->containers[i];

	return (struct key){ .part = { c->engine, hash(identity(c)) } };
}

static bool check_container(const struct same *same, int before, int after)
{
	return strcmp(identity(&same->before->containers[before]),
		      identity(&same->after->containers[after])) == 0;
}

/* ---- namespaces and areas: the same while somebody has stayed ------------------------------ */

static unsigned int count_ipcns(const struct snapshot *s)
{
	return s->ipcns_count;
}

static struct key key_ipcns(const struct snapshot *s, int i)
{
	return (struct key){ .part = { s->ipcns[i].ino } };
}

static unsigned int count_areas(const struct snapshot *s)
{
	return s->area_count;
}

static struct key key_area(const struct snapshot *s, int i)
{
	const struct shm_area *a = &s->areas[i];

	return (struct key){ .part = { a->dev_major, a->dev_minor, hash(a->root) } };
}

/* Where a process of a look is: its namespace or its area. */
static int place_of(const struct snapshot *s, int process, bool area)
{
	return area ? s->processes[process].shm_area : s->processes[process].ipcns;
}

/*
 * Unpair what all have left: what has the number now is another one.  A place that
 * nobody was in is a volume, which stays as long as its device does.
 */
static int keep_inhabited(const struct same *same, struct pairs *pairs, bool area, struct memory *m)
{
	unsigned int count = area ? same->before->area_count : same->before->ipcns_count;
	bool *stayed = memory_get(m, count + 1), *had = memory_get(m, count + 1);

	if (memory_failed(m))
		return -ENOMEM;
	for (unsigned int i = 0; i < same->before->process_count; i++) {
		int is = same->processes.is[i], place = place_of(same->before, (int)i, area), now;

		if (place == NOBODY)
			continue;
		had[place] = true;
		now = is == NOBODY ? NOBODY : place_of(same->after, is, area);
		if (now != NOBODY && pairs->was[now] == place)
			stayed[place] = true;
	}
	for (unsigned int i = 0; i < count; i++) {
		if (!had[i] || stayed[i] || pairs->is[i] == NOBODY)
			continue;
		pairs->was[pairs->is[i]] = NOBODY;
		pairs->is[i] = NOBODY;
	}
	return 0;
}

/* ---- objects ------------------------------------------------------------------------------ */

static unsigned int count_objects(const struct snapshot *s)
{
	return s->object_count;
}

static bool is_sysv(const struct object *o)
{
	return o->kind <= OBJECT_MSG;
}

static bool in_ipcns(const struct object *o)
{
	return is_sysv(o) || o->kind == OBJECT_POSIX_MQ;
}

/* Those of a served directory have an id of their own, too. */
static uint64_t home(const struct snapshot *s, const struct object *o)
{
	return o->ipcns != NOBODY ? s->ipcns[o->ipcns].ino : hash(o->name);
}

/*
 * A file keeps its inode when it loses its name or turns out to be a channel, so
 * its kind is no part of its key.
 */
static struct key key_object(const struct snapshot *s, int i)
{
	const struct object *o = &s->objects[i];

	if (is_sysv(o) || o->ipcns != NOBODY)
		return (struct key){ .part = { 1 + (uint64_t)o->kind, (uint64_t)o->id,
					       home(s, o) } };
	return (struct key){ .part = { 0, (uint64_t)o->id,
				       (uint64_t)o->dev_major << 32 | o->dev_minor } };
}

/* What never changes while a System V object lives; marked for destruction, its key goes. */
static bool same_sysv(const struct object *was, const struct object *is)
{
	if (was->key != is->key && !(is->status & STATUS_DEST))
		return false;
	if (was->cuid != is->cuid || was->cgid != is->cgid)
		return false;
	/* In a directory, who is gone has no number that we know. */
	if (was->cpid != is->cpid && is->ipcns != NOBODY)
		return false;
	if (was->kind == OBJECT_SHM)
		return was->bytes == is->bytes;
	return was->kind != OBJECT_SEM || was->count == is->count;
}

const struct use *same_use(const struct snapshot *s, const unsigned int *first, int object,
			   int process)
{
	unsigned int low = first[object], high = first[object + 1];

	while (low < high) {
		unsigned int middle = low + (high - low) / 2;

		if (s->uses[middle].process == process)
			return &s->uses[middle];
		if (s->uses[middle].process < process)
			low = middle + 1;
		else
			high = middle;
	}
	return NULL;
}

static bool common_user(const struct same *same, int before, int after)
{
	for (unsigned int i = same->first_after[after]; i < same->first_after[after + 1]; i++) {
		int was = same->processes.was[same->after->uses[i].process];

		if (was != NOBODY && same_use(same->before, same->first_before, before, was))
			return true;
	}
	return false;
}

/* Counters of one channel never go back, and its shape stays. */
static bool same_channel(const struct channel *was, const struct channel *is)
{
	return was->kind == is->kind && was->policy == is->policy && was->slots == is->slots &&
	       was->messages <= is->messages && was->bytes <= is->bytes && was->lost <= is->lost &&
	       was->evicted <= is->evicted;
}

/* tmpfs counts inodes up; others hand one out again as soon as it is free. */
static bool inode_is_unique(const struct snapshot *s, const struct object *o)
{
	return o->kind == OBJECT_MEMFD ||
	       (o->area != NOBODY && strcmp(s->areas[o->area].fs, "tmpfs") == 0);
}

static bool same_file(const struct same *same, int before, int after)
{
	const struct object *was = &same->before->objects[before];
	const struct object *is = &same->after->objects[after];

	if (is->kind != OBJECT_DELETED && strcmp(was->name, is->name) != 0)
		return false;
	if (was->area != NOBODY && is->area != NOBODY && same->areas.was[is->area] != was->area)
		return false;
	if (was->area != NOBODY && is->area == NOBODY && same->areas.is[was->area] == NOBODY)
		return false;
	if (was->channel && is->channel)
		return same_channel(was->channel, is->channel);
	return inode_is_unique(same->before, was) || was->ctime == is->ctime ||
	       common_user(same, before, after);
}

static bool check_object(const struct same *same, int before, int after)
{
	const struct object *was = &same->before->objects[before];
	const struct object *is = &same->after->objects[after];

	if (!in_ipcns(is))
		return same_file(same, before, after);
	if (is->ipcns != NOBODY && same->ipcns.was[is->ipcns] != was->ipcns)
		return false;
	if (is->area != NOBODY && same->areas.was[is->area] != was->area)
		return false;
	return is_sysv(is) ? same_sysv(was, is) : strcmp(was->name, is->name) == 0;
}

static const unsigned int *first_uses(const struct snapshot *s, struct memory *m)
{
	unsigned int *first = memory_get(m, (s->object_count + 1) * sizeof(*first));
	unsigned int use = 0;

	for (unsigned int i = 0; first && i <= s->object_count; i++) {
		while (use < s->use_count && s->uses[use].object < (int)i)
			use++;
		first[i] = use;
	}
	return first;
}

int same_find(const struct snapshot *before, const struct snapshot *after, struct memory *m,
	      struct same *same)
{
	static const struct sort processes = { count_processes, key_process, NULL };
	static const struct sort containers = { count_containers, key_container, check_container };
	static const struct sort ipcns = { count_ipcns, key_ipcns, NULL };
	static const struct sort areas = { count_areas, key_area, NULL };
	static const struct sort objects = { count_objects, key_object, check_object };

	*same = (struct same){ .before = before,
			       .after = after,
			       .first_before = first_uses(before, m),
			       .first_after = first_uses(after, m) };
	if (memory_failed(m) || pair_all(same, &processes, m, &same->processes) < 0 ||
	    pair_all(same, &containers, m, &same->containers) < 0 ||
	    pair_all(same, &ipcns, m, &same->ipcns) < 0 ||
	    keep_inhabited(same, &same->ipcns, false, m) < 0 ||
	    pair_all(same, &areas, m, &same->areas) < 0 ||
	    keep_inhabited(same, &same->areas, true, m) < 0 ||
	    pair_all(same, &objects, m, &same->objects) < 0)
		return -ENOMEM;
	return 0;
}
