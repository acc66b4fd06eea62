/* SPDX-License-Identifier: Apache-2.0 */
/*
 * engine_answer.c - Docker's answers, and Podman's, which are the same but for
 * what it adds:
 *
 *   a list         an array of containers: Id Names Image Labels State, PodName
 *   a description  of one: State HostConfig Config Mounts, OCIRuntime
 */
#include <string.h>

#include "engine_parts.h"

#define LONGEST_NAME  255u
#define LONGEST_IMAGE 512u
#define LONGEST_PATH  4096u
#define LONGEST_WORD  128u

static enum container_state state_of(const json_t *word)
{
	static const struct {
		const char *word;
		enum container_state state;
	} states[] = {
		{ "running", CONTAINER_RUNNING },    { "restarting", CONTAINER_RUNNING },
		{ "stopping", CONTAINER_RUNNING },   { "paused", CONTAINER_PAUSED },
		{ "created", CONTAINER_STOPPED },    { "exited", CONTAINER_STOPPED },
		{ "dead", CONTAINER_STOPPED },       { "removing", CONTAINER_STOPPED },
		{ "configured", CONTAINER_STOPPED }, { "initialized", CONTAINER_STOPPED },
		{ "stopped", CONTAINER_STOPPED },
	};
	const char *text = json_string_value(word);

	for (size_t i = 0; text && i < sizeof(states) / sizeof(states[0]); i++)
		if (strcmp(text, states[i].word) == 0)
			return states[i].state;
	return CONTAINER_UNKNOWN;
}

/* Docker's begin with "/"; one with another "/" is what a linked container calls it. */
static const char *own_name(struct memory *m, const json_t *names)
{
	const json_t *name;
	size_t i;

	json_array_foreach((json_t *)names, i, name)
	{
		const char *text = json_string_value(name);

		if (!text)
			continue;
		if (text[0] == '/')
			text++;
		if (!strchr(text, '/'))
			return memory_printable(m, text, strlen(text), LONGEST_NAME);
	}
	return "";
}

/* The first of two labels that is there; @now if none is. */
static const char *label(struct memory *m, const json_t *labels, const char *name,
			 const char *other, const char *now)
{
	const char *text = json_text(m, json_object_get(labels, name), LONGEST_NAME);

	if (text[0] == '\0')
		text = json_text(m, json_object_get(labels, other), LONGEST_NAME);
	return text[0] == '\0' ? now : text;
}

static void take_labels(struct memory *m, struct container *c, const json_t *labels)
{
	c->service = label(m, labels, "com.docker.compose.service", "io.podman.compose.service",
			   c->service);
	c->project = label(m, labels, "com.docker.compose.project", "io.podman.compose.project",
			   c->project);
	c->pod = label(m, labels, "io.kubernetes.pod.name", "", c->pod);
	c->pod_namespace = label(m, labels, "io.kubernetes.pod.namespace", "", c->pod_namespace);
}

static void take_listed(struct memory *m, struct container *c, enum engine engine,
			const json_t *one)
{
	const char *pod = json_text(m, json_object_get(one, "PodName"), LONGEST_NAME);
	const char *name = own_name(m, json_object_get(one, "Names"));

	if (name[0] != '\0')
		c->name = name;
	c->engine = engine; /* a cgroup's path is a guess, if somebody has chosen its parent */
	c->named = true;
	c->state = state_of(json_object_get(one, "State"));
	c->image = json_text(m, json_object_get(one, "Image"), LONGEST_IMAGE);
	if (pod[0] != '\0')
		c->pod = pod;
	take_labels(m, c, json_object_get(one, "Labels"));
}

bool answer_list(struct naming *n, enum engine engine, const char *text, size_t length)
{
	json_t *list = json_loadb(text, length, 0, NULL);
	bool whole = json_is_array(list);
	const json_t *one;
	size_t i;

	json_array_foreach(list, i, one)
	{
		const json_t *id = json_object_get(one, "Id");
		int at = NOBODY;

		if (json_is_id(id))
			at = naming_add(n, engine, json_string_value(id),
					json_uint(json_object_get(one, "Pid")));

		/* Two engines may know one container, where the one's socket is the other's. */
		if (at != NOBODY && !n->s->containers[at].named)
			take_listed(n->s->memory, &n->s->containers[at], engine, one);
	}
	json_decref(list);
	return whole;
}

/* A volume's name, a path of the machine, or what else it is. */
static const char *own_shm(struct memory *m, const json_t *d, const json_t *host)
{
	const json_t *mount;
	size_t i;

	json_array_foreach(json_object_get(d, "Mounts"), i, mount)
	{
		static const char *const says[] = { "Name", "Source", "Type" };
		const char *at = json_string_value(json_object_get(mount, "Destination"));

		if (!at || strcmp(at, "/dev/shm") != 0)
			continue;
		for (size_t j = 0; j < sizeof(says) / sizeof(says[0]); j++) {
			const json_t *what = json_object_get(mount, says[j]);

			if (json_string_length(what) != 0)
				return json_text(m, what, LONGEST_PATH);
		}
	}
	return json_object_get(json_object_get(host, "Tmpfs"), "/dev/shm") ? "tmpfs" : "";
}

