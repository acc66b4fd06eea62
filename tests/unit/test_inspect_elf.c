/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_inspect_elf.c - ELF files and the cache of libraries, whole and damaged.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "elf_scene.h"
#include "ipc_calls.h"
#include "ld_cache.h"

static struct memory *m;

static int set_up(void **state)
{
	(void)state;
	m = memory_new();
	return m ? 0 : -1;
}

static int tear_down(void **state)
{
	(void)state;
	memory_free(m);
	return 0;
}

static int read_bytes(const void *bytes, size_t count, struct elf *elf)
{
	int err, fd = memfd_create("elf", MFD_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, bytes, count), (ssize_t)count);
	err = elf_read(m, fd, elf);
	close(fd);
	return err;
}

static int read_scene(const struct elf_scene *s, struct elf *elf)
{
	return read_bytes(s, sizeof(*s), elf);
}

static void test_whole(void **state)
{
	struct elf_scene s = elf_scene_make();
	struct elf elf;
	char room[32];

	(void)state;
	assert_int_equal(read_scene(&s, &elf), 0);
	assert_true(elf.readable);
	assert_true(elf.dynamic);
	assert_int_equal(elf.bits, 8 * sizeof(void *));
	assert_string_equal(elf_machine_text(&elf, room), "x86-64");
	assert_string_equal(elf.interpreter, SCENE_INTERPRETER);
	assert_string_equal(elf.runpath, "$ORIGIN/lib");
	assert_null(elf.rpath);
	assert_int_equal(elf.needed_count, 2);
	assert_string_equal(elf.needed[0], "libone.so");
	assert_string_equal(elf.needed[1], "libtwo.so");
	assert_int_equal(elf.undefined_count, 2);
	assert_true(elf_takes(&elf, "shmget"));
	assert_true(elf_takes(&elf, "semop"));
	assert_false(elf_takes(&elf, "main"));
}

static void test_static(void **state)
{
	struct elf_scene s = elf_scene_make();
	struct elf elf;

	(void)state;
	s.head.e_phnum = 1;
	assert_int_equal(read_scene(&s, &elf), 0);
	assert_null(elf.interpreter);
	assert_false(elf.dynamic);
	s.head.e_phnum = 0;
	assert_int_equal(read_scene(&s, &elf), 0);
	assert_false(elf.dynamic);
}

static void test_other_kinds(void **state)
{
	struct elf_scene s = elf_scene_make();
	struct elf elf;
	char room[32];

	(void)state;
	s.head.e_ident[EI_CLASS] ^= ELFCLASS32 ^ ELFCLASS64;
	assert_int_equal(read_scene(&s, &elf), 0);
	assert_int_equal(elf.bits, 96 - 8 * sizeof(void *));
	assert_false(elf.readable);
	assert_null(elf.interpreter);
	s = elf_scene_make();
	s.head.e_ident[EI_DATA] ^= ELFDATA2LSB ^ ELFDATA2MSB;
	s.head.e_machine = __builtin_bswap16(EM_PPC64);
	assert_int_equal(read_scene(&s, &elf), 0);
	assert_false(elf.readable);
	assert_string_equal(elf_machine_text(&elf, room), "ppc64");
	s.head.e_machine = __builtin_bswap16(4242);
	assert_int_equal(read_scene(&s, &elf), 0);
	assert_string_equal(elf_machine_text(&elf, room), "machine 4242");
}

static void test_no_elf(void **state)
{
	static const char script[] = "#!/bin/sh\nexit 0 # long enough for the head of one\n";
	struct elf elf;

	(void)state;
	assert_int_equal(read_bytes(script, sizeof(script), &elf), -ENOEXEC);
	assert_int_equal(read_bytes("", 0, &elf), -ENOEXEC);
	assert_int_equal(read_bytes(ELFMAG, SELFMAG, &elf), -ENOEXEC);
	assert_int_equal(elf_read_path(m, "/", &elf), -EISDIR);
	assert_int_equal(elf_read_path(m, "/nowhere", &elf), -ENOENT);
}

