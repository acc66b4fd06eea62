/* SPDX-License-Identifier: Apache-2.0 */
/*
 * texts.c - damages valid texts and gives them to their parsers, in memory that
 * ends where the text does.
 *
 *   fuzz_texts [INPUTS [SEED]]     a test in TAP: so many of each seed
 *   fuzz_texts --play NAME FILE    one text again
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fuzz.h"
#include "texts.h"

#define TEXT_MAX 65536u

/* An input that does not end is a failure, too; no single one takes a second. */
#define HANG_SECONDS 60

static const struct text_target *const tables[] = { engine_targets, scan_targets };
#define TABLES (sizeof(tables) / sizeof(tables[0]))

static void give(const struct text_target *t, const char *text, size_t length)
{
	char *exact = malloc(length ? length : 1);

	if (!exact)
		abort();
	memcpy(exact, text, length);
	t->parse(exact, length);
	free(exact);
}

static char text[TEXT_MAX], part[TEXT_MAX];

/* What steers parsers: marks, extremes of numbers, and what terminals obey. */
static const char *const words[] = { ":",
				     "/",
				     "\n",
				     ",",
				     "\"",
				     "{",
				     "}",
				     "[",
				     "]",
				     "-",
				     "null",
				     "-1",
				     "0",
				     "18446744073709551616",
				     "\033",
				     "\\u001b",
				     "9223372036854775807",
				     "1e999",
				     "true",
				     "\200",
				     " ",
				     ".scope",
				     "container:",
				     " (deleted)",
				     "/memfd:",
				     "\\040",
				     ")" };

/* Put @more bytes in place of @less at @at. */
static size_t replace(size_t length, size_t at, size_t less, const char *with, size_t more)
{
	if (less > length - at)
		less = length - at;
	if (length - less + more > TEXT_MAX)
		return length;
	memmove(text + at + more, text + at + less, length - at - less);
	memcpy(text + at, with, more);
	return length - less + more;
}

static size_t damage(size_t length, uint64_t *random)
{
	uint64_t r = fuzz_random(random);
	size_t at = length ? (r >> 8) % length : 0;
	size_t bytes = length ? fuzz_random(random) % (length - at) % 128 : 0;
	const char *word = words[(r >> 40) % (sizeof(words) / sizeof(words[0]))];

	switch (r % 6) {
	case 0:
		return at; /* cut off */
	case 1:
		part[0] = (char)(r >> 32);
		return replace(length, at, 1, part, 1);
	case 2:
		return replace(length, at, bytes, "", 0);
	case 3: /* once more, elsewhere */
		memcpy(part, text + at, bytes);
		return replace(length, length ? fuzz_random(random) % length : 0, 0, part, bytes);
	case 4:
		return replace(length, at, 0, word, strlen(word));
	default:
		return replace(length, at, bytes % 16, word, strlen(word));
	}
}

static void fuzz_from(const struct text_target *t, const char *seed, unsigned long inputs,
		      uint64_t random)
{
	for (unsigned long i = 0; i < inputs; i++) {
		size_t length = strlen(seed);

		memcpy(text, seed, length);
		for (unsigned long j = 0; i != 0 && j <= fuzz_random(&random) % 4; j++)
			length = damage(length, &random);
		alarm(HANG_SECONDS);
		give(t, text, length);
	}
	alarm(0);
}

static int play(const char *name, const char *path)
{
	FILE *f = fopen(path, "re");
	size_t length;

	if (!f) {
		perror(path);
		return 1;
	}
	length = fread(text, 1, TEXT_MAX, f);
	fclose(f);
	for (unsigned int i = 0; i < TABLES; i++)
		for (const struct text_target *t = tables[i]; t->name; t++)
			if (strcmp(t->name, name) == 0)
				give(t, text, length);
	return 0;
}

static void fuzz_table(const struct text_target *table, unsigned long inputs, uint64_t random,
		       unsigned int *number)
{
	for (const struct text_target *t = table; t->name; t++) {
		for (unsigned int i = 0; t->seeds[i]; i++)
			fuzz_from(t, t->seeds[i], inputs, random + 2 * i + 1);
		printf("ok %u %s: %lu damaged texts of each kind\n", ++*number, t->name, inputs);
	}
}

int main(int argc, char **argv)
{
	unsigned long inputs = argc > 1 ? strtoul(argv[1], NULL, 10) : 500;
	uint64_t random = argc > 2 ? strtoull(argv[2], NULL, 10) : 1;
	unsigned int number = 0;

	if (argc == 4 && strcmp(argv[1], "--play") == 0)
		return play(argv[2], argv[3]);
	setvbuf(stdout, NULL, _IOLBF, 0);
	for (unsigned int i = 0; i < TABLES; i++)
		fuzz_table(tables[i], inputs, random, &number);
	printf("1..%u\n", number);
	return 0;
}
