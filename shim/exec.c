/* SPDX-License-Identifier: Apache-2.0 */
/*
 * exec.c - what a process has to undo goes with it to its next image.
 *
 * The token's descriptor stays open, and the environment says where it is (sem_undo.c).
 * A process that uses no SEM_UNDO pays one look for it.
 */
#include <stdarg.h>
#include <string.h>
#include <unistd.h>

#include "real.h"
#include "sem.h"

#define TEXT_BYTES 64

static size_t count_of(char *const list[])
{
	size_t count = 0;

	while (list && list[count])
		count++;
	return count;
}

/* @to has room for one more than @env. */
static char *const *extended(char *const env[], char **to, char *text)
{
	size_t count = count_of(env);

	if (count > 0)
		memcpy(to, env, count * sizeof(*to));
	to[count] = text;
	to[count + 1] = NULL;
	return to;
}

/* Do @call with env_now in place of @env; it returns only if it fails. */
#define HANDING_OVER(env, call)                                                                    \
	do {                                                                                       \
		char text[TEXT_BYTES];                                                             \
		int handed = sem_undo_hand_over(text, sizeof(text)), err;                          \
		char *larger[handed < 0 ? 1 : count_of(env) + 2];                                  \
		char *const *env_now = handed < 0 ? (env) : extended(env, larger, text);           \
		(call);                                                                            \
		err = errno;                                                                       \
		if (handed >= 0)                                                                   \
			sem_undo_keep();                                                           \
		errno = err;                                                                       \
	} while (0)

SHIM_EXPORT int execve(const char *path, char *const argv[], char *const env[])
{
	HANDING_OVER(env, REAL(execve)(path, argv, env_now));
	return -1;
}

SHIM_EXPORT int execvpe(const char *file, char *const argv[], char *const env[])
{
	HANDING_OVER(env, REAL(execvpe)(file, argv, env_now));
	return -1;
}

SHIM_EXPORT int fexecve(int fd, char *const argv[], char *const env[])
{
	HANDING_OVER(env, REAL(fexecve)(fd, argv, env_now));
	return -1;
}

SHIM_EXPORT int execveat(int fd, const char *path, char *const argv[], char *const env[], int flags)
{
	HANDING_OVER(env, REAL(execveat)(fd, path, argv, env_now, flags));
	return -1;
}

SHIM_EXPORT int execv(const char *path, char *const argv[])
{
	return execve(path, argv, environ);
}

SHIM_EXPORT int execvp(const char *file, char *const argv[])
{
	return execvpe(file, argv, environ);
}

/* Of a list that ends with NULL: how long it is, and then what is in it. */
static size_t count_list(va_list ap)
{
	size_t count = 1;

	while (va_arg(ap, char *))
		count++;
	return count;
}

static void read_list(char *argv[], const char *first, size_t count, va_list ap)
{
	argv[0] = (char *)first;
	for (size_t i = 1; i <= count; i++)
		argv[i] = va_arg(ap, char *);
}

/* The arguments of this function from @first on, as an array. */
#define READ_LIST(argv, first)                                                                     \
	va_list argv##_ap;                                                                         \
	va_start(argv##_ap, first);                                                                \
	size_t argv##_count = count_list(argv##_ap);                                               \
	va_end(argv##_ap);                                                                         \
	char *argv[argv##_count + 1];                                                              \
	va_start(argv##_ap, first);                                                                \
	read_list(argv, first, argv##_count, argv##_ap)

SHIM_EXPORT int execl(const char *path, const char *first, ...)
{
	READ_LIST(argv, first);
	va_end(argv_ap);
	return execve(path, argv, environ);
}

SHIM_EXPORT int execlp(const char *file, const char *first, ...)
{
	READ_LIST(argv, first);
	va_end(argv_ap);
	return execvpe(file, argv, environ);
}

SHIM_EXPORT int execle(const char *path, const char *first, ...)
{
	char *const *env;

	READ_LIST(argv, first);
	env = va_arg(argv_ap, char *const *);
	va_end(argv_ap);
	return execve(path, argv, env);
}
