/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_model.c - the lock-free cores, in every order and killed everywhere.
 *
 * Each payload is two words with a step between them, so that whatever can be
 * torn is torn in some schedule.  A check that finds nothing wrong proves
 * little by itself: two algorithms that are wrong on purpose are run as well,
 * and have to be found out.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "interleave.h"

#define QUEUE_WINDOW 1u /* so that few messages are enough to make the head pass a claim */
#include "latest_core.h"
#include "queue_core.h"
#include "stream_core_read.h"
#include "stream_core_write.h"

static void write_two(void *payload, uint64_t value)
{
	((uint64_t *)payload)[0] = value;
	step();
	((uint64_t *)payload)[1] = value;
}

/* The value, or UINT64_MAX if the words differ. */
static uint64_t read_two(const void *payload)
{
	uint64_t first = ((const uint64_t *)payload)[0];

	step();
	return first == ((const uint64_t *)payload)[1] ? first : UINT64_MAX;
}

static void report(const char *what)
{
	print_message("# %s: %lu schedules, %lu with a kill\n", what, explorer.schedules,
		      explorer.killed);
}

static bool wrong; /* what a schedule has found; assertions belong to the scheduler's stack */

/* latest: a publisher that may be killed, and a reader */

static _Alignas(64) unsigned char latest_memory[128 + 4 * 64];
static struct latest_ring latest = { .mask = 3, .stride = 64, .value_bytes = 16, .payload = 16 };

static void latest_begin_scenario(void)
{
	memset(latest_memory, 0, sizeof(latest_memory));
	latest.shared = (struct latest_shared *)latest_memory;
}

static void latest_publisher(unsigned int me)
{
	(void)me;
	for (int i = 0; i < 6; i++) {
		uint64_t n = latest_next(&latest);

		latest_begin();
		write_two(latest_payload(&latest, n), n);
		latest_commit(&latest, n);
	}
}

static void latest_reader(unsigned int me)
{
	uint64_t last = 0;

	(void)me;
	for (int i = 0; i < 3; i++) {
		uint64_t n = latest_newest(&latest), value;

		if (n == 0)
			continue;
		value = read_two(latest_payload(&latest, n));
		if (latest_unchanged(&latest, n) && value != n)
			wrong = true;
		if (n < last)
			wrong = true;
		last = n;
	}
}

static void latest_end(void)
{
	uint64_t n = latest_newest(&latest);

	latest_reader(0); /* whatever happened, there is a whole value, if there ever was one */
	if (n != 0 && !latest_unchanged(&latest, n))
		wrong = true;
	latest_publisher(0);
	if (latest_newest(&latest) != n + 6)
		wrong = true;
}

static void test_latest(void **state)
{
	struct scenario s = { .begin = latest_begin_scenario,
			      .end = latest_end,
			      .programs = { { .run = latest_publisher, .may_be_killed = true },
					    { .run = latest_reader } },
			      .count = 2,
			      .preemptions = 4,
			      .kills = 1 };

	(void)state;
	wrong = false;
	explore(&s);
	report("latest");
	assert_false(wrong);
}

/* A seqlock, which is wrong: its publisher killed half-way leaves nothing to read. */

static _Atomic uint64_t seqlock;
static uint64_t seqlock_value[2];

static void seqlock_begin(void)
{
	seqlock = 0;
	memset(seqlock_value, 0, sizeof(seqlock_value));
}

static void seqlock_publisher(unsigned int me)
{
	(void)me;
	atomic_store_explicit(&seqlock, seqlock + 1, memory_order_relaxed);
	write_two(seqlock_value, 1);
	atomic_store_explicit(&seqlock, seqlock + 1, memory_order_release);
}

static void seqlock_end(void)
{
	for (int i = 0; i < 100; i++)
		if (atomic_load_explicit(&seqlock, memory_order_acquire) % 2 == 0)
			return;
	wrong = true;
}

