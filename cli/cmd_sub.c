/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cmd_sub.c - "coshm sub": print the messages of a channel as they come.
 *
 * A guest that outlives everybody: it waits for a channel that is not there,
 * for a publisher that has died, and for the next one of a channel that was
 * removed.  What happened is said once on standard error.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli.h"
#include "inlet.h"
#include "io.h"
#include "options.h"

const char sub_usage[] =
	"Usage: coshm sub [OPTION]... CHANNEL\n"
	"Print the messages of a channel as they come, each as a line.  Waits for a\n"
	"channel that is not there yet, and outlives its publishers.\n"
	"\n"
	"  -n, --count N         end after N messages\n"
	"  -s, --size N          messages of N bytes alone, and no newlines\n"
	"      --raw             messages of any size, and no newlines\n"
	"  -o, --oldest          stream: begin with the oldest message that is there\n"
	"                        (default: with the next one; a channel that was waited\n"
	"                        for, with its first)\n"
	"      --observe         take no place and write to nothing; latest, and streams\n"
	"                        that overwrite\n"
	"  -t, --timeout SECONDS give up after so long without a message\n"
	"      --stream, --latest, --queue\n"
	"                        refuse another kind of channel\n"
	"  -d, --dir DIR         where channels are (default: $COSHM_DIR, else\n"
	"                        /dev/shm/coshm)\n"
	"      --prefault        touch all of the channel's memory at the start\n"
	"      --lock            keep it from being swapped out\n"
	"      --huge            ask for huge pages\n"
	"  -h, --help            show this text\n"
	"\n"
	"Exit status: 0 done, or ended by SIGINT, SIGTERM or SIGHUP; 1 time was up;\n"
	"2 failed or bad command line.\n";

/* From one look for a missing channel, or at a dead publisher, to the next. */
#define LOOK_NS (NS_PER_S / 50)
/* From one question whether the file was replaced, or remark about losses, to the next. */
#define ASK_NS NS_PER_S

struct sub {
	struct inlet in;
	uint64_t count;        /* 0: for ever             */
	uint64_t record_bytes; /* 0: of any size          */
	int64_t timeout_ns;    /* 0: none                 */
	bool raw, oldest;

	uint64_t printed;
	int64_t fresh_ns; /* when there last was a message  */
	uint64_t lost;    /* and not yet said               */
	int64_t lost_ns;  /* when that was said last, or 0  */
	bool said_missing;
};

enum { OPT_RAW = 256, OPT_OBSERVE, OPT_STREAM, OPT_LATEST, OPT_QUEUE };

static const struct option options[] = {
	{ "count", required_argument, NULL, 'n' },
	{ "size", required_argument, NULL, 's' },
	{ "raw", no_argument, NULL, OPT_RAW },
	{ "oldest", no_argument, NULL, 'o' },
	{ "observe", no_argument, NULL, OPT_OBSERVE },
	{ "timeout", required_argument, NULL, 't' },
	{ "stream", no_argument, NULL, OPT_STREAM },
	{ "latest", no_argument, NULL, OPT_LATEST },
	{ "queue", no_argument, NULL, OPT_QUEUE },
	{ "prefault", no_argument, NULL, OPT_OPEN_FLAG | COSHM_OPEN_PREFAULT },
	{ "lock", no_argument, NULL, OPT_OPEN_FLAG | COSHM_OPEN_LOCK },
	{ "huge", no_argument, NULL, OPT_OPEN_FLAG | COSHM_OPEN_HUGE },
	{ "dir", required_argument, NULL, 'd' },
	{ "help", no_argument, NULL, 'h' },
	{ NULL, 0, NULL, 0 },
};

/* What is wrong with it, or NULL. */
static const char *take_option(void *asked, int c, const char *text)
{
	struct sub *s = asked;
	uint32_t kind = c == OPT_STREAM ? COSHM_STREAM :
			c == OPT_LATEST ? COSHM_LATEST :
					  COSHM_QUEUE;

	if (c & OPT_OPEN_FLAG) {
		s->in.open_flags |= (uint32_t)(c & ~OPT_OPEN_FLAG);
		return NULL;
	}
	switch (c) {
	case 'n':
		return parse_number(text, 1, UINT64_MAX, &s->count) < 0 ?
			       "--count takes a whole number from 1" :
			       NULL;
	case 's':
		s->raw = true;
		return parse_number(text, 1, UINT64_C(1) << 30, &s->record_bytes) < 0 ?
			       "--size takes bytes, 1 to 1073741824" :
			       NULL;
	case OPT_RAW:
		s->raw = true;
		return NULL;
	case 'o':
		s->oldest = true;
		return NULL;
	case OPT_OBSERVE:
		s->in.observe = true;
		return NULL;
	case 't':
		return parse_seconds(text, &s->timeout_ns) < 0 ?
			       "--timeout takes seconds, 0.001 to 31536000" :
			       NULL;
	default:
		if (s->in.kind != KIND_ANY && s->in.kind != kind)
			return "a channel is one of --stream, --latest and --queue";
		s->in.kind = kind;
		return NULL;
	}
}

static void say_lost(struct sub *s)
{
	if (s->lost != 0)
		say("lost %llu messages of %s: its publisher overwrote them before they were read",
		    (unsigned long long)s->lost, s->in.name);
	s->lost = 0;
	s->lost_ns = now_ns();
}

static void count_lost(struct sub *s, uint64_t lost)
{
	s->lost += lost;
	if (s->lost != 0 && (s->lost_ns == 0 || now_ns() - s->lost_ns >= ASK_NS))
		say_lost(s);
}

