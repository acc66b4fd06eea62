/* SPDX-License-Identifier: Apache-2.0 */
/* boost.cpp - Boost.Interprocess message_queue; polling is try_receive. */
#include <boost/interprocess/ipc/message_queue.hpp>
#include <string>
#include "../contestant.h"

using boost::interprocess::message_queue;

namespace
{

struct end {
	message_queue out, in;
	bool block;
};

std::string name_of(const task *task, bool back)
{
	return std::string(task->name) + (back ? ".back" : ".there");
}

void create(const task *task)
{
	for (bool back : { false, true })
		message_queue(boost::interprocess::create_only, name_of(task, back).c_str(),
			      task->bytes <= 1024 ? 1024 : 16, task->bytes);
}

void *open_end(const task *task)
{
	bool pair = task->kind == PAIR;
	std::string out = name_of(task, pair && task->side == 1);
	std::string in = name_of(task, pair && task->side == 0);

	return new end{ { boost::interprocess::open_only, out.c_str() },
			{ boost::interprocess::open_only, in.c_str() },
			task->block };
}

void close_end(void *handle)
{
	delete static_cast<end *>(handle);
}

void remove_queues(const task *task)
{
	for (bool back : { false, true })
		message_queue::remove(name_of(task, back).c_str());
}

void send(void *handle, const void *data, size_t bytes)
{
	end *e = static_cast<end *>(handle);

	if (e->block) {
		e->out.send(data, bytes, 0);
		return;
	}
	while (!e->out.try_send(data, bytes, 0))
		relax();
}

void receive(void *handle, void *data, size_t bytes)
{
	end *e = static_cast<end *>(handle);
	message_queue::size_type got;
	unsigned int priority;

	if (e->block) {
		e->in.receive(data, bytes, got, priority);
		return;
	}
	while (!e->in.try_receive(data, bytes, got, priority))
		relax();
}

struct contestant describe()
{
	struct contestant c = {};

	c.name = "Boost message_queue";
	c.kinds = 1u << PAIR | 1u << STREAM | 1u << QUEUE;
	c.spins = c.blocks = true;
	c.create = create;
	c.open = open_end;
	c.close = close_end;
	c.remove = remove_queues;
	c.send = send;
	c.receive = receive;
	return c;
}

} // namespace

const struct contestant contestant = describe();
