/* SPDX-License-Identifier: Apache-2.0 */
/*
 * volumes.c - channels in volumes that several containers have, and in folders
 * that were named.
 *
 * Of a volume, its top and a folder "coshm" there are looked at, and so many files
 * at most: it may be anybody's disk.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "walk.h"

#define VOLUME_MAX 1024u /* files that are looked at */

struct volume {
	const struct place *place;
	unsigned int containers;
	int last; /* container that was counted */
};

/* @w: its mount, root, point and pid are set.  @fd is closed. */
static void look_at_folder(struct walk *w, int fd)
{
	struct shm_area size = { 0 }, *area;
	struct stat stat;

	w->area = NOBODY;
	w->left = VOLUME_MAX;
	w->channels_only = true;
	walk_measure(&size, fd);
	if (fstat(fd, &stat) < 0) {
		close(fd);
		return;
	}
	walk_folder(w, fd, "", 0, stat.st_dev);
	if (w->area == NOBODY)
		return;
	area = &w->scan->s->areas[w->area];
	area->bytes = size.bytes;
	area->used = size.used;
	area->free = size.free;
}

static bool is_same(const struct place *a, const struct place *b)
{
	return a->dev_major == b->dev_major && a->dev_minor == b->dev_minor &&
	       strcmp(a->root, b->root) == 0;
}

/* Through whoever has it there and is still alive. */
static int open_place(const struct scan *scan, const struct place *place)
{
	struct view *view = &scan->views[place->view];
	int fd = walk_open(scan, view->pid, place->point);

	for (unsigned int i = 0; fd < 0 && errno == ESRCH && i < view->witnesses.count; i++) {
		view->pid = view->witnesses.pid[i];
		fd = walk_open(scan, view->pid, place->point);
	}
	return fd;
}

/* Where one container has it, or, if that has ended, where another one does. */
static int open_volume(const struct scan *scan, struct volume *v)
{
	const struct place *first = v->place;
	int fd = open_place(scan, first);

	for (unsigned int i = 0; fd < 0 && errno == ESRCH && i < scan->place_count; i++)
		if (is_same(&scan->places[i], first)) {
			v->place = &scan->places[i];
			fd = open_place(scan, v->place);
		}
	return fd;
}

static void look_at_volume(struct walk *w, struct volume *v)
{
	int fd = open_volume(w->scan, v);
	const struct place *place = v->place;

	if (fd < 0) /* a file, as a rule: /etc/hosts */
		return;
	w->mount = (struct mount_line){ .dev_major = place->dev_major,
					.dev_minor = place->dev_minor,
					.fs = span_of(place->fs, strlen(place->fs)) };
	w->root = place->root;
	w->point = place->point;
	w->pid = w->scan->views[place->view].pid;
	look_at_folder(w, fd);
	if (w->area != NOBODY)
		w->scan->s->areas[w->area].containers = v->containers;
}

static void count_container(struct volume *v, int container)
{
	if (v->last == container)
		return;
	v->last = container;
	v->containers++;
}

/* Those that several containers have. */
static void look_at_volumes(struct walk *w)
{
	struct scan *scan = w->scan;
	struct volume *volumes = NULL, *v;
	struct table by_root = { 0 };
	unsigned int count = 0;

	for (unsigned int i = 0; i < scan->place_count; i++) {
		const struct place *place = &scan->places[i];
		uint64_t device = device_number(place->dev_major, place->dev_minor);
		uint64_t root = span_hash(span_of(place->root, strlen(place->root)));
		int found = table_find(&by_root, device, root);

		if (found < 0) {
			v = memory_add(scan->scratch, volumes, count);
			if (!v)
				return;
			*v = (struct volume){ .place = place, .last = NOBODY };
			found = (int)count - 1;
			table_put(&by_root, scan->scratch, device, root, found);
		}
		count_container(&volumes[found], scan->views[place->view].container);
	}
	for (unsigned int i = 0; i < count; i++)
		if (volumes[i].containers > 1)
			look_at_volume(w, &volumes[i]);
}

static void look_at_named(struct walk *w, const char *dir)
{
	char path[PATH_MAX];
	int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct stat stat;

	if (fd < 0 || !realpath(dir, path) || fstat(fd, &stat) < 0) {
		scan_note(w->scan, "channels in %s: %s",
			  memory_printable(w->scan->scratch, dir, strlen(dir), PATH_MAX),
			  strerror(errno));
		if (fd >= 0)
			close(fd);
		return;
	}
	w->mount = (struct mount_line){ .dev_major = major(stat.st_dev),
					.dev_minor = minor(stat.st_dev),
					.fs = span_of("", 0) };
	w->root = w->point = path;
	w->pid = w->scan->s->own_pid;
	look_at_folder(w, fd);
}

void volumes_gather(struct walk *w)
{
	const char *const *dirs = w->scan->opts->dirs;

	look_at_volumes(w);
	for (; dirs && *dirs; dirs++)
		look_at_named(w, *dirs);
}
