/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rates.c - the rows of coshm top; see rates.h.
 */
#include "rates.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "same.h"
#include "text.h"

const char *top_sort_name(enum top_sort sort)
{
	static const char *const names[TOP_SORTS] = {
		[TOP_SIZE] = "size",   [TOP_GROWTH] = "growth", [TOP_MESSAGES] = "messages",
		[TOP_WAITS] = "waits", [TOP_LOST] = "lost",     [TOP_NAME] = "name",
	};

	return names[sort];
}

const char *top_type(const struct object *o)
{
	static const char *const kinds[] = { "channel", "latest", "stream", "queue" };

	if (!o->channel)
		return text_kind(o->kind);
	return kinds[o->channel->kind < 4 ? o->channel->kind : 0];
}

static double difference(uint64_t was, uint64_t is)
{
	return is >= was ? (double)(is - was) : -(double)(was - is);
}

static void rate(struct top_row *row, const struct object *was, const struct object *is,
		 double seconds)
{
	row->has_rates = true;
	row->growth = difference(was->allocated, is->allocated) / seconds;
	if (!was->channel || !is->channel)
		return;
	row->messages = difference(was->channel->messages, is->channel->messages) / seconds;
	row->waits = difference(was->channel->waits, is->channel->waits) / seconds;
	row->lost = difference(was->channel->lost, is->channel->lost) / seconds;
}

static int find_rates(const struct snapshot *before, struct top_rows *rows, struct memory *m)
{
	const struct snapshot *now = rows->places.s;
	double seconds = (double)(now->taken_ns - before->taken_ns) / 1e9;
	struct same same;

	if (seconds <= 0)
		return 0;
	if (same_find(before, now, m, &same) < 0)
		return -ENOMEM;
	for (unsigned int i = 0; i < rows->count; i++) {
		unsigned int object = rows->shown[i];
		int was = same.objects.was[object];

		if (was != NOBODY)
			rate(&rows->row[object], &before->objects[was], &now->objects[object],
			     seconds);
	}
	return 0;
}

/* Short, for a narrow column: most are in /dev/shm. */
static const char *name_of(const struct snapshot *s, const struct object *o, struct memory *m)
{
	const struct shm_area *area = o->area == NOBODY ? NULL : &s->areas[o->area];
	char key[TEXT_ROOM];

	if (o->kind <= OBJECT_MSG)
		return memory_print(m, "%lld %s", (long long)o->id, text_key(o->key, key));
	if (area && !area->dev_shm)
		return text_printable(m, memory_print(m, "%s/%s", area->point, o->name));
	return text_printable(m, o->name);
}

/* A namespace can have hundreds, of which a column has no room for more than the first. */
#define NAMES_MAX 8u

static const char *join(const struct members *in, struct memory *m)
{
	const char *text = "";

	for (unsigned int i = 0; i < in->count && i < NAMES_MAX; i++)
		text = memory_print(m, "%s%s%s", text, i == 0 ? "" : ",", in->name[i]);
	if (in->count > NAMES_MAX)
		text = memory_print(m, "%s,+%u", text, in->count - NAMES_MAX);
	return text;
}

static bool has_name(const struct members *in, const char *part)
{
	for (unsigned int i = 0; i < in->count; i++)
		if (strcasestr(in->name[i], part))
			return true;
	return false;
}

/* false: the filter does not let it pass. */
static bool make_row(const struct places *p, unsigned int object, const char *filter,
		     struct memory *m, struct top_row *row)
{
	const struct object *o = &p->s->objects[object];
	struct members in = places_sharers(p, object, m);

	*row = (struct top_row){ .place = p->of_object[object], .name = name_of(p->s, o, m) };
	if (!strcasestr(row->name, filter) && !strcasestr(top_type(o), filter) &&
	    !has_name(&in, filter))
		return false;
	row->containers = join(&in, m);
	return true;
}

static double value(const struct top_row *row, const struct object *o, enum top_sort sort)
{
	switch (sort) {
	case TOP_SIZE:
		return (double)o->bytes;
	case TOP_GROWTH:
		return row->growth;
	case TOP_MESSAGES:
		return row->messages;
	case TOP_WAITS:
		return row->waits;
	case TOP_LOST:
		return o->channel ? (double)o->channel->lost : 0;
	default:
		return 0;
	}
}

struct comparison {
	const struct top_rows *rows;
	const struct top_order *order;
};

/* Large numbers come first; what is equal by what is asked for, by size, then by name. */
static int compare_by(const struct comparison *by, unsigned int left, unsigned int right)
{
	const struct object *all = by->rows->places.s->objects, *x = &all[left], *y = &all[right];
	const struct top_row *a = &by->rows->row[left], *b = &by->rows->row[right];
	double p = value(a, x, by->order->sort), q = value(b, y, by->order->sort);
	int names = strcmp(a->name, b->name);

	if (p != q)
		return p > q ? -1 : 1;
	if (by->order->sort != TOP_NAME && x->bytes != y->bytes)
		return x->bytes > y->bytes ? -1 : 1;
	return names != 0 ? names : (left > right) - (left < right);
}

static int compare(const void *left, const void *right, void *context)
{
	const struct comparison *by = context;
	unsigned int a = *(const unsigned int *)left, b = *(const unsigned int *)right;
	unsigned int p = by->rows->row[a].place, q = by->rows->row[b].place;
	int result;

	if (by->order->by_place && p != q)
		return p < q ? -1 : 1;
	result = compare_by(by, a, b);
	return by->order->reverse ? -result : result;
}

/* Of columns, when all that they need is there. */
static void filter_columns(struct top_rows *rows, const struct top_order *order)
{
	unsigned int left = 0;

	for (unsigned int i = 0; i < rows->count; i++)
		if (filters_pass(order->filters, order->filter_count, &rows->rows, rows->shown[i]))
			rows->shown[left++] = rows->shown[i];
	rows->count = left;
}

int top_rows_make(const struct snapshot *before, const struct places *now,
		  const struct top_order *order, struct memory *m, struct top_rows *rows)
{
	const struct snapshot *s = now->s;
	struct comparison by = { .rows = rows, .order = order };

	*rows = (struct top_rows){
		.places = *now,
		.rows = { .of = rows, .memory = m, .user = order->user, .exact = order->exact },
		.row = memory_get(m, (s->object_count + 1) * sizeof(*rows->row)),
		.shown = memory_get(m, (s->object_count + 1) * sizeof(*rows->shown)),
	};
	for (unsigned int i = 0; rows->row && rows->shown && i < s->object_count; i++) {
		rows->bytes += s->objects[i].bytes;
		if (make_row(now, i, order->filter, m, &rows->row[i]))
			rows->shown[rows->count++] = i;
	}
	if (memory_failed(m) || (before && find_rates(before, rows, m) < 0))
		return -ENOMEM;
	filter_columns(rows, order);
	qsort_r(rows->shown, rows->count, sizeof(*rows->shown), compare, &by);
	return memory_failed(m) ? -ENOMEM : 0;
}
