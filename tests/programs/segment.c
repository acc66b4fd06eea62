/* SPDX-License-Identifier: Apache-2.0 */
/*
 * segment.c - make a segment of any size, put text into one, or print it.
 *
 *   segment make KEY_FILE BYTES
 *   segment put KEY_FILE OFFSET TEXT
 *   segment get KEY_FILE OFFSET
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ipc.h>
#include <sys/shm.h>

int main(int argc, char **argv)
{
	unsigned long number;
	char *memory;
	int id;

	if (argc < 4) {
		fputs("Usage: segment make|put|get KEY_FILE BYTES|OFFSET [TEXT]\n", stderr);
		return 2;
	}
	number = strtoul(argv[3], NULL, 10);
	if (strcmp(argv[1], "make") == 0) {
		id = shmget(ftok(argv[2], 8), number, IPC_CREAT | IPC_EXCL | 0600);
		if (id >= 0)
			return 0;
		perror("segment make");
		return 1;
	}
	id = shmget(ftok(argv[2], 8), 0, 0);
	memory = id < 0 ? (void *)-1 : shmat(id, NULL, 0);
	if (memory == (void *)-1) {
		perror("segment");
		return 1;
	}
	if (argc > 4)
		strcpy(memory + number, argv[4]);
	else
		puts(memory + number);
	return 0;
}
