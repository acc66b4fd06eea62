/* SPDX-License-Identifier: Apache-2.0 */
/*
 * show.h - coshm ls and coshm ps, which differ in what a row is.
 */
#ifndef COSHM_CLI_SHOW_H
#define COSHM_CLI_SHOW_H

#include <stdbool.h>

/* Parts of the help of these and other commands: the options of choose.h. */
#define SHOW_USAGE_ROWS                                                                            \
	"      --filter COLUMN=VALUE  rows with this value alone; * is any text; may be\n"         \
	"                        given several times, and all must hold\n"
#define SHOW_USAGE_FILTER                                                                          \
	SHOW_USAGE_ROWS                                                                            \
	"  -o, --output COLUMNS  these columns, with commas between them, or +COLUMNS in\n"
#define SHOW_USAGE_FORM                                                                            \
	"  -n, --noheadings      no headings\n"                                                    \
	"  -b, --bytes           sizes with all digits\n"

#define SHOW_USAGE_DIR                                                                             \
	"  -d, --dir DIR         one more directory with channels; may be given several\n"         \
	"                        times (also looked into: $COSHM_DIR)\n"

/* The end of both texts of help: options that tell how to show, and the status. */
#define SHOW_USAGE_END                                                                             \
	SHOW_USAGE_FORM                                                                            \
	"  -j, --json            all there is, for programs\n" SHOW_USAGE_DIR                      \
	"  -h, --help            show this text\n"                                                 \
	"\n"                                                                                       \
	"Exit status: 0 done; 2 failed or bad command line; 3 not all could be seen,\n"            \
	"which run as root on the host it can.\n"

/* show_machine - @uses: of objects by processes, else objects.  The status to end with. */
int show_machine(const char *command, const char *usage, bool uses, int argc, char **argv);

#endif /* COSHM_CLI_SHOW_H */
