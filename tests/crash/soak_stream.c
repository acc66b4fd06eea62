/* SPDX-License-Identifier: Apache-2.0 */
/*
 * soak_stream.c - "stream": peer 0 publishes, the others subscribe.
 *
 * Each subscriber gets every message in order (lossless), or is told of each
 * one that it did not get (overwrite): received and lost make the whole.
 */
#include <sched.h>

#include "soak.h"
#include "stream.h"

#define PEEK_MOST 4u

static void create(void)
{
	struct coshm_stream_shape s = { .size = sizeof(s),
					.policy = soaking->policy,
					.slots = soak_round.slots,
					.small_bytes = 48,
					.large_bytes = LARGE_BYTES };

	soak_ok(coshm_stream_create(NAME, &s, NULL));
}

static struct coshm_stream *open_as(enum coshm_role role, uint32_t wait)
{
	struct coshm_open_opts o = { .size = sizeof(o), .wait = wait };
	struct coshm_stream *ch = NULL;

	soak_ok(coshm_stream_open(NAME, role, &o, &ch));
	return ch;
}

/* As if it had lived that long: every slot holds its message of the lap before. */
static void age(struct coshm_stream *ch)
{
	struct stream_control_shared *control = ch->ring.control;
	uint64_t start = soak_round.start;
	/* The bytes wrap as well, at 2^32 or 2^64 like the positions, some large messages later. */
	uint64_t wrap = start >> 32 == 0 ? UINT64_C(1) << 32 : 0;

	soak_age(&ch->region);
	for (uint64_t p = start - soak_round.slots; p != start; p++) {
		message_fill(stream_payload(&ch->ring, p), 16, p);
		atomic_store(&stream_slot(&ch->ring, p)->word, stream_word(&ch->ring, p, 16 + 1));
	}
	atomic_store(&control->published, start);
	atomic_store(&control->limit, start);
	atomic_store(&control->claimed, (wrap - soak_round.until * 256) & ~UINT64_C(63));
	stream_resume(&ch->ring, &ch->writer);
	soak_must(ch->writer.next == start, "the publisher goes on at %llu",
		  (unsigned long long)ch->writer.next);
}

static void publish_copy(struct coshm_stream *ch)
{
	uint64_t data[LARGE_BYTES / 8], number = ch->writer.next;
	size_t bytes = soak_bytes(number, true);

	message_fill(data, bytes, number);
	soak_ok(coshm_stream_publish(ch, data, bytes, PATIENCE));
}

/* Up to @count at once, as many as fit. */
static uint64_t publish_batch(struct coshm_stream *ch, uint64_t count)
{
	uint64_t number = ch->writer.next, loaned = 0;
	void *loan;
	int rc;

	for (; loaned < count; loaned++, number++) {
		rc = coshm_stream_loan(ch, soak_bytes(number, true), PATIENCE, &loan);
		if (rc == -ENOBUFS && loaned > 0)
			break;
		soak_must(rc == 0, "loan: %d: %s", rc, coshm_errmsg());
		message_fill(loan, soak_bytes(number, true), number);
	}
	soak_ok(coshm_stream_publish_loans(ch));
	return loaned;
}

static void publish(void)
{
	struct coshm_stream *ch = open_as(COSHM_PUBLISHER, soak_wait(0));
	uint64_t bytes = 0, step;

	age(ch);
	soak_await_age();
	soak_await_all();
	for (uint64_t i = 0; i < soak_round.count; i += step) {
		uint64_t left = soak_round.count - i;

		if (i / 16 % 4 == 3) {
			step = publish_batch(ch, left < 3 ? left : 3);
		} else {
			publish_copy(ch);
			step = 1;
		}
		if (soak_round.yields && soaking->policy == COSHM_STREAM_OVERWRITE &&
		    i / 3 % 8 == 0)
			sched_yield(); /* or on few CPUs it is all over before they look */
		for (uint64_t k = 0; k < step; k++)
			bytes += soak_bytes(soak_round.start + i + k, true);
		if (i == soak_round.until || i == soak_round.until + 2) {
			coshm_stream_close(ch); /* the next one takes over, at the wrap */
			ch = open_as(COSHM_PUBLISHER, soak_wait(0));
		}
	}
	coshm_stream_close(ch);
	atomic_store(&soak->bytes, bytes);
}

/* What a subscriber has had so far. */
struct account {
	uint64_t next, received, lost;
};

static bool is_whole(const struct coshm_message *m)
{
	return m->bytes == soak_bytes(m->number, true) &&
	       message_good(m->data, m->bytes, m->number);
}