/* Nothing came: was that too long?  Then the status to end with is set. */
static bool time_is_up(const struct sub *s, int *status)
{
	if (time_left_ns(s->timeout_ns, s->fresh_ns) != 0)
		return false;
	complain(inlet_is_open(&s->in) ? "look at who publishes with coshm info" :
					 "does its publisher use the same directory (--dir, "
					 "COSHM_DIR), and is that shared with this container?",
		 "gave up after %g s: %s", (double)s->timeout_ns / 1e9,
		 inlet_is_open(&s->in) ? "no message came" : "there is no such channel");
	*status = CLI_FINDING;
	return true;
}

/* Attach, or wait a little for there to be something; false: it cannot be, and *status says so. */
static bool attach(struct sub *s, int *status)
{
	/* Who waited for a channel wants it from its beginning. */
	int err = inlet_open(&s->in, s->oldest || s->said_missing);

	if (err == 0) {
		s->said_missing = false;
		return true;
	}
	if (err == -ENOBUFS) {
		complain(NULL, "cannot subscribe to %s: no memory for messages of up to %llu bytes",
			 s->in.name, (unsigned long long)s->in.info.message_bytes);
		*status = CLI_FAILED;
		return false;
	}
	if (err != -ENOENT && err != -ESTALE) {
		*status = err == -EPROTOTYPE ?
				  CLI_FAILED :
				  complain_open(err, "cannot subscribe", s->in.open_flags);
		return false;
	}
	if (!s->said_missing)
		say("waiting for the channel: %s", coshm_errmsg());
	s->said_missing = true;
	nap_ns(LOOK_NS);
	return !time_is_up(s, status);
}

static bool print(struct sub *s, const struct inlet_message *message, int *status)
{
	int err;

	count_lost(s, message->lost);
	if (message->deliveries > 1)
		say("message %llu of %s was with a consumer that died: it is delivered again",
		    (unsigned long long)message->number, s->in.name);
	if (s->record_bytes != 0 && message->bytes != s->record_bytes) {
		complain("--raw prints messages of any size",
			 "cannot print message %llu of %s: it has %zu bytes, not %llu",
			 (unsigned long long)message->number, s->in.name, message->bytes,
			 (unsigned long long)s->record_bytes);
		*status = CLI_FAILED;
		return false;
	}
	err = output(STDOUT_FILENO, message->data, message->bytes, !s->raw);
	if (err < 0) {
		/* Told to stop; or the reader of our pipe has had enough, which is no failure. */
		if (err != -EINTR && err != -EPIPE) {
			complain(NULL, "cannot write to standard output: %s", strerror(-err));
			*status = CLI_FAILED;
		}
		return false;
	}
	s->printed++;
	s->fresh_ns = now_ns();
	err = inlet_done(&s->in, message);
	if (err < 0 && err != -ESTALE) {
		*status = complain_call(err, "cannot acknowledge a message");
		return false;
	}
	return true;
}

static void detach(struct sub *s, const char *what)
{
	say_lost(s);
	say("%s %s: waiting for the new one", s->in.name, what);
	inlet_close(&s->in);
	s->said_missing = true;
}

/* No message; false: the end, and *status says why. */
static bool go_on(struct sub *s, int err, int *status)
{
	switch (err) {
	case -EINTR:
	case -EAGAIN: /* overtaken again and again: the losses are counted */
		return true;
	case -ESTALE:
		detach(s, "was removed or replaced");
		return true;
	case -EPROTO: /* left out: the next one may be good */
		say("%s", coshm_errmsg());
		return true;
	case -EOWNERDEAD:
		say("%s: waiting for another one", coshm_errmsg());
		break;
	case -ETIMEDOUT:
		break;
	default:
		*status = complain_call(err, "cannot receive");
		return false;
	}
	if (s->lost != 0)
		say_lost(s);
	return !time_is_up(s, status);
}

/* Now and then, when nothing comes. */
static void look_for_another(struct sub *s, int64_t *asked_ns)
{
	if (now_ns() - *asked_ns < ASK_NS)
		return;
	*asked_ns = now_ns();
	if (inlet_replaced(&s->in))
		detach(s, "was replaced by a new file");
}

/* How long to wait in one go: never nothing, which would be a look without an end. */
static int64_t turn_ns(const struct sub *s)
{
	int64_t left = time_left_ns(s->timeout_ns, s->fresh_ns);

	if (left < 0 || left > ASK_NS)
		return ASK_NS;
	return left > 0 ? left : 1;
}

static int run(struct sub *s)
{
	int64_t asked_ns = now_ns();
	struct inlet_message message;
	int status = CLI_OK, err;
	bool more = true;

	s->fresh_ns = asked_ns;
	while (more && !stop_requested() && (s->count == 0 || s->printed < s->count)) {
		if (!inlet_is_open(&s->in)) {
			more = attach(s, &status);
			continue;
		}
		err = inlet_receive(&s->in, turn_ns(s), &message);
		if (err == 0) {
			more = print(s, &message, &status);
			continue;
		}
		more = go_on(s, err, &status);
		if (more && inlet_is_open(&s->in) && (err == -ETIMEDOUT || err == -EOWNERDEAD))
			look_for_another(s, &asked_ns);
	}
	say_lost(s);
	return status;
}

int cmd_sub(int argc, char **argv)
{
	static const struct syntax syntax = { .command = "sub ",
					      .usage = sub_usage,
					      .letters = "n:s:ot:d:h",
					      .options = options,
					      .take = take_option };
	struct sub s = { 0 };
	int status;

	if (parse_options(&syntax, &s, &s.in.dir, argc, argv, &status) < 0)
		return status;
	s.in.name = argv[optind];
	status = run(&s);
	inlet_close(&s.in);
	free(s.in.buffer);
	return status;
}
