/* SPDX-License-Identifier: Apache-2.0 */
/*
 * differ_state.c - the state of an object as the scheduler sees it, with pids by the
 * names of the workers, who may be dead by now.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/shm.h>

#include "differ.h"

#define PIDS 4096

static struct {
	pid_t pid;
	char name[32];
} pids[PIDS];
static int pids_count;

void name_pid(pid_t pid, const char *name)
{
	if (pids_count < PIDS) {
		pids[pids_count].pid = pid;
		snprintf(pids[pids_count++].name, sizeof(pids[0].name), "%s", name);
	}
}

static const char *pid_text(pid_t pid)
{
	if (pid == 0)
		return "0";
	for (int i = pids_count - 1; i >= 0; i--)
		if (pids[i].pid == pid)
			return pids[i].name;
	return "stranger";
}

static void no_state(char *text, size_t size)
{
	snprintf(text, size, "%s", strerrorname_np(errno));
}

static void shm_text(int id, char *text, size_t size)
{
	struct shmid_ds s;

	if (shmctl(id, IPC_STAT, &s) != 0) {
		no_state(text, size);
		return;
	}
	snprintf(text, size, "mode %o size %zu nattch %lu cpid %s lpid %s", s.shm_perm.mode,
		 s.shm_segsz, (unsigned long)s.shm_nattch, pid_text(s.shm_cpid),
		 pid_text(s.shm_lpid));
}

static void sem_text(int id, char *text, size_t size)
{
	struct semid_ds s;
	union {
		struct semid_ds *buf;
	} arg = { .buf = &s };
	size_t n;

	if (semctl(id, 0, IPC_STAT, arg) != 0) {
		no_state(text, size);
		return;
	}
	n = (size_t)snprintf(text, size, "mode %o nsems %lu", s.sem_perm.mode,
			     (unsigned long)s.sem_nsems);
	for (int i = 0; i < (int)s.sem_nsems && n < size; i++)
		n += (size_t)snprintf(text + n, size - n, " [%d n%d z%d %s]", semctl(id, i, GETVAL),
				      semctl(id, i, GETNCNT), semctl(id, i, GETZCNT),
				      pid_text(semctl(id, i, GETPID)));
}

static void msg_text(int id, char *text, size_t size)
{
	struct msqid_ds s;

	if (msgctl(id, IPC_STAT, &s) != 0) {
		no_state(text, size);
		return;
	}
	snprintf(text, size, "mode %o qnum %lu cbytes %lu qbytes %lu lspid %s lrpid %s",
		 s.msg_perm.mode, (unsigned long)s.msg_qnum, (unsigned long)s.__msg_cbytes,
		 (unsigned long)s.msg_qbytes, pid_text(s.msg_lspid), pid_text(s.msg_lrpid));
}

void state_text(enum kind kind, int id, char *text, size_t size)
{
	if (kind == SHM)
		shm_text(id, text, size);
	else if (kind == SEM)
		sem_text(id, text, size);
	else
		msg_text(id, text, size);
}
