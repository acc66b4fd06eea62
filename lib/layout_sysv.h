/* SPDX-License-Identifier: Apache-2.0 */
/*
 * layout_sysv.h - every byte that the System V calls of the shim share.
 *
 * A directory that `coshm run` serves has a folder .sysv, and in it
 *
 *   table      who takes part, which objects there are, who has attached what
 *   shm-ID     a segment's bytes, and nothing else
 *   sem-ID     a set of semaphores
 *   msg-ID     a queue of messages
 *
 * The table is a file with holes: header and control, and then areas that are
 * allocated as they fill, each entry of which has its place for good.  The same
 * rules hold as in layout.h: fixed widths, no pointers, and nothing is a size,
 * an index or an offset before it was bounded by a private copy.
 */
#ifndef COSHM_LAYOUT_SYSV_H
#define COSHM_LAYOUT_SYSV_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#define SYSV_FOLDER     ".sysv"
#define SYSV_TABLE_NAME "table"
#define SYSV_MAGIC      UINT64_C(0x7673792d6d687363) /* bytes "cshm-ysv" */
#define SYSV_VERSION    1u

/* As the kernel's: the lower bits of an identifier are the index, above is a sequence number. */
#define SYSV_INDEX_BITS  15u
#define SYSV_OBJECTS_MAX (1u << SYSV_INDEX_BITS) /* of each kind */
#define SYSV_SEQUENCES   (1u << (31u - SYSV_INDEX_BITS))

#define SYSV_TOKENS   4096u
#define SYSV_ATTACHES 32768u
#define SYSV_PATHS    4096u

enum sysv_kind { SYSV_SHM, SYSV_SEM, SYSV_MSG, SYSV_KINDS };

/* The directory's settings; of the same meaning as in /proc/sys/kernel. */
struct sysv_limits {
	_Alignas(8) uint64_t shmmax; /* bytes of one segment    */
	_Alignas(8) uint64_t shmall; /* pages of all segments   */
	uint32_t shmmni;             /* segments                */
	uint32_t semmsl;             /* semaphores of a set     */
	uint32_t semmns;             /* semaphores of all sets  */
	uint32_t semopm;             /* operations of one semop */
	uint32_t semmni;             /* sets                    */
	uint32_t msgmax;             /* bytes of one message    */
	uint32_t msgmnb;             /* bytes in a new queue    */
	uint32_t msgmni;             /* queues                  */
};

/* Set once, before the table has its name. */
struct sysv_header_shared {
	_Alignas(8) uint64_t magic;
	uint32_t version;
	uint32_t page_bytes; /* what areas are aligned to */
	_Alignas(8) uint64_t generation[2];
	_Alignas(8) uint64_t created_ns;
	struct sysv_limits limits;
	_Alignas(8) uint64_t checksum; /* of all the bytes before it */
};

_Static_assert(offsetof(struct sysv_limits, shmmni) == 16, "layout");
_Static_assert(offsetof(struct sysv_limits, msgmni) == 44, "layout");
_Static_assert(sizeof(struct sysv_limits) == 48, "layout");
_Static_assert(offsetof(struct sysv_header_shared, version) == 8, "layout");
_Static_assert(offsetof(struct sysv_header_shared, page_bytes) == 12, "layout");
_Static_assert(offsetof(struct sysv_header_shared, generation) == 16, "layout");
_Static_assert(offsetof(struct sysv_header_shared, created_ns) == 32, "layout");
_Static_assert(offsetof(struct sysv_header_shared, limits) == 40, "layout");
_Static_assert(offsetof(struct sysv_header_shared, checksum) == 88, "layout");
_Static_assert(sizeof(struct sysv_header_shared) == 96, "layout");

/*
 * A lock whose owner can die, see shim/lock.h.  Bits 63 to 32 of its word are the
 * epoch of the owner's token, bit 31 says that somebody sleeps, 30 to 0 are one more
 * than the token's index; 0: free.
 */
struct sysv_lock_shared {
	_Alignas(8) _Atomic uint64_t word;
};

#define SYSV_LOCK_SLEEPERS   (UINT64_C(1) << 31)
#define SYSV_LOCK_TOKEN(w)   ((uint32_t)((w)&0x7fffffffu) - 1)
#define SYSV_LOCK_EPOCH(w)   ((uint32_t)((w) >> 32))
#define SYSV_LOCK_WORD(t, e) (((uint64_t)(e) << 32) | ((t) + 1))

