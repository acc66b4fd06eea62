/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sysv_damage.c - System V calls of the shim while somebody spoils the shared files.
 *
 *   sysv_damage [INPUTS [SEED]]   a test in TAP
 *
 * For each input, a process makes objects in a fresh directory, and then by turns
 * makes calls and damages what lies in the shared files. The calls may fail, and
 * return nonsense; they may not crash, and not hang. Locks are left alone:
 * whoever forges one makes others wait (docs/limits.md).
 */
#include <dirent.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/prctl.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/wait.h>
#include <unistd.h>

#include "layout_sysv.h"

#define PATIENCE_S 20
#define CALLS      200
#define OBJECTS    4

static char dir[64];
static uint64_t state;

/* Marsaglia's xorshift: the same inputs each time. */
static uint32_t dice(uint32_t sides)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return (uint32_t)(state >> 16) % sides;
}

static uint64_t spoilt(uint64_t word)
{
	static const uint64_t values[] = { 0,          1,          0x7fff,     0xffff,
					   0x7fffffff, 0xffffffff, UINT64_MAX, UINT64_C(1) << 63 };

	switch (dice(4)) {
	case 0:
		return values[dice(sizeof(values) / sizeof(values[0]))];
	case 1:
		return word ^ (UINT64_C(1) << dice(64));
	case 2:
		return word + dice(9) - 4;
	default:
		return (uint64_t)dice(UINT32_MAX) << 32 | dice(UINT32_MAX);
	}
}

/* Where the table has something: the beginning of each area, and control without its lock. */
static size_t table_offset(void)
{
	static const size_t at[] = { SYSV_TOKENS_AT,          SYSV_ATTACHES_AT,
				     SYSV_PATHS_AT,           SYSV_KEYS_AT,
				     SYSV_SLOTS_AT,           SYSV_SLOTS_AT + 0x400000,
				     SYSV_SLOTS_AT + 0x800000 };
	size_t which = dice(1 + sizeof(at) / sizeof(at[0]));

	if (which == 0)
		return SYSV_TABLE_CONTROL + 8 + dice(6) * 8;
	return at[which - 1] + dice(64) * 8;
}

/* The table, a set or a queue: any of them. */
static bool pick(char path[400], bool *table)
{
	struct dirent *e, *chosen = NULL;
	DIR *d;
	int n = 0;

	snprintf(path, 400, "%s/.sysv", dir);
	d = opendir(path);
	while (d && (e = readdir(d)) != NULL)
		if (e->d_name[0] != '.' && strncmp(e->d_name, "shm-", 4) != 0 && dice(++n) == 0) {
			snprintf(path, 400, "%s/.sysv/%s", dir, e->d_name);
			chosen = e;
			*table = strcmp(e->d_name, SYSV_TABLE_NAME) == 0;
		}
	if (d)
		closedir(d);
	return chosen;
}

static void damage(void)
{
	char path[400];
	uint64_t word = 0;
	off_t offset;
	bool table;
	int fd;

	if (!pick(path, &table))
		return;
	/* A queue has its messages farther behind. */
	offset = (off_t)(table ? table_offset() : 8 + dice(512) * 8 + dice(2) * MSG_BLOCKS_AT);
	fd = open(path, O_RDWR | O_CLOEXEC);
	if (fd < 0)
		return;
	if (pread(fd, &word, sizeof(word), offset) == sizeof(word)) {
		word = spoilt(word);
		if (pwrite(fd, &word, sizeof(word), offset) < 0)
			perror(path);
	}
	close(fd);
}

static void call_shm(unsigned int i, const void *buffer)
{
	static const int commands[] = { IPC_STAT, IPC_SET, IPC_RMID, IPC_INFO, SHM_INFO, SHM_STAT };
	static char *at[OBJECTS];
	static int ids[OBJECTS];

	switch (dice(5)) {
	case 0:
		ids[i] = shmget(dice(3) ? (key_t)(100 + i) : IPC_PRIVATE, 4096 * (1 + i),
				IPC_CREAT | 0600);
		break;
	case 1:
	case 2:
		if (!at[i])
			at[i] = shmat(ids[i], NULL, 0);
		if (at[i] == (char *)-1)
			at[i] = NULL;
		if (at[i])
			at[i][dice(4096)] = 1;
		break;
	case 3:
		if (at[i])
			shmdt(at[i]);
		at[i] = NULL;
		break;
	default:
		shmctl((int)dice(5), commands[dice(6)], (struct shmid_ds *)buffer);
	}
}

