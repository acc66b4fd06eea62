/* SPDX-License-Identifier: Apache-2.0 */
/*
 * area.c - see area.h.
 */
#include "area.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

int area_open_path(int dir, const char *path, int flags, uint64_t resolve)
{
	struct open_how how = { .flags = (uint64_t)(flags | O_CLOEXEC), .resolve = resolve };

	return (int)syscall(SYS_openat2, dir, path, &how, sizeof(how));
}

int area_open(const struct shm_area *area)
{
	char path[64];
	struct stat st;
	int root, fd;

	snprintf(path, sizeof(path), "/proc/%d/root", (int)area->pid);
	root = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (root < 0)
		return -1;
	fd = area_open_path(root, area->point, O_RDONLY | O_DIRECTORY, RESOLVE_IN_ROOT);
	close(root);
	if (fd >= 0 && (fstat(fd, &st) < 0 || major(st.st_dev) != area->dev_major ||
			minor(st.st_dev) != area->dev_minor)) {
		close(fd);
		errno = ENOENT;
		return -1;
	}
	return fd;
}
