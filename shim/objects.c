/* SPDX-License-Identifier: Apache-2.0 */
/*
 * objects.c - make and remove objects, and change their permissions: all that
 * holds the table's lock, and what is to be done if its owner died meanwhile.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/ipc.h>
#include <sys/stat.h>
#include <unistd.h>

#include "region.h"
#include "table.h"
#include "token.h"

/* What the lock's owner is at, in "working": with the kind and the index. */
enum work {
	WORK_MAKE = 1,
	WORK_DOOM = 2,
	WORK_FREE = 3,
	WORK_SET = 4,
};
#define WORK(op, kind, index) ((uint32_t)(op) << 24 | (uint32_t)(kind) << 16 | (index))

static void begin(enum work work, const struct object *o)
{
	/* Release: what is begun is never seen before what it is. */
	atomic_store_explicit(&table_open()->control->working, WORK(work, o->kind, o->index),
			      memory_order_release);
	atomic_signal_fence(memory_order_seq_cst); /* killed from here on, it is known */
}

static void end(void)
{
	/* Release: what was done is there before it counts as done. */
	atomic_store_explicit(&table_open()->control->working, 0, memory_order_release);
}

static void forget_file(const struct object *o)
{
	char name[OBJECT_NAME_BYTES];

	object_name(o->kind, object_id(o), name);
	table_folder_unlink(name);
}

static void forget_key(const struct object *o)
{
	/* Relaxed, both: the state decides. */
	atomic_store_explicit(&table_open()->keys[o->kind][o->index], 0, memory_order_relaxed);
	atomic_store_explicit(&o->slot->key, 0, memory_order_relaxed);
}

static void set_state(const struct object *o, uint32_t which, enum sysv_phase phase)
{
	uint32_t sequence = o->sequence + (phase == SYSV_FREE ? 1 : 0);

	atomic_store_explicit(&o->slot->state, SYSV_STATE(sequence % SYSV_SEQUENCES, which, phase),
			      memory_order_release); /* L1, L3 */
}

static void finish_doom(const struct object *o)
{
	forget_key(o);
	set_state(o, SYSV_WHICH(o->state), SYSV_DOOMED);
}

static void finish_free(const struct object *o)
{
	forget_key(o);
	forget_file(o);
	set_state(o, 0, SYSV_FREE);
}

/* A file's mode lets those in who may use the object: of sets and queues, all must write. */
static mode_t file_mode(enum sysv_kind kind, uint32_t mode)
{
	mode_t bits = 0;

	if (kind == SYSV_SHM)
		return mode & 0666;
	for (unsigned int shift = 0; shift <= 6; shift += 3)
		if ((mode >> shift) & 06)
			bits |= 06u << shift;
	return bits;
}

static void finish_set(const struct object *o)
{
	struct perm p;
	int fd = object_open(o, O_PATH, 0);
	char self[64];

	if (fd < 0)
		return;
	object_perm(o, &p);
	snprintf(self, sizeof(self), "/proc/self/fd/%d", fd);
	/* Who may not give a file away leaves it: docs/limits.md. */
	if (chown(self, p.uid, p.gid) < 0 && chown(self, (uid_t)-1, p.gid) < 0)
		errno = 0;
	chmod(self, file_mode(o->kind, p.mode));
	close(fd);
}

/* The lock's last owner died in the middle of what "working" says. */
static void make_good(void)
{
	/* Relaxed: he is dead, and we have his lock. */
	uint32_t work = atomic_load_explicit(&table_open()->control->working, memory_order_relaxed);
	uint32_t kind = (work >> 16) & 0xffu;
	struct object o = { .slot = NULL };

	if (work == 0 || kind >= SYSV_KINDS)
		return;
	if (object_at(kind, (int)(work & 0xffffu), &o) < 0) {
		if (work >> 24 == WORK_MAKE && o.slot) {
			forget_file(&o);
			forget_key(&o);
		}
	} else if (work >> 24 == WORK_DOOM) {
		finish_doom(&o);
	} else if (work >> 24 == WORK_FREE) {
		finish_free(&o);
	} else if (work >> 24 == WORK_SET) {
		finish_set(&o);
	}
	end();
}

