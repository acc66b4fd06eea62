/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sem_undo.c - what is undone when a process has ended, and by whom.
 *
 * A process that uses SEM_UNDO has a token of its own for that, which outlives exec: its
 * descriptor is handed to the next image (exec.c).  At a normal end it undoes what is to be
 * undone by itself; after any other, whoever finds the token dead.
 */
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "real.h"
#include "sem.h"
#include "sem_core.h"

#define HANDED "COSHM_UNDO" /* "descriptor:token:epoch" */

static struct token undo;          /* written under the mutex */
static pid_t undo_pid;             /* whose it is: a child of vfork has our memory */
static _Atomic uint64_t undo_word; /* SYSV_LOCK_WORD of it; 0: none */
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;

/* ---- the records of others ---- */

/* Relaxed, all: a look without the lock; if there is anything, it is looked at again. */
static bool has_work(const struct sem_set *set, const struct sem_record_shared *r)
{
	if (SEM_LANE_PHASE(sem_get(r->lane)) != SEM_LANE_IDLE)
		return true;
	for (uint32_t i = 0; i < set->shape.sems; i++)
		if (SEM_CELL_ADJ(sem_get(r->cell[i])) != 0)
			return true;
	return false;
}

static bool is_dead(const struct sem_record_shared *r)
{
	/* Relaxed: it is dead or not whatever else is in the record. */
	uint64_t owner = sem_get(r->owner);

	return owner != 0 && owner != sem_get(undo_word) &&
	       !token_alive(SYSV_LOCK_TOKEN(owner), SYSV_LOCK_EPOCH(owner));
}

static int clamp(int value)
{
	return value < 0 ? 0 : value > SEM_VALUE_MAX ? SEM_VALUE_MAX : value;
}

/* Under the lock; nobody uses its lane.  The record is free then. */
static void undo_record(struct sem_set *set, uint32_t index)
{
	struct sem_record_shared *r = sem_record(set, index);
	uint32_t sem = SEM_LANE_SEM(sem_get(r->lane)), count = 0;

	if (SEM_LANE_PHASE(sem_get(r->lane)) != SEM_LANE_IDLE && sem < set->shape.sems) {
		sem_hold(set, sem);
		sem_core_settle_cell(set, index, sem);
		sem_unhold(set, sem);
	}
	sem_put(r->lane, SEM_LANE(SEM_LANE_IDLE, 0, 0, SEM_LANE_NONCE(sem_get(r->lane))));
	for (uint32_t i = 0; i < set->shape.sems; i++) {
		int adj = SEM_CELL_ADJ(sem_get(r->cell[i]));

		if (adj == 0)
			continue;
		sem_hold(set, i);
		set->changes[count++] = (struct sem_change_shared){
			.sem = (uint16_t)i,
			.value = (uint16_t)clamp(SEM_VALUE(sem_get(set->sems[i].word)) + adj),
			.what = SEM_CHANGE_ADJ,
		};
	}
	if (count > 0) {
		sem_commit(set, &(struct sem_commit){ .phase = SEM_JOURNAL_OPERATE,
						      .count = count,
						      .record = index + 1,
						      .pid = sem_get(r->pid) });
		sem_touch(set);
	}
	for (uint32_t i = 0; i < count; i++)
		if (set->changes[i].sem < set->shape.sems)
			sem_unhold(set, set->changes[i].sem);
	/* Release: it is free when all that is done. */
	atomic_store_explicit(&r->owner, 0, memory_order_release);
}

bool sem_undo_due(struct sem_set *set)
{
	for (uint32_t i = 0; i < sem_records(set); i++) {
		struct sem_record_shared *r = sem_record(set, i);

		if (sem_get(r->owner) != 0 && has_work(set, r) && is_dead(r))
			return true;
	}
	return false;
}

bool sem_undo_dead(struct sem_set *set)
{
	bool any = false;

	for (uint32_t i = 0; i < sem_records(set); i++) {
		struct sem_record_shared *r = sem_record(set, i);

		if (sem_get(r->owner) != 0 && has_work(set, r) && is_dead(r)) {
			undo_record(set, i);
			any = true;
		}
	}
	return any;
}

void sem_undo_look(struct sem_set *set)
{
	struct sem_turn turn;

	if (!sem_undo_due(set))
		return;
	sem_enter(set, &turn);
	if (sem_undo_dead(set))
		sem_serve(set, &turn);
	sem_leave(set, &turn);
}

/* ---- our own record ---- */

