/* SPDX-License-Identifier: Apache-2.0 */
/*
 * msg_place.c - who sleeps at a queue, and what he is told.
 */
#include <sched.h>
#include <time.h>

#include "handlers.h"
#include "msg.h"
#include "token.h"
#include "wait.h" /* cpu_relax() */

/* What wakes nobody (a waker that dies, a place that lapses) is found after so long. */
#define SLICE_NS INT64_C(50000000)
/* A message that is not fetched for so long may be somebody else's. */
#define LATE_MS 100
/* About a microsecond of looking, before a sleep that costs several. */
#define LOOKS   64
#define LUCKY   8
#define UNLUCKY 32

/*
 * Where this thread slept last.  If it is still there when the thread comes again, a
 * signal handler has left the call by longjmp, or has made this one in the middle of it.
 */
static _Thread_local struct {
	int id; /* of the queue */
	uint32_t place;
	uint64_t ticket;
} last;

/* Wraps: for differences only. */
static uint32_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME_COARSE, &now);
	return (uint32_t)now.tv_sec * 1000u + (uint32_t)(now.tv_nsec / 1000000);
}

uint32_t msg_place_next(const struct msg_queue *q, uint32_t from)
{
	uint32_t end = msg_get(q->shared->places);

	if (end > MSG_PLACES)
		end = MSG_PLACES;
	while (from < end) {
		uint64_t used = msg_get(q->shared->used[from / 64]) >> (from % 64);

		if (used != 0) {
			from += (uint32_t)__builtin_ctzll(used);
			return from < end ? from : MSG_PLACES;
		}
		from = (from / 64 + 1) * 64;
	}
	return MSG_PLACES;
}

static void use_place(struct msg_queue *q, uint32_t place, bool use)
{
	_Atomic uint64_t *word = &q->shared->used[place / 64];
	uint64_t bit = UINT64_C(1) << (place % 64);

	msg_step();
	msg_put(*word, use ? msg_get(*word) | bit : msg_get(*word) & ~bit);
	msg_put(q->shared->crowd, msg_get(q->shared->crowd) + (use ? 1 : -1u));
}

void msg_place_free(struct msg_queue *q, uint32_t place)
{
	msg_put(q->places[place].state, MSG_FREE);
	use_place(q, place, false);
}

static uint32_t state_of(const struct msg_place_shared *p)
{
	return atomic_load_explicit(&p->state, memory_order_acquire); /* P2, P4 */
}

static bool change(struct msg_place_shared *p, uint32_t from, uint32_t to)
{
	return atomic_compare_exchange_strong_explicit(&p->state, &from, to, memory_order_acq_rel,
						       memory_order_relaxed /* it is read again */);
}

static bool waits(uint32_t state)
{
	return MSG_STATE_PHASE(state) == MSG_WAITING || MSG_STATE_PHASE(state) == MSG_ASLEEP;
}

/* Tell one who waits; false if he does not. */
static bool tell(struct msg_queue *q, uint32_t place, enum msg_phase phase, uint32_t ref,
		 struct msg_wakes *wakes)
{
	struct msg_place_shared *p = &q->places[place];
	uint32_t state;

	do {
		state = state_of(p);
		if (!waits(state))
			return false;
	} while (!change(p, state, MSG_STATE(phase, MSG_STATE_LAP(state), ref))); /* P1 */
	if (MSG_STATE_PHASE(state) == MSG_ASLEEP && wakes->count < MSG_PLACES)
		wakes->place[wakes->count++] = (uint16_t)place;
	return true;
}

bool msg_wake(struct msg_queue *q, const struct msg_wakes *wakes)
{
	bool all = true;

	for (uint32_t i = 0; i < wakes->count; i++) {
		struct msg_place_shared *p = &q->places[wakes->place[i]];

		if (futex_wake(&p->state, 1) < 1 && MSG_STATE_PHASE(state_of(p)) == MSG_GIVEN)
			all = false;
	}
	return all;
}

