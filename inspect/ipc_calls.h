/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ipc_calls.h - which calls of System V and POSIX IPC a program and its libraries
 * make, as far as their symbols tell.
 */
#ifndef COSHM_INSPECT_IPC_CALLS_H
#define COSHM_INSPECT_IPC_CALLS_H

#include "elf_needs.h"

enum ipc_call_kind {
	IPC_CALL_KEY, /* ftok */
	IPC_CALL_SHM,
	IPC_CALL_SEM,
	IPC_CALL_MSG,
	IPC_CALL_POSIX_SHM,
	IPC_CALL_POSIX_SEM,
	IPC_CALL_POSIX_MQ, /* not served by coshm run */
	IPC_CALL_ANY,      /* may make any of them, unseen: syscall, dlopen, dlsym */
};

struct ipc_call {
	enum ipc_call_kind kind;
	const char *name;
	const char *path; /* of the file that makes it */
};

/* In the order of files, kinds as above.  NULL: no memory; @count is 0 then, too. */
struct ipc_call *ipc_calls_find(struct memory *m, const struct elf_needs *needs,
				unsigned int *count);

/* "key", "shm", "sem", "msg", "posix-shm", "posix-sem", "posix-mq", "any" */
const char *ipc_call_kind_text(enum ipc_call_kind kind);

#endif /* COSHM_INSPECT_IPC_CALLS_H */
