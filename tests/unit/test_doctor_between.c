/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_doctor_between.c - two containers share: what is still in the way.
 */
#include "clinic.h"

#define READER_WITH(option)                                                                        \
	"docker rm -f reader",                                                                     \
		"docker run -d --name reader --ipc=container:writer " option " ... shm ..."

/* A warning beside the verdict, which stays what it is. */
static const struct finding *beside(struct clinic *c, enum finding_code code)
{
	const struct finding *f;

	clinic_ask(c);
	assert_int_equal(c->diagnosis->count, 2);
	assert_int_equal(clinic_finding(c, FINDING_SHARED)->severity, SEVERITY_FINE);
	f = &c->diagnosis->findings[0]; /* the worse comes first */
	assert_string_equal(finding_code_name(f->code), finding_code_name(code));
	assert_false(f->verdict);
	return f;
}

static void test_denied_segment(void **state)
{
	struct clinic *c = *state;
	struct object *o = clinic_object(c, OBJECT_SHM, "");
	const struct finding *f;

	clinic_use(c, WRITER, o);
	c->processes[READER].uid = c->processes[READER].gid = 1000;
	f = beside(c, FINDING_DENIED);
	assert_int_equal(f->severity, SEVERITY_WARNING);
	assert_string_equal(f->title, "reader may not open what writer has in shared memory");
	assert_string_equal(f->evidence[0], "reader runs as uid 1000, gid 1000");
	assert_string_equal(f->evidence[1], "shm 0x0000162e (id 3) is of uid 0, gid 0, mode 600");
	assert_fix(f, READER_WITH("--user=0:0"));
	assert_int_equal(f->object, 0);

	/* It is one finding, whatever there is of it. */
	clinic_use(c, WRITER, clinic_object(c, OBJECT_SHM, ""));
	assert_says(beside(c, FINDING_DENIED)->evidence[2], "mode 600");
	c->s.object_count--;
	c->s.use_count--;

	o->mode = 0604;
	clinic_verdict(c, FINDING_SHARED);
	o->mode = 0640;
	beside(c, FINDING_DENIED);
	c->processes[READER].gid = 0;
	clinic_verdict(c, FINDING_SHARED);
}

/* Engines give root no CAP_IPC_OWNER, but CAP_DAC_OVERRIDE. */
static void test_denied_root(void **state)
{
	struct clinic *c = *state;
	struct object *o = clinic_object(c, OBJECT_SHM, "");

	clinic_use(c, READER, o);
	o->uid = o->cuid = o->gid = o->cgid = 1000;
	c->processes[READER].uid = c->processes[READER].gid = 1000;
	/* The donor stays; the joiner gets its user. */
	assert_fix(beside(c, FINDING_DENIED), READER_WITH("--user=0:0"));
	c->containers[WRITER].privileged = true;
	clinic_verdict(c, FINDING_SHARED);
	c->containers[WRITER].privileged = false;
	o->kind = OBJECT_POSIX_SHM;
	o->area = 0;
	o->ipcns = NOBODY;
	clinic_verdict(c, FINDING_SHARED);
}

static void test_denied_file(void **state)
{
	struct clinic *c = *state;
	struct object *o = clinic_object(c, OBJECT_POSIX_SHM, "fra me");
	const struct finding *f;

	clinic_use(c, WRITER, o);
	c->processes[READER].uid = c->processes[READER].gid = 1000;
	f = beside(c, FINDING_DENIED);
	assert_string_equal(f->evidence[1], "/dev/shm/fra me is of uid 0, gid 0, mode 600");
	assert_fix(f, "chmod a+rw '/proc/101/root/dev/shm/fra me'");
	assert_says(f->fix_note, "--user=0:0");

	o->kind = OBJECT_POSIX_SEM;
	assert_fix(beside(c, FINDING_DENIED), "chmod a+rw '/proc/101/root/dev/shm/sem.fra me'");
	/* Who has it open already had it from somebody who might. */
	clinic_use(c, READER, o);
	clinic_verdict(c, FINDING_SHARED);
}

/* What is in another namespace, or of a third one, is not asked about. */
static void test_denied_elsewhere(void **state)
{
	struct clinic *c = *state;
	struct object *o = clinic_object(c, OBJECT_SHM, "");

	c->processes[READER].uid = c->processes[READER].gid = 1000;
	o->ipcns = 2;
	clinic_use(c, WRITER, o);
	clinic_verdict(c, FINDING_SHARED);
	o->ipcns = 0;
	c->s.use_count = 0;
	clinic_use(c, OTHER, o);
	clinic_verdict(c, FINDING_SHARED);
}

/* A process of a container that may: it is enough. */
static void test_denied_to_all(void **state)
{
	struct clinic *c = *state;
	struct object *o = clinic_object(c, OBJECT_SHM, "");

	clinic_use(c, WRITER, o);
	c->processes[READER].uid = c->processes[READER].gid = 1000;
	c->processes[OTHER].container = READER;
	clinic_verdict(c, FINDING_SHARED);
}

