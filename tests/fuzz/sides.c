/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sides.c - one side of a channel, built once for each word size.
 *
 *   sides latest|stream|large|queue send|receive COUNT
 *
 * Whoever comes first makes the channel.  The receiver checks each message and
 * ends after the last one; a side that waits in vain ends after ten seconds.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "coshm.h"

#define NAME     "sides"
#define PATIENCE INT64_C(10000000000)

/* Aligned by hand: the type is the same for both. */
struct letter {
	uint64_t number;
	uint64_t sums[120];
};

static const struct coshm_type type = { .name = "letter", .bytes = 968, .align = 8, .version = 1 };
static size_t letter_bytes = 64;

static int must(int rc)
{
	if (rc >= 0)
		return rc;
	fprintf(stderr, "sides: %s\n", coshm_errmsg());
	exit(1);
}

static struct letter letter_of(uint64_t number)
{
	struct letter l = { .number = number };

	for (unsigned int i = 0; i < 120; i++)
		l.sums[i] = number * 1000003 + i;
	return l;
}

static void check(const struct letter *l, uint64_t number, size_t bytes)
{
	struct letter good = letter_of(number);

	if (bytes != letter_bytes || memcmp(l, &good, bytes) != 0) {
		fprintf(stderr, "sides: letter %llu is wrong\n", (unsigned long long)number);
		exit(1);
	}
}

static void latest(int send, uint64_t count, const struct coshm_create_opts *c,
		   const struct coshm_open_opts *o)
{
	struct coshm_latest *ch;
	struct letter l;
	uint64_t seen = 0;
	size_t bytes;
	int rc = coshm_latest_create(NAME, 968, 0, c);

	must(rc == -EEXIST ? 0 : rc);
	must(coshm_latest_open(NAME, send ? COSHM_PUBLISHER : COSHM_SUBSCRIBER, o, &ch));
	for (uint64_t i = 1; send && i <= count; i++) {
		l = letter_of(i);
		must(coshm_latest_publish(ch, &l, letter_bytes));
	}
	while (!send && seen < count) {
		must(coshm_latest_wait(ch, seen, PATIENCE));
		rc = coshm_latest_read(ch, &l, sizeof(l), &bytes, &seen);
		if (rc != -EAGAIN)
			must(rc);
		if (rc == 0)
			check(&l, seen, bytes);
	}
	coshm_latest_close(ch);
}

static void stream(int send, uint64_t count, const struct coshm_create_opts *c,
		   const struct coshm_open_opts *o)
{
	struct coshm_stream_shape s = { .size = sizeof(s), .slots = 16, .large_bytes = 968 };
	struct coshm_stream *ch;
	struct coshm_message m;
	struct letter l;
	int rc = coshm_stream_create(NAME, &s, c);

	must(rc == -EEXIST ? 0 : rc);
	must(coshm_stream_open(NAME, send ? COSHM_PUBLISHER : COSHM_SUBSCRIBER, o, &ch));
	if (send)
		must(coshm_stream_wait_subscribers(ch, 1, PATIENCE));
	for (uint64_t i = 0; i < count; i++) {
		l = letter_of(i);
		if (send) {
			must(coshm_stream_publish(ch, &l, letter_bytes, PATIENCE));
			continue;
		}
		must(coshm_stream_receive(ch, &l, sizeof(l), PATIENCE, &m));
		check(&l, i, m.bytes);
	}
	if (send)
		must(coshm_stream_drain(ch, PATIENCE));
	coshm_stream_close(ch);
}

static void queue(int send, uint64_t count, const struct coshm_create_opts *c,
		  const struct coshm_open_opts *o)
{
	struct coshm_queue_shape s = { .size = sizeof(s), .slots = 16, .message_bytes = 968 };
	struct coshm_queue *ch;
	struct coshm_delivery d;
	struct letter l;
	int rc = coshm_queue_create(NAME, &s, c);

	must(rc == -EEXIST ? 0 : rc);
	must(coshm_queue_open(NAME, send ? COSHM_PRODUCER : COSHM_CONSUMER, o, &ch));
	for (uint64_t i = 0; i < count; i++) {
		l = letter_of(i);
		if (send) {
			must(coshm_queue_push(ch, &l, letter_bytes, PATIENCE));
			continue;
		}
		must(coshm_queue_receive(ch, &l, sizeof(l), PATIENCE, &d));
		check(&l, i, d.bytes);
	}
	coshm_queue_close(ch);
}

int main(int argc, char **argv)
{
	struct coshm_create_opts c = { .size = sizeof(c), .type = type };
	struct coshm_open_opts o = { .size = sizeof(o), .type = type, .wait = COSHM_WAIT_BLOCK };
	int send = argc == 4 && strcmp(argv[2], "send") == 0;
	uint64_t count = argc == 4 ? strtoull(argv[3], NULL, 10) : 0;

	if (count == 0)
		return 2;
	if (strcmp(argv[1], "latest") == 0) {
		latest(send, count, &c, &o);
	} else if (strcmp(argv[1], "queue") == 0) {
		queue(send, count, &c, &o);
	} else {
		letter_bytes = strcmp(argv[1], "large") == 0 ? 968 : 64;
		stream(send, count, &c, &o);
	}
	return 0;
}
