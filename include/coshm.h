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
#include <sys/uio.h>

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
	/* A channel with more peers than the machine has CPUs: each yields its CPU first. */
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
 * Errors: -EBUSY somebody has it open, or is stopped while he removes it (the
 *         message says which); -ENOENT; -EACCES; -EPROTO: not a channel, left alone.
 * Threads: any.
 */
COSHM_API COSHM_MUST_CHECK int coshm_remove(const char *dir, const char *name);

/**
 * coshm_retire - remove a channel whoever has it open.
 *
 * Its peers are woken, get -ESTALE from their next call, and are to close and
 * open anew; what they have mapped stays valid until they close.
 * Errors: as coshm_remove(); -EBUSY only when the one who is stopped removes it.
 * Threads: any.
 */
COSHM_API COSHM_MUST_CHECK int coshm_retire(const char *dir, const char *name);

enum coshm_kind {
	COSHM_LATEST = 1,
	COSHM_STREAM = 2,
	COSHM_QUEUE = 3,
};

/* A channel as a tool sees it.  Counters lag by some hundred messages. */
struct coshm_info {
	uint32_t kind;   /* enum coshm_kind                                 */
	uint32_t policy; /* enum coshm_stream_policy or coshm_queue_policy  */
	uint32_t slots;
	uint32_t slot_bytes;
	uint64_t message_bytes;                /* the largest message                      */
	uint64_t ring_bytes;                   /* for messages larger than a slot          */
	uint64_t region_bytes;                 /* the whole file                           */
	uint64_t created_ns;                   /* CLOCK_REALTIME                           */
	uint64_t generation[2];                /* random; another after a replacement      */
	char type_name[COSHM_TYPE_NAME_BYTES]; /* "": no type               */
	uint64_t type_bytes;
	uint32_t type_align;
	uint32_t type_version;
	uint64_t messages; /* published or pushed                           */
	uint64_t bytes;    /* of their payload                              */
	uint64_t lost;     /* overwritten unread, or dropped                */
	uint64_t evicted;  /* dead peers that others recovered for          */
	uint64_t waits;    /* times that a peer slept                       */
};

enum coshm_peer_state {
	COSHM_PEER_ALIVE = 1,
	COSHM_PEER_DEAD = 2,  /* and nobody has recovered for it yet            */
	COSHM_PEER_STILL = 3, /* alive, but awake without moving: paused?       */
};

struct coshm_peer {
	uint32_t slot;
	uint32_t role;        /* enum coshm_role                                      */
	uint32_t state;       /* enum coshm_peer_state                                */
	uint32_t pid;         /* in the peer's own PID namespace                      */
	uint64_t identity[2]; /* random, of this opening                        */
	uint64_t since_ns;    /* CLOCK_REALTIME                                 */
	uint64_t position;    /* the next message it will handle                */
	char command[24];
	char host[24];
};

/**
 * coshm_info_read - look at a channel from outside, on a read-only mapping.
 * @dir: NULL for the default
 *
 * Errors: as "open" above.  Threads: any.
 */
COSHM_API COSHM_MUST_CHECK int coshm_info_read(const char *dir, const char *name,
					       struct coshm_info *info);

/**
 * coshm_peers_read - who has a channel open, dead ones included.
 * @look_ns: how long to watch for peers that do not move; 0: not at all
 * @peers:   room for @max; 65 is enough
 *
 * Returns how many there are.  Errors: as "open" above.  Threads: any.
 * Blocks: for @look_ns.
 */
COSHM_API COSHM_MUST_CHECK int coshm_peers_read(const char *dir, const char *name, int64_t look_ns,
						struct coshm_peer *peers, unsigned int max);

/*
 * latest: the newest value of one publisher.
 *
 * The value lies in one of several buffers; the publisher fills another one
 * than the newest and then moves on.  Publishing is wait-free, a publisher
 * killed anywhere leaves the last whole value, and readers only look: any
 * number, also through a read-only mapping.
 */
struct coshm_latest;

/**
 * coshm_latest_create - make a channel for values of up to @value_bytes bytes.
 * @value_bytes: 1 to 1 GiB, roughly
 * @buffers:     a power of two from 4; 0 means 4, and up to 32 for small values.  A
 *               reader is disturbed only when @buffers - 1 values are published
 *               while it copies one.
 *
 * Errors, Blocks: see "create" above.  Threads: any.
 */
