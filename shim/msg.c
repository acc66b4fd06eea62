/* SPDX-License-Identifier: Apache-2.0 */
/*
 * msg.c - msgget, msgsnd and msgrcv.
 *
 * The program's memory is touched without the lock: what is sent is copied before, what
 * is received afterwards.
 */
#include <limits.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/msg.h>
#include <time.h>

#include "call.h"
#include "handlers.h"
#include "msg.h"
#include "real.h"
#include "token.h"

#ifndef MSG_COPY
#define MSG_COPY 040000
#endif

/* A message of the usual limit; larger ones get memory of their own. */
#define USUAL_BYTES 8192
/* If there is no place to sleep at. */
#define NAP_NS 1000000

static int get(key_t key, int flags)
{
	const struct object_plan plan = {
		.kind = SYSV_MSG,
		.key = key,
		.flags = flags,
		.file_bytes = MSG_PLACES_AT,
		.make = msg_make,
	};

	return table_open() ? object_get(&plan) : -errno;
}

SHIM_EXPORT int msgget(key_t key, int flags)
{
	return shim_dir() ? answer(get(key, flags)) : REAL(msgget)(key, flags);
}

/* What both calls have. */
struct call {
	struct msg_queue *q;
	struct held held;
	struct msg_stay stay;
	struct msg_wakes wakes;
	int flags;
	int permitted; /* 0, or -errno */
	bool interrupted;
};

/* Of one round of a call, which may sleep and look again. */
#define ANOTHER_ROUND 1

static int begin(struct call *c, int id, int flags)
{
	struct object o;
	int err;

	c->flags = flags;
	c->interrupted = false;
	c->stay.taken = false;
	c->stay.ticket = 0;
	c->stay.ran = handlers_ran;
	c->wakes.count = 0;
	if (!table_open() || !token_mine())
		return -errno;
	err = object_find(SYSV_MSG, id, &o);
	return err < 0 ? err : msg_use(&o, &c->q);
}

static void give(struct call *c)
{
	msg_leave(c->q, &c->held, &c->wakes);
	c->wakes.count = 0;
}

/* Take the lock, and learn what came of the sleep; the place is given back, unless it is GIVEN. */
static int enter(struct call *c, bool alter, enum msg_phase *phase)
{
	int err;

	c->permitted = msg_access(c->q, alter); /* again, as the kernel does it */
	err = msg_enter(c->q, &c->held);
	if (err == 0)
		*phase = msg_stay_end(c->q, &c->stay);
	return err;
}

/* With the lock: why the call ends, or 0: look. */
static int end_of_sleep(const struct call *c, enum msg_phase phase)
{
	if (phase == MSG_TOOBIG)
		return -E2BIG;
	if (phase == MSG_REMOVED || object_still(&c->q->object) < 0)
		return -EIDRM;
	return c->permitted < 0 ? c->permitted : c->interrupted ? -EINTR : 0;
}

/* Sleep, with the lock, and come back without it; 0: look again. */
static int sleep_once(struct call *c, const struct msg_want *want, uint32_t most)
{
	const struct timespec nap = { .tv_nsec = NAP_NS };
	bool placed = msg_stay_begin(c->q, &c->stay, want, most) == 0;
	int err;

	give(c); /* handlers that were held off run here */
	if (!placed)
		return nanosleep(&nap, NULL) < 0 || handlers_ran != c->stay.ran ? -EINTR : 0;
	err = msg_stay_sleep(c->q, &c->stay);
	if (err == -ETIMEDOUT)
		table_mend();
	c->interrupted = err == -EINTR;
	return 0;
}

/* What others wrote into the table, for IPC_STAT and MSG_INFO. */
static void note(const struct msg_queue *q, _Atomic uint64_t *who, _Atomic int64_t *when)
{
	const struct token *token = token_mine();
	uint64_t bytes = msg_get(q->shared->bytes);

	msg_put(*who, msg_get(table_open()->tokens[token->index].pid));
	msg_put(*when, now_s());
	msg_put(q->object.slot->size,
		msg_get(q->shared->count) << 32 | (bytes < UINT32_MAX ? bytes : UINT32_MAX));
}

/* ---- msgsnd ---- */

