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
