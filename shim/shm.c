/* SPDX-License-Identifier: Apache-2.0 */
/*
 * shm.c - shmget, shmat and shmdt.
 */
#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/shm.h>
#include <unistd.h>

#include "call.h"
#include "real.h"
#include "shm.h"
#include "token.h"

static int large_enough(const struct object *o, const struct object_plan *plan)
{
	/* Relaxed: L2. */
	return plan->size > atomic_load_explicit(&o->slot->size, memory_order_relaxed) ? -EINVAL :
											 0;
}

static uint64_t pages(uint64_t bytes)
{
	uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE);

	return bytes / page + (bytes % page != 0);
}

uint64_t shm_all_pages(void)
{
	uint32_t end = table_backed(SYSV_AREA_SLOTS + SYSV_SHM);
	uint64_t sum = 0;
	struct object o;

	for (uint32_t i = 0; i < end; i++)
		if (object_at(SYSV_SHM, (int)i, &o) == 0)
			/* Relaxed: L2. */
			sum += pages(atomic_load_explicit(&o.slot->size, memory_order_relaxed));
	return sum;
}

static int room(const struct object_plan *plan)
{
	uint64_t all = shm_all_pages(), most = table_open()->limits.shmall;

	return all > most || pages(plan->size) > most - all ? -ENOSPC : 0;
}

/* As a kernel without any to spare (docs/limits.md); a size that it does not know is another error.
 */
static int no_huge_pages(int flags)
{
	unsigned int shift = ((unsigned int)flags >> 26) & 0x3fu;
	char path[64];

	if (shift == 0)
		return -ENOMEM;
	snprintf(path, sizeof(path), "/sys/kernel/mm/hugepages/hugepages-%llukB",
		 shift < 10 ? 0 : 1ULL << (shift - 10));
	return access(path, F_OK) == 0 ? -ENOMEM : -EINVAL;
}

static int get(key_t key, size_t size, int flags)
{
	const struct table *table = table_open();
	struct object_plan plan = {
		.kind = SYSV_SHM,
		.key = key,
		.flags = flags,
		.size = size,
		.file_bytes = size,
		.check = large_enough,
		.room = room,
	};
	struct object o;

	if (!table)
		return -errno;
	if (key == IPC_PRIVATE || object_find_key(SYSV_SHM, key, &o) < 0) {
		if (key != IPC_PRIVATE && !(flags & IPC_CREAT))
			return -ENOENT;
		if (size < 1 || size > table->limits.shmmax)
			return -EINVAL;
		if (flags & SHM_HUGETLB)
			return no_huge_pages(flags);
	}
	return object_get(&plan);
}

SHIM_EXPORT int shmget(key_t key, size_t size, int flags)
{
	return shim_dir() ? answer(get(key, size, flags)) : REAL(shmget)(key, size, flags);
}

/* ---- attach ---- */

struct wish {
	void *addr;
	int map_flags;
	int protection;
	uint32_t access;
};

/* Address and flags, as shmat(2) has them. */
static int read_wish(const void *addr, int flags, struct wish *wish)
{
	uintptr_t at = (uintptr_t)addr, low = (uintptr_t)SHMLBA - 1;

	if (!addr && (flags & SHM_REMAP))
		return -EINVAL;
	if (at & low) {
		if (!(flags & SHM_RND) || (at < (uintptr_t)SHMLBA && (flags & SHM_REMAP)))
			return -EINVAL;
		at &= ~low;
	}
	*wish = (struct wish){
		.addr = (void *)at, /* NOLINT: rounded down, by request */
		.map_flags = MAP_SHARED,
		.protection = PROT_READ,
		.access = 0444,
	};
	if (at != 0)
		wish->map_flags |= flags & SHM_REMAP ? MAP_FIXED : MAP_FIXED_NOREPLACE;
	if (!(flags & SHM_RDONLY)) {
		wish->protection |= PROT_WRITE;
		wish->access |= 0222;
	}
	if (flags & SHM_EXEC) {
		wish->protection |= PROT_EXEC;
		wish->access |= 0111;
	}
	return 0;
}

static void touch(const struct object *o, _Atomic int64_t *when)
{
	/* Relaxed, both: the newest of several that race is as good as any. */
	atomic_store_explicit(when, now_s(), memory_order_relaxed);
	atomic_store_explicit(&o->slot->lpid, token_pid(), memory_order_relaxed);
}

/* Free it if it is removed and nobody has it; the table's lock is not held. */
static void reap(const struct object *o)
{
	struct held held;

	if (attach_count(o->index) != 0 || !table_lock(&held))
		return;
	segment_reap(o);
	lock_give(&held);
}

int segment_find(int id, bool by_index, struct object *o)
{
	int err = by_index ? object_at(SYSV_SHM, id, o) : object_find(SYSV_SHM, id, o);

	if (err < 0 || SYSV_PHASE(o->state) != SYSV_DOOMED || attach_count(o->index) != 0)
		return err;
	/* Nobody has it: it is no more. Who is stopped with the lock stops nobody who only looks.
	 */
	if (lock_busy(&table_open()->control->lock))
		return -EINVAL;
	reap(o);
	return object_still(o) < 0 ? -EINVAL : 0;
}

