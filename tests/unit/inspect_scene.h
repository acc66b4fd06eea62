/* SPDX-License-Identifier: Apache-2.0 */
/*
 * inspect_scene.h - what the tests of inspect/ share.  Include it first.
 */
#ifndef COSHM_TEST_INSPECT_SCENE_H
#define COSHM_TEST_INSPECT_SCENE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "gather.h"

/* A text with its length, as parsers want it. */
#define TEXT(text) (text), strlen(text)

static inline bool same(struct span s, const char *text)
{
	return span_is(s, text);
}

/* The only object of this kind and name, or its index is NOBODY. */
static inline int find_object(const struct snapshot *s, enum object_kind kind, const char *name)
{
	int found = NOBODY;

	for (unsigned int i = 0; i < s->object_count; i++) {
		if (s->objects[i].kind != kind || strcmp(s->objects[i].name, name) != 0)
			continue;
		assert_int_equal(found, NOBODY);
		found = (int)i;
	}
	return found;
}

static inline const struct object *the_object(const struct snapshot *s, enum object_kind kind,
					      const char *name)
{
	int found = find_object(s, kind, name);

	if (found == NOBODY)
		fail_msg("there is no %s", name);
	return &s->objects[found];
}

static inline const struct process *the_process(const struct snapshot *s, pid_t pid)
{
	for (unsigned int i = 0; i < s->process_count; i++)
		if (s->processes[i].pid == pid)
			return &s->processes[i];
	fail_msg("there is no process %d", pid);
	return NULL;
}

static inline const struct use *find_use_of(const struct snapshot *s, const struct object *o,
					    pid_t pid)
{
	for (unsigned int i = 0; i < s->use_count; i++)
		if (s->uses[i].object == o - s->objects &&
		    s->processes[s->uses[i].process].pid == pid)
			return &s->uses[i];
	return NULL;
}

/* What is true of each snapshot: indexes are in bounds, and order is kept. */
static inline void check_snapshot(const struct snapshot *s)
{
	for (unsigned int i = 0; i < s->process_count; i++) {
		const struct process *p = &s->processes[i];

		assert_true(p->container >= NOBODY && p->container < (int)s->container_count);
		assert_true(p->ipcns >= NOBODY && p->ipcns < (int)s->ipcns_count);
		assert_true(p->shm_area >= NOBODY && p->shm_area < (int)s->area_count);
	}
	for (unsigned int i = 0; i < s->container_count; i++) {
		const struct container *c = &s->containers[i];

		assert_true(c->process >= NOBODY && c->process < (int)s->process_count);
		assert_true(c->ipcns >= NOBODY && c->ipcns < (int)s->ipcns_count);
		assert_true(c->shm_area >= NOBODY && c->shm_area < (int)s->area_count);
	}
	for (unsigned int i = 0; i < s->object_count; i++) {
		const struct object *o = &s->objects[i];

		assert_true(o->ipcns >= NOBODY && o->ipcns < (int)s->ipcns_count);
		assert_true(o->area >= NOBODY && o->area < (int)s->area_count);
		assert_non_null(o->name);
	}
	for (unsigned int i = 0; i < s->use_count; i++) {
		const struct use *u = &s->uses[i];

		assert_in_range(u->process, 0, s->process_count - 1);
		assert_in_range(u->object, 0, s->object_count - 1);
		assert_true(i == 0 || u[-1].object < u->object ||
			    (u[-1].object == u->object && u[-1].process < u->process));
	}
}

static inline struct snapshot *scan_with(const struct inspect_opts *opts)
{
	struct snapshot *s = NULL;
	char why[256] = "";

	if (inspect_scan(opts, &s, why) < 0)
		fail_msg("%s", why);
	check_snapshot(s);
	return s;
}

#endif /* COSHM_TEST_INSPECT_SCENE_H */
