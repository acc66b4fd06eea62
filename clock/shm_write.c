/* SPDX-License-Identifier: Apache-2.0 */
/*
 * shm_write.c - put the time into a System V segment, each second.
 *
 *   gcc shm_write.c -o shm_write
 *
 * One writer per key file, decided by a lock on that file which the kernel
 * drops when the writer dies, however it dies and in whichever container.  A
 * writer told to stop removes its segment; one that was killed leaves it, and
 * the next writer goes on with it.
 */
#define _GNU_SOURCE

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <sys/ipc.h>
#include <sys/shm.h>
#include <sys/stat.h>
#include <unistd.h>

#include "clock.h"
#include "common.h"

static const char usage[] =
	"Usage: shm_write [OPTION]...\n"
	"Put the Unix time into a System V shared memory segment each second, for\n"
	"shm_read and any program that knows the segment, in this container or another.\n"
	"\n"
	"  -n, --count N           end after N updates (default: go on until told to stop)\n"
	"  -i, --interval SECONDS  from one update to the next (default: 1)\n" CLOCK_OPTIONS_USAGE;

struct writer {
	const char *key_file;
	int key_fd; /* holds the lock */
	key_t key;
	int id; /* of the segment */
	struct clock_shared *shared;
	sigset_t stop;
	bool stopped; /* one of them came */
};

/* Sleep @ns, or until told to stop: then, and ever after, return true at once. */
static bool sleep_or_stop(struct writer *w, int64_t ns)
{
	int64_t end = clock_ns(CLOCK_MONOTONIC) + ns;

	while (!w->stopped && ns >= 0) {
		struct timespec ts = clock_timespec(ns);

		w->stopped = sigtimedwait(&w->stop, NULL, &ts) > 0;
		/* EAGAIN: time is up.  EINTR: this process was stopped and continued. */
		ns = errno == EINTR ? end - clock_ns(CLOCK_MONOTONIC) : -1;
	}
	return w->stopped;
}

/* Whoever wrote @shared last, as it says itself.  Not to be trusted, only to be shown. */
static void writer_name(const struct clock_shared *shared, char name[CLOCK_WRITER_BYTES])
{
	memcpy(name, shared->writer, CLOCK_WRITER_BYTES);
	name[CLOCK_WRITER_BYTES - 1] = '\0';
	for (char *c = name; *c; c++)
		if (!isprint((unsigned char)*c))
			*c = '?';
}

static void complain_key_file_held(const struct writer *w, int project_id)
{
	char name[CLOCK_WRITER_BYTES] = "";
	struct clock_shared *shared = (void *)-1;
	struct shmid_ds ds;
	key_t key = ftok(w->key_file, project_id);
	int id = key == -1 ? -1 : shmget(key, 0, 0);

	if (id >= 0 && shmctl(id, IPC_STAT, &ds) == 0 && ds.shm_segsz >= sizeof(*shared))
		shared = shmat(id, NULL, SHM_RDONLY);
	if (shared != (void *)-1) {
		writer_name(shared, name);
		shmdt(shared);
	}
	/* Says the segment: a writer that is just starting has not signed it yet. */
	complain("stop that one first, or give this one a --key-file of its own",
		 "another writer is at work: %s, says the segment; it holds the lock on %s",
		 name[0] ? name : "a process without a name", w->key_file);
}

/* The file behind the descriptor is still the one that readers find by its name. */
static bool key_file_in_place(const struct writer *w)
{
	struct stat ours, theirs;

	return fstat(w->key_fd, &ours) == 0 && stat(w->key_file, &theirs) == 0 &&
	       ours.st_dev == theirs.st_dev && ours.st_ino == theirs.st_ino;
}

/* Open the file, or make it.  Kept when it is there: its inode is half of the key. */
static int key_file_open(const char *path)
{
	/*
	 * Without O_CREAT at first: in a world-writable directory the kernel may
	 * refuse O_CREAT on somebody else's file even to root (fs.protected_regular).
	 */
	int fd = open(path, O_RDWR | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);

	if (fd >= 0 || errno != ENOENT)
		return fd;
	fd = open(path, O_RDWR | O_CLOEXEC | O_CREAT, CLOCK_KEY_FILE_MODE);
	if (fd >= 0)
		fchmod(fd, CLOCK_KEY_FILE_MODE); /* whatever the umask is */
	return fd;
}

