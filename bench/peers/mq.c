/* SPDX-License-Identifier: Apache-2.0 */
/* mq.c - POSIX message queues; polling is a receive that does not block. */
#include <errno.h>
#include <fcntl.h>
#include <mqueue.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "contestant.h"

struct end {
	mqd_t out, in;
};

static void name_queue(const struct task *task, bool back, char name[80])
{
	snprintf(name, 80, "/%s.%s", task->name, back ? "back" : "there");
}

static mqd_t open_queue(const struct task *task, bool back)
{
	/* 10 is what Debian lets anybody have (fs.mqueue.msg_max). */
	struct mq_attr attr = { .mq_maxmsg = 10, .mq_msgsize = (long)task->bytes };
	char name[80];
	mqd_t queue;

	name_queue(task, back, name);
	queue = mq_open(name, O_RDWR | O_CREAT | O_CLOEXEC | (task->block ? 0 : O_NONBLOCK), 0600,
			&attr);
	if (queue == (mqd_t)-1)
		skip("cannot open %s for messages of %zu bytes: %s", name, task->bytes,
		     strerror(errno));
	return queue;
}

static void *open_end(const struct task *task)
{
	struct end *end = (struct end *)malloc(sizeof(*end));

	if (!end)
		die("no memory");
	end->out = open_queue(task, task->kind == PAIR && task->side == 1);
	end->in = open_queue(task, task->kind == PAIR && task->side == 0);
	return end;
}

static void close_end(void *handle)
{
	struct end *end = (struct end *)handle;

	mq_close(end->out);
	mq_close(end->in);
	free(end);
}

static void remove_queues(const struct task *task)
{
	char name[80];

	for (int back = 0; back < 2; back++) {
		name_queue(task, back, name);
		mq_unlink(name);
	}
}

static void send(void *handle, const void *data, size_t bytes)
{
	while (mq_send(((struct end *)handle)->out, (const char *)data, bytes, 0) < 0)
		if (errno != EAGAIN)
			die("mq_send: %s", strerror(errno));
}

static void receive(void *handle, void *data, size_t bytes)
{
	while (mq_receive(((struct end *)handle)->in, (char *)data, bytes, NULL) < 0)
		if (errno != EAGAIN)
			die("mq_receive: %s", strerror(errno));
}

const struct contestant contestant = {
	.name = "POSIX mq",
	.kinds = 1u << PAIR | 1u << STREAM | 1u << QUEUE,
	.spins = true,
	.blocks = true,
	.bytes_max = 1u << 20,
	.open = open_end,
	.close = close_end,
	.remove = remove_queues,
	.send = send,
	.receive = receive,
};
