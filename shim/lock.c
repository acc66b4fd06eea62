/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lock.c - a lock in shared memory whose owner can die at any instruction.
 *
 * The word goes from 0 to the owner's by one compare-and-swap, and back by one
 * exchange, as in Drepper's "Futexes Are Tricky" (mutex 3); a waiter that finds
 * the owner dead swaps its own word in.
 *
 * Ordering edge:
 *
 *   LOCK  K1 owner: what it changed, then the word 0, release
 *         ->  K2 the next: the word, acquire
 *   What a dead owner stored is seen by him who learnt of its death: the kernel
 *   drops the lock of the token after the process's last store.
 */
#include <errno.h>
#include <linux/futex.h>
#include <pthread.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "handlers.h"
#include "lock.h"
#include "token.h"
#include "wait.h" /* cpu_relax() */

/* Looks before sleeping: whoever has the lock is done in less, if it runs. */
#define LOOKS    200
#define SLICE_NS INT64_C(5000000)

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__,
	       "the futex word is the lower half: it comes first");

int futex_wait(void *word, uint32_t seen, int64_t ns)
{
	struct timespec ts = { .tv_sec = (time_t)(ns / 1000000000),
			       .tv_nsec = (long)(ns % 1000000000) };
	int saved = errno, err = 0;

	if (syscall(SYS_futex, word, FUTEX_WAIT, seen, &ts, NULL, 0) < 0)
		err = errno;
	errno = saved;
	return err;
}

int futex_wake(void *word, int count)
{
	int saved = errno;
	long woken = syscall(SYS_futex, word, FUTEX_WAKE, count, NULL, NULL, 0);

	errno = saved;
	return (int)woken;
}

void signals_block(sigset_t *old)
{
	sigset_t all;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, old);
}

void signals_restore(const sigset_t *old)
{
	pthread_sigmask(SIG_SETMASK, old, NULL);
}

static bool interrupts(int signal)
{
	struct sigaction action;

	if (sigaction(signal, NULL, &action) < 0 || action.sa_handler == SIG_IGN)
		return false;
	return action.sa_handler != SIG_DFL ||
	       (signal != SIGCHLD && signal != SIGCONT && signal != SIGURG && signal != SIGWINCH);
}

bool signals_came(const sigset_t *old)
{
	sigset_t pending;

	if (sigpending(&pending) < 0 || sigisemptyset(&pending))
		return false;
	for (int i = 1; i < NSIG; i++)
		if (sigismember(&pending, i) == 1 && sigismember(old, i) == 0 && interrupts(i))
			return true;
	return false;
}

static void *low_half(struct sysv_lock_shared *lock)
{
	return (void *)&lock->word;
}

static bool dead(uint64_t word)
{
	return !token_alive(SYSV_LOCK_TOKEN(word), SYSV_LOCK_EPOCH(word));
}

bool lock_is_orphan(struct sysv_lock_shared *lock)
{
	/* Relaxed: whoever acts on it takes the lock. */
	uint64_t word = atomic_load_explicit(&lock->word, memory_order_relaxed);

	return word != 0 && dead(word);
}

bool lock_busy(struct sysv_lock_shared *lock)
{
	/* Relaxed: it may be another one's when it is told. */
	uint64_t word = atomic_load_explicit(&lock->word, memory_order_relaxed);

	return word != 0 && !dead(word);
}

/* Somebody has it; 0, or its word once we have said that we sleep. */
static uint64_t announce(struct sysv_lock_shared *lock)
{
	/* Relaxed, both: nothing is read on their strength. */
	uint64_t word = atomic_load_explicit(&lock->word, memory_order_relaxed);

	while (word != 0 && !(word & SYSV_LOCK_SLEEPERS))
		if (atomic_compare_exchange_weak_explicit(
			    &lock->word, &word, word | SYSV_LOCK_SLEEPERS, memory_order_relaxed,
			    memory_order_relaxed))
			return word | SYSV_LOCK_SLEEPERS;
	return word;
}

static bool try_lock(struct sysv_lock_shared *lock, uint64_t from, uint64_t to)
{
	return atomic_compare_exchange_strong_explicit(&lock->word, &from, to,
						       memory_order_acquire, /* K2 */
						       memory_order_relaxed /* nothing was read */);
}

/* True if it was taken from a dead one. */
static bool lock_wait(struct sysv_lock_shared *lock, uint64_t mine)
{
	uint64_t word;

	for (int i = 0; i < LOOKS; i++) {
		cpu_relax();
		/* Relaxed: the swap reads it again. */
		if (atomic_load_explicit(&lock->word, memory_order_relaxed) == 0 &&
		    try_lock(lock, 0, mine))
			return false;
	}
	/* Who has slept does not know who sleeps beside him: he says that somebody does. */
	mine |= SYSV_LOCK_SLEEPERS;
	for (;;) {
		word = announce(lock);
		if (word == 0) {
			if (try_lock(lock, 0, mine))
				return false;
			continue;
		}
		if (dead(word) && try_lock(lock, word, mine))
			return true;
		futex_wait(low_half(lock), (uint32_t)word, SLICE_NS);
	}
}

bool lock_take_blocked(struct sysv_lock_shared *lock)
{
	const struct token *token = token_mine();
	uint64_t mine = SYSV_LOCK_WORD(token->index, token->epoch);

	return !try_lock(lock, 0, mine) && lock_wait(lock, mine);
}

void lock_give_blocked(struct sysv_lock_shared *lock)
{
	uint64_t word = atomic_exchange_explicit(&lock->word, 0, memory_order_release); /* K1 */

	if (word & SYSV_LOCK_SLEEPERS)
		futex_wake(low_half(lock), 1);
}

bool lock_take(struct sysv_lock_shared *lock, struct held *held)
{
	held->lock = lock;
	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &held->cancel);
	held->blocked = handlers_any();
	if (held->blocked)
		signals_block(&held->signals);
	return lock_take_blocked(lock);
}

void lock_give(struct held *held)
{
	lock_give_blocked(held->lock);
	if (held->blocked)
		signals_restore(&held->signals);
	pthread_setcancelstate(held->cancel, NULL);
}
