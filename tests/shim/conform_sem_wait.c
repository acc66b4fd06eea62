/* SPDX-License-Identifier: Apache-2.0 */
/*
 * conform_sem_wait.c - semaphores that let sleep, and SEM_UNDO: who wakes by what,
 * and what is undone at which end of a process.
 */
#include <pthread.h>
#include <stdlib.h>

#include "conform.h"
#include "processes.h"
#include "transcript.h"

#define VAL(v) ((union semun){ .val = (v) })

static int a, b;
static struct other one, two, three;

static int change(int n, int by, int flags)
{
	struct sembuf op = { .sem_num = (unsigned short)n,
			     .sem_op = (short)by,
			     .sem_flg = (short)flags };

	return semop(a, &op, 1);
}

static void take_one(void)
{
	CALL(change(0, -1, 0));
}

static void take_two(void)
{
	CALL(change(0, -2, 0));
}

static void wait_for_zero(void)
{
	CALL(change(1, 0, 0));
}

static void take_both(void)
{
	struct sembuf ops[] = { { 0, -1, 0 }, { 1, -1, 0 } };

	CALL(semop(a, ops, 2));
}

static void take_with_undo(void)
{
	CALL(change(0, -1, SEM_UNDO));
}

static void take_in_time(void)
{
	struct sembuf op = { 0, -1, 0 };
	struct timespec minute = { 60, 0 };

	CALL(semtimedop(a, &op, 1, &minute));
}

static void on_signal(int number)
{
	(void)number;
}

static void handle(void)
{
	sigaction(SIGUSR1, &(struct sigaction){ .sa_handler = on_signal }, NULL);
}

static void handle_and_restart(void)
{
	sigaction(SIGUSR1, &(struct sigaction){ .sa_handler = on_signal, .sa_flags = SA_RESTART },
		  NULL);
}

static void ignore(void)
{
	signal(SIGUSR1, SIG_IGN);
}

static void block(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigprocmask(SIG_BLOCK, &set, NULL);
}

static void sleeps_in(struct other *o, void (*what)(void))
{
	other_begin(o, what);
	other_sleeps(o);
}

static void waking(void)
{
	say("## waking one");
	sleeps_in(&one, take_one);
	SEM(a);
	CALL(change(0, 1, 0));
	other_end(&one);
	SEM(a);
	say("## not enough, then enough");
	sleeps_in(&one, take_two);
	CALL(change(0, 1, 0));
	other_sleeps(&one);
	SEM(a);
	CALL(change(0, 1, 0));
	other_end(&one);
	SEM(a);
	say("## SETVAL and SETALL wake");
	sleeps_in(&one, take_one);
	CALL(semctl(a, 0, SETVAL, VAL(1)));
	other_end(&one);
	SEM(a);
	CALL(semctl(a, 1, SETVAL, VAL(2)));
	sleeps_in(&one, wait_for_zero);
	sleeps_in(&two, take_one);
	SEM(a);
	CALL(semctl(a, 0, SETALL, (union semun){ .array = (unsigned short[]){ 0, 0, 0 } }));
	other_end(&one);
	CALL(semctl(a, 0, SETALL, (union semun){ .array = (unsigned short[]){ 1, 0, 0 } }));
	other_end(&two);
	SEM(a);
	say("## zero");
	CALL(change(1, 2, 0));
	sleeps_in(&one, wait_for_zero);
	CALL(change(1, -1, 0));
	other_sleeps(&one);
	SEM(a);
	CALL(change(1, -1, 0));
	other_end(&one);
	SEM(a);
}

static void all_or_nothing(void)
{
	say("## two at once");
	sleeps_in(&one, take_both);
	SEM(a);
	CALL(change(0, 1, 0));
	other_sleeps(&one);
	SEM(a);
	CALL(change(0, -1, IPC_NOWAIT));
	CALL(change(1, 1, 0));
	other_sleeps(&one);
	SEM(a);
	CALL(change(0, 1, 0));
	other_end(&one);
	SEM(a);
	say("## three sleep, for what comes one by one");
	sleeps_in(&one, take_one);
	sleeps_in(&two, take_in_time);
	sleeps_in(&three, take_one);
	SEM(a);
	CALL(semctl(a, 0, GETNCNT));
	CALL(change(0, 3, 0));
	other_end(&one);
	other_end(&two);
	other_end(&three);
	SEM(a);
}

static void interrupted(const char *how, void (*prepare)(void))
{
	say("## %s", how);
	other_do(&one, prepare);
	sleeps_in(&one, take_one);
	kill(one.pid, SIGUSR1);
	other_end(&one);
	SEM(a);
	sleeps_in(&one, take_in_time);
	kill(one.pid, SIGUSR1);
	other_end(&one);
	SEM(a);
}

static void not_interrupted(const char *how, void (*prepare)(void))
{
	say("## %s", how);
	other_do(&two, prepare);
	sleeps_in(&two, take_one);
	kill(two.pid, SIGUSR1);
	other_sleeps(&two);
	CALL(change(0, 1, 0));
	other_end(&two);
	SEM(a);
}

