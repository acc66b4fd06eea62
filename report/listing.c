/* SPDX-License-Identifier: Apache-2.0 */
/*
 * listing.c - rows by place, as a table, a tree or JSON; see listing.h.
 */
#include "listing.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "json.h"
#include "objects.h"
#include "scols.h"
#include "text.h"

static unsigned int object_of(const struct listing *l, unsigned int row)
{
	return l->uses ? (unsigned int)l->places->s->uses[row].object : row;
}

static unsigned int place_of(const struct listing *l, unsigned int index)
{
	return l->places->of_object[object_of(l, l->row[index])];
}

/* Behind the last row from first on that is in this place. */
static unsigned int end_of_place(const struct listing *l, unsigned int place, unsigned int first)
{
	while (first < l->count && place_of(l, first) == place)
		first++;
	return first;
}

/* Nothing is in it, but somebody is. */
static bool worth_a_title(const struct listing *l, unsigned int place)
{
	return l->inhabited && l->inhabited[place];
}

/* The next lines of a text; behind them. */
static const char *print_lines(const char *text, unsigned int count)
{
	for (; count > 0 && text[0] != '\0'; count--) {
		size_t length = strcspn(text, "\n");

		printf("%.*s\n", (int)length, text);
		text += length + (text[length] == '\n');
	}
	return text;
}

/*
 * The whole table is laid out at once, so that columns are as wide in all places,
 * and the titles come between its lines; no cell has a newline in it.
 */
static int print_places(const struct listing *l, struct libscols_table *table)
{
	unsigned int first = 0, end, headings = l->no_headings ? 0 : 1;
	const char *between = "", *line;
	char *text = NULL;

	if (scols_print_table_to_string(table, &text) < 0)
		return -ENOMEM;
	line = text ? text : "";
	for (unsigned int place = 0; place < l->places->count; place++, first = end) {
		end = end_of_place(l, place, first);
		if (end == first && !worth_a_title(l, place))
			continue;
		printf("%s%s%s\n", between, places_title(l->places, place, l->rows.memory),
		       end == first ? "; no objects" : "");
		between = "\n";
		if (end == first)
			continue;
		line = print_lines(line, end - first + headings);
		headings = 0;
	}
	free(text);
	return 0;
}

int listing_table(const struct listing *l)
{
	struct libscols_table *table = table_new(&l->selection, NULL, l->no_headings);
	int err = table ? 0 : -ENOMEM;

	for (unsigned int i = 0; i < l->count && err == 0; i++)
		if (!table_add(table, &l->selection, &l->rows, l->row[i]))
			err = -ENOMEM;
	if (err == 0)
		err = l->titles ? print_places(l, table) : table_print(table);
	scols_unref_table(table);
	return memory_failed(l->rows.memory) ? -ENOMEM : err;
}

struct tree {
	const struct listing *l;
	struct libscols_table *table;
};

static struct libscols_line *branch(const struct tree *t, struct libscols_line *parent,
				    const char *label)
{
	return tree_add(t->table, &t->l->selection, NULL, 0, parent, label);
}

static const char *object_label(const struct listing *l, unsigned int object)
{
	char room[4096];

	text_object(l->places->s, (int)object, room, sizeof(room));
	return text_printable(l->rows.memory, memory_copy(l->rows.memory, room, strlen(room)));
}

static struct libscols_line *add_object(const struct tree *t, struct libscols_line *parent,
					unsigned int object)
{
	return tree_add(t->table, &t->l->selection, &t->l->rows, object, parent,
			object_label(t->l, object));
}

static bool used_by(const struct places *p, unsigned int object, int container)
{
	for (unsigned int i = p->first_use[object]; i < p->first_use[object + 1]; i++)
		if (p->s->processes[p->s->uses[i].process].container == container)
			return true;
	return false;
}

/* Of objects first to end those that a container uses, below it. */
static int add_container(const struct tree *t, struct libscols_line *parent, int container,
			 unsigned int first, unsigned int end)
{
	const struct listing *l = t->l;
	const char *name = text_printable(l->rows.memory, l->places->s->containers[container].name);
	struct libscols_line *line =
		branch(t, parent, memory_print(l->rows.memory, "container %s", name));

	for (unsigned int i = first; line && i < end; i++)
		if (used_by(l->places, l->row[i], container) && !add_object(t, line, l->row[i]))
			return -ENOMEM;
	return line ? 0 : -ENOMEM;
}

