/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_stream_peers.c - streams whose peers are killed, stopped, or threads.
 */
#define _GNU_SOURCE
#include "stream_scene.h"

#include <pthread.h>

#include "copy.h"

/* Publishes until it is killed: single messages, and batches in between. */
static void hot_publisher(const struct actor *self, void *arg)
{
	struct coshm_stream *p;

	(void)arg;
	child_check(coshm_stream_open(NAME, COSHM_PUBLISHER, NULL, &p) == 0);
	child_check(write(self->to, "p", 1) == 1);
	for (uint64_t i = 0;; i++) {
		int loans = (int)(i % 5);

		child_check(publish(p, -1) == 0);
		for (int k = 0; k < loans; k++) {
			uint64_t number = p->writer.end;
			void *loan;

			child_check(coshm_stream_loan(p, bytes_of(number), -1, &loan) == 0);
			fill(loan, number);
		}
		child_check(coshm_stream_publish_loans(p) == 0);
	}
}

/*
 * Publishers are killed at it, one after the other.  Lossless: every number
 * once.  Overwrite: every number once or counted as lost.
 */
static void publishers_killed(bool may_lose)
{
	struct coshm_stream *s = open_with(COSHM_SUBSCRIBER, 0);
	static uint64_t data[LARGE_BYTES / 8];
	uint64_t next = 0, lost = 0, received = 0;

	for (int kills = 0; kills < 200; kills++) {
		struct actor a = actor_start(hot_publisher, NULL);
		int after = kills * 7 % 50;
		bool dead = false;

		assert_int_equal(actor_hear(&a), 'p');
		for (;;) {
			struct coshm_message m;
			int rc = coshm_stream_receive(s, data, sizeof(data), dead ? 0 : -1, &m);

			if (dead && rc == -EAGAIN)
				break;
			assert_true(rc == 0 || rc == -EAGAIN || (dead && rc == -EOWNERDEAD));
			if (rc != 0)
				continue;
			assert_true(is_message(&m));
			assert_int_equal(m.number, next + m.lost);
			lost += m.lost;
			received++;
			next = m.number + 1;
			if (!dead && after-- == 0) {
				actor_kill(&a);
				dead = true;
			}
		}
	}
	if (!may_lose)
		assert_int_equal(lost, 0);
	assert_int_equal(received + lost, next);
	assert_true(received > 200);
	coshm_stream_close(s);
}

static void test_publishers_killed_lossless(void **state)
{
	(void)state;
	publishers_killed(false);
}

static void test_publishers_killed_overwrite(void **state)
{
	(void)state;
	publishers_killed(true);
}

/* Killed with loans out, and words of later loans in place: nothing of it was ever there. */
static void loaner(const struct actor *self, void *arg)
{
	int loans = *(int *)arg;
	struct coshm_stream *p;
	void *loan;

	child_check(coshm_stream_open(NAME, COSHM_PUBLISHER, NULL, &p) == 0);
	for (int i = 0; i < 5; i++)
		child_check(publish(p, 0) == 0);
	for (int i = 0; i < loans; i++) {
		child_check(coshm_stream_loan(p, i % 2 ? 40 : 2000, 0, &loan) == 0);
		memset(loan, 0xee, i % 2 ? 40 : 2000);
	}
	child_check(write(self->to, "l", 1) == 1);
	pause();
}

static void killed_with_loans(int loans)
{
	struct coshm_stream *s = open_with(COSHM_SUBSCRIBER, 0), *late, *p;
	struct actor a = actor_start(loaner, &loans);
	struct coshm_message m;

	assert_int_equal(actor_hear(&a), 'l');
	actor_kill(&a);
	for (uint64_t i = s->ring.overwrite ? 3 : 0; i < 5; i++)
		assert_int_equal(receive(s).number, i);
	assert_err(coshm_stream_receive(s, NULL, 0, -1, &m), EOWNERDEAD, "has died");
	assert_nothing(s);
	assert_int_equal(coshm_stream_receive(s, NULL, 0, 1000, &m), -ETIMEDOUT); /* told once */
	late = open_with(COSHM_SUBSCRIBER, COSHM_OPEN_OLDEST);
	p = open_with(COSHM_PUBLISHER, 0);
	assert_int_equal(p->writer.next, 5);
	assert_nothing(s);
	for (uint64_t i = late->reader.next; i < 5; i++)
		assert_int_equal(receive(late).number, i);
	for (uint64_t i = 5; i < 50; i++) {
		assert_ok(publish(p, 0));
		assert_int_equal(receive(s).number, i);
		assert_int_equal(receive(late).number, i);
		assert_nothing(s);
	}
	coshm_stream_close(p);
	coshm_stream_close(s);
	coshm_stream_close(late);
}

static void test_killed_with_loans_lossless(void **state)
{
	(void)state;
	killed_with_loans(SLOTS - 5);
}

/* Two of its loans lie where messages 0 and 1 were, which makes 2 doubtful. */
static void test_killed_with_loans_overwrite(void **state)
{
	(void)state;
	killed_with_loans(SLOTS - 3);
}

