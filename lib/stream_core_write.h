/* SPDX-License-Identifier: Apache-2.0 */
/*
 * stream_core_write.h - the lock-free part of "stream": the publisher's side.
 *
 * A publication is one or more loans and then one store, that of the first
 * loan's word.  The words of later loans are stored when they are loaned: no
 * subscriber gets past the first before it is there.  Killed before that store
 * nothing was published, and stream_resume() takes the later words back.
 */
#ifndef COSHM_STREAM_CORE_WRITE_H
#define COSHM_STREAM_CORE_WRITE_H

#include "stream_core.h"

#define STREAM_BYTE_STEP 64u /* large messages begin on a cache line */
#define STREAM_NOTE_MOST 256u

/* The publisher's own account; nobody else sees it. */
struct stream_writer {
	uint64_t next;      /* the first position that is not published            */
	uint64_t end;       /* behind the last loan                                */
	uint64_t limit;     /* positions below may be written                      */
	uint64_t inherited; /* the limit that the last publisher has told          */
	uint64_t noted;     /* what control->published says                        */
	uint64_t tallied;   /* messages below are in the region's counters         */
	uint64_t note_every;
	uint64_t first_word; /* of the loan at next, while there is one             */
	uint64_t byte_next;  /* bytes used before next                              */
	uint64_t byte_end;   /* bytes used before end                               */
	uint64_t byte_limit; /* bytes below may be written                          */
	uint64_t scanned;    /* lossless: no unread large message lies before it    */
};

static inline void stream_note(const struct stream_ring *ring, struct stream_writer *w)
{
	/* Release: who starts from here sees all the messages before. */
	atomic_store_explicit(&ring->control->published, w->next, memory_order_release);
	w->noted = w->next;
}

/* The position of the slowest subscriber; @next if there is none. */
static inline uint64_t stream_slowest(const struct stream_ring *ring, uint64_t next)
{
	uint64_t bits, behind = 0;

	bits = atomic_load_explicit(&ring->control->subscribers, memory_order_acquire);
	for (; bits != 0; bits &= bits - 1) {
		struct peer_shared *peer = &ring->peers[__builtin_ctzll(bits)];
		uint64_t p = atomic_load_explicit(&peer->position, memory_order_acquire); /* W4 */

		/* One who claims to be ahead of us is not waited for. */
		if ((int64_t)(next - p) > (int64_t)behind)
			behind = next - p;
	}
	return next - behind;
}

/*
 * Newcomers begin a lap before the limit that is told.  It is never less than a
 * dead publisher's: under that he may have destroyed what lies before.
 */
static inline void stream_tell_limit(const struct stream_ring *ring, const struct stream_writer *w,
				     uint64_t limit)
{
	if ((int64_t)(limit - w->inherited) < 0)
		limit = w->inherited;
	/* Relaxed: the fence makes the edge. */
	atomic_store_explicit(&ring->control->limit, limit, memory_order_relaxed);
}

/*
 * Look how far we may write: up to @most, and less than a lap past the slowest.
 * A newcomer that asks for the oldest has to begin a lap before the limit, so
 * more than is needed should not be asked for.  What was granted once is never
 * taken back.
 */
static inline bool stream_look_for_room(const struct stream_ring *ring, struct stream_writer *w,
					uint64_t most)
{
	uint64_t slots = ring->mask + 1, limit;

	if (ring->overwrite) {
		w->limit = w->end + (UINT64_C(1) << 62);
		return true;
	}
	limit = stream_slowest(ring, w->next) + slots;
	if ((int64_t)(limit - most) > 0)
		limit = most;
	if ((int64_t)(limit - w->limit) <= 0)
		return w->end != w->limit;
	stream_tell_limit(ring, w, limit);
	atomic_thread_fence(memory_order_seq_cst); /* W5 */
	if ((int64_t)(stream_slowest(ring, w->next) + slots - limit) >= 0)
		w->limit = limit;
	else /* a newcomer further back, who perhaps did not see it: wait for him */
		stream_tell_limit(ring, w, w->limit);
	return w->end != w->limit;
}

/* A quarter of a lap at a time. */
static inline bool stream_look_for_slots(const struct stream_ring *ring, struct stream_writer *w)
{
	return stream_look_for_room(ring, w, w->end + (ring->mask + 4) / 4);
}

/* Lossless: bytes are in use from the oldest large message that anybody may still read. */
static inline uint64_t stream_bytes_in_use_from(const struct stream_ring *ring,
						struct stream_writer *w)
{
	uint64_t oldest = w->limit - (ring->mask + 1);

