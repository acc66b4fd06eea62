/* SPDX-License-Identifier: Apache-2.0 */
/*
 * objects.c - the columns of objects, named as lsipc(1) and ipcs(1) name them.
 */
#include "objects.h"

#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "places.h"
#include "text.h"

static const struct value none = { .type = VALUE_NONE };

static const struct object *object(const struct rows *rows, unsigned int row)
{
	const struct places *p = rows->of;

	return &p->s->objects[row];
}

static bool is_sysv(const struct object *o)
{
	return o->kind <= OBJECT_MSG;
}

static bool is_queue(const struct object *o)
{
	return o->kind == OBJECT_MSG || o->kind == OBJECT_POSIX_MQ;
}

/* What each kernel object has, and a cell that only some of them have. */
#define CELL(column, expression)                                                                   \
	static struct value get_##column(const struct rows *rows, unsigned int row)                \
	{                                                                                          \
		const struct object *o = object(rows, row);                                        \
                                                                                                   \
		return expression;                                                                 \
	}
#define CELL_IF(column, has, expression) CELL(column, has ? expression : none)

CELL(type, value_text(text_kind(o->kind)))
CELL_IF(key, is_sysv(o), value_of(VALUE_KEY, (uint32_t)o->key))
CELL(id, value_of(VALUE_NUMBER, (uint64_t)o->id))
CELL(name, value_text(o->name))
CELL(perms, value_of(VALUE_MODE, o->mode))
CELL(owner, value_of(VALUE_USER, o->uid))
CELL_IF(creator, is_sysv(o), value_of(VALUE_USER, o->cuid))
CELL_IF(size, o->kind != OBJECT_SEM, value_of(VALUE_BYTES, o->bytes))
CELL(used, value_of(VALUE_BYTES, o->allocated))
CELL(swapped, value_of(VALUE_BYTES, o->swapped))
CELL_IF(nattch, !is_queue(o) && o->kind != OBJECT_SEM, value_of(VALUE_NUMBER, o->count))
CELL_IF(nsems, o->kind == OBJECT_SEM, value_of(VALUE_NUMBER, o->count))
CELL_IF(cpid, is_sysv(o) && o->cpid != 0, value_of(VALUE_NUMBER, (uint64_t)o->cpid))
CELL_IF(lpid, is_sysv(o) && o->lpid != 0, value_of(VALUE_NUMBER, (uint64_t)o->lpid))
CELL_IF(atime, o->atime > 0, value_of(VALUE_MOMENT, (uint64_t)o->atime))
CELL_IF(dtime, o->dtime > 0, value_of(VALUE_MOMENT, (uint64_t)o->dtime))
CELL_IF(ctime, o->ctime > 0, value_of(VALUE_MOMENT, (uint64_t)o->ctime))
CELL_IF(lost, o->channel != NULL, value_of(VALUE_NUMBER, o->channel->lost))
CELL_IF(peers, o->channel != NULL, value_of(VALUE_NUMBER, o->channel->peer_count))
CELL_IF(dead, o->channel != NULL, value_of(VALUE_NUMBER, o->channel->dead))
CELL(mutexes, value_of(VALUE_NUMBER, o->mutexes))

/* What is said to a system call to get at it: the id, or the name. */
static struct value get_object(const struct rows *rows, unsigned int row)
{
	return is_sysv(object(rows, row)) ? get_id(rows, row) : get_name(rows, row);
}

static struct value get_status(const struct rows *rows, unsigned int row)
{
	static const struct {
		uint32_t bit;
		const char *name;
	} known[] = { { STATUS_DEST, "dest" },
		      { STATUS_LOCKED, "locked" },
		      { STATUS_HUGE, "hugetlb" },
		      { STATUS_SPARSE, "sparse" } };
	const char *text = "";

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (object(rows, row)->status & known[i].bit)
			text = memory_print(rows->memory, "%s%s%s", text, text[0] ? "," : "",
					    known[i].name);
	return value_text(text);
}

static struct value get_messages(const struct rows *rows, unsigned int row)
{
	const struct object *o = object(rows, row);

	if (o->channel)
		return value_of(VALUE_NUMBER, o->channel->messages);
	return is_queue(o) ? value_of(VALUE_NUMBER, o->count) : none;
}

static struct value get_ipcns(const struct rows *rows, unsigned int row)
{
	const struct places *p = rows->of;
	int ipcns = places_ipcns(p, row);

	return ipcns == NOBODY ? none : value_of(VALUE_NUMBER, p->s->ipcns[ipcns].ino);
}

static struct value get_area(const struct rows *rows, unsigned int row)
{
	const struct places *p = rows->of;
	const struct shm_area *a;

