/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sem_queue.c - those who sleep on a set, first come first served.
 *
 * The queue is a list, and its order the tickets': if its owner dies, it is made anew.
 */
#include <time.h>
#include <unistd.h>

#include "sem.h"
#include "wait.h" /* cpu_relax() */

/*
 * Before it sleeps, a call looks as long as it takes to wake somebody on another processor
 * who then answers; not if that was in vain, but for now and then.
 */
#define SPIN_NS    INT64_C(60000)
#define SPIN_TRIES 256

#define SHORT_NS INT64_C(5000000)
#define LONG_NS  INT64_C(50000000)
/* A signal waits for at most this part of the time that was slept. */
#define SLICE_PART 16
/* Everybody looks at everything so often. */
#define LOOK_NS INT64_C(100000000)

/* ---- places ---- */

static uint64_t self(void)
{
	const struct token *t = token_mine();

	return SYSV_LOCK_WORD(t->index, t->epoch);
}

bool sem_sleeper_alive(struct sem_set *set, uint32_t sleeper)
{
	/* Acquire: A4, if it has gone already. */
	uint64_t owner =
		atomic_load_explicit(&sem_sleeper(set, sleeper)->owner, memory_order_acquire);

	return owner != 0 &&
	       (owner == self() || token_alive(SYSV_LOCK_TOKEN(owner), SYSV_LOCK_EPOCH(owner)));
}

static void leave_place(struct sem_sleeper_shared *s)
{
	atomic_store_explicit(&s->owner, 0, memory_order_release); /* A3 */
}

static int find_place(struct sem_set *set)
{
	uint32_t count = sem_sleepers(set);
	int err;

	for (uint32_t i = 0; i < count; i++)
		if (atomic_load_explicit(&sem_sleeper(set, i)->owner, memory_order_acquire) ==
		    0) /* A4 */
			return (int)i;
	for (uint32_t i = 0; i < count; i++)
		if (!sem_sleeper_alive(set, i)) {
			sem_queue_bury(set, i);
			return (int)i;
		}
	err = sem_set_grow_sleepers(set);
	return err < 0 ? -ENOMEM : (int)count;
}

/* ---- the list ---- */

static bool sound(struct sem_set *set, const struct sem_sleeper_shared *s)
{
	if (s->count > set->shape.ops)
		return false;
	for (uint32_t i = 0; i < s->count; i++)
		if (s->op[i].sem >= set->shape.sems)
			return false;
	return true;
}

static void append(struct sem_set *set, uint32_t sleeper)
{
	struct sem_sleeper_shared *s = sem_sleeper(set, sleeper);
	uint32_t last = set->shared->last;

	s->before = last;
	s->next = 0;
	if (last != 0 && last <= sem_sleepers(set))
		sem_sleeper(set, last - 1)->next = sleeper + 1;
	else
		sem_put(set->shared->first, sleeper + 1);
	set->shared->last = sleeper + 1;
	sem_hold_ops(set, s->op, s->count);
}

int sem_queue_join(struct sem_set *set, const struct sem_op_shared *op, uint32_t count,
		   uint32_t record, uint32_t blocks)
{
	struct sem_sleeper_shared *s;
	int place = find_place(set);

	if (place < 0)
		return place;
	s = sem_sleeper(set, (uint32_t)place);
	for (uint32_t i = 0; i < count; i++)
		s->op[i] = op[i];
	s->count = count;
	s->record = record;
	s->blocks = blocks;
	s->pid = token_pid();
	s->ticket = ++set->shared->ticket;
	sem_put(s->answer, SEM_SLEEPS);
	/* Release: whoever makes the queue anew finds it whole. */
	atomic_store_explicit(&s->owner, self(), memory_order_release);
	append(set, (uint32_t)place);
	return place;
}

void sem_queue_unlink(struct sem_set *set, uint32_t sleeper)
{
	struct sem_sleeper_shared *s = sem_sleeper(set, sleeper);
	uint32_t before = s->before, next = s->next, end = sem_sleepers(set);

	if (before != 0 && before <= end)
		sem_sleeper(set, before - 1)->next = next;
	else
		sem_put(set->shared->first, next);
	if (next != 0 && next <= end)
		sem_sleeper(set, next - 1)->before = before;
	else
		set->shared->last = before;
	if (sound(set, s))
		sem_unhold_ops(set, s->op, s->count);
}

