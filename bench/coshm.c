/* SPDX-License-Identifier: Apache-2.0 */
/* coshm.c - coshm itself, through its public header alone. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <coshm.h>
#include "contestant.h"

#define FOR_EVER INT64_C(-1)

struct end {
	struct coshm_stream *out, *in;
	struct coshm_queue *queue;
	struct coshm_latest *latest;
	struct coshm_message messages[BATCH];
};

static void must(int result)
{
	if (result < 0)
		die("%s", coshm_errmsg());
}

/* COSHM_DIR, if set: huge pages are a folder of their own. */
static const char *dir_of(const struct task *task)
{
	return getenv("COSHM_DIR") ? NULL : task->dir;
}

static const char *const streams[2] = { "there", "back" };

/* As deep as the raw ring. */
static void create_stream(const struct task *task, const char *name)
{
	struct coshm_create_opts opts = { .size = sizeof(opts), .dir = dir_of(task) };
	struct coshm_stream_shape shape = { .size = sizeof(shape) };

	shape.policy = task->lossy ? COSHM_STREAM_OVERWRITE : COSHM_STREAM_LOSSLESS;
	if (task->bytes <= 1024)
		shape.small_bytes = (uint32_t)task->bytes;
	else
		shape.large_bytes = task->bytes;
	shape.ring_bytes = task->bytes <= 1024 ? 0 : 16 * task->bytes;
	must(coshm_stream_create(name, &shape, &opts));
}

static void create(const struct task *task)
{
	struct coshm_create_opts opts = { .size = sizeof(opts), .dir = dir_of(task) };
	struct coshm_queue_shape shape = { .size = sizeof(shape) };

	switch (task->kind) {
	case PAIR:
		create_stream(task, streams[1]);
		/* fall through */
	case STREAM:
		create_stream(task, streams[0]);
		break;
	case QUEUE:
		shape.message_bytes = (uint32_t)task->bytes;
		must(coshm_queue_create("queue", &shape, &opts));
		break;
	case LATEST:
		must(coshm_latest_create("latest", (uint32_t)task->bytes, 0, &opts));
		break;
	}
}

static void *open_end(const struct task *task)
{
	struct coshm_open_opts opts = { .size = sizeof(opts), .dir = dir_of(task) };
	struct end *end = (struct end *)calloc(1, sizeof(*end));
	bool sends = task->side < task->senders;

	if (!end)
		die("no memory");
	opts.wait = task->block ? COSHM_WAIT_BLOCK : COSHM_WAIT_SPIN;
	opts.flags = COSHM_OPEN_PREFAULT;
	switch (task->kind) {
	case PAIR:
		must(coshm_stream_open(streams[task->side], COSHM_PUBLISHER, &opts, &end->out));
		must(coshm_stream_open(streams[!task->side], COSHM_SUBSCRIBER, &opts, &end->in));
		break;
	case STREAM:
		if (sends)
			must(coshm_stream_open(streams[0], COSHM_PUBLISHER, &opts, &end->out));
		else
			must(coshm_stream_open(streams[0], COSHM_SUBSCRIBER, &opts, &end->in));
		break;
	case QUEUE:
		must(coshm_queue_open("queue", sends ? COSHM_PRODUCER : COSHM_CONSUMER, &opts,
				      &end->queue));
		break;
	case LATEST:
		must(coshm_latest_open("latest", sends ? COSHM_PUBLISHER : COSHM_SUBSCRIBER, &opts,
				       &end->latest));
		break;
	}
	return end;
}

static void close_end(void *handle)
{
	struct end *end = (struct end *)handle;

	coshm_stream_close(end->out);
	coshm_stream_close(end->in);
	coshm_queue_close(end->queue);
	coshm_latest_close(end->latest);
	free(end);
}

static void remove_channels(const struct task *task)
{
	static const char *const names[] = { "there", "back", "queue", "latest" };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (coshm_retire(dir_of(task), names[i]) < 0)
			continue; /* this task had none of that name */
}

static void send(void *handle, const void *data, size_t bytes)
{
	struct end *end = (struct end *)handle;

	if (end->out)
		must(coshm_stream_publish(end->out, data, bytes, FOR_EVER));
	else if (end->queue)
		must(coshm_queue_push(end->queue, data, bytes, FOR_EVER));
	else
		must(coshm_latest_publish(end->latest, data, bytes));
}

/* Overtaken on each try, it is tried again: that time is the read's. */
static void read_latest(struct coshm_latest *latest, void *data, size_t bytes)
{
	int result;

	do
		result = coshm_latest_read(latest, data, bytes, NULL, NULL);
	while (result == -EAGAIN);
	must(result);
}

static void receive(void *handle, void *data, size_t bytes)
{
	struct end *end = (struct end *)handle;
	struct coshm_delivery delivery;
	struct coshm_message message;

	if (end->in)
		must(coshm_stream_receive(end->in, data, bytes, FOR_EVER, &message));
	else if (end->queue)
		must(coshm_queue_receive(end->queue, data, bytes, FOR_EVER, &delivery));
	else
		read_latest(end->latest, data, bytes);
}

static void send_batch(void *handle, const void *data, size_t bytes, unsigned int count)
{
	struct end *end = (struct end *)handle;
	const char *next = (const char *)data;
	void *room;

	for (unsigned int i = 0; i < count; i++, next += bytes) {
		must(coshm_stream_loan(end->out, bytes, FOR_EVER, &room));
		memcpy(room, next, bytes);
	}
	must(coshm_stream_publish_loans(end->out));
}

static unsigned int receive_batch(void *handle, void *data, size_t bytes, unsigned int max)
{
	struct end *end = (struct end *)handle;
	int count = coshm_stream_peek(end->in, end->messages, max, FOR_EVER);
	char *next = (char *)data;

	must(count);
	for (int i = 0; i < count; i++, next += bytes)
		memcpy(next, end->messages[i].data, bytes);
	must(coshm_stream_release(end->in, (unsigned int)count));
	return (unsigned int)count;
}

static void *loan(void *handle, size_t bytes)
{
	struct end *end = (struct end *)handle;
	void *room;

	must(coshm_stream_loan(end->out, bytes, FOR_EVER, &room));
	return room;
}

static void publish(void *handle)
{
	must(coshm_stream_publish_loans(((struct end *)handle)->out));
}

static const void *peek(void *handle)
{
	struct end *end = (struct end *)handle;

	must(coshm_stream_peek(end->in, end->messages, 1, FOR_EVER));
	return end->messages[0].data;
}

static void release(void *handle)
{
	must(coshm_stream_release(((struct end *)handle)->in, 1));
}

const struct contestant contestant = {
	.name = "coshm",
	.kinds = 1u << PAIR | 1u << STREAM | 1u << QUEUE | 1u << LATEST,
	.spins = true,
	.blocks = true,
	.lossy = true,
	.create = create,
	.open = open_end,
	.close = close_end,
	.remove = remove_channels,
	.send = send,
	.receive = receive,
	.send_batch = send_batch,
	.receive_batch = receive_batch,
	.loan = loan,
	.publish = publish,
	.peek = peek,
	.release = release,
};
