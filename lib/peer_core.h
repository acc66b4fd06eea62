/* SPDX-License-Identifier: Apache-2.0 */
/*
 * peer_core.h - the lock-free part of taking and leaving a place: no system
 * call, no handle.  peer.c names the edge SEAT.
 */
#ifndef COSHM_PEER_CORE_H
#define COSHM_PEER_CORE_H

#include "layout.h"

static inline uint32_t peer_role(const struct peer_shared *p)
{
	return atomic_load_explicit(&p->role, memory_order_acquire); /* S2 */
}

/* Identity and the rest are there. */
static inline void peer_show(struct peer_shared *p, uint32_t role)
{
	/* Relaxed: ordered by S1. */
	atomic_fetch_add_explicit(&p->epoch, 1, memory_order_relaxed);
	atomic_store_explicit(&p->role, role, memory_order_release); /* S1 */
}

/* Who sees the place free sees that the channel was left, or recovered. */
static inline void peer_clear(struct peer_shared *p)
{
	atomic_store_explicit(&p->role, 0, memory_order_release); /* S1 */
}

#endif /* COSHM_PEER_CORE_H */
