/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_doctor_machine.c - what the doctor finds when it is asked about all.
 */
#include "clinic.h"

/* The one finding of the machine. */
static const struct finding *only(struct clinic *c, enum finding_code code)
{
	clinic_ask_all(c);
	assert_int_equal(c->diagnosis->count, 1);
	assert_string_equal(finding_code_name(c->diagnosis->findings[0].code),
			    finding_code_name(code));
	assert_false(c->diagnosis->findings[0].verdict);
	return &c->diagnosis->findings[0];
}

static void assert_nothing(struct clinic *c)
{
	clinic_ask_all(c);
	assert_int_equal(c->diagnosis->count, 0);
}

static void test_nothing(void **state)
{
	assert_nothing(*state);
}

static void test_split(void **state)
{
	struct clinic *c = *state;

	clinic_move(c, WRITER, NEW_IPCNS, NEW_AREA);
	assert_fix(only(c, FINDING_SPLIT), "docker restart reader");
}

/* Two who were told nothing may do as they like. */
static void test_strangers(void **state)
{
	struct clinic *c = *state;

	clinic_part(c);
	assert_nothing(c);
}

static void test_donor_stopped(void **state)
{
	struct clinic *c = *state;

	clinic_stop(c, WRITER);
	assert_fix(only(c, FINDING_STOPPED), "docker start writer", "docker restart reader");
	clinic_stop(c, READER);
	assert_nothing(c);
}

static void test_until_restart(void **state)
{
	struct clinic *c = *state;
	const struct finding *f;

	clinic_remove_donor(c, READER);
	f = only(c, FINDING_UNTIL_RESTART);
	assert_says(f->title, "reader shares memory until reader is restarted");
	assert_int_equal(f->container_b, NOBODY);
	clinic_remove_donor(c, OTHER); /* said once of both */
	f = only(c, FINDING_UNTIL_RESTART);
	assert_says(f->title, "reader and other share memory until");
	assert_int_equal(f->container_a, READER);
}

static void test_donor_gone(void **state)
{
	struct clinic *c = *state;

	clinic_remove_donor(c, READER);
	clinic_stop(c, READER);
	assert_says(only(c, FINDING_DONOR_GONE)->title, "reader cannot be started again");
}

static void test_pod(void **state)
{
	struct clinic *c = *state;

	clinic_part(c);
	for (int i = WRITER; i <= READER; i++) {
		c->containers[i].pod = "db-0";
		c->containers[i].pod_namespace = "shop";
	}
	assert_fix(only(c, FINDING_SPLIT), "kubectl delete pod -n shop db-0");
	c->containers[READER].pod_namespace = "market";
	assert_nothing(c);
}

static void test_full(void **state)
{
	struct clinic *c = *state;
	const struct finding *f;

	c->areas[0].used = 51 * MIB;
	c->areas[0].free = 13 * MIB;
	assert_nothing(c);
	c->areas[0].used = 52 * MIB;
	c->areas[0].free = 12 * MIB;
	f = only(c, FINDING_SHM_FULL);
	assert_int_equal(f->severity, SEVERITY_WARNING);
	assert_string_equal(f->title, "/dev/shm of writer, reader is 81 % full");
	assert_string_equal(f->evidence[0], "statfs /proc/100/root/dev/shm: 52 MiB of 64 MiB are "
					    "used, 12 MiB are free");
	assert_fix(f, "coshm grow writer 128M");
	assert_says(f->fix_note, "--shm-size=128m where it is made");
	c->exact = true;
	assert_says(only(c, FINDING_SHM_FULL)->evidence[0], "54525952 bytes of 67108864 bytes");
	c->areas[0].used = 64 * MIB;
	assert_int_equal(only(c, FINDING_SHM_FULL)->severity, SEVERITY_ERROR);
	c->areas[0].fs = "ext4";
	assert_nothing(c);
	c->areas[0].fs = "tmpfs";
	c->areas[0].bytes = 0;
	assert_nothing(c);
	c->areas[0].bytes = 64 * MIB;
	c->areas[0].seen = false;
	assert_nothing(c);
}

