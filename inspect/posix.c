/* SPDX-License-Identifier: Apache-2.0 */
/*
 * posix.c - files in /dev/shm, as shm_open(3) and sem_open(3) make them, and
 * channels.
 *
 * Each area is read once, through the root of a process that has it.  A folder's
 * files are listed with the folder's name; those of a volume only if they are
 * channels.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "layout.h"
#include "served.h"
#include "walk.h"

#define DEPTH_MAX  3u
#define FILES_MAX  262144u /* of an area */
#define HEAD_BYTES 65536u  /* looked at for mutexes */

uint64_t file_number(const struct scan *scan, uint64_t ino, struct span path)
{
	return scan->recorded ? span_hash(path) : ino;
}

/* Reading leaves no trace in the time of the last access, where we may have it so. */
int walk_open_file(int dir, const char *name)
{
	const int flags = O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC | O_NOCTTY;
	int fd = openat(dir, name, flags | O_NOATIME);

	return fd < 0 && errno == EPERM ? openat(dir, name, flags) : fd;
}

static struct channel *look_at_channel(struct walk *w, int fd, size_t got)
{
	struct channel *channel = channel_parse(w->head, got, w->scan->m);

	if (channel)
		channel_probe(channel, fd);
	return channel;
}

/* What a file begins with says what it is: a channel, or has mutexes in it. */
static void look_inside(struct walk *w, int dir, const char *name, struct object *o)
{
	ssize_t got;
	int fd;

	if (o->allocated == 0 || (w->channels_only && o->bytes < sizeof(struct region_shared)))
		return;
	fd = walk_open_file(dir, name);
	if (fd < 0)
		return;
	got = pread(fd, w->head, w->channels_only ? LAYOUT_META_BYTES : HEAD_BYTES, 0);
	if (got > 0) {
		o->channel = look_at_channel(w, fd, (size_t)got);
		if (o->channel)
			o->kind = OBJECT_CHANNEL;
		else if (!w->channels_only)
			o->mutexes = mutex_count(w->head, (size_t)got);
	}
	close(fd);
}

static int walk_area(struct walk *w)
{
	if (w->area == NOBODY) {
		w->area = area_find(w->scan, &w->mount, w->root, w->point);
		if (w->area != NOBODY) {
			w->scan->s->areas[w->area].pid = w->pid;
			w->scan->s->areas[w->area].seen = true;
		}
	}
	return w->area;
}

void walk_describe(struct object *o, const struct stat *stat)
{
	o->id = (int64_t)stat->st_ino;
	o->mode = stat->st_mode & 0777;
	o->uid = o->cuid = stat->st_uid;
	o->gid = o->cgid = stat->st_gid;
	o->bytes = (uint64_t)stat->st_size;
	o->allocated = (uint64_t)stat->st_blocks * 512;
	o->atime = stat->st_atime;
	o->ctime = stat->st_ctime;
	if (o->allocated < o->bytes)
		o->status |= STATUS_SPARSE;
}

static void set_device(const struct walk *w, struct object *o, const struct stat *stat)
{
	o->dev_major = w->scan->recorded ? w->mount.dev_major : major(stat->st_dev);
	o->dev_minor = w->scan->recorded ? w->mount.dev_minor : minor(stat->st_dev);
}

bool walk_locate(const struct walk *w, const char *path, const struct stat *stat, struct object *o,
		 struct walk_file *file)
{
	const char *full = memory_print(w->scan->scratch, "%s/%s", w->point, path);

	set_device(w, o, stat);
	file->device = device_number(o->dev_major, o->dev_minor);
	file->number = file_number(w->scan, stat->st_ino, span_of(full, strlen(full)));
	/* It has two names, or lies in two folders that we were to look into. */
	return table_find(&w->scan->object_by_file, file->device, file->number) < 0;
}

void walk_put(struct walk *w, struct object *o, const struct walk_file *file)
{
	struct scan *scan = w->scan;
	struct object *to;

	o->area = walk_area(w);
	if (o->area != NOBODY && strcmp(scan->s->areas[o->area].fs, "hugetlbfs") == 0)
		o->status |= STATUS_HUGE;
	to = memory_add(scan->m, scan->s->objects, scan->s->object_count);
	if (!to)
		return;
	*to = *o;
	if (file)
		table_put(&scan->object_by_file, scan->scratch, file->device, file->number,
			  (int)scan->s->object_count - 1);
}

