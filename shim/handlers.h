/* SPDX-License-Identifier: Apache-2.0 */
/*
 * handlers.h - can a signal handler of the program's run at all?
 *
 * Only a handler that makes a call of ours can come upon a lock of the thread that it
 * has interrupted.  Blocking all signals around each lock costs more than what is
 * done under most of them, so a program without a handler is spared it.
 */
#ifndef COSHM_SHIM_HANDLERS_H
#define COSHM_SHIM_HANDLERS_H

#include <stdatomic.h>
#include <stdbool.h>

enum handlers_state {
	HANDLERS_UNKNOWN,
	HANDLERS_NONE,
	HANDLERS_SOME, /* for good */
};
extern _Atomic int handlers_state;

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