static void test_full_words(void **state)
{
	struct clinic *c = *state;
	const struct finding *f;

	c->areas[0].used = 64 * MIB;
	c->containers[WRITER].project = "shop";
	c->containers[WRITER].service = "db";
	assert_says(only(c, FINDING_SHM_FULL)->fix_note, "shm_size: \"128m\"");
	c->containers[WRITER].pod_namespace = "shop";
	assert_says(only(c, FINDING_SHM_FULL)->fix_note, "emptyDir volume with medium: Memory");
	c->areas[0].used = 0;
	c->areas[1].used = 64 * MIB; /* nobody's: the machine's own */
	f = only(c, FINDING_SHM_FULL);
	assert_says(f->title, "of this machine");
	assert_fix(f, "mount -o remount,size=128M /dev/shm");
}

static void test_sigbus_ahead(void **state)
{
	struct clinic *c = *state;
	struct object *o = clinic_object(c, OBJECT_POSIX_SHM, "frame");
	const struct finding *f;

	clinic_use(c, WRITER, o);
	o->status = STATUS_SPARSE;
	o->bytes = 64 * MIB;
	o->allocated = MIB;
	assert_nothing(c); /* 63 MiB are free */
	o->bytes = 100 * MIB;
	f = only(c, FINDING_SIGBUS_AHEAD);
	assert_says(f->title, "SIGBUS");
	assert_string_equal(f->evidence[1],
			    "/dev/shm/frame: 100 MiB, of which 1 MiB are allocated");
	assert_fix(f, "coshm grow writer 116M"); /* 64 + 36 that are missing + a quarter of 64 */
	*clinic_object(c, OBJECT_POSIX_SHM, "small") = *o;
	clinic_use(c, WRITER, &c->objects[1]);
	c->objects[1].bytes = 90 * MIB;
	f = only(c, FINDING_SIGBUS_AHEAD); /* one finding, and room for the larger */
	assert_says(f->evidence[2], "90 MiB");
	assert_fix(f, "coshm grow writer 116M");
	c->s.object_count--;
	c->s.use_count--;
	o->bytes = UINT64_MAX / 2; /* that is meant as an address space */
	assert_null(only(c, FINDING_SIGBUS_AHEAD)->fix[0]);
	o->status = 0;
	assert_nothing(c);
}

static void test_limit(void **state)
{
	struct clinic *c = *state;
	const struct finding *f;

	c->ipcns[0].limits.shmmni = 100;
	c->ipcns[0].usage.shm_segments = 79;
	assert_nothing(c);
	c->ipcns[0].usage.shm_segments = 80;
	f = only(c, FINDING_LIMIT);
	assert_int_equal(f->severity, SEVERITY_WARNING);
	assert_says(f->title, "the limit of shared memory segments is near");
	assert_says(f->title, "of writer, reader");
	assert_string_equal(f->evidence[0], "ipc:[500]: 80 of 100 (kernel.shmmni), 80 %");
	assert_fix(f, "nsenter --target 100 --ipc sysctl -w kernel.shmmni=200");
	assert_says(f->fix_note, "--sysctl kernel.shmmni=200");
	c->ipcns[0].usage.shm_segments = 100;
	f = only(c, FINDING_LIMIT);
	assert_int_equal(f->severity, SEVERITY_ERROR);
	assert_says(f->title, "is reached");
	c->ipcns[0].limits.shmmni = 0; /* not seen */
	assert_nothing(c);
	c->ipcns[0].limits.shmmni = 32768; /* there is no more */
	c->ipcns[0].usage.shm_segments = 32768;
	assert_fix(only(c, FINDING_LIMIT), "coshm clean");
}

