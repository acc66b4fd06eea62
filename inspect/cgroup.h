/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cgroup.h - /proc/PID/cgroup: whose container a process is in, by where its
 * engine has put it, and who pays for its memory.
 */
#ifndef COSHM_INSPECT_CGROUP_H
#define COSHM_INSPECT_CGROUP_H

#include "inspect.h"
#include "memory.h"

#define CGROUP_ID_DIGITS 64u

struct cgroup {
	enum engine engine;  /* ENGINE_NONE: in no container whose engine we know          */
	const char *id;      /* 64 hexadecimal digits of a container, or ""                 */
	const char *pod_uid; /* of Kubernetes, "8-4-4-4-12" or 32 digits, or ""             */
	const char *path; /* of its memory cgroup, "/" at least: who is charged; made printable */
};

/*
 * cgroup_parse - versions 1, 2 and both at once; the innermost container wins.
 *
 * False if the text has no line that is one, as of a process that is gone: then
 * @out is that of a process of no container.
 */
bool cgroup_parse(const char *text, size_t length, struct memory *m, struct cgroup *out);

#endif /* COSHM_INSPECT_CGROUP_H */
