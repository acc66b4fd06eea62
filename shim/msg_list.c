/* SPDX-License-Identifier: Apache-2.0 */
/*
 * msg_list.c - the messages of a queue, in their order.
 */
#include "msg.h"

bool msg_wanted(const struct msg_want *want, int64_t type)
{
	switch (want->mode) {
	case MSG_ANY:
	case MSG_NUMBER:
		return true;
	case MSG_EQUAL:
		return type == want->type;
	case MSG_UNEQUAL:
		return type != want->type;
	case MSG_LOWEST:
		return type <= want->type;
	default:
		return false;
	}
}

/* Is this it, or is it the best so far?  True: no need to look further. */
static bool settles(struct msg_want *want, const struct msg_found *here, int64_t number)
{
	if (want->mode == MSG_NUMBER)
		return number == want->type;
	if (want->mode != MSG_LOWEST || here->type == 1)
		return true;
	want->type = here->type - 1;
	return false;
}

bool msg_find(const struct msg_queue *q, struct msg_want want, struct msg_found *found)
{
	uint32_t hops = msg_blocks(q);
	struct msg_found here = { .ref = msg_get(q->shared->head) };
	bool any = false;

	for (int64_t number = 0; here.ref != 0 && number < hops; number++) {
		const struct msg_block_shared *b = msg_block(q, here.ref);

		if (!b)
			break;
		here.type = msg_get(b->first.type);
		here.bytes = msg_get(b->bytes);
		if (msg_wanted(&want, here.type)) {
			bool settled = settles(&want, &here, number);

			if (settled || want.mode != MSG_NUMBER) {
				*found = here;
				any = true;
			}
			if (settled)
				return true;
		}
		here.before = here.ref;
		here.ref = msg_get(b->follower);
	}
	return any;
}

static void count(struct msg_queue *q, uint32_t bytes)
{
	msg_put(q->shared->count, msg_get(q->shared->count) + 1);
	msg_put(q->shared->bytes, msg_get(q->shared->bytes) + bytes);
}

/* The one store by which the message after @before is another one. */
static void link_after(struct msg_queue *q, uint32_t before, uint32_t ref)
{
	struct msg_block_shared *b = msg_block(q, before);

	msg_step();
	if (b)
		msg_put(b->follower, ref);
	else
		msg_put(q->shared->head, ref);
	msg_step();
}

static void insert(struct msg_queue *q, uint32_t before, uint32_t ref, uint32_t follower)
{
	struct msg_block_shared *b = msg_block(q, ref);

	msg_put(b->follower, follower);
	link_after(q, before, ref);
	if (follower == 0)
		msg_put(q->shared->tail, ref);
	count(q, msg_get(b->bytes));
}

void msg_append(struct msg_queue *q, uint32_t ref)
{
	insert(q, msg_get(q->shared->tail), ref, 0);
}

void msg_put_back(struct msg_queue *q, uint32_t ref)
{
	const struct msg_block_shared *mine = msg_block(q, ref), *b;
	uint32_t before = 0, at = msg_get(q->shared->head), hops = msg_blocks(q);

	if (!mine)
		return;
	while (hops-- > 0 && (b = msg_block(q, at)) != NULL &&
	       msg_get(b->first.serial) < msg_get(mine->first.serial)) {
		before = at;
		at = msg_get(b->follower);
	}
	insert(q, before, ref, at);
}

void msg_unlink(struct msg_queue *q, const struct msg_found *found)
{
	uint32_t follower = msg_get(msg_block(q, found->ref)->follower);

	link_after(q, found->before, follower);
	if (follower == 0)
		msg_put(q->shared->tail, found->before);
	msg_put(q->shared->count, msg_get(q->shared->count) - 1);
	msg_put(q->shared->bytes, msg_get(q->shared->bytes) - found->bytes);
}

bool msg_fits(const struct msg_queue *q, uint64_t bytes)
{
	uint64_t limit = msg_get(q->shared->limit), queued = msg_get(q->shared->bytes);

	return queued <= limit && bytes <= limit - queued && msg_get(q->shared->count) < limit;
}
