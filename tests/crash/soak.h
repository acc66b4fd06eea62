/* SPDX-License-Identifier: Apache-2.0 */
/*
 * soak.h - many messages between a few processes, over counters that are about to go round.
 *
 *   soak.c          scenes, rounds, the processes of a round
 *   soak_latest.c  soak_stream.c  soak_queue.c   what the peers do, and what must hold
 *   soak_check.c    what they share
 *   soak_restart.c  a subscriber that outlives a thousand publishers
 *
 * A round is a fresh channel, as if it had lived until some messages before
 * its counters wrap.  Peer 0 ages it, then the others come, then all begin.
 */
#ifndef COSHM_TEST_SOAK_H
#define COSHM_TEST_SOAK_H

#include <errno.h>
#include <pthread.h>
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

#define SECOND      INT64_C(1000000000)
#define PATIENCE    (20 * SECOND) /* for a message: it will not come any more */
#define PEERS_MOST  4u
#define PRODUCERS   2u
#define ROUND_MOST  UINT64_C(200000)
#define LARGE_BYTES 2000u

/* The same for all peers of a round. */
struct soak_round {
	uint64_t start; /* the number before, or of, the first message, as the kind counts */
	uint64_t until; /* messages until the wrap                                         */
	uint64_t count; /* messages of the round                                           */
	uint32_t slots;
	bool yields; /* a publisher that never waits lets the others run now and then  */
};

struct soak_kind {
	const char *name;
	uint32_t policy;
	unsigned int peers;
	unsigned int lap_bits; /* of its laps; 64 if it has none */
	void (*create)(void);
	void (*play)(unsigned int peer);
	void (*settle)(void); /* all have come to their end */
	/* For restarts: a life of a publisher, and one that listens to all of them. */
	void (*live)(uint64_t number, bool dies);
	void *(*listen)(void);
	void (*hear)(void *ch, uint64_t number);
	void (*leave)(void *ch);
};

extern const struct soak_kind soak_latest, soak_lossless, soak_overwrite, soak_least, soak_most;

struct soak {
	pthread_barrier_t aged;    /* the channel is as old as it is to be */
	pthread_barrier_t seated;  /* all have their places                */
	_Atomic uint64_t received; /* good ones, by all who receive        */
	_Atomic uint64_t lost;     /* told by the channel, or not seen     */
	_Atomic uint64_t bytes;    /* sent                                 */
	_Atomic uint64_t turned;   /* out of their producer's order        */
	_Atomic uint64_t ended;    /* producers                            */
	_Atomic int complained;
	char complaint[400];
	_Atomic unsigned char came[PRODUCERS][ROUND_MOST];
};

extern struct soak *soak;
extern struct soak_round soak_round;
extern const struct soak_kind *soaking;

/* Counters that every kind has, until their wrap; the peers' own words too. */
void soak_age(struct region *r);
/* What the region's counters say at the end, of messages and bytes sent and of those lost. */
void soak_check_counters(uint64_t messages, uint64_t bytes, uint64_t lost);
/* Peer 0 after it has aged the channel, the others before they open it. */
void soak_await_age(void);
void soak_await_all(void);
/* How this peer waits. */
uint32_t soak_wait(unsigned int peer);
/* A length that follows from the number; 16 at least, a multiple of 8. */
size_t soak_bytes(uint64_t number, bool large);

void soak_complain(const char *file, int line, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

#define soak_must(cond, ...)                                                                       \
	do {                                                                                       \
		if (!(cond)) {                                                                     \
			soak_complain(__FILE__, __LINE__, __VA_ARGS__);                            \
			_exit(1);                                                                  \
		}                                                                                  \
	} while (0)

#define soak_ok(call)                                                                              \
	do {                                                                                       \
		int soak_rc = (call);                                                              \
		soak_must(soak_rc >= 0, "%s: %d: %s", #call, soak_rc, coshm_errmsg());             \
	} while (0)

/* soak_restart.c: be the subscriber of so many publishers. */
void soak_restarts(unsigned int restarts);

#endif /* COSHM_TEST_SOAK_H */
