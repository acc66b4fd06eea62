/* SPDX-License-Identifier: Apache-2.0 */
/*
 * run_library.c - the library that is preloaded: where it is, and how the
 * program comes to have it.
 */
#include "run.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli.h"

#define LIBRARY "libcoshm-preload.so"

/* Relative to the folder of the program: as installed, and in the folder it was built in. */
static const char *const beside[] = { ("../" COSHM_LIBDIR), "../lib", "../lib64", "../shim" };

#define BESIDE (sizeof(beside) / sizeof(beside[0]))

/* The folder of this program; false: /proc is not there. */
static bool own_folder(char folder[PATH_MAX])
{
	ssize_t length = readlink("/proc/self/exe", folder, PATH_MAX - 1);
	char *slash;

	if (length <= 0)
		return false;
	folder[length] = '\0';
	slash = strrchr(folder, '/');
	if (!slash)
		return false;
	*slash = '\0';
	return true;
}

static bool find_beside(char path[PATH_MAX])
{
	char folder[PATH_MAX], candidate[PATH_MAX];

	if (!own_folder(folder))
		return false;
	for (size_t i = 0; i < BESIDE; i++)
		if (snprintf(candidate, sizeof(candidate), "%s/%s/" LIBRARY, folder, beside[i]) <
			    (int)sizeof(candidate) &&
		    realpath(candidate, path))
			return true;
	return false;
}

/* The environment names one for tests. */
static int find(char path[PATH_MAX])
{
	const char *named = getenv("COSHM_PRELOAD");

	if (named && named[0]) {
		if (named[0] == '/' && strlen(named) < PATH_MAX) {
			strcpy(path, named);
			return CLI_OK;
		}
		complain(NULL, "COSHM_PRELOAD is no absolute path: '%s'", named);
		return CLI_FAILED;
	}
	if (find_beside(path) || realpath(COSHM_PREFIX "/" COSHM_LIBDIR "/" LIBRARY, path))
		return CLI_OK;
	complain("install it in " COSHM_PREFIX "/" COSHM_LIBDIR
		 ", or keep the folders bin and lib of coshm beside each other",
		 "cannot find " LIBRARY);
	return CLI_FAILED;
}

int run_find_library(struct memory *m, struct run_library *library)
{
	int err;

	if (find(library->path) != CLI_OK)
		return CLI_FAILED;
	err = elf_read_path(m, library->path, &library->elf);
	if (err < 0 || !library->elf.readable || !library->elf.dynamic) {
		complain(NULL, "cannot use %s: %s", library->path,
			 err < 0 ? strerror(-err) : "it is no library of our kind");
		return CLI_FAILED;
	}
	/* What parts the paths in LD_PRELOAD, and what ld.so(8) replaces in them. */
	if (strpbrk(library->path, " :$")) {
		complain("move it to another folder",
			 "cannot preload %s: the path has a space, ':' or '$' in it",
			 library->path);
		return CLI_FAILED;
	}
	return CLI_OK;
}

/* Is it already the first, as in a program that coshm run has started? */
static bool is_first(const char *list, const char *path)
{
	size_t length = strlen(path);

	return strncmp(list, path, length) == 0 && strchr(" :", list[length]);
}

int run_environment(const struct run_library *library, const char *dir)
{
	const char *others = getenv("LD_PRELOAD");
	char *list = NULL;
	bool done;

	if (!others || others[0] == '\0')
		list = strdup(library->path);
	else if (is_first(others, library->path))
		list = strdup(others);
	else if (asprintf(&list, "%s:%s", library->path, others) < 0)
		list = NULL;
	done = list && setenv("LD_PRELOAD", list, 1) == 0 && setenv("COSHM_DIR", dir, 1) == 0;
	free(list);
	if (done)
		return CLI_OK;
	complain(NULL, "no memory is left for the environment of the program");
	return CLI_FAILED;
}
