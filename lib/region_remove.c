/* SPDX-License-Identifier: Apache-2.0 */
/*
 * region_remove.c - take a region's name away, and tell those who have it mapped.
 *
 * Retired first, unlinked second: a program killed in between leaves a name
 * that nobody can open (-ESTALE) and that the next create or remove clears
 * away.  The other order would leave peers who never learn of it.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "err.h"
#include "peer.h"
#include "region.h"
#include "wait.h"

#define UNLINK_TRIES 50

/* The part of the file that is not data, mapped to write; NULL and errno. */
static struct region_shared *meta_map(int fd, const struct geometry *g)
{
	void *meta = mmap(NULL, (size_t)g->data_offset, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	return meta == MAP_FAILED ? NULL : meta;
}

static bool still_named(int dir, const char *name, int fd)
{
	struct stat named, opened;

	return fstatat(dir, name, &named, AT_SYMLINK_NOFOLLOW) == 0 && fstat(fd, &opened) == 0 &&
	       named.st_dev == opened.st_dev && named.st_ino == opened.st_ino;
}

/*
 * Whoever takes a region's name away holds a lock on that region meanwhile, so
 * that the name he looked at is the name he takes away.  Without it, one who is
 * stopped between the two removes a channel that others have made since then.
 * 0: the name is not, or no more, this region's; -EAGAIN: another one is at it.
 */
static int try_unlink(int dir, const char *name, int region)
{
	int fd, err = 0;

	/* No fork may keep the lock: a description of its own, and nothing forks meanwhile. */
	peer_guard();
	fd = openat(dir, name, O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	if (fd < 0) {
		err = errno == ENOENT ? 0 : -errno;
	} else {
		if (still_named(dir, name, region))
			err = peer_lock(fd, LAYOUT_NAME_LOCK);
		if (err == 0 && still_named(dir, name, region) && unlinkat(dir, name, 0) < 0)
			err = -errno;
		close(fd);
	}
	peer_unguard();
	return err;
}

static int unlink_region(int dir, const char *name, int fd, const char *path)
{
	int err = try_unlink(dir, name, fd);

	/* A few system calls of another one, unless he is stopped: that is not waited for. */
	for (int i = 0; err == -EAGAIN && i < UNLINK_TRIES; i++) {
		nanosleep(&(struct timespec){ .tv_nsec = 1000000 }, NULL);
		err = try_unlink(dir, name, fd);
	}
	if (err == -EAGAIN)
		return err_say(EBUSY, "%s is being removed by somebody who is stopped", path);
	return err < 0 ? err_say(-err, "cannot remove %s: %s", path, strerror(-err)) : 0;
}

static int retire(int fd, const struct geometry *g, const char *path)
{
	struct region_shared *shared = meta_map(fd, g);

	if (!shared)
		return err_say(errno, "cannot map %s: %s", path, strerror(errno));
	/* Release: who sees it retired sees all that was published before. */
	atomic_store_explicit(&shared->state.retired, 1, memory_order_release);
	bell_ring_everybody(shared);
	munmap(shared, (size_t)g->data_offset);
	return 0;
}

static int alive_in(const char *dir, const char *name)
{
	static const struct region_kind any = { .kind = LAYOUT_ANY };
	struct coshm_open_opts o = { .size = sizeof(o), .dir = dir };
	char text[PEER_TEXT_BYTES];
	struct region *r;
	int err;

	err = region_attach(&any, name, COSHM_OBSERVER, &o, &r);
	if (err == -ESTALE)
		return 0;
	if (err < 0)
		return err;
	for (unsigned int slot = 0; slot < LAYOUT_PEERS && err == 0; slot++)
		if (peer_probe(r, slot) == PEER_ALIVE)
			err = err_say(EBUSY, "%s is in use by %s", r->path,
				      peer_describe(r, slot, text));
	region_detach(r);
	return err;
}

static int remove_region(const char *dir_name, const char *name, bool only_if_unused)
{
	char path[REGION_PATH_BYTES];
	struct header_shared h;
	struct geometry g;
	int dir, fd, err;

	err = region_name_check(name);
	if (err == 0 && only_if_unused)
		err = alive_in(dir_name, name);
	if (err < 0)
		return err;
	dir = region_dir_open(dir_name, false, path, sizeof(path) - COSHM_NAME_MAX - 1);
	if (dir < 0)
		return dir;
	strcat(strcat(path, "/"), name);
	fd = openat(dir, name, O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	if (fd < 0) {
		err = err_say(errno, "cannot open the channel %s: %s", path, strerror(errno));
	} else {
		err = region_file_check(fd, path, &h, &g);
		if (err == 0)
			err = retire(fd, &g, path);
		if (err == 0)
			err = unlink_region(dir, name, fd, path);
		close(fd);
	}
	close(dir);
	return err;
}

/* The name is taken: by a region whose remover was killed half-way?  Then finish that. */
bool region_clear_retired(int dir, const char *name)
{
	struct region_shared *shared = NULL;
	struct header_shared h;
	struct geometry g;
	bool retired = false;
	int fd = openat(dir, name, O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);

	if (fd < 0)
		return errno == ENOENT;
	if (region_file_check(fd, name, &h, &g) == 0)
		shared = meta_map(fd, &g);
	if (shared) {
		/* Relaxed: once set it stays. */
		retired = atomic_load_explicit(&shared->state.retired, memory_order_relaxed) != 0;
		munmap(shared, (size_t)g.data_offset);
	}
	if (retired)
		retired = unlink_region(dir, name, fd, name) == 0;
	close(fd);
	return retired;
}

int coshm_remove(const char *dir, const char *name)
{
	return remove_region(dir, name, true);
}

int coshm_retire(const char *dir, const char *name)
{
	return remove_region(dir, name, false);
}
