/* SPDX-License-Identifier: Apache-2.0 */
/*
 * events.c - changes as lines and columns; see events.h.
 */
#include "events.h"

#include <inttypes.h>
#include <string.h>

#include "objects.h"
#include "text.h"

static const struct value none = { .type = VALUE_NONE };

static const struct change *change(const struct rows *rows, unsigned int row)
{
	const struct events *events = rows->of;

	return &events->changes->change[row];
}

static const struct places *places_of(const struct events *events, const struct change *c)
{
	return c->look == events->after->s ? events->after : events->before;
}

bool event_concerns(const struct events *events, unsigned int row, const struct snapshot *look,
		    int container)
{
	const struct change *c = &events->changes->change[row];

	if (c->look != look)
		return false;
	if (c->container == container || c->donor == container)
		return true;
	return c->object != NOBODY &&
	       places_shares(places_of(events, c), container, (unsigned int)c->object);
}

/* ---- columns ------------------------------------------------------------------------------ */

/* When it was seen, which for what has ended is the later look, too. */
static struct value get_time(const struct rows *rows, unsigned int row)
{
	const struct events *events = rows->of;
	char room[TEXT_ROOM];

	(void)row;
	text_moment(events->after->s->taken_ns / 1000000000, room);
	return value_text(memory_copy(rows->memory, room, strlen(room)));
}

static struct value get_event(const struct rows *rows, unsigned int row)
{
	return value_text(change_name(change(rows, row)->kind));
}

/* A column of the object, if it is about one, by the name that coshm ls has for it. */
static struct value of_object(const struct rows *rows, unsigned int row, const char *name)
{
	const struct change *c = change(rows, row);
	struct rows object = *rows;

	if (c->object == NOBODY)
		return none;
	object.of = places_of(rows->of, c);
	for (unsigned int i = 0; i < object_columns.count; i++)
		if (strcmp(object_columns.column[i].name, name) == 0)
			return object_columns.column[i].get(&object, (unsigned int)c->object);
	return none;
}

#define OF_OBJECT(function, name)                                                                  \
	static struct value function(const struct rows *rows, unsigned int row)                    \
	{                                                                                          \
		return of_object(rows, row, name);                                                 \
	}

OF_OBJECT(get_type, "TYPE")
OF_OBJECT(get_key, "KEY")
OF_OBJECT(get_id, "ID")
OF_OBJECT(get_name, "NAME")
OF_OBJECT(get_path, "PATH")
OF_OBJECT(get_size, "SIZE")
OF_OBJECT(get_owner, "OWNER")

static struct value get_ipcns(const struct rows *rows, unsigned int row)
{
	const struct change *c = change(rows, row);
	int ipcns = c->container == NOBODY ? NOBODY : c->look->containers[c->container].ipcns;

	if (c->object != NOBODY)
		return of_object(rows, row, "IPCNS");
	return ipcns == NOBODY ? none : value_of(VALUE_NUMBER, c->look->ipcns[ipcns].ino);
}

static struct value list_one(const struct rows *rows, const char *text)
{
	const char **list = memory_get(rows->memory, sizeof(*list));

	if (!list)
		return none;
	*list = text;
	return (struct value){ .type = VALUE_LIST, .list = list, .count = 1 };
}

/* Whose process it is, or all that share the object. */
static struct value get_container(const struct rows *rows, unsigned int row)
{
	const struct change *c = change(rows, row);

	if (c->container != NOBODY)
		return list_one(rows, c->look->containers[c->container].name);
	return c->process == NOBODY ? of_object(rows, row, "CONTAINER") : none;
}

static struct value get_donor(const struct rows *rows, unsigned int row)
{
	const struct change *c = change(rows, row);

	return c->donor == NOBODY ? none : value_text(c->look->containers[c->donor].name);
}

static struct value get_pid(const struct rows *rows, unsigned int row)
{
	const struct change *c = change(rows, row);

	return c->process == NOBODY ?
		       none :
		       value_of(VALUE_NUMBER, (uint64_t)c->look->processes[c->process].pid);
}

static struct value get_command(const struct rows *rows, unsigned int row)
{
	const struct change *c = change(rows, row);

	if (c->peer)
		return value_text(c->peer->command);
	return c->process == NOBODY ? none : value_text(c->look->processes[c->process].command);
}

static struct value get_host(const struct rows *rows, unsigned int row)
{
	const struct change *c = change(rows, row);

	return c->peer ? value_text(c->peer->host) : none;
}

static const struct use *use_of(const struct rows *rows, const struct change *c)
{
	const struct places *p = places_of(rows->of, c);

	if (c->object == NOBODY || c->process == NOBODY)
		return NULL;
	for (unsigned int i = p->first_use[c->object]; i < p->first_use[c->object + 1]; i++)
		if (p->s->uses[i].process == c->process)
			return &p->s->uses[i];
	return NULL;
}

static struct value get_access(const struct rows *rows, unsigned int row)
{
	const struct use *use = use_of(rows, change(rows, row));

	return use ? value_text(use->writes ? "rw" : "r") : none;
}

static struct value get_count(const struct rows *rows, unsigned int row)
{
	const struct change *c = change(rows, row);

	return c->count == 0 ? none : value_of(VALUE_NUMBER, c->count);
}

