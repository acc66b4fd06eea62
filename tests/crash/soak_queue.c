/* SPDX-License-Identifier: Apache-2.0 */
/*
 * soak_queue.c - "queue": peers 0 and 1 produce, 2 and 3 consume.
 *
 * Nobody dies, so each message comes once, with both policies.  A producer's
 * messages come in the order of its pushes, but for those that were passed.
 */
#include "queue.h"
#include "soak.h"

#define MESSAGE_BYTES 256u
#define HELD_MOST     2u
#define BATCH         5u
/* Every seventeenth message is late on purpose, and some producer loses its CPU now and then. */
#define TURNED_LEAST 10u
#define STOP         UINT64_MAX /* to a consumer: nothing comes any more */
/* One may take as many as it can hold, and leaves then. */
#define STOPS (HELD_MOST * (PEERS_MOST - PRODUCERS))

static void create(void)
{
	struct coshm_queue_shape s = { .size = sizeof(s),
				       .policy = soaking->policy,
				       .slots = soak_round.slots,
				       .message_bytes = MESSAGE_BYTES };

	soak_ok(coshm_queue_create(NAME, &s, NULL));
}

static struct coshm_queue *open_as(enum coshm_role role, uint32_t wait)
{
	struct coshm_open_opts o = { .size = sizeof(o), .wait = wait };
	struct coshm_queue *ch = NULL;

	soak_ok(coshm_queue_open(NAME, role, &o, &ch));
	return ch;
}

static void age(struct coshm_queue *ch)
{
	uint64_t start = soak_round.start;

	soak_age(&ch->region);
	for (uint64_t p = start; p != start + soak_round.slots; p++)
		atomic_store(&queue_slot(&ch->ring, p)->state,
			     queue_state(p >> ch->ring.shift, 0, 0, QUEUE_FREE));
	atomic_store(&ch->ring.control->again, UINT64_MAX - 3);
	atomic_store(&ch->ring.control->head, start);
	atomic_store(&ch->ring.control->tail, start);
}

/* Its first word says whose it is; the others follow from that. */
static size_t letter_write(uint64_t *data, uint64_t id)
{
	size_t bytes = soak_bytes(id, false);

	data[0] = id;
	message_fill(data + 1, bytes - 8, id);
	return bytes;
}

static void push(struct coshm_queue *ch, uint64_t id)
{
	uint64_t data[MESSAGE_BYTES / 8];
	size_t bytes = letter_write(data, id);

	soak_ok(coshm_queue_push(ch, data, bytes, PATIENCE));
	atomic_fetch_add_explicit(&soak->bytes, bytes, memory_order_relaxed);
}

/* @count from @id on, in as many calls as it takes: there may be room for some of them alone. */
static void push_batch(struct coshm_queue *ch, uint64_t id, unsigned int count)
{
	uint64_t data[BATCH][MESSAGE_BYTES / 8];
	struct iovec messages[BATCH];
	size_t bytes = 0;

	for (unsigned int i = 0; i < count; i++, id += PRODUCERS) {
		messages[i].iov_base = data[i];
		messages[i].iov_len = letter_write(data[i], id);
		bytes += messages[i].iov_len;
	}
	for (unsigned int done = 0; done < count;) {
		int rc = coshm_queue_push_batch(ch, messages + done, count - done, PATIENCE);

		soak_must(rc > 0 && rc <= (int)(count - done), "push a batch: %d: %s", rc,
			  coshm_errmsg());
		done += (unsigned int)rc;
	}
	atomic_fetch_add_explicit(&soak->bytes, bytes, memory_order_relaxed);
}

