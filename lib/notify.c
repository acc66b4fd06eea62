/* SPDX-License-Identifier: Apache-2.0 */
/*
 * notify.c - a descriptor for poll(2); notify.h says how.
 *
 * Ordering edge:
 *
 *   ORDER  N1 program: from, then the order, release  ->  N2 thread: order, acquire
 *          "when I am told to watch, I know from where"
 */
#include <errno.h>
#include <limits.h>
#include <linux/futex.h>
#include <signal.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "err.h"
#include "notify.h"

enum notify_orders {
	NOTIFY_REST = 0,
	NOTIFY_WATCH = 1,
	NOTIFY_STOP = 2,
};

static uint32_t orders(struct notifier *n)
{
	return atomic_load_explicit(&n->orders, memory_order_acquire); /* N2 */
}

static bool ready_or_stopped(void *arg)
{
	struct notifier *n = arg;

	return orders(n) == NOTIFY_STOP || n->waiter.ready(n->waiter.arg);
}

static void *watch(void *arg)
{
	struct notifier *n = arg;
	struct waiter w = n->waiter;
	uint64_t one = 1;

	w.ready = ready_or_stopped;
	w.arg = n;
	for (;;) {
		uint32_t watching = NOTIFY_WATCH;
		int err;

		while (orders(n) == NOTIFY_REST)
			syscall(SYS_futex, &n->orders, FUTEX_WAIT_PRIVATE, NOTIFY_REST, NULL, NULL,
				0);
		err = wait_until(&w, -1);
		/* Relaxed if it failed: it says stop, and that is all. */
		if (!atomic_compare_exchange_strong_explicit(&n->orders, &watching, NOTIFY_REST,
							     memory_order_acq_rel,
							     memory_order_relaxed))
			return NULL;
		/* An eventfd takes a write of 8 bytes, unless it was closed under us. */
		if (write(n->fd, &one, sizeof(one)) < 0 || err == -ESTALE)
			return NULL;
	}
}

static void order(struct notifier *n, enum notify_orders what)
{
	atomic_store_explicit(&n->orders, what, memory_order_release); /* N1 */
	syscall(SYS_futex, &n->orders, FUTEX_WAKE_PRIVATE, INT_MAX, NULL, NULL, 0);
}

void notify_arm_started(struct notifier *n, uint64_t from)
{
	uint64_t reports;

	/* What was reported so far is known.  There may be none: it does not block. */
	(void)!read(n->fd, &reports, sizeof(reports));
	/* Relaxed: ordered by N1. */
	atomic_store_explicit(&n->from, from, memory_order_relaxed);
	order(n, NOTIFY_WATCH);
}

int notify_fd(struct notifier *n, const struct waiter *waiter, uint64_t from)
{
	sigset_t all, old;
	int err;

	if (n->started)
		return n->fd;
	if (waiter->region->wait == COSHM_WAIT_SPIN || !waiter->region->self)
		return err_const(EINVAL,
				 "a descriptor is for handles that have a place and may sleep");
	n->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (n->fd < 0)
		return err_say(errno, "cannot make a descriptor to wait with: %s", strerror(errno));
	n->waiter = *waiter;
	atomic_store_explicit(&n->from, from,
			      memory_order_relaxed); /* relaxed: the thread is new */
	atomic_store_explicit(&n->orders, NOTIFY_WATCH, memory_order_relaxed);
	sigfillset(&all); /* signals are for the program's own threads */
	pthread_sigmask(SIG_SETMASK, &all, &old);
	err = pthread_create(&n->thread, NULL, watch, n);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	if (err != 0) {
		close(n->fd);
		return err_say(err, "cannot make a thread to wait with: %s", strerror(err));
	}
	n->started = true;
	return n->fd;
}

void notify_stop(struct notifier *n)
{
	if (!n->started)
		return;
	order(n, NOTIFY_STOP);
	bell_wake(n->waiter.region->shared, n->waiter.region->slot);
	pthread_join(n->thread, NULL);
	close(n->fd);
	n->started = false;
}
