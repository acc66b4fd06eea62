/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ipcns.h - what the child that enters namespaces sends to its parent.
 *
 *   ipcns_enter.c  the child: enters, reads, sends
 *   ipcns.c        the parent: receives, and puts it into the snapshot
 *
 * A frame's bytes follow it.  A text comes in as many frames as it takes, and ends
 * with one that is empty.
 */
#ifndef COSHM_INSPECT_IPCNS_H
#define COSHM_INSPECT_IPCNS_H

#include "gather.h"

enum frame_kind {
	FRAME_FAILED,  /* number: errno, it could not be entered */
	FRAME_THROUGH, /* number: pid of another one than was thought */
	FRAME_LIMITS,
	FRAME_SHM,
	FRAME_SEM,
	FRAME_MSG,
	FRAME_QUEUE,     /* struct queue_facts */
	FRAME_NO_QUEUES, /* number: errno, they could not be listed */
	FRAME_HOST,      /* of: a container; its host's name */
};

struct frame {
	uint32_t kind;
	uint32_t of; /* index of the namespace */
	int32_t number;
	uint32_t bytes;
};

#define FRAME_BYTES_MAX 65536u

/* A POSIX message queue. */
struct queue_facts {
	struct stat stat;
	uint64_t messages;
	char text[96]; /* what its file says */
	char name[256];
};

/* Whom to ask for what; all of it is made before the fork. */
struct enter_plan {
	int proc;
	const struct ipcns *ipcns;
	const struct witnesses *witnesses;
	unsigned int ipcns_count;
	const struct container *containers;
	unsigned int container_count;
};

/* In the child; it does not return. */
_Noreturn void ipcns_enter(const struct enter_plan *plan, int to);

#endif /* COSHM_INSPECT_IPCNS_H */
