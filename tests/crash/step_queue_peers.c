/* SPDX-License-Identifier: Apache-2.0 */
/*
 * step_queue_peers.c - producers and consumers that are cut off, also coming and going.
 *
 * ledger->value is the id of the message that the victim has in its hands.
 */
#include "step_queue.h"

/* Whoever waits looks after the dead, and first thing. */
#define LONG_ENOUGH (2 * MILLISECOND)

static int act_rc;
static struct coshm_delivery taken;
static uint64_t copy[BYTES / 8];

static void sleep_for_message(void)
{
	uint64_t data[BYTES / 8];
	struct coshm_delivery d;
	int rc;

	consumer = queue_open_as(COSHM_CONSUMER);
	rc = coshm_queue_receive(consumer, data, sizeof(data), 15 * SECOND, &d);
	atomic_store(&ledger->woken_ns, play_now_ns());
	must(rc == 0, PLAY_WRONG, "receive: %d: %s", rc, coshm_errmsg());
	atomic_store(&told()->slept_for, queue_judge(&d));
	coshm_queue_close(consumer);
}

static void sleep_for_room(void)
{
	producer = queue_open_as(COSHM_PRODUCER);
	must_ok(queue_push_id(producer, ID_OTHERS - 1, 15 * SECOND));
	atomic_store(&ledger->woken_ns, play_now_ns());
	coshm_queue_close(producer);
}

void queue_others_of_queue(void)
{
	_Atomic uint64_t *bell;

	if (now()->dead_loan || now()->dead_take)
		return; /* whoever opens the queue recovers: that is to be the victim */
	producer = queue_open_as(COSHM_PRODUCER);
	consumer = queue_open_as(COSHM_CONSUMER);
	if (!now()->sleeper)
		return;
	play_sleeper(now()->before == 0 ? sleep_for_message : sleep_for_room);
	bell = now()->before == 0 ? consumer->data.mask : consumer->room.mask;
	while (atomic_load(bell) == 0)
		play_nap();
	play_nap(); /* from its bit to the futex it is not far */
	/* Stepping is slow: it would look, and have the first of a batch before the bell. */
	if (now()->batch != 0)
		play_hold_sleeper(true);
}

/* A producer. */

void queue_ready_producer(void)
{
	producer = queue_open_as(COSHM_PRODUCER);
	atomic_store(&ledger->opened, true);
}

void queue_act_push(void)
{
	act_rc = queue_push_id(producer, ID_VICTIM, now()->full ? 2 * MILLISECOND : -1);
	if (act_rc == 0)
		atomic_store(&ledger->acked, 1);
}

void queue_act_loan(void)
{
	uint64_t bytes = 8 * (uint64_t)(2 + ID_VICTIM % 7);
	void *loan;

	act_rc = coshm_queue_loan(producer, -1, &loan);
	if (act_rc < 0)
		return;
	*(uint64_t *)loan = ID_VICTIM;
	message_fill((uint64_t *)loan + 1, bytes - 8, ID_VICTIM);
	act_rc = coshm_queue_push_loan(producer, loan, bytes);
	if (act_rc == 0)
		atomic_store(&ledger->acked, 1);
}

void queue_act_discard(void)
{
	void *loan;

	act_rc = coshm_queue_loan(producer, -1, &loan);
	if (act_rc < 0)
		return;
	memset(loan, 0xee, BYTES);
	act_rc = coshm_queue_discard_loan(producer, loan);
}

/* What the sleeper has had came, too. */
static void await_sleeper(void)
{
	unsigned int id;

	play_await_sleeper();
	id = atomic_exchange(&told()->slept_for, 0);
	if (id != 0)
		came[id]++;
}

/* Of what setup has pushed nothing is gone; of the victim's the first are there, no others. */
static void queue_check_all_came(void)
{
	unsigned int missing = queue_missing(), first = 0, all = 0;
	uint64_t acked = atomic_load(&ledger->acked);

	must(missing == 0, PLAY_LOST, "%u messages have not come", missing);
	for (unsigned int id = ID_VICTIM; id < ID_OTHERS - 1; id++)
		all += came[id];
	while (came[ID_VICTIM + first] != 0)
		first++;
	must(all == first, PLAY_LOST, "%u of the victim's messages came, not the first ones", all);
	must(first >= acked, PLAY_LOST, "the victim was told that %d are there, and %u came",
	     (int)acked, first);
	/* The others make room, but only after it was killed. */
	must(play_stopping() || first <= SLOTS - now()->before, PLAY_WRONG,
	     "there was room for %u messages, and %u came", SLOTS - now()->before, first);
}

