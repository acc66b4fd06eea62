/* SPDX-License-Identifier: Apache-2.0 */
/*
 * shm.h - the System V segments of the directory; shm.c has the calls.
 */
#ifndef COSHM_SHIM_SHM_H
#define COSHM_SHIM_SHM_H

#include "attach.h"

/* Pages of all segments that there are. */
uint64_t shm_all_pages(void);

/* This process is at its end: what is removed already, it does not keep. */
void shm_leave(struct attachment *a);

#endif /* COSHM_SHIM_SHM_H */
