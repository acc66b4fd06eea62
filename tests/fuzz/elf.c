/* SPDX-License-Identifier: Apache-2.0 */
/*
 * elf.c - damages ELF files and caches of libraries where it hurts, has them
 * read, and uses all that is given back.
 *
 *   fuzz_elf [INPUTS [SEED]]   a test in TAP: so many of each
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "elf_scene.h"
#include "fuzz.h"
#include "ipc_calls.h"
#include "ld_cache.h"

/* An input that does not end is a failure, too; no single one takes a second. */
#define HANG_SECONDS 60

static volatile size_t used; /* so that it is */

static void use_text(const char *text)
{
	if (text)
		used += strlen(text);
}

static void use_elf(struct memory *m, const char *path)
{
	struct elf_needs needs;
	unsigned int count;
	struct elf elf;

	if (elf_read_path(m, path, &elf) < 0)
		return;
	use_text(elf.interpreter);
	use_text(elf.rpath);
	use_text(elf.runpath);
	for (unsigned int i = 0; i < elf.undefined_count; i++)
		use_text(elf.undefined[i]);
	if (elf_needs(m, path, &elf, &needs) == 0)
		ipc_calls_find(m, &needs, &count);
}

static void use_cache(struct memory *m, const char *path)
{
	struct ld_cache cache = ld_cache_read(m, path);

	for (unsigned int n = 0; n < 4; n++)
		use_text(ld_cache_find(&cache, "libone.so", n));
	use_text(ld_cache_find(&cache, "", 0));
}

/* Words of each width, with a small, a near or an extreme value; or a byte; or cut off. */
static size_t damage(unsigned char *bytes, size_t count, uint64_t *random)
{
	static const uint64_t extremes[] = { 0,          1,         UINT16_MAX, INT32_MAX,
					     UINT32_MAX, INT64_MAX, UINT64_MAX, (uint64_t)1 << 32 };
	uint64_t r = fuzz_random(random), value;
	size_t width = (size_t)1 << (r >> 8) % 4, at = (r >> 16) % (count / width) * width;

	if (r % 16 == 0)
		return at + 1;
	memcpy(&value, bytes + (count < 8 ? 0 : at < count - 8 ? at : count - 8), sizeof(value));
	if (r % 4 == 0)
		value = extremes[(r >> 40) % (sizeof(extremes) / sizeof(extremes[0]))];
	else if (r % 4 == 1)
		value = fuzz_random(random) % (2 * count);
	else if (r % 4 == 2)
		value += (r >> 40) % 65 - 32;
	else
		value ^= (uint64_t)1 << (r >> 40) % 64;
	memcpy(bytes + at, &value, width);
	return count;
}

static void fuzz(const char *name, const void *seed, size_t count,
		 void (*use)(struct memory *, const char *), unsigned long inputs, uint64_t random)
{
	static unsigned char bytes[4096];
	int fd = memfd_create(name, MFD_CLOEXEC);
	char path[64];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	for (unsigned long i = 0; i < inputs; i++) {
		struct memory *m = memory_new();
		size_t length = count;

		memcpy(bytes, seed, count);
		for (unsigned long n = 0; i != 0 && n <= fuzz_random(&random) % 4; n++)
			length = length < 8 ? length : damage(bytes, length, &random);
		if (!m || ftruncate(fd, 0) < 0 || pwrite(fd, bytes, length, 0) != (ssize_t)length)
			abort();
		alarm(HANG_SECONDS);
		use(m, path);
		memory_free(m);
	}
	alarm(0);
	close(fd);
}

int main(int argc, char **argv)
{
	unsigned long inputs = argc > 1 ? strtoul(argv[1], NULL, 10) : 500;
	uint64_t random = argc > 2 ? strtoull(argv[2], NULL, 10) : 1;
	struct cache_scene cache = cache_scene_make();
	struct elf_scene elf = elf_scene_make();

	setvbuf(stdout, NULL, _IOLBF, 0);
	fuzz("elf", &elf, sizeof(elf), use_elf, inputs, random | 1);
	printf("ok 1 elf: %lu damaged files\n", inputs);
	fuzz("cache", &cache, sizeof(cache), use_cache, inputs, random | 1);
	printf("ok 2 ld.so.cache: %lu damaged files\n1..2\n", inputs);
	return 0;
}
