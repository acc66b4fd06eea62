/* SPDX-License-Identifier: Apache-2.0 */
/*
 * scols.c - rows as a table or a tree; see scols.h.
 */
#include "scols.h"

#include <errno.h>
#include <stdio.h>

struct libscols_table *table_new(const struct selection *selection, const char *tree,
				 bool no_headings)
{
	struct libscols_table *table = scols_new_table();

	if (table && tree && !scols_table_new_column(table, tree, 0.1, SCOLS_FL_TREE))
		goto no_memory;
	for (unsigned int i = 0; table && i < selection->count; i++) {
		const struct column *c = selection->column[i];

		if (!scols_table_new_column(table, c->name, 0.1, c->right ? SCOLS_FL_RIGHT : 0))
			goto no_memory;
	}
	if (!table)
		return NULL;
	scols_table_enable_noheadings(table, no_headings);
	/* A row is a line, however narrow the terminal is: it breaks lines itself, names stay
	 * whole. */
	scols_table_set_termforce(table, SCOLS_TERMFORCE_NEVER);
	return table;

no_memory:
	scols_unref_table(table);
	return NULL;
}

/* A cell with several lines, as lsblk(8) has them. */
static int break_lines(struct libscols_column *column)
{
	if (scols_column_set_flags(column, scols_column_get_flags(column) | SCOLS_FL_WRAP) < 0 ||
	    scols_column_set_safechars(column, "\n") < 0)
		return -1;
	return scols_column_set_wrapfunc(column, scols_wrapnl_chunksize, scols_wrapnl_nextchunk,
					 NULL);
}

/* Cells from column @first on; -1: no memory. */
static int fill(struct libscols_table *table, struct libscols_line *line, size_t first,
		const struct selection *selection, const struct rows *rows, unsigned int row)
{
	for (unsigned int i = 0; i < selection->count; i++) {
		struct value value = selection->column[i]->get(rows, row);

		if (value.type == VALUE_LINES &&
		    break_lines(scols_table_get_column(table, first + i)) < 0)
			return -1;
		if (scols_line_set_data(line, first + i, value_show(rows, &value)) < 0)
			return -1;
	}
	return 0;
}

struct libscols_line *table_add(struct libscols_table *table, const struct selection *selection,
				const struct rows *rows, unsigned int row)
{
	struct libscols_line *line = scols_table_new_line(table, NULL);

	return line && fill(table, line, 0, selection, rows, row) == 0 ? line : NULL;
}

struct libscols_line *tree_add(struct libscols_table *table, const struct selection *selection,
			       const struct rows *rows, unsigned int row,
			       struct libscols_line *parent, const char *label)
{
	struct libscols_line *line = scols_table_new_line(table, parent);

	if (!line || scols_line_set_data(line, 0, label) < 0)
		return NULL;
	return !rows || fill(table, line, 1, selection, rows, row) == 0 ? line : NULL;
}

int table_print(struct libscols_table *table)
{
	return scols_print_table(table) < 0 && !ferror(stdout) ? -ENOMEM : 0;
}

int table_print_rows(const struct selection *selection, bool no_headings, const struct rows *rows,
		     const unsigned int *row, unsigned int count)
{
	struct libscols_table *table = table_new(selection, NULL, no_headings);
	int err = table ? 0 : -ENOMEM;

	for (unsigned int i = 0; i < count && err == 0; i++)
		if (!table_add(table, selection, rows, row ? row[i] : i))
			err = -ENOMEM;
	if (err == 0)
		err = table_print(table);
	scols_unref_table(table);
	return memory_failed(rows->memory) ? -ENOMEM : err;
}
