/* SPDX-License-Identifier: Apache-2.0 */
/*
 * queue_core.h - the lock-free part of "queue": no system call, no handle.
 *
 * Whatever happens to a slot happens by one compare-and-swap of its state word
 * {lap, owner, deliveries, phase}, and a slot that somebody works in names him:
 *
 *   FREE -> CLAIM -> FULL -> TAKE -> FREE of the next lap
 *
 * Head and tail are hints.  They save looking at slots that are done with, and
 * anybody moves them on; nothing is lost when they lag.
 *
 * Nobody waits for one who is slow, stopped or dead.  A producer passes over a
 * slot that is still at work since the lap before.  A consumer takes what lies
 * behind a claim; when that goes on too long the head passes the claim, which
 * is marked PASSED, and the message comes up behind the head as AGAIN.  So
 * does the message of a dead consumer.  AGAIN is found by a look at all slots,
 * which consumers take whenever the word "again" has moved.
 *
 * Invariant: when the head has passed position p of lap L, the slot of p is
 * FREE of a lap after L, or of a lap from L on and in one of the phases TAKE,
 * PASSED, AGAIN, or of a later lap.  Nothing that leaves such a state gets into
 * CLAIM or FULL of lap L, so nothing is left behind.
 *
 * Ordering edges; each swap is both acquire and release, and a swap that only
 * moves the lap on stands in the release sequence of the one before:
 *
 *   COMMIT  Q1 producer: payload, then CLAIM -> FULL (PASSED -> AGAIN)
 *           ->  Q2 consumer: FULL (AGAIN) -> TAKE, then reads it
 *           "the message that I have taken is whole"
 *   REUSE   Q3 consumer: reads, then TAKE -> FREE
 *           ->  Q4 producer: FREE -> CLAIM, then writes
 *           "what I write over has been read"
 *   TAIL    Q5 producer: tail moved on, then commits
 *           ->  Q2, and then loads tail
 *           "behind a message that is there, I know it"
 *   AGAIN   Q6 AGAIN stored, then "again" counted up, release
 *           ->  Q7 consumer: loads "again", acquire, then looks at all slots
 *           "when it has moved, I find what moved it"
 */
#ifndef COSHM_QUEUE_CORE_H
#define COSHM_QUEUE_CORE_H

#include <stdbool.h>

#include "layout.h"

/* How far a consumer looks behind a claim before the head passes it. */
#ifndef QUEUE_WINDOW /* a test makes it small */
#define QUEUE_WINDOW 64u
#endif

/* Private to this process, checked once. */
struct queue_ring {
	struct queue_control_shared *control;
	unsigned char *slots;
	uint64_t mask;          /* slots - 1                                   */
	unsigned int shift;     /* slots == 1 << shift                         */
	unsigned int lap_shift; /* 64 less the bits of a lap that are compared */
	uint32_t slot_bytes;
	uint32_t payload; /* where it begins in a slot                   */
	uint32_t value_bytes;
	bool drop; /* at most once: a dead consumer's message is gone */
};

#define QUEUE_NONE UINT64_MAX

static inline struct queue_slot_shared *queue_slot(const struct queue_ring *ring, uint64_t p)
{
	return (struct queue_slot_shared *)(ring->slots + (p & ring->mask) * ring->slot_bytes);
}

static inline unsigned char *queue_payload(const struct queue_ring *ring, uint64_t p)
{
	return (unsigned char *)queue_slot(ring, p) + ring->payload;
}

static inline enum queue_phase queue_phase(uint64_t state)
{
	return (enum queue_phase)(state & 7u);
}

static inline unsigned int queue_owner(uint64_t state)
{
	return (state >> QUEUE_OWNER_SHIFT) & 0xffu;
}

static inline unsigned int queue_deliveries(uint64_t state)
{
	return (state >> QUEUE_DELIVERIES_SHIFT) & QUEUE_DELIVERIES_MAX;
}