COSHM_API COSHM_MUST_CHECK int coshm_latest_create(const char *name, uint32_t value_bytes,
						   uint32_t buffers,
						   const struct coshm_create_opts *opts);

/**
 * coshm_latest_open - take part as publisher or subscriber, or look on as observer.
 * @ch: coshm_latest_close() it
 *
 * A subscriber takes one of 64 places, so that it can sleep and is listed; an
 * observer takes none, and when it waits it looks every millisecond.
 * Errors, Blocks: see "open" above.  Threads: any.
 */
COSHM_API COSHM_MUST_CHECK int coshm_latest_open(const char *name, enum coshm_role role,
						 const struct coshm_open_opts *opts,
						 struct coshm_latest **ch);

/** coshm_latest_close - give the place back and unmap; NULL is allowed. */
COSHM_API void coshm_latest_close(struct coshm_latest *ch);

/** coshm_latest_value_bytes - the largest value, in bytes; 0 in a forked child. */
COSHM_API size_t coshm_latest_value_bytes(const struct coshm_latest *ch);

/**
 * coshm_latest_publish - replace the value that readers see.
 * @bytes: of @value, 0 to coshm_latest_value_bytes()
 *
 * Wait-free; a system call only for each subscriber that sleeps.
 * Errors: -EMSGSIZE @bytes is too large; -EPERM this handle is not the
 *         publisher's; -ESTALE the channel was removed or replaced.
 */
COSHM_API COSHM_MUST_CHECK int coshm_latest_publish(struct coshm_latest *ch, const void *value,
						    size_t bytes);

/**
 * coshm_latest_loan - the buffer that the next value will lie in.
 * @value: set to coshm_latest_value_bytes() bytes, aligned as the type asks and
 *         to 16 at least; what they contain is unspecified
 *
 * Readers see nothing of it before coshm_latest_publish_loan().  Wait-free.
 * Errors: -EPERM, -ESTALE as above.
 */
COSHM_API COSHM_MUST_CHECK int coshm_latest_loan(struct coshm_latest *ch, void **value);

/** coshm_latest_publish_loan - publish the first @bytes bytes of the loan.  As publish. */
COSHM_API COSHM_MUST_CHECK int coshm_latest_publish_loan(struct coshm_latest *ch, size_t bytes);

/**
 * coshm_latest_read - copy the newest whole value.
 * @room:   bytes at @value
 * @bytes:  may be NULL; the value's length
 * @number: may be NULL; the first value ever published has number 1
 *
 * Lock-free: tried again when overtaken by @buffers - 1 values, a bounded
 * number of times.  Never a system call.
 * Errors: -ENODATA nothing was published yet; -EMSGSIZE the value is larger
 *         than @room; -EAGAIN overtaken on each try; -ESTALE as above.
 */
COSHM_API COSHM_MUST_CHECK int coshm_latest_read(struct coshm_latest *ch, void *value, size_t room,
						 size_t *bytes, uint64_t *number);

/**
 * coshm_latest_peek - look at the newest value where it lies.
 *
 * It may be replaced while it is looked at: nothing learnt from it may be used
 * before coshm_latest_check() has said that it was whole all the time.
 * Errors: -ENODATA, -ESTALE as above.  Wait-free.
 */
COSHM_API COSHM_MUST_CHECK int coshm_latest_peek(struct coshm_latest *ch, const void **value,
						 size_t *bytes, uint64_t *number);

/**
 * coshm_latest_check - was value @number whole until now?
 *
 * Errors: -EAGAIN it may have been replaced: forget it, peek again.  Wait-free.
 */
COSHM_API COSHM_MUST_CHECK int coshm_latest_check(struct coshm_latest *ch, uint64_t number);

/**
 * coshm_latest_wait - wait until there is another value than number @seen.
 * @seen: from coshm_latest_read(); 0 waits for any value
 *
 * Errors: -ETIMEDOUT none came in time; -EINTR; -ESTALE as above;
 *         -EOWNERDEAD the publisher has died, and nobody took its place yet; told
 *         once to each handle: wait again if somebody will.
 * Blocks: as the handle was opened, see enum coshm_wait.
 */
COSHM_API COSHM_MUST_CHECK int coshm_latest_wait(struct coshm_latest *ch, uint64_t seen,
						 int64_t timeout_ns);

