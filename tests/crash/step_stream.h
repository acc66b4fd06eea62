/* SPDX-License-Identifier: Apache-2.0 */
/*
 * step_stream.h - what the scenarios of "stream" share.
 *
 *   step_stream.c            the table
 *   step_stream_parts.c      setup, receiving and judging
 *   step_stream_publish.c    the publisher is cut off
 *   step_stream_subscribe.c  a subscriber is cut off
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
void others_of_publisher(void);
void ready_publisher(void);
void act_publish(void);
void act_batch(void);
void check_publisher(void);
void after_publisher(void);
void rest_publisher(void);

/* step_stream_subscribe.c */
void others_of_subscriber(void);
void others_sleeping_publisher(void);
void ready_subscriber(void);
void ready_sleeping_publisher(void);
void act_receive(void);
void act_peek(void);
void check_subscriber(void);
void check_sleeping_publisher(void);
void after_subscriber(void);
void after_sleeping_publisher(void);
void rest_subscriber(void);

/* step_stream_place.c */
void ready_coming(void);
void ready_publisher_going(void);
void ready_subscriber_going(void);
void act_open_publisher(void);
void act_open_subscriber(void);
void act_open_oldest(void);
void act_close_publisher(void);
void act_close_subscriber(void);
void check_publisher_place(void);
void after_publisher_place(void);
void rest_publisher_place(void);

#endif /* COSHM_TEST_STEP_STREAM_H */
