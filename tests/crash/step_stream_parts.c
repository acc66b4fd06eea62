/* SPDX-License-Identifier: Apache-2.0 */
/*
 * step_stream_parts.c - setup, receiving and judging.
 */
#include <sys/wait.h>

#include "step_stream.h"

struct coshm_stream *pub;
struct seen sub;
int act_rc;

struct coshm_stream *stream_open_as(enum coshm_role role, uint32_t flags)
{
	struct coshm_open_opts o = { .size = sizeof(o), .wait = COSHM_WAIT_BLOCK, .flags = flags };
	struct coshm_stream *ch = NULL;

	must_ok(coshm_stream_open(NAME, role, &o, &ch));
	return ch;
}

struct seen stream_subscribe(uint32_t flags)
{
	struct seen s = { .ch = stream_open_as(COSHM_SUBSCRIBER, flags) };

	s.next = s.ch->reader.next;
	return s;
}

size_t stream_bytes_of_number(uint64_t number)
{
	if (now()->all_large && number < now()->before)
		return LARGE;
	return number % 3 == 2 ? 8 * (size_t)(7 + number * 37 % 60) : 8 * (size_t)(1 + number % 6);
}

int stream_publish_next(struct coshm_stream *ch, int64_t timeout_ns)
{
	uint64_t number = ch->writer.next;
	size_t bytes = stream_bytes_of_number(number);
	unsigned char data[LARGE];
	int rc;

	message_fill(data, bytes, number);
	rc = coshm_stream_publish(ch, data, bytes, timeout_ns);
	must(rc == 0 || rc == -EAGAIN || rc == -ETIMEDOUT, PLAY_WRONG, "publish: %d: %s", rc,
	     coshm_errmsg());
	return rc;
}

static void dead_subscriber(void)
{
	pid_t pid = fork();
	int status;

	if (pid == 0) {
		stream_open_as(COSHM_SUBSCRIBER, COSHM_OPEN_OLDEST);
		_exit(0);
	}
	must(waitpid(pid, &status, 0) == pid && status == 0, PLAY_WRONG, "dead subscriber");
}

void stream_setup(void)
{
	struct coshm_stream_shape s = { .size = sizeof(s),
					.policy = now()->policy,
					.slots = SLOTS,
					.small_bytes = SMALL,
					.large_bytes = LARGE,
					.ring_bytes = 4096 };
	struct coshm_stream *ch;

	must_ok(coshm_stream_create(NAME, &s, NULL));
	ch = stream_open_as(COSHM_PUBLISHER, 0);
	for (unsigned int i = 0; i < now()->before; i++)
		must_ok(stream_publish_next(ch, 0));
	for (unsigned int i = 0; i < now()->dead_subscribers; i++)
		dead_subscriber();
	if (!now()->dead)
		coshm_stream_close(ch);
}

void stream_judge(struct seen *s, const struct coshm_message *m)
{
	int number = (int)m->number;

	must(message_good(m->data, m->bytes, m->number) && m->bytes != 0, PLAY_TORN,
	     "message %d is torn", number);
	must(m->number >= s->next, PLAY_TWICE, "message %d came when %d was next", number,
	     (int)s->next);
	must(m->number == s->next + m->lost, PLAY_LOST,
	     "message %d came when %d was next, %d are said to be lost", number, (int)s->next,
	     (int)m->lost);
	must(m->lost == 0 || now()->policy == COSHM_STREAM_OVERWRITE, PLAY_LOST,
	     "%d messages before %d are lost", (int)m->lost, number);
	s->next = m->number + 1;
	s->lost += m->lost;
}

int stream_receive_next(struct seen *s, int64_t timeout_ns)
{
	unsigned char data[LARGE];
	struct coshm_message m;
	int rc = coshm_stream_receive(s->ch, data, sizeof(data), timeout_ns, &m);

	must(rc == 0 || rc == -EAGAIN || rc == -ETIMEDOUT || rc == -EOWNERDEAD, PLAY_WRONG,
	     "receive: %d: %s", rc, coshm_errmsg());
	if (rc == 0)
		stream_judge(s, &m);
	if (rc == -EOWNERDEAD) {
		/* With the total told, the others may have come to their end. */
		must(!play_stopping() || now()->dead || atomic_load(&ledger->total) != 0,
		     PLAY_WRONG, "the stopped publisher is reported dead");
		must(!s->told || now()->dead, PLAY_WRONG, "the publisher is reported dead twice");
		s->told = true;
	}
	return rc;
}

void stream_receive_all(struct seen *s)
{
	while (stream_receive_next(s, 0) == 0)
		;
}

void stream_go_on(struct coshm_stream *ch, struct seen *s, unsigned int messages)
{
	uint64_t lost = s->lost;

	for (unsigned int i = 0; i < messages; i++) {
		must_ok(stream_publish_next(ch, -1));
		must(stream_receive_next(s, 0) == 0, PLAY_LOST, "published, and not there");
		must(s->next == ch->writer.next, PLAY_WRONG, "received %d of %d", (int)s->next,
		     (int)ch->writer.next);
	}
	must(s->lost == lost, PLAY_LOST, "lost while each was received at once");
}

void stream_receive_to_total(struct seen *s)
{
	do {
		play_nudge();
		stream_receive_next(s, 2 * MILLISECOND);
	} while (s->next != atomic_load(&ledger->total));
}

void stream_await_finish(void)
{
	while (!atomic_load(&ledger->finish))
		play_nap();
}
