/* SPDX-License-Identifier: Apache-2.0 */
/*
 * conform_msg.c - message queues without sleep: msgget, each command of msgctl, what
 * msgsnd refuses, and which message each kind of msgrcv takes.
 */
#include <limits.h>
#include <stdint.h>
#include <stdlib.h>

#include "conform.h"
#include "processes.h"
#include "transcript.h"

#define ROOM 8192

static int a, b, private1, found;
static struct {
	long type;
	char text[ROOM + 1];
} m;

static int send(long type, const char *text)
{
	m.type = type;
	strcpy(m.text, text);
	return msgsnd(a, &m, strlen(text), IPC_NOWAIT);
}

/* msgrcv, and says what came. */
static ssize_t take(size_t size, long type, int flags)
{
	ssize_t n;
	int error;

	memset(&m, 0, sizeof(m));
	n = msgrcv(a, &m, size, type, flags);
	error = errno;
	if (n >= 0)
		say("  came: type %ld '%.40s'", m.type, m.text);
	errno = error;
	return n;
}

static ssize_t next(long type)
{
	return take(ROOM, type, IPC_NOWAIT);
}

static ssize_t copy(long index)
{
	return take(ROOM, index, IPC_NOWAIT | MSG_COPY);
}

static void making(void)
{
	say("## msgget");
	GET(found, msgget(ABSENT, 0600));
	GET(a, msgget(KEY_A, IPC_CREAT | 0640));
	MSG(a);
	GET(found, msgget(KEY_A, IPC_CREAT | 0600));
	GET(found, msgget(KEY_A, IPC_CREAT | IPC_EXCL | 0600));
	GET(found, msgget(KEY_A, IPC_EXCL | 0600));
	GET(found, msgget(KEY_A, 0));
	GET(private1, msgget(IPC_PRIVATE, 0600));
	GET(b, msgget(KEY_B, IPC_CREAT | 0666));
	MSG(private1);
	MSG(b);
}

static void refused(void)
{
	say("## what msgsnd and msgrcv refuse");
	CALL(send(0, "zero"));
	CALL(send(-1, "negative"));
	CALL(send(LONG_MIN, "negative"));
	m.type = 1;
	CALL(msgsnd(a, &m, ROOM + 1, IPC_NOWAIT));
	CALL(msgsnd(a, &m, (size_t)-1, IPC_NOWAIT));
	CALL(msgsnd(-1, &m, 1, IPC_NOWAIT));
	CALL(msgsnd(NO_ID, &m, 1, IPC_NOWAIT));
	CALL(msgsnd(NO_ID, NULL, 1, IPC_NOWAIT));
	CALL(msgsnd(a, NULL, 1, IPC_NOWAIT));
	CALL(msgrcv(-1, &m, ROOM, 0, IPC_NOWAIT));
	CALL(msgrcv(NO_ID, &m, ROOM, 0, IPC_NOWAIT));
	CALL(msgrcv(a, &m, (size_t)-1, 0, IPC_NOWAIT));
	CALL(msgrcv(a, &m, ROOM, 0, IPC_NOWAIT));
	CALL(msgrcv(a, NULL, ROOM, 0, IPC_NOWAIT));
	CALL(msgrcv(a, &m, ROOM, 0, MSG_COPY));
	CALL(msgrcv(a, &m, ROOM, 0, MSG_COPY | MSG_EXCEPT | IPC_NOWAIT));
	MSG(a);
}

static void sending(void)
{
	say("## msgsnd");
	CALL(send(1, "one"));
	MSG(a);
	CALL(send(LONG_MAX, ""));
	MSG(a);
	CALL(next(0));
	MSG(a);
	CALL(next(0));
	MSG(a);
	m.type = 2;
	memset(m.text, 'x', ROOM);
	CALL(msgsnd(a, &m, ROOM, IPC_NOWAIT));
	CALL(msgsnd(a, &m, ROOM, IPC_NOWAIT));
	MSG(a);
	say("## full");
	CALL(send(3, "y"));
	CALL(send(3, ""));
	MSG(a);
	CALL(take(10, 2, IPC_NOWAIT));
	CALL(take(0, 2, IPC_NOWAIT));
	CALL(take(10, 2, IPC_NOWAIT | MSG_NOERROR));
	MSG(a);
	CALL(take(0, 2, IPC_NOWAIT | MSG_NOERROR));
	MSG(a);
	CALL(next(0));
	CALL(next(0));
}