	if ((int64_t)(oldest - w->scanned) > 0)
		w->scanned = oldest;
	for (; w->scanned != w->next; w->scanned++) {
		struct stream_large_shared *large = (void *)stream_payload(ring, w->scanned);

		/* Relaxed, both: we wrote them, or a publisher whose lock we took. */
		if (stream_code(atomic_load_explicit(&stream_slot(ring, w->scanned)->word,
						     memory_order_relaxed)) == STREAM_LARGE)
			return atomic_load_explicit(&large->start, memory_order_relaxed);
	}
	return w->byte_next;
}

static inline bool stream_byte_room(const struct stream_ring *ring, struct stream_writer *w,
				    uint64_t need)
{
	uint64_t chunk = ring->ring_bytes / 8, end = w->byte_end + need;

	if ((int64_t)(w->byte_limit - end) >= 0)
		return true;
	if (!ring->overwrite) {
		w->byte_limit = stream_bytes_in_use_from(ring, w) + ring->ring_bytes;
		if ((int64_t)(w->byte_limit - end) < 0) {
			stream_look_for_room(ring, w, w->next + ring->mask + 1);
			w->byte_limit = stream_bytes_in_use_from(ring, w) + ring->ring_bytes;
		}
		return (int64_t)(w->byte_limit - end) >= 0;
	}
	/* In large steps: each one takes this line from those who read large messages. */
	w->byte_limit = (end + chunk - 1) & ~(chunk - 1);
	/* Relaxed: the fence makes the edge. */
	atomic_store_explicit(&ring->control->claimed, w->byte_limit, memory_order_relaxed);
	atomic_thread_fence(memory_order_release); /* W3 */
	return true;
}

/* The second loan of a publication, and those after it. */
static inline void stream_store_later_word(const struct stream_ring *ring, struct stream_writer *w,
					   uint64_t word)
{
	if (w->end == w->next + 1) {
		/* A take-over finds the end from what is noted: not more than a lap away. */
		if (w->noted != w->next)
			stream_note(ring, w);
		/* Relaxed: ordered by W2, for those who read what lies here now. */
		if (ring->overwrite)
			atomic_store_explicit(&stream_slot(ring, w->next)->word,
					      stream_word(ring, w->next, STREAM_PENDING),
					      memory_order_relaxed);
	}
	atomic_thread_fence(memory_order_release); /* W2 */
	/* Release: a subscriber that was lapped may meet this word before the first. */
	atomic_store_explicit(&stream_slot(ring, w->end)->word, word, memory_order_release);
}

static inline uint64_t stream_bytes_of(uint64_t bytes)
{
	return (bytes + STREAM_BYTE_STEP - 1) & ~(uint64_t)(STREAM_BYTE_STEP - 1);
}

static inline bool stream_may_loan(const struct stream_ring *ring, const struct stream_writer *w,
				   uint64_t bytes)
{
	return w->end - w->next < ring->mask &&
	       (bytes <= ring->small_max ||
		w->byte_end - w->byte_next + stream_bytes_of(bytes) <= ring->ring_bytes / 2);
}

/* The message at end is going to have this word: W2, before its payload is touched. */
static inline void stream_begin_loan(const struct stream_ring *ring, struct stream_writer *w,
				     uint64_t word)
{
	if (w->end != w->next)
		stream_store_later_word(ring, w, word);
	else
		w->first_word = word;
	atomic_thread_fence(memory_order_release); /* W2 */
}

static inline void *stream_loan_large(const struct stream_ring *ring, struct stream_writer *w,
				      uint64_t bytes)
{
	struct stream_large_shared *large = (void *)stream_payload(ring, w->end);
	uint64_t start = w->byte_end;

	if (!stream_byte_room(ring, w, stream_bytes_of(bytes)))
		return NULL;
	stream_begin_loan(ring, w, stream_word(ring, w->end, STREAM_LARGE));
	/* Relaxed, both: ordered by W1. */
	atomic_store_explicit(&large->start, start, memory_order_relaxed);
	atomic_store_explicit(&large->bytes, bytes, memory_order_relaxed);
	w->byte_end += stream_bytes_of(bytes);
	w->end++;
	return ring->bytes + (start & (ring->ring_bytes - 1));
}

/*
 * stream_loan - room for a message of @bytes behind what is loaned already.
 * @bytes: up to large_max, and stream_may_loan() has agreed
 *
 * NULL if there is none now.
 */