static void test_each_limit(void **state)
{
	struct clinic *c = *state;
	struct ipc_usage *u = &c->ipcns[0].usage;

	c->ipcns[0].limits.shmall = 1000;
	u->shm_pages = 900;
	assert_says(only(c, FINDING_LIMIT)->fix[0], "kernel.shmall=2000");
	*u = (struct ipc_usage){ .sem_sets = 31000 };
	assert_says(only(c, FINDING_LIMIT)->fix[0], "\"kernel.sem=32000 1024000000 500 32768\"");
	*u = (struct ipc_usage){ .sems = 1024000000 };
	assert_says(only(c, FINDING_LIMIT)->fix[0], "\"kernel.sem=32000 2048000000 500 32000\"");
	*u = (struct ipc_usage){ .msg_queues = 32000 };
	assert_says(only(c, FINDING_LIMIT)->fix[0], "kernel.msgmni=32768");
	*u = (struct ipc_usage){ .mq_queues = 256 };
	assert_says(only(c, FINDING_LIMIT)->fix[0], "fs.mqueue.queues_max=512");
}

/* Limits as Linux has them from the start, near 2^64, are not overflowed. */
static void test_limit_huge(void **state)
{
	struct clinic *c = *state;

	c->ipcns[0].usage.shm_pages = UINT64_MAX / 2;
	assert_nothing(c);
	c->ipcns[0].usage.shm_pages = UINT64_MAX - (1 << 25);
	assert_says(only(c, FINDING_LIMIT)->title, "near");
}

static void test_orphans(void **state)
{
	struct clinic *c = *state;
	const struct finding *f;

	for (int i = 0; i < 2; i++) {
		struct object *o = clinic_object(c, OBJECT_SHM, "");

		o->ipcns = i * 2;
		o->count = 0;
		o->cpid = 4000;
	}
	f = only(c, FINDING_ORPHAN);
	assert_int_equal(f->severity, SEVERITY_WARNING);
	assert_string_equal(f->title, "nobody uses 2 objects (2 MiB)");
	assert_says(f->evidence[0],
		    "shm 0x0000162e (id 3) of writer, reader: 1 MiB, nobody is attached");
	assert_fix(f, "coshm clean --yes");
	c->objects[0].count = c->objects[1].count = 1;
	assert_nothing(c);
	clinic_object(c, OBJECT_POSIX_SHM, "frame");
	only(c, FINDING_ORPHAN);
	c->objects[2].bytes = 0; /* a file for ftok() */
	assert_nothing(c);
}

static void test_dead_peer(void **state)
{
	static const struct channel_peer peers[] = {
		{ .slot = 64,
		  .state = COSHM_PEER_DEAD,
		  .pid = 1,
		  .command = "feed",
		  .host = "box" },
		{ .slot = 0, .state = COSHM_PEER_ALIVE, .pid = 1, .command = "sub", .host = "b" },
	};
	struct channel channel = { .peer_count = 2, .dead = 1, .peers = peers };
	struct clinic *c = *state;
	struct object *o = clinic_object(c, OBJECT_CHANNEL, "coshm/ticks");
	const struct finding *f;

	o->channel = &channel;
	f = only(c, FINDING_DEAD_PEER);
	assert_string_equal(f->title, "1 of 2 peers of the channel /dev/shm/coshm/ticks is dead");
	assert_string_equal(f->evidence[0],
			    "the lock of slot 64 is free: it was pid 1 (feed) in box");
	assert_null(f->evidence[1]);
	assert_null(f->fix[0]);
	assert_says(f->fix_note, "recovers");
	channel.peer_count = 1;
	clinic_ask_all(c); /* and an orphan */
	assert_fix(clinic_finding(c, FINDING_DEAD_PEER),
		   "coshm rm --dir /proc/100/root/dev/shm/coshm ticks");
	c->s.own_pid = 100; /* who looks has ended when the command is run */
	clinic_ask_all(c);
	assert_fix(clinic_finding(c, FINDING_DEAD_PEER), "coshm rm --dir /dev/shm/coshm ticks");
	channel.dead = 0;
	assert_nothing(c);
	o->channel = NULL; /* it could not be read */
	assert_nothing(c);
}