/* Both sides' last arguments are the container's own command: where the engine's end. */
static size_t engine_arguments(const json_t *create, const json_t *command)
{
	size_t count = json_array_size(create), own = json_array_size(command);

	while (count != 0 && own != 0 &&
	       json_equal(json_array_get(create, count - 1), json_array_get(command, own - 1))) {
		count--;
		own--;
	}
	return count;
}

/* Of "--OPTION VALUE" and "--OPTION=VALUE" from @at on; NULL if it is another. */
static const char *option_value(const json_t *create, size_t at, const char *option)
{
	const char *text = json_string_value(json_array_get(create, at));
	size_t length = strlen(option);

	if (!text || strncmp(text, option, length) != 0)
		return NULL;
	if (text[length] == '=')
		return text + length + 1;
	return text[length] == '\0' ? json_string_value(json_array_get(create, at + 1)) : NULL;
}

static void add_sysctl(struct memory *m, struct container *c, const char *text)
{
	const char *more;

	if (!ipc_sysctl(text) || !strchr(text, '=') || strlen(c->sysctls) > LONGEST_NAME)
		return;
	more = memory_printable(m, text, strlen(text), LONGEST_WORD);
	c->sysctls = memory_print(m, "%s%s%s", c->sysctls, c->sysctls[0] ? " " : "", more);
}

/*
 * Podman 4 leaves sysctls out of its description, and calls private what is
 * shareable; it tells how the container was made, though.
 */
static void take_create_command(struct memory *m, struct container *c, const json_t *config)
{
	const json_t *create = json_object_get(config, "CreateCommand");
	size_t end = engine_arguments(create, json_object_get(config, "Cmd"));
	bool untold = c->sysctls[0] == '\0';

	for (size_t i = 0; i < end; i++) {
		const char *value = option_value(create, i, "--ipc");

		if (value && strcmp(value, "private") == 0 && strcmp(c->ipc_mode, "shareable") == 0)
			c->ipc_mode = "private";
		value = option_value(create, i, "--sysctl");
		if (value && untold)
			add_sysctl(m, c, value);
	}
}

static void take_host(struct memory *m, struct container *c, const json_t *host)
{
	c->ipc_mode = json_text(m, json_object_get(host, "IpcMode"), LONGEST_NAME);
	c->pid_mode = json_text(m, json_object_get(host, "PidMode"), LONGEST_NAME);
	c->runtime = json_text(m, json_object_get(host, "Runtime"), LONGEST_NAME);
	c->shm_size = json_uint(json_object_get(host, "ShmSize"));
	c->privileged = json_is_true(json_object_get(host, "Privileged"));
	c->sysctls = json_sysctls(m, json_object_get(host, "Sysctls"));
	if (strncmp(c->ipc_mode, "container:", 10) == 0)
		c->donor_id = c->ipc_mode + 10;
}

/* The first process as the engine knows it; what we took for it may be an exec'd one. */
static void take_pid(struct naming *n, int container, const json_t *pid)
{
	struct container *c = &n->s->containers[container];
	int at = naming_process(n, json_uint(pid));
	struct process *p;

	if (at == NOBODY || at == c->process)
		return;
	p = &n->s->processes[at];
	if (p->container != NOBODY && p->container != container)
		return;
	p->container = container;
	c->pid = p->pid;
	c->process = at;
	c->ipcns = p->ipcns;
	c->shm_area = p->shm_area;
}

bool answer_describe(struct naming *n, int container, const char *text, size_t length)
{
	struct memory *m = n->s->memory;
	struct container *c = &n->s->containers[container];
	json_t *d = json_loadb(text, length, 0, NULL);
	const json_t *host = json_object_get(d, "HostConfig");
	const json_t *state = json_object_get(d, "State");
	const json_t *config = json_object_get(d, "Config");
	const json_t *id = json_object_get(d, "Id");
	bool own =
		json_is_object(host) && json_is_id(id) && strcmp(json_string_value(id), c->id) == 0;

	if (own) {
		take_host(m, c, host);
		take_create_command(m, c, config);
		c->own_shm = own_shm(m, d, host);
		c->started_ns = json_moment(json_object_get(state, "StartedAt"));
		if (json_is_string(json_object_get(d, "OCIRuntime"))) /* Podman's */
			c->runtime = json_text(m, json_object_get(d, "OCIRuntime"), LONGEST_PATH);
		take_pid(n, container, json_object_get(state, "Pid"));
	}
	json_decref(d);
	return own;
}