void conform_sem_wait(void)
{
	GET(a, semget(KEY_A, 3, IPC_CREAT | 0600));
	other_start(&one, "one");
	other_start(&two, "two");
	other_start(&three, "three");
	waking();
	all_or_nothing();
	interrupted("a handler interrupts", handle);
	interrupted("also with SA_RESTART", handle_and_restart);
	not_interrupted("an ignored signal does not", ignore);
	not_interrupted("nor does a blocked one", block);
	say("## a sleeper is killed");
	sleeps_in(&three, take_one);
	SEM(a);
	other_kill(&three);
	BECOMES(semctl(a, 0, GETNCNT), 0);
	SEM(a);
	say("## removed");
	sleeps_in(&one, take_one);
	sleeps_in(&two, take_both);
	CALL(semctl(a, 0, IPC_RMID));
	other_end(&one);
	other_end(&two);
	SEM(a);
	other_exit(&one);
	other_exit(&two);
}

/* ---- SEM_UNDO --------------------------------------------------------------------------- */

static void add_with_undo(void)
{
	CALL(change(0, 1, SEM_UNDO));
	SEM(a);
}

static void add_much_with_undo(void)
{
	CALL(change(0, 5, SEM_UNDO));
}

static void add_back_with_undo(void)
{
	CALL(change(0, 1, SEM_UNDO));
}

static void vector_with_undo(void)
{
	struct sembuf ops[] = { { 0, -1, SEM_UNDO }, { 1, 4, SEM_UNDO }, { 2, 7, 0 } };

	CALL(semop(a, ops, 3));
	SEM(a);
}

static void fork_below(void)
{
	SEM(a);
	CALL(change(1, 2, SEM_UNDO));
	SEM(a);
}

static void take_then_fork(void)
{
	take_with_undo();
	in_child("heir", fork_below);
	SEM(a);
}

static void take_then_exec(void)
{
	take_with_undo();
	become("sem", a);
}

void after_sem(int id)
{
	a = id;
	CALL(semctl(id, 0, GETVAL));
	CALL(change(0, -1, SEM_UNDO));
	CALL(semctl(id, 0, GETVAL));
}

static void *take_in_thread(void *unused)
{
	take_with_undo();
	return unused;
}

static void take_then_join(void)
{
	pthread_t thread;

	if (pthread_create(&thread, NULL, take_in_thread, NULL) != 0)
		return;
	pthread_join(thread, NULL);
	SEM(a);
}

static void beyond(void)
{
	CALL(change(0, 32000, SEM_UNDO));
	CALL(change(0, -32000, 0));
	CALL(change(0, 32000, SEM_UNDO));
	SEM(a);
}

static void take_from_b_with_undo(void)
{
	struct sembuf op = { 0, 3, SEM_UNDO };

	CALL(semop(b, &op, 1));
	CALL(semctl(b, 0, IPC_RMID));
}

static void ends(void)
{
	say("## a normal end, and kill -9");
	in_child("child", take_with_undo);
	SEM(a);
	in_child("child", add_with_undo);
	SEM(a);
	in_child("child", vector_with_undo);
	SEM(a);
	other_start(&one, "one");
	other_do(&one, take_with_undo);
	other_do(&one, take_with_undo);
	SEM(a);
	other_kill(&one);
	BECOMES(semctl(a, 0, GETVAL), 3);
	SEM(a);
	other_start(&one, "two");
	other_do(&one, take_with_undo);
	other_do(&one, add_back_with_undo);
	other_do(&one, add_back_with_undo);
	other_do(&one, take_one);
	SEM(a);
	other_exit(&one);
	SEM(a);
	CALL(semctl(a, 0, SETVAL, VAL(3)));
	say("## below zero, and above the most");
	other_start(&one, "three");
	other_do(&one, add_much_with_undo);
	CALL(change(0, -7, 0));
	SEM(a);
	other_exit(&one);
	SEM(a);
	in_child("child", beyond);
	SEM(a);
	CALL(semctl(a, 0, SETVAL, VAL(3)));
	other_start(&one, "four");
	other_do(&one, take_with_undo);
	CALL(change(0, 32765, 0));
	other_exit(&one);
	SEM(a);
	CALL(semctl(a, 0, SETVAL, VAL(3)));
}

static void sharing(void)
{
	say("## fork, exec, threads");
	in_child("parent", take_then_fork);
	SEM(a);
	in_child("replaced", take_then_exec);
	SEM(a);
	in_child("threads", take_then_join);
	SEM(a);
	say("## SETVAL and SETALL forget");
	other_start(&one, "five");
	other_do(&one, take_with_undo);
	CALL(semctl(a, 0, SETVAL, VAL(9)));
	other_exit(&one);
	SEM(a);
	other_start(&one, "six");
	other_do(&one, vector_with_undo);
	CALL(semctl(a, 0, SETALL, (union semun){ .array = (unsigned short[]){ 1, 1, 1 } }));
	other_do(&one, add_with_undo);
	other_exit(&one);
	SEM(a);
}

void conform_sem_undo(void)
{
	GET(a, semget(KEY_A, 3, IPC_CREAT | 0600));
	CALL(semctl(a, 0, SETVAL, VAL(3)));
	ends();
	sharing();
	say("## the end wakes a sleeper");
	CALL(semctl(a, 0, SETVAL, VAL(1)));
	other_start(&one, "seven");
	other_start(&two, "eight");
	other_do(&one, take_with_undo);
	sleeps_in(&two, take_one);
	other_kill(&one);
	other_end(&two);
	SEM(a);
	other_exit(&two);
	say("## of a set that is gone");
	GET(b, semget(KEY_B, 1, IPC_CREAT | 0600));
	in_child("child", take_from_b_with_undo);
	GET(b, semget(KEY_B, 1, IPC_CREAT | 0600));
	SEM(b);
	CALL(semctl(b, 0, IPC_RMID));
	CALL(semctl(a, 0, IPC_RMID));
}
