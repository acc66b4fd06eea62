/* SPDX-License-Identifier: Apache-2.0 */
/*
 * screen_list.c - the list of coshm top; see screen_list.h.
 */
#include "screen_list.h"

#include <errno.h>
#include <string.h>

#include "text.h"

#define NONE TOP_SORTS /* this column is not sorted by */

/* How wide those of coshm top itself are, or at least: two get what is left of the screen. */
static const struct {
	const char *name;
	unsigned int width;
	unsigned int rank;
	enum top_sort sort;
} known[] = {
	{ "TYPE", 9, 4, NONE },         { "OBJECT", 8, 0, TOP_NAME },   { "CONTAINER", 9, 3, NONE },
	{ "SIZE", 6, 1, TOP_SIZE },     { "GROWTH", 7, 5, TOP_GROWTH }, { "USERS", 5, 8, NONE },
	{ "MSGS", 6, 2, TOP_MESSAGES }, { "WAITS", 6, 7, TOP_WAITS },   { "LOST", 6, 6, TOP_LOST },
};

#define KNOWN    (sizeof(known) / sizeof(known[0]))
#define RANK_MAX KNOWN

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

static void add_place(struct list *l, unsigned int place)
{
	const struct places *p = &l->rows->places;
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

static bool in_place(const struct top_rows *rows, unsigned int next, unsigned int place)
{
	return next < rows->count && rows->row[rows->shown[next]].place == place;
}

static void add_lines(struct list *l)
{
	const struct top_rows *rows = l->rows;
	unsigned int next = 0;

	for (unsigned int place = 0; l->tree && place < rows->places.count; place++) {
		/* The line of a namespace has its /dev/shm, too. */
		if (place < rows->places.s->ipcns_count || in_place(rows, next, place))
			add_place(l, place);
		for (; in_place(rows, next, place); next++)
			add(l, (struct list_line){ .object = rows->shown[next] });
	}
	for (; next < rows->count; next++)
		add(l, (struct list_line){ .object = rows->shown[next] });
}

/* ---- widths ------------------------------------------------------------------------------- */

static bool is(const struct list_column *c, const char *name)
{
	return strcmp(c->column->name, name) == 0;
}

static const char *cell_text(const struct list *l, const struct list_column *c, unsigned int object)
{
	struct value value = c->column->get(&l->rows->rows, object);
	const char *text = value_show(&l->rows->rows, &value);

	return l->tree && is(c, "OBJECT") ? memory_print(l->m, "    %s", text) : text;
}

static unsigned int all_columns(const struct list *l)
{
	unsigned int all = 0;

	for (unsigned int i = 0; i < l->column_count; i++)
		all += l->column[i].width == 0 ? 0 : l->column[i].width + 1;
	return all == 0 ? 0 : all - 1;
}

/* As wide as its values, within reason. */
static void widen(const struct list *l, struct list_column *c, unsigned int most)
{
	for (unsigned int i = 0; i < l->rows->count; i++) {
		unsigned int takes = cells_width(cell_text(l, c, l->rows->shown[i]));

		c->wants = takes > c->wants ? takes : c->wants;
	}
	c->width = c->wants > c->width ? c->wants : c->width;
	c->width = c->width < most ? c->width : most;
}

/* Those of coshm ls and exact sizes have as much as they need, all the others what is known. */
static void set_width(const struct list *l, struct list_column *c)
{
	bool flexible = is(c, "OBJECT") || is(c, "CONTAINER");
	bool sized = is(c, "SIZE") || is(c, "GROWTH");
	unsigned int i;

	for (i = 0; i < KNOWN && !is(c, known[i].name); i++)
		;
	c->width = i < KNOWN ? known[i].width : cells_width(c->column->name);
	c->rank = i < KNOWN ? known[i].rank : 0;
	c->sort = i < KNOWN ? known[i].sort : NONE;
	if (flexible && l->columns == 0)
		widen(l, c, is(c, "OBJECT") ? COLUMNS_MAX / 2 : COLUMNS_MAX / 4);
	else if (i == KNOWN || (sized && l->rows->rows.exact))
		widen(l, c, l->columns == 0 ? COLUMNS_MAX / 4 : 32);
}

/* Those with a rank first, then from the right; the last one that is left has all. */
static void leave_out(struct list *l)
{
	for (unsigned int rank = RANK_MAX; rank > 0 && all_columns(l) > l->columns; rank--)
		for (unsigned int i = 0; i < l->column_count; i++)
			if (l->column[i].rank == rank && all_columns(l) != l->column[i].width)
				l->column[i].width = 0;
	for (unsigned int i = l->column_count; i > 0 && all_columns(l) > l->columns; i--)
		if (all_columns(l) != l->column[i - 1].width)
			l->column[i - 1].width = 0;
	for (unsigned int i = 0; i < l->column_count && all_columns(l) > l->columns; i++)
		if (l->column[i].width != 0)
			l->column[i].width = l->columns;
}

/* How much of what is left it has taken. */
static unsigned int widen_into(struct list_column *c, unsigned int left)
{
	unsigned int more = c->width != 0 && c->wants > c->width ? c->wants - c->width : 0;

	more = more < left ? more : left;
	c->width += more;
	return more;
}

/* Leave out what does not fit, and give what is left to names, or to who wants it. */
static void fit(struct list *l)
{
	struct list_column *object = NULL, *container = NULL;
	unsigned int left;

	leave_out(l);
	left = l->columns - all_columns(l);
	for (unsigned int i = 0; i < l->column_count; i++) {
		if (is(&l->column[i], "OBJECT") && l->column[i].width != 0)
			object = &l->column[i];
		if (is(&l->column[i], "CONTAINER") && l->column[i].width != 0)
			container = &l->column[i];
	}
	if (container) {
		container->width += object ? left / 4 : left;
		left -= left / 4;
	}
	if (object)
		object->width += left;
	for (unsigned int i = 0; i < l->column_count && !object && !container; i++)
		left -= widen_into(&l->column[i], left);
}

int list_make(const struct top_rows *rows, const struct selection *selection, bool tree,
	      unsigned int columns, struct memory *m, struct list *list)
{
	*list = (struct list){ .rows = rows,
			       .m = m,
			       .column_count = selection->count,
			       .columns = columns,
			       .tree = tree };
	for (unsigned int i = 0; i < list->column_count; i++) {
		list->column[i].column = selection->column[i];
		set_width(list, &list->column[i]);
	}
	if (columns == 0)
		list->columns = all_columns(list) < 80 ? 80 : all_columns(list);
	else
		fit(list);
	add_lines(list);
	return memory_failed(m) ? -ENOMEM : 0;
}

/* ---- cells -------------------------------------------------------------------------------- */

static enum style cell_style(const struct list *l, const struct list_column *c, unsigned int object)
{
	const struct object *o = &l->rows->places.s->objects[object];
	const struct top_row *row = &l->rows->row[object];

	if (c->sort == TOP_LOST && row->has_rates && row->lost > 0)
		return STYLE_BAD;
	if (is(c, "USERS") && o->channel && o->channel->dead > 0)
		return STYLE_BAD;
	return STYLE_PLAIN;
}

static void put_row(const struct list *l, const struct cells *c, unsigned int y,
		    unsigned int object)
{
	unsigned int x = 0;

	for (unsigned int i = 0; i < l->column_count; i++) {
		const struct list_column *column = &l->column[i];

		if (column->width == 0)
			continue;
		(column->column->right ? cells_put_right : cells_put)(c, y, x, column->width,
								      cell_style(l, column, object),
								      cell_text(l, column, object));
		x += column->width + 1;
	}
}

void list_put_headings(const struct list *l, const struct cells *c, unsigned int y,
		       enum top_sort sort)
{
	unsigned int x = 0;

	cells_fill(c, y, STYLE_TITLE);
	for (unsigned int i = 0; i < l->column_count; i++) {
		const struct list_column *column = &l->column[i];

		if (column->width == 0)
			continue;
		(column->column->right ? cells_put_right : cells_put)(
			c, y, x, column->width, column->sort == sort ? STYLE_CHOSEN : STYLE_TITLE,
			column->column->name);
		x += column->width + 1;
	}
}

void list_put(const struct list *l, const struct cells *c, unsigned int y, unsigned int first,
	      unsigned int room)
{
	if (l->count == 0)
		cells_put(c, y, 0, c->columns, STYLE_DIM, "nothing to show");
	for (unsigned int i = 0; i < room && first + i < l->count; i++) {
		const struct list_line *line = &l->line[first + i];

		if (!line->text)
			put_row(l, c, y + i, line->object);
		else
			cells_put(c, y + i, 0, c->columns, line->place ? STYLE_BOLD : STYLE_PLAIN,
				  text_printable(l->m, line->text));
	}
}
