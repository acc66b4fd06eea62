/* SPDX-License-Identifier: Apache-2.0 */
/*
 * events.h - changes of a machine as lines for people, as columns for filters
 * and for JSON.  A row is a change.
 */
#ifndef COSHM_REPORT_EVENTS_H
#define COSHM_REPORT_EVENTS_H

#include "changes.h"
#include "columns.h"
#include "places.h"

/* What struct rows is of. */
struct events {
	const struct changes *changes;
	const struct places *before, *after;
};

extern const struct column_set event_columns;

/* A line without its end, printable. */
const char *event_line(const struct rows *rows, unsigned int row);

/* Is it about this container of this look: by itself, by a process, or by what it shares? */
bool event_concerns(const struct events *events, unsigned int row, const struct snapshot *look,
		    int container);

#endif /* COSHM_REPORT_EVENTS_H */
