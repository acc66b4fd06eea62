/* SPDX-License-Identifier: Apache-2.0 */
/*
 * conform_shm_life.c - shared memory by several processes: who may, who is attached
 * over fork, exec, vfork, threads and kill -9, and how many there can be.
 */
#include <pthread.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "conform.h"
#include "processes.h"
#include "transcript.h"

#define MANY 5000 /* more than the kernel has by default */

static int a, b, open_to_all, found;
static char *p, *q;

static void by_nobody(void)
{
	struct shmid_ds s;

	become_nobody();
	GET(found, shmget(KEY_A, 0, 0));
	GET(found, shmget(KEY_A, 0, 0400));
	GET(found, shmget(KEY_A, 0, 0040));
	GET(found, shmget(KEY_A, 0, 0004));
	GET(found, shmget(KEY_A, 101, 0600));
	GET(found, shmget(KEY_A, 100, IPC_CREAT | IPC_EXCL | 0600));
	SHM(a);
	AT(q, shmat(a, NULL, 0));
	AT(q, shmat(a, NULL, SHM_RDONLY));
	GET(found, shmget(KEY_B, 0, 0400));
	GET(found, shmget(KEY_B, 0, 0600));
	SHM(b);
	AT(q, shmat(b, NULL, 0));
	AT(q, shmat(b, NULL, SHM_EXEC | SHM_RDONLY));
	AT(q, shmat(b, NULL, SHM_RDONLY));
	CALL(strcmp(q, "for all to read"));
	CALL(shmdt(q));
	AT(q, shmat(open_to_all, NULL, 0));
	strcpy(q, "by nobody");
	CALL(shmdt(q));
	CALL(shmctl(b, IPC_STAT, &s));
	CALL(shmctl(b, IPC_SET, &s));
	CALL(shmctl(b, IPC_RMID, NULL));
	CALL(shmctl(b, SHM_LOCK, NULL));
	CALL(shmctl(b, SHM_UNLOCK, NULL));
	CALL(shmctl(open_to_all, IPC_RMID, NULL));
	GET(found, shmget(KEY_C, 100, IPC_CREAT | 0600));
	SHM(found);
	AT(q, shmat(found, NULL, 0));
	CALL(shmdt(q));
	CALL(shmctl(found, IPC_STAT, &s));
	s.shm_perm.mode = 0400;
	CALL(shmctl(found, IPC_SET, &s));
	AT(q, shmat(found, NULL, 0));
	AT(q, shmat(found, NULL, SHM_RDONLY));
	CALL(shmdt(q));
	s.shm_perm.mode = 0;
	CALL(shmctl(found, IPC_SET, &s));
	SHM(found);
	CALL(shmctl(found, IPC_RMID, NULL));
}

static void by_new_owner(void)
{
	struct shmid_ds s;

	become_nobody();
	CALL(shmctl(a, IPC_STAT, &s));
	AT(q, shmat(a, NULL, 0));
	CALL(shmdt(q));
	s.shm_perm.mode = 0666;
	CALL(shmctl(a, IPC_SET, &s));
	CALL(shmctl(a, IPC_RMID, NULL));
}

static void by_group(void)
{
	if (setresgid(4002, 4002, 4002) != 0 || setresuid(4001, 4001, 4001) != 0)
		say("the user cannot be changed");
	SHM(b);
	AT(q, shmat(b, NULL, 0));
	AT(q, shmat(b, NULL, SHM_RDONLY));
	CALL(shmdt(q));
	CALL(shmctl(b, IPC_RMID, NULL));
}

void conform_shm_rights(void)
{
	struct shmid_ds s;

	GET(a, shmget(KEY_A, 100, IPC_CREAT | 0600));
	GET(b, shmget(KEY_B, 100, IPC_CREAT | 0644));
	GET(open_to_all, shmget(IPC_PRIVATE, 100, 0666));
	AT(p, shmat(b, NULL, 0));
	strcpy(p, "for all to read");
	CALL(shmdt(p));
	in_child("nobody", by_nobody);
	SHM(open_to_all);
	AT(p, shmat(open_to_all, NULL, SHM_RDONLY));
	CALL(strcmp(p, "by nobody"));
	CALL(shmdt(p));
	say("## of a group, which is refused before all others are asked");
	CALL(shmctl(b, IPC_STAT, &s));
	s.shm_perm.gid = 4002;
	s.shm_perm.mode = 0640;
	CALL(shmctl(b, IPC_SET, &s));
	in_child("member", by_group);
	s.shm_perm.mode = 0606;
	CALL(shmctl(b, IPC_SET, &s));
	in_child("member", by_group);
	say("## given away");
	CALL(shmctl(a, IPC_STAT, &s));
	s.shm_perm.uid = 65534;
	CALL(shmctl(a, IPC_SET, &s));
	SHM(a);
	in_child("owner", by_new_owner);
	SHM(a);
	CALL(shmctl(b, IPC_RMID, NULL));
	CALL(shmctl(open_to_all, IPC_RMID, NULL));
}

