/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cmd_clean.c - "coshm clean": remove what nobody on the machine uses any more.
 *
 * It shows, and removes with --yes alone.  What cannot be told is left alone, and
 * said.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "clean.h"
#include "cli.h"
#include "look.h"
#include "objects.h"
#include "options.h"
#include "orphan.h"
#include "orphans.h"
#include "remove.h"
#include "show.h"
#include "text.h"

const char clean_usage[] =
	"Usage: coshm clean [OPTION]... [CONTAINER|OBJECT]...\n"
	"Show what nobody on the machine uses any more: System V segments, files of\n"
	"POSIX shared memory and semaphores, and channels of dead programs; or of some\n"
	"containers (name, id, pid or pod) and objects (key, id, name or path) alone.\n"
	"\n"
	"  -y, --yes             remove it; each is looked at again right before\n"
	"      --older-than AGE  leave what was used in the last 90, 10m, 2h, 1d\n"
	"  -m, --shmems          shared memory: System V, POSIX and channels\n"
	"  -q, --queues          message queues: System V and POSIX\n"
	"  -s, --semaphores      semaphores: System V and POSIX\n" SHOW_USAGE_FILTER
	"                        addition: those of coshm ls, RESULT and WHY\n"
	"  -n, --noheadings      no headings\n"
	"  -b, --bytes           sizes with all digits\n"
	"  -j, --json            also what is left alone, for programs\n" SHOW_USAGE_DIR
	"  -h, --help            show this text\n"
	"\n"
	"What cannot be told is left alone, and said: semaphore sets and message queues,\n"
	"whose users the kernel does not count, empty files, which may be key files of\n"
	"ftok(3), what a paused program may come back for, and what may be used by\n"
	"somebody whom we cannot see.\n"
	"\n"
	"Exit status: 0 there is nothing to remove, or all was removed; 1 there is;\n"
	"2 something could not be removed, or bad command line; 3 not all could be\n"
	"seen.\n";

/* What was not told of, or could not be told, by kind and reason. */
struct left {
	unsigned int object; /* the first of them */
	unsigned int count;
};

#define LEFT_MAX 64

struct clean {
	const struct clean_asked *asked;
	const struct snapshot *s;
	struct memory *m;
	struct orphans orphans;
	bool *wanted;
	struct filter filter[CHOOSE_MAX];
	struct left left[LEFT_MAX];
	unsigned int left_count;
	unsigned int found, removed, failed;
	uint64_t bytes; /* of those found or, with --yes, removed */
	bool hidden;    /* something could not be told as not all was seen */
};

static void leave_alone(struct clean *c, unsigned int object, const char *why)
{
	struct orphan_row *row = c->orphans.row;
	unsigned int i;

	row[object].why = why;
	if (c->asked->json)
		row[object].result = "unknown";
	if (orphan_hidden(c->s, (int)object))
		c->hidden = true;
	for (i = 0; i < c->left_count; i++)
		if (c->s->objects[c->left[i].object].kind == c->s->objects[object].kind &&
		    strcmp(row[c->left[i].object].why, why) == 0)
			break;
	if (i == LEFT_MAX)
		i--;
	if (i == c->left_count)
		c->left[c->left_count++].object = object;
	c->left[i].count++;
}

static void remove_one(struct clean *c, unsigned int object)
{
	static const char *const results[] = { [REMOVED] = "removed",
					       [REMOVAL_GONE] = "gone",
					       [REMOVAL_IN_USE] = "in use",
					       [REMOVAL_FAILED] = "failed" };
	struct orphan_row *row = &c->orphans.row[object];
	char why[512], name[512];
	enum removal removal = object_remove(c->s, (int)object, why, sizeof(why));

	row->result = results[removal];
	if (removal == REMOVED) {
		c->removed++;
		return;
	}
	row->why = memory_print(c->m, "%s", why);
	if (removal == REMOVAL_FAILED) {
		text_object(c->s, (int)object, name, sizeof(name));
		complain(NULL, "cannot remove %s: %s", text_printable(c->m, name),
			 text_printable(c->m, why));
		c->failed++;
	}
}

static void judge_all(struct clean *c)
{
	for (unsigned int i = 0; i < c->s->object_count; i++) {
		unsigned int object = c->orphans.places.order[i];
		struct orphan_row *row = &c->orphans.row[object];
		const char *why;

		if (!c->wanted[object] ||
		    !filters_pass(c->filter, c->asked->filters, c->orphans.rows, object))
			continue;
		switch (object_orphan(c->s, (int)object, &why)) {
		case ORPHAN_NO:
			continue;
		case ORPHAN_MAYBE:
			leave_alone(c, object, why);
			continue;
		case ORPHAN_YES:
			break;
		}
		*row = (struct orphan_row){ .result = "orphan", .why = why };
		c->found++;
		if (c->asked->yes && !stop_requested())
			remove_one(c, object);
		if (!c->asked->yes || strcmp(row->result, "removed") == 0)
			c->bytes += c->s->objects[object].bytes;
	}
}

static void say_what_is_left(const struct clean *c)
{
	char name[512], more[32];

	for (unsigned int i = 0; i < c->left_count; i++) {
		const struct left *left = &c->left[i];

		more[0] = '\0';
		if (left->count > 1)
			snprintf(more, sizeof(more), " and %u more", left->count - 1);
		text_object(c->s, (int)left->object, name, sizeof(name));
		say("left alone: %s%s: %s", text_printable(c->m, name), more,
		    text_printable(c->m, c->orphans.row[left->object].why));
	}
}

