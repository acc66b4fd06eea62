/* SPDX-License-Identifier: Apache-2.0 */
/*
 * io.h - messages in from a descriptor and out to one, without stdio: each one
 * is written at once, and both ends let go when the program is told to stop.
 */
#ifndef COSHM_CLI_IO_H
#define COSHM_CLI_IO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct input {
	int fd;
	size_t record_bytes; /* of each message; 0: lines            */
	size_t max_bytes;    /* a line that is longer is refused      */
	char *buffer;
	size_t start, end, room; /* what is read and not given out, and what fits */
	uint64_t number;         /* of the message given out last, from 1         */
	bool at_end;
};

/* input_init - messages of up to @max_bytes from @fd.  -ENOMEM. */
int input_init(struct input *in, int fd, size_t record_bytes, size_t max_bytes);
void input_free(struct input *in);

/**
 * input_next - the next message, valid until the next call.
 *
 * Returns 1, or 0 at the end, or a negative errno: -EMSGSIZE a line that is too
 * long, -EPROTO an end within a record, -EINTR told to stop, or read(2)'s.
 */
int input_next(struct input *in, const char **data, size_t *bytes);

/**
 * output - write @bytes bytes, and @newline behind them, in one go.
 *
 * Returns 0, -EINTR told to stop, or write(2)'s error.
 */
int output(int fd, const void *data, size_t bytes, bool newline);

#endif /* COSHM_CLI_IO_H */
