/* SPDX-License-Identifier: Apache-2.0 */
/*
 * msg_ctl.c - msgctl.
 */
#include <limits.h>
#include <linux/capability.h>
#include <string.h>
#include <sys/msg.h>

#include "call.h"
#include "msg.h"
#include "real.h"
#include "token.h"

/* What the kernel says of its own limits; nothing in it uses them. */
#define KERNEL_MSGMNB 16384
#define KERNEL_MSGMNI 32000
#define KERNEL_MSGSSZ 16

static void describe(const struct msg_queue *q, const struct object *o, struct msqid_ds *to)
{
	const struct sysv_slot_shared *s = o->slot;

	memset(to, 0, sizeof(*to));
	object_ipc_perm(o, &to->msg_perm);
	to->msg_stime = msg_get(s->atime_s);
	to->msg_rtime = msg_get(s->dtime_s);
	to->msg_ctime = msg_get(s->ctime_s);
	to->__msg_cbytes = msg_get(q->shared->bytes);
	to->msg_qnum = msg_get(q->shared->count);
	to->msg_qbytes = msg_get(q->shared->limit);
	to->msg_lspid = token_pid_here(msg_get(s->cpid));
	to->msg_lrpid = token_pid_here(msg_get(s->lpid));
}

static int describe_locked(const struct object *o, struct msqid_ds *to)
{
	struct msg_wakes wakes = { .count = 0 };
	struct msg_queue *q;
	struct held held;
	int err = msg_use(o, &q);

	if (err < 0)
		return err;
	err = msg_enter(q, &held);
	if (err == 0) {
		msg_lapse(q, &wakes);
		describe(q, o, to);
		msg_leave(q, &held, &wakes);
	}
	msg_unuse(q);
	return err;
}

static int stat_one(int id, int command, struct msqid_ds *to)
{
	struct object o;
	struct msqid_ds ds;
	int err = command == IPC_STAT ? object_find(SYSV_MSG, id, &o) : object_at(SYSV_MSG, id, &o);

	if (err == 0 && command != MSG_STAT_ANY)
		err = object_access(&o, 0444);
	if (err == 0 && !token_mine())
		err = -errno;
	if (err == 0)
		err = describe_locked(&o, &ds);
	if (err < 0)
		return err;
	if (object_still(&o) < 0)
		return -EIDRM;
	if (bad_pointer(to))
		return -EFAULT;
	*to = ds;
	return command == IPC_STAT ? 0 : object_id(&o);
}

/* Under the table's lock. */
static int change_object(struct msg_queue *q, struct object *o, int id, int command,
			 const struct msqid_ds *from)
{
	int err = object_find(SYSV_MSG, id, o);

	if (err == 0)
		err = object_owner(o);
	if (err < 0)
		return err;
	if (command == IPC_RMID) {
		object_remove(o, false);
		return 0;
	}
	if (from->msg_qbytes > table_open()->limits.msgmnb && !may(CAP_SYS_RESOURCE))
		return -EPERM;
	atomic_fetch_add_explicit(&q->shared->changed, 1, memory_order_relaxed); /* L3 */
	return object_set(o, &from->msg_perm);
}

/*
 * All who sleep there learn of it; if we are killed here, they do so by themselves.  What
 * blocks there are does not matter, and of a queue that has lost its name nobody can map more.
 */
static void change_queue(struct msg_queue *q, int command, const struct msqid_ds *from)
{
	struct msg_wakes wakes = { .count = 0 };
	struct held held;

	msg_lock(q, &held);
	if (command == IPC_SET)
		msg_put(q->shared->limit, from->msg_qbytes);
	msg_call_all(q, command == IPC_SET ? MSG_AGAIN : MSG_REMOVED, &wakes);
	msg_leave(q, &held, &wakes);
}

/* The queue is mapped before, for whoever sleeps in one that has lost its name. */
static int change(int id, int command, const struct msqid_ds *buffer)
{
	struct msqid_ds from = { 0 };
	struct msg_queue *q = NULL;
	struct object o;
	struct held held;
	int err, mapped;

	if (command == IPC_SET) {
		if (bad_pointer(buffer))
			return -EFAULT;
		from = *buffer;
	}
	err = object_find(SYSV_MSG, id, &o);
	if (err == 0)
		err = object_owner(&o);
	if (err < 0)
		return err;
	if (!token_mine())
		return -errno;
	mapped = msg_use(&o, &q);
	if (mapped < 0 && command == IPC_SET)
		return mapped;
	err = table_lock(&held) ? 0 : -errno;
	if (err == 0) {
		err = change_object(q, &o, id, command, &from);
		lock_give(&held);
	}
	if (mapped == 0) {
		if (err == 0)
			change_queue(q, command, &from);
		msg_unuse(q);
	}
	if (err == 0 && command == IPC_RMID)
		msg_forget(&o);
	return err;
}

static int clip(uint64_t n)
{
	return n < INT_MAX ? (int)n : INT_MAX;
}

static int limits(int command, struct msginfo *to)
{
	const struct sysv_limits *l = &table_open()->limits;
	uint64_t count = 0, bytes = 0;
	uint32_t used;
	int last;
	struct object o;

	if (bad_pointer(to))
		return -EFAULT;
	last = objects_last(SYSV_MSG, &used);
	for (int i = 0; i <= last; i++)
		if (object_at(SYSV_MSG, i, &o) == 0) {
			uint64_t size = msg_get(o.slot->size);

			count += size >> 32;
			bytes += (uint32_t)size;
		}
	*to = (struct msginfo){
		.msgpool = KERNEL_MSGMNI * KERNEL_MSGMNB / 1024,
		.msgmap = KERNEL_MSGMNB,
		.msgmax = clip(l->msgmax),
		.msgmnb = clip(l->msgmnb),
		.msgmni = clip(l->msgmni),
		.msgssz = KERNEL_MSGSSZ,
		.msgtql = KERNEL_MSGMNB,
		.msgseg = UINT16_MAX,
	};
	if (command == MSG_INFO) {
		to->msgpool = (int)used;
		to->msgmap = clip(count);
		to->msgtql = clip(bytes);
	}
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
	case MSG_INFO:
		return limits(command, buffer);
	case IPC_STAT:
	case MSG_STAT:
	case MSG_STAT_ANY:
		return stat_one(id, command, buffer);
	case IPC_RMID:
	case IPC_SET:
		return change(id, command, buffer);
	default:
		return -EINVAL;
	}
}

SHIM_EXPORT int msgctl(int id, int command, struct msqid_ds *buffer)
{
	return shim_dir() ? answer(control(id, command, buffer)) :
			    REAL(msgctl)(id, command, buffer);
}
