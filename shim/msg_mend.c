/* SPDX-License-Identifier: Apache-2.0 */
/*
 * msg_mend.c - what is made good for an owner of a queue's lock who died.
 *
 * Each of its steps can be done again: he who mends may die, too.  It also serves
 * who has run out of memory halfway.
 */
#include "msg.h"

/* The blocks of a message are in use; false if they cannot be what they say. */
static bool mark_message(struct msg_queue *q, uint32_t ref, uint32_t mark)
{
	struct msg_block_shared *b = msg_block(q, ref);
	uint32_t bytes = b ? msg_get(b->bytes) : 0, more;

	if (!b || bytes > MSG_BYTES_MAX)
		return false;
	for (more = msg_blocks_for(bytes); more > 0; more--) {
		if (!b || msg_get(b->mark) == mark)
			return false;
		msg_put(b->mark, mark);
		b = msg_block(q, msg_get(b->next));
	}
	return true;
}

static void mend_list(struct msg_queue *q, uint32_t mark)
{
	struct msg_queue_shared *s = q->shared;
	uint32_t ref = msg_get(s->head), before = 0;
	uint64_t count = 0, bytes = 0;

	while (ref != 0 && mark_message(q, ref, mark)) {
		struct msg_block_shared *b = msg_block(q, ref);

		count++;
		bytes += msg_get(b->bytes);
		before = ref;
		ref = msg_get(b->follower);
	}
	/* Of a list that somebody spoilt, the good part is kept. */
	if (ref != 0 && before != 0)
		msg_put(msg_block(q, before)->follower, 0);
	else if (ref != 0)
		msg_put(s->head, 0);
	msg_put(s->tail, before);
	msg_put(s->count, count);
	msg_put(s->bytes, bytes);
}

/* A message is on its way to a receiver, or on its way back from one. */
static void mend_place(struct msg_queue *q, uint32_t place, uint32_t mark)
{
	struct msg_place_shared *p = &q->places[place];
	uint32_t state = atomic_load_explicit(&p->state, memory_order_acquire); /* P4 */
	uint32_t ref = MSG_STATE_REF(state);
	const struct msg_block_shared *b = msg_block(q, ref);
	bool queued = b && msg_get(b->mark) == mark;

	switch (MSG_STATE_PHASE(state)) {
	case MSG_GIVEN:
	case MSG_TAKING:
		mark_message(q, ref, mark);
		break;
	case MSG_LAPSED:
		if (!queued && mark_message(q, ref, mark))
			msg_put_back(q, ref);
		msg_step();
		msg_put(p->state, MSG_STATE(MSG_AGAIN, MSG_STATE_LAP(state), 0));
		break;
	case MSG_FREE:
	case MSG_DONE:
		msg_place_free(q, place); /* the blocks are found free below */
		break;
	default:
		break;
	}
}

void msg_mend(struct msg_queue *q)
{
	struct msg_queue_shared *s = q->shared;
	uint32_t mark = msg_get(s->mends) + 1, crowd = 0, fresh = msg_get(s->fresh);
	uint32_t blocks = msg_blocks(q);

	msg_put(s->mends, mark);
	mend_list(q, mark);
	for (uint32_t i = msg_place_next(q, 0); i < MSG_PLACES; i = msg_place_next(q, i + 1))
		mend_place(q, i, mark);
	for (uint32_t i = msg_place_next(q, 0); i < MSG_PLACES; i = msg_place_next(q, i + 1))
		crowd++;
	msg_put(s->crowd, crowd);
	if (fresh > blocks)
		fresh = blocks;
	msg_put(s->free, 0);
	for (uint32_t ref = fresh; ref > 0; ref--) {
		struct msg_block_shared *b = msg_block(q, ref);

		if (msg_get(b->mark) == mark)
			continue;
		msg_put(b->next, msg_get(s->free));
		msg_put(s->free, ref);
	}
	msg_put(s->fresh, fresh);
}
