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

static bool ready_or_stopped(void *arg)
{
	struct notifier *n = arg;

	return notify_get_orders(&n->board) == NOTIFY_STOP || n->waiter.ready(n->waiter.arg);
}

static int check(void *arg)
{
	struct notifier *n = arg;

	return n->waiter.check(n->waiter.arg);
}

static void *watch(void *arg)
{
	struct notifier *n = arg;
	struct waiter w = n->waiter;
	uint64_t one = 1;

	w.ready = ready_or_stopped;
	w.check = check;
	w.arg = n;
	for (;;) {
		int err;

		while (notify_get_orders(&n->board) == NOTIFY_REST)
			syscall(SYS_futex, &n->board.orders, FUTEX_WAIT_PRIVATE, NOTIFY_REST, NULL,
				NULL, 0);
		err = wait_until(&w, -1);
		if (!notify_rest(&n->board))
			return NULL;
		/* An eventfd takes a write of 8 bytes, unless it was closed under us. */
		if (write(n->fd, &one, sizeof(one)) < 0 || err == -ESTALE)
			return NULL;
	}
}

static void order(struct notifier *n, enum notify_orders what)
{
	notify_set_orders(&n->board, what);
	syscall(SYS_futex, &n->board.orders, FUTEX_WAKE_PRIVATE, INT_MAX, NULL, NULL, 0);
}

void notify_arm_started(struct notifier *n, uint64_t from)
{
	uint64_t reports;

	/* What was reported so far is known.  There may be none: it does not block. */
	(void)!read(n->fd, &reports, sizeof(reports));
	notify_set_from(&n->board, from);
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
	notify_set_from(&n->board, from);
	notify_set_orders(&n->board, NOTIFY_WATCH);
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
