/* SPDX-License-Identifier: Apache-2.0 */
/*
 * choose.h - columns and filters from the command line: the options --output,
 * --noheadings, --bytes and --filter, which commands that show the machine have.
 */
#ifndef COSHM_CLI_CHOOSE_H
#define COSHM_CLI_CHOOSE_H

#include "columns.h"
#include "options.h"

#define CHOOSE_MAX TEXTS_MAX /* filters */

struct choice {
	const char *columns; /* or NULL: the usual ones */
	bool no_headings, exact;
	struct texts filters;
};

#define CHOICE_LETTERS "o:nb"
#define CHOICE_FILTER  0x400

#define CHOICE_OPTION(name, argument, c)                                                           \
	{                                                                                          \
		name, argument, NULL, c                                                            \
	}
#define CHOICE_OPTIONS                                                                             \
	CHOICE_OPTION("filter", required_argument, CHOICE_FILTER),                                 \
		CHOICE_OPTION("output", required_argument, 'o'),                                   \
		CHOICE_OPTION("noheadings", no_argument, 'n'),                                     \
		CHOICE_OPTION("bytes", no_argument, 'b')

/* choice_take - one of these options.  What is wrong, or NULL. */
const char *choice_take(struct choice *choice, int c, const char *text);

/* choice_table - is a table asked for, of a command that shows something else by itself? */
bool choice_table(const struct choice *choice);

/* choice_finish - what is wrong with them beside --json, or NULL. */
const char *choice_finish(const struct choice *choice, bool json);

/* choice_parse - @usual: the columns if none are asked for.  0, or -1 after a complaint. */
int choice_parse(const struct choice *choice, const struct column_set *set, const char *usual,
		 struct selection *selection, struct filter filter[CHOOSE_MAX]);

/* choose_columns - by what --output has.  0, or -1 after a complaint. */
int choose_columns(const struct column_set *set, const char *names, struct selection *selection);

/* choose_filters - by what each --filter has.  0, or -1 after a complaint. */
int choose_filters(const struct column_set *set, const char *const *text, unsigned int count,
		   struct filter *filter);

#endif /* COSHM_CLI_CHOOSE_H */
