/* SPDX-License-Identifier: Apache-2.0 */
/*
 * step_queue_parts.c - setup, receiving and accounting.
 */
#include "step_queue.h"

unsigned int came[IDS];
bool marked[IDS];
struct coshm_queue *producer, *consumer;

struct coshm_queue *queue_open_as(enum coshm_role role)
{
	struct coshm_open_opts o = { .size = sizeof(o), .wait = COSHM_WAIT_BLOCK };
	struct coshm_queue *ch = NULL;

	must_ok(coshm_queue_open(NAME, role, &o, &ch));
	return ch;
}

static size_t bytes_of(uint64_t id)
{
	return 8 * (size_t)(2 + id % 7);
}

size_t queue_write_id(uint64_t *data, unsigned int id)
{
	data[0] = id;
	message_fill(data + 1, bytes_of(id) - 8, id);
	return bytes_of(id);
}

int queue_push_id(struct coshm_queue *ch, unsigned int id, int64_t timeout_ns)
{
	uint64_t data[BYTES / 8];
	int rc;

	rc = coshm_queue_push(ch, data, queue_write_id(data, id), timeout_ns);
	must(rc == 0 || rc == -EAGAIN || rc == -ETIMEDOUT, PLAY_WRONG, "push: %d: %s", rc,
	     coshm_errmsg());
	return rc;
}

unsigned int queue_judge(const struct coshm_delivery *d)
{
	const uint64_t *data = d->data;
	uint64_t id = d->bytes >= 8 ? data[0] : IDS;

	must(id < IDS && d->bytes == bytes_of(id) && message_good(data + 1, d->bytes - 8, id),
	     PLAY_TORN, "message %llu is torn", (unsigned long long)id);
	must(d->deliveries <= 2 && (d->deliveries == 1 || now()->policy == 0), PLAY_TWICE,
	     "message %d is delivered the %d. time", (int)id, (int)d->deliveries);
	return (unsigned int)id;
}

static void receive_judged(struct coshm_delivery *d)
{
	unsigned int id = queue_judge(d);
	bool again, may;

	must(came[id]++ == 0, PLAY_TWICE, "message %u came twice", id);
	/* That it has been in a dead one's hands is said; of the victim's, from some instruction
	 * on. */
	again = id == atomic_load(&ledger->value) || (now()->dead_take && id == ID_SETUP) ||
		queue_in_dead_hands(id);
	may = again || (now()->victim_takes && !play_stopping() && id >= ID_SETUP &&
			id < ID_SETUP + queue_batch());
	must(d->deliveries == 1 ? !again : may, PLAY_TWICE,
	     "message %u says that it is delivered the %u. time", id, d->deliveries);
	marked[id] = d->deliveries > 1;
}

void queue_drain(int64_t timeout_ns)
{
	uint64_t data[BYTES / 8];
	struct coshm_delivery d;
	int rc;

	while ((rc = coshm_queue_receive(consumer, data, sizeof(data), timeout_ns, &d)) == 0)
		receive_judged(&d);
	must(rc == -EAGAIN || rc == -ETIMEDOUT, PLAY_WRONG, "receive: %d: %s", rc, coshm_errmsg());
}

void queue_go_on(void)
{
	for (unsigned int i = 0; i < ON; i++) {
		came[ID_OTHERS + i] = 0;
		must(queue_push_id(producer, ID_OTHERS + i, -1) == 0, PLAY_WRONG, "push");
		queue_drain(0);
		must(came[ID_OTHERS + i] == 1, PLAY_LOST, "pushed, and not there");
	}
}

void queue_check_room(void)
{
	for (unsigned int i = 0; i < SLOTS; i++) {
		came[ID_OTHERS + i] = 0;
		must(queue_push_id(producer, ID_OTHERS + i, 0) == 0, PLAY_WEDGED,
		     "room for %u messages is left, of %u", i, SLOTS);
	}
	queue_drain(0);
}

unsigned int queue_missing(void)
{
	unsigned int missing = 0;

	for (unsigned int i = 0; i < now()->before; i++)
		missing += came[ID_SETUP + i] == 0;
	return missing;
}

void queue_setup(void)
{
	struct coshm_queue_shape s = {
		.size = sizeof(s), .policy = now()->policy, .slots = SLOTS, .message_bytes = BYTES
	};
	struct coshm_queue *dead;
	struct coshm_delivery d;
	void *loan;

	must_ok(coshm_queue_create(NAME, &s, NULL));
	producer = queue_open_as(COSHM_PRODUCER);
	consumer = queue_open_as(COSHM_CONSUMER);
	for (unsigned int i = 0; i < now()->passed; i++) {
		must_ok(queue_push_id(producer, ID_OTHERS + i, 0));
		queue_drain(0);
	}
	if (now()->dead_loan) {
		dead = queue_open_as(COSHM_PRODUCER);
		must_ok(coshm_queue_loan(dead, 0, &loan));
		memset(loan, 0xee, BYTES);
	}
	for (unsigned int i = 0; i < now()->before; i++)
		must_ok(queue_push_id(producer, ID_SETUP + i, 0));
	if (now()->dead_take) {
		dead = queue_open_as(COSHM_CONSUMER);
		must_ok(coshm_queue_take(dead, 0, &d));
	}
	coshm_queue_close(producer);
	coshm_queue_close(consumer);
}
