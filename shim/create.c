/* SPDX-License-Identifier: Apache-2.0 */
/*
 * create.c - make the table of a directory.
 *
 * As each region of ours: an unnamed file, filled, then linked to its name.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "create.h"
#include "region.h"

/* The first entries of each area come with the table; the others as they are needed. */
#define CONTROL_BYTES 4096

void sysv_limits_default(struct sysv_limits *limits)
{
	*limits = (struct sysv_limits){
		.shmmax = ULONG_MAX - (1UL << 24),
		.shmall = ULONG_MAX - (1UL << 24),
		.shmmni = 4096,
		.semmsl = 32000,
		.semmns = 1024000000,
		.semopm = 500,
		.semmni = 32000,
		.msgmax = 8192,
		.msgmnb = 16384,
		.msgmni = 32000,
	};
}

const char *sysv_limits_check(const struct sysv_limits *l)
{
	if (l->shmmni > SYSV_OBJECTS_MAX || l->semmni > SYSV_OBJECTS_MAX ||
	    l->msgmni > SYSV_OBJECTS_MAX)
		return "shmmni, semmni and msgmni are at most 32768";
	if (l->semmsl > 65535)
		return "semmsl is at most 65535";
	if (l->semopm == 0 || l->semopm > 4096)
		return "semopm is 1 to 4096";
	if (l->msgmax > (1u << 30) || l->msgmnb > (1u << 30))
		return "msgmax and msgmnb are at most 1G";
	return NULL;
}

/* FNV-1a, to find damage; whoever means harm can make one, too. */
uint64_t sysv_checksum(const void *bytes, size_t count)
{
	const unsigned char *at = bytes;
	uint64_t sum = UINT64_C(0xcbf29ce484222325);

	for (size_t i = 0; i < count; i++)
		sum = (sum ^ at[i]) * UINT64_C(0x100000001b3);
	return sum;
}

static int fill(int fd, const struct sysv_limits *limits)
{
	struct sysv_header_shared h = {
		.magic = SYSV_MAGIC,
		.version = SYSV_VERSION,
		.page_bytes = 0x10000,
		.limits = *limits,
	};
	struct timespec now;
	int err;

	clock_gettime(CLOCK_REALTIME, &now);
	h.created_ns = (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
	while (getrandom(h.generation, sizeof(h.generation), 0) < 0)
		;
	h.checksum = sysv_checksum(&h, offsetof(struct sysv_header_shared, checksum));
	if (ftruncate(fd, (off_t)SYSV_TABLE_BYTES) < 0)
		return -errno;
	err = region_file_allocate(fd, CONTROL_BYTES);
	if (err != 0)
		return -err;
	return pwrite(fd, &h, sizeof(h), 0) == (ssize_t)sizeof(h) ? 0 : -EIO;
}

/* Who may write the directory may write what is in it. */
static int like_directory(int fd, const struct stat *dir, bool folder)
{
	mode_t mode = dir->st_mode & (folder ? 0777 : 0666);

	if (fchown(fd, dir->st_uid, dir->st_gid) < 0) {
		mode |= folder ? 0700 : 0600; /* it stays ours: the bits have to do */
		if (fchown(fd, (uid_t)-1, dir->st_gid) < 0)
			errno = 0; /* nor is the directory's group one of ours */
	}
	return fchmod(fd, mode) < 0 ? -errno : 0;
}

static int open_folder(int dir, const struct stat *st)
{
	int folder, err;
	bool made = mkdirat(dir, SYSV_FOLDER, 0700) == 0;

	if (!made && errno != EEXIST)
		return -errno;
	folder = openat(dir, SYSV_FOLDER, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (folder < 0)
		return -errno;
	/* A maker that was killed before this left it closed; its owner comes by and mends it. */
	err = like_directory(folder, st, true);
	if (made && err < 0) {
		close(folder);
		return err;
	}
	return folder;
}

static int make_table(int folder, const struct stat *st, const struct sysv_limits *limits)
{
	int fd = openat(folder, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	int err;

	if (fd < 0)
		return -errno;
	err = fill(fd, limits);
	if (err == 0)
		err = like_directory(fd, st, false);
	if (err == 0)
		err = region_file_link(fd, folder, SYSV_TABLE_NAME);
	close(fd);
	return err;
}

int sysv_table_create(const char *dir, const struct sysv_limits *limits)
{
	struct stat st;
	int at = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC), folder = -1, err;

	if (at < 0)
		return -errno;
	if (fstat(at, &st) < 0)
		err = -errno;
	else
		err = folder = open_folder(at, &st);
	if (err >= 0) {
		err = make_table(folder, &st, limits);
		close(folder);
	}
	close(at);
	return err;
}
