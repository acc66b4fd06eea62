/* SPDX-License-Identifier: Apache-2.0 */
/*
 * step_stream.h - what the scenarios of "stream" share.
 *
 *   step_stream.c            the table
 *   step_stream_parts.c      setup, receiving and judging
 *   step_stream_publish.c    the publisher is cut off
 *   step_stream_subscribe.c  a subscriber is cut off
 *   step_stream_wait.c       one waits for the other, and one of them is cut off
 *   step_stream_place.c      one who comes or goes is cut off
 */
#ifndef COSHM_TEST_STEP_STREAM_H
#define COSHM_TEST_STEP_STREAM_H

#include "play.h"
#include "stream.h"

#define SLOTS       8u
#define SMALL       48u
#define LARGE       600u
#define ON          (3 * SLOTS) /* messages to go on with: three times round */
#define WINDOW_MOST 4u

struct stream_case {
	enum coshm_stream_policy policy;
	unsigned int before; /* messages published at setup                        */
	bool all_large;      /* these are large                                    */
	bool lags;           /* the others' subscriber has not received them yet   */
	bool dead;           /* setup's publisher died                             */
	unsigned int dead_subscribers;
	bool full;         /* the victim publishes until there is no room        */
	unsigned int fill; /* or this many                                       */
	bool sleeper;
	bool discards; /* the others' publisher, when a subscriber is cut off        */
	unsigned short sizes[WINDOW_MOST]; /* of the victim's messages, to be published at once */
};

static inline const struct stream_case *now(void)
{
	return playing->with;
}

/* A subscriber, and what it has seen. */
struct seen {
	struct coshm_stream *ch;
	uint64_t next; /* number that comes next; UINT64_MAX: any */
	uint64_t lost;
	bool told; /* that the publisher is dead */
};

/* Of the others, or of the victim: each process has its own. */
extern struct coshm_stream *pub;
extern struct seen sub;
extern int act_rc;

void stream_setup(void);
struct coshm_stream *stream_open_as(enum coshm_role role, uint32_t flags);
struct seen stream_subscribe(uint32_t flags);
size_t stream_bytes_of_number(uint64_t number);
/* Publish the next message; -EAGAIN, -ETIMEDOUT or a failure of the scenario. */
int stream_publish_next(struct coshm_stream *ch, int64_t timeout_ns);
/* A message that was received or looked at: whole, and in its place. */
void stream_judge(struct seen *s, const struct coshm_message *m);
/* Receive one, or everything; -EAGAIN, -ETIMEDOUT, -EOWNERDEAD or a failure. */
int stream_receive_next(struct seen *s, int64_t timeout_ns);
void stream_receive_all(struct seen *s);
/* Publish some, and receive each of them. */
void stream_go_on(struct coshm_stream *ch, struct seen *s, unsigned int messages);
/* Receive until the victim has told its total, and that is reached. */
void stream_receive_to_total(struct seen *s);
void stream_await_finish(void);

/* step_stream_publish.c */
void stream_others_of_publisher(void);
void stream_ready_publisher(void);
void stream_act_publish(void);
void stream_act_batch(void);
void stream_act_discard(void);
void stream_check_publisher(void);
void stream_after_publisher(void);
void stream_rest_publisher(void);

/* step_stream_subscribe.c */
void stream_others_of_subscriber(void);
void stream_others_sleeping_publisher(void);
void stream_ready_subscriber(void);
void stream_ready_sleeping_publisher(void);
void stream_sit_until_room_is_awaited(void);
void stream_act_receive(void);
void stream_act_peek(void);
void stream_check_subscriber(void);
void stream_check_sleeping_publisher(void);
void stream_after_subscriber(void);
void stream_after_sleeping_publisher(void);
void stream_rest_subscriber(void);

/* step_stream_wait.c */
void stream_act_drain(void);
void stream_act_wait_one(void);
void stream_act_wait_two(void);
void stream_others_draining(void);
void stream_ready_drained(void);
void stream_others_awaiting(void);
void stream_check_awaiting(void);
void stream_after_awaiting(void);

/* step_stream_place.c */
void stream_ready_coming(void);
void stream_ready_publisher_going(void);
void stream_ready_subscriber_going(void);
void stream_act_open_publisher(void);
void stream_act_open_subscriber(void);
void stream_act_open_oldest(void);
void stream_act_close_publisher(void);
void stream_act_close_subscriber(void);
void stream_check_publisher_place(void);
void stream_after_publisher_place(void);
void stream_rest_publisher_place(void);
void stream_check_crowd(void);

#endif /* COSHM_TEST_STEP_STREAM_H */
