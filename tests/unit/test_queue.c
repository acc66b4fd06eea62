/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_queue.c - each message to one consumer, whoever is slow.
 */
#define _GNU_SOURCE
#include "queue_scene.h"

static void test_in_order(void **state)
{
	struct coshm_queue *p = open_as(COSHM_PRODUCER), *c = open_as(COSHM_CONSUMER);

	(void)state;
	assert_nothing(c);
	for (uint64_t n = 0; n < 1000;) {
		uint64_t burst = 1 + n % SLOTS, first = n;

		for (uint64_t i = 0; i < burst; i++)
			assert_ok(push(p, 1, n++, 0));
		for (uint64_t i = 0; i < burst; i++)
			assert_int_equal(next_number(c), first + i);
		assert_nothing(c);
	}
	coshm_queue_close(p);
	coshm_queue_close(c);
	coshm_queue_close(NULL);
}

static void test_full(void **state)
{
	struct coshm_queue *p = open_as(COSHM_PRODUCER), *c = open_as(COSHM_CONSUMER);

	(void)state;
	for (uint64_t n = 0; n < SLOTS; n++)
		assert_ok(push(p, 1, n, 0));
	assert_err(push(p, 1, SLOTS, 0), EAGAIN, "is full");
	assert_err(push(p, 1, SLOTS, 1000000), ETIMEDOUT, "is full");
	assert_int_equal(next_number(c), 0);
	assert_ok(push(p, 1, SLOTS, 0));
	assert_err(push(p, 1, SLOTS, 0), EAGAIN, "is full");
	for (uint64_t n = 1; n <= SLOTS; n++)
		assert_int_equal(next_number(c), n);
	assert_nothing(c);
	coshm_queue_close(p);
	coshm_queue_close(c);
}

static void test_arguments(void **state)
{
	struct coshm_queue *p = open_as(COSHM_PRODUCER), *c = open_as(COSHM_CONSUMER), *q;
	struct coshm_queue_shape odd = { .size = sizeof(odd), .policy = 2 };
	struct coshm_delivery d;
	struct letter l;

	(void)state;
	assert_int_equal(coshm_queue_message_bytes(p), sizeof(l));
	assert_err(coshm_queue_push(p, &l, sizeof(l) + 1, 0), EMSGSIZE, "takes up to 48");
	assert_err(coshm_queue_push(c, &l, sizeof(l), 0), EPERM, "producer");
	assert_err(coshm_queue_take(p, 0, &d), EPERM, "consumer");
	assert_err(coshm_queue_receive(c, &l, 8, 0, &d), EMSGSIZE, "room for 8");
	assert_err(coshm_queue_release(c, &l), EINVAL, "has taken");
	assert_err(coshm_queue_push_loan(p, &l, 8), EINVAL, "not a loan");
	assert_err(coshm_queue_discard_loan(p, c->ring.slots + 16), EINVAL, "not a loan");
	assert_err(coshm_queue_open(NAME, COSHM_PUBLISHER, NULL, &q), EINVAL, "producer");
	assert_err(coshm_queue_create("odd", &odd, NULL), EINVAL, "shape");
	assert_ok(coshm_queue_push(p, NULL, 0, 0));
	assert_ok(coshm_queue_take(c, 0, &d));
	assert_int_equal(d.bytes, 0);
	assert_int_equal(d.deliveries, 1);
	assert_ok(coshm_queue_release(c, d.data));
	assert_err(coshm_queue_release(c, d.data), EINVAL, "has taken");
	coshm_queue_close(p);
	coshm_queue_close(c);
}

