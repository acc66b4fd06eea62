/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lines.c - see lines.h.
 */
#include "lines.h"

#include "cells.h"

/* @spaces are owed to what comes next; none are at the end of a line. */
static void put(const struct column_set *set, const struct column *column, const char *text,
		unsigned int *spaces, FILE *to)
{
	unsigned int takes = cells_width(text), most = cells_width(column->name);
	unsigned int width = set->width[column - set->column];
	unsigned int left;

	width = width > most ? width : most;
	left = width > takes ? width - takes : 0;
	if (takes == 0 || column->right)
		*spaces += left;
	if (takes != 0) {
		fprintf(to, "%*s%s", (int)*spaces, "", text);
		*spaces = column->right ? 0 : left;
	}
	(*spaces)++;
}

void lines_put_headings(const struct column_set *set, const struct selection *selection, FILE *to)
{
	unsigned int spaces = 0;

	for (unsigned int i = 0; i < selection->count; i++)
		put(set, selection->column[i], selection->column[i]->name, &spaces, to);
	fputc('\n', to);
}

void lines_put_row(const struct column_set *set, const struct selection *selection,
		   const struct rows *rows, unsigned int row, FILE *to)
{
	unsigned int spaces = 0;

	for (unsigned int i = 0; i < selection->count; i++) {
		struct value value = selection->column[i]->get(rows, row);

		put(set, selection->column[i], value_show(rows, &value), &spaces, to);
	}
	fputc('\n', to);
}
