/* SPDX-License-Identifier: Apache-2.0 */
/*
 * top_live.c - coshm top on a terminal: it draws, looks again, and obeys keys.
 */
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <wchar.h>

#include "cli.h"
#include "look.h"
#include "top.h"
#include "top_screen.h"

static int draw(struct top *top)
{
	struct memory *m = memory_new();
	unsigned int most;

	terminal_size(&top->view.rows, &top->view.columns);
	if (!m || screen_make(&top->view, m, &top->screen) < 0) {
		memory_free(m);
		return -1;
	}
	/* The list has become shorter, or the screen larger. */
	most = top->screen.lines > top->screen.room ? top->screen.lines - top->screen.room : 0;
	if (top->view.first > most) {
		memory_free(m);
		top->view.first = most;
		return draw(top);
	}
	terminal_draw(top->screen.cells);
	memory_free(m);
	return 0;
}

static void scroll_by(struct top *top, int key)
{
	unsigned int page = top->screen.room > 1 ? top->screen.room - 1 : 1;
	unsigned int step = key == TERMINAL_UP || key == TERMINAL_DOWN ? 1 : page;
	unsigned int *first = &top->view.first;

	if (key == TERMINAL_HOME)
		*first = 0;
	else if (key == TERMINAL_END)
		*first = top->screen.lines;
	else if (key == TERMINAL_UP || key == TERMINAL_PAGE_UP)
		*first = *first > step ? *first - step : 0;
	else
		*first += step;
}

static void sort_by(struct top *top, unsigned int steps)
{
	top->view.order.sort = (enum top_sort)((top->view.order.sort + steps) % TOP_SORTS);
	top->view.first = 0;
}

static void erase_last(char *text)
{
	size_t length = strlen(text);

	/* All bytes of a character in UTF-8 */
	while (length > 0 && ((unsigned char)text[length - 1] & 0xc0) == 0x80)
		length--;
	if (length > 0)
		text[length - 1] = '\0';
}

static void type_key(struct top *top, int key)
{
	char bytes[MB_LEN_MAX];
	mbstate_t state = { 0 };
	size_t used = strlen(top->filter), count;

	if (key == TERMINAL_ENTER || key == TERMINAL_ESCAPE)
		top->view.typing = false;
	if (key == TERMINAL_ESCAPE)
		top->filter[0] = '\0';
	if (key == TERMINAL_ERASE)
		erase_last(top->filter);
	if (key <= 0)
		return;
	count = wcrtomb(bytes, (wchar_t)key, &state);
	if (count == (size_t)-1 || used + count >= sizeof(top->filter))
		return;
	memcpy(top->filter + used, bytes, count);
	top->filter[used + count] = '\0';
	top->view.first = 0;
}

/* false: enough. */
static bool obey(struct top *top, int key)
{
	struct screen_view *view = &top->view;

	if (key == TERMINAL_GONE || (key == 'q' && !view->typing))
		return false;
	if (view->typing) {
		type_key(top, key);
		return true;
	}
	if (key == 's' || key == 'S')
		sort_by(top, key == 's' ? 1 : TOP_SORTS - 1);
	else if (key == 'r')
		view->order.reverse = !view->order.reverse;
	else if (key == 't')
		view->order.by_place = !view->order.by_place;
	else if (key == 'p' || key == ' ')
		view->paused = !view->paused;
	else if (key == 'h' || key == '?')
		view->help = !view->help;
	else if (key == TERMINAL_ESCAPE)
		view->help = false;
	else if (key < 0)
		scroll_by(top, key);
	view->typing = key == '/';
	return true;
}

static int keep_showing(struct top *top, char why[256])
{
	while (!stop_requested()) {
		if (draw(top) < 0) {
			snprintf(why, 256, "no memory is left");
			return CLI_FAILED;
		}
		if (!obey(top, terminal_key(top->view.paused ? NS_PER_S : top->due_ns - now_ns())))
			return CLI_OK;
		if (!top->view.paused && !stop_requested() && now_ns() >= top->due_ns &&
		    top_look(top, why) == CLI_FAILED)
			return CLI_FAILED;
	}
	return CLI_OK;
}

int top_live(struct top *top)
{
	char why[256];
	int status = top_look(top, why);

	if (status == CLI_FAILED)
		return look_failed(why);
	if (terminal_open() < 0)
		return CLI_FAILED;
	status = keep_showing(top, why);
	terminal_close();
	return status == CLI_FAILED ? look_failed(why) : status;
}
