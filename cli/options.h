/* SPDX-License-Identifier: Apache-2.0 */
/*
 * options.h - the command line of a subcommand, as getopt_long(3) takes it apart.
 */
#ifndef COSHM_CLI_OPTIONS_H
#define COSHM_CLI_OPTIONS_H

#include <getopt.h>
#include <stdbool.h>

/* Flags of enum coshm_open_flags as options: what getopt_long gives back has this bit as well. */
#define OPT_OPEN_FLAG 0x10000

/* What an option that may be given several times was given, and NULL behind it. */
#define TEXTS_MAX 32

struct texts {
	const char *text[TEXTS_MAX + 1];
	unsigned int count;
};

/* texts_add - NULL, or @too_many. */
const char *texts_add(struct texts *texts, const char *text, const char *too_many);

struct syntax {
	const char *command; /* with a space behind it                   */
	const char *usage;
	const char *letters; /* of its options; -d and -h are taken here */
	const struct option *options;
	bool many;          /* channels may be given; else one            */
	bool free_operands; /* what and how many there are is the command's own affair */

	/* One option; then, unless it is NULL, all together.  What is wrong, or NULL. */
	const char *(*take)(void *asked, int c, const char *text);
	const char *(*finish)(void *asked);
};

/*
 * parse_options - fill @asked, and @dir if that is given; with @dir NULL, -d is one of the
 * options that @asked takes.  optind is at the first channel then.
 *
 * Returns 0, or -1 with the status to end with: it showed the help, or has complained.
 */
int parse_options(const struct syntax *syntax, void *asked, const char **dir, int argc, char **argv,
		  int *status);

#endif /* COSHM_CLI_OPTIONS_H */
