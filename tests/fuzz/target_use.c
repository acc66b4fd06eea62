/* SPDX-License-Identifier: Apache-2.0 */
/*
 * target_use.c - each kind of channel, opened in every role and used.
 */
#include <string.h>

#include "coshm.h"
#include "latest.h"
#include "queue.h"
#include "stream.h"
#include "target.h"

/* Long enough to get to sleep, short enough for thousands of inputs a second. */
#define NAP_NS 20000

static _Thread_local unsigned char buffer[65536];

static unsigned int next_byte(struct script *s)
{
	if (s->left == 0)
		return 0;
	s->left--;
	return *s->op++;
}

/* An enemy stores a word, while everybody is in the middle of something. */
static void scribble(struct script *s)
{
	uint64_t random = (uint64_t)next_byte(s) << 32 | (uint64_t)next_byte(s) << 16 | s->left | 1;
	uint64_t value;
	size_t at;

	if (s->scratch_bytes < sizeof(value))
		return;
	at = fuzz_aim(s->scratch, s->scratch_bytes, &random);
	memcpy(&value, s->scratch + at, sizeof(value));
	value = fuzz_value(value, &random);
	memcpy(s->scratch + at, &value, sizeof(value));
}

static struct coshm_open_opts opts_of(const struct script *s, uint32_t flags)
{
	return (struct coshm_open_opts){ .size = sizeof(struct coshm_open_opts),
					 .wait = s->wait,
					 .flags = flags };
}

static struct coshm_latest *latest_as(struct script *s, enum coshm_role role, void *memory,
				      size_t bytes)
{
	struct coshm_open_opts o = opts_of(s, 0);
	struct coshm_latest *ch = NULL;

	check_rc(memory ? coshm_latest_bind(memory, bytes, role, &ch) :
			  coshm_latest_open(FUZZ_NAME, role, &o, &ch));
	return ch;
}

static void check_value(struct coshm_latest *ch, const void *value, size_t bytes)
{
	if (bytes > coshm_latest_value_bytes(ch))
		__builtin_trap();
	if (ch->region.map)
		check_inside(&ch->region, value, bytes);
	else /* AddressSanitizer knows how long the memory is */
		memcpy(buffer, value, bytes < sizeof(buffer) ? bytes : sizeof(buffer));
}

void latest_publish_some(struct coshm_latest *pub, unsigned int op)
{
	size_t most = coshm_latest_value_bytes(pub), bytes = most < sizeof(buffer) ? most : 0;
	void *loan;
	int rc;

	if (op % 2) {
		check_rc(coshm_latest_publish(pub, buffer, bytes));
		return;
	}
	rc = coshm_latest_loan(pub, &loan);
	check_rc(rc);
	if (rc == 0)
		check_value(pub, loan, most);
	check_rc(coshm_latest_publish_loan(pub, bytes));
}

void latest_read_some(struct coshm_latest *sub, unsigned int op)
{
	const void *value;
	uint64_t number;
	size_t bytes;
	int rc;

	switch (op % 3) {
	case 0:
		rc = coshm_latest_read(sub, buffer, sizeof(buffer), &bytes, &number);
		check_rc(rc);
		if (rc == 0 && bytes > coshm_latest_value_bytes(sub))
			__builtin_trap();
		break;
	case 1:
		rc = coshm_latest_peek(sub, &value, &bytes, &number);
		check_rc(rc);
		if (rc == 0)
			check_value(sub, value, bytes);
		check_rc(coshm_latest_check(sub, rc == 0 ? number : 7));
		break;
	default:
		check_rc(coshm_latest_wait(sub, op / 3, NAP_NS));
	}
}

void run_latest(struct script *s, void *memory, size_t bytes)
{
	struct coshm_latest *pub = latest_as(s, COSHM_PUBLISHER, memory, bytes);
	struct coshm_latest *sub = latest_as(s, COSHM_SUBSCRIBER, memory, bytes);
	struct coshm_latest *eye = latest_as(s, COSHM_OBSERVER, memory, bytes);

	while (s->left > 0) {
		unsigned int op = next_byte(s);

		switch (op % 4) {
		case 0:
			latest_publish_some(pub, op / 4);
			break;
		case 1:
			latest_read_some(sub, op / 4);
			break;
		case 2:
			latest_read_some(eye, op / 4);
			break;
		default:
			scribble(s);
		}
	}
	coshm_latest_close(eye);
	coshm_latest_close(sub);
	coshm_latest_close(pub);
}

static struct coshm_stream *stream_as(struct script *s, enum coshm_role role, uint32_t flags)
{
	struct coshm_open_opts o = opts_of(s, flags);
	struct coshm_stream *ch = NULL;

	check_rc(coshm_stream_open(FUZZ_NAME, role, &o, &ch));
	return ch;
}

void stream_publish_some(struct coshm_stream *pub, unsigned int op)
{
	size_t most = coshm_stream_message_bytes(pub), bytes = op % 2 ? most : op;
	void *loan;
	int rc;

	if (bytes > sizeof(buffer))
		bytes = sizeof(buffer);
	switch (op % 5) {
	case 0:
	case 1:
		check_rc(coshm_stream_publish(pub, buffer, bytes, op % 3 ? 0 : NAP_NS));
		break;
	case 2:
	case 3:
		rc = coshm_stream_loan(pub, bytes, 0, &loan);
		check_rc(rc);
		if (rc == 0)
			check_inside(&pub->region, loan, bytes);
		if (op % 4)
			check_rc(coshm_stream_publish_loans(pub));
		break;
	default:
		check_rc(coshm_stream_discard_loans(pub));
		check_rc(coshm_stream_drain(pub, NAP_NS));
		check_rc(coshm_stream_wait_subscribers(pub, op % 70, NAP_NS));
	}
}

