/* SPDX-License-Identifier: Apache-2.0 */
/*
 * posix_conform_files.c - names, flags and modes, of shared memory and semaphores;
 * and what lies under a name but is neither.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "posix_conform.h"

/* All calls that take a name. */
static void name_calls(const char *name)
{
	char shown[48];
	sem_t *sem;

	snprintf(shown, sizeof(shown), "%.20s(%zu)", name, strlen(name));
	tell_file(tell_int(shm_open(name, O_RDONLY, 0), "shm_open %s, read", shown));
	tell_int(shm_unlink(name), "shm_unlink %s", shown);
	tell_file(tell_int(shm_open(name, O_RDWR | O_CREAT, 0600), "shm_open %s, create", shown));
	tell_file(tell_int(shm_open(name, O_RDONLY, 0), "shm_open %s, read", shown));
	tell_folder();
	tell_int(shm_unlink(name), "shm_unlink %s", shown);
	tell_sem(sem_open(name, 0), "sem_open %s", shown);
	tell_int(sem_unlink(name), "sem_unlink %s", shown);
	sem = tell_sem(sem_open(name, O_CREAT, 0600, 1), "sem_open %s, create", shown);
	if (sem != SEM_FAILED)
		tell_int(sem_close(sem), "sem_close %s", shown);
	tell_folder();
	tell_int(sem_unlink(name), "sem_unlink %s", shown);
	tell_int(sem_unlink(name), "sem_unlink %s again", shown);
}

void conform_names(void)
{
	static const char *const names[] = {
		"",         "/",    "//", "a",   "/a",      "///a", "a/b", "/a/",
		"a/..",     ".",    "..", "...", "sem.a",   "sem.", " ",   "\n",
		"\xff\x01", "%s%n", ".a", "a\\", "../../a", "-a",   "*",
	};
	static const int lengths[] = { 249, 250, 251, 252, 254, 255, 256, 259, 260, 1000, 5000 };
	static char name[5001];

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		name_calls(names[i]);
	for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
		memset(name, 'n', sizeof(name));
		name[lengths[i]] = '\0';
		name_calls(name);
		name[0] = '/';
		name_calls(name);
	}
}

static void flag_calls(int flags, bool there)
{
	int fd;

	if (there) {
		fd = shm_open("/flags", O_RDWR | O_CREAT, 0644);
		if (fd >= 0 && ftruncate(fd, 100) == 0)
			close(fd);
	}
	tell_file(tell_int(shm_open("/flags", flags, 0640), "shm_open with %o, %s", flags,
			   there ? "there" : "missing"));
	shm_unlink("/flags");
}

static void sem_flag_calls(int flags, bool there)
{
	if (there)
		sem_close(sem_open("/flags", O_CREAT, 0644, 5));
	tell_sem(sem_open("/flags", flags, 0640, 6), "sem_open with %o, %s", flags,
		 there ? "there" : "missing");
	tell_content("flags");
	sem_unlink("/flags"); /* it stays open: a new one is another file */
}

static void all_flags(void)
{
	static const int some[] = { O_CREAT, O_EXCL, O_TRUNC, O_APPEND | O_NONBLOCK, O_CLOEXEC };

	for (int there = 0; there < 2; there++)
		for (int access = 0; access < 4; access++)
			for (unsigned int set = 0; set < 1u << 5; set++) {
				int flags = access;

				for (int i = 0; i < 5; i++)
					flags |= set & (1u << i) ? some[i] : 0;
				flag_calls(flags, there);
				sem_flag_calls(flags, there);
			}
	for (int there = 0; there < 2; there++) {
		flag_calls(O_DIRECTORY | O_RDONLY, there);
		flag_calls(O_PATH, there);
		flag_calls(O_SYNC | O_RDWR, there);
		sem_flag_calls(O_DIRECTORY, there);
		sem_flag_calls(O_DIRECTORY | O_CREAT, there);
		sem_flag_calls(O_PATH | O_CREAT, there);
	}
}

