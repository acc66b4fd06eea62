/* SPDX-License-Identifier: Apache-2.0 */
/*
 * info_table.c - a channel for people: what it is, line by line, and its peers
 * as a table.
 */
#include <errno.h>
#include <inttypes.h>
#include <libsmartcols/libsmartcols.h>
#include <stdio.h>

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

enum column { ID, ROLE, STATE, PID, COMMAND, HOST, SINCE, POSITION, COLUMNS };

static struct libscols_table *make_table(void)
{
	static const struct {
		const char *name;
		int flags;
	} columns[COLUMNS] = {
		[ID] = { "ID", SCOLS_FL_RIGHT }, [ROLE] = { "ROLE", 0 },
		[STATE] = { "STATE", 0 },        [PID] = { "PID", SCOLS_FL_RIGHT },
		[COMMAND] = { "COMMAND", 0 },    [HOST] = { "HOST", 0 },
		[SINCE] = { "SINCE", 0 },        [POSITION] = { "POSITION", SCOLS_FL_RIGHT },
	};
	struct libscols_table *table = scols_new_table();

	for (int i = 0; table && i < COLUMNS; i++) {
		if (!scols_table_new_column(table, columns[i].name, 0.1, columns[i].flags)) {
			scols_unref_table(table);
			return NULL;
		}
	}
	return table;
}

static int set_number(struct libscols_line *line, enum column column, uint64_t n)
{
	char text[24];

	snprintf(text, sizeof(text), "%" PRIu64, n);
	return scols_line_set_data(line, column, text);
}

static int add_peer(struct libscols_table *table, const struct coshm_peer *peer)
{
	struct libscols_line *line = scols_table_new_line(table, NULL);
	char since[32];

	if (!line || set_number(line, ID, peer->slot) < 0 ||
	    scols_line_set_data(line, ROLE, info_role_text(peer->role)) < 0 ||
	    scols_line_set_data(line, STATE, info_state_text(peer)) < 0 ||
	    set_number(line, PID, peer->pid) < 0 ||
	    scols_line_set_data(line, COMMAND, peer->command) < 0 ||
	    scols_line_set_data(line, HOST, peer->host) < 0 ||
	    scols_line_set_data(line, SINCE, info_time_text(peer->since_ns, since)) < 0 ||
	    set_number(line, POSITION, peer->position) < 0)
		return -ENOMEM;
	return 0;
}

int info_print_table(const struct info_view *view)
{
	struct libscols_table *table;
	int err = 0;

	print_channel(view);
	if (view->peer_count == 0) {
		puts("peers     none");
		return 0;
	}
	putchar('\n');
	table = make_table();
	if (!table)
		return -ENOMEM;
	for (unsigned int i = 0; i < view->peer_count && err == 0; i++)
		err = add_peer(table, &view->peers[i]);
	if (err == 0)
		err = scols_print_table(table) < 0 && !ferror(stdout) ? -ENOMEM : 0;
	scols_unref_table(table);
	return err;
}
