/* SPDX-License-Identifier: Apache-2.0 */
/*
 * stream_core_read.h - the lock-free part of "stream": a subscriber's side.
 */
#ifndef COSHM_STREAM_CORE_READ_H
#define COSHM_STREAM_CORE_READ_H

#include "stream_core.h"

/* A limit that a peer gone wrong keeps moving on shall not hold us for ever. */
#define STREAM_JOIN_TRIES 64

/* A subscriber's own account. */
struct stream_reader {
	uint64_t next; /* the first position that was not received or released */
	uint64_t lost; /* messages overwritten and not yet told of             */
};

enum stream_look {
	STREAM_EMPTY, /* nothing there yet                          */
	STREAM_HERE,
	STREAM_LAPPED, /* it was there and is destroyed, or never was */
	STREAM_BROKEN, /* what is there no publisher of ours writes  */
};

struct stream_found {
	const unsigned char *data;
	uint64_t bytes;
	uint64_t start; /* of a large one */
	bool large;
};

/*
 * stream_look - is there a message at @p, and where?
 *
 * Word and length are each loaded once and bounded before they are used.
 */
static inline enum stream_look stream_look(const struct stream_ring *ring, uint64_t p,
					   struct stream_found *found)
{
	const unsigned char *payload = stream_payload(ring, p);
	const struct stream_large_shared *large = (const void *)payload;
	uint64_t expected = stream_word(ring, p, 0), word = stream_load(ring, p), start, bytes;
	unsigned int code = stream_code(word);
	int64_t ahead;

	if (__builtin_expect(word - expected - 1 <= ring->small_max, 1)) { /* of its lap, too */
		*found = (struct stream_found){ .data = payload, .bytes = code - 1 };
		return STREAM_HERE;
	}
	ahead = stream_ahead(ring, word, p);
	if (ahead < 0)
		return STREAM_EMPTY;
	if (ahead > 0)
		return STREAM_LAPPED;
	if (code == STREAM_PENDING)
		return STREAM_EMPTY;
	if (code == STREAM_VOID || code == STREAM_NEVER)
		return STREAM_LAPPED;
	if (code != STREAM_LARGE || ring->ring_bytes == 0)
		return STREAM_BROKEN;
	/* Relaxed, both: ordered by R1. */
	start = atomic_load_explicit(&large->start, memory_order_relaxed);
	bytes = atomic_load_explicit(&large->bytes, memory_order_relaxed);
	if (bytes > ring->large_max)
		return STREAM_BROKEN; /* or just being overwritten: stream_intact() knows */
	*found = (struct stream_found){ .data = ring->bytes + (start & (ring->ring_bytes - 1)),
					.bytes = bytes,
					.start = start,
					.large = true };
	return STREAM_HERE;
}

/*
 * Overwrite: was the message at @p whole until now?  Its slot is next written for
 * p + slots, and before that the word where p - 1 goes changes.  It becomes VOID
 * when loans are taken back; if those reached as far as ours, our own word, which
 * a later loan stores before its payload, is no message any more.
 */
static inline bool stream_intact(const struct stream_ring *ring, uint64_t p)
{
	uint64_t before, own;
	int64_t ahead;

	atomic_thread_fence(memory_order_acquire); /* R2 */
	/* Relaxed, both: the fence makes the edge. */
	before = atomic_load_explicit(&stream_slot(ring, p - 1)->word, memory_order_relaxed);
	ahead = stream_ahead(ring, before, p - 1);
	if (ahead != 0 || stream_code(before) != STREAM_VOID)
		return ahead <= 0;
	own = atomic_load_explicit(&stream_slot(ring, p)->word, memory_order_relaxed);
	return stream_ahead(ring, own, p) == 0 && stream_is_message(own);
}

/* The same for the bytes of a large one. */
static inline bool stream_bytes_intact(const struct stream_ring *ring, uint64_t start)
{
	atomic_thread_fence(memory_order_acquire); /* R3 */
	/* Relaxed: the fence makes the edge. */
	return atomic_load_explicit(&ring->control->claimed, memory_order_relaxed) - start <=
	       ring->ring_bytes;
}

static inline bool stream_found_intact(const struct stream_ring *ring, uint64_t p,
				       const struct stream_found *found)
{
	return stream_intact(ring, p) && (!found->large || stream_bytes_intact(ring, found->start));
}

