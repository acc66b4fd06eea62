/* SPDX-License-Identifier: Apache-2.0 */
/*
 * elf_file.h - what an ELF file says about how it is loaded, and which symbols it
 * takes from others.  The file is a stranger's: what it says is bounded by what
 * it has.
 */
#ifndef COSHM_INSPECT_ELF_FILE_H
#define COSHM_INSPECT_ELF_FILE_H

#include <stdbool.h>

#include "memory.h"

/*
 * Which kind of machine is known of every ELF file; what follows, only of those
 * with the word size and byte order that we have ourselves.
 */
struct elf {
	unsigned int bits;    /* 32 or 64             */
	unsigned int machine; /* EM_... of <elf.h>    */
	bool big_endian;
	bool readable; /* as we are ourselves: what follows was read */

	bool dynamic;            /* it has a dynamic section            */
	const char *interpreter; /* the dynamic linker it asks for, or NULL */
	const char *rpath;       /* where to look for libraries, or NULL */
	const char *runpath;
	const char *const *needed; /* names of libraries                 */
	unsigned int needed_count;
	const char *const *undefined; /* names of symbols                 */
	unsigned int undefined_count;
};

/*
 * elf_read - of the file open as @fd, which stays where it is.
 *
 * Returns 0; -ENOEXEC it is no ELF file; -EBADMSG it is damaged; or another
 * negative errno.  @elf is as far as it was read then.
 */
int elf_read(struct memory *m, int fd, struct elf *elf);

/* The same of a file by its path. */
int elf_read_path(struct memory *m, const char *path, struct elf *elf);

bool elf_takes(const struct elf *elf, const char *symbol);

/* "x86-64", "i386", "aarch64"; else "machine 243" in @room. */
const char *elf_machine_text(const struct elf *elf, char room[32]);

#endif /* COSHM_INSPECT_ELF_FILE_H */
