/* SPDX-License-Identifier: Apache-2.0 */
/*
 * orphans.h - objects that nobody uses, why that is known, and what became of them.
 */
#ifndef COSHM_REPORT_ORPHANS_H
#define COSHM_REPORT_ORPHANS_H

#include "columns.h"
#include "places.h"

struct orphan_row {
	const char *result; /* "orphan", "removed", "in use", ...; NULL: it is not listed */
	const char *why;
};

struct orphans {
	struct places places;    /* first: the columns of objects are asked for it */
	struct orphan_row *row;  /* of each object                                 */
	const struct rows *rows; /* of = this                                      */
	struct selection selection;
	bool no_headings;
};

/* The columns of objects, and RESULT and WHY.  NULL: no memory. */
const struct column_set *orphans_columns(struct memory *m);

/* In the order of places; 0 or -ENOMEM. */
int orphans_table(const struct orphans *o);
int orphans_json(const struct orphans *o);

#endif /* COSHM_REPORT_ORPHANS_H */
