/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cells.h - a screen of characters, made without a terminal: what is on it can
 * be drawn, printed, and tested.
 *
 * Whatever is written, a cell holds a character that takes one column, or two and
 * then the next cell is empty: no text can leave its place or control a terminal.
 */
#ifndef COSHM_REPORT_CELLS_H
#define COSHM_REPORT_CELLS_H

#include <stdio.h>
#include <wchar.h>

#include "memory.h"

enum style {
	STYLE_PLAIN,
	STYLE_TITLE,  /* the first line, and headings */
	STYLE_CHOSEN, /* the heading that is sorted by */
	STYLE_BOLD,
	STYLE_DIM,
	STYLE_GOOD,
	STYLE_WARNING,
	STYLE_BAD,
};

struct cell {
	wchar_t character; /* 0: the second half of the one before */
	enum style style;
};

struct cells {
	unsigned int rows, columns;
	struct cell *cell; /* rows * columns */
};

/* All spaces.  NULL: no memory, or a screen larger than any. */
struct cells *cells_new(struct memory *m, unsigned int rows, unsigned int columns);

struct cell *cells_at(const struct cells *c, unsigned int row, unsigned int column);

/*
 * cells_put - a text in the locale's encoding, cut off after @width columns, or
 * aligned to the right in them.  What is beyond the screen is left out.
 */
void cells_put(const struct cells *c, unsigned int row, unsigned int column, unsigned int width,
	       enum style style, const char *text);
void cells_put_right(const struct cells *c, unsigned int row, unsigned int column,
		     unsigned int width, enum style style, const char *text);

/* cells_fill - this style for a whole row. */
void cells_fill(const struct cells *c, unsigned int row, enum style style);

/* How many columns a text takes. */
unsigned int cells_width(const char *text);

/* Lines of text, without styles and without spaces at their ends. */
void cells_print(const struct cells *c, FILE *to);

#endif /* COSHM_REPORT_CELLS_H */
