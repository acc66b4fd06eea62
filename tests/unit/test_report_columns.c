/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_report_columns.c - columns by name, filters, and cells of a machine made by hand.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "objects.h"
#include "report_scene.h"
#include "text.h"

static struct memory *m;
static struct rows rows;

static const char *user_name(uid_t uid)
{
	return uid == 70000 ? "clock" : NULL;
}

static int make(void **state)
{
	(void)state;
	m = memory_new();
	rows = (struct rows){ .of = places_make(&scene, m), .memory = m, .user = user_name };
	return rows.of ? 0 : -1;
}

static int unmake(void **state)
{
	(void)state;
	memory_free(m);
	return 0;
}

/* The cell of a column that must be there. */
static const char *cell(const struct column_set *set, unsigned int row, const char *name)
{
	struct selection selection;
	struct value value;
	char why[WHY_BYTES];

	assert_int_equal(columns_select(set, name, &selection, why), 0);
	value = selection.column[0]->get(&rows, row);
	return value_show(&rows, &value);
}

static void columns_are_found_by_name_in_any_case(void **state)
{
	struct selection selection;
	char why[WHY_BYTES];

	(void)state;
	assert_int_equal(columns_select(&object_columns, "Size,KEY,container", &selection, why), 0);
	assert_int_equal(selection.count, 3);
	assert_string_equal(selection.column[0]->name, "SIZE");
	assert_string_equal(selection.column[2]->name, "CONTAINER");
}

static void a_plus_adds_to_the_standard_columns(void **state)
{
	struct selection selection;
	char why[WHY_BYTES];
	unsigned int standard;

	(void)state;
	columns_select(&object_columns, object_columns.standard, &selection, why);
	standard = selection.count;
	assert_int_equal(columns_select(&object_columns, "+POD", &selection, why), 0);
	assert_int_equal(selection.count, standard + 1);
	assert_string_equal(selection.column[standard]->name, "POD");
	assert_int_equal(columns_select(&object_columns, "+SIZE", &selection, why), -1);
	assert_string_equal(why, "the column SIZE is asked for twice");
}

static void joined_columns_have_each_name_once(void **state)
{
	const struct column_set *joined =
		columns_join(m, &use_columns, &object_columns, "OBJECT,NATTCH");
	struct selection selection;
	char why[WHY_BYTES];

	(void)state;
	assert_non_null(joined);
	assert_int_equal(columns_select(joined, joined->standard, &selection, why), 0);
	assert_ptr_equal(selection.column[0]->get, use_columns.column[0].get);
	for (unsigned int i = 0; i < joined->count; i++)
		for (unsigned int other = 0; other < i; other++)
			assert_string_not_equal(joined->column[i].name, joined->column[other].name);
	assert_true(joined->count > use_columns.count);
	assert_true(joined->count < use_columns.count + object_columns.count);
}

static void wrong_columns_are_named(void **state)
{
	static const char *const wrong[] = { "", ",", "SIZE,", "SIZ", "SIZES", "+", "+,", " SIZE" };
	struct selection selection;
	struct filter filter;
	char why[WHY_BYTES], text[300];

	(void)state;
	for (size_t i = 0; i < LENGTH(wrong); i++)
		assert_int_equal(columns_select(&object_columns, wrong[i], &selection, why), -1);
	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	assert_int_equal(columns_select(&object_columns, text, &selection, why), -1);
	assert_true(strlen(why) < 100);
	assert_int_equal(filter_parse(&object_columns, "SIZE", &filter, why), -1);
	assert_int_equal(filter_parse(&object_columns, "=1", &filter, why), -1);
	assert_int_equal(filter_parse(&object_columns, "SIZ=1", &filter, why), -1);
	assert_string_equal(why, "there is no column 'SIZ'");
}

