/* SPDX-License-Identifier: Apache-2.0 */
/*
 * harness.c - measure one contestant at one task, once, and print the result as a line of JSON.
 *
 * It forks a process for each side.  With --side it is one side alone, for what starts
 * its processes another way (mpirun, containers): all of them name the same folder.
 */
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include "harness.h"

static const char *const words[] = { "round-trip", "one-way", "read", "attach", NULL };
static const char *const hows[] = { "copy", "batch", "loan", NULL };
static const char *const paces[] = { "idle", "paced", "hot", NULL };
static const char *const kinds[] = { "pair", "stream", "queue", "latest", NULL };

static int choose(const char *const *names, const char *name)
{
	for (int i = 0; names[i]; i++)
		if (strcmp(names[i], name) == 0)
			return i;
	die("what is '%s'?", name);
}

static unsigned int number(const char *text)
{
	char *end;
	unsigned long value = strtoul(text, &end, 10);

	if (end == text || *end || value > 1u << 30)
		die("'%s' is not a number", text);
	return (unsigned int)value;
}

/* What the contestant has no means for is skipped, not failed. */
static void check_order(struct order *order)
{
	struct task *task = &order->task;

	if (!(contestant.kinds & 1u << task->kind))
		skip("has no %s", kinds[task->kind]);
	if (task->block && !contestant.blocks)
		skip("cannot wait by sleeping");
	if (!contestant.spins)
		task->block = true; /* as well as it can */
	if (task->lossy && !contestant.lossy)
		skip("does not overwrite");
	if (contestant.bytes_max && task->bytes > contestant.bytes_max)
		skip("takes no more than %zu bytes", contestant.bytes_max);
	if (order->how == BATCHED && !(contestant.send_batch && contestant.receive_batch))
		skip("has no batches");
	if (order->how == LOANED && !(contestant.loan && contestant.peek))
		skip("does not lend");
	if (task->bytes < sizeof(uint32_t))
		die("a message has 4 bytes at least");
	if (order->together && task->receivers > 0)
		task->sides = task->senders + 1;
	else
		task->sides = task->senders + task->receivers;
	if (task->sides > SIDES_MAX || task->receivers >= SIDES_MAX)
		die("too many sides");
}

/* ---- one side ----------------------------------------------------------------------------- */

static void print_result(void)
{
	printf("{\"bounce_before_ns\": %.1f, \"bounce_after_ns\": %.1f, \"p50_ns\": %.1f, "
	       "\"p99_ns\": %.1f, \"p999_ns\": %.1f, \"group_ns\": %.2f, \"per_second\": %.1f, "
	       "\"before_stop\": %.1f, \"after_stop\": %.1f}\n",
	       control->bounce_before_ns, control->bounce_after_ns, control->p50_ns,
	       control->p99_ns, control->p999_ns, control->group_ns, control->per_second,
	       control->before_stop, control->after_stop);
	fflush(stdout);
}

static void work(const struct order *order, void **ends, unsigned int count)
{
	switch (order->work) {
	case ROUND_TRIP:
		work_round_trip(order, ends[0]);
		break;
	case ONE_WAY:
		work_one_way(order, ends, count);
		break;
	case READ:
		work_read(order, ends[0]);
		break;
	case ATTACH:
		work_attach(order, &ends[0]);
		break;
	}
}

static void measure_bounce(const struct task *task, double *result)
{
	double ns;

	meet(task);
	if (task->sides > 1 && task->side < 2) {
		ns = bounce_ns(task);
		if (task->side == 0)
			*result = ns;
	}
	meet(task);
}

static void be_side(struct order *order, unsigned int side)
{
	struct task *task = &order->task;
	void *ends[SIDES_MAX];
	unsigned int count = order->together && side >= task->senders ? task->receivers : 1;

	task->side = side;
	task->mail = control->mail;
	control_side = side;
	pin(order->cpus[side % 2], order->fifo);
	measure_bounce(task, &control->bounce_before_ns);
	if (side == 0 && contestant.create)
		contestant.create(task);
	meet(task);
	for (unsigned int i = 0; i < count; i++)
		ends[i] = contestant.open(task);
	meet(task);
	work(order, ends, count);
	meet(task);
	for (unsigned int i = 0; i < count; i++)
		contestant.close(ends[i]);
	measure_bounce(task, &control->bounce_after_ns);
	if (side == 0) {
		if (contestant.remove)
			contestant.remove(task);
		print_result();
	}
}

