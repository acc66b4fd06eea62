/* SPDX-License-Identifier: Apache-2.0 */
/* iceoryx.c - iceoryx classic through its C binding; bench/run starts its daemon, RouDi. */
#include <iceoryx_binding_c/log.h>
#include <iceoryx_binding_c/publisher.h>
#include <iceoryx_binding_c/runtime.h>
#include <iceoryx_binding_c/subscriber.h>
#include <iceoryx_binding_c/types.h>
#include <iceoryx_binding_c/wait_set.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "contestant.h"

struct end {
	iox_pub_storage_t pub_memory;
	iox_sub_storage_t sub_memory;
	iox_ws_storage_t set_memory;
	iox_pub_t pub;
	iox_sub_t sub;
	iox_ws_t set; /* NULL: it polls */
	void *loan;
	const void *taken;
};

static void open_pub(struct end *end, const struct task *task, const char *event)
{
	iox_pub_options_t options;

	iox_pub_options_init(&options);
	options.subscriberTooSlowPolicy = task->lossy ? ConsumerTooSlowPolicy_DISCARD_OLDEST_DATA :
							ConsumerTooSlowPolicy_WAIT_FOR_CONSUMER;
	end->pub = iox_pub_init(&end->pub_memory, task->name, "bench", event, &options);
}

static void open_sub(struct end *end, const struct task *task, const char *event)
{
	iox_sub_options_t options;

	iox_sub_options_init(&options);
	options.queueCapacity = task->bytes <= 1024 ? 256 : 8; /* 256 is the most */
	options.queueFullPolicy =
		task->lossy ? QueueFullPolicy_DISCARD_OLDEST_DATA : QueueFullPolicy_BLOCK_PRODUCER;
	end->sub = iox_sub_init(&end->sub_memory, task->name, "bench", event, &options);
	if (!task->block)
		return;
	end->set = iox_ws_init(&end->set_memory);
	iox_ws_attach_subscriber_state(end->set, end->sub, SubscriberState_HAS_DATA, 0, NULL);
}

/* RouDi brings the two together some time after they have come. */
static void await_peers(const struct end *end, const struct task *task)
{
	static const struct timespec moment = { .tv_nsec = 1000000 };

	while (end->sub && iox_sub_get_subscription_state(end->sub) != SubscribeState_SUBSCRIBED)
		nanosleep(&moment, NULL);
	meet(task);
	while (end->pub && !iox_pub_has_subscribers(end->pub))
		nanosleep(&moment, NULL);
}

static void *open_end(const struct task *task)
{
	struct end *end = (struct end *)calloc(1, sizeof(*end));
	char name[100];

	if (!end)
		die("no memory");
	snprintf(name, sizeof(name), "%s-%u", task->name, task->side);
	iox_set_loglevel(Iceoryx_LogLevel_Error);
	iox_runtime_init(name);
	if (task->side == 0 || task->kind == PAIR)
		open_pub(end, task, task->side ? "back" : "there");
	if (task->side > 0 || task->kind == PAIR)
		open_sub(end, task, task->side ? "there" : "back");
	await_peers(end, task);
	return end;
}

static void close_end(void *handle)
{
	struct end *end = (struct end *)handle;

	if (end->set)
		iox_ws_deinit(end->set);
	if (end->sub)
		iox_sub_deinit(end->sub);
	if (end->pub)
		iox_pub_deinit(end->pub);
	free(end);
	iox_runtime_shutdown();
}

static void *loan(void *handle, size_t bytes)
{
	struct end *end = (struct end *)handle;

	while (iox_pub_loan_chunk(end->pub, &end->loan, (uint32_t)bytes) !=
	       AllocationResult_SUCCESS)
		relax();
	return end->loan;
}

static void publish(void *handle)
{
	struct end *end = (struct end *)handle;

	iox_pub_publish_chunk(end->pub, end->loan);
}

static const void *peek(void *handle)
{
	struct end *end = (struct end *)handle;
	iox_notification_info_t info;
	uint64_t missed;

	while (iox_sub_take_chunk(end->sub, &end->taken) != ChunkReceiveResult_SUCCESS) {
		if (end->set)
			iox_ws_wait(end->set, &info, 1, &missed);
		else
			relax();
	}
	return end->taken;
}

static void release(void *handle)
{
	struct end *end = (struct end *)handle;

	iox_sub_release_chunk(end->sub, end->taken);
}

static void send(void *handle, const void *data, size_t bytes)
{
	memcpy(loan(handle, bytes), data, bytes);
	publish(handle);
}

static void receive(void *handle, void *data, size_t bytes)
{
	memcpy(data, peek(handle), bytes);
	release(handle);
}

const struct contestant contestant = {
	.name = "iceoryx",
	.kinds = 1u << PAIR | 1u << STREAM,
	.spins = true,
	.blocks = true,
	.lossy = true,
	.open = open_end,
	.close = close_end,
	.send = send,
	.receive = receive,
	.loan = loan,
	.publish = publish,
	.peek = peek,
	.release = release,
};
