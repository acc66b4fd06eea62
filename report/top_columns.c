/* SPDX-License-Identifier: Apache-2.0 */
/*
 * top_columns.c - the columns of coshm top: what objects have done of late, in
 * front of those that coshm ls has; and all of them as JSON.
 */
#include <errno.h>

#include "json.h"
#include "objects.h"
#include "rates.h"

static const struct value none = { .type = VALUE_NONE };

static const struct top_row *at(const struct rows *rows, unsigned int row)
{
	const struct top_rows *top = rows->of;

	return &top->row[row];
}

static const struct object *object(const struct rows *rows, unsigned int row)
{
	const struct top_rows *top = rows->of;

	return &top->places.s->objects[row];
}

static struct value get_type(const struct rows *rows, unsigned int row)
{
	return value_text(top_type(object(rows, row)));
}

static struct value get_object(const struct rows *rows, unsigned int row)
{
	return value_text(at(rows, row)->name);
}

/* Programs and filters get all, people the first. */
static struct value get_container(const struct rows *rows, unsigned int row)
{
	const struct top_rows *top = rows->of;
	struct members in = places_sharers(&top->places, row, rows->memory);

	return (struct value){ .type = VALUE_LIST,
			       .text = at(rows, row)->containers,
			       .list = in.name,
			       .count = in.count };
}

static struct value get_size(const struct rows *rows, unsigned int row)
{
	return value_of(VALUE_BYTES, object(rows, row)->bytes);
}

static struct value get_growth(const struct rows *rows, unsigned int row)
{
	const struct top_row *r = at(rows, row);

	return value_rate(r->has_rates ? VALUE_GROWTH : VALUE_UNKNOWN, r->growth);
}

static struct value get_users(const struct rows *rows, unsigned int row)
{
	const struct object *o = object(rows, row);

	return value_of(VALUE_COUNT, o->kind == OBJECT_SHM ? o->count : o->uses);
}

static struct value of_channel(const struct rows *rows, unsigned int row, double rate)
{
	if (!object(rows, row)->channel)
		return none;
	return value_rate(at(rows, row)->has_rates ? VALUE_RATE : VALUE_UNKNOWN, rate);
}

static struct value get_messages(const struct rows *rows, unsigned int row)
{
	return of_channel(rows, row, at(rows, row)->messages);
}

static struct value get_waits(const struct rows *rows, unsigned int row)
{
	return of_channel(rows, row, at(rows, row)->waits);
}

static struct value get_lost(const struct rows *rows, unsigned int row)
{
	const struct channel *c = object(rows, row)->channel;

	return c ? value_of(VALUE_COUNT, c->lost) : none;
}

static const struct column own_columns[] = {
	{ "TYPE", false, get_type },
	{ "OBJECT", false, get_object },
	{ "CONTAINER", false, get_container },
	{ "SIZE", true, get_size },
	{ "GROWTH", true, get_growth },
	{ "USERS", true, get_users },
	{ "MSGS", true, get_messages },
	{ "WAITS", true, get_waits },
	{ "LOST", true, get_lost },
};

const struct column_set *top_columns(struct memory *m)
{
	static const struct column_set own = {
		.column = own_columns, .count = sizeof(own_columns) / sizeof(own_columns[0])
	};

	return columns_join(m, &own, &object_columns,
			    "TYPE,OBJECT,CONTAINER,SIZE,GROWTH,USERS,MSGS,WAITS,LOST");
}

int top_rows_json(const struct top_rows *top, const struct column_set *set)
{
	const struct snapshot *s = top->places.s;
	struct memory *m = top->rows.memory;
	json_t *list = json_array();

	for (unsigned int i = 0; list && i < top->count; i++)
		if (json_array_append_new(list, json_row(set, &top->rows, top->shown[i])) < 0) {
			json_decref(list);
			list = NULL;
		}
	return json_print(json_pack("{s:o, s:o, s:o, s:o}", "taken",
				    json_number((uint64_t)(s->taken_ns / 1000000000)), "areas",
				    json_areas(&top->places, m), "objects", list, "notes",
				    json_texts(m, s->notes, s->note_count)));
}
