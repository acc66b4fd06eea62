/* SPDX-License-Identifier: Apache-2.0 */
/*
 * run_program.c - which file a program is, and whether a preloaded library
 * reaches it.
 *
 * The dynamic linker of glibc preloads; without one, with another, or where it
 * trusts nobody (ld.so(8), "secure-execution mode"), the program would run and
 * share nothing.  A script is who interprets it.
 */
#include "run.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "cli.h"

#define SCRIPT_BYTES 256 /* of a first line; what is behind is cut off by the kernel, too */
#define SCRIPT_DEPTH 5   /* the kernel's limit */

static const char static_hint[] = "link it dynamically, " RUN_INSTEAD;
static const char libc_hint[] = "use a build of it for glibc, " RUN_INSTEAD;
static const char size_hint[] = "use a build of it, or of coshm, of the same kind, " RUN_INSTEAD;
static const char owner_hint[] =
	"run it as its owner, or a copy of it without the bit (chmod ug-s), " RUN_INSTEAD;
static const char capability_hint[] =
	"run it as root, or a copy of it without them (setcap -r), " RUN_INSTEAD;
static const char user_hint[] = "run coshm as one user, with setpriv(1) for instance";

/* ---- which file ------------------------------------------------------------------------------ */

static int try_file(const char *path)
{
	struct stat st;

	if (stat(path, &st) < 0)
		return errno == EACCES ? -EACCES : -ENOENT;
	return S_ISREG(st.st_mode) && access(path, X_OK) == 0 ? 0 : -EACCES;
}

/* One that we may not execute is remembered, in case there is no other. */
static int find_in(const char *list, const char *name, char path[PATH_MAX])
{
	int found = -ENOENT, err, length;

	for (;;) {
		length = (int)strcspn(list, ":");
		err = -ENOENT;
		if (snprintf(path, PATH_MAX, "%.*s/%s", length ? length : 1, length ? list : ".",
			     name) < PATH_MAX)
			err = try_file(path);
		if (err == 0)
			return 0;
		if (err == -EACCES && access(path, F_OK) == 0)
			found = err;
		if (list[length] == '\0')
			return found;
		list += length + 1;
	}
}

/* As execvp(3) would, in $PATH. */
static int find(const char *name, char path[PATH_MAX])
{
	const char *list = getenv("PATH");
	char standard[256];

	if (name[0] == '\0' || strlen(name) >= PATH_MAX)
		return -ENOENT;
	if (strchr(name, '/')) {
		strcpy(path, name);
		return try_file(path);
	}
	if (!list && confstr(_CS_PATH, standard, sizeof(standard)) <= sizeof(standard))
		list = standard;
	return find_in(list ? list : "", name, path);
}

int run_find(const char *name, char path[PATH_MAX])
{
	int err = find(name, path);

	if (err == 0)
		return CLI_OK;
	complain(err == -ENOENT && !strchr(name, '/') ? "it is looked for in $PATH" : NULL,
		 "cannot run %s: %s", name, strerror(-err));
	return err == -ENOENT ? RUN_NOT_FOUND : RUN_CANNOT;
}

/* ---- the verdict ----------------------------------------------------------------------------- */

__attribute__((format(printf, 4, 5))) static void
judge(struct run_program *p, enum run_verdict verdict, const char *hint, const char *format, ...)
{
	bool interprets = strcmp(p->path, p->file) != 0;
	va_list list;
	int length;

	p->verdict = verdict;
	p->hint = hint;
	length = snprintf(p->why, sizeof(p->why), "%s%s ", interprets ? "its interpreter " : "it",
			  interprets ? p->file : "");
	va_start(list, format);
	vsnprintf(p->why + length, sizeof(p->why) - (size_t)length, format, list);
	va_end(list);
}

static bool privileges_ignored(int fd)
{
	struct statvfs vfs;

	return prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1 ||
	       (fstatvfs(fd, &vfs) == 0 && (vfs.f_flag & ST_NOSUID));
}

/* The kernel tells the dynamic linker to be careful if the program gets what its caller has not. */
static bool is_careful(struct run_program *p, int fd)
{
	bool ignored = privileges_ignored(fd);
	struct stat st;

	if (fstat(fd, &st) < 0)
		return false;
	if (!ignored && (st.st_mode & S_ISUID) && st.st_uid != getuid())
		judge(p, RUN_REFUSED, owner_hint,
		      "is setuid to uid %u: libraries are not preloaded into such programs",
		      (unsigned int)st.st_uid);
	else if (!ignored && (st.st_mode & S_ISGID) && (st.st_mode & S_IXGRP) &&
		 st.st_gid != getgid())
		judge(p, RUN_REFUSED, owner_hint,
		      "is setgid to gid %u: libraries are not preloaded into such programs",
		      (unsigned int)st.st_gid);
	else if (!ignored && getuid() != 0 && fgetxattr(fd, "security.capability", NULL, 0) > 0)
		judge(p, RUN_REFUSED, capability_hint,
		      "has file capabilities: libraries are not preloaded into such programs");
	else if (geteuid() != getuid() || getegid() != getgid())
		judge(p, RUN_REFUSED, user_hint,
		      "would run with an effective user or group that is not the real one: "
		      "libraries are not preloaded then");
	else
		return false;
	return true;
}

