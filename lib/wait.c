/* SPDX-License-Identifier: Apache-2.0 */
/*
 * wait.c - sleeping and waking; wait.h says how.
 */
#include <errno.h>
#include <limits.h>
#include <linux/futex.h>
#include <linux/membarrier.h>
#include <sched.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "err.h"
#include "wait.h"

/* Before the first system call; about half of what it costs to sleep and be woken. */
#define FIRST_SPIN_NS INT64_C(25000)
/* Without a place of its own, an observer can only look now and then. */
#define OBSERVER_NAP_NS INT64_C(1000000)
#define LOOKS_PER_CLOCK 64
/* Who is woken sooner never needed to disturb all CPUs by a membarrier. */
#define FIRST_NAP_NS INT64_C(2000000)

int64_t wait_now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
}

static struct timespec timespec_of(int64_t ns)
{
	return (struct timespec){ .tv_sec = (time_t)(ns / 1000000000),
				  .tv_nsec = (long)(ns % 1000000000) };
}

static int64_t min_ns(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

static long membarrier(int command)
{
	return syscall(SYS_membarrier, command, 0, 0);
}

static long futex(_Atomic uint32_t *word, int op, uint32_t value, const struct timespec *timeout)
{
	/* Not PRIVATE: the other side is another process.  timespec has the word size's layout. */
	return syscall(SYS_futex, word, op, value, timeout, NULL, 0);
}

void wait_register(struct region *r)
{
	static _Atomic int registered; /* 0: not yet tried, 1: yes, -1: refused */
	/* Relaxed, both: trying twice does no harm. */
	int state = atomic_load_explicit(&registered, memory_order_relaxed);

	if (state == 0) {
		state = membarrier(MEMBARRIER_CMD_REGISTER_GLOBAL_EXPEDITED) == 0 ? 1 : -1;
		atomic_store_explicit(&registered, state, memory_order_relaxed);
	}
	r->fence = state < 0;
}

int wait_err_retired(const struct region *r)
{
	return err_say(ESTALE, "%s was removed or replaced: close it and open it anew", r->path);
}

void bell_wake(struct region_shared *shared, unsigned int slot)
{
	_Atomic uint32_t *wake = &shared->peers[slot].wake;

	/* Relaxed: the kernel orders it against a sleeper that compares the word. */
	atomic_fetch_add_explicit(wake, 1, memory_order_relaxed);
	futex(wake, FUTEX_WAKE, INT_MAX, NULL);
}

void bell_ring_all(struct region *r, struct bell bell)
{
	uint64_t sleepers = bell_take_sleepers(bell);

	while (sleepers != 0) {
		unsigned int slot = bell.first + (unsigned int)__builtin_ctzll(sleepers);

		sleepers &= sleepers - 1;
		if (slot < LAYOUT_PEERS)
			bell_wake(r->shared, slot);
	}
}

void bell_ring_everybody(struct region_shared *shared)
{
	for (unsigned int slot = 0; slot < LAYOUT_PEERS; slot++)
		bell_wake(shared, slot);
}

/* Until we are called, or for @ns; 0, or the errno of it. */
static int sleep_on(struct region *r, uint32_t seen, int64_t ns)
{
	struct timespec ts = timespec_of(ns);

	return futex(&r->self->wake, FUTEX_WAIT, seen, &ts) < 0 ? errno : 0;
}

static bool nothing_yet(const struct waiter *w)
{
	return !w->ready(w->arg) && !region_retired(w->region);
}

/*
 * Sleep up to @ns; 0, or -EINTR.
 *
 * L1 in two parts: a nap after a look that a waker's store may have escaped,
 * and what is left of @ns after one that it cannot have escaped.
 */
static int sleep_once(const struct waiter *w, int64_t ns)
{
	struct region *r = w->region;
	uint64_t bit;
	uint32_t seen;
	int err = 0;

	if (!r->self) {
		struct timespec ts = timespec_of(ns < OBSERVER_NAP_NS ? ns : OBSERVER_NAP_NS);

		return nanosleep(&ts, NULL) < 0 ? -errno : 0;
	}
	bit = UINT64_C(1) << (r->slot - w->bell.first);
	/* Relaxed: the kernel compares it again, under its own lock. */
	seen = atomic_load_explicit(&r->self->wake, memory_order_relaxed);
	bell_lie_down(w->bell, bit);
	if (nothing_yet(w)) {
		/* Relaxed: a number for people. */
		atomic_fetch_add_explicit(&r->shared->counters.waits, 1, memory_order_relaxed);
		err = sleep_on(r, seen, min_ns(ns, FIRST_NAP_NS));
	}
	if (err == ETIMEDOUT && ns > FIRST_NAP_NS) {
		if (membarrier(MEMBARRIER_CMD_GLOBAL_EXPEDITED) < 0)
			bell_fence(&r->shared->state.must_fence);
		if (nothing_yet(w))
			err = sleep_on(r, seen, ns - FIRST_NAP_NS);
	}
	/* Relaxed: a bit left over costs a waker one call. */
	atomic_fetch_and_explicit(w->bell.mask, ~bit, memory_order_relaxed);
	return err == EINTR ? -EINTR : 0;
}

/* Look until @until_ns; LOOKS_PER_CLOCK looks for each one at the clock. */
static bool spin(const struct waiter *w, int64_t until_ns, int64_t *now)
{
	do {
		for (int i = 0; i < LOOKS_PER_CLOCK; i++) {
			if (w->ready(w->arg))
				return true;
			cpu_relax();
		}
		*now = wait_now_ns();
	} while (*now < until_ns && !region_retired(w->region));
	return false;
}

bool wait_check_is_due(struct region *r, int64_t now_ns, int64_t slice_ns)
{
	/* Relaxed, both: of this process alone, and a check too many does no harm. */
	if (now_ns - atomic_load_explicit(&r->looked_ns, memory_order_relaxed) < slice_ns)
		return false;
	atomic_store_explicit(&r->looked_ns, now_ns, memory_order_relaxed);
	return true;
}

static unsigned int cpus_online(void)
{
	static _Atomic unsigned int known; /* 0: not yet asked */
	/* Relaxed, both: asking twice does no harm. */
	unsigned int cpus = atomic_load_explicit(&known, memory_order_relaxed);
	long asked;

	if (cpus == 0) {
		asked = sysconf(_SC_NPROCESSORS_ONLN);
		cpus = asked > 0 ? (unsigned int)asked : 1;
		atomic_store_explicit(&known, cpus, memory_order_relaxed);
	}
	return cpus;
}

/* More of us than CPUs: whoever spins keeps the one he waits for from running. */
static void look_for_crowd(struct region *r)
{
	unsigned int peers = 0;

	for (unsigned int slot = 0; slot < LAYOUT_PEERS; slot++)
		/* Relaxed, both: an estimate. */
		peers += atomic_load_explicit(&r->shared->peers[slot].role, memory_order_relaxed) !=
			 0;
	atomic_store_explicit(&r->crowded, peers > cpus_online(), memory_order_relaxed);
}

static bool crowded(const struct region *r)
{
	/* Relaxed: an estimate, and of this process alone. */
	return atomic_load_explicit(&r->crowded, memory_order_relaxed);
}

int wait_until(const struct waiter *w, int64_t timeout_ns)
{
	int64_t slice = w->slice_ns ? w->slice_ns : WAIT_SLICE_NS;
	int64_t now = wait_now_ns(),
		end = timeout_ns < 0 || timeout_ns > INT64_MAX - now ? INT64_MAX : now + timeout_ns;
	uint32_t how = w->region->wait;
	bool yielded = false;
	int err;

	if (how != COSHM_WAIT_BLOCK && timeout_ns != 0 && !crowded(w->region) &&
	    spin(w, min_ns(end, now + FIRST_SPIN_NS), &now))
		return 0;
	for (;;) {
		if (w->ready(w->arg))
			return 0;
		if (region_retired(w->region))
			return wait_err_retired(w->region);
		if (w->check && wait_check_is_due(w->region, now, slice)) {
			look_for_crowd(w->region);
			err = w->check(w->arg);
			if (err < 0)
				return err;
			if (w->ready(w->arg))
				return 0;
		}
		if (now >= end)
			return err_const(ETIMEDOUT, "nothing happened in time");
		if (crowded(w->region) && (how == COSHM_WAIT_SPIN || !yielded)) {
			yielded = true; /* once before each sleep: what comes meanwhile saves it */
			sched_yield();
			now = wait_now_ns();
			continue;
		}
		if (how == COSHM_WAIT_SPIN) {
			spin(w, min_ns(end, now + slice), &now);
			continue;
		}
		yielded = false;
		err = sleep_once(w, min_ns(end - now, slice));
		if (err == -EINTR)
			return err_const(EINTR, "a signal handler ran while this call slept");
		now = wait_now_ns();
	}
}
