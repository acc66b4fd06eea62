/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_changes.c - what is told of two looks at a machine.
 */
#include "look.h"

#include <stdio.h>
#include <string.h>

#include "changes.h"

/* Two looks: in each a namespace with one process that stays, and a /dev/shm. */
struct scene {
	struct snapshot *before, *after;
	struct changes *changes;
};

static void add_home(struct snapshot *s)
{
	look_ipcns(s, 500);
	look_area(s, 50, "tmpfs");
	look_process(s, 10, 77, NOBODY, 0, 0);
}

static int setup(void **state)
{
	struct scene *scene = test_malloc(sizeof(*scene));

	*scene = (struct scene){ .before = look_new(), .after = look_new() };
	add_home(scene->before);
	add_home(scene->after);
	*state = scene;
	return 0;
}

static int teardown(void **state)
{
	struct scene *scene = *state;

	changes_free(scene->changes);
	inspect_free(scene->before);
	inspect_free(scene->after);
	test_free(scene);
	return 0;
}

/* The kinds of all changes, with spaces between them. */
static const char *told(struct scene *scene)
{
	static char text[512];
	size_t used = 0;

	assert_int_equal(changes_find(scene->before, scene->after, &scene->changes), 0);
	text[0] = '\0';
	for (unsigned int i = 0; i < scene->changes->count; i++)
		used += (size_t)snprintf(text + used, sizeof(text) - used, "%s%s", i ? " " : "",
					 change_name(scene->changes->change[i].kind));
	return text;
}

static void test_nothing(void **state)
{
	struct scene *s = *state;
	struct snapshot *both[] = { s->before, s->after };

	for (int i = 0; i < 2; i++) {
		look_shm(both[i], 0, 3, 0x162e);
		look_file(both[i], OBJECT_POSIX_SHM, 0, 7, "frames");
		look_use(both[i], 0, 0);
		look_container(both[i], "web", 0, 0);
		look_process(both[i], 20, 88, 0, 0, 0);
	}
	assert_string_equal(told(s), "");
}

static void test_life_of_a_segment(void **state)
{
	struct scene *s = *state;

	look_use(s->after, look_shm(s->after, 0, 3, 0x162e), 0);
	assert_string_equal(told(s), "created attached");
	assert_int_equal(s->changes->change[1].process, 0);
	assert_ptr_equal(s->changes->change[1].look, s->after);
}

static void test_end_of_a_segment(void **state)
{
	struct scene *s = *state;
	int gone = look_process(s->before, 11, 78, NOBODY, 0, 0);
	int shm = look_shm(s->before, 0, 3, 0x162e);

	look_use(s->before, shm, 0);
	look_use(s->before, shm, gone);
	assert_string_equal(told(s), "detached detached removed");
	assert_false(s->changes->change[0].ended);
	assert_true(s->changes->change[1].ended);
	assert_ptr_equal(s->changes->change[2].look, s->before);
}

static void test_attached_and_detached(void **state)
{
	struct scene *s = *state;
	int old = look_shm(s->before, 0, 3, 1), new = look_shm(s->after, 0, 3, 1);
	int came = look_process(s->after, 11, 78, NOBODY, 0, 0);

	look_use(s->before, old, 0);
	look_use(s->after, new, came);
	assert_string_equal(told(s), "detached attached");
	assert_int_equal(s->changes->change[0].process, 0);
	assert_int_equal(s->changes->change[1].process, came);
}

static void test_open_is_not_attached(void **state)
{
	struct scene *s = *state;

	look_file(s->before, OBJECT_POSIX_SHM, 0, 7, "frames");
	look_use(s->after, look_file(s->after, OBJECT_POSIX_SHM, 0, 7, "frames"), 0);
	s->after->uses[0].mapped = false;
	assert_string_equal(told(s), "");
}

/* Whose maps could not be read once has not detached, nor attached anew. */
static void test_unseen_maps(void **state)
{
	struct scene *s = *state;

	look_use(s->before, look_shm(s->before, 0, 3, 1), 0);
	look_shm(s->after, 0, 3, 1);
	s->after->processes[0].maps_seen = false;
	assert_string_equal(told(s), "");
}

