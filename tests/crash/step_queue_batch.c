/* SPDX-License-Identifier: Apache-2.0 */
/*
 * step_queue_batch.c - batches that are cut off.
 *
 * Of a batch that is pushed the first messages are there, and no others.  Of
 * one that is taken each message has its own fate, as told() says.
 */
#include "step_queue.h"

#define BATCH_MOST 4u

static int act_rc;
static struct coshm_delivery taken[BATCH_MOST];
static uint64_t copies[BATCH_MOST][BYTES / 8];

void queue_act_push_batch(void)
{
	unsigned int id = ID_VICTIM, call = 0;

	do {
		uint64_t data[BATCH_MOST][BYTES / 8];
		struct iovec messages[BATCH_MOST];
		int rc;

		for (unsigned int i = 0; i < now()->batch; i++) {
			messages[i].iov_base = data[i];
			messages[i].iov_len = queue_write_id(data[i], id + i);
		}
		rc = coshm_queue_push_batch(producer, messages, now()->batch, -1);
		must(rc > 0 && rc <= (int)now()->batch, PLAY_WRONG, "push a batch: %d: %s", rc,
		     coshm_errmsg());
		id += (unsigned int)rc;
		atomic_store(&ledger->acked, id - ID_VICTIM);
	} while (++call < now()->batches);
}

void queue_act_take_batch(void)
{
	act_rc = coshm_queue_take_batch(consumer, taken, now()->batch, MILLISECOND);
	if (act_rc < 0)
		return;
	for (int i = 0; i < act_rc; i++)
		memcpy(copies[i], taken[i].data, taken[i].bytes);
	atomic_store(&told()->taken, (unsigned int)act_rc);
	for (int i = 0; i < act_rc; i++) {
		atomic_fetch_add(&told()->releasing, 1);
		must_ok(coshm_queue_release(consumer, taken[i].data));
		atomic_fetch_add(&told()->released, 1);
	}
}

bool queue_in_dead_hands(unsigned int id)
{
	return !play_stopping() && id >= ID_SETUP + atomic_load(&told()->releasing) &&
	       id < ID_SETUP + atomic_load(&told()->taken);
}

/* How many of the first of setup's messages @have it, and no other one has. */
static unsigned int first_with(bool (*have)(unsigned int id))
{
	unsigned int first = 0, all = 0;

	while (first < now()->before && have(ID_SETUP + first))
		first++;
	for (unsigned int i = 0; i < now()->before; i++)
		all += have(ID_SETUP + i);
	must(all == first, PLAY_LOST, "it is said of %u messages, not the first ones", all);
	return first;
}

static bool is_missing(unsigned int id)
{
	return came[id] == 0;
}

static bool is_marked(unsigned int id)
{
	return marked[id];
}

/* At most once: what was taken and not acknowledged is gone, and each is counted. */
static void check_dropped(uint64_t lost)
{
	unsigned int gone = first_with(is_missing), taken_of_it = atomic_load(&told()->taken);
	unsigned int released = atomic_load(&told()->released);
	unsigned int between = atomic_load(&told()->releasing) - released;

	must(taken_of_it == 0 ? gone <= now()->batch : gone == taken_of_it, PLAY_LOST,
	     "%u were taken, %u are gone", taken_of_it, gone);
	must(lost + released == gone || lost + released + between == gone, PLAY_LOST,
	     "%u are gone, %u were released, %d are counted as lost", gone, released, (int)lost);
}

/* At least once: all the others come, and those that had been taken are marked. */
static void check_redelivered(uint64_t lost)
{
	unsigned int gone = first_with(is_missing), released = atomic_load(&told()->released);

	must(lost == 0, PLAY_LOST, "%d are counted as lost", (int)lost);
	must(gone == released || gone == atomic_load(&told()->releasing), PLAY_LOST,
	     "%u were released, %u are gone", released, gone);
	if (atomic_load(&told()->taken) == 0)
		must(first_with(is_marked) <= now()->batch, PLAY_TWICE,
		     "more are marked as redelivered than can have been taken");
}

void queue_check_taken(void)
{
	uint64_t lost = atomic_load(&consumer->region.shared->counters.lost);

	if (now()->policy == COSHM_QUEUE_AT_MOST_ONCE)
		check_dropped(lost);
	else
		check_redelivered(lost);
}

void queue_after_take_batch(void)
{
	play_await_act();
	queue_drain(MILLISECOND);
	must(first_with(is_missing) == atomic_load(&told()->released), PLAY_LOST,
	     "%u have not come, %u were released", queue_missing(), atomic_load(&told()->released));
	must(atomic_load(&consumer->region.shared->counters.lost) == 0, PLAY_LOST,
	     "nobody died, and some are counted as lost");
	queue_go_on();
	queue_check_room();
	must(consumer->region.shared->counters.evicted == 0, PLAY_WRONG, "somebody was evicted");
}

void queue_rest_take_batch(void)
{
	must(act_rc > 0 || act_rc == -ETIMEDOUT, PLAY_WRONG, "%d: %s", act_rc, coshm_errmsg());
	for (int i = 0; i < act_rc; i++) {
		unsigned int id;

		taken[i].data = copies[i];
		id = queue_judge(&taken[i]);
		must(id == ID_SETUP + (unsigned int)i && taken[i].deliveries == 1, PLAY_TWICE,
		     "message %u is number %d of the batch, delivered the %u. time", id, i,
		     taken[i].deliveries);
	}
	while (!atomic_load(&ledger->finish))
		play_nap();
}