void sem_queue_bury(struct sem_set *set, uint32_t sleeper)
{
	struct sem_sleeper_shared *s = sem_sleeper(set, sleeper);

	if (sem_get(s->answer) == SEM_SLEEPS)
		sem_queue_unlink(set, sleeper);
	leave_place(s);
}

void sem_wake(struct sem_set *set, uint32_t sleeper)
{
	futex_wake(&sem_sleeper(set, sleeper)->answer, 1);
}

void sem_queue_answer(struct sem_set *set, struct sem_turn *turn, uint32_t sleeper, int err)
{
	sem_queue_unlink(set, sleeper);
	atomic_store_explicit(&sem_sleeper(set, sleeper)->answer, (uint32_t)err,
			      memory_order_release); /* A1 */
	if (turn->wakes.count < sizeof(turn->wakes.sleeper) / sizeof(turn->wakes.sleeper[0]))
		turn->wakes.sleeper[turn->wakes.count++] = sleeper;
	else
		sem_wake(set, sleeper);
}

void sem_queue_dismiss(struct sem_set *set, struct sem_turn *turn, int err)
{
	for (uint32_t i = 0; i < SEM_SLEEPERS; i++) {
		uint32_t first = sem_get(set->shared->first);

		if (first == 0 || first > sem_sleepers(set))
			return;
		sem_queue_answer(set, turn, first - 1, err);
	}
}

/* The one who came next after @ticket, of those who sleep; 0 if there is none. */
static uint32_t next_by_ticket(struct sem_set *set, uint64_t ticket)
{
	uint32_t found = 0, count = sem_sleepers(set);

	for (uint32_t i = 0; i < count; i++) {
		struct sem_sleeper_shared *s = sem_sleeper(set, i);

		if (atomic_load_explicit(&s->owner, memory_order_acquire) != 0 /* A4 */ &&
		    sem_get(s->answer) == SEM_SLEEPS && s->ticket > ticket && sound(set, s) &&
		    (found == 0 || s->ticket < sem_sleeper(set, found - 1)->ticket))
			found = i + 1;
	}
	return found;
}

void sem_queue_rebuild(struct sem_set *set)
{
	uint32_t at;
	uint64_t ticket = 0;

	for (uint32_t i = 0; i < set->shape.sems; i++)
		sem_put(set->sems[i].holds, 0);
	sem_put(set->shared->first, 0);
	set->shared->last = 0;
	for (uint32_t i = 0; i < sem_sleepers(set); i++)
		if (sem_get(sem_sleeper(set, i)->answer) != SEM_SLEEPS)
			sem_wake(set, i); /* the dead owner has not */
	while ((at = next_by_ticket(set, ticket)) != 0) {
		ticket = sem_sleeper(set, at - 1)->ticket;
		append(set, at - 1);
	}
	for (uint32_t i = 0; i < set->shape.sems; i++)
		if (sem_get(set->sems[i].holds) == 0)
			sem_unhold(set, i);
}

void sem_queue_purge(struct sem_set *set)
{
	uint32_t next, at = sem_get(set->shared->first);

	for (uint32_t i = 0; at != 0 && at <= sem_sleepers(set) && i < SEM_SLEEPERS; i++) {
		next = sem_sleeper(set, at - 1)->next;
		if (!sem_sleeper_alive(set, at - 1))
			sem_queue_bury(set, at - 1);
		at = next;
	}
}

int sem_queue_count(struct sem_set *set, uint32_t sem, bool zero)
{
	uint32_t at = sem_get(set->shared->first);
	int count = 0;

	for (uint32_t i = 0; at != 0 && at <= sem_sleepers(set) && i < SEM_SLEEPERS; i++) {
		struct sem_sleeper_shared *s = sem_sleeper(set, at - 1);
		uint32_t blocks = s->blocks < set->shape.ops ? s->blocks : 0;

		if (s->op[blocks].sem == sem && (s->op[blocks].op == 0) == zero &&
		    sem_sleeper_alive(set, at - 1))
			count++;
		at = s->next;
	}
	return count;
}

/* ---- sleep ---- */

int64_t sem_now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * INT64_C(1000000000) + now.tv_nsec;
}

/* What is too far away to count is for ever. */
int64_t sem_deadline_ns(const struct timespec *timeout)
{
	int64_t now = sem_now_ns();

	if (timeout->tv_sec >= (INT64_MAX - now) / INT64_C(1000000000) - 1)
		return INT64_MAX;
	return now + timeout->tv_sec * INT64_C(1000000000) + timeout->tv_nsec;
}

