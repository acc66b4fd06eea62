/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sem.c - semget, semop and semtimedop.
 */
#include <sys/sem.h>
#include <time.h>

#include "call.h"
#include "real.h"
#include "sem.h"
#include "sem_core.h"
#include "wait.h" /* cpu_relax() */

/* Looks of one who would have to wait: about a microsecond. */
#define LOOKS WAIT_FIRST_PAUSES

/* Whose lock it is looks so often for sleepers who have died. */
#define TURNS 64

/* ---- semget ---- */

static int enough(const struct object *o, const struct object_plan *plan)
{
	/* Relaxed: L2. */
	return plan->size > atomic_load_explicit(&o->slot->size, memory_order_relaxed) ? -EINVAL :
											 0;
}

static int room(const struct object_plan *plan)
{
	uint64_t all = sem_all(), most = table_open()->limits.semmns;

	return all > most || plan->size > most - all ? -ENOSPC : 0;
}

uint64_t sem_all(void)
{
	uint32_t end = table_backed(SYSV_AREA_SLOTS + SYSV_SEM);
	uint64_t sum = 0;
	struct object o;

	for (uint32_t i = 0; i < end; i++)
		if (object_at(SYSV_SEM, (int)i, &o) == 0)
			/* Relaxed: L2. */
			sum += atomic_load_explicit(&o.slot->size, memory_order_relaxed);
	return sum;
}

static int get(key_t key, int count, int flags)
{
	const struct table *table = table_open();
	struct object_plan plan = {
		.kind = SYSV_SEM,
		.key = key,
		.flags = flags,
		.size = (uint64_t)count,
		.check = enough,
		.room = room,
		.make = sem_set_make,
	};
	struct object o;

	if (!table)
		return -errno;
	if (count < 0 || (uint32_t)count > table->limits.semmsl)
		return -EINVAL;
	if (key == IPC_PRIVATE || object_find_key(SYSV_SEM, key, &o) < 0) {
		if (key != IPC_PRIVATE && !(flags & IPC_CREAT))
			return -ENOENT;
		if (count == 0)
			return -EINVAL;
	}
	plan.file_bytes = sem_set_bytes((uint32_t)count);
	return object_get(&plan);
}

SHIM_EXPORT int semget(key_t key, int count, int flags)
{
	return shim_dir() ? answer(get(key, count, flags)) : REAL(semget)(key, count, flags);
}

/* ---- semop ---- */

/* A call: a private copy of its operations, and what they are altogether. */
struct call {
	struct sem_op_shared *op;
	uint32_t count;
	uint32_t record; /* + 1; 0: nothing to undo */
	bool alters, undoes;
	bool limited; /* in time */
	bool spins;
	int64_t deadline_ns;
};

static void read_ops(const struct sembuf *from, struct call *call)
{
	for (uint32_t i = 0; i < call->count; i++) {
		call->op[i] = (struct sem_op_shared){
			.sem = from[i].sem_num,
			.op = from[i].sem_op,
			.flags = (uint16_t)((from[i].sem_flg & IPC_NOWAIT ? SEM_OP_NOWAIT : 0) |
					    (from[i].sem_flg & SEM_UNDO ? SEM_OP_UNDO : 0)),
		};
		call->alters |= from[i].sem_op != 0;
		call->undoes |= (from[i].sem_flg & SEM_UNDO) != 0;
	}
}

/* Does nobody else use our lane, and did it work? */
static bool quick_undo(struct sem_set *set, const struct sem_op_shared *o, uint64_t pid)
{
	/* Relaxed: it is ours as long as the set is mapped. */
	uint32_t record = atomic_load_explicit(&set->record, memory_order_relaxed);
	bool done;

	if (record == 0 || atomic_exchange_explicit(&set->undoing, 1, memory_order_acquire) != 0)
		return false;
	done = sem_core_add_undo(set, record - 1, o->sem, o->op, pid);
	atomic_store_explicit(&set->undoing, 0, memory_order_release);
	return done;
}

/* One operation, without the lock. */
static inline bool quick(struct sem_set *set, const struct sem_op_shared *o)
{
	uint64_t pid = token_pid();
	bool done = (o->flags & SEM_OP_UNDO) && o->op != 0 ? quick_undo(set, o, pid) :
							     sem_core_add(set, o->sem, o->op, pid);

	if (done)
		sem_touch(set);
	return done;
}

/* Somebody may just be about to change it. */
static bool spin(struct sem_set *set, const struct sem_op_shared *o)
{
	for (int i = 0; i < LOOKS; i++) {
		/* Relaxed: what is done by it looks again. */
		uint64_t word = atomic_load_explicit(&set->sems[o->sem].word, memory_order_relaxed);

		if (word & SEM_SLOW)
			return false;
		if (sem_core_can(word, o->op) && quick(set, o))
			return true;
		cpu_relax();
	}
	return false;
}

