/* SPDX-License-Identifier: Apache-2.0 */
/*
 * key_file.h - what ftok(3) would make of a path, as a process sees it.
 */
#ifndef COSHM_CLI_KEY_FILE_H
#define COSHM_CLI_KEY_FILE_H

#include <stdint.h>
#include <sys/types.h>

struct ftok_of {
	uint64_t dev, ino;
	int32_t key;
};

/* 0, or errno of what failed. */
int ftok_as_seen_by(pid_t pid, const char *path, int project_id, struct ftok_of *of);

#endif /* COSHM_CLI_KEY_FILE_H */
