/* SPDX-License-Identifier: Apache-2.0 */
/*
 * served.h - the System V objects of a directory that `coshm run` serves, from its
 * table (layout_sysv.h).
 *
 *   served.c       private copies in, structs out
 *   served_read.c  a folder's files into these copies, and into the snapshot
 *
 * The table is read and never mapped or locked: whoever looks disturbs nobody.  All
 * that is in it may be made up.
 */
#ifndef COSHM_INSPECT_SERVED_H
#define COSHM_INSPECT_SERVED_H

#include "layout_sysv.h"
#include "walk.h"

/* What a table begins with, header and control. */
#define SERVED_HEAD_BYTES (SYSV_TABLE_CONTROL + sizeof(struct sysv_control_shared))

struct served {
	uint32_t count[SYSV_AREAS];  /* entries of each area; those below are as many */
	const unsigned char *tokens; /* as bytes: they lie where memory was             */
	bool *alive;                 /* of each token: its process lives      */
	const uint64_t *attaches;
	const unsigned char *slots[SYSV_KINDS];
	uint64_t *attached; /* of each segment: served_count() */
};

/*
 * How many entries each area has; NULL, or why that is no table that we know: a
 * clause for people.  @file_bytes: of the whole table.
 */
const char *served_counts(const void *head, size_t bytes, uint64_t file_bytes,
			  uint32_t count[SYSV_AREAS]);

/* Who has, or last had, this token: enum sysv_token_role, and which epoch. */
uint32_t served_role(const struct served *t, uint32_t token, uint32_t *epoch);

/* Sum up how often living processes have attached each segment. */
void served_count(struct served *t);

/* The object in a slot; false: there is none.  Its pids are SYSV_PID. */
struct served_pids {
	uint64_t cpid, lpid;
};
bool served_object(const struct served *t, enum sysv_kind kind, uint32_t index, struct object *o,
		   struct served_pids *pids);

/*
 * served_walk - the folder .sysv, @path from the area's top.  @folder is not closed.
 * False if there is no table in it.
 */
bool served_walk(struct walk *w, int folder, const char *path);

#endif /* COSHM_INSPECT_SERVED_H */