void queue_check_producer(void)
{
	struct region *r = &consumer->region;

	play_check_places(r);
	if (now()->sleeper) {
		if (now()->batch != 0)
			play_hold_sleeper(false);
		if (play_stopping())
			return;
		if (!atomic_load(&ledger->acked)) /* it may have nothing to wake up for */
			must_ok(queue_push_id(producer, ID_OTHERS - 1, -1));
		await_sleeper();
	}
	queue_drain(play_stopping() ? MILLISECOND : LONG_ENOUGH);
	queue_check_all_came();
	queue_go_on();
	if (play_stopping()) {
		play_check_places(r);
		return;
	}
	must(play_peers(r, PEER_DEAD) == 0, PLAY_WRONG, "nobody recovers for the dead one");
	producer = queue_open_as(COSHM_PRODUCER);
	queue_go_on();
	queue_check_room();
}

void queue_after_producer(void)
{
	play_await_act();
	await_sleeper();
	queue_drain(MILLISECOND);
	queue_check_all_came();
	must(came[ID_VICTIM + atomic_load(&ledger->acked)] == 0, PLAY_WRONG,
	     "more came than the victim was told");
	queue_go_on();
	queue_check_room();
	must(consumer->region.shared->counters.evicted == 0, PLAY_WRONG, "somebody was evicted");
}

void queue_rest_producer(void)
{
	must(act_rc == 0 || (act_rc == -ETIMEDOUT && now()->full), PLAY_WRONG, "push: %d: %s",
	     act_rc, coshm_errmsg());
	while (!atomic_load(&ledger->finish))
		play_nap();
}

/* A consumer. */

void queue_ready_consumer(void)
{
	consumer = queue_open_as(COSHM_CONSUMER);
	atomic_store(&ledger->opened, true);
}

void queue_act_receive(void)
{
	atomic_store(&ledger->begun, 2);
	act_rc = coshm_queue_receive(consumer, copy, sizeof(copy), MILLISECOND, &taken);
	if (act_rc == 0)
		atomic_store(&ledger->acked, copy[0]);
}

/* Its message is acknowledged from the beginning of the release on. */
void queue_act_take(void)
{
	act_rc = coshm_queue_take(consumer, MILLISECOND, &taken);
	if (act_rc < 0)
		return;
	memcpy(copy, taken.data, taken.bytes);
	atomic_store(&ledger->value, copy[0]);
	atomic_store(&ledger->begun, 2);
	act_rc = coshm_queue_release(consumer, taken.data);
	if (act_rc == 0)
		atomic_store(&ledger->acked, copy[0]);
}

/* A message that was in a dead consumer's hands: dropped, and that is counted, or delivered. */
static void queue_check_missing(void)
{
	bool drop = now()->policy == COSHM_QUEUE_AT_MOST_ONCE;
	unsigned int missing = queue_missing();
	uint64_t acked = atomic_load(&ledger->acked), lost;

	lost = atomic_load(&consumer->region.shared->counters.lost);
	must(acked == 0 || came[acked] == 0, PLAY_TWICE, "message %d was acknowledged, and came",
	     (int)acked);
	must(missing <= 1, PLAY_LOST, "%u messages have not come", missing);
	must(acked == 0 || missing == 1, PLAY_TWICE, "a message came twice");
	if (atomic_load(&ledger->begun) < 2)
		must(missing == 0 || drop, PLAY_LOST, "a message is gone, not acknowledged");
	if (drop && atomic_load(&ledger->begun) < 2)
		must(lost == missing, PLAY_LOST, "%d are lost, %d are counted", (int)missing,
		     (int)lost);
	must(lost <= missing, PLAY_WRONG, "%d are counted as lost", (int)lost);
}

void queue_check_consumer(void)
{
	struct region *r = &consumer->region;

	play_check_places(r);
	if (play_stopping()) {
		queue_drain(MILLISECOND);
		if (now()->sleeper)
			return;
		must(queue_missing() <= queue_batch(), PLAY_LOST,
		     "it holds up the others' messages");
		queue_go_on();
		play_check_places(r);
		return;
	}
	/* If there is room now, it finds out by itself; else we make some. */
	for (int i = 0; now()->sleeper && !atomic_load(&ledger->woken_ns) && i < 1000; i++)
		play_nap();
	if (!atomic_load(&ledger->woken_ns)) /* there was none: its time begins now */
		atomic_store(&ledger->cut_ns, play_now_ns());
	queue_drain(0);
	play_await_sleeper();
	queue_drain(LONG_ENOUGH);
	if (now()->batch != 0)
		queue_check_taken();
	else
		queue_check_missing();
	must(play_peers(r, PEER_DEAD) == 0, PLAY_WRONG, "nobody recovers for the dead one");
	queue_go_on();
	consumer = queue_open_as(COSHM_CONSUMER);
	queue_go_on();
	queue_check_room();
}

