/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sem_core.h - one operation on one semaphore, without the lock; sem.h has the edges.
 */
#ifndef COSHM_SHIM_SEM_CORE_H
#define COSHM_SHIM_SEM_CORE_H

#include "sem.h"

/* Whoever wrote @word may still have to note it: from here on he need not look at it for that. */
static inline void sem_core_settle(const struct sem_set *set, uint64_t word)
{
	uint32_t index = SEM_RECORD(word) - 1;
	struct sem_record_shared *record;
	uint64_t lane;

	if (SEM_RECORD(word) == 0 || index >= sem_records(set))
		return;
	record = sem_record(set, index);
	/* Relaxed: W2 was acquired with @word, and whatever it says now is that or newer. */
	lane = atomic_load_explicit(&record->lane, memory_order_relaxed); /* V2 */
	if (SEM_LANE_PHASE(lane) == SEM_LANE_INTENT && SEM_LANE_NONCE(lane) == SEM_NONCE(word))
		/* Relaxed, both: ordered by W1 of him who calls this. */
		atomic_compare_exchange_strong_explicit(
			&record->lane, &lane, lane ^ (SEM_LANE_INTENT | SEM_LANE_HAPPENED),
			memory_order_relaxed, memory_order_relaxed); /* V3 */
}

/* Can @op be done on it by one swap? */
static inline bool sem_core_can(uint64_t word, int op)
{
	int value = SEM_VALUE(word) + op;

	return !(word & SEM_SLOW) && value >= 0 && value <= SEM_VALUE_MAX &&
	       (op != 0 || value == 0);
}

static inline void sem_core_sign(struct sem_one_shared *sem, uint64_t pid)
{
	/* Relaxed, both: the last one of several that race is as good as any. */
	if (atomic_load_explicit(&sem->pid, memory_order_relaxed) != pid)
		atomic_store_explicit(&sem->pid, pid, memory_order_relaxed);
}

/* False if it needs the lock, or has to wait. */
static inline bool sem_core_add(const struct sem_set *set, uint32_t index, int op, uint64_t pid)
{
	struct sem_one_shared *sem = &set->sems[index];
	uint64_t word = atomic_load_explicit(&sem->word, memory_order_acquire); /* W2 */

	do {
		if (!sem_core_can(word, op))
			return false;
		if (op == 0)
			break;
		sem_core_settle(set, word);
	} while (!atomic_compare_exchange_weak_explicit(
		&sem->word, &word, SEM_WORD(SEM_VALUE(word) + op, 0, SEM_NONCE(word) + 1),
		memory_order_acq_rel /* W1, W2 */, memory_order_acquire /* W2 */));
	sem_core_sign(sem, pid);
	return true;
}

/*
 * As long as @lane is what the record is about: the cell says so.  The owner does this, and
 * whoever has the lock and needs the cell; twice does no harm, and who is late finds another
 * version there.
 */
static inline void sem_core_note(struct sem_record_shared *record, uint64_t lane)
{
	_Atomic uint64_t *cell = &record->cell[SEM_LANE_SEM(lane)];
	/* Acquire: the lane is looked at after it. */
	uint64_t old = atomic_load_explicit(cell, memory_order_acquire), now;

	do {
		/* Acquire: with V4 comes the cell that it is about. */
		now = atomic_load_explicit(&record->lane, memory_order_acquire); /* V5 */
		if (SEM_LANE_PHASE(now) == SEM_LANE_IDLE ||
		    SEM_LANE_NONCE(now) != SEM_LANE_NONCE(lane))
			return;
	} while (!atomic_compare_exchange_weak_explicit(
		cell, &old, SEM_CELL_NEXT(old, SEM_LANE_ADJ(lane)),
		memory_order_acq_rel /* the lane was read before it, and is IDLE after it */,
		memory_order_acquire /* as above */));
}

/* Under the lock, @sem held: the cell of record @index is as its lane says. */
static inline void sem_core_settle_cell(const struct sem_set *set, uint32_t index, uint32_t sem)
{
	struct sem_record_shared *r = sem_record(set, index);
	uint64_t lane = atomic_load_explicit(&r->lane, memory_order_acquire);             /* V2 */
	uint64_t word = atomic_load_explicit(&set->sems[sem].word, memory_order_acquire); /* W2 */

	if (SEM_LANE_PHASE(lane) == SEM_LANE_IDLE || SEM_LANE_SEM(lane) != sem)
		return;
	/* The word is SLOW: what has not happened by now, will not. */
	if (SEM_LANE_PHASE(lane) == SEM_LANE_INTENT &&
	    (SEM_RECORD(word) != index + 1 || SEM_NONCE(word) != SEM_LANE_NONCE(lane)))
		return;
	sem_core_note(r, lane);
	/* Release: V4. Relaxed: its owner was here before us. */
	atomic_compare_exchange_strong_explicit(&r->lane, &lane,
						SEM_LANE(SEM_LANE_IDLE, 0, 0, SEM_LANE_NONCE(lane)),
						memory_order_release, memory_order_relaxed);
}

/* As sem_core_add(), of one that is to be undone; the caller alone uses the record's lane. */
static inline bool sem_core_add_undo(const struct sem_set *set, uint32_t record_index,
				     uint32_t index, int op, uint64_t pid)
{
	struct sem_record_shared *record = sem_record(set, record_index);
	struct sem_one_shared *sem = &set->sems[index];
	uint64_t word, lane, idle;
	/* Relaxed: only we give it a nonce. */
	uint32_t nonce =
		SEM_LANE_NONCE(atomic_load_explicit(&record->lane, memory_order_relaxed)) + 1;
	int adj;
	bool done;

	word = atomic_load_explicit(&sem->word, memory_order_acquire); /* W2 */
	if (!sem_core_can(word, op))
		return false;
	/* Relaxed: under the lock it changes only with SLOW in the word, and then the swap fails.
	 */
	adj = SEM_CELL_ADJ(atomic_load_explicit(&record->cell[index], memory_order_relaxed)) - op;
	if (adj < SEM_ADJ_MIN || adj > SEM_ADJ_MAX)
		return false;
	sem_core_settle(set, word);
	lane = SEM_LANE(SEM_LANE_INTENT, adj, index, nonce);
	idle = SEM_LANE(SEM_LANE_IDLE, 0, 0, nonce);
	/* Relaxed: ordered by W1. */
	atomic_store_explicit(&record->lane, lane, memory_order_relaxed); /* V1 */
	done = atomic_compare_exchange_strong_explicit(
		&sem->word, &word, SEM_WORD(SEM_VALUE(word) + op, record_index + 1, nonce),
		memory_order_acq_rel /* W1, W2 */, memory_order_relaxed /* it goes another way */);
	if (done)
		sem_core_note(record, lane);
	/* Release: the cell first. */
	atomic_store_explicit(&record->lane, idle, memory_order_release);
	if (done)
		sem_core_sign(sem, pid);
	return done;
}

#endif /* COSHM_SHIM_SEM_CORE_H */
