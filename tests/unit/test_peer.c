/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_peer.c - alive, dead and stopped, judged with real processes.
 */
#define _GNU_SOURCE
#include "scene.h"

#include <poll.h>
#include <sched.h>

#include "region.h"
#include "peer.h"

static unsigned int recovered[LAYOUT_PEERS];

static void recover(struct region *r, unsigned int slot)
{
	(void)r;
	recovered[slot]++;
}

static const struct region_kind kind = { .kind = LAYOUT_STREAM, .recover = recover };

static int setup(void **state)
{
	struct region_plan plan = { .name = NAME,
				    .geometry = { .kind = LAYOUT_STREAM,
						  .slots = 4,
						  .slot_bytes = 64,
						  .value_bytes = 48,
						  .payload = 16 } };

	(void)state;
	memset(recovered, 0, sizeof(recovered));
	return region_create(&plan);
}

static int teardown(void **state)
{
	(void)state;
	return coshm_remove(NULL, NAME);
}

static int attach(enum coshm_role role, struct region **r)
{
	return region_attach(&kind, NAME, role, NULL, r);
}

/* Sits down as what it was given, says 's', and leaves when it hears anything. */
static void sitter(const struct actor *self, void *arg)
{
	enum coshm_role role = *(enum coshm_role *)arg;
	struct region *r;
	char c = 's';

	child_check(attach(role, &r) == 0);
	child_check(write(self->to, &c, 1) == 1);
	child_check(read(self->from, &c, 1) == 1);
	region_detach(r);
}

static struct actor start(enum coshm_role role)
{
	struct actor a = actor_start(sitter, &role);

	assert_int_equal(actor_hear(&a), 's');
	return a;
}

static void test_alive_stopped_dead(void **state)
{
	struct region *r;
	struct actor a;

	(void)state;
	assert_ok(attach(COSHM_OBSERVER, &r));
	a = start(COSHM_SUBSCRIBER);
	assert_int_equal(peer_probe(r, 0), PEER_ALIVE);
	assert_int_equal(peer_probe(r, 1), PEER_NONE);
	actor_stop(&a);
	for (int i = 0; i < 1000; i++)
		assert_int_equal(peer_probe(r, 0), PEER_ALIVE);
	actor_kill(&a);
	assert_int_equal(peer_probe(r, 0), PEER_DEAD);
	region_detach(r);
}

/* A zombie is dead although nobody has waited for it. */
static void test_zombie_is_dead(void **state)
{
	struct actor a = start(COSHM_SUBSCRIBER);
	struct region *r;
	siginfo_t info;

	(void)state;
	assert_ok(attach(COSHM_OBSERVER, &r));
	kill(a.pid, SIGKILL);
	assert_int_equal(waitid(P_PID, (id_t)a.pid, &info, WEXITED | WNOWAIT), 0);
	assert_int_equal(peer_probe(r, 0), PEER_DEAD);
	actor_end(&a);
	region_detach(r);
}

static void test_leaving_frees_the_place(void **state)
{
	struct actor a = start(COSHM_SUBSCRIBER);
	struct region *r;

	(void)state;
	assert_ok(attach(COSHM_OBSERVER, &r));
	actor_say(&a, 'x');
	assert_int_equal(actor_end(&a), 0);
	assert_int_equal(peer_probe(r, 0), PEER_NONE);
	region_detach(r);
}

static void test_one_publisher(void **state)
{
	struct actor a = start(COSHM_PUBLISHER);
	struct region *r, *other;
	char who[64];

	(void)state;
	snprintf(who, sizeof(who), "pid %d (test_peer)", (int)a.pid);
	assert_err(attach(COSHM_PUBLISHER, &r), EBUSY, who);
	actor_stop(&a);
	assert_err(attach(COSHM_PUBLISHER, &r), EBUSY, who);
	assert_int_equal(recovered[LAYOUT_PUBLISHER], 0);
	actor_kill(&a);
	assert_ok(attach(COSHM_PUBLISHER, &r));
	assert_int_equal(recovered[LAYOUT_PUBLISHER], 1);
	/* A second handle of the same process is a second publisher too. */
	assert_err(attach(COSHM_PUBLISHER, &other), EBUSY, "alive");
	region_detach(r);
	assert_ok(attach(COSHM_PUBLISHER, &r));
	assert_int_equal(recovered[LAYOUT_PUBLISHER], 1); /* left, not died */
	region_detach(r);
}

static void test_burying(void **state)
{
	struct actor a = start(COSHM_SUBSCRIBER);
	struct region *r;

	(void)state;
	assert_ok(attach(COSHM_PUBLISHER, &r));
	assert_false(peer_bury(r, 0, &kind));
	actor_stop(&a);
	assert_false(peer_bury(r, 0, &kind));
	assert_int_equal(recovered[0], 0);
	actor_kill(&a);
	assert_true(peer_bury(r, 0, &kind));
	assert_false(peer_bury(r, 0, &kind));
	assert_int_equal(recovered[0], 1);
	assert_int_equal(peer_probe(r, 0), PEER_NONE);
	assert_int_equal(r->shared->counters.evicted, 1);
	a = start(COSHM_SUBSCRIBER); /* the place is free again */
	assert_int_equal(peer_probe(r, 0), PEER_ALIVE);
	actor_say(&a, 'x');
	actor_end(&a);
	region_detach(r);
}

