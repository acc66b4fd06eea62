/* SPDX-License-Identifier: Apache-2.0 */
/*
 * msg.h - the message queues of the directory.
 *
 *   msg.c       msgget, msgsnd, msgrcv
 *   msg_ctl.c   msgctl
 *   msg_list.c  the messages of a queue, in their order
 *   msg_pool.c  the blocks that they lie in
 *   msg_mend.c  what is made good for an owner of the lock who died
 *   msg_stay.c  to sleep, and to learn what for
 *   msg_place.c those who sleep, as the owner of the lock sees them
 *   msg_map.c   a queue's file, mapped once in each process
 *
 * All is done under the queue's lock, and takes effect by one store: the link to a
 * message, or the state of the place of a receiver who waits for it.  What else is
 * changed, before and after, can be rebuilt (layout_sysv.h); so there is no journal.
 *
 * A receiver who sleeps is given its message by the sender, as the kernel does it,
 * and reads it without the lock.  One that does not come for it (dead, stopped, or gone
 * from the call by longjmp) loses it to the queue again.
 *
 * Ordering edges:
 *
 *   LOCK   of lock.h, for all but
 *   PLACE  P1 sender: the message, then the state GIVEN, release
 *          ->  P2 receiver: the state, acquire
 *          P3 receiver: has read, then the state DONE, release
 *          ->  P4 the lock's owner: the state, acquire, then uses the blocks again
 *
 * Under the lock, all accesses are relaxed: nobody else changes those words.
 */
#ifndef COSHM_SHIM_MSG_H
#define COSHM_SHIM_MSG_H

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>

#include "lock.h"
#include "table.h"

/* A queue as this process has it. */
struct msg_queue {
	struct object object;
	struct msg_queue_shared *shared;
	struct msg_place_shared *places;
	struct msg_block_shared *_Atomic segment[MSG_SEGMENTS];
	_Atomic uint32_t segments; /* that are mapped; grows under the lock */
	_Atomic uint64_t may[2];   /* read, alter: when that was found to be allowed */
	_Atomic uint32_t uses;     /* calls that are at it                  */
};

/* What a receiver wants. */
struct msg_want {
	enum msg_mode mode;
	int64_t type;
};

/* A message that is queued. */
struct msg_found {
	uint32_t ref;
	uint32_t before; /* the one before it */
	uint32_t bytes;
	int64_t type;
};

/* Whom to wake when the lock is given back. */
struct msg_wakes {
	uint32_t count;
	uint16_t place[MSG_PLACES];
};

/* Killed between the stores before and those after, whoever comes next finds the first ones. */
static inline void msg_step(void)
{
	atomic_signal_fence(memory_order_seq_cst);
}

/* Of words that the lock guards. */
#define msg_get(word)        atomic_load_explicit(&(word), memory_order_relaxed)
#define msg_put(word, value) atomic_store_explicit(&(word), (value), memory_order_relaxed)

/* ---- msg_map.c ---- */

/* The queue of @o, mapped; msg_unuse() it.  0 or -errno. */
int msg_use(const struct object *o, struct msg_queue **queue);
void msg_unuse(struct msg_queue *q);
/* As soon as nobody uses it: it was removed. */
void msg_forget(const struct object *o);
/* 0 or -EACCES, by the permissions that are in force now; remembered. */
int msg_access(struct msg_queue *q, bool alter);
int msg_make(int fd, const struct object_plan *plan);
/* Under the lock: map what others have added; 0 or -errno. */
int msg_see(struct msg_queue *q);
/* Under the lock: another segment, or memory for another page of places; 0 or -errno. */
int msg_grow(struct msg_queue *q);
int msg_grow_places(struct msg_queue *q);

/* Take the lock, for what does not look at messages; give it back with msg_leave(). */
void msg_lock(struct msg_queue *q, struct held *held);
/* And see all blocks, mended if need be; 0, or -errno without the lock. */
int msg_enter(struct msg_queue *q, struct held *held);
void msg_leave(struct msg_queue *q, struct held *held, const struct msg_wakes *wakes);

/* ---- msg_pool.c ---- */

