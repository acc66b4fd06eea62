/* SPDX-License-Identifier: Apache-2.0 */
/*
 * storm_latest.c - a storm over "latest": peer 0 publishes, the others read.
 *
 * No value is torn, none that was never sent is seen, and none goes back.
 */
#include "latest.h"
#include "storm.h"

#define BYTES 1024u

static size_t bytes_of(uint64_t number)
{
	return 8 * (size_t)(1 + number * 7 % (BYTES / 8));
}

static void create(void)
{
	storm_ok(coshm_latest_create(NAME, BYTES, 0, NULL));
}

static struct coshm_latest *open_as(unsigned int peer, enum coshm_role role)
{
	struct coshm_open_opts o = { .size = sizeof(o), .wait = storm_wait(peer) };
	struct coshm_latest *ch = NULL;

	storm_ok(coshm_latest_open(NAME, role, &o, &ch));
	return ch;
}

static void publish(unsigned int peer)
{
	struct storm_note *n = &storm->notes[peer];
	struct coshm_latest *ch = open_as(peer, COSHM_PUBLISHER);
	unsigned char data[BYTES];

	storm_must(latest_next(&ch->ring) > atomic_load(&n->acked), "value %llu is gone",
		   (unsigned long long)atomic_load(&n->acked));
	storm_up(peer, &ch->region);
	for (;;) {
		uint64_t number = latest_next(&ch->ring);

		message_fill(data, bytes_of(number), number);
		atomic_store(&n->begun, number);
		storm_ok(coshm_latest_publish(ch, data, bytes_of(number)));
		atomic_store(&n->acked, number);
		storm_step(peer);
		if (number % 64 == 0)
			usleep(50); /* let them sleep now and then, and run */
	}
}

static uint64_t read_one(struct coshm_latest *ch, uint64_t seen)
{
	unsigned char data[BYTES];
	uint64_t number;
	size_t bytes;
	int rc = coshm_latest_read(ch, data, sizeof(data), &bytes, &number);

	if (rc == -ENODATA || rc == -EAGAIN)
		return seen;
	storm_ok(rc);
	storm_must(bytes == bytes_of(number) && message_good(data, bytes, number),
		   "value %llu is torn", (unsigned long long)number);
	storm_must(number >= seen && number <= atomic_load(&storm->notes[0].begun),
		   "value %llu, after %llu", (unsigned long long)number, (unsigned long long)seen);
	atomic_fetch_add(&storm->messages, 1);
	return number;
}

static void subscribe(unsigned int peer)
{
	struct storm_note *n = &storm->notes[peer];
	struct coshm_latest *ch = open_as(peer, COSHM_SUBSCRIBER);

	storm_up(peer, &ch->region);
	for (;;) {
		uint64_t seen = atomic_load(&n->seen);
		int rc = coshm_latest_wait(ch, seen, SECOND);

		storm_must(rc == 0 || rc == -EOWNERDEAD || rc == -ETIMEDOUT, "wait: %d: %s", rc,
			   coshm_errmsg());
		if (rc < 0)
			usleep(100);
		atomic_store(&n->seen, read_one(ch, seen));
		storm_step(peer);
	}
}

static void play(unsigned int peer)
{
	if (peer == 0)
		publish(peer);
	else
		subscribe(peer);
}

static void settle(void)
{
	struct coshm_latest *ch = open_as(1, COSHM_SUBSCRIBER);
	uint64_t number = read_one(ch, atomic_load(&storm->notes[0].acked));

	storm_must(number >= atomic_load(&storm->notes[0].acked), "the last value is gone");
	coshm_latest_close(ch);
}

const struct storm_kind storm_latest = {
	.name = "latest",
	.create = create,
	.play = play,
	.settle = settle,
	.takes_over = { true },
};