/* Who may only read the file can lock, but neither hide a death nor be taken for somebody. */
static void test_read_lock(void **state)
{
	struct flock range = { .l_type = F_RDLCK, .l_start = LAYOUT_LOCKS, .l_len = LAYOUT_PEERS };
	struct actor a = start(COSHM_SUBSCRIBER), b = start(COSHM_PUBLISHER);
	int fd = open(scene_path(NAME), O_RDONLY | O_CLOEXEC);
	struct region *r, *other;

	(void)state;
	assert_ok(attach(COSHM_SUBSCRIBER, &r));
	assert_int_equal(r->slot, 1);
	assert_true(fd >= 0);
	assert_int_equal(fcntl(fd, F_OFD_SETLK, &range), -1); /* the living are in its way */
	actor_kill(&a);
	actor_kill(&b);
	range.l_len = 1;
	assert_int_equal(fcntl(fd, F_OFD_SETLK, &range), 0);
	range.l_start += LAYOUT_PUBLISHER;
	assert_int_equal(fcntl(fd, F_OFD_SETLK, &range), 0);
	assert_int_equal(peer_probe(r, 0), PEER_DEAD);
	assert_false(peer_bury(r, 0, &kind));
	assert_int_equal(recovered[0], 0);
	assert_err(peer_publisher_check(r), EOWNERDEAD, "has died");
	assert_err(attach(COSHM_PUBLISHER, &other), EBUSY, "only reads");
	close(fd);
	assert_true(peer_bury(r, 0, &kind));
	assert_ok(attach(COSHM_PUBLISHER, &other));
	region_detach(other);
	region_detach(r);
}

/* Each death of a publisher is told once, so that who waits on does not spin. */
static void test_publisher_mourned_once(void **state)
{
	struct region *r;

	(void)state;
	assert_ok(attach(COSHM_SUBSCRIBER, &r));
	assert_int_equal(peer_publisher_check(r), 0);
	for (int i = 0; i < 3; i++) {
		struct actor a = start(COSHM_PUBLISHER);

		assert_int_equal(peer_publisher_check(r), 0);
		actor_stop(&a);
		assert_int_equal(peer_publisher_check(r), 0);
		actor_kill(&a);
		assert_err(peer_publisher_check(r), EOWNERDEAD, "has died");
		assert_int_equal(peer_publisher_check(r), 0);
	}
	region_detach(r);
}

/* Taken places are left alone, dead ones recovered only when no free one is left. */
static void test_all_places(void **state)
{
	struct region *r[LAYOUT_SEATS], *more;
	struct actor a = start(COSHM_SUBSCRIBER);

	(void)state;
	actor_kill(&a);
	for (unsigned int i = 1; i < LAYOUT_SEATS; i++) {
		assert_ok(attach(COSHM_SUBSCRIBER, &r[i]));
		assert_int_equal(r[i]->slot, i);
	}
	assert_int_equal(recovered[0], 0);
	assert_ok(attach(COSHM_SUBSCRIBER, &r[0]));
	assert_int_equal(r[0]->slot, 0);
	assert_int_equal(recovered[0], 1);
	assert_err(attach(COSHM_SUBSCRIBER, &more), EUSERS, "64");
	assert_ok(attach(COSHM_PUBLISHER, &more));
	region_detach(more);
	for (unsigned int i = 0; i < LAYOUT_SEATS; i++)
		region_detach(r[i]);
}

/* Descriptors closed by the program: nobody dies of it, and nothing of it is closed by us. */
static void test_descriptors_closed_under_us(void **state)
{
	struct region *r, *second;
	int fd;

	(void)state;
	assert_ok(attach(COSHM_SUBSCRIBER, &r));
	assert_ok(attach(COSHM_SUBSCRIBER, &second));
	fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	assert_int_equal(dup3(fd, r->probe_fd, O_CLOEXEC), r->probe_fd);
	close(fd);
	fd = r->probe_fd; /* the number is somebody else's now */
	assert_int_equal(peer_probe(second, 0), PEER_ALIVE);
	assert_int_equal(peer_probe(r, 1), PEER_ALIVE);
	assert_int_not_equal(r->probe_fd, fd);
	close(r->probe_fd);
	region_detach(r);
	assert_true(fcntl(fd, F_GETFD) >= 0);
	close(fd);
	region_detach(second);
}

/* The file has lost its name: those inside still tell who is alive. */
static void test_without_a_name(void **state)
{
	struct actor a = start(COSHM_SUBSCRIBER);
	struct region *r;

	assert_ok(attach(COSHM_PUBLISHER, &r));
	assert_int_equal(unlink(scene_path(NAME)), 0);
	assert_false(peer_bury(r, 0, &kind));
	actor_kill(&a);
	assert_true(peer_bury(r, 0, &kind));
	region_detach(r);
	assert_int_equal(setup(state), 0); /* for the teardown */
}

