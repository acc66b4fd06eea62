/* SPDX-License-Identifier: Apache-2.0 */
/*
 * stream_scene.h - messages that show when they are torn, doubled or out of place.
 *
 * A message says its own number all over, and how long it is follows from the
 * number.
 */
#ifndef COSHM_TEST_STREAM_SCENE_H
#define COSHM_TEST_STREAM_SCENE_H

#include "scene.h"

#include "stream.h"

#define SLOTS       8
#define LARGE_BYTES 3000

static inline struct coshm_stream_shape shape(uint32_t policy)
{
	return (struct coshm_stream_shape){ .size = sizeof(struct coshm_stream_shape),
					    .policy = policy,
					    .slots = SLOTS,
					    .small_bytes = 48,
					    .large_bytes = LARGE_BYTES };
}

static inline int setup_policy(uint32_t policy)
{
	struct coshm_stream_shape s = shape(policy);

	return coshm_stream_create(NAME, &s, NULL);
}

static inline int lossless(void **state)
{
	(void)state;
	return setup_policy(COSHM_STREAM_LOSSLESS);
}

static inline int overwrite(void **state)
{
	(void)state;
	return setup_policy(COSHM_STREAM_OVERWRITE);
}

static inline int teardown(void **state)
{
	(void)state;
	return coshm_remove(NULL, NAME);
}

static inline struct coshm_stream *open_with(enum coshm_role role, uint32_t flags)
{
	struct coshm_open_opts o = { .size = sizeof(o), .wait = COSHM_WAIT_BLOCK, .flags = flags };
	struct coshm_stream *ch = NULL;

	if (coshm_stream_open(NAME, role, &o, &ch) < 0)
		fail_msg("%s", coshm_errmsg());
	return ch;
}

/* Small ones, empty ones, and every third one large. */
static inline size_t bytes_of(uint64_t number)
{
	return number % 3 == 2 ? 8 * (size_t)(7 + number * 37 % 360) : 8 * (size_t)(number % 7);
}

static inline void fill(void *data, uint64_t number)
{
	uint64_t *words = data;

	for (size_t i = 0; i < bytes_of(number) / 8; i++)
		words[i] = number * 1000 + i;
}

static inline bool is_message(const struct coshm_message *m)
{
	const uint64_t *words = m->data;

	if (m->bytes != bytes_of(m->number))
		return false;
	for (size_t i = 0; i < m->bytes / 8; i++)
		if (words[i] != m->number * 1000 + i)
			return false;
	return true;
}

static inline int publish(struct coshm_stream *ch, int64_t timeout_ns)
{
	uint64_t data[LARGE_BYTES / 8], number = ch->writer.next;

	fill(data, number);
	return coshm_stream_publish(ch, data, bytes_of(number), timeout_ns);
}

static inline struct coshm_message receive(struct coshm_stream *ch)
{
	static uint64_t data[LARGE_BYTES / 8];
	struct coshm_message m = { 0 };

	assert_ok(coshm_stream_receive(ch, data, sizeof(data), 10 * SECOND, &m));
	assert_true(is_message(&m));
	return m;
}

static inline void assert_nothing(struct coshm_stream *ch)
{
	struct coshm_message m;

	assert_int_equal(coshm_stream_receive(ch, NULL, 0, 0, &m), -EAGAIN);
}

#endif /* COSHM_TEST_STREAM_SCENE_H */