static int take_token(void)
{
	sigset_t signals;
	int err = 0;

	if (sem_get(undo_word) != 0)
		return 0;
	signals_block(&signals); /* a handler would wait for the thread that it interrupted */
	pthread_mutex_lock(&mutex);
	if (!undo.held) {
		err = token_take(&undo, SYSV_TOKEN_UNDO, TOKEN_KEEP_FD);
		undo_pid = getpid();
	}
	if (err == 0)
		/* Release: who acts by it finds the table's token whole. */
		atomic_store_explicit(&undo_word, SYSV_LOCK_WORD(undo.index, undo.epoch),
				      memory_order_release);
	pthread_mutex_unlock(&mutex);
	signals_restore(&signals);
	return err;
}

/* Under the lock: ours, or a free one, or a dead one's. */
static int find_record(struct sem_set *set, struct sem_turn *turn)
{
	uint32_t count = sem_records(set);
	int err;

	for (uint32_t i = 0; i < count; i++)
		if (sem_get(sem_record(set, i)->owner) == sem_get(undo_word))
			return (int)i;
	for (uint32_t i = 0; i < count; i++)
		if (sem_get(sem_record(set, i)->owner) == 0)
			return (int)i;
	for (uint32_t i = 0; i < count; i++)
		if (is_dead(sem_record(set, i))) {
			undo_record(set, i);
			sem_serve(set, turn);
			return (int)i;
		}
	err = sem_set_grow_records(set);
	return err < 0 ? err : (int)count;
}

int sem_undo_record(struct sem_set *set)
{
	/* Relaxed: it is ours as long as the set is mapped. */
	int record = (int)atomic_load_explicit(&set->record, memory_order_relaxed), err;
	struct sem_turn turn;

	if (record != 0)
		return record;
	err = take_token();
	if (err < 0)
		return err;
	sem_enter(set, &turn);
	record = find_record(set, &turn);
	if (record >= 0) {
		struct sem_record_shared *r = sem_record(set, (uint32_t)record);

		sem_put(r->pid, token_pid());
		/* Release: with whose it is comes his number. */
		atomic_store_explicit(&r->owner, sem_get(undo_word), memory_order_release);
		atomic_store_explicit(&set->record, (uint32_t)record + 1, memory_order_relaxed);
	}
	sem_leave(set, &turn);
	return record < 0 ? record : record + 1;
}

/* ---- the end, fork, and exec ---- */

/* Another thread that is at it goes on until the process has ended: then others do it. */
static void undo_ours(struct sem_set *set)
{
	uint32_t record = sem_get(set->record);
	struct sem_turn turn;

	if (record == 0 || sem_set_still(set) < 0 ||
	    atomic_exchange_explicit(&set->undoing, 1, memory_order_acquire) != 0)
		return;
	sem_enter(set, &turn);
	undo_record(set, record - 1);
	sem_serve(set, &turn);
	sem_leave(set, &turn);
	sem_put(set->record, 0);
	atomic_store_explicit(&set->undoing, 0, memory_order_release);
}

__attribute__((destructor)) static void leave(void)
{
	if (sem_get(undo_word) != 0 && undo_pid == getpid())
		sem_sets_each(undo_ours);
}

void sem_fork_prepare(void)
{
	pthread_mutex_lock(&mutex);
}

void sem_fork_parent(void)
{
	pthread_mutex_unlock(&mutex);
}

static void begin_anew(struct sem_set *set)
{
	/* The only thread there is. */
	sem_put(set->record, 0);
	sem_put(set->undoing, 0);
	sem_put(set->uses, 0);
}

/* A child has nothing to undo; its parent's descriptor would keep the token alive. */
void sem_fork_child(void)
{
	if (undo.fd >= 0 && undo.held)
		close(undo.fd);
	undo = (struct token){ .fd = -1 };
	sem_put(undo_word, 0);
	sem_sets_each(begin_anew);
	pthread_mutex_unlock(&mutex);
}

int sem_undo_hand_over(char *text, size_t room)
{
	if (sem_get(undo_word) == 0 || undo_pid != getpid() || !token_kept(&undo))
		return -1;
	snprintf(text, room, HANDED "=%d:%u:%u", undo.fd, undo.index, undo.epoch);
	fcntl(undo.fd, F_SETFD, 0);
	return undo.fd;
}

void sem_undo_keep(void)
{
	fcntl(undo.fd, F_SETFD, FD_CLOEXEC);
}

/* What the image before this one had to undo is ours now. */
__attribute__((constructor)) static void inherit(void)
{
	const char *text = getenv(HANDED);
	unsigned int index, epoch;
	int fd;

	if (!text)
		return;
	if (shim_dir() && sscanf(text, "%d:%u:%u", &fd, &index, &epoch) == 3 && table_open() &&
	    token_adopt(&undo, fd, index, epoch) == 0) {
		undo_pid = getpid();
		/* Relaxed: there is no other thread. */
		sem_put(undo_word, SYSV_LOCK_WORD(undo.index, undo.epoch));
	}
	unsetenv(HANDED);
}
