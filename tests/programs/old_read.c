/* SPDX-License-Identifier: Apache-2.0 */
/*
 * old_read.c - a reader of the kind that was there before ours: it makes the
 * segment if nobody has, and prints whatever lies in it, old or not.
 */
#include <stdio.h>
#include <sys/ipc.h>
#include <sys/shm.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	int id = shmget(ftok(argc > 1 ? argv[1] : "/dev/shm/shm_file", 8), 4096, IPC_CREAT | 0600);
	const char *text = id < 0 ? (void *)-1 : shmat(id, NULL, 0);

	if (text == (void *)-1) {
		perror("old_read");
		return 1;
	}
	for (;;) {
		printf("now time: %s\n", text);
		fflush(stdout);
		sleep(1);
	}
}