/* ---- all sides ---------------------------------------------------------------------------- */

static pid_t pids[SIDES_MAX];

static void rest(double seconds)
{
	struct timespec t = { (time_t)seconds, (long)((seconds - (double)(time_t)seconds) * 1e9) };

	nanosleep(&t, NULL);
}

static uint64_t moved_by_others(const struct order *order)
{
	uint64_t sum = 0;

	/* relaxed: counters that order nothing */
	for (unsigned int side = order->task.senders; side < order->task.sides; side++)
		if ((int)side != order->stopped)
			sum += atomic_load_explicit(&control->moved[side].value,
						    memory_order_relaxed);
	return sum;
}

static double rate_of_others(const struct order *order, double seconds)
{
	uint64_t start = now_ns(), moved = moved_by_others(order);

	rest(seconds);
	return (double)(moved_by_others(order) - moved) * 1e9 / (double)(now_ns() - start);
}

/* Half-way one is stopped, as a debugger or a paused container does. */
static void stop_one(const struct order *order)
{
	double part = order->seconds / 5;
	uint64_t latest = now_ns() + (uint64_t)(order->seconds * 1e9);

	/* relaxed: just a sign that the warm-up is over */
	while (atomic_load_explicit(&control->begun[order->task.senders].value,
				    memory_order_relaxed) == 0 &&
	       now_ns() < latest)
		rest(0.001);
	control->before_stop = rate_of_others(order, part);
	kill(pids[order->stopped], SIGSTOP);
	rest(part / 4);
	control->after_stop = rate_of_others(order, part);
	kill(pids[order->stopped], SIGCONT);
}

static void end_all(unsigned int sides)
{
	for (unsigned int side = 0; side < sides; side++)
		if (pids[side] > 0)
			kill(pids[side], SIGKILL);
}

/* The first that fails ends the others, who would wait for it. */
static int await_all(const struct order *order)
{
	int status, worst = 0;
	pid_t pid;

	while ((pid = wait(&status)) > 0) {
		for (unsigned int side = 0; side < order->task.sides; side++)
			if (pids[side] == pid)
				pids[side] = 0;
		if (status == 0 || worst != 0)
			continue;
		worst = WIFEXITED(status) ? WEXITSTATUS(status) : 2;
		if (WIFSIGNALED(status))
			fprintf(stderr, "%s: a side was ended by signal %d\n", contestant.name,
				WTERMSIG(status));
		end_all(order->task.sides);
	}
	return worst;
}

static int run_all(struct order *order)
{
	pid_t parent = getpid();

	for (unsigned int side = 0; side < order->task.sides; side++) {
		pids[side] = fork();
		if (pids[side] < 0) {
			end_all(side);
			die("cannot fork: %s", strerror(errno));
		}
		if (pids[side] == 0) {
			/* One that hangs, or whose parent is killed, does not stay. */
			prctl(PR_SET_PDEATHSIG, SIGKILL);
			if (getppid() != parent)
				_exit(2);
			alarm((unsigned int)order->seconds + 20);
			be_side(order, side);
			exit(0);
		}
	}
	if (order->stopped >= 0)
		stop_one(order);
	return await_all(order);
}

static const char usage[] =
	"Usage: bench-CONTESTANT [OPTION]...\n"
	"  --work W        round-trip, one-way, read (the newest value), attach\n"
	"  --kind K        pair, stream, queue, latest: what the work is done with\n"
	"  --how H         copy, batch, loan           --pace P        idle, paced, hot\n"
	"  --bytes N       of a message                --seconds S     how long\n"
	"  --senders N     (1)                         --receivers N   (1)\n"
	"  --together      all receivers in one process\n"
	"  --block         sleep while waiting         --lossy         overwrite\n"
	"  --stop SIDE     stop that one half-way      --cpus A,B      (0,1)\n"
	"  --fifo          SCHED_FIFO                  --dir DIR       for its files\n"
	"  --side N        be this side alone; --dir is the same for all\n"
	"Prints one line of JSON.  Exit status: 0 measured, 2 failed, 77 it cannot do this.\n";

