/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fastdds.cpp - Fast DDS over its shared memory transport.
 *
 * Not by data sharing, which copies less: it is reliable by its settings, and yet loses messages.
 */
#include <cstring>
#include <ctime>
#include <functional>
#include <memory>
#include <string>
#include <typeinfo>
#include <fastdds/dds/domain/DomainParticipant.hpp>
#include <fastdds/dds/domain/DomainParticipantFactory.hpp>
#include <fastdds/dds/publisher/DataWriter.hpp>
#include <fastdds/dds/publisher/Publisher.hpp>
#include <fastdds/dds/subscriber/DataReader.hpp>
#include <fastdds/dds/subscriber/SampleInfo.hpp>
#include <fastdds/dds/subscriber/Subscriber.hpp>
#include <fastdds/dds/topic/TopicDataType.hpp>
#include <fastdds/dds/topic/TypeSupport.hpp>
#include <fastdds/rtps/transport/shared_mem/SharedMemTransportDescriptor.h>
#include "contestant.h"

namespace fast = eprosima::fastdds::dds;
using eprosima::fastdds::rtps::SharedMemTransportDescriptor;
using eprosima::fastrtps::c_TimeInfinite;
using eprosima::fastrtps::rtps::c_InstanceHandle_Unknown;
using eprosima::fastrtps::rtps::InstanceHandle_t;
using eprosima::fastrtps::rtps::SerializedPayload_t;
using eprosima::fastrtps::types::ReturnCode_t;

