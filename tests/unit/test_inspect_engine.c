/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_inspect_engine.c - what engines say of containers: recorded answers of a
 * real Docker and a real Podman, and a server that is up to no good.
 */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "engine_parts.h"

#define DONOR  "65dc3c2c7a616e09343f18fe78cefe415626e98adba5712a369183a6c12caee0"
#define JOINER "7fd3db24778dc2bd36cbe60ed20faaccc37629128c41d02d177cd87bd01b685f"
#define OWN    "f1ca3d6dc408b1ae0616f4eec272e44f32dacca2163e619f399bfeefc7b5b4af"
#define ORPHAN "2cb8b3abe9de523e9804a750096fd44b377e90d77e53164ae325fc033e0453fe"
#define GONE   "da7b119ec875ba604ac2482d2f109ec37ab2e411466b0be3b7ec1e0a4640c87f"
#define SLEEPY "97d8177aeeaf38db425e5edadc6504e5df08ef72a9250570c57596963e53f119"
#define TRADER "58bcc586d582c416bff8593576ae12b05401922500ef2e468396cfc8c157bd7f"
#define FEED   "2697b4cd575015ae73af2fca0e8dd49d40a4d7afb7587f5774e0f72efe52d2c7"
#define PDONOR "aaef7d5fd3572518c0d2e011314a2750767766e2681938aa7fcc2bc3baba6e84"
#define PJOIN  "9fe10b873b1a2118a069957c817541b87072ad5454858ac495bbfcbe24381cf9"
#define POWN   "d964acb0202e9a252ace6b3cb630408bb807060e784269f58993ecdec528a3f7"
#define INPOD  "ae4bb1adbdee0bfcad33310a539f8e1a6061e23eab4c2644a650a3af90157b7f"
#define INFRA  "456b1263485a63a2f13f0d3b5b7fdf3d43f8be4cf6bab79b4cb71e2c27cdfce6"
#define ENDED  "7b598e13136e7bcededcafb103c19e1e5ed3e7aa4b8648648e76596516891316"
#define NOONES "00000000000000000000000000000000000000000000000000000000000000ff"

static struct snapshot *scene(void)
{
	struct memory *m = memory_new();
	struct snapshot *s = memory_get(m, sizeof(*s));

	assert_non_null(s);
	s->memory = m;
	s->pid_host = true;
	s->own_process = NOBODY;
	return s;
}

static void end(struct snapshot *s)
{
	assert_false(memory_failed(s->memory));
	memory_free(s->memory);
}

/* As a scan finds one: an id, by a process's cgroup. */
static void found(struct snapshot *s, enum engine engine, const char *id, pid_t pid)
{
	struct process *p = memory_add(s->memory, s->processes, s->process_count);
	struct container *c = engine_container(s, engine, id);

	*p = (struct process){ .pid = pid, .container = (int)s->container_count - 1, .ipcns = 7 };
	c->pid = pid;
	c->process = (int)s->process_count - 1;
}

static const struct container *by_id(const struct snapshot *s, const char *id)
{
	for (unsigned int i = 0; i < s->container_count; i++)
		if (strcmp(s->containers[i].id, id) == 0)
			return &s->containers[i];
	fail_msg("no container %s", id);
	return NULL;
}

static const struct container *donor_of(const struct snapshot *s, const char *id)
{
	int donor = by_id(s, id)->donor;

	assert_in_range(donor, 0, s->container_count - 1);
	return &s->containers[donor];
}

