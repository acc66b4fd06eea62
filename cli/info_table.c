/* SPDX-License-Identifier: Apache-2.0 */
/*
 * info_table.c - a channel for people: what it is, line by line, and its peers
 * as a table.
 */
#include <errno.h>
#include <inttypes.h>
#include <libsmartcols/libsmartcols.h>
#include <stdio.h>
#include <string.h>

#include "info_report.h"

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

static const struct {
	const char *name;
	int flags;
} known[COLUMNS] = {
	[COLUMN_ID] = { "ID", SCOLS_FL_RIGHT }, [COLUMN_ROLE] = { "ROLE", 0 },
	[COLUMN_STATE] = { "STATE", 0 },        [COLUMN_PID] = { "PID", SCOLS_FL_RIGHT },
	[COLUMN_COMMAND] = { "COMMAND", 0 },    [COLUMN_HOST] = { "HOST", 0 },
	[COLUMN_SINCE] = { "SINCE", 0 },        [COLUMN_POSITION] = { "POSITION", SCOLS_FL_RIGHT },
};

/* Case does not matter, as in lsns(8) and its kin; -1 if there is none of this name. */
static int find_column(const char *name, size_t length)
{
	for (int i = 0; i < COLUMNS; i++)
		if (strlen(known[i].name) == length &&
		    strncasecmp(known[i].name, name, length) == 0)
			return i;
	return -1;
}

static bool has_column(const struct info_columns *columns, int column)
{
	for (unsigned int i = 0; i < columns->count; i++)
		if ((int)columns->column[i] == column)
			return true;
	return false;
}

int info_take_columns(const char *names, struct info_columns *columns)
{
	const char *name = names;
	size_t length;
	int column;

	columns->count = 0;
	for (;; name += length + 1) {
		length = strcspn(name, ",");
		column = find_column(name, length);
		if (column < 0) {
			complain("the columns are ID, ROLE, STATE, PID, COMMAND, HOST, SINCE and "
				 "POSITION",
				 "there is no column '%.*s'", (int)length, name);
			return -1;
		}
		if (has_column(columns, column)) {
			complain(NULL, "the column %s is asked for twice", known[column].name);
			return -1;
		}
		columns->column[columns->count++] = (enum info_column)column;
		if (name[length] == '\0')
			return 0;
	}
}

static struct libscols_table *make_table(const struct info_columns *columns)
{
	struct libscols_table *table = scols_new_table();
	unsigned int i;

	for (i = 0; table && i < columns->count; i++) {
		enum info_column column = columns->column[i];

		if (!scols_table_new_column(table, known[column].name, 0.1, known[column].flags)) {
			scols_unref_table(table);
			return NULL;
		}
	}
	if (table)
		scols_table_enable_noheadings(table, columns->no_headings);
	return table;
}

/* What stands in a column; in @room if it has to be made. */
static const char *cell_text(const struct coshm_peer *peer, enum info_column column, char room[32])
{
	uint64_t number;

	switch (column) {
	case COLUMN_ROLE:
		return info_role_text(peer->role);
	case COLUMN_STATE:
		return info_state_text(peer);
	case COLUMN_COMMAND:
		return peer->command;
	case COLUMN_HOST:
		return peer->host;
	case COLUMN_SINCE:
		return info_time_text(peer->since_ns, room);
	case COLUMN_ID:
		number = peer->slot;
		break;
	case COLUMN_PID:
		number = peer->pid;
		break;
	default:
		number = peer->position;
	}
	snprintf(room, 32, "%" PRIu64, number);
	return room;
}

static int add_peer(struct libscols_table *table, const struct coshm_peer *peer,
		    const struct info_columns *columns)
{
	struct libscols_line *line = scols_table_new_line(table, NULL);
	char room[32];

	if (!line)
		return -ENOMEM;
	for (unsigned int i = 0; i < columns->count; i++)
		if (scols_line_set_data(line, i, cell_text(peer, columns->column[i], room)) < 0)
			return -ENOMEM;
	return 0;
}

static int print_peers(const struct info_view *view, const struct info_columns *columns)
{
	struct libscols_table *table = make_table(columns);
	int err = table ? 0 : -ENOMEM;

	for (unsigned int i = 0; i < view->peer_count && err == 0; i++)
		err = add_peer(table, &view->peers[i], columns);
	if (err == 0)
		err = scols_print_table(table) < 0 && !ferror(stdout) ? -ENOMEM : 0;
	scols_unref_table(table);
	return err;
}

int info_print_table(const struct info_view *view, const struct info_columns *columns)
{
	struct info_columns all = { .count = COLUMNS, .no_headings = columns->no_headings };

	for (int i = 0; i < COLUMNS; i++)
		all.column[i] = (enum info_column)i;
	if (columns->count == 0 && !columns->no_headings) {
		print_channel(view);
		puts(view->peer_count == 0 ? "peers     none" : "");
	}
	return print_peers(view, columns->count == 0 ? &all : columns);
}
