/* SPDX-License-Identifier: Apache-2.0 */
/*
 * text.c - numbers, moments and words of a snapshot as people read them.
 */
#include <inttypes.h>
#include <stdio.h>
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
		[OBJECT_DELETED] = "deleted",
		[OBJECT_MEMFD] = "memfd",
	};

	return kind <= OBJECT_MEMFD ? names[kind] : "?";
}

const char *text_object(const struct snapshot *s, int object, char *room, size_t bytes)
{
	const struct object *o = &s->objects[object];
	const struct shm_area *area = o->area == NOBODY ? NULL : &s->areas[o->area];
	char key[TEXT_ROOM];

	if (o->kind <= OBJECT_MSG)
		snprintf(room, bytes, "%s %s id %" PRId64, text_kind(o->kind),
			 text_key(o->key, key), o->id);
	else if (o->kind == OBJECT_POSIX_MQ)
		snprintf(room, bytes, "%s /%s", text_kind(o->kind), o->name);
	else if (area && o->kind != OBJECT_DELETED)
		snprintf(room, bytes, "%s %s/%s", text_kind(o->kind), area->point, o->name);
	else
		snprintf(room, bytes, "%s %s", text_kind(o->kind), o->name);
	return room;
}
