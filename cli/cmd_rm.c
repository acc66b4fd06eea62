/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cmd_rm.c - "coshm rm": remove a channel.
 */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>

#include "cli.h"

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

int cmd_rm(int argc, char **argv)
{
	static const struct option options[] = {
		{ "force", no_argument, NULL, 'f' },
		{ "dir", required_argument, NULL, 'd' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	const char *dir = NULL;
	int status = CLI_OK, c;
	bool force = false;

	while ((c = getopt_long(argc, argv, "fd:h", options, NULL)) != -1) {
		switch (c) {
		case 'f':
			force = true;
			break;
		case 'd':
			dir = optarg;
			if (dir[0] != '\0')
				break;
			complain_value("--dir takes the path of a directory", dir);
			return bad_usage("rm ");
		case 'h':
			fputs(rm_usage, stdout);
			return CLI_OK;
		default: /* getopt_long has already said what is wrong */
			return bad_usage("rm ");
		}
	}
	if (optind == argc) {
		complain(NULL, "which channel?");
		return bad_usage("rm ");
	}
	for (; optind < argc; optind++)
		if (remove_one(dir, argv[optind], force) != CLI_OK)
			status = CLI_FAILED;
	return status;
}
