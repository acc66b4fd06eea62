/* SPDX-License-Identifier: Apache-2.0 */
/*
 * scan.c - all facts of a machine, together; inspect.h says what they are, and
 * gather.h in which order they come.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "engine.h"
#include "gather.h"

/* ---- order ---------------------------------------------------------------------------------- */

static int compare_numbers(int64_t a, int64_t b)
{
	return a < b ? -1 : a > b;
}

/* By namespace and then by area, by kind, by key or name, by id. */
static int compare_objects(const void *a, const void *b, void *objects)
{
	const struct object *x = (const struct object *)objects + *(const int *)a;
	const struct object *y = (const struct object *)objects + *(const int *)b;
	int order;

	if (x->ipcns != y->ipcns)
		return compare_numbers((uint32_t)x->ipcns, (uint32_t)y->ipcns);
	if (x->area != y->area)
		return compare_numbers((uint32_t)x->area, (uint32_t)y->area);
	if (x->kind != y->kind)
		return compare_numbers(x->kind, y->kind);
	if (x->key != y->key)
		return compare_numbers((uint32_t)x->key, (uint32_t)y->key);
	order = strcmp(x->name, y->name);
	return order != 0 ? order : compare_numbers(x->id, y->id);
}

static int compare_uses(const void *a, const void *b)
{
	const struct use *x = a, *y = b;

	return x->object != y->object ? compare_numbers(x->object, y->object) :
					compare_numbers(x->process, y->process);
}

/* A file without a name is told if it is shared, or takes room from an area's others. */
static bool is_told(const struct object *o)
{
	return o->kind == OBJECT_MEMFD   ? o->uses > 1 :
	       o->kind == OBJECT_DELETED ? o->uses > 1 || o->area != NOBODY :
					   true;
}

static void sort_objects(struct scan *scan)
{
	struct snapshot *s = scan->s;
	int *order = memory_get(scan->scratch, (s->object_count + 1) * sizeof(*order));
	int *place = memory_get(scan->scratch, (s->object_count + 1) * sizeof(*place));
	struct object *sorted = memory_get(scan->m, (s->object_count + 1) * sizeof(*sorted));
	unsigned int count = 0, uses = 0;

	if (!order || !place || !sorted)
		return;
	for (unsigned int i = 0; i < s->object_count; i++) {
		place[i] = NOBODY;
		if (is_told(&s->objects[i]))
			order[count++] = (int)i;
	}
	qsort_r(order, count, sizeof(*order), compare_objects, s->objects);
	for (unsigned int i = 0; i < count; i++) {
		sorted[i] = s->objects[order[i]];
		place[order[i]] = (int)i;
	}
	s->objects = sorted;
	s->object_count = count;
	for (unsigned int i = 0; i < s->use_count; i++) {
		s->uses[uses] = s->uses[i];
		s->uses[uses].object = place[s->uses[i].object];
		uses += s->uses[uses].object != NOBODY;
	}
	s->use_count = uses;
	if (uses != 0)
		qsort(s->uses, uses, sizeof(*s->uses), compare_uses);
}

static void count_uses(const struct snapshot *s)
{
	for (unsigned int i = 0; i < s->use_count; i++)
		s->objects[s->uses[i].object].uses++;
}

/* ---- what could not be seen ----------------------------------------------------------------- */

/* Root of a container, or with fewer capabilities than the process that it looks at. */
static const char *advice(int error)
{
	if (error != EACCES && error != EPERM)
		return "";
	return geteuid() != 0 ?
		       "; run as root" :
		       "; root here lacks CAP_SYS_PTRACE, CAP_SYS_ADMIN, or what they have";
}

