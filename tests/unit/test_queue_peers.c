/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_queue_peers.c - queues whose peers are killed, stopped, or threads.
 */
#define _GNU_SOURCE
#include "queue_scene.h"

#include <pthread.h>
#include <sched.h>
#include <sys/mman.h>

/* Takes two messages, or claims two slots, says so, and does no more. */
static void holder(const struct actor *self, void *arg)
{
	enum coshm_role role = *(enum coshm_role *)arg;
	struct coshm_delivery d;
	struct coshm_queue *ch;
	void *loan = NULL;
	char c;

	child_check(coshm_queue_open(NAME, role, NULL, &ch) == 0);
	for (int i = 0; i < 2; i++)
		if (role == COSHM_CONSUMER)
			child_check(coshm_queue_take(ch, 10 * SECOND, &d) == 0);
		else
			child_check(coshm_queue_loan(ch, 10 * SECOND, &loan) == 0);
	child_check(write(self->to, "h", 1) == 1);
	child_check(read(self->from, &c, 1) == 1);
	if (loan) {
		*(struct letter *)loan = letter_of(9, 99);
		child_check(coshm_queue_push_loan(ch, loan, sizeof(struct letter)) == 0);
	}
	child_check(write(self->to, "d", 1) == 1);
	pause();
}

static void test_consumer_killed(void **state)
{
	struct coshm_queue *p = open_as(COSHM_PRODUCER), *c = open_as(COSHM_CONSUMER);
	enum coshm_role role = COSHM_CONSUMER;
	bool drop = c->ring.drop;

	(void)state;
	for (uint64_t round = 0; round < 40; round++) {
		struct coshm_delivery d;
		struct actor a;

		for (uint64_t n = 0; n < 3; n++)
			assert_ok(push(p, round, n, 0));
		a = actor_start(holder, &role);
		assert_int_equal(actor_hear(&a), 'h');
		assert_int_equal(next_number(c), 2);
		assert_int_equal(coshm_queue_take(c, 50000000, &d),
				 -ETIMEDOUT); /* alive: it keeps them */
		actor_kill(&a);
		for (uint64_t n = 0; n < 2 && !drop; n++) {
			assert_ok(coshm_queue_take(c, 10 * SECOND, &d));
			assert_int_equal(((const struct letter *)d.data)->sender, round);
			assert_int_equal(((const struct letter *)d.data)->number, n);
			assert_int_equal(d.deliveries, 2);
			assert_ok(coshm_queue_release(c, d.data));
		}
		/* His death is noticed within 20 ms. */
		assert_int_equal(coshm_queue_take(c, drop ? 40000000 : 1000000, &d), -ETIMEDOUT);
		assert_int_equal(c->region.shared->counters.lost, drop ? 2 * (round + 1) : 0);
	}
	coshm_queue_close(p);
	coshm_queue_close(c);
}

static void test_producer_killed(void **state)
{
	struct coshm_queue *p = open_as(COSHM_PRODUCER), *c = open_as(COSHM_CONSUMER);
	enum coshm_role role = COSHM_PRODUCER;

	(void)state;
	for (uint64_t round = 0; round < 40; round++) {
		struct actor a = actor_start(holder, &role);
		uint64_t fits = 0;

		assert_int_equal(actor_hear(&a), 'h');
		for (uint64_t n = 0; n < round; n++) { /* nobody is held up before it is noticed */
			assert_ok(push(p, 1, n, 0));
			assert_int_equal(next_number(c), n);
		}
		actor_kill(&a);
		/* Its slots come back when somebody has waited 20 ms, and the ring comes round. */
		while (push(p, 1, fits, 40000000) == 0)
			fits++;
		assert_in_range(fits, SLOTS - 2, SLOTS);
		for (uint64_t n = 0; n < fits; n++)
			assert_int_equal(next_number(c), n);
		for (uint64_t n = 0; n < SLOTS; n++)
			assert_ok(push(p, 1, n, 0));
		for (uint64_t n = 0; n < SLOTS; n++)
			assert_int_equal(next_number(c), n);
		assert_nothing(c);
	}
	assert_int_equal(c->region.shared->counters.evicted, 40);
	coshm_queue_close(p);
	coshm_queue_close(c);
}