static inline uint64_t queue_lap(uint64_t state)
{
	return state >> QUEUE_LAP_SHIFT;
}

static inline uint64_t queue_state(uint64_t lap, unsigned int owner, unsigned int deliveries,
				   enum queue_phase phase)
{
	return lap << QUEUE_LAP_SHIFT | owner << QUEUE_OWNER_SHIFT |
	       deliveries << QUEUE_DELIVERIES_SHIFT | phase;
}

/* How many laps a state is ahead of position p. */
static inline int64_t queue_ahead(const struct queue_ring *ring, uint64_t state, uint64_t p)
{
	return (int64_t)((queue_lap(state) - (p >> ring->shift)) << ring->lap_shift) >>
	       ring->lap_shift;
}

static inline uint64_t queue_load(const struct queue_ring *ring, uint64_t p)
{
	return atomic_load_explicit(&queue_slot(ring, p)->state, memory_order_acquire);
}

/* Q1 to Q4: every change of a state. */
static inline bool queue_swap(const struct queue_ring *ring, uint64_t p, uint64_t from, uint64_t to)
{
	return atomic_compare_exchange_strong_explicit(&queue_slot(ring, p)->state, &from, to,
						       memory_order_acq_rel, memory_order_acquire);
}

/* A hint only grows. */
static inline void queue_hint(_Atomic uint64_t *hint, uint64_t to)
{
	/* Relaxed: what it saves is a look at slots. */
	uint64_t now = atomic_load_explicit(hint, memory_order_relaxed);

	while ((int64_t)(to - now) > 0)
		if (atomic_compare_exchange_weak_explicit(hint, &now, to, memory_order_release,
							  memory_order_relaxed))
			return; /* Q5, for the tail */
}

/*
 * queue_claim - a slot for a message of peer @me; its position, or QUEUE_NONE if
 * the queue is full: a message of the lap before was not taken yet, or somebody
 * works in each slot.
 *
 * A position that was used moves the tail behind it, on behalf of a producer
 * that died between its claim and its hint.
 */
static inline uint64_t queue_claim(const struct queue_ring *ring, unsigned int me)
{
	uint64_t p = atomic_load_explicit(&ring->control->tail, memory_order_acquire);
	uint64_t at_work = 0, most = QUEUE_WINDOW * (ring->mask + 1);

	/* A swap that failed is not counted: another one's has gone through. */
	for (uint64_t looks = 0; at_work <= ring->mask && looks <= most;) {
		uint64_t state;
		int64_t ahead;

		if (p == QUEUE_NONE) { /* names no position: nobody gets it, the head passes it */
			p = 0;
			queue_hint(&ring->control->tail, p);
		}
		state = queue_load(ring, p);
		ahead = queue_ahead(ring, state, p);

		if (queue_phase(state) == QUEUE_FREE && ahead <= 0) {
			if (!queue_swap(ring, p, state,
					queue_state(p >> ring->shift, me, 0, QUEUE_CLAIM)))
				continue;
			queue_hint(&ring->control->tail, p + 1); /* Q5 */
			return p;
		}
		if (queue_phase(state) == QUEUE_FULL && ahead < 0)
			return QUEUE_NONE;
		if (ahead < 0) {
			at_work++; /* since the lap before: not ours to wait for */
		} else {
			at_work = 0;
			queue_hint(&ring->control->tail, p + 1);
		}
		p++;
		looks++;
	}
	return QUEUE_NONE;
}

/* Tell consumers to look at all slots. */
static inline void queue_call_again(const struct queue_ring *ring)
{
	atomic_fetch_add_explicit(&ring->control->again, 1, memory_order_release); /* Q6 */
}

