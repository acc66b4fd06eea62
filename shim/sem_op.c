/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sem_op.c - operations under the set's lock: judged, journalled, done; and the sleepers
 * for whom that was what they waited for.
 *
 * Killed before the journal's phase is stored, nothing was done; killed after it, the next
 * owner of the lock does it, and doing it twice is as doing it once: the words are SLOW, so
 * nobody has changed them meanwhile.
 */
#include "handlers.h"
#include "sem.h"
#include "sem_core.h"

void sem_touch(struct sem_set *set)
{
	_Atomic int64_t *when = &set->object.slot->atime_s;
	int64_t now = now_s();

	/* Relaxed, both: the newest of several that race is as good as any. */
	if (atomic_load_explicit(when, memory_order_relaxed) != now)
		atomic_store_explicit(when, now, memory_order_relaxed);
}

void sem_hold(struct sem_set *set, uint32_t sem)
{
	struct sem_one_shared *one = &set->sems[sem];

	sem_put(one->holds, sem_get(one->holds) + 1);
	/* Relaxed: under the lock, what is SLOW stays so. */
	if (!(atomic_load_explicit(&one->word, memory_order_relaxed) & SEM_SLOW))
		atomic_fetch_or_explicit(&one->word, SEM_SLOW, memory_order_acq_rel); /* W1, W2 */
}

void sem_unhold(struct sem_set *set, uint32_t sem)
{
	struct sem_one_shared *one = &set->sems[sem];
	uint32_t holds = sem_get(one->holds);

	sem_put(one->holds, holds - (holds != 0));
	if (holds <= 1)
		atomic_store_explicit(&one->word, sem_get(one->word) & ~SEM_SLOW,
				      memory_order_release); /* W1 */
}

void sem_hold_ops(struct sem_set *set, const struct sem_op_shared *op, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++)
		sem_hold(set, op[i].sem);
}

void sem_unhold_ops(struct sem_set *set, const struct sem_op_shared *op, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++)
		sem_unhold(set, op[i].sem);
}

/* ---- judge ---- */

/* What stands in the changes about @sem; begun with what it is. */
static struct sem_change_shared *change_of(struct sem_set *set, struct sem_verdict *verdict,
					   uint32_t sem, uint32_t record)
{
	struct sem_change_shared *c = set->changes;

	for (uint32_t i = 0; i < verdict->count; i++)
		if (c[i].sem == sem)
			return &c[i];
	c += verdict->count++;
	*c = (struct sem_change_shared){
		.sem = (uint16_t)sem, .value = (uint16_t)SEM_VALUE(sem_get(set->sems[sem].word))
	};
	if (record != 0) {
		sem_core_settle_cell(set, record - 1, sem);
		c->adj = (int16_t)SEM_CELL_ADJ(sem_get(sem_record(set, record - 1)->cell[sem]));
	}
	return c;
}

/* As perform_atomic_semop() of the kernel: each sees what the ones before it did. */
int sem_judge(struct sem_set *set, const struct sem_op_shared *op, uint32_t count, uint32_t record,
	      struct sem_verdict *verdict)
{
	verdict->count = 0;
	for (uint32_t i = 0; i < count; i++) {
		struct sem_op_shared o = op[i]; /* a sleeper's lies in shared memory */
		struct sem_change_shared *c;
		int value, adj;

		if (o.sem >= set->shape.sems)
			return -EFBIG;
		c = change_of(set, verdict, o.sem, record);
		value = c->value + o.op;
		if (value < 0 || (o.op == 0 && value != 0)) {
			verdict->blocks = i;
			return o.flags & SEM_OP_NOWAIT ? -EAGAIN : 1;
		}
		if (value > SEM_VALUE_MAX)
			return -ERANGE;
		if ((o.flags & SEM_OP_UNDO) && record != 0) {
			adj = c->adj - o.op;
			if (adj < SEM_ADJ_MIN || adj > SEM_ADJ_MAX)
				return -ERANGE;
			c->adj = (int16_t)adj;
			c->what |= SEM_CHANGE_ADJ;
		}
		c->value = (uint16_t)value;
	}
	return 0;
}

/* ---- do ---- */

static void put_cell(struct sem_set *set, uint32_t record, uint32_t sem, int adj)
{
	_Atomic uint64_t *cell = &sem_record(set, record)->cell[sem];

	/* The lane is settled, so whoever is late finds another version. */
	sem_put(*cell, SEM_CELL_NEXT(sem_get(*cell), adj));
}

static void apply_one(struct sem_set *set, const struct sem_commit *commit,
		      const struct sem_change_shared *change)
{
	struct sem_one_shared *sem = &set->sems[change->sem];
	uint64_t word = sem_get(sem->word);

	sem_core_settle(set, word);
	atomic_store_explicit(&sem->word,
			      SEM_WORD(change->value, 0, SEM_NONCE(word) + 1) | SEM_SLOW,
			      memory_order_release); /* W1 */
	sem_put(sem->pid, commit->pid);
	if (commit->phase == SEM_JOURNAL_SET) {
		for (uint32_t i = 0; i < sem_records(set); i++) {
			sem_core_settle_cell(set, i, change->sem);
			put_cell(set, i, change->sem, 0);
		}
	} else if ((change->what & SEM_CHANGE_ADJ) && commit->record != 0) {
		put_cell(set, commit->record - 1, change->sem, change->adj);
	}
}

