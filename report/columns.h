/* SPDX-License-Identifier: Apache-2.0 */
/*
 * columns.h - columns of a listing: each has a name, and makes a value of a row.
 * A value knows what it is, so that one description serves the table, the
 * filters and JSON.
 */
#ifndef COSHM_REPORT_COLUMNS_H
#define COSHM_REPORT_COLUMNS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "memory.h"

enum value_type {
	VALUE_NONE, /* an empty cell, null in JSON */
	VALUE_TEXT,
	VALUE_NUMBER,
	VALUE_COUNT,   /* "12.3k" to people, a number to programs   */
	VALUE_RATE,    /* a second's, the same                      */
	VALUE_BYTES,   /* "64M" to people, a number to programs     */
	VALUE_GROWTH,  /* "+64M" a second, the same                 */
	VALUE_MOMENT,  /* seconds; ISO 8601 in UTC to people        */
	VALUE_USER,    /* a name to people, if there is one         */
	VALUE_MODE,    /* "rw-r--r--" to people, "0644" to programs */
	VALUE_KEY,     /* "0x0000162e"                              */
	VALUE_LIST,    /* texts                                     */
	VALUE_LINES,   /* texts, each in a line of its own          */
	VALUE_UNKNOWN, /* "-" to people, null to programs           */
};

struct value {
	enum value_type type;
	uint64_t number;
	double rate;
	const char *text; /* of a list: how people read it, or NULL: all of it */
	const char *const *list;
	unsigned int count; /* of the list */
};

/* What the values are made of, and how they are shown. */
struct rows {
	const void *of;                 /* as the columns' own file says           */
	struct memory *memory;          /* of texts that are made up               */
	const char *(*user)(uid_t uid); /* its name, or NULL; may itself be NULL   */
	bool exact;                     /* bytes with all digits                   */
};

struct column {
	const char *name; /* in capitals, as people ask for it */
	bool right;       /* aligned */
	struct value (*get)(const struct rows *rows, unsigned int row);
};

struct column_set {
	const struct column *column;
	unsigned int count;
	/* Names of those that are shown if nobody asks, with commas between them. */
	const char *standard;
	const char *grouped; /* below the title of a place */
	const char *tree;    /* behind the tree            */
	/* Of each column, where rows come before all are known; or NULL. */
	const unsigned char *width;
};

#define SELECTION_MAX 64

struct selection {
	const struct column *column[SELECTION_MAX];
	unsigned int count;
};

struct filter {
	const struct column *column;
	const char *value; /* of the cell, as people or programs see it; '*' is any text */
};

#define WHY_BYTES 512

struct value value_text(const char *text); /* "" is VALUE_NONE */
struct value value_of(enum value_type type, uint64_t number);
struct value value_rate(enum value_type type, double rate);

/* columns_join - both, without those of @more that have a name of one before.  NULL: no memory. */
const struct column_set *columns_join(struct memory *m, const struct column_set *set,
				      const struct column_set *more, const char *standard);

/* columns_select - "NAME,NAME", or "+NAME,NAME" behind the standard ones.  -1, and @why it is not.
 */
int columns_select(const struct column_set *set, const char *names, struct selection *selection,
		   char why[WHY_BYTES]);

/* "NAME, NAME and NAME" */
const char *columns_names(const struct column_set *set, char room[WHY_BYTES]);

/* filter_parse - "NAME=VALUE".  -1, and @why it is not. */
int filter_parse(const struct column_set *set, const char *text, struct filter *filter,
		 char why[WHY_BYTES]);

/* Do all filters let this row pass? */
bool filters_pass(const struct filter *filters, unsigned int count, const struct rows *rows,
		  unsigned int row);

/* A value as people read it. */
const char *value_show(const struct rows *rows, const struct value *value);

#endif /* COSHM_REPORT_COLUMNS_H */
