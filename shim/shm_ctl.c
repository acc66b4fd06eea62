/* SPDX-License-Identifier: Apache-2.0 */
/*
 * shm_ctl.c - shmctl.
 */
#include <linux/capability.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/shm.h>
#include <unistd.h>

#include "call.h"
#include "real.h"
#include "shm.h"
#include "token.h"

bool segment_reap(const struct object *o)
{
	/* Relaxed: we hold the lock under which it changes. */
	uint32_t state = atomic_load_explicit(&o->slot->state, memory_order_relaxed);

	if (SYSV_PHASE(state) != SYSV_DOOMED || SYSV_SEQUENCE(state) != SYSV_SEQUENCE(o->state) ||
	    attach_count(o->index) != 0)
		return false;
	object_remove(o, false);
	return true;
}

bool segments_sweep(void)
{
	static unsigned char attached[SYSV_OBJECTS_MAX]; /* for who has the lock; by index */
	uint32_t end = table_backed(SYSV_AREA_SLOTS + SYSV_SHM);
	bool looked = false, freed = false;
	struct object o;

	for (uint32_t i = 0; i < end; i++) {
		if (object_at(SYSV_SHM, (int)i, &o) < 0 || SYSV_PHASE(o.state) != SYSV_DOOMED)
			continue;
		if (!looked)
			attach_all(attached, end);
		looked = true;
		if (attached[i])
			continue;
		object_remove(&o, false);
		freed = true;
	}
	return freed;
}

static void describe(const struct object *o, struct shmid_ds *to)
{
	const struct sysv_slot_shared *s = o->slot;

	/* Relaxed, all: L2, or numbers that change by themselves. */
	memset(to, 0, sizeof(*to));
	to->shm_nattch = attach_count(o->index); /* which notes who has died since */
	object_ipc_perm(o, &to->shm_perm);
	if (SYSV_PHASE(o->state) == SYSV_DOOMED)
		to->shm_perm.mode |= SHM_DEST;
	to->shm_segsz = atomic_load_explicit(&s->size, memory_order_relaxed);
	to->shm_atime = atomic_load_explicit(&s->atime_s, memory_order_relaxed);
	to->shm_dtime = atomic_load_explicit(&s->dtime_s, memory_order_relaxed);
	to->shm_ctime = atomic_load_explicit(&s->ctime_s, memory_order_relaxed);
	to->shm_cpid = token_pid_here(atomic_load_explicit(&s->cpid, memory_order_relaxed));
	to->shm_lpid = token_pid_here(atomic_load_explicit(&s->lpid, memory_order_relaxed));
}

static int stat_one(int id, int command, struct shmid_ds *to)
{
	struct object o;
	struct shmid_ds ds;
	int err = segment_find(id, command != IPC_STAT, &o);

	if (err == 0 && command != SHM_STAT_ANY)
		err = object_access(&o, 0444);
	if (err < 0)
		return err;
	describe(&o, &ds);
	if (object_still(&o) < 0)
		return -EINVAL;
	if (bad_pointer(to))
		return -EFAULT;
	*to = ds;
	return command == IPC_STAT ? 0 : object_id(&o);
}

static int remove_segment(struct object *o)
{
	object_remove(o, true);
	segments_sweep();
	return 0;
}

static int lock_pages(struct object *o, bool lock)
{
	struct perm p;
	struct rlimit most;

	object_perm(o, &p);
	if (!may(CAP_IPC_LOCK)) {
		if (geteuid() != p.uid && geteuid() != p.cuid)
			return -EPERM;
		if (lock && getrlimit(RLIMIT_MEMLOCK, &most) == 0 && most.rlim_cur == 0)
			return -EPERM;
	}
	/* Relaxed: one bit, under the lock. */
	if (lock)
		atomic_fetch_or_explicit(&o->slot->perm[SYSV_WHICH(o->state)].mode, SHM_LOCKED,
					 memory_order_relaxed);
	else
		atomic_fetch_and_explicit(&o->slot->perm[SYSV_WHICH(o->state)].mode,
					  ~(uint32_t)SHM_LOCKED, memory_order_relaxed);
	return 0;
}

/* Under the table's lock. */
static int change_locked(int id, int command, const struct ipc_perm *perm)
{
	struct object o;
	int err = object_find(SYSV_SHM, id, &o);

	if (err < 0 || segment_reap(&o))
		return -EINVAL;
	if (command == SHM_LOCK || command == SHM_UNLOCK)
		return lock_pages(&o, command == SHM_LOCK);
	err = object_owner(&o);
	if (err < 0)
		return err;
	return command == IPC_RMID ? remove_segment(&o) : object_set(&o, perm);
}

static int change(int id, int command, const struct shmid_ds *from)
{
	struct ipc_perm perm = { 0 };
	struct held held;
	int err;

	if (command == IPC_SET) {
		if (bad_pointer(from))
			return -EFAULT;
		perm = from->shm_perm;
	}
	if (!table_lock(&held))
		return -errno;
	err = change_locked(id, command, &perm);
	lock_give(&held);
	return err;
}

static int limits(struct shminfo *to)
{
	const struct sysv_limits *l = &table_open()->limits;
	uint32_t used;
	int last;

	if (bad_pointer(to))
		return -EFAULT;
	last = objects_last(SYSV_SHM, &used);
	*to = (struct shminfo){
		.shmmax = l->shmmax,
		.shmmin = 1,
		.shmmni = l->shmmni,
		.shmseg = l->shmmni,
		.shmall = l->shmall,
	};
	return last;
}

static int totals(struct shm_info *to)
{
	uint32_t used;
	int last;

	if (bad_pointer(to))
		return -EFAULT;
	last = objects_last(SYSV_SHM, &used);
	*to = (struct shm_info){
		.used_ids = (int)used,
		.shm_tot = shm_all_pages(),
		.shm_rss = shm_all_pages(), /* allocated in full */
	};
	return last;
}

static int control(int id, int command, void *buffer)
{
	if (id < 0 || command < 0)
		return -EINVAL;
	if (!table_open())
		return -errno;
	switch (command) {
	case IPC_INFO:
		return limits(buffer);
	case SHM_INFO:
		return totals(buffer);
	case IPC_STAT:
	case SHM_STAT:
	case SHM_STAT_ANY:
		return stat_one(id, command, buffer);
	case IPC_RMID:
	case IPC_SET:
	case SHM_LOCK:
	case SHM_UNLOCK:
		return change(id, command, buffer);
	default:
		return -EINVAL;
	}
}

SHIM_EXPORT int shmctl(int id, int command, struct shmid_ds *buffer)
{
	return shim_dir() ? answer(control(id, command, buffer)) :
			    REAL(shmctl)(id, command, buffer);
}
