/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sysv_storm.h - processes that make System V calls of one directory, killed at random.
 *
 *   sysv_storm.c      starts the victims, each PID 1 of its own PID namespace, and kills them
 *   sysv_storm_shm.c  what victims do with segments, and what the auditor finds all along
 *   sysv_storm_sem.c  sysv_storm_msg.c   the same of semaphores, and of a queue of messages
 *
 * The auditor is never killed: none of its calls may hang or fail.
 */
#ifndef COSHM_TEST_SYSV_STORM_H
#define COSHM_TEST_SYSV_STORM_H

#include "storm.h"

#define HOLDS 3 /* segments that a victim has attached at a time */

/* What a victim has attached: surely, or it is about to attach or detach it. */
struct sysv_hold {
	_Atomic int id; /* 0: nothing; else one more than the identifier */
	_Atomic int sure;
};

enum sysv_ask {
	ASK_NOTHING,
	ASK_WAIT,   /* make no call: who will be stopped may have a lock */
	ASK_FROZEN, /* all victims are stopped: numbers stand still */
	ASK_DEAD,   /* none is left: remove everything, and wait    */
	ASK_GO,     /* make what victims find */
	ASK_END,
};

struct sysv_storm {
	struct sysv_hold holds[PEERS][HOLDS];
	_Atomic int forks[PEERS]; /* it may have a child, with all that it has */
	_Atomic int ask;
	_Atomic int64_t answered;
	_Atomic uint64_t audits;
};

extern struct sysv_storm *victims;

/* One thing after the other, until it is killed. */
void sysv_storm_shm_step(unsigned int peer);
void sysv_storm_sem_step(void);
void sysv_storm_msg_step(unsigned int peer);
/* At the start of a life. */
void sysv_storm_msg_begin(unsigned int peer);

/* The auditor: what victims find; segments they make themselves. */
void sysv_storm_sem_make(void);
void sysv_storm_msg_make(void);

/* The auditor: one look at everything, while the others go on. */
void sysv_storm_shm_audit(void);
void sysv_storm_sem_audit(void);
void sysv_storm_msg_audit(void);
/* The victims are stopped: @alive, or dead. */
void sysv_storm_shm_count(bool alive);
/* All are dead: is it as it should be?  And remove everything. */
void sysv_storm_shm_remove(void);
void sysv_storm_sem_remove(void);
void sysv_storm_msg_remove(void);

#endif /* COSHM_TEST_SYSV_STORM_H */