static void test_shm_size_ignored(void **state)
{
	struct clinic *c = *state;
	const struct finding *f;

	c->containers[READER].shm_size = 256 * MIB;
	f = only(c, FINDING_SHM_SIZE_IGNORED);
	assert_int_equal(f->severity, SEVERITY_WARNING);
	assert_string_equal(f->title, "the --shm-size of reader is ignored: writer decides");
	assert_string_equal(
		f->evidence[0],
		"docker inspect reader: ShmSize 256 MiB, IpcMode container:111111111111");
	assert_fix(f, "coshm grow writer 256M");
	c->areas[0].bytes = 256 * MIB;
	assert_nothing(c);
	c->containers[READER].shm_size = 128 * MIB;
	assert_null(only(c, FINDING_SHM_SIZE_IGNORED)->fix[0]);
	c->containers[READER].shm_size =
		64 * MIB; /* what engines say of all who asked for nothing */
	assert_nothing(c);
	c->containers[OTHER].shm_size = 32 * MIB; /* a donor's own: if it was grown, that is so */
	assert_nothing(c);
	clinic_stop(c, OTHER);
	c->containers[OTHER].ipc_mode = "host";
	assert_nothing(c);
	c->containers[OTHER].state = CONTAINER_RUNNING;
	c->containers[OTHER].process = OTHER;
	c->containers[OTHER].ipcns = c->containers[OTHER].shm_area = 2;
	assert_says(only(c, FINDING_SHM_SIZE_IGNORED)->title, "the host decides");
}

static void test_sysctl_of_donor(void **state)
{
	struct clinic *c = *state;
	const struct finding *f;

	c->containers[READER].sysctls = "kernel.shmmni=10";
	c->ipcns[0].limits.shmmni = 10;
	f = only(c, FINDING_SYSCTL_OF_DONOR);
	assert_int_equal(f->severity, SEVERITY_WARNING);
	assert_says(f->title, "the --sysctl of reader has changed the limits of writer");
	assert_string_equal(f->evidence[0], "docker inspect reader: Sysctls kernel.shmmni=10");
	assert_says(f->evidence[1], "ipc:[500]: kernel.shmmni 10");
	c->containers[WRITER].sysctls = "kernel.shmmni=10"; /* a donor may */
	c->containers[READER].sysctls = "";
	assert_nothing(c);
}

static void test_order(void **state)
{
	struct clinic *c = *state;

	c->areas[0].used = 60 * MIB; /* a warning */
	clinic_move(c, WRITER, NEW_IPCNS, NEW_AREA);
	c->ipcns[2].usage.shm_segments = 4096; /* errors */
	clinic_ask_all(c);
	assert_int_equal(c->diagnosis->count, 3);
	assert_int_equal(c->diagnosis->findings[0].code, FINDING_SPLIT);
	assert_int_equal(c->diagnosis->findings[1].code, FINDING_LIMIT);
	assert_int_equal(c->diagnosis->findings[2].code, FINDING_SHM_FULL);
}

/* Every code and severity has a name of its own. */
static void test_names(void **state)
{
	(void)state;
	for (int i = FINDING_SHARED; i <= FINDING_DEAD_PEER; i++) {
		assert_non_null(finding_code_name(i));
		for (int j = FINDING_SHARED; j < i; j++)
			assert_string_not_equal(finding_code_name(i), finding_code_name(j));
	}
	assert_string_equal(severity_name(SEVERITY_FINE), "fine");
	assert_string_equal(severity_name(SEVERITY_ERROR), "error");
}

#define TEST(name) cmocka_unit_test_setup_teardown(test_##name, clinic_open, clinic_close)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(nothing),          TEST(split),           TEST(strangers), TEST(donor_stopped),
		TEST(until_restart),    TEST(donor_gone),      TEST(pod),       TEST(full),
		TEST(full_words),       TEST(sigbus_ahead),    TEST(limit),     TEST(each_limit),
		TEST(limit_huge),       TEST(orphans),         TEST(dead_peer), TEST(names),
		TEST(shm_size_ignored), TEST(sysctl_of_donor), TEST(order),
	};

	return cmocka_run_group_tests_name("doctor machine", tests, NULL, NULL);
}
