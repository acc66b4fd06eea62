/* SPDX-License-Identifier: Apache-2.0 */
/*
 * hostile.c - a peer that scribbles while ours go on.
 *
 *   hostile [ROUNDS [SEED]]
 *
 * A thread has the region mapped to write, through a mapping of its own, and
 * stores words where they hurt: for a while all over the place, then again and
 * again at one place, the old and a wrong word in turn, which is what finds a
 * value that is loaded twice.  A writer and a reader of ours open the channel,
 * work, close it, and begin again.  Each call has to return in time, and with
 * something that lies inside; how little of it makes sense is the enemy's doing.
 */
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "guard.h"
#include "target.h"
#include "wait.h"

#define OPERATIONS 400
/* Each call waits 20 us at most; the rest is for sanitizers and a busy machine. */
#define SLOW_NS INT64_C(5000000000)

static struct {
	uint8_t *scratch; /* as the enemy has it */
	uint8_t *pristine;
	size_t bytes;
	unsigned int kind;
	atomic_bool stop;
	atomic_uint coming; /* of the actors, who have not tried to open it yet */
	atomic_ulong stores, operations, refused;
	_Atomic int64_t slowest_ns;
} arena;

struct actor {
	uint64_t random;
	bool writes;
};

static void store(size_t at, uint64_t value)
{
	memcpy(arena.scratch + at, &value, sizeof(value));
	__asm__ volatile("" ::: "memory");
}

static uint64_t load(size_t at)
{
	uint64_t value;

	memcpy(&value, arena.scratch + at, sizeof(value));
	return value;
}

/* The old and a wrong word in turn, as fast as it goes. */
static void hammer(size_t at, uint64_t *random)
{
	uint64_t right = load(at), wrong = fuzz_value(right, random);

	for (int i = 0; i < 20000 && !atomic_load(&arena.stop); i++)
		store(at, i % 2 ? right : wrong);
	atomic_fetch_add(&arena.stores, 20000);
}

/* Every other time he lets them in: else he may be so fast that nobody ever gets there. */
static void *enemy(void *arg)
{
	uint64_t *random = arg;
	bool lets_in = fuzz_random(random) % 2;

	while (lets_in && atomic_load(&arena.coming) != 0)
		sched_yield();
	while (!atomic_load(&arena.stop)) {
		size_t at = fuzz_aim(arena.scratch, arena.bytes, random);

		/* Retired, everybody would only go home. */
		if (at / 8 == offsetof(struct region_shared, state.retired) / 8)
			continue;
		if (fuzz_random(random) % 512 == 0) {
			hammer(at, random);
			continue;
		}
		store(at, fuzz_value(load(at), random));
		atomic_fetch_add(&arena.stores, 1);
	}
	return NULL;
}

static void timed(void (*some)(void *, unsigned int), void *ch, unsigned int op)
{
	int64_t from = wait_now_ns(), took;

	some(ch, op);
	took = wait_now_ns() - from;
	if (took > atomic_load(&arena.slowest_ns))
		atomic_store(&arena.slowest_ns, took); /* of two at a time, either will do */
	atomic_fetch_add(&arena.operations, 1);
}

/* The same for all kinds: open, OPERATIONS times some, close. */
#define DEFINE_WORK(kind, writer, reader, write_some, read_some)                                   \
	static void kind##_write(void *ch, unsigned int op)                                        \
	{                                                                                          \
		write_some(ch, op);                                                                \
	}                                                                                          \
	static void kind##_read(void *ch, unsigned int op)                                         \
	{                                                                                          \
		read_some(ch, op);                                                                 \
	}                                                                                          \
	static void kind##_work(struct actor *a, const struct coshm_open_opts *o)                  \
	{                                                                                          \
		struct coshm_##kind *ch;                                                           \
		int rc = coshm_##kind##_open(FUZZ_NAME, a->writes ? (writer) : (reader), o, &ch);  \
                                                                                                   \
		atomic_fetch_sub(&arena.coming, 1);                                                \
		check_rc(rc);                                                                      \
		if (rc < 0) {                                                                      \
			atomic_fetch_add(&arena.refused, 1);                                       \
			return;                                                                    \
		}                                                                                  \
		for (int i = 0; i < OPERATIONS; i++)                                               \
			timed(a->writes ? kind##_write : kind##_read, ch,                          \
			      (unsigned int)(fuzz_random(&a->random) >> 40));                      \
		coshm_##kind##_close(ch);                                                          \
	}

