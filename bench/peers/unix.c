/* SPDX-License-Identifier: Apache-2.0 */
/* unix.c - a stream socket in the file system; polling is a recv that does not block. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include "contestant.h"

struct end {
	int fd, flags;
};

static void *open_end(const struct task *task)
{
	struct end *end = (struct end *)malloc(sizeof(*end));
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0), size = 1 << 22;
	int length = snprintf(address.sun_path, sizeof(address.sun_path), "%s/socket", task->dir);

	if (!end || fd < 0 || length >= (int)sizeof(address.sun_path))
		die("no socket");
	if (task->side == 0) {
		if (bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0 || listen(fd, 1) < 0)
			die("cannot listen at %s: %s", address.sun_path, strerror(errno));
		meet(task);
		end->fd = accept(fd, NULL, NULL);
		close(fd);
	} else {
		meet(task);
		if (connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0)
			die("cannot connect to %s: %s", address.sun_path, strerror(errno));
		end->fd = fd;
	}
	/* As much as the limits allow: without room 1 MiB goes in many small pieces. */
	setsockopt(end->fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
	setsockopt(end->fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
	end->flags = MSG_NOSIGNAL | (task->block ? 0 : MSG_DONTWAIT);
	return end;
}

static void close_end(void *handle)
{
	struct end *end = (struct end *)handle;

	close(end->fd);
	free(end);
}

static void send_all(void *handle, const void *data, size_t bytes)
{
	struct end *end = (struct end *)handle;
	const char *next = (const char *)data;
	ssize_t done;

	while (bytes > 0) {
		done = send(end->fd, next, bytes, end->flags);
		if (done < 0 && errno != EAGAIN)
			die("send: %s", strerror(errno));
		if (done > 0)
			next += done, bytes -= (size_t)done;
	}
}

static void receive(void *handle, void *data, size_t bytes)
{
	struct end *end = (struct end *)handle;
	char *next = (char *)data;
	ssize_t done;

	while (bytes > 0) {
		done = recv(end->fd, next, bytes, end->flags);
		if (done == 0 || (done < 0 && errno != EAGAIN))
			die("recv: %s", done == 0 ? "the other side is gone" : strerror(errno));
		if (done > 0)
			next += done, bytes -= (size_t)done;
	}
}

const struct contestant contestant = {
	.name = "unix socket",
	.kinds = 1u << PAIR | 1u << STREAM,
	.spins = true,
	.blocks = true,
	.open = open_end,
	.close = close_end,
	.send = send_all,
	.receive = receive,
};
