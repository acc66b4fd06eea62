/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_latest.c - the newest value: whole, whatever its publisher does.
 */
#define _GNU_SOURCE
#include "scene.h"

#include <pthread.h>
#include <sys/mman.h>

#include "latest.h"

#define WORDS 32

/* A value whose words all say the same, so that half of one and half of another shows. */
struct value {
	uint64_t word[WORDS];
};

static struct value value_of(uint64_t n)
{
	struct value v;

	for (int i = 0; i < WORDS; i++)
		v.word[i] = n;
	return v;
}

static bool whole(const struct value *v)
{
	for (int i = 1; i < WORDS; i++)
		if (v->word[i] != v->word[0])
			return false;
	return true;
}

static int setup(void **state)
{
	(void)state;
	return coshm_latest_create(NAME, sizeof(struct value), 4, NULL);
}

static int teardown(void **state)
{
	(void)state;
	return coshm_remove(NULL, NAME);
}

static struct coshm_latest *open_as(enum coshm_role role)
{
	struct coshm_open_opts o = { .size = sizeof(o), .wait = COSHM_WAIT_BLOCK };
	struct coshm_latest *ch = NULL;

	if (coshm_latest_open(NAME, role, &o, &ch) < 0)
		fail_msg("%s", coshm_errmsg());
	return ch;
}

static void publish(struct coshm_latest *ch, uint64_t n)
{
	struct value v = value_of(n);

	assert_ok(coshm_latest_publish(ch, &v, sizeof(v)));
}

static uint64_t read_one(struct coshm_latest *ch, uint64_t *number)
{
	struct value v;
	size_t bytes;

	assert_ok(coshm_latest_read(ch, &v, sizeof(v), &bytes, number));
	assert_int_equal(bytes, sizeof(v));
	assert_true(whole(&v));
	return v.word[0];
}

static void test_publish_and_read(void **state)
{
	struct coshm_latest *p = open_as(COSHM_PUBLISHER), *s = open_as(COSHM_SUBSCRIBER);
	struct coshm_latest *o = open_as(COSHM_OBSERVER);
	struct value v = { { 77 } };
	uint64_t number = 99;
	size_t bytes = 99;

	(void)state;
	assert_int_equal(coshm_latest_value_bytes(s), sizeof(v));
	assert_err(coshm_latest_read(s, &v, sizeof(v), &bytes, &number), ENODATA, "yet");
	assert_int_equal(bytes, 99);
	assert_int_equal(number, 99);
	for (uint64_t i = 1; i < 10; i++) {
		publish(p, i * 11);
		assert_int_equal(read_one(s, &number), i * 11);
		assert_int_equal(number, i);
		assert_int_equal(read_one(o, &number), i * 11);
	}
	assert_err(coshm_latest_publish(s, &v, 1), EPERM, "publisher");
	assert_err(coshm_latest_publish(o, &v, 1), EPERM, "publisher");
	assert_err(coshm_latest_publish(p, &v, sizeof(v) + 1), EMSGSIZE, "takes 256");
	assert_err(coshm_latest_read(s, &v, 8, NULL, NULL), EMSGSIZE, "room for 8");
	assert_ok(coshm_latest_publish(p, "short", 6));
	assert_ok(coshm_latest_read(s, &v, 8, &bytes, NULL));
	assert_int_equal(bytes, 6);
	assert_string_equal((char *)&v, "short");
	assert_ok(coshm_latest_publish(p, NULL, 0));
	assert_ok(coshm_latest_read(s, &v, 8, &bytes, NULL));
	assert_int_equal(bytes, 0);
	coshm_latest_close(p);
	coshm_latest_close(s);
	coshm_latest_close(o);
	coshm_latest_close(NULL);
}

