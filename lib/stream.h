/* SPDX-License-Identifier: Apache-2.0 */
/*
 * stream.h - the handle of "stream".
 *
 *   stream.c            create, open, close; what all handles share
 *   stream_publish.c    the publisher
 *   stream_subscribe.c  a subscriber
 */
#ifndef COSHM_STREAM_H
#define COSHM_STREAM_H

#include "notify.h"
#include "peer.h"
#include "region.h"
#include "stream_core.h"
#include "stream_core_read.h"
#include "stream_core_write.h"
#include "wait.h"

struct coshm_stream {
	struct region region; /* first: it is allocated as this */
	struct stream_ring ring;
	struct bell data;
	struct bell room;
	union {
		struct stream_writer writer;
		struct stream_reader reader;
	};
	uint64_t tally_bytes;  /* published and not yet added to the region's counters */
	uint64_t peeked;       /* messages looked at and not released                  */
	uint64_t peeked_start; /* of the first large one among them                    */
	uint64_t peeked_lost;  /* what the first of them said is lost before it        */
	bool peeked_large;
	struct notifier notifier;
};

extern const struct region_kind stream_kind;

void stream_tally(struct coshm_stream *ch);
void stream_count_lost(struct coshm_stream *ch, uint64_t lost);
int stream_err_unusable(const struct coshm_stream *ch, enum coshm_role role);

/* The beginning of each call that only this role may make. */
static inline int stream_usable(const struct coshm_stream *ch, enum coshm_role role)
{
	if (__builtin_expect(ch && region_usable(&ch->region) && ch->region.role == role &&
				     !region_retired(&ch->region),
			     1))
		return 0;
	return stream_err_unusable(ch, role);
}

#endif /* COSHM_STREAM_H */
