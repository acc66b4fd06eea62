/* SPDX-License-Identifier: Apache-2.0 */
/*
 * engine_naming.c - a snapshot's containers by their ids, and new ones.
 */
#include <string.h>

#include "engine_parts.h"

#define MOST_ADDED 16384u /* stopped containers, of all engines */

/* FNV-1a */
static unsigned int hash(const char *id)
{
	uint32_t h = 2166136261u;

	for (; *id; id++)
		h = (h ^ (unsigned char)*id) * 16777619u;
	return h;
}

/* Where it is, or the empty slot where it belongs. */
static unsigned int slot_of(const struct naming *n, const char *id)
{
	unsigned int i = hash(id) & (n->slot_count - 1);

	while (n->slots[i] != 0 && strcmp(n->s->containers[n->slots[i] - 1].id, id) != 0)
		i = (i + 1) & (n->slot_count - 1);
	return i;
}

static void index_container(struct naming *n, unsigned int container)
{
	const char *id = n->s->containers[container].id;
	unsigned int slot;

	if (!id || id[0] == '\0')
		return;
	slot = slot_of(n, id);
	if (n->slots[slot] == 0)
		n->slots[slot] = container + 1;
}

/* At least as large again as what is in it. */
bool naming_index(struct naming *n)
{
	unsigned int count = 256;

	while (count / 2 <= n->s->container_count + 1)
		count *= 2;
	n->slots = memory_get(n->s->memory, count * sizeof(*n->slots));
	n->slot_count = n->slots ? count : 0;
	for (unsigned int i = 0; n->slots && i < n->s->container_count; i++)
		index_container(n, i);
	return n->slots;
}

int naming_find(const struct naming *n, const char *id)
{
	return n->slot_count == 0 || id[0] == '\0' ? NOBODY : (int)n->slots[slot_of(n, id)] - 1;
}

int naming_process(const struct naming *n, uint64_t pid)
{
	if (!n->s->pid_host || pid == 0)
		return NOBODY;
	for (unsigned int i = 0; i < n->s->process_count; i++)
		if ((uint64_t)n->s->processes[i].pid == pid)
			return (int)i;
	return NOBODY;
}

/* A container by its namespaces alone, which turns out to be an engine's. */
static int without_id(const struct naming *n, uint64_t pid)
{
	int process = naming_process(n, pid);
	int at = process == NOBODY ? NOBODY : n->s->processes[process].container;

	return at != NOBODY && n->s->containers[at].id[0] == '\0' ? at : NOBODY;
}

struct container *engine_container(struct snapshot *s, enum engine engine, const char *id)
{
	struct container *c = memory_add(s->memory, s->containers, s->container_count);

	if (!c)
		return NULL;
	*c = (struct container){ .engine = engine,
				 .id = id,
				 .donor = NOBODY,
				 .ipcns = NOBODY,
				 .shm_area = NOBODY,
				 .process = NOBODY };
	c->name = c->image = c->service = c->project = c->pod = c->pod_namespace = "";
	c->ipc_mode = c->pid_mode = c->runtime = c->label = c->donor_id = "";
	c->sysctls = c->own_shm = "";
	return c;
}

int naming_add(struct naming *n, enum engine engine, const char *id, uint64_t pid)
{
	struct snapshot *s = n->s;
	int at = naming_find(n, id);
	const char *copy;

	if (at != NOBODY)
		return at;
	copy = memory_printable(s->memory, id, strlen(id), ID_DIGITS);
	at = without_id(n, pid);
	if (at != NOBODY) {
		s->containers[at].id = copy;
	} else {
		if (n->added >= MOST_ADDED || !engine_container(s, engine, copy))
			return NOBODY;
		n->added++;
		at = (int)s->container_count - 1;
	}
	if (s->container_count > n->slot_count / 2)
		naming_index(n);
	else
		index_container(n, (unsigned int)at);
	return at;
}