/* Publish what @me has claimed; false if the slot is not his claim. */
static inline bool queue_commit(const struct queue_ring *ring, uint64_t p, unsigned int me)
{
	for (;;) {
		uint64_t state = queue_load(ring, p), lap = queue_lap(state);
		enum queue_phase phase = queue_phase(state);

		if (queue_owner(state) != me || (phase != QUEUE_CLAIM && phase != QUEUE_PASSED))
			return false;
		if (phase == QUEUE_CLAIM &&
		    queue_swap(ring, p, state, queue_state(lap, 0, 0, QUEUE_FULL)))
			return true;
		if (phase == QUEUE_PASSED &&
		    queue_swap(ring, p, state, queue_state(lap, 0, 0, QUEUE_AGAIN))) {
			queue_call_again(ring);
			return true;
		}
	}
}

/* FULL or AGAIN: take it. */
static inline bool queue_try_take(const struct queue_ring *ring, uint64_t p, uint64_t state,
				  unsigned int me)
{
	unsigned int deliveries = queue_deliveries(state);

	if (deliveries < QUEUE_DELIVERIES_MAX)
		deliveries++;
	return queue_swap(ring, p, state,
			  queue_state(queue_lap(state), me, deliveries, QUEUE_TAKE));
}

/*
 * The head is to pass @p, where @state is and no message: leave the slot as the
 * invariant wants it.  False if it has changed meanwhile.
 */
static inline bool queue_pass(const struct queue_ring *ring, uint64_t p, uint64_t state)
{
	enum queue_phase phase = queue_phase(state);
	uint64_t lap = p >> ring->shift;
	int64_t ahead = queue_ahead(ring, state, p);

	if (phase == QUEUE_FULL && ahead <= 0)
		return false;
	if (ahead > 0 || (ahead == 0 && phase != QUEUE_FREE && phase != QUEUE_CLAIM))
		return true;
	if (phase == QUEUE_FREE)
		return queue_swap(ring, p, state, queue_state(lap + 1, 0, 0, QUEUE_FREE));
	if (phase == QUEUE_CLAIM)
		phase = QUEUE_PASSED;
	return queue_swap(ring, p, state,
			  queue_state(lap, queue_owner(state), queue_deliveries(state), phase));
}

/* Messages behind the head: of the dead, and of those who were passed. */
static inline uint64_t queue_take_again(const struct queue_ring *ring, unsigned int me,
					uint64_t *seen)
{
	uint64_t again = atomic_load_explicit(&ring->control->again, memory_order_acquire); /* Q7 */
	uint64_t head;

	if (again == *seen)
		return QUEUE_NONE;
	/* Relaxed: where to begin, with the slots that have waited longest. */
	head = atomic_load_explicit(&ring->control->head, memory_order_relaxed);
	for (uint64_t i = 0; i <= ring->mask; i++) {
		uint64_t state = queue_load(ring, head + i);

		if (queue_phase(state) == QUEUE_AGAIN && queue_try_take(ring, head + i, state, me))
			return (queue_lap(state) << ring->shift) + ((head + i) & ring->mask);
	}
	*seen = again;
	return QUEUE_NONE;
}

/* Is there nothing behind @p that the tail knows of?  Q2, with Q5. */
static inline bool queue_at_tail(const struct queue_ring *ring, uint64_t p)
{
	return (int64_t)(atomic_load_explicit(&ring->control->tail, memory_order_acquire) - p) <= 0;
}

/* Pass @p if there is no message: the head moves on, if it was there. */
static inline bool queue_pass_head(const struct queue_ring *ring, uint64_t p, uint64_t state)
{
	if (!queue_pass(ring, p, state))
		return false;
	queue_hint(&ring->control->head, p + 1);
	return true;
}

/*
 * queue_take - the next message for peer @me; its position, or QUEUE_NONE if there
 * is none now.
 * @seen: the consumer's own memory of "again", 0 at first
 *
 * @claim below is the first claim that is met: the head stays there, and we look
 * on behind it, for a while.
 */