static void test_seqlock_is_found_out(void **state)
{
	struct scenario s = { .begin = seqlock_begin,
			      .end = seqlock_end,
			      .programs = { { .run = seqlock_publisher, .may_be_killed = true } },
			      .count = 1,
			      .kills = 1 };

	(void)state;
	wrong = false;
	explore(&s);
	assert_true(wrong);
}

/* stream: a publisher of single messages and batches, and subscribers */

#define STREAM_SLOTS 4

static _Alignas(64) unsigned char stream_slots[STREAM_SLOTS * 64];
static struct stream_control_shared stream_control;
static struct peer_shared stream_peers[PROGRAMS_MAX];
static uint64_t stream_target; /* the publisher stops there */
static bool stream_batches, stream_with_batches;
static bool stream_is_joined; /* the second program, before it begins */
static struct stream_reader stream_readers[PROGRAMS_MAX];
static unsigned int stream_published[64];
static struct stream_ring stream = { .control = &stream_control,
				     .peers = stream_peers,
				     .slots = stream_slots,
				     .mask = STREAM_SLOTS - 1,
				     .shift = 2,
				     .lap_shift = 16,
				     .slot_bytes = 64,
				     .payload = 16,
				     .small_max = 48,
				     .large_max = 48 };

static void stream_begin(void)
{
	memset(stream_slots, 0, sizeof(stream_slots));
	memset(&stream_control, 0, sizeof(stream_control));
	memset(stream_peers, 0, sizeof(stream_peers));
	memset(stream_readers, 0, sizeof(stream_readers));
	memset(stream_published, 0, sizeof(stream_published));
	stream_control.subscribers = stream.overwrite || !stream_is_joined ? 0 : 2;
	stream_target = 6;
	stream_batches = stream_with_batches;
}

static void stream_publisher(unsigned int me)
{
	struct stream_writer w;

	(void)me;
	stream_resume(&stream, &w);
	for (int tries = 0; w.next < stream_target && tries < 8; tries++) {
		uint64_t loans = stream_batches && w.next % 3 == 1 ? 2 : 1;

		for (uint64_t i = 0; i < loans; i++) {
			uint64_t p = w.end;
			void *payload = stream_loan(&stream, &w, 16);

			if (payload)
				write_two(payload, p);
		}
		for (uint64_t p = w.next; p != w.end; p++)
			if (stream_published[p] > 0)
				wrong = true; /* it was there, and is replaced */
		if (w.end != w.next)
			stream_publish(&stream, &w);
		for (uint64_t p = w.next; p > 0 && stream_published[p - 1] == 0; p--)
			stream_published[p - 1]++;
	}
	stream_discard(&stream, &w);
}

/* Read what is there; @most looks. */
static void stream_read(unsigned int me, int most)
{
	struct stream_reader *r = &stream_readers[me];

	for (int i = 0; i < most; i++) {
		struct stream_found found;
		enum stream_look look = stream_look(&stream, r->next, &found);
		uint64_t value;

		if (look == STREAM_EMPTY)
			continue;
		if (look == STREAM_BROKEN) {
			wrong = true;
			return;
		}
		if (look == STREAM_LAPPED) {
			stream_skip(&stream, r, 0);
			continue;
		}
		value = read_two(found.data);
		if (stream.overwrite && !stream_intact(&stream, r->next)) {
			stream_skip(&stream, r, 0);
			continue;
		}
		if (value != r->next)
			wrong = true;
		r->next++;
		if (!stream.overwrite)
			stream_tell_position(r, &stream_peers[me]);
	}
}

static void stream_subscriber(unsigned int me)
{
	stream_read(me, 5);
}

static void stream_joiner(unsigned int me)
{
	struct stream_reader *r = &stream_readers[me];

	r->next = stream_start(&stream, true);
	if (!stream.overwrite)
		stream_join(&stream, r, &stream_peers[me], me);
	stream_skip_to_first(&stream, r);
	stream_tell_position(r, &stream_peers[me]);
	stream_read(me, 3);
}

