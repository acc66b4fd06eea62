/* SPDX-License-Identifier: Apache-2.0 */
/*
 * play_main.c - all scenarios, or some: counts what was found, and says it as TAP.
 *
 *   step [--long | --stride N] [--seed N] [--only WORDS]
 */
#include <getopt.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>

#include "play_run.h"

#define FAILURES_MOST 3 /* then the rest of a scenario is not tried */
#define POINTS_SHORT  40
#define POINTS_SLOW   12
#define CALLS_SHORT   60

static struct {
	long stride; /* 0: as many points as are enough for a short run */
	unsigned int seed;
	const char *only;
} options;

struct tally {
	long points, elsewhere, found[PLAY_VERDICTS];
	int64_t latest_wake_ns;
	char first[480];
};

static void count(struct tally *t, long k)
{
	int verdict = atomic_load(&ledger->verdict);
	int64_t wake = atomic_load(&ledger->woken_ns) - atomic_load(&ledger->cut_ns);

	t->points++;
	t->found[verdict]++;
	if (verdict != PLAY_FINE && t->first[0] == '\0')
		snprintf(t->first, sizeof(t->first), "first at instruction %ld: %s", k,
			 ledger->text[0] ? ledger->text : "no words");
	if (atomic_load(&ledger->woken_ns) != 0 && wake > t->latest_wake_ns)
		t->latest_wake_ns = wake;
}

static long bad_of(const struct tally *t)
{
	return t->points - t->found[PLAY_FINE];
}

static bool is_prime(long n)
{
	for (long i = 2; i * i <= n; i++)
		if (n % i == 0)
			return false;
	return true;
}

static long stride_for(long steps)
{
	long stride = options.stride;

	if (stride == 0) {
		stride = (steps + 1) / (playing->slow ? POINTS_SLOW : POINTS_SHORT) + 1;
		while (!is_prime(stride))
			stride++;
	}
	return stride;
}

static void report(const struct tally *t, const struct step_way *way, long stride, int number)
{
	long bad = bad_of(t);
	bool good = playing->must_find ? t->found[playing->must_find] > 0 : bad == 0;

	if (t->points == 0)
		good = false;
	printf("%s %d - %s: %s at %ld of %ld instructions, %ld wedged, %ld torn, %ld lost, "
	       "%ld twice, %ld wrong, %ld debris",
	       good ? "ok" : "not ok", number, playing->name, stopping ? "stopped" : "killed",
	       t->points, way->steps + 1, t->found[PLAY_WEDGED], t->found[PLAY_TORN],
	       t->found[PLAY_LOST], t->found[PLAY_TWICE], t->found[PLAY_WRONG],
	       t->found[PLAY_DEBRIS]);
	if (playing->must_find)
		printf(" (it is wrong, and was %s)", good ? "found out" : "NOT FOUND OUT");
	if (t->latest_wake_ns != 0)
		printf(", sleeper woken after %.1f ms at the latest",
		       (double)t->latest_wake_ns / 1e6);
	if (t->elsewhere != 0)
		printf(", %ld took another way", t->elsewhere);
	printf("\n");
	if (bad != 0)
		printf("# %s\n", t->first);
	if (stride > 1)
		printf("# every %ld. instruction, and behind %s system call\n", stride,
		       way->calls < CALLS_SHORT ? "each" : "many a");
	fflush(stdout);
}

/*
 * What the others can see changes with system calls, so none of these is left
 * out; but of the many that ask about 64 places, some are.
 */
static bool behind_call(const struct step_way *way, long k, long *call)
{
	long every = way->calls / CALLS_SHORT + 1;

	while (*call < way->calls && way->call_step[*call] < k)
		++*call;
	return *call < way->calls && way->call_step[*call] == k &&
	       (*call + (long)options.seed) % every == 0;
}

static bool play(int number)
{
	struct step_way way = { 0 };
	struct tally t = { 0 };
	long stride = 1, first, call = 0;
	bool good = play_prepare() && play_learn(&way);

	if (good) {
		stride = stride_for(way.steps);
		first = rand() % stride;
		for (long k = 0; k <= way.steps; k++) {
			bool elsewhere = false;

			if (k % stride != first && !behind_call(&way, k, &call))
				continue;
			good = play_point(&way, k, &elsewhere);
			t.elsewhere += elsewhere;
			count(&t, k);
			if (!good || (!playing->must_find && bad_of(&t) >= FAILURES_MOST))
				break;
		}
	} else {
		snprintf(t.first, sizeof(t.first), "could not be played: %s", ledger->text);
		printf("# %s\n", t.first);
	}
	report(&t, &way, stride, number);
	good = good && (playing->must_find ? t.found[playing->must_find] > 0 : bad_of(&t) == 0);
	step_forget(&way);
	play_forget();
	return good;
}

static int play_table(const struct scenario *table, int *number)
{
	int bad = 0;

	for (playing = table; playing->name; playing++) {
		if (options.only && !strstr(playing->name, options.only))
			continue;
		for (int s = 0; s <= 1; s++) {
			stopping = s;
			if (stopping ? playing->only_killed : playing->only_stopped)
				continue;
			bad += !play(++*number);
		}
	}
	return bad;
}

/* Stepping is a ping-pong of two processes: on one CPU it is twice as fast. */
static void stay_on_one_cpu(void)
{
	cpu_set_t all, one;
	int n;

	if (sched_getaffinity(0, sizeof(all), &all) < 0)
		return;
	n = (int)(getpid() % CPU_COUNT(&all));
	for (int cpu = 0; cpu < CPU_SETSIZE; cpu++) {
		if (!CPU_ISSET(cpu, &all) || n-- > 0)
			continue;
		CPU_ZERO(&one);
		CPU_SET(cpu, &one);
		sched_setaffinity(0, sizeof(one), &one);
		return;
	}
}

static int usage(void)
{
	fprintf(stderr, "usage: step [--long | --stride N] [--seed N] [--only WORDS]\n");
	return 2;
}

static int parse(int argc, char **argv)
{
	static const struct option longs[] = { { "long", no_argument, NULL, 'l' },
					       { "stride", required_argument, NULL, 'n' },
					       { "seed", required_argument, NULL, 's' },
					       { "only", required_argument, NULL, 'o' },
					       { 0 } };
	int c;

	options.seed = (unsigned int)time(NULL);
	while ((c = getopt_long(argc, argv, "", longs, NULL)) != -1) {
		if (c == 'l')
			options.stride = 1;
		else if (c == 'n')
			options.stride = strtol(optarg, NULL, 10);
		else if (c == 's')
			options.seed = (unsigned int)strtoul(optarg, NULL, 10);
		else if (c == 'o')
			options.only = optarg;
		else
			return usage();
	}
	return optind < argc || options.stride < 0 ? usage() : 0;
}

int main(int argc, char **argv)
{
	static const struct scenario *const tables[] = { wrong_scenarios,  region_scenarios,
							 latest_scenarios, stream_scenarios,
							 queue_scenarios,  fd_scenarios };
	int number = 0, bad = 0;

	if (parse(argc, argv) != 0)
		return 2;
	ledger = mmap(NULL, sizeof(*ledger), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
		      0);
	if (ledger == MAP_FAILED || !stage_set("step"))
		return 2;
	stay_on_one_cpu();
	srand(options.seed);
	printf("# seed %u\n", options.seed);
	for (size_t i = 0; i < sizeof(tables) / sizeof(tables[0]); i++)
		bad += play_table(tables[i], &number);
	return stage_leave(number, bad);
}
