/* SPDX-License-Identifier: Apache-2.0 */
/*
 * look.h - looks at a machine that was never there, made by hand, for the tests
 * of what is told about two of them.
 */
#ifndef COSHM_TESTS_UNIT_LOOK_H
#define COSHM_TESTS_UNIT_LOOK_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "coshm.h"
#include "inspect.h"
#include "memory.h"

static inline struct snapshot *look_new(void)
{
	struct memory *m = memory_new();
	struct snapshot *s = memory_get(m, sizeof(*s));

	s->memory = m;
	s->own_process = NOBODY;
	return s;
}

static inline int look_ipcns(struct snapshot *s, uint64_t ino)
{
	*memory_add(s->memory, s->ipcns, s->ipcns_count) =
		(struct ipcns){ .ino = ino, .seen = true };
	return (int)s->ipcns_count - 1;
}

static inline int look_area(struct snapshot *s, unsigned int dev_minor, const char *fs)
{
	*memory_add(s->memory, s->areas, s->area_count) = (struct shm_area){ .dev_minor = dev_minor,
									     .root = "/",
									     .point = "/dev/shm",
									     .fs = fs,
									     .bytes = 64 << 20,
									     .free = 64 << 20,
									     .dev_shm = true,
									     .seen = true };
	return (int)s->area_count - 1;
}

/* Its first process is the next that is added. */
static inline int look_container(struct snapshot *s, const char *name, int ipcns, int area)
{
	*memory_add(s->memory, s->containers, s->container_count) =
		(struct container){ .engine = ENGINE_DOCKER,
				    .state = CONTAINER_RUNNING,
				    .id = name,
				    .name = name,
				    .image = "",
				    .service = "",
				    .project = "",
				    .pod = "",
				    .pod_namespace = "",
				    .donor = NOBODY,
				    .donor_id = "",
				    .ipcns = ipcns,
				    .shm_area = area,
				    .process = (int)s->process_count };
	return (int)s->container_count - 1;
}

static inline int look_process(struct snapshot *s, pid_t pid, uint64_t start, int container,
			       int ipcns, int area)
{
	*memory_add(s->memory, s->processes, s->process_count) =
		(struct process){ .pid = pid,
				  .start_ticks = start,
				  .command = "program",
				  .cgroup = "",
				  .container = container,
				  .ipcns = ipcns,
				  .shm_area = area,
				  .maps_seen = true };
	return (int)s->process_count - 1;
}

static inline int look_object(struct snapshot *s, struct object object)
{
	if (!object.name)
		object.name = "";
	*memory_add(s->memory, s->objects, s->object_count) = object;
	return (int)s->object_count - 1;
}

static inline int look_shm(struct snapshot *s, int ipcns, int64_t id, int32_t key)
{
	return look_object(s, (struct object){ .kind = OBJECT_SHM,
					       .ipcns = ipcns,
					       .area = NOBODY,
					       .key = key,
					       .id = id,
					       .bytes = 4096,
					       .cpid = 100,
					       .ctime = 1000 });
}

static inline int look_file(struct snapshot *s, enum object_kind kind, int area, int64_t inode,
			    const char *name)
{
	return look_object(s, (struct object){ .kind = kind,
					       .ipcns = NOBODY,
					       .area = area,
					       .id = inode,
					       .name = name,
					       .dev_minor = s->areas[area].dev_minor,
					       .bytes = 4096,
					       .ctime = 1000 });
}

static inline struct channel *look_channel(struct snapshot *s, int object)
{
	struct channel *c = memory_get(s->memory, sizeof(*c));

	*c = (struct channel){ .kind = COSHM_STREAM, .slots = 64 };
	s->objects[object].channel = c;
	return c;
}

static inline void look_peer(struct snapshot *s, struct channel *c, unsigned int slot,
			     uint32_t state, uint32_t pid)
{
	struct channel_peer *peers = memory_get(s->memory, (c->peer_count + 1) * sizeof(*peers));

	for (unsigned int i = 0; i < c->peer_count; i++)
		peers[i] = c->peers[i];
	peers[c->peer_count++] = (struct channel_peer){ .slot = slot,
							.role = COSHM_SUBSCRIBER,
							.state = state,
							.pid = pid,
							.command = "sub",
							.host = "box" };
	c->peers = peers;
	c->dead += state == COSHM_PEER_DEAD;
}

/* In the order of objects and processes. */
static inline void look_use(struct snapshot *s, int object, int process)
{
	*memory_add(s->memory, s->uses, s->use_count) = (struct use){
		.process = process, .object = object, .mapped = true, .writes = true
	};
	s->objects[object].uses++;
}

#endif /* COSHM_TESTS_UNIT_LOOK_H */