/* With the lock: 0: sent, -EAGAIN: no room, or another error. */
static int send_now(struct call *c, int64_t type, const void *data, uint32_t bytes)
{
	struct msg_queue *q = c->q;
	uint32_t ref;

	if (!msg_fits(q, bytes))
		return -EAGAIN;
	ref = msg_fill(q, type, data, bytes);
	if (ref == 0)
		return -ENOMEM;
	msg_step();
	if (!msg_offer(q, ref, type, bytes, &c->wakes))
		msg_append(q, ref);
	note(q, &q->object.slot->cpid, &q->object.slot->atime_s);
	return 0;
}

static int send_once(struct call *c, int64_t type, const void *data, uint32_t bytes)
{
	static const struct msg_want room = { .mode = MSG_SENDER };
	enum msg_phase phase = MSG_AGAIN;
	int err = enter(c, true, &phase);

	if (err < 0)
		return err;
	err = end_of_sleep(c, phase);
	if (err == 0)
		err = send_now(c, type, data, bytes);
	if (err == -EAGAIN && !(c->flags & IPC_NOWAIT)) {
		err = sleep_once(c, &room, bytes);
		return err == 0 ? ANOTHER_ROUND : err;
	}
	give(c);
	return err;
}

static int send_copied(int id, int64_t type, const void *data, uint32_t bytes, int flags)
{
	struct call c;
	int err = begin(&c, id, flags);

	if (err < 0)
		return err;
	do
		err = send_once(&c, type, data, bytes);
	while (err == ANOTHER_ROUND);
	msg_unuse(c.q);
	return err;
}

static int send(int id, const struct msgbuf *from, size_t bytes, int flags)
{
	unsigned char usual[USUAL_BYTES];
	void *copy = usual;
	int64_t type;
	int err;

	if (bad_pointer(from))
		return -EFAULT;
	if (!table_open())
		return -errno;
	type = from->mtype;
	if (bytes > table_open()->limits.msgmax || bytes > MSG_BYTES_MAX || id < 0 || type < 1)
		return -EINVAL;
	if (bytes > sizeof(usual)) {
		copy = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
			    0);
		if (copy == MAP_FAILED)
			return -ENOMEM;
	}
	memcpy(copy, from->mtext, bytes);
	err = send_copied(id, type, copy, (uint32_t)bytes, flags);
	if (copy != usual)
		munmap(copy, bytes);
	return err;
}

SHIM_EXPORT int msgsnd(int id, const void *from, size_t bytes, int flags)
{
	return shim_dir() ? answer(send(id, from, bytes, flags)) :
			    REAL(msgsnd)(id, from, bytes, flags);
}

/* ---- msgrcv ---- */

/* Where a message goes: to the program, by way of a copy if it is read under the lock. */
struct receipt {
	struct msgbuf *to;
	size_t room;   /* of the program's */
	uint32_t most; /* bytes of a message that may be given to us */
	void *copy;
	size_t copy_bytes; /* that it has room for */
	bool copied;
	int64_t type;
	uint32_t bytes;
};

static struct msg_want want_of(long type, int flags)
{
	if (flags & MSG_COPY)
		return (struct msg_want){ MSG_NUMBER, type };
	if (type == 0)
		return (struct msg_want){ MSG_ANY, 0 };
	if (type < 0)
		return (struct msg_want){ MSG_LOWEST, type == LONG_MIN ? LONG_MAX : -type };
	return (struct msg_want){ flags & MSG_EXCEPT ? MSG_UNEQUAL : MSG_EQUAL, type };
}

/* With the lock: 0: it is copied, -EAGAIN: none, -ENOBUFS: more room is needed for the copy. */
static int receive_now(struct call *c, const struct msg_want *want, struct receipt *r)
{
	struct msg_queue *q = c->q;
	struct msg_found found = { 0 };

	if (!msg_find(q, *want, &found))
		return -EAGAIN;
	if (found.bytes > r->room && !(c->flags & MSG_NOERROR))
		return -E2BIG;
	if (found.bytes > r->room && (c->flags & MSG_COPY))
		return -EINVAL;
	r->type = found.type;
	r->bytes = found.bytes < r->room ? found.bytes : (uint32_t)r->room;
	if (r->bytes > r->copy_bytes)
		return -ENOBUFS;
	if (!msg_read(q, found.ref, r->copy, r->bytes))
		return -EIO;
	r->copied = true;
	if (c->flags & MSG_COPY)
		return 0;
	msg_unlink(q, &found);
	msg_free(q, found.ref);
	msg_call_senders(q, &c->wakes);
	note(q, &q->object.slot->lpid, &q->object.slot->dtime_s);
	return 0;
}

