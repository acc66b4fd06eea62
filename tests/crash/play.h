/* SPDX-License-Identifier: Apache-2.0 */
/*
 * play.h - one operation, cut off at each of its instructions, and what the others find.
 *
 * A scenario is a table entry.  For each instruction of act():
 *
 *   setup    makes the channel; once, its bytes are restored for each point
 *   others   the other peers take their places             (a process of their own)
 *   ready    the victim takes its place                    (another one)
 *   act      the victim's operation, up to the point, where it is killed or stopped
 *   check    the others look and go on; killed by an alarm if they cannot
 *   after    the others, when a stopped victim runs on
 *   rest     the victim that runs on, when its operation is through
 */
#ifndef COSHM_TEST_PLAY_H
#define COSHM_TEST_PLAY_H

#include <errno.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "coshm.h"
#include "message.h"
#include "peer.h"
#include "region.h"
#include "stage.h"

#define SECOND      INT64_C(1000000000)
#define MILLISECOND INT64_C(1000000)

enum verdict {
	PLAY_FINE,
	PLAY_WEDGED, /* the others do not get on                        */
	PLAY_TORN,   /* a message was not what was sent                 */
	PLAY_LOST,   /* one that was acknowledged is gone               */
	PLAY_TWICE,  /* one came twice, and not as redelivered          */
	PLAY_WRONG,  /* an error, a state or a name that must not be    */
	PLAY_DEBRIS, /* a file was left                                 */
	PLAY_VERDICTS,
};

struct scenario {
	const char *name;
	void (*setup)(void);
	void (*others)(void);
	void (*ready)(void);
	void (*act)(void);
	void (*check)(void);
	void (*after)(void);
	void (*rest)(void);
	const void *with;       /* the family's own parameters                              */
	bool fresh;             /* files come and go: setup() for each point                */
	bool slow;              /* each point takes long: fewer of them                     */
	bool only_killed;       /* not for stopped victims                                  */
	bool only_stopped;      /* not for killed ones                                      */
	enum verdict must_find; /* a wrong algorithm, to see that the harness finds it out  */
};

extern const struct scenario latest_scenarios[], stream_scenarios[], region_scenarios[],
	queue_scenarios[], fd_scenarios[], wrong_scenarios[];

/* What all processes of a scenario share. */
struct ledger {
	_Atomic uint64_t begun;   /* messages that the victim has begun to send, of this act  */
	_Atomic uint64_t acked;   /* whose sending has returned                               */
	_Atomic uint64_t value;   /* for the scenario                                         */
	_Atomic uint64_t total;   /* of messages, when the last one is sent; 0 before         */
	_Atomic bool opened;      /* the victim has a place                                   */
	_Atomic bool closing;     /* it is on its way to give it back, or to get it           */
	_Atomic bool resting;     /* it has resumed, and its act() is through                 */
	_Atomic bool resumed;     /* the stopped victim runs on                               */
	_Atomic bool finish;      /* and is to come to its end                                */
	_Atomic int victim;       /* its pid                                                  */
	_Atomic int64_t cut_ns;   /* when it was killed or stopped                            */
	_Atomic uint64_t evicted; /* the region's count of dead peers before that            */
	_Atomic int64_t woken_ns;
	_Atomic int verdict;
	char text[400];
	_Alignas(64) unsigned char scratch[8192]; /* shared memory without a file */
};

extern struct ledger *ledger;
extern const struct scenario *playing;

int64_t play_now_ns(void);
void play_nap(void);

/* In a process of a scenario: say what is wrong, and leave. */
_Noreturn void play_fail(enum verdict verdict, int line, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

#define must(cond, verdict, ...)                                                                   \
	do {                                                                                       \
		if (!(cond))                                                                       \
			play_fail(verdict, __LINE__, __VA_ARGS__);                                 \
	} while (0)

#define must_ok(call)                                                                              \
	do {                                                                                       \
		int must_rc = (call);                                                              \
		must(must_rc >= 0, PLAY_WRONG, "%s: %d: %s", #call, must_rc, coshm_errmsg());      \
	} while (0)

#define must_err(call, err)                                                                        \
	do {                                                                                       \
		int must_rc = (call);                                                              \
		must(must_rc == -(err), PLAY_WRONG, "%s: %d and not %d: %s", #call, must_rc,       \
		     -(err), must_rc < 0 ? coshm_errmsg() : "");                                   \
	} while (0)

/* In the others: the victim is stopped, and not killed. */
bool play_stopping(void);
/* In the others' after(): a victim that stopped itself at its end mark is to go on. */
void play_nudge(void);
/* In the others' after(): wait until the victim's act() is through. */
void play_await_act(void);
/* In the others: a process that @sleeps and is expected to end by itself. */
void play_sleeper(void (*sleeps)(void));
void play_await_sleeper(void);
/* Have it sleep on while the victim is cut off, whatever its time to look is. */
void play_hold_sleeper(bool hold);

/* How many of a region's peers are in this state. */
unsigned int play_peers(struct region *r, enum peer_state state);
/* What is to be said of the victim's place, killed or stopped. */
void play_check_places(struct region *r);

/* Does the directory have this file? */
bool play_exists(const char *name);

#endif /* COSHM_TEST_PLAY_H */
