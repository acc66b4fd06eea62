/* SPDX-License-Identifier: Apache-2.0 */
/*
 * wait.h - sleeping without losing a wake-up, waking without paying for it.
 *
 * A sleeper sets its bit in a mask, looks once more, and sleeps on the futex
 * word in its own peer slot; nobody else can steal a wake-up from there.  Who
 * made progress loads the mask: zero, and there is nothing to do.  Otherwise
 * it takes the whole mask and wakes each peer in it, once; a sleeper that is
 * dead or paused therefore costs one system call and not one per message.
 *
 * Ordering edge:
 *
 *   SLEEP  L1 sleeper: bit, then barrier, then looks
 *          L2 waker:   stores, then barrier, then loads the mask
 *          "either the sleeper sees what was stored, or the waker sees the bit"
 *
 * The waker's barrier would be the dearest instruction of a publication, so
 * the sleeper makes it in the waker's stead: membarrier(2) has every CPU that
 * runs a registered program execute one.  Where a sandbox refuses that call,
 * must_fence tells all wakers to make their own.  A waker that dies, or did
 * not see must_fence yet, leaves a sleeper to its next look: WAIT_SLICE_NS.
 *
 * Even that is left for later: whoever is woken within FIRST_NAP_NS (wait.c)
 * has saved it, and a waker that he escaped has cost him that nap.
 */
#ifndef COSHM_WAIT_H
#define COSHM_WAIT_H

#include "region.h"
#include "wait_core.h"

#define WAIT_SLICE_NS INT64_C(100000000)
/* Between two looks after the dead, of those for whom somebody else's death is room or a message.
 */
#define WAIT_LOOK_NS INT64_C(20000000)

struct waiter {
	struct region *region;
	struct bell bell;
	bool (*ready)(void *arg); /* is it there? cheap, called often, also after it said yes */
	int (*check)(void *arg);  /* now and then; negative ends the wait; may be NULL */
	void *arg;
	int64_t slice_ns; /* between two checks, also of other calls; 0: WAIT_SLICE_NS */
};

/* Once a process, before its first publication or wait. */
void wait_register(struct region *r);

/* 0 when ready, -ETIMEDOUT, -EINTR, -ESTALE if the region was retired, or check's. */
int wait_until(const struct waiter *w, int64_t timeout_ns);

/* To ask the kernel who is dead takes a microsecond each: is it our turn to, again? */
bool wait_check_is_due(struct region *r, int64_t now_ns, int64_t slice_ns);

/* CLOCK_MONOTONIC: of this process alone, never compared with another's. */
int64_t wait_now_ns(void);

void bell_ring_all(struct region *r, struct bell bell);
/* Wake one peer, or every one, whatever it waits for. */
void bell_wake(struct region_shared *shared, unsigned int slot);
void bell_ring_everybody(struct region_shared *shared);

/* L2: call it after progress was stored. */
static inline void bell_ring(struct region *r, struct bell bell)
{
	if (bell_has_sleepers(bell, r->fence, &r->shared->state.must_fence))
		bell_ring_all(r, bell);
}

static inline bool region_retired(const struct region *r)
{
	/* Relaxed: once set it stays, and nothing is read on its strength. */
	return __builtin_expect(
		atomic_load_explicit(&r->shared->state.retired, memory_order_relaxed) != 0, 0);
}

static inline void cpu_relax(void);

/* Of one who may spin, before he asks for the time: together, about a microsecond. */
#define WAIT_FIRST_PAUSES 64

/*
 * The first looks of a wait, inlined: a message that is on its way is met here.
 * @rarest: pauses between two looks, doubled from 1 up to this: each look takes
 *          its cache lines from whoever is about to write there
 */
static inline __attribute__((always_inline)) bool wait_briefly(const struct region *r,
							       int64_t timeout_ns,
							       unsigned int rarest,
							       bool (*ready)(void *arg), void *arg)
{
	unsigned int pauses = 1;

	if (timeout_ns == 0 || r->wait == COSHM_WAIT_BLOCK)
		return false;
	for (unsigned int paused = 0; paused < WAIT_FIRST_PAUSES; paused += pauses) {
		if (paused != 0 && pauses < rarest)
			pauses *= 2;
		for (unsigned int i = 0; i < pauses; i++)
			cpu_relax();
		if (ready(arg))
			return true;
	}
	return false;
}

int wait_err_retired(const struct region *r);

static inline void cpu_relax(void)
{
#if defined(__x86_64__) || defined(__i386__)
	__builtin_ia32_pause();
#elif defined(__aarch64__)
	__asm__ volatile("isb" ::: "memory");
#else
	__asm__ volatile("" ::: "memory");
#endif
}

#endif /* COSHM_WAIT_H */
