/* SPDX-License-Identifier: Apache-2.0 */
/*
 * elf_file.c - see elf_file.h.
 *
 * Section headers are left aside: they may be stripped, and the dynamic linker
 * does not look at them either.  What the dynamic section names is found through
 * the loaded segments, and must lie within one of them and within the file.
 *
 * The number of symbols is nowhere written.  Hash tables tell it, but for a
 * program that gives no symbol to others: their hash table is empty.  So the
 * symbols are taken to end where the next table begins, and what lies between
 * (padding) is no symbol, as its name would be empty or out of bounds.
 */
#include "elf_file.h"

#include <elf.h>
#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Far above what is met (a browser engine has 3 MB of names); no file makes us take more. */
#define TABLE_BYTES_MAX ((size_t)64 << 20)
#define PATH_BYTES_MAX  4096u

struct image {
	struct memory *m;
	int fd;
	uint64_t bytes; /* of the file */
	const ElfW(Phdr) * header;
	unsigned int headers;
};

/* What the dynamic section says, as it stands there. */
struct dynamic {
	ElfW(Addr) names, symbols;
	uint64_t names_bytes, symbol_bytes;
	uint64_t rpath, runpath; /* offsets into the names; NO_NAME */
};

#define NO_NAME UINT64_MAX

static int read_at(const struct image *i, uint64_t offset, void *to, size_t bytes)
{
	ssize_t got;

	if (offset > i->bytes || bytes > i->bytes - offset)
		return -EBADMSG;
	got = TEMP_FAILURE_RETRY(pread(i->fd, to, bytes, (off_t)offset));
	if (got < 0)
		return -errno;
	return (size_t)got == bytes ? 0 : -EBADMSG; /* it has just become shorter */
}

/* A copy; what follows it in memory is 0.  -errno in @err. */
static void *copy_at(const struct image *i, uint64_t offset, uint64_t bytes, int *err)
{
	void *copy;

	if (bytes > TABLE_BYTES_MAX || offset > i->bytes || bytes > i->bytes - offset) {
		*err = -EBADMSG;
		return NULL;
	}
	copy = memory_get(i->m, (size_t)bytes + 1);
	*err = copy ? read_at(i, offset, copy, (size_t)bytes) : -ENOMEM;
	return *err == 0 ? copy : NULL;
}

/* Where the @bytes at an address lie in the file; UINT64_MAX: nowhere. */
static uint64_t offset_of(const struct image *i, uint64_t address, uint64_t bytes)
{
	for (unsigned int n = 0; n < i->headers; n++) {
		const ElfW(Phdr) *h = &i->header[n];

		if (h->p_type == PT_LOAD && address >= h->p_vaddr &&
		    address - h->p_vaddr <= h->p_filesz &&
		    bytes <= h->p_filesz - (address - h->p_vaddr) &&
		    h->p_offset <= i->bytes - (address - h->p_vaddr))
			return h->p_offset + (address - h->p_vaddr);
	}
	return UINT64_MAX;
}

static const ElfW(Phdr) * find(const struct image *i, uint32_t type)
{
	for (unsigned int n = 0; n < i->headers; n++)
		if (i->header[n].p_type == type)
			return &i->header[n];
	return NULL;
}

static int read_headers(struct image *i)
{
	ElfW(Ehdr) h;
	int err = read_at(i, 0, &h, sizeof(h));

	if (err < 0)
		return err;
	if (h.e_phnum == 0)
		return 0; /* as of an object file */
	if (h.e_phentsize != sizeof(*i->header))
		return -EBADMSG;
	i->header = copy_at(i, h.e_phoff, (uint64_t)h.e_phnum * sizeof(*i->header), &err);
	i->headers = i->header ? h.e_phnum : 0;
	return err;
}

static int read_interpreter(const struct image *i, struct elf *elf)
{
	const ElfW(Phdr) *h = find(i, PT_INTERP);
	int err = 0;

	if (!h)
		return 0;
	if (h->p_filesz == 0 || h->p_filesz > PATH_BYTES_MAX)
		return -EBADMSG;
	elf->interpreter = copy_at(i, h->p_offset, h->p_filesz, &err);
	return err;
}