/* A process that is dead and not yet reaped has no maps to be seen any more. */
static void test_dead_user(void **state)
{
	struct scene *s = *state;

	look_use(s->before, look_shm(s->before, 0, 3, 1), 0);
	look_shm(s->after, 0, 3, 1);
	s->after->processes[0].state = 'Z';
	s->after->processes[0].maps_seen = false;
	assert_string_equal(told(s), "detached");
	assert_true(s->changes->change[0].ended);
}

static void test_number_of_unseen_users(void **state)
{
	struct scene *s = *state;

	look_shm(s->before, 0, 3, 1);
	look_shm(s->after, 0, 3, 1);
	s->before->objects[0].count = 1;
	s->after->objects[0].count = 3;
	assert_string_equal(told(s), "attached");
	assert_int_equal(s->changes->change[0].process, NOBODY);
	assert_int_equal(s->changes->change[0].count, 2);
}

/* A pid that another process has now is another user. */
static void test_recycled_pid(void **state)
{
	struct scene *s = *state;
	int was = look_process(s->before, 11, 78, NOBODY, 0, 0);
	int is = look_process(s->after, 11, 79, NOBODY, 0, 0);

	look_use(s->before, look_shm(s->before, 0, 3, 1), was);
	look_use(s->after, look_shm(s->after, 0, 3, 1), is);
	assert_string_equal(told(s), "detached attached");
	assert_true(s->changes->change[0].ended);
}

/* The id is that of before, the segment is not: whatever shows it. */
static void test_recycled_id(void **state)
{
	struct scene *s = *state;
	struct snapshot *both[] = { s->before, s->after };

	for (int i = 0; i < 2; i++)
		for (int id = 0; id < 4; id++)
			look_shm(both[i], 0, id, 5);
	s->after->objects[0].key = 6;
	s->after->objects[1].bytes = 8192;
	s->after->objects[2].cpid = 101;
	s->after->objects[3].cuid = 1000;
	assert_string_equal(told(s), "removed removed removed removed "
				     "created created created created");
}

/* IPC_SET, and semctl(SETVAL), change the time of an object that stays. */
static void test_changed_time_is_no_new_object(void **state)
{
	struct scene *s = *state;

	look_shm(s->before, 0, 3, 5);
	look_shm(s->after, 0, 3, 5);
	s->after->objects[0].ctime = 2000;
	assert_string_equal(told(s), "");
}

static void test_marked_for_destruction(void **state)
{
	struct scene *s = *state;

	look_use(s->before, look_shm(s->before, 0, 3, 5), 0);
	look_use(s->after, look_shm(s->after, 0, 3, 0), 0);
	s->after->objects[0].status = STATUS_DEST;
	assert_string_equal(told(s), "unlinked");
}

static void test_unlinked_file(void **state)
{
	struct scene *s = *state;

	look_use(s->before, look_file(s->before, OBJECT_POSIX_SHM, 0, 7, "frames"), 0);
	look_use(s->after, look_file(s->after, OBJECT_DELETED, 0, 7, "/dev/shm/frames"), 0);
	s->after->objects[0].area = NOBODY;
	assert_string_equal(told(s), "unlinked");
}

static void test_replaced_file(void **state)
{
	struct scene *s = *state;

	look_file(s->before, OBJECT_POSIX_SHM, 0, 7, "frames");
	look_file(s->after, OBJECT_POSIX_SHM, 0, 8, "frames");
	assert_string_equal(told(s), "removed created");
}

/* On a disk, the next file gets the inode that has just become free. */
static void test_recycled_inode(void **state)
{
	struct scene *s = *state;
	int volume = look_area(s->before, 60, "ext4");

	assert_int_equal(look_area(s->after, 60, "ext4"), volume);
	look_file(s->before, OBJECT_POSIX_SHM, volume, 7, "frames");
	look_file(s->after, OBJECT_POSIX_SHM, volume, 7, "frames");
	s->after->objects[0].ctime = 2000;
	assert_string_equal(told(s), "removed created");
}

static void test_written_file(void **state)
{
	struct scene *s = *state;
	int volume = look_area(s->before, 60, "ext4");

	look_area(s->after, 60, "ext4");
	look_use(s->before, look_file(s->before, OBJECT_POSIX_SHM, volume, 7, "frames"), 0);
	look_use(s->after, look_file(s->after, OBJECT_POSIX_SHM, volume, 7, "frames"), 0);
	s->after->objects[0].ctime = 2000;
	look_file(s->before, OBJECT_POSIX_SHM, 0, 9, "on tmpfs");
	look_file(s->after, OBJECT_POSIX_SHM, 0, 9, "on tmpfs");
	s->after->objects[1].ctime = 2000;
	assert_string_equal(told(s), "");
}

