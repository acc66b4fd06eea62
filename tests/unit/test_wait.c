/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_wait.c - no wake-up is lost, and none is paid for when nobody sleeps.
 */
#define _GNU_SOURCE
#include "scene.h"

#include <pthread.h>
#include <time.h>

#include "region.h"
#include "wait.h"

static const struct region_kind kind = { .kind = LAYOUT_QUEUE };

static int setup(void **state)
{
	struct region_plan plan = { .name = NAME,
				    .geometry = { .kind = LAYOUT_QUEUE,
						  .slots = 4,
						  .slot_bytes = 64,
						  .value_bytes = 48,
						  .payload = 16 } };

	(void)state;
	return region_create(&plan);
}

static int teardown(void **state)
{
	(void)state;
	return coshm_remove(NULL, NAME);
}

static struct region *attach(enum coshm_wait how)
{
	struct coshm_open_opts o = { .size = sizeof(o), .wait = how };
	struct region *r = NULL;

	if (region_attach(&kind, NAME, COSHM_CONSUMER, &o, &r) == 0)
		wait_register(r);
	return r;
}

static struct bell bell_of(struct region *r)
{
	return (struct bell){ .mask = &r->shared->state.data_sleepers };
}

/* The word that is waited for: any one of the region. */
static _Atomic uint64_t *word_of(struct region *r)
{
	return (_Atomic uint64_t *)(void *)r->data;
}

struct watch {
	struct region *r;
	uint64_t above;
	int checks;
	int verdict;
};

static bool ready(void *arg)
{
	struct watch *w = arg;

	return atomic_load_explicit(word_of(w->r), memory_order_acquire) > w->above;
}

static int check(void *arg)
{
	struct watch *w = arg;

	w->checks++;
	return w->verdict;
}

static int wait_above(struct region *r, uint64_t above, int64_t timeout_ns)
{
	struct watch w = { .r = r, .above = above };

	return wait_until(
		&(struct waiter){ .region = r, .bell = bell_of(r), .ready = ready, .arg = &w },
		timeout_ns);
}

static void test_there_already(void **state)
{
	(void)state;
	for (enum coshm_wait how = 0; how <= COSHM_WAIT_BLOCK; how++) {
		struct region *r = attach(how);

		*word_of(r) = 1;
		assert_int_equal(wait_above(r, 0, 0), 0);
		assert_int_equal(wait_above(r, 0, -1), 0);
		assert_int_equal(r->shared->state.data_sleepers, 0);
		region_detach(r);
	}
}

static void test_time_out(void **state)
{
	(void)state;
	for (enum coshm_wait how = 0; how <= COSHM_WAIT_BLOCK; how++) {
		struct region *r = attach(how);

		assert_int_equal(wait_above(r, UINT64_MAX, 0), -ETIMEDOUT);
		assert_err(wait_above(r, UINT64_MAX, 1000000), ETIMEDOUT, "in time");
		assert_int_equal(r->shared->state.data_sleepers, 0);
		region_detach(r);
	}
}

static void test_check_ends_the_wait(void **state)
{
	struct region *r = attach(COSHM_WAIT_BLOCK);
	struct watch w = { .r = r, .above = UINT64_MAX, .verdict = -EOWNERDEAD };
	struct waiter waiter = { .region = r,
				 .bell = bell_of(r),
				 .ready = ready,
				 .check = check,
				 .arg = &w,
				 .slice_ns = 1000000 };

	(void)state;
	assert_int_equal(wait_until(&waiter, -1), -EOWNERDEAD);
	w.verdict = 0;
	w.checks = 0;
	assert_int_equal(wait_until(&waiter, 5000000), -ETIMEDOUT);
	assert_in_range(w.checks, 2, 100);
	region_detach(r);
}

static void on_alarm(int sig)
{
	(void)sig;
}

static void test_signal_ends_the_wait(void **state)
{
	struct sigaction sa = { .sa_handler = on_alarm, .sa_flags = SA_RESTART }, old;
	struct region *r = attach(COSHM_WAIT_BLOCK);
	struct itimerspec in = { .it_value = { .tv_nsec = 5000000 },
				 .it_interval = { .tv_nsec = 5000000 } };
	struct sigevent ev = { .sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGALRM };
	timer_t timer;

	(void)state;
	sigaction(SIGALRM, &sa, &old);
	assert_int_equal(timer_create(CLOCK_MONOTONIC, &ev, &timer), 0);
	assert_int_equal(timer_settime(timer, 0, &in, NULL), 0);
	assert_err(wait_above(r, UINT64_MAX, -1), EINTR, "signal");
	timer_delete(timer);
	sigaction(SIGALRM, &old, NULL);
	region_detach(r);
}

/* Two handles answer each other; each waits as it is told. */
struct player {
	struct region *r;
	int rounds;
	int rc;
};

static void *player(void *arg)
{
	struct player *p = arg;

	for (int i = 0; i < p->rounds && p->rc == 0; i++) {
		/* Its move when the word is odd: 2i + 1. */
		p->rc = wait_above(p->r, 2 * (uint64_t)i, 10 * SECOND);
		atomic_fetch_add_explicit(word_of(p->r), 1, memory_order_release);
		bell_ring(p->r, bell_of(p->r));
	}
	return NULL;
}

