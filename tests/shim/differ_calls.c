/* SPDX-License-Identifier: Apache-2.0 */
/*
 * differ_calls.c - random System V calls: drawn, put into words, and made.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/wait.h>
#include <unistd.h>

#include "differ.h"

#define KEY_FIRST  0x6f10
#define LETTER_MAX 8192

static uint64_t dice;
static struct {
	unsigned char *address;
	bool read_only;
} attached[SLOTS];
static struct {
	long type;
	char text[LETTER_MAX + 1];
} letter;

void draw_begin(uint64_t seed)
{
	dice = seed * 0x9e3779b97f4a7c15u + 1;
}

uint32_t draw(uint32_t below)
{
	dice ^= dice << 13;
	dice ^= dice >> 7;
	dice ^= dice << 17;
	return (uint32_t)((dice >> 20) % below);
}

#define ONE_OF(...)                                                                                \
	(((const long[]){ __VA_ARGS__ })[draw(sizeof((long[]){ __VA_ARGS__ }) / sizeof(long))])

int key_of(enum kind kind, int slot)
{
	return KEY_FIRST + 16 * (int)kind + slot;
}

enum kind kind_of(enum action action)
{
	return action < SEM_GET ? SHM : action < MSG_GET ? SEM : action < FORK ? MSG : KINDS;
}

static void draw_shm(struct call *c)
{
	c->action = (enum action)ONE_OF(SHM_GET, SHM_GET, SHM_AT, SHM_AT, SHM_AT, SHM_DT, SHM_DT,
					SHM_WRITE, SHM_READ, SHM_SET, SHM_RM, FORK);
	c->a = c->action == SHM_GET ? ONE_OF(0, 1, 4096, 5000, 8192) : ONE_OF(0, 77, 1000, 4095);
	c->b = c->action == SHM_SET ? ONE_OF(0600, 0644, 0) : (long)draw(256);
	if (c->action == SHM_GET)
		c->flags = (int)ONE_OF(0, IPC_CREAT, IPC_CREAT, IPC_CREAT | IPC_EXCL) | 0600;
	else if (c->action == SHM_AT)
		c->flags = (int)ONE_OF(0, 0, SHM_RDONLY);
}

static void draw_sem(struct call *c, bool may_sleep)
{
	c->action = (enum action)ONE_OF(SEM_GET, SEM_OP, SEM_OP, SEM_OP, SEM_OP, SEM_OP, SEM_OP,
					SEM_OP, SEM_SET, SEM_SETALL);
	if (draw(40) == 0)
		c->action = SEM_RM;
	c->a = c->action == SEM_GET ? ONE_OF(0, 1, SEMS, SEMS, SEMS) : (long)draw(SEMS);
	c->b = c->action == SEM_SET || c->action == SEM_SETALL ? ONE_OF(0, 1, 2, 3, 32767, 32768) :
								 0;
	if (c->action == SEM_GET)
		c->flags = (int)ONE_OF(0, IPC_CREAT, IPC_CREAT, IPC_CREAT | IPC_EXCL) | 0600;
	c->count = 1 + (int)draw(OPS_MAX);
	for (int i = 0; i < c->count; i++) {
		c->ops[i].number = (int)ONE_OF(0, 0, 0, 1, 1, 2, 3);
		c->ops[i].by = (int)ONE_OF(-2, -1, -1, 0, 1, 1, 2, 3, 32767);
		c->ops[i].flags = (draw(3) == 0 ? SEM_UNDO : 0) |
				  (!may_sleep || draw(3) == 0 ? IPC_NOWAIT : 0);
	}
}

static void draw_msg(struct call *c, bool may_sleep)
{
	c->action = (enum action)ONE_OF(MSG_GET, MSG_SEND, MSG_SEND, MSG_SEND, MSG_SEND, MSG_TAKE,
					MSG_TAKE, MSG_TAKE, MSG_TAKE, MSG_SET);
	if (draw(40) == 0)
		c->action = MSG_RM;
	c->a = ONE_OF(0, 1, 10, 100, 5000, LETTER_MAX, LETTER_MAX + 1);
	c->b = c->action == MSG_SEND ? ONE_OF(0, 1, 2, 3, 4, 5, 6) :
				       ONE_OF(0, 0, 1, 2, 3, 4, -1, -3, -5);
	if (c->action == MSG_SET)
		c->a = ONE_OF(0, 100, 5000, 16384, 16384, 16384);
	if (c->action == MSG_GET)
		c->flags = (int)ONE_OF(0, IPC_CREAT, IPC_CREAT, IPC_CREAT | IPC_EXCL) | 0600;
	else
		c->flags = !may_sleep || draw(2) == 0 ? IPC_NOWAIT : 0;
	if (c->action == MSG_TAKE) {
		c->flags |= (int)ONE_OF(0, 0, MSG_NOERROR, MSG_EXCEPT);
		if (draw(12) == 0)
			c->flags |= MSG_COPY | IPC_NOWAIT;
	}
}

void draw_call(struct call *c, enum kind kind, bool may_sleep)
{
	memset(c, 0, sizeof(*c));
	c->slot = (int)draw(SLOTS);
	c->place = (int)draw(SLOTS);
	if (kind == SHM)
		draw_shm(c);
	else if (kind == SEM)
		draw_sem(c, may_sleep);
	else
		draw_msg(c, may_sleep);
}

void call_text(const struct call *c, char *text, size_t size)
{
	static const char *const names[ACTIONS] = {
		"shmget", "shmat",  "shmdt",  "write",   "read",   "shm set",
		"shm rm", "semget", "semop",  "setval",  "setall", "sem rm",
		"msgget", "msgsnd", "msgrcv", "msg set", "msg rm", "fork",
	};
	size_t n = (size_t)snprintf(text, size, "%s slot %d", names[c->action], c->slot);

	if (c->action == SEM_OP) {
		for (int i = 0; i < c->count; i++)
			n += (size_t)snprintf(text + n, size - n, " {%d %+d%s%s}", c->ops[i].number,
					      c->ops[i].by,
					      c->ops[i].flags & IPC_NOWAIT ? " nowait" : "",
					      c->ops[i].flags & SEM_UNDO ? " undo" : "");
		return;
	}
	snprintf(text + n, size - n, " place %d (%ld, %ld, %#o)", c->place, c->a, c->b,
		 (unsigned int)c->flags);
}

static long at(const struct call *c)
{
	unsigned char *address;

	if (attached[c->place].address != NULL)
		return -2;
	address = shmat(c->id, NULL, c->flags);
	if (address == (void *)-1)
		return -1;
	attached[c->place].address = address;
	attached[c->place].read_only = (c->flags & SHM_RDONLY) != 0;
	return 0;
}

static long detach(const struct call *c)
{
	long result = shmdt(attached[c->place].address);

	attached[c->place].address = NULL;
	return result;
}

static long touch(const struct call *c, int *byte)
{
	unsigned char *address = attached[c->place].address;

	if (address == NULL || (c->action == SHM_WRITE && attached[c->place].read_only))
		return -2;
	if (c->action == SHM_WRITE)
		address[c->a] = (unsigned char)c->b;
	*byte = address[c->a];
	return 0;
}

static long set(const struct call *c)
{
	struct shmid_ds s;
	struct msqid_ds q;

	if (c->action == SHM_SET) {
		if (shmctl(c->id, IPC_STAT, &s) != 0)
			return -1;
		s.shm_perm.mode = (unsigned short)c->b;
		return shmctl(c->id, IPC_SET, &s);
	}
	if (msgctl(c->id, IPC_STAT, &q) != 0)
		return -1;
	q.msg_qbytes = (msglen_t)c->a;
	return msgctl(c->id, IPC_SET, &q);
}

static long operate(const struct call *c)
{
	struct sembuf ops[OPS_MAX];

	for (int i = 0; i < c->count; i++) {
		ops[i].sem_num = (unsigned short)c->ops[i].number;
		ops[i].sem_op = (short)c->ops[i].by;
		ops[i].sem_flg = (short)c->ops[i].flags;
	}
	return semop(c->id, ops, (size_t)c->count);
}

static long set_all(const struct call *c)
{
	unsigned short values[SEMS] = { (unsigned short)c->b, 1, 0 };
	union {
		unsigned short *array;
	} arg = { .array = values };

	return semctl(c->id, 0, SETALL, arg);
}

static long send(const struct call *c)
{
	letter.type = c->b;
	memset(letter.text, (int)c->b, sizeof(letter.text));
	return msgsnd(c->id, &letter, (size_t)c->a, c->flags);
}

static long take(const struct call *c, int *type)
{
	long n = msgrcv(c->id, &letter, (size_t)c->a, c->b, c->flags);

	if (n >= 0)
		*type = (int)letter.type;
	for (long i = 0; i < n; i++)
		if (letter.text[i] != (char)letter.type)
			*type = -1;
	return n;
}

/* A child that has what its parent has attached, and its end. */
static long fork_and_wait(void)
{
	pid_t pid = fork();

	if (pid == 0)
		exit(0);
	return waitpid(pid, NULL, 0) == pid ? 0 : -1;
}