/**
 * coshm_latest_fd - a descriptor that poll(2) finds readable when there is a value newer than
 * number @seen.
 *
 * For programs that wait for other things as well: when it is readable, call
 * coshm_latest_wait() with the newest number and no time-out until it finds
 * nothing; that arms the descriptor again.
 * It also becomes so when the publisher has died.
 * It can be readable with nothing there.  It is closed with the handle; the
 * program neither reads nor closes it.  Cost: a thread of this process, and two
 * system calls each time that nothing is found.
 * Errors: -EINVAL a handle that spins, or an observer's; -EMFILE, -EAGAIN no
 *         more descriptors or threads; -EPERM; -ESTALE.
 */
COSHM_API COSHM_MUST_CHECK int coshm_latest_fd(struct coshm_latest *ch, uint64_t seen);

/*
 * latest in memory that the program brings, such as a System V segment of its
 * own.  There are no places in it: that only one publishes at a time is up to
 * the program, and a wait looks every millisecond.
 */

/** coshm_latest_bytes - what coshm_latest_format() needs; 0 if it makes no sense. */
COSHM_API size_t coshm_latest_bytes(uint32_t value_bytes, uint32_t buffers);

/**
 * coshm_latest_format - make @memory a channel without a value.
 * @memory: aligned to 64 bytes; all who use it map the same bytes
 * @bytes:  at @memory
 *
 * A program killed half-way leaves memory that coshm_latest_bind() refuses.
 * Errors: -EINVAL, also for too few bytes.  Threads: one, and nobody bound.
 */
COSHM_API COSHM_MUST_CHECK int coshm_latest_format(void *memory, size_t bytes, uint32_t value_bytes,
						   uint32_t buffers);

/**
 * coshm_latest_bind - use a channel that was formatted in @memory.
 * @role: COSHM_PUBLISHER, COSHM_SUBSCRIBER or (for memory mapped read-only) COSHM_OBSERVER
 *
 * @memory stays the caller's, and mapped until coshm_latest_close().
 * Errors: -EPROTO it is not formatted, or not for @bytes; -EINVAL.
 */
COSHM_API COSHM_MUST_CHECK int coshm_latest_bind(void *memory, size_t bytes, enum coshm_role role,
						 struct coshm_latest **ch);

/*
 * stream: one publisher, every message in order to every subscriber.
 *
 * A ring of slots; messages that do not fit one lie in a ring of bytes beside
 * it, always in one piece.  What happens when a subscriber falls a whole ring
 * behind is chosen at creation:
 *
 *   lossless   the publisher waits for the slowest subscriber that is alive;
 *              dead ones are forgotten, stopped ones are not
 *   overwrite  the publisher never waits; a subscriber that was overtaken is
 *              told how many messages it lost, and goes on with the oldest
 *
 * A publisher killed anywhere leaves all messages that it had published, and
 * none of the others; the next one goes on behind them.
 */
struct coshm_stream;

enum coshm_stream_policy {
	COSHM_STREAM_LOSSLESS = 0,
	COSHM_STREAM_OVERWRITE = 1,
};

struct coshm_stream_shape {
	size_t size;          /* sizeof(struct coshm_stream_shape)                        */
	uint32_t policy;      /* enum coshm_stream_policy                                 */
	uint32_t slots;       /* rounded up to a power of two; 0: 1024                    */
	uint32_t small_bytes; /* largest message that lies in its slot, to 16384; 0: 112  */
	uint64_t large_bytes; /* messages of at least so many fit; 0: what a slot takes   */
	uint64_t ring_bytes;  /* for large ones, rounded up; 0: four of the largest       */
};

struct coshm_message {
	const void *data;
	size_t bytes;
	uint64_t number; /* counts the channel's messages, from 0                    */
	uint64_t lost;   /* messages that were overwritten just before this one      */
};

/**
 * coshm_stream_create - make a stream.  @shape: NULL for all defaults.
 *
 * Errors, Blocks: see "create" above.  Threads: any.
 */
COSHM_API COSHM_MUST_CHECK int coshm_stream_create(const char *name,
						   const struct coshm_stream_shape *shape,
						   const struct coshm_create_opts *opts);

/**
 * coshm_stream_open - take part as publisher or subscriber, or look on as observer.
 * @ch: coshm_stream_close() it
 *
 * A subscriber begins with the first message that is published from now on, or
 * with COSHM_OPEN_OLDEST at the oldest that is still there.  A publisher goes on
 * where the last one stopped.  An observer receives without taking a place, on a
 * read-only mapping, and when it waits it looks every millisecond.
 * Errors: see "open" above; -EPERM an observer of a lossless stream, for whom
 *         nobody would wait.
 */
