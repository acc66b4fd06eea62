/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ipcns_enter.c - a child process that enters one IPC namespace after the other
 * and sends what it reads there.
 *
 * It makes system calls alone: the program that it was forked from may have
 * threads, and one of them may have held a lock of libc.  It changes nothing: the
 * mqueue file systems that it opens are mounted nowhere and go with it.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <linux/mount.h>
#include <mqueue.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/prctl.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "ipcns.h"

#define MQUEUE_MAGIC 0x19800202

static char room[FRAME_BYTES_MAX]; /* the child's own */

static void send_all(int to, const void *data, size_t bytes)
{
	const char *at = data;

	while (bytes != 0) {
		ssize_t sent = write(to, at, bytes);

		if (sent < 0 && errno == EINTR)
			continue;
		if (sent <= 0)
			_exit(1); /* nobody listens */
		at += sent;
		bytes -= (size_t)sent;
	}
}

static void send_frame(int to, enum frame_kind kind, unsigned int of, int number, const void *data,
		       size_t bytes)
{
	const struct frame frame = { kind, of, number, (uint32_t)bytes };

	send_all(to, &frame, sizeof(frame));
	send_all(to, data, bytes);
}

/* A file of proc, as the namespace that we are in has it; -errno. */
static int send_file(int to, int proc, const char *path, enum frame_kind kind, unsigned int of)
{
	int fd = openat(proc, path, O_RDONLY | O_CLOEXEC);
	ssize_t got;

	if (fd < 0)
		return -errno;
	while ((got = read(fd, room, sizeof(room))) > 0)
		send_frame(to, kind, of, 0, room, (size_t)got);
	close(fd);
	send_frame(to, kind, of, 0, room, 0);
	return got < 0 ? -errno : 0;
}

/* As the files of /proc/sys/kernel say it, which take eleven times as many calls. */
static size_t print_limits(char *text, size_t bytes)
{
	struct shminfo shm = { 0 };
	struct seminfo sem = { 0 };
	struct msginfo msg = { 0 };

	shmctl(0, IPC_INFO, (struct shmid_ds *)&shm);
	semctl(0, 0, IPC_INFO, &sem);
	msgctl(0, IPC_INFO, (struct msqid_ds *)&msg);
	return (size_t)snprintf(text, bytes,
				"shmmax %lu\nshmall %lu\nshmmni %lu\nsem %d %d %d %d\n"
				"msgmax %d\nmsgmnb %d\nmsgmni %d\n",
				shm.shmmax, shm.shmall, shm.shmmni, sem.semmsl, sem.semmns,
				sem.semopm, sem.semmni, msg.msgmax, msg.msgmnb, msg.msgmni);
}

static size_t print_number(int proc, const char *name, char *text, size_t bytes)
{
	char path[64];
	size_t length = (size_t)snprintf(path, sizeof(path), "sys/fs/mqueue/%s", name);
	int fd = openat(proc, path, O_RDONLY | O_CLOEXEC);
	ssize_t got;

	if (fd < 0)
		return 0;
	length = (size_t)snprintf(text, bytes, "%s ", name);
	got = read(fd, text + length, bytes - length);
	close(fd);
	return got > 0 ? length + (size_t)got : 0;
}

static void send_text(int to, enum frame_kind kind, unsigned int of, const char *text, size_t bytes)
{
	send_frame(to, kind, of, 0, text, bytes);
	send_frame(to, kind, of, 0, text, 0);
}

static void send_limits(int to, unsigned int of)
{
	char text[512];

	send_text(to, FRAME_LIMITS, of, text, print_limits(text, sizeof(text)));
}

/*
 * Only where there are queues: the kernel finds such a file among those of all
 * namespaces, one by one.
 */
static void send_queue_limits(int to, int proc, unsigned int of)
{
	static const char *const names[] = { "queues_max", "msg_max", "msgsize_max" };
	char text[256];
	size_t length = 0;

	for (size_t i = 0; i < 3; i++)
		length += print_number(proc, names[i], text + length, sizeof(text) - length);
	send_text(to, FRAME_LIMITS, of, text, length);
}

/* The queues of the namespace that we are in, as a folder. */
static int open_queues(bool own)
{
	int fs = (int)syscall(SYS_fsopen, "mqueue", FSOPEN_CLOEXEC), dir = -1, error = errno;
	struct statfs stat;

	if (fs >= 0) {
		if (syscall(SYS_fsconfig, fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0) == 0)
			dir = (int)syscall(SYS_fsmount, fs, FSMOUNT_CLOEXEC, 0);
		error = errno;
		close(fs);
	}
	if (dir >= 0)
		return dir;
	/* Who may not mount it has it mounted, in a container as a rule. */
	if (own)
		dir = open("/dev/mqueue", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir >= 0 && (fstatfs(dir, &stat) < 0 || stat.f_type != MQUEUE_MAGIC)) {
		close(dir);
		dir = -1;
	}
	return dir < 0 ? -error : dir;
}