static void subscriber(const struct actor *self, void *arg)
{
	struct coshm_stream *s = NULL;
	struct coshm_open_opts o = { .size = sizeof(o), .wait = COSHM_WAIT_BLOCK };
	static uint64_t data[LARGE_BYTES / 8];
	uint64_t next = 0;

	child_check(coshm_stream_open(NAME, COSHM_SUBSCRIBER, &o, &s) == 0);
	child_check(write(self->to, "s", 1) == 1);
	for (uint64_t i = 0; !arg || i < *(uint64_t *)arg; i++) {
		struct coshm_message m;

		child_check(coshm_stream_receive(s, data, sizeof(data), 10 * SECOND, &m) == 0);
		child_check(is_message(&m) && m.lost == 0);
		child_check(i == 0 || m.number == next);
		next = m.number + 1;
	}
	coshm_stream_close(s);
}

/* A dead subscriber is found out and forgotten; the publisher goes on by itself. */
static void test_subscribers_killed(void **state)
{
	struct coshm_stream *p = open_with(COSHM_PUBLISHER, 0), *s = open_with(COSHM_SUBSCRIBER, 0);

	(void)state;
	for (int kills = 0; kills < 50; kills++) {
		struct actor a = actor_start(subscriber, NULL);

		assert_int_equal(actor_hear(&a), 's');
		assert_ok(coshm_stream_wait_subscribers(p, 2, -1));
		for (int i = 0; i < kills; i++) {
			assert_ok(publish(p, -1));
			receive(s);
		}
		actor_kill(&a);
		for (int i = 0; i < 3 * SLOTS; i++) {
			assert_ok(publish(p, -1));
			receive(s);
		}
	}
	assert_int_equal(p->region.shared->counters.evicted, 50);
	coshm_stream_close(p);
	coshm_stream_close(s);
}

/* A stopped one is waited for, by name, and misses nothing. */
static void test_subscriber_stopped(void **state)
{
	struct coshm_stream *p = open_with(COSHM_PUBLISHER, 0);
	uint64_t count = 200;
	struct actor a = actor_start(subscriber, &count);
	char who[64];
	uint64_t published = 0;

	(void)state;
	snprintf(who, sizeof(who), "pid %d (test_stream_pee) in", (int)a.pid);
	assert_int_equal(actor_hear(&a), 's');
	for (uint64_t round = 1; round <= 10; round++) {
		actor_stop(&a);
		while (publish(p, 1000000) == 0)
			published++;
		assert_err(publish(p, 1000000), ETIMEDOUT, "is alive");
		assert_non_null(strstr(coshm_errmsg(), "has not moved"));
		assert_non_null(strstr(coshm_errmsg(), who));
		assert_err(publish(p, 0), EAGAIN, "is alive");
		kill(a.pid, SIGCONT);
		for (; published < round * count / 10; published++)
			assert_ok(publish(p, -1));
	}
	assert_ok(coshm_stream_drain(p, 10 * SECOND));
	assert_int_equal(actor_end(&a), 0);
	assert_int_equal(p->region.shared->counters.evicted, 0);
	coshm_stream_close(p);
}

/* It was not time to look after the dead, so the one who was in the way is only found then. */
static void test_subscriber_just_died(void **state)
{
	struct coshm_stream *p = open_with(COSHM_PUBLISHER, 0);
	struct actor a = actor_start(subscriber, NULL);

	(void)state;
	assert_int_equal(actor_hear(&a), 's');
	actor_stop(&a);
	while (publish(p, 1000000) == 0)
		;
	actor_kill(&a);
	p->region.looked_ns = wait_now_ns() + SECOND;
	assert_err(publish(p, 0), EAGAIN, "has died: try again");
	assert_ok(publish(p, 0));
	coshm_stream_close(p);
}

/* Publisher and subscriber wake each other: neither polls. */
static void test_both_sleep(void **state)
{
	struct coshm_stream *p = open_with(COSHM_PUBLISHER, 0);
	uint64_t count = 20000;
	struct actor a = actor_start(subscriber, &count), b = actor_start(subscriber, &count);

	(void)state;
	assert_ok(coshm_stream_wait_subscribers(p, 2, -1));
	assert_int_equal(actor_hear(&a), 's');
	assert_int_equal(actor_hear(&b), 's');
	for (uint64_t i = 0; i < count; i++)
		assert_ok(publish(p, -1));
	assert_ok(coshm_stream_drain(p, -1));
	assert_int_equal(actor_end(&a), 0);
	assert_int_equal(actor_end(&b), 0);
	coshm_stream_close(p);
}

