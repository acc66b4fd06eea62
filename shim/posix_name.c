/* SPDX-License-Identifier: Apache-2.0 */
/*
 * posix_name.c - the folder .posix, and which file in it a name stands for.
 *
 * The rules are libc's own for /dev/shm, and so are the answers to what breaks them.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "posix.h"

/* libc looks at a name together with its prefix; what is longer than this is no name to it. */
#define NAME_BYTES_MAX (sizeof(POSIX_SEM) - 1 + NAME_MAX)

int posix_path(const char *dir, const char *prefix, const char *name, struct posix_path *path)
{
	name += strspn(name, "/");
	if (!*name || strchr(name, '/') || strlen(prefix) + strlen(name) > NAME_BYTES_MAX)
		return -EINVAL;
	snprintf(path->text, sizeof(path->text), "%s" POSIX_FOLDER "/%s%s", dir, prefix, name);
	return 0;
}

void posix_folder(const char *dir, struct posix_path *path)
{
	snprintf(path->text, sizeof(path->text), "%s" POSIX_FOLDER, dir);
}

/* Who may write the directory may write the folder; of the files in it, each removes his own. */
static int like_directory(const char *folder, const struct stat *dir)
{
	mode_t mode = dir->st_mode & (S_ISGID | 0777);

	if (chown(folder, dir->st_uid, dir->st_gid) < 0) {
		mode |= S_IRWXU;                               /* it stays ours */
		if (chown(folder, (uid_t)-1, dir->st_gid) < 0) /* a group of strangers */
			mode = (mode & ~(mode_t)S_IRWXG) | (mode & S_IRWXO) << 3;
	}
	return chmod(folder, mode | S_ISVTX);
}

/*
 * Made under another name and then renamed, so that nobody finds it with half its
 * rights.  Of several makers the first wins, or one replaces another's empty one.
 */
bool posix_make_folder(const char *dir)
{
	struct posix_path made, folder;
	struct stat st;
	int err;

	snprintf(made.text, sizeof(made.text), "%s" POSIX_FOLDER ".XXXXXX", dir);
	posix_folder(dir, &folder);
	if (stat(dir, &st) < 0 || !mkdtemp(made.text))
		return false;
	if (like_directory(made.text, &st) == 0 && rename(made.text, folder.text) == 0)
		return true;
	err = errno;
	rmdir(made.text);
	if (access(folder.text, F_OK) == 0) /* another one's, and it is in use */
		return true;
	errno = err;
	return false;
}

int posix_unlink(const char *dir, const char *prefix, const char *name)
{
	struct posix_path path;

	if (posix_path(dir, prefix, name, &path) < 0) {
		errno = ENOENT;
		return -1;
	}
	if (unlink(path.text) == 0)
		return 0;
	if (errno == EPERM)
		errno = EACCES;
	return -1;
}
