/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cli.h - what the subcommands of coshm share: exit codes, sentences for
 * people, numbers from the command line, being told to stop, and the clock.
 */
#ifndef COSHM_CLI_CLI_H
#define COSHM_CLI_CLI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "coshm.h"

#define NS_PER_S INT64_C(1000000000)

enum cli_exit {
	CLI_OK = 0,         /* done, or told to stop                          */
	CLI_FINDING = 1,    /* there is something to look at, or time was up  */
	CLI_FAILED = 2,     /* asked for and not done, or a bad command line  */
	CLI_INCOMPLETE = 3, /* done as far as our permissions reach           */
};

/* Beside the kinds of enum coshm_kind: whichever it is. */
#define KIND_ANY 0u

/* Each takes its own arguments, argv[0] being "coshm", and ends with an enum cli_exit. */
int cmd_pub(int argc, char **argv);
int cmd_sub(int argc, char **argv);
int cmd_info(int argc, char **argv);
int cmd_rm(int argc, char **argv);
int cmd_ls(int argc, char **argv);
int cmd_ps(int argc, char **argv);
int cmd_clean(int argc, char **argv);
int cmd_grow(int argc, char **argv);
int cmd_doctor(int argc, char **argv);
int cmd_top(int argc, char **argv);
int cmd_watch(int argc, char **argv);
int cmd_run(int argc, char **argv); /* or with an enum run_exit */

extern const char pub_usage[], sub_usage[], info_usage[], rm_usage[], ls_usage[], ps_usage[];
extern const char clean_usage[], grow_usage[], doctor_usage[], top_usage[], watch_usage[];
extern const char run_usage[];

/*
 * complain - an error, on standard error: what was being done, to what, and why
 * it failed; then, unless @hint is NULL, a line with what to do about it.
 */
__attribute__((format(printf, 2, 3))) void complain(const char *hint, const char *fmt, ...);

/* say - a remark on standard error about something that is no error. */
__attribute__((format(printf, 1, 2))) void say(const char *fmt, ...);

/* complain_call - a call of libcoshm has failed with @err: its sentence, and our hint.  CLI_FAILED.
 */
int complain_call(int err, const char *doing);

/* complain_open - the same of one that was called with @flags of enum coshm_open_flags. */
int complain_open(int err, const char *doing, uint32_t flags);

/* bad_usage - after a sentence about the command line: where to read more.  CLI_FAILED. */
int bad_usage(const char *command);

/* A whole number from @min to @max, and nothing behind it; -1 if it is not. */
int parse_number(const char *text, uint64_t min, uint64_t max, uint64_t *number);

/* Bytes: a whole number, and K, M, G or T behind it; -1 if it is not. */
int parse_bytes(const char *text, uint64_t *bytes);

/* How long ago: a whole number of seconds, or of s, m, h or d; -1 if it is not. */
int parse_age(const char *text, uint64_t *seconds);

/* Seconds with a fraction, a millisecond to a year; -1 if they are not. */
int parse_seconds(const char *text, int64_t *ns);

/* A positive number with a fraction, a millionth to 10^9; -1 if it is not. */
int parse_rate(const char *text, double *rate);

const char *kind_text(uint32_t kind);
const char *policy_text(uint32_t kind, uint32_t policy);

int64_t now_ns(void);

/* Sleep so long, or less if a signal comes. */
void nap_ns(int64_t ns);

/* What is left of a time-out that began at @since_ns; 0 if nothing is, -1 if there is none. */
int64_t time_left_ns(int64_t timeout_ns, int64_t since_ns);

/* From here on SIGINT, SIGTERM and SIGHUP make every blocking call return, see cli.c. */
void stop_setup(void);
bool stop_requested(void);

/*
 * stop_before - one who is told to stop and does not get out is ended; not before @restore, which
 * is called in a signal handler.  NULL: nothing is to be restored.
 */
void stop_before(void (*restore)(void));

#endif /* COSHM_CLI_CLI_H */
