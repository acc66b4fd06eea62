/* SPDX-License-Identifier: Apache-2.0 */
/*
 * posix_conform_processes.c - what others see: children, other programs, threads; and
 * what they may not do, or cannot.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "posix_conform.h"

static sem_t *inherited, *second;

static void child_uses(void)
{
	tell("the child's is the %s", sem_open("/fork", 0) == inherited ? "same" : "other");
	tell_int(sem_wait(inherited), "the child's sem_wait");
	tell_int(sem_post(second), "the child's sem_post");
	tell_int(sem_close(inherited), "the child's sem_close");
	tell_int(sem_close(inherited), "the child's sem_close");
	tell_int(sem_close(inherited), "the child's sem_close, once too often");
	tell_int(sem_unlink("/fork"), "the child's sem_unlink");
}

static void another_program(void)
{
	execl("/proc/self/exe", "posix_conform", "post", "/exec", "7", NULL);
}

static void waits_for_kill(void)
{
	sem_open("/killed", O_CREAT, 0600, 3);
	raise(SIGKILL);
}

/* One of eight processes that want to be the maker. */
static void race_of_processes(void)
{
	int won = 0, status;

	for (int i = 0; i < 8; i++)
		if (fork() == 0)
			_exit(sem_open("/race", O_CREAT | O_EXCL, 0600, 1) != SEM_FAILED);
	for (int i = 0; i < 8; i++) {
		wait(&status);
		won += WIFEXITED(status) ? WEXITSTATUS(status) : 100;
	}
	tell("of eight makers, %d won", won);
	sem_unlink("/race");
}

void conform_processes(void)
{
	inherited = sem_open("/fork", O_CREAT, 0600, 1);
	second = sem_open("/second", O_CREAT, 0600, 0);
	in_child(child_uses);
	tell_int(sem_wait(second), "the parent's sem_wait");
	tell_int(sem_trywait(inherited), "the parent's sem_trywait");
	tell_int(sem_close(inherited), "the parent's sem_close");
	tell_int(sem_close(second), "the parent's sem_close");
	tell_int(sem_unlink("/fork"), "the parent's sem_unlink");
	sem_unlink("/second");

	inherited = sem_open("/exec", O_CREAT, 0600, 0);
	in_child(another_program);
	tell_int(sem_wait(inherited), "sem_wait for another program");
	sem_unlink("/exec");

	in_child(waits_for_kill);
	tell_sem(sem_open("/killed", O_CREAT | O_EXCL, 0600, 1), "sem_open of a dead one's, alone");
	tell_content("killed");
	sem_unlink("/killed");
	race_of_processes();
}

static void as_nobody(void)
{
	static const int flags[] = { O_RDONLY, O_RDWR, O_RDWR | O_CREAT, O_RDWR | O_TRUNC,
				     O_RDWR | O_CREAT | O_EXCL };
	static const char *const names[] = { "closed", "readable", "open" };

	if (setgid(65534) < 0 || setuid(65534) < 0)
		tell("cannot be nobody");
	for (int i = 0; i < 3; i++) {
		const char *name = names[i];

		for (int f = 0; f < 5; f++)
			tell_file(tell_int(shm_open(name, flags[f], 0600),
					   "nobody's shm_open %s, %o", name, flags[f]));
		tell_sem(sem_open(name, 0), "nobody's sem_open %s", name);
		tell_sem(sem_open(name, O_CREAT, 0600, 1), "nobody's sem_open %s, create", name);
		tell_sem(sem_open(name, O_CREAT | O_EXCL, 0600, 1), "nobody's, %s alone", name);
		tell_int(shm_unlink(name), "nobody's shm_unlink %s", name);
		tell_int(sem_unlink(name), "nobody's sem_unlink %s", name);
	}
	tell_file(tell_int(shm_open("new", O_RDWR | O_CREAT, 0640), "nobody's shm_open, new"));
	tell_sem(sem_open("new", O_CREAT, 0640, 1), "nobody's sem_open, new");
	tell_content("new");
	tell_int(shm_unlink("new"), "nobody's shm_unlink, new");
	tell_int(sem_unlink("new"), "nobody's sem_unlink, new");
}

void conform_rights(void)
{
	static const char *const names[] = { "closed", "readable", "open" };
	static const mode_t modes[] = { 0600, 0644, 0666 };
	struct stat st;

	umask(0);
	for (int i = 0; i < 3; i++) {
		close(shm_open(names[i], O_RDWR | O_CREAT, modes[i]));
		sem_open(names[i], O_CREAT, modes[i], 1);
	}
	umask(022);
	if (stat(folder, &st) == 0)
		tell("the folder has mode %o", st.st_mode);
	in_child(as_nobody);
	chmod(folder, 0755);
	in_child(as_nobody);
	chmod(folder, 01777);
	for (int i = 0; i < 3; i++) {
		tell_int(shm_unlink(names[i]), "shm_unlink %s", names[i]);
		tell_int(sem_unlink(names[i]), "sem_unlink %s", names[i]);
	}
}

static void limit_to(int what, rlim_t much)
{
	struct rlimit limit;

	if (getrlimit(what, &limit) == 0) {
		limit.rlim_cur = much;
		setrlimit(what, &limit);
	}
}