/* What an area holds for good is bounded by its maximum, and backed says how much there is. */
enum sysv_area {
	SYSV_AREA_TOKENS,
	SYSV_AREA_ATTACHES,
	SYSV_AREA_PATHS,
	SYSV_AREA_KEYS,                                /* one for each kind */
	SYSV_AREA_SLOTS = SYSV_AREA_KEYS + SYSV_KINDS, /* one for each kind */
	SYSV_AREAS = SYSV_AREA_SLOTS + SYSV_KINDS,
};

struct sysv_control_shared {
	struct sysv_lock_shared lock; /* of all that is not done by one store          */
	_Atomic uint32_t working;     /* its owner's: kind << 16 | index + 1; 0: none   */
	uint32_t unused;
	_Alignas(8) _Atomic uint32_t backed[SYSV_AREAS + 1]; /* entries that have memory         */
};

_Static_assert(offsetof(struct sysv_control_shared, working) == 8, "layout");
_Static_assert(offsetof(struct sysv_control_shared, backed) == 16, "layout");
_Static_assert(sizeof(struct sysv_control_shared) == 56, "layout");

/*
 * One process that takes part: byte LAYOUT_LOCKS + i of the table is locked as long
 * as it lives (peer.h has the rule).
 */
struct sysv_token_shared {
	_Alignas(64) _Atomic uint32_t role; /* enum sysv_token_role; 0: nobody              */
	_Atomic uint32_t epoch;             /* how often this token was taken               */
	_Alignas(8) _Atomic uint64_t pid;   /* SYSV_PID of its owner                        */
	_Alignas(8) uint64_t since_ns;      /* CLOCK_REALTIME                               */
	char command[16];                   /* NUL-terminated                               */
	char host[16];                      /* the container's id, as a rule                */
	unsigned char unused[8];
};

enum sysv_token_role {
	SYSV_TOKEN_PROCESS = 1, /* it attaches, and owns locks                    */
	SYSV_TOKEN_UNDO = 2,    /* its semaphores are to be undone; survives exec */
};

_Static_assert(offsetof(struct sysv_token_shared, epoch) == 4, "layout");
_Static_assert(offsetof(struct sysv_token_shared, pid) == 8, "layout");
_Static_assert(offsetof(struct sysv_token_shared, since_ns) == 16, "layout");
_Static_assert(offsetof(struct sysv_token_shared, command) == 24, "layout");
_Static_assert(offsetof(struct sysv_token_shared, host) == 40, "layout");
_Static_assert(sizeof(struct sysv_token_shared) == 64, "layout");

/* A process for people: its number, and the PID namespace in which that means something. */
#define SYSV_PID(pid, ns)     (((uint64_t)(ns) << 32) | (uint32_t)(pid))
#define SYSV_PID_NUMBER(p)    ((uint32_t)(p))
#define SYSV_PID_NAMESPACE(p) ((uint32_t)((p) >> 32))

/*
 * That a process has attached a segment: one word, so that no death leaves half of it.
 * Bits 63 to 48 the token's epoch, 47 to 32 the token, 31 to 16 the segment's index,
 * 15 to 0 how many times; 0: nothing.  A segment is not freed while there is one of a
 * living process, so the index needs no sequence number.
 */
#define SYSV_ATTACH_COUNT(w) ((uint32_t)((w)&0xffffu))
#define SYSV_ATTACH_INDEX(w) ((uint32_t)(((w) >> 16) & 0xffffu))
#define SYSV_ATTACH_TOKEN(w) ((uint32_t)(((w) >> 32) & 0xffffu))
#define SYSV_ATTACH_EPOCH(w) ((uint32_t)((w) >> 48))
#define SYSV_ATTACH_WORD(token, epoch, index, count)                                               \
	(((uint64_t)((epoch)&0xffffu) << 48) | ((uint64_t)(token) << 32) |                         \
	 ((uint64_t)(index) << 16) | (count))

/* A slot's state: bits 31 to 16 the sequence number, bit 8 which permissions are in force. */
enum sysv_phase { /* bits 1 to 0 */
		  SYSV_FREE = 0,
		  SYSV_LIVE = 1,
		  SYSV_DOOMED =
			  2, /* a segment that was removed, and is freed with the last detach */
};
#define SYSV_PHASE(s)                 ((s)&3u)
#define SYSV_SEQUENCE(s)              ((s) >> 16)
#define SYSV_WHICH(s)                 (((s) >> 8) & 1u)
#define SYSV_STATE(seq, which, phase) (((uint32_t)(seq) << 16) | ((which) << 8) | (phase))
#define SYSV_ID(seq, index)           ((int)(((uint32_t)(seq) << SYSV_INDEX_BITS) | (index)))

