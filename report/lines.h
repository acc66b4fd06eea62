/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lines.h - a table whose rows come one by one: each column is as wide as its set
 * says, and what is wider moves the rest of its line.
 */
#ifndef COSHM_REPORT_LINES_H
#define COSHM_REPORT_LINES_H

#include <stdio.h>

#include "columns.h"

void lines_put_headings(const struct column_set *set, const struct selection *selection, FILE *to);
void lines_put_row(const struct column_set *set, const struct selection *selection,
		   const struct rows *rows, unsigned int row, FILE *to);

#endif /* COSHM_REPORT_LINES_H */
