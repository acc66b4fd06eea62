/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mounts.c - /proc/PID/mountinfo, once for each mount namespace: what is at
 * /dev/shm, and which folders containers may share.
 *
 * An area is told apart by its device and its root in that file system, so that a
 * volume is one area, wherever it is mounted.
 */
#include <errno.h>
#include <stdio.h>

#include "gather.h"

#define SHM        "/dev/shm"
#define TEXT_MOST  4096u
#define PLACES_MAX 256u /* of one mount namespace */

/* "36 35 98:0 /root /point options fields - fs source super" */
static bool take_line(struct span line, struct mount_line *out)
{
	uint64_t dev_major, dev_minor;
	struct span word;

	if (!span_word(&line, &word) || !span_word(&line, &word) || !span_word(&line, &word))
		return false;
	if (!span_number(&word, 10, &dev_major) || !span_skip(&word, ':') ||
	    !span_number(&word, 10, &dev_minor) || dev_major > UINT32_MAX || dev_minor > UINT32_MAX)
		return false;
	out->dev_major = (unsigned int)dev_major;
	out->dev_minor = (unsigned int)dev_minor;
	if (!span_word(&line, &out->root) || !span_word(&line, &out->point))
		return false;
	do {
		if (!span_word(&line, &word))
			return false;
	} while (!span_is(word, "-"));
	/* The source may be empty, so that options are the last word. */
	if (!span_word(&line, &out->fs))
		return false;
	out->super = out->fs;
	while (span_word(&line, &word))
		out->super = word;
	return true;
}

bool mountinfo_next(struct span *text, struct mount_line *out)
{
	struct span line;

	while (span_line(text, &line))
		if (take_line(line, out))
			return true;
	return false;
}

static bool octal(const char *at)
{
	return at[0] >= '0' && at[0] <= '3' && at[1] >= '0' && at[1] <= '7' && at[2] >= '0' &&
	       at[2] <= '7';
}

/* Blanks and backslashes stand there as three octal digits: "\040". */
const char *mount_unescape(struct memory *m, struct span s)
{
	char *text = memory_get(m, span_length(s) + 1), *to = text;

	if (!text)
		return "";
	while (s.at < s.end) {
		if (*s.at == '\\' && span_length(s) >= 4 && octal(s.at + 1)) {
			*to++ = (char)((s.at[1] - '0') * 64 + (s.at[2] - '0') * 8 + s.at[3] - '0');
			s.at += 4;
		} else {
			*to++ = *s.at++;
		}
	}
	return text;
}

/* "size=65536k" of a recorded machine's tmpfs, whose file system cannot be asked. */
static uint64_t recorded_size(struct span super)
{
	struct span option;
	uint64_t n = 0;

	while (super.at < super.end) {
		const char *comma = memchr(super.at, ',', span_length(super));

		option = (struct span){ super.at, comma ? comma : super.end };
		super.at = comma ? comma + 1 : super.end;
		if (!span_begins(option, "size="))
			continue;
		option.at += strlen("size=");
		if (span_number(&option, 10, &n) && span_skip(&option, 'k'))
			n *= 1024;
	}
	return n;
}

int area_find(struct scan *scan, const struct mount_line *mount, const char *root,
	      const char *point)
{
	uint64_t device = device_number(mount->dev_major, mount->dev_minor);
	uint64_t hash = span_hash(span_of(root, strlen(root)));
	int found = table_find(&scan->area_by_root, device, hash);
	struct shm_area *area;

	if (found >= 0)
		return found;
	area = memory_add(scan->m, scan->s->areas, scan->s->area_count);
	if (!area)
		return NOBODY;
	found = (int)scan->s->area_count - 1;
	*area = (struct shm_area){
		.dev_major = mount->dev_major,
		.dev_minor = mount->dev_minor,
		.root = memory_printable(scan->m, root, strlen(root), TEXT_MOST),
		.point = memory_printable(scan->m, point, strlen(point), TEXT_MOST),
		.fs = memory_printable(scan->m, mount->fs.at, span_length(mount->fs), 64),
	};
	if (scan->recorded)
		area->bytes = recorded_size(mount->super);
	table_put(&scan->area_by_root, scan->scratch, device, hash, found);
	return found;
}

/* What is below @point of a mount that covers it, as its file system has it. */
static const char *root_below(struct scan *scan, const struct mount_line *mount, const char *point)
{
	const char *root = mount_unescape(scan->scratch, mount->root);
	size_t covered = span_length(mount->point);

	if (covered == 1) /* "/" */
		covered = 0;
	if (point[covered] == '\0')
		return root;
	return memory_print(scan->scratch, "%s%s", strcmp(root, "/") == 0 ? "" : root,
			    point + covered);
}

