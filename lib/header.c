/* SPDX-License-Identifier: Apache-2.0 */
/*
 * header.c - what a region's header may say.
 *
 * The header is read once, into private memory, and checked there: first that
 * nothing was damaged (the checksum), then, since whoever writes the file can
 * also write a checksum, that every number keeps us inside the file.
 */
#include <errno.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

#include "err.h"
#include "region.h"

#define SLOTS_MAX      (UINT32_C(1) << 24)
#define SLOT_BYTES_MAX (UINT32_C(1) << 30)
/* A slot's word has 16 bits for a length. */
#define WORD_SLOT_BYTES_MAX (UINT32_C(1) << 15)
#define RING_BYTES_MAX      (UINT64_C(1) << 44)
#define PAGE_BYTES_MAX      (UINT32_C(1) << 30)

static bool power_of_two(uint64_t n)
{
	return n != 0 && (n & (n - 1)) == 0;
}

static uint64_t round_up(uint64_t n, uint64_t step)
{
	return (n + step - 1) & ~(step - 1);
}

const char *kind_name(uint32_t kind)
{
	static const char *const names[] = { "unknown", "latest", "stream", "queue" };

	return names[kind <= LAYOUT_QUEUE ? kind : 0];
}

/* Work out the offsets; what does not fit is said in a clause.  Nothing overflows: see the MAXes.
 */
const char *geometry_finish(struct geometry *g)
{
	uint64_t page = g->page_bytes, data;
	bool latest = g->kind == LAYOUT_LATEST, stream = g->kind == LAYOUT_STREAM;

	if (!latest && !stream && g->kind != LAYOUT_QUEUE)
		return "the kind of channel is unknown";
	if (g->policy > (latest ? 0u : 1u))
		return "the policy is unknown";
	if (!power_of_two(page) || page > PAGE_BYTES_MAX || page % (uint64_t)sysconf(_SC_PAGESIZE))
		return "the page size is not one of this machine";
	if (!power_of_two(g->slots) || g->slots < (latest ? 4u : 2u) || g->slots > SLOTS_MAX)
		return "the number of slots is not a power of two in bounds";
	if (g->slot_bytes == 0 || g->slot_bytes % LAYOUT_LINE != 0 ||
	    g->slot_bytes > (latest ? SLOT_BYTES_MAX : WORD_SLOT_BYTES_MAX))
		return "the size of a slot is out of bounds";
	if (!power_of_two(g->payload) || g->payload < LAYOUT_PAYLOAD ||
	    g->payload > LAYOUT_ALIGN_MAX || g->payload >= g->slot_bytes || g->value_bytes == 0 ||
	    g->value_bytes > g->slot_bytes - g->payload)
		return "a message does not fit its slot";
	if (g->ring_bytes != 0 && (!stream || !power_of_two(g->ring_bytes) ||
				   g->ring_bytes % page != 0 || g->ring_bytes > RING_BYTES_MAX))
		return "the size of the byte ring is out of bounds";

	data = (uint64_t)g->slots * g->slot_bytes + (latest ? sizeof(struct latest_shared) : 0);
	g->data_offset = round_up(LAYOUT_META_BYTES, page);
	g->ring_offset = round_up(g->data_offset + data, page);
	g->region_bytes = g->ring_offset + g->ring_bytes;
	if (g->region_bytes + g->ring_bytes > SIZE_MAX / 2)
		return "it is larger than this program can map";
	return NULL;
}

/* Tools print it: what a terminal takes for a command has no place in it.  NULL, or why not. */
static const char *name_unprintable(const char *name)
{
	for (size_t i = 0; i < LAYOUT_TYPE_NAME_BYTES; i++) {
		if (name[i] == '\0')
			return NULL;
		if ((unsigned char)name[i] < ' ' || name[i] == 0x7f)
			return "the name of its message type has a control character in it";
	}
	return "the name of its message type does not end";
}

/* FNV-1a: it is there to find damage, not an enemy. */
static uint64_t checksum(const struct header_shared *h)
{
	const unsigned char *p = (const unsigned char *)h;
	uint64_t sum = UINT64_C(0xcbf29ce484222325);

	for (size_t i = 0; i < offsetof(struct header_shared, checksum); i++)
		sum = (sum ^ p[i]) * UINT64_C(0x100000001b3);
	return sum;
}

