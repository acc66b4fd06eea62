/* SPDX-License-Identifier: Apache-2.0 */
/*
 * msg_map.c - a queue's file, mapped once in each process.
 *
 * A queue's number leads to a few entries that may have it.  An entry is filled anew
 * only while nobody uses it:
 *
 *   ENTRY  E1 user: uses + 1, then looks whether the identifier is still this
 *          E2 who fills it: takes the identifier away, then looks at uses
 *          both sequentially consistent: one of them sees the other
 *          E3 filled, then the identifier, release  ->  E4 user: identifier, acquire
 */
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "credentials.h"
#include "msg.h"
#include "peer.h"

#define SETS 128
#define WAYS 4

/* An identifier + 1; 0: nothing. Apart from the rest, so that a look touches one line. */
static _Atomic int known[SETS][WAYS];
static struct msg_queue queues[SETS][WAYS];

static int set_of(const struct object *o)
{
	return (int)(o->index % SETS);
}

/* ---- a file ---- */

/* A mapping that may begin within a page; NULL with errno. */
static void *map_at(int fd, uint64_t offset, size_t bytes)
{
	size_t within = (size_t)(offset % (uint64_t)sysconf(_SC_PAGESIZE));
	unsigned char *at = mmap(NULL, bytes + within, PROT_READ | PROT_WRITE, MAP_SHARED, fd,
				 (off_t)(offset - within));

	return at == MAP_FAILED ? NULL : at + within;
}

static void unmap(void *at, size_t bytes)
{
	size_t within = (uintptr_t)at % (size_t)sysconf(_SC_PAGESIZE);

	munmap((unsigned char *)at - within, bytes + within);
}

/* The first block of a segment, and how many it has. */
static uint32_t segment_first(uint32_t segment)
{
	return segment == 0 ? 0 : MSG_FIRST << (segment - 1);
}

static uint32_t segment_blocks(uint32_t segment)
{
	return segment == 0 ? MSG_FIRST : segment_first(segment);
}

static uint64_t segment_at(uint32_t segment)
{
	if (segment == 0)
		return MSG_FIRST_AT;
	return MSG_BLOCKS_AT + (uint64_t)(segment_first(segment) - MSG_FIRST) * MSG_BLOCK_BYTES;
}

static size_t segment_bytes(uint32_t segment)
{
	return (size_t)segment_blocks(segment) * MSG_BLOCK_BYTES;
}

int msg_make(int fd, const struct object_plan *plan)
{
	const struct msg_queue_shared first = {
		.magic = MSG_MAGIC,
		.segments = 1,
		.limit = table_open()->limits.msgmnb,
	};
	(void)plan;
	/* Places are a hole until somebody sleeps. */
	if (ftruncate(fd, MSG_BLOCKS_AT) < 0)
		return -errno;
	return pwrite(fd, &first, sizeof(first), 0) == (ssize_t)sizeof(first) ? 0 : -EIO;
}

static void use_segment(struct msg_queue *q, uint32_t segment, void *at)
{
	/* Relaxed: ordered by the store of segments. */
	atomic_store_explicit(&q->segment[segment], at, memory_order_relaxed);
	atomic_store_explicit(&q->segments, segment + 1, memory_order_release);
}

static int map_segment(struct msg_queue *q, uint32_t segment)
{
	int fd = object_open(&q->object, O_RDWR, segment_at(segment) + segment_bytes(segment));
	void *at;

	if (fd < 0)
		return fd == -ENOENT ? -EIDRM : -ENOMEM;
	at = map_at(fd, segment_at(segment), segment_bytes(segment));
	close(fd);
	if (!at)
		return -ENOMEM;
	use_segment(q, segment, at);
	return 0;
}

int msg_see(struct msg_queue *q)
{
	uint32_t there = msg_get(q->shared->segments);
	int err = 0;

	for (uint32_t i = msg_get(q->segments); err == 0 && i < there && i < MSG_SEGMENTS; i++)
		err = map_segment(q, i);
	return err;
}

int msg_grow(struct msg_queue *q)
{
	uint32_t segment = msg_get(q->segments);
	int fd, err;

	if (segment >= MSG_SEGMENTS)
		return -ENOMEM;
	fd = object_open(&q->object, O_RDWR, 0);
	if (fd < 0)
		return fd;
	err = table_allocate(fd, segment_at(segment), segment_bytes(segment));
	close(fd);
	if (err == 0)
		err = map_segment(q, segment);
	if (err == 0)
		msg_put(q->shared->segments, segment + 1);
	return err;
}

int msg_grow_places(struct msg_queue *q)
{
	uint32_t places = msg_get(q->shared->places), step = 64;
	int fd, err;

	if (places > MSG_PLACES - step)
		return -ENOMEM;
	fd = object_open(&q->object, O_RDWR, 0);
	if (fd < 0)
		return fd;
	err = table_allocate(fd, MSG_PLACES_AT + places * sizeof(struct msg_place_shared),
			     step * sizeof(struct msg_place_shared));
	close(fd);
	if (err == 0)
		msg_put(q->shared->places, places + step);
	return err;
}

/* ---- the entries ---- */

static int fill(struct msg_queue *q, const struct object *o)
{
	int fd = object_open(o, O_RDWR, MSG_BLOCKS_AT);
	unsigned char *at;

	if (fd < 0)
		return fd == -ENOENT ? -EINVAL : fd == -EACCES ? fd : -ENOMEM;
	at = map_at(fd, 0, MSG_BLOCKS_AT);
	close(fd);
	if (!at)
		return -ENOMEM;
	q->object = *o;
	msg_put(q->may[0], 0); /* the state of a queue that is there is not 0 */
	msg_put(q->may[1], 0);
	q->shared = (void *)at;
	q->places = (void *)(at + MSG_PLACES_AT);
	if (q->shared->magic != MSG_MAGIC) {
		unmap(at, MSG_BLOCKS_AT);
		return -EINVAL;
	}
	use_segment(q, 0, at + MSG_FIRST_AT);
	return 0;
}

