/* SPDX-License-Identifier: Apache-2.0 */
/*
 * soak_restart.c - a subscriber that outlives many publishers; see soak.h.
 *
 * Each publisher opens the channel, publishes one message, and closes it or
 * dies.  All that while, the subscriber must not come to have more descriptors,
 * mappings or memory.
 */
#include <dirent.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "soak.h"

#define WARM_UP 32u         /* what comes with the first ones stays: the allocator's memory */
#ifdef __SANITIZE_ADDRESS__ /* it keeps what was freed for a while, and notes on it */
#define MEMORY_MORE_KB 1024
#else
#define MEMORY_MORE_KB 16 /* a few pages, and no thousand */
#endif

struct belongings {
	int descriptors, mappings;
	long memory_kb;
};

static int count_descriptors(void)
{
	DIR *d = opendir("/proc/self/fd");
	int n = 0;

	while (d && readdir(d))
		n++;
	if (d)
		closedir(d);
	return n;
}

/* The lines of a file; the number behind @word, where a line begins with it. */
static int count_lines(const char *path, const char *word, long *number)
{
	FILE *f = fopen(path, "re");
	char line[512];
	int n = 0;

	soak_must(f, "%s cannot be read", path);
	for (; fgets(line, sizeof(line), f); n++)
		if (word && strncmp(line, word, strlen(word)) == 0)
			*number = strtol(line + strlen(word), NULL, 10);
	fclose(f);
	return n;
}

static struct belongings look(void)
{
	struct belongings b = { 0 };

	b.descriptors = count_descriptors();
	b.mappings = count_lines("/proc/self/maps", NULL, NULL);
	/* Not statm, which may lag behind by some dozen pages. */
	count_lines("/proc/self/smaps_rollup", "Rss:", &b.memory_kb);
	return b;
}

static void publisher(uint64_t number)
{
	bool dies = number % 2 == 1;
	int status = 0;
	pid_t pid = fork();

	soak_must(pid >= 0, "no process for publisher %llu", (unsigned long long)number);
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		soaking->live(number, dies);
		if (dies)
			raise(SIGKILL);
		_exit(0);
	}
	waitpid(pid, &status, 0);
	soak_must(dies ? WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL : status == 0,
		  "publisher %llu ended with status 0x%x", (unsigned long long)number,
		  (unsigned int)status);
}

void soak_restarts(unsigned int restarts)
{
	struct belongings before = { 0 }, after;
	void *ch = soaking->listen();

	for (uint64_t number = 0; number < WARM_UP + restarts; number++) {
		if (number >= WARM_UP - 1 && number <= WARM_UP)
			before = look(); /* twice: to look takes memory as well */
		publisher(number);
		soaking->hear(ch, number);
	}
	after = look();
	soak_must(after.descriptors == before.descriptors && after.mappings == before.mappings &&
			  after.memory_kb <= before.memory_kb + MEMORY_MORE_KB,
		  "%d descriptors, %d mappings, %ld KiB at first, %d, %d and %ld at last",
		  before.descriptors, before.mappings, before.memory_kb, after.descriptors,
		  after.mappings, after.memory_kb);
	soaking->leave(ch);
}