/* All before it is published: the end, or a position before it if that cannot be found now. */
static inline uint64_t stream_known_end(const struct stream_ring *ring)
{
	uint64_t noted = atomic_load_explicit(&ring->control->published, memory_order_acquire);
	uint64_t end = noted;

	return stream_end(ring, &end) ? end : noted;
}

/*
 * stream_skip - the message at r->next is destroyed: go on with the oldest that
 * may be whole, and @margin messages more.  What is left out is counted.
 *
 * Never past the end: the second message of a batch and those behind it have
 * their words before they are published, and only who comes to them over the
 * first one knows that they are.
 */
static inline void stream_skip(const struct stream_ring *ring, struct stream_reader *r,
			       uint64_t margin)
{
	int64_t own = stream_ahead(ring, stream_load(ring, r->next), r->next);
	int64_t before = stream_ahead(ring, stream_load(ring, r->next - 1), r->next - 1);
	uint64_t to = r->next + 1; /* at least: VOID, or large and its bytes reused */
	uint64_t end = stream_known_end(ring);

	/* Position x is there, so x + 1 may be being written, where x + 1 - slots was. */
	if (own > 0)
		to = r->next + ((uint64_t)own << ring->shift) + 2 - (ring->mask + 1) + margin;
	else if (before > 0)
		to = r->next + ((uint64_t)before << ring->shift) + 1 - (ring->mask + 1) + margin;
	if ((int64_t)(to - end) > 0)
		to = end;
	if ((int64_t)(to - r->next) <= 0)
		to = r->next + 1; /* published: a batch is shorter than a lap */
	r->lost += to - r->next;
	r->next = to;
}

/* What is before @r->next has been read. */
static inline void stream_tell_position(const struct stream_reader *r, struct peer_shared *self)
{
	atomic_store_explicit(&self->position, r->next, memory_order_release); /* R4 */
}

/*
 * stream_join - be waited for from @r->next on, or from later if the publisher
 * may already write that far.
 */
static inline void stream_join(const struct stream_ring *ring, struct stream_reader *r,
			       struct peer_shared *self, unsigned int slot)
{
	uint64_t oldest;

	/* Two rounds with any publisher of ours, which waits for us from then on. */
	for (int i = 0; i < STREAM_JOIN_TRIES; i++) {
		stream_tell_position(r, self);
		atomic_fetch_or_explicit(&ring->control->subscribers, UINT64_C(1) << slot,
					 memory_order_release);
		atomic_thread_fence(memory_order_seq_cst); /* R5 */
		/* Relaxed: the fence makes the edge. */
		oldest = atomic_load_explicit(&ring->control->limit, memory_order_relaxed) -
			 (ring->mask + 1);
		if ((int64_t)(oldest - r->next) <= 0)
			return;
		r->next = oldest;
	}
}

/* The same where nobody waits: only be seen, once @self's position is that of a reader. */
static inline void stream_appear(const struct stream_ring *ring, unsigned int slot)
{
	/* Release: who sees us publishes behind where we begin. */
	atomic_fetch_or_explicit(&ring->control->subscribers, UINT64_C(1) << slot,
				 memory_order_release);
}

static inline void stream_part(const struct stream_ring *ring, unsigned int slot)
{
	/* Release: what we read, we have read. */
	atomic_fetch_and_explicit(&ring->control->subscribers, ~(UINT64_C(1) << slot),
				  memory_order_release);
}

/* The first position of a newcomer: the end, or the oldest message there may be. */
static inline uint64_t stream_start(const struct stream_ring *ring, bool oldest)
{
	uint64_t end, noted;

	/* Tried again while the publisher goes round; then near the end is good enough. */
	for (int i = 0; i < 100; i++) {
		end = noted = atomic_load_explicit(&ring->control->published, memory_order_acquire);
		if (stream_end(ring, &end))
			break;
		end = noted;
	}
	return oldest ? end - ring->mask : end;
}

/* Of a newcomer that asked for the oldest: leave out what was never there, or no more is. */
static inline void stream_skip_to_first(const struct stream_ring *ring, struct stream_reader *r)
{
	struct stream_found found;

	for (uint64_t i = 0; i <= ring->mask; i++) {
		if (stream_look(ring, r->next, &found) != STREAM_LAPPED)
			return;
		r->next++;
	}
}

#endif /* COSHM_STREAM_CORE_READ_H */
