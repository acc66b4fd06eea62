/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_stream.c - every message, in order and whole, or counted as lost.
 */
#define _GNU_SOURCE
#include "stream_scene.h"

static void test_in_order(void **state)
{
	struct coshm_stream *p = open_with(COSHM_PUBLISHER, 0), *a = open_with(COSHM_SUBSCRIBER, 0);
	struct coshm_stream *b = open_with(COSHM_SUBSCRIBER, 0);

	(void)state;
	assert_nothing(a);
	for (uint64_t i = 0; i < 1000; i++) {
		struct coshm_message m;

		assert_ok(publish(p, 0));
		m = receive(a);
		assert_int_equal(m.number, i);
		assert_int_equal(m.lost, 0);
		assert_int_equal(receive(b).number, i);
	}
	assert_nothing(a);
	coshm_stream_close(p);
	coshm_stream_close(a);
	coshm_stream_close(b);
	coshm_stream_close(NULL);
}

static void test_arguments(void **state)
{
	struct coshm_stream *p = open_with(COSHM_PUBLISHER, 0), *s = open_with(COSHM_SUBSCRIBER, 0);
	struct coshm_stream_shape odd = shape(2);
	struct coshm_message m;
	struct coshm_stream *o;
	char data[64];
	void *loan;

	(void)state;
	assert_true(coshm_stream_message_bytes(p) >= LARGE_BYTES);
	assert_err(coshm_stream_publish(p, NULL, coshm_stream_message_bytes(p) + 1, 0), EMSGSIZE,
		   "takes up to 8192");
	assert_err(coshm_stream_publish(s, NULL, 0, 0), EPERM, "the publisher's");
	assert_err(coshm_stream_loan(s, 0, 0, &loan), EPERM, "the publisher's");
	assert_err(coshm_stream_receive(p, data, 64, 0, &m), EPERM, "a subscriber's");
	assert_err(coshm_stream_peek(s, &m, 0, 0), EINVAL, "nothing");
	assert_err(coshm_stream_release(s, 1), EINVAL, "0 were looked at");
	assert_err(coshm_stream_open(NAME, COSHM_OBSERVER, NULL, &o), EPERM, "lossless");
	assert_err(coshm_stream_open(NAME, COSHM_PRODUCER, NULL, &o), EINVAL, "publisher");
	assert_err(coshm_stream_create("odd", &odd, NULL), EINVAL, "shape");
	odd = shape(0);
	odd.ring_bytes = 4096;
	assert_err(coshm_stream_create("odd", &odd, NULL), EINVAL, "twice as large");
	assert_ok(coshm_stream_publish(p, "0123456789", 10, 0));
	assert_err(coshm_stream_receive(s, data, 9, 0, &m), EMSGSIZE, "room for 9");
	assert_ok(coshm_stream_receive(s, data, 10, 0, &m)); /* it stayed the next one */
	coshm_stream_close(p);
	coshm_stream_close(s);
}

static void test_lossless_waits(void **state)
{
	struct coshm_stream *p = open_with(COSHM_PUBLISHER, 0), *s = open_with(COSHM_SUBSCRIBER, 0);

	(void)state;
	for (int i = 0; i < SLOTS; i++)
		assert_ok(publish(p, 0));
	assert_err(publish(p, 0), EAGAIN, "is alive and has not moved");
	assert_err(publish(p, 1000000), ETIMEDOUT, "stopped, paused or busy");
	for (uint64_t i = 0; i < SLOTS; i++)
		assert_int_equal(receive(s).number, i);
	assert_ok(publish(p, 0));
	assert_int_equal(receive(s).number, SLOTS);
	coshm_stream_close(s); /* nobody is left to wait for */
	for (int i = 0; i < 5 * SLOTS; i++)
		assert_ok(publish(p, 0));
	coshm_stream_close(p);
}

