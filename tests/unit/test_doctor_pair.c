/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_doctor_pair.c - do two containers share, and the command if they do not.
 */
#include "clinic.h"

#define MADE_ANEW                                                                                  \
	"docker rm -f writer", "docker run -d --name writer --ipc=shareable ... shm ...",          \
		"docker rm -f reader",                                                             \
		"docker run -d --name reader --ipc=container:writer ... shm ..."

static void test_shared(void **state)
{
	struct clinic *c = *state;
	const struct finding *f = clinic_verdict(c, FINDING_SHARED);

	assert_int_equal(f->severity, SEVERITY_FINE);
	assert_string_equal(f->title, "writer and reader share System V and POSIX memory");
	assert_string_equal(f->evidence[0],
			    "/proc/100/ns/ipc is ipc:[500], /proc/101/ns/ipc ipc:[500]");
	assert_says(f->evidence[1],
		    "mountinfo: /dev/shm of writer is device 0:40 (tmpfs), of reader");
	assert_null(f->fix[0]);
	assert_int_equal(f->container_a, WRITER);
	assert_int_equal(f->container_b, READER);
}

static void test_split(void **state)
{
	struct clinic *c = *state;
	const struct finding *f;

	clinic_move(c, WRITER, NEW_IPCNS, NEW_AREA);
	c->containers[WRITER].started_ns = SECONDS(2000);
	f = clinic_verdict(c, FINDING_SPLIT);
	assert_int_equal(f->severity, SEVERITY_ERROR);
	assert_says(f->title, "writer was restarted, and reader is still in");
	assert_string_equal(f->evidence[2], "docker inspect writer: IpcMode shareable, started at "
					    "1970-01-01 00:33:20 UTC");
	assert_string_equal(f->evidence[3],
			    "docker inspect reader: IpcMode container:111111111111, "
			    "started at 1970-01-01 00:16:41 UTC");
	assert_fix(f, "docker restart reader");

	/* Podman may give the old /dev/shm to the new donor. */
	clinic_move(c, WRITER, NEW_IPCNS, 0);
	c->containers[WRITER].engine = c->containers[READER].engine = ENGINE_PODMAN;
	assert_fix(clinic_verdict(c, FINDING_SPLIT), "podman restart reader");
}

/* Asked the other way around, it is still the joiner that has to be restarted. */
static void test_split_from_the_other_side(void **state)
{
	struct clinic *c = *state;

	clinic_move(c, WRITER, NEW_IPCNS, NEW_AREA);
	clinic_ask_with_key(c, READER, WRITER, NULL);
	assert_fix(clinic_finding(c, FINDING_SPLIT), "docker restart reader");
}

/* Two joiners of a donor that was restarted, of which one was restarted, too. */
static void test_split_of_two_joiners(void **state)
{
	struct clinic *c = *state;
	const struct finding *f;

	c->containers[WRITER].ipc_mode = "private";
	clinic_join(c, WRITER, OTHER);
	clinic_join(c, READER, OTHER);
	clinic_move(c, WRITER, 2, 2);
	f = clinic_verdict(c, FINDING_SPLIT);
	assert_says(f->title, "other was restarted, and reader is still in");
	assert_says(f->evidence[4], "docker inspect other: IpcMode private");
	assert_fix(f, "docker restart reader");
	clinic_move(c, WRITER, 0, 0);
	clinic_move(c, READER, 2, 2);
	assert_fix(clinic_verdict(c, FINDING_SPLIT), "docker restart writer");
}

/* Two whose donor is removed, in two namespaces. */
static void test_split_without_donor(void **state)
{
	struct clinic *c = *state;

	clinic_remove_donor(c, WRITER);
	clinic_remove_donor(c, READER);
	clinic_move(c, READER, NEW_IPCNS, NEW_AREA);
	assert_says(clinic_verdict(c, FINDING_SPLIT)->fix[0], "--name writer-ipc --ipc=shareable");
}

