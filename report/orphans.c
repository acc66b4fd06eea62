/* SPDX-License-Identifier: Apache-2.0 */
/*
 * orphans.c - see orphans.h.
 */
#include "orphans.h"

#include <errno.h>

#include "json.h"
#include "objects.h"
#include "scols.h"

static const struct orphans *orphans_of(const struct rows *rows)
{
	return rows->of;
}

static struct value get_result(const struct rows *rows, unsigned int row)
{
	return value_text(orphans_of(rows)->row[row].result);
}

static struct value get_why(const struct rows *rows, unsigned int row)
{
	return value_text(orphans_of(rows)->row[row].why);
}

static const struct column own_columns[] = {
	{ "RESULT", false, get_result },
	{ "WHY", false, get_why },
};

const struct column_set *orphans_columns(struct memory *m)
{
	static const struct column_set own = {
		.column = own_columns, .count = sizeof(own_columns) / sizeof(own_columns[0])
	};

	return columns_join(m, &object_columns, &own,
			    "TYPE,KEY,OBJECT,SIZE,IPCNS,CONTAINER,RESULT,WHY");
}

int orphans_table(const struct orphans *o)
{
	struct libscols_table *table = table_new(&o->selection, NULL, o->no_headings);
	int err = table ? 0 : -ENOMEM;

	for (unsigned int i = 0; i < o->places.s->object_count && err == 0; i++) {
		unsigned int object = o->places.order[i];

		if (o->row[object].result && !table_add(table, &o->selection, o->rows, object))
			err = -ENOMEM;
	}
	if (err == 0)
		err = table_print(table);
	scols_unref_table(table);
	return memory_failed(o->rows->memory) ? -ENOMEM : err;
}

static json_t *row_json(const struct orphans *o, unsigned int object)
{
	struct memory *m = o->rows->memory;
	json_t *row = json_row(&object_columns, o->rows, object);

	if (json_object_set_new(row, "result", json_printable(m, o->row[object].result)) < 0 ||
	    json_object_set_new(row, "why", json_printable(m, o->row[object].why)) < 0) {
		json_decref(row);
		return NULL;
	}
	return row;
}

int orphans_json(const struct orphans *o)
{
	const struct snapshot *s = o->places.s;
	json_t *list = json_array();
	int err = 0;

	for (unsigned int i = 0; i < s->object_count && err == 0; i++) {
		unsigned int object = o->places.order[i];

		if (o->row[object].result)
			err = json_array_append_new(list, row_json(o, object));
	}
	if (err < 0) {
		json_decref(list);
		list = NULL;
	}
	return json_print(json_pack("{s:o, s:o}", "objects", list, "notes",
				    json_texts(o->rows->memory, s->notes, s->note_count)));
}
