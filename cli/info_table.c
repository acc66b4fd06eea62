/* SPDX-License-Identifier: Apache-2.0 */
/*
 * info_table.c - a channel for people: what it is, line by line, and its peers
 * as a table.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include "info_report.h"
#include "scols.h"

static void print_type(const struct coshm_info *info)
{
	if (info->type_name[0] == '\0')
		return;
	printf("type      %s, version %" PRIu32 ", ", info->type_name, info->type_version);
	if (info->type_bytes != 0)
		printf("%" PRIu64 " bytes\n", info->type_bytes);
	else
		printf("of any size\n");
}

static void print_channel(const struct info_view *view)
{
	const struct coshm_info *info = &view->info;
	char created[32];

	printf("channel   %s: %s, %s\n", view->name, kind_text(info->kind),
	       policy_text(info->kind, info->policy));
	print_type(info);
	printf("messages  up to %" PRIu64 " bytes, %" PRIu32 " slots of %" PRIu32 " bytes",
	       info->message_bytes, info->slots, info->slot_bytes);
	if (info->ring_bytes != 0)
		printf(", %" PRIu64 " bytes for larger ones", info->ring_bytes);
	printf("\nmemory    %" PRIu64 " bytes, since %s\n", info->region_bytes,
	       info_time_text(info->created_ns, created));
	printf("so far    %" PRIu64 " messages, %" PRIu64 " bytes, %" PRIu64 " lost, %" PRIu64
	       " dead peers recovered for, %" PRIu64 " waits\n",
	       info->messages, info->bytes, info->lost, info->evicted, info->waits);
}

static const struct coshm_peer *peer(const struct rows *rows, unsigned int row)
{
	const struct info_view *view = rows->of;

	return &view->peers[row];
}

#define CELL(column, expression)                                                                   \
	static struct value get_##column(const struct rows *rows, unsigned int row)                \
	{                                                                                          \
		const struct coshm_peer *p = peer(rows, row);                                      \
                                                                                                   \
		return expression;                                                                 \
	}

CELL(id, value_of(VALUE_NUMBER, p->slot))
CELL(role, value_text(info_role_text(p->role)))
CELL(state, value_text(info_state_text(p)))
CELL(pid, value_of(VALUE_NUMBER, p->pid))
CELL(command, value_text(p->command))
CELL(host, value_text(p->host))
CELL(since, value_of(VALUE_MOMENT, p->since_ns / (uint64_t)NS_PER_S))
CELL(position, value_of(VALUE_NUMBER, p->position))

static const struct column columns_of_peers[] = {
	{ "ID", true, get_id },
	{ "ROLE", false, get_role },
	{ "STATE", false, get_state },
	{ "PID", true, get_pid },
	{ "COMMAND", false, get_command },
	{ "HOST", false, get_host },
	{ "SINCE", false, get_since },
	{ "POSITION", true, get_position },
};

static const struct column_set peer_columns = {
	.column = columns_of_peers,
	.count = sizeof(columns_of_peers) / sizeof(columns_of_peers[0]),
	.standard = "ID,ROLE,STATE,PID,COMMAND,HOST,SINCE,POSITION",
};

int info_take_columns(struct info_columns *columns)
{
	return choice_parse(&columns->choice, &peer_columns, peer_columns.standard,
			    &columns->selection, columns->filter);
}

int info_pick_peers(struct info_view *view, const struct info_columns *columns)
{
	struct rows rows = { .of = view, .memory = memory_new() };
	unsigned int left = 0;
	int err;

	if (!rows.memory)
		return -ENOMEM;
	for (unsigned int i = 0; i < view->peer_count; i++)
		if (filters_pass(columns->filter, columns->choice.filters.count, &rows, i))
			view->peers[left++] = view->peers[i];
	view->peer_count = left;
	err = memory_failed(rows.memory) ? -ENOMEM : 0;
	memory_free(rows.memory);
	return err;
}

static int print_peers(const struct info_view *view, const struct info_columns *columns)
{
	struct rows rows = { .of = view, .memory = memory_new() };
	int err = -ENOMEM;

	if (rows.memory)
		err = table_print_rows(&columns->selection, columns->choice.no_headings, &rows,
				       NULL, view->peer_count);
	memory_free(rows.memory);
	return err;
}

int info_print_table(const struct info_view *view, const struct info_columns *columns)
{
	if (!choice_table(&columns->choice)) {
		print_channel(view);
		puts(view->peer_count == 0 ? "peers     none" : "");
	}
	return print_peers(view, columns);
}