static void take_entry(struct dynamic *d, const ElfW(Dyn) * entry)
{
	switch (entry->d_tag) {
	case DT_STRTAB:
		d->names = entry->d_un.d_ptr;
		break;
	case DT_STRSZ:
		d->names_bytes = entry->d_un.d_val;
		break;
	case DT_SYMTAB:
		d->symbols = entry->d_un.d_ptr;
		break;
	case DT_SYMENT:
		d->symbol_bytes = entry->d_un.d_val;
		break;
	case DT_RPATH:
		d->rpath = entry->d_un.d_val;
		break;
	case DT_RUNPATH:
		d->runpath = entry->d_un.d_val;
		break;
	default:
		break;
	}
}

/* Tags that hold an address.  The tables of a file lie next to each other. */
static bool is_address(int64_t tag)
{
	static const int64_t tags[] = { DT_STRTAB, DT_HASH, DT_GNU_HASH,   DT_VERSYM,    DT_VERNEED,
					DT_VERDEF, DT_RELA, DT_REL,        DT_JMPREL,    DT_PLTGOT,
					DT_INIT,   DT_FINI, DT_INIT_ARRAY, DT_FINI_ARRAY };

	for (size_t i = 0; i < sizeof(tags) / sizeof(tags[0]); i++)
		if (tags[i] == tag)
			return true;
	return false;
}

/* The first table behind the symbols, or the end of their segment. */
static uint64_t count_symbols(const struct image *i, const ElfW(Dyn) * entry, uint64_t entries,
			      uint64_t symbols)
{
	uint64_t end = 0;

	for (unsigned int n = 0; n < i->headers; n++) {
		const ElfW(Phdr) *h = &i->header[n];

		if (h->p_type == PT_LOAD && symbols >= h->p_vaddr &&
		    symbols - h->p_vaddr < h->p_filesz)
			end = symbols + (h->p_filesz - (symbols - h->p_vaddr));
	}
	for (uint64_t n = 0; n < entries && entry[n].d_tag != DT_NULL; n++)
		if (is_address(entry[n].d_tag) && entry[n].d_un.d_ptr > symbols &&
		    entry[n].d_un.d_ptr < end)
			end = entry[n].d_un.d_ptr;
	if (end <= symbols)
		return 0;
	end = (end - symbols) / sizeof(ElfW(Sym));
	return end < TABLE_BYTES_MAX / sizeof(ElfW(Sym)) ? end :
							   TABLE_BYTES_MAX / sizeof(ElfW(Sym));
}

static int read_symbols(const struct image *i, uint64_t count, const struct dynamic *d,
			const char *names, struct elf *elf)
{
	const ElfW(Sym) * symbol;
	const char **undefined = NULL, **one;
	int err = 0;

	if (count == 0)
		return 0;
	if (d->symbol_bytes != sizeof(*symbol))
		return -EBADMSG;
	symbol = copy_at(i, offset_of(i, d->symbols, count * sizeof(*symbol)),
			 count * sizeof(*symbol), &err);
	for (uint64_t n = 1; symbol && n < count; n++) {
		if (symbol[n].st_shndx != SHN_UNDEF || symbol[n].st_name == 0 ||
		    symbol[n].st_name >= d->names_bytes)
			continue;
		one = memory_add(i->m, undefined, elf->undefined_count);
		if (!one)
			return -ENOMEM;
		*one = names + symbol[n].st_name;
		elf->undefined = undefined;
	}
	return err;
}

static int read_needed(const struct image *i, const ElfW(Dyn) * entry, uint64_t entries,
		       const struct dynamic *d, const char *names, struct elf *elf)
{
	const char **needed = NULL, **one;

	for (uint64_t n = 0; n < entries && entry[n].d_tag != DT_NULL; n++) {
		if (entry[n].d_tag != DT_NEEDED)
			continue;
		if (entry[n].d_un.d_val >= d->names_bytes)
			return -EBADMSG;
		one = memory_add(i->m, needed, elf->needed_count);
		if (!one)
			return -ENOMEM;
		*one = names + entry[n].d_un.d_val;
		elf->needed = needed;
	}
	return 0;
}

static int name_at(const struct dynamic *d, const char *names, uint64_t at, const char **name)
{
	if (at == NO_NAME)
		return 0;
	if (at >= d->names_bytes)
		return -EBADMSG;
	*name = names + at;
	return 0;
}