void queue_after_consumer(void)
{
	play_await_act();
	play_await_sleeper();
	atomic_store(&ledger->value, 0);
	queue_drain(MILLISECOND);
	must(now()->before == 0 || queue_missing() == (atomic_load(&ledger->acked) != 0), PLAY_LOST,
	     "%u messages have not come", queue_missing());
	must(came[atomic_load(&ledger->acked)] == 0 || atomic_load(&ledger->acked) == 0, PLAY_TWICE,
	     "what it has came to another one too");
	queue_go_on();
	queue_check_room();
	must(consumer->region.shared->counters.evicted == 0, PLAY_WRONG, "somebody was evicted");
}

void queue_rest_consumer(void)
{
	must(act_rc == 0 || act_rc == -ETIMEDOUT, PLAY_WRONG, "%d: %s", act_rc, coshm_errmsg());
	if (act_rc == 0) {
		taken.data = copy;
		queue_judge(&taken);
	}
	while (!atomic_load(&ledger->finish))
		play_nap();
}

/* Coming and going. */

void queue_ready_coming(void)
{
	atomic_store(&ledger->closing, true);
}

/* With a loan, which is nobody's then. */
void queue_ready_producer_going(void)
{
	void *loan;

	queue_ready_producer();
	must_ok(coshm_queue_loan(producer, -1, &loan));
	atomic_store(&ledger->closing, true);
}

/* With a message, which goes to another one or is dropped. */
void queue_ready_consumer_going(void)
{
	queue_ready_consumer();
	must_ok(coshm_queue_take(consumer, 0, &taken));
	atomic_store(&ledger->value, *(const uint64_t *)taken.data);
	atomic_store(&ledger->closing, true);
}

void queue_act_open_producer(void)
{
	act_rc = coshm_queue_open(NAME, COSHM_PRODUCER, NULL, &producer);
}

void queue_act_open_consumer(void)
{
	act_rc = coshm_queue_open(NAME, COSHM_CONSUMER, NULL, &consumer);
}

void queue_act_close_producer(void)
{
	coshm_queue_close(producer);
}

void queue_act_close_consumer(void)
{
	coshm_queue_close(consumer);
}

/* Nothing is lost but what at most once drops, and that is counted. */
static void queue_check_account(void)
{
	uint64_t lost = atomic_load(&consumer->region.shared->counters.lost);
	bool drop = now()->policy == COSHM_QUEUE_AT_MOST_ONCE;
	bool held = now()->dead_take || atomic_load(&ledger->value) != 0;

	must(queue_missing() == (drop && held), PLAY_LOST, "%u messages have not come",
	     queue_missing());
	/* Cut off between the drop and the count, a number for people is one short. */
	must(lost <= queue_missing(), PLAY_WRONG, "%d are counted as lost", (int)lost);
}

void queue_check_place(void)
{
	struct region *r;

	if (now()->dead_loan || now()->dead_take) {
		producer = queue_open_as(COSHM_PRODUCER);
		consumer = queue_open_as(COSHM_CONSUMER);
	}
	r = &consumer->region;
	/* Whom the victim was to recover for may be dead still, or counted. */
	if (!now()->dead_loan && !now()->dead_take)
		play_check_places(r);
	queue_drain(play_stopping() ? MILLISECOND : LONG_ENOUGH);
	if (!play_stopping())
		queue_check_account();
	queue_go_on();
	if (play_stopping())
		return;
	must(play_peers(r, PEER_DEAD) == 0, PLAY_WRONG, "nobody recovers for the dead one");
	producer = queue_open_as(COSHM_PRODUCER);
	queue_go_on();
	queue_check_room();
}

void queue_after_place(void)
{
	play_await_act();
	queue_drain(MILLISECOND);
	queue_check_account();
	queue_go_on();
	queue_check_room();
	must(play_peers(&consumer->region, PEER_DEAD) == 0, PLAY_WRONG, "one is reported dead");
}

void queue_rest_place(void)
{
	must_ok(act_rc);
	while (!atomic_load(&ledger->finish))
		play_nap();
}
