/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_remove.c - what is removed is what was seen, and nobody uses it: ids,
 * inodes and names that belong to another object by now.
 */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/shm.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <cmocka.h>

#include "remove.h"
#include "served_scene.h"

static char folder[] = "/dev/shm/coshm-remove.XXXXXX";

struct scene {
	struct snapshot s;
	struct ipcns ipcns;
	struct shm_area area;
	struct object o;
	int id;
};

static struct scene scene;

static int set_up(void **state)
{
	(void)state;
	scene = (struct scene){ .ipcns = { .own = true }, .id = -1 };
	scene.s = (struct snapshot){ .ipcns = &scene.ipcns,
				     .areas = &scene.area,
				     .objects = &scene.o,
				     .ipcns_count = 1,
				     .area_count = 1,
				     .object_count = 1 };
	strcpy(folder + strlen(folder) - 6, "XXXXXX");
	return mkdtemp(folder) && chdir(folder) == 0 ? 0 : -1;
}

static int tear_down(void **state)
{
	(void)state;
	if (scene.id >= 0)
		shmctl(scene.id, IPC_RMID, NULL);
	unlink("x");
	unlink("other");
	unlink("sub/x");
	rmdir("sub");
	return rmdir(folder);
}

static void make_segment(void)
{
	struct shmid_ds ds;

	scene.id = shmget(IPC_PRIVATE, 4096, IPC_CREAT | 0600);
	assert_true(scene.id >= 0);
	assert_int_equal(shmctl(scene.id, IPC_STAT, &ds), 0);
	scene.o = (struct object){ .kind = OBJECT_SHM,
				   .id = scene.id,
				   .area = NOBODY,
				   .cuid = ds.shm_perm.cuid,
				   .cgid = ds.shm_perm.cgid,
				   .bytes = ds.shm_segsz,
				   .cpid = ds.shm_cpid,
				   .lpid = ds.shm_lpid,
				   .ctime = ds.shm_ctime };
}

static void make_file(const char *name)
{
	struct stat st;
	int fd = open(name, O_CREAT | O_RDWR, 0600);

	assert_true(fd >= 0);
	assert_int_equal(fstat(fd, &st), 0);
	close(fd);
	scene.area = (struct shm_area){ .pid = getpid(),
					.point = folder,
					.dev_major = major(st.st_dev),
					.dev_minor = minor(st.st_dev) };
	scene.o = (struct object){ .kind = OBJECT_POSIX_SHM,
				   .ipcns = NOBODY,
				   .name = name,
				   .id = (int64_t)st.st_ino,
				   .dev_major = major(st.st_dev),
				   .dev_minor = minor(st.st_dev) };
}

static void expect(enum removal removal)
{
	char why[512] = "";
	enum removal got = object_remove(&scene.s, 0, why, sizeof(why));

	if (got != removal)
		fail_msg("%d, not %d: %s", got, removal, why);
	assert_true((why[0] == '\0') == (removal == REMOVED));
}

static void expect_segment(bool there)
{
	struct shmid_ds ds;

	assert_int_equal(shmctl(scene.id, IPC_STAT, &ds) == 0, there);
	if (!there)
		scene.id = -1;
}

static void the_segment_that_was_seen(void **state)
{
	(void)state;
	make_segment();
	expect(REMOVED);
	expect_segment(false);
	expect(REMOVAL_GONE);
}

static void not_one_that_has_its_id_by_now(void **state)
{
	struct object seen;

	(void)state;
	make_segment();
	seen = scene.o;
	scene.o.ctime--;
	expect(REMOVAL_GONE);
	scene.o = seen;
	scene.o.key = 7;
	expect(REMOVAL_GONE);
	scene.o = seen;
	scene.o.cuid++;
	expect(REMOVAL_GONE);
	scene.o = seen;
	scene.o.cpid++;
	expect(REMOVAL_GONE);
	scene.o = seen;
	scene.o.cgid++;
	expect(REMOVAL_GONE);
	scene.o = seen;
	scene.o.bytes++;
	expect(REMOVAL_GONE);
	expect_segment(true);
}

static void no_segment_that_is_in_use(void **state)
{
	void *memory;

	(void)state;
	make_segment();
	memory = shmat(scene.id, NULL, 0);
	assert_true(memory != (void *)-1);
	expect(REMOVAL_IN_USE);
	scene.o.lpid = getpid(); /* seen as the last one, and back again */
	expect(REMOVAL_IN_USE);
	assert_int_equal(shmdt(memory), 0);
	scene.o.lpid = 0;
	expect(REMOVAL_IN_USE); /* somebody was here since we looked */
	expect_segment(true);
}

static void no_segment_of_a_namespace_that_is_gone(void **state)
{
	(void)state;
	make_segment();
	scene.ipcns.own = false;
	expect(REMOVAL_GONE);
	expect_segment(true);
}

static void the_file_that_was_seen(void **state)
{
	(void)state;
	make_file("x");
	expect(REMOVED);
	assert_int_equal(access("x", F_OK), -1);
	expect(REMOVAL_GONE);
	assert_int_equal(mkdir("sub", 0700), 0);
	make_file("sub/x");
	expect(REMOVED);
}

static void a_semaphore(void **state)
{
	(void)state;
	make_file("sem.x");
	scene.o.kind = OBJECT_POSIX_SEM;
	scene.o.name = "x"; /* as sem_open(3) has it */
	expect(REMOVED);
	assert_int_equal(access("sem.x", F_OK), -1);
}

