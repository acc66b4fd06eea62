/* SPDX-License-Identifier: Apache-2.0 */
/*
 * processes.c - the other processes of a transcript: they run functions that they
 * get through a pipe, and answer; see transcript.h.
 *
 * That one sleeps in its call is seen in /proc: its desk, in memory shared with
 * the parent, says that it is busy, and while it is, nothing but the call sleeps.
 */
#include <fcntl.h>
#include <grp.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "processes.h"
#include "transcript.h"

#define DESKS      64
#define PATIENCE_S 20 /* for a failing run alone */
#define NOBODY     65534

struct desk {
	_Atomic(pid_t) pid;
	_Atomic(int) busy;  /* 1 asked, 2 at it */
	_Atomic(int) holds; /* its lines, until they are asked for */
	size_t held;
	char name[24];
	char lines[4096];
};

const char *speaker = "main";
static struct desk *desks, *own;

static _Noreturn void give_up(const char *why)
{
	say("gave up: %s (%s)", why, error_name(errno));
	_exit(2);
}

static struct desk *new_desk(const char *name)
{
	for (int i = 0; i < DESKS; i++)
		if (desks[i].name[0] == '\0') {
			snprintf(desks[i].name, sizeof(desks[i].name), "%s", name);
			return &desks[i];
		}
	give_up("no desk is left");
}

void processes_begin(void)
{
	desks = mmap(NULL, DESKS * sizeof(*desks), PROT_READ | PROT_WRITE,
		     MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (desks == MAP_FAILED)
		give_up("no shared memory");
	atomic_store(&new_desk(speaker)->pid, getpid());
}

const char *pid_name(pid_t pid)
{
	if (pid == 0)
		return "0";
	for (int i = DESKS - 1; i >= 0; i--)
		if (atomic_load(&desks[i].pid) == pid)
			return desks[i].name;
	return "stranger";
}

struct timespec patience(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	t.tv_sec += PATIENCE_S;
	return t;
}

bool have_patience(const struct timespec *end)
{
	struct timespec t;

	nanosleep(&(struct timespec){ .tv_nsec = 100000 }, NULL);
	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec < end->tv_sec;
}

char process_state(pid_t pid, unsigned long long *switches)
{
	char path[64], text[4096];
	const char *state, *count;
	ssize_t n;
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return '?';
	n = read(fd, text, sizeof(text) - 1);
	close(fd);
	if (n <= 0)
		return '?';
	text[n] = '\0';
	state = strstr(text, "\nState:\t");
	count = strstr(text, "\nvoluntary_ctxt_switches:\t");
	if (state == NULL || count == NULL)
		return '?';
	*switches = strtoull(count + strlen("\nvoluntary_ctxt_switches:\t"), NULL, 10);
	return state[strlen("\nState:\t")];
}

bool hold_line(const char *line, size_t size)
{
	if (own == NULL || atomic_load(&own->holds) == 0)
		return false;
	if (size <= sizeof(own->lines) - own->held) {
		memcpy(own->lines + own->held, line, size);
		own->held += size;
	}
	return true;
}

static _Noreturn void serve(struct desk *desk, int from, int to)
{
	void (*what)(void);

	while (read(from, &what, sizeof(what)) == sizeof(what) && what != NULL) {
		atomic_store(&desk->busy, 2);
		what();
		atomic_store(&desk->busy, 0);
		if (write(to, "", 1) != 1)
			break;
	}
	exit(0); /* not _exit: the program's end as it usually is */
}

static pid_t start(struct desk *desk)
{
	pid_t pid = fork();

	if (pid < 0)
		give_up("no process can be made");
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		speaker = desk->name;
		own = desk;
		atomic_store(&desk->pid, getpid());
	}
	return pid;
}

void other_start(struct other *o, const char *name)
{
	int to[2], from[2];

	if (pipe2(to, O_CLOEXEC) != 0 || pipe2(from, O_CLOEXEC) != 0)
		give_up("no pipe can be made");
	o->desk = new_desk(name);
	o->pid = start(o->desk);
	if (o->pid == 0) {
		close(to[1]);
		close(from[0]);
		serve(o->desk, to[0], from[1]);
	}
	close(to[0]);
	close(from[1]);
	o->to = to[1];
	o->from = from[0];
}

static void ask(struct other *o, void (*what)(void))
{
	if (write(o->to, &what, sizeof(what)) != sizeof(what))
		give_up("a process is gone");
}

void other_begin(struct other *o, void (*what)(void))
{
	atomic_store(&o->desk->busy, 1);
	atomic_store(&o->desk->holds, 1);
	ask(o, what);
}

void other_sleeps(struct other *o)
{
	struct timespec end = patience();
	unsigned long long switches, before = 0;
	int quiet = 0;

	/* Twice the same: it was not on its way into the sleep, nor between two. */
	do {
		char state = process_state(o->pid, &switches);

		quiet = state == 'S' && atomic_load(&o->desk->busy) == 2 && switches == before ?
				quiet + 1 :
				0;
		before = switches;
	} while (quiet < 3 && have_patience(&end));
	say("%s %s", o->desk->name, quiet == 3 ? "sleeps" : "does not sleep");
}

void other_end(struct other *o)
{
	char byte;

	if (read(o->from, &byte, 1) != 1)
		say("%s is gone", o->desk->name);
	if (o->desk->held > 0 && write(STDOUT_FILENO, o->desk->lines, o->desk->held) < 0)
		give_up("no line can be written");
	o->desk->held = 0;
	atomic_store(&o->desk->holds, 0);
}

void other_do(struct other *o, void (*what)(void))
{
	ask(o, what);
	other_end(o);
}

static void bury(pid_t pid, const char *name)
{
	int status;

	if (waitpid(pid, &status, 0) != pid)
		give_up("a process cannot be awaited");
	if (WIFSIGNALED(status))
		say("%s ended by signal %d", name, WTERMSIG(status));
	else
		say("%s ended with status %d", name, WEXITSTATUS(status));
}

static void let_go(struct other *o)
{
	close(o->to);
	close(o->from);
	bury(o->pid, o->desk->name);
}

void other_exit(struct other *o)
{
	ask(o, NULL); /* the end of the pipe would not do: later processes hold it open, too */
	let_go(o);
}

void other_kill(struct other *o)
{
	kill(o->pid, SIGKILL);
	let_go(o);
}

void in_child(const char *name, void (*what)(void))
{
	struct desk *desk = new_desk(name);
	pid_t pid = start(desk);

	if (pid == 0) {
		what();
		exit(0);
	}
	bury(pid, name);
}

void become(const char *name, int id)
{
	char text[16];

	snprintf(text, sizeof(text), "%d", id);
	execl("/proc/self/exe", "conform", "--after", name, text, (char *)NULL);
	give_up("the program cannot be run again");
}

void become_nobody(void)
{
	if (setgroups(0, NULL) != 0 || setresgid(NOBODY, NOBODY, NOBODY) != 0 ||
	    setresuid(NOBODY, NOBODY, NOBODY) != 0)
		give_up("the user cannot be changed");
	prctl(PR_SET_PDEATHSIG, SIGKILL); /* the change of user has cleared it */
}
