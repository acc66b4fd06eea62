/* SPDX-License-Identifier: Apache-2.0 */
/*
 * top.h - coshm top: what is asked for, what was seen, and what is shown of it.
 */
#ifndef COSHM_CLI_TOP_H
#define COSHM_CLI_TOP_H

#include "choose.h"
#include "screen.h"

#define FILTER_ROOM 64

struct top {
	bool once, json;
	struct choice choice;
	const struct column_set *set;
	struct selection selection;
	struct filter filters[CHOOSE_MAX];
	int64_t interval_ns;
	struct texts dirs;

	struct snapshot *before, *now;
	int64_t due_ns; /* the next look */
	struct screen_view view;
	struct screen screen; /* as it was drawn last: how much of the list there is */
	char filter[FILTER_ROOM];
	char message[512];
};

/* top_look - one more look, and @why it failed.  An enum cli_exit. */
int top_look(struct top *top, char why[256]);

/* top_live - on the terminal, until it is told to stop.  An enum cli_exit. */
int top_live(struct top *top);

#endif /* COSHM_CLI_TOP_H */
