/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cmd_doctor.c - "coshm doctor": why do two containers not share memory, and
 * what is wrong on this machine?
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "choose.h"
#include "cli.h"
#include "doctor.h"
#include "findings.h"
#include "key_file.h"
#include "look.h"
#include "options.h"
#include "show.h"

const char doctor_usage[] =
	"Usage: coshm doctor [OPTION]... [CONTAINER CONTAINER]\n"
	"Say whether two containers share memory, why not, and the command that mends it;\n"
	"or, of no two, what is wrong on the whole machine.\n"
	"\n"
	"A container is given by its name, its id, its pod or service, or a process id.\n"
	"\n"
	"      --key-file PATH   compare the keys that ftok() makes of PATH in both\n"
	"      --project-id N    with this project id: 1 to 255, or a character\n" SHOW_USAGE_FILTER
	"                        addition, as a table: CODE, SEVERITY, TITLE, EVIDENCE,\n"
	"                        FIX, FIX_NOTE, CONTAINERS, OBJECT\n"
	"  -n, --noheadings      the table without headings\n"
	"  -b, --bytes           sizes with all digits\n"
	"  -j, --json            what was found, for programs\n"
	"  -h, --help            show this text\n"
	"\n"
	"Exit status: 0 all is well; 1 warnings or errors are shown; 2 failed or bad\n"
	"command line; 3 nothing found, but not all could be seen.\n";

#define MOST_FOUND 64

enum { OPT_KEY_FILE = 256, OPT_PROJECT_ID };

struct doctor_asked {
	bool json;
	struct choice choice;
	struct selection selection;
	struct filter filter[CHOOSE_MAX];
	const char *path; /* of the key file, or NULL */
	int project_id;   /* 0: not given             */
};

/* Of several, as a pod has them, one stands for all: they must be in one place. */
static bool one_place(const struct snapshot *s, const int *found, unsigned int count)
{
	const struct container *first = &s->containers[found[0]];

	for (unsigned int i = 1; i < count; i++)
		if (s->containers[found[i]].ipcns != first->ipcns ||
		    s->containers[found[i]].shm_area != first->shm_area)
			return false;
	return true;
}

static int find_side(const struct snapshot *s, const char *what, struct side *side)
{
	int found[MOST_FOUND], process = NOBODY;
	unsigned int count = inspect_find(s, what, found, MOST_FOUND, &process);

	*side = (struct side){ .container = NOBODY, .process = process };
	if (count == 0 && process == NOBODY) {
		complain("coshm ls shows the containers of this machine; another machine's memory "
			 "cannot be shared",
			 "there is no container, pod or process '%s' here", what);
		return -1;
	}
	if (count > MOST_FOUND || (count > 1 && !one_place(s, found, count))) {
		complain("give a name or an id of one",
			 "'%s' are %u containers, and they do not "
			 "share among themselves",
			 what, count);
		return -1;
	}
	if (count > 0)
		*side = (struct side){ .container = found[0], .process = NOBODY };
	return 0;
}

static int find_both(const struct snapshot *s, char **what, struct side sides[2])
{
	if (find_side(s, what[0], &sides[0]) < 0 || find_side(s, what[1], &sides[1]) < 0)
		return -1;
	if (sides[0].container != sides[1].container || sides[0].process != sides[1].process)
		return 0;
	complain(NULL, "'%s' and '%s' are the same", what[0], what[1]);
	return -1;
}

static void read_key_file(const struct snapshot *s, const struct side sides[2],
			  struct key_file *key)
{
	for (unsigned int i = 0; i < 2; i++) {
		int process = sides[i].container == NOBODY ?
				      sides[i].process :
				      s->containers[sides[i].container].process;
		struct ftok_of of = { 0 };

		key->error[i] = process == NOBODY ?
					ESRCH :
					ftok_as_seen_by(s->processes[process].pid, key->path,
							key->project_id, &of);
		key->found[i] = key->error[i] == 0;
		key->dev[i] = of.dev;
		key->ino[i] = of.ino;
		key->key[i] = of.key;
	}
}

/* What is not seen of others does not matter to these two. */
static bool seen_in_full(const struct snapshot *s, const struct side *side)
{
	for (unsigned int i = 0; i < s->process_count; i++) {
		const struct process *p = &s->processes[i];

		if ((int)i != side->process &&
		    (side->container == NOBODY || p->container != side->container))
			continue;
		if (!p->maps_seen || p->ipcns == NOBODY || !s->ipcns[p->ipcns].seen ||
		    (p->shm_area != NOBODY && !s->areas[p->shm_area].seen))
			return false;
	}
	return true;
}

/* What was asked, taken apart. */
struct question {
	bool pair;
	struct side sides[2];
};

static int diagnose(const struct snapshot *s, const struct question *question,
		    const struct doctor_asked *asked, struct diagnosis **diagnosis)
{
	struct key_file key = { .path = asked->path, .project_id = asked->project_id };

	if (!question->pair)
		return doctor_machine(s, asked->choice.exact, diagnosis);
	if (asked->path)
		read_key_file(s, question->sides, &key);
	return doctor_pair(s, &question->sides[0], &question->sides[1], asked->path ? &key : NULL,
			   asked->choice.exact, diagnosis);
}

