/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_weak.c - the lock-free cores on a machine that reorders.
 *
 * x86 has most orders for nothing, so that a missing one shows in no test that
 * runs there.  Here every one is missing that the code does not ask for; see
 * weak.h.  tests/mutants weakens each in turn, and this must notice.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

#include "weak.h"

#include "latest_core.h"
#include "queue_core.h"
#include "stream_core_read.h"
#include "stream_core_write.h"

/* Payload: two words, in any order and with any age. */
static void write_two(void *payload, uint64_t value)
{
	uint64_t *words = payload;

	/* Second word first: that the first one is there tells nothing. */
	atomic_store_explicit(&words[1], value, memory_order_relaxed);
	atomic_store_explicit(&words[0], value, memory_order_relaxed);
}

static uint64_t read_two(const void *payload)
{
	const uint64_t *words = payload;
	uint64_t first = atomic_load_explicit(&words[0], memory_order_relaxed);

	return atomic_load_explicit(&words[1], memory_order_relaxed) == first ? first : UINT64_MAX;
}

/* What a channel has promised to keep until it is given back. */
static void read_two_late(const void *payload, uint64_t wanted)
{
	const uint64_t *words = payload;

	weak_read_late(&words[0], wanted);
	weak_read_late(&words[1], wanted);
}

static void run(const char *what, struct scenario s, unsigned int stale)
{
	weak.stale_most = stale;
	weak.wrong = false;
	for (s.count = 0; s.count < PROGRAMS_MAX && s.programs[s.count].run;)
		s.count++;
	explore(&s);
	print_message("# %s: %lu executions\n", what, explorer.schedules);
	assert_false(weak.wrong);
}

static void nothing(void)
{
}

/* latest */

static _Alignas(64) unsigned char latest_memory[128 + 4 * 64];
static struct latest_ring latest = {
	.shared = (void *)latest_memory, .mask = 3, .stride = 64, .value_bytes = 16, .payload = 16
};

static void latest_begin_all(void)
{
	memset(latest_memory, 0, sizeof(latest_memory));
	weak_reset(weak.stale_most);
}

static void latest_publisher(unsigned int me)
{
	(void)me;
	for (int i = 0; i < 5; i++) {
		uint64_t n = latest_next(&latest);

		latest_begin();
		write_two(latest_payload(&latest, n), n);
		latest_commit(&latest, n);
	}
}

static void latest_reader(unsigned int me)
{
	(void)me;
	for (int i = 0; i < 2; i++) {
		uint64_t n = latest_newest(&latest), value;

		if (n == 0)
			continue;
		value = read_two(latest_payload(&latest, n));
		if (latest_unchanged(&latest, n) && value != n)
			weak.wrong = true;
	}
}

static void test_latest(void **state)
{
	(void)state;
	run("latest",
	    (struct scenario){
		    .begin = latest_begin_all,
		    .end = nothing,
		    .programs = { { .run = latest_publisher }, { .run = latest_reader } },
		    .preemptions = 1 },
	    3);
}

/* stream */

#define STREAM_SLOTS_MOST 8

static _Alignas(64) unsigned char stream_slots[STREAM_SLOTS_MOST * 64];
static _Alignas(64) unsigned char stream_bytes[512];
static struct stream_control_shared stream_control;
static struct peer_shared stream_peers[PROGRAMS_MAX];
static struct stream_ring stream = { .control = &stream_control,
				     .peers = stream_peers,
				     .slots = stream_slots,
				     .bytes = stream_bytes,
				     .lap_shift = 16,
				     .slot_bytes = 64,
				     .payload = 16 };
static uint64_t stream_messages, stream_before; /* to publish; and before anybody is there */
static bool stream_batches;
static struct stream_writer stream_account;

/* Messages published before: everybody has seen them. */
static void stream_begin_all(void)
{
	memset(stream_slots, 0, sizeof(stream_slots));
	memset(stream_bytes, 0, sizeof(stream_bytes));
	memset(&stream_control, 0, sizeof(stream_control));
	memset(stream_peers, 0, sizeof(stream_peers));
	weak_reset(weak.stale_most);
	stream_resume(&stream, &stream_account);
	for (uint64_t i = 0; i < stream_before; i++) {
		uint64_t *words = stream_loan(&stream, &stream_account, 16);

		words[0] = words[1] = i;
		stream_publish(&stream, &stream_account);
	}
	weak_reset(weak.stale_most);
}