COSHM_API COSHM_MUST_CHECK int coshm_stream_open(const char *name, enum coshm_role role,
						 const struct coshm_open_opts *opts,
						 struct coshm_stream **ch);

/** coshm_stream_close - give the place back and unmap; NULL is allowed.  Loans are discarded. */
COSHM_API void coshm_stream_close(struct coshm_stream *ch);

/** coshm_stream_message_bytes - the largest message, in bytes; 0 in a forked child. */
COSHM_API size_t coshm_stream_message_bytes(const struct coshm_stream *ch);

/**
 * coshm_stream_publish - append a copy of @bytes bytes, and what is loaned before it.
 *
 * Wait-free while there is room, and always with "overwrite"; a system call
 * only for each subscriber that sleeps.
 * Errors: -EMSGSIZE  the message is larger than coshm_stream_message_bytes()
 *         -EAGAIN    no room, and @timeout_ns is 0
 *         -ETIMEDOUT no room in time; the message says who did not make it
 *         -EINTR, -EPERM not the publisher's handle, -ESTALE removed or replaced
 *         -ENOBUFS   see coshm_stream_loan()
 * Blocks: "lossless" alone, while a subscriber that is alive is a ring behind.
 */
COSHM_API COSHM_MUST_CHECK int coshm_stream_publish(struct coshm_stream *ch, const void *data,
						    size_t bytes, int64_t timeout_ns);

/**
 * coshm_stream_loan - room for the next message, in the ring itself.
 * @data: set to @bytes bytes, aligned as the type asks and to 16 at least
 *
 * Several loans make a batch.  Nobody sees any of it before
 * coshm_stream_publish_loans(), which publishes all of them at once.
 * Errors, Blocks: as coshm_stream_publish();
 *         -ENOBUFS so much is loaned that no more can be: all slots but one, or
 *         half of the byte ring.
 */
COSHM_API COSHM_MUST_CHECK int coshm_stream_loan(struct coshm_stream *ch, size_t bytes,
						 int64_t timeout_ns, void **data);

/** coshm_stream_publish_loans - publish all that is loaned.  Wait-free.  -EPERM, -ESTALE. */
COSHM_API COSHM_MUST_CHECK int coshm_stream_publish_loans(struct coshm_stream *ch);

/** coshm_stream_discard_loans - as if nothing had been loaned.  -EPERM, -ESTALE. */
COSHM_API COSHM_MUST_CHECK int coshm_stream_discard_loans(struct coshm_stream *ch);

/**
 * coshm_stream_receive - copy the next message.
 * @room:    bytes at @data
 * @message: set; its data is @data
 *
 * Lock-free; a system call only to sleep, or to wake a publisher that does.
 * Errors: -EAGAIN     nothing there, and @timeout_ns is 0; or overtaken by an
 *                     overwriting publisher on each of a number of tries
 *         -ETIMEDOUT, -EINTR, -EPERM, -ESTALE
 *         -EOWNERDEAD nothing there, and the publisher has died; told once to each
 *                     handle, also to one that only looks (within 20 ms): call
 *                     again if another one will take over
 *         -EMSGSIZE   the message is larger than @room; it stays the next one
 *         -EPROTO     the message was damaged by a program gone wrong, and is left out
 * Blocks: as the handle was opened, see enum coshm_wait.
 */
COSHM_API COSHM_MUST_CHECK int coshm_stream_receive(struct coshm_stream *ch, void *data,
						    size_t room, int64_t timeout_ns,
						    struct coshm_message *message);

/**
 * coshm_stream_peek - look at the next messages where they lie, up to @max of them.
 *
 * Returns how many there are, one at least.  With "lossless" they stay until they
 * are released.  With "overwrite" they may be replaced while they are looked at:
 * nothing learnt from them may be used before coshm_stream_release() agrees.
 * Errors, Blocks: as coshm_stream_receive(), without -EMSGSIZE.
 */
COSHM_API COSHM_MUST_CHECK int coshm_stream_peek(struct coshm_stream *ch,
						 struct coshm_message *messages, unsigned int max,
						 int64_t timeout_ns);

/**
 * coshm_stream_release - be done with the first @count messages of the last peek.
 *
 * Errors: -EAGAIN they were overwritten meanwhile: forget what was read of
 *         them, also their .lost; they count as lost, and the next message tells
 *         it all; -EINVAL; -EPERM; -ESTALE.  Wait-free.
 */
