/* SPDX-License-Identifier: Apache-2.0 */
/*
 * posix.h - POSIX shared memory and semaphores of a directory: files in its folder
 * .posix, named as libc names them in /dev/shm.
 */
#ifndef COSHM_SHIM_POSIX_H
#define COSHM_SHIM_POSIX_H

#include <stdbool.h>

#define POSIX_FOLDER "/.posix"
#define POSIX_SEM    "sem." /* what libc puts before a semaphore's name */

/* Small enough for the stack of any thread; a longer directory is refused. */
#define POSIX_PATH_BYTES 1280

struct posix_path {
	char text[POSIX_PATH_BYTES];
};

/*
 * posix_path - the file of @name below @dir; @prefix is "" or POSIX_SEM.
 *
 * Returns 0, -EINVAL for what libc takes for no name, or -ENAMETOOLONG.
 */
int posix_path(const char *dir, const char *prefix, const char *name, struct posix_path *path);

/* posix_folder - @dir's folder itself, for a file without a name */
int posix_folder(const char *dir, struct posix_path *path);

/*
 * posix_make_folder - after ENOENT: make the folder, if it was that.  Sticky, as /dev/shm
 * is, and open for whom the directory is open.  Is there one now?  If not, errno is set.
 */
bool posix_make_folder(const char *dir);

/* Remove the file of @name, with the answers of shm_unlink and sem_unlink. */
int posix_unlink(const char *dir, const char *prefix, const char *name);

#endif /* COSHM_SHIM_POSIX_H */
