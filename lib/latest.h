/* SPDX-License-Identifier: Apache-2.0 */
/*
 * latest.h - the handle of "latest".
 *
 *   latest.c        publish and read
 *   latest_place.c  in a region of ours, and in memory that the program brings
 */
#ifndef COSHM_LATEST_H
#define COSHM_LATEST_H

#include "latest_core.h"
#include "notify.h"
#include "region.h"
#include "wait.h"

struct coshm_latest {
	struct region region; /* first: it is allocated as this */
	struct latest_ring ring;
	struct bell bell;
	struct notifier notifier;
	uint64_t tally_bytes; /* published and not yet added to the region's counters */
};

void latest_tally(struct coshm_latest *ch);

#endif /* COSHM_LATEST_H */
