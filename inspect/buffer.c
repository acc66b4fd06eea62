/* SPDX-License-Identifier: Apache-2.0 */
/*
 * buffer.c - files read whole, and what could not be.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "gather.h"

#define ROOM_FIRST 32768u
/* A million mappings with long names. */
#define ROOM_MOST ((size_t)256 << 20)

static int grow(struct buffer *b)
{
	size_t room = b->room == 0 ? ROOM_FIRST : b->room * 2;
	char *data;

	if (room > ROOM_MOST)
		return -EFBIG;
	data = realloc(b->data, room);
	if (!data)
		return -ENOMEM;
	b->data = data;
	b->room = room;
	return 0;
}

static int read_all(struct buffer *b, int fd)
{
	ssize_t got;
	int err;

	for (;;) {
		if (b->length == b->room) {
			err = grow(b);
			if (err < 0)
				return err;
		}
		got = read(fd, b->data + b->length, b->room - b->length);
		if (got == 0)
			return 0;
		if (got > 0)
			b->length += (size_t)got;
		else if (errno != EINTR)
			return -errno;
	}
}

int buffer_read(struct buffer *b, int dir, const char *path)
{
	int fd = openat(dir, path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK), err;

	b->length = 0;
	if (fd < 0)
		return -errno;
	err = read_all(b, fd);
	close(fd);
	return err;
}

struct span buffer_span(const struct buffer *b)
{
	return b->data ? span_of(b->data, b->length) : span_of("", 0);
}

void scan_lacks(struct scan *scan, enum lack lack, int error)
{
	if (is_gone(error))
		return;
	if (scan->lacks[lack].count++ == 0)
		scan->lacks[lack].error = error;
}

void scan_note(struct scan *scan, const char *format, ...)
{
	const char **note = memory_add(scan->m, scan->s->notes, scan->s->note_count);
	char text[512];
	va_list list;

	va_start(list, format);
	vsnprintf(text, sizeof(text), format, list);
	va_end(list);
	if (note)
		*note = memory_copy(scan->m, text, strlen(text));
}
