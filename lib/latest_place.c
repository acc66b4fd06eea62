/* SPDX-License-Identifier: Apache-2.0 */
/*
 * latest_place.c - where a latest value lies: in a region of ours, or in
 * memory that the program brings.
 */
#include <errno.h>
#include <unistd.h>

#include "copy.h"
#include "err.h"
#include "latest.h"

_Static_assert(sizeof(struct coshm_latest) <= REGION_HANDLE_BYTES, "a handle is one page");

#define BUFFERS_LEAST 4u
/* If nobody says how many, what fits here: who never rests would lap all readers of small ones. */
#define DEFAULT_BYTES 8192u
#define DEFAULT_MOST  32u

static const struct region_kind kind = { .kind = LAYOUT_LATEST };

/* What bound handles have for a region: nobody sleeps there, and it is never retired. */
static struct region_shared nowhere;

/* Also for memory that the caller brings: its limits are the same. */
static const char *plan(struct geometry *g, uint32_t value_bytes, uint32_t buffers, uint32_t align)
{
	uint64_t stride;

	*g = (struct geometry){ .kind = LAYOUT_LATEST,
				.slots = buffers ? buffers : BUFFERS_LEAST,
				.value_bytes = value_bytes,
				.payload = align > LAYOUT_PAYLOAD ? align : LAYOUT_PAYLOAD,
				.page_bytes = (uint32_t)sysconf(_SC_PAGESIZE) };
	stride = ((uint64_t)g->payload + value_bytes + LAYOUT_LINE - 1) &
		 ~(uint64_t)(LAYOUT_LINE - 1);
	while (buffers == 0 && g->slots < DEFAULT_MOST && 2 * g->slots * stride <= DEFAULT_BYTES)
		g->slots *= 2;
	g->slot_bytes = stride <= UINT32_MAX ? (uint32_t)stride : 0; /* 0 is refused */
	return geometry_finish(g);
}

static void format(struct latest_shared *shared, uint32_t value_bytes, uint32_t buffers)
{
	/* Relaxed, and a fence: without the magic nobody believes the rest. */
	atomic_store_explicit(&shared->magic, 0, memory_order_relaxed);
	atomic_thread_fence(memory_order_release);
	shared->value_bytes = value_bytes;
	shared->buffers = buffers;
	atomic_store_explicit(&shared->head, 0, memory_order_relaxed);
	/* Release: who sees the magic sees the fields. */
	atomic_store_explicit(&shared->magic, LAYOUT_LATEST_MAGIC, memory_order_release);
}

static void format_region(struct region_shared *shared, const struct geometry *g)
{
	format((struct latest_shared *)((unsigned char *)shared + g->data_offset), g->value_bytes,
	       g->slots);
}

static void set_ring(struct coshm_latest *ch, struct latest_shared *shared,
		     const struct geometry *g)
{
	ch->ring = (struct latest_ring){ .shared = shared,
					 .mask = g->slots - 1,
					 .stride = g->slot_bytes,
					 .value_bytes = g->value_bytes,
					 .payload = g->payload };
	ch->bell = (struct bell){ .mask = &ch->region.shared->state.data_sleepers };
}

int coshm_latest_create(const char *name, uint32_t value_bytes, uint32_t buffers,
			const struct coshm_create_opts *opts)
{
	struct region_plan p = { .name = name, .format = format_region };
	const char *why;
	int err;

	err = opts_take(&p.opts, sizeof(p.opts), opts, opts ? opts->size : 0);
	if (err == 0)
		err = type_check(&p.opts.type);
	if (err < 0)
		return err;
	why = plan(&p.geometry, value_bytes, buffers, p.opts.type.align);
	if (why)
		return err_say(EINVAL, "a channel of %u values of %u bytes makes no sense: %s",
			       buffers, value_bytes, why);
	return region_create(&p);
}

