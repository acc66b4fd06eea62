/* SPDX-License-Identifier: Apache-2.0 */
/*
 * outlet.c - see outlet.h.
 */
#include "outlet.h"

#include <errno.h>
#include <string.h>

/* Larger messages of a stream lie beside the slots, or most of the memory would be air. */
#define IN_SLOT_BYTES 1024

/* For a while another one may make and remove the same channel: so often we follow. */
#define TRIES_MAX 100
#define TRY_NS    INT64_C(10000000)

#define LOOK_NS INT64_C(10000000) /* from one look at who is there to the next */

static int make(const struct outlet_plan *plan)
{
	struct coshm_create_opts opts = { .size = sizeof(opts),
					  .dir = plan->dir,
					  .mode = plan->mode,
					  .flags = plan->give_group ? COSHM_CREATE_GROUP : 0,
					  .group = plan->group };
	uint32_t policy = plan->policy == POLICY_ANY ? 0 : plan->policy;
	struct coshm_stream_shape stream = { .size = sizeof(stream),
					     .policy = policy,
					     .slots = plan->slots };
	struct coshm_queue_shape queue = { .size = sizeof(queue),
					   .policy = policy,
					   .slots = plan->slots,
					   .message_bytes = (uint32_t)plan->max_bytes };

	if (plan->max_bytes <= IN_SLOT_BYTES)
		stream.small_bytes = (uint32_t)plan->max_bytes;
	else
		stream.large_bytes = plan->max_bytes;
	switch (plan->kind) {
	case COSHM_LATEST:
		return coshm_latest_create(plan->name, (uint32_t)plan->max_bytes, plan->slots,
					   &opts);
	case COSHM_QUEUE:
		return coshm_queue_create(plan->name, &queue, &opts);
	default:
		return coshm_stream_create(plan->name, &stream, &opts);
	}
}

/* What was asked for must be what is there: kind, policy, and room for the records. */
static int agree(const struct outlet_plan *plan, const struct coshm_info *info)
{
	static const char hint[] = "leave the option away to use the channel as it is, or remove "
				   "it with coshm rm";

	if (plan->kind != KIND_ANY && plan->kind != info->kind)
		complain(hint, "cannot publish to %s: it is a %s, not a %s", plan->name,
			 kind_text(info->kind), kind_text(plan->kind));
	else if (plan->policy != POLICY_ANY && plan->policy != info->policy)
		complain(hint, "cannot publish to %s: its policy is %s, not %s", plan->name,
			 policy_text(info->kind, info->policy),
			 policy_text(info->kind, plan->policy));
	else if (plan->record_bytes > info->message_bytes)
		complain("remove it with coshm rm, and it is made anew",
			 "cannot publish records of %llu bytes to %s: it takes messages of up to "
			 "%llu bytes",
			 (unsigned long long)plan->record_bytes, plan->name,
			 (unsigned long long)info->message_bytes);
	else
		return 0;
	return -EPROTOTYPE;
}

static int open_there(struct outlet *out)
{
	const struct outlet_plan *plan = out->plan;
	struct coshm_open_opts opts = { .size = sizeof(opts),
					.dir = plan->dir,
					.flags = plan->open_flags };

	switch (out->info.kind) {
	case COSHM_LATEST:
		return coshm_latest_open(plan->name, COSHM_PUBLISHER, &opts, &out->latest);
	case COSHM_STREAM:
		return coshm_stream_open(plan->name, COSHM_PUBLISHER, &opts, &out->stream);
	default:
		return coshm_queue_open(plan->name, COSHM_PRODUCER, &opts, &out->queue);
	}
}

/* One try; -EAGAIN: what is there has just changed. */
static int try_open(struct outlet *out)
{
	const struct outlet_plan *plan = out->plan;
	int err = coshm_info_read(plan->dir, plan->name, &out->info);

	/* -ESTALE: somebody died while he removed it; making one finishes that. */
	if (err == -ENOENT || err == -ESTALE) {
		err = make(plan);
		if (err == 0 || err == -EEXIST)
			return -EAGAIN;
		if (err == -EPERM && plan->give_group)
			complain("--group takes a group that you are in, see id(1)",
				 "cannot make the channel: %s", coshm_errmsg());
		else
			complain_call(err, "cannot make the channel");
		return err;
	}
	if (err == 0) {
		err = agree(plan, &out->info);
		if (err < 0)
			return err;
		err = open_there(out);
	}
	if (err == -ENOENT || err == -ESTALE || err == -EPROTOTYPE)
		return -EAGAIN;
	if (err == -EBUSY)
		complain("a channel has one publisher; many can send to a --queue",
			 "cannot publish: %s", coshm_errmsg());
	else if (err < 0)
		complain_open(err, "cannot publish", plan->open_flags);
	return err;
}

int outlet_open(struct outlet *out, const struct outlet_plan *plan)
{
	int err = -EAGAIN;

	*out = (struct outlet){ .plan = plan };
	for (int i = 0; i < TRIES_MAX && err == -EAGAIN; i++) {
		if (stop_requested())
			return CLI_OK;
		if (i > 1)
			nap_ns(TRY_NS);
		err = try_open(out);
	}
	if (err == -EAGAIN)
		complain("does another program make and remove it all the time?",
			 "cannot publish to %s: it comes and goes", plan->name);
	return err < 0 ? CLI_FAILED : CLI_OK;
}

void outlet_close(struct outlet *out)
{
	coshm_latest_close(out->latest);
	coshm_stream_close(out->stream);
	coshm_queue_close(out->queue);
	out->latest = NULL;
	out->stream = NULL;
	out->queue = NULL;
}

int outlet_send(struct outlet *out, const void *data, size_t bytes, int64_t timeout_ns)
{
	switch (out->info.kind) {
	case COSHM_LATEST:
		return coshm_latest_publish(out->latest, data, bytes);
	case COSHM_STREAM:
		return coshm_stream_publish(out->stream, data, bytes, timeout_ns);
	default:
		return coshm_queue_push(out->queue, data, bytes, timeout_ns);
	}
}

static int receivers(const struct outlet_plan *plan)
{
	struct coshm_peer peers[COSHM_PEERS_MAX + 1];
	int found = 0;
	int count = coshm_peers_read(plan->dir, plan->name, 0, peers, COSHM_PEERS_MAX + 1);

	for (int i = 0; i < count; i++)
		found += peers[i].state != COSHM_PEER_DEAD &&
			 (peers[i].role == COSHM_SUBSCRIBER || peers[i].role == COSHM_CONSUMER);
	return count < 0 ? count : found;
}

int outlet_wait_receivers(struct outlet *out, unsigned int count, int64_t timeout_ns)
{
	int64_t since_ns = now_ns();
	int found;

	if (out->stream)
		return coshm_stream_wait_subscribers(out->stream, count, timeout_ns);
	for (;;) {
		found = receivers(out->plan);
		if (found < 0 || found >= (int)count)
			return found < 0 ? found : 0;
		if (stop_requested())
			return -EINTR;
		if (timeout_ns >= 0 && now_ns() - since_ns >= timeout_ns)
			return -ETIMEDOUT;
		nap_ns(LOOK_NS);
	}
}

int outlet_drain(struct outlet *out, int64_t timeout_ns)
{
	if (!out->stream || out->info.policy == COSHM_STREAM_OVERWRITE)
		return 0;
	return coshm_stream_drain(out->stream, timeout_ns);
}
