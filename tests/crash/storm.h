/* SPDX-License-Identifier: Apache-2.0 */
/*
 * storm.h - four peers of one channel, each PID 1 of its own PID namespace, killed at random.
 *
 *   storm.c         starts them, kills them, and starts them again
 *   storm_latest.c  storm_stream.c  storm_queue.c   what they do, and what must hold
 *   storm_check.c   namespaces, complaints, times
 */
#ifndef COSHM_TEST_STORM_H
#define COSHM_TEST_STORM_H

#include <errno.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "coshm.h"
#include "message.h"
#include "region.h"
#include "stage.h"

#define SECOND    INT64_C(1000000000)
#define PEERS     4
#define PRODUCERS 2
/* Messages of each producer that are accounted for one by one. */
#define SEQS (UINT64_C(1) << 25)

struct storm_kind {
	const char *name;
	uint32_t policy;
	void (*create)(void);
	void (*play)(unsigned int peer); /* until it is killed */
	void (*settle)(void);            /* all are dead: what is left, and is it right? */
	bool buried[PEERS];              /* others recover for this one                  */
	bool takes_over[PEERS];          /* it goes on where its predecessor died        */
};

extern const struct storm_kind storm_latest, storm_lossless, storm_overwrite, storm_least,
	storm_most;

/* What each peer has told before it died; shared by all. */
struct storm_note {
	_Atomic uint32_t lives; /* counted by the one who starts it                */
	_Atomic uint32_t up;    /* the life that has a place                       */
	_Atomic uint32_t slot;
	_Atomic uint64_t steps;   /* messages sent or received                    */
	_Atomic int64_t first_ns; /* of this life                                 */
	_Atomic uint64_t begun;   /* the last message whose sending was begun     */
	_Atomic uint64_t acked;   /* and whose sending returned                   */
	_Atomic uint64_t seen;    /* the newest that it received                  */
	_Atomic uint64_t asked;   /* that it may have taken and not judged yet    */
	_Atomic uint64_t unknown; /* those of lives before                        */
};

struct storm {
	struct storm_note notes[PEERS];
	_Atomic uint64_t messages; /* received and good                  */
	_Atomic uint64_t lost;     /* said to be lost                    */
	_Atomic uint64_t again;    /* delivered once more                */
	uint64_t kills[PEERS];
	_Atomic int complained;
	char complaint[400];
	_Atomic unsigned char came[PRODUCERS][SEQS];
};

extern struct storm *storm;
extern const struct storm_kind *storming;

int64_t storm_now_ns(void);
/* As fork, into a PID namespace of its own: it is PID 1 there, as in a container. */
pid_t storm_clone(void);
/* In a peer: it has a place; it has sent or received one. */
void storm_up(unsigned int peer, const struct region *r);
void storm_step(unsigned int peer);
/* How this life waits. */
uint32_t storm_wait(unsigned int peer);

void storm_complain(const char *file, int line, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

#define storm_must(cond, ...)                                                                      \
	do {                                                                                       \
		if (!(cond)) {                                                                     \
			storm_complain(__FILE__, __LINE__, __VA_ARGS__);                           \
			_exit(1);                                                                  \
		}                                                                                  \
	} while (0)

#define storm_ok(call)                                                                             \
	do {                                                                                       \
		int storm_rc = (call);                                                             \
		storm_must(storm_rc >= 0, "%s: %d: %s", #call, storm_rc, coshm_errmsg());          \
	} while (0)

/* Times from a death to what it says; kept by storm.c. */
struct storm_times {
	int64_t *ns;
	size_t count, room;
};

void storm_time_add(struct storm_times *t, int64_t ns);
void storm_times_print(const char *what, struct storm_times *t);

#endif /* COSHM_TEST_STORM_H */