static void call_sem(unsigned int i, void *buffer)
{
	static const int commands[] = { IPC_STAT, IPC_RMID, GETALL,   GETVAL,
					SETVAL,   GETNCNT,  SEM_INFO, SEM_STAT };
	static int ids[OBJECTS];
	struct sembuf ops[2] = { { (unsigned short)dice(4), (short)(dice(5) - 2),
				   (short)(IPC_NOWAIT | (dice(2) ? SEM_UNDO : 0)) },
				 { (unsigned short)dice(4), 1, IPC_NOWAIT } };

	switch (dice(4)) {
	case 0:
		ids[i] = semget((key_t)(200 + i), 4, IPC_CREAT | 0600);
		break;
	case 1:
		semctl(dice(2) ? ids[i] : (int)dice(5), (int)dice(4), commands[dice(8)], buffer);
		break;
	default:
		semop(ids[i], ops, 1 + dice(2));
	}
}

static void call_msg(unsigned int i, void *buffer)
{
	static const int commands[] = { IPC_STAT, IPC_SET, IPC_RMID, MSG_INFO, MSG_STAT };
	static int ids[OBJECTS];
	struct {
		long type;
		char text[512];
	} m = { .type = 1 + (long)dice(3) };

	switch (dice(5)) {
	case 0:
		ids[i] = msgget((key_t)(300 + i), IPC_CREAT | 0600);
		break;
	case 1:
		msgctl(dice(2) ? ids[i] : (int)dice(5), commands[dice(5)], buffer);
		break;
	case 2:
		if (msgrcv(ids[i], &m, sizeof(m.text), (long)dice(7) - 3,
			   IPC_NOWAIT | (dice(2) ? MSG_NOERROR : 0)) > (ssize_t)sizeof(m.text))
			abort();
		break;
	default:
		msgsnd(ids[i], &m, dice(sizeof(m.text)), IPC_NOWAIT);
	}
}

static _Noreturn void play(uint64_t seed)
{
	/* What IPC_SET is given, and room for whatever is told. */
	_Alignas(16) char buffer[4096] = { 0 };

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	state = seed * UINT64_C(0x9e3779b97f4a7c15) + 1;
	alarm(PATIENCE_S);
	for (int i = 0; i < CALLS; i++) {
		unsigned int object = dice(OBJECTS);

		switch (dice(4)) {
		case 0:
			call_shm(object, buffer);
			break;
		case 1:
			call_sem(object, buffer);
			break;
		case 2:
			call_msg(object, buffer);
			break;
		default:
			ftok(object % 2 ? "/" : "/nowhere", (int)object);
		}
		if (i > CALLS / 10 && i % 4 == 0)
			damage();
	}
	exit(0);
}

static void empty(void)
{
	char path[400];
	struct dirent *e;
	DIR *d;

	snprintf(path, sizeof(path), "%s/.sysv", dir);
	d = opendir(path);
	while (d && (e = readdir(d)) != NULL)
		if (e->d_name[0] != '.')
			unlinkat(dirfd(d), e->d_name, 0);
	if (d)
		closedir(d);
	rmdir(path);
}

/* COSHM_DIR counts from a program's start. */
static void start_again(char **argv)
{
	const char *given = getenv("COSHM_DIR");

	if (given && strstr(given, "/sysv-damage-")) {
		snprintf(dir, sizeof(dir), "%s", given);
		return;
	}
	strcpy(dir, "/dev/shm/sysv-damage-XXXXXX");
	if (!mkdtemp(dir))
		exit(2);
	setenv("COSHM_DIR", dir, 1);
	execv("/proc/self/exe", argv);
	exit(2);
}

int main(int argc, char **argv)
{
	int inputs = argc > 1 ? atoi(argv[1]) : 300, bad = 0;
	uint64_t seed = argc > 2 ? strtoull(argv[2], NULL, 0) : 1;

	start_again(argv);
	/* A call that went to the kernel after all would leave nothing behind. Not all may do this.
	 */
	unshare(CLONE_NEWIPC);
	for (int i = 0; i < inputs; i++) {
		int status = 0;
		pid_t pid;

		empty();
		fflush(stdout);
		pid = fork();
		if (pid == 0)
			play(seed + (uint64_t)i);
		waitpid(pid, &status, 0);
		if (status != 0) {
			printf("# seed %llu: %s %d\n", (unsigned long long)seed + (unsigned)i,
			       WIFSIGNALED(status) ? "signal" : "status",
			       WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
			bad++;
		}
	}
	empty();
	rmdir(dir);
	printf("%sok 1 - calls over %d spoilt directories neither crash nor hang\n1..1\n",
	       bad ? "not " : "", inputs);
	return bad != 0;
}
