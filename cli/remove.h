/* SPDX-License-Identifier: Apache-2.0 */
/*
 * remove.h - take away an object that nobody uses, wherever it is; looked at
 * again right before.
 */
#ifndef COSHM_CLI_REMOVE_H
#define COSHM_CLI_REMOVE_H

#include <stddef.h>

#include "inspect.h"

enum removal {
	REMOVED,
	REMOVAL_GONE,   /* somebody else has removed it, or it is another one by now */
	REMOVAL_IN_USE, /* since we looked                                           */
	REMOVAL_FAILED,
};

/*
 * object_remove - in a child process, which enters the object's IPC namespace.
 * @why: a clause for people, of everything but REMOVED; cut if it is longer
 */
enum removal object_remove(const struct snapshot *s, int object, char *why, size_t bytes);

#endif /* COSHM_CLI_REMOVE_H */
