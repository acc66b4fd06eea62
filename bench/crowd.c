/* SPDX-License-Identifier: Apache-2.0 */
/*
 * crowd.c - many IPC namespaces with processes and objects in them, to look at.
 *
 *   crowd NAMESPACES PROCESSES OBJECTS    (in all)
 *
 * Each namespace is as a container has it: a mount namespace and a /dev/shm of its
 * own, too.  It prints "ready" and keeps them until its standard input ends; all of
 * it goes with its processes.
 */
#include <err.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/msg.h>
#include <sys/prctl.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <unistd.h>

#define SEGMENT_BYTES 65536

static int ready[2];

/* Of ten: five segments, which its processes attach, three files, a set, a queue. */
static void make_object(unsigned int number)
{
	char name[32];
	char *at;
	int fd, id;

	switch (number % 10) {
	case 0:
		if (semget(IPC_PRIVATE, 4, 0600) < 0)
			err(1, "semget");
		break;
	case 1:
		if (msgget(IPC_PRIVATE, 0600) < 0)
			err(1, "msgget");
		break;
	case 2:
	case 3:
	case 4:
		snprintf(name, sizeof(name), "/bench-%u", number);
		fd = shm_open(name, O_CREAT | O_RDWR, 0600);
		if (fd < 0 || ftruncate(fd, SEGMENT_BYTES) < 0)
			err(1, "shm_open");
		at = mmap(NULL, SEGMENT_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
		if (at == MAP_FAILED)
			err(1, "mmap");
		*at = 1;
		close(fd);
		break;
	default:
		id = shmget((int)number + 1, SEGMENT_BYTES, IPC_CREAT | 0600);
		at = id < 0 ? (void *)-1 : shmat(id, NULL, 0);
		if (at == (void *)-1)
			err(1, "shmget");
		*at = 1;
	}
}

_Noreturn static void stay(void)
{
	if (write(ready[1], "r", 1) != 1)
		_exit(1);
	for (;;)
		pause();
}

/* Processes inherit what the first one maps. */
_Noreturn static void live(unsigned int processes, unsigned int objects)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (unshare(CLONE_NEWIPC | CLONE_NEWNS) < 0)
		err(1, "unshare");
	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
	    mount("shm", "/dev/shm", "tmpfs", 0, "size=64m") < 0)
		err(1, "mount");
	for (unsigned int i = 0; i < objects; i++)
		make_object(i);
	for (unsigned int i = 1; i < processes; i++) {
		if (fork() != 0)
			continue;
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		stay();
	}
	stay();
}

/* The share of number @i of @of in @total. */
static unsigned int share(unsigned int total, unsigned int i, unsigned int of)
{
	return total / of + (i < total % of);
}

int main(int argc, char **argv)
{
	unsigned int namespaces, processes, objects, started = 0;
	char c;

	if (argc != 4)
		errx(2, "usage: crowd NAMESPACES PROCESSES OBJECTS");
	namespaces = (unsigned int)atoi(argv[1]);
	processes = (unsigned int)atoi(argv[2]);
	objects = (unsigned int)atoi(argv[3]);
	if (namespaces == 0 || processes < namespaces)
		errx(2, "each namespace needs a process");
	if (pipe(ready) < 0)
		err(1, "pipe");
	for (unsigned int i = 0; i < namespaces; i++) {
		pid_t pid = fork();

		if (pid < 0)
			err(1, "fork");
		if (pid == 0)
			live(share(processes, i, namespaces), share(objects, i, namespaces));
	}
	close(ready[1]);
	while (started < processes && read(ready[0], &c, 1) == 1)
		started++;
	if (started < processes)
		errx(1, "%u of %u processes came", started, processes);
	puts("ready");
	fflush(stdout);
	while (read(STDIN_FILENO, &c, 1) > 0)
		;
	return 0; /* and they die with us */
}
