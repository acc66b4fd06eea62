/* SPDX-License-Identifier: Apache-2.0 */
/*
 * guard.c - walls around what the library maps; guard.h says why.
 */
#include <pthread.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/types.h>

#include "guard.h"

#define RESERVATIONS_MAX 256u

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct {
	unsigned char *base; /* as the library knows it */
	size_t bytes;
} reservations[RESERVATIONS_MAX];
static unsigned long made;

/* The names that --wrap gives to the real ones, and that it wants from us. */
void *__real_mmap(void *at, size_t bytes, int prot, int flags, int fd, off_t offset);
int __real_munmap(void *at, size_t bytes);
void *__wrap_mmap(void *at, size_t bytes, int prot, int flags, int fd, off_t offset);
void *__wrap_mmap64(void *at, size_t bytes, int prot, int flags, int fd, off_t offset);
int __wrap_munmap(void *at, size_t bytes);

unsigned long guard_count(void)
{
	return __atomic_load_n(&made, __ATOMIC_RELAXED);
}

static void note(unsigned char *base, size_t bytes)
{
	pthread_mutex_lock(&lock);
	for (unsigned int i = 0; i < RESERVATIONS_MAX; i++) {
		if (reservations[i].base)
			continue;
		reservations[i].base = base;
		reservations[i].bytes = bytes;
		__atomic_fetch_add(&made, 1, __ATOMIC_RELAXED);
		pthread_mutex_unlock(&lock);
		return;
	}
	abort(); /* the program opens more than it was made for */
}

static size_t forget(const unsigned char *base)
{
	size_t bytes = 0;

	pthread_mutex_lock(&lock);
	for (unsigned int i = 0; i < RESERVATIONS_MAX && bytes == 0; i++) {
		if (reservations[i].base != base)
			continue;
		bytes = reservations[i].bytes;
		reservations[i].base = NULL;
	}
	pthread_mutex_unlock(&lock);
	return bytes;
}

/* Only what reserves room for a region has neither an address nor any right. */
void *__wrap_mmap(void *at, size_t bytes, int prot, int flags, int fd, off_t offset)
{
	unsigned char *base;

	if (at || prot != PROT_NONE)
		return __real_mmap(at, bytes, prot, flags, fd, offset);
	base = __real_mmap(NULL, bytes + 2 * GUARD_BYTES, prot, flags, fd, offset);
	if (base == MAP_FAILED)
		return base;
	note(base + GUARD_BYTES, bytes);
	return base + GUARD_BYTES;
}

void *__wrap_mmap64(void *at, size_t bytes, int prot, int flags, int fd, off_t offset)
{
	return __wrap_mmap(at, bytes, prot, flags, fd, offset);
}

int __wrap_munmap(void *at, size_t bytes)
{
	unsigned char *base = at;

	if (!base || forget(base) == 0)
		return __real_munmap(at, bytes);
	return __real_munmap(base - GUARD_BYTES, bytes + 2 * GUARD_BYTES);
}