static void test_until_restart(void **state)
{
	struct clinic *c = *state;
	const struct finding *f;

	clinic_remove_donor(c, READER);
	f = clinic_verdict(c, FINDING_UNTIL_RESTART);
	assert_int_equal(f->severity, SEVERITY_WARNING);
	assert_says(f->title, "share memory until reader is restarted");
	assert_fix(f, "docker run -d --init --name reader-ipc --ipc=shareable shm sleep infinity",
		   "docker rm -f reader",
		   "docker run -d --name reader --ipc=container:reader-ipc ... shm ...",
		   "docker rm -f writer",
		   "docker run -d --name writer --ipc=container:reader-ipc ... shm ...");
}

/* Without an engine, a stopped donor is not listed: that it is removed cannot be told. */
static void test_donor_not_listed(void **state)
{
	struct clinic *c = *state;

	clinic_remove_donor(c, READER);
	c->containers[READER].named = false;
	clinic_verdict(c, FINDING_SHARED);
}

static void test_donor_gone(void **state)
{
	struct clinic *c = *state;
	const struct finding *f;

	clinic_remove_donor(c, READER);
	clinic_stop(c, READER);
	f = clinic_verdict(c, FINDING_DONOR_GONE);
	assert_says(f->title, "reader cannot be started again");
	assert_says(f->fix[0], "--name reader-ipc --ipc=shareable");
}

static void test_stopped(void **state)
{
	struct clinic *c = *state;
	const struct finding *f;

	clinic_stop(c, WRITER);
	f = clinic_verdict(c, FINDING_STOPPED);
	assert_string_equal(f->title, "writer and reader do not share: writer does not run");
	assert_fix(f, "docker start writer", "docker restart reader");
	clinic_stop(c, READER);
	assert_fix(clinic_verdict(c, FINDING_STOPPED), "docker start writer",
		   "docker start reader");
	clinic_ask_with_key(c, READER, WRITER, NULL);
	f = clinic_finding(c, FINDING_STOPPED);
	assert_says(f->title, "both do not run");
	assert_says(f->evidence[0], "docker inspect reader");
	assert_fix(f, "docker start writer", "docker start reader");
}

static void test_stopped_joiner(void **state)
{
	struct clinic *c = *state;

	clinic_stop(c, READER);
	assert_fix(clinic_verdict(c, FINDING_STOPPED), "docker start reader");
	clinic_part(c);
	clinic_stop(c, READER); /* who would not join, even so */
	clinic_verdict(c, FINDING_STOPPED);
}

static void test_donor_private(void **state)
{
	struct clinic *c = *state;
	const struct finding *f;

	clinic_part(c);
	c->containers[WRITER].ipc_mode = "private";
	c->containers[WRITER].shm_size = 256 * MIB;
	c->containers[READER].privileged = true;
	c->containers[READER].pid_mode = "host";
	f = clinic_verdict(c, FINDING_DONOR_PRIVATE);
	assert_int_equal(f->severity, SEVERITY_ERROR);
	assert_fix(f, "docker rm -f writer",
		   "docker run -d --name writer --ipc=shareable --shm-size=268435456 ... shm ...",
		   "docker rm -f reader",
		   "docker run -d --name reader --ipc=container:writer --privileged --pid=host ... "
		   "shm ...");
	assert_says(f->fix_note, "In place of \"...\"");
	assert_says(f->fix_note, "COSHM_DIR");
}

static void test_not_joined(void **state)
{
	struct clinic *c = *state;
	const struct finding *f;

	clinic_part(c);
	f = clinic_verdict(c, FINDING_NOT_JOINED);
	assert_fix(f, "docker rm -f reader",
		   "docker run -d --name reader --ipc=container:writer ... shm ...");

	/* Whoever may be joined as he is, is the donor. */
	c->containers[WRITER].ipc_mode = "private";
	c->containers[READER].ipc_mode = "shareable";
	assert_fix(clinic_verdict(c, FINDING_NOT_JOINED), "docker rm -f writer",
		   "docker run -d --name writer --ipc=container:reader ... shm ...");
}

