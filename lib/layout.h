/* SPDX-License-Identifier: Apache-2.0 */
/*
 * layout.h - every byte of a channel that lies in shared memory.  Those of System V
 * objects that the shim serves are in layout_sysv.h and layout_sem.h.
 *
 *   0      header   who and what this is; never changes once the region has a name
 *   256    state    what all kinds of channel need: retired, and who sleeps
 *   512    control  of this kind of channel: latest, stream or queue
 *   2048   peers    LAYOUT_PEERS slots of 128 bytes
 *   12288  data     buffers or slots, rounded up to the page; then the byte ring
 *
 * Programs of different containers, compilers and word sizes meet here, so:
 * fixed-width types alone, every 64-bit field on its own boundary of 8 (i386
 * would put it on 4), no pointer, and an assertion for each offset.  Nothing
 * in here may be used as a size, an index or an offset before it was bounded
 * by the private copy that attaching made.  docs/layout.md is the table.
 */
#ifndef COSHM_LAYOUT_H
#define COSHM_LAYOUT_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

/* Both sides map this at different addresses: only address-free atomics do. */
_Static_assert(ATOMIC_LLONG_LOCK_FREE == 2, "need lock-free 64-bit atomics");
_Static_assert(ATOMIC_INT_LOCK_FREE == 2, "need lock-free 32-bit atomics");

#define LAYOUT_MAGIC                                                                               \
	UINT64_C(0x6e67722d6d687363) /* bytes "cshm-rgn": also tells byte orders apart */
#define LAYOUT_VERSION 1u
#define LAYOUT_LINE    64u

/* Anybody may sit in the first 64 peer slots; the one behind them is the publisher's. */
#define LAYOUT_SEATS     64u
#define LAYOUT_PUBLISHER 64u
#define LAYOUT_PEERS     65u

/* Peer i is alive while byte LAYOUT_LOCKS + i of the file is locked: far beyond any file's end. */
#define LAYOUT_LOCKS (INT64_C(1) << 62)
/* And the byte behind the peers' is locked by him who takes the region's name away. */
#define LAYOUT_NAME_LOCK LAYOUT_PEERS

/* Where the payload begins in a buffer or slot; further in for a type that asks for more. */
#define LAYOUT_PAYLOAD   16u
#define LAYOUT_ALIGN_MAX 64u

#define LAYOUT_TYPE_NAME_BYTES 64
#define LAYOUT_META_BYTES      12288u

enum layout_kind {
	LAYOUT_ANY = 0, /* in no header: whoever looks at all kinds asks for it */
	LAYOUT_LATEST = 1,
	LAYOUT_STREAM = 2,
	LAYOUT_QUEUE = 3,
};

/* Set once, before the region has a name. */
struct header_shared {
	_Alignas(8) uint64_t magic;
	uint32_t version;                   /* LAYOUT_VERSION: no other one is understood  */
	uint32_t kind;                      /* enum layout_kind                            */
	uint32_t must_understand;           /* bits that a reader must know; none yet      */
	uint32_t policy;                    /* of this kind                                */
	_Alignas(8) uint64_t generation[2]; /* random: tells a region from its successor  */
	_Alignas(8) uint64_t region_bytes;  /* of the whole file                           */
	_Alignas(8) uint64_t ring_bytes;    /* of the byte ring, a power of two, or 0      */
	uint32_t slot_bytes;                /* a multiple of 64                            */
	uint32_t slots;                     /* a power of two                              */
	uint32_t page_bytes;                /* what data and byte ring are aligned to      */
	uint32_t value_bytes;               /* largest message that lies in its slot       */
	_Alignas(8) uint64_t created_ns;    /* CLOCK_REALTIME, for people                  */
	_Alignas(8) uint64_t type_bytes;    /* of the message type; 0: any size            */
	uint32_t type_align;                /* 0: any                                      */
	uint32_t type_version;
	char type_name[LAYOUT_TYPE_NAME_BYTES]; /* NUL-terminated; "": no type            */
	unsigned char unused[72];               /* zero                                        */
	_Alignas(8) uint64_t checksum;          /* of all the bytes before it                  */
};

