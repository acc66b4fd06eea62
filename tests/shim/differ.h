/* SPDX-License-Identifier: Apache-2.0 */
/*
 * differ.h - what the files of the differential fuzzer share: a call that a
 * worker is asked to make, and its answer.
 */
#ifndef COSHM_DIFFER_H
#define COSHM_DIFFER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define WORKERS  3
#define SLOTS    3 /* objects of one kind at a time, and what a worker can attach */
#define OPS_MAX  3
#define SEMS     3
#define TEXT_MAX 200

enum kind { SHM, SEM, MSG, KINDS };

enum action {
	SHM_GET,
	SHM_AT,
	SHM_DT,
	SHM_WRITE,
	SHM_READ,
	SHM_SET,
	SHM_RM,
	SEM_GET,
	SEM_OP,
	SEM_SET,
	SEM_SETALL,
	SEM_RM,
	MSG_GET,
	MSG_SEND,
	MSG_TAKE,
	MSG_SET,
	MSG_RM,
	FORK,
	ACTIONS
};

/* Which fields count depends on the action. */
struct call {
	enum action action;
	int slot, id, place, flags, count;
	long a, b;
	struct {
		int number, by, flags;
	} ops[OPS_MAX];
};

struct answer {
	long value;
	int error;
	int extra; /* what was read: a byte, or a message's type */
};

struct worker {
	pid_t pid;
	int to, from, life;
	bool busy, answered;
	_Atomic(int) *calling; /* ... one that may sleep; in shared memory */
	struct call call;
	struct answer answer;
};

/* differ_workers.c */
extern struct worker workers[WORKERS];

_Noreturn void fail(const char *why);
void workers_begin(void);
void worker_ask(struct worker *w, const struct call *call);
bool worker_has_answer(const struct worker *w, int wait_ms);
/* After its death: another one in its place. */
void worker_bury(struct worker *w);
/* Collects the answers, until all have answered or sleep. */
void workers_settle(void);

/* differ_calls.c */
enum kind kind_of(enum action action);
struct answer make_call(const struct call *c);
void call_text(const struct call *c, char *text, size_t size);
/* A random one of this kind; it may sleep only if that is allowed. */
void draw_call(struct call *c, enum kind kind, bool may_sleep);
uint32_t draw(uint32_t below);
void draw_begin(uint64_t seed);
int key_of(enum kind kind, int slot);

/* differ_state.c: all that is to be seen of an object, in one line. */
void state_text(enum kind kind, int id, char *text, size_t size);
void name_pid(pid_t pid, const char *name);

#endif
