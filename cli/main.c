/* SPDX-License-Identifier: Apache-2.0 */
/*
 * main.c - the coshm command: finds the subcommand, and has the last word
 * about standard output.
 */
#include <errno.h>
#include <fcntl.h>
#include <locale.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli.h"

static const char usage[] =
	"Usage: coshm COMMAND [OPTION]... [CHANNEL | CONTAINER... | PROGRAM]\n"
	"Memory that containers share: channels, and who shares what with whom.\n"
	"\n"
	"  pub     publish lines or records from standard input\n"
	"  sub     print messages as they come\n"
	"  info    show what a channel is, and who has it open\n"
	"  rm      remove a channel\n"
	"\n"
	"  ls      list shared memory, semaphores, queues and channels of all containers\n"
	"  ps      list the processes that use them\n"
	"  doctor  say whether two containers share memory, why not, and what mends it\n"
	"  clean   remove what nobody uses any more\n"
	"  grow    enlarge the /dev/shm of a running container\n"
	"  top     show live who shares what, how it grows, and what is full\n"
	"  watch   print a line for each change of them\n"
	"\n"
	"  run     run a program that shares its System V and POSIX IPC through a volume\n"
	"\n"
	"  -h, --help     show this text; coshm COMMAND --help says more\n"
	"  -V, --version  show the version\n"
	"\n"
	"A channel is a file in a directory that all of its programs see: --dir, else\n"
	"$COSHM_DIR, else /dev/shm/coshm.\n"
	"\n"
	"Exit status: 0 done, 1 a finding or time was up, 2 failed or bad command line,\n"
	"3 done as far as permissions reach. coshm run has that of its program.\n";

static const struct command {
	const char *name;
	int (*run)(int argc, char **argv);
	const char *usage;
} commands[] = {
	{ "pub", cmd_pub, pub_usage },
	{ "sub", cmd_sub, sub_usage },
	{ "info", cmd_info, info_usage },
	{ "rm", cmd_rm, rm_usage },
	{ "ls", cmd_ls, ls_usage },
	{ "ps", cmd_ps, ps_usage },
	{ "doctor", cmd_doctor, doctor_usage },
	{ "clean", cmd_clean, clean_usage },
	{ "grow", cmd_grow, grow_usage },
	{ "top", cmd_top, top_usage },
	{ "watch", cmd_watch, watch_usage },
	{ "run", cmd_run, run_usage },
};

static const struct command *find(const char *name)
{
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
		if (strcmp(commands[i].name, name) == 0)
			return &commands[i];
	complain(NULL, "there is no command '%s'", name);
	return NULL;
}

static int help(int argc, char **argv)
{
	const struct command *command;

	if (argc > 2) {
		complain(NULL, "help is given on one command at a time");
		return bad_usage("");
	}
	command = argc == 2 ? find(argv[1]) : NULL;
	if (argc == 2 && !command)
		return bad_usage("");
	fputs(command ? command->usage : usage, stdout);
	return CLI_OK;
}

static int dispatch(int argc, char **argv)
{
	const struct command *command;

	if (argc == 0) {
		fputs(usage, stderr);
		return CLI_FAILED;
	}
	if (strcmp(argv[0], "--help") == 0 || strcmp(argv[0], "-h") == 0 ||
	    strcmp(argv[0], "help") == 0)
		return help(argc, argv);
	if (strcmp(argv[0], "--version") == 0 || strcmp(argv[0], "-V") == 0) {
		puts("coshm " COSHM_VERSION);
		return CLI_OK;
	}
	if (argv[0][0] == '-') {
		complain(NULL, "unknown option '%s'", argv[0]);
		return bad_usage("");
	}
	command = find(argv[0]);
	if (!command)
		return bad_usage("");
	argv[0] = program_invocation_short_name; /* what getopt_long begins its sentences with */
	return command->run(argc, argv);
}

/*
 * A descriptor below 3 that was closed would go to the next file that is opened,
 * the channel itself, and what is printed would lie in it.  This one stands in
 * its place, and reading and writing fail as if it were still closed.
 */
static void hold_standard_descriptors(void)
{
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
		if (fcntl(fd, F_GETFD) < 0 && open("/", O_PATH | O_CLOEXEC) != fd)
			_exit(CLI_FAILED);
}

int main(int argc, char **argv)
{
	int status;

	hold_standard_descriptors();
	/* What run becomes has its signals as they came to us. */
	if (argc < 2 || strcmp(argv[1], "run") != 0)
		stop_setup();
	setlocale(LC_CTYPE, ""); /* tables are drawn in the terminal's characters */
	status = dispatch(argc - 1, argv + 1);
	/* A reader that has had enough is no failure; neither is being told to stop. */
	if (fflush(stdout) != 0 && !stop_requested() && errno != EPIPE) {
		complain(NULL, "cannot write to standard output: %s", strerror(errno));
		return CLI_FAILED;
	}
	return status;
}
