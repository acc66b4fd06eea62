/* SPDX-License-Identifier: Apache-2.0 */
/*
 * posix_name.c - the folder .posix, and which file in it a name stands for.
 *
 * The rules are libc's own for /dev/shm, and so are the answers to what breaks them.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "posix.h"

/* libc looks at a name together with its prefix; what is longer than this is no name to it. */
#define NAME_BYTES_MAX (sizeof(POSIX_SEM) - 1 + NAME_MAX)

__attribute__((format(printf, 2, 3))) static int write_path(struct posix_path *path,
							    const char *format, ...)
{
	va_list ap;
	int length;

	va_start(ap, format);
	length = vsnprintf(path->text, sizeof(path->text), format, ap);
	va_end(ap);
	return length < (int)sizeof(path->text) ? 0 : -ENAMETOOLONG;
}

int posix_path(const char *dir, const char *prefix, const char *name, struct posix_path *path)
{
	name += strspn(name, "/");
	if (!*name || strchr(name, '/') || strlen(prefix) + strlen(name) > NAME_BYTES_MAX)
		return -EINVAL;
	return write_path(path, "%s" POSIX_FOLDER "/%s%s", dir, prefix, name);
}

int posix_folder(const char *dir, struct posix_path *path)
{
	return write_path(path, "%s" POSIX_FOLDER, dir);
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

/* Of several makers the first wins. Who cannot be told to let him win replaces an empty one. */
static int give_name(const char *made, const char *folder)
{
	if (renameat2(AT_FDCWD, made, AT_FDCWD, folder, RENAME_NOREPLACE) == 0)
		return 0;
	return errno == EINVAL ? rename(made, folder) : -1;
}

/* Made under another name, so that nobody finds it with half its rights. */
bool posix_make_folder(const char *dir)
{
	struct posix_path made, folder;
	struct stat st;
	int err;

	if (posix_folder(dir, &folder) < 0 ||
	    write_path(&made, "%s" POSIX_FOLDER ".XXXXXX", dir) < 0) {
		errno = ENAMETOOLONG;
		return false;
	}
	if (stat(dir, &st) < 0 || !mkdtemp(made.text))
		return false;
	if (like_directory(made.text, &st) == 0 && give_name(made.text, folder.text) == 0)
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
	int err = posix_path(dir, prefix, name, &path);

	if (err < 0) {
		errno = err == -EINVAL ? ENOENT : -err;
		return -1;
	}
	if (unlink(path.text) == 0)
		return 0;
	if (errno == EPERM)
		errno = EACCES;
	return -1;
}
