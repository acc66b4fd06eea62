/* SPDX-License-Identifier: Apache-2.0 */
/*
 * text.h - numbers, moments and words of a snapshot as people read them.  What
 * is made up is written into the caller's room and given back.
 */
#ifndef COSHM_REPORT_TEXT_H
#define COSHM_REPORT_TEXT_H

#include "inspect.h"
#include "memory.h"

#define TEXT_ROOM 32

/* "64M", "1.5K", as lsipc(1) and df(1) round; @exact: all digits. */
const char *text_bytes(uint64_t bytes, bool exact, char room[TEXT_ROOM]);

/* A rate or a count in six columns: "950", "0.5", "12.3k", "4.0M". */
const char *text_count(double count, char room[TEXT_ROOM]);

/* "+64M", "-1.5K", "0": bytes a second. */
const char *text_growth(double growth, bool exact, char room[TEXT_ROOM]);

/* ISO 8601 in UTC, "" for never. */
const char *text_moment(int64_t seconds, char room[TEXT_ROOM]);

/* "rw-r--r--" */
const char *text_mode(mode_t mode, char room[TEXT_ROOM]);

/* "0x0000162e" */
const char *text_key(int32_t key, char room[TEXT_ROOM]);

/* "shm", "sem", "msg", "posix-shm", "posix-sem", "posix-mq", "channel", "deleted", "memfd" */
const char *text_kind(enum object_kind kind);

/* What people call an object: "shm 0x162e id 3", "/dev/shm/coshm/clock". */
const char *text_object(const struct snapshot *s, int object, char *room, size_t bytes);

/*
 * A text of a stranger's that a terminal and a JSON library can take: what is no
 * UTF-8 or controls a terminal is '?'.  Itself if it is fine, else a copy.
 */
const char *text_printable(struct memory *m, const char *text);

#endif /* COSHM_REPORT_TEXT_H */