/* As many as there is room for, and as there are; the rest is for another call. */
static void test_batches(void **state)
{
	struct coshm_queue *p = open_as(COSHM_PRODUCER), *c = open_as(COSHM_CONSUMER);
	struct coshm_delivery taken[SLOTS + 1];
	struct letter letters[SLOTS + 1];
	struct iovec batch[SLOTS + 1];
	uint64_t sent = 0, got = 0;

	(void)state;
	for (unsigned int i = 0; i <= SLOTS; i++)
		batch[i] = (struct iovec){ &letters[i], sizeof(letters[i]) };
	for (unsigned int round = 0; round < 50; round++) {
		unsigned int want = 1 + round % (SLOTS + 1), full = want < SLOTS ? want : SLOTS;

		for (unsigned int i = 0; i < want; i++)
			letters[i] = letter_of(1, sent + i);
		assert_int_equal(coshm_queue_push_batch(p, batch, want, 0), full);
		sent += full;
		if (full == SLOTS)
			assert_err(coshm_queue_push_batch(p, batch, 1, 0), EAGAIN, "is full");
		while (got < sent) {
			unsigned int max = 1 + round % 5;
			int n = coshm_queue_take_batch(c, taken, max, 0);

			assert_int_equal(n, sent - got < max ? sent - got : max);
			for (int i = 0; i < n; i++) {
				const struct letter *l = taken[i].data;

				assert_true(is_letter(l));
				assert_int_equal(l->number, got++);
			}
			for (int i = n; i-- > 0;) /* in any order */
				assert_ok(coshm_queue_release(c, taken[i].data));
		}
		assert_int_equal(coshm_queue_take_batch(c, taken, SLOTS, 0), -EAGAIN);
	}
	batch[1].iov_len++;
	assert_err(coshm_queue_push_batch(p, batch, 2, 0), EMSGSIZE, "takes up to 48");
	assert_nothing(c);
	assert_err(coshm_queue_push_batch(p, batch, 0, 0), EINVAL, "no message");
	assert_err(coshm_queue_push_batch(c, batch, 1, 0), EPERM, "producer");
	assert_err(coshm_queue_take_batch(c, taken, 0, 0), EINVAL, "nothing");
	assert_err(coshm_queue_take_batch(p, taken, 1, 0), EPERM, "consumer");
	coshm_queue_close(p);
	coshm_queue_close(c);
}

static void test_each_to_one(void **state)
{
	struct coshm_queue *p = open_as(COSHM_PRODUCER);
	struct coshm_queue *a = open_as(COSHM_CONSUMER), *b = open_as(COSHM_CONSUMER);

	(void)state;
	for (uint64_t n = 0; n < 100; n += 2) {
		assert_ok(push(p, 1, n, 0));
		assert_ok(push(p, 1, n + 1, 0));
		assert_int_equal(next_number(b), n);
		assert_int_equal(next_number(a), n + 1);
		assert_nothing(a);
		assert_nothing(b);
	}
	coshm_queue_close(p);
	coshm_queue_close(a);
	coshm_queue_close(b);
}

/* A loan that is not pushed holds nobody up: not those behind it, not a whole lap of them. */
static void test_slow_producer(void **state)
{
	struct coshm_queue *slow = open_as(COSHM_PRODUCER), *p = open_as(COSHM_PRODUCER);
	struct coshm_queue *c = open_as(COSHM_CONSUMER);
	void *loan;

	(void)state;
	for (uint64_t laps = 0; laps < 40; laps++) {
		assert_ok(coshm_queue_loan(slow, 0, &loan));
		for (uint64_t n = 0; n < laps; n++) {
			assert_ok(push(p, 1, n, 0));
			assert_int_equal(next_number(c), n);
		}
		assert_nothing(c);
		if (laps % 4 == 3) {
			assert_ok(coshm_queue_discard_loan(slow, loan));
		} else {
			*(struct letter *)loan = letter_of(2, 1000 + laps);
			assert_ok(coshm_queue_push_loan(slow, loan, sizeof(struct letter)));
			assert_int_equal(next_number(c), 1000 + laps);
		}
		assert_nothing(c);
	}
	coshm_queue_close(slow);
	coshm_queue_close(p);
	coshm_queue_close(c);
}

/* Nor does a message that is being worked on. */
static void test_slow_consumer(void **state)
{
	struct coshm_queue *p = open_as(COSHM_PRODUCER);
	struct coshm_queue *slow = open_as(COSHM_CONSUMER), *c = open_as(COSHM_CONSUMER);
	struct coshm_delivery d[3];

	(void)state;
	for (uint64_t laps = 0; laps < 40; laps++) {
		for (uint64_t n = 0; n < 3; n++)
			assert_ok(push(p, 1, 1000 + n, 0));
		for (int i = 0; i < 3; i++)
			assert_ok(coshm_queue_take(slow, 0, &d[i]));
		for (uint64_t n = 0; n < laps; n++) {
			assert_ok(push(p, 1, n, 0));
			assert_int_equal(next_number(c), n);
		}
		for (int i = 2; i >= 0; i--) { /* in any order */
			assert_int_equal(((const struct letter *)d[i].data)->number, 1000 + i);
			assert_ok(coshm_queue_release(slow, d[i].data));
		}
		for (uint64_t n = 0; n < SLOTS; n++) /* all slots are there again */
			assert_ok(push(p, 1, n, 0));
		assert_int_equal(push(p, 1, 0, 0), -EAGAIN);
		for (uint64_t n = 0; n < SLOTS; n++)
			assert_int_equal(next_number(c), n);
	}
	coshm_queue_close(p);
	coshm_queue_close(slow);
	coshm_queue_close(c);
}

