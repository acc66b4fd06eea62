/* SPDX-License-Identifier: Apache-2.0 */
/*
 * step_stream_wait.c - a publisher is cut off that waits for its subscribers, or one of them.
 */
#include "step_stream.h"

/* Not in time is as good as in time, when somebody is not to be waited for so long. */
static int in_time_or_not(int rc)
{
	return rc == -ETIMEDOUT ? 0 : rc;
}

void stream_act_drain(void)
{
	act_rc = in_time_or_not(coshm_stream_drain(pub, 2 * MILLISECOND));
}

/* One is there; another one may come, of the others. */
void stream_act_wait_one(void)
{
	act_rc = coshm_stream_wait_subscribers(pub, 1, -1);
}

void stream_act_wait_two(void)
{
	act_rc = in_time_or_not(coshm_stream_wait_subscribers(pub, 2, 2 * MILLISECOND));
}

/* The victim receives what a publisher drains for. */

static void drain(void)
{
	struct coshm_stream *ch = stream_open_as(COSHM_PUBLISHER, 0);

	while (!atomic_load(&ledger->opened))
		play_nap();
	must_ok(coshm_stream_drain(ch, 15 * SECOND));
	atomic_store(&ledger->woken_ns, play_now_ns());
	atomic_store(&ledger->total, ch->writer.next);
	coshm_stream_close(ch);
}

void stream_others_draining(void)
{
	sub = stream_subscribe(0);
	play_sleeper(drain);
}

/* All but the last one. */
void stream_ready_drained(void)
{
	sub = stream_subscribe(COSHM_OPEN_OLDEST);
	while (sub.next != now()->before - 1)
		must_ok(stream_receive_next(&sub, 0));
	stream_sit_until_room_is_awaited();
}

/* The victim comes while a publisher waits for one more. */

static void await_audience(void)
{
	struct coshm_stream *ch = stream_open_as(COSHM_PUBLISHER, 0);

	must_ok(coshm_stream_wait_subscribers(ch, 2, 15 * SECOND));
	atomic_store(&ledger->woken_ns, play_now_ns());
	must_ok(stream_publish_next(ch, 0));
	atomic_store(&ledger->total, ch->writer.next);
	coshm_stream_close(ch);
}

void stream_others_awaiting(void)
{
	sub = stream_subscribe(0);
	play_sleeper(await_audience);
	while (atomic_load(&sub.ch->region.shared->state.room_sleepers) == 0)
		play_nap();
	play_nap(); /* from its bit to the futex it is not far */
}

/* Another one comes: with it they are two, whatever has become of the victim. */
void stream_check_awaiting(void)
{
	struct seen late;

	play_check_places(&sub.ch->region);
	late = stream_subscribe(0);
	play_await_sleeper();
	stream_receive_all(&sub);
	stream_receive_all(&late);
	must(sub.next == now()->before + 1 && late.next == sub.next, PLAY_LOST,
	     "received %d and %d", (int)sub.next, (int)late.next);
	coshm_stream_close(late.ch);
}

void stream_after_awaiting(void)
{
	play_await_act();
	must(sub.ch->region.shared->counters.evicted == 0, PLAY_WRONG, "somebody was evicted");
}
