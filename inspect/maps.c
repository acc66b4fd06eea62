/* SPDX-License-Identifier: Apache-2.0 */
/*
 * maps.c - who maps and has open what: /proc/PID/maps and /proc/PID/fd.
 *
 * In maps, the inode of a "/SYSV0000162e" line is the segment's id.  Files are
 * told by device and inode, since each process may call them something else.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "gather.h"

#define DELETED   " (deleted)"
#define MEMFD     "/memfd:"
#define NAME_MOST 4096u

/* Of the kernel's own mount, where anonymous shared memory, segments and memfds are. */
#define ANONYMOUS_MAJOR 0u
#define ANONYMOUS_MINOR 1u

/* The smallest huge page of any machine: mappings of them begin and end at such addresses. */
#define HUGE_LEAST 65536u

/* "7f00-7f10 rw-s 00000000 00:15 12   /dev/shm/name" */
static bool take_line(struct span line, struct map_line *out)
{
	uint64_t end, dev_major, dev_minor;

	if (!span_number(&line, 16, &out->start) || !span_skip(&line, '-') ||
	    !span_number(&line, 16, &end) || end < out->start || !span_skip(&line, ' ') ||
	    span_length(line) < 5)
		return false;
	out->bytes = end - out->start;
	out->writable = line.at[1] == 'w';
	out->shared = line.at[3] == 's';
	line.at += 4;
	if (!span_skip(&line, ' ') || !span_number(&line, 16, &out->offset) ||
	    !span_skip(&line, ' ') || !span_number(&line, 16, &dev_major) ||
	    !span_skip(&line, ':') || !span_number(&line, 16, &dev_minor) ||
	    !span_skip(&line, ' ') || !span_number(&line, 10, &out->ino))
		return false;
	out->dev_major = (unsigned int)dev_major;
	out->dev_minor = (unsigned int)dev_minor;
	while (span_skip(&line, ' '))
		;
	out->path = line;
	return true;
}

bool maps_next(struct span *text, struct map_line *out)
{
	struct span line;

	while (span_line(text, &line))
		if (take_line(line, out))
			return true;
	return false;
}

/* ---- uses ----------------------------------------------------------------------------------- */

static struct use *find_use(struct scan *scan, int process, int object)
{
	int found = table_find(&scan->use_by_pair, (uint64_t)process, (uint64_t)object);
	struct use *use;

	if (found >= 0)
		return &scan->s->uses[found];
	use = memory_add(scan->m, scan->s->uses, scan->s->use_count);
	if (!use)
		return NULL;
	*use = (struct use){ .process = process, .object = object };
	table_put(&scan->use_by_pair, scan->scratch, (uint64_t)process, (uint64_t)object,
		  (int)scan->s->use_count - 1);
	return use;
}

/* Of files, neither the kernel nor a table tells how many map them. */
static bool counts_mappers(enum object_kind kind)
{
	return kind > OBJECT_MSG && kind != OBJECT_POSIX_MQ && kind != OBJECT_TABLE;
}

static void add_mapping(struct scan *scan, int process, int object, const struct map_line *line)
{
	struct use *use = find_use(scan, process, object);
	struct object *o = &scan->s->objects[object];

	if (!use)
		return;
	if (!use->mapped && counts_mappers(o->kind))
		o->count++;
	use->mapped = true;
	use->writes |= line->shared && line->writable;
	use->bytes += line->bytes;
	if (scan->recorded && o->kind > OBJECT_MSG)
		o->id = (int64_t)line->ino;
}

/* ---- files without a name ------------------------------------------------------------------- */

static int area_of_device(const struct scan *scan, unsigned int dev_major, unsigned int dev_minor)
{
	return table_find(&scan->area_by_device, device_number(dev_major, dev_minor), 0);
}

static const char *hidden_name(struct scan *scan, const struct object *o, struct span path)
{
	if (span_ends(path, DELETED))
		path.end -= strlen(DELETED);
	if (o->kind == OBJECT_MEMFD && span_begins(path, MEMFD)) {
		path.at += strlen(MEMFD);
	} else if (o->area != NOBODY) {
		struct span point = path;
		const char *at = scan->s->areas[o->area].point;

		if (span_begins(point, at) && span_length(point) > strlen(at))
			path.at += strlen(at);
		span_skip(&path, '/');
	}
	return memory_printable(scan->m, path.at, span_length(path), NAME_MOST);
}

