/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ld_cache.h - /etc/ld.so.cache: where the dynamic linker has seen libraries.
 */
#ifndef COSHM_INSPECT_LD_CACHE_H
#define COSHM_INSPECT_LD_CACHE_H

#include <stddef.h>

#include "memory.h"

struct ld_cache {
	const unsigned char *bytes;
	size_t count;
};

/* An empty one if there is none, or none that we know. */
struct ld_cache ld_cache_read(struct memory *m, const char *path);

/* The paths of a library, in their order: number @nth from 0; NULL: no more. */
const char *ld_cache_find(const struct ld_cache *cache, const char *name, unsigned int nth);

#endif /* COSHM_INSPECT_LD_CACHE_H */
