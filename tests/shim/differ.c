/* SPDX-License-Identifier: Apache-2.0 */
/*
 * differ.c - the differential fuzzer: random System V calls by three workers, that a
 * scheduler lets make one step after the other, and what each step changed.
 *
 *   differ --seed N [--steps M] [--only shm|sem|msg] [--sleepers N]
 *
 * "alike" runs one seed natively and one with the preload. A call may sleep: the
 * scheduler goes on when all sleep or have answered. Workers are killed, and started
 * again, and signalled in their sleep. With one sleeper at a time (the default) it
 * does not matter who is woken first.
 *
 * COSHM_DIFFER_EXPECT names the native transcript: the first difference from it ends
 * the run. What follows a kill -9 may need time with a preload, so there the scheduler
 * waits, for a while, until it sees the same.
 */
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "differ.h"
#include "transcript.h"

#define BLOCK_MAX 8192
#define TRIES     3000 /* a millisecond or less each, for what follows a death */

static struct {
	int id, generation;
	char last[TEXT_MAX], now[TEXT_MAX];
} objects[KINDS][SLOTS];

static struct {
	uint64_t seed;
	int steps, sleepers;
	int only; /* a kind, or all */
} options = { 1, 1000, 1, KINDS };

static const char *const kinds[] = { "shm", "sem", "msg" };
static char *expected;
static size_t said;

/* Nothing that follows the first difference would tell more. */
static void put(const char *text)
{
	size_t n = strlen(text);

	if (write(STDOUT_FILENO, text, n) != (ssize_t)n)
		fail("no line can be written");
	if (expected != NULL && strncmp(expected + said, text, n) != 0) {
		dprintf(STDOUT_FILENO, "differ: the first difference, with seed %llu\n",
			(unsigned long long)options.seed);
		exit(1);
	}
	said += n;
}

/* ---- what is said ----------------------------------------------------------------------- */

static void learn(const struct worker *w, char *text, size_t size)
{
	enum kind kind = kind_of(w->call.action);
	enum action action = w->call.action;
	int id = (int)w->answer.value, slot = w->call.slot;

	if (w->answer.value == -1) {
		snprintf(text, size, "-1 %s", error_name(w->answer.error));
	} else if (action == SHM_GET || action == SEM_GET || action == MSG_GET) {
		if (objects[kind][slot].id != id) {
			objects[kind][slot].id = id;
			objects[kind][slot].generation++;
		}
		snprintf(text, size, "object %d", objects[kind][slot].generation);
	} else {
		snprintf(text, size, "%ld (%d)", w->answer.value, w->answer.extra);
	}
}

/* All answers and changes since the last block that was told. */
static void look(char *block, size_t size)
{
	size_t n = 0;
	char text[TEXT_MAX];

	block[0] = '\0';
	for (struct worker *w = workers; w < workers + WORKERS; w++)
		if (w->answered) {
			learn(w, text, sizeof(text));
			n += (size_t)snprintf(block + n, size - n, "  w%d answers %s\n",
					      (int)(w - workers), text);
		} else if (w->busy) {
			n += (size_t)snprintf(block + n, size - n, "  w%d sleeps\n",
					      (int)(w - workers));
		}
	for (int kind = 0; kind < KINDS; kind++)
		for (int slot = 0; slot < SLOTS; slot++) {
			state_text((enum kind)kind, objects[kind][slot].id, objects[kind][slot].now,
				   TEXT_MAX);
			if (strcmp(objects[kind][slot].now, objects[kind][slot].last) != 0)
				n += (size_t)snprintf(block + n, size - n, "  %s %d: %s\n",
						      kinds[kind], slot, objects[kind][slot].now);
		}
}

static void tell(const char *block)
{
	for (struct worker *w = workers; w < workers + WORKERS; w++)
		w->answered = false;
	for (int kind = 0; kind < KINDS; kind++)
		for (int slot = 0; slot < SLOTS; slot++)
			strcpy(objects[kind][slot].last, objects[kind][slot].now);
	put(block);
}

static bool as_expected(const char *block)
{
	size_t n = strlen(block);

	return expected == NULL ||
	       (strncmp(expected + said, block, n) == 0 && expected[said + n] != ' ');
}

static void finish_step(bool after_death)
{
	char block[BLOCK_MAX];
	struct timespec end = patience();
	int tries = 0;

	do {
		workers_settle();
		look(block, sizeof(block));
	} while (after_death && !as_expected(block) && tries++ < TRIES && have_patience(&end));
	tell(block);
}

