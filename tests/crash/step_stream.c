/* SPDX-License-Identifier: Apache-2.0 */
/*
 * step_stream.c - the table of the scenarios of "stream".
 */
#include "step_stream.h"

#define CASE(...)                                                                                  \
	.with = &(const struct stream_case)                                                        \
	{                                                                                          \
		__VA_ARGS__                                                                        \
	}
#define L .policy = COSHM_STREAM_LOSSLESS
#define O .policy = COSHM_STREAM_OVERWRITE

#define PUBLISHER                                                                                  \
	.setup = stream_setup, .others = stream_others_of_publisher,                               \
	.ready = stream_ready_publisher, .check = stream_check_publisher,                          \
	.after = stream_after_publisher, .rest = stream_rest_publisher
#define PUBLISH PUBLISHER, .act = stream_act_publish
#define BATCH   PUBLISHER, .act = stream_act_batch
#define DISCARD PUBLISHER, .act = stream_act_discard
#define SUBSCRIBER                                                                                 \
	.setup = stream_setup, .others = stream_others_of_subscriber,                              \
	.check = stream_check_subscriber, .after = stream_after_subscriber,                        \
	.rest = stream_rest_subscriber
#define RECEIVE SUBSCRIBER, .ready = stream_ready_subscriber, .act = stream_act_receive
#define PEEK    SUBSCRIBER, .ready = stream_ready_subscriber, .act = stream_act_peek
#define PUBLISHER_PLACE                                                                            \
	.setup = stream_setup, .others = stream_others_of_publisher,                               \
	.check = stream_check_publisher_place, .after = stream_after_publisher_place,              \
	.rest = stream_rest_publisher_place
#define OPEN_PUBLISHER                                                                             \
	PUBLISHER_PLACE, .ready = stream_ready_coming, .act = stream_act_open_publisher
#define CLOSE_PUBLISHER                                                                            \
	PUBLISHER_PLACE, .ready = stream_ready_publisher_going, .act = stream_act_close_publisher
#define OPEN        SUBSCRIBER, .ready = stream_ready_coming, .act = stream_act_open_subscriber
#define OPEN_OLDEST SUBSCRIBER, .ready = stream_ready_coming, .act = stream_act_open_oldest
#define CLOSE       SUBSCRIBER, .ready = stream_ready_subscriber_going, .act = stream_act_close_subscriber
#define SLEEPING_PUBLISHER                                                                         \
	.setup = stream_setup, .others = stream_others_sleeping_publisher,                         \
	.ready = stream_ready_sleeping_publisher, .act = stream_act_receive,                       \
	.check = stream_check_sleeping_publisher, .after = stream_after_sleeping_publisher,        \
	.rest = stream_rest_subscriber, .slow = true
#define DRAIN_END                                                                                  \
	.setup = stream_setup, .others = stream_others_draining, .ready = stream_ready_drained,    \
	.act = stream_act_receive, .check = stream_check_sleeping_publisher,                       \
	.after = stream_after_sleeping_publisher, .rest = stream_rest_subscriber, .slow = true
#define AWAITED                                                                                    \
	.setup = stream_setup, .others = stream_others_awaiting, .ready = stream_ready_coming,     \
	.act = stream_act_open_subscriber, .check = stream_check_awaiting,                         \
	.after = stream_after_awaiting, .rest = stream_rest_subscriber, .slow = true
#define DRAIN PUBLISHER, .act = stream_act_drain

#define BOTH(p, name_, ...)                                                                        \
	{                                                                                          \
		.name = "stream " p " " name_, __VA_ARGS__                                         \
	}