bool table_lock(struct held *held)
{
	if (!token_mine())
		return false;
	if (lock_take(&table_open()->control->lock, held))
		make_good();
	return true;
}

void table_mend(void)
{
	struct held held;

	if (lock_is_orphan(&table_open()->control->lock) && table_lock(&held))
		lock_give(&held);
}

int object_open(const struct object *o, int flags, uint64_t bytes)
{
	char name[OBJECT_NAME_BYTES];
	struct stat st;
	int fd;

	object_name(o->kind, object_id(o), name);
	fd = table_folder_file(name, flags);
	if (fd >= 0 && (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || st.st_size < 0 ||
			(uint64_t)st.st_size < bytes)) {
		close(fd);
		return -EINVAL;
	}
	return fd;
}

/* The object's file, without a name yet. */
static int make_file(const struct object_plan *plan)
{
	int fd = table_folder_file(".", O_TMPFILE | O_RDWR), err;

	if (fd < 0)
		return fd;
	err = -region_file_allocate(fd, plan->file_bytes);
	if (err == 0 && plan->make)
		err = plan->make(fd, plan);
	if (err == 0 && (fchown(fd, (uid_t)-1, getegid()) < 0 ||
			 fchmod(fd, file_mode(plan->kind, (uint32_t)plan->flags)) < 0))
		err = -errno;
	if (err < 0) {
		close(fd);
		return err == -ENOSPC || err == -EFBIG ? -ENOMEM : err;
	}
	return fd;
}

/* The dead may have left segments that are removed: is there more room now? */
static bool make_room(void)
{
	struct held held;
	bool freed;

	if (!table_lock(&held))
		return false;
	freed = segments_sweep();
	lock_give(&held);
	return freed;
}

static void fill_slot(const struct object *o, const struct object_plan *plan)
{
	struct sysv_slot_shared *s = o->slot;

	/* Relaxed, all: ordered by L1. */
	atomic_store_explicit(&s->key, (uint32_t)plan->key, memory_order_relaxed);
	atomic_store_explicit(&s->cuid, geteuid(), memory_order_relaxed);
	atomic_store_explicit(&s->cgid, getegid(), memory_order_relaxed);
	atomic_store_explicit(&s->perm[0].uid, geteuid(), memory_order_relaxed);
	atomic_store_explicit(&s->perm[0].gid, getegid(), memory_order_relaxed);
	atomic_store_explicit(&s->perm[0].mode, (uint32_t)plan->flags & 0777u,
			      memory_order_relaxed);
	atomic_store_explicit(&s->size, plan->size, memory_order_relaxed);
	atomic_store_explicit(&s->ctime_s, now_s(), memory_order_relaxed);
	atomic_store_explicit(&s->atime_s, 0, memory_order_relaxed);
	atomic_store_explicit(&s->dtime_s, 0, memory_order_relaxed);
	atomic_store_explicit(&s->cpid, plan->kind == SYSV_SHM ? token_pid() : 0,
			      memory_order_relaxed);
	atomic_store_explicit(&s->lpid, 0, memory_order_relaxed);
	atomic_store_explicit(&table_open()->keys[plan->kind][o->index], (uint32_t)plan->key,
			      memory_order_relaxed);
}

/* The first slot that is free. */
static int find_slot(enum sysv_kind kind, struct object *o)
{
	uint32_t max = table_open()->max[SYSV_AREA_SLOTS + kind];

	for (uint32_t i = 0; i < max; i++) {
		int err = table_back(SYSV_AREA_SLOTS + kind, i);

		if (err == 0)
			err = table_back(SYSV_AREA_KEYS + kind, i);
		if (err < 0)
			return err;
		if (object_at(kind, (int)i, o) < 0)
			return 0;
	}
	return -ENOSPC;
}

