/* SPDX-License-Identifier: Apache-2.0 */
/*
 * region_name.c - directories and names of channels, and versioned options.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "err.h"
#include "region.h"

#define DEFAULT_DIR "/dev/shm/coshm"
/*
 * As /tmp: programs of any user make channels in it, and none removes another's.
 * What a channel's content is worth is guarded by the mode of its own file.
 */
#define DEFAULT_DIR_MODE 01777

/* Options of another version: what we do not know must be zero, what it does not know is. */
int opts_take(void *to, size_t to_bytes, const void *from, size_t from_bytes)
{
	const unsigned char *p = from;

	memset(to, 0, to_bytes);
	if (!from)
		return 0;
	if (from_bytes < sizeof(size_t))
		return err_const(EINVAL, "the options do not begin with their own size");
	for (size_t i = to_bytes; i < from_bytes; i++)
		if (p[i] != 0)
			return err_const(EINVAL,
					 "an option is set that this libcoshm does not know");
	memcpy(to, from, from_bytes < to_bytes ? from_bytes : to_bytes);
	return 0;
}

static bool letter_or_digit(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

int region_name_check(const char *name)
{
	size_t n = name ? strlen(name) : 0;

	if (n == 0)
		return err_const(EINVAL, "a channel needs a name");
	if (n > COSHM_NAME_MAX)
		return err_say(EINVAL, "the channel name \"%.20s...\" is longer than %d bytes",
			       name, COSHM_NAME_MAX);
	if (!letter_or_digit(name[0]))
		return err_say(EINVAL,
			       "the channel name \"%.*s\" does not begin with a letter or digit",
			       COSHM_NAME_MAX, name);
	for (size_t i = 0; i < n; i++)
		if (!letter_or_digit(name[i]) && !strchr("._-", name[i]))
			return err_say(EINVAL,
				       "byte %zu of the channel name is not a letter, a digit "
				       "or one of . _ -",
				       i + 1);
	return 0;
}

/*
 * Only the default directory is made on demand: another one that is missing is
 * a volume that was not mounted.  A program killed between mkdir and chmod
 * leaves the sticky bit and whatever its umask let through; its owner repairs it.
 */
static int default_dir_make(void)
{
	struct stat st;

	if (mkdir(DEFAULT_DIR, DEFAULT_DIR_MODE) < 0 && errno != EEXIST)
		return err_say(errno, "cannot make the directory " DEFAULT_DIR ": %s",
			       strerror(errno));
	if (lstat(DEFAULT_DIR, &st) == 0 && S_ISDIR(st.st_mode) && st.st_uid == geteuid() &&
	    (st.st_mode & S_ISVTX) && (st.st_mode & 07777) != DEFAULT_DIR_MODE &&
	    chmod(DEFAULT_DIR, DEFAULT_DIR_MODE) < 0)
		return err_say(errno, "cannot open the directory " DEFAULT_DIR " to all: %s",
			       strerror(errno));
	return 0;
}

/*
 * region_dir_open - a descriptor of the directory; its name goes to @path.
 * @make: the default one is made if it is missing
 */
int region_dir_open(const char *dir, bool make, char *path, size_t path_bytes)
{
	int flags = O_PATH | O_DIRECTORY | O_CLOEXEC, fd, err;

	if (!dir)
		dir = secure_getenv("COSHM_DIR");
	if (!dir || dir[0] == '\0') {
		dir = DEFAULT_DIR;
		flags |= O_NOFOLLOW; /* /dev/shm is everybody's: no link put there by another */
		err = make ? default_dir_make() : 0;
		if (err < 0)
			return err;
	}
	if ((size_t)snprintf(path, path_bytes, "%s", dir) >= path_bytes)
		return err_const(ENAMETOOLONG, "the directory's name is too long");
	fd = open(dir, flags);
	if (fd < 0)
		return err_say(errno, "cannot open the directory %.200s: %s", dir, strerror(errno));
	return fd;
}