static bool is_late(const struct msg_place_shared *p)
{
	return now_ms() - msg_get(p->since_ms) > LATE_MS;
}

static bool is_alive(const struct msg_place_shared *p)
{
	return token_alive(msg_get(p->token), msg_get(p->epoch));
}

/* ---- the sleeper's side ---- */

static bool is_ours(const struct msg_queue *q, uint32_t place, uint64_t ticket)
{
	return (msg_get(q->shared->used[place / 64]) >> (place % 64) & 1) != 0 &&
	       msg_get(q->places[place].ticket) == ticket;
}

static void leave_last(struct msg_queue *q, const struct token *token)
{
	const struct msg_place_shared *p = &q->places[last.place];
	enum msg_phase phase;

	/* A forked child remembers where its parent slept: that is not its own. */
	if (last.ticket == 0 || last.id != object_id(&q->object) ||
	    !is_ours(q, last.place, last.ticket) || msg_get(p->token) != token->index ||
	    msg_get(p->epoch) != token->epoch)
		return;
	phase = MSG_STATE_PHASE(state_of(p));
	if (phase != MSG_GIVEN && phase != MSG_TAKING && phase != MSG_DONE)
		msg_place_free(q, last.place);
}

/* Whose process is dead does not sleep here any more. */
static void free_dead(struct msg_queue *q)
{
	for (uint32_t i = msg_place_next(q, 0); i < MSG_PLACES; i = msg_place_next(q, i + 1)) {
		struct msg_place_shared *p = &q->places[i];
		enum msg_phase phase = MSG_STATE_PHASE(state_of(p));

		if (phase != MSG_GIVEN && phase != MSG_TAKING && !is_alive(p))
			msg_place_free(q, i);
	}
}

/* MSG_PLACES: all are used. */
static uint32_t unused(const struct msg_queue *q)
{
	uint32_t end = msg_get(q->shared->places);

	for (uint32_t i = 0; i < end && i < MSG_PLACES; i += 64) {
		uint64_t free = ~msg_get(q->shared->used[i / 64]);

		if (free != 0)
			return i + (uint32_t)__builtin_ctzll(free);
	}
	return MSG_PLACES;
}

static uint32_t find_place(struct msg_queue *q)
{
	uint32_t place = unused(q);

	if (place == MSG_PLACES && msg_grow_places(q) == 0)
		place = unused(q);
	if (place == MSG_PLACES) {
		free_dead(q);
		place = unused(q);
	}
	return place;
}

int msg_stay_begin(struct msg_queue *q, struct msg_stay *stay, const struct msg_want *want,
		   uint32_t most)
{
	const struct token *token = token_mine();
	struct msg_place_shared *p;

	leave_last(q, token);
	stay->place = find_place(q);
	if (stay->place == MSG_PLACES)
		return -EAGAIN;
	if (stay->ticket == 0) {
		stay->since_ms = now_ms();
		stay->ticket = msg_get(q->shared->ticket) + 1;
		msg_put(q->shared->ticket, stay->ticket);
	}
	p = &q->places[stay->place];
	msg_put(p->token, token->index);
	msg_put(p->epoch, token->epoch);
	msg_put(p->mode, (uint32_t)want->mode);
	msg_put(p->type, want->type);
	msg_put(p->most, most);
	msg_put(p->ticket, stay->ticket);
	msg_put(p->since_ms, stay->since_ms);
	msg_put(p->pid, msg_get(table_open()->tokens[token->index].pid));
	msg_put(p->state, MSG_STATE(MSG_WAITING, stay->ticket, 0));
	use_place(q, stay->place, true);
	stay->taken = true;
	last.id = object_id(&q->object);
	last.place = stay->place;
	last.ticket = stay->ticket;
	return 0;
}

/* With one CPU, whoever looks keeps him from running who has the answer. */
static bool several_cpus(void)
{
	static _Atomic int cpus;
	int count = msg_get(cpus); /* twice the same does no harm */
	cpu_set_t set;

	if (count == 0) {
		count = sched_getaffinity(0, sizeof(set), &set) == 0 ? CPU_COUNT(&set) : 2;
		msg_put(cpus, count);
	}
	return count > 1;
}

