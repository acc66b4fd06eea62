/* SPDX-License-Identifier: Apache-2.0 */
/*
 * engine_parts.h - the parts of engine.h, among themselves.
 *
 *   engine.c         whom to ask, for what, and what to say if nobody answers
 *   engine_naming.c  which container an id is of
 *   engine_http.c    a socket, or a recorded folder, and the texts it gives
 *   engine_json.c    values of JSON: bounded, printable
 *   engine_answer.c  Docker's lists and descriptions, and what Podman adds to them
 *   engine_oci.c     bundles of containerd, CRI-O and Podman
 */
#ifndef COSHM_INSPECT_ENGINE_PARTS_H
#define COSHM_INSPECT_ENGINE_PARTS_H

#include <jansson.h>

#include "engine.h"
#include "memory.h"

#define ID_DIGITS      64u
#define ID_SHORT       12u
#define LONGEST_ANSWER ((size_t)16 << 20)

/* engine_naming.c: containers by id; on the way a snapshot's array grows, so they go by index. */
struct naming {
	struct snapshot *s;
	unsigned int *slots; /* of a hash table: index + 1, or 0 */
	unsigned int slot_count, added;
	bool stopped; /* those without a process are described, too */
};

/* False: no memory. */
bool naming_index(struct naming *n);
/* NOBODY: there is none. */
int naming_find(const struct naming *n, const char *id);
/*
 * The one of this id, or a new one; NOBODY if that cannot be.  @pid, if it is not
 * 0, is its first process's: of a container that has no cgroup, and so no id yet.
 */
int naming_add(struct naming *n, enum engine engine, const char *id, uint64_t pid);
/* The process that an engine knows by this pid; NOBODY: it is not to be seen from here. */
int naming_process(const struct naming *n, uint64_t pid);

/* engine_http.c */
struct source;

struct answer {
	char *text;
	size_t length, room;
	bool gone; /* there is no such thing */
};

/* Whom we ask: its socket's path, and once connected its deadline.  NULL: no memory. */
struct source *source_socket(const char *path);
/* A folder of recorded answers. */
struct source *source_folder(const char *path);
void source_close(struct source *s);
/*
 * @target: of an HTTP request; @file: of a recorded answer.  False, with @why for
 * people, if there is no whole answer; else free() the text.
 */
bool source_get(struct source *s, const char *target, const char *file, struct answer *answer,
		char why[256]);

/* engine_json.c: NULL is no object, its members are NULL, and NULL's text is "" */
const char *json_text(struct memory *m, const json_t *value, size_t most);
uint64_t json_uint(const json_t *value);
bool json_is_id(const json_t *value);
/* RFC 3339, or seconds; 0 for neither, and for what is before 1970 */
int64_t json_moment(const json_t *value);
/* Those of an object of sysctls that are of IPC: "NAME=VALUE NAME=VALUE" */
const char *json_sysctls(struct memory *m, const json_t *sysctls);
bool ipc_sysctl(const char *name);

/* engine_answer.c: false if it is no answer of this kind */
bool answer_list(struct naming *n, enum engine engine, const char *text, size_t length);
bool answer_describe(struct naming *n, int container, const char *text, size_t length);

/* engine_oci.c */
bool oci_bundle(struct naming *n, int container, const char *text, size_t length);
/* All containers that no engine has named, from the bundles below @root. */
void oci_name(struct naming *n, const char *root);

#endif /* COSHM_INSPECT_ENGINE_PARTS_H */
