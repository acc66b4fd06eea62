/* SPDX-License-Identifier: Apache-2.0 */
/*
 * shm_read.c - print the time that shm_write puts into shared memory.
 *
 *   gcc shm_read.c -o shm_read
 *
 * A guest: it makes no segment, writes to none and disturbs no writer.  At
 * each look it asks again which segment the key file names, so that it follows
 * a writer that starts later, starts again, or replaces the key file as old
 * ones do.  A time is printed only while it is now: it moves, or it agrees
 * with the clock of this machine.
 */
#define _GNU_SOURCE

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/ipc.h>
#include <sys/shm.h>
#include <unistd.h>

#include "clock.h"
#include "common.h"

static const char usage[] =
	"Usage: shm_read [OPTION]...\n"
	"Print the time that shm_write, or a program of its kind, puts into shared\n"
	"memory: one line a second.  Waits for a writer that is not there yet.\n"
	"\n"
	"  -n, --count N           end after N lines (default: go on until told to stop)\n"
	"  -i, --interval SECONDS  from one line to the next (default: 1)\n"
	"  -t, --timeout SECONDS   give up after so long without a new time (default: never)\n" CLOCK_OPTIONS_USAGE;

#define LOOK_NS        (NS_PER_S / 20)   /* from one look into the segment to the next    */
#define STALE_NS       (3 * NS_PER_S)    /* a time that stands still for so long is stale */
#define STALE_TURNS    3                 /* or for so many intervals of its writer        */
#define SAY_NS         (NS_PER_S / 4)    /* what lasts shorter is a start, and no news         */
#define MAX_PATIENT_NS (3600 * NS_PER_S) /* whatever the segment says                     */

/* What a look finds, and what was said about it last: a sentence is not repeated. */
enum finding {
	FOUND_TIME,
	FOUND_NO_KEY_FILE,
	FOUND_NO_SEGMENT,
	FOUND_NO_TIME,
	FOUND_STALE,
	FOUND_ERROR, /* and it was said */
};

struct reader {
	const struct clock_options *o;
	key_t key;
	int id;                      /* of the segment          */
	struct clock_shared *shared; /* NULL: none is attached  */

	enum finding found; /* at the last look                   */
	int64_t found_ns;   /* since when                         */
	enum finding said;  /* FOUND_TIME: nothing since the last */

	bool seen_any;    /* in this segment, since we last lost sight of it   */
	bool is_now;      /* the time moves, or agrees with our clock          */
	int64_t seen;     /* the time at the last look, seconds                */
	int64_t seen_ns;  /* when it was seen first (of our monotonic clock)   */
	int64_t fresh_ns; /* when there last was a new time                    */

	bool printed_any;
	int64_t printed;   /* the time in the last line                         */
	double due;        /* the time from which on there is to be a line      */
	int64_t repeat_ns; /* when the same time may be printed again           */
};

static void end_at_once(int sig)
{
	(void)sig;
	_exit(CLOCK_OK); /* nothing to clean up; also out of a write that blocks */
}

static void segment_detach(struct reader *r)
{
	if (r->shared)
		shmdt(r->shared);
	r->shared = NULL;
	r->seen_any = false;
}

static enum finding complain_segment(const struct reader *r, int err)
{
	char rights[64];

	if (err == EACCES || err == EPERM)
		complain("run this program as the writer's user (docker run --user), or the "
			 "writer as this one's",
			 "cannot read segment %d of key 0x%08x as uid %d: %s (%s)", r->id,
			 (unsigned int)r->key, (int)geteuid(), strerror(err),
			 segment_rights(r->id, rights, sizeof(rights)));
	else
		complain("look at it with ipcs -m", "cannot read segment %d of key 0x%08x: %s",
			 r->id, (unsigned int)r->key, strerror(err));
	return FOUND_ERROR;
}

/* Attach the segment that the key file names now, unless it is attached already. */
static enum finding segment_follow(struct reader *r)
{
	key_t key = ftok(r->o->key_file, r->o->project_id);
	struct shmid_ds ds;
	void *shared;
	int id;

	if (key == -1) {
		/* An old writer is just making it anew?  Keep what we have, while it is there. */
		if (errno == ENOENT && r->shared && shmget(r->key, 0, 0) == r->id)
			return FOUND_TIME;
		if (errno == ENOENT) {
			segment_detach(r);
			return FOUND_NO_KEY_FILE;
		}
		complain("the reader must be able to reach it, reading it is not needed",
			 "cannot look at the key file %s: %s", r->o->key_file, strerror(errno));
		return FOUND_ERROR;
	}
	r->key = key;
	id = shmget(key, 0, 0);
	if (r->shared && id == r->id)
		return FOUND_TIME;