static inline void *stream_loan(const struct stream_ring *ring, struct stream_writer *w,
				uint64_t bytes)
{
	void *payload;

	if (__builtin_expect(w->end == w->limit, 0) && !stream_look_for_slots(ring, w))
		return NULL;
	if (__builtin_expect(bytes > ring->small_max, 0))
		return stream_loan_large(ring, w, bytes);
	stream_begin_loan(ring, w, stream_word(ring, w->end, bytes + 1));
	payload = stream_payload(ring, w->end);
	w->end++;
	return payload;
}

/* Everything that is loaned, at once. */
static inline void stream_publish(const struct stream_ring *ring, struct stream_writer *w)
{
	atomic_store_explicit(&stream_slot(ring, w->next)->word, w->first_word,
			      memory_order_release); /* W1 */
	w->next = w->end;
	if (w->byte_next != w->byte_end) /* each store of the fast path costs */
		w->byte_next = w->byte_end;
	if (w->next - w->noted >= w->note_every)
		stream_note(ring, w);
}

/* Words of loans that nobody publishes: their payload destroyed what was there a lap before. */
static inline void stream_take_back(const struct stream_ring *ring, uint64_t from, uint64_t to)
{
	for (uint64_t p = from; p != to; p++) {
		_Atomic uint64_t *word = &stream_slot(ring, p)->word;

		/* Relaxed: ours, or a dead publisher's.  Release: after what is before p. */
		if (stream_ahead(ring, atomic_load_explicit(word, memory_order_relaxed), p) == 0)
			atomic_store_explicit(word,
					      stream_word(ring, p - ring->mask - 1, STREAM_VOID),
					      memory_order_release);
	}
}

static inline void stream_discard(const struct stream_ring *ring, struct stream_writer *w)
{
	if (w->end != w->next)
		stream_take_back(ring, w->next + 1, w->end);
	w->end = w->next;
	w->byte_end = w->byte_next;
}

/* Where the byte ring is used up to: behind the newest large message that is published. */
static inline uint64_t stream_find_bytes(const struct stream_ring *ring, uint64_t next)
{
	for (uint64_t i = 1; i <= ring->mask + 1; i++) {
		struct stream_large_shared *large = (void *)stream_payload(ring, next - i);
		uint64_t word = stream_load(ring, next - i);

		/* Relaxed, both: ordered by R1. */
		if (stream_ahead(ring, word, next - i) == 0 && stream_code(word) == STREAM_LARGE)
			return atomic_load_explicit(&large->start, memory_order_relaxed) +
			       stream_bytes_of(
				       atomic_load_explicit(&large->bytes, memory_order_relaxed));
	}
	/* Relaxed: as it was when nobody claimed more. */
	return atomic_load_explicit(&ring->control->claimed, memory_order_relaxed);
}

/*
 * stream_resume - go on where the last publisher stopped, wherever that was.
 *
 * The end is found in the slots: noted is before it and less than a lap away.
 * Done again from the beginning by the next one, should we be killed at it.
 */
static inline void stream_resume(const struct stream_ring *ring, struct stream_writer *w)
{
	uint64_t slots = ring->mask + 1, limit;
	uint64_t next = atomic_load_explicit(&ring->control->published, memory_order_acquire);

	(void)stream_end(ring, &next);
	stream_take_back(ring, next + 1, next + slots);
	*w = (struct stream_writer){ .next = next,
				     .end = next,
				     .limit = next,
				     .inherited = next,
				     .tallied = next,
				     .scanned = next - slots };
	/* Relaxed: ours, or a dead publisher's. */
	limit = atomic_load_explicit(&ring->control->limit, memory_order_relaxed);
	if (limit - next <= slots) /* else it makes no sense */
		w->inherited = limit;
	w->note_every = slots / 2 < STREAM_NOTE_MOST ? slots / 2 : STREAM_NOTE_MOST;
	if (ring->ring_bytes != 0) {
		w->byte_next = stream_find_bytes(ring, next) & ~(uint64_t)(STREAM_BYTE_STEP - 1);
		w->byte_end = w->byte_next;
		/* No room before we have looked for it; overwrite has claimed up to here. */
		w->byte_limit = ring->overwrite ? atomic_load_explicit(&ring->control->claimed,
								       memory_order_relaxed) :
						  w->byte_next;
	}
	stream_note(ring, w);
}

#endif /* COSHM_STREAM_CORE_WRITE_H */
