/* SPDX-License-Identifier: Apache-2.0 */
/*
 * transcript.c - lines that two runs have in common; see transcript.h.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "processes.h"
#include "transcript.h"

#define NAMES_MAX 256

static struct {
	char kind[4];
	int id;
	const char *name;
} names[NAMES_MAX];
static int names_count;
static time_t began;

void transcript_begin(const char *part)
{
	began = time(NULL);
	processes_begin();
	say("# %s", part);
}

/* One write: the processes share the file, and nothing stays in a buffer that a fork copies. */
void say(const char *format, ...)
{
	char line[1024];
	va_list args;
	int n = snprintf(line, sizeof(line), "%s: ", speaker);

	va_start(args, format);
	n += vsnprintf(line + n, sizeof(line) - (size_t)n, format, args);
	va_end(args);
	if ((size_t)n > sizeof(line) - 2)
		n = sizeof(line) - 2;
	line[n++] = '\n';
	if (!hold_line(line, (size_t)n) && write(STDOUT_FILENO, line, (size_t)n) != n)
		_exit(2);
}

const char *error_name(int error)
{
	const char *name = strerrorname_np(error);

	return name != NULL ? name : "?";
}

long told(const char *call, long value, int error)
{
	if (value == -1)
		say("%s = -1 %s", call, error_name(error));
	else
		say("%s = %ld", call, value);
	return value;
}

static int find_id(const char *kind, int id)
{
	for (int i = 0; i < names_count; i++)
		if (names[i].id == id && strncmp(names[i].kind, kind, 3) == 0)
			return i;
	return -1;
}

const char *id_name(const char *kind, int id)
{
	int i = find_id(kind, id);

	return i >= 0 ? names[i].name : "unknown";
}

int told_id(const char *call, const char *name, int id, int error)
{
	int known;

	if (id == -1) {
		say("%s = -1 %s", call, error_name(error));
		return id;
	}
	known = find_id(call, id);
	if (known >= 0) {
		say("%s = %s, known", call, names[known].name);
	} else {
		say("%s = %s, new", call, name);
		if (names_count < NAMES_MAX) {
			snprintf(names[names_count].kind, sizeof(names[0].kind), "%s", call);
			names[names_count].id = id;
			names[names_count++].name = name;
		}
	}
	return id;
}

bool told_address(const char *call, const void *address, int error)
{
	bool ok = address != (void *)-1; /* NOLINT: as shmat has it */

	if (!ok)
		say("%s = -1 %s", call, error_name(error));
	else
		say("%s = %s address", call, (size_t)address % SHMLBA == 0 ? "an" : "a crooked");
	return ok;
}

const char *time_name(time_t t)
{
	if (t == 0)
		return "0";
	return t >= began - 1 && t <= time(NULL) + 1 ? "now" : "wrong";
}

static void perm_text(char *text, size_t size, const struct ipc_perm *p)
{
	snprintf(text, size, "key %#x mode %#o owner %u:%u creator %u:%u", (unsigned int)p->__key,
		 (unsigned int)p->mode, p->uid, p->gid, p->cuid, p->cgid);
}

void shm_state(const char *name, int id)
{
	struct shmid_ds s;
	char perm[128];

	memset(&s, 0x55, sizeof(s));
	if (shmctl(id, IPC_STAT, &s) != 0) {
		say("  %s: no state, %s", name, error_name(errno));
		return;
	}
	perm_text(perm, sizeof(perm), &s.shm_perm);
	say("  %s: %s size %zu nattch %lu cpid %s lpid %s atime %s dtime %s ctime %s", name, perm,
	    s.shm_segsz, (unsigned long)s.shm_nattch, pid_name(s.shm_cpid), pid_name(s.shm_lpid),
	    time_name(s.shm_atime), time_name(s.shm_dtime), time_name(s.shm_ctime));
}

void sem_state(const char *name, int id)
{
	struct semid_ds s;
	char perm[128], line[512] = "";
	size_t n = 0;

	memset(&s, 0x55, sizeof(s));
	if (semctl(id, 0, IPC_STAT, (union semun){ .buf = &s }) != 0) {
		say("  %s: no state, %s", name, error_name(errno));
		return;
	}
	for (int i = 0; i < (int)s.sem_nsems && i < 8; i++)
		n += (size_t)snprintf(line + n, sizeof(line) - n, " [%d n%d z%d %s]",
				      semctl(id, i, GETVAL), semctl(id, i, GETNCNT),
				      semctl(id, i, GETZCNT), pid_name(semctl(id, i, GETPID)));
	perm_text(perm, sizeof(perm), &s.sem_perm);
	say("  %s: %s nsems %lu otime %s ctime %s%s", name, perm, (unsigned long)s.sem_nsems,
	    time_name(s.sem_otime), time_name(s.sem_ctime), line);
}

void msg_state(const char *name, int id)
{
	struct msqid_ds s;
	char perm[128];

	memset(&s, 0x55, sizeof(s));
	if (msgctl(id, IPC_STAT, &s) != 0) {
		say("  %s: no state, %s", name, error_name(errno));
		return;
	}
	perm_text(perm, sizeof(perm), &s.msg_perm);
	say("  %s: %s qnum %lu cbytes %lu qbytes %lu lspid %s lrpid %s stime %s rtime %s ctime %s",
	    name, perm, (unsigned long)s.msg_qnum, (unsigned long)s.__msg_cbytes,
	    (unsigned long)s.msg_qbytes, pid_name(s.msg_lspid), pid_name(s.msg_lrpid),
	    time_name(s.msg_stime), time_name(s.msg_rtime), time_name(s.msg_ctime));
}
