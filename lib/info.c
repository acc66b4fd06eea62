/* SPDX-License-Identifier: Apache-2.0 */
/*
 * info.c - look at a channel from outside: what it is, and who is attached.
 *
 * Through a read-only mapping and without a place, so that whoever looks can
 * disturb nobody.  What peers wrote about themselves is bounded, and printable.
 */
#include <errno.h>
#include <string.h>
#include <time.h>

#include "copy.h"
#include "err.h"
#include "peer.h"
#include "region.h"

static int look(const char *dir, const char *name, struct region **r)
{
	static const struct region_kind any = { .kind = LAYOUT_ANY };
	struct coshm_open_opts o = { .size = sizeof(o), .dir = dir };

	return region_attach(&any, name, COSHM_OBSERVER, &o, r);
}

static void take_counters(struct coshm_info *info, const struct region *r)
{
	struct counters_shared *c = &r->shared->counters;
	struct latest_shared *latest = (void *)r->data;

	/* Relaxed, all: numbers for people. */
	info->messages = atomic_load_explicit(r->geometry.kind == LAYOUT_LATEST ? &latest->head :
										  &c->messages,
					      memory_order_relaxed);
	info->bytes = atomic_load_explicit(&c->bytes, memory_order_relaxed);
	info->lost = atomic_load_explicit(&c->lost, memory_order_relaxed);
	info->evicted = atomic_load_explicit(&c->evicted, memory_order_relaxed);
	info->waits = atomic_load_explicit(&c->waits, memory_order_relaxed);
}

int coshm_info_read(const char *dir, const char *name, struct coshm_info *info)
{
	struct header_shared h;
	struct coshm_info i = { 0 };
	struct geometry g;
	struct region *r;
	int err;

	err = look(dir, name, &r);
	if (err < 0)
		return err;
	/* Again, for what attaching has no use for. */
	err = region_file_check(r->probe_fd, r->path, &h, &g);
	if (err == 0) {
		i.kind = g.kind;
		i.policy = g.policy;
		i.slots = g.slots;
		i.slot_bytes = g.slot_bytes;
		i.message_bytes =
			g.ring_bytes / 2 > g.value_bytes ? g.ring_bytes / 2 : g.value_bytes;
		i.ring_bytes = g.ring_bytes;
		i.region_bytes = g.region_bytes;
		i.created_ns = h.created_ns;
		memcpy(i.generation, h.generation, sizeof(i.generation));
		memcpy(i.type_name, h.type_name, sizeof(i.type_name));
		i.type_bytes = h.type_bytes;
		i.type_align = h.type_align;
		i.type_version = h.type_version;
		take_counters(&i, r);
		*info = i;
	}
	region_detach(r);
	return err;
}

/* Of a peer that comes or goes meanwhile there is nothing to tell. */
static bool take_peer(struct region *r, unsigned int slot, struct coshm_peer *peer)
{
	struct peer_shared *p = &r->shared->peers[slot];
	enum peer_state state = peer_probe(r, slot);
	struct peer_shared copy;
	/* Relaxed, both: ordered by the role, and looked at twice. */
	uint32_t epoch = atomic_load_explicit(&p->epoch, memory_order_relaxed);

	copy_out(&copy, p, sizeof(copy));
	if (state == PEER_NONE || epoch != atomic_load_explicit(&p->epoch, memory_order_relaxed))
		return false;
	*peer = (struct coshm_peer){ .slot = slot,
				     .role = copy.role,
				     .state = state == PEER_ALIVE ? COSHM_PEER_ALIVE :
								    COSHM_PEER_DEAD,
				     .pid = copy.pid,
				     .since_ns = copy.since_ns,
				     .position = copy.position };
	memcpy(peer->identity, copy.identity, sizeof(peer->identity));
	peer_printable(peer->command, sizeof(peer->command), copy.command, sizeof(copy.command));
	peer_printable(peer->host, sizeof(peer->host), copy.host, sizeof(copy.host));
	return true;
}

static bool has_something_to_do(struct region *r, unsigned int slot)
{
	struct state_shared *s = &r->shared->state;
	uint64_t bit = UINT64_C(1) << (slot % LAYOUT_SEATS);

	/* Relaxed, both: one who sleeps until there is something is not stuck. */
	return !((atomic_load_explicit(&s->data_sleepers, memory_order_relaxed) |
		  atomic_load_explicit(&s->room_sleepers, memory_order_relaxed)) &
		 bit);
}

/* Alive, awake, and where it was @look_ns ago. */
static void find_paused(struct region *r, struct coshm_peer *peers, unsigned int count,
			int64_t look_ns)
{
	struct timespec ts = { .tv_sec = (time_t)(look_ns / 1000000000),
			       .tv_nsec = (long)(look_ns % 1000000000) };

	nanosleep(&ts, NULL);
	for (unsigned int i = 0; i < count; i++) {
		struct peer_shared *p = &r->shared->peers[peers[i].slot];

		/* Relaxed, both: a guess for people. */
		if (peers[i].state == COSHM_PEER_ALIVE && has_something_to_do(r, peers[i].slot) &&
		    atomic_load_explicit(&p->position, memory_order_relaxed) == peers[i].position)
			peers[i].state = COSHM_PEER_STILL;
	}
}

int coshm_peers_read(const char *dir, const char *name, int64_t look_ns, struct coshm_peer *peers,
		     unsigned int max)
{
	unsigned int count = 0;
	struct region *r;
	int err;

	err = look(dir, name, &r);
	if (err < 0)
		return err;
	for (unsigned int slot = 0; slot < LAYOUT_PEERS && count < max; slot++)
		count += take_peer(r, slot, &peers[count]);
	if (look_ns > 0)
		find_paused(r, peers, count, look_ns);
	region_detach(r);
	return (int)count;
}