static bool send_queue(int to, int dir, const char *name, unsigned int of)
{
	struct queue_facts q = { 0 };
	struct mq_attr attr;
	int fd;

	if (fstatat(dir, name, &q.stat, AT_SYMLINK_NOFOLLOW) < 0 || !S_ISREG(q.stat.st_mode))
		return false;
	memccpy(q.name, name, '\0', sizeof(q.name) - 1);
	/* Of a queue that we may not read, only the name is told. */
	fd = openat(dir, name, O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOFOLLOW);
	if (fd >= 0) {
		if (syscall(SYS_mq_getsetattr, fd, NULL, &attr) == 0)
			q.messages = (uint64_t)attr.mq_curmsgs;
		(void)!read(fd, q.text, sizeof(q.text) - 1);
		close(fd);
	}
	send_frame(to, FRAME_QUEUE, of, 0, &q, sizeof(q));
	return true;
}

struct entry { /* linux_dirent64 */
	uint64_t ino;
	int64_t off;
	unsigned short bytes;
	unsigned char type;
	char name[];
};

static void send_queues(int to, int proc, unsigned int of, bool own)
{
	int mount = open_queues(own), dir;
	bool any = false;
	long got;

	if (mount < 0) {
		send_frame(to, FRAME_NO_QUEUES, of, -mount, NULL, 0);
		return;
	}
	dir = openat(mount, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	while ((got = syscall(SYS_getdents64, dir, room, sizeof(room))) > 0) {
		for (long at = 0; at < got;) {
			const struct entry *e = (const void *)(room + at);

			if (e->name[0] != '.')
				any |= send_queue(to, dir, e->name, of);
			at += e->bytes;
		}
	}
	close(dir);
	close(mount);
	if (any)
		send_queue_limits(to, proc, of);
}

static void send_namespace(const struct enter_plan *plan, int to, unsigned int of)
{
	int err;

	send_limits(to, of);
	err = send_file(to, plan->proc, "sysvipc/shm", FRAME_SHM, of);
	if (err == 0)
		err = send_file(to, plan->proc, "sysvipc/sem", FRAME_SEM, of);
	if (err == 0)
		err = send_file(to, plan->proc, "sysvipc/msg", FRAME_MSG, of);
	if (err < 0)
		send_frame(to, FRAME_FAILED, of, -err, NULL, 0);
	send_queues(to, plan->proc, of, plan->ipcns[of].own);
}

/* @ino: it is to be this one still; 0: any */
static int enter(int proc, pid_t pid, const char *name, int type, uint64_t ino)
{
	char path[64];
	struct stat stat;
	int fd, err;

	snprintf(path, sizeof(path), "%d/ns/%s", pid, name);
	fd = openat(proc, path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (ino != 0 && (fstat(fd, &stat) < 0 || stat.st_ino != ino))
		err = -ESRCH;
	else
		err = setns(fd, type) < 0 ? -errno : 0;
	close(fd);
	return err;
}

static void visit(const struct enter_plan *plan, int to, unsigned int of)
{
	const struct witnesses *w = &plan->witnesses[of];
	int err = -ESRCH;
	pid_t pid = 0;

	for (unsigned int i = 0; i < w->count && is_gone(-err); i++) {
		pid = w->pid[i];
		err = enter(plan->proc, pid, "ipc", CLONE_NEWIPC, plan->ipcns[of].ino);
	}
	if (err < 0) {
		send_frame(to, FRAME_FAILED, of, -err, NULL, 0);
		return;
	}
	if (pid != plan->ipcns[of].pid)
		send_frame(to, FRAME_THROUGH, of, pid, NULL, 0);
	send_namespace(plan, to, of);
}

/* One that calls itself what the machine is called has no name of its own. */
static bool has_own_host(int proc, pid_t pid)
{
	char path[64];
	struct stat stat;

	snprintf(path, sizeof(path), "%d/ns/uts", pid);
	return fstatat(proc, path, &stat, 0) == 0 && stat.st_ino != FIRST_UTSNS;
}

/* What a container without an engine calls itself. */
static void send_host(const struct enter_plan *plan, int to, unsigned int of)
{
	pid_t pid = plan->containers[of].pid;
	struct utsname its;

	if (has_own_host(plan->proc, pid) && enter(plan->proc, pid, "uts", CLONE_NEWUTS, 0) == 0 &&
	    uname(&its) == 0)
		send_frame(to, FRAME_HOST, of, 0, its.nodename, strlen(its.nodename));
}

_Noreturn void ipcns_enter(const struct enter_plan *plan, int to)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (unsigned int i = 0; i < plan->ipcns_count; i++)
		if (plan->ipcns[i].own)
			send_namespace(plan, to, i);
	for (unsigned int i = 0; i < plan->ipcns_count; i++)
		if (!plan->ipcns[i].own)
			visit(plan, to, i);
	for (unsigned int i = 0; i < plan->container_count; i++)
		if (plan->containers[i].engine == ENGINE_OTHER)
			send_host(plan, to, i);
	_exit(0);
}
