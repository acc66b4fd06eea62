/* SPDX-License-Identifier: Apache-2.0 */
/*
 * latest_core.h - the lock-free part of "latest": no system call, no handle.
 *
 * In memory:  head | buffer 0 | buffer 1 | buffer 2 | buffer 3
 *
 * Value n lies in buffer n % buffers, and head is the number of the newest
 * whole value.  The publisher never touches the buffer that head names, so a
 * publisher killed at any instruction leaves a value that can be read.  Number
 * 0 means "none yet"; the counter steps over it when it goes round.
 *
 * Ordering edges:
 *
 *   PUBLISH  P1 publisher: the words of n, then head = n, release
 *            ->  P2 reader: loads head, acquire
 *            "if I see n, I see the whole of value n"
 *   REUSE    U1 publisher: head = n - 1, fence, then the words of n
 *            ->  U2 reader: words, fence, then loads head
 *            "if I saw a word of value n, I now see head at n - 1 or later"
 */
#ifndef COSHM_LATEST_CORE_H
#define COSHM_LATEST_CORE_H

#include <stdbool.h>

#include "layout.h"

/* Private to this process, checked once. */
struct latest_ring {
	struct latest_shared *shared;
	uint64_t mask; /* buffers - 1 */
	size_t stride; /* bytes from one buffer to the next */
	uint32_t value_bytes;
	uint32_t payload; /* where a buffer's payload begins */
};

static inline struct latest_value_shared *latest_buffer(const struct latest_ring *ring, uint64_t n)
{
	return (struct latest_value_shared *)(ring->shared->values +
					      (n & ring->mask) * ring->stride);
}

static inline void *latest_payload(const struct latest_ring *ring, uint64_t n)
{
	return (unsigned char *)latest_buffer(ring, n) + ring->payload;
}

/* The number that the next value gets. */
static inline uint64_t latest_next(const struct latest_ring *ring)
{
	/* Relaxed: our own last number, or a dead publisher's whose place we took. */
	uint64_t n = atomic_load_explicit(&ring->shared->head, memory_order_relaxed) + 1;

	/* Not 0; this one has the same buffer. */
	return n != 0 ? n : ring->mask + 1;
}

/* Before the first word of value latest_next(). */
static inline void latest_begin(void)
{
	atomic_thread_fence(memory_order_release); /* U1 */
}

static inline void latest_commit(const struct latest_ring *ring, uint64_t n)
{
	atomic_store_explicit(&ring->shared->head, n, memory_order_release); /* P1 */
}

/* The newest value's number; its words may now be looked at. */
static inline uint64_t latest_newest(const struct latest_ring *ring)
{
	return atomic_load_explicit(&ring->shared->head, memory_order_acquire); /* P2 */
}

/*
 * Were the words of value n whole when they were looked at?  Their buffer is
 * next written for value n + buffers, which begins when head is one less.
 */
static inline bool latest_unchanged(const struct latest_ring *ring, uint64_t n)
{
	uint64_t now;

	atomic_thread_fence(memory_order_acquire); /* U2 */
	/* Relaxed: the fence makes the edge. */
	now = atomic_load_explicit(&ring->shared->head, memory_order_relaxed);
	return now - n < ring->mask;
}

#endif /* COSHM_LATEST_CORE_H */
