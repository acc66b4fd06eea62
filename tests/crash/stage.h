/* SPDX-License-Identifier: Apache-2.0 */
/*
 * stage.h - a directory of this run's own, that goes when it ends.
 */
#ifndef COSHM_TEST_STAGE_H
#define COSHM_TEST_STAGE_H

#include <stdbool.h>

#define NAME "channel" /* the only one that is there */

extern char stage_dir[64];

/* Make it, for the program @name; a signal takes it away. */
bool stage_set(const char *name);
/* At the end of @tests, of which @bad went wrong: the exit status. */
int stage_leave(int tests, int bad);

#endif /* COSHM_TEST_STAGE_H */
