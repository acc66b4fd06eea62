/* SPDX-License-Identifier: Apache-2.0 */
/*
 * msg_place.h - what the two sides of a place have in common.
 */
#ifndef COSHM_SHIM_MSG_PLACE_H
#define COSHM_SHIM_MSG_PLACE_H

#include "msg.h"

static inline uint32_t msg_state_of(const struct msg_place_shared *p)
{
	return atomic_load_explicit(&p->state, memory_order_acquire); /* P2, P4 */
}

static inline bool msg_state_change(struct msg_place_shared *p, uint32_t from, uint32_t to)
{
	return atomic_compare_exchange_strong_explicit(&p->state, &from, to, memory_order_acq_rel,
						       memory_order_relaxed /* it is read again */);
}

/* Lowest bits of the time of day: for differences only. */
uint32_t msg_now_ms(void);
/* Under the lock, the last step of taking a place. */
void msg_place_use(struct msg_queue *q, uint32_t place);
/* Is the process there that sleeps? */
bool msg_place_alive(const struct msg_place_shared *p);

#endif /* COSHM_SHIM_MSG_PLACE_H */
