/* SPDX-License-Identifier: Apache-2.0 */
/*
 * handlers.c - the calls that install a signal handler: a relay of ours is installed,
 * which counts and calls it.  The program is told of its own one.
 *
 * Of what was installed before the first look the kernel is asked; a system call made
 * through syscall(2) is seen in syscall.c.  Those handlers are not counted.
 */
#include <signal.h>

#include "handlers.h"
#include "real.h"

_Atomic int handlers_state;
_Thread_local volatile uint32_t handlers_ran;

/* Called with three arguments also if it takes one: so does the kernel. */
typedef void (*handler_fn)(int number, siginfo_t *info, void *context);
static _Atomic(handler_fn) wanted[NSIG];

void handlers_note(void)
{
	/* Relaxed: before the handler can run on this thread, it has this behind it. */
	atomic_store_explicit(&handlers_state, HANDLERS_SOME, memory_order_relaxed);
}

static void relay(int number, siginfo_t *info, void *context)
{
	handlers_ran++;
	/* Acquire: as what the program has prepared for its handler is there. */
	atomic_load_explicit(&wanted[number], memory_order_acquire)(number, info, context);
}

static void relay_plain(int number)
{
	relay(number, NULL, NULL);
}

static bool is_handler(void (*handler)(int))
{
	return handler != SIG_DFL && handler != SIG_IGN && handler != SIG_HOLD &&
	       handler != SIG_ERR;
}

static bool is_relay(void (*handler)(int))
{
	return handler == relay_plain || handler == (void (*)(int))(void *)relay;
}

static bool is_number(int number)
{
	return number > 0 && number < NSIG;
}

static handler_fn want(int number, handler_fn handler)
{
	return atomic_exchange_explicit(&wanted[number], handler, memory_order_acq_rel);
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
	bool handler = action && is_number(number) && is_handler(action->sa_handler);
	handler_fn before = is_number(number) ? atomic_load(&wanted[number]) : NULL;
	struct sigaction ours, was;

	if (!shim_dir())
		return REAL(sigaction)(number, action, old);
	if (action)
		ours = *action;
	if (handler) {
		handlers_note();
		want(number, ours.sa_sigaction);
		if (ours.sa_flags & SA_SIGINFO)
			ours.sa_sigaction = relay;
		else
			ours.sa_handler = relay_plain;
	}
	if (REAL(sigaction)(number, action ? &ours : NULL, &was) < 0) {
		if (handler)
			want(number, before);
		return -1;
	}
	if (is_relay(was.sa_handler))
		was.sa_sigaction = before;
	if (old)
		*old = was;
	return 0;
}

typedef sighandler_t (*signal_fn)(int number, sighandler_t handler);

static sighandler_t by_signal(signal_fn real, int number, sighandler_t handler)
{
	handler_fn before = is_number(number) ? atomic_load(&wanted[number]) : NULL;
	bool is = is_number(number) && is_handler(handler);
	sighandler_t was;

	if (!shim_dir())
		return real(number, handler);
	if (is) {
		handlers_note();
		want(number, (handler_fn)(void *)handler);
	}
	was = real(number, is ? relay_plain : handler);
	if (is && was == SIG_ERR)
		want(number, before);
	return is_relay(was) ? (sighandler_t)(void *)before : was;
}

/*
 * Of the same form, by the names that there have been for it.  Not by REAL(): a header
 * that tells programs not to use one of them tells us, too.
 */
#define RELAYED(name)                                                                              \
	SHIM_EXPORT sighandler_t name(int number, sighandler_t handler)                            \
	{                                                                                          \
		static _Atomic(void *) real;                                                       \
                                                                                                   \
		return by_signal((signal_fn)real_find(&real, #name), number, handler);             \
	}

extern sighandler_t __sysv_signal(int number, sighandler_t handler);
extern sighandler_t bsd_signal(int number, sighandler_t handler);

RELAYED(signal)
RELAYED(__sysv_signal)
RELAYED(sysv_signal)
RELAYED(bsd_signal)
RELAYED(ssignal)
RELAYED(sigset)
