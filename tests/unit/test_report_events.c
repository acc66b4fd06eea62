/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_report_events.c - changes as columns, and rows that come one by one.
 */
#include "look.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "events.h"
#include "lines.h"

struct scene {
	struct snapshot *before, *after;
	struct changes *changes;
	struct memory *m;
	struct events events;
	struct rows rows;
	char *text;
};

/* A segment is removed, and a container stops. */
static int setup(void **state)
{
	struct scene *s = test_calloc(1, sizeof(*s));

	s->before = look_new();
	s->after = look_new();
	look_ipcns(s->before, 500);
	look_ipcns(s->after, 500);
	look_shm(s->before, 0, 7, 0x162e);
	s->before->objects[0].bytes = 20480;
	look_container(s->before, "web", 0, NOBODY);
	look_process(s->before, 10, 77, 0, 0, NOBODY);
	s->after->taken_ns = INT64_C(1700000000000000000);
	s->m = memory_new();
	assert_int_equal(changes_find(s->before, s->after, &s->changes), 0);
	s->events = (struct events){ .changes = s->changes,
				     .before = places_make(s->before, s->m),
				     .after = places_make(s->after, s->m) };
	s->rows = (struct rows){ .of = &s->events, .memory = s->m };
	*state = s;
	return 0;
}

static int teardown(void **state)
{
	struct scene *s = *state;

	free(s->text);
	changes_free(s->changes);
	memory_free(s->m);
	inspect_free(s->before);
	inspect_free(s->after);
	test_free(s);
	return 0;
}

/* Headings and all rows, with these columns. */
static const char *shown(struct scene *s, const char *columns)
{
	struct selection selection;
	char why[WHY_BYTES];
	size_t bytes;
	FILE *to;

	free(s->text);
	to = open_memstream(&s->text, &bytes);
	assert_non_null(to);
	assert_int_equal(columns_select(&event_columns, columns, &selection, why), 0);
	lines_put_headings(&event_columns, &selection, to);
	for (unsigned int i = 0; i < s->changes->count; i++)
		lines_put_row(&event_columns, &selection, &s->rows, i, to);
	fclose(to);
	return s->text;
}

static void columns_are_in_line(void **state)
{
	struct scene *s = *state;

	assert_string_equal(shown(s, "EVENT,ID,TYPE,SIZE,CONTAINER"),
			    "EVENT            ID TYPE        SIZE CONTAINER\n"
			    "stopped                              web\n"
			    "removed           7 shm          20K web\n");
}

static void a_wide_value_moves_the_rest_of_its_line(void **state)
{
	struct scene *s = *state;

	s->before->containers[0].name = "a-name-of-thirty-columns-or-so";
	assert_string_equal(shown(s, "CONTAINER,EVENT"), "CONTAINER        EVENT\n"
							 "a-name-of-thirty-columns-or-so stopped\n"
							 "web              removed\n");
}

static void bytes_have_all_digits_if_asked_for(void **state)
{
	struct scene *s = *state;

	assert_non_null(strstr(event_line(&s->rows, 1), "shm 0x0000162e id 7"));
	s->rows.exact = true;
	assert_non_null(strstr(shown(s, "SIZE"), " 20480\n"));
}

static void every_column_has_a_width_and_can_be_asked_for(void **state)
{
	struct scene *s = *state;
	struct selection selection;
	char why[WHY_BYTES];

	assert_int_equal(columns_select(&event_columns, event_columns.standard, &selection, why),
			 0);
	for (unsigned int i = 0; i < event_columns.count; i++) {
		assert_true(event_columns.width[i] > 0);
		assert_non_null(strstr(shown(s, event_columns.column[i].name),
				       event_columns.column[i].name));
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(columns_are_in_line),
		TEST(a_wide_value_moves_the_rest_of_its_line),
		TEST(bytes_have_all_digits_if_asked_for),
		TEST(every_column_has_a_width_and_can_be_asked_for),
	};

	return cmocka_run_group_tests_name("report_events", tests, NULL, NULL);
}
