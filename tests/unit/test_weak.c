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
#include "notify_core.h"
#include "peer_core.h"
#include "queue_core.h"
#include "stream_core_read.h"
#include "stream_core_write.h"
#include "wait_core.h"

/* Payload that may change while it is read: two words, in any order and with any age. */
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

static void expect(bool good)
{
	if (!good)
		weak.wrong = true;
}

static void nothing(void)
{
}

static void explore_weak(const char *what, struct scenario s, unsigned int stale)
{
	weak.stale_most = stale;
	weak.wrong = false;
	s.found = &weak.wrong;
	for (s.count = 0; s.count < PROGRAMS_MAX && s.programs[s.count].run;)
		s.count++;
	s.end = s.end ? s.end : nothing;
	explore(&s);
	print_message("# %s: %lu executions\n", what, explorer.schedules);
}

static void run(const char *what, struct scenario s, unsigned int stale)
{
	explore_weak(what, s, stale);
	assert_false(weak.wrong);
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
		expect(!latest_unchanged(&latest, n) || value == n);
	}
}

static void test_latest(void **state)
{
	(void)state;
	run("latest",
	    (struct scenario){
		    .begin = latest_begin_all,
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
static uint64_t stream_batch;
static bool stream_discards; /* every other batch */
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
		for (uint64_t i = 0; i < stream_batch; i++) {
			uint64_t p = w->end;
			void *payload = stream_loan(&stream, w, 16);

			if (payload && stream.overwrite)
				write_two(payload, p);
			else if (payload)
				weak_plain_write(payload, p);
		}
		if (stream_discards && tries % 2 == 0)
			stream_discard(&stream, w);
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
			expect(stream.overwrite);
			expect(look != STREAM_BROKEN || !stream_intact(&stream, r->next));
			return;
		}
		if (stream.overwrite) {
			value = read_two(found.data);
			if (!stream_found_intact(&stream, r->next, &found))
				return;
			expect(value == r->next);
			r->next++;
			continue;
		}
		expect(weak_plain_read((const uint64_t *)found.data) == r->next);
		r->next++;
		stream_tell_position(r, &stream_peers[me]);
	}
}

static void stream_subscriber(unsigned int me)
{
	struct stream_reader r = { 0 };

	stream_read(&r, me, 3);
}

static void stream_newcomer(unsigned int me)
{
	struct stream_reader r = { .next = stream_start(&stream, true) };

	stream_join(&stream, &r, &stream_peers[me], me);
	stream_skip_to_first(&stream, &r);
	stream_tell_position(&r, &stream_peers[me]);
	stream_read(&r, me, 2);
}

/* Leaves with message @p in its hand. */
static void stream_leave(uint64_t p, unsigned int me)
{
	struct stream_found found;

	if (stream_look(&stream, p, &found) == STREAM_HERE)
		expect(weak_plain_read((const uint64_t *)found.data) == p);
	stream_part(&stream, me);
}

static void stream_leaver(unsigned int me)
{
	stream_leave(0, me);
}

static void stream_guest(unsigned int me)
{
	struct stream_reader r = { .next = stream_start(&stream, true) };

	stream_join(&stream, &r, &stream_peers[me], me);
	stream_skip_to_first(&stream, &r);
	stream_leave(r.next, me);
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
	stream.overwrite = false;
	stream_batch = 1;
	stream.shift = 1;
	stream.mask = 1;
	stream.small_max = stream.large_max = 48;
	stream.ring_bytes = 0;
	stream_before = 0;
	stream_messages = 4;
	run("stream, lossless",
	    (struct scenario){
		    .begin = stream_begin_joined,
		    .programs = { { .run = stream_publisher }, { .run = stream_subscriber } },
		    .preemptions = 3 },
	    2);
	run("stream, lossless, one leaves",
	    (struct scenario){
		    .begin = stream_begin_joined,
		    .programs = { { .run = stream_publisher }, { .run = stream_leaver } },
		    .preemptions = 3 },
	    2);
}

