/* SPDX-License-Identifier: Apache-2.0 */
/*
 * calls.c - see calls.h.
 */
#include "calls.h"

#include <errno.h>

#include "json.h"
#include "scols.h"
#include "text.h"

static const struct ipc_call *call_of(const struct rows *rows, unsigned int row)
{
	const struct calls *c = rows->of;

	return &c->call[row];
}

static struct value get_call(const struct rows *rows, unsigned int row)
{
	return value_text(call_of(rows, row)->name);
}

static struct value get_type(const struct rows *rows, unsigned int row)
{
	return value_text(ipc_call_kind_text(call_of(rows, row)->kind));
}

static struct value get_file(const struct rows *rows, unsigned int row)
{
	return value_text(text_printable(rows->memory, call_of(rows, row)->path));
}

static const struct column columns[] = {
	{ "CALL", false, get_call },
	{ "TYPE", false, get_type },
	{ "FILE", false, get_file },
};

const struct column_set call_columns = {
	.column = columns,
	.count = sizeof(columns) / sizeof(columns[0]),
	.standard = "CALL,TYPE,FILE",
};

static bool passes(const struct calls *c, const struct rows *rows, unsigned int row)
{
	return filters_pass(c->filter, c->filters, rows, row);
}

int calls_table(const struct calls *c, struct memory *m)
{
	struct libscols_table *table = table_new(&c->selection, NULL, c->no_headings);
	struct rows rows = { .of = c, .memory = m };
	int err = table ? 0 : -ENOMEM;

	for (unsigned int i = 0; i < c->count && err == 0; i++)
		if (c->call[i].kind != IPC_CALL_ANY && passes(c, &rows, i) &&
		    !table_add(table, &c->selection, &rows, i))
			err = -ENOMEM;
	if (err == 0)
		err = table_print(table);
	scols_unref_table(table);
	return memory_failed(m) ? -ENOMEM : err;
}

int calls_json(const struct calls *c, struct memory *m)
{
	struct rows rows = { .of = c, .memory = m };
	json_t *list = json_array();

	for (unsigned int i = 0; list && i < c->count; i++) {
		if (passes(c, &rows, i) &&
		    json_array_append_new(list, json_row(&call_columns, &rows, i)) < 0) {
			json_decref(list);
			list = NULL;
		}
	}
	return json_print(json_pack(
		"{s:o, s:o, s:b, s:o, s:o, s:o}", "program", json_printable(m, c->program), "file",
		json_printable(m, c->file), "served", c->why_not == NULL, "why_not",
		json_printable(m, c->why_not ? c->why_not : ""), "missing",
		json_printable(m, c->needs->missing ? c->needs->missing : ""), "calls", list));
}
