/* SPDX-License-Identifier: Apache-2.0 */
/*
 * channels.c - files of coshm, looked at from outside.
 *
 * They are read and never mapped: whoever shortens a file that somebody has mapped
 * ends him with a signal.  All that is in them may be made up by a stranger.
 */
#include <fcntl.h>
#include <stddef.h>
#include <unistd.h>

#include "coshm.h"
#include "gather.h"
#include "layout.h"

static uint64_t number_at(const unsigned char *data, size_t offset)
{
	uint64_t n;

	memcpy(&n, data + offset, sizeof(n));
	return n;
}

static void take_counters(struct channel *c, const unsigned char *data)
{
	const size_t at = offsetof(struct region_shared, counters);

	c->messages = number_at(data, at + offsetof(struct counters_shared, messages));
	c->bytes = number_at(data, at + offsetof(struct counters_shared, bytes));
	c->lost = number_at(data, at + offsetof(struct counters_shared, lost));
	c->evicted = number_at(data, at + offsetof(struct counters_shared, evicted));
	c->waits = number_at(data, at + offsetof(struct counters_shared, waits));
}

static void take_peer(struct channel *c, unsigned int slot, const struct peer_shared *p,
		      struct memory *m)
{
	struct channel_peer *to;
	struct channel_peer *peers = (struct channel_peer *)c->peers;
	/* A private copy: nobody else writes it. */
	uint32_t role = *(const uint32_t *)&p->role;

	if (role == 0)
		return;
	to = memory_add(m, peers, c->peer_count);
	c->peers = peers;
	if (!to)
		return;
	to->slot = slot;
	to->role = role;
	to->state = COSHM_PEER_ALIVE;
	to->pid = p->pid;
	to->command = memory_printable(m, p->command, sizeof(p->command), sizeof(p->command));
	to->host = memory_printable(m, p->host, sizeof(p->host), sizeof(p->host));
}

struct channel *channel_parse(const unsigned char *data, size_t bytes, struct memory *m)
{
	struct header_shared h;
	struct channel *c;
	struct peer_shared peer;
	size_t at = offsetof(struct region_shared, peers);

	if (bytes < sizeof(struct region_shared))
		return NULL;
	memcpy(&h, data, sizeof(h));
	if (h.magic != LAYOUT_MAGIC)
		return NULL;
	c = memory_get(m, sizeof(*c));
	/* Of a layout that we do not know, only that it is there. */
	if (!c || h.version != LAYOUT_VERSION || h.must_understand != 0)
		return c;
	c->kind = h.kind <= LAYOUT_QUEUE ? h.kind : LAYOUT_ANY;
	c->policy = h.policy;
	c->slots = h.slots;
	take_counters(c, data);
	for (unsigned int slot = 0; slot < LAYOUT_PEERS; slot++) {
		memcpy(&peer, data + at + slot * sizeof(peer), sizeof(peer));
		take_peer(c, slot, &peer, m);
	}
	return c;
}

/* His lock is for writing; one for reading is a stranger's, and says nothing of him. */
bool file_byte_locked(int fd, unsigned int slot)
{
	struct flock range = { .l_type = F_WRLCK,
			       .l_whence = SEEK_SET,
			       .l_start = (off_t)(LAYOUT_LOCKS + slot),
			       .l_len = 1 };

	return fcntl(fd, F_OFD_GETLK, &range) < 0 || range.l_type == F_WRLCK;
}

/* Not one who has left, or another one who came, since his place was read. */
static bool is_dead(int fd, const struct channel_peer *peer)
{
	off_t at = (off_t)(offsetof(struct region_shared, peers) +
			   peer->slot * sizeof(struct peer_shared));
	uint32_t now[2]; /* role, pid */

	return !file_byte_locked(fd, peer->slot) &&
	       pread(fd, now, sizeof(now), at) == sizeof(now) && now[0] == peer->role &&
	       now[1] == peer->pid && !file_byte_locked(fd, peer->slot);
}

/* The kind that counts its messages where its values are. */
static void read_latest(struct channel *channel, int fd)
{
	uint32_t page;
	uint64_t head;
	off_t at;

	if (pread(fd, &page, sizeof(page), offsetof(struct header_shared, page_bytes)) !=
	    sizeof(page))
		return;
	if (page == 0 || page > 1u << 30 || (page & (page - 1)) != 0)
		return;
	at = (off_t)(((uint64_t)LAYOUT_META_BYTES + page - 1) & ~((uint64_t)page - 1));
	at += (off_t)offsetof(struct latest_shared, head);
	if (pread(fd, &head, sizeof(head), at) == sizeof(head))
		channel->messages = head;
}

void channel_probe(struct channel *channel, int fd)
{
	struct channel_peer *peers = (struct channel_peer *)channel->peers;

	if (channel->kind == LAYOUT_LATEST)
		read_latest(channel, fd);
	for (unsigned int i = 0; i < channel->peer_count; i++) {
		if (!is_dead(fd, &peers[i]))
			continue;
		peers[i].state = COSHM_PEER_DEAD;
		channel->dead++;
	}
}
