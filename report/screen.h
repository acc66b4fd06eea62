/* SPDX-License-Identifier: Apache-2.0 */
/*
 * screen.h - what coshm top shows: a look at the machine, and what has changed
 * since the one before, laid out for a screen of any size.
 */
#ifndef COSHM_REPORT_SCREEN_H
#define COSHM_REPORT_SCREEN_H

#include "cells.h"
#include "rates.h"

struct screen_view {
	const struct snapshot *before; /* or NULL */
	const struct snapshot *now;
	struct top_order order;            /* by_place: a tree */
	const struct selection *selection; /* columns of top_columns() */
	bool no_headings;                  /* the list alone           */
	bool paused, help;
	bool typing;                /* the filter: it is in the last line, with a cursor  */
	const char *message;        /* for the last line, or NULL: which keys there are   */
	unsigned int first;         /* of the list's lines that is shown                  */
	unsigned int rows, columns; /* of the screen; 0: as many as it takes        */
};

struct screen {
	struct cells *cells;
	unsigned int lines; /* of the whole list        */
	unsigned int room;  /* for so many of its lines */
};

/* screen_make - in @m.  0 or -ENOMEM. */
int screen_make(const struct screen_view *view, struct memory *m, struct screen *screen);

#endif /* COSHM_REPORT_SCREEN_H */
