/* SPDX-License-Identifier: Apache-2.0 */
/*
 * stream_core.h - the lock-free part of "stream": what both sides share.
 *
 *   stream_core.h        words, laps, positions, the ordering edges
 *   stream_core_write.h  the publisher's side
 *   stream_core_read.h   the subscribers' side
 *
 * None of it makes a system call or knows a handle.
 *
 * A slot begins with a word {lap, length} that is stored after its payload, so
 * a subscriber polls the very line that it is going to read.  Nobody ever
 * clears a slot: the lap tells a new message from the one of a round before.
 *
 * Ordering edges:
 *
 *   PUBLISH  W1 publisher: payload, then the slot's word, release
 *            ->  R1 subscriber: loads the word, acquire
 *            "if I see the word of p, I see the payload of p and of all before"
 *   REUSE    W2 publisher: the word of p - 1 (or PENDING in it), fence, then the
 *               payload of p, where p - slots was
 *            ->  R2 subscriber: the payload of p - slots, fence, then loads the
 *               word where p - 1 goes
 *            "if I saw a byte of p, I now see that p - 1 is there"
 *   BYTES    W3 publisher: claimed = c, fence, then bytes below c
 *            ->  R3 subscriber: bytes, fence, then loads claimed
 *            "if I saw a byte of a later message, I now see what was claimed for it"
 *   CONSUME  R4 subscriber: reads the payload of p, then position = p + 1, release
 *            ->  W4 publisher: loads the position, acquire, then writes p + slots
 *            "what I overwrite has been read"
 *   JOIN     W5 publisher: limit = l, fence, then loads all positions
 *            R5 subscriber: its position and its bit, fence, then loads limit
 *            "either the publisher sees the newcomer, or he sees the limit"
 *
 * Invariant, on which REUSE, take-over and batches rest: before the payload of
 * p is touched, the word of p - 1 carries the lap of p - 1.
 */
#ifndef COSHM_STREAM_CORE_H
#define COSHM_STREAM_CORE_H

#include <stdbool.h>

#include "layout.h"

/* Private to this process, checked once. */
struct stream_ring {
	struct stream_control_shared *control;
	struct peer_shared *peers;
	unsigned char *slots;
	unsigned char *bytes;   /* the byte ring, mapped twice back to back    */
	uint64_t mask;          /* slots - 1                                   */
	unsigned int shift;     /* slots == 1 << shift                         */
	unsigned int lap_shift; /* 64 less the bits of a lap that are compared */
	uint32_t slot_bytes;
	uint32_t payload;    /* where it begins in a slot                   */
	uint32_t small_max;  /* bytes of the largest message in a slot      */
	uint64_t ring_bytes; /* a power of two, or 0: no large messages     */
	uint64_t large_max;  /* bytes of the largest message of all         */
	bool overwrite;
};

static inline struct stream_slot_shared *stream_slot(const struct stream_ring *ring, uint64_t p)
{
	return (struct stream_slot_shared *)(ring->slots + (p & ring->mask) * ring->slot_bytes);
}

static inline unsigned char *stream_payload(const struct stream_ring *ring, uint64_t p)
{
	return (unsigned char *)stream_slot(ring, p) + ring->payload;
}

/* @code: one more than the payload's bytes, or one of STREAM_... */
static inline uint64_t stream_word(const struct stream_ring *ring, uint64_t p, uint64_t code)
{
	return (((p >> ring->shift) + 1) << STREAM_LAP_SHIFT) | code;
}

static inline unsigned int stream_code(uint64_t word)
{
	return word & 0xffffu;
}

/*
 * How many laps a word is ahead of position p: 0 here, negative not yet,
 * positive over already.  A word has 48 bits for its lap, which go round: to
 * take one message for another, a subscriber has to be stopped for 2^48 laps.
 */
static inline int64_t stream_ahead(const struct stream_ring *ring, uint64_t word, uint64_t p)
{
	uint64_t laps = (word >> STREAM_LAP_SHIFT) - ((p >> ring->shift) + 1);

	return (int64_t)(laps << ring->lap_shift) >> ring->lap_shift;
}

static inline bool stream_is_message(uint64_t word)
{
	unsigned int code = stream_code(word);

	return code != STREAM_NEVER && code != STREAM_PENDING && code != STREAM_VOID;
}

/* What the word where p goes says, and all that was published with it. */
static inline uint64_t stream_load(const struct stream_ring *ring, uint64_t p)
{
	return atomic_load_explicit(&stream_slot(ring, p)->word, memory_order_acquire); /* R1 */
}

/*
 * stream_end - the first position after @p without a message; @p is not after
 * the end.  False if the publisher went round meanwhile.
 */
static inline bool stream_end(const struct stream_ring *ring, uint64_t *p)
{
	for (uint64_t i = 0; i <= ring->mask; i++) {
		uint64_t word = stream_load(ring, *p);
		int64_t ahead = stream_ahead(ring, word, *p);

		if (ahead > 0)
			return false;
		if (ahead < 0 || !stream_is_message(word))
			return true;
		++*p;
	}
	return false;
}

#endif /* COSHM_STREAM_CORE_H */