/*
 * Looking helps while the other one is at work on another CPU, and otherwise only delays
 * him.  Who had no luck a few times sleeps at once for a while, and then tries again.
 */
static bool look_first(struct msg_place_shared *p, uint32_t waiting)
{
	static _Thread_local int luck = 4;

	if (!several_cpus() || --luck < 0) {
		if (luck < -UNLUCKY)
			luck = 1;
		return false;
	}
	for (int i = 0; i < LOOKS; i++) {
		if (state_of(p) != waiting) {
			luck = LUCKY;
			return true;
		}
		cpu_relax();
	}
	return false;
}

int msg_stay_sleep(struct msg_queue *q, const struct msg_stay *stay)
{
	struct msg_place_shared *p = &q->places[stay->place];
	uint32_t waiting = MSG_STATE(MSG_WAITING, stay->ticket, 0);
	uint32_t asleep = MSG_STATE(MSG_ASLEEP, stay->ticket, 0);
	int err;

	if (look_first(p, waiting) || !change(p, waiting, asleep))
		return 0;
	do {
		if (handlers_ran != stay->ran)
			return -EINTR;
		err = futex_wait(&p->state, asleep, SLICE_NS);
		if (err == EINTR || (err == ETIMEDOUT && handlers_ran == stay->ran))
			return -err;
	} while (state_of(p) == asleep);
	return 0;
}

enum msg_phase msg_stay_end(struct msg_queue *q, struct msg_stay *stay)
{
	enum msg_phase phase = MSG_AGAIN;

	if (!stay->taken)
		return phase;
	if (is_ours(q, stay->place, stay->ticket)) {
		phase = MSG_STATE_PHASE(state_of(&q->places[stay->place]));
		if (phase == MSG_GIVEN)
			return phase;
		msg_place_free(q, stay->place);
	}
	stay->taken = false;
	return phase;
}

uint32_t msg_stay_take(struct msg_queue *q, const struct msg_stay *stay)
{
	struct msg_place_shared *p = &q->places[stay->place];
	uint32_t state = state_of(p);

	/* Relaxed: who has our lowest bits by chance is told apart by the ticket. */
	if (MSG_STATE_PHASE(state) != MSG_GIVEN || msg_get(p->ticket) != stay->ticket ||
	    !change(p, state, MSG_STATE(MSG_TAKING, stay->ticket, MSG_STATE_REF(state))))
		return 0;
	return MSG_STATE_REF(state);
}

void msg_stay_done(struct msg_queue *q, struct msg_stay *stay)
{
	struct msg_place_shared *p = &q->places[stay->place];

	/* Relaxed: in this phase it is ours alone. */
	atomic_store_explicit(&p->state,
			      MSG_STATE(MSG_DONE, stay->ticket, MSG_STATE_REF(msg_get(p->state))),
			      memory_order_release); /* P3 */
	stay->taken = false;
}

/* ---- the side of the lock's owner ---- */

/* The one who waits longest for this type. */
static uint32_t first_receiver(const struct msg_queue *q, int64_t type)
{
	uint32_t found = MSG_PLACES;
	uint64_t oldest = UINT64_MAX;

	for (uint32_t i = msg_place_next(q, 0); i < MSG_PLACES; i = msg_place_next(q, i + 1)) {
		const struct msg_place_shared *p = &q->places[i];
		struct msg_want want = { (enum msg_mode)msg_get(p->mode), msg_get(p->type) };

		if (!waits(state_of(p)) || msg_get(p->ticket) >= oldest || !msg_wanted(&want, type))
			continue;
		oldest = msg_get(p->ticket);
		found = i;
	}
	return found;
}

