/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_report_listing.c - a machine made by hand as table, tree and JSON, and
 * one with nothing in it.
 */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>
#include <jansson.h>

#include "listing.h"
#include "objects.h"
#include "report_scene.h"

static char printed[65536];

/* What a listing prints on standard output, which is put back. */
static void print(int (*to)(const struct listing *l), const struct listing *l)
{
	int fd = memfd_create("stdout", 0), before = dup(STDOUT_FILENO);
	ssize_t length;

	fflush(stdout);
	dup2(fd, STDOUT_FILENO);
	assert_int_equal(to(l), 0);
	fflush(stdout);
	dup2(before, STDOUT_FILENO);
	length = pread(fd, printed, sizeof(printed) - 1, 0);
	assert_true(length >= 0);
	printed[length] = '\0';
	close(fd);
	close(before);
}

/* All rows of @s with some columns. */
static struct listing list(const struct snapshot *s, bool uses_too, const char *columns,
			   struct memory *m)
{
	const struct places *p = places_make(s, m);
	struct listing l = {
		.places = p, .uses = uses_too, .rows = { .of = p, .memory = m }, .titles = true
	};
	unsigned int *row = memory_get(m, (s->object_count + s->use_count + 1) * sizeof(*row));
	char why[WHY_BYTES];
	bool *inhabited;

	assert_int_equal(columns_select(uses_too ? &use_columns : &object_columns, columns,
					&l.selection, why),
			 0);
	inhabited = memory_get(m, p->count);
	memset(inhabited, !uses_too, s->ipcns_count);
	l.inhabited = inhabited;
	l.row = row;
	for (unsigned int i = 0; i < s->object_count; i++) {
		if (!uses_too)
			row[l.count++] = p->order[i];
		for (unsigned int use = p->first_use[p->order[i]];
		     uses_too && use < p->first_use[p->order[i] + 1]; use++)
			row[l.count++] = use;
	}
	return l;
}

static void the_table_has_a_line_above_each_place(void **state)
{
	struct memory *m = memory_new();
	struct listing l = list(&scene, false, "TYPE,OBJECT,SIZE", m);

	(void)state;
	print(listing_table, &l);
	assert_string_equal(printed,
			    "ipc namespace 4026531839 (own): no container, 1 process; "
			    "/dev/shm 1G, 0 % used\n"
			    "TYPE      OBJECT      SIZE\n"
			    "shm       3             4K\n"
			    "\n"
			    "ipc namespace 4026532291: writer (donor), reader; /dev/shm 64M, "
			    "3 % used\n"
			    "shm       0           1.5K\n"
			    "sem       1          \n"
			    "msg       2            90B\n"
			    "posix-shm frames     15.9E\n"
			    "posix-sem lock         32B\n"
			    "\n"
			    "directory /srv/channels (tmpfs 0:60): 4K used, no limit\n"
			    "channel   ticks        64K\n"
			    "\n"
			    "no name: files of processes in several namespaces\n"
			    "memfd     memfd:pool    8K\n");
	memory_free(m);
}

static void the_tree_has_what_containers_use_below_them(void **state)
{
	struct memory *m = memory_new();
	struct listing l = list(&scene, false, "SIZE", m);

	(void)state;
	print(listing_tree, &l);
	assert_string_equal(printed, "OBJECT                                SIZE\n"
				     "ipc namespace 4026531839 (own)       \n"
				     "`-shm 0x0000162e id 3                   4K\n"
				     "ipc namespace 4026532291             \n"
				     "|-container writer                   \n"
				     "| `-shm 0xffffffff id 0               1.5K\n"
				     "|-container reader                   \n"
				     "| `-shm 0xffffffff id 0               1.5K\n"
				     "|-sem 0x00000005 id 1                \n"
				     "|-msg 0x00000006 id 2                  90B\n"
				     "|-posix-shm /dev/shm/frames          15.9E\n"
				     "`-posix-sem /dev/shm/sem.lock          32B\n"
				     "directory /srv/channels (tmpfs 0:60) \n"
				     "`-container reader                   \n"
				     "  `-channel /srv/channels/ticks        64K\n"
				     "no name                              \n"
				     "`-container writer                   \n"
				     "  `-memfd memfd:pool                    8K\n");
	memory_free(m);
}

static void the_tree_of_processes_has_them_below_objects(void **state)
{
	struct memory *m = memory_new();
	struct listing l = list(&scene, true, "MODE", m);

	(void)state;
	print(listing_tree, &l);
	assert_string_equal(printed, "OBJECT                               MODE\n"
				     "ipc namespace 4026532291             \n"
				     "`-shm 0xffffffff id 0                \n"
				     "  |-200 shm_write                    rw\n"
				     "  `-300 shm_read                     r\n"
				     "directory /srv/channels (tmpfs 0:60) \n"
				     "`-channel /srv/channels/ticks        \n"
				     "  `-300 shm_read                     rw\n"
				     "no name                              \n"
				     "`-memfd memfd:pool                   \n"
				     "  |-1 init                           rw\n"
				     "  `-200 shm_write                    r\n");
	memory_free(m);
}

static json_t *parse(const struct listing *l)
{
	json_error_t error;
	json_t *root;

	print(listing_json, l);
	root = json_loads(printed, JSON_REJECT_DUPLICATES, &error);
	assert_non_null(root);
	return root;
}

