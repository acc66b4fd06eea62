/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cmd_pub.c - "coshm pub": publish lines or records from standard input.
 */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "io.h"
#include "outlet.h"
#include "pub.h"

/* Later than this, and what was missed is not made up for: no burst after a pause. */
#define LATE_NS (NS_PER_S / 10)

struct pub {
	struct pub_options o;
	struct outlet out;
	struct input in;
	int64_t begin_ns; /* when message begin_number was due */
	uint64_t begin_number;
};

/* Time is up, or something failed, or we were told to stop: complain, and the status. */
static int give_up(const struct pub *p, int err, const char *doing)
{
	const char *hint = p->out.info.kind == COSHM_STREAM ?
				   "look at its subscribers with coshm info; one that is paused or "
				   "stopped is waited for" :
				   NULL;

	if (err == -EINTR)
		return CLI_OK;
	if (err != -ETIMEDOUT)
		return complain_call(err, doing);
	complain(hint, "gave up after %g s: %s", (double)p->o.timeout_ns / 1e9, coshm_errmsg());
	return CLI_FINDING;
}

/* The channel went away under us: make it anew, as those who read it wait for that. */
static int follow(struct pub *p)
{
	say("%s was removed or replaced: going on in a new one", p->o.plan.name);
	outlet_close(&p->out);
	return outlet_open(&p->out, &p->o.plan);
}

static int wait_subscribers(struct pub *p)
{
	int64_t since_ns = now_ns();
	int status = CLI_OK, err = 0;

	while (p->o.subscribers != 0 && status == CLI_OK && !stop_requested()) {
		err = outlet_wait_receivers(&p->out, (unsigned int)p->o.subscribers,
					    time_left_ns(p->o.timeout_ns, since_ns));
		if (err == 0)
			break;
		if (err == -ESTALE || err == -ENOENT) {
			status = follow(p);
		} else if (err == -ETIMEDOUT) {
			complain("start them, or look at who is there with coshm info",
				 "gave up after %g s: %s has fewer than %llu subscribers",
				 (double)p->o.timeout_ns / 1e9, p->o.plan.name,
				 (unsigned long long)p->o.subscribers);
			status = CLI_FINDING;
		} else if (err != -EINTR) {
			status = complain_call(err, "cannot wait for subscribers");
		}
	}
	return status;
}

/* Deadlines are reckoned from the beginning, so that delays do not add up. */
static void pace(struct pub *p)
{
	int64_t due, now = now_ns();

	if (p->o.rate == 0)
		return;
	due = p->begin_ns +
	      (int64_t)((double)(p->in.number - p->begin_number) / p->o.rate * (double)NS_PER_S);
	if (p->begin_number == 0 || now - due > LATE_NS) {
		p->begin_ns = now;
		p->begin_number = p->in.number;
		return;
	}
	for (; now < due && !stop_requested(); now = now_ns())
		nap_ns(due - now);
}

static int send_one(struct pub *p, const void *data, size_t bytes)
{
	int64_t since_ns = now_ns();
	int status, err;

	for (;;) {
		if (stop_requested())
			return CLI_OK;
		err = outlet_send(&p->out, data, bytes, time_left_ns(p->o.timeout_ns, since_ns));
		if (err == 0)
			return CLI_OK;
		if (err == -ESTALE) {
			status = follow(p);
			if (status != CLI_OK)
				return status;
		} else if (err == -EAGAIN) { /* no time was left to look twice */
			return give_up(p, -ETIMEDOUT, NULL);
		} else if (err != -EINTR) {
			return give_up(p, err, "cannot publish");
		}
	}
}

/* The end of the input, or what is wrong with it. */
static int end_of_input(const struct pub *p, int err)
{
	unsigned long long next = p->in.number + 1;

	if (err == 0 || err == -EINTR)
		return CLI_OK;
	if (err == -EMSGSIZE)
		complain("make a channel with a larger --max-bytes: coshm rm, then coshm pub",
			 "cannot publish line %llu: it is longer than %zu bytes, the most that %s "
			 "takes",
			 next, p->in.max_bytes, p->o.plan.name);
	else if (err == -EPROTO)
		complain("is --size the size of the records?",
			 "cannot publish record %llu: the input ends after %zu of its %zu bytes",
			 next, p->in.end - p->in.start, p->in.record_bytes);
	else
		complain(NULL, "cannot read standard input: %s", strerror(-err));
	return CLI_FAILED;
}

static int drain(struct pub *p)
{
	int64_t since_ns = now_ns();
	int err;

	do {
		err = outlet_drain(&p->out, time_left_ns(p->o.timeout_ns, since_ns));
	} while (err == -EINTR && !stop_requested());
	return err == 0 ? CLI_OK : give_up(p, err, "cannot wait until all was received");
}

static int publish_all(struct pub *p)
{
	int status = CLI_OK, err = 0;
	const char *data;
	size_t bytes;

	while (status == CLI_OK && (p->o.count == 0 || p->in.number < p->o.count)) {
		err = input_next(&p->in, &data, &bytes);
		if (err <= 0)
			break;
		pace(p);
		status = send_one(p, data, bytes);
	}
	if (status == CLI_OK && err <= 0)
		status = end_of_input(p, err);
	if (status == CLI_OK && !stop_requested())
		status = drain(p);
	return status;
}

int cmd_pub(int argc, char **argv)
{
	struct pub p = { .o.plan.policy = POLICY_ANY };
	size_t max_bytes;
	int status;

	if (pub_parse(&p.o, argc, argv, &status) < 0)
		return status;
	status = outlet_open(&p.out, &p.o.plan);
	if (status != CLI_OK || stop_requested()) {
		outlet_close(&p.out);
		return status;
	}
	max_bytes = p.o.plan.record_bytes ? p.o.plan.record_bytes : p.out.info.message_bytes;
	if (input_init(&p.in, STDIN_FILENO, p.o.plan.record_bytes, max_bytes) < 0) {
		complain(NULL, "no memory for messages of up to %zu bytes", max_bytes);
		status = CLI_FAILED;
	}
	if (status == CLI_OK)
		status = wait_subscribers(&p);
	if (status == CLI_OK)
		status = publish_all(&p);
	input_free(&p.in);
	outlet_close(&p.out);
	return status;
}
