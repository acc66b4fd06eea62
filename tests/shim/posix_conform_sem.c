/* SPDX-License-Identifier: Apache-2.0 */
/*
 * posix_conform_sem.c - first values of semaphores, and which openings are the same.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "posix_conform.h"

/* The compiler must not know that this one is not to be called with SEM_FAILED. */
static int (*volatile const sem_close_any)(sem_t *) = sem_close;

static void tell_value(sem_t *sem)
{
	int value = -1;

	if (sem != SEM_FAILED) {
		tell_int(sem_getvalue(sem, &value), "    sem_getvalue");
		tell("    value %d", value);
	}
}

/* All that one does with a semaphore, by one process. */
static void use(sem_t *sem)
{
	struct timespec soon;

	tell_int(sem_trywait(sem), "sem_trywait");
	tell_int(sem_post(sem), "sem_post");
	tell_int(sem_wait(sem), "sem_wait");
	tell_value(sem);
	while (sem_trywait(sem) == 0)
		;
	clock_gettime(CLOCK_REALTIME, &soon);
	tell_int(sem_timedwait(sem, &soon), "sem_timedwait of 0");
	clock_gettime(CLOCK_MONOTONIC, &soon);
	tell_int(sem_clockwait(sem, CLOCK_MONOTONIC, &soon), "sem_clockwait of 0");
	soon.tv_nsec = 1000000000;
	tell_int(sem_timedwait(sem, &soon), "sem_timedwait of no time");
}

void conform_values(void)
{
	static const unsigned int values[] = {
		0, 1, 7, SEM_VALUE_MAX, SEM_VALUE_MAX + 1u, UINT_MAX
	};
	sem_t *sem, *other;

	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
		sem = tell_sem(sem_open("/value", O_CREAT | O_EXCL, 0600, values[i]),
			       "sem_open of value %u", values[i]);
		tell_content("value");
		tell_value(sem);
		other = tell_sem(sem_open("/value", O_CREAT, 0600, values[i]), "and once more");
		tell_value(other);
		tell_sem(sem_open("/value", O_CREAT | O_EXCL, 0600, values[i]), "and alone");
		if (other != SEM_FAILED)
			tell_int(sem_post(other), "sem_post");
		tell_content("value");
		tell_int(sem_unlink("/value"), "sem_unlink");
		if (sem != SEM_FAILED && values[i] != SEM_VALUE_MAX)
			use(sem);
		tell_int(sem_close_any(sem), "sem_close");
	}
}

static void one_or_two(const char *a, const char *b)
{
	sem_t *first = sem_open(a, O_CREAT, 0600, 1), *second = sem_open(b, O_CREAT, 0600, 1);

	tell("%s and %s are %s", a, b, first == second ? "one" : "two");
	sem_post(first);
	tell_value(second);
	tell_int(sem_close(first), "sem_close of %s", a);
	sem_post(second);
	tell_value(second);
	tell_int(sem_close(second), "sem_close of %s", b);
	tell_int(sem_close(second), "sem_close of %s again", b);
	tell_int(sem_unlink(a), "sem_unlink of %s", a);
	tell_int(sem_unlink(b), "sem_unlink of %s", b);
}

/* A name that stands for another semaphore later. */
static void anew(void)
{
	sem_t *old = sem_open("/anew", O_CREAT, 0600, 10), *now;

	tell_int(sem_unlink("/anew"), "sem_unlink while it is open");
	tell_sem(sem_open("/anew", 0), "sem_open after that");
	now = tell_sem(sem_open("/anew", O_CREAT | O_EXCL, 0600, 20), "sem_open of a new one");
	tell("it is the %s", old == now ? "same" : "other");
	tell_value(old);
	tell_value(now);
	tell_int(sem_close(old), "sem_close of the old one");
	tell("the new one is %s", sem_open("/anew", 0) == now ? "the same" : "another");
	tell_int(sem_close(now), "sem_close");
	tell_int(sem_close(now), "sem_close");
	tell_int(sem_close(now), "sem_close, once too often");
	sem_unlink("/anew");
}

/* What is none, or none of these. */
static void foreign(void)
{
	sem_t own, *sem = sem_open("/foreign", O_CREAT, 0600, 1);
	static sem_t copy;

	sem_init(&own, 0, 1);
	tell_int(sem_close(&own), "sem_close of an unnamed one");
	tell_int(sem_close_any(SEM_FAILED), "sem_close of SEM_FAILED");
	memcpy(&copy, sem, sizeof(copy));
	tell_int(sem_close(&copy), "sem_close of a copy");
	tell_int(sem_close(sem + 1), "sem_close of what is behind one");
	tell_int(sem_destroy(sem), "sem_destroy");
	tell_value(sem);
	tell_int(sem_close(sem), "sem_close");
	sem_unlink("/foreign");
}

/* Many at a time: 1000 names, each opened three times. */
static void many(void)
{
	static sem_t *sems[3][1000];
	char name[32];
	int other = 0, open = 0, closed = 0, gone = 0;

	for (int i = 0; i < 3000; i++) {
		snprintf(name, sizeof(name), "/many-%d", i % 1000);
		sems[i / 1000][i % 1000] = sem_open(name, O_CREAT, 0600, (unsigned)i);
	}
	for (int i = 0; i < 1000; i++) {
		int value;

		open += sem_getvalue(sems[0][i], &value) == 0 && value == i;
		other += sems[0][i] != sems[1][i] || sems[1][i] != sems[2][i];
	}
	for (int i = 0; i < 4000; i++)
		closed += sem_close(sems[i % 3][(i * 7) % 1000]) == 0;
	for (int i = 0; i < 1000; i++) {
		snprintf(name, sizeof(name), "/many-%d", i);
		gone += sem_unlink(name) == 0;
	}
	tell("of many, %d are right, %d are another, %d were closed, %d removed", open, other,
	     closed, gone);
}

void conform_openings(void)
{
	one_or_two("a", "a");
	one_or_two("/a", "/a");
	one_or_two("a", "/a");
	one_or_two("/a", "//a");
	one_or_two("a", "b");
	anew();
	foreign();
	many();
}
