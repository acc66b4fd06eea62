/* SPDX-License-Identifier: Apache-2.0 */
/*
 * walk.h - a walk through a folder with POSIX objects and channels.
 *
 *   posix.c    the walk itself, and each /dev/shm
 *   volumes.c  what containers share, and folders that were named
 *   served.h   the folder .sysv of a directory that `coshm run` serves
 */
#ifndef COSHM_INSPECT_WALK_H
#define COSHM_INSPECT_WALK_H

#include "gather.h"

struct walk {
	struct scan *scan;
	struct mount_line mount;
	const char *root, *point;
	pid_t pid;
	int area;
	bool channels_only;
	bool posix;        /* in the folder .posix of a directory that `coshm run` serves */
	unsigned int left; /* files that may still be looked at */
	unsigned char *head;
};

/* By what others find a file: its device, and see file_number(). */
struct walk_file {
	uint64_t device, number;
};

/* @fd is closed.  @path: "", or of a folder in the area. */
void walk_folder(struct walk *w, int fd, const char *path, unsigned int depth, dev_t dev);
/* One file of an open folder; @path from the area's top. */
void walk_add_file(struct walk *w, int dir, const char *name, const char *path);
/* @o's device; false if the file is known, by another name or through another mount. */
bool walk_locate(const struct walk *w, const char *path, const struct stat *stat, struct object *o,
		 struct walk_file *file);
/* What a file says of itself. */
void walk_describe(struct object *o, const struct stat *stat);
/* Into the snapshot, in the walk's area; @file may be NULL. */
void walk_put(struct walk *w, struct object *o, const struct walk_file *file);
/* For reading, without a trace where we may; -1 and errno. */
int walk_open_file(int dir, const char *name);
/* The size of the file system, into @area. */
void walk_measure(struct shm_area *area, int fd);
/* A folder as process @pid has it; -1 and errno, ESRCH if there is no such process. */
int walk_open(const struct scan *scan, pid_t pid, const char *point);

/* volumes.c */
void volumes_gather(struct walk *w);

#endif /* COSHM_INSPECT_WALK_H */
