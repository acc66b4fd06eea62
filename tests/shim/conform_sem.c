/* SPDX-License-Identifier: Apache-2.0 */
/*
 * conform_sem.c - semaphores without sleep: semget, each command of semctl, and
 * vectors of operations, that are done in full or not at all.
 */
#include <limits.h>
#include <stdlib.h>

#include "conform.h"
#include "processes.h"
#include "transcript.h"

#define OP(n, by, flags) ((struct sembuf){ .sem_num = (n), .sem_op = (by), .sem_flg = (flags) })
#define OPS(...)         ((struct sembuf[]){ __VA_ARGS__ }), COUNT(__VA_ARGS__)
#define COUNT(...)       (sizeof((struct sembuf[]){ __VA_ARGS__ }) / sizeof(struct sembuf))
#define VAL(v)           ((union semun){ .val = (v) })
#define ARRAY(a)         ((union semun){ .array = (a) })
#define BUF(b)           ((union semun){ .buf = (b) })
#define INFO(i)          ((union semun){ .__buf = (i) })

static int a, b, private1, found;
static unsigned short values[8];

static void making(void)
{
	say("## semget");
	GET(found, semget(ABSENT, 1, 0600));
	GET(found, semget(ABSENT, 0, IPC_CREAT | 0600));
	GET(found, semget(ABSENT, -1, IPC_CREAT | 0600));
	GET(found, semget(ABSENT, -1, 0600));
	GET(found, semget(ABSENT, 32001, IPC_CREAT | 0600));
	GET(a, semget(KEY_A, 4, IPC_CREAT | 0640));
	SEM(a);
	GET(found, semget(KEY_A, 4, IPC_CREAT | 0600));
	GET(found, semget(KEY_A, 0, 0));
	GET(found, semget(KEY_A, 1, 0600));
	GET(found, semget(KEY_A, 5, 0600));
	GET(found, semget(KEY_A, 5, IPC_CREAT | IPC_EXCL | 0600));
	GET(found, semget(KEY_A, 4, IPC_CREAT | IPC_EXCL | 0600));
	GET(found, semget(KEY_A, 32001, 0600));
	GET(private1, semget(IPC_PRIVATE, 1, 0600));
	GET(b, semget(KEY_B, 250, IPC_CREAT | 0666));
	SEM(b);
	SEM(private1);
}

static void values_of(void)
{
	say("## SETVAL, GETVAL, SETALL, GETALL");
	CALL(semctl(a, 0, SETVAL, VAL(3)));
	CALL(semctl(a, 3, SETVAL, VAL(32767)));
	CALL(semctl(a, 0, SETVAL, VAL(32768)));
	CALL(semctl(a, 0, SETVAL, VAL(-1)));
	CALL(semctl(a, 4, SETVAL, VAL(1)));
	CALL(semctl(a, -1, SETVAL, VAL(1)));
	CALL(semctl(NO_ID, 0, SETVAL, VAL(1)));
	CALL(semctl(-1, 0, SETVAL, VAL(1)));
	SEM(a);
	CALL(semctl(a, 0, GETVAL));
	CALL(semctl(a, 4, GETVAL));
	CALL(semctl(a, -1, GETVAL));
	CALL(semctl(NO_ID, 0, GETVAL));
	CALL(semctl(a, 0, GETPID) == getpid());
	CALL(semctl(a, 1, GETPID));
	CALL(semctl(a, 4, GETPID));
	CALL(semctl(a, 0, GETNCNT));
	CALL(semctl(a, 4, GETNCNT));
	CALL(semctl(a, 0, GETZCNT));
	CALL(semctl(a, -1, GETZCNT));
	values[0] = 9, values[1] = 8, values[2] = 7, values[3] = 6;
	CALL(semctl(a, 0, SETALL, ARRAY(values)));
	SEM(a);
	values[2] = 40000;
	CALL(semctl(a, 0, SETALL, ARRAY(values)));
	SEM(a);
	memset(values, 0xff, sizeof(values));
	CALL(semctl(a, 0, GETALL, ARRAY(values)));
	say("%u %u %u %u %u", values[0], values[1], values[2], values[3], values[4]);
	CALL(semctl(a, 99, GETALL, ARRAY(values)));
	CALL(semctl(NO_ID, 0, GETALL, ARRAY(values)));
	CALL(semctl(a, 0, GETALL, ARRAY(NULL)));
	CALL(semctl(a, 0, SETALL, ARRAY(NULL)));
	CALL(semctl(b, 249, SETVAL, VAL(5)));
	CALL(semctl(b, 249, GETVAL));
}

