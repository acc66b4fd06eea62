/* SPDX-License-Identifier: Apache-2.0 */
/* nng.c - nng over ipc://, a pair of its pair0 sockets. */
#include <nng/nng.h>
#include <nng/protocol/pair0/pair.h>
#include <stdio.h>
#include <stdlib.h>
#include "contestant.h"

struct end {
	nng_socket socket;
};

static void must(int error)
{
	if (error != 0)
		die("%s", nng_strerror(error));
}

static void *open_end(const struct task *task)
{
	struct end *end = (struct end *)calloc(1, sizeof(*end));
	char address[256];

	if (!end)
		die("no memory");
	snprintf(address, sizeof(address), "ipc://%s/socket", task->dir);
	must(nng_pair0_open(&end->socket));
	must(nng_socket_set_int(end->socket, NNG_OPT_SENDBUF, 1024));
	must(nng_socket_set_int(end->socket, NNG_OPT_RECVBUF, 1024));
	must(nng_socket_set_size(end->socket, NNG_OPT_RECVMAXSZ, 0)); /* no limit */
	if (task->side == 0)
		must(nng_listen(end->socket, address, NULL, 0));
	meet(task);
	if (task->side == 1)
		must(nng_dial(end->socket, address, NULL, 0));
	return end;
}

static void close_end(void *handle)
{
	struct end *end = (struct end *)handle;

	nng_close(end->socket);
	free(end);
}

static void send(void *handle, const void *data, size_t bytes)
{
	struct end *end = (struct end *)handle;

	/* It copies the buffer; only its interface does not say const. */
	must(nng_send(end->socket, (void *)(uintptr_t)data, bytes, 0));
}

static void receive(void *handle, void *data, size_t bytes)
{
	struct end *end = (struct end *)handle;
	size_t got = bytes;

	must(nng_recv(end->socket, data, &got, 0));
}

const struct contestant contestant = {
	.name = "nng ipc",
	.kinds = 1u << PAIR | 1u << STREAM,
	.blocks = true,
	.open = open_end,
	.close = close_end,
	.send = send,
	.receive = receive,
};
