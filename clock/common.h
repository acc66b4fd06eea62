/* SPDX-License-Identifier: Apache-2.0 */
/*
 * common.h - what shm_write and shm_read share beside the segment's layout:
 * the command line, clocks, stop signals, and sentences for people.
 *
 * Exit status of both: 0 done or told to stop, 1 failed, 2 bad command line.
 */
#ifndef COSHM_CLOCK_COMMON_H
#define COSHM_CLOCK_COMMON_H

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "clock.h"

#define COSHM_VERSION "0.1.0" /* the one place; meson.build reads it from here */

#define NS_PER_S INT64_C(1000000000)

enum clock_exit {
	CLOCK_OK = 0,
	CLOCK_FAILED = 1,
	CLOCK_USAGE = 2,
};

struct clock_options {
	const char *key_file;
	int project_id;
	int64_t interval_ns;
	uint64_t count;     /* 0: until told to stop                 */
	int64_t timeout_ns; /* 0: none; of the reader alone          */
};

#define CLOCK_OPTIONS_INIT                                                                         \
	{                                                                                          \
		.key_file = CLOCK_KEY_FILE, .project_id = CLOCK_PROJECT_ID,                        \
		.interval_ns = NS_PER_S,                                                           \
	}

/* The part of both help texts that is the same. */
#define CLOCK_OPTIONS_USAGE                                                                        \
	"  -k, --key-file PATH     file that names the segment (default: " CLOCK_KEY_FILE ")\n"    \
	"  -p, --project-id N      1 to 255, the other half of the name (default: 8)\n"            \
	"  -h, --help              show this text\n"                                               \
	"  -V, --version           show the version\n"                                             \
	"\n"                                                                                       \
	"Exit status: 0 done, or ended by SIGINT, SIGTERM or SIGHUP; 1 failed; 2 bad\n"            \
	"command line.\n"

/*
 * complain - "shm_read: WHAT" and, if there is one, a line that says what to do.
 *
 * Dropped where stderr takes nothing now (a pipe that nobody reads): a program
 * that is to end must not hang on its last words.
 */
__attribute__((format(printf, 2, 3))) static inline void complain(const char *hint, const char *fmt,
								  ...)
{
	struct pollfd out = { .fd = STDERR_FILENO, .events = POLLOUT };
	va_list ap;

	if (poll(&out, 1, 0) == 0)
		return;
	fprintf(stderr, "%s: ", program_invocation_short_name);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	if (hint)
		fprintf(stderr, "\n  hint: %s", hint);
	fputc('\n', stderr);
}

/*
 * The writer of a key holds a lock on one byte of its key file: that of its
 * project id, so that each key of a file can have its writer.
 */
static inline struct flock writer_lock(int project_id)
{
	return (struct flock){
		.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = project_id, .l_len = 1
	};
}

static inline int64_t clock_ns(clockid_t id)
{
	struct timespec ts;

	/* Not time(): it may still name the last second for some milliseconds of the next. */
	clock_gettime(id, &ts);
	return (int64_t)ts.tv_sec * NS_PER_S + ts.tv_nsec;
}

static inline struct timespec clock_timespec(int64_t ns)
{
	return (struct timespec){ .tv_sec = ns / NS_PER_S, .tv_nsec = ns % NS_PER_S };
}

/*
 * stop_signals - what ends both programs: SIGINT and SIGTERM whatever was
 * inherited (a shell ignores SIGINT for what it starts in the background),
 * SIGHUP unless nohup(1) asked to ignore it.
 */
static inline sigset_t stop_signals(void)
{
	struct sigaction hangup;
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigaction(SIGHUP, NULL, &hangup);
	if (hangup.sa_handler != SIG_IGN)
		sigaddset(&set, SIGHUP);
	return set;
}

/* Whoever was started without stdin, stdout or stderr must not get another file in its place. */
static inline void open_standard_streams(void)
{
	int fd;

	do
		fd = open("/dev/null", O_RDWR);
	while (fd >= 0 && fd <= STDERR_FILENO);
	if (fd > STDERR_FILENO)
		close(fd);
}

/*
 * segment_rights - "owner uid 0, mode 600", for people.
 *
 * From /proc/sysvipc/shm, which anybody may read: whoever needs this sentence
 * was just refused IPC_STAT.
 */
