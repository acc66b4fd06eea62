/* SPDX-License-Identifier: Apache-2.0 */
/*
 * clean.h - which objects coshm clean is about, and what became of them.
 */
#ifndef COSHM_CLI_CLEAN_H
#define COSHM_CLI_CLEAN_H

#include <stdbool.h>
#include <stdint.h>

#include "choose.h"
#include "options.h"
#include "places.h"

/* What the command line asks for. */
struct clean_asked {
	bool yes, json, no_headings, exact;
	bool memory, queues, semaphores; /* -m, -q, -s; without any of them, all */
	uint64_t older_than_s;
	const char *columns; /* or NULL */
	struct texts dirs;
	const char *filter[CHOOSE_MAX];
	unsigned int filters;
	char **word; /* containers and objects; without any, all */
	int words;
};

/*
 * clean_wanted - @wanted: for each object, whether it is asked for.
 * CLI_OK, or CLI_FAILED after a complaint about a word that is nothing.
 */
int clean_wanted(const struct clean_asked *asked, const struct places *p, bool *wanted);

#endif /* COSHM_CLI_CLEAN_H */
