/* SPDX-License-Identifier: Apache-2.0 */
/*
 * weak.h - memory in which every order that is not asked for can be missing.
 *
 * Include it before the lock-free cores, instead of interleave.h.  Each word has
 * a history; a load may return any value in it that the orders seen so far do
 * not rule out.  A program has three views, each the least age of every word:
 * what it must see, what it will have to see after its next acquire fence, and
 * what its relaxed stores pass on since its last release fence.  This is the
 * usual operational form of C11's release and acquire, with three cuts:
 *
 *   - a compare-and-swap looks at the newest value, also when it fails;
 *   - stores to one word take effect in the order in which they run;
 *   - a load is not late, except of payload: see weak_read_late().
 *
 * So what a machine may do is not all here; but what is here a machine may do.
 */
#ifndef COSHM_TEST_WEAK_H
#define COSHM_TEST_WEAK_H

#include <string.h>

#include "interleave.h"

#undef atomic_load_explicit
#undef atomic_store_explicit
#undef atomic_fetch_add_explicit
#undef atomic_fetch_or_explicit
#undef atomic_fetch_and_explicit
#undef atomic_compare_exchange_strong_explicit
#undef atomic_compare_exchange_weak_explicit
#undef atomic_thread_fence

#define WEAK_WORDS  64
#define WEAK_VALUES 64
#define WEAK_LATE   8

struct weak_view {
	uint8_t age[WEAK_WORDS];
};

struct weak_program {
	struct weak_view now, after_acquire, since_release;
	struct {
		const void *word;
		uint64_t wanted;
	} late[WEAK_LATE];
	unsigned int lates;
};

static struct {
	struct {
		const void *address;
		unsigned int count;
		struct {
			uint64_t value;
			struct weak_view view;
		} values[WEAK_VALUES];
	} words[WEAK_WORDS];
	unsigned int count;
	struct weak_view total; /* of the sequentially consistent fences */
	struct weak_program programs[PROGRAMS_MAX + 1];
	unsigned int stale, stale_most; /* old values that one schedule may return */
	bool wrong;
} weak;

static void weak_reset(unsigned int stale)
{
	weak.count = 0;
	memset(&weak.total, 0, sizeof(weak.total));
	memset(weak.programs, 0, sizeof(weak.programs));
	weak.stale = stale;
}

static void weak_join(struct weak_view *to, const struct weak_view *from)
{
	for (unsigned int i = 0; i < weak.count; i++)
		if (to->age[i] < from->age[i])
			to->age[i] = from->age[i];
}

static unsigned int weak_word(const void *address, uint64_t value)
{
	unsigned int i = 0;

	while (i < weak.count && weak.words[i].address != address)
		i++;
	if (i < weak.count)
		return i;
	if (i == WEAK_WORDS)
		abort();
	weak.count++;
	weak.words[i].address = address;
	weak.words[i].count = 1;
	weak.words[i].values[0].value = value;
	memset(&weak.words[i].values[0].view, 0, sizeof(struct weak_view));
	for (unsigned int p = 0; p <= PROGRAMS_MAX; p++) {
		weak.programs[p].now.age[i] = 0;
		weak.programs[p].after_acquire.age[i] = 0;
		weak.programs[p].since_release.age[i] = 0;
	}
	weak.total.age[i] = 0;
	for (unsigned int w = 0; w < weak.count; w++)
		for (unsigned int v = 0; v < weak.words[w].count; v++)
			weak.words[w].values[v].view.age[i] = 0;
	return i;
}

static bool acquires(int order)
{
	return order == memory_order_acquire || order == memory_order_acq_rel ||
	       order == memory_order_seq_cst;
}

static bool releases(int order)
{
	return order == memory_order_release || order == memory_order_acq_rel ||
	       order == memory_order_seq_cst;
}

static uint64_t weak_look(unsigned int i, unsigned int age, int order)
{
	struct weak_program *p = &weak.programs[explorer.running];

	p->now.age[i] = (uint8_t)age;
	weak_join(&p->after_acquire, &weak.words[i].values[age].view);
	if (acquires(order))
		weak_join(&p->now, &weak.words[i].values[age].view);
	weak_join(&p->after_acquire, &p->now);
	return weak.words[i].values[age].value;
}

static uint64_t weak_load(const void *address, uint64_t newest, int order)
{
	unsigned int i = weak_word(address, newest), last = weak.words[i].count - 1, back;

	if (explorer.running == PROGRAMS_MAX) /* before and after: everybody has met */
		return newest;
	back = last - weak.programs[explorer.running].now.age[i];
	back = weak.stale > 0 && back > 0 ? choose(back + 1) : 0;
	weak.stale -= back > 0;
	return weak_look(i, last - back, order);
}

