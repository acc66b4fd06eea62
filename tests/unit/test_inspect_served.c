/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_inspect_served.c - the objects of a directory that `coshm run` serves, from a
 * table made by hand.
 */
#include "inspect_scene.h"

#include <errno.h>
#include <sys/shm.h>
#include <sys/wait.h>

#include "layout.h"
#include "served.h"
#include "served_scene.h"

static char dir[64];
static struct served_scene table;

static int set_up(void **state)
{
	(void)state;
	strcpy(dir, "/tmp/coshm-served.XXXXXX");
	if (!mkdtemp(dir))
		return -1;
	table = served_make(dir);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	served_end(&table, dir);
	return rmdir(dir);
}

static struct snapshot *look(void)
{
	const char *dirs[] = { dir, NULL };
	const struct inspect_opts opts = { .no_engines = true, .dirs = dirs };

	return scan_with(&opts);
}

static bool notes_say(const struct snapshot *s, const char *words)
{
	for (unsigned int i = 0; i < s->note_count; i++)
		if (strstr(s->notes[i], dir) && strstr(s->notes[i], words))
			return true;
	return false;
}

static bool is_here(const struct snapshot *s, const struct object *o)
{
	return o->area != NOBODY && strcmp(s->areas[o->area].point, dir) == 0;
}

/* Others on this machine may have such a directory, too. */
static const struct object *seen(const struct snapshot *s, enum object_kind kind, const char *name)
{
	for (unsigned int i = 0; i < s->object_count; i++)
		if (is_here(s, &s->objects[i]) && s->objects[i].kind == kind &&
		    strcmp(s->objects[i].name, name) == 0)
			return &s->objects[i];
	fail_msg("there is no %s", name);
	return NULL;
}

static unsigned int count_here(const struct snapshot *s)
{
	unsigned int count = 0;

	for (unsigned int i = 0; i < s->object_count; i++)
		count += is_here(s, &s->objects[i]);
	return count;
}

/* ---- what a table says */

static void a_segment(void **state)
{
	struct sysv_slot_shared *slot =
		served_object_at(&table, SYSV_SHM, 5, SYSV_STATE(3, 1, SYSV_LIVE), 4000);
	const struct object *o;
	struct snapshot *s;

	(void)state;
	SERVED_STORE(slot->cuid, 7);
	SERVED_STORE(slot->cgid, 8);
	SERVED_STORE(slot->perm[1].uid, 9);
	SERVED_STORE(slot->perm[1].gid, 10);
	SERVED_STORE(slot->perm[1].mode, 0644 | SHM_LOCKED);
	SERVED_STORE(slot->perm[0].mode, 0777); /* not in force */
	SERVED_STORE(slot->atime_s, 2000);
	SERVED_STORE(slot->dtime_s, 3000);
	s = look();
	assert_int_equal(count_here(s), 2);
	o = seen(s, OBJECT_SHM, ".sysv/shm-98309");
	assert_int_equal(o->id, 3 << SYSV_INDEX_BITS | 5);
	assert_int_equal(o->key, 0x1605);
	assert_int_equal(o->ipcns, NOBODY);
	assert_int_equal(o->bytes, 4000);
	assert_int_equal(o->allocated, 4096);
	assert_int_equal(o->mode, 0644);
	assert_int_equal(o->cuid, 7);
	assert_int_equal(o->cgid, 8);
	assert_int_equal(o->uid, 9);
	assert_int_equal(o->gid, 10);
	assert_int_equal(o->status, STATUS_LOCKED);
	assert_int_equal(o->count, 0);
	assert_int_equal(o->ctime, 1000);
	assert_int_equal(o->atime, 2000);
	assert_int_equal(o->dtime, 3000);
	inspect_free(s);
}

static void a_removed_one(void **state)
{
	const struct object *o;
	struct snapshot *s;

	(void)state;
	served_object_at(&table, SYSV_SHM, 0, SYSV_STATE(0, 0, SYSV_DOOMED), 4096);
	assert_int_equal(unlinkat(table.folder, "shm-0", 0), 0);
	served_object_at(&table, SYSV_SHM, 1, SYSV_STATE(0, 0, SYSV_FREE), 4096);
	assert_int_equal(unlinkat(table.folder, "shm-1", 0), 0);
	served_object_at(&table, SYSV_SHM, 2, SYSV_STATE(0, 0, 3), 4096); /* no phase */
	assert_int_equal(unlinkat(table.folder, "shm-2", 0), 0);
	s = look();
	assert_int_equal(count_here(s), 2);
	o = seen(s, OBJECT_SHM, ".sysv/shm-0");
	assert_int_equal(o->status, STATUS_DEST);
	assert_int_equal(o->allocated, 0);
	inspect_free(s);
}

