/* SPDX-License-Identifier: Apache-2.0 */
/* zeromq.c - ZeroMQ over ipc://; PAIR between two, PUSH and PULL one way, PUB and SUB to many. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zmq.h>
#include "contestant.h"

struct end {
	void *context, *socket;
};

static void must(int result)
{
	if (result < 0)
		die("%s", zmq_strerror(zmq_errno()));
}

static int socket_type(const struct task *task)
{
	if (task->kind == PAIR)
		return ZMQ_PAIR;
	if (task->receivers == 1)
		return task->side == 0 ? ZMQ_PUSH : ZMQ_PULL;
	/* XPUB: a PUB without its silent dropping, and it tells who has come. */
	return task->side == 0 ? ZMQ_XPUB : ZMQ_SUB;
}

static void *open_end(const struct task *task)
{
	struct end *end = (struct end *)calloc(1, sizeof(*end));
	int type = socket_type(task), yes = 1, none = 0;
	char address[256], hello[8];

	if (!end)
		die("no memory");
	snprintf(address, sizeof(address), "ipc://%s/socket", task->dir);
	end->context = zmq_ctx_new();
	end->socket = zmq_socket(end->context, type);
	must(zmq_setsockopt(end->socket, ZMQ_LINGER, &none, sizeof(none)));
	if (type == ZMQ_SUB)
		must(zmq_setsockopt(end->socket, ZMQ_SUBSCRIBE, "", 0));
	if (type == ZMQ_XPUB)
		must(zmq_setsockopt(end->socket, ZMQ_XPUB_NODROP, &yes, sizeof(yes)));
	if (task->side == 0)
		must(zmq_bind(end->socket, address));
	else
		must(zmq_connect(end->socket, address));
	if (type == ZMQ_XPUB) {
		/* Only the first of equal subscriptions is told, unless asked otherwise. */
		must(zmq_setsockopt(end->socket, ZMQ_XPUB_VERBOSE, &yes, sizeof(yes)));
		for (unsigned int i = 0; i < task->receivers; i++)
			must(zmq_recv(end->socket, hello, sizeof(hello), 0));
	}
	return end;
}

static void close_end(void *handle)
{
	struct end *end = (struct end *)handle;

	zmq_close(end->socket);
	zmq_ctx_term(end->context);
	free(end);
}

static void send(void *handle, const void *data, size_t bytes)
{
	struct end *end = (struct end *)handle;

	must(zmq_send(end->socket, data, bytes, 0));
}

static void receive(void *handle, void *data, size_t bytes)
{
	struct end *end = (struct end *)handle;

	must(zmq_recv(end->socket, data, bytes, 0));
}

const struct contestant contestant = {
	.name = "ZeroMQ ipc",
	.kinds = 1u << PAIR | 1u << STREAM,
	.blocks = true,
	.open = open_end,
	.close = close_end,
	.send = send,
	.receive = receive,
};