static void test_shapes_that_make_no_sense(void **state)
{
	(void)state;
	assert_err(coshm_latest_create("x", 0, 4, NULL), EINVAL, "fit");
	assert_err(coshm_latest_create("x", 8, 3, NULL), EINVAL, "power of two");
	assert_err(coshm_latest_create("x", 8, 2, NULL), EINVAL, "slots");
	assert_err(coshm_latest_create("x", UINT32_MAX, 4, NULL), EINVAL, "slot");
	assert_int_equal(coshm_latest_bytes(8, 3), 0);
}

static void test_without_a_copy(void **state)
{
	struct coshm_latest *p = open_as(COSHM_PUBLISHER), *s = open_as(COSHM_SUBSCRIBER);
	const void *seen;
	uint64_t number;
	size_t bytes;
	void *loan;

	(void)state;
	publish(p, 1);
	assert_ok(coshm_latest_loan(p, &loan));
	assert_int_equal((uintptr_t)loan % 16, 0);
	*(struct value *)loan = value_of(2);
	assert_int_equal(read_one(s, NULL), 1); /* not before it is published */
	assert_ok(coshm_latest_publish_loan(p, sizeof(struct value)));
	assert_ok(coshm_latest_peek(s, &seen, &bytes, &number));
	assert_int_equal(number, 2);
	assert_int_equal(bytes, sizeof(struct value));
	assert_int_equal(((const struct value *)seen)->word[WORDS - 1], 2);
	publish(p, 3);
	publish(p, 4);
	assert_ok(coshm_latest_check(s, number)); /* two more: still there */
	publish(p, 5);
	assert_err(coshm_latest_check(s, number), EAGAIN, "replaced");
	coshm_latest_close(p);
	coshm_latest_close(s);
}

static void test_alignment_of_the_type(void **state)
{
	struct coshm_create_opts c = { .size = sizeof(c),
				       .type = { .name = "simd", .bytes = 64, .align = 64 } };
	struct coshm_latest *p;
	void *loan;

	(void)state;
	assert_ok(coshm_latest_create("aligned", 64, 0, &c));
	assert_ok(coshm_latest_open("aligned", COSHM_PUBLISHER, NULL, &p));
	for (int i = 0; i < 5; i++) {
		assert_ok(coshm_latest_loan(p, &loan));
		assert_int_equal((uintptr_t)loan % 64, 0);
		assert_ok(coshm_latest_publish_loan(p, 64));
	}
	coshm_latest_close(p);
	assert_ok(coshm_remove(NULL, "aligned"));
}

/* The counter goes round: numbers stay different, 0 is left out. */
static void test_number_wraps(void **state)
{
	struct coshm_latest *p = open_as(COSHM_PUBLISHER), *s = open_as(COSHM_SUBSCRIBER);
	static const uint64_t starts[] = { UINT32_MAX - 5ull, UINT64_MAX - 5 };
	uint64_t number, last = 0;

	(void)state;
	for (int k = 0; k < 2; k++) {
		p->ring.shared->head = starts[k];
		for (uint64_t i = 0; i < 20; i++) {
			publish(p, i + 1);
			assert_int_equal(read_one(s, &number), i + 1);
			assert_int_not_equal(number, 0);
			assert_int_not_equal(number, last);
			assert_ok(coshm_latest_wait(s, last, 0));
			last = number;
		}
	}
	coshm_latest_close(p);
	coshm_latest_close(s);
}

/* Killed between any two steps of a publication: what was there before is there. */
static void test_half_a_publication(void **state)
{
	struct coshm_latest *p = open_as(COSHM_PUBLISHER), *s = open_as(COSHM_SUBSCRIBER);
	struct value v = value_of(2);

	(void)state;
	publish(p, 1);
	for (size_t words = 0; words <= WORDS; words++) {
		void *to = latest_payload(&p->ring, latest_next(&p->ring));

		memcpy(to, &v, 8 * words);
		assert_int_equal(read_one(s, NULL), 1);
	}
	coshm_latest_close(p);
	p = open_as(COSHM_PUBLISHER); /* the next one goes on from there */
	assert_int_equal(read_one(s, NULL), 1);
	publish(p, 3);
	assert_int_equal(read_one(s, NULL), 3);
	coshm_latest_close(p);
	coshm_latest_close(s);
}