static void no_other_file_of_its_name(void **state)
{
	(void)state;
	make_file("x");
	assert_int_equal(rename("x", "other"), 0);
	assert_int_equal(symlink("other", "x"), 0);
	expect(REMOVAL_GONE);
	assert_int_equal(access("other", F_OK), 0);
	assert_int_equal(unlink("x"), 0);
	make_file("x");
	scene.o.id++;
	expect(REMOVAL_GONE);
	scene.o.id--;
	scene.area.dev_minor++;
	expect(REMOVAL_FAILED); /* that directory is another one */
	assert_int_equal(access("x", F_OK), 0);
}

static void no_file_behind_a_symbolic_link(void **state)
{
	(void)state;
	make_file("x");
	scene.o.name = "sub/x";
	assert_int_equal(symlink(".", "sub"), 0);
	expect(REMOVAL_FAILED);
	scene.o.name = "../x";
	expect(REMOVAL_FAILED);
	assert_int_equal(access("x", F_OK), 0);
	assert_int_equal(unlink("sub"), 0);
}

static void no_file_that_is_in_use(void **state)
{
	void *memory;
	int fd;

	(void)state;
	make_file("x");
	fd = open("x", O_RDWR);
	assert_int_equal(ftruncate(fd, 4096), 0);
	expect(REMOVAL_IN_USE);
	memory = mmap(NULL, 4096, PROT_READ, MAP_SHARED, fd, 0);
	close(fd);
	expect(REMOVAL_IN_USE);
	munmap(memory, 4096);
	expect(REMOVED);
}

/* ---- of a directory that coshm run serves ---- */

static void see(const char *name, enum object_kind kind)
{
	make_file(name);
	scene.o.kind = kind;
	if (kind == OBJECT_SHM)
		scene.o.id = strtol(strrchr(name, '-') + 1, NULL, 10);
}

static void a_removed_segment_of_a_directory(void **state)
{
	struct served_scene t = served_make(folder);

	(void)state;
	served_object_at(&t, SYSV_SHM, 3, SYSV_STATE(0, 0, SYSV_DOOMED), 4096);
	see(".sysv/shm-3", OBJECT_SHM);
	scene.o.status = STATUS_DEST;
	expect(REMOVED);
	assert_int_equal(access(".sysv/shm-3", F_OK), -1);
	expect(REMOVAL_GONE);
	served_end(&t, folder);
}

static void none_that_is_in_use(void **state)
{
	struct served_scene t = served_make(folder);
	int fd;

	(void)state;
	served_object_at(&t, SYSV_SHM, 3, SYSV_STATE(0, 0, SYSV_DOOMED), 4096);
	see(".sysv/shm-3", OBJECT_SHM);
	scene.o.status = STATUS_DEST;
	fd = open(".sysv/shm-3", O_RDONLY);
	expect(REMOVAL_IN_USE);
	close(fd);
	assert_int_equal(access(".sysv/shm-3", F_OK), 0);
	served_end(&t, folder);
}

static void no_segment_that_has_a_key(void **state)
{
	struct served_scene t = served_make(folder);
	char why[512];

	(void)state;
	served_object_at(&t, SYSV_SHM, 3, SYSV_STATE(0, 0, SYSV_LIVE), 4096);
	see(".sysv/shm-3", OBJECT_SHM);
	assert_int_equal(object_remove(&scene.s, 0, why, sizeof(why)), REMOVAL_FAILED);
	assert_non_null(strstr(why, folder));
	assert_non_null(strstr(why, " -- ipcrm -m 3"));
	assert_int_equal(access(".sysv/shm-3", F_OK), 0);
	served_end(&t, folder);
}

/* A file that had no slot when it was seen. */
static void no_file_that_has_become_an_object(void **state)
{
	struct served_scene t = served_make(folder);

	(void)state;
	served_file(&t, "shm-3", 4096);
	see(".sysv/shm-3", OBJECT_POSIX_SHM);
	SERVED_STORE(served_slot(&t, SYSV_SHM, 3)->state, SYSV_STATE(0, 0, SYSV_LIVE));
	expect(REMOVAL_IN_USE);
	SERVED_STORE(served_slot(&t, SYSV_SHM, 3)->state, SYSV_STATE(0, 0, SYSV_DOOMED));
	expect(REMOVAL_IN_USE);
	SERVED_STORE(served_slot(&t, SYSV_SHM, 3)->state, SYSV_STATE(1, 0, SYSV_LIVE));
	expect(REMOVED);
	served_end(&t, folder);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(the_segment_that_was_seen, set_up, tear_down),
		cmocka_unit_test_setup_teardown(not_one_that_has_its_id_by_now, set_up, tear_down),
		cmocka_unit_test_setup_teardown(no_segment_that_is_in_use, set_up, tear_down),
		cmocka_unit_test_setup_teardown(no_segment_of_a_namespace_that_is_gone, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(the_file_that_was_seen, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_semaphore, set_up, tear_down),
		cmocka_unit_test_setup_teardown(no_other_file_of_its_name, set_up, tear_down),
		cmocka_unit_test_setup_teardown(no_file_behind_a_symbolic_link, set_up, tear_down),
		cmocka_unit_test_setup_teardown(no_file_that_is_in_use, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_removed_segment_of_a_directory, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(none_that_is_in_use, set_up, tear_down),
		cmocka_unit_test_setup_teardown(no_segment_that_has_a_key, set_up, tear_down),
		cmocka_unit_test_setup_teardown(no_file_that_has_become_an_object, set_up,
						tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
