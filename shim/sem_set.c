/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sem_set.c - a set's file, mapped once in each process.
 *
 * An identifier leads to a few entries that may have it.  An entry is filled anew only
 * while nobody uses it:
 *
 *   ENTRY  E1 user: uses + 1, then looks whether the identifier is still this
 *          E2 who fills it: takes the identifier away, then looks at uses
 *          both sequentially consistent: one of them sees the other
 *          E3 filled, then the identifier, release  ->  E4 user: identifier, acquire
 */
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/sem.h>
#include <sys/single_threaded.h>
#include <sys/stat.h>
#include <unistd.h>

#include "credentials.h"
#include "peer.h"
#include "sem.h"

#define BUCKETS 256
#define WAYS    4
/* What all undo records of a set may take, of the address space and of the directory. */
#define RECORDS_BYTES (UINT64_C(64) << 20)
#define RECORDS_LEAST 16u
#define STEP_BYTES    4096u

/* An identifier + 1; 0: nothing. Apart from the rest, so that a look touches one line. */
static _Atomic int known[BUCKETS][WAYS];
static struct sem_set sets[BUCKETS][WAYS];

static uint64_t round_up(uint64_t bytes, uint64_t to)
{
	return (bytes + to - 1) / to * to;
}

static void shape_of(uint32_t sems, struct sem_shape *shape)
{
	uint32_t ops = table_open()->limits.semopm, changes = ops > sems ? ops : sems;

	*shape = (struct sem_shape){ .sems = sems, .ops = ops };
	shape->changes_at = sizeof(struct sem_set_shared) + sems * sizeof(struct sem_one_shared);
	shape->sleepers_at = round_up(
		shape->changes_at + changes * sizeof(struct sem_change_shared), STEP_BYTES);
	shape->sleeper_bytes = (uint32_t)round_up(
		sizeof(struct sem_sleeper_shared) + ops * sizeof(struct sem_op_shared), 64);
	shape->records_at = round_up(
		shape->sleepers_at + (uint64_t)SEM_SLEEPERS * shape->sleeper_bytes, STEP_BYTES);
	shape->record_bytes =
		(uint32_t)round_up(offsetof(struct sem_record_shared, cell) + sems * 8u, 64);
	shape->records = (uint32_t)(RECORDS_BYTES / shape->record_bytes);
	if (shape->records > SEM_RECORDS)
		shape->records = SEM_RECORDS;
	if (shape->records < RECORDS_LEAST)
		shape->records = RECORDS_LEAST;
	shape->bytes = shape->records_at + (uint64_t)shape->records * shape->record_bytes;
}

uint64_t sem_set_bytes(uint32_t sems)
{
	struct sem_shape shape;

	shape_of(sems, &shape);
	return shape.sleepers_at;
}

int sem_set_make(int fd, const struct object_plan *plan)
{
	struct sem_set_shared first = {
		.magic = SEM_MAGIC,
		.sems = (uint32_t)plan->size,
		.ops = table_open()->limits.semopm,
	};
	struct sem_shape shape;

	shape_of((uint32_t)plan->size, &shape);
	if (ftruncate(fd, (off_t)shape.bytes) < 0)
		return -errno;
	return pwrite(fd, &first, sizeof(first), 0) == (ssize_t)sizeof(first) ? 0 : -EIO;
}

/* Under the lock: entries come by whole steps; their count is stored when they have memory. */
static int grow(struct sem_set *set, _Atomic uint32_t *backed, uint32_t max, uint64_t at,
		uint32_t entry_bytes)
{
	uint32_t count = sem_get(*backed);
	uint32_t step = entry_bytes < STEP_BYTES ? STEP_BYTES / entry_bytes : 1;
	int fd, err;

	if (count >= max)
		return -ENOSPC;
	if (step > max - count)
		step = max - count;
	fd = object_open(&set->object, O_RDWR, set->shape.bytes);
	if (fd < 0)
		return fd;
	err = posix_fallocate(fd, (off_t)(at + (uint64_t)count * entry_bytes),
			      (off_t)step * entry_bytes);
	close(fd);
	if (err != 0)
		return -ENOMEM;
	sem_put(*backed, count + step);
	return 0;
}

int sem_set_grow_sleepers(struct sem_set *set)
{
	return grow(set, &set->shared->sleepers, SEM_SLEEPERS, set->shape.sleepers_at,
		    set->shape.sleeper_bytes);
}

int sem_set_grow_records(struct sem_set *set)
{
	return grow(set, &set->shared->records, set->shape.records, set->shape.records_at,
		    set->shape.record_bytes);
}