/* Stopped in the middle of a push, for laps: it comes late, it is not lost, and holds nobody up. */
static void test_producer_stopped(void **state)
{
	struct coshm_queue *p = open_as(COSHM_PRODUCER), *c = open_as(COSHM_CONSUMER);
	enum coshm_role role = COSHM_PRODUCER;
	struct actor a = actor_start(holder, &role);

	(void)state;
	assert_int_equal(actor_hear(&a), 'h');
	actor_stop(&a);
	for (uint64_t n = 0; n < 1000; n++) {
		assert_ok(push(p, 1, n, -1));
		assert_int_equal(next_number(c), n);
	}
	assert_int_equal(c->region.shared->counters.evicted, 0);
	kill(a.pid, SIGCONT);
	actor_say(&a, 'x');
	assert_int_equal(actor_hear(&a), 'd');
	assert_int_equal(next_number(c), 99);
	actor_kill(&a);
	coshm_queue_close(p);
	coshm_queue_close(c);
}

#define SENDERS 3
#define LETTERS 4000000

/* What everybody has done, in memory that survives them. */
struct record {
	atomic_ullong pushed[SENDERS];           /* those below are pushed, or excused  */
	atomic_uchar excused[SENDERS][LETTERS];  /* in flight when its sender was killed */
	atomic_uchar received[SENDERS][LETTERS]; /* how often each was taken             */
	atomic_ullong torn;
	atomic_ullong unmarked; /* delivered again, without saying so */
};

static struct record *record;

static void sender(const struct actor *self, void *arg)
{
	uint64_t me = *(uint64_t *)arg, n = atomic_load(&record->pushed[me]);
	struct coshm_queue *ch;

	child_check(coshm_queue_open(NAME, COSHM_PRODUCER, NULL, &ch) == 0);
	child_check(write(self->to, "s", 1) == 1);
	/* The one that was in flight at death may have gone, or not: it is not sent again. */
	if (n < LETTERS)
		atomic_store(&record->excused[me][n], 1);
	atomic_store(&record->pushed[me], n + 1);
	for (n++; n < LETTERS; n++) {
		child_check(push(ch, me, n, -1) == 0);
		atomic_store(&record->pushed[me], n + 1);
	}
	pause();
}

static void receiver(const struct actor *self, void *arg)
{
	struct coshm_queue *ch;

	(void)arg;
	child_check(coshm_queue_open(NAME, COSHM_CONSUMER, NULL, &ch) == 0);
	child_check(write(self->to, "r", 1) == 1);
	for (;;) {
		struct coshm_delivery d;
		struct letter l;

		child_check(coshm_queue_take(ch, -1, &d) == 0);
		memcpy(&l, d.data, sizeof(l));
		if (d.bytes != sizeof(l) || !is_letter(&l) || l.sender >= SENDERS ||
		    l.number >= LETTERS) {
			atomic_fetch_add(&record->torn, 1);
		} else if (atomic_fetch_add(&record->received[l.sender][l.number], 1) > 0 &&
			   d.deliveries == 1) {
			atomic_fetch_add(&record->unmarked, 1);
		}
		child_check(coshm_queue_release(ch, d.data) == 0);
	}
}

/* Senders and receivers are killed at random: what was pushed arrives; what comes twice says so. */
static void storm(int kills)
{
	struct coshm_queue *c = open_as(COSHM_CONSUMER);
	struct actor a[SENDERS + 2];
	uint64_t who[SENDERS + 2];
	struct coshm_delivery d;

	record = mmap(NULL, sizeof(*record), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
		      0);
	assert_ptr_not_equal(record, MAP_FAILED);
	srand(1);
	for (int i = 0; i < SENDERS + 2; i++) {
		who[i] = (uint64_t)i;
		a[i] = actor_start(i < SENDERS ? sender : receiver, &who[i]);
	}
	for (int k = 0; k < kills; k++) {
		int i = rand() % (SENDERS + 2);

		actor_hear(&a[i]); /* it is at it */
		usleep((useconds_t)(rand() % 2000));
		actor_kill(&a[i]);
		a[i] = actor_start(i < SENDERS ? sender : receiver, &who[i]);
	}
	for (int i = 0; i < SENDERS + 2; i++)
		actor_kill(&a[i]);
	while (coshm_queue_take(c, SECOND / 5, &d) == 0) {
		const struct letter *l = d.data;

		assert_true(is_letter(l));
		if (atomic_fetch_add(&record->received[l->sender][l->number], 1) > 0)
			assert_true(d.deliveries > 1);
		assert_ok(coshm_queue_release(c, d.data));
	}
	assert_int_equal(record->torn, 0);
	assert_int_equal(record->unmarked, 0);
	for (int s = 0; s < SENDERS; s++)
		for (uint64_t n = 0; n < record->pushed[s] && n < LETTERS; n++)
			assert_true(record->received[s][n] > 0 || record->excused[s][n]);
	print_message("# %d kills, %llu + %llu + %llu letters\n", kills,
		      (unsigned long long)record->pushed[0], (unsigned long long)record->pushed[1],
		      (unsigned long long)record->pushed[2]);
	munmap(record, sizeof(*record));
	coshm_queue_close(c);
}

