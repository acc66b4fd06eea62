/* SPDX-License-Identifier: Apache-2.0 */
/*
 * step.c - a child that is run one instruction at a time; see step.h.
 */
#include <errno.h>
#include <linux/ptrace.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "step.h"

#define STEPS_MAX 200000
#define CALLS_MAX 4096
#define AT_CALL   (SIGTRAP | 0x80) /* by PTRACE_O_TRACESYSGOOD */

/* <sys/ptrace.h> and <linux/ptrace.h> cannot be included together. */
static long trace(int request, pid_t pid, uintptr_t addr, const void *data)
{
	return syscall(SYS_ptrace, request, pid, addr, data);
}

/* What stopped it; 0 if it is gone. */
static int next_stop(pid_t pid)
{
	int status;
	pid_t got;

	do
		got = waitpid(pid, &status, __WALL);
	while (got < 0 && errno == EINTR);
	return got == pid && WIFSTOPPED(status) ? WSTOPSIG(status) : 0;
}

static int go_on(pid_t pid, int request)
{
	return trace(request, pid, 0, NULL) < 0 ? 0 : next_stop(pid);
}

static uint64_t address_of(pid_t pid)
{
	struct ptrace_syscall_info info = { 0 };

	if (trace(PTRACE_GET_SYSCALL_INFO, pid, sizeof(info), &info) < 0)
		return 0;
	return info.instruction_pointer;
}

/* Not raise(): that would put instructions of its own into what is stepped. */
void step_mark(void)
{
	/* To this thread: another one might take what is sent to the process. */
	syscall(SYS_tkill, getpid(), SIGSTOP);
}

pid_t step_start(void (*play)(void *arg), void *arg)
{
	pid_t pid = fork();
	int sig;

	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		signal(SIGINT, SIG_DFL);
		signal(SIGTERM, SIG_DFL);
		if (trace(PTRACE_TRACEME, 0, 0, NULL) < 0)
			_exit(99);
		play(arg);
		_exit(0);
	}
	if (pid < 0)
		return -1;
	sig = next_stop(pid);
	if (sig != SIGSTOP || trace(PTRACE_SETOPTIONS, pid, 0,
				    (void *)(PTRACE_O_EXITKILL | PTRACE_O_TRACESYSGOOD)) < 0) {
		if (sig != 0)
			step_kill(pid);
		return -1;
	}
	return pid;
}

/* Where each system call returns to.  The stop before a call tells the same address as after. */
static bool learn_calls(pid_t pid, struct step_way *way)
{
	bool inside = false;
	long calls = 0;
	int sig;

	while ((sig = go_on(pid, PTRACE_SYSCALL)) == AT_CALL) {
		if (inside && calls < CALLS_MAX)
			way->returns[calls++] = address_of(pid);
		inside = !inside;
	}
	way->calls = calls;
	return sig == SIGSTOP;
}

static bool learn_steps(pid_t pid, struct step_way *way)
{
	long calls = 0;
	int sig = SIGTRAP;

	way->at[0] = address_of(pid);
	while (way->steps < STEPS_MAX - 1 && (sig = go_on(pid, PTRACE_SINGLESTEP)) == SIGTRAP) {
		uint64_t at = address_of(pid);

		way->at[++way->steps] = at;
		if (calls < way->calls && at == way->returns[calls])
			way->call_step[calls++] = way->steps;
	}
	way->calls = calls; /* the last one was the mark's */
	return sig == SIGSTOP;
}

bool step_learn_calls(pid_t pid, struct step_way *way)
{
	*way = (struct step_way){ .at = malloc(STEPS_MAX * sizeof(*way->at)),
				  .returns = malloc(CALLS_MAX * sizeof(*way->returns)),
				  .call_step = malloc(CALLS_MAX * sizeof(*way->call_step)) };
	bool good = way->at && way->returns && way->call_step && learn_calls(pid, way);

	step_kill(pid);
	return good;
}

bool step_learn_steps(pid_t pid, struct step_way *way)
{
	bool good = learn_steps(pid, way);

	step_kill(pid);
	return good;
}

void step_forget(struct step_way *way)
{
	free(way->at);
	free(way->returns);
	free(way->call_step);
	*way = (struct step_way){ 0 };
}

bool step_to(pid_t pid, const struct step_way *way, long k)
{
	long calls = 0, done = 0;

	while (calls < way->calls && way->call_step[calls] <= k)
		done = way->call_step[calls++];
	for (long stops = 0; stops < 2 * calls; stops++)
		if (go_on(pid, PTRACE_SYSCALL) != AT_CALL)
			return false;
	for (; done < k; done++)
		if (go_on(pid, PTRACE_SINGLESTEP) != SIGTRAP)
			return false;
	return address_of(pid) == way->at[k];
}

bool step_release(pid_t pid)
{
	return trace(PTRACE_DETACH, pid, 0, NULL) == 0;
}

void step_kill(pid_t pid)
{
	kill(pid, SIGKILL);
	while (next_stop(pid) != 0)
		;
}
