/* SPDX-License-Identifier: Apache-2.0 */
/*
 * posix_conform FOLDER - call shm_open, sem_open and the others in all the ways that
 * come to mind, and print one line a call: what it returned, errno, and what can be
 * seen of it.
 *
 * It knows no right answer.  It is run twice, on libc and on the shim, and both have
 * to print the same.  FOLDER is where the files are, for what is no call of theirs.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "posix_conform.h"

const char *folder;

static void say(const char *format, va_list ap, const char *end)
{
	vprintf(format, ap);
	printf("%s\n", end);
	fflush(stdout);
}

void tell(const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	say(format, ap, "");
	va_end(ap);
}

static const char *error_name(void)
{
	const char *name = strerrorname_np(errno);

	return name ? name : "an unknown error";
}

int tell_int(int result, const char *what, ...)
{
	char end[64];
	va_list ap;

	if (result == -1)
		snprintf(end, sizeof(end), ": %s", error_name());
	else
		snprintf(end, sizeof(end), ": %d", result);
	va_start(ap, what);
	say(what, ap, end);
	va_end(ap);
	return result;
}

sem_t *tell_sem(sem_t *result, const char *what, ...)
{
	char end[64];
	va_list ap;

	snprintf(end, sizeof(end), ": %s", result == SEM_FAILED ? error_name() : "a semaphore");
	va_start(ap, what);
	say(what, ap, end);
	va_end(ap);
	return result;
}

void tell_file(int fd)
{
	struct stat st;

	if (fd < 0)
		return;
	if (fstat(fd, &st) == 0 && S_ISDIR(st.st_mode))
		tell("    a folder");
	else
		tell("    type and mode %o, %lld bytes, %ju links, owner %u:%u", st.st_mode,
		     (long long)st.st_size, (uintmax_t)st.st_nlink, st.st_uid, st.st_gid);
	tell("    flags %o, of the descriptor %d", fcntl(fd, F_GETFL), fcntl(fd, F_GETFD));
	close(fd);
}

void tell_content(const char *sem)
{
	unsigned char bytes[64];
	char name[300], text[2 * sizeof(bytes) + 1] = "";
	ssize_t count;
	int fd;

	snprintf(name, sizeof(name), "sem.%s", sem); /* what libc makes of it */
	fd = shm_open(name, O_RDONLY, 0);
	if (fd < 0) {
		tell("    no file %s", name);
		return;
	}
	count = read(fd, bytes, sizeof(bytes));
	for (ssize_t i = 0; i < count; i++)
		sprintf(text + 2 * i, "%02x", bytes[i]);
	tell("    %s", text);
	tell_file(fd);
}

static int not_hidden(const struct dirent *entry)
{
	return entry->d_name[0] != '.';
}

void tell_folder(void)
{
	struct dirent **entries;
	int count = scandir(folder, &entries, not_hidden, alphasort);

	for (int i = 0; i < count; i++) {
		tell("    in the folder: %s", entries[i]->d_name);
		free(entries[i]);
	}
	if (count >= 0)
		free(entries);
}

void in_child(void (*body)(void))
{
	pid_t child = fork();
	int status;

	if (child == 0) {
		body();
		_exit(0);
	}
	if (child < 0 || waitpid(child, &status, 0) != child)
		tell("no child");
	else if (WIFSIGNALED(status))
		tell("the child died of SIG%s", sigabbrev_np(WTERMSIG(status)));
	else if (WEXITSTATUS(status))
		tell("the child returned %d", WEXITSTATUS(status));
}

char *in_folder(const char *name)
{
	static char path[4096];

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	return path;
}

int main(int argc, char **argv)
{
	static const struct part {
		const char *name;
		void (*run)(void);
	} parts[] = {
		{ "names", conform_names },         { "files", conform_files },
		{ "values", conform_values },       { "openings", conform_openings },
		{ "processes", conform_processes }, { "rights", conform_rights },
		{ "limits", conform_limits },       { "threads", conform_threads },
	};

	if (argc == 4 && strcmp(argv[1], "post") == 0) /* for conform_processes() */
		return sem_post(sem_open(argv[2], 0)) == 0 ? atoi(argv[3]) : 1;
	if (argc != 2) {
		fprintf(stderr, "usage: posix_conform FOLDER\n");
		return 2;
	}
	folder = argv[1];
	umask(022);
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		tell("# %s", parts[i].name);
		parts[i].run();
		tell_folder();
	}
	return 0;
}
