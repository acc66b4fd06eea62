/* SPDX-License-Identifier: Apache-2.0 */
/*
 * stream_publish.c - the publisher of a stream.
 */
#include <errno.h>

#include "copy.h"
#include "err.h"
#include "stream.h"

static int err_large(const struct coshm_stream *ch, size_t bytes)
{
	return err_say(EMSGSIZE,
		       "a message of %zu bytes is too large for %s, which takes up to %llu", bytes,
		       ch->region.path, (unsigned long long)ch->ring.large_max);
}

/* Forget the dead among the subscribers; nobody is declared dead for being slow. */
static int bury_the_dead(void *arg)
{
	struct coshm_stream *ch = *(struct coshm_stream **)arg;
	/* Relaxed: only a list of whom to ask about. */
	uint64_t bits = atomic_load_explicit(&ch->ring.control->subscribers, memory_order_relaxed);

	for (; bits != 0; bits &= bits - 1)
		peer_bury(&ch->region, (unsigned int)__builtin_ctzll(bits), &stream_kind);
	return 0;
}

/* The subscriber that is furthest behind; LAYOUT_PEERS if there is none. */
static unsigned int slowest(const struct coshm_stream *ch, uint64_t *position)
{
	uint64_t bits = atomic_load_explicit(&ch->ring.control->subscribers, memory_order_acquire);
	unsigned int slot = LAYOUT_PEERS;

	*position = ch->writer.next;
	for (; bits != 0; bits &= bits - 1) {
		unsigned int i = (unsigned int)__builtin_ctzll(bits);
		uint64_t p =
			atomic_load_explicit(&ch->ring.peers[i].position, memory_order_acquire);

		if ((int64_t)(*position - p) > 0 || slot == LAYOUT_PEERS) {
			*position = p;
			slot = i;
		}
	}
	return slot;
}

struct room_wait {
	struct coshm_stream *ch; /* first: bury_the_dead() looks for it there */
	size_t bytes;
	void *payload;
};

static bool room_ready(void *arg)
{
	struct room_wait *wait = arg;

	if (!wait->payload) /* it is asked again after it said yes */
		wait->payload = stream_loan(&wait->ch->ring, &wait->ch->writer, wait->bytes);
	return wait->payload != NULL;
}

/* Nobody made room in time: say who did not, and whether he moved at all. */
static int err_no_room(struct coshm_stream *ch, int err, unsigned int slot, uint64_t position)
{
	char text[PEER_TEXT_BYTES];
	uint64_t now = position;

	if (slot == LAYOUT_PEERS)
		return err_say(-err, "%s was full for the whole time", ch->region.path);
	peer_describe(&ch->region, slot, text);
	if (peer_bury(&ch->region, slot, &stream_kind)) /* it was not time to look, until now */
		return err_say(-err, "%s was full: subscriber %u, %s, has died: try again",
			       ch->region.path, slot, text);
	if (peer_probe(&ch->region, slot) == PEER_DEAD)
		return err_say(-err,
			       "%s is full: subscriber %u, %s, has died, and a program that only "
			       "reads the file keeps its place locked",
			       ch->region.path, slot, text);
	now = atomic_load_explicit(&ch->ring.peers[slot].position, memory_order_acquire);
	return err_say(
		-err, "%s is full: subscriber %u, %s, is alive and %s", ch->region.path, slot, text,
		now == position ? "has not moved: it is stopped, paused or busy" : "is too slow");
}

/* Not inlined: what follows a full ring is far from the fast path. */
__attribute__((noinline)) static int wait_for_room(struct coshm_stream *ch, size_t bytes,
						   int64_t timeout_ns, void **payload)
{
	struct room_wait wait = { .ch = ch, .bytes = bytes };
	uint64_t position;
	unsigned int slot = slowest(ch, &position);
	int err = wait_until(&(struct waiter){ .region = &ch->region,
					       .bell = ch->room,
					       .ready = room_ready,
					       .check = bury_the_dead,
					       .arg = &wait,
					       .slice_ns = WAIT_LOOK_NS },
			     timeout_ns);

	if (err == -ETIMEDOUT)
		return err_no_room(ch, timeout_ns == 0 ? -EAGAIN : err, slot, position);
	*payload = wait.payload;
	return err;
}

/* A large message, or a lap of loans already: may it be? */
__attribute__((noinline)) static int check_loan(const struct coshm_stream *ch, size_t bytes)
{
	if (bytes > ch->ring.large_max)
		return err_large(ch, bytes);
	if (!stream_may_loan(&ch->ring, &ch->writer, bytes))
		return err_say(ENOBUFS, "%llu messages are loaned: publish them first",
			       (unsigned long long)(ch->writer.end - ch->writer.next));
	return 0;
}

