/* SPDX-License-Identifier: Apache-2.0 */
/*
 * screen.c - lays out a screen of coshm top: see screen.h.
 *
 *   title      how much there is, by what the list is sorted
 *   bars       how full each /dev/shm is, the fullest first
 *   headings
 *   list       objects, in a tree below their places and containers
 *   last line  a message, or the keys
 *
 * A small screen keeps the list, and leaves out first the bars, then the last
 * line, the title and the headings.
 */
#include "screen.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "screen_list.h"
#include "text.h"

struct layout {
	unsigned int bars; /* rows of each */
	bool title, headings, last;
};

struct page {
	const struct screen_view *view;
	const struct places *places;
	struct memory *m;
	struct cells *cells;
	struct top_rows rows;
	struct list list;
};

/* ---- how full each /dev/shm is ------------------------------------------------------------ */

static double fullness(const struct shm_area *a)
{
	return a->bytes == 0 ? -1 : (double)a->used / (double)a->bytes;
}

static int compare_areas(const void *left, const void *right, void *snapshot)
{
	const struct snapshot *s = snapshot;
	unsigned int i = *(const unsigned int *)left, j = *(const unsigned int *)right;
	double a = fullness(&s->areas[i]), b = fullness(&s->areas[j]);

	if (a != b)
		return a > b ? -1 : 1;
	return i < j ? -1 : i > j;
}

/* Areas with a limit, the fullest first; how many. */
static unsigned int sort_areas(const struct snapshot *s, struct memory *m, unsigned int **sorted)
{
	unsigned int count = 0;

	*sorted = memory_get(m, (s->area_count + 1) * sizeof(**sorted));
	if (!*sorted)
		return 0;
	for (unsigned int i = 0; i < s->area_count; i++)
		if (s->areas[i].bytes != 0)
			(*sorted)[count++] = i;
	qsort_r(*sorted, count, sizeof(**sorted), compare_areas, (void *)(uintptr_t)s);
	return count;
}

/* "/dev/shm donor,joiner" */
static const char *area_title(const struct page *page, unsigned int area)
{
	const struct members *in = &page->places->in_area[area];
	const char *point = text_printable(page->m, page->view->now->areas[area].point);

	if (in->count == 0)
		return point;
	return memory_print(page->m, "%s %s%s", point, in->name[0],
			    in->count == 1 ? "" : memory_print(page->m, " +%u", in->count - 1));
}

/* "[||||    ]", at least four columns wide, or nothing. */
static void put_gauge(const struct page *page, unsigned int row, unsigned int column,
		      unsigned int width, double full, enum style style)
{
	unsigned int filled;

	if (width < 4)
		return;
	filled = (unsigned int)(full * (width - 2) + 0.5);
	cells_put(page->cells, row, column, 1, STYLE_PLAIN, "[");
	for (unsigned int i = 0; i < filled; i++)
		cells_put(page->cells, row, column + 1 + i, 1, style, "|");
	cells_put(page->cells, row, column + width - 1, 1, STYLE_PLAIN, "]");
}

static void put_bar(const struct page *page, unsigned int row, unsigned int area)
{
	const struct shm_area *a = &page->view->now->areas[area];
	unsigned int columns = page->cells->columns, title = columns * 3 / 8;
	bool exact = page->view->order.exact;
	unsigned int numbers = (columns < 50 ? 13 : 24) + (exact ? columns / 4 : 0);
	double full = a->used > a->bytes ? 1 : fullness(a);
	enum style style = full > 0.8 ? STYLE_BAD : full > 0.5 ? STYLE_WARNING : STYLE_GOOD;
	char used[TEXT_ROOM], all[TEXT_ROOM];
	const char *text = memory_print(page->m, "%3u%% of %s", (unsigned int)(full * 100),
					text_bytes(a->bytes, exact, all));

	if (columns >= 50)
		text = memory_print(page->m, "%s, %s used", text, text_bytes(a->used, exact, used));
	cells_put(page->cells, row, 0, title, STYLE_PLAIN, area_title(page, area));
	if (columns > title + numbers)
		put_gauge(page, row, title + 1, columns - title - numbers - 1, full, style);
	numbers = columns > title + numbers ? numbers : columns - title;
	cells_put(page->cells, row, columns - numbers, numbers, style, text);
}

static void put_bars(const struct page *page, unsigned int row, unsigned int rows)
{
	unsigned int *sorted, count = sort_areas(page->view->now, page->m, &sorted);

	if (!sorted)
		return;
	for (unsigned int i = 0; i < rows && i < count; i++) {
		if (i + 1 == rows && count > rows)
			cells_put(page->cells, row + i, 0, page->cells->columns, STYLE_DIM,
				  memory_print(page->m, "and %u that are less full", count - i));
		else
			put_bar(page, row + i, sorted[i]);
	}
}

/* ---- the lines around the list ------------------------------------------------------------ */

