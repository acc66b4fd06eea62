/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fork.c - what a forked child has of its parent: the attachments, and nothing else.
 *
 * The handlers are set up with the table, so no process pays for them that uses no
 * System V call.  vfork needs none: its child has its parent's memory until exec.
 */
#include <pthread.h>

#include "attach.h"
#include "peer.h"
#include "sem.h"
#include "token.h"

static void prepare(void)
{
	/* The order in which calls take them. */
	attach_fork_prepare();
	sem_fork_prepare();
	token_fork_prepare();
}

static void parent(void)
{
	token_fork_done();
	sem_fork_parent();
	attach_fork_parent();
}

static void child(void)
{
	token_fork_done();
	sem_fork_child();
	attach_fork_child();
}

void fork_setup(void)
{
	/* What is set up last is prepared first: ours before the guard, which token_take() needs.
	 */
	peer_guard();
	peer_unguard();
	pthread_atfork(prepare, parent, child);
}