static void setting(void)
{
	struct msqid_ds s;

	say("## msg_qbytes");
	CALL(msgctl(a, IPC_STAT, &s));
	s.msg_qbytes = 10;
	s.msg_perm.mode = 07622;
	s.msg_perm.uid = 65534;
	s.msg_perm.gid = 4002;
	CALL(msgctl(a, IPC_SET, &s));
	MSG(a);
	CALL(send(1, "12345"));
	CALL(send(1, "123456"));
	CALL(send(1, "12345"));
	CALL(send(1, ""));
	CALL(send(1, "12345678901"));
	MSG(a);
	s.msg_qbytes = 4;
	CALL(msgctl(a, IPC_SET, &s));
	MSG(a);
	CALL(send(1, ""));
	s.msg_qbytes = 0;
	CALL(msgctl(a, IPC_SET, &s));
	CALL(send(1, ""));
	s.msg_qbytes = 16384; /* beyond it, CAP_SYS_RESOURCE decides: no subject here */
	CALL(msgctl(a, IPC_SET, &s));
	while (next(0) >= 0)
		;
	say("## many of no length");
	for (int i = 0; i < 16384; i++)
		if (send(1, "") != 0) {
			say("the %d. is refused", i);
			break;
		}
	CALL(send(1, ""));
	MSG(a);
	for (int i = 0; msgrcv(a, &m, 0, 0, IPC_NOWAIT) == 0; i++)
		if (i > 16384)
			break;
	MSG(a);
	s.msg_perm.uid = (uid_t)-1;
	CALL(msgctl(a, IPC_SET, &s));
	CALL(msgctl(a, IPC_SET, NULL));
	CALL(msgctl(a, IPC_STAT, NULL));
	CALL(msgctl(NO_ID, IPC_STAT, &s));
	CALL(msgctl(NO_ID, IPC_SET, &s));
	CALL(msgctl(-1, IPC_STAT, &s));
	CALL(msgctl(a, 99, &s));
	CALL(msgctl(a, -1, &s));
	CALL(msgctl(-1, 99, &s));
}

static void listing(void)
{
	struct msginfo limits, used;
	struct msqid_ds s;
	int top, seen = 0;

	say("## IPC_INFO, MSG_INFO, MSG_STAT, MSG_STAT_ANY");
	CALL(send(1, "four"));
	top = msgctl(0, IPC_INFO, (struct msqid_ds *)&limits);
	say("msgmax %d msgmnb %d msgmni %d", limits.msgmax, limits.msgmnb, limits.msgmni);
	CALL(msgctl(0, MSG_INFO, (struct msqid_ds *)&used) == top);
	say("queues %d messages %d bytes %d", used.msgpool, used.msgmap, used.msgtql);
	CALL(msgctl(-1, IPC_INFO, (struct msqid_ds *)&limits));
	for (int index = 0; index <= top; index++) {
		int id = msgctl(index, MSG_STAT, &s);

		if (id == -1)
			continue;
		seen++;
		if (id != msgctl(index, MSG_STAT_ANY, &s) || msgctl(id, IPC_STAT, &s) != 0)
			say("an index without its queue");
	}
	CALL(seen);
	CALL(msgctl(top, MSG_STAT, &s) >= 0);
	CALL(msgctl(top + 1, MSG_STAT, &s));
	CALL(msgctl(top + 1, MSG_STAT_ANY, &s));
	CALL(msgctl(-1, MSG_STAT, &s));
	CALL(next(0));
}

static void by_stranger(void)
{
	struct msqid_ds s;

	become_nobody();
	GET(found, msgget(KEY_A, 0));
	GET(found, msgget(KEY_A, 0400));
	GET(found, msgget(KEY_A, IPC_CREAT | IPC_EXCL | 0400));
	GET(found, msgget(KEY_B, 0600));
	MSG(a);
	MSG(b);
	CALL(send(1, "may not"));
	CALL(send(0, "may not"));
	CALL(next(0));
	CALL(msgctl(a, IPC_RMID, NULL));
	CALL(msgctl(b, IPC_RMID, NULL));
	CALL(msgctl(b, IPC_STAT, &s));
	CALL(msgctl(b, IPC_SET, &s));
}

