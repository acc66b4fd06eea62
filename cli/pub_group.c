/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pub_group.c - see pub.h.
 */
#include <grp.h>

#include "pub.h"

int pub_find_group(const char *name, uint32_t *group)
{
	const struct group *found = getgrnam(name);

	if (!found)
		return -1;
	*group = found->gr_gid;
	return 0;
}
