/* SPDX-License-Identifier: Apache-2.0 */
/*
 * posix_mapping.c - the named semaphores that this process has open.
 *
 * Openings look for the file, closings for the address, so each mapping is in two
 * chains.  The mutex is this process's own.  Signals wait while it is held, and
 * nothing is allocated: fork() meets it held by no handler, and by nobody who waits
 * for another lock that is held for the fork.
 */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "lock.h"
#include "posix_mapping.h"

#define CHAINS 256

struct mapping {
	struct mapping *next_by_file, *next_by_address;
	sem_t *sem;
	dev_t dev; /* while it is mapped, the file's number belongs to no other */
	ino_t ino;
	unsigned long openings;
	char name[]; /* as the program wrote it: to libc, "/x" and "x" are two */
};

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static struct mapping *by_file[CHAINS], *by_address[CHAINS];

static void lock(void)
{
	pthread_mutex_lock(&mutex);
}

static void unlock(void)
{
	pthread_mutex_unlock(&mutex);
}

__attribute__((constructor)) static void begin(void)
{
	pthread_atfork(lock, unlock, unlock);
}

static void enter(sigset_t *signals)
{
	signals_block(signals);
	lock();
}

static void leave(const sigset_t *signals)
{
	unlock();
	signals_restore(signals);
}

/* Where the link to the mapping of @m's file and name is, or the end of its chain. */
static struct mapping **at_file(const struct mapping *m)
{
	struct mapping **at = &by_file[m->ino % CHAINS];

	while (*at &&
	       ((*at)->ino != m->ino || (*at)->dev != m->dev || strcmp((*at)->name, m->name)))
		at = &(*at)->next_by_file;
	return at;
}

/* Mappings begin with a page; the lowest bits are the same in all. */
static struct mapping **at_address(const sem_t *sem)
{
	struct mapping **at = &by_address[((uintptr_t)sem >> 12) % CHAINS];

	while (*at && (*at)->sem != sem)
		at = &(*at)->next_by_address;
	return at;
}

sem_t *mapping_make(int fd)
{
	void *at = mmap(NULL, sizeof(sem_t), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	return at == MAP_FAILED ? SEM_FAILED : at;
}

static void unmap(sem_t *sem)
{
	if (sem != SEM_FAILED)
		munmap(sem, sizeof(*sem));
}

static struct mapping *candidate(const char *name, int fd, sem_t *made)
{
	size_t name_bytes = strlen(name) + 1;
	struct mapping *m;
	struct stat st;

	if (fstat(fd, &st) < 0)
		return NULL;
	m = malloc(sizeof(*m) + name_bytes);
	if (!m)
		return NULL;
	*m = (struct mapping){ .sem = made, .dev = st.st_dev, .ino = st.st_ino };
	memcpy(m->name, name, name_bytes);
	return m;
}

/* The one that is open already, or @m itself, which is then in the chains. */
static struct mapping *find_or_add(struct mapping *m, int fd)
{
	struct mapping **at = at_file(m);

	if (*at)
		return *at;
	if (m->sem == SEM_FAILED)
		m->sem = mapping_make(fd);
	if (m->sem == SEM_FAILED)
		return NULL;
	*at = m;
	*at_address(m->sem) = m;
	return m;
}

sem_t *mapping_add(const char *name, int fd, sem_t *made)
{
	struct mapping *m = candidate(name, fd, made), *open;
	sem_t *sem = SEM_FAILED;
	sigset_t signals;

	if (!m) {
		unmap(made);
		return SEM_FAILED;
	}
	enter(&signals);
	open = find_or_add(m, fd);
	if (open) {
		open->openings++;
		sem = open->sem;
	}
	leave(&signals);
	if (open != m) {
		unmap(m->sem);
		free(m);
	}
	return sem;
}

/* One opening less, @m's last: out of the chains. */
static struct mapping *drop_last(struct mapping **at)
{
	struct mapping *m = *at;

	if (--m->openings > 0)
		return NULL;
	*at = m->next_by_address;
	*at_file(m) = m->next_by_file;
	return m;
}

int mapping_drop(sem_t *sem)
{
	struct mapping **at, *last = NULL;
	sigset_t signals;
	bool known;

	enter(&signals);
	at = at_address(sem);
	known = *at;
	if (known)
		last = drop_last(at);
	leave(&signals);
	if (last) {
		unmap(last->sem);
		free(last);
	}
	if (!known)
		errno = EINVAL;
	return known ? 0 : -1;
}
