/* SPDX-License-Identifier: Apache-2.0 */
/*
 * posix_mapping.h - the named semaphores that this process has open.
 *
 * As in libc, the same name and file opened twice is one mapping, and what was opened
 * twice is to be closed twice.
 */
#ifndef COSHM_SHIM_POSIX_MAPPING_H
#define COSHM_SHIM_POSIX_MAPPING_H

#include <semaphore.h>

/* Map @fd's file; SEM_FAILED with errno set. */
sem_t *mapping_make(int fd);

/*
 * mapping_add - one opening more of @fd's file by @name.
 *
 * @made: where it is mapped already, or SEM_FAILED; it is unmapped if it is not needed.
 * Returns the address for the program, or SEM_FAILED with errno set.
 */
sem_t *mapping_add(const char *name, int fd, sem_t *made);

/* One opening less.  0, or -1 with EINVAL for what is none. */
int mapping_drop(sem_t *sem);

#endif /* COSHM_SHIM_POSIX_MAPPING_H */
