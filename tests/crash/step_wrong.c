/* SPDX-License-Identifier: Apache-2.0 */
/*
 * step_wrong.c - algorithms that are wrong, to see that the harness finds them out.
 *
 *   seqlock    a reader waits while the count is odd: stuck if the writer dies there
 *   unguarded  one buffer, and a reader who does not look whether it was replaced
 */
#include "play.h"

#define WORDS 16

struct wrong {
	_Atomic uint64_t count;
	_Atomic uint64_t words[WORDS];
};

static struct wrong *shared(void)
{
	return (struct wrong *)ledger->scratch;
}

/* Relaxed, all: what is wrong here is wrong on any machine. */
static void write_words(uint64_t value)
{
	for (int i = 0; i < WORDS; i++)
		atomic_store_explicit(&shared()->words[i], value, memory_order_relaxed);
}

static void read_words(void)
{
	uint64_t first = atomic_load_explicit(&shared()->words[0], memory_order_relaxed);

	for (int i = 1; i < WORDS; i++)
		must(atomic_load_explicit(&shared()->words[i], memory_order_relaxed) == first,
		     PLAY_TORN, "words 0 and %d are of two values", i);
}

static void seqlock_write(void)
{
	atomic_fetch_add(&shared()->count, 1);
	write_words(2);
	atomic_fetch_add(&shared()->count, 1);
}

static void seqlock_read(void)
{
	while (atomic_load(&shared()->count) % 2 != 0)
		;
	read_words();
}

static void unguarded_write(void)
{
	write_words(2);
}

const struct scenario wrong_scenarios[] = {
	{ .name = "wrong seqlock",
	  .act = seqlock_write,
	  .check = seqlock_read,
	  .must_find = PLAY_WEDGED },
	{ .name = "wrong unguarded buffer",
	  .act = unguarded_write,
	  .check = read_words,
	  .must_find = PLAY_TORN },
	{ 0 },
};
