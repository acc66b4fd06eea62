/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mutex.c - put a process-shared robust mutex at the beginning of a file.
 *
 *   mutex FILE
 */
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	int fd = argc == 2 ? open(argv[1], O_RDWR | O_CREAT, 0666) : -1;
	pthread_mutexattr_t attributes;
	pthread_mutex_t *mutex;

	if (fd < 0 || ftruncate(fd, 4096) < 0) {
		perror("mutex");
		return 1;
	}
	mutex = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	pthread_mutexattr_init(&attributes);
	pthread_mutexattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED);
	pthread_mutexattr_setrobust(&attributes, PTHREAD_MUTEX_ROBUST);
	return mutex == MAP_FAILED || pthread_mutex_init(mutex, &attributes) != 0;
}
