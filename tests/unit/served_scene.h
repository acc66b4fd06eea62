/* SPDX-License-Identifier: Apache-2.0 */
/*
 * served_scene.h - a table of a directory that `coshm run` serves, by hand: bytes in
 * memory, which a test changes and writes into DIR/.sysv.
 */
#ifndef COSHM_TEST_SERVED_SCENE_H
#define COSHM_TEST_SERVED_SCENE_H

#include <assert.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "layout_sysv.h"

/* No lock is taken here and nobody else looks: plain stores would do. */
#define SERVED_STORE(to, value) atomic_store_explicit(&(to), (value), memory_order_relaxed)

struct served_scene {
	unsigned char *base; /* all of the table, mapped */
	int folder;          /* DIR/.sysv                */
	int table;
};

static inline struct sysv_header_shared *served_head(const struct served_scene *t)
{
	return (void *)t->base;
}

static inline struct sysv_control_shared *served_control(const struct served_scene *t)
{
	return (void *)(t->base + SYSV_TABLE_CONTROL);
}

static inline struct sysv_token_shared *served_token(const struct served_scene *t, uint32_t i)
{
	return (struct sysv_token_shared *)(void *)(t->base + SYSV_TOKENS_AT) + i;
}

static inline struct sysv_slot_shared *served_slot(const struct served_scene *t,
						   enum sysv_kind kind, uint32_t i)
{
	return (struct sysv_slot_shared *)(void *)(t->base + SYSV_SLOTS_AT + kind * 0x400000u) + i;
}

static inline void served_attach(const struct served_scene *t, uint32_t record, uint64_t word)
{
	((uint64_t *)(void *)(t->base + SYSV_ATTACHES_AT))[record] = word;
}

static inline void served_sum(const struct served_scene *t)
{
	uint64_t sum = UINT64_C(0xcbf29ce484222325);

	for (size_t i = 0; i < offsetof(struct sysv_header_shared, checksum); i++)
		sum = (sum ^ t->base[i]) * UINT64_C(0x100000001b3);
	served_head(t)->checksum = sum;
}

/* An empty one, with room for some of everything. */
static inline void served_fill(const struct served_scene *t)
{
	*served_head(t) = (struct sysv_header_shared){
		.magic = SYSV_MAGIC,
		.version = SYSV_VERSION,
		.page_bytes = 0x10000,
		.limits = { .shmmni = 4096, .semmni = 4096, .msgmni = 4096 },
	};
	for (int area = 0; area < SYSV_AREAS; area++)
		SERVED_STORE(served_control(t)->backed[area], 32);
	served_sum(t);
}

/* In @dir, which is there. */
static inline struct served_scene served_make(const char *dir)
{
	struct served_scene t;
	char path[4096];

	snprintf(path, sizeof(path), "%s/" SYSV_FOLDER, dir);
	assert(mkdir(path, 0700) == 0);
	t.folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	t.table = openat(t.folder, SYSV_TABLE_NAME, O_CREAT | O_RDWR | O_CLOEXEC, 0600);
	assert(t.table >= 0 && ftruncate(t.table, (off_t)SYSV_TABLE_BYTES) == 0);
	t.base = mmap(NULL, SYSV_TABLE_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, t.table, 0);
	assert(t.base != MAP_FAILED);
	served_fill(&t);
	return t;
}

static inline void served_file(const struct served_scene *t, const char *name, off_t bytes)
{
	int fd = openat(t->folder, name, O_CREAT | O_RDWR | O_CLOEXEC, 0600);

	assert(fd >= 0 && posix_fallocate(fd, 0, bytes) == 0);
	close(fd);
}

/* An object with its file, as if one of number @pid in PID namespace @ns had made it. */
static inline struct sysv_slot_shared *served_object_at(const struct served_scene *t,
							enum sysv_kind kind, uint32_t i,
							uint32_t state, uint64_t size)
{
	static const char *const prefixes[] = { "shm", "sem", "msg" };
	struct sysv_slot_shared *slot = served_slot(t, kind, i);
	char name[32];

	SERVED_STORE(slot->key, 0x1600 + i);
	SERVED_STORE(slot->perm[SYSV_WHICH(state)].mode, 0640);
	SERVED_STORE(slot->size, size);
	SERVED_STORE(slot->ctime_s, 1000);
	SERVED_STORE(slot->state, state);
	snprintf(name, sizeof(name), "%s-%d", prefixes[kind], SYSV_ID(SYSV_SEQUENCE(state), i));
	served_file(t, name, 4096);
	return slot;
}

static inline void served_end(struct served_scene *t, const char *dir)
{
	char command[4200];

	munmap(t->base, SYSV_TABLE_BYTES);
	close(t->table);
	close(t->folder);
	snprintf(command, sizeof(command), "rm -rf '%s/" SYSV_FOLDER "'", dir);
	assert(system(command) == 0);
}

#endif /* COSHM_TEST_SERVED_SCENE_H */