	segment_detach(r);
	r->id = id;
	if (id < 0)
		return errno == ENOENT ? FOUND_NO_SEGMENT : complain_segment(r, errno);
	if (shmctl(id, IPC_STAT, &ds) < 0)
		return errno == EINVAL || errno == EIDRM ? FOUND_NO_SEGMENT :
							   complain_segment(r, errno);
	if (ds.shm_segsz != CLOCK_SEGMENT_BYTES) {
		complain("another program uses this key; give writer and reader a --project-id or "
			 "--key-file of their own",
			 "segment %d of key 0x%08x has %zu bytes, a clock has %d", id,
			 (unsigned int)r->key, ds.shm_segsz, CLOCK_SEGMENT_BYTES);
		return FOUND_ERROR;
	}
	shared = shmat(id, NULL, SHM_RDONLY);
	if (shared == (void *)-1)
		return errno == EINVAL || errno == EIDRM ? FOUND_NO_SEGMENT :
							   complain_segment(r, errno);
	r->shared = shared;
	return FOUND_TIME;
}

/* Does a writer of ours hold its lock?  Then it lives, however long it is silent. */
static bool writer_lives(const struct clock_options *o)
{
	struct flock lock = writer_lock(o->project_id);
	int fd = open(o->key_file, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	bool held = fd >= 0 && fcntl(fd, F_OFD_GETLK, &lock) == 0 && lock.l_type != F_UNLCK;

	if (fd >= 0)
		close(fd);
	return held;
}

/* Has the time stood still for too long?  A writer that lives may have a longer interval. */
static bool time_is_stale(const struct reader *r, int64_t now_ns)
{
	int64_t interval_ns, still_ns = now_ns - r->seen_ns;

	if (still_ns < STALE_NS)
		return false;
	/* Relaxed, both: for a guess at how patient to be. */
	if (atomic_load_explicit(&r->shared->magic, memory_order_relaxed) != CLOCK_MAGIC)
		return true;
	interval_ns = atomic_load_explicit(&r->shared->interval_ns, memory_order_relaxed);
	if (interval_ns > MAX_PATIENT_NS)
		interval_ns = MAX_PATIENT_NS;
	return still_ns >= STALE_TURNS * interval_ns || !writer_lives(r->o);
}

/* What is there, at @now_ns? */
static enum finding look(struct reader *r, int64_t now_ns)
{
	enum finding found = segment_follow(r);
	int64_t seconds = 0, ahead;

	if (found != FOUND_TIME)
		return found;

	switch (clock_get(r->shared, &seconds)) {
	case CLOCK_HAS_TIME:
		break;
	case CLOCK_EMPTY:
		return FOUND_NO_TIME;
	case CLOCK_ALIEN:
		complain("another program uses this key; give writer and reader a --project-id or "
			 "--key-file of their own",
			 "segment %d of key 0x%08x is not a clock: no time at its beginning", r->id,
			 (unsigned int)r->key);
		return FOUND_ERROR;
	}

	if (!r->seen_any || seconds != r->seen) {
		ahead = seconds - clock_ns(CLOCK_REALTIME) / NS_PER_S;
		r->is_now = r->seen_any || (ahead >= -1 && ahead <= 1);
		r->seen_any = true;
		r->seen = seconds;
		r->seen_ns = now_ns;
		if (r->is_now)
			r->fresh_ns = now_ns;
	}
	return time_is_stale(r, now_ns) ? FOUND_STALE : FOUND_TIME;
}

/* Say what was found, once. */
static void say(struct reader *r)
{
	static const char restart[] =
		"start the writer; if its container was restarted, restart this one too, "
		"so that it joins the new one";

	if (r->found == r->said)
		return;
	r->said = r->found;
	switch (r->found) {
	case FOUND_NO_KEY_FILE:
		complain("start the writer; if it runs in another container, this one must join "
			 "it: --ipc=container:WRITER",
			 "waiting for a writer: the key file %s is not there, or not visible in "
			 "this container",
			 r->o->key_file);
		break;
	case FOUND_NO_SEGMENT:
		complain(
			restart,
			"waiting for a writer: there is no segment of key 0x%08x in this container",
			(unsigned int)r->key);
		break;
	case FOUND_NO_TIME:
		complain(restart, "waiting for a writer: segment %d of key 0x%08x has no time yet",
			 r->id, (unsigned int)r->key);
		break;
	case FOUND_STALE:
		if (writer_lives(r->o))
			complain("is it paused (docker unpause) or stopped (kill -CONT)? if its "
				 "container was restarted, restart this one too",
				 "the time stands still at %" PRId64 ": the writer lives, but does "
				 "not write",
				 r->seen);
		else
			complain(restart,
				 "the time stands still at %" PRId64 ": the writer is gone, or its "
				 "container was restarted",
				 r->seen);
		break;
	case FOUND_TIME:
	case FOUND_ERROR:
		break;
	}
}

/* @at_once: say it even if it has not lasted yet */
static void note(struct reader *r, enum finding found, int64_t now_ns, bool at_once)
{
	if (found != r->found)
		r->found_ns = now_ns;
	r->found = found;
	if (found == FOUND_TIME || now_ns - r->found_ns >= SAY_NS || at_once)
		say(r);
}

/*
 * A new time is printed when the interval has passed in the times themselves:
 * whatever the writer's beat and ours, none is left out for coming early, and
 * none is printed twice for coming late.  The same time is printed again only
 * for an interval below a second, and only while it is still now.
 */
static bool line_is_due(const struct reader *r, int64_t now_ns)
{
	if (!r->is_now)
		return false;
	if (!r->printed_any || r->seen < r->printed) /* or the clock was set back */
		return true;
	if (r->seen > r->printed)
		return (double)r->seen >= r->due;
	return now_ns >= r->repeat_ns && now_ns - r->seen_ns < NS_PER_S - r->o->interval_ns / 2;
}

static enum clock_exit print_line(struct reader *r, int64_t now_ns)
{
	double interval = (double)r->o->interval_ns / (double)NS_PER_S;

	if (!r->printed_any || r->seen != r->printed) {
		r->due += interval;
		if (!r->printed_any || r->due <= (double)r->seen || r->seen < r->printed)
			r->due = (double)r->seen + interval;
	}
	r->printed_any = true;
	r->printed = r->seen;
	r->repeat_ns = now_ns + r->o->interval_ns;
	if (printf("now time: %" PRId64 "\n", r->seen) < 0 || fflush(stdout) != 0) {
		complain(NULL, "cannot write to standard output: %s", strerror(errno));
		return CLOCK_FAILED;
	}
	return CLOCK_OK;
}

static enum clock_exit read_time(struct reader *r)
{
	const struct clock_options *o = r->o;
	int64_t now_ns = clock_ns(CLOCK_MONOTONIC), wake_ns = now_ns;

	r->fresh_ns = now_ns;
	for (uint64_t lines = 0; o->count == 0 || lines < o->count;) {
		enum finding found;
		struct timespec wake;
		bool gives_up;

		/* Paused for long?  Then what we see next may be old, although it has changed. */
		if (now_ns - wake_ns > NS_PER_S)
			r->seen_any = false;

		found = look(r, now_ns);
		if (found == FOUND_ERROR)
			return CLOCK_FAILED;
		gives_up = o->timeout_ns && now_ns - r->fresh_ns >= o->timeout_ns;
		note(r, found, now_ns, gives_up);
		if (found == FOUND_TIME && line_is_due(r, now_ns)) {
			if (print_line(r, now_ns) != CLOCK_OK)
				return CLOCK_FAILED;
			lines++;
		}
		if (gives_up) {
			complain(NULL, "gave up: no new time for %g s",
				 (double)o->timeout_ns / (double)NS_PER_S);
			return CLOCK_FAILED;
		}

		wake_ns = now_ns + LOOK_NS;
		if (r->repeat_ns > now_ns && r->repeat_ns < wake_ns)
			wake_ns = r->repeat_ns;
		wake = clock_timespec(wake_ns);
		clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &wake, NULL);
		now_ns = clock_ns(CLOCK_MONOTONIC);
	}
	return CLOCK_OK;
}

int main(int argc, char **argv)
{
	struct clock_options o = CLOCK_OPTIONS_INIT;
	struct reader r = { .o = &o, .id = -1, .found = FOUND_TIME, .said = FOUND_TIME };
	struct sigaction end = { .sa_handler = end_at_once };
	sigset_t stop = stop_signals();

	/* As PID 1 of a container a program has no default actions: it must ask for its end. */
	for (int sig = 1; sig < NSIG; sig++)
		if (sigismember(&stop, sig) == 1)
			sigaction(sig, &end, NULL);
	sigprocmask(SIG_UNBLOCK, &stop, NULL);
	open_standard_streams();
	parse_options(&o, argc, argv, usage, true);
	return read_time(&r);
}