/* Inlined, as publish() is: each instruction of the fast path is a part of the latency. */
static inline __attribute__((always_inline)) int loan(struct coshm_stream *ch, size_t bytes,
						      int64_t timeout_ns, void **payload)
{
	void *p;
	int err;

	if (__builtin_expect(bytes > ch->ring.small_max ||
				     ch->writer.end - ch->writer.next >= ch->ring.mask,
			     0)) {
		err = check_loan(ch, bytes);
		if (err < 0)
			return err;
	}
	p = stream_loan(&ch->ring, &ch->writer, bytes);
	if (__builtin_expect(!p, 0))
		return wait_for_room(ch, bytes, timeout_ns, payload);
	*payload = p;
	return 0;
}

static inline __attribute__((always_inline)) void publish(struct coshm_stream *ch)
{
	struct stream_writer *w = &ch->writer;

	stream_publish(&ch->ring, w);
	bell_ring(&ch->region, ch->data);
	if (__builtin_expect(w->noted == w->next, 0) && w->next - w->tallied >= STREAM_NOTE_MOST)
		stream_tally(ch);
}

int coshm_stream_loan(struct coshm_stream *ch, size_t bytes, int64_t timeout_ns, void **data)
{
	int err = stream_usable(ch, COSHM_PUBLISHER);

	if (err == 0)
		err = loan(ch, bytes, timeout_ns, data);
	if (err == 0)
		ch->tally_bytes += bytes;
	return err;
}

int coshm_stream_publish_loans(struct coshm_stream *ch)
{
	int err = stream_usable(ch, COSHM_PUBLISHER);

	if (err == 0 && ch->writer.end != ch->writer.next)
		publish(ch);
	return err;
}

int coshm_stream_discard_loans(struct coshm_stream *ch)
{
	int err = stream_usable(ch, COSHM_PUBLISHER);

	if (err == 0)
		stream_discard(&ch->ring, &ch->writer);
	return err;
}

int coshm_stream_publish(struct coshm_stream *ch, const void *data, size_t bytes,
			 int64_t timeout_ns)
{
	int err = stream_usable(ch, COSHM_PUBLISHER);
	void *payload;

	if (err == 0)
		err = loan(ch, bytes, timeout_ns, &payload);
	if (__builtin_expect(err < 0, 0))
		return err;
	copy_in(payload, data, bytes);
	ch->tally_bytes += bytes;
	publish(ch);
	return 0;
}

struct crowd_wait {
	struct coshm_stream *ch; /* first, as in struct room_wait */
	unsigned int count;
};

/* Not by the places: one who has sat down and not yet begun would miss the first message. */
static bool crowd_ready(void *arg)
{
	const struct crowd_wait *wait = arg;
	uint64_t bits =
		atomic_load_explicit(&wait->ch->ring.control->subscribers,
				     memory_order_acquire); /* with stream_join(), _appear() */

	return (unsigned int)__builtin_popcountll(bits) >= wait->count;
}

static int bury_all(void *arg)
{
	struct coshm_stream *ch = *(struct coshm_stream **)arg;

	for (unsigned int slot = 0; slot < LAYOUT_SEATS; slot++)
		peer_bury(&ch->region, slot, &stream_kind);
	return 0;
}

int coshm_stream_wait_subscribers(struct coshm_stream *ch, unsigned int count, int64_t timeout_ns)
{
	int err = stream_usable(ch, COSHM_PUBLISHER);
	struct crowd_wait wait = { .ch = ch, .count = count };

	if (err < 0)
		return err;
	bury_all(&wait);
	return wait_until(&(struct waiter){ .region = &ch->region,
					    .bell = ch->room,
					    .ready = crowd_ready,
					    .check = bury_all,
					    .arg = &wait },
			  timeout_ns);
}

static bool drained(void *arg)
{
	struct coshm_stream *ch = *(struct coshm_stream **)arg;

	return stream_slowest(&ch->ring, ch->writer.next) == ch->writer.next;
}

int coshm_stream_drain(struct coshm_stream *ch, int64_t timeout_ns)
{
	int err = stream_usable(ch, COSHM_PUBLISHER);
	uint64_t position;
	unsigned int slot;

	if (err < 0)
		return err;
	if (ch->ring.overwrite)
		return err_say(EPERM, "%s overwrites: its publisher knows nothing of what is read",
			       ch->region.path);
	slot = slowest(ch, &position);
	err = wait_until(&(struct waiter){ .region = &ch->region,
					   .bell = ch->room,
					   .ready = drained,
					   .check = bury_the_dead,
					   .arg = &ch,
					   .slice_ns = WAIT_LOOK_NS },
			 timeout_ns);
	return err == -ETIMEDOUT ? err_no_room(ch, err, slot, position) : err;
}