static int fill(struct sem_set *set, const struct object *o)
{
	/* Relaxed: L2. */
	uint64_t sems = atomic_load_explicit(&o->slot->size, memory_order_relaxed);
	struct sem_shape shape;
	unsigned char *at;
	int fd;

	if (sems == 0 || sems > UINT16_MAX)
		return -EINVAL;
	shape_of((uint32_t)sems, &shape);
	fd = object_open(o, O_RDWR, shape.bytes);
	if (fd < 0)
		return fd;
	at = mmap(NULL, shape.bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	close(fd);
	if (at == MAP_FAILED)
		return -ENOMEM;
	set->object = *o;
	set->shape = shape;
	set->shared = (void *)at;
	set->sems = (void *)(at + sizeof(struct sem_set_shared));
	set->changes = (void *)(at + shape.changes_at);
	set->sleepers = at + shape.sleepers_at;
	set->records = at + shape.records_at;
	/* Relaxed, all: ordered by E3. */
	atomic_store_explicit(&set->may[0], 0, memory_order_relaxed);
	atomic_store_explicit(&set->may[1], 0, memory_order_relaxed);
	atomic_store_explicit(&set->record, 0, memory_order_relaxed);
	atomic_store_explicit(&set->undoing, 0, memory_order_relaxed);
	atomic_store_explicit(&set->luck, SEM_LUCK / 2, memory_order_relaxed);
	if (set->shared->magic == SEM_MAGIC && set->shared->sems == sems &&
	    set->shared->ops == shape.ops)
		return 0;
	munmap(at, shape.bytes);
	return -EINVAL;
}

int sem_set_still(const struct sem_set *set)
{
	uint32_t now =
		atomic_load_explicit(&set->object.slot->state, memory_order_acquire); /* L2 */

	return SYSV_PHASE(now) == SYSV_LIVE && SYSV_SEQUENCE(now) == set->object.sequence ? 0 :
											    -EIDRM;
}

/* Under the guard: make an entry free; false if somebody is at it. */
static bool evict(uint32_t bucket, uint32_t way)
{
	struct sem_set *set = &sets[bucket][way];
	int id = sem_get(known[bucket][way]); /* it changes under the guard alone */

	if (id == 0)
		return true;
	atomic_store_explicit(&known[bucket][way], 0, memory_order_seq_cst);          /* E2 */
	if (atomic_load_explicit(&set->uses, memory_order_seq_cst) != 0) {            /* E2 */
		atomic_store_explicit(&known[bucket][way], id, memory_order_release); /* E3 */
		return false;
	}
	munmap(set->shared, set->shape.bytes);
	return true;
}

/* Under the guard: an entry that is free, or whose set is gone, or else any that nobody uses. */
static int find_way(uint32_t bucket)
{
	for (uint32_t way = 0; way < WAYS; way++)
		if (sem_get(known[bucket][way]) == 0 ||
		    (sem_set_still(&sets[bucket][way]) < 0 && evict(bucket, way)))
			return (int)way;
	for (uint32_t way = 0; way < WAYS; way++)
		if (evict(bucket, way))
			return (int)way;
	return -ENOMEM;
}

/* Under the guard. */
static int enter(int id)
{
	struct object o;
	uint32_t bucket = (uint32_t)id % BUCKETS;
	int way, err = object_find(SYSV_SEM, id, &o);

	if (err < 0)
		return err;
	for (way = 0; way < WAYS; way++)
		if (sem_get(known[bucket][way]) == id + 1)
			return 0;
	way = find_way(bucket);
	if (way < 0)
		return way;
	err = fill(&sets[bucket][way], &o);
	if (err == 0)
		atomic_store_explicit(&known[bucket][way], id + 1, memory_order_release); /* E3 */
	return err;
}

static inline void count_use(struct sem_set *set, uint32_t by)
{
	/*
	 * Relaxed: nobody else is there to unmap it; who interrupts us gives back what it takes.
	 */
	if (__libc_single_threaded)
		atomic_store_explicit(&set->uses,
				      atomic_load_explicit(&set->uses, memory_order_relaxed) + by,
				      memory_order_relaxed);
	else
		atomic_fetch_add_explicit(&set->uses, by, memory_order_seq_cst); /* E1 */
}

static struct sem_set *find(int id)
{
	uint32_t bucket = (uint32_t)id % BUCKETS;

	for (uint32_t way = 0; way < WAYS; way++) {
		struct sem_set *set = &sets[bucket][way];

		/* Relaxed: it is looked at again. */
		if (atomic_load_explicit(&known[bucket][way], memory_order_relaxed) != id + 1)
			continue;
		count_use(set, 1);
		if (atomic_load_explicit(&known[bucket][way], memory_order_seq_cst) ==
		    id + 1) /* E1, E4 */
			return set;
		sem_set_unuse(set);
	}
	return NULL;
}

void sem_set_unuse(struct sem_set *set)
{
	count_use(set, UINT32_MAX);
}

int sem_set_use(int id, struct sem_set **set)
{
	sigset_t signals;
	int err = 0;

	if (id < 0)
		return -EINVAL;
	while ((*set = find(id)) == NULL) {
		if (!table_open() || !token_mine())
			return -errno;
		signals_block(&signals); /* a handler would wait for the thread it interrupted */
		peer_guard();            /* a forked child finds it free */
		err = enter(id);
		peer_unguard();
		signals_restore(&signals);
		if (err < 0)
			return err;
	}
	if (sem_set_still(*set) == 0)
		return 0;
	sem_set_unuse(*set);
	return -EINVAL;
}

int sem_set_access(struct sem_set *set, bool alter)
{
	struct object now = set->object;
	uint64_t key;
	int err;

	/* Relaxed: it is counted before the permissions change (L3). */
	now.state = atomic_load_explicit(&set->object.slot->state, memory_order_acquire); /* L2 */
	key = ((uint64_t)credentials_generation() & 0xffffu) << 48 |
	      ((uint64_t)atomic_load_explicit(&set->shared->changed, memory_order_relaxed) &
	       0xffffu)
		      << 32 |
	      now.state;
	/* Relaxed, both: it is one word, and stands for nothing else. */
	if (atomic_load_explicit(&set->may[alter], memory_order_relaxed) == key)
		return 0;
	err = object_access(&now, alter ? 0222 : 0444);
	if (err == 0)
		atomic_store_explicit(&set->may[alter], key, memory_order_relaxed);
	return err;
}

void sem_sets_each(void (*act)(struct sem_set *set))
{
	for (uint32_t bucket = 0; bucket < BUCKETS; bucket++)
		for (uint32_t way = 0; way < WAYS; way++)
			if (atomic_load_explicit(&known[bucket][way], memory_order_acquire) !=
			    0) /* E4 */
				act(&sets[bucket][way]);
}
