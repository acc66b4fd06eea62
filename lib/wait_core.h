/* SPDX-License-Identifier: Apache-2.0 */
/*
 * wait_core.h - the lock-free part of sleeping and waking: no system call, no
 * handle.  wait.h says how, and names the edge SLEEP.
 */
#ifndef COSHM_WAIT_CORE_H
#define COSHM_WAIT_CORE_H

#include <stdbool.h>

#include "layout.h"

/* A mask of sleepers; bit 0 is peer @first. */
struct bell {
	_Atomic uint64_t *mask;
	unsigned int first;
};

/* L1: our bit is up.  Before we look, membarrier(2) or bell_fence() is to follow. */
static inline void bell_lie_down(struct bell bell, uint64_t bit)
{
	atomic_fetch_or_explicit(bell.mask, bit, memory_order_seq_cst);
}

/* L1, where wakers cannot be made to fence: tell them to, and fence ourselves. */
static inline void bell_fence(_Atomic uint32_t *must_fence)
{
	/* Relaxed: a waker that sees it late costs us one slice. */
	if (!atomic_load_explicit(must_fence, memory_order_relaxed))
		atomic_store_explicit(must_fence, 1, memory_order_relaxed);
	atomic_thread_fence(memory_order_seq_cst);
}

/* L2, after progress was stored: does somebody sleep?  @fence: fence in any case. */
static inline bool bell_has_sleepers(struct bell bell, bool fence,
				     const _Atomic uint32_t *must_fence)
{
	/* Relaxed, both: the barrier between them makes the edge. */
	if (__builtin_expect(fence || atomic_load_explicit(must_fence, memory_order_relaxed), 0))
		atomic_thread_fence(memory_order_seq_cst);
	else
		atomic_signal_fence(memory_order_seq_cst); /* the sleeper makes the real one */
	return __builtin_expect(atomic_load_explicit(bell.mask, memory_order_relaxed) != 0, 0);
}

static inline uint64_t bell_take_sleepers(struct bell bell)
{
	/* Acquire: not needed for the edge; the bits are taken once and by one waker. */
	return atomic_exchange_explicit(bell.mask, 0, memory_order_acquire);
}

#endif /* COSHM_WAIT_CORE_H */
