/* SPDX-License-Identifier: Apache-2.0 */
/*
 * posix_alone kill|fork|handler FOLDER - what the shim does and libc does not, so that
 * the two cannot be compared: nothing is left of a maker that was killed, and neither
 * fork() nor a signal handler meets a lock that is held.
 *
 * Exit status: 0 all is well, 1 it is not and stderr says what.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

static const char *folder;

static bool wrong(const char *what, int at)
{
	fprintf(stderr, "%s (%d): %s\n", what, at, strerror(errno));
	return false;
}

/* ---- kill: a maker, at each of its system calls, before and after ---- */

/* The system calls are all that others can see of it. */
static _Noreturn void maker(void)
{
	ptrace(PTRACE_TRACEME, 0, NULL, NULL);
	raise(SIGSTOP);
	_exit(sem_open("/kill", O_CREAT | O_EXCL, 0600, 3) == SEM_FAILED);
}

/* Let it run to its @stops-th stop and kill it there; false if it has ended before. */
static bool kill_at(int stops)
{
	pid_t child = fork();
	int status;

	if (child == 0)
		maker();
	waitpid(child, &status, 0);
	for (int i = 0; i < stops && WIFSTOPPED(status); i++) {
		ptrace(PTRACE_SYSCALL, child, NULL, NULL);
		waitpid(child, &status, 0);
	}
	if (!WIFSTOPPED(status))
		return false;
	kill(child, SIGKILL);
	waitpid(child, &status, 0);
	return true;
}

static int entries(void)
{
	struct dirent **names;
	int count = scandir(folder, &names, NULL, NULL);

	for (int i = 0; i < count; i++)
		free(names[i]);
	if (count >= 0)
		free(names);
	return count < 0 ? 0 : count - 2; /* . and .. */
}

/* Either it is not there, or it is whole; and the next one can have the name. */
static bool whole_or_nothing(int stops)
{
	sem_t *sem = sem_open("/kill", 0);
	int value = -1, is_there = sem != SEM_FAILED;

	if (entries() != is_there)
		return wrong("a killed maker has left something", stops);
	if (is_there && (sem_getvalue(sem, &value) < 0 || value != 3))
		return wrong("a killed maker's semaphore is not whole", stops);
	if (is_there && (sem_close(sem) < 0 || sem_unlink("/kill") < 0))
		return wrong("cannot remove a killed maker's semaphore", stops);
	sem = sem_open("/kill", O_CREAT | O_EXCL, 0600, 1);
	if (sem == SEM_FAILED || sem_close(sem) < 0 || sem_unlink("/kill") < 0)
		return wrong("cannot make a semaphore after a killed maker", stops);
	return true;
}

static bool killed_everywhere(bool without_folder)
{
	int stops = 0;

	do {
		if (!whole_or_nothing(stops) || (without_folder && rmdir(folder) < 0))
			return wrong("after a maker was killed", stops);
	} while (kill_at(stops++));
	sem_unlink("/kill"); /* the last one lived */
	printf("killed at %d places\n", stops);
	return stops > 10 || wrong("it was hardly ever killed", stops);
}

static bool killed(void)
{
	return killed_everywhere(false) && killed_everywhere(true);
}

/* ---- fork, while other threads open and close ---- */

static atomic_bool stop;

static void *opener(void *unused)
{
	(void)unused;
	while (!atomic_load_explicit(&stop, memory_order_relaxed)) /* it carries no data */
		sem_close(sem_open("/fork", O_CREAT, 0600, 1));
	return NULL;
}

/* A child that meets a held lock never ends; the alarm ends it. */
static bool child_opens(int round)
{
	pid_t child = fork();
	int status;

	if (child == 0) {
		alarm(20);
		_exit(sem_close(sem_open("/child", O_CREAT, 0600, 1)) != 0);
	}
	waitpid(child, &status, 0);
	return status == 0 || wrong("a forked child could not open and close", round);
}

static bool forks(void)
{
	pthread_t threads[2];
	bool good = true;

	for (int i = 0; i < 2; i++)
		pthread_create(&threads[i], NULL, opener, NULL);
	for (int i = 0; i < 300 && good; i++)
		good = child_opens(i);
	atomic_store_explicit(&stop, true, memory_order_relaxed); /* it carries no data */
	for (int i = 0; i < 2; i++)
		pthread_join(threads[i], NULL);
	sem_unlink("/fork");
	sem_unlink("/child");
	return good;
}

/* ---- handlers that close while the thread is opening or closing ---- */

static sem_t *handled;
static atomic_int handled_count;

static void on_alarm(int signal)
{
	int err = errno;

	(void)signal;
	if (sem_close(handled) == 0) /* no allocation in it, as it is not the last one */
		atomic_fetch_add_explicit(&handled_count, 1, memory_order_relaxed); /* as below */
	errno = err;
}

static bool handlers(void)
{
	struct itimerval often = { { 0, 50 }, { 0, 50 } }, never = { { 0, 0 }, { 0, 0 } };
	sem_t *sem;

	for (int i = 0; i < 20000; i++)
		handled = sem_open("/handler", O_CREAT, 0600, 1);
	signal(SIGALRM, on_alarm);
	setitimer(ITIMER_REAL, &often, NULL);
	for (int i = 0; i < 20000; i++) {
		sem = sem_open("/other", O_CREAT, 0600, 1);
		if (sem == SEM_FAILED || sem_close(sem) < 0)
			return wrong("cannot open or close", i);
	}
	setitimer(ITIMER_REAL, &never, NULL);
	sem_unlink("/handler");
	sem_unlink("/other");
	/* relaxed: no other thread has counted */
	return atomic_load_explicit(&handled_count, memory_order_relaxed) > 0 ||
	       wrong("the handler never closed anything", 0);
}

int main(int argc, char **argv)
{
	static const struct test {
		const char *name;
		bool (*run)(void);
	} tests[] = { { "kill", killed }, { "fork", forks }, { "handler", handlers } };

	folder = argc == 3 ? argv[2] : "";
	for (size_t i = 0; i < sizeof(tests) / sizeof(tests[0]); i++)
		if (argc == 3 && strcmp(argv[1], tests[i].name) == 0)
			return tests[i].run() ? 0 : 1;
	fprintf(stderr, "usage: posix_alone kill|fork|handler FOLDER\n");
	return 2;
}
