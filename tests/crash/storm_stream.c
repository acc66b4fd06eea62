/* SPDX-License-Identifier: Apache-2.0 */
/*
 * storm_stream.c - storms over "stream": peer 0 publishes, the others subscribe.
 *
 * In each life a subscriber misses nothing (lossless), or is told how many
 * (overwrite); a publisher goes on behind all that was acknowledged.
 */
#include "storm.h"
#include "stream.h"

#define LARGE 2000u

static size_t bytes_of(uint64_t number)
{
	return number % 5 == 4 ? 8 * (size_t)(8 + number * 37 % 240) : 8 * (size_t)(1 + number % 6);
}

static void create(void)
{
	struct coshm_stream_shape s = { .size = sizeof(s),
					.policy = storming->policy,
					.slots = 64,
					.small_bytes = 48,
					.large_bytes = LARGE };

	storm_ok(coshm_stream_create(NAME, &s, NULL));
}

static struct coshm_stream *open_as(unsigned int peer, enum coshm_role role)
{
	struct coshm_open_opts o = { .size = sizeof(o), .wait = storm_wait(peer) };
	struct coshm_stream *ch = NULL;

	if (role == COSHM_SUBSCRIBER && atomic_load(&storm->notes[peer].lives) % 3 == 0)
		o.flags = COSHM_OPEN_OLDEST;
	storm_ok(coshm_stream_open(NAME, role, &o, &ch));
	return ch;
}

/* Everything that was acknowledged is there, and nothing that was not begun. */
static void check_end(uint64_t end)
{
	struct storm_note *n = &storm->notes[0];
	uint64_t acked = atomic_load(&n->acked), begun = atomic_load(&n->begun);

	storm_must(end == acked || end == begun, "%llu are there, %llu were sent, %llu begun",
		   (unsigned long long)end, (unsigned long long)acked, (unsigned long long)begun);
}

static void publish_some(struct coshm_stream *ch, unsigned int count)
{
	uint64_t number = ch->writer.next;
	unsigned char data[LARGE];
	void *loan;

	if (count == 1) {
		message_fill(data, bytes_of(number), number);
		storm_ok(coshm_stream_publish(ch, data, bytes_of(number), 20 * SECOND));
		return;
	}
	for (unsigned int i = 0; i < count; i++, number++) {
		storm_ok(coshm_stream_loan(ch, bytes_of(number), 20 * SECOND, &loan));
		message_fill(loan, bytes_of(number), number);
	}
	storm_ok(coshm_stream_publish_loans(ch));
}

static void publish(unsigned int peer)
{
	struct storm_note *n = &storm->notes[peer];
	struct coshm_stream *ch = open_as(peer, COSHM_PUBLISHER);

	check_end(ch->writer.next);
	atomic_store(&n->begun, ch->writer.next); /* first, or a kill between looks like a gap */
	atomic_store(&n->acked, ch->writer.next);
	storm_up(peer, &ch->region);
	for (unsigned int i = 0;; i++) {
		unsigned int count = i % 4 == 3 ? 2 + i % 3 : 1;

		atomic_store(&n->begun, ch->writer.next + count);
		publish_some(ch, count);
		atomic_store(&n->acked, ch->writer.next);
		storm_step(peer);
		if (i % 256 == 0)
			usleep(50); /* let them sleep now and then, and run */
	}
}

static uint64_t judge(const struct coshm_message *m, uint64_t next)
{
	storm_must(m->bytes == bytes_of(m->number) && message_good(m->data, m->bytes, m->number),
		   "message %llu is torn", (unsigned long long)m->number);
	storm_must(m->number == next + m->lost, "message %llu came when %llu was next, %llu lost",
		   (unsigned long long)m->number, (unsigned long long)next,
		   (unsigned long long)m->lost);
	storm_must(m->lost == 0 || storming->policy == COSHM_STREAM_OVERWRITE, "%llu are lost",
		   (unsigned long long)m->lost);
	atomic_fetch_add(&storm->messages, 1);
	atomic_fetch_add(&storm->lost, m->lost);
	return m->number + 1;
}

static void subscribe(unsigned int peer)
{
	struct coshm_stream *ch = open_as(peer, COSHM_SUBSCRIBER);
	uint64_t next = ch->reader.next, data[LARGE / 8];

	storm_up(peer, &ch->region);
	for (;;) {
		struct coshm_message m;
		int rc = coshm_stream_receive(ch, data, sizeof(data), SECOND, &m);

		storm_must(rc == 0 || rc == -EAGAIN || rc == -ETIMEDOUT || rc == -EOWNERDEAD,
			   "receive: %d: %s", rc, coshm_errmsg());
		if (rc == 0)
			next = judge(&m, next);
		else
			usleep(100);
		storm_step(peer);
	}
}

static void play(unsigned int peer)
{
	if (peer == 0)
		publish(peer);
	else
		subscribe(peer);
}

static void settle(void)
{
	struct coshm_stream *p = open_as(0, COSHM_PUBLISHER), *s;
	uint64_t next, data[LARGE / 8];
	struct coshm_message m;

	check_end(p->writer.next);
	s = open_as(1, COSHM_SUBSCRIBER);
	next = s->reader.next;
	for (int i = 0; i <= 1000; i++) {
		if (i > 0) /* first, make room */
			publish_some(p, 1);
		while (coshm_stream_receive(s, data, sizeof(data), 0, &m) == 0)
			next = judge(&m, next);
	}
	storm_must(next == p->writer.next, "the last ones are gone");
	coshm_stream_close(p);
	coshm_stream_close(s);
}

#define STREAM .create = create, .play = play, .settle = settle, .takes_over = { true }

const struct storm_kind storm_lossless = { .name = "stream lossless",
					   .policy = COSHM_STREAM_LOSSLESS,
					   STREAM,
					   .buried = { false, true, true, true } };
const struct storm_kind storm_overwrite = { .name = "stream overwrite",
					    .policy = COSHM_STREAM_OVERWRITE,
					    STREAM };
