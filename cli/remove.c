/* SPDX-License-Identifier: Apache-2.0 */
/*
 * remove.c - see remove.h.
 *
 * A snapshot is old as soon as it is made, and ids, inodes and names are used
 * again.  So a segment is compared (key, creator, times) with the one that was
 * seen, and so is a file (device, inode).  That nobody has come meanwhile is the
 * kernel's word: the number of those attached; of a file, a write lease, which it
 * gives only to him who alone has it open or mapped in the whole machine, and
 * holds back everybody else for; of a channel, the locks of its peers.
 */
#include "remove.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/ipc.h>
#include <sys/shm.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

#include "area.h"
#include "coshm.h"

#define WHY_BYTES 400

/* What the child tells: it goes through a pipe in one piece. */
struct answer {
	enum removal removal;
	char why[WHY_BYTES];
};

_Static_assert(sizeof(struct answer) <= 512, "POSIX: writes of PIPE_BUF are whole");

__attribute__((format(printf, 3, 4))) static void answer(struct answer *a, enum removal removal,
							 const char *format, ...)
{
	va_list ap;

	a->removal = removal;
	va_start(ap, format);
	vsnprintf(a->why, sizeof(a->why), format, ap);
	va_end(ap);
}

static void failed(struct answer *a, const char *doing)
{
	answer(a, REMOVAL_FAILED, "cannot %s: %s", doing, strerror(errno));
}

/* ---- System V ---------------------------------------------------------------------------- */

/* The namespace by any process that is in it: the one that we saw it through may be gone. */
static int open_namespace(const struct snapshot *s, int ipcns)
{
	char path[64];
	struct stat st;

	for (unsigned int i = 0; i < s->process_count; i++) {
		int fd;

		if (s->processes[i].ipcns != ipcns)
			continue;
		snprintf(path, sizeof(path), "/proc/%d/ns/ipc", (int)s->processes[i].pid);
		fd = open(path, O_RDONLY | O_CLOEXEC);
		if (fd >= 0 && fstat(fd, &st) == 0 && st.st_ino == s->ipcns[ipcns].ino)
			return fd;
		if (fd >= 0)
			close(fd);
	}
	return -1;
}

static bool enter(const struct snapshot *s, int ipcns, struct answer *a)
{
	int fd;

	if (s->ipcns[ipcns].own)
		return true;
	fd = open_namespace(s, ipcns);
	if (fd < 0)
		answer(a, REMOVAL_GONE, "its IPC namespace is gone");
	else if (setns(fd, CLONE_NEWIPC) == 0)
		return true;
	else
		failed(a, "enter its IPC namespace");
	return false;
}

static bool same_segment(const struct shmid_ds *ds, const struct object *o)
{
	return ds->shm_perm.__key == o->key && ds->shm_perm.cuid == o->cuid &&
	       ds->shm_perm.cgid == o->cgid && ds->shm_ctime == o->ctime &&
	       ds->shm_segsz == o->bytes && ds->shm_cpid == o->cpid;
}

static void remove_segment(const struct snapshot *s, const struct object *o, struct answer *a)
{
	struct shmid_ds ds;

	if (!enter(s, o->ipcns, a))
		return;
	if (shmctl((int)o->id, IPC_STAT, &ds) < 0) {
		if (errno == EINVAL || errno == EIDRM)
			answer(a, REMOVAL_GONE, "it is gone");
		else
			failed(a, "look at it again");
	} else if (!same_segment(&ds, o)) {
		answer(a, REMOVAL_GONE, "it is gone, and its id belongs to another one");
	} else if (ds.shm_nattch > 0 || ds.shm_lpid != o->lpid) {
		answer(a, REMOVAL_IN_USE, "somebody has attached to it meanwhile");
	} else if (shmctl((int)o->id, IPC_RMID, NULL) < 0) {
		failed(a, "remove it");
	}
}

/* ---- files ------------------------------------------------------------------------------- */

/* The directory that the file @path is in, and in @name what it is called there. */
static int open_parent(int area, char *path, const char **name)
{
	char *slash = strrchr(path, '/');

	*name = slash ? slash + 1 : path;
	if (!slash)
		return dup(area);
	*slash = '\0';
	return area_open_path(area, path, O_RDONLY | O_DIRECTORY,
			      RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS);
}

static bool same_file(int fd, int dir, const char *name, const struct object *o)
{
	struct stat st;
	int err = fd >= 0 ? fstat(fd, &st) : fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW);

	/* The name of a segment in a directory has its id in it, which no other one has had. */
	return err == 0 && S_ISREG(st.st_mode) &&
	       (o->kind == OBJECT_SHM || (int64_t)st.st_ino == o->id) &&
	       major(st.st_dev) == o->dev_major && minor(st.st_dev) == o->dev_minor;
}