/* "PAUSED  by size, reversed  only "web"  " */
static const char *state_text(const struct page *page)
{
	const struct screen_view *view = page->view;
	const char *filter = text_printable(page->m, view->order.filter);

	return memory_print(page->m, "%sby %s%s  %s%s%s", view->paused ? "PAUSED  " : "",
			    top_sort_name(view->order.sort),
			    view->order.reverse ? ", reversed" : "", filter[0] ? "only \"" : "",
			    filter, filter[0] ? "\"  " : "");
}

static void put_title(const struct page *page)
{
	const struct screen_view *view = page->view;
	const struct snapshot *s = view->now;
	char size[TEXT_ROOM], moment[TEXT_ROOM];

	text_moment(s->taken_ns / 1000000000, moment);
	cells_put(page->cells, 0, 0, page->cells->columns, STYLE_TITLE,
		  memory_print(page->m,
			       "coshm top %s  %s%s in %u objects, namespaces %u, containers %u",
			       strlen(moment) > 11 ? &moment[11] : "", state_text(page),
			       text_bytes(page->rows.bytes, view->order.exact, size),
			       s->object_count, s->ipcns_count, s->container_count));
	cells_fill(page->cells, 0, STYLE_TITLE);
}

static void put_last(const struct page *page, unsigned int row)
{
	const struct screen_view *view = page->view;
	const char *keys = "q quit  s sort  r reverse  / filter  t tree  p pause  h help";

	if (view->typing)
		cells_put(page->cells, row, 0, page->cells->columns, STYLE_BOLD,
			  memory_print(page->m, "only: %s_", view->order.filter));
	else if (view->message)
		cells_put(page->cells, row, 0, page->cells->columns, STYLE_WARNING,
			  text_printable(page->m, view->message));
	else
		cells_put(page->cells, row, 0, page->cells->columns, STYLE_DIM, keys);
}

static void put_help(const struct page *page)
{
	static const char *const lines[] = {
		"coshm top: who shares which memory, and how it grows",
		"",
		"s S      sort by the next, or the one before: size, growth,",
		"         messages, waits, lost, name",
		"r        reverse the order",
		"/        show only what has a text in its name, type or",
		"         container; an empty one shows all again",
		"t        tree: namespaces, their containers, their objects",
		"p space  pause, and go on",
		"arrows, page up, page down, home, end: move in the list",
		"h ?      this text",
		"q        quit",
		"",
		"GROWTH, MSGS and WAITS are a second's; LOST is all so far.",
	};

	for (unsigned int i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
		cells_put(page->cells, i, 0, page->cells->columns,
			  i == 0 ? STYLE_BOLD : STYLE_PLAIN, lines[i]);
}

/* ---- all ---------------------------------------------------------------------------------- */

static struct layout lay_out(const struct screen_view *view)
{
	unsigned int rows = view->rows, bars = 0, most = rows == 0 ? UINT32_MAX : rows / 4;
	struct layout l = { .headings = rows != 1 && rows != 2,
			    .title = rows == 0 || rows >= 5,
			    .last = rows >= 4 };

	if (view->no_headings)
		return (struct layout){ .last = l.last };
	for (unsigned int i = 0; i < view->now->area_count; i++)
		bars += view->now->areas[i].bytes != 0;
	if (rows != 0 && rows < 8)
		most = 0;
	l.bars = bars < most ? bars : most;
	return l;
}

static unsigned int fixed_rows(const struct layout *l)
{
	return l->bars + l->title + l->headings + l->last;
}

static int put_all(struct page *page, const struct layout *l, struct screen *screen)
{
	unsigned int rows = page->view->rows, row = l->title, fixed = fixed_rows(l);

	screen->lines = page->list.count;
	screen->room = rows == 0 ? page->list.count : rows - fixed;
	if (rows == 0)
		rows = fixed + page->list.count + (page->list.count == 0 && l->headings);
	page->cells = screen->cells = cells_new(page->m, rows, page->list.columns);
	if (!page->cells)
		return -ENOMEM;
	if (page->view->help) {
		put_help(page);
	} else {
		if (l->title)
			put_title(page);
		put_bars(page, row, l->bars);
		row += l->bars;
		if (l->headings)
			list_put_headings(&page->list, page->cells, row++, page->view->order.sort);
		list_put(&page->list, page->cells, row, page->view->first, screen->room);
	}
	if (l->last)
		put_last(page, rows - 1);
	return memory_failed(page->m) ? -ENOMEM : 0;
}

int screen_make(const struct screen_view *view, struct memory *m, struct screen *screen)
{
	struct page page = { .view = view, .m = m, .places = places_make(view->now, m) };
	struct layout layout = lay_out(view);

	if (!page.places ||
	    top_rows_make(view->before, page.places, &view->order, m, &page.rows) < 0 ||
	    list_make(&page.rows, view->selection, view->order.by_place, view->columns, m,
		      &page.list) < 0)
		return -ENOMEM;
	return put_all(&page, &layout, screen);
}
