/* SPDX-License-Identifier: Apache-2.0 */
/*
 * queue_transfer.c - push and take; queue_core.h has the protocol.
 */
#include <errno.h>

#include "copy.h"
#include "err.h"
#include "queue.h"

/* How often one who never waits looks who has died. */
#define BURY_EVERY_CALLS 4096u
#define TALLY_EVERY      256u
/* Pauses between two looks of one who waits: each look touches four lines that the others write. */
#define RAREST_LOOK 32u

static int usable(const struct coshm_queue *ch, enum coshm_role role)
{
	if (!ch || !region_usable(&ch->region))
		return region_err_forked(ch ? &ch->region : NULL);
	if (ch->region.role != role)
		return err_say(EPERM, "this handle is not a %s's",
			       role == COSHM_PRODUCER ? "producer" : "consumer");
	if (region_retired(&ch->region))
		return wait_err_retired(&ch->region);
	return 0;
}

/* A queue that is never empty and never full makes nobody wait, who would look after the dead. */
static void look_after_the_dead(struct coshm_queue *ch)
{
	if (__builtin_expect(++ch->calls % BURY_EVERY_CALLS == 0, 0))
		queue_bury_the_dead(&ch);
}

/* Waiting for a position, of a slot to fill or of a message. */
struct position_wait {
	struct coshm_queue *ch; /* first: queue_bury_the_dead() looks for it there */
	uint64_t p;
};

static bool room_ready(void *arg)
{
	struct position_wait *wait = arg;

	if (wait->p == QUEUE_NONE) /* it is asked again after it said yes */
		wait->p = queue_claim(&wait->ch->ring, wait->ch->region.slot);
	return wait->p != QUEUE_NONE;
}

static bool data_ready(void *arg)
{
	struct position_wait *wait = arg;

	if (wait->p == QUEUE_NONE)
		wait->p = queue_take(&wait->ch->ring, wait->ch->region.slot, &wait->ch->seen);
	return wait->p != QUEUE_NONE;
}

__attribute__((noinline)) static int wait_for(struct coshm_queue *ch, bool (*ready)(void *),
					      struct bell bell, int64_t timeout_ns, uint64_t *p)
{
	struct position_wait wait = { .ch = ch, .p = QUEUE_NONE };
	int err;

	if (timeout_ns == 0) {
		if (!wait_check_is_due(&ch->region, wait_now_ns(), WAIT_LOOK_NS))
			return -EAGAIN;
		queue_bury_the_dead(&ch);
		err = ready(&wait) ? 0 : -EAGAIN;
		*p = wait.p;
		return err;
	}
	if (wait_briefly(&ch->region, timeout_ns, RAREST_LOOK, ready, &wait)) {
		*p = wait.p;
		return 0;
	}
	err = wait_until(&(struct waiter){ .region = &ch->region,
					   .bell = bell,
					   .ready = ready,
					   .check = queue_bury_the_dead,
					   .arg = &wait,
					   .slice_ns = WAIT_LOOK_NS },
			 timeout_ns);

	*p = wait.p;
	return err;
}

static int claim(struct coshm_queue *ch, int64_t timeout_ns, uint64_t *p)
{
	int err;

	look_after_the_dead(ch);
	*p = queue_claim(&ch->ring, ch->region.slot);
	if (__builtin_expect(*p != QUEUE_NONE, 1))
		return 0;
	err = wait_for(ch, room_ready, ch->room, timeout_ns, p);
	if (err == -EAGAIN || err == -ETIMEDOUT)
		return err_say(-err, "%s is full", ch->region.path);
	return err;
}

/* Consumers sleep on until announce(). */
static int commit(struct coshm_queue *ch, uint64_t p, size_t bytes)
{
	/* Relaxed: ordered by Q1. */
	atomic_store_explicit(&queue_slot(&ch->ring, p)->bytes, (uint32_t)bytes,
			      memory_order_relaxed);
	if (!queue_commit(&ch->ring, p, ch->region.slot))
		return err_const(EINVAL, "this is not a loan of this handle");
	ch->tally_messages++;
	ch->tally_bytes += bytes;
	return 0;
}

static void announce(struct coshm_queue *ch)
{
	bell_ring(&ch->region, ch->data);
	if (ch->tally_messages >= TALLY_EVERY)
		queue_tally(ch);
}

