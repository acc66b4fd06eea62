/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fork.c - what a forked child has of its parent: the attachments, and nothing else.
 *
 * The handlers are set up at the start, if there is a directory: a thread that opens
 * the table while another forks would leave a child that can never open it.
 * vfork needs none: its child has its parent's memory until exec.
 */
#include <pthread.h>

#include "attach.h"
#include "peer.h"
#include "real.h"
#include "sem.h"
#include "token.h"

/* The forking thread's, from before it takes the first mutex until it has left the last. */
static sigset_t signals_kept;
static int cancel_kept;

static void prepare(void)
{
	sigset_t signals;
	int cancel;

	/* A handler that makes a call of ours would wait for the thread that it interrupted. */
	signals_block(&signals);
	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &cancel);
	/* The order in which calls take them. */
	table_fork_prepare();
	signals_kept = signals;
	cancel_kept = cancel;
	attach_fork_prepare();
	sem_fork_prepare();
	token_fork_prepare();
}

static void done(void)
{
	sigset_t signals = signals_kept;
	int cancel = cancel_kept;

	table_fork_done();
	pthread_setcancelstate(cancel, NULL);
	signals_restore(&signals);
}

static void parent(void)
{
	token_fork_done();
	sem_fork_parent();
	attach_fork_parent();
	done();
}

static void child(void)
{
	token_fork_done();
	sem_fork_child();
	attach_fork_child();
	done();
}

static void set_up(void)
{
	/* What is set up last is prepared first: ours before the guard, which token_take() needs.
	 */
	peer_guard();
	peer_unguard();
	pthread_atfork(prepare, parent, child);
}

void fork_setup(void)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	pthread_once(&once, set_up);
}

__attribute__((constructor)) static void begin(void)
{
	if (shim_dir())
		fork_setup();
}
