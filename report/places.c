/* SPDX-License-Identifier: Apache-2.0 */
/*
 * places.c - where objects belong; see places.h.
 */
#include "places.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "text.h"

#define UNDECIDED (-2)

/* One more that has this area at /dev/shm: is it still one namespace alone? */
static void meet(struct places *p, int area, int ipcns)
{
	if (area == NOBODY || ipcns == NOBODY)
		return;
	if (p->area_ipcns[area] == UNDECIDED)
		p->area_ipcns[area] = ipcns;
	else if (p->area_ipcns[area] != ipcns)
		p->area_ipcns[area] = NOBODY;
}

static void find_owners(struct places *p)
{
	const struct snapshot *s = p->s;

	for (unsigned int i = 0; i < s->area_count; i++)
		p->area_ipcns[i] = UNDECIDED;
	for (unsigned int i = 0; i < s->process_count; i++)
		meet(p, s->processes[i].shm_area, s->processes[i].ipcns);
	for (unsigned int i = 0; i < s->container_count; i++)
		meet(p, s->containers[i].shm_area, s->containers[i].ipcns);
	for (unsigned int i = 0; i < s->ipcns_count; i++)
		p->ipcns_area[i] = NOBODY;
	for (unsigned int i = 0; i < s->area_count; i++) {
		if (p->area_ipcns[i] == UNDECIDED)
			p->area_ipcns[i] = NOBODY;
		if (p->area_ipcns[i] != NOBODY)
			p->ipcns_area[p->area_ipcns[i]] = (int)i;
	}
}

/* Containers by where they are: counted first, then filled in. */
static void list_members(const struct snapshot *s, struct members *members, unsigned int count,
			 const int *where, struct memory *m)
{
	const char **name = memory_get(m, (s->container_count + 1) * sizeof(*name));
	int *container = memory_get(m, (s->container_count + 1) * sizeof(*container));

	if (!name || !container)
		return;
	for (unsigned int i = 0; i < s->container_count; i++)
		if (where[i] != NOBODY)
			members[where[i]].count++;
	for (unsigned int i = 0; i < count; i++) {
		members[i].name = name;
		members[i].container = container;
		name += members[i].count;
		container += members[i].count;
		members[i].count = 0;
	}
	for (unsigned int i = 0; i < s->container_count; i++) {
		struct members *of = where[i] == NOBODY ? NULL : &members[where[i]];

		if (!of)
			continue;
		of->name[of->count] = text_printable(m, s->containers[i].name);
		of->container[of->count++] = (int)i;
	}
}

static void place_containers(struct places *p, struct memory *m)
{
	const struct snapshot *s = p->s;
	int *ipcns = memory_get(m, (s->container_count + 1) * sizeof(*ipcns));
	int *area = memory_get(m, (s->container_count + 1) * sizeof(*area));

	if (!ipcns || !area)
		return;
	for (unsigned int i = 0; i < s->container_count; i++) {
		ipcns[i] = s->containers[i].ipcns;
		area[i] = s->containers[i].shm_area;
		if (s->containers[i].donor != NOBODY)
			p->donor[s->containers[i].donor] = true;
	}
	list_members(s, p->in_ipcns, s->ipcns_count, ipcns, m);
	list_members(s, p->in_area, s->area_count, area, m);
}

int places_ipcns(const struct places *p, unsigned int object)
{
	const struct object *o = &p->s->objects[object];

	if (o->ipcns != NOBODY)
		return o->ipcns;
	return o->area == NOBODY ? NOBODY : p->area_ipcns[o->area];
}

/* What has no place of its own is where all are that use it. */
static int ipcns_of_users(const struct places *p, unsigned int object)
{
	const struct snapshot *s = p->s;
	unsigned int first = p->first_use[object], end = p->first_use[object + 1];
	int ipcns = first == end ? NOBODY : s->processes[s->uses[first].process].ipcns;

	for (unsigned int i = first; i < end; i++)
		if (s->processes[s->uses[i].process].ipcns != ipcns)
			return NOBODY;
	return ipcns;
}