/* sem_open(3)'s, by its name, which is shown without the prefix. */
static const char *name_semaphore(struct memory *m, const char *path, struct object *o)
{
	const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;

	if (strncmp(name, POSIX_SEM_PREFIX, strlen(POSIX_SEM_PREFIX)) != 0)
		return path;
	o->kind = OBJECT_POSIX_SEM;
	return memory_print(m, "%.*s%s", (int)(name - path), path, name + strlen(POSIX_SEM_PREFIX));
}

static void add_file(struct walk *w, int dir, const char *name, const char *path,
		     const struct stat *stat)
{
	struct object o = { .kind = OBJECT_POSIX_SHM, .ipcns = NOBODY };
	const char *shown = path;
	struct walk_file file;

	if (!walk_locate(w, path, stat, &o, &file))
		return;
	walk_describe(&o, stat);
	look_inside(w, dir, name, &o);
	if (w->channels_only && !o.channel)
		return;
	if (o.kind == OBJECT_POSIX_SHM && (w->posix || !strchr(path, '/')))
		shown = name_semaphore(w->scan->scratch, path, &o);
	o.name = memory_printable(w->scan->m, shown, strlen(shown), PATH_MAX);
	walk_put(w, &o, &file);
}

void walk_add_file(struct walk *w, int dir, const char *name, const char *path)
{
	bool channels_only = w->channels_only;
	struct stat stat;

	w->channels_only = false;
	if (fstatat(dir, name, &stat, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(stat.st_mode))
		add_file(w, dir, name, path, &stat);
	w->channels_only = channels_only;
}

/* In a volume, too, this folder is for one thing. */
static void walk_posix(struct walk *w, int fd, const char *path, unsigned int depth, dev_t dev)
{
	struct walk outer = *w;

	w->posix = true;
	if (w->channels_only)
		w->left = FILES_MAX;
	w->channels_only = false;
	walk_folder(w, fd, path, depth, dev);
	w->posix = outer.posix;
	w->channels_only = outer.channels_only;
	w->left = outer.channels_only ? outer.left : w->left;
}

/* @fd is closed. */
static void enter_folder(struct walk *w, int fd, const char *name, const char *path,
			 unsigned int depth, dev_t dev)
{
	if (strcmp(name, POSIX_FOLDER) == 0)
		walk_posix(w, fd, path, depth, dev);
	else if (strcmp(name, SYSV_FOLDER) == 0 && served_walk(w, fd, path))
		close(fd);
	else
		walk_folder(w, fd, path, depth, dev);
}

/* Of a volume only the folder that channels are in as a rule, and what `coshm run` makes. */
static bool is_entered(const struct walk *w, const char *name, unsigned int depth)
{
	if (depth + 1 >= DEPTH_MAX)
		return false;
	return !w->channels_only || strcmp(name, POSIX_FOLDER) == 0 ||
	       strcmp(name, SYSV_FOLDER) == 0 || (depth == 0 && strcmp(name, "coshm") == 0);
}

static void walk_entry(struct walk *w, int dir, const char *name, const char *path,
		       unsigned int depth, dev_t dev)
{
	struct stat stat;
	int fd;

	if (fstatat(dir, name, &stat, AT_SYMLINK_NOFOLLOW) < 0 || stat.st_dev != dev)
		return;
	if (S_ISREG(stat.st_mode)) {
		add_file(w, dir, name, path, &stat);
		return;
	}
	if (!S_ISDIR(stat.st_mode) || !is_entered(w, name, depth))
		return;
	fd = openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd >= 0)
		enter_folder(w, fd, name, path, depth + 1, dev);
	else
		scan_lacks(w->scan, LACK_FOLDERS, errno);
}

void walk_folder(struct walk *w, int fd, const char *path, unsigned int depth, dev_t dev)
{
	DIR *d = fdopendir(fd);
	struct dirent *e;
	const char *below;

	if (!d) {
		close(fd);
		return;
	}
	while ((e = readdir(d))) {
		if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
			continue;
		if (w->left-- == 0) {
			w->left = 0;
			if (!w->channels_only)
				scan_lacks(w->scan, LACK_FOLDERS, E2BIG);
			break;
		}
		below = path[0] == '\0' ? e->d_name :
					  memory_print(w->scan->scratch, "%s/%s", path, e->d_name);
		walk_entry(w, dirfd(d), e->d_name, below, depth, dev);
	}
	closedir(d);
}