/* Closed with messages in hand and loans out: the former go to others, the latter are gone. */
static void test_closing_gives_back(void **state)
{
	struct coshm_queue *p = open_as(COSHM_PRODUCER), *c = open_as(COSHM_CONSUMER);
	struct coshm_queue *leaves = open_as(COSHM_CONSUMER);
	bool drop = c->ring.drop;
	struct coshm_delivery d;
	struct letter l;
	void *loan;

	(void)state;
	for (uint64_t n = 0; n < 5; n++)
		assert_ok(push(p, 1, n, 0));
	for (uint64_t n = 0; n < 3; n++)
		assert_ok(coshm_queue_take(leaves, 0, &d));
	coshm_queue_close(leaves);
	assert_int_equal(c->region.shared->counters.lost, drop ? 3 : 0);
	for (uint64_t n = drop ? 3 : 0; n < 5; n++) {
		assert_ok(coshm_queue_receive(c, &l, sizeof(l), 0, &d));
		assert_int_equal(l.number, n);
		assert_int_equal(d.deliveries, n < 3 ? 2 : 1);
	}
	assert_nothing(c);
	assert_ok(coshm_queue_loan(p, 0, &loan));
	coshm_queue_close(p);
	p = open_as(COSHM_PRODUCER);
	for (uint64_t n = 0; n < SLOTS; n++)
		assert_ok(push(p, 1, n, 0));
	for (uint64_t n = 0; n < SLOTS; n++)
		assert_int_equal(next_number(c), n);
	coshm_queue_close(p);
	coshm_queue_close(c);
}

static void wrap_at(uint64_t position)
{
	struct coshm_queue *p, *c;
	void *loan = NULL;

	assert_int_equal(setup_policy(0), 0);
	p = open_as(COSHM_PRODUCER);
	c = open_as(COSHM_CONSUMER);
	p->ring.control->head = position;
	p->ring.control->tail = position;
	for (uint64_t i = 0; i < SLOTS; i++)
		queue_slot(&p->ring, position + i)->state =
			queue_state((position + i) >> p->ring.shift, 0, 0, QUEUE_FREE);
	for (uint64_t n = 0; n < 5 * SLOTS; n++) {
		if (n == SLOTS)
			assert_ok(coshm_queue_loan(p, 0, &loan));
		assert_ok(push(p, 1, n, 0));
		assert_ok(push(p, 1, n + 1000, 0));
		assert_int_equal(next_number(c), n);
		assert_int_equal(next_number(c), n + 1000);
		assert_nothing(c);
	}
	*(struct letter *)loan = letter_of(1, 77);
	assert_ok(coshm_queue_push_loan(p, loan, sizeof(struct letter)));
	assert_int_equal(next_number(c), 77);
	coshm_queue_close(p);
	coshm_queue_close(c);
	assert_ok(coshm_remove(NULL, NAME));
}

static void test_positions_wrap(void **state)
{
	(void)state;
	for (uint64_t before = 0; before < 2 * SLOTS; before++) {
		wrap_at((UINT64_C(1) << 32) - before);
		wrap_at((UINT64_C(1) << 51) - before); /* laps go round */
		wrap_at(UINT64_MAX - before);
	}
}

static void test_smallest_queue(void **state)
{
	struct coshm_queue_shape s = { .size = sizeof(s), .slots = 1, .message_bytes = 1 };
	struct coshm_queue *p, *c;
	struct coshm_delivery d;
	char byte;

	(void)state;
	assert_ok(coshm_queue_create(NAME, &s, NULL));
	p = open_as(COSHM_PRODUCER);
	c = open_as(COSHM_CONSUMER);
	for (int i = 0; i < 1000; i++) {
		byte = (char)i;
		assert_ok(coshm_queue_push(p, &byte, 1, 0));
		byte = 0;
		assert_ok(coshm_queue_receive(c, &byte, 1, 0, &d));
		assert_int_equal(byte, (char)i);
	}
	coshm_queue_close(p);
	coshm_queue_close(c);
	assert_ok(coshm_remove(NULL, NAME));
}

