/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ring.c - the least that moves messages from one process to another, as a limit.
 *
 * A slot is a word with the message's number, and the message; the receiver polls the slot that
 * it will read.  It knows nothing of death, of other subscribers, or of sizes that differ.  Its
 * newest value is one buffer and memcpy: a reader may see half of two values.
 */
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include "contestant.h"

struct ring {
	_Alignas(64) _Atomic uint64_t released; /* by the receiver, now and then  */
	_Alignas(64) unsigned char slots[];     /* {uint64_t number + 1, message} */
};

struct end {
	struct ring *out, *in;
	unsigned char *value;
	uint64_t sent, received, limit, count; /* limit: sent up to here needs no look */
	size_t head_bytes, slot_bytes;
};

static uint64_t slots_for(size_t bytes)
{
	return bytes <= 1024 ? 1024 : 16;
}

/* The word and a small message share a line; a large one is copied faster if it is aligned. */
static size_t head_bytes_for(size_t bytes)
{
	return bytes <= 1024 ? sizeof(uint64_t) : 64;
}

static _Atomic uint64_t *slot(const struct end *end, struct ring *ring, uint64_t number)
{
	return (_Atomic uint64_t *)(void *)(ring->slots +
					    (number & (end->count - 1)) * end->slot_bytes);
}

static void *message(const struct end *end, struct ring *ring, uint64_t number)
{
	return (unsigned char *)slot(end, ring, number) + end->head_bytes;
}

static void *open_end(const struct task *task)
{
	struct end *end = (struct end *)calloc(1, sizeof(*end));
	size_t bytes;

	if (!end)
		die("no memory");
	end->count = end->limit = slots_for(task->bytes);
	end->head_bytes = head_bytes_for(task->bytes);
	end->slot_bytes = (end->head_bytes + task->bytes + 63) & ~63ul;
	bytes = sizeof(struct ring) + end->count * end->slot_bytes;
	if (task->kind == LATEST) {
		end->value = (unsigned char *)map_file(task, "value", task->bytes);
	} else if (task->kind == PAIR) {
		end->out = (struct ring *)map_file(task, task->side ? "back" : "there", bytes);
		end->in = (struct ring *)map_file(task, task->side ? "there" : "back", bytes);
	} else {
		end->out = end->in = (struct ring *)map_file(task, "there", bytes);
	}
	return end;
}

/* Wait until @count more fit.  Order: acquires what the receiver's release says it has read. */
static void await_room(struct end *end, unsigned int count)
{
	while (end->sent + count > end->limit) {
		end->limit = atomic_load_explicit(&end->out->released, memory_order_acquire) +
			     end->count;
		if (end->sent + count > end->limit)
			relax();
	}
}

static void put(struct end *end, uint64_t number, const void *data, size_t bytes)
{
	_Atomic uint64_t *word = slot(end, end->out, number);

	memcpy(message(end, end->out, number), data, bytes);
	/* Order: the receiver's load of the word acquires the message. */
	atomic_store_explicit(word, number + 1, memory_order_release);
}

static void send(void *handle, const void *data, size_t bytes)
{
	struct end *end = (struct end *)handle;

	if (end->value) {
		memcpy(end->value, data, bytes);
		__asm__ volatile("" ::: "memory");
		return;
	}
	await_room(end, 1);
	put(end, end->sent++, data, bytes);
}

/* The first word last: who waits for it finds the whole batch. */
static void send_batch(void *handle, const void *data, size_t bytes, unsigned int count)
{
	struct end *end = (struct end *)handle;
	const unsigned char *from = (const unsigned char *)data;

	await_room(end, count);
	for (unsigned int i = 1; i < count; i++)
		put(end, end->sent + i, from + i * bytes, bytes);
	put(end, end->sent, from, bytes);
	end->sent += count;
}

static bool is_there(const struct end *end, uint64_t number)
{
	/* Order: acquires the message, see put(). */
	return atomic_load_explicit(slot(end, end->in, number), memory_order_acquire) == number + 1;
}

/* The sender looks for it once in a ring; telling it of each eighth is early enough. */
static void done(struct end *end)
{
	end->received++;
	if (end->received % (end->count / 8) == 0)
		/* Order: see await_room(). */
		atomic_store_explicit(&end->in->released, end->received, memory_order_release);
}

static void get(struct end *end, void *data, size_t bytes)
{
	memcpy(data, message(end, end->in, end->received), bytes);
	done(end);
}

static void receive(void *handle, void *data, size_t bytes)
{
	struct end *end = (struct end *)handle;

	if (end->value) {
		memcpy(data, end->value, bytes);
		__asm__ volatile("" ::: "memory");
		return;
	}
	while (!is_there(end, end->received))
		relax();
	get(end, data, bytes);
}

static unsigned int receive_batch(void *handle, void *data, size_t bytes, unsigned int max)
{
	struct end *end = (struct end *)handle;
	unsigned char *to = (unsigned char *)data;
	unsigned int count = 0;

	receive(end, to, bytes);
	while (++count < max && is_there(end, end->received))
		get(end, to + count * bytes, bytes);
	return count;
}

static void *loan(void *handle, size_t bytes)
{
	struct end *end = (struct end *)handle;

	(void)bytes;
	await_room(end, 1);
	return message(end, end->out, end->sent);
}

static void publish(void *handle)
{
	struct end *end = (struct end *)handle;

	/* Order: see put(). */
	atomic_store_explicit(slot(end, end->out, end->sent), end->sent + 1, memory_order_release);
	end->sent++;
}

static const void *peek(void *handle)
{
	struct end *end = (struct end *)handle;

	while (!is_there(end, end->received))
		relax();
	return message(end, end->in, end->received);
}

static void release(void *handle)
{
	done((struct end *)handle);
}

const struct contestant contestant = {
	.name = "raw ring",
	.kinds = 1u << PAIR | 1u << STREAM | 1u << LATEST,
	.spins = true,
	.open = open_end,
	.close = free, /* the mappings end with the process */
	.send = send,
	.receive = receive,
	.send_batch = send_batch,
	.receive_batch = receive_batch,
	.loan = loan,
	.publish = publish,
	.peek = peek,
	.release = release,
};
