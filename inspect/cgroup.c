/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cgroup.c - which container a cgroup's path belongs to; cgroup.h says what for.
 *
 *   Docker      /docker/ID                     .../docker-ID.scope
 *   Podman      /libpod_parent/libpod-ID       .../libpod-ID.scope/container
 *   in a pod    /libpod_parent/POD/libpod-ID
 *   containerd  /default/ID, .../podUID/ID     .../cri-containerd-ID.scope
 *   CRI-O       .../crio-ID                    .../crio-ID.scope
 *   runc told systemd's words without systemd  .../SLICE:cri-containerd:ID
 *
 * The monitors that stand beside containers (libpod-conmon-ID, crio-conmon-ID) are
 * none: what follows the engine's own word there is no id.
 */
#include <string.h>

#include "cgroup.h"

#define LONGEST_PATH 4096u /* PATH_MAX: of any */
#define UID_LONGEST  36u
#define UID_STATIC   32u /* of a pod that a file on the machine describes */

/* A part of the text, without an end of its own. */
struct span {
	const char *text;
	size_t length;
};

static bool is(struct span s, const char *word)
{
	return s.length == strlen(word) && memcmp(s.text, word, s.length) == 0;
}

static bool ends(struct span s, const char *word)
{
	size_t length = strlen(word);

	return s.length >= length && memcmp(s.text + s.length - length, word, length) == 0;
}

static struct span skip(struct span s, size_t bytes)
{
	return (struct span){ s.text + bytes, s.length - bytes };
}

/* Up to @end, which is taken off @rest too. */
static struct span take(struct span *rest, char end)
{
	const char *at = memchr(rest->text, end, rest->length);
	struct span first = { rest->text, at ? (size_t)(at - rest->text) : rest->length };

	*rest = skip(*rest, first.length + (at ? 1 : 0));
	return first;
}

static bool is_hex(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
}

static bool is_id(struct span s)
{
	if (s.length != CGROUP_ID_DIGITS)
		return false;
	for (size_t i = 0; i < s.length; i++)
		if (!is_hex(s.text[i]))
			return false;
	return true;
}

/* What engines put before an id, in the name itself or as the folder's. */
static const struct {
	const char *word;
	enum engine engine;
} words[] = {
	{ "docker", ENGINE_DOCKER },
	{ "libpod", ENGINE_PODMAN },
	{ "libpod-payload", ENGINE_PODMAN }, /* crun's, where Podman splits cgroups */
	{ "cri-containerd", ENGINE_CONTAINERD },
	{ "nerdctl", ENGINE_CONTAINERD },
	{ "default", ENGINE_CONTAINERD }, /* namespaces of containerd */
	{ "k8s.io", ENGINE_CONTAINERD },
	{ "crio", ENGINE_CRIO },
};

static enum engine engine_of(struct span word)
{
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (is(word, words[i].word))
			return words[i].engine;
	return ENGINE_NONE;
}

/* "8-4-4-4-12", where systemd's names have "_" for "-", or digits alone */
static bool is_uid(struct span s)
{
	if (s.length != UID_LONGEST && s.length != UID_STATIC)
		return false;
	for (size_t i = 0; i < s.length; i++) {
		bool dash = s.length == UID_LONGEST && (i == 8 || i == 13 || i == 18 || i == 23);

		if (dash ? s.text[i] != '-' && s.text[i] != '_' : !is_hex(s.text[i]))
			return false;
	}
	return true;
}

/* The uid in "podUID", "kubepods-burstable-podUID.slice", "kubelet-kubepods-podUID.slice" */
static struct span pod_uid(struct span name)
{
	static const size_t lengths[] = { UID_LONGEST, UID_STATIC };
	const struct span none = { "", 0 };

	if (ends(name, ".slice"))
		name.length -= strlen(".slice");
	for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
		struct span before = name, uid;

		if (name.length < lengths[i])
			continue;
		before.length -= lengths[i];
		uid = skip(name, before.length);
		if (is_uid(uid) && (is(before, "pod") || ends(before, "-pod")))
			return uid;
	}
	return none;
}

/* What one path says; spans into the text. */
struct place {
	enum engine engine;
	struct span id, pod;
};

/*
 * An id with the engine's word before it: "docker-ID.scope", "SLICE:docker:ID".
 * Another's word is another engine's, unless it is a monitor's.
 */