void stream_read_some(struct coshm_stream *sub, unsigned int op)
{
	struct coshm_message m[16];
	int rc;

	if (op % 2) {
		rc = coshm_stream_receive(sub, buffer, op % 8 ? sizeof(buffer) : 3,
					  op % 3 ? 0 : NAP_NS, m);
		check_rc(rc);
		if (rc == 0 && m[0].bytes > sizeof(buffer))
			__builtin_trap();
		return;
	}
	rc = coshm_stream_peek(sub, m, 1 + op % 16, op % 3 ? 0 : NAP_NS);
	check_rc(rc);
	if (rc > 16)
		__builtin_trap();
	for (int i = 0; i < rc; i++)
		check_inside(&sub->region, m[i].data, m[i].bytes);
	check_rc(coshm_stream_release(sub, rc > 0 ? (unsigned int)rc - op % 2 : op % 3));
}

void run_stream(struct script *s)
{
	struct coshm_stream *sub = stream_as(s, COSHM_SUBSCRIBER, COSHM_OPEN_OLDEST);
	struct coshm_stream *pub = stream_as(s, COSHM_PUBLISHER, 0);
	struct coshm_stream *second = stream_as(s, COSHM_SUBSCRIBER, 0);
	struct coshm_stream *eye = stream_as(s, COSHM_OBSERVER, COSHM_OPEN_OLDEST);

	while (s->left > 0) {
		unsigned int op = next_byte(s);

		switch (op % 8) {
		case 0:
		case 1:
		case 2:
			stream_publish_some(pub, op / 8);
			break;
		case 3:
		case 4:
			stream_read_some(sub, op / 8);
			break;
		case 5:
			stream_read_some(second, op / 8);
			break;
		case 6:
			stream_read_some(eye, op / 8);
			break;
		default:
			scribble(s);
		}
	}
	coshm_stream_close(eye);
	coshm_stream_close(second);
	coshm_stream_close(pub);
	coshm_stream_close(sub);
}

static struct coshm_queue *queue_as(struct script *s, enum coshm_role role)
{
	struct coshm_open_opts o = opts_of(s, 0);
	struct coshm_queue *ch = NULL;

	check_rc(coshm_queue_open(FUZZ_NAME, role, &o, &ch));
	return ch;
}

void queue_push_some(struct coshm_queue *ch, unsigned int op)
{
	size_t most = coshm_queue_message_bytes(ch), bytes = op % 2 ? most : op;
	void *loan;
	int rc;

	if (op % 3 == 0) {
		check_rc(coshm_queue_push(ch, buffer, bytes, op % 4 ? 0 : NAP_NS));
		return;
	}
	if (op % 3 == 1) {
		struct iovec batch[] = { { buffer, bytes }, { buffer, op }, { buffer, most } };

		check_rc(coshm_queue_push_batch(ch, batch, op % 4, op % 5 ? 0 : NAP_NS));
		return;
	}
	rc = coshm_queue_loan(ch, op % 4 ? 0 : NAP_NS, &loan);
	check_rc(rc);
	if (rc < 0)
		return;
	check_inside(&ch->region, loan, most);
	if (op % 5 != 0)
		check_rc(op % 2 ? coshm_queue_push_loan(ch, loan, bytes) :
				  coshm_queue_discard_loan(ch, loan));
}

void queue_take_some(struct coshm_queue *ch, unsigned int op)
{
	struct coshm_delivery d, many[4];
	int rc;

	if (op % 3 == 1) {
		rc = coshm_queue_take_batch(ch, many, op % 5, op % 4 ? 0 : NAP_NS);
		check_rc(rc);
		if (rc > 4)
			__builtin_trap();
		for (int i = 0; i < rc; i++) {
			check_inside(&ch->region, many[i].data, many[i].bytes);
			check_rc(coshm_queue_release(ch, many[i].data));
		}
		return;
	}
	if (op % 3 == 0) {
		check_rc(coshm_queue_receive(ch, buffer, sizeof(buffer), op % 4 ? 0 : NAP_NS, &d));
		return;
	}
	rc = coshm_queue_take(ch, op % 4 ? 0 : NAP_NS, &d);
	check_rc(rc);
	if (rc < 0)
		return;
	check_inside(&ch->region, d.data, d.bytes);
	if (op % 5 != 0)
		check_rc(coshm_queue_release(ch, op % 7 ? d.data : (const char *)d.data + 64));
}

void run_queue(struct script *s)
{
	struct coshm_queue *producer = queue_as(s, COSHM_PRODUCER);
	struct coshm_queue *consumer = queue_as(s, COSHM_CONSUMER);
	struct coshm_queue *second = queue_as(s, COSHM_CONSUMER);

	while (s->left > 0) {
		unsigned int op = next_byte(s);

		switch (op % 4) {
		case 0:
			queue_push_some(producer, op / 4);
			break;
		case 1:
			queue_take_some(consumer, op / 4);
			break;
		case 2:
			queue_take_some(second, op / 4);
			break;
		default:
			scribble(s);
		}
	}
	coshm_queue_close(second);
	coshm_queue_close(consumer);
	coshm_queue_close(producer);
}
