/* SPDX-License-Identifier: Apache-2.0 */
/*
 * inlet.c - see inlet.h.
 */
#include "inlet.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static int open_there(struct inlet *in, bool oldest)
{
	struct coshm_open_opts opts = { .size = sizeof(opts),
					.dir = in->dir,
					.flags =
						in->open_flags | (oldest ? COSHM_OPEN_OLDEST : 0) };
	enum coshm_role role = in->observe ? COSHM_OBSERVER : COSHM_SUBSCRIBER;

	switch (in->info.kind) {
	case COSHM_LATEST:
		return coshm_latest_open(in->name, role, &opts, &in->latest);
	case COSHM_STREAM:
		return coshm_stream_open(in->name, role, &opts, &in->stream);
	default:
		return coshm_queue_open(in->name, in->observe ? COSHM_OBSERVER : COSHM_CONSUMER,
					&opts, &in->queue);
	}
}

static int make_room(struct inlet *in)
{
	void *buffer;

	if (in->queue || (in->buffer && in->room >= in->info.message_bytes))
		return 0;
	buffer = realloc(in->buffer, in->info.message_bytes + 1);
	if (!buffer)
		return -ENOBUFS;
	in->buffer = buffer;
	in->room = in->info.message_bytes;
	return 0;
}

int inlet_open(struct inlet *in, bool oldest)
{
	int err = coshm_info_read(in->dir, in->name, &in->info);

	in->seen = 0;
	if (err < 0)
		return err;
	if (in->kind != KIND_ANY && in->kind != in->info.kind) {
		complain("leave the option away, or remove the channel with coshm rm",
			 "cannot subscribe to %s: it is a %s, not a %s", in->name,
			 kind_text(in->info.kind), kind_text(in->kind));
		return -EPROTOTYPE;
	}
	err = open_there(in, oldest);
	if (err == -EPROTOTYPE) /* since we looked */
		return -ESTALE;
	if (err == 0 && make_room(in) < 0) {
		inlet_close(in);
		return -ENOBUFS;
	}
	return err;
}

void inlet_close(struct inlet *in)
{
	coshm_latest_close(in->latest);
	coshm_stream_close(in->stream);
	coshm_queue_close(in->queue);
	in->latest = NULL;
	in->stream = NULL;
	in->queue = NULL;
}

bool inlet_is_open(const struct inlet *in)
{
	return in->latest || in->stream || in->queue;
}

static int receive_latest(struct inlet *in, int64_t timeout_ns, struct inlet_message *message)
{
	int err = coshm_latest_wait(in->latest, in->seen, timeout_ns);

	if (err == 0)
		err = coshm_latest_read(in->latest, in->buffer, in->room, &message->bytes,
					&message->number);
	if (err < 0)
		return err;
	message->data = in->buffer;
	in->seen = message->number;
	return 0;
}

static int receive_stream(struct inlet *in, int64_t timeout_ns, struct inlet_message *message)
{
	struct coshm_message m;
	int err = coshm_stream_receive(in->stream, in->buffer, in->room, timeout_ns, &m);

	if (err < 0)
		return err;
	message->data = m.data;
	message->bytes = m.bytes;
	message->number = m.number;
	message->lost = m.lost;
	return 0;
}

static int receive_queue(struct inlet *in, int64_t timeout_ns, struct inlet_message *message)
{
	struct coshm_delivery d;
	int err = coshm_queue_take(in->queue, timeout_ns, &d);

	if (err < 0)
		return err;
	message->data = d.data;
	message->bytes = d.bytes;
	message->number = d.number;
	message->deliveries = d.deliveries;
	return 0;
}

int inlet_receive(struct inlet *in, int64_t timeout_ns, struct inlet_message *message)
{
	*message = (struct inlet_message){ .deliveries = 1 };
	if (in->latest)
		return receive_latest(in, timeout_ns, message);
	if (in->stream)
		return receive_stream(in, timeout_ns, message);
	return receive_queue(in, timeout_ns, message);
}

int inlet_done(struct inlet *in, const struct inlet_message *message)
{
	return in->queue ? coshm_queue_release(in->queue, message->data) : 0;
}

bool inlet_replaced(const struct inlet *in)
{
	struct coshm_info now;

	/* While there is no other one we keep ours: its publisher may be at work in it. */
	return coshm_info_read(in->dir, in->name, &now) == 0 &&
	       memcmp(now.generation, in->info.generation, sizeof(now.generation)) != 0;
}
