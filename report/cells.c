/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cells.c - a screen of characters; see cells.h.
 */
#include <limits.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "cells.h"

#define SIDE_MAX 65536u

struct cells *cells_new(struct memory *m, unsigned int rows, unsigned int columns)
{
	struct cells *c = memory_get(m, sizeof(*c));
	size_t count = (size_t)rows * columns;

	if (!c || rows > SIDE_MAX || columns > SIDE_MAX)
		return NULL;
	*c = (struct cells){ .rows = rows, .columns = columns };
	c->cell = memory_get(m, (count + 1) * sizeof(*c->cell));
	for (size_t i = 0; c->cell && i < count; i++)
		c->cell[i].character = L' ';
	return c->cell ? c : NULL;
}

struct cell *cells_at(const struct cells *c, unsigned int row, unsigned int column)
{
	return &c->cell[(size_t)row * c->columns + column];
}

/* The next character as it may be shown, and its width, which is 1 or 2; @text moves on. */
static wchar_t next(const char **text, mbstate_t *state, unsigned int *width)
{
	wchar_t character;
	size_t bytes = mbrtowc(&character, *text, MB_LEN_MAX, state);
	int columns;

	*width = 1;
	if (bytes == (size_t)-1 || bytes == (size_t)-2 || bytes == 0) {
		memset(state, 0, sizeof(*state));
		(*text)++;
		return L'?';
	}
	*text += bytes;
	columns = wcwidth(character);
	/* None: it controls the terminal, or changes the characters beside it. */
	if (columns <= 0)
		return L'?';
	*width = (unsigned int)columns;
	return character;
}

unsigned int cells_width(const char *text)
{
	mbstate_t state = { 0 };
	unsigned int all = 0, width;

	while (*text != '\0') {
		next(&text, &state, &width);
		all += width;
	}
	return all;
}

void cells_put(const struct cells *c, unsigned int row, unsigned int column, unsigned int width,
	       enum style style, const char *text)
{
	mbstate_t state = { 0 };
	unsigned int end, takes;

	if (row >= c->rows || column >= c->columns)
		return;
	end = width < c->columns - column ? column + width : c->columns;
	while (*text != '\0') {
		wchar_t character = next(&text, &state, &takes);

		if (takes > end - column)
			return;
		for (unsigned int i = 0; i < takes; i++)
			*cells_at(c, row, column + i) =
				(struct cell){ .character = i == 0 ? character : 0,
					       .style = style };
		column += takes;
	}
}

void cells_put_right(const struct cells *c, unsigned int row, unsigned int column,
		     unsigned int width, enum style style, const char *text)
{
	unsigned int takes = cells_width(text);
	unsigned int left = takes < width ? width - takes : 0;

	cells_put(c, row, column + left, width - left, style, text);
}

void cells_fill(const struct cells *c, unsigned int row, enum style style)
{
	for (unsigned int i = 0; row < c->rows && i < c->columns; i++)
		cells_at(c, row, i)->style = style;
}

static void print_character(wchar_t character, FILE *to)
{
	char bytes[MB_LEN_MAX];
	mbstate_t state = { 0 };
	size_t count = wcrtomb(bytes, character, &state);

	if (count == (size_t)-1)
		fputc('?', to);
	else
		fwrite(bytes, 1, count, to);
}

void cells_print(const struct cells *c, FILE *to)
{
	for (unsigned int row = 0; row < c->rows; row++) {
		unsigned int end = c->columns;

		while (end > 0 && cells_at(c, row, end - 1)->character == L' ')
			end--;
		for (unsigned int i = 0; i < end; i++)
			if (cells_at(c, row, i)->character != 0)
				print_character(cells_at(c, row, i)->character, to);
		fputc('\n', to);
	}
}