DEFINE_WORK(latest, COSHM_PUBLISHER, COSHM_SUBSCRIBER, latest_publish_some, latest_read_some)
DEFINE_WORK(stream, COSHM_PUBLISHER, COSHM_SUBSCRIBER, stream_publish_some, stream_read_some)
DEFINE_WORK(queue, COSHM_PRODUCER, COSHM_CONSUMER, queue_push_some, queue_take_some)

static void *work(void *arg)
{
	struct actor *a = arg;
	struct coshm_open_opts o = { .size = sizeof(o),
				     .wait = fuzz_random(&a->random) % 3,
				     .flags = fuzz_random(&a->random) % 2 ? COSHM_OPEN_OLDEST : 0 };
	struct coshm_peer peers[LAYOUT_PEERS];
	struct coshm_info info;

	check_rc(coshm_info_read(NULL, FUZZ_NAME, &info));
	check_rc(coshm_peers_read(NULL, FUZZ_NAME, 0, peers, LAYOUT_PEERS));
	if (arena.kind == LAYOUT_LATEST)
		latest_work(a, &o);
	else if (arena.kind == LAYOUT_STREAM)
		stream_work(a, &o);
	else
		queue_work(a, &o);
	return NULL;
}

static void open_arena(const uint8_t *input, size_t size)
{
	char path[256];
	int fd;

	snprintf(path, sizeof(path), "%s/" FUZZ_NAME, fuzz_dir());
	fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	arena.bytes = size - FUZZ_IMAGE;
	arena.kind = input[1];
	arena.pristine = malloc(arena.bytes);
	if (fd < 0 || !arena.pristine || ftruncate(fd, (off_t)arena.bytes) < 0)
		abort();
	memcpy(arena.pristine, input + FUZZ_IMAGE, arena.bytes);
	arena.scratch = mmap(NULL, arena.bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (arena.scratch == MAP_FAILED)
		abort();
	close(fd);
	atomic_store(&arena.stores, 0);
	atomic_store(&arena.operations, 0);
	atomic_store(&arena.refused, 0);
	atomic_store(&arena.slowest_ns, 0);
}

static void close_arena(void)
{
	char path[256];

	snprintf(path, sizeof(path), "%s/" FUZZ_NAME, fuzz_dir());
	munmap(arena.scratch, arena.bytes);
	unlink(path);
	free(arena.pristine);
}

/* As it was before; the header last, so that it has its checksum for a moment. */
static void round_of(uint64_t *random)
{
	struct actor actors[3];
	pthread_t scribbler, threads[3];
	uint64_t seed = fuzz_random(random);

	memcpy(arena.scratch, arena.pristine, arena.bytes);
	atomic_store(&arena.stop, false);
	atomic_store(&arena.coming, 3);
	for (unsigned int i = 0; i < 3; i++) {
		actors[i] = (struct actor){ .random = fuzz_random(random), .writes = i == 0 };
		if (pthread_create(&threads[i], NULL, work, &actors[i]) != 0)
			abort();
	}
	if (pthread_create(&scribbler, NULL, enemy, &seed) != 0)
		abort();
	for (unsigned int i = 0; i < 3; i++)
		pthread_join(threads[i], NULL);
	atomic_store(&arena.stop, true);
	pthread_join(scribbler, NULL);
}

int main(int argc, char **argv)
{
	unsigned long rounds = argc > 1 ? strtoul(argv[1], NULL, 10) : 20;
	uint64_t random = argc > 2 ? strtoull(argv[2], NULL, 10) * 2 + 1 : 1;
	static uint8_t input[FUZZ_MAX];
	const char *name;
	unsigned int i;
	int failed = 0;
	size_t size;

	setvbuf(stdout, NULL, _IOLBF, 0);
	for (i = 0; (size = fuzz_seed(i, input, FUZZ_MAX, &name)) != 0; i++) {
		bool ok;

		open_arena(input, size);
		for (unsigned long n = 0; n < rounds; n++) {
			alarm(120);
			round_of(&random);
		}
		alarm(0);
		ok = arena.slowest_ns < SLOW_NS && arena.operations != 0 && guard_count() != 0;
		failed |= !ok;
		printf("%s %u %s: %lu calls under %lu stores, the slowest took %lld us; %lu "
		       "openings refused\n",
		       ok ? "ok" : "not ok", i + 1, name, arena.operations, arena.stores,
		       (long long)(arena.slowest_ns / 1000), arena.refused);
		close_arena();
	}
	printf("1..%u\n", i);
	return failed;
}