static void stream_publisher(unsigned int me)
{
	struct stream_writer *w = &stream_account;

	(void)me;
	for (int tries = 0; w->next < stream_messages && tries < 12; tries++) {
		for (uint64_t i = 0; i < (stream_batches ? 2 : 1); i++) {
			uint64_t p = w->end;
			void *payload = stream_loan(&stream, w, 16);

			if (payload)
				write_two(payload, p);
		}
		if (w->end != w->next)
			stream_publish(&stream, w);
	}
}

static void stream_read(struct stream_reader *r, unsigned int me, int most)
{
	for (int i = 0; i < most; i++) {
		struct stream_found found;
		enum stream_look look = stream_look(&stream, r->next, &found);
		uint64_t value;

		if (look == STREAM_EMPTY)
			continue;
		if (look != STREAM_HERE) {
			if (!stream.overwrite)
				weak.wrong = true;
			if (look == STREAM_BROKEN && stream_intact(&stream, r->next))
				weak.wrong = true;
			return;
		}
		if (stream.overwrite) {
			value = read_two(found.data);
			if (!stream_found_intact(&stream, r->next, &found))
				return;
			if (value != r->next)
				weak.wrong = true;
			r->next++;
			continue;
		}
		read_two_late(found.data, r->next);
		r->next++;
		stream_tell_position(r, &stream_peers[me]);
	}
}

static void stream_subscriber(unsigned int me)
{
	struct stream_reader r = { 0 };

	stream_read(&r, me, 3);
	step();
	weak_flush();
}

static void stream_newcomer(unsigned int me)
{
	struct stream_reader r = { .next = stream_start(&stream, true) };
	uint64_t first;

	stream_join(&stream, &r, &stream_peers[me], me);
	stream_skip_to_first(&stream, &r);
	first = r.next;
	stream_tell_position(&r, &stream_peers[me]);
	stream_read(&r, me, 2);
	step();
	weak_flush();
	(void)first;
}

static void stream_run(const char *what, unsigned int shift, bool large, struct program reader,
		       unsigned int preemptions, unsigned int stale)
{
	stream.shift = shift;
	stream.mask = (1u << shift) - 1;
	stream.small_max = large ? 8 : 48;
	stream.ring_bytes = large ? 256 : 0;
	stream.large_max = large ? 128 : 48;
	run(what,
	    (struct scenario){ .begin = stream_begin_all,
			       .end = nothing,
			       .programs = { { .run = stream_publisher }, reader },
			       .preemptions = preemptions },
	    stale);
}

static void stream_begin_joined(void)
{
	stream_begin_all();
	stream_control.subscribers = 2; /* program 1, from the beginning */
}

static void test_stream_lossless(void **state)
{
	(void)state;
	stream.overwrite = stream_batches = false;
	stream.shift = 1;
	stream.mask = 1;
	stream.small_max = stream.large_max = 48;
	stream.ring_bytes = 0;
	stream_before = 0;
	stream_messages = 4;
	run("stream, lossless",
	    (struct scenario){
		    .begin = stream_begin_joined,
		    .end = nothing,
		    .programs = { { .run = stream_publisher }, { .run = stream_subscriber } },
		    .preemptions = 3 },
	    2);
}

static void test_stream_newcomer(void **state)
{
	(void)state;
	stream.overwrite = stream_batches = false;
	stream_before = 3;
	stream_messages = 6;
	stream_run("stream, lossless, a newcomer", 2, false,
		   (struct program){ .run = stream_newcomer }, 2, 3);
}

static void test_stream_overwrite(void **state)
{
	const struct program subscriber = { .run = stream_subscriber };

	(void)state;
	stream.overwrite = true;
	stream_before = 0;
	stream_messages = 4;
	stream_batches = false;
	stream_run("stream, overwrite", 1, false, subscriber, 1, 3);
	stream_batches = true;
	stream_run("stream, overwrite, batches", 2, false, subscriber, 1, 3);
	stream_messages = 6;
	stream_run("stream, overwrite, longer batches", 2, false, subscriber, 1, 3);
	stream_batches = false;
	stream_messages = 5;
	stream_run("stream, overwrite, large", 3, true, subscriber, 1, 3);
}

