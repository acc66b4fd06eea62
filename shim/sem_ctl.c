/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sem_ctl.c - semctl.
 */
#include <stdarg.h>
#include <string.h>
#include <sys/sem.h>

#include "call.h"
#include "real.h"
#include "sem.h"

/* The program defines it, says semctl(2). */
union semun {
	int val;
	struct semid_ds *buf;
	unsigned short *array;
	struct seminfo *info;
};

/* What the kernel says of itself, and means nothing by. */
#define SAYS_USZ 20

/* ---- one or all of a set ---- */

static int get_all(struct sem_set *set, unsigned short *to)
{
	unsigned short value[set->shape.sems];
	struct sem_turn turn;

	sem_enter(set, &turn);
	if (sem_undo_dead(set))
		sem_serve(set, &turn);
	/* All at one moment: nobody changes any. */
	for (uint32_t i = 0; i < set->shape.sems; i++)
		sem_hold(set, i);
	for (uint32_t i = 0; i < set->shape.sems; i++)
		value[i] = (unsigned short)SEM_VALUE(sem_get(set->sems[i].word));
	for (uint32_t i = 0; i < set->shape.sems; i++)
		sem_unhold(set, i);
	sem_leave(set, &turn);
	if (bad_pointer(to))
		return -EFAULT;
	memcpy(to, value, sizeof(value));
	return 0;
}

/* @count of them from @first on. */
static int set_values(struct sem_set *set, uint32_t first, uint32_t count,
		      const unsigned short *value)
{
	struct sem_turn turn;
	int err;

	sem_enter(set, &turn);
	err = sem_set_still(set);
	for (uint32_t i = 0; err == 0 && i < count; i++) {
		sem_hold(set, first + i);
		set->changes[i] = (struct sem_change_shared){ .sem = (uint16_t)(first + i),
							      .value = value[i] };
	}
	if (err == 0) {
		sem_commit(set, &(struct sem_commit){ .phase = SEM_JOURNAL_SET,
						      .count = count,
						      .pid = token_pid() });
		/* Relaxed: the newest of several that race is as good as any. */
		atomic_store_explicit(&set->object.slot->ctime_s, now_s(), memory_order_relaxed);
		sem_serve(set, &turn);
		for (uint32_t i = 0; i < count; i++)
			sem_unhold(set, first + i);
	}
	sem_leave(set, &turn);
	return err;
}

static int set_all(struct sem_set *set, const unsigned short *from)
{
	unsigned short value[set->shape.sems];

	if (bad_pointer(from))
		return -EFAULT;
	memcpy(value, from, sizeof(value));
	for (uint32_t i = 0; i < set->shape.sems; i++)
		if (value[i] > SEM_VALUE_MAX)
			return -ERANGE;
	return set_values(set, 0, set->shape.sems, value);
}

static int value_of(struct sem_set *set, uint32_t sem)
{
	struct sem_turn turn;
	uint64_t word;

	sem_undo_look(set);
	word = atomic_load_explicit(&set->sems[sem].word, memory_order_acquire); /* W2 */
	if (word & SEM_SLOW) {
		sem_enter(set, &turn);
		word = sem_get(set->sems[sem].word);
		sem_leave(set, &turn);
	}
	return SEM_VALUE(word);
}

static int waiting(struct sem_set *set, uint32_t sem, bool zero)
{
	struct sem_turn turn;
	int count;

	sem_undo_look(set);
	sem_enter(set, &turn);
	sem_queue_purge(set);
	count = sem_queue_count(set, sem, zero);
	sem_leave(set, &turn);
	return count;
}

static int one(struct sem_set *set, int sem, int command)
{
	if (sem < 0 || (uint32_t)sem >= set->shape.sems)
		return -EINVAL;
	switch (command) {
	case GETVAL:
		return value_of(set, (uint32_t)sem);
	case GETPID:
		sem_undo_look(set);
		/* Relaxed: whoever it was. */
		return token_pid_here(
			atomic_load_explicit(&set->sems[sem].pid, memory_order_relaxed));
	default:
		return waiting(set, (uint32_t)sem, command == GETZCNT);
	}
}

static int on_set(int id, int sem, int command, union semun arg)
{
	struct sem_set *set;
	unsigned short value = (unsigned short)arg.val;
	int err;

	if (command == SETVAL && (arg.val < 0 || arg.val > SEM_VALUE_MAX))
		return -ERANGE;
	err = sem_set_use(id, &set);
	if (err < 0)
		return err;
	if (command == SETVAL && (sem < 0 || (uint32_t)sem >= set->shape.sems))
		err = -EINVAL;
	if (err == 0)
		err = sem_set_access(set, command == SETVAL || command == SETALL);
	if (err == 0) {
		if (command == GETALL)
			err = get_all(set, arg.array);
		else if (command == SETALL)
			err = set_all(set, arg.array);
		else if (command == SETVAL)
			err = set_values(set, (uint32_t)sem, 1, &value);
		else
			err = one(set, sem, command);
	}
	sem_set_unuse(set);
	return err;
}

