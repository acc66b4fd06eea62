/* SPDX-License-Identifier: Apache-2.0 */
/*
 * look.h - a look at the whole machine, for the subcommands that show or judge it.
 */
#ifndef COSHM_CLI_LOOK_H
#define COSHM_CLI_LOOK_H

#include "inspect.h"
#include "options.h"

/*
 * look_at_machine - inspect_scan(), and on standard error what could not be seen
 * and what the reader should know.
 * @more: what to look at, or NULL; its root is $COSHM_INSPECT_ROOT where that is set
 * @snapshot: inspect_free() it, unless it failed
 *
 * The status to end with, an enum cli_exit: CLI_OK, CLI_INCOMPLETE, or CLI_FAILED
 * after a complaint.
 */
int look_at_machine(const struct inspect_opts *more, struct snapshot **snapshot);

/* The same without notes and remarks, for those who look time and again. */
int look_again(const struct inspect_opts *more, struct snapshot **snapshot);

/* The same without a complaint, for those who have a screen to themselves: @why it failed. */
int look_quietly(const struct inspect_opts *more, struct snapshot **snapshot, char why[256]);

/* That complaint.  CLI_FAILED. */
int look_failed(const char *why);

/*
 * look_dirs - folders with channels, as inspect_opts takes them: that of $COSHM_DIR, and those that
 * were @named, or NULL.  They are there until the next call.
 */
const char *const *look_dirs(const struct texts *named);

/* look_pause_ns - until the next look, if one that took @cost_ns is to come each @interval_ns, and
 * no more than a tenth of the time to go into looking. */
int64_t look_pause_ns(int64_t interval_ns, int64_t cost_ns);

#endif /* COSHM_CLI_LOOK_H */