static void find_uses(struct places *p)
{
	const struct snapshot *s = p->s;
	unsigned int use = 0;

	for (unsigned int i = 0; i <= s->object_count; i++) {
		while (use < s->use_count && (unsigned int)s->uses[use].object < i)
			use++;
		p->first_use[i] = use;
	}
}

static void place_objects(struct places *p)
{
	const struct snapshot *s = p->s;

	for (unsigned int i = 0; i < s->object_count; i++) {
		int ipcns = places_ipcns(p, i);

		if (ipcns == NOBODY && s->objects[i].area == NOBODY)
			ipcns = ipcns_of_users(p, i);
		if (ipcns != NOBODY)
			p->of_object[i] = (unsigned int)ipcns;
		else if (s->objects[i].area != NOBODY)
			p->of_object[i] = s->ipcns_count + (unsigned int)s->objects[i].area;
		else
			p->of_object[i] = p->count - 1;
	}
}

static int compare(const void *left, const void *right, void *places)
{
	const struct places *p = places;
	unsigned int i = *(const unsigned int *)left, j = *(const unsigned int *)right;
	const struct object *a = &p->s->objects[i], *b = &p->s->objects[j];
	int names = strcmp(a->name, b->name);

	if (p->of_object[i] != p->of_object[j])
		return p->of_object[i] < p->of_object[j] ? -1 : 1;
	if (a->kind != b->kind)
		return a->kind < b->kind ? -1 : 1;
	if (names != 0)
		return names;
	return a->id < b->id ? -1 : a->id > b->id;
}

const struct places *places_make(const struct snapshot *s, struct memory *m)
{
	struct places *p = memory_get(m, sizeof(*p));

	if (!p)
		return NULL;
	p->s = s;
	p->count = s->ipcns_count + s->area_count + 1;
	p->area_ipcns = memory_get(m, (s->area_count + 1) * sizeof(*p->area_ipcns));
	p->ipcns_area = memory_get(m, (s->ipcns_count + 1) * sizeof(*p->ipcns_area));
	p->of_object = memory_get(m, (s->object_count + 1) * sizeof(*p->of_object));
	p->order = memory_get(m, (s->object_count + 1) * sizeof(*p->order));
	p->first_use = memory_get(m, (s->object_count + 1) * sizeof(*p->first_use));
	p->in_ipcns = memory_get(m, (s->ipcns_count + 1) * sizeof(*p->in_ipcns));
	p->in_area = memory_get(m, (s->area_count + 1) * sizeof(*p->in_area));
	p->donor = memory_get(m, s->container_count + 1);
	if (memory_failed(m))
		return NULL;
	find_owners(p);
	place_containers(p, m);
	find_uses(p);
	place_objects(p);
	for (unsigned int i = 0; i < s->object_count; i++)
		p->order[i] = i;
	qsort_r(p->order, s->object_count, sizeof(*p->order), compare, p);
	return memory_failed(m) ? NULL : p;
}

/* Is the container where the object is? */
static bool is_there(const struct places *p, int container, const struct object *o)
{
	const struct container *c = &p->s->containers[container];

	return (o->ipcns != NOBODY && o->ipcns == c->ipcns) ||
	       (o->area != NOBODY && o->area == c->shm_area);
}

/* Add the container of a process, unless it is there, or has been added before (behind @known). */
static void add_user(const struct places *p, const struct object *o, int container,
		     unsigned int known, struct members *in, struct memory *m)
{
	if (container == NOBODY || is_there(p, container, o))
		return;
	for (unsigned int i = known; i < in->count; i++)
		if (in->container[i] == container)
			return;
	in->name[in->count] = text_printable(m, p->s->containers[container].name);
	in->container[in->count++] = container;
}

struct members places_sharers(const struct places *p, unsigned int object, struct memory *m)
{
	const struct object *o = &p->s->objects[object];
	struct members there = o->ipcns != NOBODY ? p->in_ipcns[o->ipcns] :
			       o->area != NOBODY  ? p->in_area[o->area] :
						    (struct members){ 0 };
	unsigned int first = p->first_use[object], end = p->first_use[object + 1];
	struct members all = { .count = there.count };

