/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ipc_calls.c - see ipc_calls.h.
 */
#include "ipc_calls.h"

static const struct {
	enum ipc_call_kind kind;
	const char *symbol;
	const char *name; /* of the call, where the symbol is another: times of 64 bits on 32 */
} symbols[] = {
	{ IPC_CALL_KEY, "ftok", NULL },
	{ IPC_CALL_SHM, "shmget", NULL },
	{ IPC_CALL_SHM, "shmat", NULL },
	{ IPC_CALL_SHM, "shmdt", NULL },
	{ IPC_CALL_SHM, "shmctl", NULL },
	{ IPC_CALL_SHM, "__shmctl64", "shmctl" },
	{ IPC_CALL_SEM, "semget", NULL },
	{ IPC_CALL_SEM, "semop", NULL },
	{ IPC_CALL_SEM, "semtimedop", NULL },
	{ IPC_CALL_SEM, "__semtimedop64", "semtimedop" },
	{ IPC_CALL_SEM, "semctl", NULL },
	{ IPC_CALL_SEM, "__semctl64", "semctl" },
	{ IPC_CALL_MSG, "msgget", NULL },
	{ IPC_CALL_MSG, "msgsnd", NULL },
	{ IPC_CALL_MSG, "msgrcv", NULL },
	{ IPC_CALL_MSG, "msgctl", NULL },
	{ IPC_CALL_MSG, "__msgctl64", "msgctl" },
	{ IPC_CALL_POSIX_SHM, "shm_open", NULL },
	{ IPC_CALL_POSIX_SHM, "shm_unlink", NULL },
	{ IPC_CALL_POSIX_SEM, "sem_open", NULL },
	{ IPC_CALL_POSIX_SEM, "sem_close", NULL },
	{ IPC_CALL_POSIX_SEM, "sem_unlink", NULL },
	{ IPC_CALL_POSIX_MQ, "mq_open", NULL },
	{ IPC_CALL_POSIX_MQ, "mq_unlink", NULL },
	{ IPC_CALL_ANY, "syscall", NULL },
	{ IPC_CALL_ANY, "dlopen", NULL },
	{ IPC_CALL_ANY, "dlmopen", NULL },
	{ IPC_CALL_ANY, "dlsym", NULL },
};

struct ipc_call *ipc_calls_find(struct memory *m, const struct elf_needs *needs,
				unsigned int *count)
{
	struct ipc_call *calls = memory_get(m, sizeof(*calls)), *call;

	*count = 0;
	for (unsigned int i = 0; calls && i < needs->count; i++) {
		const struct elf_object *o = &needs->object[i];

		for (size_t n = 0; n < sizeof(symbols) / sizeof(symbols[0]); n++) {
			if (!elf_takes(&o->elf, symbols[n].symbol))
				continue;
			call = memory_add(m, calls, *count);
			if (call)
				*call = (struct ipc_call){
					.kind = symbols[n].kind,
					.name = symbols[n].name ? symbols[n].name :
								  symbols[n].symbol,
					.path = o->path,
				};
		}
	}
	if (!memory_failed(m))
		return calls;
	*count = 0;
	return NULL;
}

const char *ipc_call_kind_text(enum ipc_call_kind kind)
{
	static const char *const text[] = {
		[IPC_CALL_KEY] = "key",
		[IPC_CALL_SHM] = "shm",
		[IPC_CALL_SEM] = "sem",
		[IPC_CALL_MSG] = "msg",
		[IPC_CALL_POSIX_SHM] = "posix-shm",
		[IPC_CALL_POSIX_SEM] = "posix-sem",
		[IPC_CALL_POSIX_MQ] = "posix-mq",
		[IPC_CALL_ANY] = "any",
	};

	return text[kind];
}
