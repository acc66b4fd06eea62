/* SPDX-License-Identifier: Apache-2.0 */
/*
 * clock.h - the clock's segment: what lies in it, how it is found, and how
 * the time in it is written and read so that no reader sees half of one.
 *
 * 4096 bytes of System V shared memory under ftok(key file, project id):
 *
 *   text | magic | begin | time | end | interval | writer | unused
 *
 * Programs that were here before us know the text alone: the Unix time in
 * decimal, NUL-terminated, at offset 0.  Several bytes cannot be replaced in
 * one step, so a text can be seen half old and half new.  Our own programs
 * therefore pass the time in a second place, one aligned 64-bit word, which
 * the processor stores and loads whole.  docs/clock.md has the table.
 *
 * Two counters tell a reader whose text it looks at.  Our writer counts begin
 * up before it touches time and text, and sets end to begin when both are
 * done.  So, for a reader that finds our magic:
 *
 *   begin != end            our writer is at it, or died at it: take time
 *   the same, text == time  our writer's value, settled:        take time
 *   the same, text differs  an old program took over since:     take text
 *
 * There is no case in which a reader has to wait for the writer.  (An old
 * program that takes over from a writer of ours which died in an update is not
 * believed before the next writer of ours: the first row does not look at text.)
 *
 * Ordering edges (each is named where it is made and where it is used):
 *
 *   CLAIM  C1 writer: magic, then fence    ->  C2 reader: fence, then loads magic
 *          "if I saw a word of our writer's text, I see the magic"
 *   BEGIN  B1 writer: begin = n, then fence ->  B2 reader: fence, then loads begin
 *          "if I saw a word of update n's text, I see begin at n or later"
 *   FRESH  F1 writer: begin = n, release   ->  F2 reader: loads begin, acquire
 *          "if I see begin = n, I see the time before update n or a later one"
 *   END    E1 writer: end = n, release     ->  E2 reader: loads end, acquire
 *          "if I see end = n, I see the whole of update n"
 */
#ifndef COSHM_CLOCK_H
#define COSHM_CLOCK_H

#include <ctype.h>
#include <inttypes.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#define CLOCK_KEY_FILE      "/dev/shm/shm_file"
#define CLOCK_KEY_FILE_MODE 0744
#define CLOCK_PROJECT_ID    8
#define CLOCK_SEGMENT_BYTES 4096
#define CLOCK_SEGMENT_MODE  0600

#define CLOCK_TEXT_BYTES   32 /* -9223372036854775808 and its NUL fit */
#define CLOCK_TEXT_WORDS   (CLOCK_TEXT_BYTES / 8)
#define CLOCK_WRITER_BYTES 128

/* 18 digits, so that nothing overflows: the year 31,688,740,475. */
#define CLOCK_DIGITS      18
#define CLOCK_SECONDS_MAX INT64_C(999999999999999999)

/* Bytes "coshmck1"; the last one counts the layouts. */
#define CLOCK_MAGIC 0x316b636d68736f63u

/* Two programs map the segment at two addresses: only address-free atomics do. */
_Static_assert(ATOMIC_LLONG_LOCK_FREE == 2, "need lock-free 64-bit atomics");

struct clock_shared {
	_Alignas(8) _Atomic uint64_t text[CLOCK_TEXT_WORDS]; /* bytes, in memory order   */
	_Alignas(8) _Atomic uint64_t magic;                  /* CLOCK_MAGIC              */
	_Alignas(8) _Atomic uint64_t begin;                  /* updates begun            */
	_Alignas(8) _Atomic int64_t time;                    /* seconds since the epoch  */
	_Alignas(8) _Atomic uint64_t end;                    /* begin, when it was done  */
	_Alignas(8) _Atomic int64_t interval_ns;             /* between two updates      */
	char writer[CLOCK_WRITER_BYTES];                     /* who, for people to read  */
};

_Static_assert(offsetof(struct clock_shared, text) == 0, "layout");
_Static_assert(offsetof(struct clock_shared, magic) == 32, "layout");
_Static_assert(offsetof(struct clock_shared, begin) == 40, "layout");
_Static_assert(offsetof(struct clock_shared, time) == 48, "layout");
_Static_assert(offsetof(struct clock_shared, end) == 56, "layout");
_Static_assert(offsetof(struct clock_shared, interval_ns) == 64, "layout");
_Static_assert(offsetof(struct clock_shared, writer) == 72, "layout");
_Static_assert(sizeof(struct clock_shared) <= CLOCK_SEGMENT_BYTES, "layout");

/*
 * clock_begin - make the segment ours, before its first update.
 * @seconds: the time that update will publish
 *
 * Whatever an old program, or a writer of ours that was killed, left in the
 * segment stays readable until then.
 */
static inline void clock_begin(struct clock_shared *shared, int64_t seconds, int64_t interval_ns,
			       const char *writer)
{
	snprintf(shared->writer, sizeof(shared->writer), "%s", writer);
	/* Relaxed: it only tells a reader how patient to be. */
	atomic_store_explicit(&shared->interval_ns, interval_ns, memory_order_relaxed);
	/*
	 * An old program may have written here since our last writer did, so that the
	 * time is older than the text.  Relaxed: readers take it once F1 or the magic
	 * lets them; until then it only says that the text is not ours, and is taken.
	 */
	atomic_store_explicit(&shared->time, seconds, memory_order_relaxed);
	if (atomic_load_explicit(&shared->magic, memory_order_relaxed) == CLOCK_MAGIC)
		return;

	/* Relaxed: without the magic no reader looks at these. */
	atomic_store_explicit(&shared->begin, 0, memory_order_relaxed);
	atomic_store_explicit(&shared->end, 0, memory_order_relaxed);
	atomic_store_explicit(&shared->magic, CLOCK_MAGIC, memory_order_release);
	atomic_thread_fence(memory_order_release); /* C1 */
}

