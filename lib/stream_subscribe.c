/* SPDX-License-Identifier: Apache-2.0 */
/*
 * stream_subscribe.c - a subscriber of a stream.
 */
#include <errno.h>

#include "copy.h"
#include "err.h"
#include "stream.h"

/* How often a reader that is lapped again and again jumps, each time further. */
#define JUMPS_MAX 16u

static int err_broken(struct coshm_stream *ch)
{
	uint64_t number = ch->reader.next++;

	ch->reader.lost++; /* left out, so that one bad word does not block us for ever */
	return err_say(EPROTO, "message %llu of %s is damaged", (unsigned long long)number,
		       ch->region.path);
}

static bool data_ready(void *arg)
{
	struct coshm_stream *ch = arg;
	struct stream_found found;

	return stream_look(&ch->ring, ch->reader.next, &found) != STREAM_EMPTY;
}

static int check_publisher(void *arg)
{
	return peer_publisher_check(&((struct coshm_stream *)arg)->region);
}

/*
 * What was there can be gone when we look at it, overwritten or by the doing of
 * a peer gone wrong, and then we wait again: with the time that is left.
 */
__attribute__((noinline)) static int wait_for_data(struct coshm_stream *ch, int64_t *timeout_ns)
{
	int64_t from, took;
	int err = 0;

	if (*timeout_ns == 0) {
		if (ch->notifier.started ||
		    wait_check_is_due(&ch->region, wait_now_ns(), WAIT_LOOK_NS))
			err = check_publisher(ch);
		notify_arm(&ch->notifier, ch->reader.next);
		return err < 0 ? err : err_const(EAGAIN, "there is no message yet");
	}
	if (ch->region.self)
		stream_tell_position(&ch->reader, ch->region.self);
	from = wait_now_ns();
	err = wait_until(&(struct waiter){ .region = &ch->region,
					   .bell = ch->data,
					   .ready = data_ready,
					   .check = check_publisher,
					   .arg = ch },
			 *timeout_ns);
	took = wait_now_ns() - from;
	if (*timeout_ns > 0) /* not down to 0, which has another error */
		*timeout_ns = took < *timeout_ns ? *timeout_ns - took : 1;
	return err;
}

/* As data_ready(), for the thread: it may not look at what the program is changing. */
static bool notify_ready(void *arg)
{
	struct coshm_stream *ch = arg;
	struct stream_found found;

	return stream_look(&ch->ring, notify_from(&ch->notifier), &found) != STREAM_EMPTY;
}

static int notify_check(void *arg)
{
	return peer_publisher_watch(&((struct coshm_stream *)arg)->region);
}

int coshm_stream_fd(struct coshm_stream *ch)
{
	int err = stream_usable(ch, COSHM_SUBSCRIBER);

	if (err < 0)
		return err;
	return notify_fd(&ch->notifier,
			 &(struct waiter){ .region = &ch->region,
					   .bell = ch->data,
					   .ready = notify_ready,
					   .check = notify_check,
					   .arg = ch },
			 ch->reader.next);
}

static void skip(struct coshm_stream *ch, uint64_t jumps)
{
	uint64_t before = ch->reader.lost;

	stream_skip(&ch->ring, &ch->reader, jumps * (ch->ring.mask + 1) / JUMPS_MAX);
	stream_count_lost(ch, ch->reader.lost - before);
}

struct look {
	const struct coshm_stream *ch;
	struct stream_found *found;
	enum stream_look result;
};

static inline bool look_again(void *arg)
{
	struct look *look = arg;

	look->result = stream_look(&look->ch->ring, look->ch->reader.next, look->found);
	return look->result != STREAM_EMPTY;
}

/* As find(), when there is nothing, or not what we look for. */
__attribute__((noinline)) static int find_other(struct coshm_stream *ch, int64_t *timeout_ns,
						struct stream_found *found)
{
	struct look look = { .ch = ch, .found = found };
	uint64_t jumps = 0;
	int err;

	for (;;) {
		if (!look_again(&look))
			wait_briefly(&ch->region, *timeout_ns, 1, look_again, &look);
		switch (look.result) {
		case STREAM_HERE:
			return 0;
		case STREAM_EMPTY:
			err = wait_for_data(ch, timeout_ns);
			if (err < 0)
				return err;
			break;
		case STREAM_BROKEN:
			if (!ch->ring.overwrite || stream_intact(&ch->ring, ch->reader.next))
				return err_broken(ch);
			/* fallthrough */
		case STREAM_LAPPED:
			if (jumps == JUMPS_MAX)
				return err_const(EAGAIN,
						 "the publisher overtook this subscriber again "
						 "and again");
			skip(ch, jumps++);
		}
	}
}

