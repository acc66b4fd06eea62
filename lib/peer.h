/* SPDX-License-Identifier: Apache-2.0 */
/*
 * peer.h - who is attached to a region, and who of them is dead.
 *
 * A peer owns one slot and holds an open-file-description lock on that slot's
 * byte of the file.  The lock belongs to the description that the region is
 * mapped through, whose descriptor is closed: it lives exactly as long as the
 * mapping.  The kernel drops it when the process is gone, in any PID namespace,
 * and not while it is stopped.  So
 *
 *   lock held                      alive, however long it has not moved
 *   lock free, slot says "in use"  dead; whoever takes the lock recovers for it
 *   lock free, slot says "free"    free
 *
 * Its owner's lock is a write lock, which a program that may only read the file
 * cannot have: a read lock says nothing of the owner.
 *
 * A process id is kept for people to read and means nothing here.
 */
#ifndef COSHM_PEER_H
#define COSHM_PEER_H

#include "region.h"

enum peer_state {
	PEER_NONE,
	PEER_ALIVE,
	PEER_DEAD,
};

#define PEER_TEXT_BYTES 96

/*
 * Between the open and the close of a descriptor that locks, no fork may give
 * a child a copy of it: the child would keep the lock when we are dead.
 */
void peer_guard(void);
void peer_unguard(void);

/* Lock the byte of @slot, or LAYOUT_NAME_LOCK; 0, -EAGAIN: another one has it, or -errno. */
int peer_lock(int fd, unsigned int slot);

int peer_take(struct region *r, int fd, const struct region_kind *kind);
void peer_leave(struct region *r);

enum peer_state peer_probe(struct region *r, unsigned int slot);

/*
 * As a waiter's check: -EOWNERDEAD if the publisher has died, and 0 from then on:
 * told once for each, so that who goes on waiting does not spin.
 */
int peer_publisher_check(struct region *r);
/* The same for a thread that waits in poll's stead: it leaves it to be told. */
int peer_publisher_watch(struct region *r);

/* Recover for peer @slot if it is dead; true if it was, and now is gone. */
bool peer_bury(struct region *r, unsigned int slot, const struct region_kind *kind);

/* Text that a peer wrote, in bounds and in letters that no terminal takes for a command. */
void peer_printable(char *to, size_t to_bytes, const char *from, size_t from_bytes);

/* "pid 12 (pricer) in 0f3c..." for an error message; nothing in it is trusted. */
const char *peer_describe(const struct region *r, unsigned int slot, char text[PEER_TEXT_BYTES]);

#endif /* COSHM_PEER_H */
