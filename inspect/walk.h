/* SPDX-License-Identifier: Apache-2.0 */
/*
 * walk.h - a walk through a folder with POSIX objects and channels.
 *
 *   posix.c    the walk itself, and each /dev/shm
 *   volumes.c  what containers share, and folders that were named
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
	unsigned int left; /* files that may still be looked at */
	unsigned char *head;
};

/* @fd is closed.  @path: "", or of a folder in the area. */
void walk_folder(struct walk *w, int fd, const char *path, unsigned int depth, dev_t dev);
/* The size of the file system, into @area. */
void walk_measure(struct shm_area *area, int fd);
/* A folder as process @pid has it; -1 and errno, ESRCH if there is no such process. */
int walk_open(const struct scan *scan, pid_t pid, const char *point);

/* volumes.c */
void volumes_gather(struct walk *w);

#endif /* COSHM_INSPECT_WALK_H */
