/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_inspect_vanish.c - processes that end while a scan looks through them: it
 * goes on through others that are in the same place.  On a recorded machine, who
 * has ended lacks files.
 */
#include "inspect_scene.h"

#include <fcntl.h>
#include <ftw.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/shm.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "coshm.h"
#include "ipcns.h"

#define SHM_LINE    "30 29 0:51 / /dev/shm rw - tmpfs shm rw,size=1024k\n"
#define VOLUME_LINE "31 29 0:61 / /mnt rw - tmpfs volume rw\n"
#define GONE        INT32_MAX /* no pid is so large */

static char machine[] = "/tmp/coshm-vanish-XXXXXX";

static int remove_entry(const char *path, const struct stat *stat, int type, struct FTW *at)
{
	(void)stat, (void)type, (void)at;
	return remove(path);
}

static int setup(void **state)
{
	(void)state;
	strcpy(machine + strlen(machine) - 6, "XXXXXX");
	return mkdtemp(machine) ? 0 : -1;
}

static int teardown(void **state)
{
	(void)state;
	return nftw(machine, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
}

/* Where a process's file is; the folders above it are made. */
static const char *path_of(pid_t pid, const char *name)
{
	static char path[512];

	snprintf(path, sizeof(path), "%s/proc/%d/%s", machine, pid, name);
	for (char *slash = path + strlen(machine); (slash = strchr(slash + 1, '/'));) {
		*slash = '\0';
		mkdir(path, 0755);
		*slash = '/';
	}
	return path;
}

static void write_file(pid_t pid, const char *name, const char *text)
{
	int fd = open(path_of(pid, name), O_WRONLY | O_CREAT | O_TRUNC, 0644);

	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	close(fd);
}

/* What is read as it is listed: a process of a container, whose digits are all the same. */
static void add_process(pid_t pid, char container)
{
	char text[256], id[65] = { 0 }, mntns[32];

	memset(id, container, 64);
	snprintf(text, sizeof(text),
		 "%d (sleep) S 1 %d %d 0 -1 4194560 0 0 0 0 0 0 0 0 20 0 1 0 %d 0", pid, pid, pid,
		 500 + pid);
	write_file(pid, "stat", text);
	write_file(pid, "status", "Uid:\t0\t0\t0\t0\nGid:\t0\t0\t0\t0\n");
	snprintf(text, sizeof(text), "0::/system.slice/docker-%s.scope\n", id);
	write_file(pid, "cgroup", text);
	snprintf(mntns, sizeof(mntns), "mnt:[40265324%02d]", container);
	assert_int_equal(symlink("ipc:[4026532300]", path_of(pid, "ns/ipc")), 0);
	assert_int_equal(symlink(mntns, path_of(pid, "ns/mnt")), 0);
	assert_int_equal(symlink("pid:[4026532301]", path_of(pid, "ns/pid")), 0);
	assert_int_equal(symlink("user:[4026531837]", path_of(pid, "ns/user")), 0);
}

static struct snapshot *scan(void)
{
	const struct inspect_opts opts = { .root = machine, .no_engines = true };

	return scan_with(&opts);
}

/* Of many in a place, the last one alone lives long enough for each of the steps. */
static void test_files_through_the_last(void **state)
{
	const struct shm_area *area;
	struct snapshot *s;

	(void)state;
	for (pid_t pid = 10; pid <= 18; pid++)
		add_process(pid, 'a');
	write_file(17, "mountinfo", SHM_LINE);
	write_file(18, "root/dev/shm/frames", "frames");
	s = scan();
	area = &s->areas[the_object(s, OBJECT_POSIX_SHM, "frames")->area];
	assert_true(area->seen);
	assert_int_equal(area->pid, 18);
	inspect_free(s);
}

/* Two containers with one /dev/shm; all of the first one have ended. */
static void test_files_through_another_container(void **state)
{
	const struct shm_area *area;
	struct snapshot *s;

	(void)state;
	add_process(10, 'a');
	write_file(10, "mountinfo", SHM_LINE);
	add_process(20, 'b');
	write_file(20, "mountinfo", SHM_LINE);
	write_file(20, "root/dev/shm/frames", "frames");
	s = scan();
	area = &s->areas[the_object(s, OBJECT_POSIX_SHM, "frames")->area];
	assert_int_equal(area->pid, 20);
	assert_int_equal(area->containers, 2);
	inspect_free(s);
}

/* The same of a volume, in which only the second one of its container has lived on. */
static void test_volume_through_another_container(void **state)
{
	const struct shm_area *area;
	struct snapshot *s;

	(void)state;
	add_process(10, 'a');
	write_file(10, "mountinfo", VOLUME_LINE);
	add_process(20, 'b');
	add_process(21, 'b');
	write_file(20, "mountinfo", VOLUME_LINE);
	write_file(21, "root/mnt/other", "");
	setenv("COSHM_DIR", path_of(21, "root/mnt"), 1);
	if (coshm_stream_create("ticks", NULL, NULL) < 0)
		return; /* not in this file system */
	s = scan();
	area = &s->areas[the_object(s, OBJECT_CHANNEL, "ticks")->area];
	assert_string_equal(area->point, "/mnt");
	assert_int_equal(area->pid, 21);
	inspect_free(s);
}

/* Nobody is left: that is no lack, and he who has ended is not taken for alive. */
static void test_all_gone(void **state)
{
	struct snapshot *s;

	(void)state;
	add_process(10, 'a');
	write_file(10, "mountinfo", SHM_LINE VOLUME_LINE);
	add_process(20, 'b');
	write_file(20, "mountinfo", VOLUME_LINE);
	write_file(20, "maps", "");
	s = scan();
	assert_int_equal(the_process(s, 10)->state, 'X');
	assert_int_equal(the_process(s, 20)->state, 'S');
	for (unsigned int i = 0; i < s->note_count; i++)
		assert_null(strstr(s->notes[i], "files"));
	inspect_free(s);
}

/* A child in an IPC namespace of its own, with one segment there; it says when it is ready. */
static pid_t start_namespace(int ends[2])
{
	char word = 'x';
	pid_t pid;

	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	pid = fork();
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (unshare(CLONE_NEWIPC) < 0 || shmget(0x162e, 4096, IPC_CREAT | 0600) < 0)
			word = 's';
		(void)!write(ends[1], &word, 1);
		for (;;)
			pause();
	}
	close(ends[1]);
	return pid;
}

