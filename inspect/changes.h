/* SPDX-License-Identifier: Apache-2.0 */
/*
 * changes.h - two looks at one machine in, what has happened in between out: no
 * system call is made here.
 *
 * What came and went between the looks is not seen.  What could be seen in one
 * look alone (a namespace that refused, a process whose maps may not be read) has
 * neither come nor gone.
 */
#ifndef COSHM_INSPECT_CHANGES_H
#define COSHM_INSPECT_CHANGES_H

#include "inspect.h"

/* Changes of one pair of looks come in this order: first what ended, then what began. */
enum change_kind {
	CHANGE_STOPPED,  /* container; in the earlier look                            */
	CHANGE_DIED,     /* peer of a channel                                         */
	CHANGE_DETACHED, /* process from object; in the earlier look                  */
	CHANGE_UNLINKED, /* its name is gone, its users still have the object         */
	CHANGE_REMOVED,  /* object; in the earlier look                               */
	CHANGE_STARTED,  /* container                                                 */
	CHANGE_JOINED,   /* container is in the namespace of its donor                */
	CHANGE_SPLIT,    /* container is left in the namespace its donor had before   */
	CHANGE_PAUSED,   /* container                                                 */
	CHANGE_RESUMED,  /* container                                                 */
	CHANGE_CREATED,  /* object                                                    */
	CHANGE_ATTACHED, /* process to object                                         */
};

#define CHANGE_KINDS (CHANGE_ATTACHED + 1)

struct change {
	enum change_kind kind;
	const struct snapshot *look; /* whose indices these are; each of them may be NOBODY */
	int container;               /* that it is about, or that the process is in         */
	int donor;                   /* of container: JOINED, SPLIT                         */
	int object;
	int process;    /* ATTACHED, DETACHED: NOBODY if all that is seen is the number     */
	uint64_t count; /* of them, or of peers that DIED                                   */
	bool ended;     /* DETACHED: as the process has ended                               */
	const struct channel_peer *peer; /* DIED, or NULL: somebody has recovered for it    */
};

struct changes {
	struct change *change;
	unsigned int count;
	struct memory *memory;
};

/* changes_find - @changes is valid as long as both looks are; changes_free() it.  0, or -ENOMEM. */
int changes_find(const struct snapshot *before, const struct snapshot *after,
		 struct changes **changes);
void changes_free(struct changes *changes);

/*
 * changes_hidden - is a place out of sight in the later look that the earlier one saw into?  All
 * that were seen in it may have ended since, and left it to one who came later: look again.
 */
bool changes_hidden(const struct snapshot *before, const struct snapshot *after);

/* "created", "attached", ... */
const char *change_name(enum change_kind kind);

#endif /* COSHM_INSPECT_CHANGES_H */
