/* SPDX-License-Identifier: Apache-2.0 */
/*
 * engine.c - asks each engine for its list of containers, and then to describe
 * those that have processes here, and those that such a one has joined.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "engine_parts.h"

#define MOST_SOCKETS 8u
#define MOST_JOINED  16 /* of a container that joined one that joined one ... */

const char *engine_name(enum engine engine)
{
	static const char *const names[] = {
		[ENGINE_NONE] = "none",     [ENGINE_DOCKER] = "docker",
		[ENGINE_PODMAN] = "podman", [ENGINE_CONTAINERD] = "containerd",
		[ENGINE_CRIO] = "cri-o",    [ENGINE_OTHER] = "other",
	};

	return engine <= ENGINE_OTHER ? names[engine] : "other";
}

/* How an engine is asked. */
struct api {
	enum engine engine;
	const char *title;
	const char *host_variable;
	const char *folder; /* recorded */
	const char *prefix; /* of requests */
	const char *sockets[3];
	const char *user_socket; /* below $XDG_RUNTIME_DIR */
};

/* Podman first: Docker's socket may be a link to its, and its own words say more. */
static const struct api apis[] = {
	{ ENGINE_PODMAN,
	  "Podman",
	  "CONTAINER_HOST",
	  "api/podman",
	  "/v4.0.0/libpod",
	  { "/run/podman/podman.sock" },
	  "podman/podman.sock" },
	{ ENGINE_DOCKER,
	  "Docker",
	  "DOCKER_HOST",
	  "api/docker",
	  "",
	  { "/var/run/docker.sock", "/run/docker.sock" },
	  "docker.sock" },
};

#define API_COUNT (sizeof(apis) / sizeof(apis[0]))

/* What came of asking one. */
struct outcome {
	bool answered;
	unsigned int undescribed;
	char where[256], why[256];
};

/* Sockets that were asked, by any engine's words. */
struct asked {
	dev_t dev[MOST_SOCKETS];
	ino_t ino[MOST_SOCKETS];
	unsigned int count;
};

/*
 * One container, and the one that it joined if that has no process to be described
 * for.  False if the engine does not: a container that is gone is no lack.
 */
static bool describe(struct naming *n, const struct api *api, struct source *source, int container)
{
	char target[128], file[128], why[256];
	struct answer answer;

	for (int i = 0; i < MOST_JOINED && container != NOBODY; i++) {
		const struct container *c = &n->s->containers[container];

		if (c->engine != api->engine || !c->named || c->ipc_mode[0] != '\0')
			return true;
		snprintf(target, sizeof(target), "%s/containers/%s/json", api->prefix, c->id);
		snprintf(file, sizeof(file), "inspect-%s.json", c->id);
		if (!source_get(source, target, file, &answer, why))
			return answer.gone;
		answer_describe(n, container, answer.text, answer.length);
		free(answer.text);
		container = naming_find(n, n->s->containers[container].donor_id);
	}
	return true;
}

static void ask(struct naming *n, const struct api *api, struct source *source,
		struct outcome *outcome)
{
	struct answer answer;
	char target[64];

	snprintf(target, sizeof(target), "%s/containers/json?all=true", api->prefix);
	if (!source || !source_get(source, target, "containers.json", &answer, outcome->why)) {
		source_close(source);
		return;
	}
	if (answer_list(n, api->engine, answer.text, answer.length))
		outcome->answered = true;
	else
		snprintf(outcome->why, sizeof(outcome->why), "its answer is no list of containers");
	free(answer.text);
	for (unsigned int i = 0; i < n->s->container_count; i++)
		if ((n->stopped || n->s->containers[i].process != NOBODY) &&
		    !describe(n, api, source, (int)i))
			outcome->undescribed++;
	source_close(source);
}

/* Not one that has been asked under another name. */
static bool is_new(struct asked *asked, const char *path)
{
	struct stat st;

	if (stat(path, &st) != 0 || !S_ISSOCK(st.st_mode) || asked->count == MOST_SOCKETS)
		return false;
	for (unsigned int i = 0; i < asked->count; i++)
		if (asked->dev[i] == st.st_dev && asked->ino[i] == st.st_ino)
			return false;
	asked->dev[asked->count] = st.st_dev;
	asked->ino[asked->count++] = st.st_ino;
	return true;
}

static void ask_socket(struct naming *n, const struct api *api, struct asked *asked,
		       const char *root, const char *path, struct outcome *outcome)
{
	char full[256];

	if (snprintf(full, sizeof(full), "%s%s", root, path) >= (int)sizeof(full) ||
	    !is_new(asked, full))
		return;
	if (!outcome->answered)
		snprintf(outcome->where, sizeof(outcome->where), "%s", full);
	ask(n, api, source_socket(full), outcome);
}

/* In a container that sees the machine's processes, its sockets are below its first one's root. */
static void ask_usual(struct naming *n, const struct api *api, struct asked *asked,
		      struct outcome *outcome)
{
	const char *runtime = getenv("XDG_RUNTIME_DIR");
	char path[256];

