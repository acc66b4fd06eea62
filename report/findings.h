/* SPDX-License-Identifier: Apache-2.0 */
/*
 * findings.h - what the doctor has found, for people, as a table and as JSON.
 */
#ifndef COSHM_REPORT_FINDINGS_H
#define COSHM_REPORT_FINDINGS_H

#include "columns.h"
#include "doctor.h"

/* What struct rows is of; a row is a finding. */
struct findings {
	const struct snapshot *s;
	const struct diagnosis *diagnosis;
	const unsigned int *row; /* those that are shown, the worst first */
	unsigned int count;
	const struct rows *rows; /* of = this */
	struct selection selection;
	bool no_headings;
};

/* They are the members of the JSON, too. */
extern const struct column_set finding_columns;

/* On standard output.  The latter two return 0 or -ENOMEM. */
void findings_print_text(const struct findings *f);
int findings_print_table(const struct findings *f);
int findings_print_json(const struct findings *f);

#endif /* COSHM_REPORT_FINDINGS_H */