static void test_docker(void **state)
{
	const struct inspect_opts opts = { .root = RECORDED };
	struct snapshot *s = scene();
	const struct container *c;

	(void)state;
	found(s, ENGINE_DOCKER, DONOR, 9999);
	memory_add(s->memory, s->processes, s->process_count)->pid = 21323; /* as it says */
	s->processes[1].container = NOBODY;
	s->processes[1].ipcns = 8;
	found(s, ENGINE_DOCKER, JOINER, 21389);
	found(s, ENGINE_OTHER, OWN, 3); /* under a parent that somebody chose */
	found(s, ENGINE_DOCKER, ORPHAN, 4);
	found(s, ENGINE_DOCKER, SLEEPY, 5);
	found(s, ENGINE_DOCKER, TRADER, 6);
	engines_name(s, &opts);
	assert_int_equal(s->remark_count, 0);

	c = by_id(s, DONOR);
	assert_true(c->named);
	assert_string_equal(c->name, "donor");
	assert_string_equal(c->image, "debian:bookworm-slim");
	assert_string_equal(c->ipc_mode, "shareable");
	assert_string_equal(c->sysctls, "kernel.shmmni=100");
	assert_string_equal(c->runtime, "runc");
	assert_string_equal(c->own_shm, "");
	assert_int_equal(c->shm_size, 128 << 20);
	assert_int_equal(c->state, CONTAINER_RUNNING);
	assert_true(c->started_ns == INT64_C(1795552519123055486));
	assert_int_equal(c->pid, 21323);
	assert_int_equal(c->process, 1);
	assert_int_equal(c->ipcns, 8);
	assert_int_equal(s->processes[1].container, c - s->containers);
	assert_int_equal(c->donor, NOBODY);

	assert_string_equal(by_id(s, JOINER)->donor_id, DONOR);
	assert_string_equal(by_id(s, JOINER)->pid_mode, "container:" DONOR);
	assert_ptr_equal(donor_of(s, JOINER), c);

	assert_int_equal(by_id(s, OWN)->engine, ENGINE_DOCKER);
	assert_string_equal(by_id(s, OWN)->own_shm, "shmvol");

	assert_string_equal(by_id(s, ORPHAN)->donor_id, GONE);
	assert_int_equal(by_id(s, ORPHAN)->donor, NOBODY);

	assert_int_equal(by_id(s, SLEEPY)->state, CONTAINER_PAUSED);
	assert_string_equal(by_id(s, SLEEPY)->pod, "web-0");
	assert_string_equal(by_id(s, SLEEPY)->pod_namespace, "shop");

	assert_string_equal(by_id(s, TRADER)->service, "trader");
	assert_string_equal(by_id(s, TRADER)->project, "stock");
	/* It has no process here: it is described for its joiner's sake. */
	assert_string_equal(donor_of(s, TRADER)->id, FEED);
	assert_string_equal(donor_of(s, TRADER)->ipc_mode, "shareable");
	assert_int_equal(donor_of(s, TRADER)->process, NOBODY);
	end(s);
}

static void test_docker_stopped(void **state)
{
	const struct inspect_opts opts = { .root = RECORDED };
	struct snapshot *s = scene();
	int at[2], process;

	(void)state;
	engines_name(s, &opts);
	assert_int_equal(inspect_find(s, "ended", at, 2, &process), 1);
	assert_int_equal(s->containers[at[0]].state, CONTAINER_STOPPED);
	assert_int_equal(s->containers[at[0]].process, NOBODY);
	assert_int_equal(s->containers[at[0]].engine, ENGINE_DOCKER);
	assert_int_equal(inspect_find(s, "pended", at, 2, &process), 1);
	assert_int_equal(s->containers[at[0]].state, CONTAINER_STOPPED);
	assert_int_equal(s->containers[at[0]].engine, ENGINE_PODMAN);
	assert_int_equal(s->container_count, 15);
	end(s);
}

/* Nobody here has a process. */
static void test_describe_stopped(void **state)
{
	const struct inspect_opts plain = { .root = RECORDED };
	const struct inspect_opts opts = { .root = RECORDED, .describe_stopped = true };
	struct snapshot *s = scene();

	(void)state;
	engines_name(s, &plain);
	assert_string_equal(by_id(s, JOINER)->donor_id, "");
	end(s);
	s = scene();
	engines_name(s, &opts);
	assert_string_equal(by_id(s, JOINER)->donor_id, DONOR);
	assert_string_equal(donor_of(s, JOINER)->id, DONOR);
	end(s);
}

