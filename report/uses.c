/* SPDX-License-Identifier: Apache-2.0 */
/*
 * uses.c - the columns of processes that use objects: a row is a use.
 */
#include <inttypes.h>
#include <stdio.h>

#include "objects.h"
#include "places.h"
#include "text.h"

static const struct value none = { .type = VALUE_NONE };

struct row {
	const struct use *use;
	const struct object *object;
	const struct process *process;
	const struct container *container; /* or NULL */
};

static struct row at(const struct rows *rows, unsigned int row)
{
	const struct places *p = rows->of;
	const struct use *use = &p->s->uses[row];
	const struct process *process = &p->s->processes[use->process];

	return (struct row){
		.use = use,
		.object = &p->s->objects[use->object],
		.process = process,
		.container =
			process->container == NOBODY ? NULL : &p->s->containers[process->container],
	};
}

#define CELL(column, expression)                                                                   \
	static struct value get_##column(const struct rows *rows, unsigned int row)                \
	{                                                                                          \
		struct row r = at(rows, row);                                                      \
                                                                                                   \
		return expression;                                                                 \
	}
#define CELL_OF_CONTAINER(column, member)                                                          \
	CELL(column, r.container ? value_text(r.container->member) : none)

CELL(type, value_text(text_kind(r.object->kind)))
CELL(id, value_of(VALUE_NUMBER, (uint64_t)r.object->id))
CELL(name, value_text(r.object->name))
CELL(pid, value_of(VALUE_NUMBER, (uint64_t)r.process->pid))
CELL(ppid, value_of(VALUE_NUMBER, (uint64_t)r.process->ppid))
CELL(inner, value_of(VALUE_NUMBER, (uint64_t)r.process->inner_pid))
CELL(command, value_text(r.process->command))
CELL(user, value_of(VALUE_USER, r.process->uid))
CELL(cgroup, value_text(r.process->cgroup))
CELL(mode, value_text(r.use->writes ? "rw" : "r"))
CELL(how, value_text(r.use->mapped ? "mapped" : "open"))
CELL(size, value_of(VALUE_BYTES, r.use->bytes))
CELL(ipcns, r.process->ipcns_ino ? value_of(VALUE_NUMBER, r.process->ipcns_ino) : none)
CELL(pidns, r.process->pidns_ino ? value_of(VALUE_NUMBER, r.process->pidns_ino) : none)
CELL(userns, r.process->userns_ino ? value_of(VALUE_NUMBER, r.process->userns_ino) : none)
CELL_OF_CONTAINER(container, name)
CELL_OF_CONTAINER(image, image)
CELL_OF_CONTAINER(service, service)
CELL_OF_CONTAINER(pod, pod)

static struct value get_state(const struct rows *rows, unsigned int row)
{
	struct row r = at(rows, row);

	if (r.process->frozen || (r.container && r.container->state == CONTAINER_PAUSED))
		return value_text("paused");
	switch (r.process->state) {
	case 'R':
		return value_text("running");
	case 'T':
	case 't':
		return value_text("stopped");
	case 'Z':
		return value_text("dead");
	default:
		return value_text("sleeping");
	}
}

static struct value get_object(const struct rows *rows, unsigned int row)
{
	const struct places *p = rows->of;
	char room[4096];

	text_object(p->s, at(rows, row).use->object, room, sizeof(room));
	return value_text(memory_print(rows->memory, "%s", room));
}

static const struct column columns[] = {
	{ "OBJECT", false, get_object }, { "TYPE", false, get_type },
	{ "ID", true, get_id },          { "NAME", false, get_name },
	{ "PID", true, get_pid },        { "PPID", true, get_ppid },
	{ "INNERPID", true, get_inner }, { "COMMAND", false, get_command },
	{ "USER", false, get_user },     { "CONTAINER", false, get_container },
	{ "IMAGE", false, get_image },   { "SERVICE", false, get_service },
	{ "POD", false, get_pod },       { "STATE", false, get_state },
	{ "MODE", false, get_mode },     { "HOW", false, get_how },
	{ "SIZE", true, get_size },      { "IPCNS", true, get_ipcns },
	{ "PIDNS", true, get_pidns },    { "USERNS", true, get_userns },
	{ "CGROUP", false, get_cgroup },
};

const struct column_set use_columns = {
	.column = columns,
	.count = sizeof(columns) / sizeof(columns[0]),
	.standard = "OBJECT,PID,COMMAND,USER,CONTAINER,STATE,MODE,SIZE,IPCNS",
	.grouped = "OBJECT,PID,COMMAND,USER,CONTAINER,STATE,MODE,SIZE",
	.tree = "USER,CONTAINER,STATE,MODE,SIZE",
};
