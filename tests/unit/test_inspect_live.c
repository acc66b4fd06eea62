/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_inspect_live.c - scans of this machine, with objects, namespaces and
 * processes that the test makes.  What needs root is left out without.
 */
#include "inspect_scene.h"

#include <errno.h>
#include <fcntl.h>
#include <mqueue.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/msg.h>
#include <sys/prctl.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/wait.h>
#include <unistd.h>

#include "coshm.h"

#define BYTES 8192

static const struct inspect_opts quiet = { .no_engines = true };
static char unique[64];
static char skipped; /* a child's word for: not here */

static const char *named(const char *what)
{
	static char name[96];

	snprintf(name, sizeof(name), "/%s-%s", unique, what);
	return name;
}

/* A child that says when it is ready, and lives until it is killed. */
struct child {
	pid_t pid;
	int from;
	char word;
};

static struct child start(char (*prepare)(void *), void *arg)
{
	struct child c = { 0 };
	int ends[2];

	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	c.pid = fork();
	assert_true(c.pid >= 0);
	if (c.pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		c.word = prepare(arg);
		if (write(ends[1], &c.word, 1) != 1)
			_exit(1);
		for (;;)
			pause();
	}
	close(ends[1]);
	c.from = ends[0];
	assert_int_equal(read(c.from, &c.word, 1), 1);
	return c;
}

static void end(struct child *c)
{
	kill(c->pid, SIGKILL);
	waitpid(c->pid, NULL, 0);
	close(c->from);
}

static int setup(void **state)
{
	(void)state;
	snprintf(unique, sizeof(unique), "coshm-inspect-%d", getpid());
	skipped = 's';
	return 0;
}

static char *map(int fd, int access)
{
	char *at = mmap(NULL, BYTES, access, MAP_SHARED, fd, 0);

	return at == MAP_FAILED ? NULL : at;
}

static char look_on(void *arg)
{
	int fd = shm_open(named("file"), O_RDONLY, 0);

	close(*(int *)arg);
	return fd >= 0 && map(fd, PROT_READ) ? 'r' : 'f';
}

static void test_files(void **state)
{
	int fd = shm_open(named("file"), O_CREAT | O_EXCL | O_RDWR, 0640);
	int gone = shm_open(named("gone"), O_CREAT | O_EXCL | O_RDWR, 0600);
	const struct object *o;
	const struct use *use;
	struct snapshot *s;
	struct child c;

	(void)state;
	assert_true(fd >= 0 && gone >= 0);
	assert_int_equal(ftruncate(fd, 5 * BYTES) | ftruncate(gone, BYTES), 0);
	assert_int_equal(write(fd, "data", 4), 4);
	*map(gone, PROT_READ | PROT_WRITE) = 1;
	close(gone);
	shm_unlink(named("gone"));
	c = start(look_on, &fd);
	s = scan_with(&quiet);
	shm_unlink(named("file"));

	assert_int_equal(c.word, 'r');
	o = the_object(s, OBJECT_POSIX_SHM, named("file") + 1);
	assert_int_equal(o->bytes, 5 * BYTES);
	assert_true(o->status & STATUS_SPARSE);
	assert_int_equal(o->mode, 0640);
	assert_int_equal(o->count, 1);
	use = find_use_of(s, o, c.pid);
	assert_true(use && use->mapped && !use->writes);
	use = find_use_of(s, o, getpid());
	assert_true(use && !use->mapped && use->writes);
	o = the_object(s, OBJECT_DELETED, named("gone") + 1);
	assert_int_equal(o->bytes, BYTES);
	assert_int_equal(o->area, s->processes[s->own_process].shm_area);
	inspect_free(s);
	end(&c);
	close(fd);
}

static const struct object *segment_of(const struct snapshot *s, int ipcns, int id)
{
	for (unsigned int i = 0; i < s->object_count; i++)
		if (s->objects[i].kind == OBJECT_SHM && s->objects[i].ipcns == ipcns &&
		    s->objects[i].id == id)
			return &s->objects[i];
	return NULL;
}

static char attach(void *arg)
{
	return shmat(*(int *)arg, NULL, SHM_RDONLY) != (void *)-1 ? 'a' : 'f';
}