/* With the lock; as receive_now(), and what was given to those who do not fetch it. */
static int receive_any(struct call *c, const struct msg_want *want, struct receipt *r)
{
	int err = receive_now(c, want, r);

	if (err != -EAGAIN || msg_get(c->q->shared->crowd) == 0)
		return err;
	msg_lapse(c->q, &c->wakes);
	return receive_now(c, want, r);
}

static void drop_copy(struct receipt *r)
{
	if (r->copy_bytes > USUAL_BYTES)
		munmap(r->copy, r->copy_bytes);
}

/* For a copy of what was found. */
static int more_room(struct receipt *r)
{
	void *copy =
		mmap(NULL, r->bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (copy == MAP_FAILED)
		return -ENOMEM;
	drop_copy(r);
	r->copy = copy;
	r->copy_bytes = r->bytes;
	return ANOTHER_ROUND;
}

/* Without the lock: the message that we were given, if it is still ours. */
static int fetch(struct call *c, struct receipt *r)
{
	uint32_t ref = msg_stay_take(c->q, &c->stay);
	const struct msg_block_shared *b;
	int err = -EIDRM; /* else its file would be there, to map */

	if (ref == 0)
		return ANOTHER_ROUND;
	/* Segments that we have not seen yet. */
	if (msg_get(c->q->shared->segments) != msg_get(c->q->segments) &&
	    msg_enter(c->q, &c->held) == 0)
		give(c);
	b = msg_block(c->q, ref);
	if (b) {
		r->type = msg_get(b->first.type);
		r->bytes = msg_get(b->bytes);
		if (r->bytes > r->room)
			r->bytes = (uint32_t)r->room;
		err = bad_pointer(r->to)                          ? -EFAULT :
		      msg_read(c->q, ref, r->to->mtext, r->bytes) ? 0 :
								    -EIDRM;
	}
	msg_stay_done(c->q, &c->stay);
	return err;
}

static int receive_once(struct call *c, const struct msg_want *want, struct receipt *r)
{
	enum msg_phase phase = MSG_AGAIN;
	int err = enter(c, false, &phase);

	if (err < 0)
		return err;
	if (phase == MSG_GIVEN) {
		give(c);
		return fetch(c, r);
	}
	err = end_of_sleep(c, phase);
	if (err == 0)
		err = receive_any(c, want, r);
	if (err == -EAGAIN && !(c->flags & IPC_NOWAIT)) {
		err = sleep_once(c, want, r->most);
		return err < 0 ? err : c->stay.taken ? fetch(c, r) : ANOTHER_ROUND;
	}
	give(c);
	if (err == -ENOBUFS)
		return more_room(r);
	return err == -EAGAIN ? -ENOMSG : err;
}

/* The number of bytes, or -errno. */
static int hand_out(struct receipt *r)
{
	if (bad_pointer(r->to))
		return -EFAULT; /* as in the kernel, the message is lost */
	r->to->mtype = (long)r->type;
	if (r->copied)
		memcpy(r->to->mtext, r->copy, r->bytes);
	return (int)r->bytes;
}

static int receive_by(int id, const struct msg_want *want, int flags, struct receipt *r)
{
	struct call c;
	int err = begin(&c, id, flags);

	if (err < 0)
		return err;
	do
		err = receive_once(&c, want, r);
	while (err == ANOTHER_ROUND);
	msg_unuse(c.q);
	if (err == 0)
		err = hand_out(r);
	drop_copy(r);
	return err;
}

static int receive(int id, void *to, size_t room, long type, int flags)
{
	unsigned char usual[USUAL_BYTES];
	struct receipt r = {
		.to = to,
		.room = room,
		.most = flags & MSG_NOERROR || room > MSG_BYTES_MAX ? MSG_BYTES_MAX :
								      (uint32_t)room,
		.copy = usual,
		.copy_bytes = sizeof(usual),
	};
	struct msg_want want = want_of(type, flags);

	if (id < 0 || room > (size_t)LONG_MAX)
		return -EINVAL;
	if ((flags & MSG_COPY) && ((flags & MSG_EXCEPT) || !(flags & IPC_NOWAIT)))
		return -EINVAL;
	if ((flags & MSG_COPY) && room > 0 && bad_pointer(to))
		return -EFAULT;
	return receive_by(id, &want, flags, &r);
}

SHIM_EXPORT ssize_t msgrcv(int id, void *to, size_t room, long type, int flags)
{
	return shim_dir() ? answer(receive(id, to, room, type, flags)) :
			    REAL(msgrcv)(id, to, room, type, flags);
}
