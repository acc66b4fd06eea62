/* SPDX-License-Identifier: Apache-2.0 */
/*
 * posix_shm.c - shm_open and shm_unlink in the directory.
 *
 * What shm_open returns is a descriptor of a file: all else that a program does with
 * it (ftruncate, mmap, fstat) is between it and the kernel.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sys/mman.h>

#include "posix.h"
#include "real.h"

static int open_in(const char *dir, const char *name, int flags, mode_t mode)
{
	struct posix_path path;
	int fd, err = posix_path(dir, "", name, &path);

	if (err < 0) {
		errno = -err;
		return -1;
	}
	flags |= O_NOFOLLOW | O_CLOEXEC;
	fd = open(path.text, flags, mode);
	if (fd < 0 && errno == ENOENT && (flags & O_CREAT) && posix_make_folder(dir))
		fd = open(path.text, flags, mode);
	if (fd < 0 && errno == EISDIR)
		errno = EINVAL;
	return fd;
}

SHIM_EXPORT int shm_open(const char *name, int flags, mode_t mode)
{
	const char *dir = shim_dir();
	int fd, cancel;

	if (!dir)
		return REAL(shm_open)(name, flags, mode);
	/* libc's is no point where a thread can be cancelled, and open() is one */
	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &cancel);
	fd = open_in(dir, name, flags, mode);
	pthread_setcancelstate(cancel, NULL);
	return fd;
}

SHIM_EXPORT int shm_unlink(const char *name)
{
	const char *dir = shim_dir();

	return dir ? posix_unlink(dir, "", name) : REAL(shm_unlink)(name);
}