/* Each of these says of itself something that is not so. */
static void test_damaged(void **state)
{
	struct elf_scene s;
	struct elf elf;

	(void)state;
#define DAMAGED(change)                                                                            \
	do {                                                                                       \
		s = elf_scene_make();                                                              \
		change;                                                                            \
		assert_int_equal(read_scene(&s, &elf), -EBADMSG);                                  \
	} while (0)
	DAMAGED(s.head.e_ident[EI_CLASS] = 3);
	DAMAGED(s.head.e_ident[EI_DATA] = 0);
	DAMAGED(s.head.e_phentsize--);
	DAMAGED(s.head.e_phoff = sizeof(s));
	DAMAGED(s.head.e_phoff = (ElfW(Off)) - 1);
	DAMAGED(s.head.e_phnum = UINT16_MAX);
	DAMAGED(s.segment[SCENE_INTERP].p_filesz = 0);
	DAMAGED(s.segment[SCENE_INTERP].p_filesz = 5000);
	DAMAGED(s.segment[SCENE_INTERP].p_offset = (ElfW(Off)) - 1);
	DAMAGED(s.segment[SCENE_DYNAMIC].p_filesz *= 1000);
	DAMAGED(s.segment[SCENE_DYNAMIC].p_filesz = (ElfW(Off)) - 1);
	DAMAGED(s.segment[SCENE_DYNAMIC].p_offset = sizeof(s));
	DAMAGED(s.segment[SCENE_LOAD].p_offset = (ElfW(Off)) - 1);
	DAMAGED(s.segment[SCENE_LOAD].p_filesz = 0);
	DAMAGED(s.entry[SCENE_STRTAB].d_un.d_ptr = 4096);
	DAMAGED(s.entry[SCENE_STRTAB].d_tag = DT_DEBUG);
	DAMAGED(s.entry[SCENE_STRSZ].d_un.d_val = sizeof(s));
	DAMAGED(s.entry[SCENE_STRSZ].d_un.d_val = (ElfW(Addr)) - 1);
	DAMAGED(s.entry[SCENE_SYMENT].d_un.d_val++);
	DAMAGED(s.entry[SCENE_NEEDED].d_un.d_val = s.entry[SCENE_STRSZ].d_un.d_val);
	DAMAGED(s.entry[SCENE_RUNPATH].d_un.d_val = (ElfW(Addr)) - 2);
#undef DAMAGED
}

/* A symbol whose name lies elsewhere is none: what is behind the table is no symbol, either. */
static void test_wild_symbols(void **state)
{
	struct elf_scene s = elf_scene_make();
	struct elf elf;

	(void)state;
	s.symbol[SCENE_SHMGET].st_name = UINT32_MAX;
	assert_int_equal(read_scene(&s, &elf), 0);
	assert_false(elf_takes(&elf, "shmget"));
	assert_true(elf_takes(&elf, "semop"));
	s.entry[SCENE_SYMTAB].d_un.d_ptr = 1; /* in no segment */
	assert_int_equal(read_scene(&s, &elf), 0);
	assert_int_equal(elf.undefined_count, 0);
}

static void test_cut_off(void **state)
{
	struct elf_scene s = elf_scene_make();
	struct elf elf;

	(void)state;
	for (size_t bytes = 0;
	     bytes < offsetof(struct elf_scene, interpreter) + sizeof(s.interpreter); bytes++) {
		int err = read_bytes(&s, bytes, &elf);

		assert_int_equal(err, bytes < 20 ? -ENOEXEC : -EBADMSG);
	}
}

static const char *path_of(const char *dir, const char *name)
{
	return memory_print(m, "%s/%s", dir, name);
}

static void write_scene(const struct elf_scene *s, const char *path)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0700);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, s, sizeof(*s)), sizeof(*s));
	close(fd);
}

/* program needs libone.so and libtwo.so; libone.so, itself and libtwo.so, but has no RUNPATH. */
static void test_needs(void **state)
{
	char dir[] = "/tmp/coshm-elf.XXXXXX";
	struct elf_scene s = elf_scene_make();
	struct elf_needs needs;
	struct ipc_call *calls;
	unsigned int count;
	struct elf elf;

	(void)state;
	assert_non_null(mkdtemp(dir));
	assert_int_equal(mkdir(path_of(dir, "lib"), 0700), 0);
	write_scene(&s, path_of(dir, "program"));
	s.entry[SCENE_RUNPATH].d_tag = DT_DEBUG;
	write_scene(&s, path_of(dir, "lib/libone.so"));

	assert_int_equal(elf_read_path(m, path_of(dir, "program"), &elf), 0);
	assert_int_equal(elf_needs(m, path_of(dir, "program"), &elf, &needs), 0);
	assert_int_equal(needs.count, 2);
	assert_string_equal(needs.object[1].path, path_of(dir, "lib/libone.so"));
	assert_string_equal(needs.missing, "libtwo.so");
	assert_string_equal(needs.missing_for, path_of(dir, "program"));

	s.symbol[SCENE_SHMGET].st_shndx = 1;
	s.entry[SCENE_NEEDED].d_tag = s.entry[SCENE_NEEDED_TOO].d_tag = DT_DEBUG;
	write_scene(&s, path_of(dir, "lib/libtwo.so"));
	assert_int_equal(elf_needs(m, path_of(dir, "program"), &elf, &needs), 0);
	assert_int_equal(needs.count, 3);
	assert_null(needs.missing);
	calls = ipc_calls_find(m, &needs, &count);
	assert_non_null(calls);
	assert_int_equal(count, 5); /* shmget and semop twice, semop */
	assert_string_equal(calls[0].name, "shmget");
	assert_string_equal(calls[0].path, path_of(dir, "program"));
	assert_int_equal(calls[4].kind, IPC_CALL_SEM);
	assert_string_equal(calls[4].path, path_of(dir, "lib/libtwo.so"));

	assert_int_equal(unlink(path_of(dir, "lib/libone.so")), 0);
	assert_int_equal(unlink(path_of(dir, "lib/libtwo.so")), 0);
	assert_int_equal(unlink(path_of(dir, "program")), 0);
	assert_int_equal(rmdir(path_of(dir, "lib")), 0);
	assert_int_equal(rmdir(dir), 0);
}

