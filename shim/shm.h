/* SPDX-License-Identifier: Apache-2.0 */
/*
 * shm.h - the System V segments of the directory; shm.c has the calls.
 */
#ifndef COSHM_SHIM_SHM_H
#define COSHM_SHIM_SHM_H

#include "attach.h"

/* By identifier or index; 0 or -EINVAL. A removed one that nobody has any more is freed. */
int segment_find(int id, bool by_index, struct object *o);

/* What the kernel notes of a process that has died with it, and of a fork. */
void shm_left(uint32_t index, uint64_t pid);
void shm_forked(uint32_t index);

/* Pages of all segments that there are. */
uint64_t shm_all_pages(void);

/* This process is at its end: what is removed already, it does not keep. */
void shm_leave(struct attachment *a);

#endif /* COSHM_SHIM_SHM_H */
