/* SPDX-License-Identifier: Apache-2.0 */
/* harness.h - one measurement: what is asked, and what the sides do for it. */
#ifndef BENCH_HARNESS_H
#define BENCH_HARNESS_H

#include "control.h"

enum work { ROUND_TRIP, ONE_WAY, READ, ATTACH };
enum how { COPY, BATCHED, LOANED };
enum pace { IDLE, PACED, HOT };

struct order {
	enum work work;
	enum how how;
	enum pace pace; /* of the publisher, in READ                                 */
	struct task task;
	bool together; /* all receivers in one process, served in turn              */
	int stopped;   /* the side that is stopped half-way; -1: none               */
	double seconds;
	bool fifo;
	unsigned int cpus[2];
};

/* What the sides do between the meetings; side 0 prints what came of it. */
void work_round_trip(const struct order *order, void *end);
void work_one_way(const struct order *order, void **ends, unsigned int count);
void work_read(const struct order *order, void *end);
void work_attach(const struct order *order, void **end);

#endif /* BENCH_HARNESS_H */