static const struct column columns[] = {
	{ "TIME", false, get_time },
	{ "EVENT", false, get_event },
	{ "TYPE", false, get_type },
	{ "KEY", false, get_key },
	{ "ID", true, get_id },
	{ "NAME", false, get_name },
	{ "PATH", false, get_path },
	{ "SIZE", true, get_size },
	{ "OWNER", false, get_owner },
	{ "IPCNS", true, get_ipcns },
	{ "CONTAINER", false, get_container },
	{ "DONOR", false, get_donor },
	{ "PID", true, get_pid },
	{ "COMMAND", false, get_command },
	{ "HOST", false, get_host },
	{ "ACCESS", false, get_access },
	{ "COUNT", true, get_count },
};

/* What most of their values take. */
static const unsigned char widths[sizeof(columns) / sizeof(columns[0])] = {
	20, 8, 9, 10, 10, 20, 28, 6, 8, 10, 16, 16, 7, 15, 12, 6, 5,
};

const struct column_set event_columns = {
	.column = columns,
	.count = sizeof(columns) / sizeof(columns[0]),
	.standard = "TIME,EVENT,TYPE,ID,NAME,CONTAINER,PID,COMMAND",
	.width = widths,
};

/* ---- lines -------------------------------------------------------------------------------- */

static const char *object_name(const struct rows *rows, const struct change *c)
{
	char room[512];

	text_object(c->look, c->object, room, sizeof(room));
	return memory_copy(rows->memory, room, strlen(room));
}

/* " in ipc namespace 4026532179 of web,db" */
static const char *where(const struct rows *rows, unsigned int row)
{
	struct value ipcns = get_ipcns(rows, row), in = get_container(rows, row);
	const char *place =
		ipcns.type == VALUE_NONE ?
			"" :
			memory_print(rows->memory, " in ipc namespace %" PRIu64, ipcns.number);

	if (in.count == 0)
		return place;
	return memory_print(rows->memory, "%s of %s", place, value_show(rows, &in));
}

/* " by pid 12 (writer) in web" */
static const char *by_whom(const struct rows *rows, const struct change *c)
{
	const struct process *p;
	const char *in;

	if (c->process == NOBODY)
		return memory_print(rows->memory,
				    ", %" PRIu64 " times, by processes that were not seen",
				    c->count);
	p = &c->look->processes[c->process];
	in = c->container == NOBODY ?
		     "" :
		     memory_print(rows->memory, " in %s", c->look->containers[c->container].name);
	return memory_print(rows->memory, " by pid %d (%s)%s", p->pid, p->command, in);
}

static const char *size_text(const struct rows *rows, uint64_t bytes)
{
	char room[TEXT_ROOM];

	return memory_print(rows->memory, rows->exact ? "%s bytes" : "%s",
			    text_bytes(bytes, rows->exact, room));
}

static const char *object_line(const struct rows *rows, unsigned int row)
{
	const struct change *c = change(rows, row);
	const struct use *use = use_of(rows, c);
	const char *name = object_name(rows, c);
	struct memory *m = rows->memory;

	switch (c->kind) {
	case CHANGE_CREATED:
		return memory_print(m, "%s, %s,%s", name,
				    size_text(rows, c->look->objects[c->object].bytes),
				    where(rows, row));
	case CHANGE_ATTACHED:
		return memory_print(m, "%s%s%s", name, by_whom(rows, c),
				    !use        ? "" :
				    use->writes ? ", to read and write" :
						  ", to read");
	case CHANGE_DETACHED:
		return memory_print(m, "%s%s%s", name, by_whom(rows, c),
				    c->ended ? ", which has ended" : "");
	case CHANGE_UNLINKED:
		return memory_print(m, "%s%s: it goes with its last user", name, where(rows, row));
	default:
		return memory_print(m, "%s%s", name, where(rows, row));
	}
}

static const char *died_line(const struct rows *rows, const struct change *c)
{
	const char *name = object_name(rows, c);

	if (!c->peer)
		return memory_print(rows->memory, "%" PRIu64 " peers of %s", c->count, name);
	return memory_print(rows->memory, "pid %" PRIu32 " (%s) in %s, peer of %s", c->peer->pid,
			    c->peer->command, c->peer->host, name);
}

static const char *container_line(const struct rows *rows, const struct change *c)
{
	const struct container *about = &c->look->containers[c->container];
	const char *donor = c->donor == NOBODY ? "" : c->look->containers[c->donor].name;
	struct memory *m = rows->memory;

	if (c->kind == CHANGE_JOINED)
		return memory_print(m, "%s is in the ipc namespace of %s", about->name, donor);
	if (c->kind != CHANGE_SPLIT)
		return memory_print(m, "%s", about->name);
	return memory_print(m, "%s is still in the ipc namespace that %s had before: %s restart %s",
			    about->name, donor, engine_name(about->engine), about->name);
}

const char *event_line(const struct rows *rows, unsigned int row)
{
	const struct change *c = change(rows, row);
	const char *text = c->kind == CHANGE_DIED ? died_line(rows, c) :
			   c->object != NOBODY    ? object_line(rows, row) :
						    container_line(rows, c);

	return text_printable(rows->memory,
			      memory_print(rows->memory, "%s %-8s %s", get_time(rows, row).text,
					   change_name(c->kind), text));
}