/* File systems of memory and of disks; no network, which may let us wait for ever. */
static bool may_be_volume(const struct mount_line *line)
{
	static const char *const names[] = { "tmpfs", "ramfs", "hugetlbfs", "ext2", "ext3",
					     "ext4",  "xfs",   "btrfs",     "f2fs", "zfs" };

	if (span_is(line->point, "/") || span_is(line->point, SHM))
		return false;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (span_is(line->fs, names[i]))
			return true;
	return false;
}

static void add_place(struct scan *scan, int view, const struct mount_line *line)
{
	struct place *place = memory_add(scan->scratch, scan->places, scan->place_count);

	if (!place)
		return;
	*place = (struct place){ .view = view,
				 .dev_major = line->dev_major,
				 .dev_minor = line->dev_minor,
				 .root = mount_unescape(scan->scratch, line->root),
				 .point = mount_unescape(scan->scratch, line->point),
				 .fs = span_copy(scan->scratch, line->fs) };
}

/* The mount that covers @point: the one with the longest path, of these the last. */
static bool covers(const struct mount_line *line, const char *point)
{
	size_t length = span_length(line->point);

	return span_is(line->point, "/") ||
	       (strncmp(point, line->point.at, length) == 0 && strlen(point) >= length &&
		(point[length] == '/' || point[length] == '\0'));
}

static void read_view(struct scan *scan, int number)
{
	struct view *view = &scan->views[number];
	struct span text = buffer_span(&scan->text);
	struct mount_line line, shm = { 0 };
	unsigned int places = 0;
	bool found = false;

	while (mountinfo_next(&text, &line)) {
		if (covers(&line, SHM) &&
		    (!found || span_length(line.point) >= span_length(shm.point))) {
			shm = line;
			found = true;
		}
		if (view->container != NOBODY && may_be_volume(&line) && places++ < PLACES_MAX)
			add_place(scan, number, &line);
	}
	if (!found)
		return;
	view->shm_area = area_find(scan, &shm, root_below(scan, &shm, SHM), SHM);
	if (view->shm_area == NOBODY)
		return;
	scan->s->areas[view->shm_area].dev_shm = true;
	if (scan->s->areas[view->shm_area].pid == 0 || view->pid == scan->s->own_pid)
		scan->s->areas[view->shm_area].pid = view->pid;
}

static int read_mountinfo(struct scan *scan, pid_t pid)
{
	char path[NUMBER_ROOM + 16];

	snprintf(path, sizeof(path), "%d/mountinfo", pid);
	return buffer_read(&scan->text, scan->proc, path);
}

static void gather_view(struct scan *scan, int number)
{
	struct view *view = &scan->views[number];
	const struct snapshot *s = scan->s;
	int err = -ESRCH;

	/* Our own is the one that we surely may read. */
	if (s->own_process != NOBODY && scan->facts[s->own_process].view == number)
		view->witnesses.pid[0] = s->own_pid;
	for (unsigned int i = 0; i < view->witnesses.count && is_gone(-err); i++) {
		view->pid = view->witnesses.pid[i];
		err = read_mountinfo(scan, view->pid);
		/* Of a process that is ending, it is empty. */
		if (err == 0 && scan->text.length == 0)
			err = -ESRCH;
	}
	if (err < 0) {
		view->pid = 0;
		scan_lacks(scan, LACK_MOUNTS, -err);
		return;
	}
	read_view(scan, number);
}

/*
 * Of a process whose namespaces are hidden from us the mounts are not: which of
 * the areas that others have at /dev/shm it has, too.
 */
static int find_area_of_hidden(struct scan *scan, pid_t pid)
{
	struct mount_line line, shm = { 0 };
	struct span text;
	const char *root;

	if (read_mountinfo(scan, pid) < 0)
		return NOBODY;
	text = buffer_span(&scan->text);
	while (mountinfo_next(&text, &line))
		if (covers(&line, SHM) && span_length(line.point) >= span_length(shm.point))
			shm = line;
	if (span_length(shm.point) == 0)
		return NOBODY;
	root = root_below(scan, &shm, SHM);
	return table_find(&scan->area_by_root, device_number(shm.dev_major, shm.dev_minor),
			  span_hash(span_of(root, strlen(root))));
}

void mounts_gather(struct scan *scan)
{
	for (unsigned int i = 0; i < scan->view_count; i++)
		gather_view(scan, (int)i);
	for (unsigned int i = 0; i < scan->fact_count; i++)
		scan->s->processes[i].shm_area =
			scan->facts[i].view != NOBODY ?
				scan->views[scan->facts[i].view].shm_area :
				find_area_of_hidden(scan, scan->s->processes[i].pid);
}
