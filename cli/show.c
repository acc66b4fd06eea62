/* SPDX-License-Identifier: Apache-2.0 */
/*
 * show.c - coshm ls and coshm ps: look at the machine, pick rows, print them.
 */
#include "show.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "choose.h"
#include "cli.h"
#include "listing.h"
#include "look.h"
#include "objects.h"
#include "options.h"
#include "user_name.h"

struct show {
	bool json, tree;
	bool memory, queues, semaphores; /* -m, -q, -s; without any of them, all */
	struct choice choice;
	struct texts dirs;
	char **container; /* names from the command line */
	int containers;
};

#define OPTION_TREE 256

static const char *take_option(void *to, int c, const char *text)
{
	struct show *show = to;

	switch (c) {
	case 'j':
		show->json = true;
		return NULL;
	case 'm':
		show->memory = true;
		return NULL;
	case 'q':
		show->queues = true;
		return NULL;
	case 's':
		show->semaphores = true;
		return NULL;
	case 'd':
		return texts_add(&show->dirs, text, "too many directories");
	case OPTION_TREE:
		show->tree = true;
		return NULL;
	default:
		return choice_take(&show->choice, c, text);
	}
}

static const char *finish_options(void *to)
{
	const struct show *show = to;

	if (show->json && (choice_table(&show->choice) || show->tree))
		return "--json has all columns, no headings and no tree";
	return NULL;
}

/* What the command line asks for, in the words of a snapshot. */
struct asked {
	const struct show *show;
	struct listing listing;
	struct filter filter[CHOOSE_MAX];
	int *container, *process; /* wanted; without any, all are */
	unsigned int containers, processes;
};

static int take_names(struct asked *asked, const struct snapshot *s, struct memory *m)
{
	const struct show *show = asked->show;
	int process;

	asked->process = memory_get(m, ((size_t)show->containers + 1) * sizeof(int));
	asked->container =
		memory_get(m, ((size_t)show->containers * s->container_count + 1) * sizeof(int));
	if (!asked->process || !asked->container)
		return -1;
	for (int i = 0; i < show->containers; i++) {
		unsigned int found;

		process = NOBODY;
		found = inspect_find(s, show->container[i], &asked->container[asked->containers],
				     s->container_count, &process);
		asked->containers += found;
		if (found == 0 && process == NOBODY) {
			complain(
				"coshm ls names the containers; ids, pids and pods will do as well",
				"there is no container '%s'", show->container[i]);
			return -1;
		}
		if (found == 0)
			asked->process[asked->processes++] = process;
	}
	return 0;
}

static int take_columns(struct asked *asked)
{
	const struct column_set *set = asked->listing.uses ? &use_columns : &object_columns;
	const struct show *show = asked->show;
	const char *usual = show->tree            ? set->tree :
			    asked->listing.titles ? set->grouped :
						    set->standard;

	return choice_parse(&show->choice, set, usual, &asked->listing.selection, asked->filter);
}

static bool kind_wanted(const struct show *show, enum object_kind kind)
{
	if (!show->memory && !show->queues && !show->semaphores)
		return true;
	switch (kind) {
	case OBJECT_SEM:
	case OBJECT_POSIX_SEM:
		return show->semaphores;
	case OBJECT_MSG:
	case OBJECT_POSIX_MQ:
		return show->queues;
	default:
		return show->memory;
	}
}

/* Of a use: is its process wanted? */
static bool use_wanted(const struct asked *asked, const struct snapshot *s, const struct use *use)
{
	for (unsigned int i = 0; i < asked->containers; i++)
		if (s->processes[use->process].container == asked->container[i])
			return true;
	for (unsigned int i = 0; i < asked->processes; i++)
		if (use->process == asked->process[i])
			return true;
	return false;
}

static bool process_shares(const struct snapshot *s, int process, const struct object *o)
{
	const struct process *p = &s->processes[process];

	return (o->ipcns != NOBODY && o->ipcns == p->ipcns) ||
	       (o->area != NOBODY && o->area == p->shm_area);
}

static bool object_wanted(const struct asked *asked, const struct places *p, unsigned int object)
{
	for (unsigned int i = 0; i < asked->containers; i++)
		if (places_shares(p, asked->container[i], object))
			return true;
	for (unsigned int i = 0; i < asked->processes; i++)
		if (process_shares(p->s, asked->process[i], &p->s->objects[object]))
			return true;
	for (unsigned int i = p->first_use[object]; i < p->first_use[object + 1]; i++)
		if (use_wanted(asked, p->s, &p->s->uses[i]))
			return true;
	return false;
}

