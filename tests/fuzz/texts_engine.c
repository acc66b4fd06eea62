/* SPDX-License-Identifier: Apache-2.0 */
/*
 * texts_engine.c - cgroups of processes, and engines' answers.
 */
#include <stdlib.h>
#include <string.h>

#include "cgroup.h"
#include "engine_parts.h"
#include "texts.h"

#define A "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define B "fedcba9876543210fedcba9876543210fedcba9876543210fedcba9876543210"

static void check(bool holds)
{
	if (!holds)
		abort();
}

/* What may reach a terminal. */
static void check_text(const char *text, size_t most)
{
	check(text && strlen(text) <= most);
	for (; *text; text++)
		check(*text >= ' ' && *text <= '~');
}

static void check_container(const struct container *c)
{
	const char *const names[] = { c->name,          c->service,  c->project,  c->pod,
				      c->pod_namespace, c->ipc_mode, c->pid_mode, c->donor_id };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		check_text(names[i], 255);
	check_text(c->id, ID_DIGITS);
	check_text(c->image, 512);
	check_text(c->runtime, 4096);
	check_text(c->sysctls, 1024);
	check_text(c->own_shm, 4096);
	check(c->started_ns >= 0);
}

static void parse_cgroup(const char *text, size_t length)
{
	struct memory *m = memory_new();
	struct cgroup c;

	cgroup_parse(text, length, m, &c);
	check(c.id[0] == '\0' || strlen(c.id) == CGROUP_ID_DIGITS);
	check((c.engine == ENGINE_NONE) == (c.id[0] == '\0'));
	check_text(c.id, CGROUP_ID_DIGITS);
	check_text(c.pod_uid, 36);
	check_text(c.path, 4096);
	memory_free(m);
}

static struct snapshot *scene(void)
{
	struct memory *m = memory_new();
	struct snapshot *s = memory_get(m, sizeof(*s));
	struct process *p;

	s->memory = m;
	s->pid_host = true;
	p = memory_add(m, s->processes, s->process_count);
	*p = (struct process){ .pid = 7, .container = NOBODY, .ipcns = NOBODY };
	p = memory_add(m, s->processes, s->process_count);
	*p = (struct process){ .pid = 8, .container = 0, .ipcns = NOBODY };
	engine_container(s, ENGINE_OTHER, "")->process = 1;
	engine_container(s, ENGINE_DOCKER, A);
	return s;
}

static void end(struct snapshot *s)
{
	for (unsigned int i = 0; i < s->container_count; i++)
		check_container(&s->containers[i]);
	memory_free(s->memory);
}

static void parse_list(const char *text, size_t length)
{
	struct snapshot *s = scene();
	struct naming n = { .s = s };

	check(naming_index(&n));
	answer_list(&n, ENGINE_PODMAN, text, length);
	end(s);
}

static void parse_description(const char *text, size_t length)
{
	struct snapshot *s = scene();
	struct naming n = { .s = s };

	answer_describe(&n, 1, text, length);
	end(s);
}

static void parse_bundle(const char *text, size_t length)
{
	struct snapshot *s = scene();
	struct naming n = { .s = s };

	oci_bundle(&n, 1, text, length);
	end(s);
}

static const char *const cgroups[] = {
	"9:name=systemd:/docker/" A "\n4:memory:/docker/" A "/docker/" B "\n0::/\n",
	"0::/kubepods.slice/kubepods-pod0a1b2c3d_1234_5678_9abc_def012345678.slice/cri-containerd-" A
	".scope\n",
	"0::/user.slice/user-1000.slice/libpod-" A ".scope/container\n",
	"0::/a.slice/kubepods-pod0a1b2c3d_1234_5678_9abc_def012345678.slice:crio:" A "\n",
	NULL,
};

static const char *const lists[] = {
	"[{\"Id\":\"" A "\",\"Names\":[\"/x/alias\",\"/donor\"],\"Image\":\"debian\",\"Labels\":{"
	"\"com.docker.compose.service\":\"feed\",\"com.docker.compose.project\":\"stock\","
	"\"io.kubernetes.pod.name\":\"web-0\",\"io.kubernetes.pod.namespace\":\"shop\"},"
	"\"State\":\"running\"}]",
	"[{\"Id\":\"" B "\",\"Names\":[\"pod\"],\"Pid\":8,\"PodName\":\"p\",\"State\":\"exited\","
	"\"Image\":\"x\",\"Labels\":null}]",
	NULL,
};

static const char *const descriptions[] = {
	"{\"Id\":\"" A "\",\"State\":{\"Pid\":7,\"StartedAt\":\"2026-11-24T20:35:19.123+01:00\"},"
	"\"HostConfig\":{\"IpcMode\":\"container:" B "\",\"PidMode\":\"host\",\"ShmSize\":1,"
	"\"Privileged\":true,\"Runtime\":\"runc\",\"Sysctls\":{\"kernel.shmmni\":\"1\"},"
	"\"Tmpfs\":{\"/dev/shm\":\"\"}},\"Mounts\":[{\"Type\":\"volume\",\"Name\":\"v\","
	"\"Source\":\"/v\",\"Destination\":\"/dev/shm\"}]}",
	"{\"Id\":\"" A "\",\"OCIRuntime\":\"crun\",\"HostConfig\":{\"IpcMode\":\"shareable\"},"
	"\"Config\":{\"Cmd\":[\"sh\"],\"CreateCommand\":[\"podman\",\"--ipc\",\"private\","
	"\"--sysctl\",\"kernel.sem=1 2\",\"--sysctl=kernel.msgmax=1\",\"i\",\"sh\"]}}",
	NULL,
};

static const char *const bundles[] = {
	"{\"annotations\":{\"io.kubernetes.cri.container-name\":\"trader\","
	"\"io.kubernetes.cri.container-type\":\"container\",\"io.kubernetes.cri.sandbox-id\":\"" B
	"\",\"io.kubernetes.cri.sandbox-name\":\"web-0\"},\"mounts\":[{\"destination\":"
	"\"/dev/shm\",\"source\":\"/x/volumes/shm\",\"options\":[\"size=64k\"]}],\"linux\":{"
	"\"namespaces\":[{\"type\":\"pid\"},{\"type\":\"ipc\",\"path\":\"/proc/7/ns/ipc\"}],"
	"\"sysctl\":{\"kernel.shmmax\":\"1\"}}}",
	NULL,
};

const struct text_target engine_targets[] = {
	{ "cgroup", parse_cgroup, cgroups },
	{ "list", parse_list, lists },
	{ "description", parse_description, descriptions },
	{ "bundle", parse_bundle, bundles },
	{ NULL, NULL, NULL },
};
