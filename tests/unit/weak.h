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
 *   - no load returns what is stored after it, which a machine may do if the
 *     load is relaxed.
 *
 * So what a machine may do is not all here; but what is here a machine may do.
 * The last cut is no loss for payload that is plain memory: there each access
 * must be ordered with each other one that matters, in all executions, as C11
 * demands it; see weak_plain_write().
 */
#ifndef COSHM_TEST_WEAK_H
#define COSHM_TEST_WEAK_H

#include <string.h>

#include "interleave.h"

#undef atomic_load_explicit
#undef atomic_store_explicit
#undef atomic_exchange_explicit
#undef atomic_fetch_add_explicit
#undef atomic_fetch_or_explicit
#undef atomic_fetch_and_explicit
#undef atomic_compare_exchange_strong_explicit
#undef atomic_compare_exchange_weak_explicit
#undef atomic_thread_fence

#define WEAK_WORDS  64
#define WEAK_VALUES 64

struct weak_view {
	uint8_t age[WEAK_WORDS];
};

struct weak_program {
	struct weak_view now, after_acquire, since_release;
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

/*
 * Plain memory: who writes it must have all that was written and read there
 * before behind him, and who reads it all that was written, by some edge.  Each
 * program's reads count as a word of their own, so that views tell.
 */
static bool weak_behind(const void *address)
{
	unsigned int i = weak_word(address, 0);

	return weak.programs[explorer.running].now.age[i] == weak.words[i].count - 1;
}

static const void *weak_reads_of(const uint64_t *word, unsigned int program)
{
	return (const char *)word + 1 + program;
}

static inline void weak_plain_write(uint64_t *word, uint64_t value)
{
	if (explorer.running < PROGRAMS_MAX) {
		weak.wrong |= !weak_behind(word);
		for (unsigned int i = 0; i < explorer.scenario->count; i++)
			weak.wrong |= !weak_behind(weak_reads_of(word, i));
		weak_append(weak_word(word, 0), 0, memory_order_relaxed, false);
	}
	*word = value;
}

static inline uint64_t weak_plain_read(const uint64_t *word)
{
	const void *reads = weak_reads_of(word, explorer.running);

	if (explorer.running < PROGRAMS_MAX) {
		weak.wrong |= !weak_behind(word);
		weak_append(weak_word(reads, 0), 0, memory_order_relaxed, false);
	}
	return *word;
}

static void weak_store(const void *address, uint64_t before, uint64_t value, int order, bool carry)
{
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
/* What membarrier(2) does: each program executes a fence, wherever it is. */
static inline void weak_membarrier(void)
{
	unsigned int caller = explorer.running;

	weak_fence(memory_order_seq_cst);
	for (unsigned int i = 0; i < explorer.scenario->count; i++) {
		explorer.running = i;
		weak_fence(memory_order_seq_cst);
	}
	explorer.running = caller;
	weak_fence(memory_order_seq_cst);
}

#define WEAK_MODIFY(p, op, v, order)                                                               \
	({                                                                                         \
		uint64_t weak_old;                                                                 \
		step();                                                                            \
		weak_old = weak_newest((p), *(p), order);                                          \
		weak_store((p), weak_old, weak_old op(v), order, true);                            \
		*(p) = weak_old op(v);                                                             \
		weak_old;                                                                          \
	})
#define atomic_exchange_explicit(p, v, order)  WEAK_MODIFY(p, *0 |, v, order)
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
