/* SPDX-License-Identifier: Apache-2.0 */
/*
 * region.h - one mapped file that several programs trust to be whole.
 *
 *   region_create.c  make the file, allocate it, give it its name
 *   region_attach.c  check a file once, and map it
 *   region_remove.c  take the name away, and tell those who have it mapped
 *   region_name.c    directories and names
 *   header.c         what a header may say
 */
#ifndef COSHM_REGION_H
#define COSHM_REGION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "coshm.h"
#include "layout.h"

/* The private copy of what the header says, checked: sizes come from here alone. */
struct geometry {
	uint32_t kind;
	uint32_t policy;
	uint32_t slot_bytes;
	uint32_t slots;
	uint32_t value_bytes;
	uint32_t payload; /* where it begins in a slot */
	uint32_t page_bytes;
	uint64_t ring_bytes;
	uint64_t data_offset;
	uint64_t ring_offset;
	uint64_t region_bytes;
};

/*
 * A region as this process has mapped it; the first part of each handle.  The
 * handle lies in a page that the kernel clears in a forked child, so "open" is
 * false there: nothing else tells the two processes apart as cheaply.
 */
struct region {
	uint32_t open;
	uint32_t role;    /* enum coshm_role */
	uint32_t wait;    /* enum coshm_wait */
	uint32_t flags;   /* enum coshm_open_flags */
	uint32_t slot;    /* our peer slot, if not an observer */
	bool fence;       /* we may not use membarrier(2): fence ourselves */
	bool wrote_fence; /* said so in must_fence */
	struct region_shared *shared;
	struct peer_shared *self; /* shared->peers[slot]; NULL for an observer */
	unsigned char *data;
	unsigned char *ring; /* the byte ring, mapped twice back to back */
	void *map;
	size_t map_bytes;
	struct geometry geometry;
	uint64_t generation[2];
	/* Of these, a thread that waits in poll's stead makes use too. */
	_Atomic int64_t looked_ns; /* when we last looked after the dead                  */
	_Atomic bool crowded;      /* then there were more peers than CPUs                */
	_Atomic uint32_t mourned;  /* epoch of the publisher whose death was told; 0: none  */
	_Atomic int probe_fd;      /* to ask who is alive; its own description holds no lock */
	dev_t dev;
	ino_t ino;
	char *path; /* to open it again */
};

/* What a new region is to be; offsets and region_bytes are worked out. */
struct region_plan {
	const char *name;
	struct geometry geometry;
	struct coshm_create_opts opts;
	void (*format)(struct region_shared *shared, const struct geometry *g);
};

/* header.c */
const char *geometry_finish(struct geometry *g);
void header_make(struct header_shared *h, const struct geometry *g, const struct coshm_type *type);
int header_check(const struct header_shared *h, const char *path, uint64_t file_bytes,
		 struct geometry *g);
int header_check_type(const struct header_shared *h, const char *path, const struct coshm_type *t);
int type_check(const struct coshm_type *t);
const char *kind_name(uint32_t kind);

/* region_name.c */
int opts_take(void *to, size_t to_bytes, const void *from, size_t from_bytes);
int region_dir_open(const char *dir, bool make, char *path, size_t path_bytes);
int region_name_check(const char *name);
#define REGION_PATH_BYTES 4096

/* region_create.c */
int region_create(const struct region_plan *plan);
/* Give the file all its memory at once; 0 or the errno. */
int region_file_allocate(int fd, uint64_t bytes);
/* Give an unnamed file its name; 0 or -errno. */
int region_file_link(int fd, int dir, const char *name);

/* region_remove.c */
bool region_clear_retired(int dir, const char *name);

/* region_attach.c */

/*
 * What a kind of channel adds.  recover: peer @slot has died and we hold its
 * lock; leave the channel as if it had gone.  Whatever it does can be cut off
 * by our own death and is then done again, from the beginning, by the next one.
 */
struct region_kind {
	uint32_t kind;
	void (*recover)(struct region *r, unsigned int slot);
};

int region_attach(const struct region_kind *kind, const char *name, enum coshm_role role,
		  const struct coshm_open_opts *opts, struct region **region);
void region_detach(struct region *r);
/* A handle without a region, for memory that the caller brings. */
struct region *region_handle_new(const char *path);
#define REGION_HANDLE_BYTES 4096u

/* A new description of the same file, even if it has lost its name; -errno. */
int region_reopen(struct region *r, int flags);
/* The descriptor that asks for locks, if it still is ours; -1 if there is none. */
int region_probe_fd(struct region *r);
int region_file_check(int fd, const char *path, struct header_shared *h, struct geometry *g);
int region_err_forked(const struct region *r);

/* Every call on a handle begins with this. */
static inline bool region_usable(const struct region *r)
{
	return __builtin_expect(r && r->open, 1);
}

#endif /* COSHM_REGION_H */
