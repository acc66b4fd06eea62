/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_sem.c - semaphore operations without the lock, in every order and killed everywhere:
 * whatever is done or not, undoing what a dead one has left gives the value without it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "interleave.h"

#include "sem_core.h"

#define FIRST 10

static struct sem_set_shared head;
static struct sem_one_shared sems[1];
static _Alignas(64) unsigned char records[2][64];
static struct sem_set set = {
	.shape = { .sems = 1, .records = 2, .record_bytes = 64 },
	.shared = &head,
	.sems = sems,
	.records = records[0],
};

static bool wrong; /* what a schedule has found; assertions belong to the scheduler's stack */
static bool plain_done;
static int expected;

static void begin(void)
{
	memset(&head, 0, sizeof(head));
	memset(sems, 0, sizeof(sems));
	memset(records, 0, sizeof(records));
	head.records = 2;
	sems[0].word = FIRST;
	expected = FIRST;
	plain_done = false;
}

/* As whoever has the lock: nobody swaps the word any more, and its writer is settled. */
static uint64_t hold(void)
{
	atomic_fetch_or_explicit(&sems[0].word, SEM_SLOW, memory_order_acq_rel);
	return sems[0].word;
}

static void put(uint64_t old, int value)
{
	sem_core_settle(&set, old);
	atomic_store_explicit(&sems[0].word, SEM_WORD(value, 0, SEM_NONCE(old) + 1) | SEM_SLOW,
			      memory_order_release);
}

static void put_cell(uint32_t index, int adj)
{
	_Atomic uint64_t *cell = &sem_record(&set, index)->cell[0];
	uint64_t old = atomic_load_explicit(cell, memory_order_relaxed);

	atomic_store_explicit(cell, SEM_CELL_NEXT(old, adj), memory_order_relaxed);
}

static void let_go(void)
{
	atomic_store_explicit(&sems[0].word, sems[0].word & ~SEM_SLOW, memory_order_release);
}

/* The end of all: both processes are undone, and what is left is what was not to be undone. */
static void undo_all(void)
{
	int value;

	hold();
	for (uint32_t i = 0; i < 2; i++)
		sem_core_settle_cell(&set, i, 0);
	value = SEM_VALUE(sems[0].word);
	for (uint32_t i = 0; i < 2; i++)
		value += SEM_CELL_ADJ(sem_record(&set, i)->cell[0]);
	wrong |= value != expected + (plain_done ? 2 : 0);
}

/* ---- the programs ---- */

static void undone(unsigned int me)
{
	sem_core_add_undo(&set, me, 0, me == 0 ? -3 : 4, 1);
}

static void undone_twice(unsigned int me)
{
	undone(me);
	undone(me);
}

static void plain(unsigned int me)
{
	(void)me;
	plain_done = sem_core_add(&set, 0, 2, 1);
}

/* SETVAL: nothing from before is to be undone. */
static void setter(unsigned int me)
{
	uint64_t old = hold();

	(void)me;
	put(old, 7);
	for (uint32_t i = 0; i < 2; i++) {
		sem_core_settle_cell(&set, i, 0);
		put_cell(i, 0);
	}
	expected = 7;
	plain_done = false;
	let_go();
}

/* Another thread of the first process, which takes the lock. */
static void locked(unsigned int me)
{
	uint64_t old = hold();
	int adj;

	(void)me;
	sem_core_settle_cell(&set, 0, 0);
	adj = SEM_CELL_ADJ(
		atomic_load_explicit(&sem_record(&set, 0)->cell[0], memory_order_relaxed));
	put(old, SEM_VALUE(old) + 5);
	put_cell(0, adj - 5);
	let_go();
}

/* ---- wrong on purpose: who writes over a word does not tell its writer ---- */

static void forgetful(unsigned int me)
{
	uint64_t word = atomic_load_explicit(&sems[0].word, memory_order_acquire);

	(void)me;
	if (sem_core_can(word, 2))
		plain_done = atomic_compare_exchange_strong_explicit(
			&sems[0].word, &word, SEM_WORD(SEM_VALUE(word) + 2, 0, SEM_NONCE(word) + 1),
			memory_order_acq_rel, memory_order_relaxed);
}

static void run(const char *what, struct scenario *scenario)
{
	wrong = false;
	scenario->begin = begin;
	scenario->end = undo_all;
	scenario->found = &wrong;
	explore(scenario);
	print_message("# %s: %lu schedules, %lu with a kill\n", what, explorer.schedules,
		      explorer.killed);
}

static void test_killed(void **state)
{
	struct scenario s = { .programs = { { .run = undone_twice, .may_be_killed = true },
					    { .run = undone, .may_be_killed = true },
					    { .run = plain } },
			      .count = 3,
			      .preemptions = 2,
			      .kills = 1 };

	(void)state;
	run("two undone, one not", &s);
	assert_false(wrong);
}

static void test_set(void **state)
{
	struct scenario s = { .programs = { { .run = undone_twice, .may_be_killed = true },
					    { .run = undone, .may_be_killed = true },
					    { .run = setter } },
			      .count = 3,
			      .preemptions = 2,
			      .kills = 1 };

	(void)state;
	run("two undone, one sets", &s);
	assert_false(wrong);
}

static void test_threads(void **state)
{
	struct scenario s = { .programs = { { .run = undone_twice },
					    { .run = undone, .may_be_killed = true },
					    { .run = locked } },
			      .count = 3,
			      .preemptions = 2,
			      .kills = 1 };

	(void)state;
	run("two threads, one with the lock", &s);
	assert_false(wrong);
}

static void test_finds(void **state)
{
	struct scenario s = { .programs = { { .run = undone, .may_be_killed = true },
					    { .run = forgetful } },
			      .count = 2,
			      .preemptions = 2,
			      .kills = 1 };

	(void)state;
	run("one that does not tell", &s);
	assert_true(wrong);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_killed),
		cmocka_unit_test(test_set),
		cmocka_unit_test(test_threads),
		cmocka_unit_test(test_finds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
