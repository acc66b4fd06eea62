/* SPDX-License-Identifier: Apache-2.0 */
/*
 * soak.c - many messages over counters that wrap, and a thousand restarts; see soak.h.
 *
 *   soak [--messages N] [--restarts N] [--no-yields] [--only WORDS]
 */
#include <getopt.h>
#include <signal.h>
#include <stdarg.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>

#include "soak.h"

#define MESSAGES_SHORT UINT64_C(300000)
#define RESTARTS       1000u
#define ROUNDS_LEAST   3u
#define UNYIELDING     3u /* of so many rounds, one */
#define NORMAL_SLOTS   1024u
#define ROUND_S        120 /* after that it is wedged */

struct soak *soak;
struct soak_round soak_round;
const struct soak_kind *soaking;

static struct {
	uint64_t messages;
	unsigned int restarts;
	bool no_yields;
	const char *only;
} options = { .messages = MESSAGES_SHORT, .restarts = RESTARTS };

/* Which of the counters goes round. */
enum origin { WRAP_32, WRAP_LAPS, WRAP_64, ORIGINS };

/* What all rounds of a scene have done. */
static struct {
	uint64_t sent, received, lost, turned;
} sum;

static bool map_soak(void)
{
	pthread_barrierattr_t shared;

	soak = mmap(NULL, sizeof(*soak), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (soak == MAP_FAILED)
		return false;
	pthread_barrierattr_init(&shared);
	pthread_barrierattr_setpshared(&shared, PTHREAD_PROCESS_SHARED);
	pthread_barrier_init(&soak->aged, &shared, soaking->peers);
	pthread_barrier_init(&soak->seated, &shared, soaking->peers);
	pthread_barrierattr_destroy(&shared);
	return true;
}

/* In a process of its own: what must not be ends it. */
static pid_t start(void (*play)(unsigned int peer), unsigned int peer)
{
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (pid != 0)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	signal(SIGINT, SIG_DFL);
	signal(SIGTERM, SIG_DFL);
	alarm(ROUND_S);
	play(peer);
	_exit(0);
}

/* Wait for all; when one does not end well, the others cannot either. */
static void await(pid_t *pids, unsigned int count)
{
	for (unsigned int left = count; left > 0; left--) {
		int status = 0;
		pid_t pid = waitpid(-1, &status, 0);

		for (unsigned int i = 0; i < count; i++) {
			if (pids[i] == pid)
				pids[i] = 0;
			else if (status != 0 && pids[i] > 0)
				kill(pids[i], SIGKILL);
		}
		if (status != 0)
			soak_complain(__FILE__, __LINE__, "a peer ended with status 0x%x%s",
				      (unsigned int)status,
				      WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM ?
					      ": it is wedged" :
					      "");
	}
}

static void create(unsigned int peer)
{
	(void)peer;
	soaking->create();
}

static void settle(unsigned int peer)
{
	(void)peer;
	soaking->settle();
}

static bool play_alone(void (*play)(unsigned int peer))
{
	pid_t pid = start(play, 0);

	await(&pid, 1);
	return !atomic_load(&soak->complained);
}

static bool play_round(void)
{
	pid_t pids[PEERS_MOST];
	bool good;

	if (!map_soak())
		return false;
	if (play_alone(create)) {
		for (unsigned int peer = 0; peer < soaking->peers; peer++)
			pids[peer] = start(soaking->play, peer);
		await(pids, soaking->peers);
		if (!atomic_load(&soak->complained))
			play_alone(settle);
		if (coshm_remove(NULL, NAME) < 0)
			soak_complain(__FILE__, __LINE__, "%s", coshm_errmsg());
	}
	sum.sent += soak_round.count;
	sum.received += atomic_load(&soak->received);
	sum.lost += atomic_load(&soak->lost);
	sum.turned += atomic_load(&soak->turned);
	good = !atomic_load(&soak->complained);
	if (!good)
		printf("# %u slots, %llu messages, from %llu on: %s\n", soak_round.slots,
		       (unsigned long long)soak_round.count, (unsigned long long)soak_round.start,
		       soak->complaint);
	munmap(soak, sizeof(*soak));
	return good;
}

static uint64_t wrap_of(enum origin origin, uint32_t slots)
{
	unsigned int lap_bits = soaking->lap_bits;

	if (origin == WRAP_32)
		return UINT64_C(1) << 32;
	if (origin == WRAP_LAPS && lap_bits < 64)
		return (UINT64_C(1) << lap_bits) * slots;
	return 0;
}

/* @slots: 0 for tiny rings, another one in each round.  @origin: ORIGINS for all in turn. */
static bool play_scene(int number, enum origin origin, uint32_t slots, uint64_t messages)
{
	static const char *const names[] = { "2^32", "2^48 laps", "2^64", "each wrap" };
	uint64_t rounds = (messages + ROUND_MOST - 1) / ROUND_MOST, r;
	struct timespec from, to;
	bool good = true;
	double s;

	memset(&sum, 0, sizeof(sum));
	clock_gettime(CLOCK_MONOTONIC, &from);
	rounds = rounds < ROUNDS_LEAST ? ROUNDS_LEAST : rounds;
	for (r = 0; r < rounds && good; r++) {
		soak_round.slots = slots ? slots : 2u << r % 3;
		/* Without, races are likelier, and most messages are lost. */
		soak_round.yields = !options.no_yields && r % UNYIELDING != UNYIELDING - 1;
		soak_round.count = messages / rounds / 2 * 2 + 2;
		soak_round.until = 1 + (500 + r * 997) % 3000;
		if (soak_round.until >= soak_round.count)
			soak_round.until = soak_round.count / 2;
		soak_round.start = wrap_of(origin == ORIGINS ? (enum origin)(r % ORIGINS) : origin,
					   soak_round.slots) -
				   soak_round.until;
		good = play_round();
	}
	clock_gettime(CLOCK_MONOTONIC, &to);
	s = (double)(to.tv_sec - from.tv_sec) + (double)(to.tv_nsec - from.tv_nsec) / 1e9;
	printf("%s %d - soak, %s over %s, %s: %llu messages sent, %llu received whole, %llu %s, "
	       "%llu out of turn, %llu rounds, %.1f s\n",
	       good ? "ok" : "not ok", number, soaking->name, names[origin],
	       slots ? "normal ring" : "tiny rings", (unsigned long long)sum.sent,
	       (unsigned long long)sum.received, (unsigned long long)sum.lost,
	       soaking == &soak_latest ? "left out" : "lost and told",
	       (unsigned long long)sum.turned, (unsigned long long)r, s);
	fflush(stdout);
	return good;
}

static void restart(unsigned int peer)
{
	(void)peer;
	soak_restarts(options.restarts);
}

static bool play_restarts(int number)
{
	bool good;

	soak_round = (struct soak_round){ .slots = 8, .count = ROUND_MOST };
	if (!map_soak())
		return false;
	good = play_alone(create) && play_alone(restart);
	if (coshm_remove(NULL, NAME) < 0)
		good = false;
	printf("%s %d - %u restarts of a publisher, %s: nothing is left with its subscriber\n",
	       good ? "ok" : "not ok", number, options.restarts, soaking->name);
	if (!good)
		printf("# %s\n", soak->complaint);
	fflush(stdout);
	munmap(soak, sizeof(*soak));
	return good;
}

static int usage(void)
{
	fprintf(stderr, "usage: soak [--messages N] [--restarts N] [--no-yields] [--only WORDS]\n");
	return 2;
}

static int parse(int argc, char **argv)
{
	static const struct option longs[] = { { "messages", required_argument, NULL, 'm' },
					       { "restarts", required_argument, NULL, 'r' },
					       { "no-yields", no_argument, NULL, 'y' },
					       { "only", required_argument, NULL, 'o' },
					       { 0 } };
	int c;

	while ((c = getopt_long(argc, argv, "", longs, NULL)) != -1) {
		if (c == 'm')
			options.messages = strtoull(optarg, NULL, 10);
		else if (c == 'r')
			options.restarts = (unsigned int)strtoul(optarg, NULL, 10);
		else if (c == 'y')
			options.no_yields = true;
		else if (c == 'o')
			options.only = optarg;
		else
			return usage();
	}
	return optind < argc ? usage() : 0;
}

static int play_kind(int *number, uint64_t messages)
{
	int bad = 0;

	for (enum origin origin = 0; origin < ORIGINS; origin++)
		if (origin != WRAP_LAPS || soaking->lap_bits < 64)
			bad += !play_scene(++*number, origin, 0, messages);
	bad += !play_scene(++*number, ORIGINS, NORMAL_SLOTS, messages);
	return bad + !play_restarts(++*number);
}

int main(int argc, char **argv)
{
	static const struct soak_kind *const kinds[] = { &soak_latest, &soak_lossless,
							 &soak_overwrite, &soak_least, &soak_most };
	const unsigned int count = sizeof(kinds) / sizeof(kinds[0]);
	int number = 0, bad = 0;

	if (parse(argc, argv) != 0)
		return 2;
	if (!stage_set("soak"))
		return 2;
	for (unsigned int i = 0; i < count; i++) {
		soaking = kinds[i];
		if (!options.only || strstr(soaking->name, options.only))
			bad += play_kind(&number, options.messages / (count * 4 - 1));
	}
	return stage_leave(number, bad);
}
