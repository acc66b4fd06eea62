/* SPDX-License-Identifier: Apache-2.0 */
/*
 * findings.h - what the doctor has found, for people and as JSON.
 */
#ifndef COSHM_REPORT_FINDINGS_H
#define COSHM_REPORT_FINDINGS_H

#include "doctor.h"

/* Both print on standard output.  The second one returns 0 or -ENOMEM. */
void findings_print_text(const struct snapshot *s, const struct diagnosis *diagnosis);
int findings_print_json(const struct snapshot *s, const struct diagnosis *diagnosis);

#endif /* COSHM_REPORT_FINDINGS_H */
