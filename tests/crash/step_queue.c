/* SPDX-License-Identifier: Apache-2.0 */
/*
 * step_queue.c - the table of the scenarios of "queue".
 */
#include "step_queue.h"

#define CASE(...)                                                                                  \
	.with = &(const struct queue_case)                                                         \
	{                                                                                          \
		__VA_ARGS__                                                                        \
	}
#define LEAST .policy = COSHM_QUEUE_AT_LEAST_ONCE
#define MOST  .policy = COSHM_QUEUE_AT_MOST_ONCE

#define PRODUCER                                                                                   \
	.setup = queue_setup, .others = queue_others_of_queue, .ready = queue_ready_producer,      \
	.check = queue_check_producer, .after = queue_after_producer, .rest = queue_rest_producer
#define PUSH       PRODUCER, .act = queue_act_push
#define LOAN       PRODUCER, .act = queue_act_loan
#define DISCARD    PRODUCER, .act = queue_act_discard
#define PUSH_BATCH PRODUCER, .act = queue_act_push_batch
#define CONSUMER                                                                                   \
	.setup = queue_setup, .others = queue_others_of_queue, .ready = queue_ready_consumer,      \
	.check = queue_check_consumer, .after = queue_after_consumer, .rest = queue_rest_consumer
#define RECEIVE CONSUMER, .act = queue_act_receive
#define TAKE    CONSUMER, .act = queue_act_take
#define TAKE_BATCH                                                                                 \
	.setup = queue_setup, .others = queue_others_of_queue, .ready = queue_ready_consumer,      \
	.check = queue_check_consumer, .after = queue_after_take_batch,                            \
	.rest = queue_rest_take_batch, .act = queue_act_take_batch
#define PLACE                                                                                      \
	.setup = queue_setup, .others = queue_others_of_queue, .check = queue_check_place,         \
	.after = queue_after_place, .rest = queue_rest_place
#define OPEN_PRODUCER  PLACE, .ready = queue_ready_coming, .act = queue_act_open_producer
#define OPEN_CONSUMER  PLACE, .ready = queue_ready_coming, .act = queue_act_open_consumer
#define CLOSE_PRODUCER PLACE, .ready = queue_ready_producer_going, .act = queue_act_close_producer
#define CLOSE_CONSUMER PLACE, .ready = queue_ready_consumer_going, .act = queue_act_close_consumer

#define BOTH(p, name_, ...)                                                                        \
	{                                                                                          \
		.name = "queue " p " " name_, __VA_ARGS__                                          \
	}

/* What is the same for both policies. */
#define COMMON(p, P)                                                                               \
	BOTH(p, "push, empty", PUSH, CASE(P)),                                                     \
		BOTH(p, "push, at the wrap", PUSH, CASE(P, .passed = 12, .before = 3)),            \
		BOTH(p, "push, full", PUSH, .slow = true, CASE(P, .before = 8, .full = true)),     \
		BOTH(p, "push, one sleeps", PUSH, .slow = true, CASE(P, .sleeper = true)),         \
		BOTH(p, "loan and push", LOAN, CASE(P, .passed = 14, .before = 1)),                \
		BOTH(p, "loan and discard", DISCARD, CASE(P, .passed = 14, .before = 1)),          \
		BOTH(p, "push a batch", PUSH_BATCH, CASE(P, .batch = 3)),                          \
		BOTH(p, "push a batch, at the wrap", PUSH_BATCH,                                   \
		     CASE(P, .passed = 12, .before = 2, .batch = 4)),                              \
		BOTH(p, "push a batch, room for some", PUSH_BATCH,                                 \
		     CASE(P, .passed = 3, .before = 6, .batch = 4)),                               \
		BOTH(p, "push a batch, one sleeps", PUSH_BATCH, .slow = true,                      \
		     CASE(P, .sleeper = true, .batch = 3)),                                        \
		BOTH(p, "push a batch, and another", PUSH_BATCH,                                   \
		     CASE(P, .passed = 5, .before = 1, .batch = 2, .batches = 2)),                 \
		BOTH(p, "receive", RECEIVE, CASE(P, .before = 4, .victim_takes = true)),           \
		BOTH(p, "receive, at the wrap", RECEIVE,                                           \
		     CASE(P, .passed = 15, .before = 2, .victim_takes = true)),                    \
		BOTH(p, "receive, full", RECEIVE,                                                  \
		     CASE(P, .passed = 5, .before = 8, .victim_takes = true)),                     \
		BOTH(p, "receive, a producer sleeps", RECEIVE, .slow = true,                       \
		     CASE(P, .passed = 5, .before = 8, .sleeper = true, .victim_takes = true)),    \
		BOTH(p, "receive, empty", RECEIVE, .slow = true, CASE(P, .passed = 5)),            \
		BOTH(p, "take and release", TAKE,                                                  \
		     CASE(P, .passed = 6, .before = 3, .victim_takes = true)),                     \
		BOTH(p, "take a batch and release", TAKE_BATCH,                                    \
		     CASE(P, .passed = 2, .before = 5, .victim_takes = true, .batch = 3)),         \
		BOTH(p, "take a batch and release, at the wrap", TAKE_BATCH,                       \
		     CASE(P, .passed = 14, .before = 3, .victim_takes = true, .batch = 4)),        \
		BOTH(p, "open producer", OPEN_PRODUCER, CASE(P, .before = 5)),                     \
		BOTH(p, "open consumer", OPEN_CONSUMER, CASE(P, .before = 5)),                     \
		BOTH(p, "close producer with a loan", CLOSE_PRODUCER, CASE(P, .before = 5)),       \
		BOTH(p, "close consumer with a message", CLOSE_CONSUMER, CASE(P, .before = 5)),    \
		BOTH(p, "recover for a dead producer", OPEN_PRODUCER,                              \
		     CASE(P, .before = 5, .dead_loan = true)),                                     \
		BOTH(p, "recover for a dead consumer", OPEN_CONSUMER,                              \
		     CASE(P, .before = 5, .dead_take = true))

const struct scenario queue_scenarios[] = {
	COMMON("at least once", LEAST),
	COMMON("at most once", MOST),
	{ 0 },
};