static void test_stream_newcomer(void **state)
{
	(void)state;
	stream.overwrite = false;
	stream_batch = 1;
	stream_before = 3;
	stream_messages = 6;
	stream_run("stream, lossless, a newcomer", 2, false,
		   (struct program){ .run = stream_newcomer }, 2, 3);
	stream_run("stream, lossless, one comes and leaves", 2, false,
		   (struct program){ .run = stream_guest }, 2, 3);
}

static void test_stream_overwrite(void **state)
{
	const struct program subscriber = { .run = stream_subscriber };

	(void)state;
	stream.overwrite = true;
	stream_before = 0;
	stream_messages = 4;
	stream_batch = 1;
	stream_run("stream, overwrite", 1, false, subscriber, 1, 3);
	stream_batch = 2;
	stream_run("stream, overwrite, batches", 2, false, subscriber, 1, 3);
	stream_messages = 6;
	stream_run("stream, overwrite, more batches", 2, false, subscriber, 1, 3);
	stream_batch = 3;
	stream_run("stream, overwrite, longer batches", 2, false, subscriber, 2, 3);
	stream_discards = true;
	stream_run("stream, overwrite, batches taken back", 2, false, subscriber, 2, 3);
	stream_discards = false;
	stream_batch = 1;
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
	weak_plain_write((uint64_t *)queue_payload(&queue, p), value);
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

static void queue_consumer(unsigned int me)
{
	uint64_t seen = 0;

	for (int i = 0; i < 2; i++) {
		uint64_t p = queue_take(&queue, me, &seen);

		if (p == QUEUE_NONE)
			continue;
		expect(weak_plain_read((uint64_t *)queue_payload(&queue, p)) != 0);
		queue_release(&queue, p, me);
	}
}

static void test_queue(void **state)
{
	(void)state;
	run("queue",
	    (struct scenario){ .begin = queue_begin_all,
			       .programs = { { .run = queue_producer }, { .run = queue_consumer } },
			       .preemptions = 3 },
	    2);
	run("queue, two producers",
	    (struct scenario){ .begin = queue_begin_all,
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
	weak_plain_write((uint64_t *)queue_payload(&queue, 0), 5);
	queue_commit(&queue, 0, me);
}

static void queue_again_consumer(unsigned int me)
{
	uint64_t seen = 0, again;

	(void)queue_take_again(&queue, me, &seen);
	again = seen;
	/* Noted and not found: nobody will look again. */
	expect(again == 0 || queue_phase(queue_slot(&queue, 0)->state) != QUEUE_AGAIN);
}

static void test_queue_again(void **state)
{
	(void)state;
	run("queue, a message behind the head",
	    (struct scenario){ .begin = queue_begin_passed,
			       .programs = { { .run = queue_passed_producer },
					     { .run = queue_again_consumer } },
			       .preemptions = 2 },
	    2);
}

/* SLEEP: a sleeper and a waker, and whether the kernel fences for the waker */

static _Atomic uint64_t bell_mask, bell_message;
static _Atomic uint32_t bell_wakes, bell_must;
static struct bell bell = { .mask = &bell_mask };
static enum { BELL_MEMBARRIER, BELL_FENCE, BELL_NEITHER } bell_how;
static bool bell_asleep; /* as the kernel knows it, under its own lock */

static void bell_begin(void)
{
	bell_mask = bell_message = 0;
	bell_wakes = 0;
	bell_must = bell_how == BELL_FENCE;
	bell_asleep = false;
	weak_reset(weak.stale_most);
}

static void bell_sleeper(unsigned int me)
{
	uint32_t seen = (uint32_t)atomic_load_explicit(&bell_wakes, memory_order_relaxed);

	bell_lie_down(bell, UINT64_C(1) << me);
	if (bell_how == BELL_FENCE)
		bell_fence(&bell_must);
	else if (bell_how == BELL_MEMBARRIER)
		weak_membarrier();
	if (atomic_load_explicit(&bell_message, memory_order_acquire) == 0)
		bell_asleep = bell_wakes == seen;
}

static void bell_waker(unsigned int me)
{
	(void)me;
	atomic_store_explicit(&bell_message, 1, memory_order_release);
	if (!bell_has_sleepers(bell, false, &bell_must) || bell_take_sleepers(bell) == 0)
		return;
	atomic_fetch_add_explicit(&bell_wakes, 1, memory_order_relaxed);
	bell_asleep = false;
}

/* Both have done what they do: nobody sleeps while there is a message. */
static void bell_end(void)
{
	expect(!bell_asleep);
}

static void sleep_how(const char *what, int how)
{
	bell_how = how;
	explore_weak(
		what,
		(struct scenario){ .begin = bell_begin,
				   .end = bell_end,
				   .programs = { { .run = bell_waker }, { .run = bell_sleeper } },
				   .preemptions = 4 },
		4);
}

static void test_sleep(void **state)
{
	(void)state;
	sleep_how("sleep, membarrier", BELL_MEMBARRIER);
	assert_false(weak.wrong);
	sleep_how("sleep, all fence", BELL_FENCE);
	assert_false(weak.wrong);
	sleep_how("sleep, no fence: a sleeper is lost", BELL_NEITHER);
	assert_true(weak.wrong);
}

/* SEAT: one comes and leaves, another looks at the place */

static struct peer_shared seat;
static uint64_t seat_work; /* in the channel, until the place is left */

static void seat_begin(void)
{
	memset(&seat, 0, sizeof(seat));
	seat_work = 0;
	weak_reset(weak.stale_most);
}

static void seat_owner(unsigned int me)
{
	(void)me;
	weak_plain_write(&seat.identity[0], 1);
	peer_show(&seat, 1);
	weak_plain_write(&seat_work, 1);
	peer_clear(&seat);
}

static void seat_visitor(unsigned int me)
{
	bool was_here = false;

	(void)me;
	for (int i = 0; i < 2; i++) {
		if (peer_role(&seat) != 0)
			was_here = weak_plain_read(&seat.identity[0]) == 1;
		else if (was_here)
			expect(weak_plain_read(&seat_work) == 1);
	}
}

static void test_seat(void **state)
{
	(void)state;
	run("seat",
	    (struct scenario){ .begin = seat_begin,
			       .programs = { { .run = seat_owner }, { .run = seat_visitor } },
			       .preemptions = 4 },
	    4);
}

/* ORDER: a program that arms its thread twice */

static struct notify_board board;
static int board_looks;

static void board_begin(void)
{
	memset(&board, 0, sizeof(board));
	board_looks = 0;
	weak_reset(weak.stale_most);
}

static void board_program(unsigned int me)
{
	(void)me;
	notify_set_from(&board, 1);
	notify_set_orders(&board, NOTIFY_WATCH);
	while (atomic_load_explicit(&board.orders, memory_order_relaxed) != NOTIFY_REST)
		if (++board_looks > 3)
			return;
	notify_set_from(&board, 2);
	notify_set_orders(&board, NOTIFY_WATCH);
}

static void board_thread(unsigned int me)
{
	uint64_t watches = 0;

	(void)me;
	for (int i = 0; i < 3; i++) {
		if (notify_get_orders(&board) != NOTIFY_WATCH)
			continue;
		watches++;
		expect(notify_get_from(&board) == watches);
		notify_rest(&board);
	}
}

static void test_order(void **state)
{
	(void)state;
	run("order",
	    (struct scenario){ .begin = board_begin,
			       .programs = { { .run = board_program }, { .run = board_thread } },
			       .preemptions = 4 },
	    4);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_latest),          cmocka_unit_test(test_stream_lossless),
		cmocka_unit_test(test_stream_newcomer), cmocka_unit_test(test_stream_overwrite),
		cmocka_unit_test(test_queue),           cmocka_unit_test(test_queue_again),
		cmocka_unit_test(test_sleep),           cmocka_unit_test(test_seat),
		cmocka_unit_test(test_order),
	};

	return cmocka_run_group_tests_name("weak", tests, NULL, NULL);
}
