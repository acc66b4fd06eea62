/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sysv_storm.c - kills processes at random that make System V calls of one directory.
 *
 *   sysv_storm [--kills N] [--seed N]
 *
 * The shim's calls are linked in, so they stand in libc's place.
 */
#include <fcntl.h>
#include <getopt.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>

#include "layout_sysv.h"
#include "sysv_stage.h"
#include "sysv_storm.h"

#define KILLS_SHORT 300
#define PATIENCE_S  30
#define LIFE_US     2000
#define FREEZE_EACH 4  /* kills  */
#define DEAD_EACH   50 /* kills  */

struct storm *storm;
struct sysv_storm *victims;

static pid_t pids[PEERS], auditor;
static bool namespaces = true;
static unsigned int seed;

static bool complained(void)
{
	return atomic_load(&storm->complained);
}

static pid_t fork_victim(void)
{
	pid_t pid = namespaces ? storm_clone() : fork();

	if (pid >= 0 || !namespaces)
		return pid;
	namespaces = false;
	printf("# no PID namespaces here: %s\n", strerror(errno));
	fflush(stdout);
	return fork();
}

/* What the one before had is noted no more, once it is dead. */
static void forget(unsigned int peer)
{
	memset(victims->holds[peer], 0, sizeof(victims->holds[peer]));
	atomic_store(&victims->forks[peer], 0);
}

static void play(unsigned int peer)
{
	sysv_storm_msg_begin(peer);
	for (;;) {
		switch (rand() % 3) {
		case 0:
			sysv_storm_shm_step(peer);
			break;
		case 1:
			sysv_storm_sem_step();
			break;
		default:
			sysv_storm_msg_step(peer);
		}
		storm_step(peer);
	}
}

static void start(unsigned int peer)
{
	forget(peer);
	atomic_store(&storm->notes[peer].first_ns, 0);
	atomic_fetch_add(&storm->notes[peer].lives, 1);
	pids[peer] = fork_victim();
	if (pids[peer] != 0)
		return;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	srand(seed ^ (atomic_load(&storm->notes[peer].lives) * PEERS + peer) * 2654435761u);
	storm_must(!namespaces || getpid() == 1, "it is not PID 1");
	play(peer);
}

static void end(unsigned int peer)
{
	kill(pids[peer], SIGKILL);
	waitpid(pids[peer], NULL, 0);
	storm->kills[peer]++;
	pids[peer] = 0;
}

/* One that ends by itself has complained, or crashed. */
static bool all_there(void)
{
	int status;
	pid_t pid = waitpid(-1, &status, WNOHANG);

	if (pid <= 0)
		return true;
	storm_complain(__FILE__, __LINE__, "%s ended by itself, with status 0x%x",
		       pid == auditor ? "the auditor" : "a victim", (unsigned int)status);
	for (unsigned int peer = 0; peer < PEERS; peer++)
		if (pids[peer] == pid)
			pids[peer] = 0;
	if (pid == auditor)
		auditor = 0;
	return false;
}

/* Until @word is not 0. */
static bool await(_Atomic int64_t *word, const char *who)
{
	int64_t until = storm_now_ns() + PATIENCE_S * SECOND;

	while (atomic_load(word) == 0) {
		if (!all_there())
			return false;
		if (storm_now_ns() > until) {
			storm_complain(__FILE__, __LINE__, "%s is wedged", who);
			return false;
		}
		usleep(50);
	}
	return true;
}

static void ask(enum sysv_ask what)
{
	atomic_store(&victims->answered, 0);
	atomic_store(&victims->ask, what);
	await(&victims->answered, "the auditor");
}

/* ---- the auditor ---- */

static void make_all(void)
{
	sysv_storm_sem_make();
	sysv_storm_msg_make();
}

static void audit_all(void)
{
	sysv_storm_shm_audit();
	sysv_storm_sem_audit();
	sysv_storm_msg_audit();
}

static void remove_all(void)
{
	sysv_storm_shm_remove();
	sysv_storm_sem_remove();
	sysv_storm_msg_remove();
}

static void audit(void)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	srand(seed);
	for (;;) {
		int asked = atomic_exchange(&victims->ask, ASK_NOTHING);

		alarm(PATIENCE_S); /* a call that hangs ends by it */
		if (asked == ASK_NOTHING)
			audit_all();
		else if (asked == ASK_FROZEN || asked == ASK_DEAD)
			sysv_storm_shm_count(asked == ASK_FROZEN);
		if (asked == ASK_DEAD)
			remove_all();
		if (asked == ASK_GO)
			make_all();
		atomic_fetch_add(&victims->audits, 1);
		if (asked != ASK_NOTHING)
			atomic_store(&victims->answered, 1);
		while ((asked == ASK_WAIT || asked == ASK_DEAD) &&
		       atomic_load(&victims->ask) == ASK_NOTHING)
			usleep(50);
		if (asked == ASK_END)
			exit(0);
	}
}

