/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sysv_sem.c - semaphores that are made, operated, set and removed, and he who does it cut
 * off anywhere: all of an operation is done or nothing, what was to be undone is, whoever
 * slept is served once, and the others go on.
 */
#include <signal.h>
#include <sys/sem.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "sysv.h"

#define SEMS 3

static int set_id(void)
{
	return atomic_load(&sysv->id);
}

static int value(int number)
{
	return sysv_ok(semctl(set_id(), number, GETVAL));
}

static int op(short number, short by, short flags)
{
	struct sembuf sop = { .sem_num = (unsigned short)number, .sem_op = by, .sem_flg = flags };

	return semop(set_id(), &sop, 1);
}

static void must_be(int first, int second, int third)
{
	int v[SEMS] = { value(0), value(1), value(2) };

	sysv_must(v[0] == first && v[1] == second && v[2] == third, "%d %d %d and not %d %d %d",
		  v[0], v[1], v[2], first, second, third);
}

/* It works, quickly and slowly, nobody waits for it, and it is gone then. */
static void use_and_remove(void)
{
	struct sembuf up[2] = { { 0, 1, 0 }, { 2, 1, SEM_UNDO } },
		      down[2] = { { 0, -1, 0 }, { 2, -1, SEM_UNDO } };

	for (short i = 0; i < SEMS; i++) {
		sysv_ok(semctl(set_id(), i, SETVAL, 7));
		sysv_ok(op(i, 2, 0));
		sysv_ok(op(i, -2, SEM_UNDO));
		sysv_ok(op(i, 2, SEM_UNDO));
		sysv_ok(op(i, -2, IPC_NOWAIT));
		sysv_must(semctl(set_id(), i, GETNCNT) == 0, "somebody waits");
		sysv_must(semctl(set_id(), i, GETZCNT) == 0, "somebody waits for zero");
	}
	sysv_ok(semop(set_id(), up, 2));
	sysv_ok(semop(set_id(), down, 2));
	must_be(7, 7, 7);
	sysv_ok(semctl(set_id(), 0, IPC_RMID));
	sysv_must(semget(SYSV_KEY, 0, 0) < 0 && errno == ENOENT, "removed, and still there");
}

static void nothing(void)
{
	sysv_ok(semctl(sysv_ok(semget(IPC_PRIVATE, 1, 0600)), 0, IPC_RMID));
}

static void one(void)
{
	unsigned short first[SEMS] = { 5, 6, 7 };

	atomic_store(&sysv->id, sysv_ok(semget(SYSV_KEY, SEMS, IPC_CREAT | 0600)));
	sysv_ok(semctl(set_id(), 0, SETALL, first));
}

/* What is not to be stepped: the file is mapped, and there is a record to undo. */
static void ready(void)
{
	sysv_ok(op(2, 1, 0));
	sysv_ok(op(2, -1, 0));
}

static void ready_undo(void)
{
	sysv_ok(op(1, 1, SEM_UNDO));
	sysv_ok(op(1, -1, SEM_UNDO));
}

static void acked(int result)
{
	atomic_store(&sysv->number, result < 0 ? errno : 0);
	atomic_store(&sysv->acked, 1);
}

static bool was_acked(void)
{
	if (!atomic_load(&sysv->acked))
		return false;
	sysv_must(atomic_load(&sysv->number) == 0, "it failed: %s",
		  strerror(atomic_load(&sysv->number)));
	return true;
}

/* Make. */

static void act_make(void)
{
	int id = semget(SYSV_KEY, SEMS, IPC_CREAT | IPC_EXCL | 0600);

	atomic_store(&sysv->id, id);
	acked(id);
}

static void check_make(void)
{
	int id = semget(SYSV_KEY, SEMS, IPC_CREAT | 0600);

	sysv_ok(id);
	sysv_must(!was_acked() || id == set_id(), "it was made, and is another one");
	atomic_store(&sysv->id, id);
	use_and_remove();
}

/* One operation, and two at once. */

static void act_one(void)
{
	acked(op(0, -2, 0));
}

static void check_one(void)
{
	must_be(was_acked() || value(0) == 3 ? 3 : 5, 6, 7);
	use_and_remove();
}

static void act_two(void)
{
	struct sembuf sops[2] = { { 0, -2, 0 }, { 1, 3, 0 } };

	acked(semop(set_id(), sops, 2));
}

static void check_two(void)
{
	bool done = was_acked() || value(0) == 3;

	must_be(done ? 3 : 5, done ? 9 : 6, 7);
	use_and_remove();
}

/* The same, to be undone. */

static void act_one_undone(void)
{
	acked(op(0, -2, SEM_UNDO));
}

/* Over what the other one has not forgotten, and back. */
static void act_pair_undone(void)
{
	op(1, 2, SEM_UNDO);
	op(0, -1, SEM_UNDO);
	op(1, -2, SEM_UNDO);
	op(0, 3, SEM_UNDO);
	acked(0);
}

static void act_two_undone(void)
{
	struct sembuf sops[2] = { { 0, -2, SEM_UNDO }, { 1, 3, SEM_UNDO } };

	acked(semop(set_id(), sops, 2));
}

static void check_undone(void)
{
	was_acked();
	must_be(5, 6, 7);
	use_and_remove();
}

/* An operation that writes over a word whose lane may not be settled yet. */
static void check_overwritten(void)
{
	sysv_ok(op(0, 1, 0));
	sysv_ok(op(1, 1, SEM_UNDO));
	sysv_ok(semctl(set_id(), 2, SETVAL, 9));
	must_be(6, 7, 9);
	use_and_remove();
}

