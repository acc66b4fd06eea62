/* SPDX-License-Identifier: Apache-2.0 */
/*
 * grow.h - which directory is to grow, and what may stand in the way of filling it.
 */
#ifndef COSHM_CLI_GROW_H
#define COSHM_CLI_GROW_H

#include <stdbool.h>
#include <stdint.h>

#include "inspect.h"

struct grow_target {
	int dir;         /* a descriptor of its topmost directory            */
	pid_t pid;       /* of one who sees it; 0: it was named as a directory */
	char label[256]; /* "/dev/shm of web"                                */
	int area;        /* in @snapshot, or NOBODY                          */
	struct snapshot *snapshot;
};

/* grow_find - by what is on the command line: CLI_OK, or CLI_FAILED after a complaint. */
int grow_find(const char *what, struct grow_target *target);
void grow_free(struct grow_target *target);

/* grow_warn - of memory that is not there to fill @bytes with. */
void grow_warn(const struct grow_target *target, uint64_t bytes);

bool grow_in_user_namespace(void);

#endif /* COSHM_CLI_GROW_H */