/* Become the one writer of this key file, until this process ends. */
static enum clock_exit key_file_lock(struct writer *w, int project_id)
{
	struct flock lock = writer_lock(project_id);
	struct stat st;

	for (;; close(w->key_fd)) {
		w->key_fd = key_file_open(w->key_file);
		if (w->key_fd < 0) {
			complain(
				errno == EACCES || errno == EPERM ?
					"run as the file's owner, or give a --key-file of your own" :
					"name a file in a directory that is there and that readers share",
				"cannot open the key file %s: %s", w->key_file, strerror(errno));
			return CLOCK_FAILED;
		}
		if (fstat(w->key_fd, &st) < 0 || !S_ISREG(st.st_mode)) {
			complain("give a --key-file that is one, or that is not there yet",
				 "the key file %s is not a regular file", w->key_file);
			return CLOCK_FAILED;
		}
		if (fcntl(w->key_fd, F_OFD_SETLK, &lock) < 0) {
			if (errno == EAGAIN || errno == EACCES)
				complain_key_file_held(w, project_id);
			else
				complain("use a --key-file on a tmpfs or a disk",
					 "cannot lock the key file %s: %s", w->key_file,
					 strerror(errno));
			return CLOCK_FAILED;
		}
		if (key_file_in_place(w)) /* nobody replaced it before it was locked */
			break;
	}

	w->key = ftok(w->key_file, project_id);
	if (w->key == -1) {
		complain(NULL, "cannot make a key from %s: %s", w->key_file, strerror(errno));
		return CLOCK_FAILED;
	}
	return CLOCK_OK;
}

/*
 * An old program knows no lock.  If one writes here its text moves, within a
 * second; where nobody else is attached or the text is old already, none does.
 */
static bool old_writer_at_work(struct writer *w, const struct shmid_ds *ds)
{
	int64_t before, now;

	if (ds->shm_nattch == 0 || clock_get(w->shared, &before) != CLOCK_HAS_TIME ||
	    before < clock_ns(CLOCK_REALTIME) / NS_PER_S - 2)
		return false;
	for (int i = 0; i < 110 && !sleep_or_stop(w, NS_PER_S / 100); i++)
		if (clock_get(w->shared, &now) == CLOCK_HAS_TIME && now != before)
			return true;
	return false;
}

static enum clock_exit complain_segment(const struct writer *w, const char *doing)
{
	char rights[64], hint[192] = "look at it with ipcs -m, and at the limits with ipcs -lm";
	int err = errno;

	if (err == EACCES || err == EPERM)
		snprintf(hint, sizeof(hint),
			 "%s; run as that user, or have it removed: ipcrm -m %d as that user, or "
			 "as root of the host",
			 segment_rights(w->id, rights, sizeof(rights)), w->id);
	complain(hint, "cannot %s the segment of key 0x%08x: %s", doing, (unsigned int)w->key,
		 strerror(err));
	return CLOCK_FAILED;
}

/* The segment that is there was made by somebody: may we write the time into it? */
static enum clock_exit segment_check(struct writer *w, const struct shmid_ds *ds)
{
	static const char hint[] = "two programs use one key; give this one a --project-id or "
				   "--key-file of its own, or ipcrm -m what is left over";
	int64_t seconds;

	if (ds->shm_segsz != CLOCK_SEGMENT_BYTES)
		complain(hint, "segment %d of key 0x%08x has %zu bytes, a clock has %d", w->id,
			 (unsigned int)w->key, ds->shm_segsz, CLOCK_SEGMENT_BYTES);
	else if (clock_get(w->shared, &seconds) == CLOCK_ALIEN)
		complain(hint, "segment %d of key 0x%08x is not a clock: no time at its beginning",
			 w->id, (unsigned int)w->key);
	else if (old_writer_at_work(w, ds))
		complain("stop that one first, or give this one a --key-file of its own",
			 "another writer is at work: an old program, which knows no lock, "
			 "renews the time in segment %d of key 0x%08x",
			 w->id, (unsigned int)w->key);
	else
		return CLOCK_OK;
	return CLOCK_FAILED;
}

/* Make the segment of our key, or adopt the one that is there. */
static enum clock_exit segment_open(struct writer *w, int64_t interval_ns)
{
	char host[HOST_NAME_MAX + 1] = "?", since[32], name[CLOCK_WRITER_BYTES];
	int64_t now = clock_ns(CLOCK_REALTIME) / NS_PER_S;
	time_t now_t = (time_t)now;
	struct shmid_ds ds;
	bool made;

