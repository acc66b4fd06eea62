/* SPDX-License-Identifier: Apache-2.0 */
/*
 * broken.c - a preload that hands all calls to the kernel and, where BROKEN says so,
 * errs a little: "planted" proves with it that the comparison finds such errors.
 */
#include <dlfcn.h>
#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/shm.h>

static bool broken(const char *what)
{
	const char *chosen = getenv("BROKEN");

	return chosen != NULL && strcmp(chosen, what) == 0;
}

static void *real(const char *name)
{
	return dlsym(RTLD_NEXT, name);
}

int shmget(key_t key, size_t size, int flags)
{
	int (*next)(key_t, size_t, int) = real("shmget");
	int id = next(key, size, flags);

	if (id == -1 && errno == EEXIST && broken("shm-errno"))
		errno = EACCES;
	return id;
}

int shmctl(int id, int command, struct shmid_ds *s)
{
	int (*next)(int, int, struct shmid_ds *) = real("shmctl");
	int result = next(id, command, s);

	if (result == 0 && command == IPC_STAT && s->shm_nattch > 2 && broken("shm-nattch"))
		s->shm_nattch--;
	return result;
}

int semop(int id, struct sembuf *ops, size_t n)
{
	int (*next)(int, struct sembuf *, size_t) = real("semop");

	if (n == 1 && ops != NULL && broken("sem-undo"))
		ops->sem_flg &= (short)~SEM_UNDO;
	return next(id, ops, n);
}

ssize_t msgrcv(int id, void *m, size_t size, long type, int flags)
{
	ssize_t (*next)(int, void *, size_t, long, int) = real("msgrcv");

	if (type < -1 && broken("msg-type"))
		type = 0;
	return next(id, m, size, type, flags);
}
