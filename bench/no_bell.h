/* SPDX-License-Identifier: Apache-2.0 */
/* no_bell.h - before each source of the library: who makes progress looks after no sleepers. */
#ifndef BENCH_NO_BELL_H
#define BENCH_NO_BELL_H

#include "wait.h"

#define bell_ring(region, bell) ((void)(region))

#endif /* BENCH_NO_BELL_H */
