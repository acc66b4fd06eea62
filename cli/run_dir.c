/* SPDX-License-Identifier: Apache-2.0 */
/*
 * run_dir.c - can programs share memory through a directory?
 *
 * It is tried, with a file that has no name: what the library does with its own
 * is done with it once.  Whether others have the directory, too, nobody can
 * tell; where most likely nobody has, it is said.
 */
#include "run.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "cli.h"

static const char other_hint[] =
	"mount a volume on a tmpfs or a disk in both containers (docker volume create --opt "
	"type=tmpfs --opt device=tmpfs), and name that";

/* A file system of another machine: what two map of it are two copies. */
static const char *network_name(const struct statfs *fs)
{
	switch ((uint32_t)fs->f_type) {
	case NFS_SUPER_MAGIC:
		return "NFS";
	case SMB_SUPER_MAGIC:
	case CIFS_SUPER_MAGIC:
	case SMB2_SUPER_MAGIC:
		return "SMB";
	case V9FS_MAGIC:
		return "9p";
	case AFS_SUPER_MAGIC:
	case AFS_FS_MAGIC:
		return "AFS";
	case CEPH_SUPER_MAGIC:
		return "Ceph";
	case CODA_SUPER_MAGIC:
		return "Coda";
	default:
		return NULL;
	}
}

static int refuse(const char *dir, const char *hint, const char *what, int err)
{
	complain(hint, "cannot share memory through %s: %s%s%s", dir, what, err ? ": " : "",
		 err ? strerror(err) : "");
	return CLI_FAILED;
}

/* A file that is gone when it is closed.  -1 after a complaint. */
static int open_unnamed(const char *dir)
{
	int fd = open(dir, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	char what[96];

	if (fd >= 0)
		return fd;
	if (errno == EACCES) {
		snprintf(what, sizeof(what), "uid %u may not write to it", (unsigned int)geteuid());
		refuse(dir,
		       "make it writable for all who share it (chmod, chgrp, docker run --user)",
		       what, 0);
	} else if (errno == EROFS) {
		refuse(dir, "mount it without ro", "it is mounted read-only", 0);
	} else if (errno == EOPNOTSUPP || errno == EISDIR || errno == EINVAL) {
		refuse(dir, other_hint, "its file system has no unnamed files (O_TMPFILE)", 0);
	} else {
		refuse(dir, NULL, "cannot make a file in it", errno);
	}
	return -1;
}

/* A page behind the first, as the library maps parts of its table; seen in the file, too? */
static bool can_map(int fd, size_t page)
{
	unsigned char stored = 0x5a, seen = 0;
	unsigned char *at = mmap(NULL, page, PROT_READ | PROT_WRITE, MAP_SHARED, fd, (off_t)page);
	bool same;

	if (at == MAP_FAILED)
		return false;
	*at = stored;
	same = pread(fd, &seen, 1, (off_t)page) == 1 && seen == stored;
	munmap(at, page);
	if (!same)
		errno = 0;
	return same;
}

/* A lock that one description has, another must find. */
static bool can_lock(int fd)
{
	struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET, .l_len = 1 }, other = lock;
	char path[64];
	int again;
	bool kept;

	if (fcntl(fd, F_OFD_SETLK, &lock) < 0)
		return false;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	again = open(path, O_RDWR | O_CLOEXEC);
	if (again < 0)
		return false;
	kept = fcntl(again, F_OFD_SETLK, &other) < 0 && (errno == EAGAIN || errno == EACCES);
	close(again);
	if (!kept)
		errno = 0;
	return kept;
}

static int try_file(const char *dir, int fd)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	int err = posix_fallocate(fd, 0, (off_t)(2 * page));

	if (err == ENOSPC || err == EDQUOT)
		return refuse(dir, "make room in it, or mount a larger volume", "it is full", 0);
	if (err != 0)
		return refuse(dir, other_hint, "cannot allocate memory in it", err);
	if (!can_map(fd, page))
		return refuse(dir, other_hint, "its file system cannot share mapped memory", errno);
	if (!can_lock(fd))
		return refuse(dir, other_hint,
			      "its file system has no locks of open file descriptions", errno);
	return CLI_OK;
}

/* Is it on the file system that is mounted at @point? */
static bool is_on(const char *point, const struct stat *dir)
{
	struct stat st;

	return stat(point, &st) == 0 && st.st_dev == dir->st_dev;
}

static void warn(const char *dir, const struct stat *st, const struct statfs *fs)
{
	if (is_on("/dev/shm", st) && !is_on("/", st))
		say("%s is on /dev/shm: containers have one each, and share nothing through it "
		    "unless it is a volume of both",
		    dir);
	else if ((uint32_t)fs->f_type == OVERLAYFS_SUPER_MAGIC && is_on("/", st))
		say("%s is in this container's own layer, which no other container sees: it takes "
		    "a volume",
		    dir);
	else if ((uint32_t)fs->f_type == FUSE_SUPER_MAGIC)
		say("%s is on FUSE: only programs that have the same mount share memory through it",
		    dir);
}

static int check(const char *dir, int folder)
{
	const char *network;
	struct statfs fs;
	struct stat st;
	int fd, status;

	if (fstat(folder, &st) < 0 || fstatfs(folder, &fs) < 0)
		return refuse(dir, NULL, "cannot look at it", errno);
	network = network_name(&fs);
	if (network) {
		complain(
			other_hint,
			"cannot share memory through %s: it is on %s, where each side maps its own "
			"copy",
			dir, network);
		return CLI_FAILED;
	}
	fd = open_unnamed(dir);
	if (fd < 0)
		return CLI_FAILED;
	status = try_file(dir, fd);
	close(fd);
	if (status == CLI_OK)
		warn(dir, &st, &fs);
	return status;
}

int run_check_dir(const char *dir, char real[PATH_MAX])
{
	int folder, status;

	if (!dir)
		dir = getenv("COSHM_DIR");
	if (!dir || dir[0] == '\0') {
		complain(
			"--dir or COSHM_DIR name a directory of a volume that both containers have",
			"through which directory?");
		return CLI_FAILED;
	}
	if (!realpath(dir, real))
		return refuse(dir,
			      errno == ENOENT ? "is the volume mounted in this container?" : NULL,
			      "cannot open it", errno);
	folder = open(real, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (folder < 0)
		return refuse(dir, NULL, "cannot open it", errno);
	status = check(real, folder);
	close(folder);
	return status;
}
