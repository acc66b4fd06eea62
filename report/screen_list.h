/* SPDX-License-Identifier: Apache-2.0 */
/*
 * screen_list.h - the list of coshm top: columns that fit the screen's width, and
 * lines, which in a tree are places and containers, too.
 */
#ifndef COSHM_REPORT_SCREEN_LIST_H
#define COSHM_REPORT_SCREEN_LIST_H

#include "cells.h"
#include "rates.h"

enum list_column {
	LIST_TYPE,
	LIST_OBJECT,
	LIST_CONTAINER,
	LIST_SIZE,
	LIST_GROWTH,
	LIST_USERS,
	LIST_MESSAGES,
	LIST_WAITS,
	LIST_LOST,
};

#define LIST_COLUMNS (LIST_LOST + 1)

/* One line: an object's, or, of a tree, a text. */
struct list_line {
	const struct top_row *row; /* or NULL */
	const char *text;
	bool place; /* the text is a place, else a container */
};

struct list {
	const struct snapshot *s;
	struct memory *m;
	struct list_line *line;
	unsigned int count;
	unsigned int width[LIST_COLUMNS]; /* 0: left out */
	unsigned int columns;             /* of all of the screen */
	bool tree;
};

/* @columns: how many the screen has, or 0: as many as the list takes.  0 or -ENOMEM. */
int list_make(const struct places *p, const struct top_rows *rows, bool tree, unsigned int columns,
	      struct memory *m, struct list *list);

void list_put_headings(const struct list *list, const struct cells *cells, unsigned int row,
		       enum top_sort sort);

/* At most @room lines, from the line @first on. */
void list_put(const struct list *list, const struct cells *cells, unsigned int row,
	      unsigned int first, unsigned int room);

#endif /* COSHM_REPORT_SCREEN_LIST_H */
