/* SPDX-License-Identifier: Apache-2.0 */
/*
 * conform_ftok.c - ftok: which paths and project ids give one key, and which two.
 *
 * The keys themselves are no subject: natively they come from inode and device.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "conform.h"
#include "transcript.h"

static key_t first, again;
static int a, found;

static void from_child(void)
{
	again = ftok("one", 'p');
	CALL(again == first);
	GET(found, shmget(again, 0, 0));
}

static void make(const char *name)
{
	int fd = open(name, O_CREAT | O_WRONLY | O_CLOEXEC, 0644);

	if (fd < 0)
		say("%s cannot be made", name);
	close(fd);
}

void conform_ftok(void)
{
	char folder[] = "/tmp/conform.XXXXXX";

	if (mkdtemp(folder) == NULL || chdir(folder) != 0) {
		say("no folder can be made");
		return;
	}
	make("one");
	make("two");
	mkdir("folder", 0755);
	if (symlink("one", "link") != 0)
		say("no link can be made");
	CALL(ftok("absent", 'p'));
	CALL(ftok("absent/below", 'p'));
	CALL(ftok("one/below", 'p'));
	CALL(ftok("", 'p'));
	first = ftok("one", 'p');
	CALL(first != -1);
	CALL(ftok("one", 'p') == first);
	CALL(ftok("./one", 'p') == first);
	CALL(ftok("folder/../one", 'p') == first);
	CALL(ftok("link", 'p') == first);
	CALL(ftok("one", 'p' + 256) == first);
	CALL(ftok("one", 'p' - 256) == first);
	CALL(ftok("one", 'q') == first);
	CALL(ftok("two", 'p') == first);
	CALL(ftok("two", 'p') == -1);
	CALL(ftok("folder", 'p') == first);
	CALL(ftok("folder", 'p') == ftok("folder", 'p'));
	CALL(ftok("folder", 'p') == ftok("folder/.", 'p'));
	CALL(ftok("folder", 'p') == ftok("folder", 'q'));
	CALL(ftok("one", 0) == -1);
	CALL(ftok("one", 0) == ftok("one", 256));
	GET(a, shmget(first, 100, IPC_CREAT | 0600));
	in_child("child", from_child);
	GET(found, shmget(ftok("two", 'p'), 0, 0));
	CALL(shmctl(a, IPC_RMID, NULL));
	remove("one");
	remove("two");
	remove("link");
	rmdir("folder");
	CALL(chdir("/"));
	rmdir(folder);
}
