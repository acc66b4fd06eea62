/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sysv_stage.h - a directory of this run's own, which the shim serves.
 */
#ifndef COSHM_TEST_SYSV_STAGE_H
#define COSHM_TEST_SYSV_STAGE_H

#include <stdbool.h>

/* Make it, for the test @name, and start again with it in COSHM_DIR: that counts from a start. */
void sysv_stage(const char *name, char **argv);
void sysv_stage_leave(void);

/* How many files lie in its folder beside the table; removes all if @empty. */
int sysv_files(bool empty);

#endif /* COSHM_TEST_SYSV_STAGE_H */