static inline uint64_t queue_take(const struct queue_ring *ring, unsigned int me, uint64_t *seen)
{
	uint64_t window = QUEUE_WINDOW < ring->mask ? QUEUE_WINDOW : ring->mask;
	uint64_t p = queue_take_again(ring, me, seen), claim = QUEUE_NONE;

	if (p != QUEUE_NONE)
		return p;
	p = atomic_load_explicit(&ring->control->head, memory_order_acquire);
	/* A swap that failed is not counted: another one's has gone through. */
	for (uint64_t looks = 0; looks <= QUEUE_WINDOW * (ring->mask + 1);) {
		uint64_t state = queue_load(ring, p);
		int64_t ahead = queue_ahead(ring, state, p);
		enum queue_phase phase = queue_phase(state);
		bool claimed = phase == QUEUE_CLAIM && ahead <= 0;

		if (phase == QUEUE_FULL && ahead <= 0) {
			if (!queue_try_take(ring, p, state, me))
				continue;
			if (claim == QUEUE_NONE)
				queue_hint(&ring->control->head, p + 1);
			return p;
		}
		if ((ahead < 0 || (ahead == 0 && (phase == QUEUE_FREE || claimed))) &&
		    queue_at_tail(ring, p + claimed))
			return QUEUE_NONE;
		if (claimed && claim == QUEUE_NONE)
			claim = p;
		if (claim == QUEUE_NONE) {
			if (!queue_pass_head(ring, p, state))
				continue;
		} else if (p - claim >= window) { /* long enough: pass it, unless it is full now */
			p = claim;
			claim = QUEUE_NONE;
			if (!queue_pass_head(ring, p, queue_load(ring, p)))
				continue;
		}
		p++;
		looks++;
	}
	return QUEUE_NONE;
}

/* Is there a message anywhere?  Looks at all slots. */
static inline bool queue_has_message(const struct queue_ring *ring)
{
	for (uint64_t i = 0; i <= ring->mask; i++) {
		enum queue_phase phase = queue_phase(queue_load(ring, i));

		if (phase == QUEUE_FULL || phase == QUEUE_AGAIN)
			return true;
	}
	return false;
}

/* @me is done with it; false if the slot is not his. */
static inline bool queue_release(const struct queue_ring *ring, uint64_t p, unsigned int me)
{
	for (;;) {
		uint64_t state = queue_load(ring, p);

		if (queue_owner(state) != me || queue_phase(state) != QUEUE_TAKE)
			return false;
		if (queue_swap(ring, p, state, queue_state(queue_lap(state) + 1, 0, 0, QUEUE_FREE)))
			return true; /* else its lap was moved on */
	}
}

/* Leave nothing of peer @who in slot @i; true if a consumer's message was dropped. */
static inline bool queue_recover_slot(const struct queue_ring *ring, uint64_t i, unsigned int who)
{
	for (;;) {
		uint64_t state = queue_load(ring, i), to;
		enum queue_phase phase = queue_phase(state);
		bool mine = phase == QUEUE_CLAIM || phase == QUEUE_PASSED || phase == QUEUE_TAKE;

		if (!mine || queue_owner(state) != who)
			return false;
		to = queue_state(queue_lap(state) + 1, 0, 0, QUEUE_FREE);
		if (phase == QUEUE_TAKE && !ring->drop)
			to = queue_state(queue_lap(state), 0, queue_deliveries(state), QUEUE_AGAIN);
		if (queue_swap(ring, i, state, to))
			return phase == QUEUE_TAKE && ring->drop;
	}
}

/*
 * queue_recover - for peer @who, which is dead (or leaves): claims are undone,
 * its messages go to others or are dropped.  How many were dropped.
 *
 * "again" is counted up whatever was found: he may have died before he did it.
 */
static inline uint64_t queue_recover(const struct queue_ring *ring, unsigned int who)
{
	uint64_t dropped = 0;

	for (uint64_t i = 0; i <= ring->mask; i++)
		dropped += queue_recover_slot(ring, i, who);
	queue_call_again(ring);
	return dropped;
}

#endif /* COSHM_QUEUE_CORE_H */