/* What SETVAL sets is not to be undone any more. */
static void check_set_over(void)
{
	sysv_ok(semctl(set_id(), 0, SETVAL, 4));
	must_be(4, 6, 7);
	use_and_remove();
}

/* SETALL, over something to be undone of its own. */

static void ready_set(void)
{
	sysv_ok(op(1, 4, SEM_UNDO));
}

static void act_set(void)
{
	unsigned short next[SEMS] = { 1, 2, 3 };

	acked(semctl(set_id(), 0, SETALL, next));
}

static void check_set(void)
{
	if (was_acked() || value(0) == 1)
		must_be(1, 2, 3);
	else
		must_be(5, 6, 7);
	use_and_remove();
}

/* Somebody sleeps; the victim gives him what he waits for, or is killed. */

static pid_t sleeper;

static void await_sleeper(int number)
{
	while (semctl(set_id(), number, GETNCNT) == 0)
		usleep(1000);
}

static void one_sleeps(void)
{
	struct sembuf sops[2] = { { 0, -7, 0 }, { 1, 1, 0 } };

	one();
	sleeper = fork();
	if (sleeper == 0) {
		alarm(10);
		_exit(semop(set_id(), sops, 2) == 0 ? 0 : errno);
	}
	await_sleeper(0);
}

static int sleeper_ends(void)
{
	int status = 0;

	waitpid(sleeper, &status, 0);
	sysv_must(WIFEXITED(status), "the sleeper was not woken");
	return WEXITSTATUS(status);
}

static void act_give(void)
{
	acked(op(0, 2, 0));
}

static void check_given(void)
{
	bool done = was_acked() || value(0) == 0;

	if (!done) {
		must_be(5, 6, 7);
		sysv_ok(op(0, 2, 0));
	}
	sysv_must(sleeper_ends() == 0, "the sleeper failed");
	must_be(0, 7, 7);
	use_and_remove();
}

static void act_remove(void)
{
	acked(semctl(set_id(), 0, IPC_RMID));
}

static void check_removed(void)
{
	int id = semget(SYSV_KEY, 0, 0);

	sysv_must(!was_acked() || id < 0, "it was removed, and is there");
	/* Half removed, it is the next one with the table's lock who removes the rest. */
	if (id >= 0 && semctl(id, 0, IPC_RMID) < 0)
		sysv_must(errno == EINVAL, "it cannot be removed: %s", strerror(errno));
	sysv_must(sleeper_ends() == EIDRM, "the sleeper did not learn of it");
}

/* The victim itself has to wait: it is in the queue, and out of it when it is dead. */

static void act_wait(void)
{
	struct timespec soon = { .tv_nsec = 1 };
	struct sembuf sops[2] = { { 0, -7, SEM_UNDO }, { 1, 1, SEM_UNDO } };

	semtimedop(set_id(), sops, 2, &soon);
}

/* Who sleeps is killed in its sleep by a point behind the futex call; others are served. */
static void act_wait_longer(void)
{
	struct timespec later = { .tv_nsec = 3000000 };
	struct sembuf sops[2] = { { 0, -7, SEM_UNDO }, { 1, 1, SEM_UNDO } };

	semtimedop(set_id(), sops, 2, &later);
}

static void check_waited(void)
{
	sysv_must(semctl(set_id(), 0, GETNCNT) == 0, "a dead one waits");
	sysv_ok(op(0, 2, 0));
	must_be(7, 6, 7);
	use_and_remove();
}

/* IPC_SET: the old owner and mode, or the new ones. */

static void act_change(void)
{
	struct semid_ds ds = { .sem_perm = { .uid = 12, .gid = 34, .mode = 0640 } };

	acked(semctl(set_id(), 0, IPC_SET, &ds));
}

static void check_changed(void)
{
	struct semid_ds ds;
	bool new;

	sysv_ok(semctl(set_id(), 0, IPC_STAT, &ds));
	new = ds.sem_perm.uid == 12 && ds.sem_perm.gid == 34 && ds.sem_perm.mode == 0640;
	sysv_must(new || (ds.sem_perm.uid == geteuid() && ds.sem_perm.mode == 0600),
		  "half changed: %u, %o", ds.sem_perm.uid, ds.sem_perm.mode);
	sysv_must(new || !was_acked(), "it was changed, and is not");
	use_and_remove();
}

const struct sysv_scene sem_scenes[] = {
	{ "semget makes", nothing, NULL, act_make, check_make },
	{ "semop", one, ready, act_one, check_one },
	{ "semop, the first one", one, NULL, act_one, check_one },
	{ "semop of two", one, ready, act_two, check_two },
	{ "semop with undo", one, ready_undo, act_one_undone, check_undone },
	{ "semop with undo, the first one", one, NULL, act_one_undone, check_undone },
	{ "semop with undo, four times", one, ready_undo, act_pair_undone, check_undone },
	{ "semop with undo, written over", one, ready_undo, act_pair_undone, check_overwritten },
	{ "semop with undo, then SETVAL", one, ready_undo, act_one_undone, check_set_over },
	{ "semop of two with undo", one, ready_undo, act_two_undone, check_undone },
	{ "semop for a sleeper", one_sleeps, ready, act_give, check_given },
	{ "semop that waits", one, ready_undo, act_wait, check_waited },
	{ "semop that waits longer", one, ready_undo, act_wait_longer, check_waited },
	{ "SETALL of semctl", one, ready_set, act_set, check_set },
	{ "IPC_RMID of semctl", one_sleeps, ready, act_remove, check_removed },
	{ "IPC_SET of semctl", one, ready, act_change, check_changed },
	{ 0 },
};
