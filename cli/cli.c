/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cli.c - see cli.h.
 *
 * Being told to stop: the handler sets a flag, and the program, whatever it
 * waits for, comes back with EINTR and closes what it has open, so that its
 * peers see it leave instead of dying.  A signal that came just before a call
 * began to wait would be missed; so the first one starts a timer whose own
 * signal goes on interrupting.  A program that does not get out even so is
 * ended: what it had open is then dropped by the kernel.
 */
#include "cli.h"

#include <ctype.h>
#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define TICK_NS   20000000
#define TICKS_MAX 50

static atomic_int stopping; /* and how many ticks ago */
static timer_t ticker;
static void (*volatile last_words)(void);

static void on_tick(int sig)
{
	(void)sig;
	if (atomic_fetch_add(&stopping, 1) <= TICKS_MAX)
		return;
	if (last_words)
		last_words();
	_exit(CLI_OK);
}

static void on_stop(int sig)
{
	static const struct itimerspec every = { .it_interval.tv_nsec = TICK_NS,
						 .it_value.tv_nsec = TICK_NS };

	(void)sig;
	if (atomic_fetch_add(&stopping, 1) == 0)
		timer_settime(ticker, 0, &every, NULL);
}

/* Without a timer (never seen): the peers are told of a death, but it ends. */
static void end_at_once(int sig)
{
	(void)sig;
	_exit(CLI_OK);
}

void stop_setup(void)
{
	struct sigevent event = { .sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGALRM };
	struct sigaction stop = { .sa_handler = on_stop }, tick = { .sa_handler = on_tick };
	struct sigaction ignore = { .sa_handler = SIG_IGN }, hangup;
	sigset_t ours;

	sigemptyset(&ours);
	sigaddset(&ours, SIGALRM);
	sigaddset(&ours, SIGINT);
	sigaddset(&ours, SIGTERM);
	sigaddset(&ours, SIGHUP);
	stop.sa_mask = ours;
	if (timer_create(CLOCK_MONOTONIC, &event, &ticker) < 0)
		stop.sa_handler = end_at_once;
	sigaction(SIGALRM, &tick, NULL);
	sigaction(SIGINT, &stop, NULL);
	sigaction(SIGTERM, &stop, NULL);
	sigaction(SIGHUP, NULL, &hangup);
	if (hangup.sa_handler != SIG_IGN) /* nohup(1) */
		sigaction(SIGHUP, &stop, NULL);
	sigaction(SIGPIPE, &ignore, NULL); /* said by write(2) instead */
	sigprocmask(SIG_UNBLOCK, &ours, NULL);
}

void stop_before(void (*restore)(void))
{
	last_words = restore;
}

bool stop_requested(void)
{
	return atomic_load(&stopping) != 0;
}

void complain(const char *hint, const char *fmt, ...)
{
	va_list ap;

	fputs("coshm: ", stderr);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	if (hint)
		fprintf(stderr, "\n  hint: %s", hint);
	fputc('\n', stderr);
}

void say(const char *fmt, ...)
{
	va_list ap;

	fputs("coshm: ", stderr);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
}

static const char *hint_for(int err)
{
	switch (err) {
	case -ENOENT:
		return "is the name right, and the directory shared with this container?  --dir "
		       "and COSHM_DIR name another one";
	case -EACCES:
	case -EPERM:
		return "run it as the user of the channel, or create the channel with another "
		       "--mode";
	case -ENOSPC:
		return "make the channel smaller (--slots, --max-bytes), or the file system larger "
		       "(docker run --shm-size of the container that owns /dev/shm)";
	case -EOPNOTSUPP:
		return "put the directory on a tmpfs or a disk";
	case -EPROTO:
		return "another program's file?  give the channel another name";
	case -EPROTONOSUPPORT:
		return "use the same version of coshm on both sides";
	default:
		return NULL;
	}
}

int complain_call(int err, const char *doing)
{
	complain(hint_for(err), "%s: %s", doing, coshm_errmsg());
	return CLI_FAILED;
}

