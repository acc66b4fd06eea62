/* SPDX-License-Identifier: Apache-2.0 */
/*
 * step_queue.h - what the scenarios of "queue" share.
 *
 *   step_queue.c        the table
 *   step_queue_parts.c  setup, receiving and accounting
 *   step_queue_peers.c  producers and consumers that are cut off, coming and going
 *   step_queue_batch.c  batches that are cut off
 */
#ifndef COSHM_TEST_STEP_QUEUE_H
#define COSHM_TEST_STEP_QUEUE_H

#include "play.h"
#include "queue.h"

#define SLOTS 8u
#define BYTES 64u
#define ON    (3 * SLOTS) /* messages to go on with: three times round */

/* Who has pushed it is told by a message's id. */
#define ID_SETUP  1u /* and up */
#define ID_VICTIM 100u
#define ID_OTHERS 200u /* and up */
#define IDS       300u

struct queue_case {
	enum coshm_queue_policy policy;
	unsigned int passed; /* messages that came and went at setup             */
	unsigned int before; /* that came and stayed                             */
	bool dead_loan;      /* setup's producer died with a loan                */
	bool dead_take;      /* setup's consumer died with a message             */
	bool full;           /* no room: the victim is to give up                */
	bool sleeper;
	bool victim_takes;    /* a message of setup's, or a batch of them          */
	unsigned int batch;   /* so many messages in one call; 0: no batch         */
	unsigned int batches; /* so many calls, one at least                       */
};

static inline const struct queue_case *now(void)
{
	return playing->with;
}

/* What is told beside the ledger, in its scratch. */
struct queue_ledger {
	_Atomic unsigned int slept_for; /* the id of the sleeper's message         */
	/* Of the victim's batch, which is the first of setup's messages: */
	_Atomic unsigned int taken;     /* the take has returned them              */
	_Atomic unsigned int releasing; /* their release has begun                 */
	_Atomic unsigned int released;  /* it has returned                         */
};

static inline struct queue_ledger *told(void)
{
	return (struct queue_ledger *)(void *)ledger->scratch;
}

/* What the others have received: how often each id, and was it said to be redelivered? */
extern unsigned int came[IDS];
extern bool marked[IDS];
extern struct coshm_queue *producer, *consumer;

void queue_setup(void);
struct coshm_queue *queue_open_as(enum coshm_role role);
/* A message, into BYTES; its length. */
size_t queue_write_id(uint64_t *data, unsigned int id);
int queue_push_id(struct coshm_queue *ch, unsigned int id, int64_t timeout_ns);
/* A message is what was pushed, and comes as often as it may. */
unsigned int queue_judge(const struct coshm_delivery *d);
/* Receive until there is nothing for so long. */
void queue_drain(int64_t timeout_ns);
/* Push and receive, all of it. */
void queue_go_on(void);
/* With nothing in it and nobody at work: all of it is there to be used. */
void queue_check_room(void);
/* How many of setup's messages have not come. */
unsigned int queue_missing(void);

/* Messages that a call of the victim's is about. */
static inline unsigned int queue_batch(void)
{
	return now()->batch ? now()->batch : 1;
}

void queue_others_of_queue(void);

/* A producer is cut off. */
void queue_ready_producer(void);
void queue_act_push(void);
void queue_act_loan(void);
void queue_act_discard(void);
void queue_check_producer(void);
void queue_after_producer(void);
void queue_rest_producer(void);

/* A consumer is cut off. */
void queue_ready_consumer(void);
void queue_act_receive(void);
void queue_act_take(void);
void queue_check_consumer(void);
void queue_after_consumer(void);
void queue_rest_consumer(void);

/* Batches. */
void queue_act_push_batch(void);
void queue_act_take_batch(void);
/* It was in the dead victim's hands, between its take and its release. */
bool queue_in_dead_hands(unsigned int id);
/* The victim is dead: all of what it took is accounted for, one by one. */
void queue_check_taken(void);
void queue_after_take_batch(void);
void queue_rest_take_batch(void);

/* One who comes or goes is cut off. */
void queue_ready_coming(void);
void queue_ready_producer_going(void);
void queue_ready_consumer_going(void);
void queue_act_open_producer(void);
void queue_act_open_consumer(void);
void queue_act_close_producer(void);
void queue_act_close_consumer(void);
void queue_check_place(void);
void queue_after_place(void);
void queue_rest_place(void);

#endif /* COSHM_TEST_STEP_QUEUE_H */
