/* SPDX-License-Identifier: Apache-2.0 */
/*
 * run_init.h - the limits of a directory.
 */
#ifndef COSHM_CLI_RUN_INIT_H
#define COSHM_CLI_RUN_INIT_H

#include "layout_sysv.h"

/* One option for each; beside those that are a letter. */
enum run_limit {
	RUN_SHMMAX = 0x100,
	RUN_SHMALL,
	RUN_SHMMNI,
	RUN_SEMMSL,
	RUN_SEMMNS,
	RUN_SEMOPM,
	RUN_SEMMNI,
	RUN_MSGMAX,
	RUN_MSGMNB,
	RUN_MSGMNI,
	RUN_LIMITS_END
};

/* run_take_limit - from its option; what is wrong with it, or NULL. */
const char *run_take_limit(struct sysv_limits *limits, enum run_limit limit, const char *text);

/* run_init - make the table of a directory (that of $COSHM_DIR for NULL).  An enum cli_exit. */
int run_init(const char *dir, const struct sysv_limits *limits);

#endif /* COSHM_CLI_RUN_INIT_H */
