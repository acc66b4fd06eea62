/* SPDX-License-Identifier: Apache-2.0 */
/*
 * layout_sem.h - every byte of a set of semaphores: the file sem-ID beside the table.
 *
 *   head | semaphores | changes | sleepers, as they come | undo records, as they come
 *
 * All of it but the last two is allocated when the set is made.  How long each part is
 * follows from the number of semaphores and the directory's semopm: shim/sem_set.c.
 *
 * A semaphore is one word.  Who finds SLOW in it asks for the set's lock; else one
 * compare-and-swap is the whole operation.  Its tag names who wrote it, if he still has to
 * note what is to be undone: the record, and the nonce of that record's lane.
 */
#ifndef COSHM_LAYOUT_SEM_H
#define COSHM_LAYOUT_SEM_H

#include "layout_sysv.h"

#define SEM_MAGIC     UINT64_C(0x6d65732d76737963) /* bytes "cysv-sem" */
#define SEM_VALUE_MAX 32767
#define SEM_ADJ_MIN   (-32768)
#define SEM_ADJ_MAX   32767
#define SEM_SLEEPERS  4096u
#define SEM_RECORDS   4096u

/* Bits 15 to 0 the value, 16: SLOW, 29 to 17 the record + 1, 63 to 34 the nonce. */
#define SEM_SLOW      (UINT64_C(1) << 16)
#define SEM_VALUE(w)  ((int)((w)&0xffffu))
#define SEM_RECORD(w) ((uint32_t)((w) >> 17) & 0x1fffu)
#define SEM_NONCE(w)  ((uint32_t)((w) >> 34))
#define SEM_NONCES    (UINT32_C(1) << 30)
#define SEM_WORD(v, r, n)                                                                          \
	((uint64_t)(v) | ((uint64_t)(r) << 17) | ((uint64_t)((n) % SEM_NONCES) << 34))

struct sem_one_shared {
	_Alignas(32) _Atomic uint64_t word;
	_Alignas(8) _Atomic uint64_t pid; /* SYSV_PID of him who was last at it             */
	_Atomic uint32_t holds; /* by an operation under way, by sleepers: then it is SLOW */
	uint32_t unused[3];
};

_Static_assert(offsetof(struct sem_one_shared, pid) == 8, "layout");
_Static_assert(offsetof(struct sem_one_shared, holds) == 16, "layout");
_Static_assert(sizeof(struct sem_one_shared) == 32, "layout");

/*
 * What a process has to undo in this set.  A lane is what it is about to do without the
 * lock: bits 1 to 0 the phase, 17 to 2 what is to be undone then, 33 to 18 the semaphore,
 * 63 to 34 the nonce.
 */
enum sem_lane_phase {
	SEM_LANE_IDLE = 0,
	SEM_LANE_INTENT = 1,   /* it happened if the word has this nonce         */
	SEM_LANE_HAPPENED = 2, /* it did, and the word has been written over     */
};
#define SEM_LANE_PHASE(l) ((uint32_t)((l)&3u))
#define SEM_LANE_ADJ(l)   ((int)(int16_t)(uint16_t)((l) >> 2))
#define SEM_LANE_SEM(l)   ((uint32_t)((l) >> 18) & 0xffffu)
#define SEM_LANE_NONCE(l) ((uint32_t)((l) >> 34))
#define SEM_LANE(p, a, s, n)                                                                       \
	((uint64_t)(p) | ((uint64_t)(uint16_t)(a) << 2) | ((uint64_t)(s) << 18) |                  \
	 ((uint64_t)((n) % SEM_NONCES) << 34))

/* What is to be undone of one semaphore: bits 15 to 0; above, a version that no two stores share.
 */
#define SEM_CELL_ADJ(c)     ((int)(int16_t)(uint16_t)(c))
#define SEM_CELL_NEXT(c, a) (((((c) >> 16) + 1) << 16) | (uint16_t)(a))

struct sem_record_shared {
	_Alignas(64) _Atomic uint64_t owner; /* SYSV_LOCK_WORD of its UNDO token; 0: free */
	_Alignas(8) _Atomic uint64_t lane;
	_Alignas(8) _Atomic uint64_t pid;
	_Alignas(8) uint64_t unused;
	_Alignas(8) _Atomic uint64_t cell[]; /* for each semaphore */
};

