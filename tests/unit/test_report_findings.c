/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_report_findings.c - findings as columns.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include "findings.h"
#include "json.h"
#include "report_scene.h"

static struct finding found[] = {
	{ .code = FINDING_SPLIT,
	  .severity = SEVERITY_ERROR,
	  .verdict = true,
	  .title = "writer and reader do not share",
	  .evidence = { "one", "two\nlines\033[2J", "3", "4", "5", "6" },
	  .fix = { "docker stop reader", "docker start reader" },
	  .container_a = WRITER,
	  .container_b = READER,
	  .object = NOBODY },
	{ .code = FINDING_ORPHAN,
	  .severity = SEVERITY_NOTE,
	  .title = "nobody uses it",
	  .fix_note = "look first",
	  .container_a = NOBODY,
	  .container_b = NOBODY,
	  .object = SEGMENT },
};

static const struct diagnosis diagnosis = { .findings = found, .count = LENGTH(found) };
static const struct findings findings = { .s = &scene, .diagnosis = &diagnosis };
static struct rows rows = { .of = &findings };

static int make(void **state)
{
	(void)state;
	rows.memory = memory_new();
	return rows.memory ? 0 : -1;
}

static int unmake(void **state)
{
	(void)state;
	memory_free(rows.memory);
	return 0;
}

static const char *cell(unsigned int row, const char *name)
{
	struct selection selection;
	struct value value;
	char why[WHY_BYTES];

	assert_int_equal(columns_select(&finding_columns, name, &selection, why), 0);
	value = selection.column[0]->get(&rows, row);
	return value_show(&rows, &value);
}

static void cells_say_what_was_found(void **state)
{
	(void)state;
	assert_string_equal(cell(0, "CODE"), "split");
	assert_string_equal(cell(0, "SEVERITY"), "error");
	assert_string_equal(cell(0, "TITLE"), "writer and reader do not share");
	assert_string_equal(cell(0, "FIX"), "docker stop reader\ndocker start reader");
	assert_string_equal(cell(0, "FIX_NOTE"), "");
	assert_string_equal(cell(0, "CONTAINERS"), "writer,reader");
	assert_string_equal(cell(0, "OBJECT"), "");
	assert_string_equal(cell(1, "FIX"), "");
	assert_string_equal(cell(1, "FIX_NOTE"), "look first");
	assert_string_equal(cell(1, "CONTAINERS"), "");
	assert_string_equal(cell(1, "OBJECT"), "shm 0x0000162e id 3");
}

static void a_stranger_can_add_no_line(void **state)
{
	(void)state;
	assert_string_equal(cell(0, "EVIDENCE"), "one\ntwo?lines?[2J\n3\n4\n5\n6");
}

static bool passes(const char *text, unsigned int row)
{
	struct filter filter;
	char why[WHY_BYTES];

	assert_int_equal(filter_parse(&finding_columns, text, &filter, why), 0);
	return filters_pass(&filter, 1, &rows, row);
}

static void filters_take_one_line_and_one_container(void **state)
{
	(void)state;
	assert_true(passes("code=split", 0));
	assert_false(passes("code=split", 1));
	assert_true(passes("FIX=docker start reader", 0));
	assert_true(passes("FIX=*stop*", 0));
	assert_false(passes("FIX=", 0));
	assert_true(passes("FIX=", 1));
	assert_true(passes("CONTAINERS=reader", 0));
	assert_true(passes("EVIDENCE=6", 0));
}

static void the_columns_are_the_members_of_the_json(void **state)
{
	json_t *object = json_row(&finding_columns, &rows, 1);
	struct selection selection;
	char why[WHY_BYTES];

	(void)state;
	assert_int_equal(
		columns_select(&finding_columns, finding_columns.standard, &selection, why), 0);
	assert_string_equal(json_string_value(json_object_get(object, "code")), "orphan");
	assert_true(json_is_array(json_object_get(object, "fix")));
	assert_true(json_is_array(json_object_get(object, "evidence")));
	assert_true(json_is_array(json_object_get(object, "containers")));
	assert_string_equal(json_string_value(json_object_get(object, "fix_note")), "look first");
	assert_int_equal(json_object_size(object), finding_columns.count);
	json_decref(object);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(cells_say_what_was_found),
		cmocka_unit_test(a_stranger_can_add_no_line),
		cmocka_unit_test(filters_take_one_line_and_one_container),
		cmocka_unit_test(the_columns_are_the_members_of_the_json),
	};

	return cmocka_run_group_tests_name("report_findings", tests, make, unmake);
}
