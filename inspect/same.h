/* SPDX-License-Identifier: Apache-2.0 */
/*
 * same.h - two looks at one machine: what of the one is what of the other.
 *
 * Pids, namespace and device numbers, inodes and ids are all handed out again, so
 * none of them is an identity over time by itself:
 *
 *   process     its pid and its start time
 *   namespace   its number, while somebody who was in it still is
 *   area        its device and root, while somebody who had it at /dev/shm still has
 *   container   its engine and id
 *   object      its id or inode in the same namespace or area, as long as what
 *               cannot change in an object's life is unchanged
 *
 * The time of the last change does not tell a System V object: IPC_SET and
 * semctl(SETVAL) change it.
 */
#ifndef COSHM_INSPECT_SAME_H
#define COSHM_INSPECT_SAME_H

#include "inspect.h"
#include "memory.h"

/* Indices into one look's array, by the index in the other's; or NOBODY. */
struct pairs {
	int *was; /* for each of the later look  */
	int *is;  /* for each of the earlier one */
};

struct same {
	const struct snapshot *before, *after;
	struct pairs processes, containers, ipcns, areas, objects;
	const unsigned int *first_before, *first_after; /* first of an object's uses; one more */
};

/* same_find - all pairs, in the caller's memory.  0, or -ENOMEM. */
int same_find(const struct snapshot *before, const struct snapshot *after, struct memory *m,
	      struct same *same);

/* How @process uses @object, or NULL; @first: as above, of this look. */
const struct use *same_use(const struct snapshot *s, const unsigned int *first, int object,
			   int process);

#endif /* COSHM_INSPECT_SAME_H */