static void say_lacks(struct scan *scan)
{
	static const struct {
		const char *one, *many;
	} what[LACKS] = {
		[LACK_NAMESPACES] = { "namespaces of %u process", "namespaces of %u processes" },
		[LACK_MAPS] = { "memory maps of %u process", "memory maps of %u processes" },
		[LACK_FILES] = { "open files of %u process", "open files of %u processes" },
		[LACK_MOUNTS] = { "mounts of %u mount namespace", "mounts of %u mount namespaces" },
		[LACK_IPCNS] = { "objects of %u IPC namespace", "objects of %u IPC namespaces" },
		[LACK_QUEUES] = { "message queues of %u IPC namespace",
				  "message queues of %u IPC namespaces" },
		[LACK_AREAS] = { "files of %u /dev/shm", "files of %u /dev/shm" },
		[LACK_FOLDERS] = { "files of %u folder in /dev/shm",
				   "files of %u folders in /dev/shm" },
	};
	char text[128];

	for (int i = 0; i < LACKS; i++) {
		const struct lack_count *lack = &scan->lacks[i];

		if (lack->count == 0)
			continue;
		snprintf(text, sizeof(text), lack->count == 1 ? what[i].one : what[i].many,
			 lack->count);
		scan_note(scan, "%s: %s%s", text, strerror(lack->error), advice(lack->error));
	}
}

/* ---- all of it ------------------------------------------------------------------------------ */

static int gather(struct scan *scan, char why[256])
{
	int err = processes_gather(scan);

	if (err < 0) {
		snprintf(why, 256, "cannot list the processes in %s/proc: %s",
			 scan->recorded ? scan->opts->root : "", strerror(-err));
		return err;
	}
	containers_gather(scan);
	mounts_gather(scan);
	containers_place(scan);
	ipcns_start(scan);
	areas_gather(scan);
	ipcns_gather(scan);
	uses_gather(scan);
	count_uses(scan->s);
	sort_objects(scan);
	say_lacks(scan);
	engines_name(scan->s, scan->opts);
	if (memory_failed(scan->m) || memory_failed(scan->scratch)) {
		snprintf(why, 256, "no memory is left");
		return -ENOMEM;
	}
	return 0;
}

static int open_machine(struct scan *scan, char why[256])
{
	const char *top = scan->recorded ? scan->opts->root : "/";
	int err;

	scan->top = open(top, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (scan->top >= 0)
		scan->proc = openat(scan->top, "proc", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (scan->top >= 0 && scan->proc >= 0)
		return 0;
	err = -errno;
	snprintf(why, 256, "cannot look into %s%s: %s", top, scan->top < 0 ? "" : "/proc",
		 strerror(-err));
	return err;
}

static void close_machine(struct scan *scan)
{
	ipcns_end(scan);
	if (scan->proc >= 0)
		close(scan->proc);
	if (scan->top >= 0)
		close(scan->top);
	free(scan->text.data);
	memory_free(scan->scratch);
}

int inspect_scan(const struct inspect_opts *opts, struct snapshot **snapshot, char why[256])
{
	struct memory *m = memory_new();
	struct snapshot *s = m ? memory_get(m, sizeof(*s)) : NULL;
	struct scan scan = { .s = s,
			     .opts = opts,
			     .m = m,
			     .scratch = memory_new(),
			     .top = -1,
			     .proc = -1,
			     .child_pipe = -1,
			     .recorded = opts->root != NULL };
	struct timespec now;
	int err;

	if (!s || !scan.scratch) {
		snprintf(why, 256, "no memory is left");
		memory_free(m);
		memory_free(scan.scratch);
		return -ENOMEM;
	}
	clock_gettime(CLOCK_REALTIME, &now);
	s->memory = m;
	s->own_process = NOBODY;
	s->own_pid = scan.recorded ? 0 : getpid();
	s->taken_ns = (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
	err = open_machine(&scan, why);
	if (err == 0)
		err = gather(&scan, why);
	close_machine(&scan);
	if (err < 0)
		memory_free(m);
	else
		*snapshot = s;
	return err;
}

void inspect_free(struct snapshot *s)
{
	if (s)
		memory_free(s->memory);
}