static void ping_pong(enum coshm_wait how, bool fences, int rounds)
{
	struct player other = { .r = attach(how), .rounds = rounds };
	struct region *r = attach(how);
	pthread_t thread;

	*word_of(r) = 0;
	r->shared->state.must_fence = fences;
	assert_int_equal(pthread_create(&thread, NULL, player, &other), 0);
	for (int i = 0; i < rounds; i++) {
		atomic_fetch_add_explicit(word_of(r), 1, memory_order_release);
		bell_ring(r, bell_of(r));
		assert_int_equal(wait_above(r, 2 * (uint64_t)i + 1, 10 * SECOND), 0);
	}
	pthread_join(thread, NULL);
	assert_int_equal(other.rc, 0);
	assert_int_equal(r->shared->state.data_sleepers, 0);
	region_detach(r);
	region_detach(other.r);
}

static void test_no_wake_up_is_lost(void **state)
{
	(void)state;
	ping_pong(COSHM_WAIT_BLOCK, false, 3000);
	ping_pong(COSHM_WAIT_ADAPTIVE, false, 3000);
	ping_pong(COSHM_WAIT_SPIN, false, 3000);
	ping_pong(COSHM_WAIT_BLOCK, true, 3000);
}

static void sleeper(const struct actor *self, void *arg)
{
	struct region *r = attach(COSHM_WAIT_BLOCK);
	char c = 's';

	(void)arg;
	child_check(r != NULL);
	child_check(write(self->to, &c, 1) == 1);
	c = wait_above(r, 0, 10 * SECOND) == 0 ? 'w' : 'x';
	child_check(write(self->to, &c, 1) == 1);
	region_detach(r);
}

static void until_asleep(struct region *r, unsigned int slot)
{
	while (!(r->shared->state.data_sleepers & UINT64_C(1) << slot))
		usleep(100);
}

/* A waker that died after its store and before its wake: the sleeper looks again by itself. */
static void test_store_without_wake(void **state)
{
	struct region *r = attach(COSHM_WAIT_BLOCK);
	struct actor a = actor_start(sleeper, NULL);

	(void)state;
	assert_int_equal(actor_hear(&a), 's');
	until_asleep(r, 1);
	*word_of(r) = 1;
	assert_int_equal(actor_hear(&a), 'w');
	assert_int_equal(actor_end(&a), 0);
	region_detach(r);
}

/* A dead sleeper's bit costs one wake-up and then is gone. */
static void test_dead_sleeper(void **state)
{
	struct region *r = attach(COSHM_WAIT_BLOCK);
	struct actor a = actor_start(sleeper, NULL);

	(void)state;
	assert_int_equal(actor_hear(&a), 's');
	until_asleep(r, 1);
	actor_kill(&a);
	assert_true(r->shared->state.data_sleepers != 0);
	bell_ring(r, bell_of(r));
	assert_int_equal(r->shared->state.data_sleepers, 0);
	region_detach(r);
}

static void test_many_sleepers(void **state)
{
	struct region *r = attach(COSHM_WAIT_BLOCK);
	struct actor a[16];

	(void)state;
	for (int i = 0; i < 16; i++) {
		a[i] = actor_start(sleeper, NULL);
		assert_int_equal(actor_hear(&a[i]), 's');
	}
	for (unsigned int i = 1; i <= 16; i++)
		until_asleep(r, i);
	*word_of(r) = 1;
	bell_ring(r, bell_of(r));
	for (int i = 0; i < 16; i++) {
		assert_int_equal(actor_hear(&a[i]), 'w');
		assert_int_equal(actor_end(&a[i]), 0);
	}
	region_detach(r);
}

static void *retirer(void *arg)
{
	until_asleep(arg, 0);
	return coshm_retire(NULL, NAME) == 0 ? arg : NULL;
}

static void test_retiring_ends_the_wait(void **state)
{
	struct region *r = attach(COSHM_WAIT_BLOCK);
	pthread_t thread;
	void *done;

	assert_int_equal(pthread_create(&thread, NULL, retirer, r), 0);
	assert_err(wait_above(r, 0, -1), ESTALE, "open it anew");
	pthread_join(thread, &done);
	assert_non_null(done);
	region_detach(r);
	assert_int_equal(setup(state), 0); /* for the teardown */
}

static void test_observer_naps(void **state)
{
	struct region *w = attach(COSHM_WAIT_BLOCK), *r;

	(void)state;
	assert_ok(region_attach(&kind, NAME, COSHM_OBSERVER, NULL, &r));
	r->wait = COSHM_WAIT_BLOCK;
	assert_int_equal(wait_above(r, 0, 3000000), -ETIMEDOUT);
	*word_of(w) = 1;
	assert_int_equal(wait_above(r, 0, -1), 0);
	region_detach(r);
	region_detach(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_there_already, setup, teardown),
		cmocka_unit_test_setup_teardown(test_time_out, setup, teardown),
		cmocka_unit_test_setup_teardown(test_check_ends_the_wait, setup, teardown),
		cmocka_unit_test_setup_teardown(test_signal_ends_the_wait, setup, teardown),
		cmocka_unit_test_setup_teardown(test_no_wake_up_is_lost, setup, teardown),
		cmocka_unit_test_setup_teardown(test_store_without_wake, setup, teardown),
		cmocka_unit_test_setup_teardown(test_dead_sleeper, setup, teardown),
		cmocka_unit_test_setup_teardown(test_many_sleepers, setup, teardown),
		cmocka_unit_test_setup_teardown(test_retiring_ends_the_wait, setup, teardown),
		cmocka_unit_test_setup_teardown(test_observer_naps, setup, teardown),
	};

	return scene_run("wait", tests);
}
