/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sem.h - the sets of semaphores of the directory.
 *
 *   sem.c         semget, semop, semtimedop
 *   sem_ctl.c     semctl
 *   sem_core.h    one operation, without the lock
 *   sem_op.c      several at once, under the lock, by a journal; and who can go on then
 *   sem_queue.c   who sleeps
 *   sem_undo.c    what is undone when a process has ended
 *   sem_set.c     a set's file, mapped once in each process
 *   exec.c        what a process has to undo goes with it to its next image
 *
 * A semaphore's word changes by one compare-and-swap, unless it says SLOW: then only
 * whoever has the set's lock changes it.  He sets SLOW in all words of his operation,
 * judges them, writes what they become, and by one store it is done.  Who has to sleep
 * leaves his operations in a queue, and SLOW in their words.  Whoever changes one of
 * those does for the sleepers what has become possible, in the order and by the rules
 * of the kernel, and so nobody overtakes them.
 *
 * What is to be undone lies in a record of the process, one cell for each semaphore.
 * With the lock, it changes with the words.  Without it, the process first says in its
 * record's lane what it is about to do, and the word that it swaps in names that; so
 * whoever finds it dead, or needs the cell, knows whether that happened.
 *
 * Ordering edges:
 *
 *   WORD   W1 whoever changes a word: all he did before, then the word, release
 *          ->  W2 whoever reads it next: the word, acquire
 *   LANE   V1 owner: the lane says INTENT, then the word (W1)  ->  W2, then V2 the lane
 *          V3 who writes over that word: the lane says HAPPENED, then the word (W1)
 *          V4 the lock's owner: the cell, then the lane IDLE, release  ->  V5 owner: the lane
 *   ANSWER A1 who answers a sleeper: the answer, release  ->  A2 sleeper: acquire
 *          A3 sleeper: has read it, then owner 0, release  ->  A4 who takes the place: acquire
 *   LOCK   of lock.h, for all else
 */
#ifndef COSHM_SHIM_SEM_H
#define COSHM_SHIM_SEM_H

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "layout_sem.h"
#include "lock.h"
#include "table.h"
#include "token.h"

/* Of one call: more than this, no directory allows. */
#define SEM_OPS_MAX 4096

/* How often it may be in vain to look and not to sleep. */
#define SEM_LUCK 8

/* Where the parts of the file lie: private, and never read from it. */
struct sem_shape {
	uint32_t sems;
	uint32_t ops;     /* of one call             */
	uint32_t records; /* that there can be       */
	uint32_t record_bytes;
	uint32_t sleeper_bytes;
	uint64_t changes_at;
	uint64_t sleepers_at;
	uint64_t records_at;
	uint64_t bytes;
};

/* A set as this process has it. */
struct sem_set {
	struct object object;
	struct sem_shape shape;
	struct sem_set_shared *shared;
	struct sem_one_shared *sems;
	struct sem_change_shared *changes;
	unsigned char *sleepers;
	unsigned char *records;
	_Alignas(8) _Atomic uint64_t may[2]; /* read, alter: when that was found to be allowed */
	_Atomic uint32_t record;  /* + 1: ours; 0: not known                               */
	_Atomic uint32_t undoing; /* somebody uses our lane                                */
	_Atomic uint32_t luck;    /* how well it went to look and not to sleep             */
	_Atomic uint32_t sleeps;  /* that were, or that looked first                       */
	_Atomic uint32_t turns;   /* with the lock                                         */
	_Atomic uint32_t uses;    /* calls that are at it                                  */
};

/* Of words that the lock guards, or that one store of an edge makes known. */
#define sem_get(word)        atomic_load_explicit(&(word), memory_order_relaxed)
#define sem_put(word, value) atomic_store_explicit(&(word), (value), memory_order_relaxed)

/* Semaphores of all sets. */
uint64_t sem_all(void);

/* ---- sem_set.c ---- */

/* The set of this identifier, mapped; sem_set_unuse() it.  0 or -errno. */
int sem_set_use(int id, struct sem_set **set);
void sem_set_unuse(struct sem_set *set);
/* What a new set's file needs to have; its first @allocate bytes are allocated. */
uint64_t sem_set_bytes(uint32_t sems);
int sem_set_make(int fd, const struct object_plan *plan);
/* Is it there, and the same?  -EIDRM if not. */
int sem_set_still(const struct sem_set *set);
/* 0 or -EACCES; remembered. */
int sem_set_access(struct sem_set *set, bool alter);
/* Under the lock: memory for one more; 0 or -errno. */
int sem_set_grow_sleepers(struct sem_set *set);
int sem_set_grow_records(struct sem_set *set);
/* Each set that this process has mapped, for its end, and for a child. */
void sem_sets_each(void (*act)(struct sem_set *set));

static inline struct sem_record_shared *sem_record(const struct sem_set *set, uint32_t index)
{
	return (void *)(set->records + (size_t)index * set->shape.record_bytes);
}

static inline struct sem_sleeper_shared *sem_sleeper(const struct sem_set *set, uint32_t index)
{
	return (void *)(set->sleepers + (size_t)index * set->shape.sleeper_bytes);
}

static inline uint32_t sem_records(const struct sem_set *set)
{
	/* Relaxed: what lies in a record has a store of its own that says so. */
	uint32_t backed = atomic_load_explicit(&set->shared->records, memory_order_relaxed);

	return backed < set->shape.records ? backed : set->shape.records;
}