static void test_storm(void **state)
{
	(void)state;
	storm(300);
}

/* Threads on one mapping, which ThreadSanitizer can see: the core alone, without handles. */
struct core {
	struct queue_ring ring;
	struct queue_control_shared control;
	unsigned int next_peer;
	atomic_ullong pushed, taken, sum_in, sum_out, bad;
	uint64_t count;
};

static struct core core;

static void *core_producer(void *arg)
{
	unsigned int me = (unsigned int)(uintptr_t)arg;
	uint64_t n;

	while ((n = atomic_fetch_add(&core.pushed, 1)) < core.count) {
		struct letter *l;
		uint64_t p;

		while ((p = queue_claim(&core.ring, me)) == QUEUE_NONE)
			sched_yield();
		l = (void *)queue_payload(&core.ring, p);
		*l = letter_of(me, n);
		atomic_fetch_add(&core.sum_in, n);
		if (!queue_commit(&core.ring, p, me))
			atomic_fetch_add(&core.bad, 1);
	}
	return NULL;
}

static void *core_consumer(void *arg)
{
	unsigned int me = (unsigned int)(uintptr_t)arg;
	uint64_t seen = 0;

	while (atomic_load(&core.taken) < core.count) {
		uint64_t p = queue_take(&core.ring, me, &seen);
		const struct letter *l;

		if (p == QUEUE_NONE) {
			sched_yield();
			continue;
		}
		l = (void *)queue_payload(&core.ring, p);
		if (!is_letter(l))
			atomic_fetch_add(&core.bad, 1);
		atomic_fetch_add(&core.sum_out, l->number);
		if (!queue_release(&core.ring, p, me))
			atomic_fetch_add(&core.bad, 1);
		atomic_fetch_add(&core.taken, 1);
	}
	return NULL;
}

static void test_threads_on_one_mapping(void **state)
{
	static _Alignas(64) unsigned char slots[4 * 64];
	pthread_t threads[6];

	(void)state;
	core.ring = (struct queue_ring){ .control = &core.control,
					 .slots = slots,
					 .mask = 3,
					 .shift = 2,
					 .lap_shift = 16,
					 .slot_bytes = 64,
					 .payload = 16,
					 .value_bytes = 48 };
	core.count = 100000;
	for (uintptr_t i = 0; i < 6; i++)
		assert_int_equal(pthread_create(&threads[i], NULL,
						i % 2 ? core_consumer : core_producer,
						(void *)(i + 1)),
				 0);
	for (int i = 0; i < 6; i++)
		pthread_join(threads[i], NULL);
	assert_int_equal(core.bad, 0);
	assert_int_equal(core.taken, core.count);
	assert_true(core.sum_in == core.sum_out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_consumer_killed, at_least_once, teardown),
		cmocka_unit_test_setup_teardown(test_consumer_killed, at_most_once, teardown),
		cmocka_unit_test_setup_teardown(test_producer_killed, at_least_once, teardown),
		cmocka_unit_test_setup_teardown(test_producer_stopped, at_least_once, teardown),
		cmocka_unit_test_setup_teardown(test_storm, at_least_once, teardown),
		cmocka_unit_test(test_threads_on_one_mapping),
	};

	return scene_run("queue_peers", tests);
}