/* A slow one, which others pass: the second message is there before the first. */
static void push_late(struct coshm_queue *ch, uint64_t id, uint64_t second)
{
	uint64_t data[MESSAGE_BYTES / 8];
	size_t bytes = letter_write(data, second);
	void *loan;
	int rc;

	soak_ok(coshm_queue_loan(ch, PATIENCE, &loan));
	rc = coshm_queue_push(ch, data, bytes, 0);
	soak_must(rc == 0 || rc == -EAGAIN, "push: %d: %s", rc, coshm_errmsg());
	bytes = letter_write(loan, id);
	soak_ok(coshm_queue_push_loan(ch, loan, bytes));
	atomic_fetch_add_explicit(&soak->bytes, bytes, memory_order_relaxed);
	if (rc < 0)
		push(ch, second);
	else
		atomic_fetch_add_explicit(&soak->bytes, soak_bytes(second, false),
					  memory_order_relaxed);
}

/* Before it leaves, which would recover for it: no slot is still in its hands. */
static void check_hands(const struct coshm_queue *ch)
{
	for (uint64_t i = 0; i < soak_round.slots; i++) {
		uint64_t state = queue_load(&ch->ring, i);
		enum queue_phase phase = queue_phase(state);
		bool held = phase == QUEUE_CLAIM || phase == QUEUE_PASSED || phase == QUEUE_TAKE;

		soak_must(!held || queue_owner(state) != ch->region.slot,
			  "slot %llu, phase %d, was never given back", (unsigned long long)i,
			  (int)phase);
	}
}

static void produce(unsigned int peer)
{
	struct coshm_queue *ch = open_as(COSHM_PRODUCER, soak_wait(peer));
	uint64_t count = soak_round.count / PRODUCERS, seq = 0;

	if (peer == 0)
		age(ch);
	soak_await_age();
	soak_await_all();
	while (seq < count) {
		uint64_t id = seq * PRODUCERS + peer;

		if (seq % 16 == 15 && seq + 1 < count) {
			push_late(ch, id, id + PRODUCERS);
			seq += 2;
			continue;
		}
		if (seq % 16 == 3 && seq + BATCH <= count) {
			push_batch(ch, id, BATCH);
			seq += BATCH;
			continue;
		}
		push(ch, id);
		seq++;
	}
	check_hands(ch);
	if (atomic_fetch_add(&soak->ended, 1) + 1 == PRODUCERS) /* all pushes have returned */
		for (unsigned int i = 0; i < STOPS; i++)
			push(ch, STOP);
	check_hands(ch);
	coshm_queue_close(ch);
}

/* One more than the newest message of each producer that this consumer has had. */
struct newest {
	uint64_t after[PRODUCERS];
};

static bool judge(struct newest *news, const struct coshm_delivery *d)
{
	const uint64_t *data = d->data;
	uint64_t id = d->bytes >= 16 ? data[0] : 0, seq = id / PRODUCERS;
	uint64_t *after = &news->after[id % PRODUCERS];

	soak_must(d->bytes == soak_bytes(id, false) && message_good(data + 1, d->bytes - 8, id),
		  "message %llu is torn", (unsigned long long)d->number);
	soak_must(d->deliveries == 1, "message %llu came for the time %u",
		  (unsigned long long)d->number, d->deliveries);
	if (id == STOP)
		return false;
	soak_must(seq < soak_round.count / PRODUCERS, "message %llu was never sent",
		  (unsigned long long)id);
	soak_must(atomic_fetch_add(&soak->came[id % PRODUCERS][seq], 1) == 0,
		  "message %llu came twice", (unsigned long long)id);
	if (seq < *after)
		atomic_fetch_add_explicit(&soak->turned, 1, memory_order_relaxed);
	else
		*after = seq + 1;
	atomic_fetch_add_explicit(&soak->received, 1, memory_order_relaxed);
	return true;
}

