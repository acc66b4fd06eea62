/* SPDX-License-Identifier: Apache-2.0 */
/*
 * seeds.c - regions of each kind and policy as our own programs leave them.
 *
 * Each was in use and its users are gone without taking leave: with messages,
 * loans, claims and places of the dead in it, so that attaching has to recover.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "coshm.h"
#include "fuzz.h"

#define NAME "seed"

static unsigned char payload[2048];

static void must(int rc)
{
	if (rc >= 0)
		return;
	fprintf(stderr, "seeds: %s\n", coshm_errmsg());
	abort();
}

/* The file as it is now, while everybody still has it open. */
static size_t take_image(uint8_t *data, size_t max)
{
	char path[256];
	ssize_t n;
	int fd;

	snprintf(path, sizeof(path), "%s/" NAME, fuzz_dir());
	fd = open(path, O_RDONLY | O_CLOEXEC);
	n = fd < 0 ? -1 : read(fd, data + FUZZ_IMAGE, max - FUZZ_IMAGE);
	if (n <= 0 || (size_t)n == max - FUZZ_IMAGE)
		abort();
	close(fd);
	memset(data, 0, FUZZ_IMAGE);
	for (unsigned int i = FUZZ_SCRIPT; i < FUZZ_IMAGE; i++)
		data[i] = (uint8_t)(i * 37);
	data[0] = FUZZ_REPAIR;
	return (size_t)n + FUZZ_IMAGE;
}

static size_t latest(uint32_t buffers, uint8_t *data, size_t max)
{
	struct coshm_latest *pub, *sub;
	size_t size;

	must(coshm_latest_create(NAME, 100, buffers, NULL));
	must(coshm_latest_open(NAME, COSHM_PUBLISHER, NULL, &pub));
	must(coshm_latest_open(NAME, COSHM_SUBSCRIBER, NULL, &sub));
	for (unsigned int i = 0; i < 2 * buffers + 1; i++)
		must(coshm_latest_publish(pub, payload, i % 100));
	size = take_image(data, max);
	data[1] = 1;
	coshm_latest_close(sub);
	coshm_latest_close(pub);
	return size;
}

static size_t stream(uint32_t policy, uint64_t large, uint8_t *data, size_t max)
{
	struct coshm_stream_shape s = {
		.size = sizeof(s), .policy = policy, .slots = 8, .large_bytes = large
	};
	struct coshm_open_opts oldest = { .size = sizeof(oldest), .flags = COSHM_OPEN_OLDEST };
	struct coshm_stream *pub, *sub;
	struct coshm_message m[8];
	size_t size;
	void *loan;

	must(coshm_stream_create(NAME, &s, NULL));
	must(coshm_stream_open(NAME, COSHM_PUBLISHER, NULL, &pub));
	for (unsigned int i = 0; i < 13; i++)
		must(coshm_stream_publish(pub, payload, large && i % 3 == 0 ? large : i, 0));
	must(coshm_stream_open(NAME, COSHM_SUBSCRIBER, &oldest, &sub));
	must(coshm_stream_peek(sub, m, 2, 0));
	must(coshm_stream_release(sub, 1));
	/* A batch that is not published, as far as there is room for it. */
	for (unsigned int i = 0; i < 2; i++)
		if (coshm_stream_loan(pub, i == 0 && large ? large : 8, 0, &loan) < 0)
			break;
	size = take_image(data, max);
	data[1] = 2;
	coshm_stream_close(sub);
	coshm_stream_close(pub);
	return size;
}

static size_t queue(uint32_t policy, uint8_t *data, size_t max)
{
	struct coshm_queue_shape s = { .size = sizeof(s), .policy = policy, .slots = 8 };
	struct coshm_queue *producer, *consumer;
	struct coshm_delivery d;
	size_t size;
	void *loan;

	must(coshm_queue_create(NAME, &s, NULL));
	must(coshm_queue_open(NAME, COSHM_PRODUCER, NULL, &producer));
	must(coshm_queue_open(NAME, COSHM_CONSUMER, NULL, &consumer));
	for (unsigned int i = 0; i < 20; i++) { /* more than two laps; the last two stay taken */
		must(coshm_queue_push(producer, payload, i, 0));
		must(coshm_queue_take(consumer, 0, &d));
		must(i < 18 ? coshm_queue_release(consumer, d.data) : 0);
	}
	must(coshm_queue_push(producer, payload, 7, 0));
	must(coshm_queue_loan(producer, 0, &loan));
	must(coshm_queue_push(producer, payload, 112, 0));
	size = take_image(data, max);
	data[1] = 3;
	coshm_queue_close(consumer);
	coshm_queue_close(producer);
	return size;
}

size_t fuzz_seed(unsigned int number, uint8_t *data, size_t max, const char **name)
{
	static const char *const names[] = { "latest-4",       "latest-16",   "lossless",
					     "lossless-large", "overwrite",   "overwrite-large",
					     "at-least-once",  "at-most-once" };
	size_t size;

	fuzz_dir();
	if (number >= sizeof(names) / sizeof(names[0]))
		return 0;
	*name = names[number];
	if (number < 2)
		size = latest(number == 0 ? 4 : 16, data, max);
	else if (number < 6)
		size = stream((number - 2) / 2, number % 2 ? 1000 : 0, data, max);
	else
		size = queue(number - 6, data, max);
	must(coshm_remove(NULL, NAME));
	return size;
}
