/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tmpfs.h - how large a tmpfs may become, and to change that while it is in use.
 */
#ifndef COSHM_CLI_TMPFS_H
#define COSHM_CLI_TMPFS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct tmpfs_size {
	uint64_t bytes; /* 0: it has no limit */
	uint64_t used;
	bool read_only;
};

/* 0; -EMEDIUMTYPE: it is no tmpfs; or another negative errno. */
int tmpfs_size(int dir, struct tmpfs_size *size);

/*
 * tmpfs_resize - of the mounted tmpfs whose topmost directory is @dir; all else
 * of the mount stays as it is.
 * @pid: somebody who sees it, or 0: in his user namespace it is tried where ours may not
 *
 * 0, or negative errno: -EINVAL it is the top of no mount, or holds more by now.
 */
int tmpfs_resize(int dir, pid_t pid, uint64_t bytes);

#endif /* COSHM_CLI_TMPFS_H */
