/* SPDX-License-Identifier: Apache-2.0 */
/*
 * stage.c - a directory of this run's own, that goes when it ends; see stage.h.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "stage.h"

char stage_dir[64];

/* The children die with us; their channel is to go too. */
static void give_up(int sig)
{
	char path[sizeof(stage_dir) + sizeof(NAME)];

	strcpy(path, stage_dir);
	strcat(path, "/" NAME);
	unlink(path);
	rmdir(stage_dir);
	_exit(128 + sig);
}

bool stage_set(const char *name)
{
	snprintf(stage_dir, sizeof(stage_dir), "/dev/shm/coshm-%s-XXXXXX", name);
	if (!mkdtemp(stage_dir) || setenv("COSHM_DIR", stage_dir, 1) < 0) {
		perror(name);
		return false;
	}
	signal(SIGINT, give_up);
	signal(SIGTERM, give_up);
	return true;
}

int stage_leave(int tests, int bad)
{
	if (rmdir(stage_dir) < 0 || waitpid(-1, NULL, WNOHANG) != -1) {
		printf("# a file in %s or a process was left\n", stage_dir);
		bad++;
	}
	printf("1..%d\n", tests);
	return bad != 0;
}