/* What is the same for both policies. */
#define COMMON(p, P)                                                                               \
	BOTH(p, "publish, first", PUBLISH, CASE(P, .sizes = { 40 })),                              \
		BOTH(p, "publish small", PUBLISH, CASE(P, .before = 11, .sizes = { 48 })),         \
		BOTH(p, "publish large", PUBLISH, CASE(P, .before = 11, .sizes = { 600 })),        \
		BOTH(p, "publish small, at the wrap", PUBLISH,                                     \
		     CASE(P, .before = 15, .sizes = { 48 })),                                      \
		BOTH(p, "publish large, at the wrap of the bytes", PUBLISH,                        \
		     CASE(P, .before = 6, .all_large = true, .sizes = { 600 })),                   \
		BOTH(p, "publish, others lag", PUBLISH,                                            \
		     CASE(P, .before = 19, .lags = true, .sizes = { 48 })),                        \
		BOTH(p, "publish large, others lag", PUBLISH,                                      \
		     CASE(P, .before = 20, .lags = true, .sizes = { 400 })),                       \
		BOTH(p, "publish, one sleeps", PUBLISH,                                            \
		     CASE(P, .before = 3, .sleeper = true, .sizes = { 24 }), .slow = true),        \
		BOTH(p, "loan and publish", BATCH, CASE(P, .before = 12, .sizes = { 32 })),        \
		BOTH(p, "loan four and publish, at the wrap", BATCH,                               \
		     CASE(P, .before = 14, .sizes = { 48, 300, 24, 200 })),                        \
		BOTH(p, "publish after take-over", PUBLISH,                                        \
		     CASE(P, .before = 13, .dead = true, .sizes = { 300 })),                       \
		BOTH(p, "receive", RECEIVE, CASE(P, .before = 17, .lags = true)),                  \
		BOTH(p, "receive, empty", RECEIVE, CASE(P, .before = 9)),                          \
		BOTH(p, "receive large", RECEIVE,                                                  \
		     CASE(P, .before = 10, .all_large = true, .lags = true)),                      \
		BOTH(p, "peek and release", PEEK, CASE(P, .before = 18, .lags = true)),            \
		BOTH(p, "open publisher", OPEN_PUBLISHER, CASE(P, .before = 13)),                  \
		BOTH(p, "take over from the dead", OPEN_PUBLISHER,                                 \
		     CASE(P, .before = 13, .dead = true)),                                         \
		BOTH(p, "close publisher", CLOSE_PUBLISHER, CASE(P, .before = 13)),                \
		BOTH(p, "open subscriber", OPEN, CASE(P, .before = 13)),                           \
		BOTH(p, "open subscriber, from the oldest", OPEN_OLDEST, CASE(P, .before = 13)),   \
		BOTH(p, "close subscriber", CLOSE, CASE(P, .before = 13, .lags = true)),           \
		BOTH(p, "loan four and discard, at the wrap", DISCARD,                             \
		     CASE(P, .before = 14, .sizes = { 48, 300, 24, 200 })),                        \
		BOTH(p, "wait for one subscriber", PUBLISHER, .act = stream_act_wait_one,          \
		     CASE(P, .before = 5)),                                                        \
		BOTH(p, "open subscriber, somebody waits for it", AWAITED, CASE(P, .before = 5))

const struct scenario stream_scenarios[] = {
	COMMON("lossless", L),
	{ .name = "stream lossless publish, full",
	  PUBLISH,
	  .slow = true,
	  CASE(L, .before = 17, .lags = true, .full = true, .sizes = { 48 }) },
	{ .name = "stream lossless publish, evicting a dead subscriber",
	  PUBLISH,
	  CASE(L, .before = 17, .dead_subscribers = 1, .fill = 1, .sizes = { 48 }) },
	{ .name = "stream lossless receive, the publisher sleeps",
	  SLEEPING_PUBLISHER,
	  CASE(L, .before = 17, .lags = true) },
	{ .name = "stream lossless open subscriber, all places held by the dead",
	  .setup = stream_setup,
	  .ready = stream_ready_coming,
	  .act = stream_act_open_oldest,
	  .check = stream_check_crowd,
	  .only_killed = true,
	  CASE(L, .before = 13, .dead_subscribers = LAYOUT_SEATS) },
	{ .name = "stream lossless drain, nothing to wait for", DRAIN, CASE(L, .before = 9) },
	{ .name = "stream lossless drain",
	  DRAIN,
	  .slow = true,
	  CASE(L, .before = 17, .lags = true) },
	{ .name = "stream lossless drain, one is dead",
	  DRAIN,
	  .slow = true,
	  CASE(L, .before = 17, .dead_subscribers = 1) },
	{ .name = "stream lossless receive, and end a drain",
	  DRAIN_END,
	  CASE(L, .before = 17, .lags = true) },
	{ .name = "stream lossless wait for two subscribers, one is dead",
	  PUBLISHER,
	  .act = stream_act_wait_two,
	  .slow = true,
	  CASE(L, .before = 5, .dead_subscribers = 1) },
	COMMON("overwrite", O),
	{ .name = "stream overwrite loan four and discard, others lag",
	  DISCARD,
	  CASE(O, .before = 14, .lags = true, .sizes = { 48, 300, 24, 200 }) },
	{ .name = "stream overwrite receive, loans lie over it and are discarded",
	  RECEIVE,
	  CASE(O, .before = 18, .lags = true, .discards = true) },
	{ .name = "stream overwrite receive large, loans lie over it and are discarded",
	  RECEIVE,
	  CASE(O, .before = 10, .all_large = true, .lags = true, .discards = true) },
	{ .name = "stream overwrite peek, loans lie over it and are discarded",
	  PEEK,
	  CASE(O, .before = 18, .lags = true, .discards = true) },
	{ 0 },
};
