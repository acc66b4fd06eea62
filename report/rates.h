/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rates.h - objects, and what they have done since the look before: the rows of
 * coshm top, filtered and sorted.
 */
#ifndef COSHM_REPORT_RATES_H
#define COSHM_REPORT_RATES_H

#include "columns.h"
#include "places.h"

enum top_sort { TOP_SIZE, TOP_GROWTH, TOP_MESSAGES, TOP_WAITS, TOP_LOST, TOP_NAME };

#define TOP_SORTS (TOP_NAME + 1)

struct top_row {
	unsigned int place;
	const char *name;                     /* what people call it, shortly */
	const char *containers;               /* that share it, with commas   */
	bool has_rates;                       /* the look before had it, too  */
	double growth, messages, waits, lost; /* a second; bytes, or counts */
};

struct top_rows {
	struct places places; /* first: the columns of objects are asked for it           */
	struct rows rows;     /* of = this; a row is an object                            */
	struct top_row *row;  /* of each object; nothing in those that are not shown      */
	unsigned int *shown;  /* objects, in the order that was asked for                 */
	unsigned int count;   /* of these                                                 */
	uint64_t bytes;       /* of all objects                                           */
};

/* Which rows are shown, in which order, and how. */
struct top_order {
	enum top_sort sort;
	bool reverse;
	bool by_place;      /* first */
	const char *filter; /* text that the row has somewhere, whatever its case; or "" */
	const struct filter *filters; /* of columns */
	unsigned int filter_count;
	bool exact;                     /* bytes with all digits */
	const char *(*user)(uid_t uid); /* as in struct rows     */
};

/* What coshm top has of each object, and the columns of objects.  NULL: no memory. */
const struct column_set *top_columns(struct memory *m);

/* @before may be NULL: no rates then.  @rows stays where it is.  0 or -ENOMEM. */
int top_rows_make(const struct snapshot *before, const struct places *now,
		  const struct top_order *order, struct memory *m, struct top_rows *rows);

/* The rows, /dev/shm of all and what was not seen, as JSON on standard output.  0 or -ENOMEM. */
int top_rows_json(const struct top_rows *rows, const struct column_set *set);

/* "shm", "posix-shm", ...; of a channel, which kind it is: "stream" */
const char *top_type(const struct object *o);

/* "size", "growth", ... */
const char *top_sort_name(enum top_sort sort);

#endif /* COSHM_REPORT_RATES_H */