/* The next message, wherever we have to jump for it; waits if there is none. */
static inline int find(struct coshm_stream *ch, int64_t *timeout_ns, struct stream_found *found)
{
	if (__builtin_expect(stream_look(&ch->ring, ch->reader.next, found) == STREAM_HERE, 1))
		return 0;
	return find_other(ch, timeout_ns, found);
}

static void describe(struct coshm_stream *ch, uint64_t number, const struct stream_found *found,
		     const void *data, struct coshm_message *message)
{
	*message = (struct coshm_message){ .data = data,
					   .bytes = (size_t)found->bytes,
					   .number = number,
					   .lost = ch->reader.lost };
	if (message->lost != 0)
		ch->reader.lost = 0;
}

/* @count messages from ours on are done with. */
static inline void advance(struct coshm_stream *ch, uint64_t count)
{
	ch->reader.next += count;
	if (ch->ring.overwrite)
		return;
	stream_tell_position(&ch->reader, ch->region.self);
	bell_ring(&ch->region, ch->room);
}

/* What a peek told of losses is told again, unless its messages were released. */
static void forget_peek(struct coshm_stream *ch)
{
	if (ch->peeked == 0) /* each store of the fast path costs */
		return;
	ch->reader.lost += ch->peeked_lost;
	ch->peeked_lost = 0;
	ch->peeked = 0;
}

int coshm_stream_receive(struct coshm_stream *ch, void *data, size_t room, int64_t timeout_ns,
			 struct coshm_message *message)
{
	int err = stream_usable(ch, COSHM_SUBSCRIBER);
	struct stream_found found;

	if (err < 0)
		return err;
	forget_peek(ch);
	for (uint64_t jumps = 0; jumps <= JUMPS_MAX; jumps++) {
		err = find(ch, &timeout_ns, &found);
		if (err < 0)
			return err;
		if (found.bytes <= room)
			copy_out(data, found.data, (size_t)found.bytes);
		if (ch->ring.overwrite &&
		    !stream_found_intact(&ch->ring, ch->reader.next, &found)) {
			skip(ch, jumps);
			continue;
		}
		if (found.bytes > room)
			return err_say(EMSGSIZE,
				       "the message has %llu bytes, there is room for %zu",
				       (unsigned long long)found.bytes, room);
		describe(ch, ch->reader.next, &found, data, message);
		advance(ch, 1);
		return 0;
	}
	return err_const(EAGAIN, "the publisher overtook this subscriber again and again");
}

int coshm_stream_peek(struct coshm_stream *ch, struct coshm_message *messages, unsigned int max,
		      int64_t timeout_ns)
{
	int err = stream_usable(ch, COSHM_SUBSCRIBER);
	struct stream_found found;
	unsigned int count = 0;

	if (err < 0)
		return err;
	if (max == 0 || max > INT32_MAX)
		return err_const(EINVAL, "nothing, or too much, was asked to be looked at");
	forget_peek(ch);
	ch->peeked_large = false;
	err = find(ch, &timeout_ns, &found);
	if (err < 0)
		return err;
	do {
		uint64_t number = ch->reader.next + count;

		if (found.large && !ch->peeked_large) {
			ch->peeked_large = true;
			ch->peeked_start = found.start;
		}
		describe(ch, number, &found, found.data, &messages[count++]);
	} while (count < max && count <= ch->ring.mask &&
		 stream_look(&ch->ring, ch->reader.next + count, &found) == STREAM_HERE);
	ch->peeked = count;
	ch->peeked_lost = messages[0].lost;
	return (int)count;
}

/* Of several, the oldest is overwritten first: if it is whole, they all are. */
static bool peeked_intact(const struct coshm_stream *ch)
{
	return stream_intact(&ch->ring, ch->reader.next) &&
	       (!ch->peeked_large || stream_bytes_intact(&ch->ring, ch->peeked_start));
}

int coshm_stream_release(struct coshm_stream *ch, unsigned int count)
{
	int err = stream_usable(ch, COSHM_SUBSCRIBER);
	bool intact;

	if (err < 0)
		return err;
	if (count > ch->peeked)
		return err_say(EINVAL, "%u messages are to be released, %llu were looked at", count,
			       (unsigned long long)ch->peeked);
	intact = !ch->ring.overwrite || count == 0 || peeked_intact(ch);
	if (intact && count != 0)
		ch->peeked_lost = 0;
	forget_peek(ch);
	advance(ch, count);
	if (intact)
		return 0;
	ch->reader.lost += count;
	stream_count_lost(ch, count);
	return err_const(EAGAIN, "the messages were overwritten while they were looked at");
}
