/* SPDX-License-Identifier: Apache-2.0 */
/*
 * table.c - open the directory's table, and give memory to its areas as they fill.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "create.h"
#include "real.h"
#include "table.h"
#include "token.h"

/* What an area gets at once; on a disk, too, no hole is ever touched. */
#define STEP_BYTES 0x1000u

static struct table table;
static struct stat table_stat;
static char
	folder_path[4096 + sizeof(SYSV_FOLDER)]; /* absolute: the program may change directory */
#define FILE_PATH_BYTES (sizeof(folder_path) + OBJECT_NAME_BYTES)
static _Atomic int table_state; /* 0: not tried, 1: open */
static pthread_mutex_t opening = PTHREAD_MUTEX_INITIALIZER;

static const struct area {
	uint64_t at;
	uint32_t entry_bytes;
} areas[SYSV_AREAS] = {
	[SYSV_AREA_TOKENS] = { SYSV_TOKENS_AT, sizeof(struct sysv_token_shared) },
	[SYSV_AREA_ATTACHES] = { SYSV_ATTACHES_AT, 8 },
	[SYSV_AREA_PATHS] = { SYSV_PATHS_AT, 8 },
	[SYSV_AREA_KEYS + SYSV_SHM] = { SYSV_KEYS_AT, 4 },
	[SYSV_AREA_KEYS + SYSV_SEM] = { SYSV_KEYS_AT + 0x20000, 4 },
	[SYSV_AREA_KEYS + SYSV_MSG] = { SYSV_KEYS_AT + 0x40000, 4 },
	[SYSV_AREA_SLOTS + SYSV_SHM] = { SYSV_SLOTS_AT, sizeof(struct sysv_slot_shared) },
	[SYSV_AREA_SLOTS +
		SYSV_SEM] = { SYSV_SLOTS_AT + 0x400000, sizeof(struct sysv_slot_shared) },
	[SYSV_AREA_SLOTS +
		SYSV_MSG] = { SYSV_SLOTS_AT + 0x800000, sizeof(struct sysv_slot_shared) },
};

int64_t now_s(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME_COARSE, &now); /* as the kernel's own times */
	return now.tv_sec;
}

