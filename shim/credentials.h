/* SPDX-License-Identifier: Apache-2.0 */
/*
 * credentials.h - has this process become somebody else?  What it may do is remembered
 * until then: asking the kernel for it takes longer than a semaphore operation.
 */
#ifndef COSHM_SHIM_CREDENTIALS_H
#define COSHM_SHIM_CREDENTIALS_H

#include <stdatomic.h>
#include <stdint.h>

extern _Atomic uint32_t credentials_changed;

static inline uint32_t credentials_generation(void)
{
	/* Acquire: who has seen the change of another thread asks the kernel after it. */
	return atomic_load_explicit(&credentials_changed, memory_order_acquire);
}

#endif /* COSHM_SHIM_CREDENTIALS_H */
