/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_region.c - regions: made whole or not at all, checked once and for all.
 */
#define _GNU_SOURCE
#include "scene.h"

#include <sched.h>
#include <sys/mman.h>
#include <sys/mount.h>

#include "region.h"
#include "peer.h"

static const struct region_kind queue_kind = { .kind = LAYOUT_QUEUE };
static const struct region_kind stream_kind = { .kind = LAYOUT_STREAM };

static struct region_plan plan_of(const char *name)
{
	return (struct region_plan){ .name = name,
				     .geometry = { .kind = LAYOUT_QUEUE,
						   .slots = 4,
						   .slot_bytes = 64,
						   .value_bytes = 48,
						   .payload = 16 } };
}

static int create(const char *name)
{
	struct region_plan plan = plan_of(name);

	return region_create(&plan);
}

static int attach(struct region **r)
{
	return region_attach(&queue_kind, NAME, COSHM_CONSUMER, NULL, r);
}

static void test_made_found_removed(void **state)
{
	struct region *r = NULL;

	(void)state;
	assert_err(attach(&r), ENOENT, NAME);
	assert_null(r);
	assert_ok(create(NAME));
	assert_err(create(NAME), EEXIST, "there already");
	assert_ok(attach(&r));
	assert_int_equal(r->geometry.slots, 4);
	assert_err(coshm_remove(NULL, NAME), EBUSY, "in use by pid");
	region_detach(r);
	assert_ok(coshm_remove(NULL, NAME));
	assert_err(coshm_remove(NULL, NAME), ENOENT, NAME);
}

static void test_names(void **state)
{
	static const char *const bad[] = { "",    ".",   "..",   ".hidden",  "-dash", "a/b",
					   "a b", "a\n", "a\"b", "\xc3\xa4", "_under" };
	static const char *const good[] = { "a", "0", "a.b", "A-b_c.9" };
	char name[COSHM_NAME_MAX + 2];

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_err(create(bad[i]), EINVAL, "channel");
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		assert_ok(create(good[i]));
		assert_ok(coshm_remove(NULL, good[i]));
	}
	memset(name, 'n', sizeof(name));
	name[COSHM_NAME_MAX + 1] = '\0';
	assert_err(create(name), EINVAL, "longer");
	name[COSHM_NAME_MAX] = '\0';
	assert_ok(create(name));
	assert_ok(coshm_remove(NULL, name));
	assert_err(create(NULL), EINVAL, "name");
}

