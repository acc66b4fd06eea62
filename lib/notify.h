/* SPDX-License-Identifier: Apache-2.0 */
/*
 * notify.h - a descriptor for programs that wait in poll(2) or epoll(7).
 *
 * A futex cannot be polled, so a thread of this process waits in the program's
 * stead and writes to an eventfd.  It watches once for each time that it is
 * armed, and it is armed whenever the program has looked and found nothing: so
 * nothing that comes after that look is missed.  A report too many is possible.
 */
#ifndef COSHM_NOTIFY_H
#define COSHM_NOTIFY_H

#include <pthread.h>

#include "notify_core.h"
#include "wait.h"

struct notifier {
	bool started;
	int fd;
	pthread_t thread;
	struct notify_board board;
	struct waiter waiter;
};

/* The descriptor; the first call makes it and its thread, which makes the waiter's check too. */
int notify_fd(struct notifier *n, const struct waiter *waiter, uint64_t from);
void notify_arm_started(struct notifier *n, uint64_t from);
void notify_stop(struct notifier *n);

/* There is nothing behind @from: report when there is. */
static inline void notify_arm(struct notifier *n, uint64_t from)
{
	if (n->started)
		notify_arm_started(n, from);
}

static inline uint64_t notify_from(struct notifier *n)
{
	return notify_get_from(&n->board);
}

#endif /* COSHM_NOTIFY_H */