COSHM_API COSHM_MUST_CHECK int coshm_stream_release(struct coshm_stream *ch, unsigned int count);

/**
 * coshm_stream_fd - a descriptor that poll(2) finds readable when there is a message.
 *
 * For programs that wait for other things as well: when it is readable, receive
 * without a time-out until it finds nothing; that arms the descriptor again.
 * It also becomes so when the publisher has died.
 * It can be readable with nothing there.  It is closed with the handle; the
 * program neither reads nor closes it.  Cost: a thread of this process, and two
 * system calls each time that nothing is found.
 * Errors: -EINVAL a handle that spins, or an observer's; -EMFILE, -EAGAIN no
 *         more descriptors or threads; -EPERM; -ESTALE.
 */
COSHM_API COSHM_MUST_CHECK int coshm_stream_fd(struct coshm_stream *ch);

/**
 * coshm_stream_wait_subscribers - wait until @count subscribers have a place.
 *
 * For a publisher that wants an audience for its first message.
 * Errors: -ETIMEDOUT, -EINTR, -EPERM, -ESTALE.
 */
COSHM_API COSHM_MUST_CHECK int
coshm_stream_wait_subscribers(struct coshm_stream *ch, unsigned int count, int64_t timeout_ns);

/**
 * coshm_stream_drain - wait until every subscriber that is alive has received all.
 *
 * Errors: -ETIMEDOUT the message says who has not; -EINTR; -ESTALE;
 *         -EPERM not the publisher's handle, or an overwriting stream.
 */
COSHM_API COSHM_MUST_CHECK int coshm_stream_drain(struct coshm_stream *ch, int64_t timeout_ns);

/*
 * queue: many producers, many consumers, each message to one of them.
 *
 * Bounded, slots of one size.  Messages are taken in about the order in which
 * they were pushed; one whose producer is slow is overtaken by others, and one
 * that is delivered again comes when its consumer's death was noticed.  What a
 * consumer's death means for the message that it had is chosen at creation:
 *
 *   at least once   another consumer gets it; its deliveries say so
 *   at most once    it is dropped, and counted as lost
 *
 * Nobody waits for a peer that is dead or stopped.
 */
struct coshm_queue;

enum coshm_queue_policy {
	COSHM_QUEUE_AT_LEAST_ONCE = 0,
	COSHM_QUEUE_AT_MOST_ONCE = 1,
};

struct coshm_queue_shape {
	size_t size;            /* sizeof(struct coshm_queue_shape)                 */
	uint32_t policy;        /* enum coshm_queue_policy                          */
	uint32_t slots;         /* rounded up to a power of two; 0: 1024            */
	uint32_t message_bytes; /* the largest message, to 16384; 0: 112            */
};

struct coshm_delivery {
	const void *data;
	size_t bytes;
	uint64_t number;     /* its place in the queue's order, from 0                */
	uint32_t deliveries; /* 1, or more if consumers died who had it; stops at 31  */
};

/** coshm_queue_create - make a queue.  @shape: NULL for all defaults.  See "create" above. */
COSHM_API COSHM_MUST_CHECK int coshm_queue_create(const char *name,
						  const struct coshm_queue_shape *shape,
						  const struct coshm_create_opts *opts);

/**
 * coshm_queue_open - take part as producer or consumer.
 * @ch: coshm_queue_close() it
 *
 * Errors, Blocks: see "open" above.  Threads: any.
 */
COSHM_API COSHM_MUST_CHECK int coshm_queue_open(const char *name, enum coshm_role role,
						const struct coshm_open_opts *opts,
						struct coshm_queue **ch);

/**
 * coshm_queue_close - give the place back and unmap; NULL is allowed.
 *
 * Loans are discarded.  What was taken and not released goes to another
 * consumer, or is dropped, as if this one had died.
 */
COSHM_API void coshm_queue_close(struct coshm_queue *ch);

/** coshm_queue_message_bytes - the largest message, in bytes; 0 in a forked child. */
COSHM_API size_t coshm_queue_message_bytes(const struct coshm_queue *ch);

/**
 * coshm_queue_push - append a copy of @bytes bytes.
 *
 * Lock-free while there is room; a system call only for each consumer that sleeps.
 * Errors: -EMSGSIZE  the message is larger than coshm_queue_message_bytes()
 *         -EAGAIN    the queue is full, and @timeout_ns is 0
 *         -ETIMEDOUT it stayed full
 *         -EINTR, -EPERM not a producer's handle, -ESTALE removed or replaced
 * Blocks: while the queue is full; as the handle was opened.
 */
