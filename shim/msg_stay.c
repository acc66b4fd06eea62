/* SPDX-License-Identifier: Apache-2.0 */
/*
 * msg_stay.c - to sleep at a queue, and to learn what for.
 */
#include <sched.h>

#include "handlers.h"
#include "msg_place.h"
#include "token.h"
#include "wait.h" /* cpu_relax() */

/* What wakes nobody (a waker that dies, a place that lapses) is found after so long. */
#define SLICE_NS INT64_C(50000000)
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
	phase = MSG_STATE_PHASE(msg_state_of(p));
	if (phase != MSG_GIVEN && phase != MSG_TAKING && phase != MSG_DONE)
		msg_place_free(q, last.place);
}

/* Whose process is dead does not sleep here any more. */
static void free_dead(struct msg_queue *q)
{
	for (uint32_t i = msg_place_next(q, 0); i < MSG_PLACES; i = msg_place_next(q, i + 1)) {
		struct msg_place_shared *p = &q->places[i];
		enum msg_phase phase = MSG_STATE_PHASE(msg_state_of(p));

		if (phase != MSG_GIVEN && phase != MSG_TAKING && !msg_place_alive(p))
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
		stay->since_ms = msg_now_ms();
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
	msg_place_use(q, stay->place);
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
		if (msg_state_of(p) != waiting) {
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

	if (look_first(p, waiting) || !msg_state_change(p, waiting, asleep))
		return 0;
	do {
		if (handlers_ran != stay->ran)
			return -EINTR;
		err = futex_wait(&p->state, asleep, SLICE_NS);
		if (err == EINTR || (err == ETIMEDOUT && handlers_ran == stay->ran))
			return -err;
	} while (msg_state_of(p) == asleep);
	return 0;
}

enum msg_phase msg_stay_end(struct msg_queue *q, struct msg_stay *stay)
{
	enum msg_phase phase = MSG_AGAIN;

	if (!stay->taken)
		return phase;
	if (is_ours(q, stay->place, stay->ticket)) {
		phase = MSG_STATE_PHASE(msg_state_of(&q->places[stay->place]));
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
	uint32_t state = msg_state_of(p);

	/* Relaxed: who has our lowest bits by chance is told apart by the ticket. */
	if (MSG_STATE_PHASE(state) != MSG_GIVEN || msg_get(p->ticket) != stay->ticket ||
	    !msg_state_change(p, state, MSG_STATE(MSG_TAKING, stay->ticket, MSG_STATE_REF(state))))
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