static void test_hard_links(void **state)
{
	struct scene *s = *state;

	look_file(s->before, OBJECT_POSIX_SHM, 0, 7, "a");
	look_file(s->before, OBJECT_POSIX_SHM, 0, 7, "b");
	look_file(s->after, OBJECT_POSIX_SHM, 0, 7, "b");
	look_file(s->after, OBJECT_POSIX_SHM, 0, 7, "a");
	assert_string_equal(told(s), "");
}

/* The number of a namespace that all have left is given to the next one. */
static void test_recycled_namespace(void **state)
{
	struct scene *s = *state;
	int was = look_ipcns(s->before, 600), is = look_ipcns(s->after, 600);

	look_process(s->before, 11, 78, NOBODY, was, 0);
	look_process(s->after, 12, 79, NOBODY, is, 0);
	look_shm(s->before, was, 0, 5);
	look_shm(s->after, is, 0, 5);
	assert_string_equal(told(s), "removed created");
}

static void test_recycled_device(void **state)
{
	struct scene *s = *state;
	int was = look_area(s->before, 51, "tmpfs"), is = look_area(s->after, 51, "tmpfs");

	look_process(s->before, 11, 78, NOBODY, 0, was);
	look_process(s->after, 12, 79, NOBODY, 0, is);
	look_file(s->before, OBJECT_POSIX_SHM, was, 2, "frames");
	look_file(s->after, OBJECT_POSIX_SHM, is, 2, "frames");
	assert_string_equal(told(s), "removed created");
}

static struct object *served(struct snapshot *s, int64_t id, const char *name)
{
	int object = look_file(s, OBJECT_SHM, 0, id, name);

	s->objects[object].cpid = 10;
	return &s->objects[object];
}

/* Its maker's death takes the number away that he had here; that is no other segment. */
static void test_segment_of_a_directory(void **state)
{
	struct scene *s = *state;

	served(s->before, 3, "coshm/.sysv/shm-3");
	served(s->after, 3, "coshm/.sysv/shm-3")->cpid = 0;
	assert_string_equal(told(s), "");
}

/* One id in two directories of one /dev/shm. */
static void test_segments_of_two_directories(void **state)
{
	struct scene *s = *state;

	served(s->before, 3, "a/.sysv/shm-3");
	served(s->before, 3, "b/.sysv/shm-3");
	served(s->after, 3, "b/.sysv/shm-3");
	assert_string_equal(told(s), "removed");
	assert_string_equal(s->before->objects[s->changes->change[0].object].name, "a/.sysv/shm-3");
}

static void test_attached_through_a_directory(void **state)
{
	struct scene *s = *state;

	served(s->before, 3, "coshm/.sysv/shm-3");
	served(s->after, 3, "coshm/.sysv/shm-3")->count = 1;
	assert_string_equal(told(s), "attached");
}

/* A namespace or /dev/shm that could not be looked into tells nothing, and is no news later. */
static void test_unseen_place(void **state)
{
	struct scene *s = *state;

	look_shm(s->before, 0, 0, 5);
	look_file(s->after, OBJECT_POSIX_SHM, 0, 2, "frames");
	s->after->ipcns[0].seen = false;
	s->before->areas[0].seen = false;
	assert_string_equal(told(s), "");
}

static void test_hidden(void **state)
{
	struct scene *s = *state;

	assert_false(changes_hidden(s->before, s->after));
	s->after->areas[0].seen = false;
	assert_true(changes_hidden(s->before, s->after));
	s->before->areas[0].seen = false; /* it never was seen */
	assert_false(changes_hidden(s->before, s->after));
	s->after->ipcns[0].seen = false;
	assert_true(changes_hidden(s->before, s->after));
}

