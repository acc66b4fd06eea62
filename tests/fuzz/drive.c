/* SPDX-License-Identifier: Apache-2.0 */
/*
 * drive.c - the target without libFuzzer: a fixed number of inputs from a fixed
 * seed, with any compiler, as a test; or the start corpus, written to files.
 *
 *   fuzz_region [INPUTS [SEED]]   a test in TAP
 *   fuzz_region --write DIR       the start corpus
 *   fuzz_region --play FILE...    single inputs again
 */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fuzz.h"
#include "guard.h"

/* An input that does not end is a failure, too; no single one takes a second. */
#define HANG_SECONDS 60

static uint8_t input[FUZZ_MAX], seed[FUZZ_MAX];

static int write_corpus(const char *dir)
{
	const char *name;
	size_t size;

	for (unsigned int i = 0; (size = fuzz_seed(i, seed, FUZZ_MAX, &name)) != 0; i++) {
		char path[512];
		FILE *f;

		snprintf(path, sizeof(path), "%s/%s", dir, name);
		f = fopen(path, "we");
		if (!f || fwrite(seed, 1, size, f) != size || fclose(f) != 0) {
			perror(path);
			return 1;
		}
	}
	return 0;
}

static int play(const char *path)
{
	FILE *f = fopen(path, "re");
	size_t size;

	if (!f) {
		perror(path);
		return 1;
	}
	size = fread(input, 1, FUZZ_MAX, f);
	fclose(f);
	return LLVMFuzzerTestOneInput(input, size);
}

/* What made it fail is on standard error, as the sanitizer or the signal left it. */
static void fuzz_from(size_t size, unsigned long inputs, uint64_t random)
{
	for (unsigned long i = 0; i < inputs; i++) {
		size_t now = size;

		memcpy(input, seed, size);
		if (i != 0) /* the first one as it is */
			now = fuzz_mutate(input, size, FUZZ_MAX, &random);
		alarm(HANG_SECONDS);
		LLVMFuzzerTestOneInput(input, now);
	}
	alarm(0);
}

static int count_fds(void)
{
	DIR *d = opendir("/proc/self/fd");
	int n = 0;

	while (d && readdir(d))
		n++;
	if (d)
		closedir(d);
	return n;
}

int main(int argc, char **argv)
{
	int fds = count_fds();
	unsigned long inputs = argc > 1 ? strtoul(argv[1], NULL, 10) : 500;
	uint64_t random = argc > 2 ? strtoull(argv[2], NULL, 10) : 1;
	unsigned int i;
	const char *name;
	size_t size;

	if (argc == 3 && strcmp(argv[1], "--write") == 0)
		return write_corpus(argv[2]);
	if (argc > 2 && strcmp(argv[1], "--play") == 0) {
		for (int a = 2; a < argc; a++)
			if (play(argv[a]) != 0)
				return 1;
		return 0;
	}
	setvbuf(stdout, NULL, _IOLBF, 0);
	for (i = 0; (size = fuzz_seed(i, seed, FUZZ_MAX, &name)) != 0; i++) {
		fuzz_from(size, inputs, random + 2 * i + 1);
		printf("ok %u %s: %lu damaged regions\n", i + 1, name, inputs);
	}
	printf("%s %u all of it happened between walls: %lu mappings\n",
	       guard_count() ? "ok" : "not ok", i + 1, guard_count());
	printf("%s %u no descriptor is left\n", count_fds() == fds ? "ok" : "not ok", i + 2);
	printf("1..%u\n", i + 2);
	return guard_count() == 0 || count_fds() != fds;
}
