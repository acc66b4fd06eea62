/* SPDX-License-Identifier: Apache-2.0 */
/*
 * run.h - the parts of "coshm run".
 *
 *   cmd_run.c      the command line, and becoming the program
 *   run_program.c  which file a program is, and whether it can be served
 *   run_library.c  the library that is preloaded, and the environment
 *   run_dir.c      whether a directory can be shared memory
 *   run_check.c    --check: which calls the program makes
 *   run_init.c     --init: the limits of a directory; run_init.h
 */
#ifndef COSHM_CLI_RUN_H
#define COSHM_CLI_RUN_H

#include <limits.h>
#include <stdbool.h>

#include "choose.h"
#include "elf_file.h"

/* As env(1) has them; else the status is the program's own. */
enum run_exit {
	RUN_FAILED = 125,    /* coshm run itself failed, or refused */
	RUN_CANNOT = 126,    /* the program is there, and cannot be executed */
	RUN_NOT_FOUND = 127, /* it is not there */
};

/* What to do instead, which is the same for all that a preload cannot reach. */
#define RUN_INSTEAD                                                                                \
	"or let both containers share an IPC namespace (docker run --ipc=container:NAME), "        \
	"which needs no coshm run"

enum run_verdict {
	RUN_SERVED,
	RUN_REFUSED, /* a preload does not reach it                      */
	RUN_UNKNOWN, /* it may not be looked at                          */
	RUN_BROKEN,  /* the kernel would not execute it                  */
};

struct run_program {
	char path[PATH_MAX]; /* what is executed                            */
	char file[PATH_MAX]; /* what was looked at last: it, or who interprets it */
	struct elf elf;      /* of this                                     */
	enum run_verdict verdict;
	char why[PATH_MAX + 512]; /* as a clause, unless it is served          */
	const char *hint;         /* what to do, or NULL                       */
};

struct run_library {
	char path[PATH_MAX];
	struct elf elf;
};

/* run_find - as execvp(3) would, in $PATH.  CLI_OK, or an enum run_exit after a complaint. */
int run_find(const char *name, char path[PATH_MAX]);

/* run_look - at p->path, and those who interpret it: fills in the rest. */
void run_look(struct memory *m, const struct run_library *library, struct run_program *p);

/* run_find_library - CLI_OK, or CLI_FAILED after a complaint. */
int run_find_library(struct memory *m, struct run_library *library);

/* run_environment - for the program.  CLI_OK, or CLI_FAILED after a complaint. */
int run_environment(const struct run_library *library, const char *dir);

/*
 * run_check_dir - can programs share memory through @dir, or without it through
 * that of $COSHM_DIR?  @real is its path without links.  CLI_OK, or CLI_FAILED
 * after a complaint; what may be wrong is said.
 */
int run_check_dir(const char *dir, char real[PATH_MAX]);

/* run_check - print which calls a program makes.  An enum cli_exit. */
int run_check(struct memory *m, const char *name, bool json, const struct choice *choice);

#endif /* COSHM_CLI_RUN_H */
