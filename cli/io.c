/* SPDX-License-Identifier: Apache-2.0 */
/*
 * io.c - see io.h.
 */
#include "io.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#include "cli.h"

#define READ_BYTES 65536

int input_init(struct input *in, int fd, size_t record_bytes, size_t max_bytes)
{
	/* A message of any length, its newline, and room to read some more in one go. */
	size_t room = max_bytes + 1 + READ_BYTES;

	*in = (struct input){ .fd = fd, .record_bytes = record_bytes, .max_bytes = max_bytes };
	in->buffer = room > max_bytes ? malloc(room) : NULL;
	if (!in->buffer)
		return -ENOMEM;
	in->room = room;
	return 0;
}

void input_free(struct input *in)
{
	free(in->buffer);
	in->buffer = NULL;
}

/* For a descriptor that somebody else has made non-blocking. */
static void wait_for(int fd, short events)
{
	struct pollfd p = { .fd = fd, .events = events };

	poll(&p, 1, -1);
}

/* Read something; 0 also at the end. */
static int fill(struct input *in)
{
	ssize_t n;

	if (in->start > 0) {
		memmove(in->buffer, in->buffer + in->start, in->end - in->start);
		in->end -= in->start;
		in->start = 0;
	}
	for (;;) {
		if (stop_requested())
			return -EINTR;
		n = read(in->fd, in->buffer + in->end, in->room - in->end);
		if (n >= 0)
			break;
		if (errno == EAGAIN)
			wait_for(in->fd, POLLIN);
		else if (errno != EINTR)
			return -errno;
	}
	in->at_end = n == 0;
	in->end += (size_t)n;
	return 0;
}

static int give(struct input *in, size_t bytes, size_t with_newline, const char **data,
		size_t *size)
{
	*data = in->buffer + in->start;
	*size = bytes;
	in->start += with_newline;
	in->number++;
	return 1;
}

static int next_record(struct input *in, const char **data, size_t *bytes)
{
	for (;;) {
		size_t there = in->end - in->start;
		int err;

		if (there >= in->record_bytes)
			return give(in, in->record_bytes, in->record_bytes, data, bytes);
		if (in->at_end)
			return there == 0 ? 0 : -EPROTO;
		err = fill(in);
		if (err < 0)
			return err;
	}
}

/* The last line need not end with a newline. */
static int next_line(struct input *in, const char **data, size_t *bytes)
{
	size_t looked = 0; /* at so much of what is there */

	for (;;) {
		const char *line = in->buffer + in->start;
		size_t there = in->end - in->start;
		const char *newline = memchr(line + looked, '\n', there - looked);
		size_t length = newline ? (size_t)(newline - line) : there;
		int err;

		if (length > in->max_bytes)
			return -EMSGSIZE;
		if (newline)
			return give(in, length, length + 1, data, bytes);
		if (in->at_end)
			return there == 0 ? 0 : give(in, length, length, data, bytes);
		looked = there;
		err = fill(in);
		if (err < 0)
			return err;
	}
}

int input_next(struct input *in, const char **data, size_t *bytes)
{
	return in->record_bytes ? next_record(in, data, bytes) : next_line(in, data, bytes);
}

int output(int fd, const void *data, size_t bytes, bool newline)
{
	struct iovec parts[2] = { { .iov_base = (void *)(uintptr_t)data, .iov_len = bytes },
				  { .iov_base = "\n", .iov_len = newline } };
	struct iovec *part = parts;

	while (part < parts + 2) {
		ssize_t n;

		if (part->iov_len == 0) {
			part++;
			continue;
		}
		if (stop_requested())
			return -EINTR;
		n = writev(fd, part, (int)(parts + 2 - part));
		if (n < 0 && errno == EAGAIN)
			wait_for(fd, POLLOUT);
		else if (n < 0 && errno != EINTR)
			return -errno;
		for (; n > 0; part += n > 0) {
			size_t done = (size_t)n < part->iov_len ? (size_t)n : part->iov_len;

			part->iov_base = (char *)part->iov_base + done;
			part->iov_len -= done;
			n -= (ssize_t)done;
		}
	}
	return 0;
}