/* Newcomers at any moment of a hot publisher: from their first message on nothing is missing. */
static void test_joining_a_hot_publisher(void **state)
{
	struct actor a = actor_start(hot_publisher, NULL);

	(void)state;
	assert_int_equal(actor_hear(&a), 'p');
	for (int i = 0; i < 300; i++) {
		struct coshm_stream *s = open_with(COSHM_SUBSCRIBER, i % 2 ? COSHM_OPEN_OLDEST : 0);
		uint64_t next = receive(s).number + 1;

		for (int k = 0; k < 20; k++, next++) {
			struct coshm_message m = receive(s);

			assert_int_equal(m.lost, 0);
			assert_int_equal(m.number, next);
		}
		coshm_stream_close(s);
	}
	actor_kill(&a);
}

/* Threads on one mapping, which ThreadSanitizer can see: the core alone, without handles. */
struct core {
	struct stream_ring ring;
	struct stream_control_shared control;
	struct peer_shared peers[2];
	uint64_t count;
	atomic_int bad;
	atomic_ullong lost;
};

static void *core_reader(void *arg)
{
	struct core *core = arg;
	struct stream_reader r = { .next = 0 };
	uint64_t data[512];

	while (r.next < core->count) {
		struct stream_found found;
		enum stream_look look = stream_look(&core->ring, r.next, &found);
		struct coshm_message m;

		if (look == STREAM_EMPTY) {
			sched_yield();
			continue;
		}
		if (look != STREAM_HERE) {
			stream_skip(&core->ring, &r, 0);
			continue;
		}
		/* Lossless: plain memory, so that a missing edge is a race that shows. */
		if (core->ring.overwrite)
			copy_out(data, found.data, (size_t)found.bytes);
		else
			memcpy(data, found.data, (size_t)found.bytes);
		if (core->ring.overwrite && !stream_found_intact(&core->ring, r.next, &found)) {
			stream_skip(&core->ring, &r, 1);
			continue;
		}
		m = (struct coshm_message){ .data = data,
					    .bytes = (size_t)found.bytes,
					    .number = r.next };
		if (!is_message(&m))
			atomic_fetch_add(&core->bad, 1);
		r.next++;
		stream_tell_position(&r, &core->peers[0]);
	}
	atomic_fetch_add(&core->lost, r.lost);
	return NULL;
}

static void core_publish(struct core *core, struct stream_writer *w, uint64_t data[])
{
	uint64_t loans = 1 + w->next % 4;

	for (uint64_t i = 0; i < loans && w->next + i < core->count; i++) {
		uint64_t number = w->end;
		void *payload;

		while (!(payload = stream_loan(&core->ring, w, bytes_of(number))))
			sched_yield();
		if (core->ring.overwrite) {
			fill(data, number);
			copy_in(payload, data, bytes_of(number));
		} else {
			fill(payload, number);
		}
	}
	stream_publish(&core->ring, w);
}

static void on_one_mapping(bool overwrites, uint64_t count)
{
	static _Alignas(64) unsigned char slots[SLOTS * 64], bytes[3 * 16384];
	static uint64_t data[LARGE_BYTES / 8];
	static struct core core;
	struct stream_writer w;
	pthread_t thread;

	memset(&core, 0, sizeof(core));
	memset(slots, 0, sizeof(slots));
	/* Not mapped twice here: large messages may reach into the room behind. */
	core = (struct core){ .ring = { .control = &core.control,
					.peers = core.peers,
					.slots = slots,
					.bytes = bytes,
					.mask = SLOTS - 1,
					.shift = 3,
					.lap_shift = 16,
					.slot_bytes = 64,
					.payload = 16,
					.small_max = 48,
					.ring_bytes = 16384,
					.large_max = 8192,
					.overwrite = overwrites },
			      .count = count };
	core.control.subscribers = 1;
	stream_resume(&core.ring, &w);
	assert_int_equal(pthread_create(&thread, NULL, core_reader, &core), 0);
	while (w.next < count)
		core_publish(&core, &w, data);
	pthread_join(thread, NULL);
	assert_int_equal(core.bad, 0);
	if (!overwrites)
		assert_int_equal(core.lost, 0);
}

static void test_threads_on_one_mapping(void **state)
{
	(void)state;
	on_one_mapping(false, 100000);
	on_one_mapping(true, 300000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_publishers_killed_lossless, lossless,
						teardown),
		cmocka_unit_test_setup_teardown(test_publishers_killed_overwrite, overwrite,
						teardown),
		cmocka_unit_test_setup_teardown(test_killed_with_loans_lossless, lossless,
						teardown),
		cmocka_unit_test_setup_teardown(test_killed_with_loans_overwrite, overwrite,
						teardown),
		cmocka_unit_test_setup_teardown(test_subscribers_killed, lossless, teardown),
		cmocka_unit_test_setup_teardown(test_subscriber_stopped, lossless, teardown),
		cmocka_unit_test_setup_teardown(test_subscriber_just_died, lossless, teardown),
		cmocka_unit_test_setup_teardown(test_both_sleep, lossless, teardown),
		cmocka_unit_test_setup_teardown(test_joining_a_hot_publisher, lossless, teardown),
		cmocka_unit_test(test_threads_on_one_mapping),
	};

	return scene_run("stream_peers", tests);
}