static inline uint32_t sem_sleepers(const struct sem_set *set)
{
	/* Relaxed: as sem_records(). */
	uint32_t backed = atomic_load_explicit(&set->shared->sleepers, memory_order_relaxed);

	return backed < SEM_SLEEPERS ? backed : SEM_SLEEPERS;
}

/* ---- sem_op.c ---- */

/* Sleepers to wake when the lock is given back. */
struct sem_wakes {
	uint32_t count;
	uint32_t sleeper[32];
};

struct sem_turn {
	bool blocked;     /* signals are: the program has a handler for one */
	sigset_t signals; /* as they were, then                             */
	struct sem_wakes wakes;
};

/* Signals blocked, and the lock; makes good what a dead owner left. */
void sem_enter(struct sem_set *set, struct sem_turn *turn);
void sem_leave(struct sem_set *set, struct sem_turn *turn);
/* The lock alone. */
void sem_lock(struct sem_set *set, struct sem_turn *turn);
void sem_unlock(struct sem_set *set, struct sem_turn *turn);

/* From here on, only the lock's owner changes it, until as many have let go of it. */
void sem_hold(struct sem_set *set, uint32_t sem);
void sem_unhold(struct sem_set *set, uint32_t sem);
void sem_hold_ops(struct sem_set *set, const struct sem_op_shared *op, uint32_t count);
void sem_unhold_ops(struct sem_set *set, const struct sem_op_shared *op, uint32_t count);

/*
 * sem_judge - under the lock, and the words held: what becomes of them by @op?
 * That stands in the changes, @count of them.
 *
 * Returns 0, 1 if operation @blocks has to wait, -EAGAIN, or -ERANGE.
 */
struct sem_verdict {
	uint32_t count;
	uint32_t blocks;
};
int sem_judge(struct sem_set *set, const struct sem_op_shared *op, uint32_t count, uint32_t record,
	      struct sem_verdict *verdict);

/* Do what stands in the changes. */
struct sem_commit {
	enum sem_journal_phase phase;
	uint32_t count;
	uint32_t record;  /* + 1 or 0 */
	uint32_t sleeper; /* + 1 or 0 */
	uint64_t pid;
};
void sem_commit(struct sem_set *set, const struct sem_commit *commit);

/* Do for the sleepers what can be done now. */
void sem_serve(struct sem_set *set, struct sem_turn *turn);

/* The time of the last operation. */
void sem_touch(struct sem_set *set);

/* ---- sem_queue.c ---- */

/* Under the lock: in the queue; its number, or -ENOMEM. */
int sem_queue_join(struct sem_set *set, const struct sem_op_shared *op, uint32_t count,
		   uint32_t record, uint32_t blocks);
/* Under the lock: out of it, with this answer. */
void sem_queue_answer(struct sem_set *set, struct sem_turn *turn, uint32_t sleeper, int err);
/* Under the lock: out of it; he gives himself the answer. */
void sem_queue_unlink(struct sem_set *set, uint32_t sleeper);
/* Under the lock: he is dead. */
void sem_queue_bury(struct sem_set *set, uint32_t sleeper);
/* Under the lock: everybody has this answer. */
void sem_queue_dismiss(struct sem_set *set, struct sem_turn *turn, int err);
/* Under the lock, of a dead owner: by the tickets; and what is SLOW is held by somebody. */
void sem_queue_rebuild(struct sem_set *set);
/* Under the lock: without those who have died. */
void sem_queue_purge(struct sem_set *set);
/* How many wait for @sem: for zero, or for more. */
int sem_queue_count(struct sem_set *set, uint32_t sem, bool zero);
bool sem_sleeper_alive(struct sem_set *set, uint32_t sleeper);
void sem_wake(struct sem_set *set, uint32_t sleeper);
/*
 * sem_sleep - without the lock, and signals still blocked: sleep until there is an answer,
 * a signal that @signals lets in, or it is @deadline_ns, if that is not negative.
 * @signals: NULL if none is blocked, since the program has no handler
 * @spins: look for it a while before that.
 *
 * They stay blocked, so that none is handled unnoticed before or after the futex call: a
 * semop is always interrupted.  They are looked for, sooner or later by a part of the time
 * slept.  A handler that leaves by longjmp leaves nothing behind.
 */
int sem_sleep(struct sem_set *set, uint32_t sleeper, int64_t deadline_ns, bool spins,
	      const sigset_t *signals);
/* Is it worth looking for a while, whether somebody is about to change what we wait for? */
bool sem_spins(struct sem_set *set);
int64_t sem_now_ns(void);
int64_t sem_deadline_ns(const struct timespec *timeout);

/* ---- sem_undo.c ---- */

/* This process's record in the set, + 1; or -errno.  Without the lock. */
int sem_undo_record(struct sem_set *set);
/* Is there anything that a dead process has left to undo?  Without the lock. */
bool sem_undo_due(struct sem_set *set);
/* Under the lock: undo it; true if anything was. */
bool sem_undo_dead(struct sem_set *set);
/* Without the lock: both. */
void sem_undo_look(struct sem_set *set);
/* fork's handlers. */
void sem_fork_prepare(void);
void sem_fork_parent(void);
void sem_fork_child(void);

/* For exec: the token's descriptor, if this process has one to hand over; else -1. */
int sem_undo_hand_over(char *text, size_t room);
void sem_undo_keep(void);

#endif /* COSHM_SHIM_SEM_H */
