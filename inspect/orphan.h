/* SPDX-License-Identifier: Apache-2.0 */
/*
 * orphan.h - does nobody use an object any more?  A snapshot in, a verdict out:
 * no system call is made here.
 */
#ifndef COSHM_INSPECT_ORPHAN_H
#define COSHM_INSPECT_ORPHAN_H

#include "inspect.h"

/* MAYBE: it cannot be told. */
enum orphan { ORPHAN_NO, ORPHAN_YES, ORPHAN_MAYBE };

/*
 * object_orphan - does nobody use it, in any namespace?
 * @why: a clause for people, of the snapshot's memory: "nobody is attached, and
 *       pid 41, which made it, is gone"
 *
 * The snapshot has to be one with uses (not no_maps).
 */
enum orphan object_orphan(const struct snapshot *s, int object, const char **why);

/*
 * orphan_hidden - what keeps us from telling about a whole class of objects, as
 * the view is incomplete: a clause for people; NULL: nothing does.
 */
const char *orphan_hidden(const struct snapshot *s, int object);

#endif /* COSHM_INSPECT_ORPHAN_H */
