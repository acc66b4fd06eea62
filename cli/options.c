/* SPDX-License-Identifier: Apache-2.0 */
/*
 * options.c - see options.h.
 */
#include "options.h"

#include <stdio.h>

#include "cli.h"

const char *texts_add(struct texts *texts, const char *text, const char *too_many)
{
	if (texts->count == TEXTS_MAX)
		return too_many;
	texts->text[texts->count++] = text;
	return NULL;
}

static const char *take_dir(const char **dir, const char *text)
{
	*dir = text;
	return text[0] == '\0' ? "--dir takes the path of a directory" : NULL;
}

static const char *check_all(const struct syntax *syntax, void *asked, int operands)
{
	const char *bad = syntax->finish ? syntax->finish(asked) : NULL;

	if (bad || syntax->free_operands)
		return bad;
	if (operands == 0)
		return "which channel?";
	return operands > 1 && !syntax->many ? "give one channel" : NULL;
}

int parse_options(const struct syntax *syntax, void *asked, const char **dir, int argc, char **argv,
		  int *status)
{
	const char *bad = NULL;
	int c;

	*status = CLI_FAILED;
	while (!bad &&
	       (c = getopt_long(argc, argv, syntax->letters, syntax->options, NULL)) != -1) {
		if (c == 'h') {
			fputs(syntax->usage, stdout);
			*status = CLI_OK;
			return -1;
		}
		if (c == '?') { /* getopt_long has already said what is wrong */
			bad_usage(syntax->command);
			return -1;
		}
		bad = c == 'd' && dir ? take_dir(dir, optarg) : syntax->take(asked, c, optarg);
		if (bad && optarg)
			complain(NULL, "%s, not '%s'", bad, optarg);
		else if (bad)
			complain(NULL, "%s", bad);
	}
	if (!bad) {
		bad = check_all(syntax, asked, argc - optind);
		if (bad)
			complain(NULL, "%s", bad);
	}
	return bad ? bad_usage(syntax->command), -1 : 0;
}
