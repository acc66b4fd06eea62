/* SPDX-License-Identifier: Apache-2.0 */
/*
 * queue.c - create, open and close a queue, and recover for its dead.
 */
#include <errno.h>

#include "err.h"
#include "queue.h"

_Static_assert(sizeof(struct coshm_queue) <= REGION_HANDLE_BYTES, "a handle is one page");

#define SLOTS_DEFAULT   1024u
#define SLOTS_MAX       (UINT32_C(1) << 24)
#define MESSAGE_DEFAULT 112u /* with its state, two cache lines */
#define MESSAGE_MAX     16384u

static struct queue_ring ring_of(const struct region *r)
{
	const struct geometry *g = &r->geometry;
	unsigned int shift = (unsigned int)__builtin_ctz(g->slots);

	return (struct queue_ring){
		.control = (struct queue_control_shared *)(void *)r->shared->control,
		.slots = r->data,
		.mask = g->slots - 1,
		.shift = shift,
		.lap_shift = shift > QUEUE_LAP_SHIFT ? shift : QUEUE_LAP_SHIFT,
		.slot_bytes = g->slot_bytes,
		.payload = g->payload,
		.value_bytes = g->value_bytes,
		.drop = g->policy == COSHM_QUEUE_AT_MOST_ONCE,
	};
}

static struct bell data_bell(struct region *r)
{
	return (struct bell){ .mask = &r->shared->state.data_sleepers };
}

static struct bell room_bell(struct region *r)
{
	return (struct bell){ .mask = &r->shared->state.room_sleepers };
}

static void recover(struct region *r, unsigned int slot)
{
	struct queue_ring ring = ring_of(r);
	uint64_t dropped = queue_recover(&ring, slot);

	/* Relaxed: a number for people. */
	atomic_fetch_add_explicit(&r->shared->counters.lost, dropped, memory_order_relaxed);
	bell_ring(r, data_bell(r));
	bell_ring(r, room_bell(r));
}

static const struct region_kind kind = { .kind = LAYOUT_QUEUE, .recover = recover };

int queue_bury_the_dead(void *arg)
{
	struct coshm_queue *ch = *(struct coshm_queue **)arg;

	for (unsigned int slot = 0; slot < LAYOUT_SEATS; slot++)
		peer_bury(&ch->region, slot, &kind);
	return 0;
}

int coshm_queue_create(const char *name, const struct coshm_queue_shape *shape,
		       const struct coshm_create_opts *opts)
{
	struct region_plan p = { .name = name, .geometry = { .kind = LAYOUT_QUEUE } };
	struct geometry *g = &p.geometry;
	struct coshm_queue_shape s;
	int err;

	err = opts_take(&s, sizeof(s), shape, shape ? shape->size : 0);
	if (err == 0)
		err = opts_take(&p.opts, sizeof(p.opts), opts, opts ? opts->size : 0);
	if (err == 0)
		err = type_check(&p.opts.type);
	if (err < 0)
		return err;
	if (s.slots > SLOTS_MAX || s.message_bytes > MESSAGE_MAX ||
	    s.policy > COSHM_QUEUE_AT_MOST_ONCE)
		return err_say(EINVAL,
			       "a queue of this shape makes no sense: up to %u slots of %u bytes",
			       SLOTS_MAX, MESSAGE_MAX);
	g->policy = s.policy;
	g->slots = 2;
	while (g->slots < (s.slots ? s.slots : SLOTS_DEFAULT))
		g->slots *= 2;
	g->payload = p.opts.type.align > LAYOUT_PAYLOAD ? p.opts.type.align : LAYOUT_PAYLOAD;
	g->value_bytes = s.message_bytes ? s.message_bytes : MESSAGE_DEFAULT;
	g->slot_bytes = (g->payload + g->value_bytes + LAYOUT_LINE - 1) & ~(LAYOUT_LINE - 1);
	return region_create(&p);
}

int coshm_queue_open(const char *name, enum coshm_role role, const struct coshm_open_opts *opts,
		     struct coshm_queue **queue)
{
	struct coshm_queue *ch;
	struct region *r;
	int err;

	if (role != COSHM_PRODUCER && role != COSHM_CONSUMER)
		return err_const(EINVAL, "a queue is opened as producer or consumer");
	err = region_attach(&kind, name, role, opts, &r);
	if (err < 0)
		return err;
	ch = (struct coshm_queue *)r;
	ch->ring = ring_of(r);
	ch->data = data_bell(r);
	ch->room = room_bell(r);
	wait_register(r);
	queue_bury_the_dead(&ch);
	*queue = ch;
	return 0;
}

void queue_tally(struct coshm_queue *ch)
{
	struct counters_shared *c = &ch->region.shared->counters;

	/* Relaxed, both: numbers for people. */
	atomic_fetch_add_explicit(&c->messages, ch->tally_messages, memory_order_relaxed);
	atomic_fetch_add_explicit(&c->bytes, ch->tally_bytes, memory_order_relaxed);
	ch->tally_messages = 0;
	ch->tally_bytes = 0;
}

size_t coshm_queue_message_bytes(const struct coshm_queue *ch)
{
	return ch ? ch->ring.value_bytes : 0;
}

void coshm_queue_close(struct coshm_queue *ch)
{
	if (!ch)
		return;
	if (region_usable(&ch->region)) {
		notify_stop(&ch->notifier);
		if (ch->calls != 0)
			recover(&ch->region,
				ch->region.slot); /* what is still ours goes to others */
		queue_tally(ch);
	}
	region_detach(&ch->region);
}
