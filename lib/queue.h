/* SPDX-License-Identifier: Apache-2.0 */
/*
 * queue.h - the handle of "queue".
 *
 *   queue.c           create, open, close, recovery
 *   queue_transfer.c  push and take
 */
#ifndef COSHM_QUEUE_H
#define COSHM_QUEUE_H

#include "notify.h"
#include "peer.h"
#include "queue_core.h"
#include "region.h"
#include "wait.h"

struct coshm_queue {
	struct region region; /* first: it is allocated as this */
	struct queue_ring ring;
	struct bell data;
	struct bell room;
	uint64_t seen;  /* of "again"                                      */
	uint64_t calls; /* to look after the dead now and then             */
	struct notifier notifier;
	uint64_t tally_messages;
	uint64_t tally_bytes;
};

void queue_tally(struct coshm_queue *ch);
/* Recover for all who are dead; as a waiter's check, it never ends the wait. */
int queue_bury_the_dead(void *arg);

#endif /* COSHM_QUEUE_H */