static void test_podman(void **state)
{
	const struct inspect_opts opts = { .root = RECORDED };
	struct snapshot *s = scene();
	const struct container *c;

	(void)state;
	found(s, ENGINE_PODMAN, PDONOR, 24242);
	found(s, ENGINE_PODMAN, PJOIN, 24273);
	found(s, ENGINE_PODMAN, POWN, 3);
	found(s, ENGINE_PODMAN, INPOD, 4);
	engines_name(s, &opts);
	assert_int_equal(s->remark_count, 0);

	c = by_id(s, PDONOR);
	assert_string_equal(c->name, "pdonor");
	assert_string_equal(c->image, "localhost/debian:bookworm-slim");
	assert_string_equal(c->ipc_mode, "shareable");
	assert_string_equal(c->runtime, "runc");
	assert_string_equal(c->sysctls, "kernel.shmmni=99");
	assert_int_equal(c->shm_size, 32 << 20);

	assert_ptr_equal(donor_of(s, PJOIN), c);

	c = by_id(s, POWN);
	assert_int_equal(c->state, CONTAINER_PAUSED);
	assert_string_equal(c->ipc_mode, "private");
	assert_string_equal(c->own_shm, "tmpfs");
	assert_string_equal(c->service, "y");
	assert_string_equal(c->project, "x");

	assert_string_equal(by_id(s, INPOD)->pod, "mypod");
	assert_string_equal(donor_of(s, INPOD)->id, INFRA);
	assert_string_equal(donor_of(s, INPOD)->pod, "mypod");
	end(s);
}

/* Rootless Podman on cgroup version 1 has no cgroups: a scan finds namespaces. */
static void test_podman_without_cgroup(void **state)
{
	const struct inspect_opts opts = { .root = RECORDED };
	struct snapshot *s = scene();

	(void)state;
	found(s, ENGINE_OTHER, "", 24242);
	engines_name(s, &opts);
	assert_string_equal(s->containers[0].id, PDONOR);
	assert_string_equal(s->containers[0].name, "pdonor");
	assert_int_equal(s->containers[0].engine, ENGINE_PODMAN);
	assert_string_equal(s->containers[0].runtime, "runc");
	end(s);
}

/* Words of the container's own command are none of Podman's. */
static void test_create_command(void **state)
{
	static const char list[] = "[{\"Id\":\"" NOONES "\",\"Names\":[\"n\"]}]";
	static const char text[] =
		"{\"Id\":\"" NOONES "\",\"HostConfig\":{\"IpcMode\":\"shareable\"},\"Config\":{"
		"\"Cmd\":[\"sh\",\"--ipc\",\"private\"],\"CreateCommand\":[\"podman\",\"run\","
		"\"--sysctl=kernel.sem=1 2 3 4\",\"--sysctl\",\"net.x=1\",\"--sysctl\","
		"\"fs.mqueue.msg_max=9\",\"image\",\"sh\",\"--ipc\",\"private\"]}}";
	struct snapshot *s = scene();
	struct naming n = { .s = s };

	(void)state;
	assert_true(answer_list(&n, ENGINE_PODMAN, list, strlen(list)));
	assert_int_equal(s->container_count, 1);
	assert_true(answer_describe(&n, 0, text, strlen(text)));
	assert_string_equal(s->containers[0].ipc_mode, "shareable");
	assert_string_equal(s->containers[0].sysctls, "kernel.sem=1 2 3 4 fs.mqueue.msg_max=9");
	end(s);
}

