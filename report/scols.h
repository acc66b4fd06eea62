/* SPDX-License-Identifier: Apache-2.0 */
/*
 * scols.h - rows as a table, or as a tree with a column of its own in front,
 * made by libsmartcols.
 */
#ifndef COSHM_REPORT_SCOLS_H
#define COSHM_REPORT_SCOLS_H

#include <libsmartcols/libsmartcols.h>

#include "columns.h"

/*
 * table_new - scols_unref_table() it.  NULL: no memory.
 * @tree: heading of the tree, or NULL for a plain table
 */
struct libscols_table *table_new(const struct selection *selection, const char *tree,
				 bool no_headings);

/* table_add - one row.  NULL: no memory. */
struct libscols_line *table_add(struct libscols_table *table, const struct selection *selection,
				const struct rows *rows, unsigned int row);

/* The same in a tree, behind @label; with @rows NULL the label alone.  @parent may be NULL. */
struct libscols_line *tree_add(struct libscols_table *table, const struct selection *selection,
			       const struct rows *rows, unsigned int row,
			       struct libscols_line *parent, const char *label);

/* On standard output, which the caller flushes.  0 or -ENOMEM. */
int table_print(struct libscols_table *table);

/* The same of these rows, or (@row is NULL) of the first @count. */
int table_print_rows(const struct selection *selection, bool no_headings, const struct rows *rows,
		     const unsigned int *row, unsigned int count);

#endif /* COSHM_REPORT_SCOLS_H */