struct answer make_call(const struct call *c)
{
	struct answer answer = { 0, 0, 0 };
	long value = -1;

	errno = 0;
	switch (c->action) {
	case SHM_GET:
		value = shmget(key_of(SHM, c->slot), (size_t)c->a, c->flags);
		break;
	case SHM_AT:
		value = at(c);
		break;
	case SHM_DT:
		value = detach(c);
		break;
	case SHM_WRITE:
	case SHM_READ:
		value = touch(c, &answer.extra);
		break;
	case SHM_SET:
	case MSG_SET:
		value = set(c);
		break;
	case SHM_RM:
		value = shmctl(c->id, IPC_RMID, NULL);
		break;
	case SEM_GET:
		value = semget(key_of(SEM, c->slot), (int)c->a, c->flags);
		break;
	case SEM_OP:
		value = operate(c);
		break;
	case SEM_SET:
		value = semctl(c->id, (int)c->a, SETVAL, (int)c->b);
		break;
	case SEM_SETALL:
		value = set_all(c);
		break;
	case SEM_RM:
		value = semctl(c->id, 0, IPC_RMID);
		break;
	case MSG_GET:
		value = msgget(key_of(MSG, c->slot), c->flags);
		break;
	case MSG_SEND:
		value = send(c);
		break;
	case MSG_TAKE:
		value = take(c, &answer.extra);
		break;
	case MSG_RM:
		value = msgctl(c->id, IPC_RMID, NULL);
		break;
	case FORK:
		value = fork_and_wait();
		break;
	case ACTIONS:
		break;
	}
	answer.value = value;
	answer.error = value == -1 ? errno : 0;
	return answer;
}
