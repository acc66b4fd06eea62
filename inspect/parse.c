/* SPDX-License-Identifier: Apache-2.0 */
/*
 * parse.c - lines, words and numbers; parse.h says how they are used.
 */
#include "parse.h"

bool span_line(struct span *text, struct span *line)
{
	const char *newline;

	if (text->at == text->end)
		return false;
	newline = memchr(text->at, '\n', span_length(*text));
	line->at = text->at;
	line->end = newline ? newline : text->end;
	text->at = newline ? newline + 1 : text->end;
	return true;
}

static bool blank(char c)
{
	return c == ' ' || c == '\t';
}

bool span_word(struct span *line, struct span *word)
{
	while (line->at < line->end && blank(*line->at))
		line->at++;
	word->at = line->at;
	while (line->at < line->end && !blank(*line->at))
		line->at++;
	word->end = line->at;
	return word->at < word->end;
}

static unsigned int digit(char c)
{
	if (c >= '0' && c <= '9')
		return (unsigned int)(c - '0');
	if (c >= 'a' && c <= 'f')
		return (unsigned int)(c - 'a') + 10;
	return 16;
}

bool span_number(struct span *s, unsigned int base, uint64_t *number)
{
	const char *at = s->at;
	uint64_t n = 0;

	for (; at < s->end && digit(*at) < base; at++)
		if (__builtin_mul_overflow(n, base, &n) ||
		    __builtin_add_overflow(n, digit(*at), &n))
			return false;
	if (at == s->at)
		return false;
	s->at = at;
	*number = n;
	return true;
}

bool span_word_number(struct span *line, int64_t *number)
{
	struct span word;
	bool negative;
	uint64_t n;

	if (!span_word(line, &word))
		return false;
	negative = span_skip(&word, '-');
	if (!span_number(&word, 10, &n) || word.at != word.end)
		return false;
	/* What is counted in unsigned words may have its highest bit set. */
	*number = negative ? (int64_t)-n : (int64_t)n;
	return true;
}

bool span_skip(struct span *s, char c)
{
	if (s->at == s->end || *s->at != c)
		return false;
	s->at++;
	return true;
}

bool span_is(struct span s, const char *text)
{
	return span_length(s) == strlen(text) && span_begins(s, text);
}

bool span_begins(struct span s, const char *text)
{
	size_t length = strlen(text);

	return span_length(s) >= length && memcmp(s.at, text, length) == 0;
}

bool span_ends(struct span s, const char *text)
{
	size_t length = strlen(text);

	return span_length(s) >= length && memcmp(s.end - length, text, length) == 0;
}

const char *span_copy(struct memory *m, struct span s)
{
	return memory_copy(m, s.at, span_length(s));
}

/* FNV-1a. */
uint64_t span_hash(struct span s)
{
	uint64_t sum = UINT64_C(0xcbf29ce484222325);

	for (; s.at < s.end; s.at++)
		sum = (sum ^ (unsigned char)*s.at) * UINT64_C(0x100000001b3);
	return sum;
}