/* The namespace of the host is no advice. */
static void test_not_joined_host(void **state)
{
	struct clinic *c = *state;

	clinic_part(c);
	c->containers[WRITER].ipc_mode = "host";
	assert_fix(clinic_verdict(c, FINDING_NOT_JOINED), MADE_ANEW);
}

/* Who has joined somebody is joined through that one. */
static void test_not_joined_third(void **state)
{
	struct clinic *c = *state;

	clinic_part(c);
	clinic_join(c, WRITER, OTHER);
	c->containers[OTHER].ipc_mode = "shareable";
	clinic_move(c, WRITER, 2, 2);
	assert_fix(clinic_verdict(c, FINDING_NOT_JOINED), "docker rm -f reader",
		   "docker run -d --name reader --ipc=container:other ... shm ...");
	clinic_move(c, WRITER, 0, 0); /* he is split from his donor */
	assert_fix(clinic_verdict(c, FINDING_NOT_JOINED), "docker restart writer",
		   "docker rm -f reader",
		   "docker run -d --name reader --ipc=container:other ... shm ...");
}

static void test_donor_own_shm(void **state)
{
	struct clinic *c = *state;
	const struct finding *f;

	clinic_part(c);
	c->containers[WRITER].own_shm = "tmpfs";
	f = clinic_verdict(c, FINDING_DONOR_OWN_SHM);
	assert_says(f->title, "writer has a mount of its own at /dev/shm");
	assert_fix(f, MADE_ANEW);
	assert_says(f->fix_note, "without its mount");
}

static void test_no_shm(void **state)
{
	struct clinic *c = *state;
	const struct finding *f;

	clinic_part(c);
	c->containers[WRITER].ipc_mode = "none";
	c->containers[WRITER].shm_area = NOBODY;
	f = clinic_verdict(c, FINDING_NO_SHM);
	assert_says(f->title, "writer was made with --ipc=none");
	assert_says(f->evidence[1], "of writer there is none");
	assert_fix(f, "docker rm -f writer",
		   "docker run -d --name writer --ipc=shareable ... shm ...", "docker rm -f reader",
		   "docker run -d --name reader --ipc=container:writer ... shm ...");
}

/* Podman tells of no mode "none": /dev/shm is a folder of /dev there. */
static void test_no_shm_folder(void **state)
{
	struct clinic *c = *state;

	clinic_part(c);
	c->containers[WRITER].engine = c->containers[READER].engine = ENGINE_PODMAN;
	c->areas[0].root = "/shm";
	assert_says(clinic_verdict(c, FINDING_NO_SHM)->fix[1], "podman run -d --name writer");
	c->containers[WRITER].own_shm = "/shm";
	clinic_verdict(c, FINDING_DONOR_OWN_SHM);
}

static void test_posix_only(void **state)
{
	struct clinic *c = *state;
	const struct finding *f;

	clinic_part(c);
	c->containers[WRITER].ipc_mode = "private";
	c->containers[WRITER].own_shm = c->containers[READER].own_shm = "volume";
	clinic_move(c, READER, NEW_IPCNS, 0);
	f = clinic_verdict(c, FINDING_POSIX_ONLY);
	assert_int_equal(f->severity, SEVERITY_WARNING);
	assert_fix(f, MADE_ANEW);
	assert_says(f->fix_note, "Leave out the mounts");
}

static void test_sysv_only(void **state)
{
	struct clinic *c = *state;
	const struct finding *f;

	c->containers[READER].own_shm = "tmpfs";
	clinic_move(c, READER, 0, NEW_AREA);
	f = clinic_verdict(c, FINDING_SYSV_ONLY);
	assert_int_equal(f->severity, SEVERITY_WARNING);
	assert_fix(f, "docker rm -f reader",
		   "docker run -d --name reader --ipc=container:writer ... shm ...");
	assert_says(f->fix_note, "that reader has");

	/* Podman lets one join such a donor. */
	c->containers[READER].own_shm = "";
	c->containers[WRITER].own_shm = "tmpfs";
	f = clinic_verdict(c, FINDING_SYSV_ONLY);
	assert_fix(f, MADE_ANEW);
	assert_says(f->fix_note, "that writer has");
}