int complain_open(int err, const char *doing, uint32_t flags)
{
	if (!(flags & COSHM_OPEN_LOCK) || (err != -ENOMEM && err != -EPERM))
		return complain_call(err, doing);
	complain("--lock needs a higher limit of locked memory (ulimit -l, docker run --ulimit "
		 "memlock=-1)",
		 "%s: %s", doing, coshm_errmsg());
	return CLI_FAILED;
}

int bad_usage(const char *command)
{
	fprintf(stderr, "Try 'coshm %s--help'.\n", command);
	return CLI_FAILED;
}

int parse_number(const char *text, uint64_t min, uint64_t max, uint64_t *number)
{
	unsigned long long n;
	char *end;

	errno = 0;
	n = strtoull(text, &end, 10);
	/* strtoull takes a sign and spaces in front, and wraps what is negative. */
	if (!isdigit((unsigned char)text[0]) || *end != '\0' || errno != 0 || n < min || n > max)
		return -1;
	*number = n;
	return 0;
}

/* A number with one of @letters behind it, or none, which is the first; -1 if it is not. */
static int parse_with_unit(const char *text, const char *letters, const uint64_t *factor,
			   uint64_t *number)
{
	size_t digits = strspn(text, "0123456789");
	const char *letter = strchr(letters, text[digits] ? text[digits] : letters[0]);
	char copy[24];
	uint64_t n;

	if (!letter || digits >= sizeof(copy) || (text[digits] && text[digits + 1]))
		return -1;
	memcpy(copy, text, digits);
	copy[digits] = '\0';
	if (parse_number(copy, 0, UINT64_MAX, &n) < 0 ||
	    __builtin_mul_overflow(n, factor[letter - letters], &n))
		return -1;
	*number = n;
	return 0;
}

int parse_bytes(const char *text, uint64_t *bytes)
{
	static const uint64_t factor[] = { 1, UINT64_C(1) << 10, UINT64_C(1) << 20,
					   UINT64_C(1) << 30, UINT64_C(1) << 40 };

	return parse_with_unit(text, "BKMGT", factor, bytes);
}

int parse_age(const char *text, uint64_t *seconds)
{
	static const uint64_t factor[] = { 1, 60, 3600, 86400 };

	return parse_with_unit(text, "smhd", factor, seconds);
}

static int parse_fraction(const char *text, double min, double max, double *number)
{
	char *end;
	double n = strtod(text, &end);

	/* strtod takes much more: signs, spaces, exponents, hexadecimal, "nan". */
	if (text[strspn(text, "0123456789.")] != '\0' || end == text || *end != '\0')
		return -1;
	if (n < min || n > max)
		return -1;
	*number = n;
	return 0;
}

int parse_seconds(const char *text, int64_t *ns)
{
	double seconds;

	if (parse_fraction(text, 0.001, 31536000.0, &seconds) < 0)
		return -1;
	*ns = (int64_t)(seconds * (double)NS_PER_S);
	return 0;
}

int parse_rate(const char *text, double *rate)
{
	return parse_fraction(text, 0.000001, 1e9, rate);
}

const char *kind_text(uint32_t kind)
{
	static const char *const text[] = { "unknown", "latest", "stream", "queue" };

	return text[kind < 4 ? kind : 0];
}

const char *policy_text(uint32_t kind, uint32_t policy)
{
	switch (kind) {
	case COSHM_STREAM:
		return policy == COSHM_STREAM_OVERWRITE ? "overwrite" : "lossless";
	case COSHM_QUEUE:
		return policy == COSHM_QUEUE_AT_MOST_ONCE ? "at-most-once" : "at-least-once";
	default:
		return "newest";
	}
}

int64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * NS_PER_S + ts.tv_nsec;
}

void nap_ns(int64_t ns)
{
	struct timespec ts = { .tv_sec = ns / NS_PER_S, .tv_nsec = ns % NS_PER_S };

	if (ns > 0)
		nanosleep(&ts, NULL);
}

int64_t time_left_ns(int64_t timeout_ns, int64_t since_ns)
{
	int64_t left;

	if (timeout_ns == 0)
		return -1;
	left = since_ns + timeout_ns - now_ns();
	return left > 0 ? left : 0;
}
