/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_info.c - what is seen of a channel from outside.
 */
#define _GNU_SOURCE
#include "scene.h"

#include "peer.h"

static int setup(void **state)
{
	struct coshm_create_opts c = { .size = sizeof(c),
				       .type = { .name = "quote", .bytes = 8, .version = 3 } };
	struct coshm_stream_shape s = { .size = sizeof(s), .slots = 100, .large_bytes = 5000 };

	(void)state;
	return coshm_stream_create(NAME, &s, &c);
}

static int teardown(void **state)
{
	(void)state;
	return coshm_remove(NULL, NAME);
}

static void test_geometry_type_counters(void **state)
{
	struct coshm_stream *p, *s;
	struct coshm_info info;
	struct coshm_message m;
	uint64_t data = 1;

	(void)state;
	assert_ok(coshm_stream_open(NAME, COSHM_PUBLISHER, NULL, &p));
	assert_ok(coshm_stream_open(NAME, COSHM_SUBSCRIBER, NULL, &s));
	for (int i = 0; i < 1000; i++) {
		assert_ok(coshm_stream_publish(p, &data, 8, 0));
		assert_ok(coshm_stream_receive(s, &data, 8, 0, &m));
	}
	coshm_stream_close(p);
	assert_ok(coshm_info_read(NULL, NAME, &info));
	assert_int_equal(info.kind, 2);
	assert_int_equal(info.slots, 128);
	assert_int_equal(info.slot_bytes, 128);
	assert_int_equal(info.ring_bytes, 32768);
	assert_int_equal(info.message_bytes, 16384);
	assert_string_equal(info.type_name, "quote");
	assert_int_equal(info.type_bytes, 8);
	assert_int_equal(info.type_version, 3);
	assert_int_equal(info.messages, 1000);
	assert_int_equal(info.bytes, 8000);
	assert_int_equal(info.lost, 0);
	/* Beside slots and byte ring: under 16 KiB. */
	assert_true(info.region_bytes - 128 * 128 - 32768 < 16384);
	coshm_stream_close(s);
	assert_err(coshm_info_read(NULL, "nothing", &info), ENOENT, "nothing");
}

static void subscriber(const struct actor *self, void *arg)
{
	struct coshm_stream *s;
	struct coshm_message m;
	uint64_t data;

	(void)arg;
	child_check(coshm_stream_open(NAME, COSHM_SUBSCRIBER, NULL, &s) == 0);
	child_check(write(self->to, "s", 1) == 1);
	for (;;)
		(void)!coshm_stream_receive(s, &data, 8, -1, &m);
}

static void test_peers(void **state)
{
	struct actor a = actor_start(subscriber, NULL);
	struct coshm_peer peers[65];
	struct coshm_stream *p;
	uint64_t data = 1;

	(void)state;
	assert_int_equal(actor_hear(&a), 's');
	assert_ok(coshm_stream_open(NAME, COSHM_PUBLISHER, NULL, &p));
	assert_int_equal(coshm_peers_read(NULL, NAME, 0, peers, 65), 2);
	assert_int_equal(peers[0].state, COSHM_PEER_ALIVE);
	assert_int_equal(peers[0].role, COSHM_SUBSCRIBER);
	assert_int_equal(peers[0].pid, a.pid);
	assert_string_equal(peers[0].command, "test_info");
	assert_int_equal(peers[1].role, COSHM_PUBLISHER);
	assert_int_equal(peers[1].slot, LAYOUT_PUBLISHER);
	assert_memory_not_equal(peers[0].identity, peers[1].identity, 16);
	assert_int_equal(coshm_peers_read(NULL, NAME, 0, peers, 1), 1);

	/* Stopped with something to do. */
	actor_stop(&a);
	assert_ok(coshm_stream_publish(p, &data, 8, 0));
	assert_int_equal(coshm_peers_read(NULL, NAME, 1000000, peers, 65), 2);
	assert_int_equal(peers[0].state, COSHM_PEER_STILL);
	actor_kill(&a);
	assert_int_equal(coshm_peers_read(NULL, NAME, 1000000, peers, 65), 2);
	assert_int_equal(peers[0].state, COSHM_PEER_DEAD);
	coshm_stream_close(p);
	assert_int_equal(coshm_peers_read(NULL, NAME, 0, peers, 65), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_geometry_type_counters, setup, teardown),
		cmocka_unit_test_setup_teardown(test_peers, setup, teardown),
	};

	return scene_run("info", tests);
}
