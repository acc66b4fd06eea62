/* SPDX-License-Identifier: Apache-2.0 */
/*
 * no_table.c - "coshm info" without a table, for the static coshm of the tests:
 * Debian has no static libsmartcols.
 */
#include "info_report.h"

int info_take_columns(const char *names, struct info_columns *columns)
{
	(void)names;
	(void)columns;
	return -1;
}

int info_print_table(const struct info_view *view, const struct info_columns *columns)
{
	(void)columns;
	return info_print_json(view);
}
