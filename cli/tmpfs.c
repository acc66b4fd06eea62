/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tmpfs.c - see tmpfs.h.
 *
 * fsconfig(2) reaches a file system by a descriptor of its topmost directory, in
 * whatever mount namespace, and changes the one thing that it is told.  mount(2)
 * would have to be done inside of the container, and would take away each flag
 * and option that it was not told again.
 */
#include "tmpfs.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/magic.h>
#include <linux/mount.h>
#include <sched.h>
#include <stdio.h>
#include <sys/statfs.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

int tmpfs_size(int dir, struct tmpfs_size *size)
{
	struct statvfs vfs;
	struct statfs fs;

	if (fstatfs(dir, &fs) < 0 || fstatvfs(dir, &vfs) < 0)
		return -errno;
	if (fs.f_type != TMPFS_MAGIC)
		return -EMEDIUMTYPE;
	size->bytes = (uint64_t)vfs.f_blocks * vfs.f_frsize;
	size->used = (uint64_t)(vfs.f_blocks - vfs.f_bfree) * vfs.f_frsize;
	size->read_only = (vfs.f_flag & ST_RDONLY) != 0;
	return 0;
}

static int resize(int dir, uint64_t bytes)
{
	char text[32];
	int fs, err = 0;

	fs = (int)syscall(SYS_fspick, dir, "", FSPICK_EMPTY_PATH | FSPICK_CLOEXEC);
	if (fs < 0)
		return -errno;
	snprintf(text, sizeof(text), "%" PRIu64, bytes);
	if (syscall(SYS_fsconfig, fs, FSCONFIG_SET_STRING, "size", text, 0) < 0 ||
	    syscall(SYS_fsconfig, fs, FSCONFIG_CMD_RECONFIGURE, NULL, NULL, 0) < 0)
		err = -errno;
	close(fs);
	return err;
}

static int enter(pid_t pid, const char *namespace, int kind)
{
	char path[64];
	int fd, err;

	snprintf(path, sizeof(path), "/proc/%d/ns/%s", (int)pid, namespace);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	err = setns(fd, kind) < 0 ? -errno : 0;
	close(fd);
	return err;
}

/* A user who is nobody here is root in the containers that he has made. */
static int resize_inside(int dir, pid_t pid, uint64_t bytes)
{
	int status, err;
	pid_t child = fork();

	if (child == 0) {
		err = enter(pid, "user", CLONE_NEWUSER);
		if (err == 0)
			err = enter(pid, "mnt", CLONE_NEWNS);
		if (err == 0)
			err = resize(dir, bytes);
		_exit(-err);
	}
	if (child < 0 || TEMP_FAILURE_RETRY(waitpid(child, &status, 0)) < 0)
		return -errno;
	return WIFEXITED(status) ? -WEXITSTATUS(status) : -EINTR;
}

int tmpfs_resize(int dir, pid_t pid, uint64_t bytes)
{
	int err = resize(dir, bytes);

	/* Why it may not from here says more than why not from there. */
	return err == -EPERM && pid > 0 && resize_inside(dir, pid, bytes) == 0 ? 0 : err;
}
