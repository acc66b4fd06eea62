/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sysv_msg.c - messages that are sent and received, and he who does it cut off anywhere:
 * each message is there once or was on its way with him, in order, and no block is lost.
 */
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/msg.h>
#include <sys/stat.h>
#include <unistd.h>

#include "msg.h"
#include "sysv.h"

#define TEXT_BYTES 8192
#define SMALL      64
/* So many fit in a queue of the usual size. */
#define SMALL_ONES 256

struct text {
	long type;
	unsigned char bytes[TEXT_BYTES];
};

static long bytes_before; /* of the queue's file, when it had been full once */

static unsigned char letter(long type, size_t i)
{
	return (unsigned char)(type * 31 + (long)i);
}

static struct text of_victim;

static void write_text(struct text *t, long type)
{
	t->type = type;
	for (size_t i = 0; i < TEXT_BYTES; i++)
		t->bytes[i] = letter(type, i);
}

static int put(long type, size_t bytes, int flags)
{
	static _Thread_local struct text t;

	write_text(&t, type);
	return msgsnd(atomic_load(&sysv->id), &t, bytes, flags);
}

/* Its type, and it is as it was sent; or -1. */
static long get(long type, int flags)
{
	static _Thread_local struct text t;
	ssize_t bytes = msgrcv(atomic_load(&sysv->id), &t, TEXT_BYTES, type, flags);

	if (bytes < 0)
		return -1;
	for (ssize_t i = 0; i < bytes; i++)
		sysv_must(t.bytes[i] == letter(t.type, (size_t)i), "message %ld is torn", t.type);
	return t.type;
}

static long file_bytes(void)
{
	char path[200];
	struct stat st;

	snprintf(path, sizeof(path), "%s/.sysv/msg-%d", getenv("COSHM_DIR"),
		 atomic_load(&sysv->id));
	sysv_must(stat(path, &st) == 0, "%s: %s", path, strerror(errno));
	return st.st_size;
}

/* To the brim with as many blocks as there can be, and empty again. */
static void fill_and_empty(void)
{
	int count = 0;

	while (put(1, SMALL, IPC_NOWAIT) == 0)
		count++;
	sysv_must(count == SMALL_ONES, "room for %d and not for %d", count, SMALL_ONES);
	while (get(0, IPC_NOWAIT) > 0)
		count--;
	sysv_must(count == 0, "%d of those that were sent did not come", count);
}

static void end(void)
{
	int id = atomic_load(&sysv->id);
	struct msqid_ds ds;

	/* If the victim died asleep, this one is given to it, and comes back. */
	sysv_ok(put(4, 0, 0));
	sysv_must(get(0, IPC_NOWAIT) == 4, "4 is not there");
	fill_and_empty();
	sysv_ok(msgctl(id, IPC_STAT, &ds));
	sysv_must(ds.msg_qnum == 0 && ds.__msg_cbytes == 0, "empty, and %lu messages are in it",
		  (unsigned long)ds.msg_qnum);
	sysv_must(file_bytes() == bytes_before, "blocks are lost");
	sysv_ok(msgctl(id, IPC_RMID, NULL));
}

static void one(void)
{
	atomic_store(&sysv->id, sysv_ok(msgget(SYSV_KEY, IPC_CREAT | 0600)));
	fill_and_empty();
	bytes_before = file_bytes();
}

static void three(void)
{
	one();
	sysv_ok(put(1, 10, 0));
	sysv_ok(put(2, 300, 0));
	sysv_ok(put(3, 0, 0));
}

static void prepare(void)
{
	write_text(&of_victim, 9);
}

/* The victim has the queue mapped, so that only the call itself is stepped. */
static void ready(void)
{
	struct msqid_ds ds;

	sysv_ok(msgctl(atomic_load(&sysv->id), IPC_STAT, &ds));
	prepare();
}

static void nothing_happens(int number)
{
	(void)number;
}

/* And it has a handler: then signals are blocked while it has the lock. */
static void ready_for_signals(void)
{
	signal(SIGUSR1, nothing_happens);
	ready();
}