	if (object(rows, row)->area == NOBODY)
		return none;
	a = &p->s->areas[object(rows, row)->area];
	return value_text(
		memory_print(rows->memory, "%u:%u%s", a->dev_major, a->dev_minor, a->root));
}

static struct value get_path(const struct rows *rows, unsigned int row)
{
	const struct places *p = rows->of;
	const struct object *o = object(rows, row);

	char path[PATH_MAX];

	if (o->area == NOBODY || o->kind == OBJECT_DELETED)
		return none;
	return value_text(memory_print(rows->memory, "%s/%s", p->s->areas[o->area].point,
				       object_path(o, path, sizeof(path))));
}

static struct value get_container(const struct rows *rows, unsigned int row)
{
	struct members in = places_sharers(rows->of, row, rows->memory);

	return (struct value){ .type = VALUE_LIST,
			       .list = (const char *const *)in.name,
			       .count = in.count };
}

/* A text of each container that shares the object, each once; @get gives "" for none. */
static struct value list_of(const struct rows *rows, unsigned int row,
			    const char *(*get)(const struct container *c))
{
	const struct places *p = rows->of;
	struct members in = places_sharers(p, row, rows->memory);
	const char **list = memory_get(rows->memory, (in.count + 1) * sizeof(*list));
	unsigned int count = 0, j;

	for (unsigned int i = 0; list && i < in.count; i++) {
		const char *text = get(&p->s->containers[in.container[i]]);

		for (j = 0; j < count && strcmp(list[j], text) != 0; j++)
			;
		if (text[0] != '\0' && j == count)
			list[count++] = text;
	}
	return (struct value){ .type = VALUE_LIST,
			       .list = (const char *const *)list,
			       .count = count };
}

#define CELL_OF_CONTAINERS(column)                                                                 \
	static const char *column##_of(const struct container *c)                                  \
	{                                                                                          \
		return c->column;                                                                  \
	}                                                                                          \
	static struct value get_##column(const struct rows *rows, unsigned int row)                \
	{                                                                                          \
		return list_of(rows, row, column##_of);                                            \
	}

CELL_OF_CONTAINERS(image)
CELL_OF_CONTAINERS(service)
CELL_OF_CONTAINERS(pod)

/* "COMMAND[PID]" of each that maps it or has it open. */
static struct value get_users(const struct rows *rows, unsigned int row)
{
	const struct places *p = rows->of;
	unsigned int first = p->first_use[row], count = p->first_use[row + 1] - first;
	const char **list = memory_get(rows->memory, (count + 1) * sizeof(*list));

	for (unsigned int i = 0; list && i < count; i++) {
		const struct process *process = &p->s->processes[p->s->uses[first + i].process];

		list[i] = memory_print(rows->memory, "%s[%d]", process->command, process->pid);
	}
	return (struct value){ .type = VALUE_LIST,
			       .list = (const char *const *)list,
			       .count = list ? count : 0 };
}

static const struct column columns[] = {
	{ "TYPE", false, get_type },       { "KEY", false, get_key },
	{ "OBJECT", false, get_object },   { "ID", true, get_id },
	{ "NAME", false, get_name },       { "PATH", false, get_path },
	{ "PERMS", false, get_perms },     { "OWNER", false, get_owner },
	{ "CREATOR", false, get_creator }, { "SIZE", true, get_size },
	{ "USED", true, get_used },        { "SWAPPED", true, get_swapped },
	{ "NATTCH", true, get_nattch },    { "STATUS", false, get_status },
	{ "NSEMS", true, get_nsems },      { "MESSAGES", true, get_messages },
	{ "LOST", true, get_lost },        { "PEERS", true, get_peers },
	{ "DEAD", true, get_dead },        { "MUTEXES", true, get_mutexes },
	{ "CPID", true, get_cpid },        { "LPID", true, get_lpid },
	{ "ATIME", false, get_atime },     { "DTIME", false, get_dtime },
	{ "CTIME", false, get_ctime },     { "IPCNS", true, get_ipcns },
	{ "AREA", false, get_area },       { "CONTAINER", false, get_container },
	{ "IMAGE", false, get_image },     { "SERVICE", false, get_service },
	{ "POD", false, get_pod },         { "USERS", false, get_users },
};

const struct column_set object_columns = {
	.column = columns,
	.count = sizeof(columns) / sizeof(columns[0]),
	.standard = "TYPE,KEY,OBJECT,PERMS,OWNER,SIZE,NATTCH,STATUS,IPCNS,CONTAINER",
	.grouped = "TYPE,KEY,OBJECT,PERMS,OWNER,SIZE,NATTCH,STATUS,CONTAINER",
	.tree = "PERMS,OWNER,SIZE,NATTCH,STATUS",
};