static int push_claimed(struct coshm_queue *ch, uint64_t p, const void *data, size_t bytes)
{
	copy_in(queue_payload(&ch->ring, p), data, bytes);
	return commit(ch, p, bytes);
}

static int err_large(const struct coshm_queue *ch, size_t bytes)
{
	return err_say(EMSGSIZE, "a message of %zu bytes is too large for %s, which takes up to %u",
		       bytes, ch->region.path, ch->ring.value_bytes);
}

int coshm_queue_push(struct coshm_queue *ch, const void *data, size_t bytes, int64_t timeout_ns)
{
	int err = usable(ch, COSHM_PRODUCER);
	uint64_t p;

	if (err < 0)
		return err;
	if (bytes > ch->ring.value_bytes)
		return err_large(ch, bytes);
	err = claim(ch, timeout_ns, &p);
	if (err == 0)
		err = push_claimed(ch, p, data, bytes);
	if (err == 0)
		announce(ch);
	return err;
}

int coshm_queue_push_batch(struct coshm_queue *ch, const struct iovec *messages, unsigned int count,
			   int64_t timeout_ns)
{
	int err = usable(ch, COSHM_PRODUCER);
	unsigned int pushed = 0;
	uint64_t p;

	if (err < 0)
		return err;
	if (count == 0 || count > INT32_MAX)
		return err_const(EINVAL, "no message, or too many, are to be pushed");
	for (unsigned int i = 0; i < count; i++)
		if (messages[i].iov_len > ch->ring.value_bytes)
			return err_large(ch, messages[i].iov_len);
	err = claim(ch, timeout_ns, &p);
	if (err < 0)
		return err;
	do
		err = push_claimed(ch, p, messages[pushed].iov_base, messages[pushed].iov_len);
	while (err == 0 && ++pushed < count &&
	       (p = queue_claim(&ch->ring, ch->region.slot)) != QUEUE_NONE);
	announce(ch);
	return err == 0 ? (int)pushed : err;
}

int coshm_queue_loan(struct coshm_queue *ch, int64_t timeout_ns, void **data)
{
	int err = usable(ch, COSHM_PRODUCER);
	uint64_t p;

	if (err == 0)
		err = claim(ch, timeout_ns, &p);
	if (err == 0)
		*data = queue_payload(&ch->ring, p);
	return err;
}

/* The slot that a payload lies in, or QUEUE_NONE: what a program gives back may be anything. */
static uint64_t slot_of(const struct coshm_queue *ch, const void *data)
{
	uintptr_t offset = (uintptr_t)data - (uintptr_t)ch->ring.slots - ch->ring.payload;
	uintptr_t slot = offset / ch->ring.slot_bytes;

	return slot <= ch->ring.mask && offset % ch->ring.slot_bytes == 0 ? slot : QUEUE_NONE;
}

/* Is it in the hands of this handle, in one of these phases? */
static bool ours(const struct coshm_queue *ch, uint64_t slot, enum queue_phase a,
		 enum queue_phase b)
{
	uint64_t state;

	if (slot == QUEUE_NONE)
		return false;
	state = queue_load(&ch->ring, slot);
	return queue_owner(state) == ch->region.slot &&
	       (queue_phase(state) == a || queue_phase(state) == b);
}

int coshm_queue_push_loan(struct coshm_queue *ch, void *data, size_t bytes)
{
	int err = usable(ch, COSHM_PRODUCER);
	uint64_t slot;

	if (err < 0)
		return err;
	if (bytes > ch->ring.value_bytes)
		return err_large(ch, bytes);
	slot = slot_of(ch, data);
	if (!ours(ch, slot, QUEUE_CLAIM, QUEUE_PASSED))
		return err_const(EINVAL, "this is not a loan of this handle");
	err = commit(ch, slot, bytes);
	if (err == 0)
		announce(ch);
	return err;
}

int coshm_queue_discard_loan(struct coshm_queue *ch, void *data)
{
	int err = usable(ch, COSHM_PRODUCER);
	uint64_t slot;

	if (err < 0)
		return err;
	slot = slot_of(ch, data);
	if (!ours(ch, slot, QUEUE_CLAIM, QUEUE_PASSED))
		return err_const(EINVAL, "this is not a loan of this handle");
	queue_recover_slot(&ch->ring, slot, ch->region.slot);
	bell_ring(&ch->region, ch->room);
	return 0;
}