static void test_no_engine(void **state)
{
	const struct inspect_opts nowhere = { .root = "/nonexistent" };
	const struct inspect_opts not_asked = { .root = RECORDED, .no_engines = true };
	struct snapshot *s = scene();

	(void)state;
	found(s, ENGINE_DOCKER, DONOR, 1);
	found(s, ENGINE_DOCKER, JOINER, 2);
	found(s, ENGINE_PODMAN, PDONOR, 3);
	found(s, ENGINE_CRIO, NOONES, 4);
	engines_name(s, &nowhere);
	assert_int_equal(s->container_count, 4);
	assert_string_equal(s->containers[0].name, "65dc3c2c7a61");
	assert_false(s->containers[0].named);
	assert_int_equal(s->remark_count, 3);
	assert_non_null(strstr(s->remarks[0], "systemctl"));
	assert_non_null(strstr(s->remarks[0], "podman.socket"));
	assert_non_null(strstr(s->remarks[1], "Docker does not answer"));
	end(s);

	s = scene();
	found(s, ENGINE_DOCKER, DONOR, 1);
	engines_name(s, &not_asked);
	assert_string_equal(s->containers[0].name, "65dc3c2c7a61");
	assert_int_equal(s->remark_count, 0);
	end(s);
}

static unsigned int remarks_without_socket(bool inside, bool other)
{
	static const struct inspect_opts opts;
	struct snapshot *s = scene();
	unsigned int count;

	s->pid_host = false;
	found(s, ENGINE_DOCKER, DONOR, 1);
	if (other)
		found(s, ENGINE_DOCKER, JOINER, 2);
	if (inside)
		s->own_process = 0;
	engines_name(s, &opts);
	assert_string_equal(s->containers[0].name, "65dc3c2c7a61");
	count = s->remark_count;
	assert_true(count == 0 || strstr(s->remarks[0], "Docker has no socket here"));
	end(s);
	return count;
}

/* From inside of a container, the only one that is seen is no reason to speak of sockets. */
static void test_no_socket(void **state)
{
	(void)state;
	unsetenv("DOCKER_HOST");
	unsetenv("XDG_RUNTIME_DIR");
	if (access("/var/run/docker.sock", F_OK) == 0 || access("/run/docker.sock", F_OK) == 0)
		return; /* there is one here */
	assert_int_equal(remarks_without_socket(false, false), 1);
	assert_int_equal(remarks_without_socket(true, true), 1);
	assert_int_equal(remarks_without_socket(true, false), 0);
}

