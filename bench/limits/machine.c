/* SPDX-License-Identifier: Apache-2.0 */
/* machine.c - what a system call, a copy, and a copy of what another CPU wrote take here. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "../control.h"

#define TAKES 101

static const size_t sizes[] = { 64, 256, 1024, 4096, 65536, 1 << 20 };

const struct contestant contestant = { .name = "machine" };

static unsigned char *source, *target;

static void system_call(size_t bytes)
{
	(void)bytes;
	syscall(SYS_getppid);
}

static void copy(size_t bytes)
{
	memcpy(target, source, bytes);
	__asm__ volatile("" ::: "memory");
}

static int by_size(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

/* The median time of one call, in ns. */
static double time_of(void (*call)(size_t), size_t bytes)
{
	unsigned int calls = bytes > 4096 ? 10 : 1000;
	double takes[TAKES];
	uint64_t start;

	for (int take = 0; take < TAKES; take++) {
		start = now_ns();
		for (unsigned int i = 0; i < calls; i++)
			call(bytes);
		takes[take] = (double)(now_ns() - start) / calls;
	}
	qsort(takes, TAKES, sizeof(takes[0]), by_size);
	return takes[TAKES / 2];
}

/* The same memory, written by another CPU each time: this thread moves over and back. */
static double time_of_crossing(size_t bytes, const unsigned int cpus[2])
{
	double takes[TAKES];
	uint64_t start;

	for (int take = 0; take < TAKES; take++) {
		pin(cpus[0], false);
		memset(source, take, bytes);
		pin(cpus[1], false);
		start = now_ns();
		copy(bytes);
		takes[take] = (double)(now_ns() - start);
	}
	qsort(takes, TAKES, sizeof(takes[0]), by_size);
	return takes[TAKES / 2];
}

int main(int argc, char **argv)
{
	const size_t most = sizes[sizeof(sizes) / sizeof(sizes[0]) - 1];
	unsigned int cpus[2] = { 0, 1 };
	const char *comma = "";

	if (argc > 1 && sscanf(argv[1], "%u,%u", &cpus[0], &cpus[1]) != 2)
		die("takes two CPUs, as in 0,1");
	pin(cpus[1], false);
	source = (unsigned char *)aligned_alloc(4096, most);
	target = (unsigned char *)aligned_alloc(4096, most);
	if (!source || !target)
		die("no memory");
	memset(source, 1, most);
	memset(target, 1, most);
	printf("{\"system_call_ns\": %.1f", time_of(system_call, 0));
	printf(", \"memcpy_ns\": {");
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++, comma = ", ")
		printf("%s\"%zu\": %.2f", comma, sizes[i], time_of(copy, sizes[i]));
	printf("}, \"memcpy_from_other_cpu_1MiB_ns\": %.1f}\n", time_of_crossing(most, cpus));
	return 0;
}
