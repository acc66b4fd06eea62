/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_inspect_orphan.c - which objects nobody uses any more, on snapshots made by hand.
 * Each test begins with an orphan and changes the one thing that spares it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "memory.h"
#include "orphan.h"

#define MAKER 41

/* A machine with one container: process 1 is the machine's, 20 and 21 are in the container. */
struct scene {
	struct snapshot s;
	struct ipcns ipcns[2];
	struct shm_area areas[2];
	struct process processes[3];
	struct container container;
	struct channel channel;
	struct object o;
};

static int set_up(void **state)
{
	struct scene *scene = calloc(1, sizeof(*scene));

	assert_non_null(scene);
	scene->s = (struct snapshot){ .containers = &scene->container,
				      .processes = scene->processes,
				      .ipcns = scene->ipcns,
				      .areas = scene->areas,
				      .objects = &scene->o,
				      .container_count = 1,
				      .process_count = 3,
				      .ipcns_count = 2,
				      .area_count = 2,
				      .object_count = 1,
				      .pid_host = true,
				      .memory = memory_new() };
	for (int i = 0; i < 3; i++)
		scene->processes[i] = (struct process){ .pid = i ? 19 + i : 1,
							.state = 'S',
							.command = "sleep",
							.ipcns_ino = i ? 8 : 7,
							.ipcns = i ? 1 : 0,
							.shm_area = i ? 1 : 0,
							.container = i ? 0 : NOBODY,
							.maps_seen = true };
	scene->container = (struct container){ .name = "box", .state = CONTAINER_RUNNING };
	scene->ipcns[0].seen = scene->ipcns[1].seen = true;
	scene->areas[0] = scene->areas[1] = (struct shm_area){ .seen = true, .dev_shm = true };
	scene->channel = (struct channel){ .peer_count = 2, .dead = 2 };
	*state = scene;
	return 0;
}

static int tear_down(void **state)
{
	struct scene *scene = *state;

	memory_free(scene->s.memory);
	free(scene);
	return 0;
}

static void make_segment(struct scene *scene)
{
	scene->o = (struct object){
		.kind = OBJECT_SHM, .ipcns = 1, .area = NOBODY, .cpid = MAKER, .lpid = MAKER
	};
}

static void make_file(struct scene *scene, enum object_kind kind)
{
	scene->o = (struct object){
		.kind = kind, .ipcns = NOBODY, .area = 1, .name = "x", .bytes = 4096
	};
	if (kind == OBJECT_CHANNEL)
		scene->o.channel = &scene->channel;
}

/* @words are in the reason. */
static void expect(struct scene *scene, enum orphan verdict, const char *words)
{
	const char *why = "";

	assert_int_equal(object_orphan(&scene->s, 0, &why), verdict);
	assert_non_null(strstr(why, words));
}

static void segment_without_users(void **state)
{
	make_segment(*state);
	expect(*state, ORPHAN_YES, "pid 41, which made it, is gone");
}

static void segment_with_users(void **state)
{
	struct scene *scene = *state;

	make_segment(scene);
	scene->o.count = 1;
	expect(scene, ORPHAN_NO, "attached");
	scene->o.count = 0;
	scene->o.uses = 1; /* attached between the two looks */
	expect(scene, ORPHAN_NO, "maps it");
}

static void segment_whose_maker_lives(void **state)
{
	struct scene *scene = *state;

	make_segment(scene);
	scene->o.cpid = 20;
	expect(scene, ORPHAN_NO, "pid 20 (sleep) of box made it");
	scene->o.cpid = MAKER;
	scene->o.lpid = 1;
	expect(scene, ORPHAN_NO, "pid 1 (sleep) was the last to use it");
	scene->processes[0].state = 'Z'; /* dead, and not yet waited for */
	expect(scene, ORPHAN_YES, "");
}

static void segment_of_an_unseen_maker(void **state)
{
	struct scene *scene = *state;

	make_segment(scene);
	scene->o.cpid = 0;
	expect(scene, ORPHAN_MAYBE, "PID namespace");
}