/* How many blocks this process can see. */
static inline uint32_t msg_blocks(const struct msg_queue *q)
{
	/* Acquire: msg_see() has mapped them before it says so. */
	uint32_t segments = atomic_load_explicit(&q->segments, memory_order_acquire);

	return segments == 0 ? 0 : MSG_FIRST << (segments - 1);
}

/* NULL if there is no such block. */
static inline struct msg_block_shared *msg_block(const struct msg_queue *q, uint32_t ref)
{
	uint32_t index = ref - 1, segment = 0;

	if (__builtin_expect(index >= msg_blocks(q), 0))
		return NULL;
	if (index >= MSG_FIRST) {
		segment = 32u - (uint32_t)__builtin_clz(index / MSG_FIRST);
		index -= MSG_FIRST << (segment - 1);
	}
	/* Relaxed: msg_blocks() has acquired it. */
	return atomic_load_explicit(&q->segment[segment], memory_order_relaxed) + index;
}

/* The message's blocks, filled, or 0 if there is no memory for them. */
uint32_t msg_fill(struct msg_queue *q, int64_t type, const void *data, uint32_t bytes);
/* Up to @room bytes of it; false if it is damaged. */
bool msg_read(const struct msg_queue *q, uint32_t ref, void *to, uint32_t room);
void msg_free(struct msg_queue *q, uint32_t ref);
uint32_t msg_blocks_for(uint32_t bytes);

/* ---- msg_list.c ---- */

bool msg_wanted(const struct msg_want *want, int64_t type);
bool msg_find(const struct msg_queue *q, struct msg_want want, struct msg_found *found);
void msg_append(struct msg_queue *q, uint32_t ref);
/* Where it was before: by its serial number. */
void msg_put_back(struct msg_queue *q, uint32_t ref);
void msg_unlink(struct msg_queue *q, const struct msg_found *found);
bool msg_fits(const struct msg_queue *q, uint64_t bytes);

/* ---- msg_mend.c ---- */

void msg_mend(struct msg_queue *q);

/* ---- msg_stay.c ---- */

/* A call that sleeps; all zero at first. */
struct msg_stay {
	bool taken;
	uint32_t place;
	uint64_t ticket; /* these stay, however often it sleeps */
	uint32_t since_ms;
	uint32_t ran; /* of handlers_ran, when the call began */
};

/* Under the lock: 0, or -EAGAIN if there is no place: look again a little later. */
int msg_stay_begin(struct msg_queue *q, struct msg_stay *stay, const struct msg_want *want,
		   uint32_t most);
/* Without it; 0: the state has changed, -ETIMEDOUT: it is time to look, -EINTR. */
int msg_stay_sleep(struct msg_queue *q, const struct msg_stay *stay);
/*
 * Under the lock: what became of it.  The place is given back, unless it is GIVEN; if it is
 * not ours any more, that is AGAIN.
 */
enum msg_phase msg_stay_end(struct msg_queue *q, struct msg_stay *stay);
/* Without the lock: the message that we were given is ours, and nobody else's; 0: there is none. */
uint32_t msg_stay_take(struct msg_queue *q, const struct msg_stay *stay);
/* We have read it. */
void msg_stay_done(struct msg_queue *q, struct msg_stay *stay);

/* ---- msg_place.c ---- */

/* Under the lock: give the message to the first one who waits for it; false if there is none. */
bool msg_offer(struct msg_queue *q, uint32_t ref, int64_t type, uint32_t bytes,
	       struct msg_wakes *wakes);
/* Call the senders for whom there is room. */
void msg_call_senders(struct msg_queue *q, struct msg_wakes *wakes);
void msg_call_all(struct msg_queue *q, enum msg_phase phase, struct msg_wakes *wakes);
/* What is given and not taken goes back to the queue, of the dead and of who is late. */
void msg_lapse(struct msg_queue *q, struct msg_wakes *wakes);
/* Places and blocks of those who are through. */
void msg_reclaim(struct msg_queue *q);
void msg_place_free(struct msg_queue *q, uint32_t place);
/* False if one who was given a message did not sleep where he says: he may be dead. */
bool msg_wake(struct msg_queue *q, const struct msg_wakes *wakes);

/* The next used place from @from on; MSG_PLACES: none. */
uint32_t msg_place_next(const struct msg_queue *q, uint32_t from);

#endif /* COSHM_SHIM_MSG_H */