static void a_set_and_a_queue(void **state)
{
	struct sysv_slot_shared *slot;
	const struct object *o;
	struct snapshot *s;

	(void)state;
	served_object_at(&table, SYSV_SEM, 1, SYSV_STATE(0, 0, SYSV_LIVE), 12);
	slot = served_object_at(&table, SYSV_MSG, 2, SYSV_STATE(0, 0, SYSV_LIVE),
				UINT64_C(3) << 32 | 300);
	SERVED_STORE(slot->cpid, SYSV_PID(77, 1)); /* of a namespace that nobody is in */
	s = look();
	o = seen(s, OBJECT_SEM, ".sysv/sem-1");
	assert_int_equal(o->count, 12);
	o = seen(s, OBJECT_MSG, ".sysv/msg-2");
	assert_int_equal(o->count, 3);
	assert_int_equal(o->bytes, 300);
	assert_int_equal(o->cpid, 0);
	assert_int_equal(o->lpid, 0);
	inspect_free(s);
}

/* ---- who takes part */

static void sit(uint32_t index, uint32_t epoch)
{
	struct sysv_token_shared *t = served_token(&table, index);

	SERVED_STORE(t->role, SYSV_TOKEN_PROCESS);
	SERVED_STORE(t->epoch, epoch);
}

