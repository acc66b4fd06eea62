/* SPDX-License-Identifier: Apache-2.0 */
/*
 * inlet.h - the side of a channel that receives, whatever the channel's kind:
 * subscriber of a latest value or a stream, consumer of a queue.
 */
#ifndef COSHM_CLI_INLET_H
#define COSHM_CLI_INLET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cli.h"

struct inlet {
	const char *dir, *name;
	uint32_t kind;       /* KIND_ANY: whichever it is          */
	bool observe;        /* without a place                    */
	uint32_t open_flags; /* enum coshm_open_flags             */
	struct coshm_info info;
	struct coshm_latest *latest; /* one of the three is set while it is open */
	struct coshm_stream *stream;
	struct coshm_queue *queue;
	void *buffer;
	size_t room;
	uint64_t seen; /* the last value of a latest */
};

struct inlet_message {
	const void *data;
	size_t bytes;
	uint64_t number;
	uint64_t lost;       /* overwritten just before this one */
	uint32_t deliveries; /* more than 1: of a queue, again   */
};

/**
 * inlet_open - attach to the channel as it is now.
 * @oldest: a stream begins with the oldest message that is there
 *
 * Errors: libcoshm's; -ENOENT, -ESTALE: there is none, try later; -EPROTOTYPE
 * another kind than was asked for, which was complained about; -ENOBUFS no
 * memory for a message.
 */
int inlet_open(struct inlet *in, bool oldest);
void inlet_close(struct inlet *in); /* it can be opened again */
bool inlet_is_open(const struct inlet *in);

/* inlet_receive - the next message; errors and time-outs as in coshm.h. */
int inlet_receive(struct inlet *in, int64_t timeout_ns, struct inlet_message *message);

/* inlet_done - the message was dealt with; before this, a queue gives it to another if we die. */
int inlet_done(struct inlet *in, const struct inlet_message *message);

/* inlet_replaced - is there another one of this name now?  rm(1) tells nobody */
bool inlet_replaced(const struct inlet *in);

#endif /* COSHM_CLI_INLET_H */
