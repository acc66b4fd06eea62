/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sysv.c - cut off each System V call of the shim at each of its instructions; sysv.h.
 *
 *   sysv [--long] [--only TEXT]
 *
 * Short, it takes some of the points, spread evenly; --long takes them all.
 * The shim's calls are linked in, so they stand in libc's place.
 */
#include <fcntl.h>
#include <getopt.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "step.h"
#include "sysv.h"
#include "sysv_stage.h"

#define POINTS_SHORT 60
#define PATIENCE_S   20

struct sysv_ledger *sysv;

void sysv_fail(const char *file, int line, const char *fmt, ...)
{
	char why[300];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(why, sizeof(why), fmt, ap);
	va_end(ap);
	snprintf(sysv->text, sizeof(sysv->text), "%s:%d: %s", strrchr(file, '/') + 1, line, why);
	atomic_store(&sysv->failed, 1);
	_exit(1);
}

/* ---- the other process ---- */

struct other {
	pid_t pid;
	int ready; /* it writes when its setup is done */
	int go;    /* a byte: check; closed: leave     */
};

static void other_play(const struct sysv_scene *scene, int ready, int go)
{
	char byte = 0;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	alarm(PATIENCE_S); /* one that is wedged ends by it */
	scene->setup();
	if (write(ready, &byte, 1) == 1 && read(go, &byte, 1) == 1)
		scene->check();
	exit(0);
}

static bool other_start(const struct sysv_scene *scene, struct other *other)
{
	int ready[2], go[2];
	char byte;
	bool good;

	sysv_files(true);
	memset(sysv, 0, sizeof(*sysv));
	if (pipe2(ready, O_CLOEXEC) < 0 || pipe2(go, O_CLOEXEC) < 0)
		return false;
	fflush(stdout);
	other->pid = fork();
	if (other->pid == 0) {
		close(go[1]);
		close(ready[0]);
		other_play(scene, ready[1], go[0]);
	}
	close(ready[1]);
	close(go[0]);
	other->ready = ready[0];
	other->go = go[1];
	good = read(other->ready, &byte, 1) == 1;
	if (!good && !atomic_load(&sysv->failed))
		snprintf(sysv->text, sizeof(sysv->text), "setup did not end");
	return good;
}

/* True if all is well with it. */
static bool other_end(struct other *other, bool check)
{
	char byte = 0;
	int status = 0;
	bool told = !check || write(other->go, &byte, 1) == 1;

	close(other->go);
	waitpid(other->pid, &status, 0);
	close(other->ready);
	if (!check)
		return true;
	if (WIFSIGNALED(status))
		snprintf(sysv->text, sizeof(sysv->text), "the other one is wedged (signal %d)",
			 WTERMSIG(status));
	else if (told && status == 0 && sysv_files(false) > 0)
		snprintf(sysv->text, sizeof(sysv->text), "a file was left");
	else
		return told && status == 0;
	return false;
}

/* ---- the victim ---- */

static void victim(void *arg)
{
	const struct sysv_scene *scene = arg;

	if (scene->ready)
		scene->ready();
	step_mark();
	scene->act();
	step_mark();
}

static bool learn(const struct sysv_scene *scene, struct step_way *way)
{
	struct other other;
	bool good = false;
	pid_t pid;

	if (other_start(scene, &other)) {
		pid = step_start(victim, (void *)scene);
		good = pid > 0 && step_learn_calls(pid, way);
	}
	other_end(&other, false);
	if (!good || !other_start(scene, &other))
		return false;
	pid = step_start(victim, (void *)scene);
	good = pid > 0 && step_learn_steps(pid, way);
	other_end(&other, false);
	return good;
}

/* 1: fine; 0: not; -1: the victim took another way, and there was nothing to see. */
static int play_point(const struct sysv_scene *scene, const struct step_way *way, long k)
{
	struct other other;
	bool there, good;
	pid_t pid;

	if (!other_start(scene, &other)) {
		other_end(&other, false);
		return 0;
	}
	pid = step_start(victim, (void *)scene);
	there = pid > 0 && step_to(pid, way, k);
	if (pid > 0)
		step_kill(pid);
	good = other_end(&other, true);
	return !good ? 0 : there ? 1 : -1;
}

static bool play(const struct sysv_scene *scene, bool all)
{
	struct step_way way = { 0 };
	long step, points = 0, strayed = 0;

	if (!learn(scene, &way)) {
		printf("# %s: %s\n", scene->name, sysv->text);
		return false;
	}
	step = all || way.steps <= POINTS_SHORT ? 1 : way.steps / POINTS_SHORT + 1;
	for (long k = 0; k <= way.steps; k += step) {
		int result = play_point(scene, &way, k);

		if (result == 0) {
			printf("# %s, killed after %ld of %ld instructions: %s\n", scene->name, k,
			       way.steps, sysv->text);
			step_forget(&way);
			return false;
		}
		points++;
		strayed += result < 0;
	}
	printf("# %s: %ld of %ld instructions, %ld strayed\n", scene->name, points, way.steps + 1,
	       strayed);
	step_forget(&way);
	return strayed < points / 2 + 1;
}

int main(int argc, char **argv)
{
	static const struct option options[] = { { "long", no_argument, NULL, 'l' },
						 { "only", required_argument, NULL, 'o' },
						 { 0 } };
	static const struct sysv_scene *const families[] = { shm_scenes, msg_scenes, sem_scenes };
	const char *only = "";
	bool all = false, good = true;
	int c, n = 0;

	sysv_stage("steps", argv);
	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
		all |= c == 'l';
		only = c == 'o' ? optarg : only;
	}
	sysv = mmap(NULL, sizeof(*sysv), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (sysv == MAP_FAILED)
		return 2;
	for (size_t f = 0; f < sizeof(families) / sizeof(families[0]); f++)
		for (const struct sysv_scene *s = families[f]; s->name; s++) {
			bool fine;

			if (!strstr(s->name, only))
				continue;
			fine = play(s, all);
			good &= fine;
			printf("%sok %d - killed at each instruction: %s\n", fine ? "" : "not ",
			       ++n, s->name);
		}
	printf("1..%d\n", n);
	sysv_stage_leave();
	return good ? 0 : 1;
}