/*
 * Somebody else takes over and publishes one by one: all read what is there, and
 * nothing that is not; and miss nothing that they were promised.
 */
static void stream_end_scenario(void)
{
	stream_batches = false;
	for (stream_target = 0; stream_target <= 12; stream_target++) {
		struct stream_writer w;

		stream_publisher(0);
		stream_resume(&stream, &w);
		for (unsigned int i = 1; i < explorer.scenario->count; i++) {
			stream_read(i, 3 * STREAM_SLOTS);
			if (stream_readers[i].next > w.next)
				wrong = true;
		}
	}
	for (unsigned int i = 1; i < explorer.scenario->count; i++) {
		if (stream_readers[i].next != 12 || (!stream.overwrite && stream_readers[i].lost))
			wrong = true;
	}
}

static void stream_run(const char *what, bool overwrite, bool batches, struct program second,
		       unsigned int preemptions)
{
	struct scenario s = { .begin = stream_begin,
			      .end = stream_end_scenario,
			      .programs = { { .run = stream_publisher, .may_be_killed = true },
					    second },
			      .count = 2,
			      .preemptions = preemptions,
			      .kills = 1 };

	stream.overwrite = overwrite;
	stream_with_batches = batches;
	stream_is_joined = second.run == stream_subscriber;
	wrong = false;
	explore(&s);
	report(what);
	assert_false(wrong);
}

static void test_stream(void **state)
{
	const struct program subscriber = { .run = stream_subscriber };
	const struct program newcomer = { .run = stream_joiner };

	(void)state;
	stream_run("stream, lossless", false, false, subscriber, 2);
	stream_run("stream, lossless, batches", false, true, subscriber, 2);
	stream_run("stream, lossless, a newcomer", false, false, newcomer, 2);
	stream_run("stream, lossless, batches, a newcomer", false, true, newcomer, 2);
	stream_run("stream, overwrite", true, false, subscriber, 2);
	stream_run("stream, overwrite, batches", true, true, subscriber, 2);
	stream_run("stream, overwrite, batches, a newcomer", true, true, newcomer, 2);
}

/* queue: producers and consumers, two slots or four */

#define QUEUE_SLOTS 4

static _Alignas(64) unsigned char queue_slots[QUEUE_SLOTS * 64];
static struct queue_control_shared queue_control;
static struct queue_ring queue = { .control = &queue_control,
				   .slots = queue_slots,
				   .lap_shift = 16,
				   .slot_bytes = 64,
				   .payload = 16,
				   .value_bytes = 48 };
static unsigned int queue_pushed[64], queue_got[64];

static void queue_begin(void)
{
	memset(queue_slots, 0, sizeof(queue_slots));
	memset(&queue_control, 0, sizeof(queue_control));
	memset(queue_pushed, 0, sizeof(queue_pushed));
	memset(queue_got, 0, sizeof(queue_got));
}

static bool queue_push_one(unsigned int me, uint64_t value)
{
	uint64_t p = queue_claim(&queue, me);

	if (p == QUEUE_NONE)
		return false;
	write_two(queue_payload(&queue, p), value);
	if (!queue_commit(&queue, p, me))
		wrong = true;
	queue_pushed[value]++;
	return true;
}

static bool queue_take_one(unsigned int me, uint64_t *seen)
{
	uint64_t p = queue_take(&queue, me, seen), value;
	unsigned int deliveries;

	if (p == QUEUE_NONE)
		return false;
	deliveries = queue_deliveries(queue_slot(&queue, p)->state);
	value = read_two(queue_payload(&queue, p));
	if (value >= 64 || (queue_got[value] > 0 && (deliveries < 2 || queue.drop)))
		wrong = true;
	else
		queue_got[value]++;
	if (!queue_release(&queue, p, me))
		wrong = true;
	return true;
}