/* All that come, in order: @first to 3 but for @without; and the victim's, or not. */
static void check_rest(long without, long victims)
{
	bool acked = atomic_load(&sysv->acked) != 0;
	long type = get(0, IPC_NOWAIT);

	for (long n = 1; n <= 3; n++) {
		if (n == without && type != n)
			continue;
		sysv_must(n != without || !acked, "%ld was received, and is there", n);
		sysv_must(type == n, "%ld comes, and not %ld", type, n);
		type = get(0, IPC_NOWAIT);
	}
	if (victims != 0 && type == victims)
		type = get(0, IPC_NOWAIT);
	else
		sysv_must(victims == 0 || !acked, "it was sent, and is not there");
	sysv_must(type == -1 && errno == ENOMSG, "%ld comes, and nothing more was to come", type);
	end();
}

/* Make. */

static void nothing(void)
{
	atomic_store(&sysv->id, sysv_ok(msgget(IPC_PRIVATE, 0600)));
	sysv_ok(msgctl(atomic_load(&sysv->id), IPC_RMID, NULL));
}

static void act_make(void)
{
	atomic_store(&sysv->number, msgget(SYSV_KEY, IPC_CREAT | IPC_EXCL | 0600));
	atomic_store(&sysv->acked, 1);
}

static void check_make(void)
{
	int id = sysv_ok(msgget(SYSV_KEY, IPC_CREAT | 0600));

	sysv_must(!atomic_load(&sysv->acked) || id == atomic_load(&sysv->number),
		  "it was made, and is another one");
	atomic_store(&sysv->id, id);
	fill_and_empty();
	sysv_ok(msgctl(id, IPC_RMID, NULL));
}

/* Send, and receive the first, one in the middle, and the last. */

static void act_send(void)
{
	int result = msgsnd(atomic_load(&sysv->id), &of_victim, 300, 0);

	atomic_store(&sysv->acked, result == 0);
}

static void check_send(void)
{
	check_rest(0, 9);
}

static void receive(long type, int flags)
{
	ssize_t bytes = msgrcv(atomic_load(&sysv->id), &of_victim, TEXT_BYTES, type, flags);

	atomic_store(&sysv->acked, bytes >= 0);
}

static void act_receive_1(void)
{
	receive(0, 0);
}

static void act_receive_2(void)
{
	receive(2, 0);
}

static void act_receive_3(void)
{
	receive(3, 0);
}

static void check_1(void)
{
	check_rest(1, 0);
}

static void check_2(void)
{
	check_rest(2, 0);
}

static void check_3(void)
{
	check_rest(3, 0);
}

static void act_copy(void)
{
	receive(1, MSG_COPY | IPC_NOWAIT);
}

static void check_copy(void)
{
	check_rest(0, 0);
}

/* ---- with one who sleeps ---- */

static pthread_t sleeper;
static _Atomic long slept_result;

/* Until somebody sleeps at the queue. */
static void await_sleeper(void)
{
	struct msg_queue *q;
	struct object o;
	bool asleep = false;

	sysv_must(object_find(SYSV_MSG, atomic_load(&sysv->id), &o) == 0 && msg_use(&o, &q) == 0,
		  "no queue");
	while (!asleep) {
		uint32_t place = msg_place_next(q, 0);

		asleep = place != MSG_PLACES &&
			 MSG_STATE_PHASE(atomic_load(&q->places[place].state)) == MSG_ASLEEP;
		usleep(100);
	}
	msg_unuse(q);
}

static void start(void *(*act)(void *))
{
	sysv_must(pthread_create(&sleeper, NULL, act, NULL) == 0, "no thread");
}

static void *receives(void *unused)
{
	long type = get(0, 0);

	atomic_store(&slept_result, type < 0 ? -errno : type);
	return unused;
}

static void one_receives(void)
{
	one();
	start(receives);
	await_sleeper();
}

