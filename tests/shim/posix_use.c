/* SPDX-License-Identifier: Apache-2.0 */
/*
 * posix_use - POSIX shared memory and semaphores from a shell, as any program uses them.
 *
 *   posix_use shm NAME            open it; prints its text
 *   posix_use write NAME TEXT     make it, with that text
 *   posix_use make NAME VALUE     a semaphore
 *   posix_use rounds NAME COUNT a|b   two sides, each waits for the other, COUNT times
 *   posix_use remove NAME         both
 *
 * What fails is told by the name of its errno, with exit status 1.
 */
#include <errno.h>
#include <fcntl.h>
#include <semaphore.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define BYTES 4096

static int failed(void)
{
	printf("%s\n", strerrorname_np(errno));
	return 1;
}

static char *map(const char *name, int flags)
{
	int fd = shm_open(name, flags, 0600);
	char *at;

	if (fd < 0 || ((flags & O_CREAT) && ftruncate(fd, BYTES) < 0))
		return NULL;
	at = mmap(NULL, BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	close(fd);
	return at == MAP_FAILED ? NULL : at;
}

static int text(const char *name, const char *new)
{
	char *at = map(name, new ? O_RDWR | O_CREAT : O_RDWR);

	if (!at)
		return failed();
	if (new)
		snprintf(at, BYTES, "%s", new);
	else
		printf("%.*s\n", BYTES, at);
	return 0;
}

static sem_t *side(const char *name, char which)
{
	char full[300];

	snprintf(full, sizeof(full), "%s-%c", name, which);
	return sem_open(full, O_CREAT, 0600, 0);
}

/* Whoever waits sleeps: the other side has only then a turn. */
static int rounds(const char *name, int count, char which)
{
	sem_t *mine = side(name, which), *others = side(name, which == 'a' ? 'b' : 'a');

	if (mine == SEM_FAILED || others == SEM_FAILED)
		return failed();
	for (int i = 0; i < count; i++) {
		if (which == 'a' && sem_post(others) < 0)
			return failed();
		if (sem_wait(mine) < 0)
			return failed();
		if (which == 'b' && sem_post(others) < 0)
			return failed();
	}
	printf("%d rounds\n", count);
	return 0;
}

int main(int argc, char **argv)
{
	const char *what = argc > 2 ? argv[1] : "", *name = argc > 2 ? argv[2] : "";

	if (argc == 3 && strcmp(what, "shm") == 0)
		return text(name, NULL);
	if (argc == 4 && strcmp(what, "write") == 0)
		return text(name, argv[3]);
	if (argc == 4 && strcmp(what, "make") == 0)
		return sem_open(name, O_CREAT, 0600, atoi(argv[3])) == SEM_FAILED ? failed() : 0;
	if (argc == 5 && strcmp(what, "rounds") == 0)
		return rounds(name, atoi(argv[3]), argv[4][0]);
	if (argc == 3 && strcmp(what, "remove") == 0)
		return shm_unlink(name) < 0 || sem_unlink(name) < 0 ? failed() : 0;
	fprintf(stderr, "usage: posix_use shm|write|make|rounds|remove NAME ...\n");
	return 2;
}
