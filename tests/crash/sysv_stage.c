/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sysv_stage.c - a directory of this run's own, which the shim serves.
 */
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sysv_stage.h"

static char dir[64];

void sysv_stage(const char *name, char **argv)
{
	const char *given = getenv("COSHM_DIR");
	char start[48];

	snprintf(start, sizeof(start), "/dev/shm/sysv-%s-", name);
	if (given && strncmp(given, start, strlen(start)) == 0) {
		snprintf(dir, sizeof(dir), "%s", given);
		return;
	}
	snprintf(dir, sizeof(dir), "%sXXXXXX", start);
	if (!mkdtemp(dir))
		exit(2);
	setenv("COSHM_DIR", dir, 1);
	execv("/proc/self/exe", argv);
	exit(2);
}

void sysv_stage_leave(void)
{
	sysv_files(true);
	rmdir(dir);
}

int sysv_files(bool empty)
{
	char path[96];
	struct dirent *e;
	DIR *d;
	int count = 0;

	snprintf(path, sizeof(path), "%s/.sysv", dir);
	d = opendir(path);
	if (!d)
		return 0;
	while ((e = readdir(d)) != NULL) {
		if (e->d_name[0] == '.')
			continue;
		count += strcmp(e->d_name, "table") != 0;
		if (empty)
			unlinkat(dirfd(d), e->d_name, 0);
	}
	closedir(d);
	if (empty)
		rmdir(path);
	return count;
}
