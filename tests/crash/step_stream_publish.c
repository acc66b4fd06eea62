/* SPDX-License-Identifier: Apache-2.0 */
/*
 * step_stream_publish.c - the publisher of a stream is cut off.
 */
#include "step_stream.h"

static unsigned char data[WINDOW_MOST][LARGE];

static unsigned int messages(void)
{
	unsigned int n = 0;

	while (n < WINDOW_MOST && now()->sizes[n] != 0)
		n++;
	return n;
}

static void sleep_for_message(void)
{
	struct seen s = stream_subscribe(0);
	int rc = stream_receive_next(&s, 15 * SECOND);

	atomic_store(&ledger->woken_ns, play_now_ns());
	must(rc == 0 || (rc == -EOWNERDEAD && !play_stopping()), PLAY_WRONG, "receive: %d", rc);
	coshm_stream_close(s.ch);
}

void stream_others_of_publisher(void)
{
	sub = stream_subscribe(now()->lags ? COSHM_OPEN_OLDEST : 0);
	if (!now()->sleeper)
		return;
	play_sleeper(sleep_for_message);
	while (atomic_load(&sub.ch->region.shared->state.data_sleepers) == 0)
		play_nap();
	play_nap(); /* from its bit to the futex it is not far */
}

void stream_ready_publisher(void)
{
	pub = stream_open_as(COSHM_PUBLISHER, 0);
	while (now()->full && stream_publish_next(pub, 0) == 0)
		;
	for (unsigned int i = 0; i < now()->fill; i++)
		must_ok(stream_publish_next(pub, 0));
	atomic_store(&ledger->opened, true);
	atomic_store(&ledger->value, pub->writer.next);
	for (unsigned int i = 0; i < messages(); i++)
		message_fill(data[i], now()->sizes[i], pub->writer.next + i);
}

/* With a full ring it gives up soon: a system call is one step, and must end. */
void stream_act_publish(void)
{
	atomic_store(&ledger->begun, 1);
	act_rc = coshm_stream_publish(pub, data[0], now()->sizes[0],
				      now()->full ? 2 * MILLISECOND : -1);
	if (act_rc == 0)
		atomic_store(&ledger->acked, 1);
}

void stream_act_batch(void)
{
	void *loan;

	atomic_store(&ledger->begun, messages());
	for (unsigned int i = 0; i < WINDOW_MOST && now()->sizes[i] != 0; i++) {
		act_rc = coshm_stream_loan(pub, now()->sizes[i], -1, &loan);
		if (act_rc < 0)
			return;
		memcpy(loan, data[i], now()->sizes[i]);
	}
	act_rc = coshm_stream_publish_loans(pub);
	if (act_rc == 0)
		atomic_store(&ledger->acked, messages());
}

/* Nobody is to see any of it. */
void stream_act_discard(void)
{
	void *loan;

	for (unsigned int i = 0; i < messages(); i++) {
		act_rc = coshm_stream_loan(pub, now()->sizes[i], -1, &loan);
		if (act_rc < 0)
			return;
		memcpy(loan, data[i], now()->sizes[i]);
	}
	act_rc = coshm_stream_discard_loans(pub);
}

/* Nothing of what it had begun is there, or all. */
static void stream_check_end(uint64_t end)
{
	uint64_t base = atomic_load(&ledger->value), begun = atomic_load(&ledger->begun);

	must(end >= base + atomic_load(&ledger->acked), PLAY_LOST, "only %d of %d are there",
	     (int)end, (int)(base + begun));
	must(end == base || end == base + begun, PLAY_WRONG, "%d are there, of %d or %d", (int)end,
	     (int)base, (int)(base + begun));
}

void stream_check_publisher(void)
{
	struct coshm_stream *other = NULL;
	struct seen late;

	stream_receive_all(&sub);
	stream_check_end(sub.next);
	if (now()->dead_subscribers == 0) /* else it depends on how far it came */
		play_check_places(&sub.ch->region);
	late = stream_subscribe(COSHM_OPEN_OLDEST);
	stream_receive_all(&late);
	must(late.next == sub.next, PLAY_LOST, "a newcomer sees %d, we %d", (int)late.next,
	     (int)sub.next);
	if (play_stopping()) {
		coshm_stream_close(late.ch);
		must(stream_receive_next(&sub, MILLISECOND) == -ETIMEDOUT, PLAY_WRONG,
		     "a message, or a death");
		must_err(coshm_stream_open(NAME, COSHM_PUBLISHER, NULL, &other), EBUSY);
		return;
	}
	play_await_sleeper();
	must(sub.told || stream_receive_next(&sub, -1) == -EOWNERDEAD, PLAY_WRONG, "no death");
	other = stream_open_as(COSHM_PUBLISHER, 0);
	must(other->writer.next == sub.next, PLAY_LOST, "the next publisher begins at %d of %d",
	     (int)other->writer.next, (int)sub.next);
	stream_receive_all(&sub);
	for (unsigned int i = 0; i < ON; i++) {
		struct seen later;

		stream_go_on(other, &sub, 1);
		stream_receive_all(&late);
		later = stream_subscribe(COSHM_OPEN_OLDEST); /* what it begins with is whole too */
		stream_receive_all(&later);
		must(later.next == sub.next, PLAY_LOST, "a newcomer sees %d, we %d",
		     (int)later.next, (int)sub.next);
		coshm_stream_close(later.ch);
	}
	must(late.next == sub.next, PLAY_LOST, "the newcomer has %d, we %d", (int)late.next,
	     (int)sub.next);
}

void stream_after_publisher(void)
{
	stream_receive_to_total(&sub);
	play_await_sleeper();
	must(sub.ch->region.shared->counters.evicted == now()->dead_subscribers + now()->dead,
	     PLAY_WRONG, "%d were evicted", (int)sub.ch->region.shared->counters.evicted);
}

void stream_rest_publisher(void)
{
	must(act_rc == 0 || (act_rc == -ETIMEDOUT && now()->full), PLAY_WRONG, "publish: %d: %s",
	     act_rc, coshm_errmsg());
	for (unsigned int i = 0; i < ON; i++)
		must_ok(stream_publish_next(pub, -1));
	atomic_store(&ledger->total, pub->writer.next);
	stream_await_finish();
}
