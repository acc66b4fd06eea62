/* SPDX-License-Identifier: Apache-2.0 */
/*
 * parse.h - lines, words and numbers of texts that nobody vouches for.
 *
 * A span is a piece of somebody's text, without a NUL.  The functions that take
 * from a span leave what follows in it.
 */
#ifndef COSHM_INSPECT_PARSE_H
#define COSHM_INSPECT_PARSE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "memory.h"

struct span {
	const char *at, *end;
};

static inline struct span span_of(const char *text, size_t length)
{
	return (struct span){ text, text + length };
}

static inline size_t span_length(struct span s)
{
	return (size_t)(s.end - s.at);
}

/* The next line, without its newline; false: there is none. */
bool span_line(struct span *text, struct span *line);
/* The next word, which blanks part from others; false: there is none. */
bool span_word(struct span *line, struct span *word);
/* A number at the beginning; false: there is none, or it is too large. */
bool span_number(struct span *s, unsigned int base, uint64_t *number);
/* A word that is a number, with a sign maybe. */
bool span_word_number(struct span *line, int64_t *number);
/* This character at the beginning, taken away. */
bool span_skip(struct span *s, char c);

bool span_is(struct span s, const char *text);
bool span_begins(struct span s, const char *text);
bool span_ends(struct span s, const char *text);

/* As it is: to open files by, not to show; memory_printable() is for that. */
const char *span_copy(struct memory *m, struct span s);

/* For tables. */
uint64_t span_hash(struct span s);

#endif /* COSHM_INSPECT_PARSE_H */