/* What filters leave out has no say in it, except that something could not be told. */
static int status_of(const struct findings *f, const struct question *question)
{
	const struct finding *all = f->diagnosis->findings;
	bool complete = question->pair ? seen_in_full(f->s, &question->sides[0]) &&
						 seen_in_full(f->s, &question->sides[1]) :
					 f->s->note_count == 0;

	for (unsigned int i = 0; i < f->count; i++)
		if (all[f->row[i]].severity >= SEVERITY_WARNING)
			return CLI_FINDING;
	for (unsigned int i = 0; i < f->diagnosis->count; i++)
		if (all[i].code == FINDING_UNSEEN)
			complete = false;
	return complete ? CLI_OK : CLI_INCOMPLETE;
}

static int print(const struct findings *f, const struct doctor_asked *asked)
{
	if (asked->json)
		return findings_print_json(f);
	if (choice_table(&asked->choice))
		return findings_print_table(f);
	findings_print_text(f);
	return 0;
}

/* Its status, or -ENOMEM. */
static int show(const struct snapshot *s, const struct diagnosis *d,
		const struct question *question, const struct doctor_asked *asked)
{
	struct findings f = { .s = s,
			      .diagnosis = d,
			      .selection = asked->selection,
			      .no_headings = asked->choice.no_headings };
	const struct rows rows = { .of = &f, .memory = d->memory, .exact = asked->choice.exact };
	unsigned int *row = memory_get(d->memory, (d->count + 1) * sizeof(*row));
	int err;

	if (!row)
		return -ENOMEM;
	f.row = row;
	f.rows = &rows;
	for (unsigned int i = 0; i < d->count; i++)
		if (filters_pass(asked->filter, asked->choice.filters.count, &rows, i))
			row[f.count++] = i;
	err = print(&f, asked);
	return err < 0 || memory_failed(d->memory) ? -ENOMEM : status_of(&f, question);
}

static int answer(const struct snapshot *s, const struct question *question,
		  const struct doctor_asked *asked)
{
	struct diagnosis *d;
	int status = diagnose(s, question, asked, &d);

	if (status == 0) {
		status = show(s, d, question, asked);
		doctor_free(d);
	}
	if (status >= 0)
		return status;
	complain(NULL, "no memory to say what is wrong");
	return CLI_FAILED;
}

static int examine(char **what, const struct doctor_asked *asked)
{
	const struct inspect_opts opts = { .describe_stopped = true, .dirs = look_dirs(NULL) };
	struct question question = { .pair = what };
	struct snapshot *s;
	int status = look_at_machine(&opts, &s);

	if (status == CLI_FAILED)
		return status;
	if (what && find_both(s, what, question.sides) < 0)
		status = CLI_FAILED;
	else
		status = answer(s, &question, asked);
	inspect_free(s);
	return status;
}

static const char *take_project_id(struct doctor_asked *asked, const char *text)
{
	uint64_t number;

	if (text[0] != '\0' && text[1] == '\0' && (text[0] < '0' || text[0] > '9'))
		number = (unsigned char)text[0];
	else if (parse_number(text, 1, 255, &number) < 0)
		return "--project-id takes 1 to 255 or a character";
	asked->project_id = (int)number;
	return NULL;
}

static const char *take_option(void *to, int c, const char *text)
{
	struct doctor_asked *asked = to;

	switch (c) {
	case OPT_PROJECT_ID:
		return take_project_id(asked, text);
	case OPT_KEY_FILE:
		asked->path = text;
		return text[0] == '/' ? NULL : "--key-file takes a path from / on";
	case 'j':
		asked->json = true;
		return NULL;
	default:
		return choice_take(&asked->choice, c, text);
	}
}

static const char *finish_options(void *to)
{
	const struct doctor_asked *asked = to;

	if (!asked->path != (asked->project_id == 0))
		return "--key-file and --project-id go together";
	return choice_finish(&asked->choice, asked->json);
}

int cmd_doctor(int argc, char **argv)
{
	static const struct option options[] = {
		{ "key-file", required_argument, NULL, OPT_KEY_FILE },
		{ "project-id", required_argument, NULL, OPT_PROJECT_ID },
		CHOICE_OPTIONS,
		{ "json", no_argument, NULL, 'j' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	static const struct syntax syntax = { .command = "doctor ",
					      .usage = doctor_usage,
					      .letters = CHOICE_LETTERS "jh",
					      .options = options,
					      .free_operands = true,
					      .take = take_option,
					      .finish = finish_options };
	struct doctor_asked asked = { 0 };
	int status, operands;

	if (parse_options(&syntax, &asked, NULL, argc, argv, &status) < 0)
		return status;
	operands = argc - optind;
	if (operands != 2 && (operands != 0 || asked.path)) {
		complain(NULL, asked.path ? "--key-file takes two containers to compare" :
					    "give two containers, or none for the whole machine");
		return bad_usage("doctor ");
	}
	if (choice_parse(&asked.choice, &finding_columns, finding_columns.standard,
			 &asked.selection, asked.filter) < 0)
		return bad_usage("doctor ");
	return examine(operands == 0 ? NULL : argv + optind, &asked);
}