/* Large messages fill their own ring: the publisher waits for bytes as for slots. */
static void test_lossless_waits_for_bytes(void **state)
{
	struct coshm_stream *p = open_with(COSHM_PUBLISHER, 0), *s = open_with(COSHM_SUBSCRIBER, 0);
	static unsigned char data[8192];
	struct coshm_message m;

	(void)state;
	for (int round = 0; round < 50; round++) {
		memset(data, round, sizeof(data));
		assert_ok(coshm_stream_publish(p, data, 8192, 0));
		assert_ok(coshm_stream_publish(p, data, 40, 0));
		assert_ok(coshm_stream_publish(p, data, 8192, 0));
		assert_int_equal(coshm_stream_publish(p, data, 4096, 0), -EAGAIN);
		assert_ok(coshm_stream_publish(p, data, 40, 0)); /* a slot is all it needs */
		for (int i = 0; i < 4; i++) {
			assert_int_equal(coshm_stream_peek(s, &m, 1, 0), 1);
			assert_int_equal(m.bytes, i % 2 ? 40 : 8192);
			assert_memory_equal(m.data, data, m.bytes);
			assert_ok(coshm_stream_release(s, 1));
		}
	}
	coshm_stream_close(p);
	coshm_stream_close(s);
}

static void loan_one(struct coshm_stream *p)
{
	uint64_t number = p->writer.end;
	void *loan;

	assert_ok(coshm_stream_loan(p, bytes_of(number), 0, &loan));
	assert_int_equal((uintptr_t)loan % 16, 0);
	fill(loan, number);
}

static void test_batches(void **state)
{
	struct coshm_stream *p = open_with(COSHM_PUBLISHER, 0), *s = open_with(COSHM_SUBSCRIBER, 0);
	struct coshm_stream *late;
	uint64_t number = 0;
	void *loan;

	(void)state;
	for (int round = 0; round < 100; round++) {
		int count = 1 + round % (SLOTS - 1);

		for (int i = 0; i < count; i++) {
			loan_one(p);
			assert_nothing(s);
		}
		late = open_with(COSHM_SUBSCRIBER, round % 2 ? COSHM_OPEN_OLDEST : 0);
		if (round % 5 == 0)
			assert_ok(coshm_stream_discard_loans(p));
		else
			assert_ok(coshm_stream_publish_loans(p));
		for (int i = 0; round % 5 != 0 && i < count; i++, number++) {
			assert_int_equal(receive(s).number, number);
			if (round % 2 == 0)
				assert_int_equal(receive(late).number, number);
		}
		assert_nothing(s);
		coshm_stream_close(late);
	}
	for (int i = 0; i < SLOTS - 1; i++)
		assert_ok(coshm_stream_loan(p, 8, 0, &loan));
	assert_err(coshm_stream_loan(p, 8, 0, &loan), ENOBUFS, "7 messages are loaned");
	assert_ok(coshm_stream_discard_loans(p));
	assert_ok(coshm_stream_loan(p, 8192, 0, &loan));
	assert_err(coshm_stream_loan(p, 8192, 0, &loan), ENOBUFS, "publish them first");
	assert_ok(coshm_stream_loan(p, 8, 0, &loan));
	coshm_stream_close(p);
	assert_nothing(s);
	coshm_stream_close(s);
}

/*
 * The longest batch, behind messages that were not noted yet, and killed right
 * after its one store: together more than a lap that the next one has to find.
 */
static void test_killed_after_a_long_batch(void **state)
{
	struct coshm_stream *p = open_with(COSHM_PUBLISHER, 0), *s = open_with(COSHM_SUBSCRIBER, 0);
	struct stream_writer *w = &p->writer;

	(void)state;
	for (uint64_t i = 0; i < 3; i++) {
		assert_ok(coshm_stream_publish(p, &i, 0, 0));
		assert_ok(coshm_stream_receive(s, NULL, 0, 0, &(struct coshm_message){ 0 }));
	}
	assert_int_equal(w->noted, 0);
	for (int i = 0; i < SLOTS - 1; i++)
		assert_ok(coshm_stream_loan(p, 8, 0, &(void *){ NULL }));
	stream_slot(&p->ring, w->next)->word = w->first_word;
	stream_resume(&p->ring, w);
	assert_int_equal(w->next, 3 + SLOTS - 1);
	coshm_stream_close(p);
	coshm_stream_close(s);
}

static void test_peek_many(void **state)
{
	struct coshm_stream *p = open_with(COSHM_PUBLISHER, 0), *s = open_with(COSHM_SUBSCRIBER, 0);
	struct coshm_message m[16];

	(void)state;
	for (uint64_t number = 0; number < 600; number += 6) {
		for (int i = 0; i < 6; i++)
			assert_ok(publish(p, 0));
		assert_int_equal(coshm_stream_peek(s, m, 4, 0), 4);
		for (uint64_t i = 0; i < 4; i++) {
			assert_int_equal(m[i].number, number + i);
			assert_true(is_message(&m[i]));
		}
		assert_ok(coshm_stream_release(s, 3));
		assert_int_equal(coshm_stream_peek(s, m, 16, 0), 3);
		assert_int_equal(m[0].number, number + 3);
		assert_ok(coshm_stream_release(s, 3));
	}
	coshm_stream_close(p);
	coshm_stream_close(s);
}

