/* SPDX-License-Identifier: Apache-2.0 */
/*
 * posix_conform.h - for the parts of posix_conform: one line for each call.
 */
#ifndef COSHM_TESTS_POSIX_CONFORM_H
#define COSHM_TESTS_POSIX_CONFORM_H

#include <semaphore.h>
#include <stdbool.h>

/* Where the files are: /dev/shm, or what stands for it. */
extern const char *folder;

/* A line of output, at once: a child may be killed. */
__attribute__((format(printf, 1, 2))) void tell(const char *format, ...);

/* "what: result", with the error's name if it is -1. */
__attribute__((format(printf, 2, 3))) int tell_int(int result, const char *what, ...);
/* "what: a semaphore", or the error's name. */
__attribute__((format(printf, 2, 3))) sem_t *tell_sem(sem_t *result, const char *what, ...);

/* What a descriptor's file is like, and how it is open; closes it. */
void tell_file(int fd);
/* What the file of a semaphore has in it. */
void tell_content(const char *sem);
/* The names in the folder, and their modes; those of hidden files only by how many they are. */
void tell_folder(void);

/* Run @body in a child, and tell how it ended. */
void in_child(void (*body)(void));
/* Is there a file in the folder, under this name? */
char *in_folder(const char *name);

/* The parts. */
void conform_names(void);
void conform_files(void);
void conform_values(void);
void conform_openings(void);
void conform_processes(void);
void conform_rights(void);
void conform_limits(void);
void conform_threads(void);

#endif /* COSHM_TESTS_POSIX_CONFORM_H */