_Static_assert(offsetof(struct header_shared, version) == 8, "layout");
_Static_assert(offsetof(struct header_shared, kind) == 12, "layout");
_Static_assert(offsetof(struct header_shared, must_understand) == 16, "layout");
_Static_assert(offsetof(struct header_shared, policy) == 20, "layout");
_Static_assert(offsetof(struct header_shared, generation) == 24, "layout");
_Static_assert(offsetof(struct header_shared, region_bytes) == 40, "layout");
_Static_assert(offsetof(struct header_shared, ring_bytes) == 48, "layout");
_Static_assert(offsetof(struct header_shared, slot_bytes) == 56, "layout");
_Static_assert(offsetof(struct header_shared, slots) == 60, "layout");
_Static_assert(offsetof(struct header_shared, page_bytes) == 64, "layout");
_Static_assert(offsetof(struct header_shared, value_bytes) == 68, "layout");
_Static_assert(offsetof(struct header_shared, created_ns) == 72, "layout");
_Static_assert(offsetof(struct header_shared, type_bytes) == 80, "layout");
_Static_assert(offsetof(struct header_shared, type_align) == 88, "layout");
_Static_assert(offsetof(struct header_shared, type_version) == 92, "layout");
_Static_assert(offsetof(struct header_shared, type_name) == 96, "layout");
_Static_assert(offsetof(struct header_shared, unused) == 160, "layout");
_Static_assert(offsetof(struct header_shared, checksum) == 232, "layout");
_Static_assert(sizeof(struct header_shared) == 240, "layout");

/* Read at every publication and hardly ever written: it stays in everybody's cache. */
struct state_shared {
	_Alignas(8) _Atomic uint64_t data_sleepers; /* bit i: peer i sleeps until there is data */
	_Alignas(8) _Atomic uint64_t room_sleepers; /* the same, until there is room            */
	_Atomic uint32_t retired;    /* not 0: removed or replaced, attach anew      */
	_Atomic uint32_t must_fence; /* not 0: a sleeper may not use membarrier(2)   */
};

/* Totals for tools; peers add to them now and then, so they lag a little. */
struct counters_shared {
	_Alignas(8) _Atomic uint64_t messages; /* published or pushed           */
	_Alignas(8) _Atomic uint64_t bytes;    /* of their payload              */
	_Alignas(8) _Atomic uint64_t lost;     /* overwritten before they were read */
	_Alignas(8) _Atomic uint64_t evicted;  /* dead peers recovered for      */
	_Alignas(8) _Atomic uint64_t waits;    /* times that a peer slept       */
};

_Static_assert(offsetof(struct state_shared, room_sleepers) == 8, "layout");
_Static_assert(offsetof(struct state_shared, retired) == 16, "layout");
_Static_assert(offsetof(struct state_shared, must_fence) == 20, "layout");
_Static_assert(sizeof(struct state_shared) == 24, "layout");
_Static_assert(sizeof(struct counters_shared) == 40, "layout");

#define LAYOUT_COMMAND_BYTES 16
#define LAYOUT_HOST_BYTES    16

/*
 * One peer.  The first line is for people and written once; the second is what
 * the channel works with.  Its owner holds the slot's lock.
 */
struct peer_shared {
	_Alignas(64) _Atomic uint32_t role;     /* enum coshm_role; 0: nobody here     */
	uint32_t pid;                           /* in its owner's PID namespace        */
	_Alignas(8) uint64_t identity[2];       /* random, of this taking of the slot  */
	_Alignas(8) uint64_t since_ns;          /* CLOCK_REALTIME                      */
	char command[LAYOUT_COMMAND_BYTES];     /* NUL-terminated                      */
	char host[LAYOUT_HOST_BYTES];           /* the container's id, as a rule       */
	_Alignas(64) _Atomic uint64_t position; /* the next message it will handle    */
	_Atomic uint32_t wake;                  /* futex word: counts the calls        */
	_Atomic uint32_t epoch;                 /* how often this slot was taken       */
	unsigned char unused[48];
};

