/* SPDX-License-Identifier: Apache-2.0 */
/*
 * msg_place.c - those who sleep at a queue, as the owner of its lock sees them.
 */
#include <time.h>

#include "msg_place.h"
#include "token.h"

/* A message that is not fetched for so long may be somebody else's. */
#define LATE_MS 100

uint32_t msg_now_ms(void)
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

void msg_place_use(struct msg_queue *q, uint32_t place)
{
	use_place(q, place, true);
}

void msg_place_free(struct msg_queue *q, uint32_t place)
{
	msg_put(q->places[place].state, MSG_FREE);
	use_place(q, place, false);
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
		state = msg_state_of(p);
		if (!waits(state))
			return false;
	} while (!msg_state_change(p, state, MSG_STATE(phase, MSG_STATE_LAP(state), ref))); /* P1 */
	if (MSG_STATE_PHASE(state) == MSG_ASLEEP && wakes->count < MSG_PLACES)
		wakes->place[wakes->count++] = (uint16_t)place;
	return true;
}

bool msg_wake(struct msg_queue *q, const struct msg_wakes *wakes)
{
	bool all = true;

	for (uint32_t i = 0; i < wakes->count; i++) {
		struct msg_place_shared *p = &q->places[wakes->place[i]];

		if (futex_wake(&p->state, 1) < 1 && MSG_STATE_PHASE(msg_state_of(p)) == MSG_GIVEN)
			all = false;
	}
	return all;
}

static bool is_late(const struct msg_place_shared *p)
{
	return msg_now_ms() - msg_get(p->since_ms) > LATE_MS;
}

bool msg_place_alive(const struct msg_place_shared *p)
{
	return token_alive(msg_get(p->token), msg_get(p->epoch));
}

/* The one who waits longest for this type. */
static uint32_t first_receiver(const struct msg_queue *q, int64_t type)
{
	uint32_t found = MSG_PLACES;
	uint64_t oldest = UINT64_MAX;

	for (uint32_t i = msg_place_next(q, 0); i < MSG_PLACES; i = msg_place_next(q, i + 1)) {
		const struct msg_place_shared *p = &q->places[i];
		struct msg_want want = { (enum msg_mode)msg_get(p->mode), msg_get(p->type) };

		if (!waits(msg_state_of(p)) || msg_get(p->ticket) >= oldest ||
		    !msg_wanted(&want, type))
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

	msg_put(p->since_ms, msg_now_ms());
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
		if (is_late(p) && !msg_place_alive(p)) {
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
		uint32_t state = msg_state_of(p), lap = MSG_STATE_LAP(state);
		enum msg_phase phase = MSG_STATE_PHASE(state);

		/* Who is at it is not late; if he is dead, he will never be through. */
		if (phase != MSG_GIVEN && phase != MSG_TAKING)
			continue;
		if (msg_place_alive(p) && (phase == MSG_TAKING || !is_late(p)))
			continue;
		if (!msg_state_change(p, state, MSG_STATE(MSG_LAPSED, lap, MSG_STATE_REF(state))))
			continue;
		forget_receiver(q, p);
		msg_put_back(q, MSG_STATE_REF(state));
		msg_step();
		msg_put(p->state, MSG_STATE(MSG_AGAIN, lap, 0));
		if (!msg_place_alive(p))
			msg_place_free(q, i);
		any = true;
	}
	if (any) /* Those who wait may want it. */
		msg_call_all(q, MSG_AGAIN, wakes);
}

void msg_reclaim(struct msg_queue *q)
{
	for (uint32_t i = msg_place_next(q, 0); i < MSG_PLACES; i = msg_place_next(q, i + 1)) {
		uint32_t state = msg_state_of(&q->places[i]); /* P4 */

		if (MSG_STATE_PHASE(state) != MSG_DONE)
			continue;
		msg_free(q, MSG_STATE_REF(state));
		msg_step();
		msg_place_free(q, i);
	}
}
