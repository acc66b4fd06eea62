/* SPDX-License-Identifier: Apache-2.0 */
/*
 * call.h - what every call has that stands in libc's place.
 */
#ifndef COSHM_SHIM_CALL_H
#define COSHM_SHIM_CALL_H

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>

/* The end of a call: what it returns, or -1 with errno. */
static inline int answer(int result)
{
	if (result >= 0)
		return result;
	errno = -result;
	return -1;
}

/* Of a pointer that the kernel would refuse: as much of that as can be told without touching it. */
static inline bool bad_pointer(const void *pointer)
{
	return (uintptr_t)pointer < 4096;
}

#endif /* COSHM_SHIM_CALL_H */
