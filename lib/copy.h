/* SPDX-License-Identifier: Apache-2.0 */
/*
 * copy.h - payload in and out of shared memory, which may change meanwhile.
 *
 * A reader may look at bytes that a publisher is about to replace; it finds
 * out after the copy and throws the copy away.  The C standard calls the plain
 * copy undefined; with relaxed atomic words it would be defined, and for large
 * payloads three to ten times slower, because no compiler joins them into wide
 * moves.  What is needed of memcpy is that it reads each byte and traps on
 * none, whatever the bytes do meanwhile: every libc's does.  The empty asm
 * keeps the compiler from reading a second time or from moving the copy.
 * ThreadSanitizer gets the defined form.
 */
#ifndef COSHM_COPY_H
#define COSHM_COPY_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#if defined(__SANITIZE_THREAD__)
#define COPY_BY_ATOMICS 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define COPY_BY_ATOMICS 1
#endif
#endif

#ifdef COPY_BY_ATOMICS

/* Relaxed, both: the channel's own edges order the payload. */
static inline void copy_in(void *shared, const void *from, size_t bytes)
{
	for (size_t i = 0; i < bytes; i++)
		__atomic_store_n((unsigned char *)shared + i, ((const unsigned char *)from)[i],
				 __ATOMIC_RELAXED);
}

static inline void copy_out(void *to, const void *shared, size_t bytes)
{
	for (size_t i = 0; i < bytes; i++)
		((unsigned char *)to)[i] =
			__atomic_load_n((const unsigned char *)shared + i, __ATOMIC_RELAXED);
}

#else

static inline void copy_in(void *shared, const void *from, size_t bytes)
{
	if (bytes != 0) /* an empty message may have no address */
		memcpy(shared, from, bytes);
	__asm__ volatile("" ::: "memory"); /* the compiler may not look through it */
}

static inline void copy_out(void *to, const void *shared, size_t bytes)
{
	__asm__ volatile("" ::: "memory");
	if (bytes != 0) /* an empty message needs no room */
		memcpy(to, shared, bytes);
	__asm__ volatile("" ::: "memory");
}

#endif

#endif /* COSHM_COPY_H */
