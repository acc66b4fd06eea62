/* SPDX-License-Identifier: Apache-2.0 */
/*
 * real.h - what lies behind the calls that the shim takes: libc's own functions,
 * and the directory that is used in place of the kernel's IPC namespace.
 */
#ifndef COSHM_SHIM_REAL_H
#define COSHM_SHIM_REAL_H

#include <stdatomic.h>

/* All that preload.map lists, and nothing else. */
#define SHIM_EXPORT __attribute__((visibility("default")))

/*
 * shim_dir - the directory that `coshm run` has named in COSHM_DIR, an absolute path;
 * NULL if it has named none: then every call goes to libc's own function.
 *
 * The program may change its environment: what counts is what stood there when it
 * started.  A name and not a descriptor: programs close descriptors that they do
 * not know, and count on the numbers that they get.
 */
const char *shim_dir(void);

/* Use REAL(). The next definition of @name behind the shim: libc's. */
void *real_find(_Atomic(void *) *cache, const char *name);

/* REAL(sem_close)(sem) calls libc's own. */
#define REAL(function)                                                                             \
	({                                                                                         \
		static _Atomic(void *) real_cache;                                                 \
		(__typeof__(&(function)))real_find(&real_cache, #function);                        \
	})

#endif /* COSHM_SHIM_REAL_H */