static ino_t ipcns_of(pid_t pid)
{
	struct stat st;
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/ns/ipc", pid);
	assert_int_equal(stat(path, &st), 0);
	return st.st_ino;
}

/* What the child sends that enters a namespace through these. */
static FILE *enter_through(pid_t *pids, unsigned int count, ino_t ino)
{
	const struct ipcns ns = { .ino = ino, .pid = pids[0] };
	const struct witnesses witnesses = { pids, count };
	const struct enter_plan plan = { .proc = open("/proc", O_PATH | O_DIRECTORY),
					 .ipcns = &ns,
					 .witnesses = &witnesses,
					 .ipcns_count = 1 };
	int ends[2];

	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	if (fork() == 0)
		ipcns_enter(&plan, ends[1]);
	close(ends[1]);
	close(plan.proc);
	return fdopen(ends[0], "r");
}

static void check_frames(FILE *from, pid_t through)
{
	char text[FRAME_BYTES_MAX + 1];
	bool segment = false;
	struct frame f;

	assert_int_equal(fread(&f, sizeof(f), 1, from), 1);
	assert_int_equal(f.kind, FRAME_THROUGH);
	assert_int_equal(f.number, through);
	while (fread(&f, sizeof(f), 1, from) == 1) {
		assert_int_equal(fread(text, 1, f.bytes, from), f.bytes);
		text[f.bytes] = '\0';
		segment |= f.kind == FRAME_SHM && strstr(text, "      5678 ");
	}
	assert_true(segment);
}

static void test_namespace_through_the_last(void **state)
{
	pid_t pids[9] = { 0 };
	int ends[2];
	char word;
	FILE *from;

	(void)state;
	for (int i = 0; i < 7; i++)
		pids[i] = GONE - i;
	pids[7] = getpid(); /* of a pid that was used again, elsewhere */
	pids[8] = start_namespace(ends);
	assert_int_equal(read(ends[0], &word, 1), 1);
	if (word == 'x') { /* else it takes root */
		from = enter_through(pids, 9, ipcns_of(pids[8]));
		assert_non_null(from);
		check_frames(from, pids[8]);
		fclose(from);
	}
	close(ends[0]);
	kill(pids[8], SIGKILL);
	while (waitpid(-1, NULL, 0) > 0)
		;
}

#define TEST(name) cmocka_unit_test_setup_teardown(test_##name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(files_through_the_last),           TEST(files_through_another_container),
		TEST(volume_through_another_container), TEST(all_gone),
		TEST(namespace_through_the_last),
	};

	return cmocka_run_group_tests_name("inspect_vanish", tests, NULL, NULL);
}
