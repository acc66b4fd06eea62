/* SPDX-License-Identifier: Apache-2.0 */
/*
 * conform.c - the conformance suite: System V calls, and what they answered.
 *
 *   conform --list      the names of the parts
 *   conform PART        prints the transcript of one
 *
 * It knows no right answer: natively, in an IPC namespace of its own, it prints the
 * kernel's, and with a preload, that one's. "same" compares the two. It changes to
 * another user for some parts, so it needs root.
 */
#include <stdio.h>
#include <stdlib.h>

#include "conform.h"
#include "processes.h"
#include "transcript.h"

static const struct {
	const char *name;
	void (*play)(void);
} parts[] = {
	{ "shm", conform_shm },
	{ "shm-munmap", conform_shm_munmap },
	{ "shm-rights", conform_shm_rights },
	{ "shm-life", conform_shm_life },
	{ "shm-limit", conform_shm_limit },
	{ "sem", conform_sem },
	{ "sem-vector", conform_sem_vector },
	{ "sem-wait", conform_sem_wait },
	{ "sem-undo", conform_sem_undo },
	{ "msg", conform_msg },
	{ "msg-take", conform_msg_take },
	{ "msg-wait", conform_msg_wait },
	{ "ftok", conform_ftok },
};

#define PARTS (sizeof(parts) / sizeof(parts[0]))

int main(int argc, char **argv)
{
	if (argc == 2 && strcmp(argv[1], "--list") == 0) {
		for (size_t i = 0; i < PARTS; i++)
			puts(parts[i].name);
		return 0;
	}
	if (argc == 4 && strcmp(argv[1], "--after") == 0) {
		speaker = "again";
		transcript_begin("the program, run again");
		if (strcmp(argv[2], "shm") == 0)
			after_shm(atoi(argv[3]));
		else
			after_sem(atoi(argv[3]));
		return 0;
	}
	for (size_t i = 0; argc == 2 && i < PARTS; i++)
		if (strcmp(argv[1], parts[i].name) == 0) {
			transcript_begin(parts[i].name);
			parts[i].play();
			say("end");
			return 0;
		}
	fprintf(stderr, "Usage: conform --list | PART\n");
	return 2;
}
