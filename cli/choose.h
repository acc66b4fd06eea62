/* SPDX-License-Identifier: Apache-2.0 */
/*
 * choose.h - columns and filters from the command line.
 */
#ifndef COSHM_CLI_CHOOSE_H
#define COSHM_CLI_CHOOSE_H

#include "columns.h"

#define CHOOSE_MAX 32 /* filters */

/* choose_columns - by what --output has.  0, or -1 after a complaint. */
int choose_columns(const struct column_set *set, const char *names, struct selection *selection);

/* choose_filters - by what each --filter has.  0, or -1 after a complaint. */
int choose_filters(const struct column_set *set, const char *const *text, unsigned int count,
		   struct filter *filter);

#endif /* COSHM_CLI_CHOOSE_H */
