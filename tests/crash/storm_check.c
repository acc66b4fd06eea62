/* SPDX-License-Identifier: Apache-2.0 */
/*
 * storm_check.c - peers of a storm are started, tell something, and are recovered from.
 */
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <sys/syscall.h>
#include <time.h>

#include "storm.h"

int64_t storm_now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * SECOND + ts.tv_nsec;
}

pid_t storm_clone(void)
{
	long flags = CLONE_NEWPID | SIGCHLD | (geteuid() != 0 ? CLONE_NEWUSER : 0);

	return (pid_t)syscall(SYS_clone, flags, NULL, NULL, NULL, 0);
}

void storm_up(unsigned int peer, const struct region *r)
{
	struct storm_note *n = &storm->notes[peer];

	atomic_store(&n->slot, r->slot);
	atomic_store(&n->up, atomic_load(&n->lives));
}

void storm_step(unsigned int peer)
{
	struct storm_note *n = &storm->notes[peer];

	if (atomic_load_explicit(&n->first_ns, memory_order_relaxed) == 0)
		atomic_store(&n->first_ns, storm_now_ns());
	/* Relaxed: it is watched now and then. */
	atomic_fetch_add_explicit(&n->steps, 1, memory_order_relaxed);
}

uint32_t storm_wait(unsigned int peer)
{
	return atomic_load(&storm->notes[peer].lives) % 2 ? COSHM_WAIT_BLOCK : COSHM_WAIT_ADAPTIVE;
}

void storm_complain(const char *file, int line, const char *fmt, ...)
{
	va_list args;
	size_t n;

	if (atomic_exchange(&storm->complained, 1))
		return;
	n = (size_t)snprintf(storm->complaint, sizeof(storm->complaint), "%s:%d: ", file, line);
	va_start(args, fmt);
	vsnprintf(storm->complaint + n, sizeof(storm->complaint) - n, fmt, args);
	va_end(args);
}

void storm_time_add(struct storm_times *t, int64_t ns)
{
	if (t->count == t->room) {
		t->room = t->room ? 2 * t->room : 256;
		t->ns = realloc(t->ns, t->room * sizeof(*t->ns));
		if (!t->ns)
			abort();
	}
	t->ns[t->count++] = ns;
}

static int by_size(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

void storm_times_print(const char *what, struct storm_times *t)
{
	if (t->count != 0) {
		qsort(t->ns, t->count, sizeof(*t->ns), by_size);
		printf("# %s: median %.2f ms, p99 %.2f ms, longest %.2f ms, of %zu\n", what,
		       (double)t->ns[t->count / 2] / 1e6, (double)t->ns[t->count * 99 / 100] / 1e6,
		       (double)t->ns[t->count - 1] / 1e6, t->count);
	}
	free(t->ns);
	*t = (struct storm_times){ 0 };
}
