/* SPDX-License-Identifier: Apache-2.0 */
/*
 * transcript.h - says calls, one a line, so that two runs can be compared: the
 * call as written in the source, what it returned, and what is then to be seen.
 *
 * Nothing that differs from run to run is printed: ids and pids go by names, times
 * by whether they are set. Other processes run functions on demand, one at a time,
 * so that the order of the lines is given.
 */
#ifndef COSHM_TRANSCRIPT_H
#define COSHM_TRANSCRIPT_H

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/types.h>
#include <time.h>
#include <unistd.h>

union semun {
	int val;
	struct semid_ds *buf;
	unsigned short *array;
	struct seminfo *__buf;
};

/* "CALL = value ERRNO"; gives the value. */
#define CALL(call)                                                                                 \
	({                                                                                         \
		errno = 0;                                                                         \
		long value_ = (long)(call);                                                        \
		told(#call, value_, errno);                                                        \
	})

/* The same for a call that gives an id, which goes by the variable's name from now on. */
#define GET(id, call)                                                                              \
	({                                                                                         \
		errno = 0;                                                                         \
		(id) = (call);                                                                     \
		told_id(#call, #id, (id), errno);                                                  \
	})

/* The same for shmat. */
#define AT(address, call)                                                                          \
	({                                                                                         \
		errno = 0;                                                                         \
		(address) = (call);                                                                \
		told_address(#call, (address), errno);                                             \
	})

/* Waits until the call gives the value: for what happens soon, but not at once. */
#define BECOMES(call, value)                                                                       \
	({                                                                                         \
		struct timespec end_ = patience();                                                 \
		while ((long)(call) != (value) && have_patience(&end_))                            \
			;                                                                          \
		told(#call, (long)(call), errno);                                                  \
	})

#define SHM(id) shm_state(#id, (id))
#define SEM(id) sem_state(#id, (id))
#define MSG(id) msg_state(#id, (id))

void transcript_begin(const char *part);
void say(const char *format, ...) __attribute__((format(printf, 1, 2)));
long told(const char *call, long value, int error);
int told_id(const char *call, const char *name, int id, int error);
bool told_address(const char *call, const void *address, int error);
const char *error_name(int error);
const char *id_name(const char *kind, int id); /* kind: "shm", "sem" or "msg" */
const char *pid_name(pid_t pid);

void shm_state(const char *name, int id);
void sem_state(const char *name, int id);
void msg_state(const char *name, int id);
const char *time_name(time_t t);

struct timespec patience(void);
bool have_patience(const struct timespec *end);

/* Another process: forked from this one, so that it has its ids and attachments. */
struct other {
	pid_t pid;
	int to, from;
	struct desk *desk;
};

void other_start(struct other *o, const char *name);
void other_do(struct other *o, void (*what)(void));
void other_begin(struct other *o, void (*what)(void)); /* ... that will sleep */
void other_sleeps(struct other *o);                    /* waits until it does */
void other_end(struct other *o);
void other_exit(struct other *o);
void other_kill(struct other *o);
/* Runs it in a new process of that name, and waits for its end. */
void in_child(const char *name, void (*what)(void));
/* For the process that calls it: the program again, "conform --after NAME ID". */
void become(const char *name, int id);
void become_nobody(void); /* a user without rights */

#endif