	if (o->ipcns != NOBODY || first == end) /* its users can be nowhere else */
		return there;
	all.container = memory_get(m, (there.count + end - first) * sizeof(*all.container));
	all.name = memory_get(m, (there.count + end - first) * sizeof(*all.name));
	if (!all.container || !all.name)
		return there;
	for (unsigned int i = 0; i < there.count; i++) {
		all.container[i] = there.container[i];
		all.name[i] = there.name[i];
	}
	for (unsigned int i = first; i < end; i++)
		add_user(p, o, p->s->processes[p->s->uses[i].process].container, there.count, &all,
			 m);
	return all;
}

bool places_shares(const struct places *p, int container, unsigned int object)
{
	if (is_there(p, container, &p->s->objects[object]))
		return true;
	for (unsigned int i = p->first_use[object]; i < p->first_use[object + 1]; i++)
		if (p->s->processes[p->s->uses[i].process].container == container)
			return true;
	return false;
}

static const char *fill(const struct shm_area *a, struct memory *m)
{
	char bytes[TEXT_ROOM], used[TEXT_ROOM];
	double percent = a->bytes == 0 ? 0 : (double)a->used * 100 / (double)a->bytes;

	if (!a->seen)
		return "not seen";
	if (a->bytes == 0)
		return memory_print(m, "%s used, no limit", text_bytes(a->used, false, used));
	return memory_print(m, "%s, %.0f %% used", text_bytes(a->bytes, false, bytes), percent);
}

/* A screen's line at most, then how many more there are. */
static const char *who(const struct places *p, struct members in, struct memory *m)
{
	const char *text = "";
	unsigned int i;

	for (i = 0; i < in.count && strlen(text) < 60; i++)
		text = memory_print(m, "%s%s%s%s", text, i == 0 ? "" : ", ", in.name[i],
				    p->donor[in.container[i]] ? " (donor)" : "");
	return i == in.count ? text : memory_print(m, "%s and %u more", text, in.count - i);
}

const char *places_name(const struct places *p, unsigned int place, struct memory *m)
{
	const struct snapshot *s = p->s;
	const struct shm_area *area;

	if (place < s->ipcns_count)
		return memory_print(m, "ipc namespace %" PRIu64 "%s", s->ipcns[place].ino,
				    s->ipcns[place].own ? " (own)" : "");
	if (place == p->count - 1)
		return "no name";
	area = &s->areas[place - s->ipcns_count];
	return memory_print(m, "directory %s (%s %u:%u)", text_printable(m, area->point),
			    text_printable(m, area->fs), area->dev_major, area->dev_minor);
}

static const char *title_of_ipcns(const struct places *p, unsigned int i, struct memory *m)
{
	const struct ipcns *n = &p->s->ipcns[i];
	int area = p->ipcns_area[i];
	const char *names =
		p->in_ipcns[i].count != 0 ?
			who(p, p->in_ipcns[i], m) :
			memory_print(m, "%s%u process%s", p->s->pid_host ? "no container, " : "",
				     n->processes, n->processes == 1 ? "" : "es");

	return memory_print(m, "%s%s%s%s", names, area == NOBODY ? "" : "; /dev/shm ",
			    area == NOBODY ? "" : fill(&p->s->areas[area], m),
			    n->seen ? "" : "; not seen");
}

static const char *title_of_area(const struct places *p, unsigned int i, struct memory *m)
{
	struct members in = p->in_area[i];

	return memory_print(m, "%s%s%s", who(p, in, m), in.count == 0 ? "" : "; ",
			    fill(&p->s->areas[i], m));
}

const char *places_title(const struct places *p, unsigned int place, struct memory *m)
{
	unsigned int areas = p->s->ipcns_count;
	const char *rest = place < areas         ? title_of_ipcns(p, place, m) :
			   place < p->count - 1u ? title_of_area(p, place - areas, m) :
						   "files of processes in several namespaces";

	return memory_print(m, "%s: %s", places_name(p, place, m), rest);
}
