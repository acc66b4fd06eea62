/* SPDX-License-Identifier: Apache-2.0 */
/*
 * handlers.c - the calls that install a signal handler, watched.
 *
 * What was installed before the first look is asked of the kernel; a system call
 * made through syscall(2) is seen in syscall.c.
 */
#include <signal.h>

#include "handlers.h"
#include "real.h"

_Atomic int handlers_state;

void handlers_note(void)
{
	/* Relaxed: before the handler can run on this thread, it has this behind it. */
	atomic_store_explicit(&handlers_state, HANDLERS_SOME, memory_order_relaxed);
}

static bool is_handler(void (*handler)(int))
{
	return handler != SIG_DFL && handler != SIG_IGN && handler != SIG_HOLD &&
	       handler != SIG_ERR;
}

bool handlers_look(void)
{
	int unknown = HANDLERS_UNKNOWN;
	struct sigaction action;

	for (int i = 1; i < NSIG; i++)
		if (REAL(sigaction)(i, NULL, &action) == 0 && is_handler(action.sa_handler))
			handlers_note();
	/* Relaxed: one that is installed meanwhile has been noted before. */
	atomic_compare_exchange_strong_explicit(&handlers_state, &unknown, HANDLERS_NONE,
						memory_order_relaxed, memory_order_relaxed);
	return atomic_load_explicit(&handlers_state, memory_order_relaxed) == HANDLERS_SOME;
}

SHIM_EXPORT int sigaction(int number, const struct sigaction *action, struct sigaction *old)
{
	if (action && is_handler(action->sa_handler))
		handlers_note();
	return REAL(sigaction)(number, action, old);
}

/*
 * Of the same form, by the names that there have been for it.  Not by REAL(): a header
 * that tells programs not to use one of them tells us, too.
 */
#define WATCHED(name)                                                                              \
	SHIM_EXPORT sighandler_t name(int number, sighandler_t handler)                            \
	{                                                                                          \
		static _Atomic(void *) real;                                                       \
                                                                                                   \
		if (is_handler(handler))                                                           \
			handlers_note();                                                           \
		return ((sighandler_t(*)(int, sighandler_t))real_find(&real, #name))(number,       \
										     handler);     \
	}

extern sighandler_t __sysv_signal(int number, sighandler_t handler);
extern sighandler_t bsd_signal(int number, sighandler_t handler);

WATCHED(signal)
WATCHED(__sysv_signal)
WATCHED(sysv_signal)
WATCHED(bsd_signal)
WATCHED(ssignal)
WATCHED(sigset)