static void nothing_that_was_not_wholly_seen(void **state)
{
	struct scene *scene = *state;

	make_segment(scene);
	scene->ipcns[1].seen = false;
	expect(scene, ORPHAN_MAYBE, "could not be entered");
	scene->ipcns[1].seen = true;
	scene->s.pid_host = false;
	expect(scene, ORPHAN_MAYBE, "other PID namespaces");
	scene->s.pid_host = true;
	scene->processes[2].maps_seen = false; /* the kernel has counted him */
	expect(scene, ORPHAN_YES, "");
	make_file(scene, OBJECT_POSIX_SHM);
	expect(scene, ORPHAN_MAYBE, "pid 21 (sleep) of box does not show what it maps");
	scene->processes[2].state = 'Z';
	expect(scene, ORPHAN_YES, "");
	scene->processes[2].state = 'S';
	scene->processes[2].shm_area = 0; /* another /dev/shm */
	expect(scene, ORPHAN_YES, "");
	scene->processes[2].shm_area = NOBODY;
	expect(scene, ORPHAN_MAYBE, "does not show what it maps");
	scene->processes[2].maps_seen = true;
	scene->areas[1].seen = false;
	expect(scene, ORPHAN_MAYBE, "file system");
}

static void files(void **state)
{
	struct scene *scene = *state;

	make_file(scene, OBJECT_POSIX_SHM);
	expect(scene, ORPHAN_YES, "nobody maps it");
	make_file(scene, OBJECT_POSIX_SEM);
	expect(scene, ORPHAN_YES, "nobody maps it");
	scene->o.uses = 1;
	expect(scene, ORPHAN_NO, "maps it");
	make_file(scene, OBJECT_POSIX_SHM);
	scene->o.name = "libpod_lock";
	expect(scene, ORPHAN_MAYBE, "Podman");
	scene->o.name = "libpod_rootless_lock_1000";
	expect(scene, ORPHAN_MAYBE, "Podman");
	make_file(scene, OBJECT_DELETED); /* of nobody, it would be gone */
	expect(scene, ORPHAN_NO, "");
	make_file(scene, OBJECT_MEMFD);
	expect(scene, ORPHAN_NO, "");
}

static void files_that_are_empty(void **state)
{
	struct scene *scene = *state;

	make_file(scene, OBJECT_POSIX_SHM);
	scene->o.bytes = 0;
	expect(scene, ORPHAN_MAYBE, "key file of ftok(3)");
	make_file(scene, OBJECT_POSIX_SEM);
	scene->o.bytes = 0;
	expect(scene, ORPHAN_MAYBE, "key file of ftok(3)");
	scene->o.uses = 1;
	expect(scene, ORPHAN_NO, "has it open");
}

static void channels(void **state)
{
	struct scene *scene = *state;

	make_file(scene, OBJECT_CHANNEL);
	expect(scene, ORPHAN_YES, "peers are dead");
	scene->channel.dead = 1;
	expect(scene, ORPHAN_NO, "alive");
	scene->channel.peer_count = scene->channel.dead = 0;
	expect(scene, ORPHAN_MAYBE, "coshm rm");
	scene->o.channel = NULL;
	expect(scene, ORPHAN_MAYBE, "");
}

/* Of a directory that coshm run serves, in a volume: who can reach it is not known. */
static void make_served(struct scene *scene, enum object_kind kind)
{
	make_file(scene, kind);
	scene->areas[1].dev_shm = false;
	scene->o.name = ".sysv/shm-3";
	scene->o.allocated = 4096;
}

static void segments_of_a_directory(void **state)
{
	struct scene *scene = *state;

	make_served(scene, OBJECT_SHM);
	expect(scene, ORPHAN_YES, "who made it is gone");
	scene->processes[0].state = 'T'; /* he may have the volume */
	expect(scene, ORPHAN_MAYBE, "paused");
	scene->processes[0].state = 'S';
	scene->o.cpid = 20;
	expect(scene, ORPHAN_NO, "made it");
	scene->o.status = STATUS_DEST;
	expect(scene, ORPHAN_YES, "removed");
	scene->o.count = 1;
	expect(scene, ORPHAN_NO, "attached");
	scene->o.count = 0;
	scene->o.allocated = 0;
	expect(scene, ORPHAN_NO, "freed");
	make_served(scene, OBJECT_SHM);
	scene->s.pid_host = false;
	expect(scene, ORPHAN_MAYBE, "other PID namespaces");
}