static void both(void)
{
	tell_file(tell_int(shm_open("/limit", O_RDWR | O_CREAT, 0600), "shm_open"));
	tell_sem(sem_open("/limit", O_CREAT, 0600, 1), "sem_open");
	tell_content("limit");
	tell_int(shm_unlink("/limit"), "shm_unlink");
	tell_int(sem_unlink("/limit"), "sem_unlink");
}

static void without_descriptors(void)
{
	limit_to(RLIMIT_NOFILE, 3);
	both();
}

/* The output may be a file, too: it is not written meanwhile. */
static void without_bytes(void)
{
	int fd, err;
	sem_t *sem;

	signal(SIGXFSZ, SIG_IGN);
	for (rlim_t bytes = 0; bytes <= 2 * sizeof(sem_t); bytes += sizeof(sem_t)) {
		limit_to(RLIMIT_FSIZE, bytes);
		fd = shm_open("/limit", O_RDWR | O_CREAT, 0600);
		sem = sem_open("/limit", O_CREAT, 0600, 1);
		err = errno;
		limit_to(RLIMIT_FSIZE, RLIM_INFINITY);
		tell("at most %d bytes", (int)bytes);
		tell_file(tell_int(fd, "shm_open"));
		errno = err;
		tell_sem(sem, "sem_open");
		tell_content("limit");
		tell_int(shm_unlink("/limit"), "shm_unlink");
		tell_int(sem_unlink("/limit"), "sem_unlink");
	}
}

/* Whether a name is made when it cannot be mapped. */
static void without_memory(void)
{
	sem_t *sem;
	int err;

	limit_to(RLIMIT_AS, 0);
	sem = sem_open("/limit", O_CREAT, 0600, 1);
	err = errno;
	limit_to(RLIMIT_AS, RLIM_INFINITY);
	errno = err;
	tell_sem(sem, "sem_open");
	tell_content("limit");
	tell_int(sem_unlink("/limit"), "sem_unlink");
}

/* The file system is small in a test: fill it. */
static void without_room(void)
{
	static char zeros[65536];
	int fd = shm_open("/full", O_RDWR | O_CREAT, 0600);
	ssize_t written;
	char *at;

	for (int i = 0; i < 1024; i++) {
		written = write(fd, zeros, sizeof(zeros));
		if (written < 0)
			break;
	}
	tell_int((int)written, "write of the last bytes");
	both();
	fd = tell_int(shm_open("/late", O_RDWR | O_CREAT, 0600), "shm_open");
	tell_int(ftruncate(fd, 4096), "ftruncate");
	at = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	tell_int(posix_fallocate(fd, 0, 4096), "posix_fallocate");
	*at = 1;
}

void conform_limits(void)
{
	in_child(without_descriptors);
	in_child(without_bytes);
	in_child(without_memory);
	in_child(without_room);
	tell_int(shm_unlink("/full"), "shm_unlink");
	tell_int(shm_unlink("/late"), "shm_unlink");
}

static void *make_and_close(void *made)
{
	sem_t *sem;

	for (int i = 0; i < 200; i++) {
		sem = sem_open("/threads", O_CREAT, 0600, 0);
		sem_post(sem);
		sem_close(sem);
		sem = sem_open("/thread", O_CREAT | O_EXCL, 0600, 0);
		if (sem == SEM_FAILED)
			continue;
		*(int *)made += 1;
		sem_unlink("/thread");
		sem_close(sem);
	}
	return NULL;
}

/* These calls are no points of cancellation; testcancel is. */
static void *is_cancelled(void *unused)
{
	int fd, unlinked, closed;
	sem_t *sem;

	(void)unused;
	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, NULL);
	pthread_cancel(pthread_self());
	pthread_setcancelstate(PTHREAD_CANCEL_ENABLE, NULL);
	fd = shm_open("/cancel", O_RDWR | O_CREAT, 0600);
	unlinked = shm_unlink("/cancel");
	sem = sem_open("/cancel", O_CREAT, 0600, 1);
	closed = sem_close(sem);
	unlinked += sem_unlink("/cancel");
	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, NULL);
	tell("about to be cancelled: %d %d %d", fd, unlinked, closed);
	pthread_setcancelstate(PTHREAD_CANCEL_ENABLE, NULL);
	pthread_testcancel();
	tell("it was not cancelled");
	return NULL;
}

void conform_threads(void)
{
	pthread_t threads[4];
	int made[4] = { 0 }, value = -1;
	sem_t *sem = sem_open("/threads", O_CREAT, 0600, 0);

	for (int i = 0; i < 4; i++)
		pthread_create(&threads[i], NULL, make_and_close, &made[i]);
	for (int i = 0; i < 4; i++)
		pthread_join(threads[i], NULL);
	sem_getvalue(sem, &value);
	tell("4 threads posted %d times, and made %s", value,
	     made[0] + made[1] + made[2] + made[3] > 0 ? "some" : "none");
	tell_int(sem_close(sem), "sem_close");
	tell_int(sem_close(sem), "sem_close, once too often");
	sem_unlink("/threads");
	pthread_create(&threads[0], NULL, is_cancelled, NULL);
	pthread_join(threads[0], NULL);
}