/* Everything again is bounded: who reads the journal need not be who wrote it. */
static void apply(struct sem_set *set, const struct sem_commit *commit)
{
	for (uint32_t i = 0; i < commit->count; i++) {
		struct sem_change_shared change = set->changes[i];

		if (change.sem < set->shape.sems && change.value <= SEM_VALUE_MAX)
			apply_one(set, commit, &change);
	}
	if (commit->sleeper != 0)
		atomic_store_explicit(&sem_sleeper(set, commit->sleeper - 1)->answer, 0,
				      memory_order_release); /* A1 */
	/* Release: all of it is done. */
	atomic_store_explicit(&set->shared->journal.phase, SEM_JOURNAL_NONE, memory_order_release);
}

void sem_commit(struct sem_set *set, const struct sem_commit *commit)
{
	struct sem_journal_shared *j = &set->shared->journal;

	j->count = commit->count;
	j->record = commit->record;
	j->sleeper = commit->sleeper;
	j->pid = commit->pid;
	/* Release: what is to be done, then that it is. */
	atomic_store_explicit(&j->phase, commit->phase, memory_order_release);
	atomic_signal_fence(memory_order_seq_cst); /* killed from here on, it is done */
	apply(set, commit);
}

/* ---- the lock ---- */

static void recover(struct sem_set *set, struct sem_turn *turn)
{
	struct sem_journal_shared *j = &set->shared->journal;
	uint32_t most = set->shape.ops > set->shape.sems ? set->shape.ops : set->shape.sems;
	struct sem_commit commit = {
		.phase = sem_get(j->phase),
		.count = j->count,
		.record = j->record,
		.sleeper = j->sleeper,
		.pid = j->pid,
	};

	if (commit.phase != SEM_JOURNAL_NONE && commit.count <= most &&
	    commit.record <= sem_records(set) && commit.sleeper <= sem_sleepers(set))
		apply(set, &commit);
	sem_queue_rebuild(set);
	sem_undo_dead(set); /* it may have had something to undo, too */
	sem_serve(set, turn);
}

void sem_lock(struct sem_set *set, struct sem_turn *turn)
{
	turn->wakes.count = 0;
	if (lock_take_blocked(&set->shared->lock))
		recover(set, turn);
}

void sem_unlock(struct sem_set *set, struct sem_turn *turn)
{
	lock_give_blocked(&set->shared->lock);
	for (uint32_t i = 0; i < turn->wakes.count; i++)
		sem_wake(set, turn->wakes.sleeper[i]);
}

void sem_enter(struct sem_set *set, struct sem_turn *turn)
{
	turn->blocked = handlers_any();
	if (turn->blocked)
		signals_block(&turn->signals);
	sem_lock(set, turn);
}

void sem_leave(struct sem_set *set, struct sem_turn *turn)
{
	sem_unlock(set, turn);
	if (turn->blocked)
		signals_restore(&turn->signals);
}

/* ---- the sleepers ---- */

static bool alters(const struct sem_sleeper_shared *s)
{
	for (uint32_t i = 0; i < s->count; i++)
		if (s->op[i].op != 0)
			return true;
	return false;
}

/* What @index waits for: done, if it can be; true if that has changed anything. */
static bool try_sleeper(struct sem_set *set, struct sem_turn *turn, uint32_t index)
{
	struct sem_sleeper_shared *s = sem_sleeper(set, index);
	uint32_t count = s->count, record = s->record;
	struct sem_verdict verdict;
	int err = -EINVAL;

	if (count <= set->shape.ops && record <= sem_records(set))
		err = sem_judge(set, s->op, count, record, &verdict);
	if (err > 0) {
		s->blocks = verdict.blocks;
		return false;
	}
	if (err < 0) {
		sem_queue_answer(set, turn, index, -err);
		return false;
	}
	if (!sem_sleeper_alive(set, index)) {
		sem_queue_bury(set, index);
		return false;
	}
	sem_commit(set, &(struct sem_commit){ .phase = SEM_JOURNAL_OPERATE,
					      .count = verdict.count,
					      .record = record,
					      .sleeper = index + 1,
					      .pid = s->pid });
	sem_queue_answer(set, turn, index, 0);
	sem_touch(set);
	return true;
}

/* One time through the queue; @change: those who alter, until one of them has. */
static bool pass(struct sem_set *set, struct sem_turn *turn, bool change)
{
	uint32_t next, at = sem_get(set->shared->first);

	for (uint32_t i = 0; at != 0 && at <= sem_sleepers(set) && i < SEM_SLEEPERS; i++) {
		struct sem_sleeper_shared *s = sem_sleeper(set, at - 1);

		next = s->next;
		if (alters(s) == change && try_sleeper(set, turn, at - 1) && change)
			return true;
		at = next;
	}
	return false;
}

/* As the kernel: first those who only wait for zero, and again whenever something has changed. */
void sem_serve(struct sem_set *set, struct sem_turn *turn)
{
	if (sem_get(set->shared->first) == 0)
		return;
	do
		pass(set, turn, false);
	while (pass(set, turn, true));
}