static struct coshm_delivery deliver(struct coshm_queue *ch, uint64_t p)
{
	/* Relaxed, both: ordered by Q2; and a number for people. */
	uint32_t bytes =
		atomic_load_explicit(&queue_slot(&ch->ring, p)->bytes, memory_order_relaxed);

	atomic_store_explicit(&ch->region.self->position, p + 1, memory_order_relaxed);
	return (struct coshm_delivery){
		.data = queue_payload(&ch->ring, p),
		.bytes = bytes < ch->ring.value_bytes ? bytes : ch->ring.value_bytes,
		.number = p,
		.deliveries = queue_deliveries(queue_load(&ch->ring, p)),
	};
}

static int take(struct coshm_queue *ch, int64_t timeout_ns, struct coshm_delivery *delivery)
{
	uint64_t p;
	int err = 0;

	look_after_the_dead(ch);
	p = queue_take(&ch->ring, ch->region.slot, &ch->seen);
	if (p == QUEUE_NONE)
		err = wait_for(ch, data_ready, ch->data, timeout_ns, &p);
	if (err == -EAGAIN) {
		notify_arm(&ch->notifier, 0);
		return err_const(EAGAIN, "there is no message yet");
	}
	if (err < 0)
		return err;
	*delivery = deliver(ch, p);
	return 0;
}

static bool notify_ready(void *arg)
{
	struct coshm_queue *ch = arg;

	return queue_has_message(&ch->ring);
}

static int notify_check(void *arg)
{
	struct coshm_queue *ch = arg;

	return queue_bury_the_dead(&ch);
}

int coshm_queue_fd(struct coshm_queue *ch)
{
	int err = usable(ch, COSHM_CONSUMER);

	if (err < 0)
		return err;
	return notify_fd(&ch->notifier,
			 &(struct waiter){ .region = &ch->region,
					   .bell = ch->data,
					   .ready = notify_ready,
					   .check = notify_check,
					   .arg = ch,
					   .slice_ns = WAIT_LOOK_NS },
			 0);
}

static int release(struct coshm_queue *ch, uint64_t slot)
{
	if (slot == QUEUE_NONE || !queue_release(&ch->ring, slot, ch->region.slot))
		return err_const(EINVAL, "this is not a message that this handle has taken");
	bell_ring(&ch->region, ch->room);
	return 0;
}

int coshm_queue_take(struct coshm_queue *ch, int64_t timeout_ns, struct coshm_delivery *delivery)
{
	int err = usable(ch, COSHM_CONSUMER);

	return err < 0 ? err : take(ch, timeout_ns, delivery);
}

int coshm_queue_take_batch(struct coshm_queue *ch, struct coshm_delivery *deliveries,
			   unsigned int max, int64_t timeout_ns)
{
	int err = usable(ch, COSHM_CONSUMER);
	unsigned int taken = 0;
	uint64_t p;

	if (err < 0)
		return err;
	if (max == 0 || max > INT32_MAX)
		return err_const(EINVAL, "nothing, or too much, was asked to be taken");
	err = take(ch, timeout_ns, &deliveries[taken++]);
	if (err < 0)
		return err;
	while (taken < max && (p = queue_take(&ch->ring, ch->region.slot, &ch->seen)) != QUEUE_NONE)
		deliveries[taken++] = deliver(ch, p);
	return (int)taken;
}

int coshm_queue_release(struct coshm_queue *ch, const void *data)
{
	int err = usable(ch, COSHM_CONSUMER);

	return err < 0 ? err : release(ch, slot_of(ch, data));
}

int coshm_queue_receive(struct coshm_queue *ch, void *data, size_t room, int64_t timeout_ns,
			struct coshm_delivery *delivery)
{
	int err = usable(ch, COSHM_CONSUMER);
	struct coshm_delivery d;

	if (err < 0)
		return err;
	if (room < ch->ring.value_bytes)
		return err_say(EMSGSIZE, "a message can have %u bytes, there is room for %zu",
			       ch->ring.value_bytes, room);
	err = take(ch, timeout_ns, &d);
	if (err < 0)
		return err;
	copy_out(data, d.data, d.bytes);
	err = release(ch, slot_of(ch, d.data));
	if (err < 0)
		return err;
	d.data = data;
	*delivery = d;
	return 0;
}