namespace
{

const int DEPTH = 16;

/* So many bytes, as they are. */
struct message_type : fast::TopicDataType {
	explicit message_type(size_t bytes)
	{
		m_typeSize = static_cast<uint32_t>(bytes);
		setName("message");
		auto_fill_type_object(false);
		auto_fill_type_information(false);
	}
	bool serialize(void *data, SerializedPayload_t *payload) override
	{
		memcpy(payload->data, data, m_typeSize);
		payload->length = m_typeSize;
		return true;
	}
	bool deserialize(SerializedPayload_t *payload, void *data) override
	{
		memcpy(data, payload->data, m_typeSize);
		return true;
	}
	std::function<uint32_t()> getSerializedSizeProvider(void *) override
	{
		return [this] { return m_typeSize; };
	}
	void *createData() override
	{
		return operator new(m_typeSize);
	}
	void deleteData(void *data) override
	{
		operator delete(data);
	}
	bool getKey(void *, InstanceHandle_t *, bool) override
	{
		return false;
	}
};

struct end {
	fast::DomainParticipant *participant;
	fast::DataWriter *writer;
	fast::DataReader *reader;
};

template <class T> T *must(T *made)
{
	if (!made)
		die("cannot make a %s", typeid(T).name());
	return made;
}

/* Shared memory alone, which needs no network to find the others; no message in fragments. */
fast::DomainParticipant *join(const task *task)
{
	auto memory = std::make_shared<SharedMemTransportDescriptor>();
	auto qos = fast::PARTICIPANT_QOS_DEFAULT;

	memory->max_message_size(static_cast<uint32_t>(task->bytes) + 65536);
	memory->segment_size(DEPTH * memory->max_message_size());
	qos.transport().use_builtin_transports = false;
	qos.transport().user_transports.push_back(memory);
	return must(fast::DomainParticipantFactory::get_instance()->create_participant(0, qos));
}

/* A sender whose history is full waits for the answer to a heartbeat: at once, and often. */
fast::DataWriterQos hasten(fast::DataWriterQos qos)
{
	qos.reliable_writer_qos().times.heartbeatPeriod = { 0, 1000000 };
	qos.reliable_writer_qos().times.nackResponseDelay = { 0, 0 };
	return qos;
}

fast::DataReaderQos hasten(fast::DataReaderQos qos)
{
	qos.reliable_reader_qos().times.heartbeatResponseDelay = { 0, 0 };
	return qos;
}

/* What is the same for a writer and a reader. */
template <class Qos> Qos shape(const Qos &standard, const task *task)
{
	auto qos = hasten(standard);

	qos.data_sharing().off();
	qos.reliability().kind = fast::RELIABLE_RELIABILITY_QOS;
	qos.reliability().max_blocking_time = { 60, 0 };
	qos.durability().kind = fast::VOLATILE_DURABILITY_QOS;
	qos.history().kind = fast::KEEP_ALL_HISTORY_QOS;
	qos.resource_limits().max_samples = task->bytes <= 1024 ? 256 : DEPTH;
	qos.resource_limits().allocated_samples = qos.resource_limits().max_samples;
	qos.resource_limits().max_samples_per_instance = qos.resource_limits().max_samples;
	qos.resource_limits().max_instances = 1;
	return qos;
}

fast::Topic *make_topic(end *end, const task *task, const char *way)
{
	return must(end->participant->create_topic(std::string(task->name) + "-" + way, "message",
						   fast::TOPIC_QOS_DEFAULT));
}

/* They find each other some time after they have come. */
void await_peers(const end *end, const task *task)
{
	fast::SubscriptionMatchedStatus writers;
	fast::PublicationMatchedStatus readers;
	const timespec moment = { 0, 1000000 };

	while (end->reader && writers.current_count == 0) {
		end->reader->get_subscription_matched_status(writers);
		nanosleep(&moment, nullptr);
	}
	while (end->writer && readers.current_count < static_cast<int>(task->receivers)) {
		end->writer->get_publication_matched_status(readers);
		nanosleep(&moment, nullptr);
	}
}

void *open_end(const task *task)
{
	auto *end = new struct end();
	auto *topic = static_cast<fast::Topic *>(nullptr);

	end->participant = join(task);
	fast::TypeSupport(new message_type(task->bytes)).register_type(end->participant);
	if (task->side == 0 || task->kind == PAIR) {
		topic = make_topic(end, task, task->side ? "back" : "there");
		end->writer =
			must(must(end->participant->create_publisher(fast::PUBLISHER_QOS_DEFAULT))
				     ->create_datawriter(
					     topic, shape(fast::DATAWRITER_QOS_DEFAULT, task)));
	}
	if (task->side > 0 || task->kind == PAIR) {
		topic = make_topic(end, task, task->side ? "there" : "back");
		end->reader =
			must(must(end->participant->create_subscriber(fast::SUBSCRIBER_QOS_DEFAULT))
				     ->create_datareader(
					     topic, shape(fast::DATAREADER_QOS_DEFAULT, task)));
	}
	await_peers(end, task);
	return end;
}

void close_end(void *handle)
{
	auto *end = static_cast<struct end *>(handle);

	end->participant->delete_contained_entities();
	fast::DomainParticipantFactory::get_instance()->delete_participant(end->participant);
	delete end;
}

/* It says that the time is up, and not that there is no room, also long before it is up. */
void send(void *handle, const void *data, size_t)
{
	auto *end = static_cast<struct end *>(handle);
	ReturnCode_t code;

	do
		code = end->writer->write(const_cast<void *>(data), c_InstanceHandle_Unknown);
	while (code == ReturnCode_t::RETCODE_TIMEOUT);
	if (code != ReturnCode_t::RETCODE_OK)
		die("cannot write: error %u", code());
}

void receive(void *handle, void *data, size_t)
{
	auto *end = static_cast<struct end *>(handle);
	fast::SampleInfo info;

	while (end->reader->take_next_sample(data, &info) != ReturnCode_t::RETCODE_OK)
		end->reader->wait_for_unread_message(c_TimeInfinite);
}

struct contestant describe()
{
	struct contestant c = {};

	c.name = "Fast DDS";
	c.kinds = 1u << PAIR | 1u << STREAM;
	c.blocks = true;
	c.open = open_end;
	c.close = close_end;
	c.send = send;
	c.receive = receive;
	return c;
}

} // namespace

const struct contestant contestant = describe();
