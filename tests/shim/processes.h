/* SPDX-License-Identifier: Apache-2.0 */
/*
 * processes.h - for transcript.c and main: who speaks.
 */
#ifndef COSHM_PROCESSES_H
#define COSHM_PROCESSES_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

extern const char *speaker;

void processes_begin(void);
/* Keeps the line for other_end(), where this process may sleep at any time; false if not. */
bool hold_line(const char *line, size_t size);
/* 'S' if the process sleeps, '?' if it is none; and how often it has been scheduled. */
char process_state(pid_t pid, unsigned long long *switches);

#endif
