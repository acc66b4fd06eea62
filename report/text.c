/* SPDX-License-Identifier: Apache-2.0 */
/*
 * text.c - numbers, moments and words of a snapshot as people read them.
 */
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "text.h"

const char *text_bytes(uint64_t bytes, bool exact, char room[TEXT_ROOM])
{
	static const char units[] = "BKMGTPE";
	unsigned int unit = 0;
	uint64_t whole = bytes, tenths = 0;

	while (!exact && whole >= 1024) {
		tenths = whole % 1024 * 10 / 1024;
		whole /= 1024;
		unit++;
	}
	if (exact)
		snprintf(room, TEXT_ROOM, "%" PRIu64, bytes);
	else if (tenths != 0 && whole < 100)
		snprintf(room, TEXT_ROOM, "%" PRIu64 ".%" PRIu64 "%c", whole, tenths, units[unit]);
	else
		snprintf(room, TEXT_ROOM, "%" PRIu64 "%c", whole, units[unit]);
	return room;
}

const char *text_count(double count, char room[TEXT_ROOM])
{
	static const char units[] = " kMGTPE";
	unsigned int unit = 0;
	int digits;

	while (count >= 999.5 && units[unit + 1] != '\0') {
		count /= 1000;
		unit++;
	}
	digits = count < 99.95 && (unit != 0 || count != (double)(int)count);
	snprintf(room, TEXT_ROOM, "%.*f%.*s", digits, count, unit != 0, &units[unit]);
	return room;
}

const char *text_growth(double growth, bool exact, char room[TEXT_ROOM])
{
	char bytes[TEXT_ROOM];
	double size = growth < 0 ? -growth : growth;

	if (size < 1)
		return "0";
	snprintf(room, TEXT_ROOM, "%c%s", growth < 0 ? '-' : '+',
		 text_bytes(size < 1e18 ? (uint64_t)size : UINT64_MAX, exact, bytes));
	return room;
}

const char *text_moment(int64_t seconds, char room[TEXT_ROOM])
{
	time_t time = (time_t)seconds;
	struct tm tm;

	if (seconds == 0 || !gmtime_r(&time, &tm) ||
	    strftime(room, TEXT_ROOM, "%Y-%m-%dT%H:%M:%SZ", &tm) == 0)
		room[0] = '\0';
	return room;
}

const char *text_mode(mode_t mode, char room[TEXT_ROOM])
{
	for (unsigned int i = 0; i < 9; i++)
		room[i] = mode & (0400u >> i) ? "rwx"[i % 3] : '-';
	room[9] = '\0';
	return room;
}

const char *text_key(int32_t key, char room[TEXT_ROOM])
{
	snprintf(room, TEXT_ROOM, "0x%08" PRIx32, (uint32_t)key);
	return room;
}

const char *text_kind(enum object_kind kind)
{
	static const char *const names[] = {
		[OBJECT_SHM] = "shm",
		[OBJECT_SEM] = "sem",
		[OBJECT_MSG] = "msg",
		[OBJECT_POSIX_SHM] = "posix-shm",
		[OBJECT_POSIX_SEM] = "posix-sem",
		[OBJECT_POSIX_MQ] = "posix-mq",
		[OBJECT_CHANNEL] = "channel",
		[OBJECT_TABLE] = "table",
		[OBJECT_DELETED] = "deleted",
		[OBJECT_MEMFD] = "memfd",
	};

	return kind <= OBJECT_MEMFD ? names[kind] : "?";
}

const char *text_object(const struct snapshot *s, int object, char *room, size_t bytes)
{
	const struct object *o = &s->objects[object];
	const struct shm_area *area = o->area == NOBODY ? NULL : &s->areas[o->area];
	char key[TEXT_ROOM], path[PATH_MAX];

	if (o->kind <= OBJECT_MSG && area)
		snprintf(room, bytes, "%s %s id %" PRId64 " at %s/%s", text_kind(o->kind),
			 text_key(o->key, key), o->id, area->point, o->name);
	else if (o->kind <= OBJECT_MSG)
		snprintf(room, bytes, "%s %s id %" PRId64, text_kind(o->kind),
			 text_key(o->key, key), o->id);
	else if (o->kind == OBJECT_POSIX_MQ)
		snprintf(room, bytes, "%s /%s", text_kind(o->kind), o->name);
	else if (area && o->kind != OBJECT_DELETED)
		snprintf(room, bytes, "%s %s/%s", text_kind(o->kind), area->point,
			 object_path(o, path, sizeof(path)));
	else
		snprintf(room, bytes, "%s %s", text_kind(o->kind), o->name);
	return room;
}

/* Of the character that begins here, if it is whole, the shortest way to write it, and printable.
 */
static size_t character_bytes(const char *text)
{
	static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	const unsigned char *t = (const unsigned char *)text;
	size_t bytes = t[0] < 0x80 ? 1 : t[0] < 0xc2 ? 0 : t[0] < 0xe0 ? 2 : t[0] < 0xf0 ? 3 : 4;
	uint32_t code = bytes == 1 ? t[0] : bytes == 0 ? 0 : t[0] & (0x7fu >> bytes);

	for (size_t i = 1; i < bytes; i++) {
		if ((t[i] & 0xc0) != 0x80)
			return 0;
		code = code << 6 | (t[i] & 0x3fu);
	}
	if (bytes == 0 || code < least[bytes] || code > 0x10ffff || code >> 11 == 0x1b)
		return 0; /* too long, too large, or half of a UTF-16 pair */
	return code < 0x20 || (code >= 0x7f && code < 0xa0) ? 0 : bytes;
}

const char *text_printable(struct memory *m, const char *text)
{
	char *copy = NULL;
	size_t bytes;

	for (size_t i = 0; text[i] != '\0'; i += bytes) {
		bytes = character_bytes(&text[i]);
		if (bytes != 0)
			continue;
		if (!copy) {
			copy = memory_get(m, strlen(text) + 1);
			if (!copy)
				return "";
			text = strcpy(copy, text);
		}
		copy[i] = '?';
		bytes = 1;
	}
	return text;
}
