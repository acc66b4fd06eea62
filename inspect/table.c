/* SPDX-License-Identifier: Apache-2.0 */
/*
 * table.c - a hash table with open addresses; table.h says how it is used.
 */
#include "table.h"

/* Inodes and devices of strangers come here: numbers that are close must not end up close. */
static uint64_t mix(uint64_t a, uint64_t b)
{
	uint64_t x = a * UINT64_C(0x9e3779b97f4a7c15) ^ b;

	x = (x ^ (x >> 32)) * UINT64_C(0xd6e8feb86659fd93);
	return x ^ (x >> 32);
}

static struct table_entry *slot_of(const struct table *t, uint64_t a, uint64_t b)
{
	uint64_t at = mix(a, b);

	for (;; at++) {
		struct table_entry *e = &t->entries[at & (t->room - 1)];

		if (e->value == 0 || (e->a == a && e->b == b))
			return e;
	}
}

int table_find(const struct table *t, uint64_t a, uint64_t b)
{
	return t->room == 0 ? -1 : slot_of(t, a, b)->value - 1;
}

static void grow(struct table *t, struct memory *m)
{
	struct table larger = { .room = t->room == 0 ? 64 : t->room * 2, .count = t->count };

	larger.entries = memory_get(m, larger.room * sizeof(*larger.entries));
	if (!larger.entries)
		return;
	for (unsigned int i = 0; i < t->room; i++)
		if (t->entries[i].value != 0)
			*slot_of(&larger, t->entries[i].a, t->entries[i].b) = t->entries[i];
	*t = larger;
}

void table_put(struct table *t, struct memory *m, uint64_t a, uint64_t b, int value)
{
	if (t->count >= t->room / 2)
		grow(t, m);
	if (memory_failed(m))
		return;
	*slot_of(t, a, b) = (struct table_entry){ a, b, value + 1 };
	t->count++;
}
