/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rates.h - objects, and what they have done since the look before: the rows of
 * coshm top, filtered and sorted.
 */
#ifndef COSHM_REPORT_RATES_H
#define COSHM_REPORT_RATES_H

#include "places.h"

enum top_sort { TOP_SIZE, TOP_GROWTH, TOP_MESSAGES, TOP_WAITS, TOP_LOST, TOP_NAME };

#define TOP_SORTS (TOP_NAME + 1)

struct top_row {
	unsigned int object;
	unsigned int place;
	const char *name;                     /* what people call it, shortly */
	const char *containers;               /* that share it, with commas   */
	bool has_rates;                       /* the look before had it, too  */
	double growth, messages, waits, lost; /* a second; bytes, or counts */
};

struct top_rows {
	struct top_row *row;
	unsigned int count;
	uint64_t bytes; /* of all, also of those that are filtered out */
};

struct top_order {
	enum top_sort sort;
	bool reverse;
	bool by_place;      /* first */
	const char *filter; /* text that the row has somewhere, whatever its case; or "" */
};

/* @before may be NULL: no rates then.  -ENOMEM. */
int top_rows_make(const struct snapshot *before, const struct places *now,
		  const struct top_order *order, struct memory *m, struct top_rows *rows);

/* "shm", "posix-shm", ...; of a channel, which kind it is: "stream" */
const char *top_type(const struct object *o);

/* "size", "growth", ... */
const char *top_sort_name(enum top_sort sort);

#endif /* COSHM_REPORT_RATES_H */