/* What the dynamic linker has really found: this test is linked with cmocka, and makes a file. */
static void test_own(void **state)
{
	char path[PATH_MAX] = "";
	struct elf_needs needs;
	struct elf elf;
	bool found = false;

	(void)state;
	assert_true(readlink("/proc/self/exe", path, sizeof(path) - 1) > 0);
	assert_int_equal(elf_read_path(m, path, &elf), 0);
	assert_non_null(elf.interpreter);
	assert_true(elf_takes(&elf, "mkdtemp"));
	assert_false(elf_takes(&elf, "shmget"));
	assert_int_equal(elf_needs(m, path, &elf, &needs), 0);
	assert_null(needs.missing);
	for (unsigned int i = 1; i < needs.count; i++) {
		assert_false(elf_is_libc(needs.object[i].path));
		found = found || strncmp(needs.object[i].name, "libcmocka", 9) == 0;
	}
	assert_true(found);
}

static void test_libc(void **state)
{
	(void)state;
	assert_true(elf_is_libc("libc.so.6"));
	assert_true(elf_is_libc("/lib64/ld-linux-x86-64.so.2"));
	assert_true(elf_is_libc("/lib/librt.so.1"));
	assert_false(elf_is_libc("libcap.so.2"));
	assert_false(elf_is_libc("/libc.so.6/libx.so"));
}

static struct ld_cache read_cache(const struct cache_scene *c, size_t bytes)
{
	int fd = memfd_create("cache", MFD_CLOEXEC);
	struct ld_cache cache;
	char path[64];

	assert_true(fd >= 0);
	assert_int_equal(write(fd, c, bytes), (ssize_t)bytes);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	cache = ld_cache_read(m, path);
	close(fd);
	return cache;
}

static void test_cache(void **state)
{
	struct cache_scene c = cache_scene_make();
	struct ld_cache cache = read_cache(&c, sizeof(c));

	(void)state;
	assert_string_equal(ld_cache_find(&cache, "libone.so", 0), "/a/libone.so");
	assert_string_equal(ld_cache_find(&cache, "libone.so", 1), "/b/libone.so");
	assert_null(ld_cache_find(&cache, "libone.so", 2));
	assert_string_equal(ld_cache_find(&cache, "libtwo.so", 0), "/c/libtwo.so");
	assert_null(ld_cache_find(&cache, "libthree.so", 0));
}

static void test_damaged_cache(void **state)
{
	struct cache_scene c = cache_scene_make();
	struct ld_cache cache;

	(void)state;
	c.entries = UINT32_MAX;
	c.entry[0].name = UINT32_MAX;
	c.entry[1].path = sizeof(c);
	cache = read_cache(&c, sizeof(c));
	assert_null(ld_cache_find(&cache, "libone.so", 0));
	assert_string_equal(ld_cache_find(&cache, "libtwo.so", 0), "/c/libtwo.so");
	for (size_t bytes = 0; bytes < sizeof(c); bytes++) {
		cache = read_cache(&c, bytes);
		ld_cache_find(&cache, "libthree.so", 0);
	}
	cache = ld_cache_read(m, "/nowhere");
	assert_null(ld_cache_find(&cache, "libtwo.so", 0));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(test_whole),   TEST(test_static),  TEST(test_other_kinds),
		TEST(test_no_elf),  TEST(test_damaged), TEST(test_wild_symbols),
		TEST(test_cut_off), TEST(test_needs),   TEST(test_own),
		TEST(test_libc),    TEST(test_cache),   TEST(test_damaged_cache),
	};

	return cmocka_run_group_tests_name("elf", tests, NULL, NULL);
}
