/* SPDX-License-Identifier: Apache-2.0 */
/* futex.c - two processes that wake each other by turns: the limit of a blocking round trip. */
#include <linux/futex.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "contestant.h"

struct box {
	_Alignas(64) _Atomic uint32_t number;
	unsigned char data[];
};

struct end {
	struct box *out, *in;
	uint32_t received;
};

static void *open_end(const struct task *task)
{
	struct end *end = (struct end *)calloc(1, sizeof(*end));
	size_t bytes = sizeof(struct box) + task->bytes;

	if (!end)
		die("no memory");
	end->out = (struct box *)map_file(task, task->side ? "back" : "there", bytes);
	end->in = (struct box *)map_file(task, task->side ? "there" : "back", bytes);
	return end;
}

/* By turns, so the box is free.  Order: the add releases the data to the load in receive(). */
static void send(void *handle, const void *data, size_t bytes)
{
	struct box *box = ((struct end *)handle)->out;

	memcpy(box->data, data, bytes);
	atomic_fetch_add_explicit(&box->number, 1, memory_order_release);
	syscall(SYS_futex, &box->number, FUTEX_WAKE, 1, NULL, NULL, 0);
}

static void receive(void *handle, void *data, size_t bytes)
{
	struct end *end = (struct end *)handle;

	while (atomic_load_explicit(&end->in->number, memory_order_acquire) == end->received)
		syscall(SYS_futex, &end->in->number, FUTEX_WAIT, end->received, NULL, NULL, 0);
	end->received++;
	memcpy(data, end->in->data, bytes);
}

const struct contestant contestant = {
	.name = "futex",
	.kinds = 1u << PAIR,
	.blocks = true,
	.open = open_end,
	.close = free, /* the mappings end with the process */
	.send = send,
	.receive = receive,
};