static void test_moments(void **state)
{
	static const struct {
		const char *text;
		int64_t ns;
	} cases[] = {
		{ "1970-01-01T00:00:01Z", 1000000000 },
		{ "1970-01-01T02:00:01.5+02:00", 1500000000 },
		{ "1969-12-31T23:30:01.000000001-00:30", 1000000001 },
		{ "1970-01-01T00:00:01.12345678901234567890Z", 1123456789 },
		{ "0001-01-01T00:00:00Z", 0 },
		{ "9999-01-01T00:00:00Z", 0 },
		{ "yesterday", 0 },
		{ "", 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		json_t *value = json_string(cases[i].text);

		assert_true(json_moment(value) == cases[i].ns);
		json_decref(value);
	}
}

static void test_strangers_text(void **state)
{
	static const char list[] =
		"[{\"Id\":\"../../etc\",\"Names\":[\"/path\"]},"
		"{\"Id\":\"" NOONES "\",\"Names\":[\"/other/alias\",\"/a\\u001b[2Jb\"],"
		"\"Image\":7,\"Labels\":[1],\"State\":\"away\",\"PodName\":{}},{},7,null]";
	struct snapshot *s = scene();
	struct naming n = { .s = s };

	(void)state;
	assert_true(answer_list(&n, ENGINE_DOCKER, list, strlen(list)));
	assert_int_equal(s->container_count, 1);
	assert_string_equal(s->containers[0].name, "a?[2Jb");
	assert_string_equal(s->containers[0].image, "");
	assert_int_equal(s->containers[0].state, CONTAINER_UNKNOWN);
	assert_false(answer_describe(&n, 0, "{}", 2));
	assert_false(answer_describe(&n, 0, "[", 1));
	assert_false(answer_list(&n, ENGINE_DOCKER, "{}", 2));
	end(s);
}

/* A container's bundle as containerd's CRI part writes it, and as CRI-O does. */
static void test_bundles(void **state)
{
	static const char containerd[] =
		"{\"annotations\":{\"io.kubernetes.cri.container-name\":\"trader\","
		"\"io.kubernetes.cri.container-type\":\"container\","
		"\"io.kubernetes.cri.image-name\":\"shop/trader:1\","
		"\"io.kubernetes.cri.sandbox-id\":\"" DONOR "\","
		"\"io.kubernetes.cri.sandbox-name\":\"web-0\","
		"\"io.kubernetes.cri.sandbox-namespace\":\"shop\"},"
		"\"mounts\":[{\"destination\":\"/dev/shm\",\"source\":\"/var/lib/kubelet/pods/u/"
		"volumes/kubernetes.io~empty-dir/shm\"}],"
		"\"linux\":{\"namespaces\":[{\"type\":\"pid\"},{\"type\":\"ipc\",\"path\":"
		"\"/proc/7/ns/ipc\"}]}}";
	static const char crio[] =
		"{\"annotations\":{\"io.kubernetes.cri-o.ContainerType\":\"sandbox\","
		"\"io.kubernetes.cri-o.SandboxID\":\"" DONOR "\","
		"\"io.kubernetes.pod.name\":\"web-0\",\"io.kubernetes.pod.namespace\":\"shop\"},"
		"\"mounts\":[{\"destination\":\"/dev/shm\",\"source\":\"/run/containers/x/userdata/"
		"shm\",\"options\":[\"rw\",\"size=65536k\"]}],"
		"\"linux\":{\"namespaces\":[{\"type\":\"ipc\"}],\"sysctl\":{\"kernel.shmmax\":"
		"\"1\",\"net.x\":\"2\"}}}";
	struct snapshot *s = scene();
	struct naming n = { .s = s };

	(void)state;
	found(s, ENGINE_CONTAINERD, JOINER, 1);
	found(s, ENGINE_CRIO, DONOR, 2);
	assert_true(oci_bundle(&n, 0, containerd, strlen(containerd)));
	assert_true(oci_bundle(&n, 1, crio, strlen(crio)));
	assert_string_equal(s->containers[0].name, "trader");
	assert_string_equal(s->containers[0].image, "shop/trader:1");
	assert_string_equal(s->containers[0].pod, "web-0");
	assert_string_equal(s->containers[0].pod_namespace, "shop");
	assert_string_equal(s->containers[0].donor_id, DONOR);
	assert_string_equal(s->containers[0].pid_mode, "");
	assert_non_null(strstr(s->containers[0].own_shm, "empty-dir"));
	assert_string_equal(s->containers[1].name, "POD");
	assert_string_equal(s->containers[1].ipc_mode, "shareable");
	assert_string_equal(s->containers[1].pid_mode, "host");
	assert_string_equal(s->containers[1].own_shm, "");
	assert_string_equal(s->containers[1].sysctls, "kernel.shmmax=1");
	assert_int_equal(s->containers[1].shm_size, 64 << 20);
	assert_false(oci_bundle(&n, 0, "[]", 2));
	end(s);
}

/* Docker's and Podman's have no names, but what is mounted at /dev/shm tells whose it is. */
static void test_bundles_of_others(void **state)
{
	static const struct {
		enum engine engine;
		const char *shm, *path, *mode, *donor, *own;
		uint64_t size;
	} cases[] = {
		{ ENGINE_DOCKER,
		  "/var/lib/docker/containers/" DONOR
		  "/mounts/shm\",\"options\":[\"rbind\"],\"x\":\"",
		  "", "shareable", "", "", 0 },
		{ ENGINE_DOCKER, "shm\",\"options\":[\"nodev\",\"size=67108864\"],\"x\":\"", "",
		  "private", "", "", 64 << 20 },
		{ ENGINE_DOCKER, "/var/lib/docker/containers/" JOINER "/mounts/shm",
		  ",\"path\":\"/proc/7/ns/ipc\"", "container:" JOINER, JOINER, "", 0 },
		{ ENGINE_DOCKER,
		  "/var/lib/containers/storage/overlay-containers/" JOINER "/userdata/shm",
		  ",\"path\":\"/proc/7/ns/ipc\"", "container:" JOINER, JOINER, "", 0 },
		{ ENGINE_PODMAN,
		  "/var/lib/containers/storage/overlay-containers/" DONOR "/userdata/shm", "", "",
		  "", "", 0 },
		{ ENGINE_DOCKER, "tmpfs\",\"options\":[\"size=20m\"],\"x\":\"", "", "private", "",
		  "tmpfs", 20 << 20 },
		{ ENGINE_DOCKER, JOINER "/mounts/shm", ",\"path\":\"/proc/7/ns/ipc\"", "", "", "",
		  0 },
	};
	char text[1024];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct snapshot *s = scene();
		struct naming n = { .s = s };
		const struct container *c;

		found(s, cases[i].engine, DONOR, 1);
		snprintf(text, sizeof(text),
			 "{\"mounts\":[{\"destination\":\"/dev/shm\",\"source\":\"%s\"}],"
			 "\"linux\":{\"namespaces\":[{\"type\":\"ipc\"%s}]}}",
			 cases[i].shm, cases[i].path);
		assert_true(oci_bundle(&n, 0, text, strlen(text)));
		c = &s->containers[0];
		assert_false(c->named);
		assert_string_equal(c->ipc_mode, cases[i].mode);
		assert_string_equal(c->donor_id, cases[i].donor);
		assert_string_equal(c->own_shm, cases[i].own);
		assert_true(c->shm_size == cases[i].size);
		end(s);
	}
}