COSHM_API COSHM_MUST_CHECK int coshm_queue_push(struct coshm_queue *ch, const void *data,
						size_t bytes, int64_t timeout_ns);

/**
 * coshm_queue_push_batch - append copies of several messages, and wake consumers once.
 * @messages: addresses and lengths
 * @count:    1 to 2^31 - 1
 *
 * Waits for room for the first one alone, and returns how many were pushed, one at
 * least.  Each is a message like any other: consumers see it as soon as it is there.
 * Errors, Blocks: as coshm_queue_push(); -EMSGSIZE: one of them, and none was pushed.
 */
COSHM_API COSHM_MUST_CHECK int coshm_queue_push_batch(struct coshm_queue *ch,
						      const struct iovec *messages,
						      unsigned int count, int64_t timeout_ns);

/**
 * coshm_queue_loan - a slot for a message, to be filled where it lies.
 * @data: set to coshm_queue_message_bytes() bytes, aligned as the type asks and
 *        to 16 at least
 *
 * Each loan is pushed or discarded by itself.  Errors, Blocks: as coshm_queue_push().
 */
COSHM_API COSHM_MUST_CHECK int coshm_queue_loan(struct coshm_queue *ch, int64_t timeout_ns,
						void **data);

/** coshm_queue_push_loan - push the first @bytes of a loan.  -EINVAL it is none; -EMSGSIZE. */
COSHM_API COSHM_MUST_CHECK int coshm_queue_push_loan(struct coshm_queue *ch, void *data,
						     size_t bytes);

/** coshm_queue_discard_loan - give a loan back.  -EINVAL it is none. */
COSHM_API COSHM_MUST_CHECK int coshm_queue_discard_loan(struct coshm_queue *ch, void *data);

/**
 * coshm_queue_take - get the next message where it lies; it is ours until it is released.
 *
 * Several may be taken before the first is released, and released in any order.
 * Lock-free; a system call only to sleep.
 * Errors: -EAGAIN nothing there, and @timeout_ns is 0; -ETIMEDOUT; -EINTR;
 *         -EPERM not a consumer's handle; -ESTALE removed or replaced.
 */
COSHM_API COSHM_MUST_CHECK int coshm_queue_take(struct coshm_queue *ch, int64_t timeout_ns,
						struct coshm_delivery *delivery);

/**
 * coshm_queue_take_batch - get up to @max messages, and wait for the first one alone.
 *
 * Returns how many there are, one at least; each is to be released.
 * Errors, Blocks: as coshm_queue_take().
 */
COSHM_API COSHM_MUST_CHECK int coshm_queue_take_batch(struct coshm_queue *ch,
						      struct coshm_delivery *deliveries,
						      unsigned int max, int64_t timeout_ns);

/** coshm_queue_release - acknowledge a message that was taken.  -EINVAL it is none of ours. */
COSHM_API COSHM_MUST_CHECK int coshm_queue_release(struct coshm_queue *ch, const void *data);

/**
 * coshm_queue_receive - take, copy and release the next message.
 * @room:     bytes at @data
 * @delivery: set; its data is @data
 *
 * The message counts as acknowledged when this returns: to be given it again
 * after a crash, take it and release it when the work is done.
 * Errors: as coshm_queue_take(); -EMSGSIZE @room is less than
 *         coshm_queue_message_bytes().
 */
COSHM_API COSHM_MUST_CHECK int coshm_queue_receive(struct coshm_queue *ch, void *data, size_t room,
						   int64_t timeout_ns,
						   struct coshm_delivery *delivery);

/**
 * coshm_queue_fd - a descriptor that poll(2) finds readable when there is a message.
 *
 * For programs that wait for other things as well: when it is readable, take
 * without a time-out until it finds nothing; that arms the descriptor again.
 * It can be readable with nothing there.  It is closed with the handle; the
 * program neither reads nor closes it.  Cost: a thread of this process, and two
 * system calls each time that nothing is found;
 * the thread looks at all slots.
 * Errors: -EINVAL a handle that spins, or an observer's; -EMFILE, -EAGAIN no
 *         more descriptors or threads; -EPERM; -ESTALE.
 */
COSHM_API COSHM_MUST_CHECK int coshm_queue_fd(struct coshm_queue *ch);

#ifdef __cplusplus
}
#endif
#endif /* COSHM_H */
