/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lock.h - a lock in shared memory whose owner can die at any instruction.
 *
 * Its word names the owner's token; who waits asks the kernel now and then
 * whether that token is still alive (token.h).  Of a dead owner the lock is
 * taken away, and the taker is told: what the dead one had begun is his to
 * finish or to undo.  A stopped owner keeps it, as long as he is stopped.
 *
 * Signals are blocked meanwhile, if the program has a handler: one that makes a call of ours
 * must not wait for the thread that it interrupted.  So no pointer of the program's may be
 * touched while the lock is held: a fault could not be handled.  Nor is the thread
 * cancelled there, whatever calls it makes.
 */
#ifndef COSHM_SHIM_LOCK_H
#define COSHM_SHIM_LOCK_H

#include <signal.h>
#include <stdbool.h>

#include "layout_sysv.h"

struct held {
	struct sysv_lock_shared *lock;
	int cancel;       /* the thread's state, as it was */
	bool blocked;     /* signals are, meanwhile */
	sigset_t signals; /* as they were, then     */
};

/*
 * lock_take - wait for it, however long.  Needs a token: token_mine().
 * Returns true if its last owner died with it: make good what he left, first.
 */
bool lock_take(struct sysv_lock_shared *lock, struct held *held);
void lock_give(struct held *held);
/* Has it an owner who is alive, just now? */
bool lock_busy(struct sysv_lock_shared *lock);
/* The same, by one who has blocked all signals already. */
bool lock_take_blocked(struct sysv_lock_shared *lock);
void lock_give_blocked(struct sysv_lock_shared *lock);

/* Has its owner died, and nobody taken it since? */
bool lock_is_orphan(struct sysv_lock_shared *lock);

/* Signals alone, for what only this process's other calls must not find half done. */
void signals_block(sigset_t *old);
void signals_restore(const sigset_t *old);
/* While they are blocked: has one come that would have interrupted a call? */
bool signals_came(const sigset_t *old);

/* futex(2) on the lower half of a 64-bit word, or on a 32-bit one; not PRIVATE. */
int futex_wait(void *word, uint32_t seen, int64_t ns); /* 0 or the errno; @ns at most */
int futex_wake(void *word, int count);                 /* how many slept */

#endif /* COSHM_SHIM_LOCK_H */
