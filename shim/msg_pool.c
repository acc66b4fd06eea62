/* SPDX-License-Identifier: Apache-2.0 */
/*
 * msg_pool.c - the blocks that messages lie in.
 *
 * Those that were used before are chained; the others were never touched, so that a
 * queue that could hold much needs memory for what it does hold.
 */
#include <string.h>

#include "msg.h"

uint32_t msg_blocks_for(uint32_t bytes)
{
	return bytes <= MSG_FIRST_BYTES ?
		       1 :
		       1 + (bytes - MSG_FIRST_BYTES + MSG_MORE_BYTES - 1) / MSG_MORE_BYTES;
}

static uint32_t min_u32(uint32_t a, uint32_t b)
{
	return a < b ? a : b;
}

/* Most blocks are full: of a known size, the compiler copies by itself. */
static inline void copy_part(void *to, const void *from, uint32_t part)
{
	if (part == MSG_MORE_BYTES)
		memcpy(to, from, MSG_MORE_BYTES);
	else
		memcpy(to, from, part);
}

/* Blocks that are about to be taken; nothing of the queue's is changed yet. */
struct supply {
	uint32_t free;
	uint32_t fresh;
};

/* 0: there is none. */
static uint32_t supply_next(struct msg_queue *q, struct supply *from)
{
	uint32_t ref = from->free;
	struct msg_block_shared *b = msg_block(q, ref);

	if (b) {
		from->free = msg_get(b->next);
		return ref;
	}
	if (from->fresh >= msg_blocks(q) && msg_grow(q) < 0)
		return 0;
	return ++from->fresh;
}

/* The blocks after the first; false if there are too few. */
static bool fill_more(struct msg_queue *q, struct msg_block_shared *b, const unsigned char *data,
		      uint32_t bytes, struct supply *from)
{
	while (bytes > 0) {
		uint32_t part = min_u32(bytes, MSG_MORE_BYTES), ref = supply_next(q, from);

		if (ref == 0) {
			/* The free ones are chained as they were; what we added to them is cut off.
			 */
			msg_put(b->next, 0);
			return false;
		}
		msg_put(b->next, ref);
		b = msg_block(q, ref);
		copy_part(b->more, data, part);
		data += part;
		bytes -= part;
	}
	msg_put(b->next, 0);
	return true;
}

uint32_t msg_fill(struct msg_queue *q, int64_t type, const void *data, uint32_t bytes)
{
	struct supply from = { msg_get(q->shared->free), msg_get(q->shared->fresh) };
	uint32_t part = min_u32(bytes, MSG_FIRST_BYTES), ref;
	uint64_t serial = msg_get(q->shared->serial) + 1;
	struct msg_block_shared *b;

	if (from.fresh > msg_blocks(q))
		from.fresh = msg_blocks(q);
	ref = supply_next(q, &from);
	if (ref == 0)
		return 0;
	b = msg_block(q, ref);
	msg_put(b->follower, 0);
	msg_put(b->bytes, bytes);
	msg_put(b->first.type, type);
	msg_put(b->first.serial, serial);
	memcpy(b->first.data, data, part);
	if (bytes <= part) {
		msg_put(b->next, 0);
	} else if (!fill_more(q, b, (const unsigned char *)data + part, bytes - part, &from)) {
		msg_mend(q); /* what we have taken is nobody's */
		return 0;
	}
	msg_put(q->shared->serial, serial);
	msg_put(q->shared->free, from.free);
	msg_put(q->shared->fresh, from.fresh);
	return ref;
}

bool msg_read(const struct msg_queue *q, uint32_t ref, void *to, uint32_t room)
{
	const struct msg_block_shared *b = msg_block(q, ref);
	unsigned char *at = to;
	uint32_t part = min_u32(room, MSG_FIRST_BYTES);

	if (!b)
		return false;
	memcpy(at, b->first.data, part);
	for (room -= part; room > 0; room -= part) {
		at += part;
		part = min_u32(room, MSG_MORE_BYTES);
		b = msg_block(q, msg_get(b->next));
		if (!b)
			return false;
		copy_part(at, b->more, part);
	}
	return true;
}

void msg_free(struct msg_queue *q, uint32_t ref)
{
	struct msg_block_shared *b = msg_block(q, ref), *next;
	uint32_t more = msg_blocks(q);

	if (!b)
		return;
	while ((next = msg_block(q, msg_get(b->next))) != NULL && --more > 0)
		b = next;
	msg_put(b->next, msg_get(q->shared->free));
	msg_put(q->shared->free, ref);
}
