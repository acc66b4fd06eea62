/* SPDX-License-Identifier: Apache-2.0 */
/*
 * count.c - do one operation of coshm so many times, alone, for callgrind to count instructions.
 *
 * Publisher and subscribers are handles of one process.  Each message is also received, so that
 * no ring fills up; callgrind collects within the one function that is asked about.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <coshm.h>

#define BYTES 64
#define BATCH 16

static struct coshm_create_opts create_opts = { .size = sizeof(create_opts) };
static struct coshm_open_opts open_opts = { .size = sizeof(open_opts) };
static char buffer[BYTES];

static void must(int result)
{
	if (result >= 0)
		return;
	fprintf(stderr, "count: %s\n", coshm_errmsg());
	exit(2);
}

static void stream(unsigned long times, unsigned int subscribers, unsigned int batch)
{
	struct coshm_stream *out, *in[COSHM_PEERS_MAX];
	struct coshm_message messages[BATCH];
	void *room;

	must(coshm_stream_create("count", NULL, &create_opts));
	must(coshm_stream_open("count", COSHM_PUBLISHER, &open_opts, &out));
	for (unsigned int i = 0; i < subscribers; i++)
		must(coshm_stream_open("count", COSHM_SUBSCRIBER, &open_opts, &in[i]));
	while (times-- > 0) {
		if (batch == 1)
			must(coshm_stream_publish(out, buffer, BYTES, 0));
		for (unsigned int i = 0; batch > 1 && i < batch; i++) {
			must(coshm_stream_loan(out, BYTES, 0, &room));
			memcpy(room, buffer, BYTES);
		}
		if (batch > 1)
			must(coshm_stream_publish_loans(out));
		for (unsigned int i = 0; i < subscribers; i++) {
			if (batch == 1) {
				must(coshm_stream_receive(in[i], buffer, BYTES, 0, messages));
				continue;
			}
			must(coshm_stream_peek(in[i], messages, batch, 0));
			must(coshm_stream_release(in[i], batch));
		}
	}
	for (unsigned int i = 0; i < subscribers; i++)
		coshm_stream_close(in[i]);
	coshm_stream_close(out);
}

static void latest(unsigned long times)
{
	struct coshm_latest *out, *in;

	must(coshm_latest_create("count", BYTES, 0, &create_opts));
	must(coshm_latest_open("count", COSHM_PUBLISHER, &open_opts, &out));
	must(coshm_latest_open("count", COSHM_SUBSCRIBER, &open_opts, &in));
	while (times-- > 0) {
		must(coshm_latest_publish(out, buffer, BYTES));
		must(coshm_latest_read(in, buffer, BYTES, NULL, NULL));
	}
	coshm_latest_close(in);
	coshm_latest_close(out);
}

static void queue(unsigned long times)
{
	struct coshm_queue_shape shape = { .size = sizeof(shape), .message_bytes = BYTES };
	struct coshm_delivery delivery;
	struct coshm_queue *out, *in;

	must(coshm_queue_create("count", &shape, &create_opts));
	must(coshm_queue_open("count", COSHM_PRODUCER, &open_opts, &out));
	must(coshm_queue_open("count", COSHM_CONSUMER, &open_opts, &in));
	while (times-- > 0) {
		must(coshm_queue_push(out, buffer, BYTES, 0));
		must(coshm_queue_receive(in, buffer, BYTES, 0, &delivery));
	}
	coshm_queue_close(in);
	coshm_queue_close(out);
}

/* What a channel takes beside the ring that it was made for. */
static void memory(void)
{
	struct coshm_info info;

	must(coshm_stream_create("count", NULL, &create_opts));
	must(coshm_info_read(create_opts.dir, "count", &info));
	printf("{\"region_bytes\": %llu, \"ring_bytes\": %llu}\n",
	       (unsigned long long)info.region_bytes,
	       (unsigned long long)info.slots * info.slot_bytes + info.ring_bytes);
}

int main(int argc, char **argv)
{
	unsigned long times = argc == 4 ? strtoul(argv[3], NULL, 10) : 0;

	if (argc != 4) {
		fputs("Usage: bench-count DIR stream1|stream64|batch|latest|queue|memory TIMES\n",
		      stderr);
		return 2;
	}
	create_opts.dir = open_opts.dir = argv[1];
	open_opts.wait = COSHM_WAIT_SPIN;
	if (strcmp(argv[2], "stream1") == 0)
		stream(times, 1, 1);
	else if (strcmp(argv[2], "stream64") == 0)
		stream(times, COSHM_PEERS_MAX, 1);
	else if (strcmp(argv[2], "batch") == 0)
		stream(times, 1, BATCH);
	else if (strcmp(argv[2], "latest") == 0)
		latest(times);
	else if (strcmp(argv[2], "queue") == 0)
		queue(times);
	else if (strcmp(argv[2], "memory") == 0)
		memory();
	else
		return 2;
	must(coshm_remove(argv[1], "count"));
	return 0;
}
