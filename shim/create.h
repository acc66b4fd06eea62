/* SPDX-License-Identifier: Apache-2.0 */
/*
 * create.h - make the table of a directory; for the shim, whose first caller
 * makes one with the kernel's limits, and for `coshm run --init`.
 */
#ifndef COSHM_SHIM_CREATE_H
#define COSHM_SHIM_CREATE_H

#include "layout_sysv.h"

/* The kernel's own limits. */
void sysv_limits_default(struct sysv_limits *limits);

/* What no table can have, as a clause; NULL if all is well. */
const char *sysv_limits_check(const struct sysv_limits *limits);

/*
 * sysv_table_create - make @dir's folder and table, whole before anybody sees it.
 * Who may write the directory may take part: folder and table get its permission
 * bits, and its owner where we may give files away.
 *
 * Returns 0, or -EEXIST if there is one, or -errno.
 */
int sysv_table_create(const char *dir, const struct sysv_limits *limits);

uint64_t sysv_checksum(const void *bytes, size_t count);

#endif /* COSHM_SHIM_CREATE_H */