static void test_denied_words(void **state)
{
	struct clinic *c = *state;
	struct object *o = clinic_object(c, OBJECT_SHM, "");

	clinic_use(c, WRITER, o);
	c->processes[READER].uid = c->processes[READER].gid = 1000;
	c->containers[READER].project = "shop";
	c->containers[READER].service = "web";
	assert_fix(beside(c, FINDING_DENIED), "# compose.yaml, service web: user: \"0:0\"",
		   "docker compose -p shop up -d");
	c->containers[READER].pod = "web-0";
	c->containers[READER].pod_namespace = "shop";
	assert_says(beside(c, FINDING_DENIED)->fix[0], "securityContext.runAsUser: 0");
}

static void test_label(void **state)
{
	struct clinic *c = *state;
	const struct finding *f;

	c->containers[WRITER].label = "system_u:system_r:container_t:s0:c1,c2";
	c->containers[READER].label = "system_u:system_r:container_t:s0:c3,c4";
	f = beside(c, FINDING_LABEL);
	assert_int_equal(f->severity, SEVERITY_ERROR);
	assert_string_equal(f->evidence[1], "/proc/101/attr/current is "
					    "system_u:system_r:container_t:s0:c3,c4");
	assert_fix(f, READER_WITH("--security-opt=label=level:s0:c1,c2"));
	c->containers[READER].label = "system_u:system_r:spc_t:s0";
	clinic_verdict(c, FINDING_SHARED);
	c->containers[READER].label = c->containers[WRITER].label;
	clinic_verdict(c, FINDING_SHARED);
	c->containers[READER].label = "unconfined";
	clinic_verdict(c, FINDING_SHARED);
}

static void test_pid_liveness(void **state)
{
	struct clinic *c = *state;
	struct object *o = clinic_object(c, OBJECT_POSIX_SHM, "table");
	const struct finding *f;

	o->mode = 0666;
	clinic_use(c, WRITER, o);
	c->processes[READER].pidns_ino = 601;
	clinic_verdict(c, FINDING_SHARED);
	o->mutexes = 2;
	f = beside(c, FINDING_PID_LIVENESS);
	assert_int_equal(f->severity, SEVERITY_WARNING);
	assert_string_equal(f->evidence[0],
			    "/proc/100/ns/pid is pid:[600], /proc/101/ns/pid is pid:[601]");
	assert_says(f->evidence[1], "/dev/shm/table holds what looks like 2");
	assert_fix(f, READER_WITH("--pid=container:writer"));
	o = clinic_object(c, OBJECT_POSIX_SHM, "other");
	o->mode = 0666;
	o->mutexes = 1;
	clinic_use(c, READER, o);
	assert_says(beside(c, FINDING_PID_LIVENESS)->evidence[2], "/dev/shm/other holds");
	c->processes[READER].pidns_ino = 600;
	clinic_verdict(c, FINDING_SHARED);
}

static void test_pid_liveness_words(void **state)
{
	struct clinic *c = *state;
	struct object *o = clinic_object(c, OBJECT_POSIX_SHM, "table");

	o->mode = 0666;
	o->mutexes = 1;
	clinic_use(c, WRITER, o);
	c->processes[READER].pidns_ino = 601;
	c->containers[READER].project = "shop";
	c->containers[READER].service = "web";
	assert_string_equal(beside(c, FINDING_PID_LIVENESS)->fix[0],
			    "# compose.yaml, service web: pid: \"container:writer\"");
	c->containers[WRITER].project = "shop";
	c->containers[WRITER].service = "db";
	assert_string_equal(beside(c, FINDING_PID_LIVENESS)->fix[0],
			    "# compose.yaml, service web: pid: \"service:db\"");
	c->containers[READER].pod = "web-0";
	c->containers[READER].pod_namespace = "shop";
	assert_string_equal(beside(c, FINDING_PID_LIVENESS)->fix[0],
			    "# manifest of pod web-0: shareProcessNamespace: true");
}

static void test_users(void **state)
{
	struct clinic *c = *state;
	const struct finding *f;

	c->processes[READER].userns_ino = 701;
	f = beside(c, FINDING_USER_NAMESPACE);
	assert_int_equal(f->severity, SEVERITY_NOTE);
	assert_says(f->evidence[0], "user:[701]");
	c->processes[READER].userns_ino = 0;
	clinic_verdict(c, FINDING_SHARED);
}

