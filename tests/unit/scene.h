/* SPDX-License-Identifier: Apache-2.0 */
/*
 * scene.h - what the tests of the library share: a directory of their own,
 * child processes that are killed and stopped, and the count of what leaks.
 *
 * Include it first.
 */
#ifndef COSHM_TEST_SCENE_H
#define COSHM_TEST_SCENE_H

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "coshm.h"

#define NAME   "channel"
#define SECOND INT64_C(1000000000)

static char scene_dir[64];

/* Groups begin and end with these. */
static int scene_setup(void **state)
{
	(void)state;
	strcpy(scene_dir, "/dev/shm/coshm-test-XXXXXX");
	if (!mkdtemp(scene_dir))
		return -1;
	return setenv("COSHM_DIR", scene_dir, 1);
}

static int scene_teardown(void **state)
{
	DIR *d = opendir(scene_dir);

	(void)state;
	/* What a test left has failed it already. */
	for (struct dirent *e; d && (e = readdir(d));)
		if (e->d_name[0] != '.')
			unlinkat(dirfd(d), e->d_name, 0);
	if (d)
		closedir(d);
	return rmdir(scene_dir);
}

static inline const char *scene_path(const char *name)
{
	static char path[256];

	snprintf(path, sizeof(path), "%s/%s", scene_dir, name);
	return path;
}

static inline int count_entries(const char *path)
{
	DIR *d = opendir(path);
	int n = 0;

	assert_non_null(d);
	while (readdir(d))
		n++;
	closedir(d);
	return n;
}

static inline int count_fds(void)
{
	return count_entries("/proc/self/fd");
}

/* Mappings that the library makes: those of our files. */
static inline int count_maps(void)
{
	FILE *f = fopen("/proc/self/maps", "re");
	char line[512];
	int n = 0;

	assert_non_null(f);
	while (fgets(line, sizeof(line), f))
		n += strstr(line, scene_dir) != NULL;
	fclose(f);
	return n;
}

/* What a test may not leave behind. */
struct belongings {
	int files, descriptors, mappings, children;
};

static inline struct belongings scene_look(void)
{
	siginfo_t info;

	return (struct belongings){
		.files = count_entries(scene_dir),
		.descriptors = count_fds(),
		.mappings = count_maps(),
		.children = waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) == 0,
	};
}

static const struct CMUnitTest *scene_test; /* as it stands in the group's table */
static struct belongings scene_before;

static int scene_begin(void **state)
{
	scene_test = *state;
	*state = scene_test->initial_state;
	scene_before = scene_look();
	return scene_test->setup_func ? scene_test->setup_func(state) : 0;
}

static int scene_left(const char *what, int before, int after)
{
	if (after == before)
		return 0;
	fprintf(stderr, "%s: %d %s before, %d after\n", scene_test->name, before, what, after);
	return -1;
}

static int scene_end(void **state)
{
	int rc = scene_test->teardown_func ? scene_test->teardown_func(state) : 0;
	struct belongings after = scene_look();

	rc |= scene_left("files", scene_before.files, after.files);
	rc |= scene_left("descriptors", scene_before.descriptors, after.descriptors);
	rc |= scene_left("mappings", scene_before.mappings, after.mappings);
	return rc | scene_left("children", scene_before.children, after.children);
}

static inline struct CMUnitTest scene_watch(const struct CMUnitTest *test)
{
	return (struct CMUnitTest){ .name = test->name,
				    .test_func = test->test_func,
				    .setup_func = scene_begin,
				    .teardown_func = scene_end,
				    .initial_state = (void *)test };
}

/* Run a group's table of tests, each one watched for what it leaves behind. */
#define scene_run(group, tests)                                                                    \
	({                                                                                         \
		struct CMUnitTest scene_watched[sizeof(tests) / sizeof((tests)[0])];               \
                                                                                                   \
		for (size_t i = 0; i < sizeof(tests) / sizeof((tests)[0]); i++)                    \
			scene_watched[i] = scene_watch(&(tests)[i]);                               \
		cmocka_run_group_tests_name(group, scene_watched, scene_setup, scene_teardown);    \
	})

#define assert_ok(call)                                                                            \
	do {                                                                                       \
		int assert_ok_rc = (call);                                                         \
		if (assert_ok_rc < 0)                                                              \
			fail_msg("%s: %d: %s", #call, assert_ok_rc, coshm_errmsg());               \
	} while (0)

/* Fails with this error, and the sentence has this in it. */
#define assert_err(call, err, words)                                                               \
	do {                                                                                       \
		assert_int_equal(call, -(err));                                                    \
		if (!strstr(coshm_errmsg(), words))                                                \
			fail_msg("\"%s\" is not in \"%s\"", words, coshm_errmsg());                \
	} while (0)

/* A child with a pipe each way; it dies with us. */
struct actor {
	pid_t pid;
	int to;   /* we write, it reads */
	int from; /* it writes, we read */
};

static inline void actor_say(const struct actor *a, char c)
{
	assert_int_equal(write(a->to, &c, 1), 1);
}

/* The next thing it says; '\0' if it is gone. */
static inline char actor_hear(const struct actor *a)
{
	char c = '\0';

	return read(a->from, &c, 1) == 1 ? c : '\0';
}

/* In a child no assertion may return to cmocka: it says so and leaves. */
#define child_check(cond)                                                                          \
	do {                                                                                       \
		if (!(cond)) {                                                                     \
			fprintf(stderr, "child, line %d: %s: %s\n", __LINE__, #cond,               \
				coshm_errmsg());                                                   \
			_exit(9);                                                                  \
		}                                                                                  \
	} while (0)

static inline struct actor actor_start(void (*play)(const struct actor *self, void *arg), void *arg)
{
	struct actor a, self;
	int down[2], up[2];

	assert_int_equal(pipe2(down, O_CLOEXEC), 0);
	assert_int_equal(pipe2(up, O_CLOEXEC), 0);
	a = (struct actor){ .to = down[1], .from = up[0] };
	self = (struct actor){ .to = up[1], .from = down[0] };
	fflush(NULL);
	a.pid = fork();
	assert_true(a.pid >= 0);
	if (a.pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		close(a.to);
		close(a.from);
		play(&self, arg);
		_exit(0);
	}
	close(self.to);
	close(self.from);
	return a;
}

/* Wait for its end; the status of waitpid. */
static inline int actor_end(struct actor *a)
{
	int status = -1;

	assert_int_equal(waitpid(a->pid, &status, 0), a->pid);
	close(a->to);
	close(a->from);
	return status;
}

static inline void actor_kill(struct actor *a)
{
	kill(a->pid, SIGKILL);
	actor_end(a);
}

static inline void actor_stop(const struct actor *a)
{
	int status;

	kill(a->pid, SIGSTOP);
	assert_int_equal(waitpid(a->pid, &status, WUNTRACED), a->pid);
}

#endif /* COSHM_TEST_SCENE_H */
