/* SPDX-License-Identifier: Apache-2.0 */
/*
 * region_attach.c - check a file once, and map it.
 *
 * Two descriptions of the file are opened.  One asks for the locks of others
 * and stays open; it holds no lock, so a forked child that inherits it proves
 * nobody alive, and a program that closes it by accident loses nothing: it is
 * checked before each use and opened again.  The other one carries our lock;
 * the region is mapped through it and its descriptor closed, see peer.h.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "err.h"
#include "peer.h"
#include "region.h"

/* A handle and its path: whole pages, cleared by the kernel in a forked child. */
#define ALLOC_BYTES (REGION_HANDLE_BYTES + REGION_PATH_BYTES)

#define HUGE_BYTES (UINT32_C(2) << 20)

struct region *region_handle_new(const char *path)
{
	struct region *r =
		mmap(NULL, ALLOC_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (r == MAP_FAILED)
		return NULL;
	if (madvise(r, ALLOC_BYTES, MADV_WIPEONFORK) < 0) {
		munmap(r, ALLOC_BYTES);
		return NULL;
	}
	r->open = 1;
	r->probe_fd = -1;
	r->path = strcpy((char *)r + REGION_HANDLE_BYTES, path);
	return r;
}

int region_err_forked(const struct region *r)
{
	if (!r)
		return err_const(EINVAL, "there is no handle");
	return err_const(ECHILD,
			 "this handle was opened by the parent, before the fork: open one here");
}

static bool same_file(const struct region *r, int fd)
{
	struct stat st;

	return fstat(fd, &st) == 0 && st.st_dev == r->dev && st.st_ino == r->ino;
}

int region_reopen(struct region *r, int flags)
{
	char self[64];
	int fd;

	/* O_NONBLOCK: by now it may be a FIFO. */
	fd = open(r->path, flags | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	if (fd >= 0 && same_file(r, fd))
		return fd;
	if (fd >= 0)
		close(fd);
	if (!same_file(r, r->probe_fd))
		return -ESTALE;
	snprintf(self, sizeof(self), "/proc/self/fd/%d", r->probe_fd);
	fd = open(self, flags | O_CLOEXEC);
	return fd >= 0 ? fd : -errno;
}

int region_probe_fd(struct region *r)
{
	/* Relaxed, both: a number, and the kernel knows what it means. */
	int had = atomic_load_explicit(&r->probe_fd, memory_order_relaxed), fd;

	if (same_file(r, had))
		return had;
	fd = region_reopen(r, O_RDONLY);
	if (fd < 0)
		fd = -1;
	if (atomic_compare_exchange_strong_explicit(&r->probe_fd, &had, fd, memory_order_relaxed,
						    memory_order_relaxed))
		return fd;
	if (fd >= 0) /* another thread was faster */
		close(fd);
	return had;
}

/* region_file_check - read the header of @fd once and judge that copy. */
int region_file_check(int fd, const char *path, struct header_shared *h, struct geometry *g)
{
	struct stat st;
	ssize_t n;

	if (fstat(fd, &st) < 0)
		return err_say(errno, "cannot look at %s: %s", path, strerror(errno));
	if (!S_ISREG(st.st_mode))
		return err_say(EPROTO, "%s is not a regular file", path);
	n = pread(fd, h, sizeof(*h), 0);
	if (n < 0)
		return err_say(errno, "cannot read %s: %s", path, strerror(errno));
	if ((size_t)n < sizeof(*h))
		return err_say(EPROTO, "%s is too short for a coshm channel", path);
	return header_check(h, path, (uint64_t)st.st_size, g);
}

static int check(struct region *r, const struct region_kind *kind, const struct coshm_open_opts *o)
{
	struct header_shared h;
	int err;

	err = region_file_check(r->probe_fd, r->path, &h, &r->geometry);
	if (err == 0 && kind->kind != LAYOUT_ANY && r->geometry.kind != kind->kind)
		err = err_say(EPROTOTYPE, "%s is a %s, not a %s", r->path,
			      kind_name(r->geometry.kind), kind_name(kind->kind));
	if (err == 0)
		err = header_check_type(&h, r->path, &o->type);
	if (err < 0)
		return err;
	memcpy(r->generation, h.generation, sizeof(r->generation));
	return 0;
}

/*
 * Reserve room for all, then put the file over it, and its byte ring a second
 * time behind.  A forked child gets none of it: it would keep our lock.
 */
static int map(struct region *r, int fd, uint32_t flags)
{
	const struct geometry *g = &r->geometry;
	size_t huge = (flags & COSHM_OPEN_HUGE) ? HUGE_BYTES : 0;
	size_t step = g->page_bytes > huge ? g->page_bytes : huge;
	size_t bytes = (size_t)(g->region_bytes + g->ring_bytes);
	int prot = r->role == COSHM_OBSERVER ? PROT_READ : PROT_READ | PROT_WRITE;
	int how = MAP_SHARED | MAP_FIXED | ((flags & COSHM_OPEN_PREFAULT) ? MAP_POPULATE : 0);
	unsigned char *base;

	r->map_bytes = bytes + step;
	r->map = mmap(NULL, r->map_bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE,
		      -1, 0);
	if (r->map == MAP_FAILED) {
		r->map = NULL;
		return -1;
	}
	base = (unsigned char *)(((uintptr_t)r->map + step - 1) & ~((uintptr_t)step - 1));
	if (mmap(base, (size_t)g->region_bytes, prot, how, fd, 0) == MAP_FAILED ||
	    (g->ring_bytes != 0 && mmap(base + g->region_bytes, (size_t)g->ring_bytes, prot, how,
					fd, (off_t)g->ring_offset) == MAP_FAILED) ||
	    madvise(base, bytes, MADV_DONTFORK) < 0)
		return -1;
	if (huge)
		madvise(base, bytes, MADV_HUGEPAGE); /* a wish: not every kernel grants it */
	if ((flags & COSHM_OPEN_LOCK) && mlock(base, bytes) < 0)
		return -1;
	r->shared = (struct region_shared *)base;
	r->data = base + g->data_offset;
	r->ring = base + g->ring_offset;
	return 0;
}

static int err_map(const struct region *r)
{
	return err_say(errno, "cannot map %llu bytes of %s: %s",
		       (unsigned long long)(r->geometry.region_bytes + r->geometry.ring_bytes),
		       r->path, strerror(errno));
}

/* Map through a description of our own, and lock our place on it. */
static int sit_down(struct region *r, const struct region_kind *kind, uint32_t flags)
{
	int fd, err;

	peer_guard();
	fd = region_reopen(r, O_RDWR);
	if (fd < 0) {
		err = err_say(-fd, "cannot open %s: %s", r->path, strerror(-fd));
	} else {
		err = map(r, fd, flags) < 0 ? err_map(r) : peer_take(r, fd, kind);
		close(fd);
	}
	peer_unguard();
	return err;
}

static int open_checked(struct region *r, int dir, const char *name, const struct region_kind *kind,
			const struct coshm_open_opts *o)
{
	int access = r->role == COSHM_OBSERVER ? O_RDONLY : O_RDWR, err;
	struct stat st;

	r->probe_fd = openat(dir, name, access | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	if (r->probe_fd < 0)
		return err_say(errno, "cannot open the channel %s: %s", r->path, strerror(errno));
	if (fstat(r->probe_fd, &st) < 0) {
		err = err_say(errno, "cannot look at %s: %s", r->path, strerror(errno));
		close(r->probe_fd);
		return err;
	}
	r->dev = st.st_dev;
	r->ino = st.st_ino;
	err = check(r, kind, o);
	if (err < 0)
		return err;
	if (r->role == COSHM_OBSERVER)
		err = map(r, r->probe_fd, o->flags) < 0 ? err_map(r) : 0;
	else
		err = sit_down(r, kind, o->flags);
	if (err < 0)
		return err;
	/* Relaxed: once set it stays, and whoever sets it later wakes us. */
	if (atomic_load_explicit(&r->shared->state.retired, memory_order_relaxed))
		return err_say(ESTALE, "%s was just removed or replaced", r->path);
	return 0;
}

int region_attach(const struct region_kind *kind, const char *name, enum coshm_role role,
		  const struct coshm_open_opts *opts, struct region **region)
{
	char path[REGION_PATH_BYTES];
	struct coshm_open_opts o;
	struct region *r;
	int dir, err;

	err = opts_take(&o, sizeof(o), opts, opts ? opts->size : 0);
	if (err == 0)
		err = region_name_check(name);
	if (err == 0)
		err = type_check(&o.type);
	if (err == 0 && (o.wait > COSHM_WAIT_BLOCK || o.flags >= COSHM_OPEN_OLDEST << 1))
		err = err_const(EINVAL, "an option for opening a channel makes no sense");
	if (err < 0)
		return err;
	dir = region_dir_open(o.dir, false, path, sizeof(path) - COSHM_NAME_MAX - 1);
	if (dir < 0)
		return dir;
	strcat(strcat(path, "/"), name);
	r = region_handle_new(path);
	if (r) {
		r->role = role;
		r->wait = o.wait;
		r->flags = o.flags;
		err = open_checked(r, dir, name, kind, &o);
	} else {
		err = err_const(ENOMEM,
				"no memory for a handle, or a kernel without MADV_WIPEONFORK");
	}
	close(dir);
	if (err == 0)
		*region = r;
	else
		region_detach(r);
	return err;
}

/* The last of closing, and of an opening that failed; in a forked child, all there is to do. */
void region_detach(struct region *r)
{
	if (!r)
		return;
	if (r->open) {
		if (r->self)
			peer_leave(r);
		if (r->map)
			munmap(r->map, r->map_bytes);
		if (same_file(r, r->probe_fd))
			close(r->probe_fd);
	}
	munmap(r, ALLOC_BYTES);
}