/* One or two at a time, in one call or in two; false when it is told to stop. */
static bool consume_some(struct coshm_queue *ch, struct newest *news, bool batch)
{
	struct coshm_delivery d[HELD_MOST];
	unsigned int held = 1;
	bool go_on = true;
	int rc;

	rc = batch ? coshm_queue_take_batch(ch, d, HELD_MOST, PATIENCE) :
		     coshm_queue_take(ch, PATIENCE, d);
	soak_must(batch ? rc > 0 && rc <= (int)HELD_MOST : rc == 0, "take: %d: %s", rc,
		  coshm_errmsg());
	if (batch)
		held = (unsigned int)rc;
	while (!batch && held < HELD_MOST && coshm_queue_take(ch, 0, &d[held]) == 0)
		held++;
	for (unsigned int i = 0; i < held; i++)
		go_on &= judge(news, &d[i]);
	while (held > 0)
		soak_ok(coshm_queue_release(ch, d[--held].data));
	return go_on;
}

static bool consume_copy(struct coshm_queue *ch, struct newest *news)
{
	uint64_t data[MESSAGE_BYTES / 8];
	struct coshm_delivery d;

	soak_ok(coshm_queue_receive(ch, data, sizeof(data), PATIENCE, &d));
	return judge(news, &d);
}

static void consume(unsigned int peer)
{
	struct coshm_queue *ch = open_as(COSHM_CONSUMER, soak_wait(peer));
	struct newest news = { 0 };
	bool go_on = true;

	soak_await_all();
	for (uint64_t i = 0; go_on; i++)
		go_on = i % 2 ? consume_some(ch, &news, i % 4 == 1) : consume_copy(ch, &news);
	check_hands(ch);
	coshm_queue_close(ch);
}

static void play(unsigned int peer)
{
	if (peer < PRODUCERS) {
		produce(peer);
		return;
	}
	soak_await_age();
	consume(peer);
}

/* Consumers that were told to stop may have left what came up behind the head. */
static void settle(void)
{
	struct coshm_queue *ch = open_as(COSHM_CONSUMER, COSHM_WAIT_BLOCK);
	uint64_t each = soak_round.count / PRODUCERS;
	struct newest news = { 0 };
	struct coshm_delivery d;

	while (coshm_queue_take(ch, 0, &d) == 0) {
		judge(&news, &d);
		soak_ok(coshm_queue_release(ch, d.data));
	}
	coshm_queue_close(ch);
	for (unsigned int p = 0; p < PRODUCERS; p++)
		for (uint64_t seq = 0; seq < each; seq++)
			soak_must(atomic_load(&soak->came[p][seq]) == 1,
				  "message %llu of producer %u is gone", (unsigned long long)seq,
				  p);
	soak_must(atomic_load(&soak->turned) * TURNED_LEAST <= soak_round.count,
		  "%llu of %llu messages are out of their producer's order",
		  (unsigned long long)atomic_load(&soak->turned),
		  (unsigned long long)soak_round.count);
	soak_check_counters(each * PRODUCERS + STOPS, atomic_load(&soak->bytes), 0);
}

static void live(uint64_t number, bool dies)
{
	struct coshm_queue *ch = open_as(COSHM_PRODUCER, COSHM_WAIT_BLOCK);

	push(ch, number);
	if (!dies)
		coshm_queue_close(ch);
}

static void *listen_for(void)
{
	return open_as(COSHM_CONSUMER, COSHM_WAIT_BLOCK);
}

static void hear(void *ch, uint64_t number)
{
	struct newest news = { 0 };

	soak_must(consume_copy(ch, &news) &&
			  news.after[number % PRODUCERS] == number / PRODUCERS + 1,
		  "it is not message %llu", (unsigned long long)number);
}

static void leave(void *ch)
{
	coshm_queue_close(ch);
}

#define QUEUE                                                                                      \
	.peers = PEERS_MOST, .lap_bits = 64 - QUEUE_LAP_SHIFT, .create = create, .play = play,     \
	.settle = settle, .live = live, .listen = listen_for, .hear = hear, .leave = leave

const struct soak_kind soak_least = { .name = "queue at least once",
				      .policy = COSHM_QUEUE_AT_LEAST_ONCE,
				      QUEUE };
const struct soak_kind soak_most = { .name = "queue at most once",
				     .policy = COSHM_QUEUE_AT_MOST_ONCE,
				     QUEUE };
