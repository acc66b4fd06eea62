/* SPDX-License-Identifier: Apache-2.0 */
/*
 * elf_needs.h - a program and the libraries that it is linked with, found as the
 * dynamic linker would find them, without loading any.
 */
#ifndef COSHM_INSPECT_ELF_NEEDS_H
#define COSHM_INSPECT_ELF_NEEDS_H

#include "elf_file.h"

struct elf_object {
	const char *path;
	const char *name; /* by which it was asked for; the program: its path */
	struct elf elf;
	unsigned int asker; /* index of who needs it; the program: its own */
};

struct elf_needs {
	struct elf_object *object; /* the program, then its libraries but for libc's own parts */
	unsigned int count;
	const char *missing; /* the first library that is not found, or NULL */
	const char *missing_for;
};

/*
 * elf_needs - of a program at @path that elf_read() has read.  Where a library
 * is missing, the others are there all the same.
 *
 * Returns 0 or a negative errno: -E2BIG if there are more than a thousand.
 */
int elf_needs(struct memory *m, const char *path, const struct elf *program,
	      struct elf_needs *needs);

/* Is it of libc, by the name of its file? */
bool elf_is_libc(const char *name);

#endif /* COSHM_INSPECT_ELF_NEEDS_H */
