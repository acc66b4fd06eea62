/* SPDX-License-Identifier: Apache-2.0 */
/*
 * info_json.c - a channel as JSON.  Names of members stay as they are: programs
 * read them.  Numbers are 63 bits wide, as JSON libraries have them.
 */
#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>

#include "info_report.h"

static json_int_t number(uint64_t n)
{
	return n > INT64_MAX ? INT64_MAX : (json_int_t)n;
}

static json_t *hex(const uint64_t id[2])
{
	char text[33];

	snprintf(text, sizeof(text), "%016" PRIx64 "%016" PRIx64, id[0], id[1]);
	return json_string(text);
}

static json_t *moment(uint64_t realtime_ns)
{
	char text[32];

	return json_string(info_time_text(realtime_ns, text));
}

static json_t *type(const struct coshm_info *info)
{
	if (info->type_name[0] == '\0')
		return json_null();
	/* A type's name is somebody else's bytes: with anything but UTF-8 it is null. */
	return json_pack("{s:o*, s:I, s:I, s:I}", "name", json_string(info->type_name), "bytes",
			 number(info->type_bytes), "align", (json_int_t)info->type_align, "version",
			 (json_int_t)info->type_version);
}

static json_t *geometry(const struct coshm_info *info)
{
	return json_pack("{s:I, s:I, s:I, s:I, s:I}", "slots", (json_int_t)info->slots,
			 "slot_bytes", (json_int_t)info->slot_bytes, "message_bytes",
			 number(info->message_bytes), "ring_bytes", number(info->ring_bytes),
			 "region_bytes", number(info->region_bytes));
}

static json_t *counters(const struct coshm_info *info)
{
	return json_pack("{s:I, s:I, s:I, s:I, s:I}", "messages", number(info->messages), "bytes",
			 number(info->bytes), "lost", number(info->lost), "evicted",
			 number(info->evicted), "waits", number(info->waits));
}

static json_t *peer(const struct coshm_peer *p)
{
	return json_pack("{s:I, s:o, s:s, s:s, s:I, s:s, s:s, s:o, s:I}", "id", (json_int_t)p->slot,
			 "identity", hex(p->identity), "role", info_role_text(p->role), "state",
			 info_state_text(p), "pid", (json_int_t)p->pid, "command", p->command,
			 "host", p->host, "since", moment(p->since_ns), "position",
			 number(p->position));
}

static json_t *peers(const struct info_view *view)
{
	json_t *list = json_array();

	for (unsigned int i = 0; list && i < view->peer_count; i++) {
		if (json_array_append_new(list, peer(&view->peers[i])) < 0) {
			json_decref(list);
			return NULL;
		}
	}
	return list;
}

int info_print_json(const struct info_view *view)
{
	const struct coshm_info *info = &view->info;
	json_t *root = json_pack(
		"{s:s, s:s, s:s, s:o, s:o, s:o, s:o, s:o, s:o}", "channel", view->name, "kind",
		kind_text(info->kind), "policy", policy_text(info->kind, info->policy), "created",
		moment(info->created_ns), "generation", hex(info->generation), "type", type(info),
		"geometry", geometry(info), "counters", counters(info), "peers", peers(view));
	int err = root ? json_dumpf(root, stdout, JSON_INDENT(2)) : -1;

	json_decref(root);
	putchar('\n');
	return err < 0 && !ferror(stdout) ? -ENOMEM : 0;
}