void shm_left(uint32_t index, uint64_t pid)
{
	struct object o;

	if (object_at(SYSV_SHM, (int)index, &o) < 0)
		return;
	/* Relaxed, both: as in touch(). */
	atomic_store_explicit(&o.slot->dtime_s, now_s(), memory_order_relaxed);
	atomic_store_explicit(&o.slot->lpid, pid, memory_order_relaxed);
}

void shm_forked(uint32_t index)
{
	struct object o;

	if (object_at(SYSV_SHM, (int)index, &o) == 0)
		touch(&o, &o.slot->atime_s);
}

/* A record of segment @index is gone: was it the last that a removed one waited for? */
static void left(uint32_t index)
{
	struct object o;

	if (object_at(SYSV_SHM, (int)index, &o) == 0 && SYSV_PHASE(o.state) == SYSV_DOOMED)
		reap(&o);
}

static void detach(struct attachment *a)
{
	struct object o;
	uint32_t index = a->id % SYSV_OBJECTS_MAX;

	if (object_find(SYSV_SHM, (int)a->id, &o) == 0)
		touch(&o, &o.slot->dtime_s); /* while it is surely still this one */
	attach_forget(a);
	left(index);
}

void shm_leave(struct attachment *a)
{
	detach(a);
}

/* What SHM_REMAP is about to cover is no longer attached. */
static void uncover(const struct wish *wish, size_t bytes)
{
	struct attachment *a;

	while ((wish->map_flags & MAP_FIXED) != 0 && (a = attach_within(wish->addr, bytes)) != NULL)
		detach(a);
}

/* We have the segment's record, so it stays. */
static void *map(const struct object *o, const struct wish *wish, struct attachment *a)
{
	/* Relaxed: L2. */
	uint64_t bytes = atomic_load_explicit(&o->slot->size, memory_order_relaxed);
	int fd, err;
	void *at;

	if ((size_t)bytes != bytes) { /* a 64-bit program made it, and this is none */
		errno = ENOMEM;
		return MAP_FAILED;
	}
	fd = object_open(o, wish->protection & PROT_WRITE ? O_RDWR : O_RDONLY, bytes);
	if (fd < 0) {
		errno = fd == -EACCES || fd == -EMFILE || fd == -ENFILE ? -fd : EINVAL;
		return MAP_FAILED;
	}
	at = mmap(wish->addr, bytes, wish->protection, wish->map_flags, fd, 0);
	err = errno;
	close(fd);
	errno = err == EEXIST ? EINVAL : err == EPERM ? EACCES : err;
	if (at == MAP_FAILED)
		return at;
	uncover(wish, bytes);
	a->addr = at;
	a->bytes = bytes;
	if (attach_remember(a) < 0) {
		munmap(at, bytes);
		errno = ENOMEM;
		return MAP_FAILED;
	}
	return at;
}

/* We have a record of the segment that @id was a moment ago: will it stay?  USE in attach.h. */
static int stays(int id, struct object *o)
{
	struct held held;
	int err = object_find(SYSV_SHM, id, o);

	if (err < 0 || SYSV_PHASE(o->state) != SYSV_DOOMED)
		return err;
	if (!table_lock(&held))
		return -errno;
	err = object_find(SYSV_SHM, id, o);
	lock_give(&held);
	return err;
}

/* Signals are blocked, and this process's other threads wait. */
static void *attach(int id, const struct wish *wish)
{
	struct attachment a = { .id = (uint32_t)id };
	struct object o;
	int record = 0, err = segment_find(id, false, &o);
	void *at;

	if (err == 0)
		err = object_access(&o, wish->access);
	if (err == 0)
		err = record = attach_record(o.index);
	if (err < 0) {
		errno = -err;
		return MAP_FAILED;
	}
	a.record = (uint32_t)record;
	err = stays(id, &o);
	at = err < 0 ? MAP_FAILED : map(&o, wish, &a);
	if (at != MAP_FAILED) {
		touch(&o, &o.slot->atime_s);
		return at;
	}
	err = err < 0 ? -err : errno;
	attach_unrecord(a.record);
	left((uint32_t)id % SYSV_OBJECTS_MAX); /* who removed it may have counted us */
	errno = err;
	return MAP_FAILED;
}

SHIM_EXPORT void *shmat(int id, const void *addr, int flags)
{
	struct wish wish;
	sigset_t signals;
	void *at = MAP_FAILED;
	int err;

	if (!shim_dir())
		return REAL(shmat)(id, addr, flags);
	err = id < 0 ? -EINVAL : read_wish(addr, flags, &wish);
	if (err < 0) {
		errno = -err;
		return MAP_FAILED;
	}
	if (!table_open())
		return MAP_FAILED;
	attach_enter(&signals);
	at = attach(id, &wish);
	attach_leave(&signals);
	return at;
}

SHIM_EXPORT int shmdt(const void *addr)
{
	struct attachment *a;
	sigset_t signals;
	int err = -EINVAL;

	if (!shim_dir())
		return REAL(shmdt)(addr);
	attach_enter(&signals);
	a = attach_find(addr);
	if (a) {
		munmap(a->addr, a->bytes);
		detach(a);
		err = 0;
	}
	attach_leave(&signals);
	return answer(err);
}