static void test_overwrite_counts_what_is_lost(void **state)
{
	struct coshm_stream *p = open_with(COSHM_PUBLISHER, 0), *s = open_with(COSHM_SUBSCRIBER, 0);
	struct coshm_stream *o = open_with(COSHM_OBSERVER, 0);
	struct coshm_message m;
	uint64_t expected = 0;

	(void)state;
	for (int burst = 0; burst < 40; burst++) {
		for (int i = 0; i < burst; i++)
			assert_ok(publish(p, 0));
		for (uint64_t end = expected + burst; expected < end; expected = m.number + 1) {
			m = receive(s);
			assert_int_equal(m.number, expected + m.lost);
			if (burst < SLOTS - 1 && burst % 3 == 0)
				assert_int_equal(m.lost, 0);
			assert_int_equal(receive(o).number, m.number);
		}
		assert_nothing(s);
		assert_nothing(o);
	}
	assert_int_equal(coshm_stream_drain(p, 0), -EPERM);
	coshm_stream_close(p);
	coshm_stream_close(s);
	coshm_stream_close(o);
}

/* The oldest that is still whole, with small messages: all slots but one. */
static void test_overwrite_goes_on_with_the_oldest(void **state)
{
	struct coshm_stream *p = open_with(COSHM_PUBLISHER, 0), *s = open_with(COSHM_SUBSCRIBER, 0);
	struct coshm_message m;
	char data[8];

	(void)state;
	for (int i = 0; i < 100; i++)
		assert_ok(coshm_stream_publish(p, "x", 1, 0));
	assert_ok(coshm_stream_receive(s, data, 8, 0, &m));
	assert_int_equal(m.lost, 100 - (SLOTS - 1));
	assert_int_equal(m.number, 100 - (SLOTS - 1));
	coshm_stream_close(s);
	s = open_with(COSHM_SUBSCRIBER, COSHM_OPEN_OLDEST);
	assert_ok(coshm_stream_receive(s, data, 8, 0, &m));
	assert_int_equal(m.lost, 0); /* a newcomer has lost nothing */
	assert_int_equal(m.number, 100 - (SLOTS - 1));
	coshm_stream_close(p);
	coshm_stream_close(s);
}

static void test_overwritten_while_looked_at(void **state)
{
	struct coshm_stream *p = open_with(COSHM_PUBLISHER, 0), *s = open_with(COSHM_SUBSCRIBER, 0);
	struct coshm_message m[2];
	void *loan;

	(void)state;
	for (int i = 0; i < 2; i++)
		assert_ok(coshm_stream_publish(p, "x", 1, 0));
	assert_int_equal(coshm_stream_peek(s, m, 2, 0), 2);
	for (int i = 2; i < SLOTS; i++)
		assert_ok(coshm_stream_publish(p, "x", 1, 0));
	assert_err(coshm_stream_release(s, 1), EAGAIN, "overwritten");
	assert_int_equal(coshm_stream_peek(s, m, 1, 0), 1);
	assert_int_equal(m[0].number, 1);
	assert_int_equal(m[0].lost, 1);
	/* Loans reach further than what is published: they show as well. */
	assert_ok(coshm_stream_loan(p, 1, 0, &loan));
	assert_ok(coshm_stream_loan(p, 1, 0, &loan));
	assert_err(coshm_stream_release(s, 1), EAGAIN, "overwritten");
	coshm_stream_close(p);
	coshm_stream_close(s);
}

/* Loans that are discarded have destroyed what they lay over, and no word is left that tells. */
static void test_discarded_while_looked_at(void **state)
{
	struct coshm_stream *p = open_with(COSHM_PUBLISHER, 0), *s = open_with(COSHM_SUBSCRIBER, 0);
	struct coshm_message m;
	void *loan;
	char data[8];

	(void)state;
	for (int i = 0; i < SLOTS - 1; i++)
		assert_ok(coshm_stream_publish(p, "x", 1, 0));
	assert_ok(coshm_stream_receive(s, data, 8, 0, &m));
	assert_int_equal(coshm_stream_peek(s, &m, 1, 0), 1);
	assert_int_equal(m.number, 1);
	for (int i = 0; i < 3; i++) { /* the third one lies over it */
		assert_ok(coshm_stream_loan(p, 1, 0, &loan));
		memset(loan, 'y', 1);
	}
	assert_ok(coshm_stream_discard_loans(p));
	assert_err(coshm_stream_release(s, 1), EAGAIN, "overwritten");
	coshm_stream_close(p);
	coshm_stream_close(s);
}

