/* SPDX-License-Identifier: Apache-2.0 */
/*
 * storm_queue.c - storms over "queue": peers 0 and 1 push, the others take.
 *
 * Each message is accounted for by its producer and number.  At least once:
 * all that was acknowledged comes, again only as redelivered.  At most once:
 * none comes again, and no more are gone than were on their way to consumers
 * when these were killed.
 */
#include "queue.h"
#include "storm.h"

#define BYTES     112u
#define HELD_MOST 4u
#define BATCH     5u
#define PUSHED    0x80u /* beside the count of its deliveries: its push has returned */

static size_t bytes_of(uint64_t id)
{
	return 8 * (size_t)(2 + id % 13);
}

static void create(void)
{
	struct coshm_queue_shape s = {
		.size = sizeof(s), .policy = storming->policy, .slots = 64, .message_bytes = BYTES
	};

	storm_ok(coshm_queue_create(NAME, &s, NULL));
}

static struct coshm_queue *open_as(unsigned int peer, enum coshm_role role)
{
	struct coshm_open_opts o = { .size = sizeof(o), .wait = storm_wait(peer) };
	struct coshm_queue *ch = NULL;

	storm_ok(coshm_queue_open(NAME, role, &o, &ch));
	return ch;
}

static void push_one(struct coshm_queue *ch, uint64_t id, bool loans)
{
	uint64_t data[BYTES / 8] = { id }, *to = data;
	void *loan;

	if (loans) {
		storm_ok(coshm_queue_loan(ch, 20 * SECOND, &loan));
		to = loan;
		to[0] = id;
	}
	message_fill(to + 1, bytes_of(id) - 8, id);
	if (loans)
		storm_ok(coshm_queue_push_loan(ch, to, bytes_of(id)));
	else
		storm_ok(coshm_queue_push(ch, to, bytes_of(id), 20 * SECOND));
}

/* As many calls as it takes: there may be room for some of them alone. */
static void push_batch(struct coshm_queue *ch, unsigned int peer, uint64_t seq, unsigned int count)
{
	uint64_t data[BATCH][BYTES / 8];
	struct iovec messages[BATCH];

	for (unsigned int i = 0; i < count; i++) {
		uint64_t id = (seq + i) * PRODUCERS + peer;

		data[i][0] = id;
		message_fill(data[i] + 1, bytes_of(id) - 8, id);
		messages[i] = (struct iovec){ .iov_base = data[i], .iov_len = bytes_of(id) };
	}
	for (unsigned int done = 0; done < count;) {
		int rc = coshm_queue_push_batch(ch, messages + done, count - done, 20 * SECOND);

		storm_must(rc > 0 && rc <= (int)(count - done), "push a batch: %d: %s", rc,
			   coshm_errmsg());
		while (rc-- > 0)
			atomic_fetch_or(&storm->came[peer][seq + done++], PUSHED);
	}
}

/* What was in flight when it was killed is not sent again: nobody knows whether it was sent. */
static void produce(unsigned int peer)
{
	struct storm_note *n = &storm->notes[peer];
	struct coshm_queue *ch = open_as(peer, COSHM_PRODUCER);

	storm_up(peer, &ch->region);
	for (uint64_t i = 0;; i++) {
		uint64_t seq = atomic_load(&n->begun) + 1;

		unsigned int count = i % 4 == 1 ? 2 + (unsigned int)(i / 4 % (BATCH - 1)) : 1;

		while (seq + count > SEQS)
			pause();
		atomic_store(&n->begun, seq + count - 1);
		if (count > 1) {
			push_batch(ch, peer, seq, count);
		} else {
			push_one(ch, seq * PRODUCERS + peer, i % 3 == 0);
			atomic_fetch_or(&storm->came[peer][seq], PUSHED);
		}
		storm_step(peer);
		if (i % 256 == 0)
			usleep(50); /* let them sleep now and then, and run */
	}
}

