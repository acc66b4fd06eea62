/* SPDX-License-Identifier: Apache-2.0 */
/*
 * posix_sem.c - sem_open, sem_close and sem_unlink in the directory.
 *
 * A semaphore is libc's own sem_t in a file: sem_wait, sem_post and the others work
 * on it as they are, across containers too, since the kernel finds who sleeps on a
 * word of a file by the file.  libc maps such a file once a process, and counts.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <unistd.h>

#include "posix.h"
#include "posix_mapping.h"
#include "real.h"
#include "region.h"

struct start {
	mode_t mode;
	unsigned int value;
};

/* Writing it, and not a longer ftruncate, finds a full file system now. */
static int fill(int fd, unsigned int value, sem_t **sem)
{
	sem_t whole;
	ssize_t written;

	memset(&whole, 0, sizeof(whole)); /* its padding, too */
	sem_init(&whole, 1, value);
	written = write(fd, &whole, sizeof(whole));
	if (written != (ssize_t)sizeof(whole))
		return written < 0 ? -errno : -ENOSPC;
	*sem = mapping_make(fd);
	return *sem == SEM_FAILED ? -errno : 0;
}

static int open_nameless(const char *dir, mode_t mode)
{
	struct posix_path folder;
	int fd, err = posix_folder(dir, &folder);

	if (err < 0)
		return err;
	fd = open(folder.text, O_TMPFILE | O_RDWR | O_CLOEXEC, mode);
	if (fd < 0 && errno == ENOENT && posix_make_folder(dir))
		fd = open(folder.text, O_TMPFILE | O_RDWR | O_CLOEXEC, mode);
	return fd < 0 ? -errno : fd;
}

/* Where there is no O_TMPFILE, as libc does it: who is killed meanwhile leaves the file. */
static int open_hidden(const char *dir, mode_t mode, struct posix_path *hidden)
{
	uint64_t random;
	char name[2 * sizeof(random) + 1];
	int fd, err;

	if (getrandom(&random, sizeof(random), 0) < 0)
		return -errno;
	snprintf(name, sizeof(name), "%016" PRIx64, random);
	err = posix_path(dir, ".new-", name, hidden);
	if (err < 0)
		return err;
	fd = open(hidden->text, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, mode);
	return fd < 0 ? -errno : fd;
}

/* Whole before it has its name; @hidden: by way of a file with another one. */
static int make_by(const char *dir, const struct posix_path *path, const struct start *start,
		   struct posix_path *hidden, sem_t **sem)
{
	int fd, err;

	fd = hidden ? open_hidden(dir, start->mode, hidden) : open_nameless(dir, start->mode);
	if (fd < 0)
		return fd;
	err = fill(fd, start->value, sem);
	if (err == 0 && hidden)
		err = link(hidden->text, path->text) < 0 ? -errno : 0;
	else if (err == 0)
		err = region_file_link(fd, AT_FDCWD, path->text);
	if (hidden)
		unlink(hidden->text);
	if (err == 0)
		return fd;
	if (*sem != SEM_FAILED)
		munmap(*sem, sizeof(**sem));
	*sem = SEM_FAILED;
	close(fd);
	return err;
}

static int make(const char *dir, const struct posix_path *path, const struct start *start,
		sem_t **sem)
{
	struct posix_path hidden;
	int fd;

	if (start->value > SEM_VALUE_MAX)
		return -EINVAL;
	fd = make_by(dir, path, start, NULL, sem);
	if (fd == -EOPNOTSUPP || fd == -EISDIR || fd == -ENOENT)
		fd = make_by(dir, path, start, &hidden, sem);
	return fd;
}

/* Open or make it; the descriptor, or -errno.  @sem: where it is mapped, if it was made. */
static int open_or_make(const char *dir, const struct posix_path *path, int flags,
			const struct start *start, sem_t **sem)
{
	int as = (flags & ~(O_CREAT | O_ACCMODE)) | O_RDWR | O_NOFOLLOW | O_CLOEXEC, fd;
	bool must_make = (flags & O_CREAT) && (flags & O_EXCL);

	for (;;) {
		if (!must_make) {
			fd = open(path->text, as);
			if (fd >= 0 || errno != ENOENT || !(flags & O_CREAT))
				return fd < 0 ? -errno : fd;
		}
		fd = make(dir, path, start, sem);
		if (fd != -EEXIST || must_make)
			return fd;
	}
}

static sem_t *open_in(const char *dir, const char *name, int flags, const struct start *start)
{
	struct posix_path path;
	sem_t *sem = SEM_FAILED;
	int fd = posix_path(dir, POSIX_SEM, name, &path), err;

	if (fd == 0)
		fd = open_or_make(dir, &path, flags, start, &sem);
	if (fd < 0) {
		errno = -fd;
		return SEM_FAILED;
	}
	sem = mapping_add(name, fd, sem);
	err = errno;
	close(fd);
	errno = err;
	return sem;
}

SHIM_EXPORT sem_t *sem_open(const char *name, int flags, ...)
{
	const char *dir = shim_dir();
	struct start start = { 0 };
	sem_t *sem;
	int cancel;

	if (flags & O_CREAT) {
		va_list ap;

		va_start(ap, flags);
		start.mode = va_arg(ap, mode_t);
		start.value = va_arg(ap, unsigned int);
		va_end(ap);
	}
	if (!dir)
		return REAL(sem_open)(name, flags, start.mode, start.value);
	/* libc's is no point where a thread can be cancelled, and open() is one */
	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &cancel);
	sem = open_in(dir, name, flags, &start);
	pthread_setcancelstate(cancel, NULL);
	return sem;
}

SHIM_EXPORT int sem_close(sem_t *sem)
{
	return shim_dir() ? mapping_drop(sem) : REAL(sem_close)(sem);
}

SHIM_EXPORT int sem_unlink(const char *name)
{
	const char *dir = shim_dir();

	return dir ? posix_unlink(dir, POSIX_SEM, name) : REAL(sem_unlink)(name);
}