static int read_dynamic(const struct image *i, struct elf *elf)
{
	struct dynamic d = { .rpath = NO_NAME, .runpath = NO_NAME };
	const ElfW(Phdr) *h = find(i, PT_DYNAMIC);
	const ElfW(Dyn) * entry;
	const char *names;
	uint64_t entries;
	int err = 0;

	if (!h)
		return 0;
	elf->dynamic = true;
	entries = h->p_filesz / sizeof(*entry);
	entry = copy_at(i, h->p_offset, entries * sizeof(*entry), &err);
	for (uint64_t n = 0; entry && n < entries && entry[n].d_tag != DT_NULL; n++)
		take_entry(&d, &entry[n]);
	if (!entry)
		return err;
	/* memory is 0 behind a copy: each name ends */
	names = copy_at(i, offset_of(i, d.names, d.names_bytes), d.names_bytes, &err);
	if (!names)
		return err;
	err = name_at(&d, names, d.rpath, &elf->rpath);
	if (err == 0)
		err = name_at(&d, names, d.runpath, &elf->runpath);
	if (err == 0)
		err = read_needed(i, entry, entries, &d, names, elf);
	if (err == 0 && d.symbols)
		err = read_symbols(i, count_symbols(i, entry, entries, d.symbols), &d, names, elf);
	return err;
}

static bool read_kind(const unsigned char *ident, uint16_t machine, struct elf *elf)
{
	const unsigned char ours = __BYTE_ORDER == __BIG_ENDIAN ? ELFDATA2MSB : ELFDATA2LSB;

	elf->bits = ident[EI_CLASS] == ELFCLASS32 ? 32 : 64;
	elf->big_endian = ident[EI_DATA] == ELFDATA2MSB;
	elf->machine = ident[EI_DATA] == ours ? machine : __builtin_bswap16(machine);
	elf->readable = elf->bits == 8 * sizeof(void *) && ident[EI_DATA] == ours;
	return (ident[EI_CLASS] == ELFCLASS32 || ident[EI_CLASS] == ELFCLASS64) &&
	       (ident[EI_DATA] == ELFDATA2LSB || ident[EI_DATA] == ELFDATA2MSB);
}

int elf_read(struct memory *m, int fd, struct elf *elf)
{
	struct image i = { .m = m, .fd = fd };
	/* The same in both word sizes: magic, type, machine. */
	struct {
		unsigned char ident[EI_NIDENT];
		uint16_t type, machine;
	} head;
	struct stat st;
	int err;

	*elf = (struct elf){ 0 };
	if (fstat(fd, &st) < 0)
		return -errno;
	i.bytes = (uint64_t)st.st_size;
	err = read_at(&i, 0, &head, sizeof(head));
	if (err == -EBADMSG || (err == 0 && memcmp(head.ident, ELFMAG, SELFMAG) != 0))
		return -ENOEXEC;
	if (err < 0)
		return err;
	if (!read_kind(head.ident, head.machine, elf))
		return -EBADMSG;
	if (!elf->readable)
		return 0;
	err = read_headers(&i);
	if (err == 0)
		err = read_interpreter(&i, elf);
	return err == 0 ? read_dynamic(&i, elf) : err;
}

int elf_read_path(struct memory *m, const char *path, struct elf *elf)
{
	int err, fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK); /* a FIFO would wait */

	if (fd < 0)
		return -errno;
	err = elf_read(m, fd, elf);
	close(fd);
	return err;
}

bool elf_takes(const struct elf *elf, const char *symbol)
{
	for (unsigned int i = 0; i < elf->undefined_count; i++)
		if (strcmp(elf->undefined[i], symbol) == 0)
			return true;
	return false;
}

const char *elf_machine_text(const struct elf *elf, char room[32])
{
	static const struct {
		unsigned int machine;
		const char *text;
	} known[] = {
		{ EM_386, "i386" },      { EM_X86_64, "x86-64" }, { EM_ARM, "arm" },
		{ EM_AARCH64, "arm64" }, { EM_RISCV, "riscv" },   { EM_PPC64, "ppc64" },
		{ EM_S390, "s390" },
	};

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (known[i].machine == elf->machine)
			return known[i].text;
	snprintf(room, 32, "machine %u", elf->machine);
	return room;
}
