/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_notify.c - descriptors for poll(2): nothing is missed.
 */
#define _GNU_SOURCE
#include "scene.h"

#include <poll.h>

static int readable(int fd, int timeout_ms)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };

	return poll(&p, 1, timeout_ms);
}

static void publisher(const struct actor *self, void *arg)
{
	struct coshm_stream *p;
	uint64_t data = 0;
	char c;

	(void)arg;
	child_check(coshm_stream_open(NAME, COSHM_PUBLISHER, NULL, &p) == 0);
	child_check(read(self->from, &c, 1) == 1);
	for (; data < 20000; data++) {
		child_check(coshm_stream_publish(p, &data, 8, -1) == 0);
		if (data % 100 == 0)
			usleep(100); /* so that the other side finds nothing now and then */
	}
	coshm_stream_close(p);
}

static void test_stream(void **state)
{
	struct coshm_stream_shape shape = { .size = sizeof(shape), .slots = 64 };
	int fds = count_fds(), fd;
	uint64_t next = 0, data;
	struct coshm_stream *s;
	struct coshm_message m;
	struct actor a;

	(void)state;
	assert_ok(coshm_stream_create(NAME, &shape, NULL));
	assert_ok(coshm_stream_open(NAME, COSHM_SUBSCRIBER, NULL, &s));
	fd = coshm_stream_fd(s);
	assert_true(fd >= 0);
	assert_int_equal(coshm_stream_fd(s), fd);
	assert_int_equal(readable(fd, 0), 0);
	a = actor_start(publisher, NULL);
	actor_say(&a, 'g');
	while (next < 20000) {
		int rc;

		assert_int_equal(readable(fd, 10000), 1);
		while ((rc = coshm_stream_receive(s, &data, 8, 0, &m)) == 0)
			assert_int_equal(data, next++);
		assert_int_equal(rc, -EAGAIN);
	}
	assert_int_equal(actor_end(&a), 0);
	assert_ok(coshm_retire(NULL, NAME));
	assert_int_equal(readable(fd, 10000), 1);
	assert_int_equal(coshm_stream_receive(s, &data, 8, 0, &m), -ESTALE);
	coshm_stream_close(s);
	assert_int_equal(count_fds(), fds);
}

static void test_latest(void **state)
{
	struct coshm_latest *p, *s;
	uint64_t number = 0, v;
	int fd;

	(void)state;
	assert_ok(coshm_latest_create(NAME, 8, 0, NULL));
	assert_ok(coshm_latest_open(NAME, COSHM_PUBLISHER, NULL, &p));
	assert_ok(coshm_latest_open(NAME, COSHM_SUBSCRIBER, NULL, &s));
	fd = coshm_latest_fd(s, 0);
	assert_true(fd >= 0);
	for (uint64_t i = 1; i < 1000; i++) {
		assert_int_equal(coshm_latest_wait(s, number, 0), -ETIMEDOUT);
		assert_ok(coshm_latest_publish(p, &i, 8));
		assert_int_equal(readable(fd, 10000), 1);
		assert_ok(coshm_latest_read(s, &v, 8, NULL, &number));
		assert_int_equal(v, i);
	}
	coshm_latest_close(s);
	coshm_latest_close(p);
	assert_ok(coshm_remove(NULL, NAME));
}