static void listing(void)
{
	struct seminfo limits, used;
	struct semid_ds s;
	int top, seen = 0;

	say("## IPC_INFO, SEM_INFO, SEM_STAT, SEM_STAT_ANY");
	top = semctl(0, 0, IPC_INFO, INFO(&limits));
	say("semmni %d semmns %d semmsl %d semopm %d semvmx %d semaem %d", limits.semmni,
	    limits.semmns, limits.semmsl, limits.semopm, limits.semvmx, limits.semaem);
	CALL(semctl(0, 0, SEM_INFO, INFO(&used)) == top);
	say("sets %d semaphores %d", used.semusz, used.semaem);
	CALL(semctl(-1, 0, IPC_INFO, INFO(&limits)));
	for (int index = 0; index <= top; index++) {
		int id = semctl(index, 0, SEM_STAT, BUF(&s));

		if (id == -1)
			continue;
		seen++;
		if (id != semctl(index, 0, SEM_STAT_ANY, BUF(&s)) || semctl(id, 0, GETVAL) < 0)
			say("an index without its set");
	}
	CALL(seen);
	CALL(semctl(top, 0, SEM_STAT, BUF(&s)) >= 0);
	CALL(semctl(top + 1, 0, SEM_STAT, BUF(&s)));
	CALL(semctl(top + 1, 0, SEM_STAT_ANY, BUF(&s)));
	CALL(semctl(-1, 0, SEM_STAT, BUF(&s)));
}

static void by_nobody(void)
{
	struct semid_ds s;

	become_nobody();
	GET(found, semget(KEY_A, 0, 0));
	GET(found, semget(KEY_A, 0, 0400));
	GET(found, semget(KEY_A, 0, 0004));
	GET(found, semget(KEY_A, 9, 0400));
	GET(found, semget(KEY_B, 0, 0600));
	SEM(a);
	SEM(b);
	CALL(semctl(a, 0, GETVAL));
	CALL(semctl(a, 9, GETVAL));
	CALL(semctl(a, 0, SETVAL, VAL(1)));
	CALL(semctl(a, 0, SETVAL, VAL(40000)));
	CALL(semctl(a, 0, GETALL, ARRAY(values)));
	CALL(semctl(a, 0, SETALL, ARRAY(values)));
	CALL(semctl(a, 0, IPC_SET, BUF(&s)));
	CALL(semctl(a, 0, IPC_RMID));
	CALL(semctl(b, 0, IPC_RMID));
	CALL(semop(a, OPS(OP(0, 1, 0))));
	CALL(semop(a, OPS(OP(0, 0, IPC_NOWAIT))));
	CALL(semop(a, OPS(OP(9, 1, 0))));
	CALL(semop(b, OPS(OP(0, 1, 0))));
	SEM(b);
}

static void reading(void)
{
	become_nobody();
	SEM(a);
	CALL(semctl(a, 0, SETVAL, VAL(1)));
	CALL(semop(a, OPS(OP(0, 1, 0))));
	CALL(semop(a, OPS(OP(0, 0, IPC_NOWAIT))));
	CALL(semop(a, OPS(OP(0, 0, IPC_NOWAIT), OP(0, 1, 0))));
}

static void owning(void)
{
	become_nobody();
	SEM(a);
	CALL(semctl(a, 0, IPC_RMID));
	SEM(a);
}

static void rights(void)
{
	struct semid_ds s;

	say("## rights");
	in_child("nobody", by_nobody);
	CALL(semctl(a, 0, IPC_STAT, BUF(&s)));
	s.sem_perm.mode = 01604;
	CALL(semctl(a, 0, IPC_SET, BUF(&s)));
	in_child("reader", reading);
	s.sem_perm.uid = 65534;
	s.sem_perm.mode = 0600;
	CALL(semctl(a, 0, IPC_SET, BUF(&s)));
	SEM(a);
	s.sem_perm.uid = (uid_t)-1;
	CALL(semctl(a, 0, IPC_SET, BUF(&s)));
	CALL(semctl(a, 0, IPC_SET, BUF(NULL)));
	CALL(semctl(a, 0, IPC_STAT, BUF(NULL)));
	CALL(semctl(NO_ID, 0, IPC_SET, BUF(&s)));
	CALL(semctl(a, 0, 99));
	CALL(semctl(a, 0, -1));
	CALL(semctl(-1, 0, 99));
	in_child("owner", owning);
}

static void removing(void)
{
	say("## IPC_RMID");
	GET(found, semget(KEY_A, 0, 0));
	CALL(semop(a, OPS(OP(0, 1, 0))));
	CALL(semctl(a, 0, GETVAL));
	CALL(semctl(a, 0, IPC_RMID));
	CALL(semctl(b, 99, IPC_RMID));
	CALL(semctl(private1, 0, IPC_RMID));
	CALL(semctl(-1, 0, IPC_RMID));
	GET(a, semget(KEY_A, 2, IPC_CREAT | 0600));
	SEM(a);
	CALL(semctl(a, 0, IPC_RMID));
}

void conform_sem(void)
{
	making();
	values_of();
	listing();
	rights();
	removing();
}

/* ---- vectors ---------------------------------------------------------------------------- */