/* ---- the storm ---- */

static void stop_and_count(void)
{
	int status;

	ask(ASK_WAIT);
	for (unsigned int peer = 0; peer < PEERS && !complained(); peer++) {
		kill(pids[peer], SIGSTOP);
		waitpid(pids[peer], &status, WUNTRACED);
	}
	if (!complained())
		ask(ASK_FROZEN);
	for (unsigned int peer = 0; peer < PEERS; peer++)
		if (pids[peer] > 0)
			kill(pids[peer], SIGCONT);
}

/* The table's lock is free, and no file lies there. */
static void look_at_rest(void)
{
	char path[96];
	uint64_t word = 1;
	int fd;

	snprintf(path, sizeof(path), "%s/" SYSV_FOLDER "/" SYSV_TABLE_NAME, getenv("COSHM_DIR"));
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || pread(fd, &word, sizeof(word), SYSV_TABLE_CONTROL) != sizeof(word) ||
	    word != 0)
		storm_complain(__FILE__, __LINE__, "the table's lock is taken");
	close(fd);
	if (sysv_files(false) != 0)
		storm_complain(__FILE__, __LINE__, "%d files were left", sysv_files(false));
}

static void kill_all(void)
{
	for (unsigned int peer = 0; peer < PEERS; peer++)
		if (pids[peer] > 0)
			end(peer);
}

static void start_all(void)
{
	for (unsigned int peer = 0; peer < PEERS; peer++)
		start(peer);
}

static void all_die(void)
{
	kill_all();
	for (unsigned int peer = 0; peer < PEERS; peer++)
		forget(peer);
	ask(ASK_DEAD);
	if (!complained())
		look_at_rest();
}

static void kill_one(unsigned int peer)
{
	end(peer);
	start(peer);
	if (rand() % 4 == 0)
		usleep((useconds_t)(rand() % LIFE_US)); /* perhaps in its first call */
	else if (await(&storm->notes[peer].first_ns, "a victim"))
		usleep((useconds_t)(rand() % LIFE_US));
}

static void run_storm(uint64_t kills)
{
	atomic_store(&victims->ask, ASK_WAIT);
	auditor = fork();
	if (auditor == 0)
		audit();
	ask(ASK_GO);
	start_all();
	for (uint64_t done = 1; done <= kills && !complained() && all_there(); done++) {
		kill_one((unsigned int)rand() % PEERS);
		if (done % FREEZE_EACH == 0 && !complained())
			stop_and_count();
		if (done % DEAD_EACH == 0 && !complained()) {
			all_die();
			ask(ASK_GO);
			start_all();
		}
	}
	if (!complained())
		all_die();
	kill_all();
	if (!complained())
		ask(ASK_END);
	if (auditor > 0 && complained())
		kill(auditor, SIGKILL);
	if (auditor > 0)
		waitpid(auditor, NULL, 0);
}

static bool report(void)
{
	uint64_t kills = 0, steps = 0;

	for (unsigned int peer = 0; peer < PEERS; peer++) {
		kills += storm->kills[peer];
		steps += atomic_load(&storm->notes[peer].steps);
	}
	printf("%s 1 - storm, System V calls: %llu kills, %llu steps, %llu audits, %llu "
	       "messages good, %llu gone with receivers\n",
	       complained() ? "not ok" : "ok", (unsigned long long)kills, (unsigned long long)steps,
	       (unsigned long long)atomic_load(&victims->audits),
	       (unsigned long long)atomic_load(&storm->messages),
	       (unsigned long long)atomic_load(&storm->lost));
	if (complained())
		printf("# %s\n", storm->complaint);
	printf("1..1\n");
	return !complained();
}

static void *shared(size_t bytes)
{
	void *at = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
			MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (at == MAP_FAILED)
		exit(2);
	return at;
}

int main(int argc, char **argv)
{
	static const struct option longs[] = { { "kills", required_argument, NULL, 'k' },
					       { "seed", required_argument, NULL, 's' },
					       { 0 } };
	uint64_t kills = KILLS_SHORT;
	bool good;
	int c;

	sysv_stage("storm", argv);
	seed = (unsigned int)time(NULL);
	while ((c = getopt_long(argc, argv, "", longs, NULL)) != -1) {
		if (c == 'k')
			kills = strtoull(optarg, NULL, 10);
		else if (c == 's')
			seed = (unsigned int)strtoul(optarg, NULL, 10);
		else
			return 2;
	}
	srand(seed);
	printf("# seed %u\n", seed);
	fflush(stdout);
	storm = shared(sizeof(*storm));
	victims = shared(sizeof(*victims));
	run_storm(kills);
	good = report();
	sysv_stage_leave();
	return good ? 0 : 1;
}
