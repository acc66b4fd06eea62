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
#include "create.h"
#include "options.h"
#include "run.h"
#include "run_init.h"
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
	"      --init            run nothing: set the limits of the directory, before its\n"
	"                        first program; those not given are the kernel's own\n"
	"      --shmmax SIZE, --shmall PAGES, --shmmni N, --semmsl N, --semmns N,\n"
	"      --semopm N, --semmni N, --msgmax SIZE, --msgmnb SIZE, --msgmni N\n"
	"  -h, --help            show this text\n"
	"\n"
	"Refused, as they would share nothing: programs that are linked statically, made\n"
	"for another libc or processor, or gain privileges (setuid, file capabilities).\n"
	"\n"
	"Exit status: that of PROGRAM; 125 coshm run failed or refused; 126 PROGRAM\n"
	"cannot be executed; 127 it is not found. With --check: 0 it can be served, 1 it\n"
	"cannot or makes no such call, 2 failed. With --init: 0 done, 2 failed.\n"
	"Bad command line: 125, or 2 with --check or --init.\n";

struct run_asked {
	bool check, json, init, limited;
	struct choice choice;
	struct sysv_limits limits;
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

enum { OPTION_INIT = RUN_LIMITS_END };

static const char *take_option(void *to, int c, const char *text)
{
	struct run_asked *asked = to;

	if (c >= RUN_SHMMAX && c < RUN_LIMITS_END) {
		asked->limited = true;
		return run_take_limit(&asked->limits, (enum run_limit)c, text);
	}
	if (c == OPTION_INIT)
		asked->init = true;
	else if (c == 'c')
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
	const char *bad;

	if (!asked->check && (asked->json || choice_table(&asked->choice) || asked->choice.exact ||
			      asked->choice.filters.count > 0))
		return "these options go with --check";
	if (asked->init && asked->check)
		return "--init and --check are two things";
	if (asked->limited && !asked->init)
		return "limits go with --init";
	bad = choice_finish(&asked->choice, asked->json);
	return bad ? bad : sysv_limits_check(&asked->limits);
}

static int bad_operands(const struct run_asked *asked, int operands)
{
	if (asked->init && operands > 0)
		complain(NULL, "--init runs no program");
	else if (operands == 0 && !asked->init)
		complain(NULL, "which program?");
	else if (asked->check && operands > 1)
		complain(NULL, "--check takes a program alone");
	else
		return CLI_OK;
	return bad_usage("run ");
}

/* Where the status is not the program's, it is as that of other commands. */
static int failed(const struct run_asked *asked)
{
	return asked->check || asked->init ? (int)CLI_FAILED : (int)RUN_FAILED;
}

/* The options that follow the program are its own. */
static const struct syntax *syntax(void)
{
	static const struct option options[] = {
		CHOICE_OPTIONS,
		{ "dir", required_argument, NULL, 'd' },
		{ "check", no_argument, NULL, 'c' },
		{ "init", no_argument, NULL, OPTION_INIT },
		{ "shmmax", required_argument, NULL, RUN_SHMMAX },
		{ "shmall", required_argument, NULL, RUN_SHMALL },
		{ "shmmni", required_argument, NULL, RUN_SHMMNI },
		{ "semmsl", required_argument, NULL, RUN_SEMMSL },
		{ "semmns", required_argument, NULL, RUN_SEMMNS },
		{ "semopm", required_argument, NULL, RUN_SEMOPM },
		{ "semmni", required_argument, NULL, RUN_SEMMNI },
		{ "msgmax", required_argument, NULL, RUN_MSGMAX },
		{ "msgmnb", required_argument, NULL, RUN_MSGMNB },
		{ "msgmni", required_argument, NULL, RUN_MSGMNI },
		{ "json", no_argument, NULL, 'j' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	static const struct syntax syntax = { .command = "run ",
					      .usage = run_usage,
					      .letters = "+" CHOICE_LETTERS "d:cjh",
					      .options = options,
					      .free_operands = true,
					      .take = take_option,
					      .finish = finish_options };

	return &syntax;
}

int cmd_run(int argc, char **argv)
{
	struct run_asked asked = { 0 };
	const char *dir = NULL;
	struct memory *m;
	int status;

	sysv_limits_default(&asked.limits);
	if (parse_options(syntax(), &asked, &dir, argc, argv, &status) < 0)
		return status == CLI_FAILED ? failed(&asked) : status;
	if (bad_operands(&asked, argc - optind) != CLI_OK)
		return failed(&asked);
	if (asked.init)
		return run_init(dir, &asked.limits);
	m = memory_new();
	if (!m) {
		complain(NULL, "no memory is left");
		return failed(&asked);
	}
	status = asked.check ? run_check(m, argv[optind], asked.json, &asked.choice) :
			       run(m, dir, argv + optind);
	memory_free(m);
	return status;
}