static void test_container_starts_and_stops(void **state)
{
	struct scene *s = *state;
	int idle;

	look_container(s->before, "old", 0, 0);
	look_process(s->before, 11, 78, 0, 0, 0);
	look_container(s->after, "new", 0, 0);
	look_process(s->after, 12, 79, 0, 0, 0);
	/* One that does not run comes and goes unnoticed. */
	idle = look_container(s->after, "idle", NOBODY, NOBODY);
	s->after->containers[idle].state = CONTAINER_STOPPED;
	s->after->containers[idle].process = NOBODY;
	assert_string_equal(told(s), "stopped started");
}

static void test_container_paused(void **state)
{
	struct scene *s = *state;
	struct snapshot *both[] = { s->before, s->after };

	for (int i = 0; i < 2; i++)
		for (int c = 0; c < 2; c++) {
			look_container(both[i], c == 0 ? "a" : "b", 0, 0);
			look_process(both[i], 11 + c, 78, c, 0, 0);
		}
	s->before->containers[0].state = CONTAINER_PAUSED;
	s->after->processes[2].frozen = true;
	assert_string_equal(told(s), "paused resumed");
	assert_int_equal(s->changes->change[0].container, 1);
	assert_int_equal(s->changes->change[1].container, 0);
}

static void test_container_starts_paused(void **state)
{
	struct scene *s = *state;

	look_container(s->after, "web", 0, 0);
	look_process(s->after, 11, 78, 0, 0, 0);
	s->after->containers[0].state = CONTAINER_PAUSED;
	assert_string_equal(told(s), "started paused");
}

/* One that no engine made has no id, and is met before it has set its own host name. */
static void test_container_without_id_gets_its_name(void **state)
{
	struct scene *s = *state;
	struct snapshot *both[] = { s->before, s->after };

	for (int i = 0; i < 2; i++) {
		look_container(both[i], i == 0 ? "pid 11" : "web", 0, 0);
		look_process(both[i], 11, 78, 0, 0, 0);
		both[i]->containers[0].engine = ENGINE_OTHER;
		both[i]->containers[0].id = "";
	}
	assert_string_equal(told(s), "stopped started");
}

/* A donor in the namespace @ino, run by @pid, and its joiner, in @joined. */
static void add_pair(struct snapshot *s, uint64_t ino, pid_t pid, uint64_t joined)
{
	int there = look_ipcns(s, ino), here = joined == ino ? there : look_ipcns(s, joined);
	int donor = look_container(s, "donor", there, 0), joiner;

	look_process(s, pid, 78, donor, there, 0);
	joiner = look_container(s, "joiner", here, 0);
	look_process(s, 30, 78, joiner, here, 0);
	s->containers[joiner].donor = donor;
}

static void test_split(void **state)
{
	struct scene *s = *state;

	add_pair(s->before, 600, 20, 600);
	add_pair(s->after, 601, 21, 600);
	assert_string_equal(told(s), "stopped started split");
	assert_int_equal(s->changes->change[2].container, 1);
	assert_int_equal(s->changes->change[2].donor, 0);
}

static void test_split_is_told_once(void **state)
{
	struct scene *s = *state;

	add_pair(s->before, 601, 20, 600);
	add_pair(s->after, 602, 21, 600);
	assert_string_equal(told(s), "stopped started");
}

static void test_rejoined(void **state)
{
	struct scene *s = *state;

	add_pair(s->before, 601, 20, 600);
	add_pair(s->after, 601, 20, 601);
	s->after->processes[2].pid = 31;
	assert_string_equal(told(s), "stopped started joined");
}

/* One pair of channels, the same in both looks. */
static void add_channels(struct scene *s, struct channel *channels[2])
{
	channels[0] = look_channel(s->before, look_file(s->before, OBJECT_CHANNEL, 0, 7, "ticks"));
	channels[1] = look_channel(s->after, look_file(s->after, OBJECT_CHANNEL, 0, 7, "ticks"));
}

static void test_peer_died(void **state)
{
	struct scene *s = *state;
	struct channel *c[2];

	add_channels(s, c);
	look_peer(s->before, c[0], 0, COSHM_PEER_ALIVE, 1);
	look_peer(s->after, c[1], 0, COSHM_PEER_DEAD, 1);
	look_peer(s->before, c[0], 1, COSHM_PEER_DEAD, 2); /* as it was */
	look_peer(s->after, c[1], 1, COSHM_PEER_DEAD, 2);
	look_peer(s->before, c[0], 2, COSHM_PEER_ALIVE, 3); /* left */
	assert_string_equal(told(s), "died");
	assert_int_equal(s->changes->change[0].peer->pid, 1);
}