/* ---- the object ---- */

static int stat_one(int id, int command, struct semid_ds *to)
{
	struct semid_ds ds;
	struct object o;
	int err = command == IPC_STAT ? object_find(SYSV_SEM, id, &o) : object_at(SYSV_SEM, id, &o);

	if (err == 0 && command != SEM_STAT_ANY)
		err = object_access(&o, 0444);
	if (err < 0)
		return err;
	memset(&ds, 0, sizeof(ds));
	object_ipc_perm(&o, &ds.sem_perm);
	/* Relaxed, all: L2, or numbers that change by themselves. */
	ds.sem_otime = atomic_load_explicit(&o.slot->atime_s, memory_order_relaxed);
	ds.sem_ctime = atomic_load_explicit(&o.slot->ctime_s, memory_order_relaxed);
	ds.sem_nsems = atomic_load_explicit(&o.slot->size, memory_order_relaxed);
	if (object_still(&o) < 0)
		return -EINVAL;
	if (bad_pointer(to))
		return -EFAULT;
	*to = ds;
	return command == IPC_STAT ? 0 : object_id(&o);
}

/* Whoever sleeps is told; if we are killed before that, he finds out by himself. */
static void dismiss(struct sem_set *set)
{
	struct sem_turn turn;

	sem_enter(set, &turn);
	sem_queue_dismiss(set, &turn, EIDRM);
	sem_leave(set, &turn);
}

/* Under the table's lock. */
static int change_locked(int id, int command, const struct ipc_perm *perm, struct sem_set *set)
{
	struct object o;
	int err = object_find(SYSV_SEM, id, &o);

	if (err == 0)
		err = object_owner(&o);
	if (err < 0)
		return err;
	if (command == IPC_RMID) {
		object_remove(&o, false);
		return 0;
	}
	if (set)
		/* Relaxed: L3; what is remembered of the permissions before has another number. */
		atomic_fetch_add_explicit(&set->shared->changed, 1, memory_order_relaxed);
	return object_set(&o, perm);
}

static int change(int id, int command, const struct semid_ds *from)
{
	struct ipc_perm perm = { 0 };
	struct sem_set *set = NULL;
	struct held held;
	int err;

	if (command == IPC_SET) {
		if (bad_pointer(from))
			return -EFAULT;
		perm = from->sem_perm;
	}
	/* Before it is removed; who may remove it and not open it leaves the sleepers to
	 * themselves. */
	if (sem_set_use(id, &set) < 0)
		set = NULL;
	if (table_lock(&held)) {
		err = change_locked(id, command, &perm, set);
		lock_give(&held);
	} else {
		err = -errno;
	}
	if (set && err == 0 && command == IPC_RMID)
		dismiss(set);
	if (set)
		sem_set_unuse(set);
	return err;
}

static int info(int command, struct seminfo *to)
{
	const struct sysv_limits *l = &table_open()->limits;
	uint32_t used;
	int last;

	if (bad_pointer(to))
		return -EFAULT;
	last = objects_last(SYSV_SEM, &used);
	*to = (struct seminfo){
		.semmni = (int)l->semmni,
		.semmns = (int)l->semmns,
		.semmsl = (int)l->semmsl,
		.semopm = (int)l->semopm,
		.semvmx = SEM_VALUE_MAX,
		.semmnu = (int)l->semmns,
		.semmap = (int)l->semmns,
		.semume = (int)l->semopm,
		.semusz = command == SEM_INFO ? (int)used : SAYS_USZ,
		.semaem = command == SEM_INFO ? (int)sem_all() : SEM_ADJ_MAX,
	};
	return last;
}

static int control(int id, int sem, int command, union semun arg)
{
	if (id < 0)
		return -EINVAL;
	if (!table_open())
		return -errno;
	switch (command) {
	case IPC_INFO:
	case SEM_INFO:
		return info(command, arg.info);
	case IPC_STAT:
	case SEM_STAT:
	case SEM_STAT_ANY:
		return stat_one(id, command, arg.buf);
	case GETALL:
	case GETVAL:
	case GETPID:
	case GETNCNT:
	case GETZCNT:
	case SETVAL:
	case SETALL:
		return on_set(id, sem, command, arg);
	case IPC_RMID:
	case IPC_SET:
		return change(id, command, arg.buf);
	default:
		return -EINVAL;
	}
}

SHIM_EXPORT int semctl(int id, int sem, int command, ...)
{
	union semun arg = { .buf = NULL };
	va_list ap;

	/* Whatever the caller gave: there is at least a register to read. */
	va_start(ap, command);
	if (command != IPC_RMID && command != GETVAL && command != GETPID && command != GETNCNT &&
	    command != GETZCNT)
		arg = va_arg(ap, union semun);
	va_end(ap);
	return shim_dir() ? answer(control(id, sem, command, arg)) :
			    REAL(semctl)(id, sem, command, arg);
}
