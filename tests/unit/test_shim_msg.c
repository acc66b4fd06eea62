/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_shim_msg.c - message queues of a directory: who gets which message, who sleeps,
 * and what is made good for those who are gone.
 */
#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/msg.h>
#include <sys/wait.h>
#include <unistd.h>

#include "msg.h"
#include "token.h"

#define MOST 8192

struct text {
	long type;
	unsigned char bytes[MOST];
};

static int queue;

static int make(void **state)
{
	(void)state;
	queue = msgget(IPC_PRIVATE, 0600);
	return queue < 0;
}

static int drop(void **state)
{
	(void)state;
	return msgctl(queue, IPC_RMID, NULL) < 0 && errno != EINVAL;
}

static unsigned char letter(long type, size_t i)
{
	return (unsigned char)(i * 7 + (unsigned long)type);
}

static int put(long type, size_t bytes)
{
	struct text t = { .type = type };

	for (size_t i = 0; i < bytes; i++)
		t.bytes[i] = letter(type, i);
	return msgsnd(queue, &t, bytes, IPC_NOWAIT);
}

/* Its type, whole; or -errno. */
static long get_by(long type, size_t room, int flags)
{
	struct text t;
	ssize_t bytes = msgrcv(queue, &t, room, type, flags);

	if (bytes < 0)
		return -errno;
	for (ssize_t i = 0; i < bytes; i++)
		assert_int_equal(t.bytes[i], letter(t.type, (size_t)i));
	return t.type;
}

static long get(long type)
{
	return get_by(type, MOST, IPC_NOWAIT);
}

#define assert_errno(call, err)                                                                    \
	do {                                                                                       \
		assert_int_equal(call, -1);                                                        \
		assert_int_equal(errno, err);                                                      \
	} while (0)

static struct msqid_ds look(void)
{
	struct msqid_ds ds;

	assert_int_equal(msgctl(queue, IPC_STAT, &ds), 0);
	return ds;
}

/* The queue as the shim has it; it stays mapped. */
static struct msg_queue *inside(void)
{
	struct msg_queue *q;
	struct object o;

	assert_int_equal(object_find(SYSV_MSG, queue, &o), 0);
	assert_int_equal(msg_use(&o, &q), 0);
	msg_unuse(q);
	return q;
}

static void await_sleepers(uint32_t count)
{
	struct msg_queue *q = inside();
	uint32_t asleep = 0;

	while (asleep != count) {
		usleep(200);
		asleep = 0;
		for (uint32_t i = msg_place_next(q, 0); i < MSG_PLACES;
		     i = msg_place_next(q, i + 1))
			asleep += MSG_STATE_PHASE(msg_get(q->places[i].state)) == MSG_ASLEEP;
	}
}

/* ---- which message ---- */

static void test_types(void **state)
{
	static const long types[] = { 3, 1, 2, 5, LONG_MAX, 1 };

	(void)state;
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		assert_int_equal(put(types[i], i), 0);
	assert_int_equal(get(5), 5);
	assert_int_equal(get(5), -ENOMSG);
	assert_int_equal(get_by(3, MOST, IPC_NOWAIT | MSG_EXCEPT), 1);
	assert_int_equal(get(-2), 1); /* and not 2, which came first */
	assert_int_equal(get(-1), -ENOMSG);
	assert_int_equal(get(-4), 2);
	assert_int_equal(get(0), 3);
	assert_int_equal(get(LONG_MIN), LONG_MAX);
	assert_int_equal(get(0), -ENOMSG);
	assert_errno(put(0, 0), EINVAL);
	assert_errno(put(-1, 0), EINVAL);
}

static void test_sizes(void **state)
{
	(void)state;
	for (size_t bytes = 0; bytes <= MOST; bytes += bytes < 400 ? 1 : 97) {
		assert_int_equal(put((long)bytes + 1, bytes), 0);
		assert_int_equal(put(1, 100), 0);
		assert_int_equal(get(0), (long)bytes + 1);
		assert_int_equal(get(0), 1);
	}
}

static void test_room(void **state)
{
	struct msqid_ds ds = look();
	int count = 0;

	(void)state;
	assert_int_equal(ds.msg_qbytes, 16384);
	assert_int_equal(put(1, MOST), 0);
	assert_int_equal(put(1, MOST - 1), 0);
	assert_errno(put(1, 2), EAGAIN);
	assert_int_equal(put(1, 1), 0);
	assert_int_equal(put(1, 0), 0); /* takes no byte of the room */
	while (get(0) == 1)
		;
	while (put(1, 0) == 0)
		count++;
	assert_int_equal(errno, EAGAIN);
	assert_int_equal(count, 16384);
	assert_int_equal(look().msg_qnum, 16384);
	while (get(0) == 1)
		count--;
	assert_int_equal(count, 0);
	ds.msg_qbytes = 10;
	assert_int_equal(msgctl(queue, IPC_SET, &ds), 0);
	assert_int_equal(put(1, 10), 0);
	assert_errno(put(1, 1), EAGAIN);
}