/* Who may, asks the mapping itself; it takes more than to read the maps. */
static void ask_mapping(struct scan *scan, struct object *o, pid_t pid, const struct map_line *line)
{
	struct stat stat;
	char path[96];

	o->bytes = line->offset + line->bytes;
	o->allocated = o->bytes;
	snprintf(path, sizeof(path), "%d/map_files/%llx-%llx", pid, (unsigned long long)line->start,
		 (unsigned long long)(line->start + line->bytes));
	if (scan->recorded || fstatat(scan->proc, path, &stat, 0) < 0)
		return;
	o->mode = stat.st_mode & 0777;
	o->uid = o->cuid = stat.st_uid;
	o->gid = o->cgid = stat.st_gid;
	o->bytes = (uint64_t)stat.st_size;
	o->allocated = (uint64_t)stat.st_blocks * 512;
	o->atime = stat.st_atime;
	o->ctime = stat.st_ctime;
}

static bool is_anonymous(const struct scan *scan, const struct map_line *line)
{
	return device_number(line->dev_major, line->dev_minor) == scan->anonymous;
}

static bool is_hidden(const struct scan *scan, const struct map_line *line, bool memfd)
{
	if (!line->shared || !span_ends(line->path, DELETED))
		return false;
	/* Also there: /dev/zero, which is memory of a family, and what drivers have. */
	return memfd || !is_anonymous(scan, line);
}

static int add_hidden(struct scan *scan, pid_t pid, const struct map_line *line)
{
	bool memfd = span_begins(line->path, MEMFD);
	struct object o = { .kind = memfd ? OBJECT_MEMFD : OBJECT_DELETED, .ipcns = NOBODY }, *to;

	if (!is_hidden(scan, line, memfd))
		return NOBODY;
	o.id = (int64_t)line->ino;
	o.dev_major = line->dev_major;
	o.dev_minor = line->dev_minor;
	o.area = memfd ? NOBODY : area_of_device(scan, line->dev_major, line->dev_minor);
	o.name = hidden_name(scan, &o, line->path);
	ask_mapping(scan, &o, pid, line);
	to = memory_add(scan->m, scan->s->objects, scan->s->object_count);
	if (!to)
		return NOBODY;
	*to = o;
	table_put(&scan->object_by_file, scan->scratch,
		  device_number(line->dev_major, line->dev_minor),
		  file_number(scan, line->ino, line->path), (int)scan->s->object_count - 1);
	return (int)scan->s->object_count - 1;
}

/* ---- what a process maps -------------------------------------------------------------------- */

/* A segment, by its id in the namespace of whoever maps it.  One of huge pages lies elsewhere. */
static int find_segment(struct scan *scan, const struct process *p, const struct map_line *line)
{
	int found;

	if (p->ipcns == NOBODY)
		return NOBODY;
	found = table_find(&scan->object_by_id, (uint64_t)p->ipcns, line->ino);
	if (found != NOBODY && !is_anonymous(scan, line) &&
	    (line->start | line->bytes) % HUGE_LEAST == 0)
		scan->s->objects[found].status |= STATUS_HUGE;
	return found;
}

static int find_mapped(struct scan *scan, const struct process *p, const struct map_line *line)
{
	int found;

	if (line->ino == 0 && !span_begins(line->path, "/SYSV"))
		return NOBODY;
	if (line->shared && span_begins(line->path, "/SYSV"))
		return find_segment(scan, p, line);
	found = table_find(&scan->object_by_file, device_number(line->dev_major, line->dev_minor),
			   file_number(scan, line->ino, line->path));
	return found >= 0 ? found : add_hidden(scan, p->pid, line);
}

static void read_maps(struct scan *scan, int number)
{
	struct process *p = &scan->s->processes[number];
	char path[NUMBER_ROOM + 8];
	struct map_line line;
	struct span text;
	int err, object;

	snprintf(path, sizeof(path), "%d/maps", p->pid);
	err = buffer_read(&scan->text, scan->proc, path);
	p->maps_seen = err == 0 || is_gone(-err);
	if (is_gone(-err)) /* since it was listed: it maps nothing any more */
		p->state = 'X';
	if (err < 0) {
		scan_lacks(scan, LACK_MAPS, -err);
		return;
	}
	text = buffer_span(&scan->text);
	while (maps_next(&text, &line)) {
		object = find_mapped(scan, p, &line);
		if (object != NOBODY)
			add_mapping(scan, number, object, &line);
	}
}

/* ---- what a process has open ---------------------------------------------------------------- */

/* A look at a file costs a call, and may wait for ever on a network: only of these. */
static bool may_be_ours(const struct scan *scan, struct span target)
{
	if (span_begins(target, MEMFD))
		return true;
	/* "/name": a message queue. */
	if (span_begins(target, "/") && !memchr(target.at + 1, '/', span_length(target) - 1))
		return true;
	for (unsigned int i = 0; i < scan->point_count; i++)
		if (span_begins(target, scan->points[i]))
			return true;
	return false;
}