static void empty(struct msg_queue *q)
{
	for (uint32_t i = 1; i < msg_get(q->segments); i++)
		unmap(msg_get(q->segment[i]), segment_bytes(i));
	unmap(q->shared, MSG_BLOCKS_AT);
	msg_put(q->segments, 0); /* nobody looks */
}

/* Under the guard: make an entry free; false if somebody is at it. */
static bool evict(int set, int way)
{
	int id = msg_get(known[set][way]); /* it changes under the guard alone */

	if (id == 0)
		return true;
	atomic_store_explicit(&known[set][way], 0, memory_order_seq_cst);              /* E2 */
	if (atomic_load_explicit(&queues[set][way].uses, memory_order_seq_cst) != 0) { /* E2 */
		atomic_store_explicit(&known[set][way], id, memory_order_release);     /* E3 */
		return false;
	}
	empty(&queues[set][way]);
	return true;
}

static bool is_gone(int set, int way)
{
	return msg_get(known[set][way]) != 0 && object_still(&queues[set][way].object) < 0;
}

/* Under the guard. */
static int enter(const struct object *o)
{
	int set = set_of(o), way, err;

	for (way = 0; way < WAYS; way++)
		if (is_gone(set, way))
			evict(set, way);
	for (way = 0; way < WAYS; way++)
		if (msg_get(known[set][way]) == object_id(o) + 1)
			return 0;
	for (way = 0; way < WAYS && msg_get(known[set][way]) != 0; way++)
		;
	for (int i = 0; way == WAYS && i < WAYS; i++)
		if (evict(set, i))
			way = i;
	if (way == WAYS)
		return -ENOMEM;
	err = fill(&queues[set][way], o);
	if (err == 0)
		atomic_store_explicit(&known[set][way], object_id(o) + 1,
				      memory_order_release); /* E3 */
	return err;
}

static struct msg_queue *find(const struct object *o)
{
	int set = set_of(o), id = object_id(o) + 1;

	for (int way = 0; way < WAYS; way++) {
		struct msg_queue *q = &queues[set][way];

		/* Relaxed: it is looked at again. */
		if (atomic_load_explicit(&known[set][way], memory_order_relaxed) != id)
			continue;
		atomic_fetch_add_explicit(&q->uses, 1, memory_order_seq_cst);           /* E1 */
		if (atomic_load_explicit(&known[set][way], memory_order_seq_cst) == id) /* E1, E4 */
			return q;
		msg_unuse(q);
	}
	return NULL;
}

void msg_unuse(struct msg_queue *q)
{
	/* Release: what we did there is done before it may be unmapped. */
	atomic_fetch_sub_explicit(&q->uses, 1, memory_order_release);
}

int msg_use(const struct object *o, struct msg_queue **queue)
{
	sigset_t signals;
	int err = 0;

	while (err == 0 && (*queue = find(o)) == NULL) {
		signals_block(&signals); /* a handler would wait for the thread it interrupted */
		peer_guard();            /* a forked child finds it free */
		err = enter(o);
		peer_unguard();
		signals_restore(&signals);
	}
	return err;
}

int msg_access(struct msg_queue *q, bool alter)
{
	struct object now = q->object;
	uint64_t key;
	int err;

	now.state = atomic_load_explicit(&now.slot->state, memory_order_acquire); /* L2 */
	/* Relaxed: it is counted before the permissions change (L3). */
	key = ((uint64_t)credentials_generation() & 0xffffu) << 48 |
	      ((uint64_t)msg_get(q->shared->changed) & 0xffffu) << 32 | now.state;
	/* Relaxed, both: it is one word, and stands for nothing else. */
	if (msg_get(q->may[alter]) == key)
		return 0;
	err = object_access(&now, alter ? 0222 : 0444);
	if (err == 0)
		msg_put(q->may[alter], key);
	return err;
}

void msg_forget(const struct object *o)
{
	sigset_t signals;

	signals_block(&signals);
	peer_guard();
	for (int way = 0; way < WAYS; way++)
		if (msg_get(known[set_of(o)][way]) == object_id(o) + 1)
			evict(set_of(o), way);
	peer_unguard();
	signals_restore(&signals);
}

/* ---- the lock ---- */

void msg_lock(struct msg_queue *q, struct held *held)
{
	if (lock_take(&q->shared->lock, held))
		msg_put(q->shared->hurt, 1);
}

int msg_enter(struct msg_queue *q, struct held *held)
{
	struct msg_queue_shared *s = q->shared;
	int err = 0;

	msg_lock(q, held);
	if (__builtin_expect(msg_get(s->segments) != msg_get(q->segments), 0))
		err = msg_see(q);
	if (err < 0) {
		lock_give(held);
		return err;
	}
	if (__builtin_expect(msg_get(s->hurt) != 0, 0)) {
		msg_mend(q);
		msg_step();
		msg_put(s->hurt, 0);
	}
	if (msg_get(s->crowd) != 0)
		msg_reclaim(q);
	return 0;
}

void msg_leave(struct msg_queue *q, struct held *held, const struct msg_wakes *wakes)
{
	struct msg_wakes more;

	lock_give(held);
	if (wakes->count == 0 || msg_wake(q, wakes) || msg_enter(q, held) < 0)
		return;
	more.count = 0;
	msg_lapse(q, &more);
	lock_give(held);
	msg_wake(q, &more);
}
