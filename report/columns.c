/* SPDX-License-Identifier: Apache-2.0 */
/*
 * columns.c - columns by name, filters, and values as people read them; see columns.h.
 */
#include "columns.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "text.h"

struct value value_text(const char *text)
{
	return (struct value){ .type = text[0] ? VALUE_TEXT : VALUE_NONE, .text = text };
}

struct value value_of(enum value_type type, uint64_t number)
{
	return (struct value){ .type = type, .number = number };
}

struct value value_rate(enum value_type type, double rate)
{
	return (struct value){ .type = type, .rate = rate };
}

/* Case does not matter, as in lsns(8) and its kin. */
static const struct column *find(const struct column_set *set, const char *name, size_t length)
{
	for (unsigned int i = 0; i < set->count; i++)
		if (strlen(set->column[i].name) == length &&
		    strncasecmp(set->column[i].name, name, length) == 0)
			return &set->column[i];
	return NULL;
}

const struct column_set *columns_join(struct memory *m, const struct column_set *set,
				      const struct column_set *more, const char *standard)
{
	struct column_set *joined = memory_get(m, sizeof(*joined));
	struct column *columns = memory_get(m, (set->count + more->count) * sizeof(*columns));
	unsigned int count = set->count;

	if (!joined || !columns)
		return NULL;
	memcpy(columns, set->column, count * sizeof(*columns));
	for (unsigned int i = 0; i < more->count; i++)
		if (!find(set, more->column[i].name, strlen(more->column[i].name)))
			columns[count++] = more->column[i];
	*joined = (struct column_set){ .column = columns, .count = count, .standard = standard };
	return joined;
}

static int no_column(const char *name, size_t length, char why[WHY_BYTES])
{
	snprintf(why, WHY_BYTES, "there is no column '%.*s'", length > 64 ? 64 : (int)length, name);
	return -1;
}

static bool is_selected(const struct selection *selection, const struct column *column)
{
	for (unsigned int i = 0; i < selection->count; i++)
		if (selection->column[i] == column)
			return true;
	return false;
}

static int add_names(const struct column_set *set, const char *name, struct selection *selection,
		     char why[WHY_BYTES])
{
	const struct column *column;
	size_t length;

	for (;; name += length + 1) {
		length = strcspn(name, ",");
		column = find(set, name, length);
		if (!column)
			return no_column(name, length, why);
		if (is_selected(selection, column)) {
			snprintf(why, WHY_BYTES, "the column %s is asked for twice", column->name);
			return -1;
		}
		selection->column[selection->count++] = column;
		if (name[length] == '\0')
			return 0;
	}
}

int columns_select(const struct column_set *set, const char *names, struct selection *selection,
		   char why[WHY_BYTES])
{
	selection->count = 0;
	if (names[0] == '+') {
		names++;
		if (add_names(set, set->standard, selection, why) < 0)
			return -1;
	}
	return add_names(set, names, selection, why);
}

const char *columns_names(const struct column_set *set, char room[WHY_BYTES])
{
	size_t used = 0;

	room[0] = '\0';
	for (unsigned int i = 0; i < set->count && used < WHY_BYTES; i++)
		used += (size_t)snprintf(room + used, WHY_BYTES - used, "%s%s",
					 i == 0               ? "" :
					 i == set->count - 1u ? " and " :
								", ",
					 set->column[i].name);
	return room;
}

int filter_parse(const struct column_set *set, const char *text, struct filter *filter,
		 char why[WHY_BYTES])
{
	size_t length = strcspn(text, "=");

	if (text[length] == '\0') {
		snprintf(why, WHY_BYTES, "a filter is COLUMN=VALUE");
		return -1;
	}
	filter->column = find(set, text, length);
	filter->value = text + length + 1;
	return filter->column ? 0 : no_column(text, length, why);
}

/* '*' stands for any text, also none; all else for itself. */
static bool matches(const char *pattern, const char *text)
{
	const char *star = NULL, *from = NULL;

	while (*text != '\0') {
		if (*pattern == '*') {
			star = pattern++;
			from = text;
		} else if (*pattern == *text) {
			pattern++;
			text++;
		} else if (star) {
			pattern = star + 1;
			text = ++from;
		} else {
			return false;
		}
	}
	while (*pattern == '*')
		pattern++;
	return *pattern == '\0';
}

static bool passes(const struct filter *filter, const struct rows *rows, unsigned int row)
{
	struct value value = filter->column->get(rows, row);
	char digits[TEXT_ROOM];

	if (matches(filter->value, value_show(rows, &value)))
		return true;
	for (unsigned int i = 0; i < value.count; i++)
		if (matches(filter->value, value.list[i]))
			return true;
	if (value.type != VALUE_BYTES && value.type != VALUE_USER && value.type != VALUE_MOMENT &&
	    value.type != VALUE_COUNT)
		return false;
	snprintf(digits, sizeof(digits), "%" PRIu64, value.number);
	return matches(filter->value, digits);
}

bool filters_pass(const struct filter *filters, unsigned int count, const struct rows *rows,
		  unsigned int row)
{
	for (unsigned int i = 0; i < count; i++)
		if (!passes(&filters[i], rows, row))
			return false;
	return true;
}

/* Made printable one by one: a newline of a stranger's is not one of ours. */
static const char *show_list(struct memory *m, const struct value *value, const char *between)
{
	size_t bytes = 1, used = 0;
	char *text;

	for (unsigned int i = 0; i < value->count; i++)
		bytes += strlen(value->list[i]) + 1;
	text = memory_get(m, bytes);
	if (!text)
		return "";
	for (unsigned int i = 0; i < value->count; i++)
		used += (size_t)snprintf(text + used, bytes - used, "%s%s", i == 0 ? "" : between,
					 text_printable(m, value->list[i]));
	return text;
}

static const char *show_user(const struct rows *rows, uint64_t number)
{
	const char *name = rows->user ? rows->user((uid_t)number) : NULL;

	return name ? name : memory_print(rows->memory, "%" PRIu64, number);
}

const char *value_show(const struct rows *rows, const struct value *value)
{
	char room[TEXT_ROOM];
	const char *text = "";

	switch (value->type) {
	case VALUE_NONE:
		return "";
	case VALUE_TEXT:
		return text_printable(rows->memory, value->text);
	case VALUE_LIST:
		return value->text ? text_printable(rows->memory, value->text) :
				     show_list(rows->memory, value, ",");
	case VALUE_LINES:
		return show_list(rows->memory, value, "\n");
	case VALUE_USER:
		return text_printable(rows->memory, show_user(rows, value->number));
	case VALUE_NUMBER:
		return memory_print(rows->memory, "%" PRIu64, value->number);
	case VALUE_COUNT:
		text = text_count((double)value->number, room);
		break;
	case VALUE_RATE:
		text = text_count(value->rate, room);
		break;
	case VALUE_GROWTH:
		text = text_growth(value->rate, rows->exact, room);
		break;
	case VALUE_UNKNOWN:
		return "-";
	case VALUE_BYTES:
		text = text_bytes(value->number, rows->exact, room);
		break;
	case VALUE_MOMENT:
		text = text_moment((int64_t)value->number, room);
		break;
	case VALUE_MODE:
		text = text_mode((mode_t)value->number, room);
		break;
	case VALUE_KEY:
		text = text_key((int32_t)value->number, room);
		break;
	}
	return memory_copy(rows->memory, text, strlen(text));
}
