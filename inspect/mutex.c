/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mutex.c - does memory hold process-shared pthread mutexes?  By how they look.
 *
 * These are no friends of PID namespaces: a robust one's owner is a thread id,
 * which means another thread, or none, in another container.  Nothing marks them,
 * so this goes by glibc's layout for 64 bits, and by what the fields of a mutex
 * that is in use, or is not, can be together.  One that is not held is a 128 or 144
 * amid zeros, as any counter may be: it counts only where programs put it, at the
 * beginning, and in an array next to another one.
 */
#include "gather.h"

#define MUTEX_BYTES     40u
#define BEGINNING_BYTES 1024u

#define KIND_SHARED 128u
#define KIND_ROBUST 16u
#define KIND_PI     32u
#define KIND_KNOWN  (KIND_SHARED | KIND_ROBUST | KIND_PI | 64u | 3u | 256u | 512u)

#define OWNER_BITS  0x3fffffffu /* of a futex that has its owner's id in it */
#define TID_MAX     4194304u
#define OWNERS_LOST 0x7ffffffeu /* or one more: inconsistent, not recoverable */
#define USERS_MAX   65536u
#define COUNT_MAX   65536u

struct words {
	uint32_t lock, count, owner, users, kind, spins;
	uint64_t previous, next; /* of a robust one that is held */
};

static bool free_looks_right(const struct words *w)
{
	return (w->owner == 0 || (w->kind & KIND_ROBUST && w->owner >= OWNERS_LOST &&
				  w->owner <= OWNERS_LOST + 1)) &&
	       w->count == 0 && w->previous == 0 && w->next == 0;
}

static bool held_looks_right(const struct words *w)
{
	bool robust = w->kind & KIND_ROBUST;

	if (w->owner == 0 || w->owner > TID_MAX || w->users == 0 || w->count > COUNT_MAX)
		return false;
	if (robust || w->kind & KIND_PI) {
		if ((w->lock & OWNER_BITS) != w->owner)
			return false;
	} else if (w->lock > 2) {
		return false;
	}
	return robust ? w->next != 0 : w->previous == 0 && w->next == 0;
}

/* @expected: it is where one may be that is not held */
static bool looks_like_mutex(const unsigned char *at, bool expected)
{
	struct words w;

	memcpy(&w, at, sizeof(w));
	if (!(w.kind & KIND_SHARED) || (w.kind & ~KIND_KNOWN) != 0)
		return false;
	/* Spins of an adaptive one, of 16 bits; elision is never used when shared. */
	if (w.users > USERS_MAX || w.spins > ((w.kind & 3u) == 3 ? UINT16_MAX : 0u))
		return false;
	if (w.lock != 0)
		return held_looks_right(&w);
	return expected && free_looks_right(&w);
}

unsigned int mutex_count(const unsigned char *data, size_t bytes)
{
	_Static_assert(sizeof(struct words) == MUTEX_BYTES, "as glibc has it");
	size_t next = 0; /* behind the last one */
	unsigned int count = 0;

	for (size_t at = 0; at + MUTEX_BYTES <= bytes;) {
		if (looks_like_mutex(data + at, at < BEGINNING_BYTES || at == next)) {
			count++;
			at += MUTEX_BYTES;
			next = at;
		} else {
			at += 8;
		}
	}
	return count;
}
