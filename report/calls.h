/* SPDX-License-Identifier: Apache-2.0 */
/*
 * calls.h - the IPC calls that a program makes, as a table and as JSON.
 */
#ifndef COSHM_REPORT_CALLS_H
#define COSHM_REPORT_CALLS_H

#include "columns.h"
#include "ipc_calls.h"

struct calls {
	const char *program; /* as it would be executed */
	const char *file;    /* what was looked at: it, or its interpreter */
	const char *why_not; /* it cannot be served; NULL: it can */
	const struct elf_needs *needs;
	const struct ipc_call *call;
	unsigned int count;
	struct selection selection; /* of the table */
	const struct filter *filter;
	unsigned int filters;
	bool no_headings;
};

extern const struct column_set call_columns; /* rows->of is a struct calls */

/* On standard output; 0 or -ENOMEM.  The table has no rows for what only may make calls. */
int calls_table(const struct calls *c, struct memory *m);
int calls_json(const struct calls *c, struct memory *m);

#endif /* COSHM_REPORT_CALLS_H */
