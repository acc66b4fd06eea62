/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cmd_run.c - "coshm run": run a program that shares its System V and POSIX IPC
 * through a directory.
 *
 * It looks whether that can be, and becomes the program.  What it cannot serve
 * is refused: to run it unshared, and say nothing, would be worse.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli.h"
#include "options.h"
#include "run.h"
#include "show.h"

const char run_usage[] =
	"Usage: coshm run [OPTION]... [--] PROGRAM [ARGUMENT]...\n"
	"Run an unmodified program whose System V memory, semaphores and message queues,\n"
	"and POSIX memory and semaphores, are shared through a directory with all who are\n"
	"run so there: in containers that share nothing but a volume.\n"
	"\n"
	"  -d, --dir DIR         a directory of the volume (default: $COSHM_DIR)\n"
	"  -c, --check           only print which of these calls the program makes,\n"
	"                        and say whether it can be served; with the following\n" SHOW_USAGE_ROWS
	"  -o, --output COLUMNS  these columns, of CALL, TYPE and FILE\n"
	"  -n, --noheadings      no headings\n"
	"  -b, --bytes           there are no sizes\n"
	"  -j, --json            all there is, for programs\n"
	"  -h, --help            show this text\n"
	"\n"
	"Refused, as they would share nothing: programs that are linked statically, made\n"
	"for another libc or processor, or gain privileges (setuid, file capabilities).\n"
	"\n"
	"Exit status: that of PROGRAM; 125 coshm run failed or refused; 126 PROGRAM\n"
	"cannot be executed; 127 it is not found. With --check: 0 it can be served, 1 it\n"
	"cannot or makes no such call, 2 failed. Bad command line: 125, with --check 2.\n";

struct run_asked {
	bool check, json;
	struct choice choice;
};

/* Does not return if all is well. */
static int become(const struct run_program *p, char **argv)
{
	int err;

	execvp(p->path, argv); /* there is a slash in it: nothing is looked for any more */
	err = errno;
	complain(NULL, "cannot run %s: %s", p->path, strerror(err));
	return err == ENOENT ? RUN_NOT_FOUND : RUN_CANNOT;
}

static int run(struct memory *m, const char *dir, char **argv)
{
	struct run_library library = { .path = "" };
	struct run_program p = { .path = "" };
	char real[PATH_MAX];
	int status = run_find(argv[0], p.path);

	if (status != CLI_OK)
		return status;
	if (run_find_library(m, &library) != CLI_OK)
		return RUN_FAILED;
	run_look(m, &library, &p);
	if (p.verdict == RUN_UNKNOWN) {
		say("%s may share nothing: %s", p.path, p.why);
	} else if (p.verdict != RUN_SERVED) {
		complain(p.hint, "cannot run %s: %s", p.path, p.why);
		return p.verdict == RUN_BROKEN ? RUN_CANNOT : RUN_FAILED;
	}
	if (run_check_dir(dir, real) != CLI_OK || run_environment(&library, real) != CLI_OK)
		return RUN_FAILED;
	return become(&p, argv);
}

static const char *take_option(void *to, int c, const char *text)
{
	struct run_asked *asked = to;

	if (c == 'c')
		asked->check = true;
	else if (c == 'j')
		asked->json = true;
	else
		return choice_take(&asked->choice, c, text);
	return NULL;
}

static const char *finish_options(void *to)
{
	const struct run_asked *asked = to;

	if (!asked->check && (asked->json || choice_table(&asked->choice) || asked->choice.exact ||
			      asked->choice.filters.count > 0))
		return "these options go with --check";
	return choice_finish(&asked->choice, asked->json);
}

static int bad_operands(const struct run_asked *asked, int operands)
{
	if (operands == 0)
		complain(NULL, "which program?");
	else if (asked->check && operands > 1)
		complain(NULL, "--check takes a program alone");
	else
		return CLI_OK;
	return bad_usage("run ");
}

int cmd_run(int argc, char **argv)
{
	static const struct option options[] = {
		CHOICE_OPTIONS,
		{ "dir", required_argument, NULL, 'd' },
		{ "check", no_argument, NULL, 'c' },
		{ "json", no_argument, NULL, 'j' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	/* The options that follow the program are its own. */
	static const struct syntax syntax = { .command = "run ",
					      .usage = run_usage,
					      .letters = "+" CHOICE_LETTERS "d:cjh",
					      .options = options,
					      .free_operands = true,
					      .take = take_option,
					      .finish = finish_options };
	struct run_asked asked = { 0 };
	const char *dir = NULL;
	struct memory *m;
	int status;

	if (parse_options(&syntax, &asked, &dir, argc, argv, &status) < 0)
		return status == CLI_FAILED && !asked.check ? RUN_FAILED : status;
	if (bad_operands(&asked, argc - optind) != CLI_OK)
		return asked.check ? CLI_FAILED : RUN_FAILED;
	m = memory_new();
	if (!m) {
		complain(NULL, "no memory is left");
		return asked.check ? CLI_FAILED : RUN_FAILED;
	}
	status = asked.check ? run_check(m, argv[optind], asked.json, &asked.choice) :
			       run(m, dir, argv + optind);
	memory_free(m);
	return status;
}
