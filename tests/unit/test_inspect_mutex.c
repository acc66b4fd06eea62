/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_inspect_mutex.c - real mutexes are found; what only resembles them is not.
 */
#include "inspect_scene.h"

#include <pthread.h>

#define BYTES 65536

static _Alignas(64) unsigned char room[BYTES];

static void make(size_t at, int shared, int robust, int type, bool held)
{
	pthread_mutexattr_t attr;
	pthread_mutex_t *mutex = (void *)(room + at);

	pthread_mutexattr_init(&attr);
	pthread_mutexattr_setpshared(&attr, shared);
	pthread_mutexattr_setrobust(&attr, robust);
	pthread_mutexattr_settype(&attr, type);
	assert_int_equal(pthread_mutex_init(mutex, &attr), 0);
	if (held)
		assert_int_equal(pthread_mutex_lock(mutex), 0);
	pthread_mutexattr_destroy(&attr);
}

/* One of each, and each is let go again: a held robust one is in this thread's list. */
static void expect(size_t at, int shared, int robust, int type, bool held, unsigned int count)
{
	memset(room, 0, BYTES);
	make(at, shared, robust, type, held);
	assert_int_equal(mutex_count(room, BYTES), count);
	if (held)
		pthread_mutex_unlock((void *)(room + at));
}

static void test_real_ones(void **state)
{
	static const int types[] = { PTHREAD_MUTEX_NORMAL, PTHREAD_MUTEX_RECURSIVE,
				     PTHREAD_MUTEX_ERRORCHECK };

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		expect(8, PTHREAD_PROCESS_SHARED, PTHREAD_MUTEX_STALLED, types[i], false, 1);
		expect(4096, PTHREAD_PROCESS_SHARED, PTHREAD_MUTEX_STALLED, types[i], true, 1);
		expect(512, PTHREAD_PROCESS_SHARED, PTHREAD_MUTEX_ROBUST, types[i], false, 1);
		expect(BYTES - 40, PTHREAD_PROCESS_SHARED, PTHREAD_MUTEX_ROBUST, types[i], true, 1);
		expect(64, PTHREAD_PROCESS_PRIVATE, PTHREAD_MUTEX_STALLED, types[i], false, 0);
		expect(64, PTHREAD_PROCESS_PRIVATE, PTHREAD_MUTEX_STALLED, types[i], true, 0);
	}
}

static void test_several(void **state)
{
	(void)state;
	memset(room, 0, BYTES);
	for (size_t i = 0; i < 100; i++)
		make(i * 40, PTHREAD_PROCESS_SHARED, PTHREAD_MUTEX_ROBUST, PTHREAD_MUTEX_NORMAL,
		     false);
	assert_int_equal(mutex_count(room, BYTES), 100);
	assert_int_equal(mutex_count(room, 99 * 40 + 39), 99);
	assert_int_equal(mutex_count(room, 0), 0);
}

static void test_others(void **state)
{
	uint64_t random = 1, *words = (uint64_t *)room;

	(void)state;
	memset(room, 0, BYTES);
	assert_int_equal(mutex_count(room, BYTES), 0);
	memset(room, 0xff, BYTES);
	assert_int_equal(mutex_count(room, BYTES), 0);
	memset(room, 128, BYTES);
	assert_int_equal(mutex_count(room, BYTES), 0);
	/* Counters, as of a histogram. */
	for (size_t i = 0; i < BYTES / 8; i++)
		words[i] = i % 7 == 0 ? i % 256 : 0;
	assert_int_equal(mutex_count(room, BYTES), 0);
	for (int round = 0; round < 100; round++) {
		for (size_t i = 0; i < BYTES / 8; i++) {
			random ^= random << 13;
			random ^= random >> 7;
			random ^= random << 17;
			words[i] = random;
		}
		assert_int_equal(mutex_count(room, BYTES), 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_real_ones),
		cmocka_unit_test(test_several),
		cmocka_unit_test(test_others),
	};

	return cmocka_run_group_tests_name("inspect_mutex", tests, NULL, NULL);
}
