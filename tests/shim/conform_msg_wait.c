/* SPDX-License-Identifier: Apache-2.0 */
/*
 * conform_msg_wait.c - message queues that let sleep: who wakes by what message, by
 * what room, by what signal, and by the end of the queue.
 */
#include "conform.h"
#include "processes.h"
#include "transcript.h"

#define HALF 8192

struct message {
	long type;
	char text[HALF];
};

static int a;
static struct other one, two;
static struct message m;

static int send(long type, const char *text)
{
	m.type = type;
	strcpy(m.text, text);
	return msgsnd(a, &m, strlen(text), 0);
}

static ssize_t take(long type, int flags)
{
	ssize_t n;

	memset(&m, 0, sizeof(m));
	n = msgrcv(a, &m, sizeof(m.text), type, flags);
	if (n >= 0)
		say("  came: type %ld '%.40s'", m.type, m.text);
	return n;
}

static void take_any(void)
{
	CALL(take(0, 0));
}

static void take_seven(void)
{
	CALL(take(7, 0));
}

static void take_up_to_three(void)
{
	CALL(take(-3, 0));
}

static void take_all_but_seven(void)
{
	CALL(take(7, MSG_EXCEPT));
}

static void take_short(void)
{
	CALL(msgrcv(a, &m, 3, 0, 0));
}

static void take_shortened(void)
{
	memset(&m, 0, sizeof(m));
	CALL(msgrcv(a, &m, 3, 0, MSG_NOERROR));
	say("  came: '%s'", m.text);
}

static void send_half(void)
{
	m.type = 4;
	CALL(msgsnd(a, &m, HALF, 0));
}

static void send_little(void)
{
	CALL(send(5, "little"));
}

static void on_signal(int number)
{
	(void)number;
}

static void handle(void)
{
	sigaction(SIGUSR1, &(struct sigaction){ .sa_handler = on_signal }, NULL);
}

static void handle_and_restart(void)
{
	sigaction(SIGUSR1, &(struct sigaction){ .sa_handler = on_signal, .sa_flags = SA_RESTART },
		  NULL);
}

static void ignore(void)
{
	signal(SIGUSR1, SIG_IGN);
}

static void sleeps_in(struct other *o, void (*what)(void))
{
	other_begin(o, what);
	other_sleeps(o);
}

static void fill(void)
{
	m.type = 9;
	CALL(msgsnd(a, &m, HALF, IPC_NOWAIT));
	CALL(msgsnd(a, &m, HALF, IPC_NOWAIT));
	CALL(msgsnd(a, &m, 1, IPC_NOWAIT));
}

static void receivers(void)
{
	say("## receivers");
	sleeps_in(&one, take_any);
	MSG(a);
	CALL(send(2, "for anybody"));
	other_end(&one);
	MSG(a);
	sleeps_in(&one, take_seven);
	CALL(send(6, "not for it"));
	other_sleeps(&one);
	MSG(a);
	CALL(send(7, "for it"));
	other_end(&one);
	MSG(a);
	sleeps_in(&one, take_up_to_three);
	CALL(send(4, "too high"));
	other_sleeps(&one);
	CALL(send(3, "low enough"));
	other_end(&one);
	MSG(a);
	CALL(take(0, IPC_NOWAIT));
	CALL(take(0, IPC_NOWAIT));
	sleeps_in(&one, take_all_but_seven);
	CALL(send(7, "excepted"));
	other_sleeps(&one);
	CALL(send(8, "another"));
	other_end(&one);
	CALL(take(0, IPC_NOWAIT));
	say("## too long for the one that waits");
	sleeps_in(&one, take_short);
	CALL(send(1, "longer"));
	other_end(&one);
	MSG(a);
	CALL(take(0, IPC_NOWAIT));
	sleeps_in(&one, take_shortened);
	CALL(send(1, "longer"));
	other_end(&one);
	MSG(a);
	say("## two, of different types");
	sleeps_in(&one, take_seven);
	sleeps_in(&two, take_up_to_three);
	CALL(send(1, "for the second"));
	other_end(&two);
	other_sleeps(&one);
	CALL(send(7, "for the first"));
	other_end(&one);
	MSG(a);
}

static void senders(void)
{
	struct msqid_ds s;

	say("## senders");
	fill();
	sleeps_in(&one, send_half);
	MSG(a);
	CALL(take(0, IPC_NOWAIT));
	other_end(&one);
	MSG(a);
	sleeps_in(&one, send_little);
	CALL(take(-4, IPC_NOWAIT));
	other_end(&one);
	MSG(a);
	say("## more room by IPC_SET");
	CALL(msgctl(a, IPC_STAT, &s));
	s.msg_qbytes -= 6;
	CALL(msgctl(a, IPC_SET, &s));
	m.type = 9;
	CALL(msgsnd(a, &m, HALF - 12, IPC_NOWAIT));
	sleeps_in(&one, send_little);
	s.msg_qbytes += 6;
	CALL(msgctl(a, IPC_SET, &s));
	other_end(&one);
	MSG(a);
	say("## less than the room needed");
	sleeps_in(&one, send_half);
	CALL(take(5, IPC_NOWAIT));
	other_sleeps(&one);
	CALL(take(9, IPC_NOWAIT));
	other_end(&one);
	MSG(a);
}

static void interrupted(const char *how, void (*prepare)(void))
{
	say("## %s", how);
	other_do(&one, prepare);
	sleeps_in(&one, take_seven);
	kill(one.pid, SIGUSR1);
	other_end(&one);
	sleeps_in(&one, send_half);
	kill(one.pid, SIGUSR1);
	other_end(&one);
	MSG(a);
}

void conform_msg_wait(void)
{
	GET(a, msgget(KEY_A, IPC_CREAT | 0600));
	other_start(&one, "one");
	other_start(&two, "two");
	receivers();
	senders();
	interrupted("a handler interrupts", handle);
	interrupted("also with SA_RESTART", handle_and_restart);
	say("## an ignored signal does not");
	other_do(&two, ignore);
	sleeps_in(&two, take_seven);
	kill(two.pid, SIGUSR1);
	other_sleeps(&two);
	say("## a sleeper is killed");
	other_kill(&two);
	while (take(0, IPC_NOWAIT) >= 0)
		;
	CALL(send(7, "stays"));
	MSG(a);
	CALL(take(7, IPC_NOWAIT));
	say("## removed");
	other_start(&two, "three");
	sleeps_in(&one, take_seven);
	fill();
	sleeps_in(&two, send_half);
	CALL(msgctl(a, IPC_RMID, NULL));
	other_end(&one);
	other_end(&two);
	MSG(a);
	other_exit(&one);
	other_exit(&two);
}
