/* SPDX-License-Identifier: Apache-2.0 */
/*
 * differ_workers.c - the workers of the differential fuzzer: they make the calls that
 * they are asked to make, and the scheduler sees when none of them runs any more.
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "differ.h"
#include "processes.h"
#include "transcript.h"

struct worker workers[WORKERS];

_Noreturn void fail(const char *why)
{
	dprintf(STDOUT_FILENO, "differ: %s (%s)\n", why, strerror(errno));
	exit(2);
}

static void on_signal(int number)
{
	(void)number;
}

/* Others sleep, too, as fork does until its child has ended, but not for another worker. */
static bool may_sleep(enum action action)
{
	return action == SEM_OP || action == MSG_SEND || action == MSG_TAKE;
}

static _Noreturn void work(struct worker *w, int from, int to)
{
	struct call call;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	sigaction(SIGUSR1, &(struct sigaction){ .sa_handler = on_signal, .sa_flags = SA_RESTART },
		  NULL);
	while (read(from, &call, sizeof(call)) == sizeof(call) && call.action != ACTIONS) {
		struct answer answer;

		atomic_store(w->calling, may_sleep(call.action));
		answer = make_call(&call);
		atomic_store(w->calling, 0);
		if (write(to, &answer, sizeof(answer)) != sizeof(answer))
			break;
	}
	exit(0);
}

static void worker_start(struct worker *w)
{
	int to[2], from[2];
	char name[32];

	if (pipe(to) != 0 || pipe(from) != 0)
		fail("no pipe");
	atomic_store(w->calling, 0);
	w->busy = w->answered = false;
	w->pid = fork();
	if (w->pid < 0)
		fail("no process");
	if (w->pid == 0)
		work(w, to[0], from[1]);
	close(to[0]);
	close(from[1]);
	w->to = to[1];
	w->from = from[0];
	snprintf(name, sizeof(name), "w%d.%d", (int)(w - workers), ++w->life);
	name_pid(w->pid, name);
}

void worker_bury(struct worker *w)
{
	if (waitpid(w->pid, NULL, 0) != w->pid)
		fail("a worker cannot be awaited");
	close(w->to);
	close(w->from);
	worker_start(w);
}

void worker_ask(struct worker *w, const struct call *call)
{
	w->call = *call;
	w->busy = call->action != ACTIONS;
	if (write(w->to, call, sizeof(*call)) != sizeof(*call))
		fail("a worker is gone");
}

bool worker_has_answer(const struct worker *w, int wait_ms)
{
	struct pollfd p = { .fd = w->from, .events = POLLIN };

	return poll(&p, 1, wait_ms) == 1;
}

static void collect(struct worker *w)
{
	if (read(w->from, &w->answer, sizeof(w->answer)) != sizeof(w->answer))
		fail("a worker has ended");
	w->busy = false;
	w->answered = true;
}

/* All who are busy sleep in their call; the sum of their switches tells two looks apart. */
static bool all_sleep(unsigned long long *sum)
{
	*sum = 0;
	for (struct worker *w = workers; w < workers + WORKERS; w++) {
		unsigned long long switches = 0;

		if (!w->busy)
			continue;
		if (worker_has_answer(w, 0) || process_state(w->pid, &switches) != 'S' ||
		    atomic_load(w->calling) != 1)
			return false;
		*sum += switches;
	}
	return true;
}

/*
 * Until nobody runs: two looks at which all sleep, and nobody has been scheduled in
 * between, mean that at one moment all slept, and nobody was left to wake another.
 */
void workers_settle(void)
{
	struct timespec end = patience();
	unsigned long long before = 0, now = 0;
	bool slept = false;

	for (;;) {
		for (struct worker *w = workers; w < workers + WORKERS; w++)
			if (w->busy && worker_has_answer(w, 0))
				collect(w);
		if (all_sleep(&now)) {
			if (slept && now == before)
				return;
			slept = true;
			before = now;
			continue;
		}
		slept = false;
		if (!have_patience(&end))
			fail("a call neither ends nor sleeps");
	}
}

void workers_begin(void)
{
	_Atomic(int) *flags = mmap(NULL, WORKERS * sizeof(*flags), PROT_READ | PROT_WRITE,
				   MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (flags == MAP_FAILED)
		fail("no shared memory");
	for (int i = 0; i < WORKERS; i++) {
		workers[i].calling = &flags[i];
		worker_start(&workers[i]);
	}
}