struct sysv_perm_shared {
	_Atomic uint32_t uid;
	_Atomic uint32_t gid;
	_Atomic uint32_t mode; /* of the nine bits, and SHM_LOCKED */
	uint32_t unused;
};

/* One object, of whichever kind. */
struct sysv_slot_shared {
	_Alignas(64) _Atomic uint32_t state;
	_Atomic uint32_t key;  /* IPC_PRIVATE once it is doomed                  */
	_Atomic uint32_t cuid; /* its creator                                    */
	_Atomic uint32_t cgid;
	struct sysv_perm_shared perm[2]; /* IPC_SET writes the one that is not in force    */
	/* Bytes of a segment, semaphores of a set, messages << 32 | bytes of a queue. */
	_Alignas(8) _Atomic uint64_t size;
	_Alignas(8) _Atomic int64_t ctime_s; /* CLOCK_REALTIME, as the other times         */
	_Alignas(8) _Atomic int64_t atime_s; /* last shmat, semop, msgsnd                  */
	_Alignas(8) _Atomic int64_t dtime_s; /* last shmdt, -, msgrcv                      */
	_Alignas(8) _Atomic uint64_t cpid;   /* SYSV_PID of the creator; of msgsnd         */
	_Alignas(8) _Atomic uint64_t lpid;   /* of the last shmat or shmdt; of msgrcv      */
	unsigned char unused[32];
};

_Static_assert(offsetof(struct sysv_slot_shared, key) == 4, "layout");
_Static_assert(offsetof(struct sysv_slot_shared, cuid) == 8, "layout");
_Static_assert(offsetof(struct sysv_slot_shared, cgid) == 12, "layout");
_Static_assert(offsetof(struct sysv_slot_shared, perm) == 16, "layout");
_Static_assert(offsetof(struct sysv_slot_shared, size) == 48, "layout");
_Static_assert(offsetof(struct sysv_slot_shared, ctime_s) == 56, "layout");
_Static_assert(offsetof(struct sysv_slot_shared, atime_s) == 64, "layout");
_Static_assert(offsetof(struct sysv_slot_shared, dtime_s) == 72, "layout");
_Static_assert(offsetof(struct sysv_slot_shared, cpid) == 80, "layout");
_Static_assert(offsetof(struct sysv_slot_shared, lpid) == 88, "layout");
_Static_assert(sizeof(struct sysv_slot_shared) == 128, "layout");

/* Where the areas lie.  Each begins on a boundary of 64 KiB, the largest page there is. */
#define SYSV_TABLE_CONTROL 1024u
#define SYSV_TOKENS_AT     UINT64_C(0x10000)
#define SYSV_ATTACHES_AT   UINT64_C(0x90000)
#define SYSV_PATHS_AT      UINT64_C(0xd0000)
#define SYSV_KEYS_AT       UINT64_C(0xe0000)  /* + kind * 0x20000  */
#define SYSV_SLOTS_AT      UINT64_C(0x140000) /* + kind * 0x400000 */
#define SYSV_TABLE_BYTES   UINT64_C(0xd40000)

_Static_assert(SYSV_ATTACHES_AT - SYSV_TOKENS_AT >= SYSV_TOKENS * sizeof(struct sysv_token_shared),
	       "layout");
_Static_assert(SYSV_PATHS_AT - SYSV_ATTACHES_AT >= SYSV_ATTACHES * 8u, "layout");
_Static_assert(SYSV_KEYS_AT - SYSV_PATHS_AT >= SYSV_PATHS * 8u, "layout");
_Static_assert(SYSV_SLOTS_AT - SYSV_KEYS_AT >= SYSV_KINDS * SYSV_OBJECTS_MAX * 4u, "layout");
_Static_assert(SYSV_TABLE_BYTES - SYSV_SLOTS_AT >=
		       SYSV_KINDS * SYSV_OBJECTS_MAX * sizeof(struct sysv_slot_shared),
	       "layout");

/*
 * A queue of messages.  Messages lie in blocks, which are referred to by index + 1,
 * 0 is none: a message's blocks are chained by "next", and the first ones of all that
 * are queued by "follower", from "head" on.  That chain, and what a place below says,
 * is the truth; all else of it (tail, free, fresh, bytes, count, crowd) is rebuilt from
 * there when the owner of the lock has died.
 *
 * Blocks come in segments, each as large as all before it: the file has as many as
 * were ever needed.
 */