static void say_sum(const struct clean *c)
{
	unsigned int count = c->asked->yes ? c->removed : c->found;
	char size[TEXT_ROOM];

	if (c->found == 0)
		say("nothing to remove");
	else
		say("%s %u object%s, %s%s", c->asked->yes ? "removed" : "would remove", count,
		    count == 1 ? "" : "s", text_bytes(c->bytes, c->asked->exact, size),
		    c->asked->yes ? "" : " (--yes does it)");
}

static int report(struct clean *c)
{
	int err = 0;

	if (c->asked->json)
		err = orphans_json(&c->orphans);
	else if (c->found > 0)
		err = orphans_table(&c->orphans);
	if (err < 0 || memory_failed(c->m)) {
		complain(NULL, "no memory is left to show what was found");
		return CLI_FAILED;
	}
	say_what_is_left(c);
	say_sum(c);
	return CLI_OK;
}

/* Filters are for what is known before it is judged. */
static int take_columns(struct clean *c)
{
	const struct column_set *set = orphans_columns(c->m);

	if (!set) {
		complain(NULL, "no memory is left to look for orphans");
		return CLI_FAILED;
	}
	if (choose_columns(set, c->asked->columns ? c->asked->columns : set->standard,
			   &c->orphans.selection) < 0 ||
	    choose_filters(&object_columns, c->asked->filter, c->asked->filters, c->filter) < 0)
		return bad_usage("clean ");
	return CLI_OK;
}

static int clean_snapshot(struct clean *c)
{
	const struct places *places = places_make(c->s, c->m);
	struct rows rows = { .of = &c->orphans, .memory = c->m, .exact = c->asked->exact };

	c->orphans.row = memory_get(c->m, (c->s->object_count + 1) * sizeof(*c->orphans.row));
	c->wanted = memory_get(c->m, c->s->object_count + 1);
	if (!places || !c->wanted || !c->orphans.row) {
		complain(NULL, "no memory is left to look for orphans");
		return CLI_FAILED;
	}
	c->orphans.places = *places;
	c->orphans.rows = &rows;
	c->orphans.no_headings = c->asked->no_headings;
	if (clean_wanted(c->asked, places, c->wanted) != CLI_OK)
		return CLI_FAILED;
	judge_all(c);
	if (report(c) != CLI_OK || c->failed > 0)
		return CLI_FAILED;
	if (c->hidden)
		return CLI_INCOMPLETE;
	return c->found > 0 && !c->asked->yes ? CLI_FINDING : CLI_OK;
}

static int clean(const struct clean_asked *asked)
{
	const struct inspect_opts opts = { .dirs = look_dirs(&asked->dirs) };
	struct clean c = { .asked = asked };
	struct snapshot *s;
	int status = look_at_machine(&opts, &s), cleaned = CLI_FAILED;

	if (status == CLI_FAILED)
		return status;
	c.s = s;
	c.m = memory_new();
	if (asked->yes && s->own_pid != getpid())
		complain(NULL, "--yes is for this machine, not for a recorded one");
	else if (!c.m)
		complain(NULL, "no memory is left to look for orphans");
	else if (take_columns(&c) == CLI_OK)
		cleaned = clean_snapshot(&c);
	memory_free(c.m);
	inspect_free(s);
	return cleaned == CLI_FAILED || status == CLI_OK ? cleaned : status;
}

enum { OPTION_OLDER_THAN = 256, OPTION_FILTER };

static const char *take_option(void *to, int c, const char *text)
{
	struct clean_asked *asked = to;

	switch (c) {
	case 'y':
		asked->yes = true;
		return NULL;
	case 'm':
		asked->memory = true;
		return NULL;
	case 'q':
		asked->queues = true;
		return NULL;
	case 's':
		asked->semaphores = true;
		return NULL;
	case 'n':
		asked->no_headings = true;
		return NULL;
	case 'b':
		asked->exact = true;
		return NULL;
	case 'j':
		asked->json = true;
		return NULL;
	case 'o':
		asked->columns = text;
		return NULL;
	case 'd':
		return texts_add(&asked->dirs, text, "too many directories");
	case OPTION_FILTER:
		if (asked->filters == CHOOSE_MAX)
			return "too many filters";
		asked->filter[asked->filters++] = text;
		return NULL;
	default:
		return parse_age(text, &asked->older_than_s) < 0 ?
			       "--older-than takes seconds, or as in 10m, 2h, 1d" :
			       NULL;
	}
}

static const char *finish_options(void *to)
{
	const struct clean_asked *asked = to;

	return asked->json && (asked->columns || asked->no_headings) ?
		       "--json has all columns, and no headings" :
		       NULL;
}

int cmd_clean(int argc, char **argv)
{
	static const struct option options[] = {
		{ "yes", no_argument, NULL, 'y' },
		{ "older-than", required_argument, NULL, OPTION_OLDER_THAN },
		{ "shmems", no_argument, NULL, 'm' },
		{ "queues", no_argument, NULL, 'q' },
		{ "semaphores", no_argument, NULL, 's' },
		{ "filter", required_argument, NULL, OPTION_FILTER },
		{ "output", required_argument, NULL, 'o' },
		{ "noheadings", no_argument, NULL, 'n' },
		{ "bytes", no_argument, NULL, 'b' },
		{ "json", no_argument, NULL, 'j' },
		{ "dir", required_argument, NULL, 'd' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	static const struct syntax syntax = { .command = "clean ",
					      .usage = clean_usage,
					      .letters = "ymqso:nbjd:h",
					      .options = options,
					      .free_operands = true,
					      .take = take_option,
					      .finish = finish_options };
	struct clean_asked asked = { 0 };
	int status;

	if (parse_options(&syntax, &asked, NULL, argc, argv, &status) < 0)
		return status;
	asked.word = argv + optind;
	asked.words = argc - optind;
	return clean(&asked);
}
