/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cmd_top.c - "coshm top": who shares which memory, and what goes on in it; one
 * screen of it, and the command line.  The live one is in top_live.c.
 */
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "cli.h"
#include "look.h"
#include "options.h"
#include "show.h"
#include "top.h"
#include "user_name.h"

const char top_usage[] =
	"Usage: coshm top [OPTION]...\n"
	"Show who shares which memory, live: segments, files, queues and channels with\n"
	"their size, growth, messages, waits and losses, and how full each /dev/shm is.\n"
	"\n"
	"  -i, --interval SECONDS  between two looks (default: 1), longer where looking\n"
	"                        takes more than a tenth of it\n"
	"      --once            look twice, print one screen as text, and end\n"
	"  -s, --sort NAME       by size (default), growth, messages, waits, lost, name\n"
	"      --tree            namespaces, their containers, their objects\n" SHOW_USAGE_FILTER
	"                        addition: TYPE, OBJECT, CONTAINER, SIZE, GROWTH, USERS,\n"
	"                        MSGS, WAITS, LOST, KEY, ID, NAME, PATH, PERMS, OWNER,\n"
	"                        CREATOR, USED, SWAPPED, NATTCH, STATUS, NSEMS, MESSAGES,\n"
	"                        PEERS, DEAD, MUTEXES, CPID, LPID, ATIME, DTIME, CTIME,\n"
	"                        IPCNS, AREA, IMAGE, SERVICE, POD\n"
	"  -n, --noheadings      the list alone\n"
	"  -b, --bytes           sizes with all digits\n"
	"  -j, --json            look twice, print all there is for programs, and end\n"
	"  -d, --dir DIR         one more directory with channels; may be given several\n"
	"                        times\n"
	"  -h, --help            show this text\n"
	"\n"
	"Keys: s sort, r reverse, / filter, t tree, p pause, h help, q quit.\n"
	"\n"
	"Exit status: 0 done; 2 failed or bad command line; 3 not all could be seen\n"
	"(--once, --json).\n";

enum { OPTION_ONCE = 256, OPTION_TREE };

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

int top_look(struct top *top, char why[256])
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

static int print_json(const struct top *top, struct memory *m)
{
	const struct places *places = places_make(top->now, m);
	struct top_rows rows;

	if (!places || top_rows_make(top->before, places, &top->view.order, m, &rows) < 0)
		return -1;
	return top_rows_json(&rows, top->set);
}

static int print_screen(struct top *top, struct memory *m)
{
	top->view.columns = text_columns();
	if (screen_make(&top->view, m, &top->screen) < 0)
		return -1;
	cells_print(top->screen.cells, stdout);
	return 0;
}

static int print_once(struct top *top)
{
	struct memory *m = memory_new();
	int err = -1;

	if (m)
		err = top->json ? print_json(top, m) : print_screen(top, m);
	memory_free(m);
	return err < 0 ? no_memory() : CLI_OK;
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
	status = top_look(top, why);
	if (status == CLI_FAILED)
		return look_failed(why);
	printed = print_once(top);
	return printed == CLI_OK ? status : printed;
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
	case OPTION_TREE:
		top->view.order.by_place = true;
		return NULL;
	case 'j':
		top->json = true;
		return NULL;
	default:
		return choice_take(&top->choice, c, text);
	}
}

static const char *finish_options(void *to)
{
	const struct top *top = to;

	if (top->json && top->view.order.by_place)
		return "--json has no tree";
	return choice_finish(&top->choice, top->json);
}

/* @m: of the columns, which are needed until the end. */
static int take_columns(struct top *top, struct memory *m)
{
	struct top_order *order = &top->view.order;

	top->set = m ? top_columns(m) : NULL;
	if (!top->set)
		return no_memory();
	if (choice_parse(&top->choice, top->set, top->set->standard, &top->selection,
			 top->filters) < 0)
		return bad_usage("top ");
	top->view.selection = &top->selection;
	top->view.no_headings = top->choice.no_headings;
	order->filter = top->filter;
	order->filters = top->filters;
	order->filter_count = top->choice.filters.count;
	order->exact = top->choice.exact;
	order->user = user_name;
	return CLI_OK;
}

static int show(struct top *top)
{
	struct memory *m = memory_new();
	int status = take_columns(top, m);

	if (status == CLI_OK)
		status = top->once || top->json ? show_once(top) : top_live(top);
	inspect_free(top->before);
	inspect_free(top->now);
	memory_free(m);
	return status;
}

int cmd_top(int argc, char **argv)
{
	static const struct option options[] = {
		{ "interval", required_argument, NULL, 'i' },
		{ "once", no_argument, NULL, OPTION_ONCE },
		{ "sort", required_argument, NULL, 's' },
		{ "tree", no_argument, NULL, OPTION_TREE },
		CHOICE_OPTIONS,
		{ "json", no_argument, NULL, 'j' },
		{ "dir", required_argument, NULL, 'd' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	static const struct syntax syntax = { .command = "top ",
					      .usage = top_usage,
					      .letters = CHOICE_LETTERS "i:s:jd:h",
					      .options = options,
					      .free_operands = true,
					      .take = take_option,
					      .finish = finish_options };
	struct top top = { .interval_ns = NS_PER_S };
	int status;

	if (parse_options(&syntax, &top, NULL, argc, argv, &status) < 0)
		return status;
	if (optind < argc) {
		complain("--filter CONTAINER=NAME and the key / show only some of it",
			 "coshm top takes no argument '%s'", argv[optind]);
		return bad_usage("top ");
	}
	return show(&top);
}