static inline const char *segment_rights(int id, char *text, size_t bytes)
{
	FILE *f = fopen("/proc/sysvipc/shm", "re");
	char line[512];

	snprintf(text, bytes, "owner and mode unknown");
	while (f && fgets(line, sizeof(line), f)) {
		unsigned int mode, uid;
		int found;

		/* key shmid perms size cpid lpid nattch uid ... */
		if (sscanf(line, "%*d %d %o %*u %*d %*d %*u %u", &found, &mode, &uid) == 3 &&
		    found == id)
			snprintf(text, bytes, "owner uid %u, mode %03o", uid, mode & 0777);
	}
	if (f)
		fclose(f);
	return text;
}

/* A whole number from @min to @max, and nothing behind it; -1 if it is not. */
static inline int parse_number(const char *text, uint64_t min, uint64_t max, uint64_t *number)
{
	char *end;

	errno = 0;
	*number = strtoull(text, &end, 10);
	/* strtoull takes a sign and spaces in front, and wraps what is negative. */
	if (!isdigit((unsigned char)text[0]) || *end != '\0' || errno != 0)
		return -1;
	return *number >= min && *number <= max ? 0 : -1;
}

/* Seconds with a fraction, a millisecond to a year; -1 if they are not. */
static inline int parse_seconds(const char *text, int64_t *ns)
{
	char *end;
	double seconds = strtod(text, &end);

	/* strtod takes much more: signs, spaces, exponents, hexadecimal, "nan". */
	if (text[strspn(text, "0123456789.")] != '\0' || end == text || *end != '\0')
		return -1;
	if (seconds < 0.001 || seconds > 31536000.0)
		return -1;
	*ns = (int64_t)(seconds * (double)NS_PER_S);
	return 0;
}

/*
 * parse_options - fill @o from the command line, or end the program: after
 * --help and --version with 0, after anything it cannot use with 2.
 * @has_timeout: whether --timeout is known
 */
static inline void parse_options(struct clock_options *o, int argc, char **argv, const char *usage,
				 bool has_timeout)
{
	static const struct option options[] = {
		{ "count", required_argument, NULL, 'n' },
		{ "interval", required_argument, NULL, 'i' },
		{ "key-file", required_argument, NULL, 'k' },
		{ "project-id", required_argument, NULL, 'p' },
		{ "help", no_argument, NULL, 'h' },
		{ "version", no_argument, NULL, 'V' },
		{ "timeout", required_argument, NULL, 't' }, /* last: not everybody's */
		{ NULL, 0, NULL, 0 },
	};
	struct option known[sizeof(options) / sizeof(options[0])];
	const char *bad = NULL;
	uint64_t number;
	int c;

	argv[0] = program_invocation_short_name; /* what getopt_long begins its sentences with */
	memcpy(known, options, sizeof(known));
	if (!has_timeout)
		known[sizeof(known) / sizeof(known[0]) - 2] = (struct option){ 0 };

	while (!bad && (c = getopt_long(argc, argv, has_timeout ? "n:i:k:p:hVt:" : "n:i:k:p:hV",
					known, NULL)) != -1) {
		switch (c) {
		case 'n':
			if (parse_number(optarg, 1, UINT64_MAX, &o->count) < 0)
				bad = "--count takes a whole number from 1";
			break;
		case 'i':
			if (parse_seconds(optarg, &o->interval_ns) < 0)
				bad = "--interval takes seconds, 0.001 to 31536000";
			break;
		case 'k':
			o->key_file = optarg;
			if (optarg[0] == '\0')
				bad = "--key-file takes the path of a file";
			break;
		case 'p':
			if (parse_number(optarg, 1, 255, &number) < 0)
				bad = "--project-id takes a whole number from 1 to 255";
			else
				o->project_id = (int)number;
			break;
		case 't':
			if (parse_seconds(optarg, &o->timeout_ns) < 0)
				bad = "--timeout takes seconds, 0.001 to 31536000";
			break;
		case 'h':
			fputs(usage, stdout);
			exit(CLOCK_OK);
		case 'V':
			printf("%s (coshm) %s\n", program_invocation_short_name, COSHM_VERSION);
			exit(CLOCK_OK);
		default: /* getopt_long has already said what is wrong */
			fprintf(stderr, "Try '%s --help'.\n", program_invocation_short_name);
			exit(CLOCK_USAGE);
		}
	}
	if (bad)
		complain(NULL, "%s, not '%s'", bad, optarg);
	else if (optind < argc)
		complain(NULL, "takes options alone, not '%s'", argv[optind]);
	else
		return;
	fprintf(stderr, "Try '%s --help'.\n", program_invocation_short_name);
	exit(CLOCK_USAGE);
}

#endif /* COSHM_CLOCK_COMMON_H */
