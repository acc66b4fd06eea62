/* SPDX-License-Identifier: Apache-2.0 */
/*
 * table.h - from a pair of numbers to an index: a hash table that only grows.
 */
#ifndef COSHM_INSPECT_TABLE_H
#define COSHM_INSPECT_TABLE_H

#include <stdint.h>

#include "memory.h"

struct table_entry {
	uint64_t a, b;
	int value; /* one more than what is found; 0: free */
};

struct table {
	struct table_entry *entries;
	unsigned int room, count; /* room: 0, or a power of two */
};

/* What was put for this pair; -1: nothing. */
int table_find(const struct table *t, uint64_t a, uint64_t b);
/* Put @value, 0 or more, for a pair that has none. */
void table_put(struct table *t, struct memory *m, uint64_t a, uint64_t b, int value);

#endif /* COSHM_INSPECT_TABLE_H */