static void check_given(void)
{
	long got;

	sysv_ok(put(8, 20, 0));
	pthread_join(sleeper, NULL);
	got = atomic_load(&slept_result);
	if (got == 9)
		sysv_must(get(0, IPC_NOWAIT) == 8, "8 is not there");
	else
		sysv_must(got == 8 && !atomic_load(&sysv->acked), "%ld was received", got);
	sysv_must(get(0, IPC_NOWAIT) == -1, "one came twice");
	end();
}

static void *sends(void *unused)
{
	atomic_store(&slept_result, put(7, 5000, 0));
	return unused;
}

static void one_sends(void)
{
	one();
	sysv_ok(put(1, 8192, 0));
	sysv_ok(put(2, 8192, 0));
	start(sends);
	await_sleeper();
}

static void check_room(void)
{
	/* One has gone: the victim has it, or we do. */
	long type = atomic_load(&sysv->acked) ? 1 : get(1, IPC_NOWAIT);

	sysv_must(type == 1 || errno == ENOMSG, "%ld comes first", type);
	pthread_join(sleeper, NULL);
	sysv_must(atomic_load(&slept_result) == 0, "it was not sent");
	sysv_must(get(0, IPC_NOWAIT) == 2 && get(0, IPC_NOWAIT) == 7, "2 and 7 are not there");
	end();
}

static void act_remove(void)
{
	msgctl(atomic_load(&sysv->id), IPC_RMID, NULL);
	atomic_store(&sysv->acked, 1);
}

static void check_remove(void)
{
	int id = msgget(SYSV_KEY, 0);
	long got;

	sysv_must(id < 0 || !atomic_load(&sysv->acked), "it was removed, and is there");
	if (id >= 0)
		sysv_ok(put(8, 20, 0));
	pthread_join(sleeper, NULL);
	got = atomic_load(&slept_result);
	sysv_must(id >= 0 ? got == 8 : got == -EIDRM, "it was told %ld", got);
	/* If he died while he removed it, whoever changes the table next does that. */
	sysv_must(id < 0 || msgctl(id, IPC_RMID, NULL) == 0 || errno == EINVAL, "IPC_RMID: %s",
		  strerror(errno));
}

/* The victim sleeps, and is given a message. */

static void *feeds(void *unused)
{
	await_sleeper();
	sysv_ok(put(5, 300, 0));
	return unused;
}

static void one_feeds(void)
{
	one();
	start(feeds);
}

static void act_wait(void)
{
	receive(0, 0);
}

static void check_wait(void)
{
	long type;

	/* If it never slept, it is still to be fed. */
	pthread_cancel(sleeper);
	pthread_join(sleeper, NULL);
	type = get(0, IPC_NOWAIT);
	sysv_must(type == -1 || !atomic_load(&sysv->acked), "%ld was received, and is there", type);
	sysv_must(type == -1 || get(0, IPC_NOWAIT) == -1, "one came twice");
	end();
}

const struct sysv_scene msg_scenes[] = {
	{ "msgget makes", nothing, NULL, act_make, check_make },
	{ "msgsnd", three, ready, act_send, check_send },
	{ "msgsnd, the first call", three, prepare, act_send, check_send },
	{ "msgsnd, with a handler", three, ready_for_signals, act_send, check_send },
	{ "msgsnd to one who sleeps", one_receives, ready, act_send, check_given },
	{ "msgrcv", three, ready, act_receive_1, check_1 },
	{ "msgrcv, in the middle", three, ready, act_receive_2, check_2 },
	{ "msgrcv, the last", three, ready, act_receive_3, check_3 },
	{ "msgrcv, with a handler", three, ready_for_signals, act_receive_2, check_2 },
	{ "msgrcv of a copy", three, ready, act_copy, check_copy },
	{ "msgrcv, and another one sends then", one_sends, ready, act_receive_1, check_room },
	{ "msgrcv sleeps", one_feeds, ready, act_wait, check_wait },
	{ "IPC_RMID of a queue where one sleeps", one_receives, ready, act_remove, check_remove },
	{ 0 },
};
