/* SPDX-License-Identifier: Apache-2.0 */
/*
 * engine.h - what container engines say of their containers: names for ids, how
 * they were configured, and those that are stopped.
 *
 * Docker and Podman are asked over their unix sockets; containerd and CRI-O leave
 * annotations in each container's OCI bundle.  All of it is a stranger's text:
 * bounded, and made printable.  An engine that does not answer costs two seconds
 * at most.
 */
#ifndef COSHM_INSPECT_ENGINE_H
#define COSHM_INSPECT_ENGINE_H

#include "inspect.h"

/*
 * engines_name - fill in the containers that a scan has found.
 * @s: its containers have engine, id, pid and process; they are memory_add()'s
 *
 * Adds those that have no process.  Where no engine tells, a name is the id's
 * first 12 digits, and a remark says what to do.  @s->pid_host must be right: an
 * engine's pid is the machine's.
 */
void engines_name(struct snapshot *s, const struct inspect_opts *opts);

/*
 * A new container at the end of @s's: texts "", indexes NOBODY; NULL if there is
 * no memory.  @id: a text that lives as long as @s.
 */
struct container *engine_container(struct snapshot *s, enum engine engine, const char *id);

#endif /* COSHM_INSPECT_ENGINE_H */
