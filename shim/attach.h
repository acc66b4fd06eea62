/* SPDX-License-Identifier: Apache-2.0 */
/*
 * attach.h - which segments this process has attached, and how often anybody has.
 *
 * Each attachment is known twice: here, with its address, for shmdt(2); and as a
 * count in a record of the table that names this process's token.  The number of
 * attachments of a segment is the sum of the records whose token is alive: it is
 * right also after kill -9 and exec, which ask nobody.
 *
 * Ordering edge:
 *
 *   USE  U1 who attaches: record, fence, then looks whether the segment is still there
 *        U2 who frees:    marks it removed, fence, then looks for records
 *        "either he who attaches sees the mark, or who frees sees the record"
 *        U3 who detaches: record gone, fence, then looks for the mark
 *        "either he who detaches sees the mark, or who marks it sees no record"
 *        Who attaches and sees the mark asks again under the table's lock, under
 *        which marked ones are freed: by then it is gone, or his record was seen.
 */
#ifndef COSHM_SHIM_ATTACH_H
#define COSHM_SHIM_ATTACH_H

#include "table.h"

struct attachment {
	char *addr; /* NULL: nothing here */
	size_t bytes;
	uint32_t record; /* in the table */
	uint32_t id;
};

/* All but attach_count() between these two: signals are blocked, and other threads wait. */
void attach_enter(sigset_t *signals);
void attach_leave(const sigset_t *signals);

/* U1: one more of segment @index; the record, or -errno. */
int attach_record(uint32_t index);
void attach_unrecord(uint32_t record);

/* Remember where it is mapped; 0 or -ENOMEM. */
int attach_remember(const struct attachment *a);
/* The attachment at just this address, or NULL. */
struct attachment *attach_find(const void *addr);
/* Those that lie in a range altogether, one at a time; NULL: no more. */
struct attachment *attach_within(const void *addr, size_t bytes);
void attach_forget(struct attachment *a);

/* U2: how many living attachments segment @index has. */
uint64_t attach_count(uint32_t index);
/* U2: not 0 for each of the first @count segments that has any. */
void attach_all(unsigned char *indexes, uint32_t count);
/* The records that dead owners of @token have left. */
void attach_forget_dead(uint32_t token);

/* fork's handlers: the child has attached what its parent had, with a token of its own. */
void attach_fork_prepare(void);
void attach_fork_parent(void);
void attach_fork_child(void);

#endif /* COSHM_SHIM_ATTACH_H */