/* Under the lock. */
static int place(const struct object_plan *plan, int fd)
{
	char name[OBJECT_NAME_BYTES];
	struct object o;
	int folder, err;

	segments_sweep(); /* whoever makes something finds room for it */
	err = find_slot(plan->kind, &o);
	if (err == 0 && plan->room)
		err = plan->room(plan);
	if (err < 0)
		return err;
	folder = table_folder();
	if (folder < 0)
		return folder;
	begin(WORK_MAKE, &o);
	object_name(plan->kind, object_id(&o), name);
	unlinkat(folder, name, 0); /* nobody's: its identifier was never given out */
	err = region_file_link(fd, folder, name);
	close(folder);
	if (err == 0) {
		fill_slot(&o, plan);
		set_state(&o, 0, SYSV_LIVE);
	}
	end();
	return err < 0 ? err : object_id(&o);
}

static int existing(const struct object *o, const struct object_plan *plan)
{
	int err;

	if ((plan->flags & (IPC_CREAT | IPC_EXCL)) == (IPC_CREAT | IPC_EXCL))
		return -EEXIST;
	err = plan->check ? plan->check(o, plan) : 0;
	if (err == 0)
		err = object_access(o, (uint32_t)plan->flags & 0777u);
	return err < 0 ? err : object_id(o);
}

static int look_up(const struct object_plan *plan)
{
	struct object o;

	if (plan->key == IPC_PRIVATE || object_find_key(plan->kind, plan->key, &o) < 0)
		return -ENOENT;
	return existing(&o, plan);
}

static bool is_there(const struct object_plan *plan)
{
	struct object o;

	return plan->key != IPC_PRIVATE && object_find_key(plan->kind, plan->key, &o) == 0;
}

int object_get(const struct object_plan *plan)
{
	struct held held;
	int fd, id;

	do {
		id = look_up(plan);
		if (id != -ENOENT || (plan->key != IPC_PRIVATE && !(plan->flags & IPC_CREAT)))
			return id;
		fd = make_file(plan); /* outside of the lock: a large one takes its time */
		if (fd == -ENOMEM && make_room())
			fd = make_file(plan);
		if (fd < 0)
			return fd;
		if (!table_lock(&held)) {
			close(fd);
			return -errno;
		}
		id = is_there(plan) ? -EAGAIN : place(plan, fd);
		lock_give(&held);
		close(fd);
	} while (id == -EAGAIN);
	return id;
}

void object_remove(const struct object *o, bool keep)
{
	begin(keep ? WORK_DOOM : WORK_FREE, o);
	if (keep)
		finish_doom(o);
	else
		finish_free(o);
	end();
}

int object_set(const struct object *o, const struct ipc_perm *from)
{
	struct object now = *o;
	uint32_t which = !SYSV_WHICH(o->state);
	struct sysv_perm_shared *to = &o->slot->perm[which];
	struct perm old;

	if (object_still(o) < 0)
		return -EIDRM;
	if (from->uid == (uid_t)-1 || from->gid == (gid_t)-1)
		return -EINVAL;
	object_perm(o, &old);
	begin(WORK_SET, o);
	/* Relaxed, all: ordered by L3. */
	atomic_store_explicit(&to->uid, from->uid, memory_order_relaxed);
	atomic_store_explicit(&to->gid, from->gid, memory_order_relaxed);
	atomic_store_explicit(&to->mode, (old.mode & ~0777u) | (from->mode & 0777u),
			      memory_order_relaxed);
	set_state(o, which, SYSV_PHASE(o->state));
	now.state = SYSV_STATE(o->sequence, which, SYSV_PHASE(o->state));
	atomic_store_explicit(&o->slot->ctime_s, now_s(), memory_order_relaxed);
	finish_set(&now);
	end();
	return 0;
}
