/* SPDX-License-Identifier: Apache-2.0 */
/*
 * queue_scene.h - a small queue, whose messages say who sent them.
 */
#ifndef COSHM_TEST_QUEUE_SCENE_H
#define COSHM_TEST_QUEUE_SCENE_H

#include "scene.h"

#include "queue.h"

#define SLOTS 8

/* Whatever is torn has words that disagree. */
struct letter {
	uint64_t sender;
	uint64_t number;
	uint64_t sum[4];
};

static inline struct letter letter_of(uint64_t sender, uint64_t number)
{
	uint64_t sum = sender * 1000003 + number;

	return (struct letter){ sender, number, { sum, sum, sum, sum } };
}

static inline bool is_letter(const struct letter *l)
{
	struct letter good = letter_of(l->sender, l->number);

	return memcmp(l, &good, sizeof(good)) == 0;
}

static inline int setup_policy(uint32_t policy)
{
	struct coshm_queue_shape s = { .size = sizeof(s),
				       .policy = policy,
				       .slots = SLOTS,
				       .message_bytes = sizeof(struct letter) };

	return coshm_queue_create(NAME, &s, NULL);
}

static inline int at_least_once(void **state)
{
	(void)state;
	return setup_policy(COSHM_QUEUE_AT_LEAST_ONCE);
}

static inline int at_most_once(void **state)
{
	(void)state;
	return setup_policy(COSHM_QUEUE_AT_MOST_ONCE);
}

static inline int teardown(void **state)
{
	(void)state;
	return coshm_remove(NULL, NAME);
}

static inline struct coshm_queue *open_as(enum coshm_role role)
{
	struct coshm_open_opts o = { .size = sizeof(o), .wait = COSHM_WAIT_BLOCK };
	struct coshm_queue *ch = NULL;

	if (coshm_queue_open(NAME, role, &o, &ch) < 0)
		fail_msg("%s", coshm_errmsg());
	return ch;
}

static inline int push(struct coshm_queue *ch, uint64_t sender, uint64_t number, int64_t timeout_ns)
{
	struct letter l = letter_of(sender, number);

	return coshm_queue_push(ch, &l, sizeof(l), timeout_ns);
}

/* The next letter's number; it is released. */
static inline uint64_t next_number(struct coshm_queue *ch)
{
	struct coshm_delivery d;
	struct letter l;

	assert_ok(coshm_queue_receive(ch, &l, sizeof(l), 10 * SECOND, &d));
	assert_int_equal(d.bytes, sizeof(l));
	assert_true(is_letter(&l));
	return l.number;
}

static inline void assert_nothing(struct coshm_queue *ch)
{
	struct coshm_delivery d;

	assert_int_equal(coshm_queue_take(ch, 0, &d), -EAGAIN);
}

#endif /* COSHM_TEST_QUEUE_SCENE_H */
