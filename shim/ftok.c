/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ftok.c - the same path and project id give the same key in every container.
 *
 * libc's ftok takes inode and device, which differ from container to container.
 * Here the path gives the key; and the table remembers for each path what key it
 * gave, so that a program in a container where the file is not visible, or is a
 * symbolic link to somewhere else, finds the key of whoever asked first.
 *
 * A word of the list: bits 63 to 24 of the path's hash, bits 23 to 0 the key's
 * lower ones; 0: nothing.  It is written once and never removed.
 */
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ipc.h>
#include <unistd.h>

#include "call.h"
#include "create.h"
#include "real.h"
#include "table.h"

#define KEY_BITS 24
#define KEY_MASK ((UINT64_C(1) << KEY_BITS) - 1)

/* Take away the last part of a path; its first slash stays. */
static size_t up(const char *path, size_t end)
{
	while (end > 0 && path[end - 1] != '/')
		end--;
	return end > 1 ? end - 1 : end;
}

/* @path from the root, without ".", "..", double slashes, and without a look at what is there. */
static int absolute(const char *path, char to[PATH_MAX])
{
	size_t end = 0;

	if (*path == '\0')
		return -ENOENT;
	to[0] = '\0';
	if (*path != '/') {
		if (!getcwd(to, PATH_MAX))
			return -errno;
		end = strcmp(to, "/") == 0 ? 0 : strlen(to);
	}
	while (*path) {
		size_t part = strcspn(path, "/");

		if (part == 2 && path[0] == '.' && path[1] == '.') {
			end = up(to, end);
			end = end == 1 ? 0 : end;
		} else if (part > 0 && !(part == 1 && *path == '.')) {
			if (end + part + 2 > PATH_MAX)
				return -ENAMETOOLONG;
			to[end++] = '/';
			memcpy(to + end, path, part);
			end += part;
		}
		path += part;
		path += strspn(path, "/");
	}
	if (end == 0)
		to[end++] = '/';
	to[end] = '\0';
	return 0;
}

static uint64_t hash(const char *path)
{
	uint64_t sum = sysv_checksum(path, strlen(path));

	return (sum ^ sum >> 32) & ~KEY_MASK ? sum : ~sum;
}

/* The key that a path gives by itself; not 0, which with project id 0 would be IPC_PRIVATE. */
static uint32_t own_key(const char *path)
{
	uint64_t sum = hash(path);
	uint32_t key = (uint32_t)((sum ^ sum >> KEY_BITS ^ sum >> (2 * KEY_BITS)) & KEY_MASK);

	return key ? key : 1;
}

/*
 * remembered - what @path gave the first time; @key, which is remembered from now on unless
 * it is 0, if there was none; 0 if there is none at all.
 */
static uint32_t remembered(const char *path, uint32_t key)
{
	const struct table *table = table_open();
	uint64_t name = hash(path) & ~KEY_MASK;
	uint32_t start = (uint32_t)(name >> KEY_BITS) % SYSV_PATHS;

	for (uint32_t i = 0; i < SYSV_PATHS; i++) {
		uint32_t at = (start + i) % SYSV_PATHS;
		uint64_t word = 0;

		if (table_back(SYSV_AREA_PATHS, at) < 0)
			break;
		/* Relaxed, both: the word is all there is. */
		if (key == 0)
			word = atomic_load_explicit(&table->paths[at], memory_order_relaxed);
		else
			atomic_compare_exchange_strong_explicit(&table->paths[at], &word,
								name | key, memory_order_relaxed,
								memory_order_relaxed);
		if ((word & ~KEY_MASK) == name)
			return (uint32_t)(word & KEY_MASK);
		if (word == 0)
			return key;
	}
	return key; /* the list is full: the path alone decides */
}

static int key_of(const char *path, uint32_t *key)
{
	char name[PATH_MAX], real[PATH_MAX];
	int err = absolute(path, name);

	if (err < 0)
		return err;
	*key = remembered(name, 0);
	if (*key != 0)
		return 0;
	if (!realpath(path, real))
		return -errno;
	*key = remembered(name, remembered(real, own_key(real)));
	return 0;
}

SHIM_EXPORT key_t ftok(const char *path, int project_id)
{
	uint32_t key;
	int err;

	if (!shim_dir())
		return REAL(ftok)(path, project_id);
	if (!table_open())
		return -1;
	err = key_of(path, &key);
	return err < 0 ? answer(err) : (key_t)((uint32_t)project_id << KEY_BITS | key);
}
