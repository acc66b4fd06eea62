/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ipc.c - what System V calls cost: natively, or preloaded; bench/shim runs it both ways.
 *
 *   bench-ipc SECONDS    prints lines "row nanoseconds", the median of several rounds
 */
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/msg.h>
#include <sys/prctl.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define ROUNDS 5

static double seconds;
static int shm, sem, msg;

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void need(bool good, const char *what)
{
	if (!good) {
		perror(what);
		exit(1);
	}
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static void measure(const char *row, void (*call)(void))
{
	double results[ROUNDS];

	for (int i = 0; i < ROUNDS; i++) {
		double start = now(), end = start + seconds / ROUNDS, t;
		long calls = 0;

		do {
			for (int k = 0; k < 16; k++)
				call();
			calls += 16;
			t = now();
		} while (t < end);
		results[i] = (t - start) * 1e9 / (double)calls;
	}
	qsort(results, ROUNDS, sizeof(results[0]), compare);
	printf("%s %.1f\n", row, results[ROUNDS / 2]);
	fflush(stdout);
}

static void one_shmget(void)
{
	need(shmget(0x5053, 0, 0) == shm, "shmget");
}

static void one_attach(void)
{
	need(shmdt(shmat(shm, NULL, 0)) == 0, "shmdt");
}

static void one_stat(void)
{
	struct shmid_ds ds;

	need(shmctl(shm, IPC_STAT, &ds) == 0, "shmctl");
}

static void op(unsigned short number, short by, short flags)
{
	struct sembuf sop = { .sem_num = number, .sem_op = by, .sem_flg = flags };

	need(semop(sem, &sop, 1) == 0, "semop");
}

static void one_pair(void)
{
	op(0, 1, 0);
	op(0, -1, 0);
}

static void one_undo_pair(void)
{
	op(0, 1, SEM_UNDO);
	op(0, -1, SEM_UNDO);
}

static void one_vector(void)
{
	struct sembuf up[2] = { { 0, 1, 0 }, { 1, 1, 0 } },
		      down[2] = { { 0, -1, 0 }, { 1, -1, 0 } };

	need(semop(sem, up, 2) == 0 && semop(sem, down, 2) == 0, "semop");
}

struct text {
	long type;
	char bytes[4096];
};

static void send_and_receive(size_t bytes)
{
	struct text text = { .type = 1 };

	need(msgsnd(msg, &text, bytes, 0) == 0, "msgsnd");
	need(msgrcv(msg, &text, bytes, 0, 0) == (ssize_t)bytes, "msgrcv");
}

static void one_message(void)
{
	send_and_receive(64);
}

static void one_large_message(void)
{
	send_and_receive(4096);
}

static void one_fork(void)
{
	pid_t pid = fork();

	if (pid == 0)
		_exit(0);
	need(waitpid(pid, NULL, 0) == pid, "fork");
}

/* ---- with another process: there and back ---- */

static void sem_there(void)
{
	op(2, 1, 0);
	op(3, -1, 0);
}

static void sem_back(void)
{
	op(2, -1, 0);
	op(3, 1, 0);
}

static void msg_trip(long there, long back)
{
	struct text text = { .type = there };

	need(msgsnd(msg, &text, 64, 0) == 0, "msgsnd");
	need(msgrcv(msg, &text, 64, back, 0) == 64, "msgrcv");
}

static void msg_there(void)
{
	msg_trip(2, 3);
}

static void msg_back(void)
{
	struct text text;

	need(msgrcv(msg, &text, 64, 2, 0) == 64, "msgrcv");
	text.type = 3;
	need(msgsnd(msg, &text, 64, 0) == 0, "msgsnd");
}

static void contend(void)
{
	op(4, -1, 0);
	op(4, 1, 0);
}

static void on_cpu(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	sched_setaffinity(0, sizeof(set), &set); /* one that is not there: wherever it runs */
}

static void measure_two(const char *row, void (*here)(void), void (*there)(void), int other_cpu)
{
	pid_t pid;

	on_cpu(0);
	pid = fork();
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		on_cpu(other_cpu);
		for (;;)
			there();
	}
	measure(row, here);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

int main(int argc, char **argv)
{
	seconds = argc > 1 ? atof(argv[1]) : 0.2;
	shm = shmget(0x5053, 1 << 20, IPC_CREAT | 0600);
	sem = semget(0x5053, 5, IPC_CREAT | 0600);
	msg = msgget(0x5053, IPC_CREAT | 0600);
	need(shm >= 0 && sem >= 0 && msg >= 0, "make");
	measure("shmget", one_shmget);
	measure("shmat+shmdt", one_attach);
	measure("IPC_STAT", one_stat);
	measure("semop-pair", one_pair);
	measure("semop-pair-undo", one_undo_pair);
	measure("semop-pair-of-2", one_vector);
	measure("msg-64", one_message);
	measure("msg-4096", one_large_message);
	measure("fork", one_fork);
	measure_two("semop-ping-pong-1-cpu", sem_there, sem_back, 0);
	measure_two("semop-ping-pong-2-cpus", sem_there, sem_back, 1);
	measure_two("msg-ping-pong-1-cpu", msg_there, msg_back, 0);
	measure_two("msg-ping-pong-2-cpus", msg_there, msg_back, 1);
	op(4, 1, 0);
	measure_two("semop-contended", contend, contend, 1);
	shmctl(shm, IPC_RMID, NULL);
	semctl(sem, 0, IPC_RMID);
	msgctl(msg, IPC_RMID, NULL);
	return 0;
}