static void test_too_big(void **state)
{
	struct text t;

	(void)state;
	assert_int_equal(put(4, 10), 0);
	assert_int_equal(get_by(0, 9, 0), -E2BIG);
	assert_int_equal(msgrcv(queue, &t, 9, 1, MSG_COPY | IPC_NOWAIT), -1);
	assert_int_equal(errno, ENOMSG);
	assert_int_equal(msgrcv(queue, &t, 10, 0, MSG_COPY | IPC_NOWAIT), 10);
	assert_int_equal(look().msg_qnum, 1);
	assert_int_equal(msgrcv(queue, &t, 9, 0, MSG_NOERROR), 9);
	assert_int_equal(get(0), -ENOMSG);
	assert_errno(msgsnd(queue, &t, MOST + 1, 0), EINVAL);
	assert_errno(msgsnd(queue, NULL, 1, 0), EFAULT);
}

/* ---- who sleeps ---- */

struct sleeper {
	pthread_t thread;
	long type;
	size_t room;
	_Atomic long result;
};

static void *receive(void *arg)
{
	struct sleeper *s = arg;

	s->result = get_by(s->type, s->room, 0);
	return NULL;
}

static void *send(void *arg)
{
	struct sleeper *s = arg;
	struct text t = { .type = s->type };

	s->result = msgsnd(queue, &t, s->room, 0) < 0 ? -errno : 0;
	return NULL;
}

static void start(struct sleeper *s, void *(*act)(void *), long type, size_t room)
{
	*s = (struct sleeper){ .type = type, .room = room };
	assert_int_equal(pthread_create(&s->thread, NULL, act, s), 0);
}

static long end(struct sleeper *s)
{
	pthread_join(s->thread, NULL);
	return s->result;
}

static void test_given(void **state)
{
	struct sleeper small, any, five;

	(void)state;
	start(&small, receive, 0, 2);
	await_sleepers(1);
	start(&any, receive, 0, 100);
	await_sleepers(2);
	start(&five, receive, 5, 100);
	await_sleepers(3);
	assert_int_equal(put(5, 10), 0); /* to the second: the first has no room for it */
	assert_int_equal(look().msg_qnum, 0);
	assert_int_equal(look().msg_lrpid, getpid());
	assert_int_equal(get(0), -ENOMSG);
	assert_int_equal(end(&small), -E2BIG);
	assert_int_equal(end(&any), 5);
	assert_int_equal(put(4, 10), 0);
	assert_int_equal(put(5, 10), 0);
	assert_int_equal(end(&five), 5);
	assert_int_equal(get(0), 4);
}

static void test_room_comes(void **state)
{
	struct sleeper large, small;

	(void)state;
	assert_int_equal(put(1, MOST), 0);
	assert_int_equal(put(2, MOST), 0);
	start(&large, send, 3, MOST);
	start(&small, send, 4, 10);
	await_sleepers(2);
	assert_int_equal(get_by(1, MOST, IPC_NOWAIT), 1);
	assert_int_equal(get_by(2, MOST, IPC_NOWAIT), 2);
	assert_int_equal(end(&large), 0);
	assert_int_equal(end(&small), 0);
	assert_int_equal(look().msg_qnum, 2);
}

static void nothing(int number)
{
	(void)number;
}

static void test_interrupted(void **state)
{
	struct sigaction action = { .sa_handler = nothing, .sa_flags = SA_RESTART };
	struct sleeper s;

	(void)state;
	sigaction(SIGUSR1, &action, NULL);
	start(&s, receive, 0, 100);
	await_sleepers(1);
	while (s.result == 0) { /* it may not be quite asleep yet */
		pthread_kill(s.thread, SIGUSR1);
		usleep(1000);
	}
	assert_int_equal(end(&s), -EINTR);
	assert_int_equal(put(1, 1), 0);
	assert_int_equal(get(0), 1);
}

/* By an alarm of the time after which the sleeper looks by itself: the kernel may tell of that. */
static void test_interrupted_when_it_looks(void **state)
{
	struct sigaction action = { .sa_handler = nothing, .sa_flags = SA_RESTART };

	(void)state;
	sigaction(SIGALRM, &action, NULL);
	for (int i = 0; i < 10; i++) {
		ualarm(50000, 0);
		assert_int_equal(get_by(0, 100, 0), -EINTR);
	}
}

static int told;

static void tells(int number, siginfo_t *info, void *context)
{
	(void)context;
	told = info->si_code == SI_USER && info->si_pid == getpid() ? number : -1;
}

/* A program's handlers are its own to see, although a relay calls them. */
static void test_handlers(void **state)
{
	struct sigaction action = { .sa_sigaction = tells, .sa_flags = SA_SIGINFO }, old;

	(void)state;
	assert_int_equal(sigaction(SIGUSR2, &action, NULL), 0);
	kill(getpid(), SIGUSR2);
	assert_int_equal(told, SIGUSR2);
	assert_ptr_equal(signal(SIGUSR2, nothing), tells);
	assert_int_equal(sigaction(SIGUSR2, NULL, &old), 0);
	assert_ptr_equal(old.sa_handler, nothing);
	assert_int_equal(old.sa_flags & SA_SIGINFO, 0);
	assert_ptr_equal(signal(SIGUSR2, SIG_IGN), nothing);
	assert_ptr_equal(signal(SIGUSR2, SIG_DFL), SIG_IGN);
	assert_ptr_equal(signal(SIGKILL, nothing), SIG_ERR);
	assert_errno(sigaction(SIGKILL, &action, NULL), EINVAL);
	assert_errno(sigaction(1000, &action, NULL), EINVAL);
}

