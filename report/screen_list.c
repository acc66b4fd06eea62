/* SPDX-License-Identifier: Apache-2.0 */
/*
 * screen_list.c - the list of coshm top; see screen_list.h.
 */
#include "screen_list.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "text.h"

#define NONE TOP_SORTS /* this column is not sorted by */

/* In the order they are shown; narrow screens leave out those with the highest rank. */
static const struct {
	const char *name;
	unsigned int width; /* of two the least: they get what is left */
	unsigned int rank;
	enum top_sort sort;
	bool right;
} known[LIST_COLUMNS] = {
	[LIST_TYPE] = { "TYPE", 9, 4, NONE, false },
	[LIST_OBJECT] = { "OBJECT", 8, 0, TOP_NAME, false },
	[LIST_CONTAINER] = { "CONTAINER", 9, 3, NONE, false },
	[LIST_SIZE] = { "SIZE", 6, 1, TOP_SIZE, true },
	[LIST_GROWTH] = { "GROWTH", 7, 5, TOP_GROWTH, true },
	[LIST_USERS] = { "USERS", 5, 8, NONE, true },
	[LIST_MESSAGES] = { "MSGS", 6, 2, TOP_MESSAGES, true },
	[LIST_WAITS] = { "WAITS", 6, 7, TOP_WAITS, true },
	[LIST_LOST] = { "LOST", 6, 6, TOP_LOST, true },
};

#define COLUMNS_MAX 400u /* of a list that may take as many as it likes */

/* ---- lines -------------------------------------------------------------------------------- */

static void add(struct list *l, struct list_line line)
{
	struct list_line *room = memory_add(l->m, l->line, l->count);

	if (room)
		*room = line;
}

static const char *container_text(const struct snapshot *s, int container, const char *name,
				  struct memory *m)
{
	const struct container *c = &s->containers[container];

	return memory_print(m, "  container %s%s%s", name,
			    c->state == CONTAINER_PAUSED  ? ", paused" :
			    c->state == CONTAINER_STOPPED ? ", stopped" :
							    "",
			    c->donor == NOBODY ? "" : ", joined another");
}

static void add_place(struct list *l, const struct places *p, unsigned int place)
{
	const struct snapshot *s = p->s;
	const struct members *in = NULL;

	if (place < s->ipcns_count)
		in = &p->in_ipcns[place];
	else if (place < s->ipcns_count + s->area_count)
		in = &p->in_area[place - s->ipcns_count];
	add(l, (struct list_line){ .text = places_title(p, place, l->m), .place = true });
	for (unsigned int i = 0; in && i < in->count; i++)
		add(l, (struct list_line){
			       .text = container_text(s, in->container[i], in->name[i], l->m) });
}

/* ---- widths ------------------------------------------------------------------------------- */

static unsigned int all_columns(const struct list *l)
{
	unsigned int all = 0;

	for (int i = 0; i < LIST_COLUMNS; i++)
		all += l->width[i] == 0 ? 0 : l->width[i] + 1;
	return all == 0 ? 0 : all - 1;
}

/* Where the list alone says how wide it is. */
static void widen_all(struct list *l, const struct top_rows *rows)
{
	unsigned int object = l->width[LIST_OBJECT], container = l->width[LIST_CONTAINER];

	for (unsigned int i = 0; i < rows->count; i++) {
		unsigned int one = cells_width(rows->row[i].name);
		unsigned int other = cells_width(rows->row[i].containers);

		object = one > object ? one : object;
		container = other > container ? other : container;
	}
	l->width[LIST_OBJECT] = object < COLUMNS_MAX / 2 ? object : COLUMNS_MAX / 2;
	l->width[LIST_CONTAINER] = container < COLUMNS_MAX / 4 ? container : COLUMNS_MAX / 4;
	l->columns = all_columns(l) < 80 ? 80 : all_columns(l);
}

/* Leave out what does not fit, and give what is left to names. */
static void fit(struct list *l)
{
	unsigned int left;

	for (unsigned int rank = LIST_COLUMNS - 1; rank > 0 && all_columns(l) > l->columns; rank--)
		for (int i = 0; i < LIST_COLUMNS; i++)
			if (known[i].rank == rank)
				l->width[i] = 0;
	if (all_columns(l) > l->columns) {
		l->width[LIST_OBJECT] = l->columns;
		return;
	}
	left = l->columns - all_columns(l);
	if (l->width[LIST_CONTAINER] != 0) {
		l->width[LIST_CONTAINER] += left / 4;
		left -= left / 4;
	}
	l->width[LIST_OBJECT] += left;
}

int list_make(const struct places *p, const struct top_rows *rows, bool tree, unsigned int columns,
	      struct memory *m, struct list *list)
{
	unsigned int next = 0;

