/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_clock.c - the clock segment's protocol: what a reader takes for the
 * time in every state that a writer, old or ours, can leave behind.
 */
#define _GNU_SOURCE

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "clock.h"
#include "common.h"

#define WRITER "pid 1 on test"

/* As an old program does it: text alone. */
static void old_put(struct clock_shared *shared, const char *text)
{
	snprintf((char *)shared->text, CLOCK_TEXT_BYTES, "%s", text);
}

static void assert_time(struct clock_shared *shared, int64_t expected)
{
	int64_t seconds = -1;

	assert_int_equal(clock_get(shared, &seconds), CLOCK_HAS_TIME);
	assert_int_equal(seconds, expected);
}

static void test_new_segment_is_empty(void **state)
{
	struct clock_shared shared = { 0 };
	int64_t seconds = -1;

	(void)state;
	assert_int_equal(clock_get(&shared, &seconds), CLOCK_EMPTY);
	assert_int_equal(seconds, -1);
}

static void test_put_is_read_by_both_kinds(void **state)
{
	struct clock_shared shared = { 0 };

	(void)state;
	clock_begin(&shared, 1470729771, NS_PER_S, WRITER);
	clock_put(&shared, 1470729771);
	assert_time(&shared, 1470729771);
	assert_string_equal((char *)shared.text, "1470729771");
	assert_string_equal(shared.writer, WRITER);

	clock_put(&shared, 9); /* shorter than what was there */
	assert_time(&shared, 9);
	assert_string_equal((char *)shared.text, "9");
}

static void test_old_writer_is_read(void **state)
{
	struct clock_shared shared = { 0 };

	(void)state;
	old_put(&shared, "1470729771");
	assert_time(&shared, 1470729771);
	old_put(&shared, "1470729772");
	assert_time(&shared, 1470729772);
}

static void test_old_writer_takes_over_from_ours(void **state)
{
	struct clock_shared shared = { 0 };

	(void)state;
	clock_begin(&shared, 100, NS_PER_S, WRITER);
	clock_put(&shared, 100);
	old_put(&shared, "200");
	assert_time(&shared, 200);
}

static void test_ours_takes_over_from_old_writer(void **state)
{
	struct clock_shared shared = { 0 };

	(void)state;
	old_put(&shared, "200");
	clock_begin(&shared, 300, NS_PER_S, WRITER);
	assert_time(&shared, 200); /* until our first update */
	clock_put(&shared, 300);
	assert_time(&shared, 300);
}

/* Ours, an old one, ours again: the time of our first must not come back. */
static void test_ours_takes_over_from_old_writer_after_ours(void **state)
{
	struct clock_shared shared = { 0 };

	(void)state;
	clock_begin(&shared, 100, NS_PER_S, WRITER);
	clock_put(&shared, 100);
	old_put(&shared, "200");
	clock_begin(&shared, 300, NS_PER_S, WRITER);
	assert_time(&shared, 200);
	shared.begin++; /* stopped, or killed, before it stores the time */
	assert_time(&shared, 300);
	clock_put(&shared, 300);
	assert_time(&shared, 300);
}

/* Killed between any two stores of an update: the text may be half of each, the time is not. */
static void test_writer_killed_half_way(void **state)
{
	struct clock_shared shared = { 0 };

	(void)state;
	clock_begin(&shared, 1999999999, NS_PER_S, WRITER);
	clock_put(&shared, 1999999999);

	shared.begin++;
	assert_time(&shared, 1999999999);
	shared.time = 2000000000;
	assert_time(&shared, 2000000000);
	memcpy((char *)shared.text, "20000000", 8); /* and now it reads 2000000099 */
	assert_time(&shared, 2000000000);

	clock_begin(&shared, 2000000007, NS_PER_S, WRITER); /* the next writer */
	assert_time(&shared, 2000000007);
	clock_put(&shared, 2000000007);
	assert_time(&shared, 2000000007);
}

static void test_not_a_clock(void **state)
{
	static const char *const texts[] = { "hello",        "12a",
					     "-5",           " 5",
					     "1470729771\n", "1234567890123456789",
					     "1.5",          "\xff\xff",
					     "0x10",         "99999999999999999999999999999" };
	int64_t seconds = -1;

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct clock_shared shared = { 0 };

		old_put(&shared, texts[i]);
		assert_int_equal(clock_get(&shared, &seconds), CLOCK_ALIEN);
	}
	assert_int_equal(seconds, -1);
}

static void test_text_without_end(void **state)
{
	struct clock_shared shared;
	int64_t seconds;

	(void)state;
	memset(&shared, '7', sizeof(shared));
	assert_int_equal(clock_get(&shared, &seconds), CLOCK_ALIEN);
}