	for (size_t i = 0; api->sockets[i]; i++)
		ask_socket(n, api, asked, "", api->sockets[i], outcome);
	if (runtime &&
	    snprintf(path, sizeof(path), "%s/%s", runtime, api->user_socket) < (int)sizeof(path))
		ask_socket(n, api, asked, "", path, outcome);
	for (size_t i = 0; n->s->pid_host && api->sockets[i]; i++)
		ask_socket(n, api, asked, "/proc/1/root", api->sockets[i], outcome);
}

static void ask_engine(struct naming *n, const struct api *api, const char *root,
		       struct asked *asked, struct outcome *outcome)
{
	const char *host = getenv(api->host_variable);
	char path[4096];

	if (root) {
		snprintf(path, sizeof(path), "%s/%s", root, api->folder);
		snprintf(outcome->where, sizeof(outcome->where), "%s", api->folder);
		ask(n, api, source_folder(path), outcome);
	} else if (!host || host[0] == '\0') {
		ask_usual(n, api, asked, outcome);
	} else if (strncmp(host, "unix://", 7) == 0) {
		snprintf(outcome->where, sizeof(outcome->where), "%s", host + 7);
		ask_socket(n, api, asked, "", host + 7, outcome);
	} else {
		snprintf(outcome->where, sizeof(outcome->where), "%s", host);
		snprintf(outcome->why, sizeof(outcome->why), "%s names no unix socket",
			 api->host_variable);
	}
}

static void remark(struct snapshot *s, const char *text)
{
	const char **entry = memory_add(s->memory, s->remarks, s->remark_count);

	if (entry)
		*entry = text;
}

/* Containers that have an id and no name. */
static unsigned int unnamed(const struct snapshot *s, enum engine engine)
{
	unsigned int count = 0;

	for (unsigned int i = 0; i < s->container_count; i++)
		if (s->containers[i].engine == engine && !s->containers[i].named)
			count++;
	return count;
}

/*
 * A container has no socket of its engine, as a rule.  Who looks from inside of one
 * and sees no other knows where he is, and misses no name.
 */
static bool is_own(const struct snapshot *s, enum engine engine)
{
	int own = s->own_process == NOBODY ? NOBODY : s->processes[s->own_process].container;

	return own != NOBODY && s->containers[own].engine == engine && !s->containers[own].named;
}

static const char *what_helps(enum engine engine, const struct outcome *o)
{
	if (strcmp(o->why, strerror(EACCES)) == 0)
		return "; run as root, or as somebody who may use it";
	if (engine != ENGINE_PODMAN)
		return "";
	return geteuid() == 0 ? "; systemctl start podman.socket lets Podman answer" :
				"; systemctl --user start podman.socket lets Podman answer";
}

static void remark_on(struct snapshot *s, const struct api *api, const struct outcome *o)
{
	const char *where = memory_printable(s->memory, o->where, sizeof(o->where), 255);
	unsigned int count = unnamed(s, api->engine);

	if (o->undescribed != 0)
		remark(s, memory_print(s->memory, "%s at %s did not describe %u containers in time",
				       api->title, where, o->undescribed));
	if (count == 0)
		return;
	if (o->answered)
		remark(s, memory_print(s->memory,
				       "%s at %s does not know %u of the containers here: they "
				       "have ids in place of names",
				       api->title, where, count));
	else if (where[0] != '\0')
		remark(s, memory_print(s->memory,
				       "%s does not answer at %s (%s): its containers have ids in "
				       "place of names%s",
				       api->title, where, o->why[0] ? o->why : "no socket",
				       what_helps(api->engine, o)));
	else if (count > 1 || !is_own(s, api->engine))
		remark(s, memory_print(s->memory,
				       "%s has no socket here: its containers have ids in place "
				       "of names%s",
				       api->title, what_helps(api->engine, o)));
}

/* Those that have no API for us. */
static void remark_on_bundles(struct snapshot *s)
{
	if (unnamed(s, ENGINE_CONTAINERD) != 0 || unnamed(s, ENGINE_CRIO) != 0)
		remark(s,
		       "containerd's and CRI-O's files in /run tell no names of some containers: "
		       "they have ids in place of names; root may read them");
}

static void name_by_id(struct snapshot *s)
{
	for (unsigned int i = 0; i < s->container_count; i++) {
		struct container *c = &s->containers[i];

		if (c->name[0] == '\0')
			c->name = memory_printable(s->memory, c->id, strlen(c->id), ID_SHORT);
	}
}

static void find_donors(struct naming *n)
{
	for (unsigned int i = 0; i < n->s->container_count; i++) {
		struct container *c = &n->s->containers[i];

		c->donor = naming_find(n, c->donor_id);
		if (c->donor == (int)i)
			c->donor = NOBODY;
	}
}

void engines_name(struct snapshot *s, const struct inspect_opts *opts)
{
	struct naming n = { .s = s, .stopped = opts->describe_stopped };
	struct outcome outcomes[API_COUNT] = { 0 };
	struct asked asked = { 0 };

	if (opts->no_engines || !naming_index(&n)) {
		name_by_id(s);
		return;
	}
	for (size_t i = 0; i < API_COUNT; i++)
		ask_engine(&n, &apis[i], opts->root, &asked, &outcomes[i]);
	oci_name(&n, opts->root ? opts->root : "");
	for (size_t i = 0; i < API_COUNT; i++)
		remark_on(s, &apis[i], &outcomes[i]);
	remark_on_bundles(s);
	name_by_id(s);
	find_donors(&n);
}