/* Attached by a child: what this process has attached, a scan's own child has too. */
static void test_system_v(void **state)
{
	int id = shmget(IPC_PRIVATE, BYTES, 0600), set = semget(IPC_PRIVATE, 5, 0600);
	struct child c = start(attach, &id);
	struct snapshot *s = scan_with(&quiet);
	const struct ipcns *ns = &s->ipcns[s->processes[s->own_process].ipcns];
	const struct object *o = segment_of(s, (int)(ns - s->ipcns), id);
	const struct use *use;

	(void)state;
	shmctl(id, IPC_RMID, NULL);
	semctl(set, 0, IPC_RMID);
	assert_int_equal(c.word, 'a');
	assert_non_null(o);
	assert_true(ns->own && ns->seen);
	assert_true(ns->usage.shm_segments >= 1 && ns->usage.sems >= 5);
	assert_true(ns->limits.shmmni > 0 && ns->limits.semmni > 0 && ns->limits.msgmni > 0);
	assert_int_equal(o->cpid, getpid());
	assert_int_equal(o->lpid, c.pid);
	assert_int_equal(o->count, 1);
	assert_int_equal(o->status, 0);
	use = find_use_of(s, o, c.pid);
	assert_true(use && use->mapped && !use->writes);
	assert_int_equal(use->bytes, BYTES);
	inspect_free(s);
	end(&c);
}

/* Nobody has touched it: that it has huge pages is seen by who has it attached. */
static void test_huge_pages(void **state)
{
	int id = shmget(IPC_PRIVATE, 2 << 20, SHM_HUGETLB | 0600);
	const struct object *o;
	struct snapshot *s;
	struct child c;

	(void)state;
	if (id < 0)
		return; /* the machine has set none aside */
	c = start(attach, &id);
	s = scan_with(&quiet);
	shmctl(id, IPC_RMID, NULL);
	assert_int_equal(c.word, 'a');
	o = segment_of(s, s->processes[s->own_process].ipcns, id);
	assert_non_null(o);
	assert_int_equal(o->status, STATUS_HUGE);
	inspect_free(s);
	end(&c);
}

static void test_message_queue(void **state)
{
	struct mq_attr attr = { .mq_maxmsg = 4, .mq_msgsize = 64 };
	mqd_t queue = mq_open(named("queue"), O_CREAT | O_EXCL | O_RDWR, 0600, &attr);
	const struct object *o;
	struct snapshot *s;

	(void)state;
	if (queue < 0)
		skip();
	assert_int_equal(mq_send(queue, "hello", 5, 0), 0);
	s = scan_with(&quiet);
	mq_unlink(named("queue"));
	if (find_object(s, OBJECT_POSIX_MQ, named("queue") + 1) == NOBODY && geteuid() != 0)
		skip();
	o = the_object(s, OBJECT_POSIX_MQ, named("queue") + 1);
	assert_int_equal(o->count, 1);
	assert_int_equal(o->bytes, 5);
	assert_non_null(find_use_of(s, o, getpid()));
	assert_true(s->ipcns[o->ipcns].limits.mq_queues > 0);
	inspect_free(s);
	mq_close(queue);
}

static char keep_memfd(void *arg)
{
	return *(char *)arg;
}

/* One that a family shares, and one that is its owner's alone. */
static void test_memfd(void **state)
{
	int shared = memfd_create(named("shared") + 1, MFD_CLOEXEC);
	struct snapshot *s;
	struct child c;
	char *at;

	(void)state;
	assert_int_equal(ftruncate(shared, BYTES), 0);
	at = map(shared, PROT_READ | PROT_WRITE);
	*at = 'm';
	s = scan_with(&quiet);
	assert_int_equal(find_object(s, OBJECT_MEMFD, named("shared") + 1), NOBODY);
	inspect_free(s);
	c = start(keep_memfd, at);
	s = scan_with(&quiet);
	assert_int_equal(the_object(s, OBJECT_MEMFD, named("shared") + 1)->uses, 2);
	inspect_free(s);
	end(&c);
	munmap(at, BYTES);
	close(shared);
}

static char subscribe(void *arg)
{
	struct coshm_stream *ch;

	return coshm_stream_open(arg, COSHM_SUBSCRIBER, NULL, &ch) == 0 ? 'o' : 'f';
}

static const struct channel_peer *peer_of(const struct object *o, uint32_t pid)
{
	for (unsigned int i = 0; i < o->channel->peer_count; i++)
		if (o->channel->peers[i].pid == pid)
			return &o->channel->peers[i];
	fail_msg("%u is no peer", pid);
	return NULL;
}

