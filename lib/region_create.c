/* SPDX-License-Identifier: Apache-2.0 */
/*
 * region_create.c - make a region that is whole before anybody can see it.
 *
 * An unnamed file (O_TMPFILE) is allocated in full, filled, and only then
 * linked to its name.  A creator killed before the link leaves nothing, since
 * the kernel frees a file without a name; of several that race, link(2) lets
 * one win.  posix_fallocate and not ftruncate: the latter makes a full
 * /dev/shm a SIGBUS at some later touch.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "err.h"
#include "region.h"

#ifndef HUGETLBFS_MAGIC
#define HUGETLBFS_MAGIC 0x958458f6u
#endif

/* On hugetlbfs, everything is a multiple of the mount's page, which it gives as block size. */
static int page_of(int fd, const char *path, uint32_t *page_bytes)
{
	struct statfs fs;

	if (fstatfs(fd, &fs) < 0)
		return err_say(errno, "cannot tell the file system of %s: %s", path,
			       strerror(errno));
	*page_bytes = (uint32_t)fs.f_type == HUGETLBFS_MAGIC ? (uint32_t)fs.f_bsize :
							       (uint32_t)sysconf(_SC_PAGESIZE);
	return 0;
}

/* A signal would make tmpfs give up and undo; a timer that keeps ringing, for ever. */
int region_file_allocate(int fd, uint64_t bytes)
{
	sigset_t all, old;
	int err;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	err = posix_fallocate(fd, 0, (off_t)bytes);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	return err;
}

static int rights(int fd, const struct coshm_create_opts *o)
{
	if ((o->flags & COSHM_CREATE_GROUP) && fchown(fd, (uid_t)-1, (gid_t)o->group) < 0)
		return -1;
	return fchmod(fd, o->mode ? o->mode : 0600); /* after chown, which may take bits away */
}

static int fill(int fd, const struct region_plan *plan, const struct geometry *g)
{
	struct region_shared *shared =
		mmap(NULL, g->region_bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	if (shared == MAP_FAILED)
		return -1;
	if (plan->format)
		plan->format(shared, g);
	header_make(&shared->header, g, &plan->opts.type);
	munmap(shared, g->region_bytes);
	return 0;
}

/* AT_EMPTY_PATH needs a capability before Linux 6.10, the other way needs /proc. */
int region_file_link(int fd, int dir, const char *name)
{
	char self[64];

	if (linkat(fd, "", dir, name, AT_EMPTY_PATH) == 0)
		return 0;
	if (errno != ENOENT)
		return -errno;
	snprintf(self, sizeof(self), "/proc/self/fd/%d", fd);
	return linkat(AT_FDCWD, self, dir, name, AT_SYMLINK_FOLLOW) == 0 ? 0 : -errno;
}

static int make_whole(int fd, int dir, const struct region_plan *plan, const char *path)
{
	struct geometry g = plan->geometry;
	const char *why;
	int err;

	err = page_of(fd, path, &g.page_bytes);
	if (err < 0)
		return err;
	if (g.ring_bytes != 0 && g.ring_bytes < g.page_bytes)
		g.ring_bytes = g.page_bytes;
	why = geometry_finish(&g);
	if (why)
		return err_say(EINVAL, "cannot make %s: %s", path, why);
	err = region_file_allocate(fd, g.region_bytes);
	if (err != 0)
		return err_say(err, "cannot allocate %llu bytes for %s: %s",
			       (unsigned long long)g.region_bytes, path, strerror(err));
	if (fill(fd, plan, &g) < 0)
		return err_say(errno, "cannot map %s: %s", path, strerror(errno));
	if (rights(fd, &plan->opts) < 0)
		return err_say(errno, "cannot set the mode or group of %s: %s", path,
			       strerror(errno));
	err = region_file_link(fd, dir, plan->name);
	if (err == -EEXIST && region_clear_retired(dir, plan->name))
		err = region_file_link(fd, dir, plan->name);
	if (err == -EEXIST)
		return err_say(EEXIST, "%s is there already", path);
	if (err < 0)
		return err_say(-err, "cannot give %s its name: %s", path, strerror(-err));
	return 0;
}

int region_create(const struct region_plan *plan)
{
	char path[REGION_PATH_BYTES];
	size_t dir_bytes;
	int dir, fd, err;

	err = region_name_check(plan->name);
	if (err == 0)
		err = type_check(&plan->opts.type);
	if (err < 0)
		return err;
	if ((plan->opts.mode & ~0777u) != 0 || (plan->opts.flags & ~(uint32_t)COSHM_CREATE_GROUP))
		return err_const(EINVAL, "a mode or flag for a new channel makes no sense");
	dir = region_dir_open(plan->opts.dir, true, path, sizeof(path) - COSHM_NAME_MAX - 1);
	if (dir < 0)
		return dir;
	fd = openat(dir, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	if (fd < 0)
		err = err_say(errno == EISDIR ? EOPNOTSUPP : errno,
			      "cannot make a file in %.200s: %s", path, strerror(errno));
	if (fd >= 0) {
		dir_bytes = strlen(path);
		snprintf(path + dir_bytes, sizeof(path) - dir_bytes, "/%s", plan->name);
		err = make_whole(fd, dir, plan, path);
		close(fd);
	}
	close(dir);
	return err;
}
