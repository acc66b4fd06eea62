/* SPDX-License-Identifier: Apache-2.0 */
/*
 * soak_latest.c - "latest": peer 0 publishes, the others read.
 *
 * A reader may leave values out, and never goes back, never sees one that was
 * not published whole, and always comes to the last.
 */
#include <sched.h>

#include "latest.h"
#include "soak.h"

static uint64_t buffers(void)
{
	return soak_round.slots < 4 ? 4 : soak_round.slots;
}

static void create(void)
{
	soak_ok(coshm_latest_create(NAME, LARGE_BYTES, (uint32_t)buffers(), NULL));
}

static struct coshm_latest *open_as(enum coshm_role role, uint32_t wait)
{
	struct coshm_open_opts o = { .size = sizeof(o), .wait = wait };
	struct coshm_latest *ch = NULL;

	soak_ok(coshm_latest_open(NAME, role, &o, &ch));
	return ch;
}

/* Value i of the round, from 1 on.  When the counter goes round it leaves out a lap's beginning. */
static uint64_t number_of(uint64_t i)
{
	uint64_t number = soak_round.start + i;

	return number < soak_round.start ? number + buffers() : number;
}

static uint64_t index_of(uint64_t number)
{
	return number < soak_round.start ? number - buffers() - soak_round.start :
					   number - soak_round.start;
}

static void publish_one(struct coshm_latest *ch, uint64_t number)
{
	uint64_t data[LARGE_BYTES / 8];
	size_t bytes = soak_bytes(number, true);
	void *loan;

	if (number % 3 != 0) {
		message_fill(data, bytes, number);
		soak_ok(coshm_latest_publish(ch, data, bytes));
		return;
	}
	soak_ok(coshm_latest_loan(ch, &loan));
	message_fill(loan, bytes, number);
	soak_ok(coshm_latest_publish_loan(ch, bytes));
}

static void publish(void)
{
	struct coshm_latest *ch = open_as(COSHM_PUBLISHER, COSHM_WAIT_BLOCK);
	uint64_t bytes = 0;

	soak_age(&ch->region);
	atomic_store(&ch->ring.shared->head, soak_round.start);
	soak_await_age();
	soak_await_all();
	for (uint64_t i = 1; i <= soak_round.count; i++) {
		publish_one(ch, number_of(i));
		bytes += soak_bytes(number_of(i), true);
		if (soak_round.yields && i % 8 == 0)
			sched_yield(); /* or on few CPUs it is all over before they look */
		if (i == soak_round.until || i == soak_round.until + 2) {
			coshm_latest_close(ch); /* the next one takes over, at the wrap */
			ch = open_as(COSHM_PUBLISHER, COSHM_WAIT_BLOCK);
		}
	}
	coshm_latest_close(ch);
	atomic_store(&soak->bytes, bytes);
}

/* One value, copied or looked at in its place; false if it was replaced meanwhile. */
static bool read_one(struct coshm_latest *ch, bool copy, uint64_t *number)
{
	uint64_t data[LARGE_BYTES / 8];
	const void *value = data;
	size_t bytes = 0;
	bool good;
	int rc;

	rc = copy ? coshm_latest_read(ch, data, sizeof(data), &bytes, number) :
		    coshm_latest_peek(ch, &value, &bytes, number);
	if (copy && rc == -EAGAIN)
		return false;
	soak_must(rc == 0, "read: %d: %s", rc, coshm_errmsg());
	good = bytes == soak_bytes(*number, true) && message_good(value, bytes, *number);
	if (!copy && coshm_latest_check(ch, *number) == -EAGAIN)
		return false;
	soak_must(good, "value %llu is torn", (unsigned long long)*number);
	return true;
}

static void read_all(unsigned int peer)
{
	struct coshm_latest *ch = open_as(COSHM_SUBSCRIBER, soak_wait(peer));
	uint64_t seen = 0, seen_number = soak_round.start, received = 0, number;

	soak_await_all();
	while (seen < soak_round.count) {
		soak_ok(coshm_latest_wait(ch, seen_number, PATIENCE));
		if (!read_one(ch, received % 2 == 0, &number))
			continue;
		soak_must(index_of(number) > seen && index_of(number) <= soak_round.count,
			  "value %llu came after %llu", (unsigned long long)number,
			  (unsigned long long)seen_number);
		atomic_fetch_add(&soak->lost, index_of(number) - seen - 1);
		seen = index_of(number);
		seen_number = number;
		received++;
	}
	atomic_fetch_add(&soak->received, received);
	coshm_latest_close(ch);
}

static void play(unsigned int peer)
{
	if (peer == 0) {
		publish();
		return;
	}
	soak_await_age();
	read_all(peer);
}

static void settle(void)
{
	/* Its number is the count of messages. */
	soak_check_counters(number_of(soak_round.count) + soak_round.until,
			    atomic_load(&soak->bytes), 0);
}

static void live(uint64_t number, bool dies)
{
	struct coshm_latest *ch = open_as(COSHM_PUBLISHER, COSHM_WAIT_BLOCK);

	publish_one(ch, number + 1); /* the first one has number 1 */
	if (!dies)
		coshm_latest_close(ch);
}

static void *listen_for(void)
{
	return open_as(COSHM_SUBSCRIBER, COSHM_WAIT_BLOCK);
}

static void hear(void *ch, uint64_t number)
{
	uint64_t seen = 0;
	int rc = coshm_latest_wait(ch, number, PATIENCE);

	soak_must(rc == 0, "wait: %d: %s", rc, coshm_errmsg());
	soak_must(read_one(ch, true, &seen) && seen == number + 1, "value %llu came",
		  (unsigned long long)seen);
}

static void leave(void *ch)
{
	coshm_latest_close(ch);
}

const struct soak_kind soak_latest = { .name = "latest",
				       .peers = 4,
				       .lap_bits = 64,
				       .create = create,
				       .play = play,
				       .settle = settle,
				       .live = live,
				       .listen = listen_for,
				       .hear = hear,
				       .leave = leave };
