/* SPDX-License-Identifier: Apache-2.0 */
/*
 * outlet.h - the side of a channel that sends, whatever the channel's kind:
 * publisher of a latest value or a stream, producer of a queue.
 */
#ifndef COSHM_CLI_OUTLET_H
#define COSHM_CLI_OUTLET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cli.h"

#define POLICY_ANY UINT32_MAX

/* What was asked for on the command line, and what a channel is made like if it is missing. */
struct outlet_plan {
	const char *dir, *name;
	uint32_t kind;         /* KIND_ANY: the one that is there, else a stream */
	uint32_t policy;       /* POLICY_ANY: the one that is there, else 0      */
	uint32_t slots;        /* 0: the default                                 */
	uint64_t max_bytes;    /* of a message; of a channel that is there, too  */
	uint64_t record_bytes; /* of every message; 0: they differ            */
	uint32_t mode;         /* 0: the default                                 */
	bool give_group;       /* the file to .group                             */
	uint32_t group;
	uint32_t open_flags; /* enum coshm_open_flags                          */
};

struct outlet {
	const struct outlet_plan *plan;
	struct coshm_info info;
	struct coshm_latest *latest; /* one of the three is set while it is open */
	struct coshm_stream *stream;
	struct coshm_queue *queue;
};

/* outlet_open - open the channel, make it first if it is missing; complains and gives a status. */
int outlet_open(struct outlet *out, const struct outlet_plan *plan);
void outlet_close(struct outlet *out);

/* Time-outs as in coshm.h; so are the errors, and the sentence is libcoshm's. */
int outlet_send(struct outlet *out, const void *data, size_t bytes, int64_t timeout_ns);
int outlet_wait_receivers(struct outlet *out, unsigned int count, int64_t timeout_ns);

/* Until all that was sent is received by those who live; of a lossless stream, others do not wait.
 */
int outlet_drain(struct outlet *out, int64_t timeout_ns);

#endif /* COSHM_CLI_OUTLET_H */