static void test_find(void **state)
{
	const struct inspect_opts opts = { .root = RECORDED };
	struct snapshot *s = scene();
	int at[4], process;

	(void)state;
	found(s, ENGINE_PODMAN, INPOD, 41);
	found(s, ENGINE_DOCKER, TRADER, 42);
	memory_add(s->memory, s->processes, s->process_count)->pid = 43;
	s->processes[2].container = NOBODY;
	engines_name(s, &opts);
	assert_int_equal(inspect_find(s, "donor", at, 4, &process), 1);
	assert_string_equal(s->containers[at[0]].id, DONOR);
	assert_int_equal(inspect_find(s, "65dc3c2c7a61", at, 4, &process), 1);
	assert_string_equal(s->containers[at[0]].id, DONOR);
	assert_int_equal(inspect_find(s, "65", at, 4, &process), 0);
	assert_int_equal(inspect_find(s, "feed", at, 4, &process), 1);
	assert_string_equal(s->containers[at[0]].id, FEED);
	assert_int_equal(inspect_find(s, "stock/feed", at, 4, &process), 1);
	assert_int_equal(inspect_find(s, "stoc/feed", at, 4, &process), 0);
	assert_int_equal(inspect_find(s, "mypod", at, 4, &process), 2);
	assert_int_equal(inspect_find(s, "mypod", at, 1, &process), 2);
	assert_int_equal(inspect_find(s, "shop/web-0", at, 4, &process), 1);
	assert_int_equal(inspect_find(s, "42", at, 4, &process), 1);
	assert_string_equal(s->containers[at[0]].id, TRADER);
	assert_int_equal(process, 1);
	assert_int_equal(inspect_find(s, "43", at, 4, &process), 0);
	assert_int_equal(process, 2);
	assert_int_equal(inspect_find(s, "44", at, 4, &process), 0);
	assert_int_equal(process, NOBODY);
	assert_int_equal(inspect_find(s, "", at, 4, &process), 0);
	assert_int_equal(inspect_find(s, "99999999999999999999", at, 4, &process), 0);
	end(s);
}

/* What the server does to a request. */
enum manner {
	ANSWERS,
	HANGS_LATER,
	HANGS,
	TRICKLES,
	NEVER_ENDS,
	CUTS_OFF,
	TALKS_NONSENSE,
	REFUSES,
	NOT_JSON
};