/* Who receives, as the kernel has it: from now on, and not only when he has come for it. */
static void note_receiver(const struct msg_queue *q, struct msg_place_shared *p)
{
	struct sysv_slot_shared *slot = q->object.slot;

	msg_put(p->since_ms, now_ms());
	msg_put(p->pid_before, msg_get(slot->lpid));
	msg_put(p->time_before_s, msg_get(slot->dtime_s));
	msg_put(slot->lpid, msg_get(p->pid));
	msg_put(slot->dtime_s, now_s());
}

/* He did not, and nobody else has meanwhile. */
static void forget_receiver(const struct msg_queue *q, const struct msg_place_shared *p)
{
	struct sysv_slot_shared *slot = q->object.slot;

	if (msg_get(slot->lpid) != msg_get(p->pid))
		return;
	msg_put(slot->lpid, msg_get(p->pid_before));
	msg_put(slot->dtime_s, msg_get(p->time_before_s));
}

bool msg_offer(struct msg_queue *q, uint32_t ref, int64_t type, uint32_t bytes,
	       struct msg_wakes *wakes)
{
	uint32_t i;

	if (msg_get(q->shared->crowd) == 0)
		return false;
	while ((i = first_receiver(q, type)) != MSG_PLACES) {
		struct msg_place_shared *p = &q->places[i];

		/* Who has slept for long is worth the question; of the others msg_lapse() takes
		 * care.
		 */
		if (is_late(p) && !is_alive(p)) {
			msg_place_free(q, i);
			continue;
		}
		if (msg_get(p->most) < bytes) {
			tell(q, i, MSG_TOOBIG, 0, wakes);
			continue;
		}
		note_receiver(q, p);
		if (tell(q, i, MSG_GIVEN, ref, wakes))
			return true;
		forget_receiver(q, p);
	}
	return false;
}

void msg_call_senders(struct msg_queue *q, struct msg_wakes *wakes)
{
	if (msg_get(q->shared->crowd) == 0)
		return;
	for (uint32_t i = msg_place_next(q, 0); i < MSG_PLACES; i = msg_place_next(q, i + 1))
		if (msg_get(q->places[i].mode) == MSG_SENDER &&
		    msg_fits(q, msg_get(q->places[i].most)))
			tell(q, i, MSG_AGAIN, 0, wakes);
}

void msg_call_all(struct msg_queue *q, enum msg_phase phase, struct msg_wakes *wakes)
{
	for (uint32_t i = msg_place_next(q, 0); i < MSG_PLACES; i = msg_place_next(q, i + 1))
		tell(q, i, phase, 0, wakes);
}

void msg_lapse(struct msg_queue *q, struct msg_wakes *wakes)
{
	bool any = false;

	for (uint32_t i = msg_place_next(q, 0); i < MSG_PLACES; i = msg_place_next(q, i + 1)) {
		struct msg_place_shared *p = &q->places[i];
		uint32_t state = state_of(p), lap = MSG_STATE_LAP(state);
		enum msg_phase phase = MSG_STATE_PHASE(state);

		/* Who is at it is not late; if he is dead, he will never be through. */
		if (phase != MSG_GIVEN && phase != MSG_TAKING)
			continue;
		if (is_alive(p) && (phase == MSG_TAKING || !is_late(p)))
			continue;
		if (!change(p, state, MSG_STATE(MSG_LAPSED, lap, MSG_STATE_REF(state))))
			continue;
		forget_receiver(q, p);
		msg_put_back(q, MSG_STATE_REF(state));
		msg_step();
		msg_put(p->state, MSG_STATE(MSG_AGAIN, lap, 0));
		if (!is_alive(p))
			msg_place_free(q, i);
		any = true;
	}
	if (any) /* Those who wait may want it. */
		msg_call_all(q, MSG_AGAIN, wakes);
}

void msg_reclaim(struct msg_queue *q)
{
	for (uint32_t i = msg_place_next(q, 0); i < MSG_PLACES; i = msg_place_next(q, i + 1)) {
		uint32_t state = state_of(&q->places[i]); /* P4 */

		if (MSG_STATE_PHASE(state) != MSG_DONE)
			continue;
		msg_free(q, MSG_STATE_REF(state));
		msg_step();
		msg_place_free(q, i);
	}
}
