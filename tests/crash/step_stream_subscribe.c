/* SPDX-License-Identifier: Apache-2.0 */
/*
 * step_stream_subscribe.c - a subscriber of a stream is cut off.
 */
#include "step_stream.h"

static unsigned char data[WINDOW_MOST][LARGE];
static struct coshm_message messages[WINDOW_MOST];

static bool lossless(void)
{
	return now()->policy == COSHM_STREAM_LOSSLESS;
}

void stream_others_of_subscriber(void)
{
	sub = stream_subscribe(0);
	pub = stream_open_as(COSHM_PUBLISHER, 0);
}

void stream_ready_subscriber(void)
{
	sub = stream_subscribe(now()->lags ? COSHM_OPEN_OLDEST : 0);
	atomic_store(&ledger->opened, true);
}

void stream_act_receive(void)
{
	act_rc = coshm_stream_receive(sub.ch, data[0], LARGE, MILLISECOND, &messages[0]);
	if (act_rc == 0)
		act_rc = 1;
}

void stream_act_peek(void)
{
	int count = coshm_stream_peek(sub.ch, messages, WINDOW_MOST, 0);

	act_rc = count;
	if (count < 0)
		return;
	for (int i = 0; i < count; i++) {
		memcpy(data[i], messages[i].data, messages[i].bytes);
		messages[i].data = data[i];
	}
	act_rc = coshm_stream_release(sub.ch, (unsigned int)count);
	if (act_rc == 0)
		act_rc = count;
}

/* Loans that come to nothing: they destroy what the victim is looking at. */
static void loan_and_discard(void)
{
	void *loan;

	for (unsigned int i = 0; i + 1 < SLOTS; i++) {
		must_ok(coshm_stream_loan(pub, i % 2 ? SMALL : LARGE / 3, 0, &loan));
		memset(loan, 0xee, i % 2 ? SMALL : LARGE / 3);
	}
	must_ok(coshm_stream_discard_loans(pub));
}

/* It is not dead, so it is waited for, and by its name. */
static void fill_up(void)
{
	char who[32];
	int rc = 0;

	snprintf(who, sizeof(who), "pid %d (", atomic_load(&ledger->victim));
	for (unsigned int i = 0; i <= SLOTS && rc == 0; i++) {
		rc = stream_publish_next(pub, MILLISECOND);
		if (rc == 0)
			stream_receive_next(&sub, 0);
	}
	if (rc == 0 && atomic_load(&ledger->closing))
		return; /* it is not there, yet or any more */
	must(rc == -ETIMEDOUT, PLAY_LOST, "the stopped subscriber is not waited for");
	must(strstr(coshm_errmsg(), "has not moved") &&
		     (strstr(coshm_errmsg(), who) || atomic_load(&ledger->closing)),
	     PLAY_WRONG, "\"%s\" does not name %s", coshm_errmsg(), who);
}

void stream_check_subscriber(void)
{
	struct counters_shared *c = &pub->region.shared->counters;
	struct seen late;

	if (now()->discards)
		loan_and_discard();
	if (play_stopping()) {
		if (lossless())
			fill_up();
		else if (!now()->discards)
			stream_go_on(pub, &sub, ON);
		play_check_places(&pub->region);
		must(c->evicted == now()->dead_subscribers, PLAY_WRONG, "somebody was evicted");
		return;
	}
	play_check_places(&pub->region);
	stream_go_on(pub, &sub, ON);
	if (lossless() && !atomic_load(&ledger->closing))
		must(c->evicted == 1, PLAY_WRONG, "%d were evicted", (int)c->evicted);
	late = stream_subscribe(0);
	for (unsigned int i = 0; i < ON; i++) {
		stream_go_on(pub, &sub, 1);
		stream_receive_all(&late);
	}
	must(late.next == sub.next, PLAY_LOST, "the newcomer has %d, we %d", (int)late.next,
	     (int)sub.next);
}

void stream_after_subscriber(void)
{
	if (now()->discards)
		play_await_act(); /* else it would be overtaken, discarded or not */
	for (unsigned int i = 0; i < ON; i++) {
		while (stream_publish_next(pub, MILLISECOND) == -ETIMEDOUT)
			play_nudge();
		stream_receive_all(&sub);
	}
	must(sub.next == pub->writer.next, PLAY_LOST, "received %d of %d", (int)sub.next,
	     (int)pub->writer.next);
	atomic_store(&ledger->total, pub->writer.next);
	play_await_act();
	if (lossless())
		must_ok(coshm_stream_drain(pub, -1));
	must(pub->region.shared->counters.evicted == now()->dead_subscribers, PLAY_WRONG,
	     "somebody was evicted");
}

void stream_rest_subscriber(void)
{
	must(act_rc >= 0 || act_rc == -ETIMEDOUT || (act_rc == -EAGAIN && !lossless()), PLAY_WRONG,
	     "%d: %s", act_rc, coshm_errmsg());
	for (int i = 0; i < act_rc; i++)
		stream_judge(&sub, &messages[i]);
	while (sub.ch && sub.next != atomic_load(&ledger->total))
		stream_receive_next(&sub, MILLISECOND);
	stream_await_finish();
}

/* The victim makes room for a publisher that sleeps. */

static void publish_until_full(void)
{
	struct coshm_stream *ch = stream_open_as(COSHM_PUBLISHER, 0);

	while (!atomic_load(&ledger->opened))
		play_nap();
	while (stream_publish_next(ch, 0) == 0)
		;
	must_ok(stream_publish_next(ch, 15 * SECOND));
	atomic_store(&ledger->woken_ns, play_now_ns());
	atomic_store(&ledger->total, ch->writer.next);
	coshm_stream_close(ch);
}

void stream_others_sleeping_publisher(void)
{
	sub = stream_subscribe(0);
	play_sleeper(publish_until_full);
}

void stream_sit_until_room_is_awaited(void)
{
	atomic_store(&ledger->opened, true);
	while (atomic_load(&sub.ch->region.shared->state.room_sleepers) == 0)
		play_nap();
	play_nap(); /* from its bit to the futex it is not far */
}

void stream_ready_sleeping_publisher(void)
{
	sub = stream_subscribe(COSHM_OPEN_OLDEST);
	stream_sit_until_room_is_awaited();
}

void stream_check_sleeping_publisher(void)
{
	play_check_places(&sub.ch->region);
	stream_receive_all(&sub);
	if (play_stopping())
		return;
	play_await_sleeper();
	stream_receive_all(&sub);
	must(sub.next == atomic_load(&ledger->total), PLAY_LOST, "received %d", (int)sub.next);
}

void stream_after_sleeping_publisher(void)
{
	play_await_act();
	play_await_sleeper();
	stream_receive_all(&sub);
	must(sub.next == atomic_load(&ledger->total), PLAY_LOST, "received %d", (int)sub.next);
	must(sub.ch->region.shared->counters.evicted == 0, PLAY_WRONG, "somebody was evicted");
}
