/* SPDX-License-Identifier: Apache-2.0 */
/*
 * screen_list.h - the list of coshm top: columns that fit the screen's width, and
 * lines, which in a tree are places and containers, too.
 */
#ifndef COSHM_REPORT_SCREEN_LIST_H
#define COSHM_REPORT_SCREEN_LIST_H

#include "cells.h"
#include "rates.h"

struct list_column {
	const struct column *column;
	unsigned int width; /* 0: left out                                    */
	unsigned int wants; /* as wide as its values, where that was measured */
	unsigned int rank;  /* narrow screens leave out the highest; 0: stays */
	enum top_sort sort; /* that it shows, or TOP_SORTS                    */
};

/* One line: an object's, or, of a tree, a text. */
struct list_line {
	const char *text; /* or NULL: it is an object's */
	unsigned int object;
	bool place; /* the text is a place, else a container */
};

struct list {
	const struct top_rows *rows;
	struct memory *m;
	struct list_line *line;
	unsigned int count;
	struct list_column column[SELECTION_MAX];
	unsigned int column_count;
	unsigned int columns; /* of all of the screen */
	bool tree;
};

/*
 * list_make - @columns: how many the screen has, or 0: as many as the list takes.
 * 0 or -ENOMEM.
 */
int list_make(const struct top_rows *rows, const struct selection *selection, bool tree,
	      unsigned int columns, struct memory *m, struct list *list);

void list_put_headings(const struct list *list, const struct cells *cells, unsigned int row,
		       enum top_sort sort);

/* At most @room lines, from the line @first on. */
void list_put(const struct list *list, const struct cells *cells, unsigned int row,
	      unsigned int first, unsigned int room);

#endif /* COSHM_REPORT_SCREEN_LIST_H */