	do {
		w->id = shmget(w->key, CLOCK_SEGMENT_BYTES,
			       IPC_CREAT | IPC_EXCL | CLOCK_SEGMENT_MODE);
		made = w->id >= 0;
		if (!made && errno == EEXIST)
			w->id = shmget(w->key, 0, 0);
	} while (w->id < 0 && errno == ENOENT); /* removed between the two calls */
	if (w->id < 0)
		return complain_segment(w, "make");

	/* Looked at before we attach: nattch is that of the others. */
	if (shmctl(w->id, IPC_STAT, &ds) < 0)
		return complain_segment(w, "look at");
	w->shared = shmat(w->id, NULL, 0);
	if (w->shared == (void *)-1) {
		complain_segment(w, "attach");
		if (made)
			shmctl(w->id, IPC_RMID, NULL);
		return CLOCK_FAILED;
	}
	if (!made && segment_check(w, &ds) != CLOCK_OK)
		return CLOCK_FAILED;
	if (w->stopped) /* in the middle of that: what was there stays as it was */
		return CLOCK_OK;

	gethostname(host, sizeof(host) - 1);
	strftime(since, sizeof(since), "%F %T UTC", gmtime(&now_t));
	snprintf(name, sizeof(name), "pid %d on %.64s since %s", (int)getpid(), host, since);
	clock_begin(w->shared, now, interval_ns, name);
	complain(NULL, "writing the time into segment %d of key 0x%08x%s", w->id,
		 (unsigned int)w->key, made ? "" : ", which was there");
	return CLOCK_OK;
}

static enum clock_exit segment_remove(const struct writer *w)
{
	/* EINVAL, EIDRM: somebody else has removed it. */
	if (shmctl(w->id, IPC_RMID, NULL) < 0 && errno != EINVAL && errno != EIDRM)
		return complain_segment(w, "remove");
	return CLOCK_OK;
}

/*
 * Until @interval_ns next divides the time of day: reckoned from the clock and
 * not from the last update, so that nothing adds up and a clock that was set is
 * followed.
 */
static int64_t until_next_update(int64_t interval_ns)
{
	return interval_ns - clock_ns(CLOCK_REALTIME) % interval_ns;
}

static enum clock_exit write_time(struct writer *w, const struct clock_options *o)
{
	enum clock_exit status;

	for (uint64_t n = 0; !w->stopped && (o->count == 0 || n < o->count); n++) {
		if (!key_file_in_place(w)) {
			complain(
				"an old writer replaces it when it starts: let only one of the two "
				"run, or give this one a --key-file of its own",
				"ended: the key file %s was removed or replaced, and readers no "
				"longer find segment %d",
				w->key_file, w->id);
			/* By chance the new file can have the same key: then it is in use. */
			if (ftok(w->key_file, o->project_id) != w->key)
				segment_remove(w);
			return CLOCK_FAILED;
		}
		if (shmget(w->key, 0, 0) != w->id) {
			complain(NULL, "segment %d was removed by somebody", w->id);
			shmdt(w->shared);
			status = segment_open(w, o->interval_ns);
			if (status != CLOCK_OK || w->stopped)
				return status;
		}
		clock_put(w->shared, clock_ns(CLOCK_REALTIME) / NS_PER_S);
		sleep_or_stop(w, until_next_update(o->interval_ns));
	}
	return segment_remove(w);
}

int main(int argc, char **argv)
{
	struct clock_options o = CLOCK_OPTIONS_INIT;
	struct writer w = { .key_fd = -1, .id = -1, .stop = stop_signals() };
	enum clock_exit status;

	/*
	 * Blocked and waited for, not handled: a stop is seen between two updates
	 * alone, and the kernel drops no blocked signal, even of a container's PID 1.
	 */
	sigprocmask(SIG_BLOCK, &w.stop, NULL);
	signal(SIGPIPE, SIG_IGN); /* nobody reads our messages: no reason to leave a segment */
	open_standard_streams();
	parse_options(&o, argc, argv, usage, false);
	w.key_file = o.key_file;

	status = key_file_lock(&w, o.project_id);
	if (status == CLOCK_OK)
		status = segment_open(&w, o.interval_ns);
	if (status == CLOCK_OK && !w.stopped)
		status = write_time(&w, &o);
	return status;
}