#define MSG_MAGIC       UINT64_C(0x67736d2d6d687363) /* bytes "cshm-msg" */
#define MSG_PLACES      512u                         /* who may sleep without polling */
#define MSG_PLACES_AT   UINT64_C(0x1000)
#define MSG_FIRST_AT    UINT64_C(0x800)  /* the first segment of blocks */
#define MSG_BLOCKS_AT   UINT64_C(0x9000) /* the others */
#define MSG_FIRST       16u              /* blocks of the first segment */
#define MSG_SEGMENTS    21u
#define MSG_BLOCK_BYTES 128u
#define MSG_FIRST_BYTES 96u  /* of a message in its first block */
#define MSG_MORE_BYTES  112u /* in each other one               */
#define MSG_BYTES_MAX   (1u << 30)

struct msg_queue_shared {
	struct sysv_lock_shared lock; /* of all the rest, if nothing else is said */
	_Alignas(8) uint64_t magic;
	_Atomic uint32_t head;
	_Atomic uint32_t tail;
	_Atomic uint32_t free;  /* the first of the blocks that were used once */
	_Atomic uint32_t fresh; /* how many blocks were ever used              */
	_Atomic uint32_t segments;
	_Atomic uint32_t places; /* that have memory                            */
	_Atomic uint32_t crowd;  /* places that are used                        */
	_Atomic uint32_t mends;
	_Alignas(8) _Atomic uint64_t bytes; /* of all messages that are queued */
	_Alignas(8) _Atomic uint64_t count;
	_Alignas(8) _Atomic uint64_t limit;  /* msg_qbytes                      */
	_Alignas(8) _Atomic uint64_t serial; /* of the newest message           */
	_Alignas(8) _Atomic uint64_t ticket; /* of the newest sleeper           */
	_Atomic uint32_t hurt;               /* it is to be mended              */
	_Atomic uint32_t changed;            /* before each change of permissions */
	_Alignas(64) _Atomic uint64_t used[MSG_PLACES / 64];
};

_Static_assert(offsetof(struct msg_queue_shared, magic) == 8, "layout");
_Static_assert(offsetof(struct msg_queue_shared, head) == 16, "layout");
_Static_assert(offsetof(struct msg_queue_shared, tail) == 20, "layout");
_Static_assert(offsetof(struct msg_queue_shared, free) == 24, "layout");
_Static_assert(offsetof(struct msg_queue_shared, fresh) == 28, "layout");
_Static_assert(offsetof(struct msg_queue_shared, segments) == 32, "layout");
_Static_assert(offsetof(struct msg_queue_shared, places) == 36, "layout");
_Static_assert(offsetof(struct msg_queue_shared, crowd) == 40, "layout");
_Static_assert(offsetof(struct msg_queue_shared, mends) == 44, "layout");
_Static_assert(offsetof(struct msg_queue_shared, bytes) == 48, "layout");
_Static_assert(offsetof(struct msg_queue_shared, count) == 56, "layout");
_Static_assert(offsetof(struct msg_queue_shared, limit) == 64, "layout");
_Static_assert(offsetof(struct msg_queue_shared, serial) == 72, "layout");
_Static_assert(offsetof(struct msg_queue_shared, ticket) == 80, "layout");
_Static_assert(offsetof(struct msg_queue_shared, hurt) == 88, "layout");
_Static_assert(offsetof(struct msg_queue_shared, changed) == 92, "layout");
_Static_assert(offsetof(struct msg_queue_shared, used) == 128, "layout");
_Static_assert(sizeof(struct msg_queue_shared) == 192, "layout");

struct msg_block_shared {
	_Atomic uint32_t next;
	_Atomic uint32_t mark;     /* the mend that has found it in use   */
	_Atomic uint32_t follower; /* from here on: of a first block      */
	_Atomic uint32_t bytes;
	union {
		struct {
			_Alignas(8) _Atomic int64_t type;
			_Alignas(8) _Atomic uint64_t serial;
			unsigned char data[MSG_FIRST_BYTES];
		} first;
		unsigned char more[MSG_MORE_BYTES];
	};
};

_Static_assert(offsetof(struct msg_block_shared, mark) == 4, "layout");
_Static_assert(offsetof(struct msg_block_shared, follower) == 8, "layout");
_Static_assert(offsetof(struct msg_block_shared, bytes) == 12, "layout");
_Static_assert(offsetof(struct msg_block_shared, first.type) == 16, "layout");
_Static_assert(offsetof(struct msg_block_shared, first.serial) == 24, "layout");
_Static_assert(offsetof(struct msg_block_shared, first.data) == 32, "layout");
_Static_assert(offsetof(struct msg_block_shared, more) == 16, "layout");
_Static_assert(sizeof(struct msg_block_shared) == MSG_BLOCK_BYTES, "layout");

