/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ld_cache.c - see ld_cache.h.
 *
 * The format is glibc's "glibc-ld.so.cache1.1", alone or behind one of an older
 * kind (ldconfig -c compat).  Texts are offsets from its beginning.
 */
#include "ld_cache.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define CACHE_BYTES_MAX ((off_t)16 << 20)
#define CACHE_MAGIC     "glibc-ld.so.cache1.1"

struct cache_head {
	char magic[sizeof(CACHE_MAGIC) - 1];
	uint32_t entries;
	uint32_t text_bytes;
	uint32_t unused[5];
};

struct cache_entry {
	int32_t flags;
	uint32_t name, path;
	uint32_t unused;
	uint32_t hardware[2]; /* one number; in two parts, as entries begin at multiples of 4 */
};

_Static_assert(sizeof(struct cache_head) == 48, "format");
_Static_assert(sizeof(struct cache_entry) == 24, "format");

struct ld_cache ld_cache_read(struct memory *m, const char *path)
{
	struct ld_cache none = { 0 }, cache = none;
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	unsigned char *bytes = NULL, *magic;
	struct stat st;

	if (fd < 0)
		return none;
	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_size <= CACHE_BYTES_MAX)
		bytes = memory_get(m, (size_t)st.st_size + 1); /* and a 0 behind the last text */
	if (bytes && TEMP_FAILURE_RETRY(read(fd, bytes, (size_t)st.st_size)) == st.st_size) {
		magic = memmem(bytes, (size_t)st.st_size, CACHE_MAGIC, sizeof(CACHE_MAGIC) - 1);
		if (magic)
			cache = (struct ld_cache){ .bytes = magic,
						   .count = (size_t)(bytes + st.st_size - magic) };
	}
	close(fd);
	return cache;
}

const char *ld_cache_find(const struct ld_cache *cache, const char *name, unsigned int nth)
{
	struct cache_entry entry;
	struct cache_head head;
	size_t at = sizeof(head);

	if (cache->count < sizeof(head))
		return NULL;
	memcpy(&head, cache->bytes, sizeof(head));
	for (uint32_t i = 0; i < head.entries && cache->count - at >= sizeof(entry);
	     i++, at += sizeof(entry)) {
		memcpy(&entry, cache->bytes + at, sizeof(entry));
		if (entry.name < cache->count && entry.path < cache->count &&
		    strcmp((const char *)cache->bytes + entry.name, name) == 0 && nth-- == 0)
			return (const char *)cache->bytes + entry.path;
	}
	return NULL;
}