static void test_channels_only(void **state)
{
	struct clinic *c = *state;
	struct object *o = clinic_object(c, OBJECT_CHANNEL, "ticks");
	const struct finding *f;

	clinic_part(c);
	o->area = 3;
	clinic_use(c, WRITER, o);
	clinic_verdict(c, FINDING_NOT_JOINED);
	clinic_use(c, READER, o);
	f = clinic_verdict(c, FINDING_CHANNELS_ONLY);
	assert_string_equal(f->title, "writer and reader share the channels in /mnt only");
	assert_says(f->fix_note, "If that is all they need");
}

static void test_directory(void **state)
{
	struct clinic *c = *state;
	struct object *o = clinic_object(c, OBJECT_TABLE, "coshm/.sysv/table");
	const struct finding *f;

	clinic_part(c);
	o->area = 3;
	clinic_use(c, WRITER, o);
	clinic_verdict(c, FINDING_NOT_JOINED);
	clinic_use(c, READER, o);
	f = clinic_verdict(c, FINDING_DIRECTORY);
	assert_int_equal(f->severity, SEVERITY_NOTE);
	assert_string_equal(f->title,
			    "writer and reader share through /mnt/coshm alone (coshm run)");
	o->name = ".posix/frames";
	o->kind = OBJECT_POSIX_SHM;
	f = clinic_verdict(c, FINDING_DIRECTORY);
	assert_string_equal(f->title, "writer and reader share through /mnt alone (coshm run)");
}

static void test_user_namespace(void **state)
{
	struct clinic *c = *state;
	const struct finding *f;

	clinic_part(c);
	c->containers[WRITER].engine = c->containers[READER].engine = ENGINE_PODMAN;
	c->processes[READER].userns_ino = 701;
	f = clinic_verdict(c, FINDING_USER_NAMESPACE);
	assert_says(f->evidence[4], "/proc/101/ns/user user:[701]");
	assert_fix(f, "podman rm -f reader",
		   "podman run -d --name reader --ipc=container:writer "
		   "--userns=container:writer ... shm ...");
	c->processes[OTHER].container = NOBODY; /* of the machine itself */
	assert_says(clinic_verdict(c, FINDING_USER_NAMESPACE)->fix[1],
		    "--ipc=container:writer --userns=host ... shm");
	c->processes[READER].userns_ino = 0; /* not seen: that is no difference */
	clinic_verdict(c, FINDING_NOT_JOINED);
}

static void test_impossible(void **state)
{
	static const char *const runtimes[] = { "runsc", "io.containerd.kata.v2", "kata-qemu" };
	struct clinic *c = *state;
	const struct finding *f;

	for (unsigned int i = 0; i < 3; i++) {
		c->containers[READER].runtime = runtimes[i];
		f = clinic_verdict(c, FINDING_IMPOSSIBLE);
		assert_says(f->title, "reader has a kernel of its own");
		assert_says(f->evidence[0], runtimes[i]);
		assert_fix(f, "docker rm -f reader",
			   "docker run -d --name reader --ipc=container:writer --runtime=runc ... "
			   "shm ...");
	}
	c->containers[READER].service = "web";
	c->containers[READER].project = "shop";
	assert_fix(clinic_verdict(c, FINDING_IMPOSSIBLE),
		   "# compose.yaml, service web: runtime: runc");
	c->containers[READER].pod = "web-0";
	c->containers[READER].pod_namespace = "shop";
	assert_fix(clinic_verdict(c, FINDING_IMPOSSIBLE),
		   "# manifest of pod web-0: without runtimeClassName");
	c->containers[READER].runtime = ""; /* Kubernetes tells of none */
	c->processes[READER].command = "runsc-sandbox";
	assert_string_equal(clinic_verdict(c, FINDING_IMPOSSIBLE)->evidence[0],
			    "/proc/101/comm is runsc-sandbox");
	c->containers[READER].runtime = "crun";
	clinic_verdict(c, FINDING_SHARED);
}