static struct {
	char folder[64], socket[108];
	pid_t pid;
} server;

static void put(int fd, const char *text)
{
	(void)!write(fd, text, strlen(text));
}

static void put_file(int fd, const char *request)
{
	static char text[1 << 16];
	char path[256], id[65], head[128];
	size_t length = 0;
	FILE *f;

	if (sscanf(request, "GET /containers/%64[0-9a-f]/json", id) == 1)
		snprintf(path, sizeof(path), RECORDED "/api/docker/inspect-%s.json", id);
	else
		snprintf(path, sizeof(path), RECORDED "/api/docker/containers.json");
	f = fopen(path, "r");
	if (f) {
		length = fread(text, 1, sizeof(text) - 1, f);
		fclose(f);
	}
	text[length] = '\0';
	snprintf(head, sizeof(head), "HTTP/1.1 %s\r\nContent-Length: %zu\r\n\r\n",
		 f ? "200 OK" : "404 Not Found", length);
	put(fd, head);
	put(fd, text);
}

static void never_end(int fd)
{
	static char filler[1 << 20];

	memset(filler, ' ', sizeof(filler));
	put(fd, "HTTP/1.1 200 OK\r\n\r\n[");
	while (write(fd, filler, sizeof(filler)) > 0)
		;
}

static void trickle(int fd)
{
	put(fd, "HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n");
	while (write(fd, " ", 1) > 0)
		usleep(10000);
}

static void serve(int fd, enum manner manner)
{
	char request[4096];
	ssize_t got;

	while ((got = read(fd, request, sizeof(request) - 1)) > 0) {
		request[got] = '\0';
		if (manner == ANSWERS || (manner == HANGS_LATER && strstr(request, "all=")))
			put_file(fd, request);
		else if (manner == HANGS_LATER)
			continue;
		else if (manner == HANGS)
			continue;
		else if (manner == TRICKLES)
			trickle(fd);
		else if (manner == NEVER_ENDS)
			never_end(fd);
		else if (manner == CUTS_OFF)
			put(fd, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n[{\"Id\":");
		else if (manner == TALKS_NONSENSE)
			put(fd, "\x7f\x45\x4c\x46 nonsense\r\n\r\n");
		else if (manner == REFUSES)
			put(fd, "HTTP/1.1 500 No\r\nContent-Length: 2\r\n\r\n[]");
		else
			put(fd, "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n[{]}");
		if (manner != ANSWERS && manner != HANGS_LATER)
			return;
	}
}

static void start_server(enum manner manner)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0), one;

	strcpy(server.folder, "/tmp/coshm-server.XXXXXX");
	assert_non_null(mkdtemp(server.folder));
	snprintf(server.socket, sizeof(server.socket), "%s/socket", server.folder);
	strcpy(at.sun_path, server.socket);
	assert_int_equal(bind(fd, (struct sockaddr *)&at, sizeof(at)), 0);
	assert_int_equal(listen(fd, 4), 0);
	server.pid = fork();
	assert_true(server.pid >= 0);
	if (server.pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		signal(SIGPIPE, SIG_IGN);
		while ((one = accept(fd, NULL, NULL)) >= 0) {
			serve(one, manner);
			close(one);
		}
		_exit(0);
	}
	close(fd);
}

static int stop_server(void **state)
{
	(void)state;
	if (server.pid > 0) {
		kill(server.pid, SIGKILL);
		waitpid(server.pid, NULL, 0);
		unlink(server.socket);
		rmdir(server.folder);
		server.pid = 0;
	}
	unsetenv("DOCKER_HOST");
	unsetenv("CONTAINER_HOST");
	return 0;
}

/* Both variables: the machine's own engines are no part of the test. */
static struct snapshot *ask_server(enum manner manner)
{
	static const struct inspect_opts opts;
	struct snapshot *s = scene();
	char host[128];

