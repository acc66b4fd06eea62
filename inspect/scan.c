/* SPDX-License-Identifier: Apache-2.0 */
/*
 * scan.c - all facts of a machine, together; inspect.h says what they are.
 */
#include <errno.h>
#include <stdio.h>

#include "inspect.h"
#include "memory.h"

int inspect_scan(const struct inspect_opts *opts, struct snapshot **snapshot, char why[256])
{
	struct memory *m = memory_new();
	struct snapshot *s = m ? memory_get(m, sizeof(*s)) : NULL;

	(void)opts;
	if (!s) {
		snprintf(why, 256, "no memory is left");
		memory_free(m);
		return -ENOMEM;
	}
	s->memory = m;
	s->own_process = NOBODY;
	*snapshot = s;
	return 0;
}

void inspect_free(struct snapshot *s)
{
	if (s)
		memory_free(s->memory);
}