/* The later messages of a batch have their words before they are published. */
static void test_never_skips_into_a_batch(void **state)
{
	struct coshm_stream *p = open_with(COSHM_PUBLISHER, 0), *s = open_with(COSHM_SUBSCRIBER, 0);
	void *loan;

	(void)state;
	for (int i = 0; i < 3 * SLOTS; i++)
		assert_ok(coshm_stream_publish(p, "x", 1, 0));
	for (int i = 0; i < 3; i++)
		assert_ok(coshm_stream_loan(p, 1, 0, &loan));
	for (unsigned int margin = 0; margin <= SLOTS; margin++) {
		struct stream_reader lapped = s->reader;

		stream_skip(&s->ring, &lapped, margin);
		assert_in_range(lapped.next, 1, p->writer.next);
	}
	coshm_stream_close(p);
	coshm_stream_close(s);
}

static void test_oldest_and_newest(void **state)
{
	struct coshm_stream *p = open_with(COSHM_PUBLISHER, 0), *s;

	(void)state;
	s = open_with(COSHM_SUBSCRIBER, COSHM_OPEN_OLDEST);
	assert_int_equal(s->reader.next, 0); /* nothing there at all */
	coshm_stream_close(s);
	for (uint64_t i = 1; i < 40; i++) {
		uint64_t first;

		assert_ok(publish(p, 0));
		s = open_with(COSHM_SUBSCRIBER, COSHM_OPEN_OLDEST);
		first = receive(s).number;
		assert_true(i < SLOTS ? first == 0 : first <= i - SLOTS / 2 && first >= i - SLOTS);
		while (++first < i)
			assert_int_equal(receive(s).number, first);
		assert_nothing(s);
		coshm_stream_close(s);
		s = open_with(COSHM_SUBSCRIBER, 0);
		assert_nothing(s);
		coshm_stream_close(s);
	}
	coshm_stream_close(p);
}

/* As if the channel had lived that long: every slot holds its message of the lap before. */
static void preset(struct coshm_stream *ch, uint64_t position)
{
	for (uint64_t p = position - SLOTS; p != position; p++) {
		*(uint64_t *)(void *)stream_payload(&ch->ring, p) = p;
		stream_slot(&ch->ring, p)->word = stream_word(&ch->ring, p, 8 + 1);
	}
	ch->ring.control->published = position;
	ch->ring.control->limit = position;
	ch->ring.control->claimed = (position - 100) & ~63ull;
}

static void wrap_at(uint32_t policy, uint64_t position)
{
	struct coshm_stream *p, *s;
	struct coshm_message m;
	uint64_t data[8] = { 0 };

	assert_int_equal(setup_policy(policy), 0);
	p = open_with(COSHM_PUBLISHER, 0);
	preset(p, position);
	coshm_stream_close(p);
	preset(p = open_with(COSHM_PUBLISHER, 0), position); /* closing has noted the old one */
	stream_resume(&p->ring, &p->writer);
	assert_int_equal(p->writer.next, position);
	s = open_with(COSHM_SUBSCRIBER, 0);
	for (uint64_t i = 0; i < 5 * SLOTS; i++) {
		data[0] = position + i;
		assert_ok(coshm_stream_publish(p, data, i % 3 ? 8 : 64, 0));
		if (i % 11 == 10) {
			coshm_stream_close(p);
			p = open_with(COSHM_PUBLISHER, 0);
			assert_true(p->writer.next == position + i + 1);
		}
		assert_ok(coshm_stream_receive(s, data, sizeof(data), 0, &m));
		assert_true(m.number == position + i);
		assert_true(data[0] == position + i);
		assert_int_equal(m.lost, 0);
	}
	assert_nothing(s);
	for (int i = 0; policy == COSHM_STREAM_OVERWRITE && i < 20; i++)
		assert_ok(coshm_stream_publish(p, data, 8, 0));
	if (policy == COSHM_STREAM_OVERWRITE) {
		assert_ok(coshm_stream_receive(s, data, sizeof(data), 0, &m));
		assert_int_equal(m.lost, 20 - (SLOTS - 1));
	}
	coshm_stream_close(p);
	coshm_stream_close(s);
	assert_ok(coshm_remove(NULL, NAME));
}

