/* SPDX-License-Identifier: Apache-2.0 */
/*
 * guard.h - what the library maps, between walls that nobody may touch.
 *
 * The fuzzing programs are linked with --wrap for mmap and munmap.  Each
 * reservation that the library makes gets GUARD_BYTES of PROT_NONE on both
 * sides, so that an access that leaves a region by less than that is a SIGSEGV,
 * and not a silent look into a neighbour's mapping.
 */
#ifndef COSHM_FUZZ_GUARD_H
#define COSHM_FUZZ_GUARD_H

#include <stddef.h>

#define GUARD_BYTES ((size_t)16 << 20)

/* How many reservations were ever made between walls: a test that finds 0 tests nothing. */
unsigned long guard_count(void);

#endif /* COSHM_FUZZ_GUARD_H */