/* Before it is released: one who is killed in between has had it, and it comes again. */
static void judge(const struct coshm_delivery *d)
{
	const uint64_t *data = d->data;
	uint64_t id = d->bytes >= 16 ? data[0] : 0, seq = id / PRODUCERS;
	unsigned int from = id % PRODUCERS, before;

	storm_must(d->bytes == bytes_of(id) && message_good(data + 1, d->bytes - 8, id) &&
			   seq <= atomic_load(&storm->notes[from].begun),
		   "message %llu is torn", (unsigned long long)id);
	before = atomic_fetch_add(&storm->came[from][seq], 1) & ~PUSHED;
	storm_must(before == 0 || d->deliveries > 1, "message %llu came twice",
		   (unsigned long long)id);
	storm_must(storming->policy == COSHM_QUEUE_AT_LEAST_ONCE ||
			   (before == 0 && d->deliveries == 1),
		   "message %llu came again", (unsigned long long)id);
	atomic_fetch_add(&storm->messages, 1);
	if (before != 0)
		atomic_fetch_add(&storm->again, 1);
}

/* Up to @most, judged; how many.  Of each that is on its way here a death may leave no trace. */
static unsigned int take_some(struct coshm_queue *ch, unsigned int peer, struct coshm_delivery *d,
			      unsigned int most, int64_t timeout_ns)
{
	struct storm_note *n = &storm->notes[peer];
	int rc;

	atomic_store(&n->asked, most);
	rc = most > 1 ? coshm_queue_take_batch(ch, d, most, timeout_ns) :
			coshm_queue_take(ch, timeout_ns, d);
	if (most == 1 && rc == 0)
		rc = 1;
	storm_must((rc > 0 && rc <= (int)most) || rc == -ETIMEDOUT || rc == -EAGAIN, "take: %d: %s",
		   rc, coshm_errmsg());
	for (int i = 0; i < rc; i++)
		judge(&d[i]);
	atomic_store(&n->asked, 0);
	return rc > 0 ? (unsigned int)rc : 0;
}

/* Several at a time, some of them for a while: so that many deaths leave something. */
static void consume(unsigned int peer)
{
	struct storm_note *n = &storm->notes[peer];
	struct coshm_queue *ch = open_as(peer, COSHM_CONSUMER);

	/* In this order: killed in between, it counts them twice, and not never. */
	atomic_fetch_add(&n->unknown, atomic_load(&n->asked));
	atomic_store(&n->asked, 0);
	storm_up(peer, &ch->region);
	for (unsigned int round = 0;; round++) {
		struct coshm_delivery d[HELD_MOST];
		unsigned int most = 1 + round % HELD_MOST, held = 0, got;
		bool batch = round / HELD_MOST % 2 != 0;

		do {
			got = take_some(ch, peer, d + held, batch ? most : 1,
					held == 0 ? SECOND : 0);
			held += got;
		} while (!batch && got != 0 && held < most);
		if (round % 64 == 0)
			usleep(100);
		while (held > 0)
			storm_ok(coshm_queue_release(ch, d[--held].data));
		storm_step(peer);
	}
}

static void play(unsigned int peer)
{
	if (peer < PRODUCERS)
		produce(peer);
	else
		consume(peer);
}

static void settle(void)
{
	struct coshm_queue *ch = open_as(PRODUCERS, COSHM_CONSUMER);
	uint64_t missing = 0, allowed = 0;
	struct coshm_delivery d;

	while (coshm_queue_take(ch, SECOND / 20, &d) == 0) {
		judge(&d);
		storm_ok(coshm_queue_release(ch, d.data));
	}
	for (unsigned int p = 0; p < PRODUCERS; p++)
		for (uint64_t seq = 1; seq <= atomic_load(&storm->notes[p].begun); seq++)
			missing += atomic_load(&storm->came[p][seq]) == PUSHED;
	for (unsigned int c = PRODUCERS; c < PEERS; c++)
		allowed +=
			atomic_load(&storm->notes[c].unknown) + atomic_load(&storm->notes[c].asked);
	if (storming->policy == COSHM_QUEUE_AT_LEAST_ONCE)
		allowed = 0;
	storm_must(missing <= allowed, "%llu messages are gone, %llu may be",
		   (unsigned long long)missing, (unsigned long long)allowed);
	atomic_store(&storm->lost, missing);
	coshm_queue_close(ch);
}

#define QUEUE .create = create, .play = play, .settle = settle, .buried = { true, true, true, true }

const struct storm_kind storm_least = { .name = "queue at least once",
					.policy = COSHM_QUEUE_AT_LEAST_ONCE,
					QUEUE };
const struct storm_kind storm_most = { .name = "queue at most once",
				       .policy = COSHM_QUEUE_AT_MOST_ONCE,
				       QUEUE };
