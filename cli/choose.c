/* SPDX-License-Identifier: Apache-2.0 */
/*
 * choose.c - see choose.h.
 */
#include "choose.h"

#include <stdio.h>

#include "cli.h"

#define KNOWN_BYTES (WHY_BYTES + 32)

static const char *known(const struct column_set *set, char room[KNOWN_BYTES])
{
	char names[WHY_BYTES];

	snprintf(room, KNOWN_BYTES, "the columns are %s", columns_names(set, names));
	return room;
}

const char *choice_take(struct choice *choice, int c, const char *text)
{
	switch (c) {
	case 'o':
		choice->columns = text;
		return NULL;
	case 'n':
		choice->no_headings = true;
		return NULL;
	case 'b':
		choice->exact = true;
		return NULL;
	default:
		return texts_add(&choice->filters, text, "too many filters");
	}
}

bool choice_table(const struct choice *choice)
{
	return choice->columns || choice->no_headings;
}

const char *choice_finish(const struct choice *choice, bool json)
{
	return json && choice_table(choice) ? "--json has all columns, and no headings" : NULL;
}

int choice_parse(const struct choice *choice, const struct column_set *set, const char *usual,
		 struct selection *selection, struct filter filter[CHOOSE_MAX])
{
	if (choose_columns(set, choice->columns ? choice->columns : usual, selection) < 0)
		return -1;
	return choose_filters(set, choice->filters.text, choice->filters.count, filter);
}

int choose_columns(const struct column_set *set, const char *names, struct selection *selection)
{
	char why[WHY_BYTES], room[KNOWN_BYTES];

	if (columns_select(set, names, selection, why) == 0)
		return 0;
	complain(known(set, room), "%s", why);
	return -1;
}

int choose_filters(const struct column_set *set, const char *const *text, unsigned int count,
		   struct filter *filter)
{
	char why[WHY_BYTES], room[KNOWN_BYTES];

	for (unsigned int i = 0; i < count; i++) {
		if (filter_parse(set, text[i], &filter[i], why) < 0) {
			complain(known(set, room), "cannot filter by '%s': %s", text[i], why);
			return -1;
		}
	}
	return 0;
}