static void all_modes(void)
{
	static const mode_t masks[] = { 0, 022, 027, 077, 0777 };
	static const mode_t modes[] = { 0,    0200, 0400,  0600,  0644,  0666,
					0777, 0007, 01777, 02755, 04755, 0xffffffff };

	for (size_t m = 0; m < sizeof(masks) / sizeof(masks[0]); m++) {
		umask(masks[m]);
		for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
			tell_file(tell_int(shm_open("/mode", O_RDWR | O_CREAT | O_EXCL, modes[i]),
					   "shm_open of mode %o, umask %o", modes[i], masks[m]));
			shm_unlink("/mode");
			tell_sem(sem_open("/mode", O_CREAT | O_EXCL, modes[i], 1),
				 "sem_open of mode %o, umask %o", modes[i], masks[m]);
			tell_content("mode");
			sem_unlink("/mode");
		}
	}
	umask(022);
}

/* What is in the folder, but was put there otherwise. */
static void strange_files(void)
{
	static const char *const shm[] = { "folder", "nowhere", "file", "fifo" };
	sem_t *sem;

	mkdir(in_folder("folder"), 0700);
	mkdir(in_folder("sem.folder"), 0700);
	(void)!symlink("there-is-none", in_folder("nowhere"));
	(void)!symlink("there-is-none", in_folder("sem.nowhere"));
	(void)!symlink("sem.folder", in_folder("file"));
	(void)!symlink("sem.short", in_folder("sem.file"));
	mkfifo(in_folder("fifo"), 0600);
	mkfifo(in_folder("sem.fifo"), 0600);
	for (int i = 0; i < 4; i++) {
		const char *name = shm[i];

		tell_file(tell_int(shm_open(name, O_RDONLY | O_NONBLOCK, 0), "read %s", name));
		tell_file(tell_int(shm_open(name, O_RDWR | O_CREAT, 0600), "create %s", name));
		tell_file(tell_int(shm_open(name, O_RDWR | O_CREAT | O_EXCL, 0600),
				   "create %s alone", name));
		tell_sem(sem_open(name, 0), "sem_open %s", name);
		tell_sem(sem_open(name, O_CREAT, 0600, 1), "sem_open %s, create", name);
		tell_sem(sem_open(name, O_CREAT | O_EXCL, 0600, 1), "sem_open %s, alone", name);
		tell_int(shm_unlink(name), "shm_unlink %s", name);
		tell_int(sem_unlink(name), "sem_unlink %s", name);
	}
	rmdir(in_folder("folder"));
	rmdir(in_folder("sem.folder"));
	close(shm_open("sem.short", O_RDWR | O_CREAT, 0600));
	sem = tell_sem(sem_open("short", 0), "sem_open of an empty file");
	tell_int(sem_close(sem), "sem_close of it");
	tell_int(sem_unlink("short"), "sem_unlink of it");
}

/* Shared memory is what the program makes of the file. */
static void memory(void)
{
	int fd = shm_open("/memory", O_RDWR | O_CREAT, 0600);
	char *a, *b;

	tell_int(ftruncate(fd, 10000), "ftruncate");
	a = mmap(NULL, 10000, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	tell_file(fd);
	fd = shm_open("memory", O_RDWR, 0);
	b = mmap(NULL, 10000, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	tell_file(fd);
	strcpy(a + 5000, "seen");
	tell("the other mapping has '%s'", b + 5000);
	tell_int(shm_unlink("memory"), "shm_unlink while it is mapped");
	strcpy(b + 6000, "still");
	tell("the other mapping has '%s'", a + 6000);
	munmap(a, 10000);
	munmap(b, 10000);
	tell_int(shm_unlink("memory"), "shm_unlink again");
}

void conform_files(void)
{
	all_flags();
	all_modes();
	strange_files();
	memory();
}
