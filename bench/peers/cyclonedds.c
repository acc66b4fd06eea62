/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cyclonedds.c - Cyclone DDS over iceoryx, where it allows that; bench/run starts RouDi.
 *
 * It allows it where only the last messages are kept: a receiver that is behind loses some.  So
 * a stream without loss goes over the loopback interface, as Cyclone itself decides.
 */
#include <dds/dds.h>
#include <stdlib.h>
#include "contestant.h"

#define DEPTH 16

static const char config[] =
	"<General>"
	"<Interfaces><NetworkInterface name=\"lo\" multicast=\"false\"/></Interfaces>"
	"<AllowMulticast>false</AllowMulticast><MaxMessageSize>65500B</MaxMessageSize>"
	"</General>"
	"<Discovery><Peers><Peer address=\"localhost\"/></Peers>"
	"<ParticipantIndex>auto</ParticipantIndex>"
	"<MaxAutoParticipantIndex>80</MaxAutoParticipantIndex></Discovery>"
	"<SharedMemory><Enable>true</Enable><LogLevel>off</LogLevel></SharedMemory>";

struct end {
	dds_entity_t domain, participant, writer, reader, arrival;
};

static dds_entity_t must(dds_return_t result)
{
	if (result < 0)
		die("%s", dds_strretcode(-result));
	return result;
}

/* What idlc makes of "struct Message { octet data[bytes]; };": the size is known only now. */
static dds_entity_t make_topic(const struct end *end, const struct task *task, const char *way)
{
	uint32_t bytes = (uint32_t)task->bytes;
	const uint32_t ops[] = { DDS_OP_ADR | DDS_OP_TYPE_ARR | DDS_OP_SUBTYPE_1BY, 0, bytes,
				 DDS_OP_RTS };
	const dds_topic_descriptor_t message = {
		.m_size = bytes,
		.m_align = 1,
		.m_flagset = DDS_TOPIC_FIXED_SIZE,
		.m_typename = "Message",
		.m_nops = 2,
		.m_ops = ops,
		.m_meta = "",
	};

	return must(dds_create_topic(end->participant, &message, way, NULL, NULL));
}

static dds_qos_t *make_qos(const struct task *task)
{
	dds_qos_t *qos = dds_create_qos();

	dds_qset_partition1(qos, task->name);
	/* A reliable one waits for a reader that is stopped, even where it keeps the last alone. */
	dds_qset_reliability(qos,
			     task->lossy ? DDS_RELIABILITY_BEST_EFFORT : DDS_RELIABILITY_RELIABLE,
			     DDS_INFINITY);
	if (task->kind == PAIR || task->lossy)
		dds_qset_history(qos, DDS_HISTORY_KEEP_LAST, DEPTH);
	else
		dds_qset_history(qos, DDS_HISTORY_KEEP_ALL, DDS_LENGTH_UNLIMITED);
	return qos;
}

static void open_reader(struct end *end, dds_entity_t topic, const dds_qos_t *qos)
{
	dds_entity_t any;

	end->reader = must(dds_create_reader(end->participant, topic, qos, NULL));
	any = must(dds_create_readcondition(end->reader, DDS_ANY_STATE));
	end->arrival = must(dds_create_waitset(end->participant));
	must(dds_waitset_attach(end->arrival, any, 0));
}

/* They find each other some time after they have come. */
static void await_peers(const struct end *end, const struct task *task)
{
	dds_subscription_matched_status_t writers = { 0 };
	dds_publication_matched_status_t readers = { 0 };

	while (end->reader && writers.current_count == 0) {
		must(dds_get_subscription_matched_status(end->reader, &writers));
		dds_sleepfor(DDS_MSECS(1));
	}
	while (end->writer && readers.current_count < task->receivers) {
		must(dds_get_publication_matched_status(end->writer, &readers));
		dds_sleepfor(DDS_MSECS(1));
	}
}

static void *open_end(const struct task *task)
{
	struct end *end = (struct end *)calloc(1, sizeof(*end));
	dds_qos_t *qos = make_qos(task);

	if (!end)
		die("no memory");
	end->domain = must(dds_create_domain(0, config));
	end->participant = must(dds_create_participant(0, NULL, NULL));
	if (task->side == 0 || task->kind == PAIR)
		end->writer = must(dds_create_writer(
			end->participant, make_topic(end, task, task->side ? "back" : "there"), qos,
			NULL));
	if (task->side > 0 || task->kind == PAIR)
		open_reader(end, make_topic(end, task, task->side ? "there" : "back"), qos);
	dds_delete_qos(qos);
	await_peers(end, task);
	return end;
}

static void close_end(void *handle)
{
	struct end *end = (struct end *)handle;

	must(dds_delete(end->domain));
	free(end);
}

static void send(void *handle, const void *data, size_t bytes)
{
	struct end *end = (struct end *)handle;

	(void)bytes; /* the topic's */
	must(dds_write(end->writer, data));
}

static void receive(void *handle, void *data, size_t bytes)
{
	struct end *end = (struct end *)handle;
	dds_sample_info_t info;

	(void)bytes;
	while (must(dds_take(end->reader, &data, &info, 1, 1)) == 0 || !info.valid_data)
		must(dds_waitset_wait(end->arrival, NULL, 0, DDS_INFINITY));
}

const struct contestant contestant = {
	.name = "Cyclone DDS",
	.kinds = 1u << PAIR | 1u << STREAM,
	.blocks = true,
	.lossy = true,
	.open = open_end,
	.close = close_end,
	.send = send,
	.receive = receive,
};