/* Under the lock: 0, -errno, or 1: it sleeps, as *sleeper. */
static int do_or_join(struct sem_set *set, struct sem_turn *turn, const struct call *call,
		      uint32_t *sleeper)
{
	struct sem_verdict verdict;
	int err = sem_judge(set, call->op, call->count, call->record, &verdict);

	if ((err == 1 || err == -EAGAIN) && sem_undo_dead(set)) {
		sem_serve(set, turn);
		err = sem_judge(set, call->op, call->count, call->record, &verdict);
	}
	if (err == 0) {
		sem_commit(set, &(struct sem_commit){ .phase = SEM_JOURNAL_OPERATE,
						      .count = verdict.count,
						      .record = call->record,
						      .pid = token_pid() });
		sem_touch(set);
		if (call->alters)
			sem_serve(set, turn);
		/* A dead sleeper makes others slow: it is not looked for at every turn. */
		if (sem_get(set->shared->first) != 0 && sem_get(set->turns) % TURNS == 0)
			sem_queue_purge(set);
		sem_put(set->turns, sem_get(set->turns) + 1);
	}
	if (err != 1)
		return err;
	if (call->limited && sem_now_ns() >= call->deadline_ns)
		return -EAGAIN;
	err = sem_queue_join(set, call->op, call->count, call->record, verdict.blocks);
	if (err < 0)
		return err;
	*sleeper = (uint32_t)err;
	return 1;
}

static int slow(struct sem_set *set, struct call *call)
{
	struct sem_turn turn;
	uint32_t sleeper = 0;
	int err;

	if (call->undoes) {
		err = sem_undo_record(set);
		if (err < 0)
			return err;
		call->record = (uint32_t)err;
	}
	sem_enter(set, &turn);
	err = sem_set_still(set);
	if (err == 0) {
		sem_hold_ops(set, call->op, call->count);
		err = do_or_join(set, &turn, call, &sleeper);
		sem_unhold_ops(set, call->op, call->count);
	}
	sem_unlock(set, &turn);
	if (err == 1)
		err = sem_sleep(set, sleeper, call->limited ? call->deadline_ns : -1, call->spins,
				turn.blocked ? &turn.signals : NULL);
	if (turn.blocked)
		signals_restore(&turn.signals);
	return err;
}

static int operate_on(struct sem_set *set, struct call *call)
{
	int err;

	for (uint32_t i = 0; i < call->count; i++)
		if (call->op[i].sem >= set->shape.sems)
			return -EFBIG;
	err = sem_set_access(set, call->alters);
	if (err < 0)
		return err;
	if (call->count == 1 && quick(set, call->op))
		return 0;
	if (!(call->op->flags & SEM_OP_NOWAIT))
		call->spins = sem_spins(set);
	if (call->count == 1 && call->spins && spin(set, call->op))
		return 0;
	return slow(set, call);
}

static int operate(int id, const struct sembuf *ops, size_t count, const struct timespec *timeout)
{
	const struct table *table = table_open();
	struct sem_op_shared copy[count <= 8 ? 8 : count <= SEM_OPS_MAX ? count : 1];
	struct call call = { .op = copy, .count = (uint32_t)count };
	struct sem_set *set;
	int err;

	if (!table)
		return -errno;
	if (timeout && bad_pointer(timeout))
		return -EFAULT;
	if (count > table->limits.semopm || count > SEM_OPS_MAX)
		return -E2BIG;
	if (count < 1)
		return -EINVAL;
	if (bad_pointer(ops))
		return -EFAULT;
	read_ops(ops, &call);
	if (id < 0)
		return -EINVAL;
	if (timeout) {
		if (timeout->tv_sec < 0 || timeout->tv_nsec < 0 || timeout->tv_nsec >= 1000000000)
			return -EINVAL;
		call.limited = true;
		call.deadline_ns = sem_deadline_ns(timeout);
	}
	err = sem_set_use(id, &set);
	if (err < 0)
		return err;
	err = operate_on(set, &call);
	sem_set_unuse(set);
	return err;
}

SHIM_EXPORT int semop(int id, struct sembuf *ops, size_t count)
{
	return shim_dir() ? answer(operate(id, ops, count, NULL)) : REAL(semop)(id, ops, count);
}

SHIM_EXPORT int semtimedop(int id, struct sembuf *ops, size_t count, const struct timespec *timeout)
{
	return shim_dir() ? answer(operate(id, ops, count, timeout)) :
			    REAL(semtimedop)(id, ops, count, timeout);
}