static void test_unseen(void **state)
{
	struct clinic *c = *state;

	c->processes[READER].ipcns_ino = 0;
	c->processes[READER].ipcns = c->containers[READER].ipcns = NOBODY;
	assert_says(clinic_verdict(c, FINDING_UNSEEN)->evidence[0], "/proc/101/ns/ipc");
	c->containers[READER].process = NOBODY; /* which an engine says runs */
	assert_says(clinic_verdict(c, FINDING_UNSEEN)->evidence[0],
		    "docker inspect reader: it runs");
}

/* ---- the words of each engine */

static void test_compose(void **state)
{
	struct clinic *c = *state;

	clinic_part(c);
	c->containers[WRITER].ipc_mode = "private";
	c->containers[WRITER].project = c->containers[READER].project = "shop";
	c->containers[WRITER].service = "db";
	c->containers[READER].service = "web";
	assert_fix(clinic_verdict(c, FINDING_DONOR_PRIVATE),
		   "# compose.yaml, service db: ipc: \"shareable\"",
		   "# compose.yaml, service web: ipc: \"service:db\"",
		   "docker compose -p shop up -d");
	c->containers[READER].engine = c->containers[WRITER].engine = ENGINE_PODMAN;
	assert_says(clinic_verdict(c, FINDING_DONOR_PRIVATE)->fix[2],
		    "podman-compose -p shop up -d");
	c->containers[READER].engine = c->containers[WRITER].engine = ENGINE_DOCKER;
	c->containers[READER].name = "shop_web_1";
	assert_fix(clinic_verdict(c, FINDING_DONOR_PRIVATE),
		   "# compose.yaml, service db: ipc: \"shareable\"",
		   "# compose.yaml, service web: ipc: \"service:db\"",
		   "docker-compose -p shop up -d");
	c->containers[WRITER].project = "depot";
	assert_fix(clinic_verdict(c, FINDING_DONOR_PRIVATE),
		   "# compose.yaml, service db: ipc: \"shareable\"",
		   "docker compose -p depot up -d",
		   "# compose.yaml, service web: ipc: \"container:writer\"",
		   "docker-compose -p shop up -d");
}

/* One of Compose, one by hand. */
static void test_half_compose(void **state)
{
	struct clinic *c = *state;

	clinic_part(c);
	c->containers[WRITER].ipc_mode = "private";
	c->containers[WRITER].project = "shop";
	c->containers[WRITER].service = "db";
	assert_fix(clinic_verdict(c, FINDING_DONOR_PRIVATE),
		   "# compose.yaml, service db: ipc: \"shareable\"", "docker compose -p shop up -d",
		   "docker rm -f reader",
		   "docker run -d --name reader --ipc=container:writer ... shm ...");
}

static void test_podman_pod(void **state)
{
	struct clinic *c = *state;

	clinic_part(c);
	c->containers[WRITER].engine = c->containers[READER].engine = ENGINE_PODMAN;
	c->containers[WRITER].ipc_mode = "";
	assert_fix(clinic_verdict(c, FINDING_NOT_JOINED), "podman rm -f reader",
		   "podman run -d --name reader --ipc=container:writer ... shm ...");
	c->containers[WRITER].pod = "market";
	assert_fix(clinic_verdict(c, FINDING_NOT_JOINED), "podman rm -f reader",
		   "podman run -d --name reader --pod=market ... shm ...");
}

static void put_into_pod(struct clinic *c, int member, const char *pod)
{
	c->containers[member].engine = ENGINE_CONTAINERD;
	c->containers[member].ipc_mode = "";
	c->containers[member].pod = pod;
	c->containers[member].pod_namespace = "shop";
}

