/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pub_options.c - the command line of "coshm pub".
 */
#include <stdlib.h>
#include <string.h>

#include "options.h"
#include "pub.h"

const char pub_usage[] =
	"Usage: coshm pub [OPTION]... CHANNEL\n"
	"Publish standard input on a channel, a message a line.  Makes the channel if it\n"
	"is missing.  Ends at the end of its input; on a lossless stream, when all of it\n"
	"was received by every subscriber that is alive.\n"
	"\n"
	"  -n, --count N         end after N messages\n"
	"  -s, --size N          records of N bytes instead of lines\n"
	"  -r, --rate N          N messages a second, evenly spaced\n"
	"  -w, --subscribers N   wait for N subscribers before the first message\n"
	"  -t, --timeout SECONDS give up after so long without room, or subscribers\n"
	"  -d, --dir DIR         where channels are (default: $COSHM_DIR, else\n"
	"                        /dev/shm/coshm)\n"
	"      --prefault        touch all of the channel's memory at the start\n"
	"      --lock            keep it from being swapped out\n"
	"      --huge            ask for huge pages\n"
	"  -h, --help            show this text\n"
	"\n"
	"For a channel that is missing; one that is there must be of that kind, policy:\n"
	"      --stream          every message to every subscriber (default)\n"
	"      --latest          the newest message to every subscriber\n"
	"      --queue           each message to one consumer\n"
	"  -p, --policy POLICY   stream: lossless (default), waits for the slowest\n"
	"                        subscriber, or overwrite, never waits;\n"
	"                        queue: at-least-once (default) or at-most-once, for the\n"
	"                        message of a consumer that dies\n"
	"\n"
	"For a channel that is missing alone:\n"
	"      --slots N         how many messages it holds (default: 1024; latest: 4)\n"
	"      --max-bytes N     the longest message (default: that of --size, else 1024)\n"
	"  -m, --mode MODE       permissions of its file, octal (default: 0600; with\n"
	"                        --group 0660)\n"
	"  -g, --group GROUP     the group of its file, a name or a number\n"
	"\n"
	"Exit status: 0 done, or ended by SIGINT, SIGTERM or SIGHUP; 1 time was up;\n"
	"2 failed or bad command line.\n";

#define MAX_BYTES_DEFAULT 1024
#define QUEUE_BYTES_MAX   16384
#define BYTES_MAX         (UINT64_C(1) << 30)
#define SLOTS_MAX         (UINT64_C(1) << 24)

enum { OPT_STREAM = 256, OPT_LATEST, OPT_QUEUE, OPT_SLOTS, OPT_MAX_BYTES };

static const struct option options[] = {
	{ "count", required_argument, NULL, 'n' },
	{ "size", required_argument, NULL, 's' },
	{ "rate", required_argument, NULL, 'r' },
	{ "subscribers", required_argument, NULL, 'w' },
	{ "timeout", required_argument, NULL, 't' },
	{ "stream", no_argument, NULL, OPT_STREAM },
	{ "latest", no_argument, NULL, OPT_LATEST },
	{ "queue", no_argument, NULL, OPT_QUEUE },
	{ "policy", required_argument, NULL, 'p' },
	{ "slots", required_argument, NULL, OPT_SLOTS },
	{ "max-bytes", required_argument, NULL, OPT_MAX_BYTES },
	{ "mode", required_argument, NULL, 'm' },
	{ "group", required_argument, NULL, 'g' },
	{ "prefault", no_argument, NULL, OPT_OPEN_FLAG | COSHM_OPEN_PREFAULT },
	{ "lock", no_argument, NULL, OPT_OPEN_FLAG | COSHM_OPEN_LOCK },
	{ "huge", no_argument, NULL, OPT_OPEN_FLAG | COSHM_OPEN_HUGE },
	{ "dir", required_argument, NULL, 'd' },
	{ "help", no_argument, NULL, 'h' },
	{ NULL, 0, NULL, 0 },
};

static const char *take_kind(struct pub_options *p, uint32_t kind)
{
	if (p->plan.kind != KIND_ANY && p->plan.kind != kind)
		return "a channel is one of --stream, --latest and --queue";
	p->plan.kind = kind;
	return NULL;
}

static const char *take_mode(struct pub_options *p, const char *text)
{
	char *end;
	unsigned long mode = strtoul(text, &end, 8);

	if (text[0] < '0' || text[0] > '7' || *end != '\0' || mode == 0 || mode > 0777)
		return "--mode takes octal permissions, 0001 to 0777";
	p->plan.mode = (uint32_t)mode;
	return NULL;
}

/* A name may look like a number: it comes first, as with chgrp(1). */
static const char *take_group(struct pub_options *p, const char *text)
{
	uint64_t n;

	p->plan.give_group = true;
	if (pub_find_group(text, &p->plan.group) == 0)
		return NULL;
	if (parse_number(text, 0, UINT32_MAX - 1, &n) < 0)
		return "--group takes the name of a group that is known here, or a number";
	p->plan.group = (uint32_t)n;
	return NULL;
}