static json_t *member(json_t *root, const char *list_name, size_t index, const char *name)
{
	json_t *found =
		json_object_get(json_array_get(json_object_get(root, list_name), index), name);

	assert_non_null(found);
	return found;
}

static void json_has_raw_numbers(void **state)
{
	struct memory *m = memory_new();
	struct listing l = list(&scene, false, "SIZE", m);
	json_t *root = parse(&l);

	(void)state;
	assert_int_equal(json_array_size(json_object_get(root, "objects")), OBJECTS);
	assert_int_equal(json_integer_value(member(root, "objects", 0, "owner")), 70000);
	assert_int_equal(json_integer_value(member(root, "objects", 0, "ctime")), 1700000000);
	assert_string_equal(json_string_value(member(root, "objects", 0, "perms")), "0600");
	assert_int_equal(json_integer_value(member(root, "objects", 1, "size")), 1536);
	assert_int_equal(json_array_size(member(root, "objects", 1, "container")), 2);
	/* More than JSON's numbers hold. */
	assert_int_equal(json_integer_value(member(root, "objects", 4, "size")), INT64_MAX);
	assert_true(json_is_null(member(root, "objects", 4, "key")));
	assert_string_equal(json_string_value(member(root, "containers", READER, "donor")),
			    "writer");
	assert_string_equal(json_string_value(member(root, "containers", READER, "state")),
			    "paused");
	assert_int_equal(json_array_size(member(root, "namespaces", PAIR_NS, "containers")), 2);
	assert_int_equal(json_integer_value(member(root, "areas", PAIR_SHM, "ipcns")), 4026532291);
	assert_int_equal(json_array_size(json_object_get(root, "notes")), 1);
	json_decref(root);
	memory_free(m);
}

static void json_of_processes_has_a_row_for_each_use(void **state)
{
	struct memory *m = memory_new();
	struct listing l = list(&scene, true, "PID", m);
	json_t *root = parse(&l);

	(void)state;
	assert_int_equal(json_array_size(json_object_get(root, "processes")), LENGTH(uses));
	assert_string_equal(json_string_value(member(root, "processes", 0, "container")), "writer");
	json_decref(root);
	memory_free(m);
}

static void hostile_texts_reach_nobody(void **state)
{
	struct memory *m = memory_new();
	struct container hostile = containers[WRITER];
	struct object named = objects[POSIX];
	struct snapshot s = scene;
	struct listing l;
	json_t *root;

	(void)state;
	hostile.name = "\x1b]0;x\x07\xff";
	hostile.image = "\xc3";
	named.name = "a\nb\x1b[2J";
	s.containers = &hostile;
	s.container_count = 1;
	s.objects = &named;
	s.object_count = 1;
	s.use_count = 0;
	l = list(&s, false, "NAME,CONTAINER,IMAGE", m);
	print(listing_table, &l);
	assert_null(strchr(printed, '\x1b'));
	assert_string_equal(strstr(printed, "a?b"), "a?b?[2J ?]0;x??   ?\n");
	print(listing_tree, &l);
	assert_null(strchr(printed, '\x1b'));
	root = parse(&l);
	assert_string_equal(json_string_value(member(root, "objects", 0, "name")), "a?b?[2J");
	assert_string_equal(json_string_value(member(root, "containers", 0, "container")),
			    "?]0;x??");
	json_decref(root);
	memory_free(m);
}

/* As of the host's /dev/shm that a container with an IPC namespace of its own has mounted. */
static void a_dev_shm_of_two_namespaces_is_a_place_of_its_own(void **state)
{
	struct memory *m = memory_new();
	struct process moved[LENGTH(processes)];
	struct snapshot s = scene;
	struct listing l;

	(void)state;
	memcpy(moved, processes, sizeof(moved));
	moved[0].shm_area = PAIR_SHM;
	s.processes = moved;
	l = list(&s, false, "OBJECT,IPCNS", m);
	print(listing_table, &l);
	assert_non_null(strstr(printed, "\nipc namespace 4026532291: writer (donor), reader\n"));
	assert_non_null(strstr(printed,
			       "\ndirectory /dev/shm (tmpfs 0:52): writer (donor), reader; 64M, "
			       "3 % used\nframes "));
	memory_free(m);
}

static void an_empty_machine_is_no_failure(void **state)
{
	static const struct snapshot empty = { 0 };
	struct memory *m = memory_new();
	struct listing l = list(&empty, false, object_columns.standard, m);
	json_t *root;

	(void)state;
	print(listing_table, &l);
	assert_string_equal(printed, "");
	print(listing_tree, &l);
	assert_string_equal(printed, "");
	root = parse(&l);
	assert_int_equal(json_array_size(json_object_get(root, "objects")), 0);
	json_decref(root);
	memory_free(m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_table_has_a_line_above_each_place),
		cmocka_unit_test(the_tree_has_what_containers_use_below_them),
		cmocka_unit_test(the_tree_of_processes_has_them_below_objects),
		cmocka_unit_test(json_has_raw_numbers),
		cmocka_unit_test(json_of_processes_has_a_row_for_each_use),
		cmocka_unit_test(hostile_texts_reach_nobody),
		cmocka_unit_test(a_dev_shm_of_two_namespaces_is_a_place_of_its_own),
		cmocka_unit_test(an_empty_machine_is_no_failure),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