/* Whatever lies in the segment, what is taken for a time is one. */
static void test_wild_time(void **state)
{
	static const int64_t wild[] = { INT64_MIN, -1, CLOCK_SECONDS_MAX + 1, INT64_MAX };
	int64_t seconds = -1;

	(void)state;
	for (size_t i = 0; i < sizeof(wild) / sizeof(wild[0]); i++) {
		struct clock_shared shared = { 0 };

		clock_begin(&shared, 5, NS_PER_S, WRITER);
		clock_put(&shared, 5);
		shared.begin++;
		shared.time = wild[i];
		assert_int_equal(clock_get(&shared, &seconds), CLOCK_ALIEN);
	}
	assert_int_equal(seconds, -1);
}

/* The counters go round without anybody noticing. */
static void test_counters_wrap(void **state)
{
	struct clock_shared shared = { 0 };

	(void)state;
	clock_begin(&shared, 5, NS_PER_S, WRITER);
	shared.begin = shared.end = UINT64_MAX - 1;
	for (int64_t t = 5; t < 10; t++) {
		clock_put(&shared, t);
		assert_time(&shared, t);
	}
}

/* Times whose texts differ in every byte, so that half of one and half of another is neither. */
static int64_t pattern(unsigned int n)
{
	return (int64_t)(n % 9 + 1) * INT64_C(111111111111111111);
}

struct hot {
	struct clock_shared shared;
	atomic_bool stop;
};

static void *hot_writer(void *arg)
{
	struct hot *hot = arg;

	for (unsigned int n = 0; !atomic_load(&hot->stop); n++)
		clock_put(&hot->shared, pattern(n));
	return NULL;
}

static void test_nothing_torn_under_a_hot_writer(void **state)
{
	struct hot hot = { 0 };
	pthread_t thread;
	int torn = 0;

	(void)state;
	clock_begin(&hot.shared, pattern(0), NS_PER_S, WRITER);
	clock_put(&hot.shared, pattern(0));
	assert_int_equal(pthread_create(&thread, NULL, hot_writer, &hot), 0);
	/* Relaxed: only to know that the writer was at it meanwhile. */
	while (atomic_load_explicit(&hot.shared.end, memory_order_relaxed) < 200000) {
		int64_t seconds = 0;

		if (clock_get(&hot.shared, &seconds) != CLOCK_HAS_TIME || seconds <= 0 ||
		    seconds % INT64_C(111111111111111111) != 0)
			torn++;
	}
	atomic_store(&hot.stop, true);
	pthread_join(thread, NULL);
	assert_int_equal(torn, 0);
}

static void test_numbers(void **state)
{
	uint64_t n;

	(void)state;
	assert_int_equal(parse_number("8", 1, 255, &n), 0);
	assert_int_equal(n, 8);
	assert_int_equal(parse_number("18446744073709551615", 1, UINT64_MAX, &n), 0);
	for (const char *const *bad = (const char *const[]){ "", "0", "256", "-1", "+1", " 1", "1x",
							     "18446744073709551616", NULL };
	     *bad; bad++)
		assert_int_equal(parse_number(*bad, 1, 255, &n), -1);
}

static void test_seconds(void **state)
{
	int64_t ns;

	(void)state;
	assert_int_equal(parse_seconds("1", &ns), 0);
	assert_int_equal(ns, NS_PER_S);
	assert_int_equal(parse_seconds("0.25", &ns), 0);
	assert_int_equal(ns, NS_PER_S / 4);
	assert_int_equal(parse_seconds(".5", &ns), 0);
	assert_int_equal(ns, NS_PER_S / 2);
	for (const char *const *bad =
		     (const char *const[]){ "", "0", "-1", "1s", "1e3", "nan", "inf", "0x1", " 1",
					    "1.2.3", ".", "0.0001", "31536001", NULL };
	     *bad; bad++)
		assert_int_equal(parse_seconds(*bad, &ns), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_new_segment_is_empty),
		cmocka_unit_test(test_put_is_read_by_both_kinds),
		cmocka_unit_test(test_old_writer_is_read),
		cmocka_unit_test(test_old_writer_takes_over_from_ours),
		cmocka_unit_test(test_ours_takes_over_from_old_writer),
		cmocka_unit_test(test_ours_takes_over_from_old_writer_after_ours),
		cmocka_unit_test(test_writer_killed_half_way),
		cmocka_unit_test(test_not_a_clock),
		cmocka_unit_test(test_text_without_end),
		cmocka_unit_test(test_wild_time),
		cmocka_unit_test(test_counters_wrap),
		cmocka_unit_test(test_nothing_torn_under_a_hot_writer),
		cmocka_unit_test(test_numbers),
		cmocka_unit_test(test_seconds),
	};

	return cmocka_run_group_tests_name("clock", tests, NULL, NULL);
}