static void one_operation(void)
{
	say("## one operation");
	CALL(semop(a, OPS(OP(0, 2, 0))));
	SEM(a);
	CALL(semop(a, OPS(OP(0, -1, 0))));
	CALL(semop(a, OPS(OP(0, -2, IPC_NOWAIT))));
	CALL(semop(a, OPS(OP(0, 0, IPC_NOWAIT))));
	CALL(semop(a, OPS(OP(1, 0, 0))));
	SEM(a);
	CALL(semop(a, OPS(OP(0, 32767, 0))));
	CALL(semop(a, OPS(OP(0, 32766, 0))));
	CALL(semop(a, OPS(OP(0, 1, IPC_NOWAIT))));
	CALL(semop(a, OPS(OP(0, -32767, 0))));
	CALL(semop(a, OPS(OP(0, -32768, IPC_NOWAIT))));
	CALL(semop(a, OPS(OP(4, 1, 0))));
	CALL(semop(a, OPS(OP(65535, 1, 0))));
	CALL(semop(a, NULL, 0));
	CALL(semop(a, NULL, 1));
	CALL(semop(-1, NULL, 1));
	CALL(semop(-1, OPS(OP(0, 1, 0))));
	CALL(semop(NO_ID, OPS(OP(0, 1, 0))));
	CALL(semop(NO_ID, OPS(OP(99, 1, 0))));
	SEM(a);
}

static void in_vectors(void)
{
	static struct sembuf many[501];

	say("## vectors");
	CALL(semop(a, OPS(OP(0, 1, 0), OP(1, 2, 0), OP(2, 3, 0))));
	SEM(a);
	CALL(semop(a, OPS(OP(0, -1, 0), OP(1, -3, IPC_NOWAIT), OP(2, 1, 0))));
	SEM(a);
	CALL(semop(a, OPS(OP(2, 1, 0), OP(1, 0, IPC_NOWAIT))));
	CALL(semop(a, OPS(OP(0, 1, 0), OP(1, 1, 0), OP(4, 1, 0))));
	CALL(semop(a, OPS(OP(0, 1, 0), OP(1, 32767, 0))));
	SEM(a);
	say("## the same semaphore twice");
	CALL(semop(a, OPS(OP(0, -1, 0), OP(0, 0, 0), OP(0, 1, 0))));
	CALL(semop(a, OPS(OP(0, 0, IPC_NOWAIT), OP(0, 1, 0))));
	CALL(semop(a, OPS(OP(3, 0, IPC_NOWAIT), OP(3, 1, 0))));
	CALL(semop(a, OPS(OP(3, 0, IPC_NOWAIT), OP(3, 1, 0))));
	CALL(semop(a, OPS(OP(3, 5, 0), OP(3, -6, IPC_NOWAIT))));
	CALL(semop(a, OPS(OP(3, 5, 0), OP(3, -7, IPC_NOWAIT))));
	CALL(semop(a, OPS(OP(3, -1, IPC_NOWAIT), OP(3, 1, 0))));
	CALL(semop(a, OPS(OP(3, 32767, 0), OP(3, 1, 0))));
	CALL(semop(a, OPS(OP(3, 32767, 0), OP(3, -32767, 0))));
	SEM(a);
	say("## long vectors");
	for (int i = 0; i < 501; i++)
		many[i] = OP((unsigned short)(i % 4), 1, 0);
	CALL(semop(a, many, 500));
	SEM(a);
	CALL(semop(a, many, 501));
	CALL(semop(a, many, INT_MAX));
	for (int i = 0; i < 499; i++)
		many[i].sem_op = -1;
	many[499].sem_op = -1;
	many[499].sem_num = 1;
	many[499].sem_flg = IPC_NOWAIT;
	CALL(semop(a, many, 500));
	CALL(semctl(a, 0, SETALL, ARRAY(((unsigned short[]){ 500, 500, 500, 500 }))));
	many[499].sem_op = -1000;
	CALL(semop(a, many, 500));
	SEM(a);
}

static void in_time(void)
{
	struct timespec none = { 0, 0 }, bad = { 0, 1000000000 }, negative = { -1, 0 },
			worse = { 0, -1 }, brief = { 0, 20000000 };

	say("## semtimedop");
	CALL(semctl(a, 0, SETALL, ARRAY(((unsigned short[]){ 0, 1, 0, 0 }))));
	CALL(semtimedop(a, OPS(OP(0, -1, 0)), &none));
	CALL(semtimedop(a, OPS(OP(0, -1, 0)), &brief));
	CALL(semtimedop(a, OPS(OP(1, 0, 0)), &brief));
	CALL(semtimedop(a, OPS(OP(0, -1, IPC_NOWAIT)), &brief));
	CALL(semtimedop(a, OPS(OP(1, -1, 0)), &brief));
	CALL(semtimedop(a, OPS(OP(0, 1, 0)), &none));
	CALL(semtimedop(a, OPS(OP(0, 1, 0)), &bad));
	CALL(semtimedop(a, OPS(OP(0, 1, 0)), &negative));
	CALL(semtimedop(a, OPS(OP(0, 1, 0)), &worse));
	CALL(semtimedop(a, OPS(OP(0, 1, 0)), NULL));
	SEM(a);
}

void conform_sem_vector(void)
{
	GET(a, semget(KEY_A, 4, IPC_CREAT | 0600));
	one_operation();
	in_vectors();
	in_time();
	CALL(semctl(a, 0, IPC_RMID));
}
