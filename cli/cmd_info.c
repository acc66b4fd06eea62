/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cmd_info.c - "coshm info": what a channel is, and who has it open.
 */
#include <stdio.h>
#include <time.h>

#include "info_report.h"
#include "options.h"
#include "show.h"

const char info_usage[] =
	"Usage: coshm info [OPTION]... CHANNEL\n"
	"Show what a channel is, who has it open and whether they are alive, and its\n"
	"counters.  Disturbs nobody.\n"
	"\n" SHOW_USAGE_ROWS
	"  -o, --output COLUMNS  the table of peers alone, with these columns: ID, ROLE,\n"
	"                        STATE, PID, COMMAND, HOST, SINCE, POSITION; with commas\n"
	"                        between them\n"
	"  -n, --noheadings      the table of peers alone, without its headings\n"
	"  -b, --bytes           sizes have all digits anyway\n"
	"  -j, --json            all there is, for programs\n"
	"  -d, --dir DIR         where channels are (default: $COSHM_DIR, else\n"
	"                        /dev/shm/coshm)\n"
	"  -h, --help            show this text\n"
	"\n"
	"Exit status: 0 all is well; 1 a peer that is shown is dead, or does not take\n"
	"what there is for it (paused, stopped or busy); 2 failed or bad command line.\n";

struct info_asked {
	bool json;
	struct info_columns columns;
};

/* How long to watch whether peers move. */
#define LOOK_NS (NS_PER_S / 10)

bool info_peer_stuck(const struct coshm_peer *peer)
{
	/* One who sends stands still whenever it has nothing to send. */
	return peer->state == COSHM_PEER_STILL &&
	       (peer->role == COSHM_SUBSCRIBER || peer->role == COSHM_CONSUMER);
}

const char *info_role_text(uint32_t role)
{
	static const char *const text[] = { "observer", "publisher", "subscriber", "producer",
					    "consumer" };

	return role < 5 ? text[role] : "unknown";
}

const char *info_state_text(const struct coshm_peer *peer)
{
	if (peer->state == COSHM_PEER_DEAD)
		return "dead";
	return info_peer_stuck(peer) ? "still" : "alive";
}

const char *info_time_text(uint64_t realtime_ns, char text[32])
{
	time_t seconds = (time_t)(realtime_ns / (uint64_t)NS_PER_S);
	struct tm tm;

	if (!gmtime_r(&seconds, &tm) || strftime(text, 32, "%Y-%m-%dT%H:%M:%SZ", &tm) == 0)
		snprintf(text, 32, "?");
	return text;
}

static int look(const char *dir, struct info_view *view)
{
	int count, err = coshm_info_read(dir, view->name, &view->info);

	if (err < 0)
		return err;
	count = coshm_peers_read(dir, view->name, LOOK_NS, view->peers, COSHM_PEERS_MAX + 1);
	view->peer_count = count < 0 ? 0 : (unsigned int)count;
	return count < 0 ? count : 0;
}

static int show(const char *dir, const char *name, const struct info_asked *asked)
{
	struct info_view view = { .name = name };
	int err = look(dir, &view);

	if (err < 0)
		return complain_call(err, "cannot look at the channel");
	err = info_pick_peers(&view, &asked->columns);
	if (err == 0)
		err = asked->json ? info_print_json(&view) :
				    info_print_table(&view, &asked->columns);
	if (err < 0) {
		complain(NULL, "no memory to show %s", name);
		return CLI_FAILED;
	}
	for (unsigned int i = 0; i < view.peer_count; i++)
		if (view.peers[i].state == COSHM_PEER_DEAD || info_peer_stuck(&view.peers[i]))
			return CLI_FINDING;
	return CLI_OK;
}

static const char *take_option(void *to, int c, const char *text)
{
	struct info_asked *asked = to;

	if (c != 'j')
		return choice_take(&asked->columns.choice, c, text);
	asked->json = true;
	return NULL;
}

static const char *finish_options(void *to)
{
	const struct info_asked *asked = to;

	return choice_finish(&asked->columns.choice, asked->json);
}

int cmd_info(int argc, char **argv)
{
	static const struct option options[] = {
		CHOICE_OPTIONS,
		{ "json", no_argument, NULL, 'j' },
		{ "dir", required_argument, NULL, 'd' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	static const struct syntax syntax = { .command = "info ",
					      .usage = info_usage,
					      .letters = CHOICE_LETTERS "jd:h",
					      .options = options,
					      .take = take_option,
					      .finish = finish_options };
	struct info_asked asked = { 0 };
	const char *dir = NULL;
	int status;

	if (parse_options(&syntax, &asked, &dir, argc, argv, &status) < 0)
		return status;
	if (info_take_columns(&asked.columns) < 0)
		return bad_usage("info ");
	return show(dir, argv[optind], &asked);
}
