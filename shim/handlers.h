/* SPDX-License-Identifier: Apache-2.0 */
/*
 * handlers.h - the program's signal handlers: can there run one at all, and has one run?
 *
 * Only a handler that makes a call of ours can come upon a lock of the thread that it
 * has interrupted.  Blocking all signals around each lock costs more than what is
 * done under most of them, so a program without a handler is spared it.
 *
 * A call that sleeps ends with EINTR if a handler runs meanwhile.  The kernel tells so
 * only of one that comes while it sleeps, and not of one that comes when the time to
 * look has just run out, or on the way there.  So they are counted.
 */
#ifndef COSHM_SHIM_HANDLERS_H
#define COSHM_SHIM_HANDLERS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

enum handlers_state {
	HANDLERS_UNKNOWN,
	HANDLERS_NONE,
	HANDLERS_SOME, /* for good */
};
extern _Atomic int handlers_state;

/* How many have run on this thread. */
extern _Thread_local volatile uint32_t handlers_ran __attribute__((tls_model("initial-exec")));

bool handlers_look(void);
/* One is about to be installed. */
void handlers_note(void);

static inline bool handlers_any(void)
{
	/* Relaxed: who is told of a handler by another thread may still be interrupted once
	 * more without being prepared for it; nothing tells the two orders apart. */
	int state = atomic_load_explicit(&handlers_state, memory_order_relaxed);

	return state == HANDLERS_UNKNOWN ? handlers_look() : state == HANDLERS_SOME;
}

#endif /* COSHM_SHIM_HANDLERS_H */
