/* SPDX-License-Identifier: Apache-2.0 */
/*
 * play_run.h - between the one who plays a point and the one who counts.
 */
#ifndef COSHM_TEST_PLAY_RUN_H
#define COSHM_TEST_PLAY_RUN_H

#include "play.h"
#include "step.h"

extern bool stopping; /* the victim is stopped at the point, and not killed */

/* For all points of a scenario: make the channel, learn the way through the act. */
bool play_prepare(void);
bool play_learn(struct step_way *way);
/* One point; the verdict is in the ledger.  False if it could not be played. */
bool play_point(const struct step_way *way, long k, bool *elsewhere);
void play_forget(void);

#endif /* COSHM_TEST_PLAY_RUN_H */