static void every_set_has_its_standard_columns_and_room_for_all(void **state)
{
	const struct column_set *const sets[] = { &object_columns, &use_columns };
	struct selection selection;
	char why[WHY_BYTES], names[WHY_BYTES];

	(void)state;
	for (size_t i = 0; i < LENGTH(sets); i++) {
		assert_int_equal(columns_select(sets[i], sets[i]->standard, &selection, why), 0);
		assert_true(sets[i]->count <= SELECTION_MAX);
		columns_names(sets[i], names);
		assert_non_null(strstr(names, sets[i]->column[sets[i]->count - 1].name));
		for (unsigned int c = 0; c < sets[i]->count; c++)
			assert_non_null(cell(sets[i], 0, sets[i]->column[c].name));
	}
}

static void cells_say_what_objects_are(void **state)
{
	(void)state;
	assert_string_equal(cell(&object_columns, SEGMENT, "KEY"), "0x0000162e");
	assert_string_equal(cell(&object_columns, SEGMENT, "OBJECT"), "3");
	assert_string_equal(cell(&object_columns, SEGMENT, "STATUS"), "dest,locked");
	assert_string_equal(cell(&object_columns, SEGMENT, "OWNER"), "clock");
	assert_string_equal(cell(&object_columns, SEGMENT, "CREATOR"), "70001");
	assert_string_equal(cell(&object_columns, SEGMENT, "CPID"), "");
	assert_string_equal(cell(&object_columns, SEGMENT, "CONTAINER"), "");
	assert_string_equal(cell(&object_columns, SEGMENT, "CTIME"), "2023-11-14T22:13:20Z");
	assert_string_equal(cell(&object_columns, PAIR_SEGMENT, "KEY"), "0xffffffff");
	assert_string_equal(cell(&object_columns, PAIR_SEGMENT, "CONTAINER"), "writer,reader");
	assert_string_equal(cell(&object_columns, PAIR_SEGMENT, "IMAGE"), "debian");
	assert_string_equal(cell(&object_columns, PAIR_SEGMENT, "USERS"),
			    "shm_write[200],shm_read[300]");
	assert_string_equal(cell(&object_columns, SEMAPHORES, "NATTCH"), "");
	assert_string_equal(cell(&object_columns, SEMAPHORES, "NSEMS"), "4");
	assert_string_equal(cell(&object_columns, QUEUE, "MESSAGES"), "9");
	assert_string_equal(cell(&object_columns, POSIX, "SIZE"), "15.9E");
	assert_string_equal(cell(&object_columns, POSIX, "IPCNS"), "4026532291");
	assert_string_equal(cell(&object_columns, NAMED_SEM, "PATH"), "/dev/shm/sem.lock");
	assert_string_equal(cell(&object_columns, CHANNEL, "AREA"), "0:60/");
	assert_string_equal(cell(&object_columns, CHANNEL, "LOST"), "3");
	assert_string_equal(cell(&object_columns, CHANNEL, "IPCNS"), "");
}

/* A volume is nobody's /dev/shm: who uses what is in it shares it. */
static void users_of_a_volume_share_it(void **state)
{
	(void)state;
	assert_string_equal(cell(&object_columns, CHANNEL, "CONTAINER"), "reader");
	assert_string_equal(cell(&object_columns, MEMFD, "CONTAINER"), "writer");
	assert_true(places_shares(rows.of, READER, CHANNEL));
	assert_false(places_shares(rows.of, WRITER, CHANNEL));
	assert_true(places_shares(rows.of, WRITER, POSIX));
	assert_false(places_shares(rows.of, WRITER, SEGMENT));
}

static void cells_say_what_processes_do(void **state)
{
	(void)state;
	assert_string_equal(cell(&use_columns, 0, "OBJECT"), "shm 0xffffffff id 0");
	assert_string_equal(cell(&use_columns, 0, "MODE"), "rw");
	assert_string_equal(cell(&use_columns, 0, "USER"), "clock");
	assert_string_equal(cell(&use_columns, 0, "STATE"), "running");
	assert_string_equal(cell(&use_columns, 0, "POD"), "clock");
	assert_string_equal(cell(&use_columns, 1, "MODE"), "r");
	assert_string_equal(cell(&use_columns, 1, "STATE"), "paused");
	assert_string_equal(cell(&use_columns, 3, "CONTAINER"), "");
	assert_string_equal(cell(&use_columns, 4, "HOW"), "open");
}

