/* SPDX-License-Identifier: Apache-2.0 */
/*
 * finding_columns.c - the columns of what the doctor has found: a row is a finding.
 */
#include "findings.h"
#include "text.h"

static const struct value none = { .type = VALUE_NONE };

static const struct finding *finding(const struct rows *rows, unsigned int row)
{
	const struct findings *f = rows->of;

	return &f->diagnosis->findings[row];
}

static struct value get_code(const struct rows *rows, unsigned int row)
{
	return value_text(finding_code_name(finding(rows, row)->code));
}

static struct value get_severity(const struct rows *rows, unsigned int row)
{
	return value_text(severity_name(finding(rows, row)->severity));
}

static struct value get_title(const struct rows *rows, unsigned int row)
{
	return value_text(finding(rows, row)->title);
}

static struct value lines(const char *const list[FINDING_LINES])
{
	unsigned int count = 0;

	while (count < FINDING_LINES && list[count])
		count++;
	return (struct value){ .type = VALUE_LINES, .list = list, .count = count };
}

static struct value get_evidence(const struct rows *rows, unsigned int row)
{
	return lines(finding(rows, row)->evidence);
}

static struct value get_fix(const struct rows *rows, unsigned int row)
{
	return lines(finding(rows, row)->fix);
}

static struct value get_fix_note(const struct rows *rows, unsigned int row)
{
	const char *note = finding(rows, row)->fix_note;

	return note ? value_text(note) : none;
}

static struct value get_containers(const struct rows *rows, unsigned int row)
{
	const struct findings *f = rows->of;
	const struct finding *about = finding(rows, row);
	const char **names = memory_get(rows->memory, 2 * sizeof(*names));
	unsigned int count = 0;

	if (names && about->container_a != NOBODY)
		names[count++] = f->s->containers[about->container_a].name;
	if (names && about->container_b != NOBODY)
		names[count++] = f->s->containers[about->container_b].name;
	return (struct value){ .type = VALUE_LIST, .list = names, .count = count };
}

static struct value get_object(const struct rows *rows, unsigned int row)
{
	const struct findings *f = rows->of;
	char room[512];

	if (finding(rows, row)->object == NOBODY)
		return none;
	text_object(f->s, finding(rows, row)->object, room, sizeof(room));
	return value_text(memory_print(rows->memory, "%s", room));
}

static const struct column columns[] = {
	{ "CODE", false, get_code },
	{ "SEVERITY", false, get_severity },
	{ "TITLE", false, get_title },
	{ "EVIDENCE", false, get_evidence },
	{ "FIX", false, get_fix },
	{ "FIX_NOTE", false, get_fix_note },
	{ "CONTAINERS", false, get_containers },
	{ "OBJECT", false, get_object },
};

const struct column_set finding_columns = {
	.column = columns,
	.count = sizeof(columns) / sizeof(columns[0]),
	.standard = "SEVERITY,CODE,CONTAINERS,TITLE",
};