static void test_mode_whatever_the_umask(void **state)
{
	struct region_plan plan = plan_of(NAME);
	mode_t old = umask(0777);
	struct stat st;

	(void)state;
	assert_ok(region_create(&plan));
	assert_int_equal(stat(scene_path(NAME), &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_ok(coshm_remove(NULL, NAME));

	plan.opts.mode = 0666;
	plan.opts.flags = COSHM_CREATE_GROUP;
	plan.opts.group = getegid();
	assert_ok(region_create(&plan));
	umask(old);
	assert_int_equal(stat(scene_path(NAME), &st), 0);
	assert_int_equal(st.st_mode & 07777, 0666);
	assert_int_equal(st.st_gid, getegid());
	assert_ok(coshm_remove(NULL, NAME));

	plan.opts.mode = 04755;
	assert_err(region_create(&plan), EINVAL, "mode");
}

static void test_options_of_another_version(void **state)
{
	struct {
		struct coshm_open_opts known;
		uint64_t later;
	} o = { .known = { .size = sizeof(o) } };
	struct coshm_open_opts early = { .size = offsetof(struct coshm_open_opts, wait),
					 .wait = 99 };
	struct region *r;

	(void)state;
	assert_ok(create(NAME));
	assert_ok(region_attach(&queue_kind, NAME, COSHM_CONSUMER, &o.known, &r));
	region_detach(r);
	o.later = 1;
	assert_err(region_attach(&queue_kind, NAME, COSHM_CONSUMER, &o.known, &r), EINVAL,
		   "option");
	assert_ok(region_attach(&queue_kind, NAME, COSHM_CONSUMER, &early, &r));
	assert_int_equal(r->wait, 0);
	region_detach(r);
	assert_ok(coshm_remove(NULL, NAME));
}

static void test_types_are_compared(void **state)
{
	struct coshm_type type = { .name = "quote", .bytes = 40, .align = 8, .version = 2 };
	struct region_plan plan = plan_of(NAME);
	struct coshm_open_opts o = { .size = sizeof(o), .type = type };
	struct region *r;

	(void)state;
	plan.opts.type = type;
	assert_ok(region_create(&plan));
	assert_ok(region_attach(&queue_kind, NAME, COSHM_CONSUMER, &o, &r));
	region_detach(r);
	assert_ok(attach(&r)); /* whoever asks for no type gets any */
	region_detach(r);
	assert_err(region_attach(&stream_kind, NAME, COSHM_SUBSCRIBER, &o, &r), EPROTOTYPE,
		   "is a queue, not a stream");
	o.type.version = 3;
	assert_err(region_attach(&queue_kind, NAME, COSHM_CONSUMER, &o, &r), EPROTOTYPE,
		   "version 3");
	o.type = type;
	o.type.name = "trade";
	assert_err(region_attach(&queue_kind, NAME, COSHM_CONSUMER, &o, &r), EPROTOTYPE,
		   "\"trade\"");
	o.type = type;
	o.type.bytes = 48;
	assert_err(region_attach(&queue_kind, NAME, COSHM_CONSUMER, &o, &r), EPROTOTYPE,
		   "48 bytes");
	o.type = type;
	o.type.align = 12;
	assert_err(region_attach(&queue_kind, NAME, COSHM_CONSUMER, &o, &r), EINVAL, "12");
	assert_ok(coshm_remove(NULL, NAME));
}

/* Whatever one byte of the header is changed to: refused, or all the same. */
static void test_every_byte_of_the_header(void **state)
{
	struct header_shared good, bad;
	struct geometry g, expected;
	int fd, refused = 0;

	(void)state;
	assert_ok(create(NAME));
	fd = open(scene_path(NAME), O_RDWR | O_CLOEXEC);
	assert_ok(region_file_check(fd, "it", &good, &expected));
	for (size_t i = 0; i < sizeof(good); i++) {
		for (int value = 0; value < 256; value++) {
			unsigned char byte = (unsigned char)value;

			bad = good;
			if (((unsigned char *)&bad)[i] == byte)
				continue;
			((unsigned char *)&bad)[i] = byte;
			if (header_check(&bad, "it", expected.region_bytes, &g) < 0)
				refused++;
			else
				fail_msg("byte %zu, value %d was taken", i, value);
		}
	}
	assert_int_equal(refused, 255 * sizeof(good));
	close(fd);
	assert_ok(coshm_remove(NULL, NAME));
}

/* FNV-1a, as the library has it: what an enemy would do as well. */
static void resign(struct header_shared *h)
{
	uint64_t sum = UINT64_C(0xcbf29ce484222325);

	for (size_t i = 0; i < offsetof(struct header_shared, checksum); i++)
		sum = (sum ^ ((unsigned char *)h)[i]) * UINT64_C(0x100000001b3);
	h->checksum = sum;
}

/* The same with a checksum that fits: refused, or its geometry lies inside the file. */
static void test_headers_with_a_forged_checksum(void **state)
{
	struct header_shared good, bad;
	struct geometry g, expected;
	int fd;

	(void)state;
	assert_ok(create(NAME));
	fd = open(scene_path(NAME), O_RDWR | O_CLOEXEC);
	assert_ok(region_file_check(fd, "it", &good, &expected));
	for (size_t i = 0; i < offsetof(struct header_shared, checksum); i++) {
		for (int value = 0; value < 256; value++) {
			uint64_t data;

			bad = good;
			((unsigned char *)&bad)[i] = (unsigned char)value;
			resign(&bad);
			if (header_check(&bad, "it", expected.region_bytes, &g) < 0)
				continue;
			data = (uint64_t)g.slots * g.slot_bytes;
			assert_true(g.data_offset >= LAYOUT_META_BYTES);
			assert_true(g.data_offset + data <= g.ring_offset);
			assert_true(g.ring_offset + g.ring_bytes <= expected.region_bytes);
			assert_true(g.payload + (uint64_t)g.value_bytes <= g.slot_bytes);
		}
	}
	close(fd);
	assert_ok(coshm_remove(NULL, NAME));
}

static void test_versions_and_features(void **state)
{
	struct header_shared h;
	struct geometry g;
	int fd;

	(void)state;
	assert_ok(create(NAME));
	fd = open(scene_path(NAME), O_RDWR | O_CLOEXEC);
	assert_ok(region_file_check(fd, "it", &h, &g));
	h.version++;
	resign(&h);
	assert_err(header_check(&h, "it", g.region_bytes, &g), EPROTONOSUPPORT, "layout 2");
	h.version--;
	h.must_understand = 4;
	resign(&h);
	assert_err(header_check(&h, "it", g.region_bytes, &g), EPROTONOSUPPORT, "0x4");
	close(fd);
	assert_ok(coshm_remove(NULL, NAME));
}

static void test_files_that_are_no_regions(void **state)
{
	struct region *r;
	int fd;

	(void)state;
	fd = open(scene_path(NAME), O_CREAT | O_RDWR | O_CLOEXEC, 0600);
	assert_err(attach(&r), EPROTO, "too short");
	assert_int_equal(ftruncate(fd, 100000), 0);
	assert_err(attach(&r), EPROTO, "not a coshm channel");
	assert_err(coshm_retire(NULL, NAME), EPROTO, "not a coshm channel"); /* left alone */
	close(fd);
	assert_int_equal(unlink(scene_path(NAME)), 0);

	assert_int_equal(mkfifo(scene_path(NAME), 0600), 0);
	assert_err(attach(&r), EPROTO, "regular");
	assert_int_equal(unlink(scene_path(NAME)), 0);

	assert_int_equal(mkdir(scene_path(NAME), 0700), 0);
	assert_int_equal(attach(&r), -EISDIR);
	assert_int_equal(rmdir(scene_path(NAME)), 0);

	assert_int_equal(symlink("elsewhere", scene_path(NAME)), 0);
	assert_int_equal(attach(&r), -ELOOP);
	assert_int_equal(unlink(scene_path(NAME)), 0);
}

static void test_shortened_file(void **state)
{
	struct region *r;
	struct stat st;

	(void)state;
	assert_ok(create(NAME));
	assert_int_equal(stat(scene_path(NAME), &st), 0);
	assert_int_equal(truncate(scene_path(NAME), st.st_size - 1), 0);
	assert_err(attach(&r), EPROTO, "shortened");
	assert_int_equal(truncate(scene_path(NAME), 100), 0);
	assert_err(attach(&r), EPROTO, "too short");
	assert_int_equal(unlink(scene_path(NAME)), 0);
}

static void test_full_file_system(void **state)
{
	char dir[128];
	struct region_plan plan = plan_of(NAME);

	(void)state;
	snprintf(dir, sizeof(dir), "%s/full", scene_dir);
	assert_int_equal(mkdir(dir, 0700), 0);
	if (mount("tiny", dir, "tmpfs", 0, "size=64k") < 0) {
		rmdir(dir);
		skip();
	}
	plan.opts.dir = dir;
	plan.geometry.slots = 2048;
	assert_err(region_create(&plan), ENOSPC, "allocate");
	assert_int_equal(count_entries(dir), 2);
	plan.geometry.slots = 4;
	assert_ok(region_create(&plan)); /* nothing was left of the first */
	assert_ok(coshm_remove(dir, NAME));
	assert_int_equal(umount(dir), 0);
	assert_int_equal(rmdir(dir), 0);
}

static void test_directories(void **state)
{
	struct region_plan plan = plan_of(NAME);

	(void)state;
	plan.opts.dir = "/nowhere/at/all";
	assert_err(region_create(&plan), ENOENT, "/nowhere");
	plan.opts.dir = "/proc";
	assert_true(region_create(&plan) < 0);
}

/* In a mount namespace with a /dev/shm of its own, so that nobody's channels are touched. */
static void in_the_default_directory(const struct actor *self, void *arg)
{
	struct stat st;

	(void)self;
	(void)arg;
	child_check(unshare(CLONE_NEWNS) == 0);
	child_check(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0);
	child_check(mount("shm", "/dev/shm", "tmpfs", 0, "mode=1777,size=1m") == 0);
	child_check(unsetenv("COSHM_DIR") == 0);
	umask(077);
	child_check(coshm_remove(NULL, NAME) == -ENOENT); /* looking for one makes no directory */
	child_check(access("/dev/shm/coshm", F_OK) < 0);
	child_check(create(NAME) == 0);
	child_check(stat("/dev/shm/coshm", &st) == 0 && (st.st_mode & 07777) == 01777);
	child_check(coshm_remove(NULL, NAME) == 0);
	/* Its maker was killed between mkdir and chmod. */
	child_check(chmod("/dev/shm/coshm", 01700) == 0);
	child_check(create(NAME) == 0);
	child_check(stat("/dev/shm/coshm", &st) == 0 && (st.st_mode & 07777) == 01777);
	/* A mode that somebody has chosen stays. */
	child_check(chmod("/dev/shm/coshm", 0750) == 0);
	child_check(create("other") == 0);
	child_check(stat("/dev/shm/coshm", &st) == 0 && (st.st_mode & 07777) == 0750);
	/* A link that somebody else put there is not followed. */
	child_check(rename("/dev/shm/coshm", "/dev/shm/moved") == 0);
	child_check(symlink("moved", "/dev/shm/coshm") == 0);
	child_check(create("third") < 0);
}

static void test_default_directory(void **state)
{
	struct actor a;

	(void)state;
	if (geteuid() != 0)
		skip();
	a = actor_start(in_the_default_directory, NULL);
	assert_int_equal(actor_end(&a), 0);
}

static void test_observer_cannot_write(void **state)
{
	struct region *r;
	int status;
	pid_t pid;

	(void)state;
	assert_ok(create(NAME));
	assert_int_equal(chmod(scene_path(NAME), 0400), 0);
	assert_ok(region_attach(&queue_kind, NAME, COSHM_OBSERVER, NULL, &r));
	assert_null(r->self);
	for (unsigned int i = 0; i < LAYOUT_PEERS; i++)
		assert_int_equal(peer_probe(r, i), PEER_NONE);
	region_detach(r);
	pid = fork();
	if (pid == 0) {
		signal(SIGSEGV, SIG_DFL);
		child_check(region_attach(&queue_kind, NAME, COSHM_OBSERVER, NULL, &r) == 0);
		*(volatile char *)r->data = 1;
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
#ifndef __SANITIZE_ADDRESS__
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV);
#else
	assert_true(status != 0);
#endif
	assert_ok(coshm_remove(NULL, NAME));
}

static void test_retired(void **state)
{
	struct region *r, *later;

	(void)state;
	assert_ok(create(NAME));
	assert_ok(attach(&r));
	assert_ok(coshm_retire(NULL, NAME));
	assert_int_equal(r->shared->state.retired, 1);
	assert_ok(create(NAME)); /* the name is free, and another file */
	assert_ok(attach(&later));
	assert_int_equal(later->shared->state.retired, 0);
	assert_memory_not_equal(r->generation, later->generation, 16);
	region_detach(r);
	region_detach(later);

	/* A remover killed between its two steps: the next creator finishes it. */
	assert_ok(attach(&r));
	r->shared->state.retired = 1;
	assert_err(attach(&later), ESTALE, "just removed");
	assert_ok(create(NAME));
	region_detach(r);
	assert_ok(attach(&r));
	region_detach(r);
	assert_ok(coshm_remove(NULL, NAME));
}

static void race(const struct actor *self, void *arg)
{
	char c;
	int rc;

	(void)arg;
	if (read(self->from, &c, 1) != 1)
		_exit(1);
	rc = create(NAME);
	child_check(rc == 0 || rc == -EEXIST);
	c = rc == 0 ? 'w' : 'l';
	if (write(self->to, &c, 1) != 1)
		_exit(1);
}

static void test_eight_racing_creators(void **state)
{
	struct actor actors[8];

	(void)state;
	for (int round = 0; round < 20; round++) {
		int won = 0;

		for (int i = 0; i < 8; i++)
			actors[i] = actor_start(race, NULL);
		for (int i = 0; i < 8; i++)
			actor_say(&actors[i], 'g');
		for (int i = 0; i < 8; i++) {
			won += actor_hear(&actors[i]) == 'w';
			assert_int_equal(actor_end(&actors[i]), 0);
		}
		assert_int_equal(won, 1);
		assert_int_equal(count_entries(scene_dir), 3);
		assert_ok(coshm_remove(NULL, NAME));
	}
}

static void test_nothing_leaks(void **state)
{
	struct region *r;
	int fds, maps;

	(void)state;
	assert_ok(create(NAME));
	fds = count_fds();
	maps = count_maps();
	for (int i = 0; i < 10000; i++) {
		assert_ok(attach(&r));
		region_detach(r);
	}
	for (int i = 0; i < 100; i++)
		assert_err(region_attach(&stream_kind, NAME, COSHM_SUBSCRIBER, NULL, &r),
			   EPROTOTYPE, "queue");
	assert_int_equal(count_fds(), fds);
	assert_int_equal(count_maps(), maps);
	assert_ok(coshm_remove(NULL, NAME));
}

static void test_byte_ring_is_mapped_twice(void **state)
{
	struct region_plan plan = plan_of(NAME);
	struct region *r;
	size_t n;

	(void)state;
	plan.geometry.kind = LAYOUT_STREAM;
	plan.geometry.ring_bytes = 4096; /* rounded up to the page where that is larger */
	assert_ok(region_create(&plan));
	assert_ok(region_attach(&stream_kind, NAME, COSHM_SUBSCRIBER, NULL, &r));
	n = (size_t)r->geometry.ring_bytes;
	memcpy(r->ring + n - 3, "across", 6);
	assert_memory_equal(r->ring, "oss", 3);
	region_detach(r);
	assert_ok(coshm_remove(NULL, NAME));
}

static void test_prefault_lock_huge(void **state)
{
	struct coshm_open_opts o = {
		.size = sizeof(o), .flags = COSHM_OPEN_PREFAULT | COSHM_OPEN_LOCK | COSHM_OPEN_HUGE
	};
	struct region *r;

	(void)state;
	assert_ok(create(NAME));
	assert_ok(region_attach(&queue_kind, NAME, COSHM_CONSUMER, &o, &r));
	assert_int_equal((uintptr_t)r->shared % (2u << 20), 0);
	region_detach(r);
	o.flags = 1u << 20;
	assert_err(region_attach(&queue_kind, NAME, COSHM_CONSUMER, &o, &r), EINVAL, "option");
	assert_ok(coshm_remove(NULL, NAME));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_made_found_removed),
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_mode_whatever_the_umask),
		cmocka_unit_test(test_options_of_another_version),
		cmocka_unit_test(test_types_are_compared),
		cmocka_unit_test(test_every_byte_of_the_header),
		cmocka_unit_test(test_headers_with_a_forged_checksum),
		cmocka_unit_test(test_versions_and_features),
		cmocka_unit_test(test_files_that_are_no_regions),
		cmocka_unit_test(test_shortened_file),
		cmocka_unit_test(test_full_file_system),
		cmocka_unit_test(test_directories),
		cmocka_unit_test(test_default_directory),
		cmocka_unit_test(test_observer_cannot_write),
		cmocka_unit_test(test_retired),
		cmocka_unit_test(test_eight_racing_creators),
		cmocka_unit_test(test_nothing_leaks),
		cmocka_unit_test(test_byte_ring_is_mapped_twice),
		cmocka_unit_test(test_prefault_lock_huge),
	};

	return scene_run("region", tests);
}
