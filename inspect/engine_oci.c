/* SPDX-License-Identifier: Apache-2.0 */
/*
 * engine_oci.c - names of containerd's and CRI-O's containers, from the bundle
 * that each was started with.  Docker's and Podman's have no names in theirs, but
 * if they do not answer, they still tell who joined whom.
 *
 * Neither has an API that takes JSON, but both write what Kubernetes calls the
 * container into its config.json, among the annotations, and there is how its
 * namespaces, sysctls and /dev/shm were set up as well.
 */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine_parts.h"

#define LONGEST_NAME  255u
#define LONGEST_IMAGE 512u
#define LONGEST_PATH  4096u

/* The same thing in CRI-O's, containerd's and nerdctl's words. */
static const char *const names[] = { "io.kubernetes.container.name",
				     "io.kubernetes.cri.container-name", "nerdctl/name", NULL };
static const char *const pods[] = { "io.kubernetes.pod.name", "io.kubernetes.cri.sandbox-name",
				    NULL };
static const char *const pod_namespaces[] = { "io.kubernetes.pod.namespace",
					      "io.kubernetes.cri.sandbox-namespace", NULL };
static const char *const images[] = { "io.kubernetes.cri-o.ImageName",
				      "io.kubernetes.cri.image-name", NULL };
static const char *const sandboxes[] = { "io.kubernetes.cri-o.SandboxID",
					 "io.kubernetes.cri.sandbox-id", NULL };
static const char *const types[] = { "io.kubernetes.cri-o.ContainerType",
				     "io.kubernetes.cri.container-type", NULL };

static const json_t *annotation(const json_t *annotations, const char *const *keys)
{
	for (; *keys; keys++) {
		const json_t *value = json_object_get(annotations, *keys);

		if (json_string_length(value) != 0)
			return value;
	}
	return NULL;
}

static void take_text(struct memory *m, const char **to, const json_t *value, size_t most)
{
	if (json_is_string(value))
		*to = json_text(m, value, most);
}

/* Of a namespace's entry in linux.namespaces; NULL: it stays in the machine's. */
static const json_t *namespace_of(const json_t *parts, const char *type)
{
	const json_t *one;
	size_t i;

	json_array_foreach(json_object_get(parts, "namespaces"), i, one)
	{
		const char *text = json_string_value(json_object_get(one, "type"));

		if (text && strcmp(text, type) == 0)
			return one;
	}
	return NULL;
}

/* What is mounted at /dev/shm; NULL: nothing. */
static const json_t *shm_mount(const json_t *bundle)
{
	const json_t *mount;
	size_t i;

	json_array_foreach(json_object_get(bundle, "mounts"), i, mount)
	{
		const char *at = json_string_value(json_object_get(mount, "destination"));

		if (at && strcmp(at, "/dev/shm") == 0)
			return mount;
	}
	return NULL;
}

/* The ID in ".../ID/mounts/shm" or ".../ID/userdata/shm", a folder of the engine's; or "". */
static const char *shm_owner(struct memory *m, const json_t *mount)
{
	static const char *const folders[] = { "/mounts/shm", "/userdata/shm" };
	const char *source = json_string_value(json_object_get(mount, "source"));

	for (size_t i = 0; source && i < sizeof(folders) / sizeof(folders[0]); i++) {
		size_t length = strlen(source), after = strlen(folders[i]) + ID_DIGITS;
		const char *id;

		if (length <= after)
			continue;
		id = source + length - after;
		if (strcmp(id + ID_DIGITS, folders[i]) == 0 &&
		    strspn(id, "0123456789abcdef") == ID_DIGITS)
			return memory_copy(m, id, ID_DIGITS);
	}
	return "";
}

static void join(struct memory *m, struct container *c, const char *donor)
{
	c->donor_id = donor;
	c->ipc_mode = memory_print(m, "container:%s", donor);
}

/* Of one that has a namespace of its own: may others join it? */
static const char *unjoined_mode(const struct container *c, const char *type, const char *owner)
{
	if (type) /* in a pod, only the sandbox is there to be joined */
		return strcmp(type, "sandbox") == 0 ? "shareable" : "private";
	if (c->engine == ENGINE_PODMAN)
		return ""; /* both look the same */
	return strcmp(owner, c->id) == 0 ? "shareable" : "private";
}

/*
 * A pod's containers join its sandbox.  What joins another, outside of pods, has the
 * other's /dev/shm as well, and that tells whom.
 */
static void take_ipc(struct memory *m, struct container *c, const json_t *bundle)
{
	const json_t *annotations = json_object_get(bundle, "annotations");
	const json_t *parts = json_object_get(bundle, "linux");
	const json_t *ipc = namespace_of(parts, "ipc");
	const json_t *sandbox = annotation(annotations, sandboxes);
	const char *type = json_string_value(annotation(annotations, types));
	const char *owner = shm_owner(m, shm_mount(bundle));

	if (!json_is_array(json_object_get(parts, "namespaces")))
		return;
	if (!namespace_of(parts, "pid"))
		c->pid_mode = "host";
	if (!ipc)
		c->ipc_mode = "host";
	else if (!json_object_get(ipc, "path"))
		c->ipc_mode = unjoined_mode(c, type, owner);
	else if (json_is_id(sandbox) && strcmp(json_string_value(sandbox), c->id) != 0)
		join(m, c, json_text(m, sandbox, ID_DIGITS));
	else if (owner[0] != '\0' && strcmp(owner, c->id) != 0)
		join(m, c, owner);
}

