/* SPDX-License-Identifier: Apache-2.0 */
/* pipe.c - named pipes, as large as they may be; polling is a read that does not block. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "contestant.h"

struct end {
	int out, in;
};

static const char *const names[2] = { "there", "back" };

static int open_pipe(const struct task *task, const char *name)
{
	char path[256];
	int fd;

	snprintf(path, sizeof(path), "%s/%s", task->dir, name);
	if (mkfifo(path, 0600) < 0 && errno != EEXIST)
		die("cannot make %s: %s", path, strerror(errno));
	/* Read and write: it does not wait for the other side. */
	fd = open(path, O_RDWR | O_CLOEXEC | (task->block ? 0 : O_NONBLOCK));
	if (fd < 0)
		die("cannot open %s: %s", path, strerror(errno));
	fcntl(fd, F_SETPIPE_SZ, 1 << 20); /* the default's limit; less if that was lowered */
	return fd;
}

static void *open_end(const struct task *task)
{
	struct end *end = (struct end *)malloc(sizeof(*end));

	if (!end)
		die("no memory");
	end->out = open_pipe(task, names[task->side]);
	end->in = task->kind == PAIR ? open_pipe(task, names[!task->side]) :
				       open_pipe(task, names[0]);
	return end;
}

static void close_end(void *handle)
{
	struct end *end = (struct end *)handle;

	close(end->out);
	close(end->in);
	free(end);
}

static void send(void *handle, const void *data, size_t bytes)
{
	const char *next = (const char *)data;
	ssize_t done;

	while (bytes > 0) {
		done = write(((struct end *)handle)->out, next, bytes);
		if (done < 0 && errno != EAGAIN)
			die("write: %s", strerror(errno));
		if (done > 0)
			next += done, bytes -= (size_t)done;
	}
}

static void receive(void *handle, void *data, size_t bytes)
{
	char *next = (char *)data;
	ssize_t done;

	while (bytes > 0) {
		done = read(((struct end *)handle)->in, next, bytes);
		if (done < 0 && errno != EAGAIN)
			die("read: %s", strerror(errno));
		if (done > 0)
			next += done, bytes -= (size_t)done;
	}
}

/* A pipe takes a batch as one piece. */
static void send_batch(void *handle, const void *data, size_t bytes, unsigned int count)
{
	send(handle, data, bytes * count);
}

static unsigned int receive_batch(void *handle, void *data, size_t bytes, unsigned int max)
{
	ssize_t done;
	size_t got;

	do
		done = read(((struct end *)handle)->in, data, bytes * max);
	while (done < 0 && errno == EAGAIN);
	if (done <= 0)
		die("read: %s", strerror(errno));
	got = (size_t)done;
	if (got % bytes != 0) { /* the rest of the last message */
		receive(handle, (char *)data + got, bytes - got % bytes);
		got += bytes - got % bytes;
	}
	return (unsigned int)(got / bytes);
}

const struct contestant contestant = {
	.name = "pipe",
	.kinds = 1u << PAIR | 1u << STREAM,
	.spins = true,
	.blocks = true,
	.open = open_end,
	.close = close_end,
	.send = send,
	.receive = receive,
	.send_batch = send_batch,
	.receive_batch = receive_batch,
};
