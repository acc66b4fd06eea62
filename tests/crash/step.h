/* SPDX-License-Identifier: Apache-2.0 */
/*
 * step.h - a child that is run one instruction at a time.
 *
 * The child marks where the part begins that is to be stepped, and where it
 * ends.  A system call is one step.  Nothing here knows the processor: the
 * marks are signals that the child sends to itself, and the kernel tells the
 * address of each instruction.  (Where an atomic operation is a loop of a
 * load-exclusive and a store-exclusive, a step in between makes it fail for
 * ever: an aarch64 is to have LSE.  Only x86-64 was tried.)
 */
#ifndef COSHM_TEST_STEP_H
#define COSHM_TEST_STEP_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* Fork a child for @play and wait until it is at its first mark; -1 if it never came there. */
pid_t step_start(void (*play)(void *arg), void *arg);

/* In the child, twice: here the stepped part begins; here it ends. */
void step_mark(void);

/*
 * The way from mark to mark.  Single steps are slow (some 15 us), so a point is
 * reached in two parts: from system call to system call, then by steps.
 */
struct step_way {
	long steps;        /* instructions from mark to mark                       */
	uint64_t *at;      /* at[k]: the address of the next one, when k are done  */
	long calls;        /* system calls among them                              */
	uint64_t *returns; /* returns[i]: the address behind call i              */
	long *call_step;   /* call_step[i]: steps done when call i has returned    */
};

/* Learn it from two children of step_start(), one after the other; they are killed. */
bool step_learn_calls(pid_t pid, struct step_way *way);
bool step_learn_steps(pid_t pid, struct step_way *way);
void step_forget(struct step_way *way);

/*
 * Let it execute @k instructions.  True if it then is where the way was at @k;
 * false if it took another one, and stands somewhere else.
 */
bool step_to(pid_t pid, const struct step_way *way, long k);

/* From here on it runs by itself. */
bool step_release(pid_t pid);

/* SIGKILL, and its end awaited: then the kernel has dropped all that it had. */
void step_kill(pid_t pid);

#endif /* COSHM_TEST_STEP_H */
