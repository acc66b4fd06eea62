/* SPDX-License-Identifier: Apache-2.0 */
/*
 * old_write.c - a writer of the kind that was there before ours: it replaces
 * the key file at each start, leaks its segment and handles no signal.
 */
#include <fcntl.h>
#include <stdio.h>
#include <sys/ipc.h>
#include <sys/shm.h>
#include <time.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	const char *key_file = argc > 1 ? argv[1] : "/dev/shm/shm_file";
	char *text;
	int id;

	unlink(key_file);
	close(open(key_file, O_CREAT | O_RDWR, 0744));
	id = shmget(ftok(key_file, 8), 4096, IPC_CREAT | 0600);
	text = id < 0 ? (void *)-1 : shmat(id, NULL, 0);
	if (text == (void *)-1) {
		perror("old_write");
		return 1;
	}
	for (;;) {
		snprintf(text, 4096, "%lld", (long long)time(NULL));
		sleep(1);
	}
}
