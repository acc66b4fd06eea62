/* SPDX-License-Identifier: Apache-2.0 */
/*
 * play.c - runs the scenarios: one point after the other, and counts; see play.h.
 */
#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>

#include "play_run.h"

#define WATCHDOG_S       20
#define WATCHDOG_WRONG_S 0.15 /* these are to be stuck */

struct ledger *ledger;
const struct scenario *playing;
bool stopping;

/* The channel's file: its bytes after setup, to be put back for each point. */
static struct {
	unsigned char *map, *saved;
	size_t bytes;
} file;

bool play_stopping(void)
{
	return stopping;
}

static void watchdog(bool on)
{
	double s = !on ? 0 : playing->must_find ? WATCHDOG_WRONG_S : WATCHDOG_S;
	struct itimerval t = { .it_value = { .tv_sec = (time_t)s,
					     .tv_usec = (suseconds_t)(s * 1e6) % 1000000 } };

	setitimer(ITIMER_REAL, &t, NULL); /* its signal kills */
}

/* The others stop here until they are told to go on. */
static void gate(void)
{
	watchdog(false);
	raise(SIGSTOP);
	watchdog(true);
}

static void play_others(void)
{
	watchdog(true);
	if (playing->others)
		playing->others();
	gate();
	playing->check();
	if (stopping) {
		gate();
		if (playing->after)
			playing->after();
	}
	watchdog(false);
}

static void play_victim(void *arg)
{
	(void)arg;
	if (playing->ready)
		playing->ready();
	step_mark();
	playing->act();
	if (!atomic_load(&ledger->resumed))
		step_mark();
	atomic_store(&ledger->resting, true);
	watchdog(true);
	if (playing->rest)
		playing->rest();
}

static pid_t in_child(void (*play)(void))
{
	pid_t pid = fork();

	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		signal(SIGINT, SIG_DFL);
		signal(SIGTERM, SIG_DFL);
		play();
		_exit(0);
	}
	return pid;
}

void play_clear_dir(void)
{
	DIR *d = opendir(stage_dir);

	for (struct dirent *e; d && (e = readdir(d));)
		if (e->d_name[0] != '.')
			unlinkat(dirfd(d), e->d_name, 0);
	if (d)
		closedir(d);
}

static bool debris(void)
{
	DIR *d = opendir(stage_dir);
	bool found = false;

	for (struct dirent *e; d && (e = readdir(d));)
		found |= e->d_name[0] != '.' && strcmp(e->d_name, NAME) != 0;
	if (d)
		closedir(d);
	return found;
}

static bool run_setup(void)
{
	int status;
	pid_t pid;

	play_clear_dir();
	if (!playing->setup)
		return true;
	pid = in_child(playing->setup);
	return waitpid(pid, &status, 0) == pid && status == 0;
}

static bool file_save(void)
{
	char path[128];
	struct stat st;
	int fd;

	snprintf(path, sizeof(path), "%s/" NAME, stage_dir);
	fd = open(path, O_RDWR | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st) < 0)
		return false;
	file.bytes = (size_t)st.st_size;
	file.map = mmap(NULL, file.bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	file.saved = malloc(file.bytes);
	close(fd);
	if (file.map == MAP_FAILED || !file.saved)
		return false;
	memcpy(file.saved, file.map, file.bytes);
	return true;
}

/* Make the channel, and remember its bytes. */
bool play_prepare(void)
{
	if (playing->fresh)
		return true;
	return run_setup() && (!play_exists(NAME) || file_save());
}

void play_forget(void)
{
	if (file.map)
		munmap(file.map, file.bytes);
	free(file.saved);
	memset(&file, 0, sizeof(file));
	play_clear_dir();
}

static bool put_back(void)
{
	memset(ledger, 0, sizeof(*ledger));
	if (playing->fresh)
		return run_setup();
	if (file.map)
		memcpy(file.map, file.saved, file.bytes);
	return true;
}

/* The others are at their next gate (true), or at their end. */
static bool others_stopped(pid_t others, int *status)
{
	return waitpid(others, status, WUNTRACED) == others && WIFSTOPPED(*status);
}

/* Their end tells how it went, if they did not say it themselves. */
static void judge(int status)
{
	if (atomic_load(&ledger->verdict) != PLAY_FINE || status == 0)
		return;
	if (WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM) {
		atomic_store(&ledger->verdict, PLAY_WEDGED);
		return;
	}
	atomic_store(&ledger->verdict, PLAY_WRONG);
	snprintf(ledger->text, sizeof(ledger->text), "ended with status 0x%x", (unsigned)status);
}

static void end_victim(pid_t victim)
{
	int status;

	atomic_store(&ledger->finish, true);
	if (atomic_load(&ledger->verdict) != PLAY_FINE)
		kill(victim, SIGKILL);
	while (waitpid(victim, &status, WUNTRACED) == victim && WIFSTOPPED(status))
		kill(victim, SIGCONT);
	judge(status);
}

/* One point, from the stage to the verdict in the ledger; false if it could not be played. */
bool play_point(const struct step_way *way, long k, bool *elsewhere)
{
	pid_t others, victim;
	int status;

	if (!put_back())
		return false;
	others = in_child(play_others);
	if (!others_stopped(others, &status)) {
		judge(status);
		return false;
	}
	victim = step_start(play_victim, NULL);
	if (victim < 0) {
		step_kill(others);
		return false;
	}
	atomic_store(&ledger->victim, victim);
	if (file.map)
		atomic_store(&ledger->evicted,
			     ((struct region_shared *)(void *)file.map)->counters.evicted);
	*elsewhere = !step_to(victim, way, k);
	atomic_store(&ledger->cut_ns, play_now_ns());
	if (!stopping)
		step_kill(victim);
	kill(others, SIGCONT);
	if (others_stopped(others, &status)) {
		atomic_store(&ledger->resumed, true);
		step_release(victim);
		kill(others, SIGCONT);
		waitpid(others, &status, 0);
		judge(status);
		end_victim(victim);
	} else {
		judge(status);
		if (stopping)
			step_kill(victim);
	}
	if (debris() && atomic_load(&ledger->verdict) == PLAY_FINE)
		atomic_store(&ledger->verdict, PLAY_DEBRIS);
	return true;
}

static pid_t rehearse(pid_t *others)
{
	int status;

	if (!put_back())
		return -1;
	*others = in_child(play_others);
	return others_stopped(*others, &status) ? step_start(play_victim, NULL) : -1;
}

/* Twice through the act, without harm, to learn the way. */
bool play_learn(struct step_way *way)
{
	pid_t by_calls, by_steps, others[2] = { 0, 0 };
	bool good = false;

	by_calls = rehearse(&others[0]);
	if (by_calls > 0) {
		/* The second one needs the stage to itself. */
		good = step_learn_calls(by_calls, way);
		step_kill(others[0]);
	}
	by_steps = good ? rehearse(&others[1]) : -1;
	if (by_steps > 0) {
		good = step_learn_steps(by_steps, way);
		step_kill(others[1]);
	}
	return good && by_steps > 0;
}