static void hot_publisher(const struct actor *self, void *arg)
{
	struct coshm_latest *p;
	struct value v;
	uint64_t n;

	(void)arg;
	child_check(coshm_latest_open(NAME, COSHM_PUBLISHER, NULL, &p) == 0);
	n = latest_newest(&p->ring);
	for (uint64_t i = 0;; i++) {
		v = value_of(++n);
		child_check(coshm_latest_publish(p, &v, sizeof(v)) == 0);
		if (i == 100)
			child_check(write(self->to, "p", 1) == 1);
	}
}

/* Publishers are killed at it, one after the other: no torn value, and never an older one. */
static void test_publishers_killed(void **state)
{
	struct coshm_latest *s = open_as(COSHM_SUBSCRIBER);
	uint64_t number = 0, last = 0, last_read;

	(void)state;
	for (int i = 0; i < 200; i++) {
		struct actor a = actor_start(hot_publisher, NULL);

		assert_int_equal(actor_hear(&a), 'p');
		for (int j = 0; j < 50; j++) {
			struct value v;
			int rc = coshm_latest_read(s, &v, sizeof(v), NULL, &number);

			if (rc == -EAGAIN)
				continue;
			assert_int_equal(rc, 0);
			assert_true(whole(&v));
			assert_int_equal(v.word[0], number);
			assert_true(number >= last);
			last = number;
		}
		actor_kill(&a);
		last_read = read_one(s, &number);
		assert_int_equal(last_read, number);
		assert_true(number >= last);
		assert_err(coshm_latest_wait(s, number, -1), EOWNERDEAD, "has died");
		assert_int_equal(coshm_latest_wait(s, number, 1000), -ETIMEDOUT); /* told once */
		last = number;
	}
	coshm_latest_close(s);
}

/* A stopped publisher is not dead, and its half-written value is nobody's trouble. */
static void test_publisher_stopped(void **state)
{
	struct coshm_latest *s = open_as(COSHM_SUBSCRIBER), *p;
	struct actor a = actor_start(hot_publisher, NULL);
	uint64_t number, last_read;

	(void)state;
	assert_int_equal(actor_hear(&a), 'p');
	for (int i = 0; i < 100; i++) {
		actor_stop(&a);
		last_read = read_one(s, &number);
		assert_int_equal(last_read, number);
		assert_int_equal(coshm_latest_wait(s, number, 1000), -ETIMEDOUT);
		assert_err(coshm_latest_open(NAME, COSHM_PUBLISHER, NULL, &p), EBUSY, "alive");
		kill(a.pid, SIGCONT);
		assert_ok(coshm_latest_wait(s, number, -1));
	}
	actor_kill(&a);
	coshm_latest_close(s);
}

static void waiter(const struct actor *self, void *arg)
{
	struct coshm_open_opts o = { .size = sizeof(o), .wait = COSHM_WAIT_BLOCK };
	struct coshm_latest *s;
	uint64_t number = 0;
	struct value v;

	(void)arg;
	child_check(coshm_latest_open(NAME, COSHM_SUBSCRIBER, &o, &s) == 0);
	child_check(write(self->to, "s", 1) == 1);
	while (number < 100) {
		child_check(coshm_latest_wait(s, number, 10 * SECOND) == 0);
		child_check(coshm_latest_read(s, &v, sizeof(v), NULL, &number) == 0);
		child_check(write(self->to, "r", 1) == 1);
	}
	coshm_latest_close(s);
}