	*list = (struct list){ .s = p->s, .m = m, .columns = columns, .tree = tree };
	for (int i = 0; i < LIST_COLUMNS; i++)
		list->width[i] = known[i].width;
	if (columns == 0)
		widen_all(list, rows);
	else
		fit(list);
	for (unsigned int place = 0; tree && place < p->count; place++) {
		bool is_ipcns = place < p->s->ipcns_count;

		/* The line of a namespace has its /dev/shm, too. */
		if (is_ipcns || (next < rows->count && rows->row[next].place == place))
			add_place(list, p, place);
		for (; next < rows->count && rows->row[next].place == place; next++)
			add(list, (struct list_line){ .row = &rows->row[next] });
	}
	for (; next < rows->count; next++)
		add(list, (struct list_line){ .row = &rows->row[next] });
	return memory_failed(m) ? -ENOMEM : 0;
}

/* ---- text --------------------------------------------------------------------------------- */

/* A rate or a count in six columns: "950", "0.5", "12.3k", "4.0M". */
static const char *count_text(double count, char room[TEXT_ROOM])
{
	static const char units[] = " kMGTPE";
	unsigned int unit = 0;
	int digits;

	while (count >= 999.5 && units[unit + 1] != '\0') {
		count /= 1000;
		unit++;
	}
	digits = count < 99.95 && (unit != 0 || count != (double)(int)count);
	snprintf(room, TEXT_ROOM, "%.*f%.*s", digits, count, unit != 0, &units[unit]);
	return room;
}

static const char *growth_text(double growth, char room[TEXT_ROOM])
{
	char bytes[TEXT_ROOM];
	double size = growth < 0 ? -growth : growth;

	if (size < 1)
		return "0";
	snprintf(room, TEXT_ROOM, "%c%s", growth < 0 ? '-' : '+',
		 text_bytes(size < 1e18 ? (uint64_t)size : UINT64_MAX, false, bytes));
	return room;
}

static const char *rate_text(const struct top_row *row, const struct object *o,
			     enum list_column column, char room[TEXT_ROOM])
{
	if (column == LIST_GROWTH)
		return row->has_rates ? growth_text(row->growth, room) : "-";
	if (!o->channel)
		return "";
	if (column == LIST_LOST)
		return count_text((double)o->channel->lost, room);
	if (!row->has_rates)
		return "-";
	return count_text(column == LIST_MESSAGES ? row->messages : row->waits, room);
}

static const char *cell_text(const struct list *l, const struct top_row *row,
			     enum list_column column, char room[TEXT_ROOM])
{
	const struct object *o = &l->s->objects[row->object];

	switch (column) {
	case LIST_TYPE:
		return top_type(o);
	case LIST_OBJECT:
		return l->tree ? memory_print(l->m, "    %s", row->name) : row->name;
	case LIST_CONTAINER:
		return row->containers;
	case LIST_SIZE:
		return text_bytes(o->bytes, false, room);
	case LIST_USERS:
		return count_text(o->kind == OBJECT_SHM ? (double)o->count : (double)o->uses, room);
	default:
		return rate_text(row, o, column, room);
	}
}

static enum style cell_style(const struct list *l, const struct top_row *row,
			     enum list_column column)
{
	const struct object *o = &l->s->objects[row->object];

	if (column == LIST_LOST && row->has_rates && row->lost > 0)
		return STYLE_BAD;
	if (column == LIST_USERS && o->channel && o->channel->dead > 0)
		return STYLE_BAD;
	return STYLE_PLAIN;
}

static void put_row(const struct list *l, const struct cells *c, unsigned int y,
		    const struct top_row *row)
{
	unsigned int x = 0;
	char room[TEXT_ROOM];

	for (int i = 0; i < LIST_COLUMNS; i++) {
		const char *text;

		if (l->width[i] == 0)
			continue;
		text = cell_text(l, row, (enum list_column)i, room);
		(known[i].right ? cells_put_right : cells_put)(
			c, y, x, l->width[i], cell_style(l, row, (enum list_column)i), text);
		x += l->width[i] + 1;
	}
}

void list_put_headings(const struct list *l, const struct cells *c, unsigned int y,
		       enum top_sort sort)
{
	unsigned int x = 0;

	cells_fill(c, y, STYLE_TITLE);
	for (int i = 0; i < LIST_COLUMNS; i++) {
		if (l->width[i] == 0)
			continue;
		(known[i].right ? cells_put_right : cells_put)(
			c, y, x, l->width[i], known[i].sort == sort ? STYLE_CHOSEN : STYLE_TITLE,
			known[i].name);
		x += l->width[i] + 1;
	}
}

void list_put(const struct list *l, const struct cells *c, unsigned int y, unsigned int first,
	      unsigned int room)
{
	if (l->count == 0)
		cells_put(c, y, 0, c->columns, STYLE_DIM, "nothing to show");
	for (unsigned int i = 0; i < room && first + i < l->count; i++) {
		const struct list_line *line = &l->line[first + i];

		if (line->row)
			put_row(l, c, y + i, line->row);
		else
			cells_put(c, y + i, 0, c->columns, line->place ? STYLE_BOLD : STYLE_PLAIN,
				  text_printable(l->m, line->text));
	}
}
