/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cmd_watch.c - "coshm watch": a line for each change of who shares which memory.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "choose.h"
#include "cli.h"
#include "events.h"
#include "json.h"
#include "lines.h"
#include "look.h"
#include "options.h"
#include "show.h"
#include "user_name.h"

const char watch_usage[] =
	"Usage: coshm watch [OPTION]... [CONTAINER]...\n"
	"Print a line for each change from now on: shared memory, semaphores, queues and\n"
	"channels that are created, attached, detached, unlinked and removed; peers of\n"
	"channels that died; containers that started, stopped, were paused and resumed,\n"
	"joined another one's memory, or were split from it.  Of some CONTAINERs alone:\n"
	"names, ids, pids or pods, which need not be there yet.\n"
	"\n"
	"  -i, --interval SECONDS  between two looks (default: 1), longer where looking\n"
	"                        takes more than a tenth of it\n"
	"      --count N         end after so many lines\n" SHOW_USAGE_FILTER
	"                        addition, in place of sentences: TIME, EVENT, TYPE, KEY,\n"
	"                        ID, NAME, PATH, SIZE, OWNER, IPCNS, CONTAINER, DONOR,\n"
	"                        PID, COMMAND, HOST, ACCESS, COUNT\n"
	"  -n, --noheadings      columns without headings\n"
	"  -b, --bytes           sizes with all digits\n"
	"  -j, --json            an object of JSON in each line\n"
	"  -d, --dir DIR         one more directory with channels; may be given several\n"
	"                        times\n"
	"  -h, --help            show this text\n"
	"\n"
	"Exit status: 0 told to stop, or done; 2 failed or bad command line.\n";

#define OPTION_COUNT 256

struct watch {
	bool json;
	int64_t interval_ns;
	uint64_t count; /* lines to go; 0: without end */
	bool done;
	struct choice choice;
	struct selection selection;
	struct filter filter[CHOOSE_MAX];
	struct texts dirs;
	char **container;
	int containers;
};

/* ---- which changes are wanted ------------------------------------------------------------- */

/* Is it about one of the containers, or the process, of this name? */
static bool named(const struct events *events, unsigned int row, const char *name, struct memory *m)
{
	const struct change *c = &events->changes->change[row];
	int *found = memory_get(m, (c->look->container_count + 1) * sizeof(*found));
	int process = NOBODY;
	unsigned int count;

	if (!found)
		return false;
	count = inspect_find(c->look, name, found, c->look->container_count, &process);
	for (unsigned int i = 0; i < count; i++)
		if (event_concerns(events, row, c->look, found[i]))
			return true;
	return process != NOBODY && c->process == process;
}

static bool wanted(const struct watch *w, const struct rows *rows, unsigned int row)
{
	bool is_named = w->containers == 0;

	for (int i = 0; i < w->containers && !is_named; i++)
		is_named = named(rows->of, row, w->container[i], rows->memory);
	return is_named && filters_pass(w->filter, w->choice.filters.count, rows, row);
}

/* ---- printing ----------------------------------------------------------------------------- */

static int print_json(const struct rows *rows, unsigned int row)
{
	json_t *object = json_row(&event_columns, rows, row);
	int err = object ? json_dumpf(object, stdout, JSON_COMPACT) : -1;

	json_decref(object);
	putchar('\n');
	return err < 0 && !ferror(stdout) ? -ENOMEM : 0;
}

/* Each look's lines at once: whoever reads them from a pipe waits for them. */
static int print_changes(struct watch *w, const struct rows *rows, unsigned int count)
{
	int err = 0;

	for (unsigned int i = 0; i < count && err == 0 && !w->done; i++) {
		if (!wanted(w, rows, i))
			continue;
		if (w->json)
			err = print_json(rows, i);
		else if (choice_table(&w->choice))
			lines_put_row(&event_columns, &w->selection, rows, i, stdout);
		else
			puts(event_line(rows, i));
		w->done = w->count != 0 && --w->count == 0;
	}
	if (fflush(stdout) != 0)
		w->done = true; /* main() says why */
	return memory_failed(rows->memory) ? -ENOMEM : err;
}

/* Before the first change, so that it is plain what is waited for. */
static void print_headings(struct watch *w)
{
	if (choice_table(&w->choice) && !w->choice.no_headings)
		lines_put_headings(&event_columns, &w->selection, stdout);
	if (fflush(stdout) != 0)
		w->done = true;
}

