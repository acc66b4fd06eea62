/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sysv_storm_sem.c - semaphores in a storm: whoever dies has what he took undone.
 */
#include <sys/sem.h>

#include "sysv_storm.h"

#define KEY  0x73656d
#define SEMS 2

static const short start_values[SEMS] = { 3, 2 };

static int find(void)
{
	int id = semget(KEY, SEMS, 0);

	storm_must(id >= 0, "semget: %s", strerror(errno));
	return id;
}

/* @change of one of them, or of both at once. */
static bool change(int id, unsigned int which, short change, int flags)
{
	struct sembuf ops[SEMS];
	size_t count = 0;

	for (unsigned short i = 0; i < SEMS; i++)
		if (which == SEMS || which == i)
			ops[count++] = (struct sembuf){ i, change, (short)(SEM_UNDO | flags) };
	if (semop(id, ops, count) == 0)
		return true;
	storm_must(errno == EAGAIN && (flags & IPC_NOWAIT), "semop: %s", strerror(errno));
	return false;
}

void sysv_storm_sem_step(void)
{
	unsigned int which = (unsigned int)rand() % (SEMS + 1);
	int id = find();

	if (change(id, which, -1, rand() % 2 ? IPC_NOWAIT : 0))
		change(id, which, 1, 0);
}

void sysv_storm_sem_make(void)
{
	int id = semget(KEY, SEMS, IPC_CREAT | IPC_EXCL | 0600);

	storm_must(id >= 0, "semget: %s", strerror(errno));
	for (int i = 0; i < SEMS; i++)
		storm_must(semctl(id, i, SETVAL, (int)start_values[i]) == 0, "SETVAL: %s",
			   strerror(errno));
}

void sysv_storm_sem_audit(void)
{
	int id = find();

	for (int i = 0; i < SEMS; i++) {
		int value = semctl(id, i, GETVAL);

		storm_must(value >= 0 && value <= start_values[i], "semaphore %d has value %d", i,
			   value);
	}
	sysv_storm_sem_step();
}

void sysv_storm_sem_remove(void)
{
	int id = find();

	for (int i = 0; i < SEMS; i++)
		storm_must(semctl(id, i, GETVAL) == start_values[i],
			   "all are dead, and semaphore %d has value %d", i, semctl(id, i, GETVAL));
	storm_must(semctl(id, 0, IPC_RMID) == 0, "IPC_RMID: %s", strerror(errno));
}