/* Those who live have recovered for it before we could see it dead. */
static void test_peer_died_and_gone(void **state)
{
	struct scene *s = *state;
	struct channel *c[2];

	add_channels(s, c);
	look_peer(s->before, c[0], 0, COSHM_PEER_ALIVE, 1);
	look_peer(s->before, c[0], 1, COSHM_PEER_DEAD, 2);
	c[1]->evicted = 2;
	assert_string_equal(told(s), "died");
	assert_int_equal(s->changes->change[0].peer->pid, 1);
}

static void test_some_peers_died(void **state)
{
	struct scene *s = *state;
	struct channel *c[2];

	add_channels(s, c);
	look_peer(s->before, c[0], 0, COSHM_PEER_ALIVE, 1);
	look_peer(s->before, c[0], 1, COSHM_PEER_ALIVE, 2);
	c[1]->evicted = 3; /* more than we knew */
	assert_string_equal(told(s), "died");
	assert_null(s->changes->change[0].peer);
	assert_int_equal(s->changes->change[0].count, 3);
}

/* A channel on a disk that was made anew counts from zero. */
static void test_remade_channel(void **state)
{
	struct scene *s = *state;
	struct channel *c[2];

	add_channels(s, c);
	c[0]->messages = 100;
	c[1]->messages = 99;
	assert_string_equal(told(s), "removed created");
}

static void test_order(void **state)
{
	struct scene *s = *state;
	int old, new;

	look_container(s->before, "web", 0, 0);
	look_process(s->before, 11, 78, 0, 0, 0);
	old = look_shm(s->before, 0, 0, 5);
	look_use(s->before, old, 1);
	look_container(s->after, "db", 0, 0);
	look_process(s->after, 12, 79, 0, 0, 0);
	new = look_shm(s->after, 0, 32768, 5);
	look_use(s->after, new, 1);
	assert_string_equal(told(s), "stopped detached removed started created attached");
}

/* A thousand segments remade: none is lost, and none told twice. */
static void test_many(void **state)
{
	struct scene *s = *state;
	unsigned int created = 0, removed = 0;

	for (int i = 0; i < 1000; i++) {
		look_shm(s->before, 0, i, i);
		look_shm(s->after, 0, i % 2 ? i : 32768 + i, i);
	}
	assert_int_equal(changes_find(s->before, s->after, &s->changes), 0);
	for (unsigned int i = 0; i < s->changes->count; i++) {
		created += s->changes->change[i].kind == CHANGE_CREATED;
		removed += s->changes->change[i].kind == CHANGE_REMOVED;
	}
	assert_int_equal(created, 500);
	assert_int_equal(removed, 500);
	assert_int_equal(s->changes->count, 1000);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_nothing),
		TEST(test_life_of_a_segment),
		TEST(test_end_of_a_segment),
		TEST(test_attached_and_detached),
		TEST(test_open_is_not_attached),
		TEST(test_unseen_maps),
		TEST(test_dead_user),
		TEST(test_number_of_unseen_users),
		TEST(test_recycled_pid),
		TEST(test_recycled_id),
		TEST(test_changed_time_is_no_new_object),
		TEST(test_marked_for_destruction),
		TEST(test_unlinked_file),
		TEST(test_replaced_file),
		TEST(test_recycled_inode),
		TEST(test_written_file),
		TEST(test_hard_links),
		TEST(test_recycled_namespace),
		TEST(test_recycled_device),
		TEST(test_segment_of_a_directory),
		TEST(test_segments_of_two_directories),
		TEST(test_attached_through_a_directory),
		TEST(test_unseen_place),
		TEST(test_hidden),
		TEST(test_container_starts_and_stops),
		TEST(test_container_paused),
		TEST(test_container_starts_paused),
		TEST(test_container_without_id_gets_its_name),
		TEST(test_split),
		TEST(test_split_is_told_once),
		TEST(test_rejoined),
		TEST(test_peer_died),
		TEST(test_peer_died_and_gone),
		TEST(test_some_peers_died),
		TEST(test_remade_channel),
		TEST(test_order),
		TEST(test_many),
	};

	return cmocka_run_group_tests_name("changes", tests, NULL, NULL);
}