int coshm_latest_open(const char *name, enum coshm_role role, const struct coshm_open_opts *opts,
		      struct coshm_latest **latest)
{
	struct coshm_latest *ch;
	struct region *r;
	int err;

	if (role != COSHM_PUBLISHER && role != COSHM_SUBSCRIBER && role != COSHM_OBSERVER)
		return err_const(EINVAL,
				 "a latest value is opened as publisher, subscriber or observer");
	err = region_attach(&kind, name, role, opts, &r);
	if (err < 0)
		return err;
	ch = (struct coshm_latest *)r;
	set_ring(ch, (struct latest_shared *)r->data, &r->geometry);
	wait_register(r);
	*latest = ch;
	return 0;
}

void coshm_latest_close(struct coshm_latest *ch)
{
	if (!ch)
		return;
	if (region_usable(&ch->region))
		notify_stop(&ch->notifier);
	if (region_usable(&ch->region) && ch->region.role == COSHM_PUBLISHER && ch->region.map)
		latest_tally(ch);
	region_detach(&ch->region);
}

size_t coshm_latest_value_bytes(const struct coshm_latest *ch)
{
	return ch ? ch->ring.value_bytes : 0;
}

static size_t bytes_of(const struct geometry *g)
{
	return sizeof(struct latest_shared) + (size_t)g->slots * g->slot_bytes;
}

size_t coshm_latest_bytes(uint32_t value_bytes, uint32_t buffers)
{
	struct geometry g;

	return plan(&g, value_bytes, buffers, 0) ? 0 : bytes_of(&g);
}

static int place_check(const void *memory, size_t bytes, size_t needed)
{
	if (!memory || (uintptr_t)memory % LAYOUT_LINE != 0)
		return err_say(EINVAL, "memory for a latest value is to be aligned to %u bytes",
			       LAYOUT_LINE);
	if (bytes < needed)
		return err_say(EINVAL, "%zu bytes of memory are too few: %zu are needed", bytes,
			       needed);
	return 0;
}

int coshm_latest_format(void *memory, size_t bytes, uint32_t value_bytes, uint32_t buffers)
{
	struct geometry g;
	const char *why = plan(&g, value_bytes, buffers, 0);
	int err;

	if (why)
		return err_say(EINVAL, "%u values of %u bytes make no sense: %s", buffers,
			       value_bytes, why);
	err = place_check(memory, bytes, bytes_of(&g));
	if (err == 0)
		format(memory, g.value_bytes, g.slots);
	return err;
}

int coshm_latest_bind(void *memory, size_t bytes, enum coshm_role role,
		      struct coshm_latest **latest)
{
	struct latest_shared *shared = memory;
	struct coshm_latest *ch;
	uint32_t shape[2];
	struct geometry g;
	int err = place_check(memory, bytes, sizeof(*shared));

	if (err < 0)
		return err;
	if (role != COSHM_PUBLISHER && role != COSHM_SUBSCRIBER && role != COSHM_OBSERVER)
		return err_const(EINVAL,
				 "a latest value is bound as publisher, subscriber or observer");
	/* Acquire: with the release of format(). */
	if (atomic_load_explicit(&shared->magic, memory_order_acquire) != LAYOUT_LATEST_MAGIC)
		return err_const(EPROTO, "the memory was not formatted for a latest value");
	copy_out(shape, &shared->value_bytes, sizeof(shape)); /* once */
	if (shape[1] == 0 || plan(&g, shape[0], shape[1], 0) || bytes_of(&g) > bytes)
		return err_say(EPROTO,
			       "the memory is formatted for %u values of %u bytes, which do "
			       "not fit %zu bytes",
			       shape[1], shape[0], bytes);
	ch = (struct coshm_latest *)region_handle_new("the memory of a latest value");
	if (!ch)
		return err_const(ENOMEM, "no memory for a handle");
	ch->region.role = role;
	ch->region.shared = &nowhere;
	ch->region.geometry = g;
	set_ring(ch, shared, &g);
	*latest = ch;
	return 0;
}
