/* SPDX-License-Identifier: Apache-2.0 */
/*
 * play_parts.c - what the processes of a scenario use.
 */
#include <signal.h>
#include <stdarg.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>

#include "play.h"

#define BURIAL_NAPS 1000 /* from an emptied place to its count it is not far */

static pid_t sleeper;

int64_t play_now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * SECOND + ts.tv_nsec;
}

void play_nap(void)
{
	nanosleep(&(struct timespec){ .tv_nsec = 100000 }, NULL);
}

void play_fail(enum verdict verdict, int line, const char *fmt, ...)
{
	int fine = PLAY_FINE;
	va_list args;
	size_t n;

	/* The first one says what it was. */
	if (atomic_compare_exchange_strong(&ledger->verdict, &fine, (int)verdict)) {
		n = (size_t)snprintf(ledger->text, sizeof(ledger->text), "line %d: ", line);
		va_start(args, fmt);
		vsnprintf(ledger->text + n, sizeof(ledger->text) - n, fmt, args);
		va_end(args);
	}
	_exit(1);
}

/* It may have been on its way to its end mark when it was released: then it stops itself there. */
void play_nudge(void)
{
	if (!atomic_load(&ledger->resting))
		kill(atomic_load(&ledger->victim), SIGCONT);
}

void play_await_act(void)
{
	while (!atomic_load(&ledger->resting)) {
		play_nudge();
		play_nap();
	}
}

void play_sleeper(void (*sleeps)(void))
{
	sleeper = fork();
	must(sleeper >= 0, PLAY_WRONG, "fork: %s", strerror(errno));
	if (sleeper == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		sleeps();
		_exit(0);
	}
}

void play_hold_sleeper(bool hold)
{
	int status;

	kill(sleeper, hold ? SIGSTOP : SIGCONT);
	if (hold)
		must(waitpid(sleeper, &status, WUNTRACED) == sleeper && WIFSTOPPED(status),
		     PLAY_WRONG, "the sleeper does not sleep: %d", status);
}

void play_await_sleeper(void)
{
	int status;

	if (sleeper == 0)
		return;
	must(waitpid(sleeper, &status, 0) == sleeper && status == 0, PLAY_WRONG,
	     "the sleeper has failed: %d", status);
	sleeper = 0;
}

unsigned int play_peers(struct region *r, enum peer_state state)
{
	unsigned int n = 0;

	for (unsigned int slot = 0; slot < LAYOUT_PEERS; slot++)
		n += peer_probe(r, slot) == state;
	return n;
}

/*
 * Who sleeps may recover for the dead one before we look.  The count first: so
 * one that is evicted meanwhile is not counted twice, but for a moment not at all.
 */
static unsigned int dead_or_evicted(struct region *r)
{
	uint64_t rise = atomic_load(&r->shared->counters.evicted) - atomic_load(&ledger->evicted);

	return (unsigned int)rise + play_peers(r, PEER_DEAD);
}

void play_check_places(struct region *r)
{
	bool seated = atomic_load(&ledger->opened) && !atomic_load(&ledger->closing);
	unsigned int dead;

	if (play_stopping()) {
		must(play_peers(r, PEER_DEAD) == 0, PLAY_WRONG, "the stopped one is reported dead");
		return;
	}
	dead = dead_or_evicted(r);
	for (int i = 0; seated && dead == 0 && i < BURIAL_NAPS; i++) {
		play_nap();
		dead = dead_or_evicted(r);
	}
	must(seated ? dead == 1 : dead <= 1, PLAY_WRONG, "%u peers are reported dead or evicted%s",
	     dead, seated ? ", one is" : "");
}

bool play_exists(const char *name)
{
	char path[256];

	snprintf(path, sizeof(path), "%s/%s", getenv("COSHM_DIR"), name);
	return access(path, F_OK) == 0;
}