static int tell(struct watch *w, const struct snapshot *before, const struct snapshot *after)
{
	struct memory *m = memory_new();
	struct changes *changes = NULL;
	struct events events;
	const struct rows rows = {
		.of = &events, .memory = m, .user = user_name, .exact = w->choice.exact
	};
	int err = m ? changes_find(before, after, &changes) : -ENOMEM;

	if (err == 0 && changes->count != 0) {
		events = (struct events){ .changes = changes,
					  .before = places_make(before, m),
					  .after = places_make(after, m) };
		err = memory_failed(m) ? -ENOMEM : print_changes(w, &rows, changes->count);
	}
	changes_free(changes);
	memory_free(m);
	return err;
}

/* ---- looking ------------------------------------------------------------------------------ */

static void pause_for(int64_t ns)
{
	int64_t begun = now_ns();

	while (!stop_requested() && ns > now_ns() - begun)
		nap_ns(ns - (now_ns() - begun));
}

#define TRIES 8

/* Again, if something that was seen before is hidden for the moment. */
static int look_well(const struct inspect_opts *opts, const struct snapshot *last,
		     struct snapshot **now)
{
	int status = look_again(opts, now);

	for (int i = 0; i < TRIES && status != CLI_FAILED && changes_hidden(last, *now); i++) {
		inspect_free(*now);
		status = look_again(opts, now);
	}
	return status;
}

static int keep_watching(struct watch *w, const struct inspect_opts *opts, struct snapshot **last)
{
	int64_t cost_ns = 0;

	while (!w->done && !stop_requested()) {
		struct snapshot *now;
		int64_t begun;
		int err;

		pause_for(look_pause_ns(w->interval_ns, cost_ns));
		if (stop_requested())
			break;
		begun = now_ns();
		if (look_well(opts, *last, &now) == CLI_FAILED)
			return CLI_FAILED;
		cost_ns = now_ns() - begun;
		err = tell(w, *last, now);
		inspect_free(*last);
		*last = now;
		if (err < 0) {
			complain(NULL, "no memory is left to compare the machine with before");
			return CLI_FAILED;
		}
	}
	return CLI_OK;
}

static void say_what_is_watched(const struct watch *w, const struct snapshot *s)
{
	int found, process;

	for (int i = 0; i < w->containers; i++) {
		process = NOBODY;
		if (inspect_find(s, w->container[i], &found, 1, &process) == 0 && process == NOBODY)
			say("there is no container '%s' yet", w->container[i]);
	}
	say("watching %u objects and %u containers", s->object_count, s->container_count);
}

static int watch(struct watch *w)
{
	const struct inspect_opts opts = { .dirs = w->dirs.count > 0 ? w->dirs.text : NULL };
	struct snapshot *last;
	int status = look_at_machine(&opts, &last);

	if (status == CLI_FAILED)
		return status;
	say_what_is_watched(w, last);
	print_headings(w);
	status = keep_watching(w, &opts, &last);
	inspect_free(last);
	return status;
}

/* ---- the command line --------------------------------------------------------------------- */

static const char *take_option(void *to, int c, const char *text)
{
	struct watch *w = to;

	switch (c) {
	case 'i':
		return parse_seconds(text, &w->interval_ns) < 0 ?
			       "--interval takes seconds, 0.001 or more" :
			       NULL;
	case 'j':
		w->json = true;
		return NULL;
	case 'd':
		return texts_add(&w->dirs, text, "too many directories");
	case OPTION_COUNT:
		return parse_number(text, 1, UINT64_MAX, &w->count) < 0 ?
			       "--count takes a number from 1 on" :
			       NULL;
	default:
		return choice_take(&w->choice, c, text);
	}
}

static const char *finish_options(void *to)
{
	const struct watch *w = to;

	return choice_finish(&w->choice, w->json);
}

int cmd_watch(int argc, char **argv)
{
	static const struct option options[] = {
		{ "interval", required_argument, NULL, 'i' },
		{ "count", required_argument, NULL, OPTION_COUNT },
		CHOICE_OPTIONS,
		{ "json", no_argument, NULL, 'j' },
		{ "dir", required_argument, NULL, 'd' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	static const struct syntax syntax = { .command = "watch ",
					      .usage = watch_usage,
					      .letters = CHOICE_LETTERS "i:jd:h",
					      .options = options,
					      .free_operands = true,
					      .take = take_option,
					      .finish = finish_options };
	struct watch w = { .interval_ns = NS_PER_S };
	int status;

	if (parse_options(&syntax, &w, NULL, argc, argv, &status) < 0)
		return status;
	w.container = argv + optind;
	w.containers = argc - optind;
	if (choice_parse(&w.choice, &event_columns, event_columns.standard, &w.selection,
			 w.filter) < 0)
		return bad_usage("watch ");
	return watch(&w);
}
