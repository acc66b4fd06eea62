/* SPDX-License-Identifier: Apache-2.0 */
/*
 * stream.c - create, open and close a stream; stream_core.h has the protocol.
 */
#include <errno.h>

#include "err.h"
#include "stream.h"

_Static_assert(sizeof(struct coshm_stream) <= REGION_HANDLE_BYTES, "a handle is one page");

#define SLOTS_DEFAULT 1024u
#define SMALL_DEFAULT 112u /* with its word, two cache lines */
#define SMALL_MAX     16384u
#define LARGE_MAX     (UINT64_C(1) << 42)

static struct stream_control_shared *control_of(struct region *r)
{
	return (struct stream_control_shared *)(void *)r->shared->control;
}

/* A dead subscriber is waited for no longer.  A dead publisher left nothing that stands in the way.
 */
static void recover(struct region *r, unsigned int slot)
{
	struct stream_ring ring = { .control = control_of(r) };

	if (slot != LAYOUT_PUBLISHER)
		stream_part(&ring, slot);
}

const struct region_kind stream_kind = { .kind = LAYOUT_STREAM, .recover = recover };

static uint64_t power_of_two_from(uint64_t n)
{
	uint64_t power = 1;

	while (power < n)
		power <<= 1;
	return power;
}

static int plan(struct region_plan *p, const struct coshm_stream_shape *s)
{
	struct geometry *g = &p->geometry;
	uint32_t small = s->small_bytes ? s->small_bytes : SMALL_DEFAULT;

	if (small > SMALL_MAX || s->large_bytes > LARGE_MAX || s->ring_bytes > LARGE_MAX ||
	    s->slots > UINT32_C(1) << 24 || s->policy > COSHM_STREAM_OVERWRITE)
		return err_say(EINVAL,
			       "a stream of this shape makes no sense: up to 2^24 slots, %u "
			       "bytes in a slot, 2^42 bytes beside them",
			       SMALL_MAX);
	if (s->ring_bytes != 0 && s->ring_bytes / 2 < s->large_bytes)
		return err_say(EINVAL,
			       "a byte ring of %llu bytes holds no messages of %llu: make it "
			       "twice as large at least",
			       (unsigned long long)s->ring_bytes,
			       (unsigned long long)s->large_bytes);
	g->kind = LAYOUT_STREAM;
	g->policy = s->policy;
	g->slots = (uint32_t)power_of_two_from(s->slots ? s->slots : SLOTS_DEFAULT);
	if (g->slots < 2)
		g->slots = 2;
	g->payload = p->opts.type.align > LAYOUT_PAYLOAD ? p->opts.type.align : LAYOUT_PAYLOAD;
	g->slot_bytes = (g->payload + small + LAYOUT_LINE - 1) & ~(LAYOUT_LINE - 1);
	g->value_bytes = g->slot_bytes - g->payload;
	if (s->large_bytes > g->value_bytes || s->ring_bytes != 0)
		g->ring_bytes =
			power_of_two_from(s->ring_bytes ? s->ring_bytes : 4 * s->large_bytes);
	return 0;
}

int coshm_stream_create(const char *name, const struct coshm_stream_shape *shape,
			const struct coshm_create_opts *opts)
{
	struct region_plan p = { .name = name };
	struct coshm_stream_shape s;
	int err;

	err = opts_take(&s, sizeof(s), shape, shape ? shape->size : 0);
	if (err == 0)
		err = opts_take(&p.opts, sizeof(p.opts), opts, opts ? opts->size : 0);
	if (err == 0)
		err = type_check(&p.opts.type);
	if (err == 0)
		err = plan(&p, &s);
	return err < 0 ? err : region_create(&p);
}

static void set_ring(struct coshm_stream *ch)
{
	struct region *r = &ch->region;
	const struct geometry *g = &r->geometry;
	unsigned int shift = (unsigned int)__builtin_ctz(g->slots);

	ch->ring = (struct stream_ring){
		.control = control_of(r),
		.peers = r->shared->peers,
		.slots = r->data,
		.bytes = r->ring,
		.mask = g->slots - 1,
		.shift = shift,
		.lap_shift = shift > STREAM_LAP_SHIFT ? shift : STREAM_LAP_SHIFT,
		.slot_bytes = g->slot_bytes,
		.payload = g->payload,
		.small_max = g->value_bytes,
		.ring_bytes = g->ring_bytes,
		.large_max =
			g->ring_bytes / 2 > g->value_bytes ? g->ring_bytes / 2 : g->value_bytes,
		.overwrite = g->policy == COSHM_STREAM_OVERWRITE,
	};
	ch->data = (struct bell){ .mask = &r->shared->state.data_sleepers };
	ch->room =
		(struct bell){ .mask = &r->shared->state.room_sleepers, .first = LAYOUT_PUBLISHER };
}