_Static_assert(offsetof(struct peer_shared, pid) == 4, "layout");
_Static_assert(offsetof(struct peer_shared, identity) == 8, "layout");
_Static_assert(offsetof(struct peer_shared, since_ns) == 24, "layout");
_Static_assert(offsetof(struct peer_shared, command) == 32, "layout");
_Static_assert(offsetof(struct peer_shared, host) == 48, "layout");
_Static_assert(offsetof(struct peer_shared, position) == 64, "layout");
_Static_assert(offsetof(struct peer_shared, wake) == 72, "layout");
_Static_assert(offsetof(struct peer_shared, epoch) == 76, "layout");
_Static_assert(sizeof(struct peer_shared) == 128, "layout");

#define LAYOUT_CONTROL_BYTES (2048u - 512u)

struct region_shared {
	_Alignas(64) struct header_shared header;
	_Alignas(64) struct state_shared state;
	_Alignas(64) struct counters_shared counters;
	_Alignas(64) unsigned char unused[128];
	_Alignas(64) unsigned char control[LAYOUT_CONTROL_BYTES];
	struct peer_shared peers[LAYOUT_PEERS];
};

_Static_assert(offsetof(struct region_shared, state) == 256, "layout");
_Static_assert(offsetof(struct region_shared, counters) == 320, "layout");
_Static_assert(offsetof(struct region_shared, control) == 512, "layout");
_Static_assert(offsetof(struct region_shared, peers) == 2048, "layout");
_Static_assert(sizeof(struct region_shared) <= LAYOUT_META_BYTES, "layout");

/*
 * latest: the whole of it stands together, so that it can also lie in memory
 * that a program brings.  Then the first line is read and checked; in a region
 * of ours, the region's header says the same.
 */
#define LAYOUT_LATEST_MAGIC UINT64_C(0x31304c2d6d687363) /* bytes "cshm-L01" */

struct latest_shared {
	_Alignas(64) _Atomic uint64_t magic; /* LAYOUT_LATEST_MAGIC, stored last      */
	uint32_t value_bytes;                /* the largest value                     */
	uint32_t buffers;                    /* a power of two, 4 at least            */
	_Alignas(64) _Atomic uint64_t head;  /* number of the newest value; 0: none   */
	_Alignas(64) unsigned char values[]; /* buffers of latest_value_shared        */
};

struct latest_value_shared {
	_Alignas(64) uint64_t bytes; /* of this value; its payload follows, see LAYOUT_PAYLOAD */
};

_Static_assert(offsetof(struct latest_shared, value_bytes) == 8, "layout");
_Static_assert(offsetof(struct latest_shared, buffers) == 12, "layout");
_Static_assert(offsetof(struct latest_shared, head) == 64, "layout");
_Static_assert(offsetof(struct latest_shared, values) == 128, "layout");
_Static_assert(sizeof(struct latest_value_shared) == 64, "layout");

/*
 * stream: control, and then the slots as data.  A position counts messages from
 * the channel's beginning; position p lies in slot p % slots, and its lap is
 * p / slots + 1, so that memory that is still zero has no message in it.
 */
struct stream_control_shared {
	/* Written by the publisher now and then. */
	_Alignas(64) _Atomic uint64_t published; /* a position not after the end, close to it     */
	_Alignas(8) _Atomic uint64_t claimed;    /* byte ring: overwrite may write below this     */
	/* Written when somebody comes, goes, or the publisher looks for room. */
	_Alignas(64) _Atomic uint64_t limit; /* lossless: the publisher may write below this  */
	_Alignas(8) _Atomic uint64_t subscribers; /* bit i: peer i reads; lossless waits for it */
};