static void test_channel(void **state)
{
	const char *name = named("ch") + 1;
	char dir[96], path[256];
	struct snapshot *s;
	const struct object *o;
	struct child c, dead;

	(void)state;
	snprintf(dir, sizeof(dir), "/dev/shm/%s", unique);
	snprintf(path, sizeof(path), "%s/%s", unique, name);
	assert_int_equal(mkdir(dir, 0700), 0);
	setenv("COSHM_DIR", dir, 1);
	assert_int_equal(coshm_stream_create(name, NULL, NULL), 0);
	c = start(subscribe, (void *)name);
	dead = start(subscribe, (void *)name);
	kill(dead.pid, SIGKILL);
	waitpid(dead.pid, NULL, 0);
	close(dead.from);
	s = scan_with(&quiet);
	o = the_object(s, OBJECT_CHANNEL, path);
	assert_int_equal(o->channel->kind, COSHM_STREAM);
	assert_int_equal(o->channel->peer_count, 2);
	assert_int_equal(o->channel->dead, 1);
	assert_int_equal(peer_of(o, (uint32_t)c.pid)->state, COSHM_PEER_ALIVE);
	assert_int_equal(peer_of(o, (uint32_t)dead.pid)->state, COSHM_PEER_DEAD);
	assert_int_equal(peer_of(o, (uint32_t)c.pid)->role, COSHM_SUBSCRIBER);
	assert_non_null(find_use_of(s, o, c.pid));
	inspect_free(s);
	end(&c);
	assert_int_equal(coshm_remove(NULL, name), 0);
	assert_int_equal(rmdir(dir), 0);
}

/* Namespaces as a container has them, a segment and a file in them. */
static char live_apart(void *arg)
{
	int *id = arg, fd;

	if (unshare(CLONE_NEWIPC | CLONE_NEWNS | CLONE_NEWUTS) < 0)
		return skipped;
	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
	    mount("shm", "/dev/shm", "tmpfs", 0, "size=1m") < 0 || sethostname("apart", 5) < 0)
		return skipped;
	*id = shmget(0x77, BYTES, IPC_CREAT | 0600);
	fd = shm_open(named("apart"), O_CREAT | O_RDWR, 0600);
	return *id >= 0 && shmat(*id, NULL, 0) != (void *)-1 && fd >= 0 &&
			       ftruncate(fd, BYTES) == 0 && map(fd, PROT_READ) ?
		       'a' :
		       'f';
}

