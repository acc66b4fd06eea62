/* SPDX-License-Identifier: Apache-2.0 */
/*
 * info_report.h - a channel and its peers as text.
 */
#ifndef COSHM_CLI_INFO_REPORT_H
#define COSHM_CLI_INFO_REPORT_H

#include <stdbool.h>

#include "choose.h"
#include "cli.h"

/* Of the table of peers. */
struct info_columns {
	struct choice choice;
	struct selection selection;
	struct filter filter[CHOOSE_MAX];
};

struct info_view {
	const char *name;
	struct coshm_info info;
	struct coshm_peer peers[COSHM_PEERS_MAX + 1];
	unsigned int peer_count;
};

/* One who does not read what there is: stopped, paused, or busy with something else. */
bool info_peer_stuck(const struct coshm_peer *peer);

/* info_take_columns - what is chosen; -1 after a complaint. */
int info_take_columns(struct info_columns *columns);

/* info_pick_peers - leave those alone that the filters let pass.  0 or -ENOMEM. */
int info_pick_peers(struct info_view *view, const struct info_columns *columns);

/* Both print on standard output; -ENOMEM. */
int info_print_table(const struct info_view *view, const struct info_columns *columns);
int info_print_json(const struct info_view *view);

/* Into @text, and that: a moment, as ISO 8601 in UTC. */
const char *info_time_text(uint64_t realtime_ns, char text[32]);

const char *info_role_text(uint32_t role);
const char *info_state_text(const struct coshm_peer *peer);

#endif /* COSHM_CLI_INFO_REPORT_H */
