/* SPDX-License-Identifier: Apache-2.0 */
/*
 * shm_edges.h - segments of the shim where two things happen at once, or something is short.
 *
 *   shm_edges.c       descriptors, memory, permissions and numbers that wrap; the cases
 *   shm_edges_race.c  handlers, threads and processes that come at the wrong moment
 */
#ifndef COSHM_TEST_SHM_EDGES_H
#define COSHM_TEST_SHM_EDGES_H

#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/shm.h>
#include <sys/wait.h>
#include <unistd.h>

#define BYTES 4096

/* What two processes of a case tell each other. */
struct edges {
	_Atomic int id;
	_Atomic int over;
};

extern struct edges *both;

#define must(cond, ...)                                                                            \
	do {                                                                                       \
		if (!(cond)) {                                                                     \
			printf("# line %d: ", __LINE__);                                           \
			printf(__VA_ARGS__);                                                       \
			printf(": %s\n", strerror(errno));                                         \
			fflush(stdout);                                                            \
			_exit(1);                                                                  \
		}                                                                                  \
	} while (0)

/* In a process of its own; how it ended: one that hangs is killed. */
pid_t process(void (*play)(void));
bool ended_well(pid_t pid);

int64_t in_ms(int64_t ms);
bool over_by(int64_t until_ms);

/* Calls that may not fail. */
int make(void);
void *attach(int id);
void removed(int id);
unsigned long attached(int id);

/* The cases of shm_edges_race.c. */
void last_one_leaves(void);
void handler_in_fork(void);
void cancelled_thread(void);
void fork_while_opening(void);
void probe_taken_away(void);
void raw_clone(void);

#endif /* COSHM_TEST_SHM_EDGES_H */
