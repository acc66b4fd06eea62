/* SPDX-License-Identifier: Apache-2.0 */
/*
 * listing.h - chosen rows of objects, or of uses, as a table with a line above
 * each place, as a tree, or as JSON; on standard output, which the caller flushes.
 */
#ifndef COSHM_REPORT_LISTING_H
#define COSHM_REPORT_LISTING_H

#include "columns.h"
#include "places.h"

struct listing {
	const struct places *places;
	bool uses;        /* rows are uses, not objects          */
	struct rows rows; /* of = places                         */
	struct selection selection;
	bool no_headings;
	bool titles;             /* a line above each place             */
	const bool *inhabited;   /* of each place: shown also without rows; or NULL, none is */
	const unsigned int *row; /* in the order of places              */
	unsigned int count;
};

/* 0 or -ENOMEM. */
int listing_table(const struct listing *l);
int listing_tree(const struct listing *l);
int listing_json(const struct listing *l);

#endif /* COSHM_REPORT_LISTING_H */
