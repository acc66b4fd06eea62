/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_inspect_recorded.c - a scan of a machine that was written down: two
 * containers of Docker, each with its own IPC namespace and the same key in it.
 */
#include "inspect_scene.h"

static struct snapshot *s;

static int setup(void **state)
{
	const struct inspect_opts opts = { .root = MACHINES "/machine-split", .no_engines = true };

	(void)state;
	s = scan_with(&opts);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	inspect_free(s);
	return 0;
}

static void test_processes(void **state)
{
	const struct process *p;

	(void)state;
	/* Without the thread of the kernel. */
	assert_int_equal(s->process_count, 4);
	assert_true(s->pid_host);
	assert_int_equal(s->own_process, NOBODY);
	assert_int_equal(the_process(s, 1)->container, NOBODY);
	p = the_process(s, 101);
	assert_string_equal(p->command, "helper");
	assert_int_equal(p->ppid, 100);
	assert_int_equal(p->inner_pid, 7);
	assert_int_equal(p->uid, 1000);
	assert_int_equal(p->start_ticks, 600);
	assert_true(p->maps_seen);
	assert_false(p->frozen);
	assert_true(the_process(s, 200)->frozen);
	assert_int_equal(p->container, the_process(s, 100)->container);
}

static void test_containers(void **state)
{
	const struct container *c;

	(void)state;
	assert_int_equal(s->container_count, 2);
	c = &s->containers[the_process(s, 100)->container];
	assert_int_equal(c->engine, ENGINE_DOCKER);
	assert_int_equal(strspn(c->id, "1"), 64);
	assert_int_equal(c->pid, 100);
	assert_int_equal(c->state, CONTAINER_RUNNING);
	assert_string_equal(c->label, "docker-default (enforce)");
	assert_int_equal(s->ipcns[c->ipcns].ino, 4026532300);
	assert_int_equal(s->areas[c->shm_area].dev_minor, 0x33);
	c = &s->containers[the_process(s, 200)->container];
	assert_int_equal(c->state, CONTAINER_PAUSED);
	assert_int_equal(s->ipcns[c->ipcns].containers, 1);
}

static void test_namespaces(void **state)
{
	const struct ipcns *ns = &s->ipcns[the_process(s, 100)->ipcns];

	(void)state;
	assert_int_equal(s->ipcns_count, 3);
	assert_true(ns->seen);
	assert_int_equal(ns->processes, 2);
	assert_int_equal(ns->limits.shmmni, 4096);
	assert_int_equal(ns->usage.shm_segments, 1);
	assert_int_equal(ns->usage.shm_pages, 16);
	assert_int_equal(ns->usage.shm_resident_pages, 2);
	assert_int_equal(ns->usage.shm_swapped_pages, 1);
	assert_int_equal(ns->usage.sem_sets, 1);
	assert_int_equal(ns->usage.sems, 3);
	assert_int_equal(ns->usage.mq_queues, 1);
	assert_int_equal(the_object(s, OBJECT_POSIX_MQ, "jobs")->bytes, 5);
}

static void test_areas(void **state)
{
	const struct shm_area *area = &s->areas[the_process(s, 200)->shm_area];

	(void)state;
	assert_int_equal(s->area_count, 3);
	assert_string_equal(area->point, "/dev/shm");
	assert_string_equal(area->fs, "tmpfs");
	assert_int_equal(area->bytes, 1 << 20);
	assert_true(area->dev_shm && area->seen);
	assert_int_equal(area->containers, 1);
	assert_int_equal(area->pid, 200);
}

/* The same key and id in two namespaces: two segments, each with its own user. */
static void test_segments(void **state)
{
	unsigned int found = 0;

	(void)state;
	for (unsigned int i = 0; i < s->object_count; i++) {
		const struct object *o = &s->objects[i];

		if (o->kind != OBJECT_SHM)
			continue;
		found++;
		assert_int_equal(o->key, 0x162e);
		assert_int_equal(o->uses, 1);
		assert_non_null(find_use_of(s, o, s->ipcns[o->ipcns].pid));
		/* One of them lies where huge pages do. */
		assert_int_equal(o->status, s->ipcns[o->ipcns].pid == 200 ? STATUS_HUGE : 0);
	}
	assert_int_equal(found, 2);
}

static void test_files(void **state)
{
	const struct object *o = the_object(s, OBJECT_POSIX_SHM, "quotes");
	const struct use *use;

	(void)state;
	assert_int_equal(o->bytes, 8192);
	assert_int_equal(o->count, 2);
	assert_int_equal(o->area, the_process(s, 100)->shm_area);
	use = find_use_of(s, o, 101);
	assert_non_null(use);
	assert_true(use->mapped);
	assert_false(use->writes);
	assert_int_equal(use->bytes, 8192);
	assert_true(find_use_of(s, o, 100)->writes);
	the_object(s, OBJECT_POSIX_SEM, "lock");
	o = the_object(s, OBJECT_DELETED, "gone");
	assert_int_equal(o->area, the_process(s, 100)->shm_area);
	assert_int_equal(o->bytes, 8192);
	o = the_object(s, OBJECT_MEMFD, "pool");
	assert_int_equal(o->uses, 2);
	assert_int_equal(find_object(s, OBJECT_MEMFD, "alone"), NOBODY);
}

static void test_nothing_lacks(void **state)
{
	(void)state;
	for (unsigned int i = 0; i < s->note_count; i++)
		print_error("%s\n", s->notes[i]);
	assert_int_equal(s->note_count, 0);
}

static void test_no_machine(void **state)
{
	const struct inspect_opts nowhere = { .root = MACHINES "/no-such-machine" };
	const struct inspect_opts empty = { .root = MACHINES "/machine-split/proc/1" };
	struct snapshot *none = NULL;
	char why[256] = "";

	(void)state;
	assert_true(inspect_scan(&nowhere, &none, why) < 0);
	assert_non_null(strstr(why, "no-such-machine"));
	assert_true(inspect_scan(&empty, &none, why) < 0);
	assert_null(none);
}

static void test_without_maps(void **state)
{
	const struct inspect_opts opts = { .root = MACHINES "/machine-split",
					   .no_engines = true,
					   .no_maps = true };
	struct snapshot *fast = scan_with(&opts);

	(void)state;
	assert_int_equal(fast->use_count, 0);
	assert_false(the_process(fast, 100)->maps_seen);
	the_object(fast, OBJECT_POSIX_SHM, "quotes");
	inspect_free(fast);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_processes),     cmocka_unit_test(test_containers),
		cmocka_unit_test(test_namespaces),    cmocka_unit_test(test_areas),
		cmocka_unit_test(test_segments),      cmocka_unit_test(test_files),
		cmocka_unit_test(test_nothing_lacks), cmocka_unit_test(test_no_machine),
		cmocka_unit_test(test_without_maps),
	};

	return cmocka_run_group_tests_name("inspect_recorded", tests, setup, teardown);
}