static bool passes(const char *filter_text, unsigned int row)
{
	struct filter filter;
	char why[WHY_BYTES];

	assert_int_equal(filter_parse(&object_columns, filter_text, &filter, why), 0);
	return filters_pass(&filter, 1, &rows, row);
}

static void filters_take_what_people_and_programs_see(void **state)
{
	(void)state;
	assert_true(passes("size=1.5K", PAIR_SEGMENT));
	assert_true(passes("SIZE=1536", PAIR_SEGMENT));
	assert_false(passes("SIZE=153", PAIR_SEGMENT));
	assert_true(passes("OWNER=clock", PAIR_SEGMENT));
	assert_true(passes("OWNER=70000", PAIR_SEGMENT));
	assert_true(passes("CONTAINER=reader", PAIR_SEGMENT));
	assert_true(passes("CONTAINER=writer,reader", PAIR_SEGMENT));
	assert_false(passes("CONTAINER=read", PAIR_SEGMENT));
	assert_true(passes("CONTAINER=", SEGMENT));
	assert_false(passes("CONTAINER=", PAIR_SEGMENT));
}

static void a_star_is_any_text(void **state)
{
	(void)state;
	assert_true(passes("NAME=*", POSIX));
	assert_true(passes("NAME=f*s", POSIX));
	assert_true(passes("NAME=*ra*e*", POSIX));
	assert_true(passes("NAME=**frames**", POSIX));
	assert_false(passes("NAME=f*z", POSIX));
	assert_false(passes("NAME=frame?", POSIX));
	assert_true(passes("KEY=*", POSIX));
	assert_true(passes("KEY=0x*2e", SEGMENT));
}

static void hostile_texts_are_made_printable(void **state)
{
	static const struct {
		const char *text, *shown;
	} texts[] = {
		{ "", "" },
		{ "plain", "plain" },
		{ "gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x90\x9a",
		  "gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x90\x9a" },
		{ "\x1b[31mred", "?[31mred" },
		{ "a\nb\tc\x7f", "a?b?c?" },
		{ "\xc2\x9b"
		  "31m",
		  "??31m" },          /* a control character of Latin 1 */
		{ "\xc0\xaf", "??" }, /* a slash, too long              */
		{ "\xe0\x80\xaf", "???" },
		{ "\xed\xa0\x80", "???" },      /* half a UTF-16 pair             */
		{ "\xf4\x90\x80\x80", "????" }, /* beyond Unicode                 */
		{ "\xff\xfe", "??" },
		{ "\xe2\x82", "??" }, /* cut off */
	};

	(void)state;
	for (size_t i = 0; i < LENGTH(texts); i++)
		assert_string_equal(text_printable(m, texts[i].text), texts[i].shown);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(columns_are_found_by_name_in_any_case),
		cmocka_unit_test(a_plus_adds_to_the_standard_columns),
		cmocka_unit_test(joined_columns_have_each_name_once),
		cmocka_unit_test(wrong_columns_are_named),
		cmocka_unit_test(every_set_has_its_standard_columns_and_room_for_all),
		cmocka_unit_test(cells_say_what_objects_are),
		cmocka_unit_test(users_of_a_volume_share_it),
		cmocka_unit_test(cells_say_what_processes_do),
		cmocka_unit_test(filters_take_what_people_and_programs_see),
		cmocka_unit_test(a_star_is_any_text),
		cmocka_unit_test(hostile_texts_are_made_printable),
	};

	return cmocka_run_group_tests(tests, make, unmake);
}
