/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cmd_rm.c - "coshm rm": remove a channel.
 */
#include <errno.h>

#include "cli.h"
#include "options.h"

const char rm_usage[] =
	"Usage: coshm rm [OPTION]... CHANNEL...\n"
	"Remove channels that nobody alive has open.\n"
	"\n"
	"  -f, --force    also those in use: who has one open is told, and opens it anew\n"
	"  -d, --dir DIR  where channels are (default: $COSHM_DIR, else /dev/shm/coshm)\n"
	"  -h, --help     show this text\n"
	"\n"
	"Exit status: 0 all were removed, 2 one was not, or bad command line.\n";

static int remove_one(const char *dir, const char *name, bool force)
{
	int err = force ? coshm_retire(dir, name) : coshm_remove(dir, name);

	if (err == -EBUSY)
		complain("--force removes it all the same; who has it open is told",
			 "cannot remove the channel: %s", coshm_errmsg());
	else if (err < 0)
		complain_call(err, "cannot remove the channel");
	return err < 0 ? CLI_FAILED : CLI_OK;
}

static const char *take_force(void *asked, int c, const char *text)
{
	bool *force = asked;

	(void)c;
	(void)text;
	*force = true;
	return NULL;
}

int cmd_rm(int argc, char **argv)
{
	static const struct option options[] = {
		{ "force", no_argument, NULL, 'f' },
		{ "dir", required_argument, NULL, 'd' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	static const struct syntax syntax = { .command = "rm ",
					      .usage = rm_usage,
					      .letters = "fd:h",
					      .options = options,
					      .many = true,
					      .take = take_force };
	const char *dir = NULL;
	bool force = false;
	int status;

	if (parse_options(&syntax, &force, &dir, argc, argv, &status) < 0)
		return status;
	status = CLI_OK;
	for (; optind < argc; optind++)
		if (remove_one(dir, argv[optind], force) != CLI_OK)
			status = CLI_FAILED;
	return status;
}