void walk_measure(struct shm_area *area, int fd)
{
	struct statfs stat;

	if (fstatfs(fd, &stat) < 0)
		return;
	area->bytes = (uint64_t)stat.f_blocks * (uint64_t)stat.f_bsize;
	area->free = (uint64_t)stat.f_bavail * (uint64_t)stat.f_bsize;
	area->used = (uint64_t)(stat.f_blocks - stat.f_bfree) * (uint64_t)stat.f_bsize;
}

/* Without a limit, or recorded, the file system has not told it. */
static void add_up(struct scan *scan)
{
	for (unsigned int i = 0; i < scan->s->object_count; i++) {
		const struct object *o = &scan->s->objects[i];
		struct shm_area *area = o->area == NOBODY ? NULL : &scan->s->areas[o->area];

		if (area && (scan->recorded || area->bytes == 0))
			area->used += o->allocated;
	}
	for (unsigned int i = 0; scan->recorded && i < scan->s->area_count; i++) {
		struct shm_area *area = &scan->s->areas[i];

		area->free = area->bytes > area->used ? area->bytes - area->used : 0;
	}
}

/*
 * A folder as that process has it; ESRCH: there is no such process.  Links in it lead to what they
 * name there, as its container may have made any: not to files of ours.
 */
int walk_open(const struct scan *scan, pid_t pid, const char *point)
{
	struct open_how how = { .flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC,
				.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS };
	char path[NUMBER_ROOM + 8];
	int root, fd, error;

	snprintf(path, sizeof(path), "%d/root", pid);
	root = openat(scan->proc, path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (root < 0) {
		if (is_gone(errno))
			errno = ESRCH;
		return -1;
	}
	fd = (int)syscall(SYS_openat2, root, point, &how, sizeof(how));
	error = errno;
	close(root);
	errno = error;
	return fd;
}

/* Is it still what was mounted there?  btrfs has a device for each subvolume. */
static bool is_mounted(const struct scan *scan, const struct shm_area *area,
		       const struct stat *stat)
{
	return scan->recorded || strcmp(area->fs, "btrfs") == 0 ||
	       (major(stat->st_dev) == area->dev_major && minor(stat->st_dev) == area->dev_minor);
}

/* An area as that process has it; ENOENT: it has another one there. */
static int open_area_of(const struct scan *scan, const struct shm_area *area, pid_t pid,
			struct stat *stat)
{
	int fd = walk_open(scan, pid, area->point), error;

	if (fd < 0)
		return fd;
	error = fstat(fd, stat) < 0 ? errno : is_mounted(scan, area, stat) ? 0 : ENOENT;
	if (error == 0)
		return fd;
	close(fd);
	errno = error;
	return -1;
}

/* Through whoever has it and is still there.  One that runs in a folder of his own has not. */
static int open_area(struct scan *scan, int number, struct stat *stat)
{
	struct shm_area *area = &scan->s->areas[number];
	int fd = open_area_of(scan, area, area->pid, stat);

	for (unsigned int i = 0; i < scan->view_count; i++) {
		const struct view *view = &scan->views[i];

		for (unsigned int k = 0; view->shm_area == number && k < view->witnesses.count;
		     k++) {
			if (fd >= 0 || !is_gone(errno))
				return fd;
			fd = open_area_of(scan, area, view->witnesses.pid[k], stat);
			if (fd >= 0)
				area->pid = view->witnesses.pid[k];
		}
	}
	return fd;
}

static void look_at_area(struct walk *w, int number)
{
	struct shm_area *area = &w->scan->s->areas[number];
	struct stat stat;
	int fd = open_area(w->scan, number, &stat);

	if (fd < 0) {
		scan_lacks(w->scan, LACK_AREAS, errno);
		return;
	}
	area->seen = true;
	if (!w->scan->recorded)
		walk_measure(area, fd);
	w->mount =
		(struct mount_line){ .dev_major = area->dev_major, .dev_minor = area->dev_minor };
	w->point = area->point;
	w->area = number;
	w->left = FILES_MAX;
	walk_folder(w, fd, "", 0, stat.st_dev);
}

void areas_gather(struct scan *scan)
{
	struct walk w = { .scan = scan, .head = malloc(HEAD_BYTES) };
	unsigned int count = scan->s->area_count; /* those at /dev/shm */

	if (!w.head)
		return;
	for (unsigned int i = 0; i < count; i++)
		look_at_area(&w, (int)i);
	volumes_gather(&w);
	add_up(scan);
	free(w.head);
}