static void forker(const struct actor *self, void *arg)
{
	struct region *r;
	char c;

	(void)arg;
	child_check(attach(COSHM_SUBSCRIBER, &r) == 0);
	if (fork() == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		child_check(!region_usable(r));
		c = 'c';
		child_check(write(self->to, &c, 1) == 1);
		pause();
	}
	pause();
}

/* A child that lives on does not keep its dead parent alive. */
static void test_forked_child_holds_nothing(void **state)
{
	struct actor a = actor_start(forker, NULL);
	struct region *r;

	(void)state;
	assert_int_equal(actor_hear(&a), 'c');
	assert_ok(attach(COSHM_OBSERVER, &r));
	assert_int_equal(peer_probe(r, 0), PEER_ALIVE);
	actor_kill(&a);
	assert_int_equal(peer_probe(r, 0), PEER_DEAD);
	region_detach(r);
}

static void test_fork_disturbs_no_parent(void **state)
{
	struct region *r;
	int status;
	pid_t pid;

	(void)state;
	assert_ok(attach(COSHM_SUBSCRIBER, &r));
	fflush(NULL);
	pid = fork();
	if (pid == 0) {
		child_check(!region_usable(r));
		child_check(region_err_forked(r) == -ECHILD);
		region_detach(r); /* frees the child's memory and no more */
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	assert_true(region_usable(r));
	assert_int_equal(peer_probe(r, 0), PEER_ALIVE);
	region_detach(r);
}

static int in_new_namespaces(void *arg)
{
	const struct actor *self = arg;
	enum coshm_role role = COSHM_SUBSCRIBER;

	sitter(self, &role);
	return 0;
}

static void container(const struct actor *self, void *arg)
{
	int status;
	pid_t pid;

	(void)arg;
	child_check(unshare(CLONE_NEWPID | CLONE_NEWIPC) == 0);
	pid = fork();
	child_check(pid >= 0);
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		child_check(getpid() == 1);
		_exit(in_new_namespaces((void *)self));
	}
	waitpid(pid, &status, 0);
}

/* Two PID 1s, each in a namespace of its own, are two peers. */
static void test_pid_1_twice(void **state)
{
	struct actor a, b;
	struct region *r;

	(void)state;
	if (geteuid() != 0)
		skip();
	a = actor_start(container, NULL);
	assert_int_equal(actor_hear(&a), 's');
	b = actor_start(container, NULL);
	assert_int_equal(actor_hear(&b), 's');
	assert_ok(attach(COSHM_OBSERVER, &r));
	assert_int_equal(r->shared->peers[0].pid, 1);
	assert_int_equal(r->shared->peers[1].pid, 1);
	assert_memory_not_equal(r->shared->peers[0].identity, r->shared->peers[1].identity, 16);
	assert_int_equal(peer_probe(r, 0), PEER_ALIVE);
	actor_say(&a, 'x');
	actor_end(&a);
	assert_int_equal(peer_probe(r, 0), PEER_NONE);
	assert_int_equal(peer_probe(r, 1), PEER_ALIVE);
	actor_say(&b, 'x');
	actor_end(&b);
	region_detach(r);
}

static void test_description_is_printable(void **state)
{
	char text[PEER_TEXT_BYTES];
	struct region *r;

	(void)state;
	assert_ok(attach(COSHM_SUBSCRIBER, &r));
	memset(r->self->command, 0x1b, sizeof(r->self->command));
	memset(r->self->host, 0xff, sizeof(r->self->host));
	peer_describe(r, 0, text);
	assert_true(strlen(text) < sizeof(text));
	for (char *c = text; *c; c++)
		assert_in_range(*c, ' ', '~');
	region_detach(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_alive_stopped_dead, setup, teardown),
		cmocka_unit_test_setup_teardown(test_zombie_is_dead, setup, teardown),
		cmocka_unit_test_setup_teardown(test_leaving_frees_the_place, setup, teardown),
		cmocka_unit_test_setup_teardown(test_one_publisher, setup, teardown),
		cmocka_unit_test_setup_teardown(test_burying, setup, teardown),
		cmocka_unit_test_setup_teardown(test_read_lock, setup, teardown),
		cmocka_unit_test_setup_teardown(test_publisher_mourned_once, setup, teardown),
		cmocka_unit_test_setup_teardown(test_all_places, setup, teardown),
		cmocka_unit_test_setup_teardown(test_descriptors_closed_under_us, setup, teardown),
		cmocka_unit_test_setup_teardown(test_without_a_name, setup, teardown),
		cmocka_unit_test_setup_teardown(test_forked_child_holds_nothing, setup, teardown),
		cmocka_unit_test_setup_teardown(test_fork_disturbs_no_parent, setup, teardown),
		cmocka_unit_test_setup_teardown(test_pid_1_twice, setup, teardown),
		cmocka_unit_test_setup_teardown(test_description_is_printable, setup, teardown),
	};

	return scene_run("peer", tests);
}
