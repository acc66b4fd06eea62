/* SPDX-License-Identifier: Apache-2.0 */
/*
 * notify_core.h - the lock-free part of a descriptor for poll(2): no system
 * call, no handle.  notify.c names the edge ORDER.
 */
#ifndef COSHM_NOTIFY_CORE_H
#define COSHM_NOTIFY_CORE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

enum notify_orders {
	NOTIFY_REST = 0,
	NOTIFY_WATCH = 1,
	NOTIFY_STOP = 2,
};

struct notify_board {
	_Atomic uint32_t orders;           /* futex word: enum notify_orders                 */
	_Alignas(8) _Atomic uint64_t from; /* what the channel's ready looks at: a position  */
};

static inline void notify_set_from(struct notify_board *b, uint64_t from)
{
	/* Relaxed: ordered by N1. */
	atomic_store_explicit(&b->from, from, memory_order_relaxed);
}

static inline uint64_t notify_get_from(const struct notify_board *b)
{
	/* Relaxed: ordered by N2. */
	return atomic_load_explicit(&b->from, memory_order_relaxed);
}

static inline void notify_set_orders(struct notify_board *b, enum notify_orders what)
{
	atomic_store_explicit(&b->orders, what, memory_order_release); /* N1 */
}

static inline uint32_t notify_get_orders(const struct notify_board *b)
{
	return atomic_load_explicit(&b->orders, memory_order_acquire); /* N2 */
}

/* The watch is over; false if there is to be none any more. */
static inline bool notify_rest(struct notify_board *b)
{
	uint32_t watching = NOTIFY_WATCH;

	/* Relaxed if it failed: it says stop, and that is all. */
	return atomic_compare_exchange_strong_explicit(&b->orders, &watching, NOTIFY_REST,
						       memory_order_acq_rel, memory_order_relaxed);
}

#endif /* COSHM_NOTIFY_CORE_H */
