/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pub.h - what "coshm pub" was asked for.
 */
#ifndef COSHM_CLI_PUB_H
#define COSHM_CLI_PUB_H

#include <stdint.h>

#include "cli.h"
#include "outlet.h"

struct pub_options {
	struct outlet_plan plan;
	const char *policy;   /* as it was given                      */
	uint64_t count;       /* 0: all there is                      */
	uint64_t subscribers; /* to wait for                          */
	double rate;          /* a second; 0: as fast as they come    */
	int64_t timeout_ns;   /* 0: none                              */
};

/* pub_parse - fill @p, whose plan has its defaults; 0, or -1 with the status to end with. */
int pub_parse(struct pub_options *p, int argc, char **argv, int *status);

/* pub_find_group - the number of a group; -1: there is none of this name. */
int pub_find_group(const char *name, uint32_t *group);

#endif /* COSHM_CLI_PUB_H */
