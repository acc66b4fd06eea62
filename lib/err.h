/* SPDX-License-Identifier: Apache-2.0 */
/*
 * err.h - the sentence behind a negative errno, one per thread.
 */
#ifndef COSHM_ERR_H
#define COSHM_ERR_H

/* err_say - keep the sentence for coshm_errmsg(); returns -@err. */
__attribute__((format(printf, 2, 3))) int err_say(int err, const char *fmt, ...);

/* err_const - the same for a literal: no formatting, so that polling stays cheap. */
int err_const(int err, const char *sentence);

#endif /* COSHM_ERR_H */