static void test_positions_wrap(void **state)
{
	(void)state;
	for (uint32_t policy = 0; policy <= 1; policy++) {
		for (uint64_t before = 0; before < 3 * SLOTS; before++) {
			wrap_at(policy, (UINT64_C(1) << 32) - before);
			wrap_at(policy, (UINT64_C(1) << 51) - before); /* laps go round */
			wrap_at(policy, UINT64_MAX - before);
		}
	}
}

static void test_smallest_ring(void **state)
{
	struct coshm_stream_shape s = { .size = sizeof(s), .slots = 1, .small_bytes = 8 };
	struct coshm_stream *p, *a;

	(void)state;
	for (s.policy = 0; s.policy <= 1; s.policy++) {
		assert_ok(coshm_stream_create(NAME, &s, NULL));
		p = open_with(COSHM_PUBLISHER, 0);
		a = open_with(COSHM_SUBSCRIBER, 0);
		for (uint64_t i = 0; i < 100; i++) {
			struct coshm_message m;
			uint64_t out;

			assert_ok(coshm_stream_publish(p, &i, 8, 0));
			assert_ok(coshm_stream_receive(a, &out, 8, 0, &m));
			assert_int_equal(out, i);
			assert_int_equal(m.number, i);
		}
		coshm_stream_close(p);
		coshm_stream_close(a);
		assert_ok(coshm_remove(NULL, NAME));
	}
}

static void test_sleeping_until_subscribed(void **state)
{
	struct coshm_stream *p = open_with(COSHM_PUBLISHER, 0), *s;

	(void)state;
	assert_int_equal(coshm_stream_wait_subscribers(p, 1, 1000000), -ETIMEDOUT);
	s = open_with(COSHM_SUBSCRIBER, 0);
	assert_ok(coshm_stream_wait_subscribers(p, 1, 0));
	assert_ok(coshm_stream_drain(p, 0));
	assert_ok(publish(p, 0));
	assert_err(coshm_stream_drain(p, 1000000), ETIMEDOUT, "has not moved");
	receive(s);
	assert_ok(coshm_stream_drain(p, -1));
	coshm_stream_close(s);
	coshm_stream_close(p);
}

