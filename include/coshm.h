/* SPDX-License-Identifier: Apache-2.0 */
/*
 * coshm.h - channels in memory that containers share.
 *
 * A channel is one file in a directory that all of its programs see:
 * /dev/shm/coshm, or what COSHM_DIR names, or the dir of the options.  Three
 * kinds of channel:
 *
 *   latest   one publisher, any number of readers, the newest value
 *   stream   one publisher, up to 64 subscribers, every message in order
 *   queue    many producers, many consumers, each message to one of them
 *
 * A program creates a channel (or finds it there: -EEXIST is fine) and opens
 * it in a role.  Whoever dies, anywhere, leaves the channel whole: the others
 * go on, and the next one in his role takes over where he stopped.
 *
 * Every int function returns 0 or a count, or a negative errno; coshm_errmsg()
 * then is the sentence.  What a function gives back through a pointer is
 * untouched if it fails.  Each of them can also return
 *
 *   -EINVAL   an argument makes no sense; a mistake in the program
 *   -ECHILD   the handle was opened before a fork(), by the parent; a child
 *             opens its own
 *
 * Threads: a handle is used by one thread at a time.  Different handles are
 * independent, also of the same channel in the same process.
 *
 * Time-outs are nanoseconds from now; 0 looks once, a negative one waits for
 * ever.  A wait ends early with -EINTR when a signal handler has run while it
 * slept (not while it was spinning).
 */
#ifndef COSHM_H
#define COSHM_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define COSHM_API        __attribute__((visibility("default")))
#define COSHM_MUST_CHECK __attribute__((warn_unused_result))

/* Letters, digits and . _ - make a channel's name; it begins with a letter or digit. */
#define COSHM_NAME_MAX 127
/* Bytes of a message type's name, its NUL included. */
#define COSHM_TYPE_NAME_BYTES 64
/* Peers that can hold a channel open at a time, beside its publisher. */
#define COSHM_PEERS_MAX 64

/**
 * coshm_errmsg - why the last failing call of this thread failed.
 *
 * What was being done, to what, and why it failed: one line without a newline,
 * never NULL, valid until this thread's next call.
 */
COSHM_API const char *coshm_errmsg(void);

enum coshm_role {
	COSHM_OBSERVER = 0,   /* looks on through a read-only mapping, takes no place */
	COSHM_PUBLISHER = 1,  /* latest, stream: one at a time                        */
	COSHM_SUBSCRIBER = 2, /* latest, stream                                       */
	COSHM_PRODUCER = 3,   /* queue                                                */
	COSHM_CONSUMER = 4,   /* queue                                                */
};

/* How a handle waits.  A sleeper costs its publisher a system call per wake-up. */
enum coshm_wait {
	COSHM_WAIT_ADAPTIVE = 0, /* spin for some microseconds, then sleep       */
	COSHM_WAIT_SPIN = 1,     /* never sleep: lowest latency, a whole CPU     */
	COSHM_WAIT_BLOCK = 2,    /* sleep at once: least CPU time                */
};

/*
 * What a channel's messages are.  Kept in the channel at creation and compared
 * at each opening; name NULL means "no type" and "do not compare".
 */
struct coshm_type {
	const char *name; /* below COSHM_TYPE_NAME_BYTES                    */
	uint64_t bytes;   /* of each message; 0: they differ                */
	uint32_t align;   /* of the payload in memory, up to 64; 0: 16 bytes */
	uint32_t version; /* any number; must be equal                      */
};

enum coshm_create_flags {
	COSHM_CREATE_GROUP = 1u << 0, /* give the file to .group */
};

/*
 * Options begin with their own size, so that a program built against an older
 * header keeps working.  Zero means the default; NULL all defaults.
 */
struct coshm_create_opts {
	size_t size;     /* sizeof(struct coshm_create_opts)              */
	const char *dir; /* NULL: COSHM_DIR, else /dev/shm/coshm          */
	struct coshm_type type;
	uint32_t mode;  /* permission bits, whatever the umask; 0: 0600  */
	uint32_t flags; /* enum coshm_create_flags                       */
	uint32_t group; /* group id                                      */
};

enum coshm_open_flags {
	COSHM_OPEN_PREFAULT = 1u << 0, /* touch every page now, not at its first use        */
	COSHM_OPEN_LOCK = 1u << 1,     /* mlock(2): never swapped out                       */
	COSHM_OPEN_HUGE = 1u << 2,     /* ask for huge pages where the mount leaves it to us */
	COSHM_OPEN_OLDEST = 1u << 3,   /* stream: begin at the oldest message still there   */
};

struct coshm_open_opts {
	size_t size;            /* sizeof(struct coshm_open_opts)                */
	const char *dir;        /* as in struct coshm_create_opts                */
	struct coshm_type type; /* what this program expects                     */
	uint32_t flags;         /* enum coshm_open_flags                         */
	uint32_t wait;          /* enum coshm_wait                               */
};

/*
 * Creating and opening, whatever the kind.
 *
 * create: the channel is made under another name and renamed when it is whole:
 * nobody sees half of one, and a program killed half-way leaves nothing.  All
 * its memory is allocated here, so that a full file system is an error now and
 * no signal later.  On hugetlbfs it is made of that mount's huge pages.
 * Errors: -EEXIST      there is one of this name: open it
 *         -ENOSPC      the file system, or the directory, is full
 *         -ENOENT      the directory is not there (/dev/shm/coshm is made)
 *         -EACCES, -EPERM   no permission in the directory, or for the group
 *         -EOPNOTSUPP  the file system has no unnamed files (use tmpfs or a disk)
 * Blocks: on the file system alone.
 *
 * open: maps the channel and takes a place in it.  The place is a lock that the
 * kernel drops when this process is gone, and not before.
 * Errors: -ENOENT      no such channel
 *         -EACCES      no permission
 *         -EPROTO      not a channel, or a damaged or shortened one
 *         -EPROTONOSUPPORT  made by a coshm whose layout this one does not know
 *         -EPROTOTYPE  another kind of channel, or another message type
 *         -EBUSY       it has a publisher, and he is alive: the message says who
 *         -EUSERS      all 64 places are taken by the living
 *         -ESTALE      it was just removed or replaced: try again
 * Blocks: on the file system alone; it never waits for a peer.
 */

/**
 * coshm_remove - remove a channel that nobody alive has open.
 * @dir:  NULL for the default
 *
 * Errors: -EBUSY somebody has it open (the message says who); -ENOENT; -EACCES;
 *         -EPROTO: not a channel, left alone.  Threads: any.
 */
COSHM_API COSHM_MUST_CHECK int coshm_remove(const char *dir, const char *name);

/**
 * coshm_retire - remove a channel whoever has it open.
 *
 * Its peers are woken, get -ESTALE from their next call, and are to close and
 * open anew; what they have mapped stays valid until they close.
 * Errors: as coshm_remove(), without -EBUSY.  Threads: any.
 */
COSHM_API COSHM_MUST_CHECK int coshm_retire(const char *dir, const char *name);

#ifdef __cplusplus
}
#endif
#endif /* COSHM_H */