/*
 * Who sleeps, for a message or for room.  Bits 3 to 0 of the state are the phase, 7 to 4
 * the lowest of the ticket, 31 to 8 refer to a message.  The lock's owner may change WAITING
 * and ASLEEP into anything and GIVEN into LAPSED, the sleeper WAITING into ASLEEP, GIVEN into
 * TAKING and TAKING into DONE; all by compare-and-swap.
 */
struct msg_place_shared {
	_Alignas(64) _Atomic uint32_t state;
	_Atomic uint32_t token;
	_Atomic uint32_t epoch;
	_Atomic uint32_t mode;               /* enum msg_mode: what it waits for         */
	_Alignas(8) _Atomic int64_t type;    /* of the message                           */
	_Atomic uint32_t most;               /* bytes that it takes, or wants to send    */
	_Atomic uint32_t since_ms;           /* it sleeps, or was given it; CLOCK_REALTIME */
	_Alignas(8) _Atomic uint64_t ticket; /* who came first                           */
	_Alignas(8) _Atomic uint64_t pid;    /* SYSV_PID                                 */
	/* Who received before, and when, if this one does not come for it. */
	_Alignas(8) _Atomic uint64_t pid_before;
	_Alignas(8) _Atomic int64_t time_before_s;
};

enum msg_phase {
	MSG_FREE = 0,
	MSG_WAITING = 1, /* it looks at this word                            */
	MSG_ASLEEP = 2,  /* it is to be woken                                */
	MSG_GIVEN = 3,   /* a message is its own                             */
	MSG_TAKING = 4,  /* it reads it                                      */
	MSG_DONE = 5,    /* and is through: the blocks are free, the place, too */
	MSG_LAPSED = 6,  /* the message goes back to the queue               */
	MSG_AGAIN = 7,   /* it is to look again                              */
	MSG_TOOBIG = 8,  /* a message that it had no room for                */
	MSG_REMOVED = 9, /* the queue                                        */
};

enum msg_mode {
	MSG_SENDER = 0,
	MSG_ANY = 1,
	MSG_EQUAL = 2,
	MSG_UNEQUAL = 3,
	MSG_LOWEST = 4, /* up to type                 */
	MSG_NUMBER = 5, /* that many before it; never in a place */
};

#define MSG_STATE(phase, lap, ref) ((uint32_t)(phase) | ((uint32_t)(lap)&15u) << 4 | (ref) << 8)
#define MSG_STATE_PHASE(s)         ((s)&15u)
#define MSG_STATE_LAP(s)           (((s) >> 4) & 15u)
#define MSG_STATE_REF(s)           ((s) >> 8)

_Static_assert(MSG_FIRST << (MSG_SEGMENTS - 1) <= 1u << 24, "layout");
_Static_assert(sizeof(struct msg_queue_shared) <= MSG_FIRST_AT, "layout");
_Static_assert(MSG_PLACES_AT - MSG_FIRST_AT >= MSG_FIRST * MSG_BLOCK_BYTES, "layout");
_Static_assert(MSG_BLOCKS_AT - MSG_PLACES_AT >= MSG_PLACES * sizeof(struct msg_place_shared),
	       "layout");
_Static_assert(offsetof(struct msg_place_shared, token) == 4, "layout");
_Static_assert(offsetof(struct msg_place_shared, epoch) == 8, "layout");
_Static_assert(offsetof(struct msg_place_shared, mode) == 12, "layout");
_Static_assert(offsetof(struct msg_place_shared, type) == 16, "layout");
_Static_assert(offsetof(struct msg_place_shared, most) == 24, "layout");
_Static_assert(offsetof(struct msg_place_shared, since_ms) == 28, "layout");
_Static_assert(offsetof(struct msg_place_shared, ticket) == 32, "layout");
_Static_assert(offsetof(struct msg_place_shared, pid) == 40, "layout");
_Static_assert(offsetof(struct msg_place_shared, pid_before) == 48, "layout");
_Static_assert(offsetof(struct msg_place_shared, time_before_s) == 56, "layout");
_Static_assert(sizeof(struct msg_place_shared) == 64, "layout");

#endif /* COSHM_LAYOUT_SYSV_H */
