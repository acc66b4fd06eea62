/* SPDX-License-Identifier: Apache-2.0 */
/*
 * latest.c - publish and read the newest value; latest_core.h has the protocol.
 */
#include <errno.h>

#include "copy.h"
#include "err.h"
#include "latest.h"
#include "peer.h"

#define READ_TRIES  16
#define TALLY_EVERY 256u

static int usable(const struct coshm_latest *ch, bool publish)
{
	if (!ch || !region_usable(&ch->region))
		return region_err_forked(ch ? &ch->region : NULL);
	if (publish && ch->region.role != COSHM_PUBLISHER)
		return err_const(EPERM, "this handle is not the publisher's");
	if (region_retired(&ch->region))
		return wait_err_retired(&ch->region);
	return 0;
}

void latest_tally(struct coshm_latest *ch)
{
	/* Relaxed: a number for people. */
	atomic_fetch_add_explicit(&ch->region.shared->counters.bytes, ch->tally_bytes,
				  memory_order_relaxed);
	ch->tally_bytes = 0;
}

static int err_large(const struct coshm_latest *ch, size_t bytes)
{
	return err_say(EMSGSIZE, "a value of %zu bytes is too large for %s, which takes %u", bytes,
		       ch->region.path, ch->ring.value_bytes);
}

static void commit(struct coshm_latest *ch, uint64_t n, size_t bytes)
{
	uint64_t length = bytes;

	copy_in(&latest_buffer(&ch->ring, n)->bytes, &length, sizeof(length));
	latest_commit(&ch->ring, n);
	bell_ring(&ch->region, ch->bell);
	ch->tally_bytes += bytes;
	if (n % TALLY_EVERY == 0)
		latest_tally(ch);
}

int coshm_latest_publish(struct coshm_latest *ch, const void *value, size_t bytes)
{
	int err = usable(ch, true);
	uint64_t n;

	if (err < 0)
		return err;
	if (bytes > ch->ring.value_bytes)
		return err_large(ch, bytes);
	n = latest_next(&ch->ring);
	latest_begin();
	copy_in(latest_payload(&ch->ring, n), value, bytes);
	commit(ch, n, bytes);
	return 0;
}

int coshm_latest_loan(struct coshm_latest *ch, void **value)
{
	int err = usable(ch, true);

	if (err < 0)
		return err;
	latest_begin();
	*value = latest_payload(&ch->ring, latest_next(&ch->ring));
	return 0;
}

int coshm_latest_publish_loan(struct coshm_latest *ch, size_t bytes)
{
	int err = usable(ch, true);

	if (err < 0)
		return err;
	if (bytes > ch->ring.value_bytes)
		return err_large(ch, bytes);
	commit(ch, latest_next(&ch->ring), bytes);
	return 0;
}

/* A length read while it changes, or by a peer gone wrong, keeps inside the buffer. */
static size_t length_of(const struct coshm_latest *ch, uint64_t n)
{
	uint64_t bytes;

	copy_out(&bytes, &latest_buffer(&ch->ring, n)->bytes, sizeof(bytes));
	return bytes < ch->ring.value_bytes ? (size_t)bytes : ch->ring.value_bytes;
}

int coshm_latest_read(struct coshm_latest *ch, void *value, size_t room, size_t *bytes,
		      uint64_t *number)
{
	int err = usable(ch, false);

	if (err < 0)
		return err;
	for (int i = 0; i < READ_TRIES; i++) {
		uint64_t n = latest_newest(&ch->ring);
		size_t length;

		if (n == 0)
			return err_const(ENODATA, "no value was published yet");
		length = length_of(ch, n);
		if (length <= room)
			copy_out(value, latest_payload(&ch->ring, n), length);
		if (!latest_unchanged(&ch->ring, n))
			continue;
		if (length > room)
			return err_say(EMSGSIZE, "the value has %zu bytes, there is room for %zu",
				       length, room);
		if (bytes)
			*bytes = length;
		if (number)
			*number = n;
		return 0;
	}
	return err_const(EAGAIN, "the publisher was faster than this reader on each try");
}

int coshm_latest_peek(struct coshm_latest *ch, const void **value, size_t *bytes, uint64_t *number)
{
	int err = usable(ch, false);
	uint64_t n;

	if (err < 0)
		return err;
	n = latest_newest(&ch->ring);
	if (n == 0)
		return err_const(ENODATA, "no value was published yet");
	*value = latest_payload(&ch->ring, n);
	*bytes = length_of(ch, n);
	*number = n;
	return 0;
}

int coshm_latest_check(struct coshm_latest *ch, uint64_t number)
{
	if (!ch || !region_usable(&ch->region))
		return region_err_forked(ch ? &ch->region : NULL);
	if (!latest_unchanged(&ch->ring, number))
		return err_const(EAGAIN, "the value was replaced while it was looked at");
	return 0;
}

struct newer {
	struct coshm_latest *ch;
	uint64_t seen;
};

static bool newer_ready(void *arg)
{
	const struct newer *newer = arg;

	return latest_newest(&newer->ch->ring) != newer->seen;
}

static int newer_check(void *arg)
{
	return peer_publisher_check(&((struct newer *)arg)->ch->region);
}

int coshm_latest_wait(struct coshm_latest *ch, uint64_t seen, int64_t timeout_ns)
{
	int err = usable(ch, false);
	struct newer newer = { .ch = ch, .seen = seen };

	if (err < 0)
		return err;
	/* Relaxed: for people, who ask how far a peer has come. */
	if (ch->region.self)
		atomic_store_explicit(&ch->region.self->position, seen, memory_order_relaxed);
	if (newer_ready(&newer) || wait_briefly(&ch->region, timeout_ns, 1, newer_ready, &newer))
		return 0;
	err = wait_until(&(struct waiter){ .region = &ch->region,
					   .bell = ch->bell,
					   .ready = newer_ready,
					   .check = newer_check,
					   .arg = &newer },
			 timeout_ns);
	if (err < 0)
		notify_arm(&ch->notifier, seen);
	return err;
}

static bool notify_ready(void *arg)
{
	struct coshm_latest *ch = arg;

	return latest_newest(&ch->ring) != notify_from(&ch->notifier);
}

static int notify_check(void *arg)
{
	return peer_publisher_watch(&((struct coshm_latest *)arg)->region);
}

int coshm_latest_fd(struct coshm_latest *ch, uint64_t seen)
{
	int err = usable(ch, false);

	if (err < 0)
		return err;
	return notify_fd(&ch->notifier,
			 &(struct waiter){ .region = &ch->region,
					   .bell = ch->bell,
					   .ready = notify_ready,
					   .check = notify_check,
					   .arg = ch },
			 seen);
}