void header_make(struct header_shared *h, const struct geometry *g, const struct coshm_type *type)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	memset(h, 0, sizeof(*h));
	h->magic = LAYOUT_MAGIC;
	h->version = LAYOUT_VERSION;
	h->kind = g->kind;
	h->policy = g->policy;
	h->region_bytes = g->region_bytes;
	h->ring_bytes = g->ring_bytes;
	h->slot_bytes = g->slot_bytes;
	h->slots = g->slots;
	h->page_bytes = g->page_bytes;
	h->value_bytes = g->value_bytes;
	h->created_ns = (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
	if (type->name) {
		h->type_bytes = type->bytes;
		h->type_align = type->align;
		h->type_version = type->version;
		strcpy(h->type_name, type->name); /* type_check() has measured it */
	}
	/* Of 16 bytes, getrandom(2) gives all or, early at boot, waits. */
	while (getrandom(h->generation, sizeof(h->generation), 0) < 0)
		;
	h->checksum = checksum(h);
}

int type_check(const struct coshm_type *t)
{
	if (t->align != 0 && (!power_of_two(t->align) || t->align > LAYOUT_ALIGN_MAX))
		return err_say(EINVAL,
			       "a message type cannot be aligned to %u bytes: use a power "
			       "of two up to %u",
			       t->align, LAYOUT_ALIGN_MAX);
	if (t->name && strlen(t->name) >= LAYOUT_TYPE_NAME_BYTES)
		return err_say(EINVAL, "the message type name \"%.20s...\" is longer than %d bytes",
			       t->name, LAYOUT_TYPE_NAME_BYTES - 1);
	if (t->name && name_unprintable(t->name))
		return err_const(EINVAL, "the message type name has a control character in it");
	return 0;
}

static uint32_t payload_offset(uint32_t align)
{
	return align > LAYOUT_PAYLOAD ? align : LAYOUT_PAYLOAD;
}

/*
 * header_check - judge a private copy of a header; set the private geometry.
 * @file_bytes: what the file really has
 */
int header_check(const struct header_shared *h, const char *path, uint64_t file_bytes,
		 struct geometry *g)
{
	struct geometry mine = { .kind = h->kind,
				 .policy = h->policy,
				 .slot_bytes = h->slot_bytes,
				 .slots = h->slots,
				 .value_bytes = h->value_bytes,
				 .payload = payload_offset(h->type_align),
				 .page_bytes = h->page_bytes,
				 .ring_bytes = h->ring_bytes };
	const char *why;

	if (h->magic != LAYOUT_MAGIC)
		return err_say(EPROTO, "%s is not a coshm channel", path);
	if (h->version != LAYOUT_VERSION || h->must_understand != 0)
		return err_say(EPROTONOSUPPORT,
			       "%s has layout %u with features 0x%x; this program knows layout %u "
			       "without any",
			       path, h->version, h->must_understand, LAYOUT_VERSION);
	if (h->checksum != checksum(h))
		return err_say(EPROTO, "the header of %s is damaged: its checksum is wrong", path);
	why = geometry_finish(&mine);
	if (!why && mine.region_bytes != h->region_bytes)
		why = "its parts do not add up to its size";
	if (!why)
		why = name_unprintable(h->type_name);
	if (why)
		return err_say(EPROTO, "the header of %s makes no sense: %s", path, why);
	if (file_bytes < mine.region_bytes)
		return err_say(EPROTO, "%s was shortened: it has %llu of %llu bytes", path,
			       (unsigned long long)file_bytes,
			       (unsigned long long)mine.region_bytes);
	*g = mine;
	return 0;
}

/* Is what the channel carries what this program expects? */
int header_check_type(const struct header_shared *h, const char *path, const struct coshm_type *t)
{
	if (!t->name)
		return 0;
	if (strcmp(h->type_name, t->name) == 0 && h->type_bytes == t->bytes &&
	    h->type_align == t->align && h->type_version == t->version)
		return 0;
	return err_say(EPROTOTYPE,
		       "%s carries \"%s\" (%llu bytes, align %u, version %u), this program expects "
		       "\"%s\" (%llu bytes, align %u, version %u)",
		       path, h->type_name, (unsigned long long)h->type_bytes, h->type_align,
		       h->type_version, t->name, (unsigned long long)t->bytes, t->align,
		       t->version);
}