static uint32_t answer_of(const struct sem_sleeper_shared *s)
{
	return atomic_load_explicit(&s->answer, memory_order_acquire); /* A2 */
}

/* Can anybody run beside us?  Not whether we are bound to one processor: the other may have its
 * own. */
static bool several_cpus(void)
{
	static _Atomic long cpus;
	/* Relaxed, both: whoever asks finds the same. */
	long n = sem_get(cpus);

	if (n == 0) {
		n = sysconf(_SC_NPROCESSORS_ONLN);
		sem_put(cpus, n);
	}
	return n > 1;
}

bool sem_spins(struct sem_set *set)
{
	/* Relaxed, all: a guess. */
	return sem_get(set->luck) > 0 ||
	       (atomic_fetch_add_explicit(&set->sleeps, 1, memory_order_relaxed) % SPIN_TRIES ==
			0 &&
		several_cpus());
}

/* As long as a sleep would take, and only where that helps. */
static void spin(struct sem_set *set, const struct sem_sleeper_shared *s)
{
	uint32_t luck = sem_get(set->luck);
	int64_t end = sem_now_ns() + SPIN_NS;

	do {
		for (int i = 0; i < 16; i++) {
			if (answer_of(s) != SEM_SLEEPS) {
				/* Relaxed, as above. */
				sem_put(set->luck, luck < SEM_LUCK ? luck + 1 : luck);
				return;
			}
			cpu_relax();
		}
	} while (sem_now_ns() < end);
	sem_put(set->luck, luck > 0 ? luck - 1 : 0);
}

/* Under the lock all is certain: what is it by now?  @why: 0, or with which errno to give up. */
static void look(struct sem_set *set, uint32_t sleeper, int why)
{
	struct sem_sleeper_shared *s = sem_sleeper(set, sleeper);
	struct sem_turn turn;

	table_mend();
	sem_lock(set, &turn);
	sem_queue_purge(set);
	if (sem_set_still(set) < 0)
		why = EIDRM;
	else if (sem_undo_dead(set))
		sem_serve(set, &turn);
	if (why != 0 && sem_get(s->answer) == SEM_SLEEPS) {
		sem_queue_unlink(set, sleeper);
		sem_put(s->answer, (uint32_t)why);
	}
	sem_unlock(set, &turn);
}

/*
 * How long to sleep now, having slept @slept: signals are looked for after it, and by who
 * comes first, the dead.
 */
static int64_t slice(const struct sem_set *set, uint32_t sleeper, int64_t slept)
{
	int64_t ns = slept / SLICE_PART;

	/* Relaxed: a hint. */
	if (ns < SHORT_NS || (sem_records(set) != 0 && sem_get(set->shared->first) == sleeper + 1))
		ns = SHORT_NS;
	return ns < LONG_NS ? ns : LONG_NS;
}

/* 0, or with which errno to give up.  @slept: how the last sleep ended. */
static int enough(const sigset_t *signals, int slept, int64_t deadline_ns, int64_t now)
{
	/* Not blocked, one whose handler was installed just now ends the sleep by itself. */
	if (signals ? signals_came(signals) : slept == EINTR)
		return EINTR;
	return deadline_ns >= 0 && now >= deadline_ns ? EAGAIN : 0;
}

int sem_sleep(struct sem_set *set, uint32_t sleeper, int64_t deadline_ns, bool spins,
	      const sigset_t *signals)
{
	struct sem_sleeper_shared *s = sem_sleeper(set, sleeper);
	int64_t began = sem_now_ns(), looked = began, now = began, ns;
	uint32_t answer;
	int why, slept;

	if (spins)
		spin(set, s);
	while (answer_of(s) == SEM_SLEEPS) {
		ns = slice(set, sleeper, now - began);
		if (deadline_ns >= 0 && deadline_ns - now < ns)
			ns = deadline_ns > now ? deadline_ns - now : 0;
		slept = ns > 0 ? futex_wait(&s->answer, SEM_SLEEPS, ns) : ETIMEDOUT;
		if (slept != ETIMEDOUT && (signals || slept != EINTR))
			continue;
		now = sem_now_ns();
		why = enough(signals, slept, deadline_ns, now);
		if (why != 0 || now - looked >= LOOK_NS || sem_undo_due(set)) {
			look(set, sleeper, why);
			looked = now;
		}
	}
	answer = answer_of(s);
	leave_place(s);
	return -(int)(answer & 0xfffu);
}