/* "size=67108864", "size=65536k", "size=64m" among a mount's options */
static uint64_t size_option(const json_t *options)
{
	static const char units[] = "kmg";
	const json_t *option;
	size_t i;

	json_array_foreach((json_t *)options, i, option)
	{
		unsigned long long size;
		const char *at;
		char unit = '\0';

		if (!json_is_string(option) ||
		    sscanf(json_string_value(option), "size=%12llu%c", &size, &unit) < 1)
			continue;
		at = unit != '\0' ? strchr(units, unit | 0x20) : NULL;
		return at ? (uint64_t)size << (10 * (at - units + 1)) : size;
	}
	return 0;
}

/* Engines mount a tmpfs called "shm", or bind one from a folder "shm" of their own. */
static bool is_engines_shm(const char *source)
{
	const char *last = strrchr(source, '/');

	return strcmp(last ? last + 1 : source, "shm") == 0 && !strstr(source, "/volumes/");
}

static void take_shm(struct memory *m, struct container *c, const json_t *mount)
{
	const json_t *source = json_object_get(mount, "source");

	c->shm_size = size_option(json_object_get(mount, "options"));
	if (json_is_string(source) && !is_engines_shm(json_string_value(source)))
		c->own_shm = json_text(m, source, LONGEST_PATH);
}

bool oci_bundle(struct naming *n, int container, const char *text, size_t length)
{
	struct memory *m = n->s->memory;
	struct container *c = &n->s->containers[container];
	json_t *bundle = json_loadb(text, length, 0, NULL);
	const json_t *annotations = json_object_get(bundle, "annotations");
	const json_t *sysctls = json_object_get(json_object_get(bundle, "linux"), "sysctl");
	const json_t *name = annotation(annotations, names);
	const json_t *type = annotation(annotations, types);

	if (!json_is_object(bundle)) {
		json_decref(bundle);
		return false;
	}
	if (name) {
		c->name = json_text(m, name, LONGEST_NAME);
		c->named = true;
	} else if (type && strcmp(json_string_value(type), "sandbox") == 0) {
		c->name = "POD"; /* as Kubernetes' own containers of that kind are called */
		c->named = true;
	}
	take_text(m, &c->pod, annotation(annotations, pods), LONGEST_NAME);
	take_text(m, &c->pod_namespace, annotation(annotations, pod_namespaces), LONGEST_NAME);
	take_text(m, &c->image, annotation(annotations, images), LONGEST_IMAGE);
	take_ipc(m, c, bundle);
	take_shm(m, c, shm_mount(bundle));
	c->sysctls = json_sysctls(m, sysctls);
	json_decref(bundle);
	return true;
}

static void read_bundle(struct naming *n, int container, const char *folder)
{
	struct source *source = source_folder(folder);
	struct answer answer;
	char why[256];

	if (source && source_get(source, "", "config.json", &answer, why)) {
		oci_bundle(n, container, answer.text, answer.length);
		free(answer.text);
	}
	source_close(source);
}

/* Folders named by id below @folder, once each: an id's container is there or it is not. */
static void read_bundles(struct naming *n, const char *folder, const char *below)
{
	DIR *dir = opendir(folder);
	struct dirent *entry;

	while (dir && (entry = readdir(dir))) {
		int at = naming_find(n, entry->d_name);
		char *bundle;

		if (at == NOBODY || n->s->containers[at].named ||
		    asprintf(&bundle, "%s/%s%s", folder, entry->d_name, below) < 0)
			continue;
		read_bundle(n, at, bundle);
		free(bundle);
	}
	if (dir)
		closedir(dir);
}

/* One folder for each of containerd's namespaces: "k8s.io", "default", "moby" */
static void read_namespaces(struct naming *n, const char *tasks)
{
	DIR *dir = opendir(tasks);
	struct dirent *entry;
	char *folder;

	while (dir && (entry = readdir(dir))) {
		if (entry->d_name[0] == '.' || asprintf(&folder, "%s/%s", tasks, entry->d_name) < 0)
			continue;
		read_bundles(n, folder, "");
		free(folder);
	}
	if (dir)
		closedir(dir);
}

void oci_name(struct naming *n, const char *root)
{
	static const char *const tasks[] = {
		"/run/containerd/io.containerd.runtime.v2.task",
		"/run/k3s/containerd/io.containerd.runtime.v2.task",
		"/run/docker/containerd/daemon/io.containerd.runtime.v2.task",
	};
	static const char *const stores[] = {
		"/run/containers/storage/overlay-containers",
		"/var/lib/containers/storage/overlay-containers",
	};
	char path[LONGEST_PATH];

	for (size_t i = 0; i < sizeof(tasks) / sizeof(tasks[0]); i++) {
		snprintf(path, sizeof(path), "%s%s", root, tasks[i]);
		read_namespaces(n, path);
	}
	for (size_t i = 0; i < sizeof(stores) / sizeof(stores[0]); i++) {
		snprintf(path, sizeof(path), "%s%s", root, stores[i]);
		read_bundles(n, path, "/userdata");
	}
}
