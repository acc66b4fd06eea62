/* SPDX-License-Identifier: Apache-2.0 */
/*
 * target.h - the parts of the target.
 *
 *   target.c      input to region, and what must be true of all
 *   target_use.c  each kind of channel, opened in every role and used
 */
#ifndef COSHM_FUZZ_TARGET_H
#define COSHM_FUZZ_TARGET_H

#include "fuzz.h"
#include "latest.h"
#include "queue.h"
#include "region.h"
#include "stream.h"

#define FUZZ_NAME "region"

/* What is to be done, an operation a byte; some take more bytes. */
struct script {
	const uint8_t *op;
	unsigned int left;
	unsigned int wait; /* enum coshm_wait */
	uint8_t *scratch;  /* the region as an enemy has it mapped */
	size_t scratch_bytes;
};

void check_rc(int rc);
/* A pointer that the library gave to its caller, and all that he may touch there. */
void check_inside(const struct region *r, const void *data, size_t bytes);

/* One operation or a few on one handle; @op: which, any number. */
void latest_publish_some(struct coshm_latest *pub, unsigned int op);
void latest_read_some(struct coshm_latest *sub, unsigned int op);
void stream_publish_some(struct coshm_stream *pub, unsigned int op);
void stream_read_some(struct coshm_stream *sub, unsigned int op);
void queue_push_some(struct coshm_queue *ch, unsigned int op);
void queue_take_some(struct coshm_queue *ch, unsigned int op);

/* @memory: NULL for the region of name FUZZ_NAME */
void run_latest(struct script *script, void *memory, size_t bytes);
void run_stream(struct script *script);
void run_queue(struct script *script);

#endif /* COSHM_FUZZ_TARGET_H */
