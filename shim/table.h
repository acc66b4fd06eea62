/* SPDX-License-Identifier: Apache-2.0 */
/*
 * table.h - the objects of the directory: found by key or identifier, made, removed.
 *
 *   create.c  make a table
 *   table.c   open it; areas that grow
 *   slots.c   find an object, and judge who may do what
 *   objects.c make, remove, change permissions
 *   lock.c    the lock of all that is not done by one store
 *   token.c   who takes part, and who of them is dead
 *
 * On these stand the calls: shm*.c with attach.c, sem*.c, msg*.c, ftok.c; posix*.c alone
 * needs no table.  What they have in common with the rest of the process: fork.c, exec.c,
 * handlers.c (signals), credentials.c (user and groups); real.c has libc's own functions,
 * and syscall.c those who ask the kernel by number.
 *
 * Finding takes no lock: a slot is written before its state says LIVE, and is
 * left alone afterwards, but for what is one word.  Making and removing hold the
 * table's lock; "working" names the slot, so that whoever takes the lock from
 * a dead owner knows which file may lie there without an object, or be left of one.
 *
 * Ordering edges:
 *
 *   SLOT  L1 maker: slot and file, then state LIVE, release  ->  L2 anybody: state, acquire
 *         L3 IPC_SET: the permissions not in force, then state, release  ->  L2
 */
#ifndef COSHM_SHIM_TABLE_H
#define COSHM_SHIM_TABLE_H

#include <stdbool.h>
#include <sys/ipc.h>
#include <sys/types.h>

#include "layout_sysv.h"
#include "lock.h"

struct table {
	struct sysv_control_shared *control;
	struct sysv_token_shared *tokens;
	_Atomic uint64_t *attaches;
	_Atomic uint64_t *paths;
	_Atomic uint32_t *keys[SYSV_KINDS];
	struct sysv_slot_shared *slots[SYSV_KINDS];
	uint32_t max[SYSV_AREAS];  /* entries, by the limits */
	struct sysv_limits limits; /* checked, private */
};

/*
 * table_open - the directory's table, mapped at the first call (and made, if there
 * is none).  NULL with errno set.  Lock-free once it is there.
 */
const struct table *table_open(void);

/* fork.c: at the start, or before anything that a forked child must not share. */
void fork_setup(void);
/* fork's handlers: nobody is opening it meanwhile. */
void table_fork_prepare(void);
void table_fork_done(void);

/* The folder .sysv; its descriptor is the caller's to close.  -errno. */
int table_folder(void);
/* A file in it, by a name of at most OBJECT_NAME_BYTES; -errno. */
int table_folder_file(const char *name, int flags);
/* Remove a file in it, without a descriptor, which may be short; 0 or -errno. */
int table_folder_unlink(const char *name);
/* A new description of the table itself, read and write; -errno. */
int table_file(void);

/* Is it the table's file? */
struct stat;
bool table_is(const struct stat *st);

/* Memory for a part of a file: 0, -ENOMEM if there is none, or -errno. */
int table_allocate(int fd, uint64_t at, uint64_t bytes);

/* How many entries of an area have memory, at most max[area]. */
uint32_t table_backed(enum sysv_area area);
/* Make entry @index usable, under the table's lock or for TOKENS, ATTACHES, PATHS without. */
int table_back(enum sysv_area area, uint32_t index);

/* The table's lock; makes good what a dead owner left. False, with errno, if we have no token. */
bool table_lock(struct held *held);
/* Now and then, of one who sleeps: whoever was to remove his object may have died half-way. */
void table_mend(void);

/* What a program may do, as ipcperms() of the kernel judges: @want of 0444, 0222 bits. 0 or EACCES.
 */
struct object {
	enum sysv_kind kind;
	uint32_t index;
	uint32_t sequence;
	uint32_t state; /* as it was when it was found */
	struct sysv_slot_shared *slot;
};

struct perm {
	uint32_t uid, gid, mode, cuid, cgid;
};

#define OBJECT_NAME_BYTES 24
void object_name(enum sysv_kind kind, int id, char name[OBJECT_NAME_BYTES]);
int object_id(const struct object *o);

/* By identifier: 0, or -EINVAL (also of one that is no more). Doomed segments are found, too. */
int object_find(enum sysv_kind kind, int id, struct object *o);
/* By key; 0 or -ENOENT. */
int object_find_key(enum sysv_kind kind, key_t key, struct object *o);
/* By index, for the _STAT commands; 0 or -EINVAL. */
int object_at(enum sysv_kind kind, int index, struct object *o);
/* Is it still there?  -EIDRM if not. Doomed is there. */
int object_still(const struct object *o);

void object_perm(const struct object *o, struct perm *perm);
/* 0 or -EACCES; @want: any of 0444 (read) and 0222 (alter), as in semget's flags. */
int object_access(const struct object *o, uint32_t want);
/* Has this thread a capability, CAP_...? */
bool may(unsigned int capability);
/* 0 or -EPERM: creator, owner, or CAP_SYS_ADMIN */
int object_owner(const struct object *o);
/* Fill what all three kinds have in their _ds. */
void object_ipc_perm(const struct object *o, struct ipc_perm *to);

/*
 * object_get - what shmget, semget and msgget have in common.
 *
 * @check: is an existing one large enough, and so on; 0 or -errno (after the access check? as the
 * kernel: before)
 * @make: under the table's lock and before anybody can find it: the object's file is in @fd (of
 * @file_bytes, allocated, zero); 0 or -errno
 *
 * Returns the identifier, or -errno.
 */
struct object_plan {
	enum sysv_kind kind;
	key_t key;
	int flags;
	uint64_t size;       /* of the slot */
	uint64_t file_bytes; /* of the file, which is allocated in full */
	int (*check)(const struct object *o, const struct object_plan *plan);
	int (*room)(const struct object_plan *plan);
	int (*make)(int fd, const struct object_plan *plan);
};
int object_get(const struct object_plan *plan);

/* Open its file and check that it is a regular one of @bytes at least; descriptor or -errno. */
int object_open(const struct object *o, int flags, uint64_t bytes);

/*
 * object_remove - IPC_RMID.  @keep: it is only doomed (a segment that somebody has attached).
 * Under the table's lock.
 */
void object_remove(const struct object *o, bool keep);
/* IPC_SET's part that all kinds have: owner and mode, and the time; under the table's lock. */
int object_set(const struct object *o, const struct ipc_perm *from);

/* The index of the last object, as IPC_INFO tells it: 0 also if there is none; and how many. */
int objects_last(enum sysv_kind kind, uint32_t *used);

/* shm.c: free a doomed segment that nobody has attached.  Under the table's lock. */
bool segment_reap(const struct object *o);
/* And all that the dead have left of that kind, who did not detach; true if there were any. */
bool segments_sweep(void);

int64_t now_s(void);

#endif /* COSHM_SHIM_TABLE_H */
