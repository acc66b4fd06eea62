/* SPDX-License-Identifier: Apache-2.0 */
/*
 * elf_scene.h - a small ELF program of our own kind, made by hand, and a cache of
 * libraries: to be damaged.
 */
#ifndef COSHM_TESTS_ELF_SCENE_H
#define COSHM_TESTS_ELF_SCENE_H

#include <elf.h>
#include <endian.h>
#include <link.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define SCENE_ADDRESS     0x400000u
#define SCENE_INTERPRETER "/lib64/ld-linux-x86-64.so.2"

enum scene_segment { SCENE_LOAD, SCENE_DYNAMIC, SCENE_INTERP, SCENE_SEGMENTS };
enum scene_entry {
	SCENE_STRTAB,
	SCENE_STRSZ,
	SCENE_SYMTAB,
	SCENE_SYMENT,
	SCENE_RUNPATH,
	SCENE_NEEDED,
	SCENE_NEEDED_TOO,
	SCENE_END,
	SCENE_ENTRIES
};
/* The first symbol is none. */
enum scene_symbol { SCENE_NONE, SCENE_SHMGET, SCENE_MAIN, SCENE_SEMOP, SCENE_SYMBOLS };

struct elf_scene {
	ElfW(Ehdr) head;
	ElfW(Phdr) segment[SCENE_SEGMENTS];
	ElfW(Dyn) entry[SCENE_ENTRIES];
	ElfW(Sym) symbol[SCENE_SYMBOLS]; /* the names begin where these end */
	char names[128];
	char interpreter[sizeof(SCENE_INTERPRETER)];
};

#define SCENE_AT(field) (SCENE_ADDRESS + offsetof(struct elf_scene, field))

/* Append a name; its offset. */
static inline uint32_t scene_name(struct elf_scene *s, const char *name)
{
	uint32_t at = (uint32_t)s->entry[SCENE_STRSZ].d_un.d_val;

	strcpy(s->names + at, name);
	s->entry[SCENE_STRSZ].d_un.d_val = at + strlen(name) + 1;
	return at;
}

static inline void scene_entry(struct elf_scene *s, enum scene_entry which, int tag, uint64_t value)
{
	s->entry[which].d_tag = tag;
	s->entry[which].d_un.d_val = (ElfW(Addr))value;
}

/* It needs two libraries, found beside it, takes shmget and semop, and has main itself. */
static inline struct elf_scene elf_scene_make(void)
{
	struct elf_scene s = { .head = { .e_type = ET_EXEC,
					 .e_machine = EM_X86_64,
					 .e_version = EV_CURRENT,
					 .e_phoff = offsetof(struct elf_scene, segment),
					 .e_ehsize = sizeof(ElfW(Ehdr)),
					 .e_phentsize = sizeof(ElfW(Phdr)),
					 .e_phnum = SCENE_SEGMENTS } };

	memcpy(s.head.e_ident, ELFMAG, SELFMAG);
	s.head.e_ident[EI_CLASS] = sizeof(void *) == 8 ? ELFCLASS64 : ELFCLASS32;
	s.head.e_ident[EI_DATA] = __BYTE_ORDER == __BIG_ENDIAN ? ELFDATA2MSB : ELFDATA2LSB;
	s.head.e_ident[EI_VERSION] = EV_CURRENT;
	s.segment[SCENE_LOAD] = (ElfW(Phdr)){ .p_type = PT_LOAD,
					      .p_vaddr = SCENE_ADDRESS,
					      .p_filesz = sizeof(s),
					      .p_memsz = sizeof(s) };
	s.segment[SCENE_DYNAMIC] = (ElfW(Phdr)){ .p_type = PT_DYNAMIC,
						 .p_offset = offsetof(struct elf_scene, entry),
						 .p_vaddr = SCENE_AT(entry),
						 .p_filesz = sizeof(s.entry),
						 .p_memsz = sizeof(s.entry) };
	s.segment[SCENE_INTERP] = (ElfW(Phdr)){ .p_type = PT_INTERP,
						.p_offset = offsetof(struct elf_scene, interpreter),
						.p_vaddr = SCENE_AT(interpreter),
						.p_filesz = sizeof(s.interpreter),
						.p_memsz = sizeof(s.interpreter) };
	memcpy(s.interpreter, SCENE_INTERPRETER, sizeof(s.interpreter));
	scene_entry(&s, SCENE_STRTAB, DT_STRTAB, SCENE_AT(names));
	scene_entry(&s, SCENE_STRSZ, DT_STRSZ, 1); /* the empty name */
	scene_entry(&s, SCENE_SYMTAB, DT_SYMTAB, SCENE_AT(symbol));
	scene_entry(&s, SCENE_SYMENT, DT_SYMENT, sizeof(s.symbol[0]));
	scene_entry(&s, SCENE_RUNPATH, DT_RUNPATH, scene_name(&s, "$ORIGIN/lib"));
	scene_entry(&s, SCENE_NEEDED, DT_NEEDED, scene_name(&s, "libone.so"));
	scene_entry(&s, SCENE_NEEDED_TOO, DT_NEEDED, scene_name(&s, "libtwo.so"));
	s.symbol[SCENE_SHMGET].st_name = scene_name(&s, "shmget");
	s.symbol[SCENE_MAIN].st_name = scene_name(&s, "main");
	s.symbol[SCENE_MAIN].st_shndx = 1;
	s.symbol[SCENE_SEMOP].st_name = scene_name(&s, "semop");
	return s;
}

/* A cache with an older one in front of it: libone.so twice, libtwo.so once. */
struct cache_scene {
	char old[16];
	char magic[20];
	uint32_t entries, text_bytes, unused[5];
	struct {
		int32_t flags;
		uint32_t name, path, unused[3];
	} entry[3];
	char text[64];
};

#define CACHE_TEXT (offsetof(struct cache_scene, text) - offsetof(struct cache_scene, magic))

static inline struct cache_scene cache_scene_make(void)
{
	struct cache_scene c = { .entries = 3, .text_bytes = sizeof(c.text) };

	memcpy(c.old, "ld.so-1.7.0", 11);
	memcpy(c.magic, "glibc-ld.so.cache1.1", sizeof(c.magic));
	memcpy(c.text, "libone.so\0/a/libone.so\0/b/libone.so\0libtwo.so\0/c/libtwo.so", 59);
	c.entry[0].name = c.entry[1].name = CACHE_TEXT;
	c.entry[0].path = CACHE_TEXT + 10;
	c.entry[1].path = CACHE_TEXT + 23;
	c.entry[2].name = CACHE_TEXT + 36;
	c.entry[2].path = CACHE_TEXT + 46;
	return c;
}

#endif /* COSHM_TESTS_ELF_SCENE_H */