static void enter(struct account *a, const struct coshm_message *m, bool whole)
{
	soak_must(whole, "message %llu is torn", (unsigned long long)m->number);
	soak_must(m->number == a->next + m->lost, "message %llu came when %llu was next, %llu lost",
		  (unsigned long long)m->number, (unsigned long long)a->next,
		  (unsigned long long)m->lost);
	soak_must(m->lost == 0 || soaking->policy == COSHM_STREAM_OVERWRITE, "%llu are lost",
		  (unsigned long long)m->lost);
	a->next = m->number + 1;
	a->lost += m->lost;
	a->received++;
}

static void receive(struct coshm_stream *ch, struct account *a)
{
	uint64_t data[LARGE_BYTES / 8];
	struct coshm_message m;
	int rc = coshm_stream_receive(ch, data, sizeof(data), PATIENCE, &m);

	if (rc == -EAGAIN && soaking->policy == COSHM_STREAM_OVERWRITE)
		return; /* overtaken again and again */
	soak_must(rc == 0, "receive: %d: %s", rc, coshm_errmsg());
	enter(a, &m, is_whole(&m));
}

static void peek(struct coshm_stream *ch, struct account *a)
{
	struct coshm_message m[PEEK_MOST];
	bool whole[PEEK_MOST];
	int rc, count = coshm_stream_peek(ch, m, PEEK_MOST, PATIENCE);

	if (count == -EAGAIN && soaking->policy == COSHM_STREAM_OVERWRITE)
		return;
	soak_must(count > 0, "peek: %d: %s", count, coshm_errmsg());
	for (int i = 0; i < count; i++)
		whole[i] = is_whole(&m[i]);
	rc = coshm_stream_release(ch, (unsigned int)count);
	if (rc == -EAGAIN && soaking->policy == COSHM_STREAM_OVERWRITE)
		return; /* the next message tells */
	soak_must(rc == 0, "release: %d: %s", rc, coshm_errmsg());
	for (int i = 0; i < count; i++)
		enter(a, &m[i], whole[i]);
}

static void subscribe(unsigned int peer)
{
	struct coshm_stream *ch = open_as(COSHM_SUBSCRIBER, soak_wait(peer));
	uint64_t end = soak_round.start + soak_round.count;
	struct account a = { .next = soak_round.start };

	soak_must(ch->reader.next == a.next, "it begins with %llu",
		  (unsigned long long)ch->reader.next);
	soak_await_all();
	/* Not until a.next: the last of all may be lost after a peek, and nothing tells it. */
	for (uint64_t i = 0; ch->reader.next != end; i++)
		if (i / 32 % 2 == peer % 2)
			receive(ch, &a);
		else
			peek(ch, &a);
	a.lost += ch->reader.lost;
	soak_must(a.received + a.lost == soak_round.count,
		  "%llu received and %llu lost make not %llu", (unsigned long long)a.received,
		  (unsigned long long)a.lost, (unsigned long long)soak_round.count);
	atomic_fetch_add(&soak->received, a.received);
	atomic_fetch_add(&soak->lost, a.lost);
	coshm_stream_close(ch);
}

static void play(unsigned int peer)
{
	if (peer == 0) {
		publish();
		return;
	}
	soak_await_age();
	subscribe(peer);
}

static void settle(void)
{
	soak_check_counters(soak_round.count, atomic_load(&soak->bytes), atomic_load(&soak->lost));
}

static void live(uint64_t number, bool dies)
{
	struct coshm_stream *ch = open_as(COSHM_PUBLISHER, COSHM_WAIT_BLOCK);

	soak_must(ch->writer.next == number, "the publisher goes on at %llu",
		  (unsigned long long)ch->writer.next);
	publish_copy(ch);
	if (!dies)
		coshm_stream_close(ch);
}

static void *listen_for(void)
{
	return open_as(COSHM_SUBSCRIBER, COSHM_WAIT_BLOCK);
}

static void hear(void *ch, uint64_t number)
{
	struct account a = { .next = number };

	if (number % 2)
		receive(ch, &a);
	else
		peek(ch, &a);
	soak_must(a.received == 1 && a.lost == 0, "message %llu is lost",
		  (unsigned long long)number);
}

static void leave(void *ch)
{
	coshm_stream_close(ch);
}

#define STREAM                                                                                     \
	.lap_bits = 64 - STREAM_LAP_SHIFT, .create = create, .play = play, .settle = settle,       \
	.live = live, .listen = listen_for, .hear = hear, .leave = leave

const struct soak_kind soak_lossless = {
	.name = "stream lossless", .policy = COSHM_STREAM_LOSSLESS, .peers = 3, STREAM
};
const struct soak_kind soak_overwrite = {
	.name = "stream overwrite", .policy = COSHM_STREAM_OVERWRITE, .peers = 3, STREAM
};