static void by_owner(void)
{
	struct msqid_ds s;

	become_nobody();
	CALL(send(1, "may"));
	CALL(next(0));
	CALL(msgctl(a, IPC_STAT, &s));
	s.msg_qbytes = 8000;
	CALL(msgctl(a, IPC_SET, &s));
	s.msg_qbytes = 16384;
	CALL(msgctl(a, IPC_SET, &s));
	s.msg_qbytes = 16385;
	CALL(msgctl(a, IPC_SET, &s));
	MSG(a);
	CALL(msgctl(a, IPC_RMID, NULL));
}

static void rights(void)
{
	struct msqid_ds s;

	say("## rights");
	CALL(msgctl(a, IPC_STAT, &s));
	s.msg_perm.uid = s.msg_perm.gid = 0;
	s.msg_perm.mode = 0600;
	CALL(msgctl(a, IPC_SET, &s));
	in_child("nobody", by_stranger);
	s.msg_perm.uid = 65534;
	CALL(msgctl(a, IPC_SET, &s));
	in_child("owner", by_owner);
	MSG(a);
}

void conform_msg(void)
{
	making();
	refused();
	sending();
	setting();
	listing();
	rights();
	CALL(send(1, "gone"));
	CALL(next(0));
	CALL(msgctl(a, IPC_RMID, NULL));
	CALL(msgctl(b, IPC_RMID, NULL));
	CALL(msgctl(private1, IPC_RMID, NULL));
}

static void fill(void)
{
	static const struct {
		long type;
		const char *text;
	} messages[] = { { 5, "five" }, { 3, "three" }, { 9, "nine" },  { 3, "three again" },
			 { 1, "one" },  { 7, "seven" }, { 5, "again" }, { 2, "" } };

	while (msgrcv(a, &m, ROOM, 0, IPC_NOWAIT) >= 0)
		;
	for (size_t i = 0; i < sizeof(messages) / sizeof(messages[0]); i++)
		CALL(send(messages[i].type, messages[i].text));
}

void conform_msg_take(void)
{
	GET(a, msgget(KEY_A, IPC_CREAT | 0600));
	fill();
	say("## by type");
	CALL(next(3));
	CALL(next(3));
	CALL(next(3));
	CALL(next(4));
	CALL(next(0));
	say("## the lowest up to one");
	fill();
	CALL(next(-3));
	CALL(next(-3));
	CALL(next(-3));
	CALL(next(-3));
	CALL(next(-3));
	CALL(next(-1));
	CALL(next(LONG_MIN));
	CALL(next(-LONG_MAX));
	CALL(next(-6));
	say("## all but one");
	fill();
	CALL(take(ROOM, 5, IPC_NOWAIT | MSG_EXCEPT));
	CALL(take(ROOM, 3, IPC_NOWAIT | MSG_EXCEPT));
	CALL(take(ROOM, 3, IPC_NOWAIT | MSG_EXCEPT));
	CALL(take(ROOM, 0, IPC_NOWAIT | MSG_EXCEPT));
	CALL(take(ROOM, -2, IPC_NOWAIT | MSG_EXCEPT));
	CALL(take(ROOM, -9, IPC_NOWAIT | MSG_EXCEPT));
	say("## too long");
	fill();
	CALL(take(4, 3, IPC_NOWAIT));
	CALL(take(4, 3, IPC_NOWAIT | MSG_NOERROR));
	CALL(take(4, 3, IPC_NOWAIT));
	CALL(take(2, -1, IPC_NOWAIT));
	CALL(take(3, -1, IPC_NOWAIT));
	CALL(take(0, 2, IPC_NOWAIT));
	CALL(take(INT_MAX, 0, IPC_NOWAIT));
	CALL(take(LONG_MAX, 0, IPC_NOWAIT));
	MSG(a);
	say("## copies");
	fill();
	CALL(copy(0));
	CALL(copy(1));
	CALL(copy(7));
	CALL(copy(8));
	CALL(copy(-1));
	CALL(take(4, 1, IPC_NOWAIT | MSG_COPY));
	CALL(take(4, 1, IPC_NOWAIT | MSG_COPY | MSG_NOERROR));
	MSG(a);
	CALL(msgctl(a, IPC_RMID, NULL));
}