static bool is_glibc(const char *interpreter)
{
	const char *slash = strrchr(interpreter, '/');
	const char *name = slash ? slash + 1 : interpreter;

	return strncmp(name, "ld-linux", 8) == 0 || strncmp(name, "ld64.so.", 8) == 0 ||
	       strncmp(name, "ld.so.", 6) == 0;
}

static void judge_elf(struct run_program *p, int fd, const struct run_library *library)
{
	const struct elf *elf = &p->elf, *ours = &library->elf;
	char its[32], our[32];

	if (elf->bits != ours->bits || elf->machine != ours->machine ||
	    elf->big_endian != ours->big_endian)
		judge(p, RUN_REFUSED, size_hint, "is for %u-bit %s, and %s for %u-bit %s",
		      elf->bits, elf_machine_text(elf, its), library->path, ours->bits,
		      elf_machine_text(ours, our));
	else if (!elf->interpreter)
		judge(p, RUN_REFUSED, static_hint,
		      "is statically linked: no library can be preloaded");
	else if (!is_glibc(elf->interpreter))
		judge(p, RUN_REFUSED, libc_hint,
		      "is made for another libc (its dynamic linker is %s): "
		      "libcoshm-preload.so is for glibc",
		      elf->interpreter);
	else if (access(elf->interpreter, F_OK) < 0)
		judge(p, RUN_BROKEN, "is it made for this container's system?",
		      "needs the dynamic linker %s: %s", elf->interpreter, strerror(errno));
	else if (!is_careful(p, fd))
		p->verdict = RUN_SERVED;
}

/* ---- scripts --------------------------------------------------------------------------------- */

static void look(struct memory *m, const struct run_library *library, struct run_program *p,
		 unsigned int depth);

/* "#!/usr/bin/env PROGRAM" and "#!/usr/bin/env -S [NAME=VALUE]... PROGRAM": NULL if it is none. */
static const char *env_program(const char *interpreter, char *argument)
{
	const char *slash = strrchr(interpreter, '/');
	char *next, *word;

	if (!slash || strcmp(slash, "/env") != 0)
		return NULL;
	word = strtok_r(argument, " \t", &next);
	if (word && strncmp(word, "-S", 2) == 0)
		word = word[2] ? word + 2 : strtok_r(NULL, " \t", &next);
	while (word && strchr(word, '='))
		word = strtok_r(NULL, " \t", &next);
	return word && word[0] != '-' ? word : NULL;
}

static void look_at_script(struct memory *m, const struct run_library *library,
			   struct run_program *p, char *line, unsigned int depth)
{
	char *interpreter = line + strspn(line, " \t");
	size_t length = strcspn(interpreter, " \t");
	char *argument = interpreter + length + (interpreter[length] != '\0');
	char found[PATH_MAX];
	const char *program;
	int err;

	interpreter[length] = '\0';
	snprintf(p->file, sizeof(p->file), "%s", interpreter);
	err = try_file(interpreter);
	if (err < 0) {
		judge(p, RUN_BROKEN, NULL, "cannot be executed: %s", strerror(-err));
		return;
	}
	look(m, library, p, depth + 1);
	program = p->verdict == RUN_SERVED ? env_program(interpreter, argument) : NULL;
	/* If it is not there, env(1) says so. */
	if (program && find(program, found) == 0) {
		strcpy(p->file, found);
		look(m, library, p, depth + 1);
	}
}

/* What is neither ELF nor begins with #! goes to the shell: execvp(3) does that. */
static void look_at_text(struct memory *m, const struct run_library *library, struct run_program *p,
			 int fd, unsigned int depth)
{
	char line[SCRIPT_BYTES + 1];
	ssize_t n = TEMP_FAILURE_RETRY(pread(fd, line, SCRIPT_BYTES, 0));

	line[n > 0 ? n : 0] = '\0';
	line[strcspn(line, "\n")] = '\0';
	if (depth == SCRIPT_DEPTH) {
		judge(p, RUN_BROKEN, NULL, "has too many interpreters, one of the other");
	} else if (strncmp(line, "#!", 2) == 0) {
		look_at_script(m, library, p, line + 2, depth);
	} else {
		char shell[] = "/bin/sh";

		look_at_script(m, library, p, shell, depth);
	}
}

static void look(struct memory *m, const struct run_library *library, struct run_program *p,
		 unsigned int depth)
{
	int err, fd = open(p->file, O_RDONLY | O_CLOEXEC | O_NOCTTY);

	if (fd < 0) {
		judge(p, RUN_UNKNOWN, NULL, "cannot be looked at: %s", strerror(errno));
		return;
	}
	err = elf_read(m, fd, &p->elf);
	if (err == 0)
		judge_elf(p, fd, library);
	else if (err == -ENOEXEC)
		look_at_text(m, library, p, fd, depth);
	else
		judge(p, RUN_UNKNOWN, NULL, "cannot be looked at: %s",
		      err == -EBADMSG ? "it seems to be damaged" : strerror(-err));
	close(fd);
}

void run_look(struct memory *m, const struct run_library *library, struct run_program *p)
{
	strcpy(p->file, p->path);
	look(m, library, p, 0);
}