static void attach_more(void)
{
	SHM(a);
	CALL(strcmp(p, "hello"));
	AT(q, shmat(a, NULL, 0));
	strcpy(q, "from the child");
	SHM(a);
}

static void attach_twice(void)
{
	AT(q, shmat(a, NULL, 0));
	AT(q, shmat(a, NULL, SHM_RDONLY));
	SHM(a);
}

static void detach_inherited(void)
{
	CALL(shmdt(p));
	SHM(a);
}

static void remove_it(void)
{
	CALL(shmctl(a, IPC_RMID, NULL));
}

static void run_again(void)
{
	become("shm", a);
}

void after_shm(int id)
{
	char *address;

	SHM(id);
	AT(address, shmat(id, NULL, 0));
	SHM(id);
}

static void *attach_in_thread(void *unused)
{
	AT(q, shmat(a, NULL, 0));
	SHM(a);
	return unused;
}

static void with_thread(void)
{
	pthread_t thread;

	if (pthread_create(&thread, NULL, attach_in_thread, NULL) != 0)
		return;
	pthread_join(thread, NULL);
	SHM(a);
	CALL(strcmp(q, "from the child"));
	CALL(shmdt(q));
	SHM(a);
}

static void with_vfork(void)
{
	pid_t pid = vfork();

	if (pid == 0)
		_exit(7);
	waitpid(pid, NULL, 0);
	SHM(a);
	pid = vfork();
	if (pid == 0) {
		char *const arguments[] = { "conform", "--list", NULL };

		prctl(PR_SET_PDEATHSIG, SIGKILL);
		close(STDOUT_FILENO);
		execv("/proc/self/exe", arguments);
		_exit(127);
	}
	waitpid(pid, NULL, 0);
	SHM(a);
	CALL(strcmp(p, "from the child"));
}

/* A child of a child: it goes on when its parent has ended. */
static void grandchild(void)
{
	in_child("grandchild", attach_more);
	SHM(a);
}

void conform_shm_life(void)
{
	struct other one, two;

	GET(a, shmget(KEY_A, 100, IPC_CREAT | 0600));
	AT(p, shmat(a, NULL, 0));
	strcpy(p, "hello");
	say("## fork");
	other_start(&one, "one");
	SHM(a);
	other_do(&one, attach_more);
	CALL(strcmp(p, "from the child"));
	SHM(a);
	other_do(&one, detach_inherited);
	SHM(a);
	other_exit(&one);
	SHM(a);
	strcpy(p, "hello");
	in_child("parent", grandchild);
	SHM(a);
	say("## kill -9");
	other_start(&two, "two");
	other_do(&two, attach_twice);
	SHM(a);
	other_kill(&two);
	SHM(a);
	say("## exec, vfork, threads");
	in_child("replaced", run_again);
	SHM(a);
	in_child("vfork", with_vfork);
	SHM(a);
	in_child("threads", with_thread);
	SHM(a);
	say("## removed by another, while attached");
	other_start(&one, "three");
	other_start(&two, "four");
	other_do(&one, remove_it);
	SHM(a);
	other_do(&two, attach_twice);
	CALL(shmdt(p));
	SHM(a);
	other_exit(&one);
	SHM(a);
	CALL(shmget(KEY_A, 0, 0));
	other_kill(&two);
	SHM(a);
	AT(p, shmat(a, NULL, 0));
	say("## removed and left by a killed process alone");
	GET(b, shmget(KEY_A, 100, IPC_CREAT | 0600));
	a = b;
	other_start(&one, "five");
	other_do(&one, attach_twice);
	other_do(&one, remove_it);
	SHM(b);
	other_kill(&one);
	SHM(b);
}

void conform_shm_limit(void)
{
	static int ids[MANY];
	int n = 0;

	for (; n < MANY; n++) {
		ids[n] = shmget(IPC_PRIVATE, 1, 0600);
		if (ids[n] == -1)
			break;
	}
	say("%d segments, then %s", n, n < MANY ? error_name(errno) : "more");
	GET(found, shmget(KEY_A, 1, IPC_CREAT | 0600));
	while (n > 0)
		if (shmctl(ids[--n], IPC_RMID, NULL) != 0)
			say("one is not removed");
	GET(found, shmget(KEY_A, 1, IPC_CREAT | 0600));
	CALL(shmctl(found, IPC_RMID, NULL));
}