/* A description of its own holds the lock until it is closed. */
static int lock_token(uint32_t index)
{
	struct flock byte = { .l_type = F_WRLCK,
			      .l_whence = SEEK_SET,
			      .l_start = (off_t)(LAYOUT_LOCKS + index),
			      .l_len = 1 };
	int fd = openat(table.folder, SYSV_TABLE_NAME, O_RDWR | O_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(fcntl(fd, F_OFD_SETLK, &byte), 0);
	return fd;
}

static void the_living_count(void **state)
{
	struct snapshot *s;
	int fd;

	(void)state;
	served_object_at(&table, SYSV_SHM, 3, SYSV_STATE(0, 0, SYSV_LIVE), 4096);
	sit(1, 0x10007);
	sit(2, 4);
	fd = lock_token(1);
	served_attach(&table, 0, SYSV_ATTACH_WORD(1, 7, 3, 2));
	served_attach(&table, 1, SYSV_ATTACH_WORD(2, 4, 3, 16));    /* a dead one's */
	served_attach(&table, 2, SYSV_ATTACH_WORD(1, 6, 3, 32));    /* of who was there before */
	served_attach(&table, 3, SYSV_ATTACH_WORD(1, 7, 4, 64));    /* another segment */
	served_attach(&table, 4, SYSV_ATTACH_WORD(1, 7, 60000, 1)); /* of none */
	served_attach(&table, 5, SYSV_ATTACH_WORD(60000, 7, 3, 1));
	served_attach(&table, 31, SYSV_ATTACH_WORD(1, 7, 3, 1));
	served_attach(&table, 32, SYSV_ATTACH_WORD(1, 7, 3, 1)); /* behind what has memory */
	s = look();
	assert_int_equal(seen(s, OBJECT_SHM, ".sysv/shm-3")->count, 3);
	assert_int_equal(seen(s, OBJECT_TABLE, ".sysv/table")->count, 1);
	inspect_free(s);
	close(fd);
	s = look();
	assert_int_equal(seen(s, OBJECT_SHM, ".sysv/shm-3")->count, 0);
	assert_int_equal(seen(s, OBJECT_TABLE, ".sysv/table")->count, 0);
	inspect_free(s);
}

static void who_maps_it(void **state)
{
	const struct object *o;
	struct snapshot *s;
	void *at;
	int fd;

	(void)state;
	served_object_at(&table, SYSV_SHM, 0, SYSV_STATE(0, 0, SYSV_LIVE), 4096);
	fd = openat(table.folder, "shm-0", O_RDWR | O_CLOEXEC);
	at = mmap(NULL, 4096, PROT_READ, MAP_SHARED, fd, 0);
	close(fd);
	assert_true(at != MAP_FAILED);
	s = look();
	o = seen(s, OBJECT_SHM, ".sysv/shm-0");
	assert_non_null(find_use_of(s, o, getpid()));
	assert_int_equal(o->count, 0); /* a mapping is no attachment */
	assert_non_null(find_use_of(s, seen(s, OBJECT_TABLE, ".sysv/table"), getpid()));
	inspect_free(s);
	munmap(at, 4096);
}

/* Its number there is another one than ours, if it is of another namespace. */
static void its_pids(void **state)
{
	struct sysv_slot_shared *slot =
		served_object_at(&table, SYSV_SHM, 0, SYSV_STATE(0, 0, SYSV_LIVE), 4096);
	struct stat st;
	struct snapshot *s;

	(void)state;
	assert_int_equal(stat("/proc/self/ns/pid", &st), 0);
	SERVED_STORE(slot->cpid, SYSV_PID(4194304, st.st_ino)); /* gone, as it is no number */
	SERVED_STORE(slot->lpid, SYSV_PID(1, 1));
	s = look();
	assert_int_equal(seen(s, OBJECT_SHM, ".sysv/shm-0")->cpid, 4194304);
	assert_int_equal(seen(s, OBJECT_SHM, ".sysv/shm-0")->lpid, 0);
	inspect_free(s);
}

/* ---- other files */

static void files_of_no_object(void **state)
{
	struct snapshot *s;

	(void)state;
	served_object_at(&table, SYSV_SHM, 6, SYSV_STATE(2, 0, SYSV_LIVE), 4096);
	served_file(&table, "shm-6", 4096); /* of an earlier one */
	served_file(&table, "sem-99999999999", 4096);
	served_file(&table, "shm-x", 4096);
	served_file(&table, "notes", 4096);
	s = look();
	assert_int_equal(count_here(s), 3);
	seen(s, OBJECT_SHM, ".sysv/shm-65542");
	seen(s, OBJECT_POSIX_SHM, ".sysv/shm-6");
	inspect_free(s);
}

static void posix_objects(void **state)
{
	const struct object *o;
	char path[128], room[128];
	struct snapshot *s;
	int fd;

	(void)state;
	snprintf(path, sizeof(path), "%s/.posix", dir);
	assert_int_equal(mkdir(path, 0700), 0);
	snprintf(path, sizeof(path), "%s/.posix/frames", dir);
	close(open(path, O_CREAT | O_RDWR | O_CLOEXEC, 0600));
	snprintf(path, sizeof(path), "%s/.posix/sem.ready", dir);
	fd = open(path, O_CREAT | O_RDWR | O_CLOEXEC, 0600);
	s = look();
	seen(s, OBJECT_POSIX_SHM, ".posix/frames");
	o = seen(s, OBJECT_POSIX_SEM, ".posix/ready");
	assert_string_equal(object_path(o, room, sizeof(room)), ".posix/sem.ready");
	assert_int_equal(object_directory(o), 0);
	assert_non_null(find_use_of(s, o, getpid()));
	inspect_free(s);
	close(fd);
	unlink(path);
	snprintf(path, sizeof(path), "%s/.posix/frames", dir);
	unlink(path);
	snprintf(path, sizeof(path), "%s/.posix", dir);
	rmdir(path);
}

/* ---- what is no table */

static void expect_note(const char *words)
{
	struct snapshot *s = look();

	if (!notes_say(s, words))
		fail_msg("no note says '%s'", words);
	assert_int_equal(count_here(s), 0);
	inspect_free(s);
}

static void damage(void **state)
{
	(void)state;
	served_object_at(&table, SYSV_SHM, 0, SYSV_STATE(0, 0, SYSV_LIVE), 4096);
	served_head(&table)->limits.shmmni++;
	expect_note("its header has changed");
	served_fill(&table);
	served_head(&table)->magic++;
	expect_note("does not begin as one");
	served_fill(&table);
	served_head(&table)->version++;
	served_sum(&table);
	expect_note("another version");
	served_fill(&table);
	assert_int_equal(ftruncate(table.table, 4096), 0);
	expect_note("cut off");
	assert_int_equal(ftruncate(table.table, 100), 0);
	expect_note("too short");
}

static void wild_counts(void **state)
{
	struct snapshot *s;

	(void)state;
	served_head(&table)->limits.shmmni = UINT32_MAX;
	served_sum(&table);
	for (int area = 0; area < SYSV_AREAS; area++)
		SERVED_STORE(served_control(&table)->backed[area], UINT32_MAX);
	served_object_at(&table, SYSV_SHM, SYSV_OBJECTS_MAX - 1, SYSV_STATE(0xffff, 0, SYSV_LIVE),
			 UINT64_MAX);
	s = look();
	assert_int_equal(count_here(s), 2);
	seen(s, OBJECT_SHM, ".sysv/shm-2147483647");
	inspect_free(s);
}

static void no_table(void **state)
{
	struct snapshot *s;

	(void)state;
	assert_int_equal(unlinkat(table.folder, SYSV_TABLE_NAME, 0), 0);
	served_file(&table, "shm-1", 4096);
	assert_int_equal(mkfifoat(table.folder, SYSV_TABLE_NAME, 0600), 0);
	s = look(); /* does not wait for a writer */
	assert_int_equal(count_here(s), 0);
	inspect_free(s);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(a_segment),          TEST(a_removed_one), TEST(a_set_and_a_queue),
		TEST(the_living_count),   TEST(who_maps_it),   TEST(its_pids),
		TEST(files_of_no_object), TEST(posix_objects), TEST(damage),
		TEST(wild_counts),        TEST(no_table),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
