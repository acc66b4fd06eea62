/* SPDX-License-Identifier: Apache-2.0 */
/*
 * key_file.c - see key_file.h.
 *
 * /proc/PID/root is the root that a process has.  A symbolic link from there on
 * would be followed from our own root, if openat2(2) were not told otherwise.
 */
#include "key_file.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

static int open_as_seen_by(pid_t pid, const char *path)
{
	struct open_how how = { .flags = O_PATH | O_CLOEXEC,
				.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS };
	char root[32];
	int top, fd, err;

	snprintf(root, sizeof(root), "/proc/%d/root", (int)pid);
	top = open(root, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (top < 0)
		return -errno;
	fd = (int)syscall(SYS_openat2, top, path, &how, sizeof(how));
	err = errno;
	close(top);
	return fd < 0 ? -err : fd;
}

int ftok_as_seen_by(pid_t pid, const char *path, int project_id, struct ftok_of *of)
{
	int fd = open_as_seen_by(pid, path), err = 0;
	struct stat st;

	if (fd < 0)
		return -fd;
	if (fstat(fd, &st) < 0)
		err = errno;
	close(fd);
	if (err != 0)
		return err;
	of->dev = st.st_dev;
	of->ino = st.st_ino;
	/* As glibc and musl have it. */
	of->key = (int32_t)((st.st_ino & 0xffff) | (st.st_dev & 0xff) << 16 |
			    ((uint32_t)project_id & 0xff) << 24);
	return 0;
}
