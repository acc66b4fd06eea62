/* SPDX-License-Identifier: Apache-2.0 */
/*
 * served.c - private copies of a table in, structs out; see served.h.
 *
 * Atomic members are read relaxed: nobody else has these copies.
 */
#include "served.h"

#include <sys/shm.h>

static uint32_t least(uint32_t a, uint32_t b)
{
	return a < b ? a : b;
}

const char *served_counts(const void *head, size_t bytes, uint64_t file_bytes,
			  uint32_t count[SYSV_AREAS])
{
	const size_t summed = offsetof(struct sysv_header_shared, checksum);
	struct sysv_header_shared h;
	struct sysv_control_shared control;
	uint32_t max[SYSV_AREAS] = { SYSV_TOKENS, SYSV_ATTACHES, SYSV_PATHS };

	if (bytes < SERVED_HEAD_BYTES)
		return "its table is too short";
	memcpy(&h, head, sizeof(h));
	memcpy(&control, (const char *)head + SYSV_TABLE_CONTROL, sizeof(control));
	if (h.magic != SYSV_MAGIC)
		return "its table is damaged: it does not begin as one";
	if (h.checksum != span_hash(span_of(head, summed)))
		return "its table is damaged: its header has changed";
	if (h.version != SYSV_VERSION)
		return "its table is of another version of coshm";
	if (file_bytes < SYSV_TABLE_BYTES)
		return "its table is damaged: it was cut off";
	for (int kind = 0; kind < SYSV_KINDS; kind++) {
		const uint32_t most[SYSV_KINDS] = { h.limits.shmmni, h.limits.semmni,
						    h.limits.msgmni };

		max[SYSV_AREA_SLOTS + kind] = least(most[kind], SYSV_OBJECTS_MAX);
	}
	for (int area = 0; area < SYSV_AREAS; area++)
		count[area] =
			least(atomic_load_explicit(&control.backed[area], memory_order_relaxed),
			      max[area]);
	return NULL;
}

uint32_t served_role(const struct served *t, uint32_t token, uint32_t *epoch)
{
	struct sysv_token_shared copy;

	memcpy(&copy, t->tokens + token * sizeof(copy), sizeof(copy));
	*epoch = atomic_load_explicit(&copy.epoch, memory_order_relaxed);
	return atomic_load_explicit(&copy.role, memory_order_relaxed);
}

static bool is_owner(const struct served *t, uint64_t word)
{
	uint32_t token = SYSV_ATTACH_TOKEN(word), epoch;

	if (token >= t->count[SYSV_AREA_TOKENS] || !t->alive[token])
		return false;
	served_role(t, token, &epoch);
	return (epoch & 0xffffu) == SYSV_ATTACH_EPOCH(word);
}

void served_count(struct served *t)
{
	for (uint32_t i = 0; i < t->count[SYSV_AREA_ATTACHES]; i++) {
		uint64_t word = t->attaches[i];
		uint32_t segment = SYSV_ATTACH_INDEX(word);

		if (segment < t->count[SYSV_AREA_SLOTS + SYSV_SHM] && is_owner(t, word))
			t->attached[segment] += SYSV_ATTACH_COUNT(word);
	}
}

static void take_perm(struct object *o, const struct sysv_slot_shared *slot, uint32_t state)
{
	const struct sysv_perm_shared *perm = &slot->perm[SYSV_WHICH(state)];
	uint32_t mode = atomic_load_explicit(&perm->mode, memory_order_relaxed);

	o->mode = mode & 0777;
	if (o->kind == OBJECT_SHM && (mode & SHM_LOCKED))
		o->status |= STATUS_LOCKED;
	o->uid = atomic_load_explicit(&perm->uid, memory_order_relaxed);
	o->gid = atomic_load_explicit(&perm->gid, memory_order_relaxed);
	o->cuid = atomic_load_explicit(&slot->cuid, memory_order_relaxed);
	o->cgid = atomic_load_explicit(&slot->cgid, memory_order_relaxed);
}

/* Bytes of a segment, semaphores of a set, messages << 32 | bytes of a queue. */
static void take_size(struct object *o, uint64_t size)
{
	if (o->kind != OBJECT_SHM)
		o->count = o->kind == OBJECT_SEM ? size : size >> 32;
	if (o->kind != OBJECT_SEM)
		o->bytes = o->kind == OBJECT_SHM ? size : (uint32_t)size;
}

/* As the kernel shows them: a set has no pids, a queue none of its creator. */
static struct served_pids take_pids(const struct sysv_slot_shared *slot, enum sysv_kind kind)
{
	uint64_t first = atomic_load_explicit(&slot->cpid, memory_order_relaxed);
	uint64_t second = atomic_load_explicit(&slot->lpid, memory_order_relaxed);

	return kind == SYSV_SHM ? (struct served_pids){ first, second } :
	       kind == SYSV_MSG ? (struct served_pids){ 0, first } :
				  (struct served_pids){ 0, 0 };
}

bool served_object(const struct served *t, enum sysv_kind kind, uint32_t index, struct object *o,
		   struct served_pids *pids)
{
	static const enum object_kind kinds[SYSV_KINDS] = {
		[SYSV_SHM] = OBJECT_SHM, [SYSV_SEM] = OBJECT_SEM, [SYSV_MSG] = OBJECT_MSG
	};
	struct sysv_slot_shared slot;
	uint32_t state;

	memcpy(&slot, t->slots[kind] + index * sizeof(slot), sizeof(slot));
	state = atomic_load_explicit(&slot.state, memory_order_relaxed);
	if (SYSV_PHASE(state) != SYSV_LIVE && SYSV_PHASE(state) != SYSV_DOOMED)
		return false;
	*o = (struct object){ .kind = kinds[kind], .ipcns = NOBODY, .area = NOBODY, .name = "" };
	o->id = SYSV_ID(SYSV_SEQUENCE(state) % SYSV_SEQUENCES, index);
	o->key = (int32_t)atomic_load_explicit(&slot.key, memory_order_relaxed);
	if (SYSV_PHASE(state) == SYSV_DOOMED)
		o->status |= STATUS_DEST;
	take_perm(o, &slot, state);
	take_size(o, atomic_load_explicit(&slot.size, memory_order_relaxed));
	if (kind == SYSV_SHM)
		o->count = t->attached[index];
	o->ctime = atomic_load_explicit(&slot.ctime_s, memory_order_relaxed);
	o->atime = atomic_load_explicit(&slot.atime_s, memory_order_relaxed);
	o->dtime = atomic_load_explicit(&slot.dtime_s, memory_order_relaxed);
	*pids = take_pids(&slot, kind);
	return true;
}
