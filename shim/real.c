/* SPDX-License-Identifier: Apache-2.0 */
/*
 * real.c - libc's own functions, and the directory that stands for the namespace.
 */
#include <dlfcn.h>
#include <limits.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "real.h"

static char dir[PATH_MAX];
static bool dir_named;
static pthread_once_t dir_once = PTHREAD_ONCE_INIT;

/* What is too long for a path is kept as one that the kernel refuses, too: not unshared in silence.
 */
static void read_environment(void)
{
	const char *value = secure_getenv("COSHM_DIR");

	if (!value || !*value)
		return;
	strncpy(dir, value, sizeof(dir) - 1);
	dir_named = true;
}

const char *shim_dir(void)
{
	pthread_once(&dir_once, read_environment);
	return dir_named ? dir : NULL;
}

/* Before main(), which may change the environment; a constructor of a library may be even earlier.
 */
__attribute__((constructor)) static void begin(void)
{
	shim_dir();
}

void *real_find(_Atomic(void *) *cache, const char *name)
{
	/* relaxed: what it points to is code, there since before main() */
	void *found = atomic_load_explicit(cache, memory_order_relaxed);

	if (!found) {
		found = dlsym(RTLD_NEXT, name);
		/* relaxed: whoever else looks it up stores the same */
		atomic_store_explicit(cache, found, memory_order_relaxed);
	}
	return found;
}
