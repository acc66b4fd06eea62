/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuzz.h - an input: what is to be done, and the region that it is done to.
 *
 *   0   flags     FUZZ_...
 *   1   kind      1 latest, 2 stream, 3 queue: as what the region is opened
 *   2   how to wait
 *   8   script    one byte an operation; see the target
 *   64  image     the bytes of the region's file
 */
#ifndef COSHM_FUZZ_FUZZ_H
#define COSHM_FUZZ_FUZZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FUZZ_SCRIPT 8u
#define FUZZ_IMAGE  64u
#define FUZZ_MAX    ((size_t)128 << 10)

enum fuzz_flags {
	FUZZ_REPAIR = 1, /* make the header's checksum right: most damage ends there    */
	FUZZ_GROW = 2,   /* make the file as long as its header says, up to a limit      */
	FUZZ_BIND = 4,   /* the data is memory that a program brings: coshm_latest_bind() */
};

/* target.c */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
void fuzz_repair(uint8_t *image, size_t bytes);

/* A reproducible stream of numbers: xorshift64*. */
static inline uint64_t fuzz_random(uint64_t *state)
{
	*state ^= *state >> 12;
	*state ^= *state << 25;
	*state ^= *state >> 27;
	return *state * UINT64_C(2685821657736338717);
}

/* mutate.c: change up to a few things, where it hurts; the new size */
size_t fuzz_mutate(uint8_t *data, size_t size, size_t max, uint64_t *random);
/* Some offset in a region of @bytes, as a rule of a word that steers something. */
size_t fuzz_aim(const uint8_t *image, size_t bytes, uint64_t *random);
/* What to store at a word that is @now: random, near, or an extreme. */
uint64_t fuzz_value(uint64_t now, uint64_t *random);

/* seeds.c: valid inputs of each kind and policy, in use; how many bytes, 0 after the last */
size_t fuzz_seed(unsigned int number, uint8_t *data, size_t max, const char **name);

/* A directory of our own in /dev/shm, for COSHM_DIR; gone at exit. */
const char *fuzz_dir(void);

#endif /* COSHM_FUZZ_FUZZ_H */