/* ---- steps ------------------------------------------------------------------------------ */

static int sleepers(void)
{
	int n = 0;

	for (struct worker *w = workers; w < workers + WORKERS; w++)
		n += w->busy;
	return n;
}

static void step(int number)
{
	struct worker *w = &workers[draw(WORKERS)];
	uint32_t chance = draw(100);
	enum kind kind = options.only == KINDS ? (enum kind)draw(KINDS) : (enum kind)options.only;
	char line[2 * TEXT_MAX], text[TEXT_MAX];
	struct call call;

	if (chance < 2 || (w->busy && chance < 5)) {
		snprintf(line, sizeof(line), "%d w%d is killed\n", number, (int)(w - workers));
		put(line);
		kill(w->pid, SIGKILL);
		worker_bury(w);
		finish_step(true);
		return;
	}
	if (w->busy && chance < 15) {
		snprintf(line, sizeof(line), "%d w%d is interrupted\n", number, (int)(w - workers));
		put(line);
		kill(w->pid, SIGUSR1);
		if (!worker_has_answer(w, 5000))
			put("  without effect\n");
		finish_step(false);
		return;
	}
	while (w->busy)
		w = &workers[(w - workers + 1) % WORKERS];
	draw_call(&call, kind, sleepers() < options.sleepers);
	if (kind_of(call.action) != KINDS)
		call.id = objects[kind_of(call.action)][call.slot].id;
	call_text(&call, text, sizeof(text));
	snprintf(line, sizeof(line), "%d w%d %s\n", number, (int)(w - workers), text);
	put(line);
	worker_ask(w, &call);
	finish_step(false);
}

static void end(void)
{
	put("the end\n");
	for (int slot = 0; slot < SLOTS; slot++) {
		shmctl(objects[SHM][slot].id, IPC_RMID, NULL);
		semctl(objects[SEM][slot].id, 0, IPC_RMID);
		msgctl(objects[MSG][slot].id, IPC_RMID, NULL);
	}
	finish_step(false);
	for (struct worker *w = workers; w < workers + WORKERS; w++) {
		worker_ask(w, &(struct call){ .action = ACTIONS });
		waitpid(w->pid, NULL, 0);
	}
	finish_step(true);
}

static void read_expected(void)
{
	const char *path = getenv("COSHM_DIFFER_EXPECT");
	FILE *f = path != NULL ? fopen(path, "r") : NULL;
	size_t size = 0;

	if (f == NULL)
		return;
	if (getdelim(&expected, &size, '\0', f) < 0)
		expected = NULL;
	fclose(f);
}

static bool read_options(int argc, char **argv)
{
	static const struct option names[] = { { "seed", 1, NULL, 's' },
					       { "steps", 1, NULL, 'n' },
					       { "only", 1, NULL, 'o' },
					       { "sleepers", 1, NULL, 'w' },
					       { NULL, 0, NULL, 0 } };
	int c;

	while ((c = getopt_long(argc, argv, "", names, NULL)) != -1) {
		if (c == 's')
			options.seed = strtoull(optarg, NULL, 0);
		else if (c == 'n')
			options.steps = atoi(optarg);
		else if (c == 'w')
			options.sleepers = atoi(optarg);
		else if (c == 'o')
			for (options.only = 0; options.only < KINDS; options.only++) {
				if (strcmp(kinds[options.only], optarg) == 0)
					break;
			}
		else
			return false;
	}
	return optind == argc && options.sleepers >= 0 && options.sleepers < WORKERS;
}

int main(int argc, char **argv)
{
	char line[TEXT_MAX];

	if (!read_options(argc, argv)) {
		fprintf(stderr, "Usage: differ --seed N [--steps M] [--only shm|sem|msg] "
				"[--sleepers 0..2]\n");
		return 2;
	}
	read_expected();
	draw_begin(options.seed);
	snprintf(line, sizeof(line), "seed %llu, %d steps\n", (unsigned long long)options.seed,
		 options.steps);
	put(line);
	name_pid(getpid(), "main");
	for (int kind = 0; kind < KINDS; kind++)
		for (int slot = 0; slot < SLOTS; slot++)
			objects[kind][slot].id = -1;
	workers_begin();
	for (int i = 1; i <= options.steps; i++)
		step(i);
	end();
	return 0;
}