/* What is wrong with it, or NULL. */
static const char *take_option(void *asked, int c, const char *text)
{
	struct pub_options *p = asked;
	uint64_t n;

	if (c & OPT_OPEN_FLAG) {
		p->plan.open_flags |= (uint32_t)(c & ~OPT_OPEN_FLAG);
		return NULL;
	}
	switch (c) {
	case 'n':
		return parse_number(text, 1, UINT64_MAX, &p->count) < 0 ?
			       "--count takes a whole number from 1" :
			       NULL;
	case 's':
		return parse_number(text, 1, BYTES_MAX, &p->plan.record_bytes) < 0 ?
			       "--size takes bytes, 1 to 1073741824" :
			       NULL;
	case 'r':
		return parse_rate(text, &p->rate) < 0 ?
			       "--rate takes messages a second, 0.000001 to 1000000000" :
			       NULL;
	case 'w':
		return parse_number(text, 1, COSHM_PEERS_MAX, &p->subscribers) < 0 ?
			       "--subscribers takes a whole number from 1 to 64" :
			       NULL;
	case 't':
		return parse_seconds(text, &p->timeout_ns) < 0 ?
			       "--timeout takes seconds, 0.001 to 31536000" :
			       NULL;
	case OPT_STREAM:
	case OPT_LATEST:
	case OPT_QUEUE:
		return take_kind(p, c == OPT_STREAM ? COSHM_STREAM :
				    c == OPT_LATEST ? COSHM_LATEST :
						      COSHM_QUEUE);
	case 'p':
		p->policy = text;
		return NULL;
	case OPT_SLOTS:
		if (parse_number(text, 1, SLOTS_MAX, &n) < 0)
			return "--slots takes a whole number from 1 to 16777216";
		p->plan.slots = (uint32_t)n;
		return NULL;
	case OPT_MAX_BYTES:
		return parse_number(text, 1, BYTES_MAX, &p->plan.max_bytes) < 0 ?
			       "--max-bytes takes bytes, 1 to 1073741824" :
			       NULL;
	case 'g':
		return take_group(p, text);
	default:
		return take_mode(p, text);
	}
}

static const char *take_policy(struct pub_options *p)
{
	static const struct {
		const char *name;
		uint32_t kind;
		uint32_t policy;
	} known[] = {
		{ "lossless", COSHM_STREAM, COSHM_STREAM_LOSSLESS },
		{ "overwrite", COSHM_STREAM, COSHM_STREAM_OVERWRITE },
		{ "at-least-once", COSHM_QUEUE, COSHM_QUEUE_AT_LEAST_ONCE },
		{ "at-most-once", COSHM_QUEUE, COSHM_QUEUE_AT_MOST_ONCE },
	};

	if (!p->policy)
		return NULL;
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		if (strcmp(p->policy, known[i].name) != 0)
			continue;
		p->plan.policy = known[i].policy;
		return take_kind(p, known[i].kind) ?
			       "a stream is lossless or overwrite, a queue at-least-once or "
			       "at-most-once, a latest value neither" :
			       NULL;
	}
	return "--policy takes lossless or overwrite (stream), at-least-once or at-most-once "
	       "(queue)";
}

/* What only makes sense together. */
static const char *finish_options(void *asked)
{
	struct pub_options *p = asked;
	const char *bad = take_policy(p);

	if (bad)
		return bad;
	if (p->plan.give_group && p->plan.mode == 0)
		p->plan.mode = 0660; /* or the group could do nothing */
	if (p->plan.max_bytes == 0)
		p->plan.max_bytes = p->plan.record_bytes ? p->plan.record_bytes : MAX_BYTES_DEFAULT;
	if (p->plan.max_bytes < p->plan.record_bytes)
		return "--max-bytes is less than --size";
	if (p->plan.kind == COSHM_QUEUE && p->plan.max_bytes > QUEUE_BYTES_MAX)
		return "messages of a queue have up to 16384 bytes";
	if (p->plan.kind == COSHM_LATEST && p->plan.slots != 0 &&
	    (p->plan.slots < 4 || (p->plan.slots & (p->plan.slots - 1)) != 0))
		return "--slots of a latest value are a power of two from 4";
	return NULL;
}

int pub_parse(struct pub_options *p, int argc, char **argv, int *status)
{
	static const struct syntax syntax = { .command = "pub ",
					      .usage = pub_usage,
					      .letters = "n:s:r:w:t:d:hp:m:g:",
					      .options = options,
					      .take = take_option,
					      .finish = finish_options };

	if (parse_options(&syntax, p, &p->plan.dir, argc, argv, status) < 0)
		return -1;
	p->plan.name = argv[optind];
	return 0;
}
