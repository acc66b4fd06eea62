/* SPDX-License-Identifier: Apache-2.0 */
/*
 * step_stream_place.c - one who comes to a stream or leaves it is cut off.
 */
#include "step_stream.h"

void stream_ready_coming(void)
{
	atomic_store(&ledger->closing, true);
	atomic_store(&ledger->value, now()->before);
}

void stream_ready_publisher_going(void)
{
	void *loan;

	stream_ready_publisher();
	/* With loans out: they are nobody's then. */
	for (unsigned int i = 0; i < 3; i++)
		must_ok(coshm_stream_loan(pub, i == 1 ? LARGE : SMALL, -1, &loan));
	atomic_store(&ledger->closing, true);
}

void stream_ready_subscriber_going(void)
{
	stream_ready_subscriber();
	atomic_store(&ledger->closing, true);
}

void stream_act_open_publisher(void)
{
	act_rc = coshm_stream_open(NAME, COSHM_PUBLISHER, NULL, &pub);
}

void stream_act_open_subscriber(void)
{
	act_rc = coshm_stream_open(NAME, COSHM_SUBSCRIBER, NULL, &sub.ch);
	sub.next = act_rc == 0 ? sub.ch->reader.next : 0;
}

void stream_act_open_oldest(void)
{
	struct coshm_open_opts o = { .size = sizeof(o), .flags = COSHM_OPEN_OLDEST };

	act_rc = coshm_stream_open(NAME, COSHM_SUBSCRIBER, &o, &sub.ch);
	sub.next = act_rc == 0 ? sub.ch->reader.next : 0;
}

void stream_act_close_publisher(void)
{
	coshm_stream_close(pub);
	pub = NULL;
}

void stream_act_close_subscriber(void)
{
	coshm_stream_close(sub.ch);
	sub.ch = NULL;
}

/* Another publisher can come, unless one is alive and there. */
void stream_check_publisher_place(void)
{
	struct coshm_stream *other = NULL;
	int rc;

	stream_receive_all(&sub);
	must(sub.next == now()->before, PLAY_LOST, "%d are there of %d", (int)sub.next,
	     (int)now()->before);
	if (!now()->dead)
		play_check_places(&sub.ch->region);
	rc = coshm_stream_open(NAME, COSHM_PUBLISHER, NULL, &other);
	must(rc == 0 || (rc == -EBUSY && play_stopping()), PLAY_WRONG, "open: %d: %s", rc,
	     coshm_errmsg());
	if (rc == 0)
		stream_go_on(other, &sub, ON);
	coshm_stream_close(other);
}

void stream_after_publisher_place(void)
{
	play_await_act();
	while (!atomic_load(&ledger->total))
		play_nap();
	stream_receive_all(&sub);
	must(atomic_load(&ledger->total) == sub.next + 1, PLAY_LOST, "received %d, published %d",
	     (int)sub.next, (int)atomic_load(&ledger->total) - 1);
	must(play_peers(&sub.ch->region, PEER_DEAD) == 0, PLAY_WRONG, "one is reported dead");
}

void stream_rest_publisher_place(void)
{
	must(act_rc == 0 || act_rc == -EBUSY, PLAY_WRONG, "%d: %s", act_rc, coshm_errmsg());
	if (!pub)
		pub = stream_open_as(COSHM_PUBLISHER, 0);
	must_ok(stream_publish_next(pub, -1));
	atomic_store(&ledger->total, pub->writer.next + 1);
	stream_await_finish();
}

/* All places were held by the dead, and one more has died while it took one of them. */
void stream_check_crowd(void)
{
	sub = stream_subscribe(0);
	pub = stream_open_as(COSHM_PUBLISHER, 0);
	stream_go_on(pub, &sub, ON); /* the dead are waited for no longer */
	must(play_peers(&pub->region, PEER_DEAD) == 0, PLAY_WRONG, "nobody recovers for the dead");
	must(play_peers(&pub->region, PEER_ALIVE) == 2, PLAY_WRONG, "somebody is missing");
}
