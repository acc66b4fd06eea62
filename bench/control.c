/* SPDX-License-Identifier: Apache-2.0 */
/* control.c - clock, CPUs, waiting for each other, and the bounce of a cache line. */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>
#include "control.h"

#define BOUNCES      100
#define BOUNCE_TAKES 101

struct control *control;
unsigned int control_side;

static void complain(const char *format, va_list args)
{
	char line[512];
	int length = snprintf(line, sizeof(line), "%s: ", contestant.name);

	vsnprintf(line + length, sizeof(line) - (size_t)length, format, args);
	fprintf(stderr, "%s\n", line); /* in one piece: all sides may have something to say */
}

void die(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	complain(format, args);
	va_end(args);
	_exit(2);
}

void skip(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	complain(format, args);
	va_end(args);
	_exit(77);
}

uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

uint64_t clock_ns(void)
{
	uint64_t least = UINT64_MAX, start, took;

	for (int take = 0; take < 20; take++) {
		start = now_ns();
		for (int i = 0; i < 99; i++)
			now_ns();
		took = now_ns() - start;
		least = took < least ? took : least; /* the others were interrupted */
	}
	return least / 100;
}

static void *map_path(const char *path, size_t bytes)
{
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	void *memory;

	if (fd < 0 || ftruncate(fd, (off_t)bytes) < 0)
		die("cannot make %s: %s", path, strerror(errno));
	memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, fd, 0);
	if (memory == MAP_FAILED)
		die("cannot map %s: %s", path, strerror(errno));
	close(fd);
	return memory;
}

void *map_file(const struct task *task, const char *name, size_t bytes)
{
	char path[256];

	snprintf(path, sizeof(path), "%s/%s", task->dir, name);
	return map_path(path, bytes);
}

void control_open(const char *path)
{
	control = (struct control *)map_path(path, sizeof(*control));
}

void pin(unsigned int cpu, bool fifo)
{
	struct sched_param priority = { .sched_priority = 1 };
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	if (sched_setaffinity(0, sizeof(set), &set) < 0)
		die("cannot run on CPU %u: %s", cpu, strerror(errno));
	if (fifo && sched_setscheduler(0, SCHED_FIFO, &priority) < 0)
		die("cannot have SCHED_FIFO: %s", strerror(errno));
}

/* Sides may share a CPU, so it polls only for a moment.  Order: the last to come releases its
 * and, through arrived, everybody's writes; those who wait acquire them with round. */
void meet(const struct task *task)
{
	static const struct timespec moment = { .tv_nsec = 500000 };
	uint64_t round = atomic_load_explicit(&control->round.value, memory_order_acquire);

	if (atomic_fetch_add_explicit(&control->arrived.value, 1, memory_order_acq_rel) + 1 ==
	    task->sides) {
		/* relaxed: the store to round releases it */
		atomic_store_explicit(&control->arrived.value, 0, memory_order_relaxed);
		atomic_store_explicit(&control->round.value, round + 1, memory_order_release);
		return;
	}
	for (int i = 0; atomic_load_explicit(&control->round.value, memory_order_acquire) == round;
	     i++) {
		if (i < 1000)
			relax();
		else
			nanosleep(&moment, NULL);
	}
}

static int by_size(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

/* relaxed: nothing but the two words themselves crosses here */
static void bounce(bool first, uint64_t number)
{
	if (first)
		atomic_store_explicit(&control->ping.value, number, memory_order_relaxed);
	while (atomic_load_explicit(first ? &control->pong.value : &control->ping.value,
				    memory_order_relaxed) < number)
		;
	if (!first)
		atomic_store_explicit(&control->pong.value, number, memory_order_relaxed);
}

double bounce_ns(const struct task *task)
{
	static uint64_t number;
	uint64_t takes[BOUNCE_TAKES], start;

	for (int take = 0; take < BOUNCE_TAKES; take++) {
		start = now_ns();
		for (int i = 0; i < BOUNCES; i++)
			bounce(task->side == 0, ++number);
		takes[take] = now_ns() - start;
	}
	qsort(takes, BOUNCE_TAKES, sizeof(takes[0]), by_size);
	return (double)takes[BOUNCE_TAKES / 2] / BOUNCES;
}