/* Mark containers that use objects first to end, and those that are in the place. */
static void mark(const struct listing *l, unsigned int place, unsigned int first, unsigned int end,
		 bool *marked)
{
	const struct places *p = l->places;

	for (unsigned int i = 0; worth_a_title(l, place) && i < p->in_ipcns[place].count; i++)
		marked[p->in_ipcns[place].container[i]] = true;
	for (unsigned int i = first; i < end; i++) {
		for (unsigned int use = p->first_use[l->row[i]]; use < p->first_use[l->row[i] + 1];
		     use++) {
			int container = p->s->processes[p->s->uses[use].process].container;

			if (container != NOBODY)
				marked[container] = true;
		}
	}
}

static bool used_by_any(const struct places *p, unsigned int object)
{
	for (unsigned int i = p->first_use[object]; i < p->first_use[object + 1]; i++)
		if (p->s->processes[p->s->uses[i].process].container != NOBODY)
			return true;
	return false;
}

/* Below a place: its containers, each with what it uses, then what none of them uses. */
static int add_containers(const struct tree *t, struct libscols_line *parent, unsigned int place,
			  unsigned int first, unsigned int end)
{
	const struct listing *l = t->l;
	unsigned int count = l->places->s->container_count;
	bool *marked = memory_get(l->rows.memory, count + 1);

	if (!marked)
		return -ENOMEM;
	mark(l, place, first, end, marked);
	for (unsigned int i = 0; i < count; i++)
		if (marked[i] && add_container(t, parent, (int)i, first, end) < 0)
			return -ENOMEM;
	for (unsigned int i = first; i < end; i++)
		if (!used_by_any(l->places, l->row[i]) && !add_object(t, parent, l->row[i]))
			return -ENOMEM;
	return 0;
}

/* Below a place: objects, each with the processes that use it. */
static int add_processes(const struct tree *t, struct libscols_line *parent, unsigned int first,
			 unsigned int end)
{
	const struct listing *l = t->l;
	struct libscols_line *line = NULL;
	char label[64];

	for (unsigned int i = first; i < end; i++) {
		const struct process *process =
			&l->places->s->processes[l->places->s->uses[l->row[i]].process];

		if (i == first || object_of(l, l->row[i]) != object_of(l, l->row[i - 1]))
			line = branch(t, parent, object_label(l, object_of(l, l->row[i])));
		snprintf(label, sizeof(label), "%d %s", (int)process->pid,
			 text_printable(l->rows.memory, process->command));
		if (!line || !tree_add(t->table, &l->selection, &l->rows, l->row[i], line, label))
			return -ENOMEM;
	}
	return 0;
}

static int add_place(const struct tree *t, unsigned int place, unsigned int first, unsigned int end)
{
	struct libscols_line *line =
		branch(t, NULL, places_name(t->l->places, place, t->l->rows.memory));

	if (!line)
		return -ENOMEM;
	return t->l->uses ? add_processes(t, line, first, end) :
			    add_containers(t, line, place, first, end);
}

int listing_tree(const struct listing *l)
{
	struct tree t = { .l = l, .table = table_new(&l->selection, "OBJECT", l->no_headings) };
	unsigned int first = 0, end;
	int err = t.table ? 0 : -ENOMEM;

	for (unsigned int place = 0; place < l->places->count && err == 0; place++, first = end) {
		end = end_of_place(l, place, first);
		if (end != first || worth_a_title(l, place))
			err = add_place(&t, place, first, end);
	}
	if (err == 0)
		err = table_print(t.table);
	scols_unref_table(t.table);
	return memory_failed(l->rows.memory) ? -ENOMEM : err;
}

static json_t *rows_as_json(const struct listing *l)
{
	const struct column_set *set = l->uses ? &use_columns : &object_columns;
	json_t *list = json_array();

	for (unsigned int i = 0; list && i < l->count; i++) {
		if (json_array_append_new(list, json_row(set, &l->rows, l->row[i])) < 0) {
			json_decref(list);
			return NULL;
		}
	}
	return list;
}

int listing_json(const struct listing *l)
{
	const struct snapshot *s = l->places->s;
	struct memory *m = l->rows.memory;
	json_t *root = json_pack(
		"{s:o, s:o, s:o, s:o, s:o, s:o}", "namespaces", json_namespaces(l->places, m),
		"areas", json_areas(l->places, m), "containers", json_containers(s, m),
		l->uses ? "processes" : "objects", rows_as_json(l), "notes",
		json_texts(m, (const char *const *)s->notes, s->note_count), "remarks",
		json_texts(m, (const char *const *)s->remarks, s->remark_count));

	return json_print(root);
}