static int find_open(const struct scan *scan, const struct process *p, int dir, const char *name,
		     struct span target)
{
	const struct shm_area *area;
	struct statx stat;

	if (scan->recorded) {
		area = p->shm_area == NOBODY ? NULL : &scan->s->areas[p->shm_area];
		return area ? table_find(&scan->object_by_file,
					 device_number(area->dev_major, area->dev_minor),
					 span_hash(target)) :
			      NOBODY;
	}
	if (statx(dir, name, AT_STATX_DONT_SYNC, STATX_INO, &stat) < 0)
		return NOBODY;
	return table_find(&scan->object_by_file,
			  device_number(stat.stx_dev_major, stat.stx_dev_minor), stat.stx_ino);
}

static void look_at_fd(struct scan *scan, int number, int dir, const char *name)
{
	char target[4096];
	ssize_t length = readlinkat(dir, name, target, sizeof(target));
	struct stat link;
	struct use *use;
	int object;

	if (length < 0 || !may_be_ours(scan, span_of(target, (size_t)length)))
		return;
	object = find_open(scan, &scan->s->processes[number], dir, name,
			   span_of(target, (size_t)length));
	if (object == NOBODY)
		return;
	use = find_use(scan, number, object);
	/* The link's own mode says how the file was opened. */
	if (use && fstatat(dir, name, &link, AT_SYMLINK_NOFOLLOW) == 0 && !scan->recorded)
		use->writes |= (link.st_mode & S_IWUSR) != 0;
}

static void read_fds(struct scan *scan, int number)
{
	char path[NUMBER_ROOM + 8];
	struct dirent *e;
	DIR *d;
	int fd;

	snprintf(path, sizeof(path), "%d/fd", scan->s->processes[number].pid);
	fd = openat(scan->proc, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	d = fd < 0 ? NULL : fdopendir(fd);
	if (!d) {
		scan_lacks(scan, LACK_FILES, errno);
		if (fd >= 0)
			close(fd);
		return;
	}
	while ((e = readdir(d)))
		if (e->d_name[0] != '.')
			look_at_fd(scan, number, dirfd(d), e->d_name);
	closedir(d);
}

/* ---- tables to find objects by -------------------------------------------------------------- */

static void index_objects(struct scan *scan)
{
	for (unsigned int i = 0; i < scan->s->object_count; i++) {
		const struct object *o = &scan->s->objects[i];

		if (o->kind == OBJECT_SHM && o->ipcns != NOBODY)
			table_put(&scan->object_by_id, scan->scratch, (uint64_t)o->ipcns,
				  (uint64_t)o->id, (int)i);
		else if (o->kind == OBJECT_POSIX_MQ)
			table_put(&scan->object_by_file, scan->scratch,
				  device_number(o->dev_major, o->dev_minor), (uint64_t)o->id,
				  (int)i);
	}
}

static void add_point(struct scan *scan, const char *point)
{
	const char **to;

	for (unsigned int i = 0; i < scan->point_count; i++)
		if (strcmp(scan->points[i], point) == 0)
			return;
	to = memory_add(scan->scratch, scan->points, scan->point_count);
	if (to)
		*to = point;
}

static void index_areas(struct scan *scan)
{
	for (unsigned int i = 0; i < scan->s->area_count; i++) {
		const struct shm_area *area = &scan->s->areas[i];
		uint64_t device = device_number(area->dev_major, area->dev_minor);

		add_point(scan, area->point);
		if (table_find(&scan->area_by_device, device, 0) < 0)
			table_put(&scan->area_by_device, scan->scratch, device, 0, (int)i);
	}
}

/* The kernel tells which it is of any memfd. */
static uint64_t find_anonymous(const struct scan *scan)
{
	uint64_t device = device_number(ANONYMOUS_MAJOR, ANONYMOUS_MINOR);
	int fd = scan->recorded ? -1 : memfd_create("coshm", MFD_CLOEXEC);
	struct stat stat;

	if (fd >= 0 && fstat(fd, &stat) == 0)
		device = device_number(major(stat.st_dev), minor(stat.st_dev));
	if (fd >= 0)
		close(fd);
	return device;
}

void uses_gather(struct scan *scan)
{
	if (scan->opts->no_maps)
		return;
	scan->anonymous = find_anonymous(scan);
	index_objects(scan);
	index_areas(scan);
	for (unsigned int i = 0; i < scan->s->process_count; i++) {
		read_maps(scan, (int)i);
		if (scan->s->processes[i].maps_seen)
			read_fds(scan, (int)i);
	}
}