	start_server(manner);
	snprintf(host, sizeof(host), "unix://%s", server.socket);
	setenv("DOCKER_HOST", host, 1);
	setenv("CONTAINER_HOST", "tcp://nowhere", 1);
	setenv("http_proxy", "http://127.0.0.1:1", 1);
	found(s, ENGINE_DOCKER, DONOR, 1);
	found(s, ENGINE_DOCKER, JOINER, 2);
	if (manner == ANSWERS)
		found(s, ENGINE_DOCKER, ENDED, 3); /* gone when it is to be described */
	engines_name(s, &opts);
	unsetenv("http_proxy");
	return s;
}

static void test_socket(void **state)
{
	struct snapshot *s = ask_server(ANSWERS);

	(void)state;
	assert_int_equal(s->remark_count, 0);
	assert_string_equal(s->containers[0].name, "donor");
	assert_string_equal(s->containers[2].name, "ended");
	assert_string_equal(donor_of(s, JOINER)->name, "donor");
	end(s);
}

/* Names are there: the list came. */
static void test_slow_descriptions(void **state)
{
	struct snapshot *s = ask_server(HANGS_LATER);

	(void)state;
	assert_string_equal(s->containers[0].name, "donor");
	assert_int_equal(s->remark_count, 1);
	assert_non_null(strstr(s->remarks[0], "did not describe 2 containers in time"));
	end(s);
}

static void test_bad_servers(void **state)
{
	static const struct {
		enum manner manner;
		const char *why;
	} cases[] = {
		{ HANGS, "imeout" },
		{ TRICKLES, "imeout" },
		{ NEVER_ENDS, "longer than" },
		{ CUTS_OFF, "(" },
		{ TALKS_NONSENSE, "(" },
		{ REFUSES, "HTTP status 500" },
		{ NOT_JSON, "no list of containers" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct snapshot *s = ask_server(cases[i].manner);

		assert_int_equal(s->container_count, 2);
		assert_string_equal(s->containers[0].name, "65dc3c2c7a61");
		assert_int_equal(s->remark_count, 1);
		print_message("# %s\n", s->remarks[0]);
		assert_non_null(strstr(s->remarks[0], cases[i].why));
		assert_non_null(strstr(s->remarks[0], server.socket));
		end(s);
		stop_server(NULL);
	}
}

static void test_other_hosts(void **state)
{
	static const struct inspect_opts opts;
	struct snapshot *s = scene();

	(void)state;
	setenv("DOCKER_HOST", "tcp://\033nowhere:2375", 1);
	setenv("CONTAINER_HOST", "unix:///nonexistent/socket", 1);
	found(s, ENGINE_DOCKER, DONOR, 1);
	found(s, ENGINE_PODMAN, PDONOR, 2);
	engines_name(s, &opts);
	assert_int_equal(s->remark_count, 2);
	assert_non_null(strstr(s->remarks[0], "/nonexistent/socket"));
	assert_non_null(strstr(s->remarks[1], "tcp://?nowhere:2375 (DOCKER_HOST names no unix"));
	end(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_docker),
		cmocka_unit_test(test_docker_stopped),
		cmocka_unit_test(test_describe_stopped),
		cmocka_unit_test(test_podman),
		cmocka_unit_test(test_podman_without_cgroup),
		cmocka_unit_test(test_create_command),
		cmocka_unit_test(test_no_engine),
		cmocka_unit_test(test_no_socket),
		cmocka_unit_test(test_moments),
		cmocka_unit_test(test_strangers_text),
		cmocka_unit_test(test_bundles),
		cmocka_unit_test(test_bundles_of_others),
		cmocka_unit_test(test_find),
		cmocka_unit_test_teardown(test_socket, stop_server),
		cmocka_unit_test_teardown(test_slow_descriptions, stop_server),
		cmocka_unit_test_teardown(test_bad_servers, stop_server),
		cmocka_unit_test_teardown(test_other_hosts, stop_server),
	};

	return cmocka_run_group_tests_name("inspect_engine", tests, NULL, NULL);
}