static void other_things_of_a_directory(void **state)
{
	struct scene *scene = *state;

	make_served(scene, OBJECT_TABLE);
	expect(scene, ORPHAN_NO, "table");
	make_served(scene, OBJECT_SEM);
	expect(scene, ORPHAN_MAYBE, "who comes next");
	make_served(scene, OBJECT_MSG);
	expect(scene, ORPHAN_MAYBE, "who comes next");
	make_served(scene, OBJECT_POSIX_SHM);
	expect(scene, ORPHAN_YES, "nobody maps it");
	scene->processes[0].maps_seen = false;
	expect(scene, ORPHAN_MAYBE, "does not show what it maps");
}

static void what_has_no_count_of_users(void **state)
{
	struct scene *scene = *state;

	make_segment(scene);
	scene->o.kind = OBJECT_SEM;
	expect(scene, ORPHAN_MAYBE, "semaphores");
	scene->o.kind = OBJECT_MSG;
	expect(scene, ORPHAN_MAYBE, "queue");
	scene->o.kind = OBJECT_POSIX_MQ;
	expect(scene, ORPHAN_MAYBE, "queue");
}

static void nothing_beside_one_who_is_stopped(struct scene *scene)
{
	expect(scene, ORPHAN_YES, "");
	scene->processes[2].state = 'T';
	expect(scene, ORPHAN_MAYBE, "pid 21 (sleep) of box is paused");
	scene->processes[2].state = 'S';
	scene->processes[2].frozen = true;
	expect(scene, ORPHAN_MAYBE, "paused");
	scene->processes[2].frozen = false;
	scene->container.state = CONTAINER_PAUSED;
	expect(scene, ORPHAN_MAYBE, "paused");
	scene->container.state = CONTAINER_RUNNING;
	scene->processes[0].state = 'T'; /* elsewhere */
	expect(scene, ORPHAN_YES, "");
	scene->processes[0].ipcns = scene->processes[0].shm_area = NOBODY; /* who knows */
	expect(scene, ORPHAN_MAYBE, "pid 1 (sleep) is paused");
	scene->processes[0] = (struct process){
		.pid = 1, .state = 'S', .command = "sleep", .container = NOBODY, .maps_seen = true
	};
}

static void beside_one_who_is_stopped(void **state)
{
	make_segment(*state);
	nothing_beside_one_who_is_stopped(*state);
	make_file(*state, OBJECT_POSIX_SHM);
	nothing_beside_one_who_is_stopped(*state);
	make_file(*state, OBJECT_CHANNEL);
	nothing_beside_one_who_is_stopped(*state);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(segment_without_users, set_up, tear_down),
		cmocka_unit_test_setup_teardown(segment_with_users, set_up, tear_down),
		cmocka_unit_test_setup_teardown(segment_whose_maker_lives, set_up, tear_down),
		cmocka_unit_test_setup_teardown(segment_of_an_unseen_maker, set_up, tear_down),
		cmocka_unit_test_setup_teardown(nothing_that_was_not_wholly_seen, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(files, set_up, tear_down),
		cmocka_unit_test_setup_teardown(files_that_are_empty, set_up, tear_down),
		cmocka_unit_test_setup_teardown(channels, set_up, tear_down),
		cmocka_unit_test_setup_teardown(segments_of_a_directory, set_up, tear_down),
		cmocka_unit_test_setup_teardown(other_things_of_a_directory, set_up, tear_down),
		cmocka_unit_test_setup_teardown(what_has_no_count_of_users, set_up, tear_down),
		cmocka_unit_test_setup_teardown(beside_one_who_is_stopped, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