int main(int argc, char **argv)
{
	enum {
		WORK,
		KIND,
		HOW,
		PACE,
		BYTES,
		SECONDS,
		SENDERS,
		RECEIVERS,
		TOGETHER,
		BLOCK,
		LOSSY,
		STOP,
		CPUS,
		FIFO,
		DIR,
		SIDE,
		HELP
	};
	static const struct option options[] = {
		{ "work", 1, NULL, WORK },         { "kind", 1, NULL, KIND },
		{ "how", 1, NULL, HOW },           { "pace", 1, NULL, PACE },
		{ "bytes", 1, NULL, BYTES },       { "seconds", 1, NULL, SECONDS },
		{ "senders", 1, NULL, SENDERS },   { "receivers", 1, NULL, RECEIVERS },
		{ "together", 0, NULL, TOGETHER }, { "block", 0, NULL, BLOCK },
		{ "lossy", 0, NULL, LOSSY },       { "stop", 1, NULL, STOP },
		{ "cpus", 1, NULL, CPUS },         { "fifo", 0, NULL, FIFO },
		{ "dir", 1, NULL, DIR },           { "side", 1, NULL, SIDE },
		{ "help", 0, NULL, HELP },         { NULL, 0, NULL, 0 },
	};
	struct order order = { .stopped = -1, .seconds = 0.3, .cpus = { 0, 1 } };
	struct task *task = &order.task;
	char name[64], path[256];
	int option, side = -1;

	task->kind = PAIR;
	task->bytes = 64;
	task->senders = task->receivers = 1;
	while ((option = getopt_long(argc, argv, "", options, NULL)) >= 0) {
		switch (option) {
		case WORK:
			order.work = (enum work)choose(words, optarg);
			break;
		case KIND:
			task->kind = (enum kind)choose(kinds, optarg);
			break;
		case HOW:
			order.how = (enum how)choose(hows, optarg);
			break;
		case PACE:
			order.pace = (enum pace)choose(paces, optarg);
			break;
		case BYTES:
			task->bytes = number(optarg);
			break;
		case SECONDS:
			order.seconds = strtod(optarg, NULL);
			break;
		case SENDERS:
			task->senders = number(optarg);
			break;
		case RECEIVERS:
			task->receivers = number(optarg);
			break;
		case TOGETHER:
			order.together = true;
			break;
		case BLOCK:
			task->block = true;
			break;
		case LOSSY:
			task->lossy = true;
			break;
		case STOP:
			order.stopped = (int)number(optarg);
			break;
		case CPUS:
			if (sscanf(optarg, "%u,%u", &order.cpus[0], &order.cpus[1]) != 2)
				die("--cpus takes two numbers, as in 0,1");
			break;
		case FIFO:
			order.fifo = true;
			break;
		case DIR:
			task->dir = optarg;
			break;
		case SIDE:
			side = (int)number(optarg);
			break;
		case HELP:
			fputs(usage, stdout);
			return 0;
		default:
			fputs(usage, stderr);
			return 2;
		}
	}
	check_order(&order);
	if (!task->dir)
		die("--dir is missing: an empty folder, in memory (/dev/shm/...)");
	/* The folder has a name of its own; so have, after it, things that lie in no folder. */
	snprintf(name, sizeof(name), "%s",
		 strrchr(task->dir, '/') ? strrchr(task->dir, '/') + 1 : task->dir);
	task->name = name;
	snprintf(path, sizeof(path), "%s/control", task->dir);
	control_open(path);
	if (side >= 0) {
		alarm((unsigned int)order.seconds + 20);
		be_side(&order, (unsigned int)side);
		return 0;
	}
	return run_all(&order);
}
