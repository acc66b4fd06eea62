/* SPDX-License-Identifier: Apache-2.0 */
/*
 * storm.c - kills peers at random, and starts them again; see storm.h.
 *
 *   storm [--kills N] [--seed N] [--only WORDS]
 */
#include <getopt.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>

#include "peer.h"
#include "storm.h"

#define KILLS_SHORT    300
#define PATIENCE_NS    (30 * SECOND) /* for a peer that does not get on: it is wedged then */
#define RECOVERY_NS    (2 * SECOND)  /* after that, nobody had a reason to recover         */
#define LIFE_US        3000
#define EARLY_DEATH_US 600

struct storm *storm;
const struct storm_kind *storming;

static struct {
	uint64_t kills;
	unsigned int seed;
	const char *only;
} options;

static pid_t pids[PEERS];
static struct region *watched;
static struct storm_times taken_over, buried;

static void start(unsigned int peer)
{
	struct storm_note *n = &storm->notes[peer];

	atomic_store(&n->first_ns, 0);
	atomic_fetch_add(&n->lives, 1);
	pids[peer] = storm_clone();
	if (pids[peer] != 0)
		return;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	signal(SIGINT, SIG_DFL);
	signal(SIGTERM, SIG_DFL);
	storm_must(getpid() == 1, "it is not PID 1");
	storming->play(peer);
	_exit(0);
}

static bool ended_by_itself(unsigned int peer)
{
	int status;

	if (waitpid(pids[peer], &status, WNOHANG) != pids[peer])
		return false;
	storm_complain(__FILE__, __LINE__, "peer %u ended by itself, with status 0x%x", peer,
		       (unsigned int)status);
	pids[peer] = 0;
	return true;
}

/* Until this life has sent or received something: then the death before it is got over. */
static bool gets_on(unsigned int peer)
{
	int64_t end = storm_now_ns() + PATIENCE_NS;

	while (atomic_load(&storm->notes[peer].first_ns) == 0) {
		for (unsigned int i = 0; i < PEERS; i++)
			if (ended_by_itself(i))
				return false;
		if (storm_now_ns() > end) {
			storm_complain(__FILE__, __LINE__, "peer %u is wedged", peer);
			return false;
		}
		usleep(50);
	}
	return true;
}

/* The place of one that died: taken by somebody else, or free. */
static void await_burial(uint32_t slot, uint32_t epoch, int64_t death_ns)
{
	struct peer_shared *p = &watched->shared->peers[slot];
	int64_t now;

	do {
		now = storm_now_ns();
		if (atomic_load(&p->role) == 0 || atomic_load(&p->epoch) != epoch) {
			storm_time_add(&buried, now - death_ns);
			return;
		}
		usleep(20);
	} while (now - death_ns < RECOVERY_NS);
}

static void kill_one(unsigned int peer)
{
	struct storm_note *n = &storm->notes[peer];
	bool up = atomic_load(&n->up) == atomic_load(&n->lives);
	uint32_t slot = atomic_load(&n->slot);
	uint32_t epoch = up ? atomic_load(&watched->shared->peers[slot].epoch) : 0;
	int64_t death_ns;

	kill(pids[peer], SIGKILL);
	waitpid(pids[peer], NULL, 0);
	death_ns = storm_now_ns();
	storm->kills[peer]++;
	start(peer);
	if (up && storming->buried[peer])
		await_burial(slot, epoch, death_ns);
	if (rand() % 4 == 0) {
		usleep((useconds_t)(rand() % EARLY_DEATH_US)); /* somewhere in its opening */
		return;
	}
	if (gets_on(peer) && storming->takes_over[peer])
		storm_time_add(&taken_over, atomic_load(&n->first_ns) - death_ns);
	usleep((useconds_t)(rand() % LIFE_US));
}

static void stop_all(void)
{
	for (unsigned int peer = 0; peer < PEERS; peer++) {
		if (pids[peer] <= 0)
			continue;
		kill(pids[peer], SIGKILL);
		waitpid(pids[peer], NULL, 0);
		storm->kills[peer]++;
		pids[peer] = 0;
	}
}

/* In a process of its own: what it must not find ends it. */
static void in_child(void (*what)(void))
{
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		alarm(60);
		what();
		_exit(0);
	}
	if (waitpid(pid, &status, 0) != pid || status != 0)
		storm_complain(__FILE__, __LINE__, "ended with status 0x%x", (unsigned int)status);
}