static bool wanted(const struct asked *asked, unsigned int object, unsigned int row)
{
	const struct listing *l = &asked->listing;
	const struct snapshot *s = l->places->s;

	if (!kind_wanted(asked->show, s->objects[object].kind))
		return false;
	if (asked->show->containers > 0 && !(l->uses ? use_wanted(asked, s, &s->uses[row]) :
						       object_wanted(asked, l->places, object)))
		return false;
	return filters_pass(asked->filter, asked->show->choice.filters.count, &l->rows, row);
}

/* Rows in the order of places. */
static int pick(struct asked *asked, struct memory *m)
{
	struct listing *l = &asked->listing;
	const struct places *p = l->places;
	unsigned int *row =
		memory_get(m, ((size_t)p->s->object_count + p->s->use_count + 1) * sizeof(*row));

	if (!row)
		return -1;
	l->row = row;
	for (unsigned int i = 0; i < p->s->object_count; i++) {
		unsigned int object = p->order[i];

		if (!l->uses && wanted(asked, object, object))
			row[l->count++] = object;
		for (unsigned int use = p->first_use[object];
		     l->uses && use < p->first_use[object + 1]; use++)
			if (wanted(asked, object, use))
				row[l->count++] = use;
	}
	return 0;
}

/* IPC namespaces that are shown even if nothing is in them: of those asked for, else of all. */
static int find_inhabited(struct asked *asked, struct memory *m)
{
	struct listing *l = &asked->listing;
	const struct snapshot *s = l->places->s;
	bool *inhabited = memory_get(m, l->places->count);

	if (!inhabited)
		return -1;
	if (l->uses || asked->show->choice.filters.count != 0 ||
	    !kind_wanted(asked->show, OBJECT_SHM))
		return 0;
	l->inhabited = inhabited;
	for (unsigned int i = 0; asked->show->containers == 0 && i < s->ipcns_count; i++)
		inhabited[i] = s->ipcns[i].own || l->places->in_ipcns[i].count != 0;
	for (unsigned int i = 0; i < asked->containers; i++)
		if (s->containers[asked->container[i]].ipcns != NOBODY)
			inhabited[s->containers[asked->container[i]].ipcns] = true;
	for (unsigned int i = 0; i < asked->processes; i++)
		if (s->processes[asked->process[i]].ipcns != NOBODY)
			inhabited[s->processes[asked->process[i]].ipcns] = true;
	return 0;
}

static int print(const struct show *show, const struct listing *l)
{
	if (show->json)
		return listing_json(l);
	return show->tree ? listing_tree(l) : listing_table(l);
}

/* 0, or CLI_FAILED after a complaint. */
static int show_snapshot(struct asked *asked, const struct snapshot *s, struct memory *m)
{
	const struct show *show = asked->show;
	struct listing *l = &asked->listing;

	l->places = places_make(s, m);
	l->rows = (struct rows){
		.of = l->places, .memory = m, .user = user_name, .exact = show->choice.exact
	};
	l->no_headings = show->choice.no_headings;
	if (l->places && take_names(asked, s, m) == 0 && pick(asked, m) == 0 &&
	    find_inhabited(asked, m) == 0 && print(show, l) == 0)
		return 0;
	if (memory_failed(m))
		complain(NULL, "no memory is left to show the machine");
	return CLI_FAILED;
}

static int show_all(const struct show *show, bool uses)
{
	const struct inspect_opts opts = { .dirs = look_dirs(&show->dirs) };
	struct asked asked = { .show = show, .listing.uses = uses };
	struct snapshot *s;
	struct memory *m;
	int status;

	asked.listing.titles = !choice_table(&show->choice);
	if (take_columns(&asked) < 0)
		return bad_usage(uses ? "ps " : "ls ");
	status = look_at_machine(&opts, &s);
	if (status == CLI_FAILED)
		return status;
	m = memory_new();
	if (!m)
		complain(NULL, "no memory is left to show the machine");
	if (!m || show_snapshot(&asked, s, m) != 0)
		status = CLI_FAILED;
	memory_free(m);
	inspect_free(s);
	return status;
}

int show_machine(const char *command, const char *usage, bool uses, int argc, char **argv)
{
	static const struct option options[] = {
		{ "shmems", no_argument, NULL, 'm' },
		{ "queues", no_argument, NULL, 'q' },
		{ "semaphores", no_argument, NULL, 's' },
		{ "tree", no_argument, NULL, OPTION_TREE },
		CHOICE_OPTIONS,
		{ "json", no_argument, NULL, 'j' },
		{ "dir", required_argument, NULL, 'd' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	const struct syntax syntax = { .command = command,
				       .usage = usage,
				       .letters = CHOICE_LETTERS "mqsjd:h",
				       .options = options,
				       .free_operands = true,
				       .take = take_option,
				       .finish = finish_options };
	struct show show = { 0 };
	int status;

	if (parse_options(&syntax, &show, NULL, argc, argv, &status) < 0)
		return status;
	show.container = argv + optind;
	show.containers = argc - optind;
	return show_all(&show, uses);
}