/* queue */

static _Alignas(64) unsigned char queue_slots[2 * 64];
static struct queue_control_shared queue_control;
static struct queue_ring queue = { .control = &queue_control,
				   .slots = queue_slots,
				   .mask = 1,
				   .shift = 1,
				   .lap_shift = 16,
				   .slot_bytes = 64,
				   .payload = 16,
				   .value_bytes = 48 };
static _Atomic uint64_t queue_told; /* how a program knows of another's message: a bell */

static void queue_begin_all(void)
{
	memset(queue_slots, 0, sizeof(queue_slots));
	memset(&queue_control, 0, sizeof(queue_control));
	queue_told = 0;
	weak_reset(weak.stale_most);
}

static void queue_push(unsigned int me, uint64_t value)
{
	uint64_t p = queue_claim(&queue, me);

	if (p == QUEUE_NONE)
		return;
	write_two(queue_payload(&queue, p), value);
	queue_commit(&queue, p, me);
	atomic_fetch_add_explicit(&queue_told, 1, memory_order_relaxed);
}

static void queue_producer(unsigned int me)
{
	for (uint64_t i = 1; i <= 3; i++)
		queue_push(me, i);
}

static void queue_late_producer(unsigned int me)
{
	queue_push(me, 9);
}

/* Each payload must be the same from the take to the release. */
static void queue_consumer(unsigned int me)
{
	uint64_t seen = 0;

	for (int i = 0; i < 2; i++) {
		uint64_t p = queue_take(&queue, me, &seen), value;

		if (p == QUEUE_NONE)
			continue;
		value = read_two(queue_payload(&queue, p));
		if (value == 0 || value == UINT64_MAX)
			weak.wrong = true;
		read_two_late(queue_payload(&queue, p), value);
		queue_release(&queue, p, me);
	}
	step();
	weak_flush();
}

static void test_queue(void **state)
{
	(void)state;
	run("queue",
	    (struct scenario){ .begin = queue_begin_all,
			       .end = nothing,
			       .programs = { { .run = queue_producer }, { .run = queue_consumer } },
			       .preemptions = 3 },
	    2);
	run("queue, two producers",
	    (struct scenario){ .begin = queue_begin_all,
			       .end = nothing,
			       .programs = { { .run = queue_late_producer },
					     { .run = queue_consumer },
					     { .run = queue_late_producer } },
			       .preemptions = 2 },
	    2);
}

/* AGAIN: a consumer that sees "again" moved, and looks, has seen what moved it. */

static void queue_begin_passed(void)
{
	queue_begin_all();
	queue_claim(&queue, 0);
	queue_pass_head(&queue, 0, queue_load(&queue, 0)); /* the claim of program 0 */
	weak_reset(weak.stale_most);
}

static void queue_passed_producer(unsigned int me)
{
	write_two(queue_payload(&queue, 0), 5);
	queue_commit(&queue, 0, me);
}

static void queue_again_consumer(unsigned int me)
{
	uint64_t seen = 0, again;

	(void)queue_take_again(&queue, me, &seen);
	again = seen;
	/* Noted and not found: nobody will look again. */
	if (again != 0 && queue_phase(queue_slot(&queue, 0)->state) == QUEUE_AGAIN)
		weak.wrong = true;
}

static void test_queue_again(void **state)
{
	(void)state;
	run("queue, a message behind the head",
	    (struct scenario){ .begin = queue_begin_passed,
			       .end = nothing,
			       .programs = { { .run = queue_passed_producer },
					     { .run = queue_again_consumer } },
			       .preemptions = 2 },
	    2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_latest),          cmocka_unit_test(test_stream_lossless),
		cmocka_unit_test(test_stream_newcomer), cmocka_unit_test(test_stream_overwrite),
		cmocka_unit_test(test_queue),           cmocka_unit_test(test_queue_again),
	};

	return cmocka_run_group_tests_name("weak", tests, NULL, NULL);
}