static void queue_producer(unsigned int me)
{
	for (uint64_t i = 0; i < 2; i++)
		queue_push_one(me, 10 * me + i + 1);
}

static void queue_consumer(unsigned int me)
{
	uint64_t seen = 0;

	for (int i = 0; i < 2; i++)
		queue_take_one(me, &seen);
}

/* Recover for the killed; then all that was pushed is there, and all slots work. */
static void queue_end(void)
{
	uint64_t seen = 0;
	unsigned int killed = 0;

	for (unsigned int i = 0; i < explorer.scenario->count; i++) {
		if (was_killed(i)) {
			queue_recover(&queue, i);
			killed++;
		}
	}
	while (queue_take_one(9, &seen))
		;
	for (unsigned int value = 0; value < 64; value++)
		if (queue_got[value] < queue_pushed[value] && !(queue.drop && killed-- > 0))
			wrong = true; /* left behind */
	for (uint64_t lap = 0; lap < 3; lap++) {
		for (uint64_t i = 0; i <= queue.mask; i++)
			if (!queue_push_one(8, 50 + lap * QUEUE_SLOTS + i) && lap > 0)
				wrong = true;
		if (lap > 0 && queue_claim(&queue, 8) != QUEUE_NONE)
			wrong = true; /* more than its slots */
		while (queue_take_one(9, &seen))
			;
	}
	for (unsigned int value = 50 + QUEUE_SLOTS; value < 64; value++)
		if (queue_got[value] != queue_pushed[value])
			wrong = true;
}

/* Position 0 is in the hands of program 2, and both head and tail stand at 2. */
static void queue_begin_with_a_hole(void)
{
	uint64_t seen = 0;

	queue_begin();
	queue_push_one(0, 1);
	queue_push_one(0, 2);
	if (queue_take(&queue, 2, &seen) != 0)
		wrong = true;
	queue_got[1]++;
	queue_take_one(3, &seen);
}

static void queue_holder(unsigned int me)
{
	if (!queue_release(&queue, 0, me))
		wrong = true;
}

static void queue_single_producer(unsigned int me)
{
	queue_push_one(me, 40 + me);
}

static void queue_run(const char *what, struct scenario s, unsigned int shift, bool drop)
{
	queue.shift = shift;
	queue.mask = (1u << shift) - 1;
	s.end = queue_end;
	s.kills = 1;
	for (s.count = 0; s.count < PROGRAMS_MAX && s.programs[s.count].run; s.count++)
		s.programs[s.count].may_be_killed = true;
	queue.drop = drop;
	wrong = false;
	explore(&s);
	report(what);
	assert_false(wrong);
}

static void test_queue(void **state)
{
	const struct scenario producers = {
		.begin = queue_begin,
		.programs = { { .run = queue_single_producer },
			      { .run = queue_producer },
			      { .run = queue_consumer } },
		.preemptions = 2,
	};
	const struct scenario consumers = {
		.begin = queue_begin,
		.programs = { { .run = queue_producer },
			      { .run = queue_consumer },
			      { .run = queue_consumer } },
		.preemptions = 2,
	};
	const struct scenario hole = {
		.begin = queue_begin_with_a_hole,
		.programs = { { .run = queue_single_producer },
			      { .run = queue_single_producer },
			      { .run = queue_holder },
			      { .run = queue_consumer } },
		.preemptions = 2,
	};

	(void)state;
	queue_run("queue, at least once, two producers", producers, 2, false);
	queue_run("queue, at least once, two consumers", consumers, 1, false);
	queue_run("queue, at most once, two consumers", consumers, 1, true);
	queue_run("queue, a slot skipped", hole, 1, false);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_latest),
		cmocka_unit_test(test_seqlock_is_found_out),
		cmocka_unit_test(test_stream),
		cmocka_unit_test(test_queue),
	};

	return cmocka_run_group_tests_name("model", tests, NULL, NULL);
}