static void weak_append(unsigned int i, uint64_t value, int order, bool carry)
{
	struct weak_program *p = &weak.programs[explorer.running];
	unsigned int age = weak.words[i].count++;
	struct weak_view view = releases(order) ? p->now : p->since_release;

	if (age == WEAK_VALUES)
		abort();
	if (carry) /* a release sequence goes on through read-modify-writes */
		weak_join(&view, &weak.words[i].values[age - 1].view);
	view.age[i] = (uint8_t)age;
	weak.words[i].values[age].value = value;
	weak.words[i].values[age].view = view;
	p->now.age[i] = (uint8_t)age;
	weak_join(&p->after_acquire, &p->now);
}

/* Payload that must be as it is until it is given back: a load that may come late. */
static void weak_flush(void)
{
	struct weak_program *p = &weak.programs[explorer.running];

	for (unsigned int k = 0; k < p->lates; k++) {
		uint64_t newest = *(const uint64_t *)p->late[k].word;

		if (weak_load(p->late[k].word, newest, memory_order_relaxed) != p->late[k].wanted)
			weak.wrong = true;
	}
	p->lates = 0;
}

/* A release or a fence orders it; otherwise it may come now, or after this. */
static void weak_before(bool orders)
{
	if (explorer.running < PROGRAMS_MAX && weak.programs[explorer.running].lates > 0 &&
	    (orders || choose(2) == 0))
		weak_flush();
}

static inline void weak_read_late(const void *word, uint64_t wanted)
{
	struct weak_program *p = &weak.programs[explorer.running];

	p->late[p->lates].word = word;
	p->late[p->lates++].wanted = wanted;
}

static void weak_store(const void *address, uint64_t before, uint64_t value, int order, bool carry)
{
	weak_before(releases(order));
	weak_append(weak_word(address, before), value, order, carry);
}

static uint64_t weak_newest(const void *address, uint64_t newest, int order)
{
	unsigned int i = weak_word(address, newest);

	return weak_look(i, weak.words[i].count - 1, order);
}

static void weak_fence(int order)
{
	struct weak_program *p = &weak.programs[explorer.running];

	weak_before(order != memory_order_relaxed);
	if (acquires(order))
		p->now = p->after_acquire;
	if (order == memory_order_seq_cst) {
		weak_join(&p->now, &weak.total);
		weak.total = p->now;
		weak_join(&p->after_acquire, &p->now);
	}
	if (releases(order))
		p->since_release = p->now;
}

#define atomic_load_explicit(p, order) (step(), weak_load((p), *(p), order))
#define atomic_store_explicit(p, v, order)                                                         \
	({                                                                                         \
		uint64_t weak_value = (v);                                                         \
		step();                                                                            \
		weak_store((p), *(p), weak_value, order, false);                                   \
		*(p) = weak_value;                                                                 \
	})
#define WEAK_MODIFY(p, op, v, order)                                                               \
	({                                                                                         \
		uint64_t weak_old;                                                                 \
		step();                                                                            \
		weak_old = weak_newest((p), *(p), order);                                          \
		weak_store((p), weak_old, weak_old op(v), order, true);                            \
		*(p) = weak_old op(v);                                                             \
		weak_old;                                                                          \
	})
#define atomic_fetch_add_explicit(p, v, order) WEAK_MODIFY(p, +, v, order)
#define atomic_fetch_or_explicit(p, v, order)  WEAK_MODIFY(p, |, v, order)
#define atomic_fetch_and_explicit(p, v, order) WEAK_MODIFY(p, &, v, order)
#define atomic_compare_exchange_strong_explicit(p, e, v, yes, no)                                  \
	({                                                                                         \
		bool weak_same;                                                                    \
		step();                                                                            \
		weak_same = *(p) == *(e);                                                          \
		*(e) = weak_newest((p), *(p), weak_same ? (yes) : (no));                           \
		if (weak_same) {                                                                   \
			weak_store((p), *(e), (v), yes, true);                                     \
			*(p) = (v);                                                                \
		}                                                                                  \
		weak_same;                                                                         \
	})
#define atomic_compare_exchange_weak_explicit atomic_compare_exchange_strong_explicit
#define atomic_thread_fence(order)            weak_fence(order)

#endif /* COSHM_TEST_WEAK_H */