static void test_kubernetes(void **state)
{
	struct clinic *c = *state;
	const struct finding *f;

	clinic_part(c);
	put_into_pod(c, WRITER, "db-0");
	put_into_pod(c, READER, "web-0");
	f = clinic_verdict(c, FINDING_NOT_JOINED);
	assert_says(f->fix[0], "manifest of pod db-0: list both containers in it");
	assert_says(f->fix[1], "spec.hostIPC: true");
	assert_says(f->fix_note, "emptyDir with medium: Memory");

	/* A container of before its pod was made anew. */
	put_into_pod(c, READER, "db-0");
	f = clinic_verdict(c, FINDING_SPLIT);
	assert_says(f->title, "share: writer is still in the IPC namespace of before");
	assert_says(f->fix_note, "Its controller makes the pod anew");
	assert_fix(f, "kubectl delete pod -n shop db-0");
	clinic_move(c, READER, 0, 0);
	clinic_verdict(c, FINDING_SHARED);
}

static void test_two_engines(void **state)
{
	struct clinic *c = *state;

	clinic_part(c);
	c->containers[READER].engine = ENGINE_PODMAN;
	assert_fix(clinic_verdict(c, FINDING_NOT_JOINED), "podman rm -f reader",
		   "docker run -d --name reader --ipc=container:writer ... shm ...");
}

/* A process of no container; and containers that no engine tells of. */
static void test_processes(void **state)
{
	struct clinic *c = *state;
	struct side a = { .container = NOBODY, .process = OTHER };
	struct side b = { .container = READER, .process = NOBODY };
	const struct finding *f;

	clinic_part(c);
	c->containers[READER].ipc_mode = "shareable";
	c->processes[OTHER].container = NOBODY;
	assert_int_equal(doctor_pair(&c->s, &a, &b, NULL, false, &c->diagnosis), 0);
	f = clinic_finding(c, FINDING_NOT_JOINED);
	assert_says(f->title, "pid 102 (sleep) and reader do not share");
	assert_fix(f, "docker run -d --name NAME --ipc=container:reader ... IMAGE ...");
	assert_int_equal(f->container_a, NOBODY);

	c->containers[READER].ipc_mode = "private"; /* a process cannot be joined at all */
	doctor_free(c->diagnosis);
	assert_int_equal(doctor_pair(&c->s, &a, &b, NULL, false, &c->diagnosis), 0);
	assert_says(clinic_finding(c, FINDING_DONOR_PRIVATE)->fix[1],
		    "--name reader --ipc=shareable");

	c->containers[WRITER].engine = c->containers[READER].engine = ENGINE_OTHER;
	assert_fix(clinic_verdict(c, FINDING_NOT_JOINED), "nsenter --target 100 --ipc --mount ...");
}

/* A name from a stranger's engine is one word for the shell, whatever is in it. */
static void test_quoting(void **state)
{
	struct clinic *c = *state;

	clinic_part(c);
	c->containers[READER].image = "it's; $(reboot)";
	c->containers[READER].name = "";
	assert_fix(clinic_verdict(c, FINDING_NOT_JOINED), "docker rm -f ''",
		   "docker run -d --name '' --ipc=container:writer ... 'it'\\''s; $(reboot)' ...");
}

#define TEST(name) cmocka_unit_test_setup_teardown(test_##name, clinic_open, clinic_close)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(shared),
		TEST(split),
		TEST(split_from_the_other_side),
		TEST(split_of_two_joiners),
		TEST(split_without_donor),
		TEST(until_restart),
		TEST(donor_not_listed),
		TEST(donor_gone),
		TEST(stopped),
		TEST(stopped_joiner),
		TEST(donor_private),
		TEST(not_joined),
		TEST(not_joined_host),
		TEST(not_joined_third),
		TEST(donor_own_shm),
		TEST(no_shm),
		TEST(no_shm_folder),
		TEST(posix_only),
		TEST(sysv_only),
		TEST(channels_only),
		TEST(directory),
		TEST(user_namespace),
		TEST(impossible),
		TEST(unseen),
		TEST(compose),
		TEST(half_compose),
		TEST(podman_pod),
		TEST(kubernetes),
		TEST(two_engines),
		TEST(processes),
		TEST(quoting),
	};

	return cmocka_run_group_tests_name("doctor pair", tests, NULL, NULL);
}