_Static_assert(offsetof(struct sem_record_shared, lane) == 8, "layout");
_Static_assert(offsetof(struct sem_record_shared, pid) == 16, "layout");
_Static_assert(offsetof(struct sem_record_shared, cell) == 32, "layout");

/* One operation, as in sembuf. */
struct sem_op_shared {
	uint16_t sem;
	int16_t op;
	uint16_t flags; /* SEM_OP_... */
	uint16_t unused;
};
#define SEM_OP_NOWAIT 1u
#define SEM_OP_UNDO   2u

_Static_assert(sizeof(struct sem_op_shared) == 8, "layout");

/* One call that sleeps.  In the queue, unless it has its answer; all but that under the lock. */
struct sem_sleeper_shared {
	_Alignas(64) _Atomic uint64_t owner; /* SYSV_LOCK_WORD of its process; 0: free   */
	_Alignas(8) uint64_t ticket;         /* who came first                           */
	_Alignas(8) uint64_t pid;
	_Atomic uint32_t answer; /* SEM_SLEEPS, or an errno; 0: it was done. Its futex.  */
	uint32_t next;           /* sleeper + 1                                          */
	uint32_t before;
	uint32_t record; /* + 1, for SEM_UNDO; or 0                              */
	uint32_t count;  /* of operations                                        */
	uint32_t blocks; /* which of them it waits for                           */
	struct sem_op_shared op[];
};
#define SEM_SLEEPS UINT32_MAX

_Static_assert(offsetof(struct sem_sleeper_shared, answer) == 24, "layout");
_Static_assert(offsetof(struct sem_sleeper_shared, next) == 28, "layout");
_Static_assert(offsetof(struct sem_sleeper_shared, blocks) == 44, "layout");
_Static_assert(offsetof(struct sem_sleeper_shared, op) == 48, "layout");

/* What one semaphore becomes. */
struct sem_change_shared {
	uint16_t sem;
	uint16_t value;
	int16_t adj;
	uint16_t what; /* SEM_CHANGE_ADJ: adj, too */
};
#define SEM_CHANGE_ADJ 1u

_Static_assert(sizeof(struct sem_change_shared) == 8, "layout");

/*
 * The changes of one operation that takes the lock.  They are written, then the phase; from
 * then on whoever gets the lock makes them, if its owner died.
 */
enum sem_journal_phase {
	SEM_JOURNAL_NONE = 0,
	SEM_JOURNAL_OPERATE = 1, /* values, and what is to be undone of one record        */
	SEM_JOURNAL_SET = 2,     /* values, and nothing of that is to be undone by anybody */
};

struct sem_journal_shared {
	_Alignas(64) _Atomic uint32_t phase;
	uint32_t count;
	uint32_t record;  /* + 1, whose adj it is; or 0                     */
	uint32_t sleeper; /* + 1, for whom it was done; or 0                */
	_Alignas(8) uint64_t pid;
};

_Static_assert(offsetof(struct sem_journal_shared, pid) == 16, "layout");

struct sem_set_shared {
	_Alignas(64) struct sysv_lock_shared lock;
	_Alignas(8) uint64_t magic;
	uint32_t sems; /* as the shape was when it was made */
	uint32_t ops;
	_Alignas(8) uint64_t ticket; /* the last one given                          */
	_Atomic uint32_t first;      /* sleeper + 1                                 */
	uint32_t last;
	_Atomic uint32_t sleepers; /* that have memory                            */
	_Atomic uint32_t records;  /* that have memory                            */
	_Atomic uint32_t changed;  /* how often its permissions were              */
	uint32_t unused;
	struct sem_journal_shared journal;
};

_Static_assert(offsetof(struct sem_set_shared, magic) == 8, "layout");
_Static_assert(offsetof(struct sem_set_shared, sems) == 16, "layout");
_Static_assert(offsetof(struct sem_set_shared, ticket) == 24, "layout");
_Static_assert(offsetof(struct sem_set_shared, first) == 32, "layout");
_Static_assert(offsetof(struct sem_set_shared, sleepers) == 40, "layout");
_Static_assert(offsetof(struct sem_set_shared, changed) == 48, "layout");
_Static_assert(offsetof(struct sem_set_shared, journal) == 64, "layout");
_Static_assert(sizeof(struct sem_set_shared) == 128, "layout");

#endif /* COSHM_LAYOUT_SEM_H */