static void test_sleeping_subscriber(void **state)
{
	struct coshm_latest *p = open_as(COSHM_PUBLISHER);
	struct actor a = actor_start(waiter, NULL);

	(void)state;
	assert_int_equal(actor_hear(&a), 's');
	for (uint64_t i = 1; i <= 100; i++) {
		publish(p, i);
		assert_int_equal(actor_hear(&a), 'r');
	}
	assert_int_equal(actor_end(&a), 0);
	coshm_latest_close(p);
}

static void test_forked_child_is_told(void **state)
{
	struct coshm_latest *p = open_as(COSHM_PUBLISHER);
	int status;
	pid_t pid;

	(void)state;
	fflush(NULL);
	pid = fork();
	if (pid == 0) {
		uint64_t v = 1;

		child_check(coshm_latest_publish(p, &v, 8) == -ECHILD);
		child_check(coshm_latest_read(p, &v, 8, NULL, NULL) == -ECHILD);
		child_check(coshm_latest_wait(p, 0, -1) == -ECHILD);
		coshm_latest_close(p);
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	publish(p, 1);
	coshm_latest_close(p);
}

static void test_retired_channel(void **state)
{
	struct coshm_latest *p = open_as(COSHM_PUBLISHER), *s = open_as(COSHM_SUBSCRIBER);
	struct value v;

	publish(p, 1);
	assert_ok(coshm_retire(NULL, NAME));
	assert_err(coshm_latest_publish(p, &v, sizeof(v)), ESTALE, "open it anew");
	assert_int_equal(coshm_latest_read(s, &v, sizeof(v), NULL, NULL), -ESTALE);
	assert_int_equal(coshm_latest_wait(s, 0, -1), -ESTALE);
	coshm_latest_close(p);
	coshm_latest_close(s);
	assert_int_equal(setup(state), 0); /* for the teardown */
}

static void test_in_memory_of_ours(void **state)
{
	size_t bytes = coshm_latest_bytes(sizeof(struct value), 8);
	unsigned char *m = aligned_alloc(64, bytes);
	struct coshm_latest *p, *s;

	(void)state;
	memset(m, 0, bytes);
	assert_err(coshm_latest_bind(m, bytes, COSHM_SUBSCRIBER, &s), EPROTO, "not formatted");
	assert_err(coshm_latest_format(m, bytes - 1, sizeof(struct value), 8), EINVAL, "too few");
	assert_err(coshm_latest_format(m + 8, bytes - 8, 8, 4), EINVAL, "aligned");
	assert_ok(coshm_latest_format(m, bytes, sizeof(struct value), 8));
	assert_err(coshm_latest_bind(m, bytes - 1, COSHM_SUBSCRIBER, &s), EPROTO, "do not fit");
	assert_ok(coshm_latest_bind(m, bytes, COSHM_PUBLISHER, &p));
	assert_ok(coshm_latest_bind(m, bytes, COSHM_OBSERVER, &s));
	for (uint64_t i = 1; i < 1000; i++) {
		publish(p, i);
		assert_ok(coshm_latest_wait(s, i - 1, -1));
		assert_int_equal(read_one(s, NULL), i);
	}
	assert_int_equal(coshm_latest_wait(s, 999, 2000000), -ETIMEDOUT);
	coshm_latest_close(p);
	coshm_latest_close(s);
	free(m);
}

/* Whatever a formatted first line is changed to: refused, or read inside the memory. */
static void test_in_place_header_is_not_trusted(void **state)
{
	static _Alignas(64) unsigned char m[4096];
	size_t bytes = coshm_latest_bytes(8, 4);

	(void)state;
	assert_true(bytes <= sizeof(m));
	for (size_t i = 0; i < 64; i++) {
		for (int value = 0; value < 256; value++) {
			struct coshm_latest *s;
			uint64_t out;

			assert_ok(coshm_latest_format(m, bytes, 8, 4));
			m[i] = (unsigned char)value;
			((struct latest_shared *)m)->head = 3;
			memset(m + 128, 0xff, bytes - 128); /* lengths that lie */
			if (coshm_latest_bind(m, bytes, COSHM_OBSERVER, &s) < 0)
				continue;
			assert_true(128 + (s->ring.mask + 1) * s->ring.stride <= bytes);
			(void)!coshm_latest_read(s, &out, sizeof(out), NULL, NULL);
			coshm_latest_close(s);
		}
	}
}

struct hot {
	struct coshm_latest *ch;
	atomic_bool stop;
};

static void *hot_thread(void *arg)
{
	struct hot *hot = arg;

	for (uint64_t n = 1; !atomic_load(&hot->stop); n++) {
		struct value v = value_of(n);

		if (coshm_latest_publish(hot->ch, &v, sizeof(v)) < 0)
			return NULL;
	}
	return arg;
}

/* Threads on one mapping, which ThreadSanitizer can see. */
static void test_nothing_torn_under_a_hot_publisher(void **state)
{
	size_t bytes = coshm_latest_bytes(sizeof(struct value), 4);
	void *m = aligned_alloc(64, bytes), *done;
	struct coshm_latest *s;
	uint64_t number, last = 0;
	struct hot hot = { 0 };
	pthread_t thread;
	int reads = 0;

	(void)state;
	assert_ok(coshm_latest_format(m, bytes, sizeof(struct value), 4));
	assert_ok(coshm_latest_bind(m, bytes, COSHM_PUBLISHER, &hot.ch));
	assert_ok(coshm_latest_bind(m, bytes, COSHM_SUBSCRIBER, &s));
	assert_int_equal(pthread_create(&thread, NULL, hot_thread, &hot), 0);
	while (reads < 20000) {
		struct value v;
		int rc = coshm_latest_read(s, &v, sizeof(v), NULL, &number);

		if (rc == -ENODATA || rc == -EAGAIN)
			continue;
		assert_int_equal(rc, 0);
		assert_true(whole(&v));
		assert_int_equal(v.word[0], number);
		assert_true(number >= last);
		last = number;
		reads++;
	}
	atomic_store(&hot.stop, true);
	pthread_join(thread, &done);
	assert_non_null(done);
	coshm_latest_close(hot.ch);
	coshm_latest_close(s);
	free(m);
}

static void test_nothing_leaks(void **state)
{
	int fds = count_fds(), maps = count_maps();

	(void)state;
	for (int i = 0; i < 1000; i++) {
		struct coshm_latest *p = open_as(COSHM_PUBLISHER);

		publish(p, 1);
		coshm_latest_close(p);
	}
	assert_int_equal(count_fds(), fds);
	assert_int_equal(count_maps(), maps);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_publish_and_read, setup, teardown),
		cmocka_unit_test(test_shapes_that_make_no_sense),
		cmocka_unit_test_setup_teardown(test_without_a_copy, setup, teardown),
		cmocka_unit_test(test_alignment_of_the_type),
		cmocka_unit_test_setup_teardown(test_number_wraps, setup, teardown),
		cmocka_unit_test_setup_teardown(test_half_a_publication, setup, teardown),
		cmocka_unit_test_setup_teardown(test_publishers_killed, setup, teardown),
		cmocka_unit_test_setup_teardown(test_publisher_stopped, setup, teardown),
		cmocka_unit_test_setup_teardown(test_sleeping_subscriber, setup, teardown),
		cmocka_unit_test_setup_teardown(test_forked_child_is_told, setup, teardown),
		cmocka_unit_test_setup_teardown(test_retired_channel, setup, teardown),
		cmocka_unit_test(test_in_memory_of_ours),
		cmocka_unit_test(test_in_place_header_is_not_trusted),
		cmocka_unit_test(test_nothing_torn_under_a_hot_publisher),
		cmocka_unit_test_setup_teardown(test_nothing_leaks, setup, teardown),
	};

	return scene_run("latest", tests);
}