/* Trouble of the shared namespace and /dev/shm is trouble of these two; that of others is not. */
static void test_trouble_in_common(void **state)
{
	static const struct channel_peer peer = { .state = COSHM_PEER_DEAD,
						  .command = "",
						  .host = "" };
	static const struct channel channel = { .peer_count = 1, .dead = 1, .peers = &peer };
	struct clinic *c = *state;

	c->areas[2].used = c->areas[2].bytes;
	c->ipcns[2].usage.shm_segments = 4096;
	clinic_verdict(c, FINDING_SHARED);
	c->areas[0].used = c->areas[0].bytes;
	c->ipcns[0].usage.shm_segments = 4096;
	clinic_ask(c);
	assert_int_equal(c->diagnosis->count, 3);
	clinic_finding(c, FINDING_SHM_FULL);
	clinic_finding(c, FINDING_LIMIT);
	c->areas[0].used = 0;
	c->ipcns[0].usage.shm_segments = 0;
	c->containers[READER].sysctls = "kernel.shmmni=10";
	clinic_ask(c);
	clinic_finding(c, FINDING_SYSCTL_OF_DONOR);
	assert_int_equal(c->diagnosis->count, 2);
	clinic_ask_with_key(c, READER, WRITER, NULL);
	clinic_finding(c, FINDING_SYSCTL_OF_DONOR);
	c->containers[READER].sysctls = "";
	clinic_object(c, OBJECT_CHANNEL, "ticks")->channel = &channel;
	clinic_use(c, WRITER, &c->objects[0]);
	beside(c, FINDING_DEAD_PEER);
}

static void test_orphans_in_common(void **state)
{
	struct clinic *c = *state;
	struct object *o = clinic_object(c, OBJECT_SHM, "");

	o->count = 0;
	o->cpid = 4000;
	assert_string_equal(beside(c, FINDING_ORPHAN)->fix[0], "coshm clean --yes writer");
	o->ipcns = 2;
	clinic_verdict(c, FINDING_SHARED);
}

/* ---- ftok */

static const struct finding *ask_key(struct clinic *c, const struct key_file *key)
{
	clinic_ask_with_key(c, WRITER, READER, key);
	assert_int_equal(c->diagnosis->count, 2);
	return clinic_finding(c, FINDING_FTOK);
}

static void test_ftok(void **state)
{
	struct clinic *c = *state;
	struct key_file key = { .path = "/etc/hostname",
				.project_id = 42,
				.found = { true, true },
				.dev = { 0x2b, 0x2b },
				.ino = { 0x10002, 0x10002 },
				.key = { 0x2a2b0002, 0x2a2b0002 } };
	const struct finding *f = ask_key(c, &key);

	assert_int_equal(f->severity, SEVERITY_FINE);
	assert_int_equal(f->container_b, READER);
	assert_string_equal(f->evidence[0], "writer: ftok gives 0x2a2b0002; /etc/hostname is inode "
					    "65538 of device 0:43");
	key.dev[1] = 0x2c;
	key.key[1] = 0x2a2c0002;
	f = ask_key(c, &key);
	assert_int_equal(f->severity, SEVERITY_ERROR);
	assert_says(f->title, "different keys of /etc/hostname: it is on another device");
	assert_says(f->evidence[1], "reader: ftok gives 0x2a2c0002");
	assert_fix(f, "touch /proc/100/root/dev/shm/hostname",
		   "# in both programs: ftok(\"/dev/shm/hostname\", 42)");

	key.dev[1] = 0x2b;
	key.ino[1] = 3;
	assert_says(ask_key(c, &key)->title, "it is another file");

	/* ftok looks at the low bits alone. */
	key.ino[1] = 0x20002;
	key.key[1] = key.key[0];
	f = ask_key(c, &key);
	assert_int_equal(f->severity, SEVERITY_WARNING);
	assert_says(f->title, "by chance");

	key.found[1] = false;
	key.error[1] = 2;
	f = ask_key(c, &key);
	assert_int_equal(f->severity, SEVERITY_ERROR);
	assert_says(f->title, "reader has no /etc/hostname");
	assert_string_equal(f->evidence[1], "reader: /etc/hostname: No such file or directory");
}

static void test_ftok_nothing_in_common(void **state)
{
	struct clinic *c = *state;
	struct key_file key = { .path = "/key", .project_id = 1, .found = { true, false } };

	clinic_part(c);
	assert_fix(ask_key(c, &key),
		   "# mount one folder in both, and in both programs: ftok(\"/FOLDER/key\", 1)");
}

#define TEST(name) cmocka_unit_test_setup_teardown(test_##name, clinic_open, clinic_close)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(denied_segment),
		TEST(denied_root),
		TEST(denied_file),
		TEST(denied_elsewhere),
		TEST(denied_to_all),
		TEST(denied_words),
		TEST(label),
		TEST(pid_liveness),
		TEST(pid_liveness_words),
		TEST(users),
		TEST(trouble_in_common),
		TEST(orphans_in_common),
		TEST(ftok),
		TEST(ftok_nothing_in_common),
	};

	return cmocka_run_group_tests_name("doctor between", tests, NULL, NULL);
}