static void test_told_in_a_forked_child(void **state)
{
	struct coshm_stream *p = open_with(COSHM_PUBLISHER, 0), *s = open_with(COSHM_SUBSCRIBER, 0);
	int status;
	pid_t pid;

	(void)state;
	fflush(NULL);
	pid = fork();
	if (pid == 0) {
		struct coshm_message m;

		child_check(publish(p, 0) == -ECHILD);
		child_check(coshm_stream_receive(s, NULL, 0, 0, &m) == -ECHILD);
		coshm_stream_close(p);
		coshm_stream_close(s);
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	assert_ok(publish(p, 0));
	receive(s);
	coshm_stream_close(p);
	coshm_stream_close(s);
}

static void test_retired(void **state)
{
	struct coshm_stream *p = open_with(COSHM_PUBLISHER, 0), *s = open_with(COSHM_SUBSCRIBER, 0);
	struct coshm_message m;

	assert_ok(coshm_retire(NULL, NAME));
	assert_err(publish(p, -1), ESTALE, "open it anew");
	assert_err(coshm_stream_receive(s, NULL, 0, -1, &m), ESTALE, "open it anew");
	coshm_stream_close(p);
	coshm_stream_close(s);
	assert_int_equal(lossless(state), 0); /* for the teardown */
}

/* Any byte of the region may be anything: errors, but no access outside, and no hang. */
static void scribble(uint32_t policy, unsigned int seed)
{
	struct coshm_stream *p, *s;
	struct coshm_message m[4];
	static unsigned char data[8192];

	assert_int_equal(setup_policy(policy), 0);
	p = open_with(COSHM_PUBLISHER, 0);
	s = open_with(COSHM_SUBSCRIBER, 0);
	srand(seed);
	for (int i = 0; i < 3000; i++) {
		unsigned char *meta = (unsigned char *)p->region.shared;
		size_t from = offsetof(struct region_shared, counters);
		size_t at = rand() % 4 ?
				    from + (size_t)rand() % (LAYOUT_META_BYTES - from) :
				    (size_t)(p->region.data - meta) + (size_t)rand() % (SLOTS * 64);
		void *loan;

		meta[at] = (unsigned char)rand();
		(void)!coshm_stream_publish(p, data, (size_t)rand() % sizeof(data), 0);
		if (rand() % 4 == 0 && coshm_stream_loan(p, (size_t)rand() % 8192, 0, &loan) == 0)
			memset(loan, 1, 8);
		if (rand() % 8 == 0)
			(void)!coshm_stream_publish_loans(p);
		(void)!coshm_stream_receive(s, data, sizeof(data), 0, m);
		for (int k = coshm_stream_peek(s, m, 4, 0); k > 0; k--)
			memcpy(data, m[k - 1].data, m[k - 1].bytes);
		(void)!coshm_stream_release(s, (unsigned int)rand() % 4);
		if (rand() % 50 == 0)
			stream_resume(&p->ring, &p->writer);
		if (rand() % 50 == 0) {
			s->reader.next = stream_start(&s->ring, rand() % 2);
			stream_skip_to_first(&s->ring, &s->reader);
		}
	}
	coshm_stream_close(p);
	coshm_stream_close(s);
	assert_ok(coshm_retire(NULL, NAME));
}

static void test_scribbled_over(void **state)
{
	(void)state;
	for (unsigned int seed = 0; seed < 10; seed++) {
		scribble(COSHM_STREAM_LOSSLESS, seed);
		scribble(COSHM_STREAM_OVERWRITE, seed);
	}
}

static void test_nothing_leaks(void **state)
{
	int fds = count_fds(), maps = count_maps();
	struct coshm_stream *s = open_with(COSHM_SUBSCRIBER, 0);

	(void)state;
	for (uint64_t i = 0; i < 1000; i++) {
		struct coshm_stream *p = open_with(COSHM_PUBLISHER, 0);

		assert_ok(publish(p, 0));
		assert_int_equal(receive(s).number, i);
		coshm_stream_close(p);
	}
	coshm_stream_close(s);
	assert_int_equal(count_fds(), fds);
	assert_int_equal(count_maps(), maps);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_in_order, lossless, teardown),
		cmocka_unit_test_setup_teardown(test_in_order, overwrite, teardown),
		cmocka_unit_test_setup_teardown(test_arguments, lossless, teardown),
		cmocka_unit_test_setup_teardown(test_lossless_waits, lossless, teardown),
		cmocka_unit_test_setup_teardown(test_lossless_waits_for_bytes, lossless, teardown),
		cmocka_unit_test_setup_teardown(test_batches, lossless, teardown),
		cmocka_unit_test_setup_teardown(test_batches, overwrite, teardown),
		cmocka_unit_test_setup_teardown(test_killed_after_a_long_batch, lossless, teardown),
		cmocka_unit_test_setup_teardown(test_killed_after_a_long_batch, overwrite,
						teardown),
		cmocka_unit_test_setup_teardown(test_peek_many, lossless, teardown),
		cmocka_unit_test_setup_teardown(test_overwrite_counts_what_is_lost, overwrite,
						teardown),
		cmocka_unit_test_setup_teardown(test_overwrite_goes_on_with_the_oldest, overwrite,
						teardown),
		cmocka_unit_test_setup_teardown(test_overwritten_while_looked_at, overwrite,
						teardown),
		cmocka_unit_test_setup_teardown(test_discarded_while_looked_at, overwrite,
						teardown),
		cmocka_unit_test_setup_teardown(test_never_skips_into_a_batch, overwrite, teardown),
		cmocka_unit_test_setup_teardown(test_oldest_and_newest, lossless, teardown),
		cmocka_unit_test_setup_teardown(test_oldest_and_newest, overwrite, teardown),
		cmocka_unit_test(test_positions_wrap),
		cmocka_unit_test(test_smallest_ring),
		cmocka_unit_test_setup_teardown(test_sleeping_until_subscribed, lossless, teardown),
		cmocka_unit_test_setup_teardown(test_told_in_a_forked_child, lossless, teardown),
		cmocka_unit_test_setup_teardown(test_retired, lossless, teardown),
		cmocka_unit_test(test_scribbled_over),
		cmocka_unit_test_setup_teardown(test_nothing_leaks, lossless, teardown),
	};

	return scene_run("stream", tests);
}