static void test_queue(void **state)
{
	struct coshm_open_opts spin = { .size = sizeof(spin), .wait = COSHM_WAIT_SPIN };
	struct coshm_queue *p, *c, *spins;
	struct coshm_delivery d;
	int fd, rc;

	(void)state;
	assert_ok(coshm_queue_create(NAME, NULL, NULL));
	assert_ok(coshm_queue_open(NAME, COSHM_PRODUCER, NULL, &p));
	assert_ok(coshm_queue_open(NAME, COSHM_CONSUMER, NULL, &c));
	assert_ok(coshm_queue_open(NAME, COSHM_CONSUMER, &spin, &spins));
	assert_err(coshm_queue_fd(spins), EINVAL, "may sleep");
	assert_err(coshm_queue_fd(p), EPERM, "consumer");
	fd = coshm_queue_fd(c);
	assert_true(fd >= 0);
	for (int i = 0; i < 1000; i++) {
		assert_ok(coshm_queue_push(p, &i, sizeof(i), 0));
		assert_int_equal(readable(fd, 10000), 1);
		while ((rc = coshm_queue_take(c, 0, &d)) == 0)
			assert_ok(coshm_queue_release(c, d.data));
		assert_int_equal(rc, -EAGAIN);
	}
	coshm_queue_close(spins);
	coshm_queue_close(p);
	coshm_queue_close(c);
	assert_ok(coshm_remove(NULL, NAME));
}

/* What somebody dead had, or that he is dead, is found out with nobody there but who polls. */
static void consumer_or_publisher(const struct actor *self, void *arg)
{
	struct coshm_delivery d;
	struct coshm_queue *c;
	struct coshm_stream *p;

	if (arg) {
		child_check(coshm_queue_open(NAME, COSHM_CONSUMER, NULL, &c) == 0);
		child_check(coshm_queue_take(c, -1, &d) == 0);
	} else {
		child_check(coshm_stream_open(NAME, COSHM_PUBLISHER, NULL, &p) == 0);
	}
	child_check(write(self->to, "x", 1) == 1);
	pause();
}

static void test_death_of_a_consumer(void **state)
{
	struct coshm_queue *p, *c;
	struct coshm_delivery d;
	struct actor a;
	int fd;

	assert_ok(coshm_queue_create(NAME, NULL, NULL));
	assert_ok(coshm_queue_open(NAME, COSHM_PRODUCER, NULL, &p));
	assert_ok(coshm_queue_open(NAME, COSHM_CONSUMER, NULL, &c));
	assert_ok(coshm_queue_push(p, "m", 1, 0));
	a = actor_start(consumer_or_publisher, state);
	assert_int_equal(actor_hear(&a), 'x');
	fd = coshm_queue_fd(c);
	assert_int_equal(coshm_queue_take(c, 0, &d), -EAGAIN);
	actor_kill(&a);
	assert_int_equal(readable(fd, 10000), 1);
	assert_ok(coshm_queue_take(c, 0, &d));
	assert_int_equal(d.deliveries, 2);
	coshm_queue_close(p);
	coshm_queue_close(c);
	assert_ok(coshm_remove(NULL, NAME));
}

static void test_death_of_a_publisher(void **state)
{
	struct coshm_stream *s;
	struct coshm_message m;
	int fd;

	(void)state;
	assert_ok(coshm_stream_create(NAME, NULL, NULL));
	assert_ok(coshm_stream_open(NAME, COSHM_SUBSCRIBER, NULL, &s));
	fd = coshm_stream_fd(s);
	for (int i = 0; i < 3; i++) {
		struct actor a = actor_start(consumer_or_publisher, NULL);

		assert_int_equal(actor_hear(&a), 'x');
		assert_int_equal(coshm_stream_receive(s, NULL, 0, 0, &m), -EAGAIN);
		assert_int_equal(readable(fd, 0), 0);
		actor_kill(&a);
		assert_int_equal(readable(fd, 10000), 1);
		assert_err(coshm_stream_receive(s, NULL, 0, 0, &m), EOWNERDEAD, "has died");
		assert_int_equal(coshm_stream_receive(s, NULL, 0, 0, &m), -EAGAIN);
		assert_int_equal(readable(fd, 200), 0); /* told once */
	}
	coshm_stream_close(s);
	assert_ok(coshm_remove(NULL, NAME));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_stream),
		cmocka_unit_test(test_latest),
		cmocka_unit_test(test_queue),
		cmocka_unit_test(test_death_of_a_consumer),
		cmocka_unit_test(test_death_of_a_publisher),
	};

	return scene_run("notify", tests);
}
