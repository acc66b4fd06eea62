/* SPDX-License-Identifier: Apache-2.0 */
/*
 * slots.c - find an object, and judge who may do what with it.
 */
#include <errno.h>
#include <linux/capability.h>
#include <stdio.h>
#include <sys/ipc.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "table.h"

#define GROUPS_MAX 1024

void object_name(enum sysv_kind kind, int id, char name[OBJECT_NAME_BYTES])
{
	static const char *const prefix[SYSV_KINDS] = { "shm", "sem", "msg" };

	snprintf(name, OBJECT_NAME_BYTES, "%s-%d", prefix[kind], id);
}

int object_id(const struct object *o)
{
	return SYSV_ID(o->sequence, o->index);
}

static uint32_t state_of(const struct sysv_slot_shared *slot)
{
	return atomic_load_explicit(&slot->state, memory_order_acquire); /* L2 */
}

int object_at(enum sysv_kind kind, int index, struct object *o)
{
	const struct table *table = table_open();

	if (index < 0 || (uint32_t)index >= table_backed(SYSV_AREA_SLOTS + kind))
		return -EINVAL;
	o->kind = kind;
	o->index = (uint32_t)index;
	o->slot = &table->slots[kind][index];
	o->state = state_of(o->slot);
	o->sequence = SYSV_SEQUENCE(o->state) % SYSV_SEQUENCES;
	return SYSV_PHASE(o->state) == SYSV_FREE ? -EINVAL : 0;
}

int object_find(enum sysv_kind kind, int id, struct object *o)
{
	if (id < 0 || object_at(kind, id % (int)SYSV_OBJECTS_MAX, o) < 0 || object_id(o) != id)
		return -EINVAL;
	return 0;
}

int object_still(const struct object *o)
{
	uint32_t state = state_of(o->slot);

	return SYSV_PHASE(state) != SYSV_FREE && SYSV_SEQUENCE(state) == SYSV_SEQUENCE(o->state) ?
		       0 :
		       -EIDRM;
}

int object_find_key(enum sysv_kind kind, key_t key, struct object *o)
{
	const struct table *table = table_open();
	uint32_t end = table_backed(SYSV_AREA_KEYS + kind);

	for (uint32_t i = 0; i < end; i++) {
		/* Relaxed, both: the state is read between them, and the slot's key decides. */
		if (atomic_load_explicit(&table->keys[kind][i], memory_order_relaxed) !=
		    (uint32_t)key)
			continue;
		if (object_at(kind, (int)i, o) == 0 && SYSV_PHASE(o->state) == SYSV_LIVE &&
		    atomic_load_explicit(&o->slot->key, memory_order_relaxed) == (uint32_t)key)
			return 0;
	}
	return -ENOENT;
}

void object_perm(const struct object *o, struct perm *perm)
{
	/* Relaxed, all: L2; a later IPC_SET writes the other one first. */
	const struct sysv_perm_shared *from = &o->slot->perm[SYSV_WHICH(o->state)];

	perm->uid = atomic_load_explicit(&from->uid, memory_order_relaxed);
	perm->gid = atomic_load_explicit(&from->gid, memory_order_relaxed);
	perm->mode = atomic_load_explicit(&from->mode, memory_order_relaxed);
	perm->cuid = atomic_load_explicit(&o->slot->cuid, memory_order_relaxed);
	perm->cgid = atomic_load_explicit(&o->slot->cgid, memory_order_relaxed);
}

bool may(unsigned int capability)
{
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2] = { { 0 }, { 0 } };

	return syscall(SYS_capget, &head, data) == 0 &&
	       (data[capability / 32].effective & (1u << (capability % 32))) != 0;
}

static bool in_group(gid_t gid)
{
	gid_t groups[GROUPS_MAX];
	int count;

	if (gid == getegid())
		return true;
	count = getgroups(GROUPS_MAX, groups);
	for (int i = 0; i < count; i++)
		if (groups[i] == gid)
			return true;
	return false;
}

/* As ipcperms() of the kernel does it. */
int object_access(const struct object *o, uint32_t want)
{
	struct perm p;
	uint32_t granted;
	uid_t uid = geteuid();

	object_perm(o, &p);
	want = (want >> 6 | want >> 3 | want) & 07;
	granted = p.mode;
	if (uid == p.cuid || uid == p.uid)
		granted >>= 6;
	else if (in_group(p.cgid) || in_group(p.gid))
		granted >>= 3;
	return (want & ~granted) != 0 && !may(CAP_IPC_OWNER) ? -EACCES : 0;
}

int object_owner(const struct object *o)
{
	struct perm p;
	uid_t uid = geteuid();

	object_perm(o, &p);
	return uid == p.cuid || uid == p.uid || may(CAP_SYS_ADMIN) ? 0 : -EPERM;
}

void object_ipc_perm(const struct object *o, struct ipc_perm *to)
{
	struct perm p;

	object_perm(o, &p);
	*to = (struct ipc_perm){
		/* Relaxed: a doomed one's is 0, sooner or later. */
		.__key = (key_t)atomic_load_explicit(&o->slot->key, memory_order_relaxed),
		.uid = p.uid,
		.gid = p.gid,
		.cuid = p.cuid,
		.cgid = p.cgid,
		.mode = (unsigned short)p.mode,
		.__seq = (unsigned short)o->sequence,
	};
}

int objects_last(enum sysv_kind kind, uint32_t *used)
{
	uint32_t backed = table_backed(SYSV_AREA_SLOTS + kind);
	struct object o;
	int last = 0;

	*used = 0;
	for (uint32_t i = 0; i < backed; i++)
		if (object_at(kind, (int)i, &o) == 0) {
			last = (int)i;
			++*used;
		}
	return last;
}
