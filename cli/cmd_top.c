/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cmd_top.c - "coshm top": a live screen of who shares which memory, and what
 * goes on in it.
 */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include <wchar.h>

#include "cli.h"
#include "look.h"
#include "options.h"
#include "screen.h"
#include "top_screen.h"

const char top_usage[] =
	"Usage: coshm top [OPTION]...\n"
	"Show who shares which memory, live: segments, files, queues and channels with\n"
	"their size, growth, messages, waits and losses, and how full each /dev/shm is.\n"
	"\n"
	"  -i, --interval SECONDS  between two looks (default: 1), longer where looking\n"
	"                          takes more than a tenth of it\n"
	"      --once              look twice, print one screen as text, and end\n"
	"  -s, --sort NAME         by size (default), growth, messages, waits, lost, name\n"
	"      --tree              namespaces, their containers, their objects\n"
	"  -d, --dir DIR           one more directory with channels; may be given several\n"
	"                          times\n"
	"  -h, --help              show this text\n"
	"\n"
	"Keys: s sort, r reverse, / filter, t tree, p pause, h help, q quit.\n"
	"\n"
	"Exit status: 0 done; 2 failed or bad command line; 3 not all could be seen\n"
	"(--once).\n";

#define FILTER_ROOM 64

enum { OPTION_ONCE = 256, OPTION_TREE };

struct top {
	bool once;
	int64_t interval_ns;
	struct texts dirs;

	struct snapshot *before, *now;
	int64_t due_ns; /* the next look */
	struct screen_view view;
	struct screen screen; /* as it was drawn last: how much of the list there is */
	char filter[FILTER_ROOM];
	char message[512];
};

/* ---- looking ------------------------------------------------------------------------------ */

static void take(struct top *top, struct snapshot *now)
{
	inspect_free(top->before);
	top->before = top->now;
	top->now = now;
	top->view.before = top->before;
	top->view.now = now;
}

static void note(struct top *top)
{
	const struct snapshot *s = top->now;

	top->view.message = s->note_count == 0 ? NULL : top->message;
	if (s->note_count != 0)
		snprintf(top->message, sizeof(top->message), "q quit  h help  not seen: %s%s",
			 s->notes[0], s->note_count > 1 ? ", and more" : "");
}

static int look(struct top *top, char why[256])
{
	const struct inspect_opts opts = { .dirs = top->dirs.count > 0 ? top->dirs.text : NULL };
	int64_t begun = now_ns();
	struct snapshot *now;
	int status = look_quietly(&opts, &now, why);

	if (status == CLI_FAILED)
		return status;
	take(top, now);
	note(top);
	top->due_ns = now_ns() + look_pause_ns(top->interval_ns, now_ns() - begun);
	return status;
}

/* ---- one screen as text ------------------------------------------------------------------- */

/* To a terminal, as wide as it is; to anything else, as wide as it takes. */
static unsigned int text_columns(void)
{
	struct winsize size;

	return ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 ? size.ws_col : 0;
}

static int no_memory(void)
{
	complain(NULL, "no memory is left to show the machine");
	return CLI_FAILED;
}

static int print_once(struct top *top)
{
	struct memory *m = memory_new();
	int status = CLI_OK;

	top->view.columns = text_columns();
	if (!m || screen_make(&top->view, m, &top->screen) < 0)
		status = no_memory();
	else
		cells_print(top->screen.cells, stdout);
	memory_free(m);
	return status;
}

/* The second look is for rates. */
static int show_once(struct top *top)
{
	const struct inspect_opts opts = { .dirs = top->dirs.count > 0 ? top->dirs.text : NULL };
	struct snapshot *first;
	int status = look_at_machine(&opts, &first), printed;
	int64_t begun = now_ns();
	char why[256];

	if (status == CLI_FAILED)
		return status;
	take(top, first);
	while (!stop_requested() && time_left_ns(top->interval_ns, begun) > 0)
		nap_ns(time_left_ns(top->interval_ns, begun));
	if (stop_requested())
		return CLI_OK;
	status = look(top, why);
	if (status == CLI_FAILED)
		return look_failed(why);
	printed = print_once(top);
	return printed == CLI_OK ? status : printed;
}

/* ---- a live one --------------------------------------------------------------------------- */

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
		    look(top, why) == CLI_FAILED)
			return CLI_FAILED;
	}
	return CLI_OK;
}

static int show_live(struct top *top)
{
	char why[256];
	int status = look(top, why);

	if (status == CLI_FAILED)
		return look_failed(why);
	if (terminal_open() < 0)
		return CLI_FAILED;
	status = keep_showing(top, why);
	terminal_close();
	return status == CLI_FAILED ? look_failed(why) : status;
}

/* ---- the command line --------------------------------------------------------------------- */

static const char *take_sort(struct top *top, const char *text)
{
	for (int i = 0; i < TOP_SORTS; i++)
		if (strcmp(text, top_sort_name((enum top_sort)i)) == 0) {
			top->view.order.sort = (enum top_sort)i;
			return NULL;
		}
	return "--sort takes size, growth, messages, waits, lost or name";
}

static const char *take_option(void *to, int c, const char *text)
{
	struct top *top = to;

	switch (c) {
	case 'i':
		return parse_seconds(text, &top->interval_ns) < 0 ?
			       "--interval takes seconds, 0.001 or more" :
			       NULL;
	case 's':
		return take_sort(top, text);
	case 'd':
		return texts_add(&top->dirs, text, "too many directories");
	case OPTION_ONCE:
		top->once = true;
		return NULL;
	default:
		top->view.order.by_place = true;
		return NULL;
	}
}

int cmd_top(int argc, char **argv)
{
	static const struct option options[] = {
		{ "interval", required_argument, NULL, 'i' },
		{ "once", no_argument, NULL, OPTION_ONCE },
		{ "sort", required_argument, NULL, 's' },
		{ "tree", no_argument, NULL, OPTION_TREE },
		{ "dir", required_argument, NULL, 'd' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	static const struct syntax syntax = { .command = "top ",
					      .usage = top_usage,
					      .letters = "i:s:d:h",
					      .options = options,
					      .free_operands = true,
					      .take = take_option };
	struct top top = { .interval_ns = NS_PER_S };
	int status;

	if (parse_options(&syntax, &top, NULL, argc, argv, &status) < 0)
		return status;
	if (optind < argc) {
		complain("the key / shows only what has a text in it",
			 "coshm top takes no argument '%s'", argv[optind]);
		return bad_usage("top ");
	}
	top.view.order.filter = top.filter;
	status = top.once ? show_once(&top) : show_live(&top);
	inspect_free(top.before);
	inspect_free(top.now);
	return status;
}