static void test_namespaces(void **state)
{
	int *id = mmap(NULL, BYTES, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	struct child c = start(live_apart, id);
	const struct process *p, *own;
	const struct object *o;
	struct snapshot *s;

	(void)state;
	if (c.word == skipped) {
		end(&c);
		skip();
	}
	assert_int_equal(c.word, 'a');
	s = scan_with(&quiet);
	p = the_process(s, c.pid);
	own = &s->processes[s->own_process];
	assert_int_not_equal(p->ipcns, own->ipcns);
	assert_int_not_equal(p->shm_area, own->shm_area);
	assert_true(s->ipcns[p->ipcns].seen);
	assert_int_equal(s->areas[p->shm_area].bytes, 1 << 20);
	o = segment_of(s, p->ipcns, *id);
	assert_true(o && o->key == 0x77);
	assert_non_null(find_use_of(s, o, c.pid));
	o = the_object(s, OBJECT_POSIX_SHM, named("apart") + 1);
	assert_int_equal(o->area, p->shm_area);
	assert_non_null(find_use_of(s, o, c.pid));
	if (s->pid_host) {
		assert_int_not_equal(p->container, NOBODY);
		assert_int_equal(s->containers[p->container].engine, ENGINE_OTHER);
		assert_string_equal(s->containers[p->container].name, "apart");
		assert_int_equal(own->container, NOBODY);
	}
	inspect_free(s);
	end(&c);
	munmap(id, BYTES);
}

/* Two containers with one volume, a channel in it. */
static char share_volume(void *arg)
{
	(void)arg;
	if (unshare(CLONE_NEWIPC | CLONE_NEWNS) < 0 ||
	    mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
	    mount("volume", "/mnt", "tmpfs", 0, "size=8m") < 0)
		return skipped;
	setenv("COSHM_DIR", "/mnt", 1);
	if (coshm_stream_create("shared", NULL, NULL) < 0)
		return 'f';
	if (fork() == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		return unshare(CLONE_NEWIPC | CLONE_NEWNS) == 0 ? 'v' : 'f';
	}
	for (;;) /* the other one says that it is ready */
		pause();
}

static void test_volume(void **state)
{
	struct child c = start(share_volume, NULL);
	const struct object *o;
	struct snapshot *s;

	(void)state;
	s = scan_with(&quiet);
	if (c.word == skipped ||
	    !s->pid_host) { /* containers' processes are told apart by root alone */
		inspect_free(s);
		end(&c);
		return;
	}
	assert_int_equal(c.word, 'v');
	o = the_object(s, OBJECT_CHANNEL, "shared");
	assert_false(s->areas[o->area].dev_shm);
	assert_string_equal(s->areas[o->area].point, "/mnt");
	assert_int_equal(s->areas[o->area].containers, 2);
	assert_int_equal(s->areas[o->area].bytes, 8 << 20);
	inspect_free(s);
	end(&c);
}

/* Folders that were named, as they are and by a way round. */
static void test_named_folders(void **state)
{
	const char *dirs[] = { NULL, "/no/such/folder", NULL };
	const struct inspect_opts opts = { .no_engines = true, .dirs = dirs };
	char dir[] = "/tmp/coshm-inspect-XXXXXX";
	struct snapshot *s;

	(void)state;
	dirs[0] = mkdtemp(dir);
	assert_non_null(dirs[0]);
	setenv("COSHM_DIR", dir, 1);
	if (coshm_stream_create("named", NULL, NULL) < 0) {
		rmdir(dir);
		skip();
	}
	s = scan_with(&opts);
	assert_string_equal(s->areas[the_object(s, OBJECT_CHANNEL, "named")->area].point, dir);
	assert_true(s->note_count >= 1);
	assert_non_null(strstr(s->notes[0], "/no/such/folder"));
	inspect_free(s);
	assert_int_equal(coshm_remove(NULL, "named"), 0);
	rmdir(dir);
}

/* Processes come and go all the time. */
static char multiply(void *arg)
{
	(void)arg;
	for (int i = 0; i < 4; i++) {
		if (fork() != 0)
			continue;
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		for (;;) {
			pid_t pid = fork();

			if (pid == 0)
				_exit(unshare(CLONE_NEWIPC | CLONE_NEWNS));
			waitpid(pid, NULL, 0);
		}
	}
	return 'm';
}

static void test_vanishing(void **state)
{
	struct child c = start(multiply, NULL);

	(void)state;
	for (int i = 0; i < 20; i++) {
		struct snapshot *s = scan_with(&quiet);

		the_process(s, c.pid);
		inspect_free(s);
	}
	end(&c);
}

/* What cannot be seen is said, and is no failure. */
static char scan_as_nobody(void *arg)
{
	struct snapshot *s = NULL;
	char why[256], word;

	(void)arg;
	if (setgid(65534) < 0 || setuid(65534) < 0)
		return skipped;
	if (inspect_scan(&quiet, &s, why) < 0)
		return 'f';
	word = s->note_count != 0 && s->own_process != NOBODY &&
			       s->ipcns[s->processes[s->own_process].ipcns].seen ?
		       'n' :
		       'x';
	inspect_free(s);
	return word;
}

static void test_unprivileged(void **state)
{
	struct child c;

	(void)state;
	if (geteuid() != 0)
		skip();
	c = start(scan_as_nobody, NULL);
	end(&c);
	if (c.word != skipped)
		assert_int_equal(c.word, 'n');
}

static int count_fds(void)
{
	int count = 0;

	for (int fd = 0; fd < 256; fd++)
		count += fcntl(fd, F_GETFD) >= 0;
	return count;
}

static void test_nothing_left(void **state)
{
	int before = count_fds();

	(void)state;
	inspect_free(scan_with(&quiet));
	assert_int_equal(count_fds(), before);
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
	assert_int_equal(errno, ECHILD);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_files),         cmocka_unit_test(test_system_v),
		cmocka_unit_test(test_message_queue), cmocka_unit_test(test_memfd),
		cmocka_unit_test(test_channel),       cmocka_unit_test(test_namespaces),
		cmocka_unit_test(test_volume),        cmocka_unit_test(test_named_folders),
		cmocka_unit_test(test_vanishing),     cmocka_unit_test(test_unprivileged),
		cmocka_unit_test(test_nothing_left),  cmocka_unit_test(test_huge_pages),
	};

	return cmocka_run_group_tests_name("inspect_live", tests, setup, NULL);
}