static void test_removed(void **state)
{
	struct sleeper receiver, sender;

	(void)state;
	assert_int_equal(put(1, MOST), 0);
	assert_int_equal(put(1, MOST), 0);
	start(&receiver, receive, 2, 100);
	start(&sender, send, 1, 100);
	await_sleepers(2);
	assert_int_equal(msgctl(queue, IPC_RMID, NULL), 0);
	assert_int_equal(end(&receiver), -EIDRM);
	assert_int_equal(end(&sender), -EIDRM);
	assert_errno(put(1, 1), EINVAL);
}

/* More than there are places: the others poll. */
static void test_crowd(void **state)
{
	enum { CROWD = MSG_PLACES + 8 };
	static struct sleeper s[CROWD];
	pthread_attr_t attr;

	(void)state;
	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, 128 * 1024);
	for (int i = 0; i < CROWD; i++) {
		s[i] = (struct sleeper){ .room = 100 };
		assert_int_equal(pthread_create(&s[i].thread, &attr, receive, &s[i]), 0);
	}
	await_sleepers(MSG_PLACES);
	for (int i = 0; i < CROWD; i++)
		assert_int_equal(put(i + 1, 10), 0);
	for (int i = 0; i < CROWD; i++)
		assert_in_range(end(&s[i]), 1, CROWD);
	pthread_attr_destroy(&attr);
	assert_int_equal(get(0), -ENOMSG);
}

/* ---- who is gone ---- */

static void test_dead_sleeper(void **state)
{
	pid_t pid = fork();

	(void)state;
	if (pid == 0)
		_exit(get_by(0, 100, 0) > 0);
	await_sleepers(1);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	assert_int_equal(put(7, 10), 0);
	assert_int_equal(look().msg_qnum, 1);
	assert_int_equal(look().msg_lrpid, 0);
	assert_int_equal(get(0), 7);
}

static sigjmp_buf away;

static void jump(int number)
{
	(void)number;
	siglongjmp(away, 1);
}

/* Whoever leaves the call so does not come for a message that he is given. */
static void test_jumped_away(void **state)
{
	struct sigaction action = { .sa_handler = jump };
	struct sleeper s;

	(void)state;
	sigaction(SIGALRM, &action, NULL);
	if (sigsetjmp(away, 1) == 0) {
		ualarm(20000, 0);
		get_by(0, 100, 0);
		fail();
	}
	assert_int_equal(put(7, 10), 0);
	start(&s, receive, 7, 100);
	assert_int_equal(end(&s), 7);
}

/* A child takes the lock, leaves the queue in disorder, and is gone. */
static void test_mended(void **state)
{
	struct msg_queue *q = inside();
	struct held held;
	pid_t pid;

	(void)state;
	for (long type = 1; type <= 3; type++)
		assert_int_equal(put(type, (size_t)type * 200), 0);
	pid = fork();
	if (pid == 0) {
		token_mine();
		lock_take(&q->shared->lock, &held);
		msg_fill(q, 9, "abc", 3); /* filled, and nobody's */
		msg_put(q->shared->tail, 0);
		msg_put(q->shared->count, 77);
		msg_put(q->shared->bytes, 12345);
		msg_put(q->shared->free, 0);
		_exit(0);
	}
	waitpid(pid, NULL, 0);
	assert_int_equal(look().msg_qnum, 3);
	assert_int_equal(look().__msg_cbytes, 1200);
	assert_int_equal(put(4, 10), 0);
	for (long type = 1; type <= 4; type++)
		assert_int_equal(get(0), type);
	assert_int_equal(get(0), -ENOMSG);
}

int main(int argc, char **argv)
{
#define CASE(test) cmocka_unit_test_setup_teardown(test, make, drop)
	const struct CMUnitTest tests[] = {
		CASE(test_types),       CASE(test_sizes),
		CASE(test_room),        CASE(test_too_big),
		CASE(test_given),       CASE(test_room_comes),
		CASE(test_interrupted), CASE(test_interrupted_when_it_looks),
		CASE(test_handlers),    CASE(test_removed),
		CASE(test_crowd),       CASE(test_dead_sleeper),
		CASE(test_jumped_away), CASE(test_mended),
	};
	const char *given = getenv("COSHM_DIR");
	char dir[] = "/dev/shm/test-shim-msg-XXXXXX", command[100];
	int failed;

	(void)argc;
	if (!given || !strstr(given, "/test-shim-msg-")) { /* it counts from a program's start */
		if (!mkdtemp(dir) || setenv("COSHM_DIR", dir, 1) < 0)
			return 2;
		execv("/proc/self/exe", argv);
		return 2;
	}
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	snprintf(command, sizeof(command), "rm -r '%s'", given);
	return system(command) != 0 || failed;
}