/*
 * A slot's word, stored after its payload: bits 63 to 16 the lap, bits 15 to 0
 * one more than the payload's bytes, or one of these.
 */
#define STREAM_LAP_SHIFT 16
#define STREAM_NEVER     0x0000u /* nothing was ever here                                  */
#define STREAM_LARGE     0xffffu /* the payload lies in the byte ring: stream_large_shared */
#define STREAM_PENDING   0xfffeu /* loaned, and to be published together with later ones   */
#define STREAM_VOID      0xfffdu /* of a lap that is over; its payload was destroyed       */

struct stream_slot_shared {
	_Alignas(64) _Atomic uint64_t word; /* its payload follows, see LAYOUT_PAYLOAD */
};

/* Lies where a small payload would. */
struct stream_large_shared {
	_Alignas(8) _Atomic uint64_t start; /* counts bytes from the channel's beginning */
	_Alignas(8) _Atomic uint64_t bytes;
};

_Static_assert(offsetof(struct stream_control_shared, claimed) == 8, "layout");
_Static_assert(offsetof(struct stream_control_shared, limit) == 64, "layout");
_Static_assert(offsetof(struct stream_control_shared, subscribers) == 72, "layout");
_Static_assert(sizeof(struct stream_control_shared) == 128, "layout");
_Static_assert(sizeof(struct stream_control_shared) <= LAYOUT_CONTROL_BYTES, "layout");
_Static_assert(sizeof(struct stream_slot_shared) == 64, "layout");
_Static_assert(offsetof(struct stream_large_shared, bytes) == 8, "layout");
_Static_assert(sizeof(struct stream_large_shared) == 16, "layout");

/*
 * queue: control, and then the slots as data.  Position p goes to slot
 * p % slots in its lap p / slots.
 */
struct queue_control_shared {
	_Alignas(64) _Atomic uint64_t head;  /* hint: nothing is to be taken before it        */
	_Alignas(64) _Atomic uint64_t tail;  /* hint: nothing is to be claimed before it      */
	_Alignas(64) _Atomic uint64_t again; /* how often messages came up behind the head    */
};

/* A slot's state: bits 63 to 16 the lap, 15 to 8 the owner's peer slot, 7 to 3 deliveries. */
#define QUEUE_LAP_SHIFT        16
#define QUEUE_OWNER_SHIFT      8
#define QUEUE_DELIVERIES_SHIFT 3
#define QUEUE_DELIVERIES_MAX   31u

enum queue_phase {                   /* bits 2 to 0 */
		   QUEUE_FREE = 0,   /* to be claimed for this lap or a later one          */
		   QUEUE_CLAIM = 1,  /* its owner writes into it                           */
		   QUEUE_PASSED = 2, /* the same, and the head has gone on                 */
		   QUEUE_FULL = 3,   /* a message, not before the head                     */
		   QUEUE_TAKE = 4,   /* its owner has the message                          */
		   QUEUE_AGAIN = 5,  /* a message, behind the head                         */
};

struct queue_slot_shared {
	_Alignas(64) _Atomic uint64_t state;
	_Atomic uint32_t bytes; /* of the payload, which follows, see LAYOUT_PAYLOAD */
};

_Static_assert(offsetof(struct queue_control_shared, tail) == 64, "layout");
_Static_assert(offsetof(struct queue_control_shared, again) == 128, "layout");
_Static_assert(sizeof(struct queue_control_shared) == 192, "layout");
_Static_assert(sizeof(struct queue_control_shared) <= LAYOUT_CONTROL_BYTES, "layout");
_Static_assert(offsetof(struct queue_slot_shared, bytes) == 8, "layout");
_Static_assert(sizeof(struct queue_slot_shared) == 64, "layout");

#endif /* COSHM_LAYOUT_H */
