/* SPDX-License-Identifier: Apache-2.0 */
/*
 * interleave.h - run small programs in every order, and kill them everywhere.
 *
 * Include it before the lock-free cores: it makes each of their atomic
 * operations a point at which another program may go on, or this one may be
 * killed.  Programs are coroutines of one thread.  All schedules with up to a
 * number of preemptions and kills are run, one after the other, each from the
 * beginning.  Memory is sequentially consistent here: that the orders named in
 * the cores suffice is for weak.h to say.
 */
#ifndef COSHM_TEST_INTERLEAVE_H
#define COSHM_TEST_INTERLEAVE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <ucontext.h>

static void step(void);

#undef atomic_load_explicit
#undef atomic_store_explicit
#undef atomic_exchange_explicit
#undef atomic_fetch_add_explicit
#undef atomic_fetch_or_explicit
#undef atomic_fetch_and_explicit
#undef atomic_compare_exchange_strong_explicit
#undef atomic_compare_exchange_weak_explicit
#undef atomic_thread_fence

#define atomic_load_explicit(p, order)     (step(), *(p))
#define atomic_store_explicit(p, v, order) (step(), (void)(*(p) = (v)))
#define READ_MODIFY_WRITE(p, op, v)                                                                \
	({                                                                                         \
		uint64_t read_modify_write_old;                                                    \
		step();                                                                            \
		read_modify_write_old = *(p);                                                      \
		*(p) = read_modify_write_old op(v);                                                \
		read_modify_write_old;                                                             \
	})
#define atomic_fetch_add_explicit(p, v, order) READ_MODIFY_WRITE(p, +, v)
#define atomic_fetch_or_explicit(p, v, order)  READ_MODIFY_WRITE(p, |, v)
#define atomic_fetch_and_explicit(p, v, order) READ_MODIFY_WRITE(p, &, v)
#define atomic_compare_exchange_strong_explicit(p, e, v, yes, no)                                  \
	({                                                                                         \
		bool compare_exchange_same;                                                        \
		step();                                                                            \
		compare_exchange_same = *(p) == *(e);                                              \
		if (compare_exchange_same)                                                         \
			*(p) = (v);                                                                \
		else                                                                               \
			*(e) = *(p);                                                               \
		compare_exchange_same;                                                             \
	})
#define atomic_compare_exchange_weak_explicit atomic_compare_exchange_strong_explicit
#define atomic_thread_fence(order)            ((void)0)

#define PROGRAMS_MAX 4
#define STEPS_MAX    4096
#define STACK_BYTES  65536

enum program_state { PROGRAM_READY, PROGRAM_DONE, PROGRAM_KILLED };

struct program {
	void (*run)(unsigned int me);
	bool may_be_killed;
	enum program_state state;
	ucontext_t context;
	char *stack;
};

struct scenario {
	void (*begin)(void); /* set memory up             */
	void (*end)(void);   /* recover, and check        */
	struct program programs[PROGRAMS_MAX];
	unsigned int count;
	unsigned int preemptions; /* in one schedule, at most  */
	unsigned int kills;
	const bool *found; /* what stops the search; may be NULL */
};

/* A choice that was made: option @taken of @options. */
struct choice {
	unsigned int taken, options;
};

static struct {
	struct scenario *scenario;
	unsigned int running; /* PROGRAMS_MAX: none, the scheduler is */
	unsigned int preemptions, kills;
	ucontext_t scheduler;
	struct choice choices[STEPS_MAX];
	unsigned int made, planned;
	unsigned long schedules, killed;
} explorer = { .running = PROGRAMS_MAX };

static void step(void)
{
	if (explorer.running < PROGRAMS_MAX)
		swapcontext(&explorer.scenario->programs[explorer.running].context,
			    &explorer.scheduler);
}

static unsigned int choose(unsigned int options)
{
	struct choice *c = &explorer.choices[explorer.made];

	if (explorer.made == STEPS_MAX)
		abort(); /* a program that does not end */
	if (explorer.made++ >= explorer.planned)
		*c = (struct choice){ 0, options };
	return c->taken;
}

static void enter(unsigned int i)
{
	explorer.scenario->programs[i].run(i);
	explorer.scenario->programs[i].state = PROGRAM_DONE;
}

static unsigned int others(unsigned int except, unsigned int list[])
{
	unsigned int n = 0;

	for (unsigned int i = 0; i < explorer.scenario->count; i++)
		if (i != except && explorer.scenario->programs[i].state == PROGRAM_READY)
			list[n++] = i;
	return n;
}

/* Who goes on?  First option: the same as before; then each other one; last, its death. */
static unsigned int schedule(unsigned int current)
{
	struct program *p = &explorer.scenario->programs[current];
	unsigned int list[PROGRAMS_MAX], n = others(current, list), taken, switches;

	if (p->state != PROGRAM_READY)
		return n == 0 ? PROGRAMS_MAX : list[choose(n)];
	switches = explorer.preemptions > 0 ? n : 0;
	taken = choose(1 + switches + (p->may_be_killed && explorer.kills > 0));
	if (taken == 0)
		return current;
	if (taken <= switches) {
		explorer.preemptions--;
		return list[taken - 1];
	}
	explorer.kills--;
	explorer.killed++;
	p->state = PROGRAM_KILLED;
	return n == 0 ? PROGRAMS_MAX : list[choose(n)];
}

static void run_once(void)
{
	struct scenario *s = explorer.scenario;
	unsigned int current = 0;

	explorer.made = 0;
	explorer.preemptions = s->preemptions;
	explorer.kills = s->kills;
	s->begin();
	for (unsigned int i = 0; i < s->count; i++) {
		struct program *p = &s->programs[i];

		p->state = PROGRAM_READY;
		getcontext(&p->context);
		p->context.uc_stack.ss_sp = p->stack;
		p->context.uc_stack.ss_size = STACK_BYTES;
		p->context.uc_link = &explorer.scheduler;
		makecontext(&p->context, (void (*)(void))enter, 1, i);
	}
	for (current = choose(s->count); current < PROGRAMS_MAX; current = schedule(current)) {
		explorer.running = current;
		swapcontext(&explorer.scheduler, &s->programs[current].context);
		explorer.running = PROGRAMS_MAX;
	}
	s->end();
}

/* All schedules, or until something was found; how many there were is in explorer.schedules. */
static void explore(struct scenario *s)
{
	explorer.scenario = s;
	explorer.schedules = explorer.killed = 0;
	explorer.planned = 0;
	for (unsigned int i = 0; i < s->count; i++)
		s->programs[i].stack = malloc(STACK_BYTES);
	for (;;) {
		run_once();
		explorer.schedules++;
		/* The next schedule: another option at the last choice that has one left. */
		while (explorer.made > 0 && explorer.choices[explorer.made - 1].taken + 1 ==
						    explorer.choices[explorer.made - 1].options)
			explorer.made--;
		if (explorer.made == 0 || (s->found && *s->found))
			break;
		explorer.choices[explorer.made - 1].taken++;
		explorer.planned = explorer.made;
	}
	for (unsigned int i = 0; i < s->count; i++)
		free(s->programs[i].stack);
}

static inline bool was_killed(unsigned int i)
{
	return explorer.scenario->programs[i].state == PROGRAM_KILLED;
}

#endif /* COSHM_TEST_INTERLEAVE_H */