static bool named_id(struct span name, struct place *out)
{
	struct span word = name;
	size_t at;

	if (ends(name, ".scope"))
		name.length -= strlen(".scope");
	if (name.length <= CGROUP_ID_DIGITS + 1)
		return false;
	at = name.length - CGROUP_ID_DIGITS;
	word.length = at - 1;
	if (!is_id(skip(name, at)) || (name.text[at - 1] != '-' && name.text[at - 1] != ':') ||
	    ends(word, "conmon"))
		return false;
	if (name.text[at - 1] == ':')
		while (memchr(word.text, ':', word.length))
			take(&word, ':');
	out->engine = engine_of(word);
	if (out->engine == ENGINE_NONE)
		out->engine = ENGINE_OTHER;
	out->id = skip(name, at);
	return true;
}

/* A folder whose name is the id alone: the one above it tells whose. */
static void bare_id(struct span name, struct span above, struct place *out)
{
	out->id = name;
	out->engine = engine_of(above);
	/* Kubernetes' own folders: CRI-O's have its word, so it is containerd. */
	if (out->engine == ENGINE_NONE && pod_uid(above).length != 0)
		out->engine = ENGINE_CONTAINERD;
	if (out->engine == ENGINE_NONE)
		out->engine = ENGINE_OTHER;
}

static struct place place_of(struct span path)
{
	struct place p = { 0 };
	struct span above = { "", 0 };

	while (path.length != 0) {
		struct span name = take(&path, '/'), slice = name, uid;

		uid = pod_uid(take(&slice, ':')); /* also of "kubepods-podUID.slice:crio:ID" */
		if (uid.length != 0)
			p.pod = uid;
		if (!is_id(name))
			named_id(name, &p);
		else if (!is(above, "libpod_parent")) /* a pod's, with monitors in it */
			bare_id(name, above, &p);
		if (name.length != 0)
			above = name;
	}
	return p;
}

/* A comma-separated list has "memory". */
static bool has_memory(struct span controllers)
{
	while (controllers.length != 0)
		if (is(take(&controllers, ','), "memory"))
			return true;
	return false;
}

struct line {
	bool unified, memory;
	struct span path;
};

/* "4:memory:/docker/ID"; the path of a cgroup that was removed has a word after it. */
static bool read_line(struct span text, struct line *line)
{
	struct span number = take(&text, ':'), controllers = take(&text, ':');

	line->unified = is(number, "0") && controllers.length == 0;
	line->memory = has_memory(controllers);
	if (ends(text, " (deleted)"))
		text.length -= strlen(" (deleted)");
	if (text.length > LONGEST_PATH)
		text.length = LONGEST_PATH;
	line->path = text;
	return number.length != 0 && text.length != 0 && text.text[0] == '/';
}

static const char *uid_text(struct memory *m, struct span uid)
{
	char text[UID_LONGEST];

	for (size_t i = 0; i < uid.length; i++)
		text[i] = uid.text[i] == '_' ? '-' : uid.text[i];
	return memory_copy(m, text, uid.length);
}

bool cgroup_parse(const char *text, size_t length, struct memory *m, struct cgroup *out)
{
	struct span rest = { text, length }, charged = { "/", 1 };
	struct place place = { 0 };
	bool any = false, memory = false;

	while (rest.length != 0) {
		struct line line;
		struct place here;
		bool charges;

		if (!read_line(take(&rest, '\n'), &line))
			continue;
		any = true;
		charges = line.memory || (line.unified && !memory);
		memory = memory || line.memory;
		if (charges)
			charged = line.path;
		/* A process may be in a container by some hierarchies alone: memory's word counts.
		 */
		here = place_of(line.path);
		if (here.engine != ENGINE_NONE && (place.engine == ENGINE_NONE || charges))
			place = here;
		else if (here.pod.length != 0 && place.pod.length == 0)
			place.pod = here.pod;
	}
	out->engine = place.engine;
	out->id = place.engine == ENGINE_NONE ? "" : memory_copy(m, place.id.text, place.id.length);
	out->pod_uid = place.pod.length == 0 ? "" : uid_text(m, place.pod);
	out->path = memory_printable(m, charged.text, charged.length, LONGEST_PATH);
	return any;
}