/*
 * Whoever opens the file while we have the lease waits, and finds it without a
 * name then, as if it had been removed right after he opened it.
 */
static void remove_file(int dir, const char *name, const struct object *o, struct answer *a)
{
	int fd = openat(dir, name, O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);

	if (fd < 0 && errno != ENOENT && errno != ELOOP) {
		failed(a, "open it");
		return;
	}
	if (fd < 0 || !same_file(fd, dir, name, o))
		answer(a, REMOVAL_GONE, "it is gone, or another file has its name");
	else if (fcntl(fd, F_SETLEASE, F_WRLCK) < 0 && errno == EAGAIN)
		answer(a, REMOVAL_IN_USE, "somebody has opened it meanwhile");
	else if (fcntl(fd, F_GETLEASE) != F_WRLCK)
		failed(a, "make sure that nobody has it open");
	else if (!same_file(-1, dir, name, o))
		answer(a, REMOVAL_GONE, "it is gone, or another file has its name");
	else if (served_needs(dir, o)) /* who made it has closed it before we had the lease */
		answer(a, REMOVAL_IN_USE, "it has become an object meanwhile");
	else if (unlinkat(dir, name, 0) < 0)
		failed(a, "remove it");
	if (fd >= 0)
		close(fd);
}

/* libcoshm looks at the locks of its peers itself. */
static void remove_channel(int dir, const char *name, const struct object *o, struct answer *a)
{
	char path[64];
	int err;

	if (!same_file(-1, dir, name, o)) {
		answer(a, REMOVAL_GONE, "it is gone, or another file has its name");
		return;
	}
	snprintf(path, sizeof(path), "/proc/self/fd/%d", dir);
	err = coshm_remove(path, name);
	if (err == -EBUSY)
		answer(a, REMOVAL_IN_USE, "somebody has opened it meanwhile");
	else if (err == -ENOENT)
		answer(a, REMOVAL_GONE, "it is gone");
	else if (err < 0)
		answer(a, REMOVAL_FAILED, "%s", coshm_errmsg());
}

static void remove_in_area(const struct snapshot *s, const struct object *o, struct answer *a)
{
	int area = area_open(&s->areas[o->area]);
	char path[PATH_MAX];
	const char *name;
	int dir;

	object_path(o, path, sizeof(path));
	if (area < 0) {
		failed(a, "open the directory that it is in");
		return;
	}
	dir = open_parent(area, path, &name);
	if (dir < 0)
		failed(a, "open the directory that it is in");
	else if (o->kind == OBJECT_CHANNEL)
		remove_channel(dir, name, o, a);
	else
		remove_file(dir, name, o, a);
}

/* Its table has a lock, which we do not take: programs that take part remove it. */
static void tell_how(const struct snapshot *s, const struct object *o, struct answer *a)
{
	int directory = object_directory(o);

	answer(a, REMOVAL_FAILED, "only coshm run --dir %s%s%.*s -- ipcrm -m %d does",
	       s->areas[o->area].point, directory > 0 ? "/" : "", directory, o->name, (int)o->id);
}

/* ---- the child --------------------------------------------------------------------------- */

static void act(const struct snapshot *s, const struct object *o, int to)
{
	struct answer a = { .removal = REMOVED };

	signal(SIGIO, SIG_IGN); /* somebody waits for our lease: it goes with us */
	if (o->kind == OBJECT_SHM && o->ipcns != NOBODY)
		remove_segment(s, o, &a);
	else if (o->kind == OBJECT_SHM && !(o->status & STATUS_DEST))
		tell_how(s, o, &a);
	else
		remove_in_area(s, o, &a);
	_exit(write(to, &a, sizeof(a)) == (ssize_t)sizeof(a) ? 0 : 1);
}

enum removal object_remove(const struct snapshot *s, int object, char *why, size_t bytes)
{
	struct answer a = { .removal = REMOVAL_FAILED, .why = "the process that was to is gone" };
	int fds[2];
	pid_t child;

	if (pipe2(fds, O_CLOEXEC) < 0) {
		failed(&a, "make a pipe");
	} else {
		child = fork();
		if (child == 0)
			act(s, &s->objects[object], fds[1]);
		close(fds[1]);
		if (child < 0)
			failed(&a, "start a process");
		else if (TEMP_FAILURE_RETRY(read(fds[0], &a, sizeof(a))) != (ssize_t)sizeof(a))
			a.removal = REMOVAL_FAILED;
		close(fds[0]);
		if (child > 0)
			TEMP_FAILURE_RETRY(waitpid(child, NULL, 0));
	}
	snprintf(why, bytes, "%s", a.why);
	return a.removal;
}
