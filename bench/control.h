/* SPDX-License-Identifier: Apache-2.0 */
/* control.h - the page through which the sides of a task find, await and measure each other. */
#ifndef BENCH_CONTROL_H
#define BENCH_CONTROL_H

#include <stdatomic.h>
#include "contestant.h"

struct line {
	_Alignas(64) _Atomic uint64_t value;
};

struct control {
	struct line arrived, round, ping, pong;
	struct line moved[SIDES_MAX]; /* messages that this side has handled      */
	struct line begun[SIDES_MAX], ended[SIDES_MAX]; /* CLOCK_MONOTONIC, in ns */
	char mail[SIDES_MAX][MAIL_BYTES];

	/* What was found, for side 0 to print; 0: not measured. */
	double bounce_before_ns, bounce_after_ns;
	double p50_ns, p99_ns, p999_ns, group_ns, per_second;
	double before_stop, after_stop; /* messages a second of those that run on */
};

extern struct control *control;
extern unsigned int control_side; /* this process's */

uint64_t now_ns(void);

/* What now_ns() itself costs. */
uint64_t clock_ns(void);

void control_open(const char *path);
void pin(unsigned int cpu, bool fifo);

/* A cache line to the other side and back, in ns; both of sides 0 and 1 call it. */
double bounce_ns(const struct task *task);

#endif /* BENCH_CONTROL_H */
