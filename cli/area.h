/* SPDX-License-Identifier: Apache-2.0 */
/*
 * area.h - directories of containers, opened.  Their owners are nobody whom we
 * trust: no symbolic link is followed out of there.
 */
#ifndef COSHM_CLI_AREA_H
#define COSHM_CLI_AREA_H

#include "inspect.h"

/* openat2(2): @resolve is its RESOLVE_...  -1 and errno. */
int area_open_path(int dir, const char *path, int flags, uint64_t resolve);

/* The directory that an area was seen at.  -1 and errno: ENOENT if it is another one by now. */
int area_open(const struct shm_area *area);

#endif /* COSHM_CLI_AREA_H */
