/* SPDX-License-Identifier: Apache-2.0 */
/* sysv.c - System V message queues; polling is a receive that does not block. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ipc.h>
#include <sys/msg.h>
#include "contestant.h"

struct end {
	int out, in, flags;
	struct {
		long type;
		char data[8192]; /* msgmax */
	} message;
};

/* Their ids travel in side 0's box. */
static int *ids(const struct task *task)
{
	return (int *)(void *)task->mail[0];
}

static void create(const struct task *task)
{
	for (int i = 0; i < 2; i++) {
		ids(task)[i] = msgget(IPC_PRIVATE, 0600 | IPC_CREAT);
		if (ids(task)[i] < 0)
			skip("no message queue: %s", strerror(errno));
	}
}

static void *open_end(const struct task *task)
{
	struct end *end = (struct end *)calloc(1, sizeof(*end));
	bool pair = task->kind == PAIR;

	if (!end)
		die("no memory");
	end->out = ids(task)[pair && task->side == 1];
	end->in = ids(task)[pair && task->side == 0];
	end->flags = task->block ? 0 : IPC_NOWAIT;
	end->message.type = 1;
	return end;
}

static void remove_queues(const struct task *task)
{
	for (int i = 0; i < 2; i++)
		msgctl(ids(task)[i], IPC_RMID, NULL);
}

static void send(void *handle, const void *data, size_t bytes)
{
	struct end *end = (struct end *)handle;

	memcpy(end->message.data, data, bytes);
	while (msgsnd(end->out, &end->message, bytes, end->flags) < 0)
		if (errno != EAGAIN)
			die("msgsnd: %s", strerror(errno));
}

static void receive(void *handle, void *data, size_t bytes)
{
	struct end *end = (struct end *)handle;

	while (msgrcv(end->in, &end->message, bytes, 0, end->flags) < 0)
		if (errno != ENOMSG)
			die("msgrcv: %s", strerror(errno));
	memcpy(data, end->message.data, bytes);
}

const struct contestant contestant = {
	.name = "SysV msgq",
	.kinds = 1u << PAIR | 1u << STREAM | 1u << QUEUE,
	.spins = true,
	.blocks = true,
	.bytes_max = 8192,
	.create = create,
	.open = open_end,
	.close = free,
	.remove = remove_queues,
	.send = send,
	.receive = receive,
};