static void run_storm(uint64_t kills)
{
	static const struct region_kind any = { .kind = LAYOUT_ANY };
	uint64_t done = 0;

	in_child(storming->create);
	if (atomic_load(&storm->complained))
		return;
	if (region_attach(&any, NAME, COSHM_OBSERVER, NULL, &watched) < 0) {
		storm_complain(__FILE__, __LINE__, "%s", coshm_errmsg());
		return;
	}
	for (unsigned int peer = 0; peer < PEERS; peer++)
		start(peer);
	for (unsigned int peer = 0; peer < PEERS && pids[peer] > 0; peer++)
		gets_on(peer);
	for (; done < kills && !atomic_load(&storm->complained); done++)
		kill_one((unsigned int)rand() % PEERS);
	for (unsigned int peer = 0; peer < PEERS && !atomic_load(&storm->complained); peer++)
		gets_on(peer);
	stop_all();
	if (!atomic_load(&storm->complained))
		in_child(storming->settle);
	region_detach(watched);
	if (coshm_remove(NULL, NAME) < 0)
		storm_complain(__FILE__, __LINE__, "%s", coshm_errmsg());
}

static bool report(int number)
{
	bool good = !atomic_load(&storm->complained);
	uint64_t kills = 0;

	for (unsigned int peer = 0; peer < PEERS; peer++)
		kills += storm->kills[peer];
	printf("%s %d - storm, %s: %llu kills, %llu messages good, 0 torn, %llu %s, %llu delivered "
	       "again\n",
	       good ? "ok" : "not ok", number, storming->name, (unsigned long long)kills,
	       (unsigned long long)atomic_load(&storm->messages),
	       (unsigned long long)atomic_load(&storm->lost),
	       storming == &storm_overwrite ? "overwritten and told" : "gone with consumers",
	       (unsigned long long)atomic_load(&storm->again));
	if (!good)
		printf("# %s\n", storm->complaint);
	storm_times_print("from a publisher's death to the first message of the next", &taken_over);
	storm_times_print("from a death to the recovery of its place", &buried);
	fflush(stdout);
	return good;
}

static int usage(void)
{
	fprintf(stderr, "usage: storm [--kills N] [--seed N] [--only WORDS]\n");
	return 2;
}

static int parse(int argc, char **argv)
{
	static const struct option longs[] = { { "kills", required_argument, NULL, 'k' },
					       { "seed", required_argument, NULL, 's' },
					       { "only", required_argument, NULL, 'o' },
					       { 0 } };
	int c;

	options.kills = KILLS_SHORT;
	options.seed = (unsigned int)time(NULL);
	while ((c = getopt_long(argc, argv, "", longs, NULL)) != -1) {
		if (c == 'k')
			options.kills = strtoull(optarg, NULL, 10);
		else if (c == 's')
			options.seed = (unsigned int)strtoul(optarg, NULL, 10);
		else if (c == 'o')
			options.only = optarg;
		else
			return usage();
	}
	return optind < argc ? usage() : 0;
}

/* A sandbox may refuse namespaces: then there is nothing to be tested here. */
static bool may_clone(void)
{
	pid_t pid = storm_clone();

	if (pid == 0)
		_exit(0);
	if (pid > 0)
		waitpid(pid, NULL, 0);
	return pid > 0;
}

int main(int argc, char **argv)
{
	static const struct storm_kind *const kinds[] = { &storm_latest, &storm_lossless,
							  &storm_overwrite, &storm_least,
							  &storm_most };
	const int count = sizeof(kinds) / sizeof(kinds[0]);
	int number = 0, bad = 0;

	if (parse(argc, argv) != 0)
		return 2;
	if (!may_clone()) {
		printf("1..0 # SKIP no PID namespaces here: %s\n", strerror(errno));
		return 0;
	}
	if (!stage_set("storm"))
		return 2;
	srand(options.seed);
	printf("# seed %u\n", options.seed);
	for (int i = 0; i < count; i++) {
		storming = kinds[i];
		if (options.only && !strstr(storming->name, options.only))
			continue;
		storm = mmap(NULL, sizeof(*storm), PROT_READ | PROT_WRITE,
			     MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
		if (storm == MAP_FAILED)
			return 2;
		run_storm(options.kills / (unsigned int)count);
		bad += !report(++number);
		munmap(storm, sizeof(*storm));
	}
	return stage_leave(number, bad);
}
