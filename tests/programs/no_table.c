/* SPDX-License-Identifier: Apache-2.0 */
/*
 * no_table.c - "coshm info" without a table, for the static coshm of the tests:
 * Debian has no static libsmartcols.
 */
#include "info_report.h"

int info_print_table(const struct info_view *view)
{
	return info_print_json(view);
}
