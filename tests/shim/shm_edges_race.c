/* SPDX-License-Identifier: Apache-2.0 */
/*
 * shm_edges_race.c - handlers, threads and processes that come at the wrong moment.
 */
#include <fcntl.h>
#include <pthread.h>
#include <sys/syscall.h>
#include <sys/time.h>

#include "shm_edges.h"

/* ---- what is removed already can be attached as long as somebody has it, and no longer ---- */

static void late_comer(void)
{
	struct shmid_ds ds;
	int id;

	while (!atomic_load(&both->over)) {
		void *at = (id = atomic_load(&both->id)) > 0 ? shmat(id - 1, NULL, 0) : (void *)-1;

		if (at == (void *)-1)
			continue;
		must(shmctl(id - 1, IPC_STAT, &ds) == 0, "%d is attached and is no more", id - 1);
		must(shmdt(at) == 0, "shmdt");
	}
}

void last_one_leaves(void)
{
	pid_t pid = process(late_comer);
	int64_t until = in_ms(1500);

	while (!over_by(until)) {
		int id = make();
		void *at = attach(id);

		removed(id);
		atomic_store(&both->id, id + 1);
		for (volatile int i = id & 1023; i > 0; i--)
			;
		must(shmdt(at) == 0, "shmdt");
		must(waitpid(pid, NULL, WNOHANG) == 0, "the other one has ended");
	}
	atomic_store(&both->over, 1);
	must(ended_well(pid), "the other one");
}

/* ---- signal handlers, threads ---- */

static int handlers_id;

static void on_alarm(int sig)
{
	void *at = shmat(handlers_id, NULL, 0);

	(void)sig;
	if (at != (void *)-1)
		shmdt(at);
}

void handler_in_fork(void)
{
	struct itimerval often = { { 0, 200 }, { 0, 200 } }, never = { { 0, 0 }, { 0, 0 } };
	struct sigaction sa = { .sa_handler = on_alarm, .sa_flags = SA_RESTART };
	int64_t until = in_ms(1500);
	void *at;

	handlers_id = make();
	at = attach(handlers_id);
	sigaction(SIGVTALRM, &sa, NULL);
	sigaction(SIGPROF, &sa, NULL);
	setitimer(ITIMER_PROF, &often, NULL);
	while (!over_by(until)) {
		pid_t pid = fork();

		if (pid == 0)
			_exit(0);
		waitpid(pid, NULL, 0);
	}
	setitimer(ITIMER_PROF, &never, NULL);
	must(shmdt(at) == 0, "shmdt");
	removed(handlers_id);
}

static void *cancelled(void *arg)
{
	int id = *(int *)arg;

	pthread_cancel(pthread_self());
	shmdt(shmat(id, NULL, 0));
	shmctl(id, IPC_RMID, NULL);
	pthread_testcancel(); /* here it may end */
	return NULL;
}

/* None of these is a point of cancellation: what it has locked it also unlocks. */
void cancelled_thread(void)
{
	pthread_t thread;
	int id = make();

	must(pthread_create(&thread, NULL, cancelled, &id) == 0, "pthread_create");
	pthread_join(thread, NULL);
	must(shmctl(id, IPC_RMID, NULL) < 0 && errno == EINVAL, "a call was not finished");
	id = make();
	shmdt(attach(id));
	removed(id);
}

static void *first_call(void *arg)
{
	return arg ? NULL : (void *)(intptr_t)shmget(1, 1, 0);
}

static void open_and_fork(void)
{
	pthread_t thread;
	pid_t pid;

	must(pthread_create(&thread, NULL, first_call, NULL) == 0, "pthread_create");
	for (volatile int i = rand() % 20000; i > 0; i--)
		;
	pid = fork();
	if (pid == 0) {
		removed(make());
		_exit(0);
	}
	must(ended_well(pid), "a child, forked while another thread opened the table");
	pthread_join(thread, NULL);
}

void fork_while_opening(void)
{
	for (int i = 0; i < 300; i++) {
		rand();
		must(ended_well(process(open_and_fork)), "round %d", i);
	}
}

/* ---- a program that takes the probe's descriptor for its own ---- */

static void *reuse_descriptors(void *arg)
{
	int null = open("/dev/null", O_RDONLY | O_CLOEXEC);

	while (!atomic_load(&both->over)) {
		dup3(null, 400, O_CLOEXEC);
		closefrom(3);
	}
	close(null);
	return arg;
}

static void stay_attached(void)
{
	attach(atomic_load(&both->id) - 1);
	atomic_store(&both->id, 0);
	while (!atomic_load(&both->over))
		usleep(100);
	_exit(0); /* without a shmdt */
}

void probe_taken_away(void)
{
	int64_t until = in_ms(1500);
	pthread_t thread;
	int id = make();
	pid_t pid;

	atomic_store(&both->id, id + 1);
	pid = process(stay_attached);
	while (atomic_load(&both->id) != 0)
		usleep(100);
	must(pthread_create(&thread, NULL, reuse_descriptors, NULL) == 0, "pthread_create");
	while (!over_by(until))
		must(attached(id) == 1, "%lu attached and not 1", attached(id));
	atomic_store(&both->over, 1);
	pthread_join(thread, NULL);
	must(ended_well(pid), "who had it attached");
	close(400);
	must(attached(id) == 0, "%lu attached and not 0", attached(id));
	removed(id);
}

/* ---- children that no handler of fork's has seen ---- */

static void raw_parent(void)
{
	int mine = make();
	void *at = attach(mine);
	pid_t pid = (pid_t)syscall(SYS_clone, SIGCHLD, NULL, NULL, NULL, 0);

	if (pid == 0)
		exit(0);
	must(ended_well(pid), "a child of clone");
	must(attached(mine) == 1, "%lu attached and not 1", attached(mine));
	removed(mine);
	shmdt(at);
	if (syscall(SYS_clone, SIGCHLD, NULL, NULL, NULL, 0) == 0)
		stay_attached();
	_exit(0);
}

void raw_clone(void)
{
	int id = make();

	atomic_store(&both->id, id + 1);
	must(ended_well(process(raw_parent)), "who clones");
	while (atomic_load(&both->id) != 0)
		usleep(100);
	must(attached(id) == 1, "%lu attached and not 1", attached(id));
	atomic_store(&both->over, 1);
	removed(id);
}