int table_folder(void)
{
	int fd = open(folder_path, O_PATH | O_DIRECTORY | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

static void in_folder(const char *name, char path[FILE_PATH_BYTES])
{
	stpcpy(stpcpy(stpcpy(path, folder_path), "/"), name);
}

int table_folder_unlink(const char *name)
{
	char path[FILE_PATH_BYTES];

	in_folder(name, path);
	return unlink(path) < 0 ? -errno : 0;
}

int table_folder_file(const char *name, int flags)
{
	char path[FILE_PATH_BYTES];
	int fd;

	in_folder(name, path);
	fd = open(path, flags | O_NOFOLLOW | O_CLOEXEC, 0600);
	return fd < 0 ? -errno : fd;
}

static int open_table(void)
{
	return table_folder_file(SYSV_TABLE_NAME, O_RDWR);
}

bool table_is(const struct stat *st)
{
	return st->st_dev == table_stat.st_dev && st->st_ino == table_stat.st_ino;
}

/* Another table in its place would have other locks: ours is gone then. */
int table_file(void)
{
	struct stat st;
	int fd = open_table();

	if (fd >= 0 && (fstat(fd, &st) < 0 || !table_is(&st))) {
		close(fd);
		return -ESTALE;
	}
	return fd;
}

static int check(int fd, struct sysv_header_shared *h, struct stat *st)
{
	if (fstat(fd, st) < 0)
		return -errno;
	if (!S_ISREG(st->st_mode) || (uint64_t)st->st_size < SYSV_TABLE_BYTES ||
	    pread(fd, h, sizeof(*h), 0) != (ssize_t)sizeof(*h) || h->magic != SYSV_MAGIC ||
	    h->checksum != sysv_checksum(h, offsetof(struct sysv_header_shared, checksum)))
		return -EINVAL;
	if (h->version != SYSV_VERSION)
		return -EPROTO;
	return sysv_limits_check(&h->limits) ? -EINVAL : 0;
}

static void use(unsigned char *base, const struct sysv_limits *limits)
{
	const uint32_t objects[SYSV_KINDS] = { limits->shmmni, limits->semmni, limits->msgmni };

	table.limits = *limits;
	table.control = (void *)(base + SYSV_TABLE_CONTROL);
	table.tokens = (void *)(base + areas[SYSV_AREA_TOKENS].at);
	table.attaches = (void *)(base + areas[SYSV_AREA_ATTACHES].at);
	table.paths = (void *)(base + areas[SYSV_AREA_PATHS].at);
	table.max[SYSV_AREA_TOKENS] = SYSV_TOKENS;
	table.max[SYSV_AREA_ATTACHES] = SYSV_ATTACHES;
	table.max[SYSV_AREA_PATHS] = SYSV_PATHS;
	for (int kind = 0; kind < SYSV_KINDS; kind++) {
		table.keys[kind] = (void *)(base + areas[SYSV_AREA_KEYS + kind].at);
		table.slots[kind] = (void *)(base + areas[SYSV_AREA_SLOTS + kind].at);
		table.max[SYSV_AREA_KEYS + kind] = objects[kind];
		table.max[SYSV_AREA_SLOTS + kind] = objects[kind];
	}
}

static int open_or_make(const char *dir)
{
	struct sysv_limits limits;
	int fd = open_table(), err;

	if (fd != -ENOENT)
		return fd;
	sysv_limits_default(&limits);
	err = sysv_table_create(dir, &limits);
	return err < 0 && err != -EEXIST ? err : open_table();
}

static int open_first(void)
{
	struct sysv_header_shared header;
	const char *dir = shim_dir();
	void *base = MAP_FAILED;
	int fd, err;

	if (!dir || strlen(dir) >= 4096)
		return -ENOSYS;
	stpcpy(stpcpy(folder_path, dir), "/" SYSV_FOLDER);
	fd = open_or_make(dir);
	if (fd < 0)
		return fd;
	err = check(fd, &header, &table_stat);
	if (err == 0)
		base = mmap(NULL, SYSV_TABLE_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (err == 0 && base == MAP_FAILED)
		err = -errno;
	close(fd);
	if (err == 0)
		err = token_setup();
	if (err == 0)
		use(base, &header.limits);
	else if (base != MAP_FAILED)
		munmap(base, SYSV_TABLE_BYTES);
	return err;
}

const struct table *table_open(void)
{
	sigset_t signals;
	int err = 0, cancel;

	if (__builtin_expect(atomic_load_explicit(&table_state, memory_order_acquire) == 1, 1))
		return &table;
	fork_setup();
	signals_block(&signals); /* a handler would wait for the thread that it interrupted */
	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &cancel);
	pthread_mutex_lock(&opening);
	/* Relaxed: we hold the mutex of all who store it. */
	if (atomic_load_explicit(&table_state, memory_order_relaxed) == 0)
		err = open_first();
	if (err == 0)
		atomic_store_explicit(&table_state, 1, memory_order_release);
	pthread_mutex_unlock(&opening);
	pthread_setcancelstate(cancel, NULL);
	signals_restore(&signals);
	if (err < 0) {
		errno = -err;
		return NULL;
	}
	return &table;
}

void table_fork_prepare(void)
{
	pthread_mutex_lock(&opening);
}

void table_fork_done(void)
{
	pthread_mutex_unlock(&opening);
}

uint32_t table_backed(enum sysv_area area)
{
	/* Relaxed: what lies in an entry has a store of its own that says so. */
	uint32_t backed = atomic_load_explicit(&table.control->backed[area], memory_order_relaxed);

	return backed < table.max[area] ? backed : table.max[area];
}

int table_allocate(int fd, uint64_t at, uint64_t bytes)
{
	int err;

	do /* a stop, for one, makes tmpfs give up */
		err = posix_fallocate(fd, (off_t)at, (off_t)bytes);
	while (err == EINTR);
	return err == ENOSPC ? -ENOMEM : -err;
}

/* Allocating twice does no harm, so racing callers need no lock. */
int table_back(enum sysv_area area, uint32_t index)
{
	const struct area *a = &areas[area];
	uint32_t backed = table_backed(area), step = STEP_BYTES / a->entry_bytes, end;
	int fd, err;

	if (index < backed)
		return 0;
	if (index >= table.max[area])
		return -ENOSPC;
	end = (index / step + 1) * step;
	fd = table_file();
	if (fd < 0)
		return fd;
	err = table_allocate(fd, a->at + (uint64_t)backed * a->entry_bytes,
			     (uint64_t)(end - backed) * a->entry_bytes);
	close(fd);
	if (err < 0)
		return err;
	/* Relaxed, both: as in table_backed(). */
	while (backed < end &&
	       !atomic_compare_exchange_weak_explicit(&table.control->backed[area], &backed, end,
						      memory_order_relaxed, memory_order_relaxed))
		;
	return 0;
}