static void begin_reading(struct coshm_stream *ch, bool oldest)
{
	struct stream_reader *reader = &ch->reader;

	reader->next = stream_start(&ch->ring, oldest);
	if (ch->region.self && !ch->ring.overwrite)
		stream_join(&ch->ring, reader, ch->region.self, ch->region.slot);
	if (oldest)
		stream_skip_to_first(&ch->ring, reader);
	if (ch->region.self) {
		stream_tell_position(reader, ch->region.self);
		if (ch->ring.overwrite)
			stream_appear(&ch->ring, ch->region.slot);
		bell_ring(&ch->region, ch->room); /* a publisher may wait for subscribers */
	} else {
		ch->region.role = COSHM_SUBSCRIBER; /* it reads, it only does not sit */
	}
}

int coshm_stream_open(const char *name, enum coshm_role role, const struct coshm_open_opts *opts,
		      struct coshm_stream **stream)
{
	struct coshm_stream *ch;
	struct region *r;
	int err;

	if (role != COSHM_PUBLISHER && role != COSHM_SUBSCRIBER && role != COSHM_OBSERVER)
		return err_const(EINVAL, "a stream is opened as publisher, subscriber or observer");
	err = region_attach(&stream_kind, name, role, opts, &r);
	if (err < 0)
		return err;
	ch = (struct coshm_stream *)r;
	set_ring(ch);
	wait_register(r);
	if (role == COSHM_OBSERVER && !ch->ring.overwrite) {
		err = err_say(EPERM, "%s is lossless: nobody waits for an observer, so subscribe",
			      r->path);
		region_detach(r);
		return err;
	}
	if (role == COSHM_PUBLISHER)
		stream_resume(&ch->ring, &ch->writer);
	else
		begin_reading(ch, r->flags & COSHM_OPEN_OLDEST);
	*stream = ch;
	return 0;
}

void stream_tally(struct coshm_stream *ch)
{
	struct counters_shared *c = &ch->region.shared->counters;

	/* Relaxed, both: numbers for people. */
	atomic_fetch_add_explicit(&c->messages, ch->writer.next - ch->writer.tallied,
				  memory_order_relaxed);
	atomic_fetch_add_explicit(&c->bytes, ch->tally_bytes, memory_order_relaxed);
	ch->writer.tallied = ch->writer.next;
	ch->tally_bytes = 0;
}

void stream_count_lost(struct coshm_stream *ch, uint64_t lost)
{
	/* Relaxed: a number for people.  An observer may not write. */
	if (ch->region.self)
		atomic_fetch_add_explicit(&ch->region.shared->counters.lost, lost,
					  memory_order_relaxed);
}

int stream_err_unusable(const struct coshm_stream *ch, enum coshm_role role)
{
	if (!ch || !region_usable(&ch->region))
		return region_err_forked(ch ? &ch->region : NULL);
	if (ch->region.role != role)
		return err_say(EPERM, "this handle is not %s's",
			       role == COSHM_PUBLISHER ? "the publisher" : "a subscriber");
	return wait_err_retired(&ch->region);
}

size_t coshm_stream_message_bytes(const struct coshm_stream *ch)
{
	return ch ? (size_t)ch->ring.large_max : 0;
}

void coshm_stream_close(struct coshm_stream *ch)
{
	if (!ch)
		return;
	if (region_usable(&ch->region) && ch->region.self) {
		notify_stop(&ch->notifier);
		if (ch->region.role == COSHM_PUBLISHER) {
			stream_discard(&ch->ring, &ch->writer);
			stream_note(&ch->ring, &ch->writer);
			stream_tally(ch);
		} else {
			stream_part(&ch->ring, ch->region.slot);
			bell_ring(&ch->region, ch->room);
		}
	}
	region_detach(&ch->region);
}