static void test_retired_and_forked(void **state)
{
	struct coshm_queue *p = open_as(COSHM_PRODUCER), *c = open_as(COSHM_CONSUMER);
	struct coshm_delivery d;
	int status;
	pid_t pid;

	fflush(NULL);
	pid = fork();
	if (pid == 0) {
		child_check(push(p, 1, 1, 0) == -ECHILD);
		child_check(coshm_queue_take(c, 0, &d) == -ECHILD);
		coshm_queue_close(p);
		coshm_queue_close(c);
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	assert_ok(push(p, 1, 1, 0));
	assert_ok(coshm_retire(NULL, NAME));
	assert_err(push(p, 1, 2, -1), ESTALE, "open it anew");
	assert_err(coshm_queue_take(c, -1, &d), ESTALE, "open it anew");
	coshm_queue_close(p);
	coshm_queue_close(c);
	assert_int_equal(at_least_once(state), 0); /* for the teardown */
}

/* Any byte of the region may be anything: errors, but no access outside, and no hang. */
static void test_scribbled_over(void **state)
{
	(void)state;
	for (unsigned int seed = 0; seed < 20; seed++) {
		struct coshm_queue *p, *c;
		struct coshm_delivery d;
		struct letter l = { 0 };
		void *loan;

		assert_int_equal(setup_policy(seed % 2), 0);
		p = open_as(COSHM_PRODUCER);
		c = open_as(COSHM_CONSUMER);
		srand(seed);
		for (int i = 0; i < 3000; i++) {
			unsigned char *meta = (unsigned char *)p->region.shared;
			size_t from = offsetof(struct region_shared, counters);
			size_t at = rand() % 4 ?
					    from + (size_t)rand() % (LAYOUT_META_BYTES - from) :
					    (size_t)(p->region.data - meta) +
						    (size_t)rand() % (SLOTS * 64);

			meta[at] = (unsigned char)rand();
			(void)!push(p, 1, 1, 0);
			if (coshm_queue_loan(p, 0, &loan) == 0) {
				memset(loan, 1, sizeof(struct letter));
				(void)!coshm_queue_push_loan(p, loan, sizeof(l));
			}
			(void)!coshm_queue_receive(c, &l, sizeof(l), 0, &d);
			if (coshm_queue_take(c, 0, &d) == 0) {
				memcpy(&l, d.data, d.bytes);
				(void)!coshm_queue_release(c, d.data);
			}
			if (rand() % 50 == 0)
				queue_recover(&c->ring, (unsigned int)rand() % 64);
		}
		coshm_queue_close(p);
		coshm_queue_close(c);
		assert_ok(coshm_retire(NULL, NAME));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_in_order, at_least_once, teardown),
		cmocka_unit_test_setup_teardown(test_in_order, at_most_once, teardown),
		cmocka_unit_test_setup_teardown(test_full, at_least_once, teardown),
		cmocka_unit_test_setup_teardown(test_arguments, at_least_once, teardown),
		cmocka_unit_test_setup_teardown(test_batches, at_least_once, teardown),
		cmocka_unit_test_setup_teardown(test_batches, at_most_once, teardown),
		cmocka_unit_test_setup_teardown(test_each_to_one, at_least_once, teardown),
		cmocka_unit_test_setup_teardown(test_slow_producer, at_least_once, teardown),
		cmocka_unit_test_setup_teardown(test_slow_consumer, at_least_once, teardown),
		cmocka_unit_test_setup_teardown(test_closing_gives_back, at_least_once, teardown),
		cmocka_unit_test_setup_teardown(test_closing_gives_back, at_most_once, teardown),
		cmocka_unit_test(test_positions_wrap),
		cmocka_unit_test(test_smallest_queue),
		cmocka_unit_test_setup_teardown(test_retired_and_forked, at_least_once, teardown),
		cmocka_unit_test(test_scribbled_over),
	};

	return scene_run("queue", tests);
}