/*
 * clock_put - publish @seconds, wait-free.  One writer at a time; a writer
 * killed at any instruction leaves a time that readers can take whole.
 */
static inline void clock_put(struct clock_shared *shared, int64_t seconds)
{
	char text[CLOCK_TEXT_BYTES] = "";
	uint64_t words[CLOCK_TEXT_WORDS];
	uint64_t n;

	snprintf(text, sizeof(text), "%" PRId64, seconds);
	memcpy(words, text, sizeof(words));

	/* Relaxed: nobody else stores begin, or whoever did is dead. */
	n = atomic_load_explicit(&shared->begin, memory_order_relaxed) + 1;
	atomic_store_explicit(&shared->begin, n, memory_order_release); /* F1 */
	atomic_thread_fence(memory_order_release);                      /* B1 */
	/* Relaxed: one word, whole in any order; the text is between the edges B1 and E1. */
	atomic_store_explicit(&shared->time, seconds, memory_order_relaxed);
	for (int i = 0; i < CLOCK_TEXT_WORDS; i++)
		atomic_store_explicit(&shared->text[i], words[i], memory_order_relaxed);
	atomic_store_explicit(&shared->end, n, memory_order_release); /* E1 */
}

enum clock_state {
	CLOCK_HAS_TIME, /* the value is a time, and whole */
	CLOCK_EMPTY,    /* nothing was written yet        */
	CLOCK_ALIEN,    /* the segment is not a clock     */
};

static inline void clock_text_load(struct clock_shared *shared, char text[CLOCK_TEXT_BYTES])
{
	uint64_t words[CLOCK_TEXT_WORDS];

	/* Relaxed: between the edges E2 and B2, or an old program's bytes, which have none. */
	for (int i = 0; i < CLOCK_TEXT_WORDS; i++)
		words[i] = atomic_load_explicit(&shared->text[i], memory_order_relaxed);
	memcpy(text, words, CLOCK_TEXT_BYTES);
}

static inline enum clock_state clock_text_parse(const char text[CLOCK_TEXT_BYTES], int64_t *seconds)
{
	int64_t value = 0;
	int i = 0;

	if (text[0] == '\0')
		return CLOCK_EMPTY;
	for (; i < CLOCK_DIGITS && isdigit((unsigned char)text[i]); i++)
		value = value * 10 + (text[i] - '0');
	if (i == 0 || text[i] != '\0')
		return CLOCK_ALIEN;
	*seconds = value;
	return CLOCK_HAS_TIME;
}

/*
 * clock_get - the time in the segment, by whichever program wrote it last.
 * @seconds: set with CLOCK_HAS_TIME, untouched otherwise
 *
 * Where our own writer is concerned, never half of one time and half of
 * another.  An old writer's text has no such promise; it is read until two
 * looks in a row agree.  Lock-free: a bounded number of looks, never a wait.
 */
static inline enum clock_state clock_get(struct clock_shared *shared, int64_t *seconds)
{
	enum { LOOKS = 1000 };
	char text[CLOCK_TEXT_BYTES], before[CLOCK_TEXT_BYTES] = "";

	for (int i = 0; i < LOOKS; i++) {
		/* Acquire: our writer sets begin, time and end up before the magic. */
		bool ours =
			atomic_load_explicit(&shared->magic, memory_order_acquire) == CLOCK_MAGIC;
		uint64_t end = atomic_load_explicit(&shared->end, memory_order_acquire); /* E2 */
		int64_t value = 0, time;
		enum clock_state state;
		bool settled;

		clock_text_load(shared, text);
		state = clock_text_parse(text, &value);

		atomic_thread_fence(memory_order_acquire); /* B2, C2 */
		settled =
			atomic_load_explicit(&shared->begin, memory_order_acquire) == end; /* F2 */
		/* Relaxed: one word, whole; F2 says that it is not too old. */
		time = atomic_load_explicit(&shared->time, memory_order_relaxed);
		if (ours && (!settled || (state == CLOCK_HAS_TIME && value == time))) {
			if (time < 0 || time > CLOCK_SECONDS_MAX) /* of no writer of ours */
				return CLOCK_ALIEN;
			*seconds = time;
			return CLOCK_HAS_TIME;
		}
		/* Relaxed: the fence makes the edge. */
		if (!ours &&
		    atomic_load_explicit(&shared->magic, memory_order_relaxed) == CLOCK_MAGIC)
			continue; /* our writer has come while we looked */

		if (memcmp(text, before, sizeof(text)) == 0) {
			if (state == CLOCK_HAS_TIME)
				*seconds = value;
			return state;
		}
		memcpy(before, text, sizeof(text));
	}
	return CLOCK_EMPTY; /* never at rest: nothing that could be called a time */
}

#endif /* COSHM_CLOCK_H */
