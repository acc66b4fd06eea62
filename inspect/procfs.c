/* SPDX-License-Identifier: Apache-2.0 */
/*
 * procfs.c - the processes of a machine: what /proc/PID says of each one, and
 * which namespaces they are in.
 *
 * Threads of the kernel are left out: they share no memory.  A namespace that
 * only a descriptor or a mount keeps is not found.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "cgroup.h"
#include "gather.h"

#define KERNEL_THREAD 0x00200000u /* PF_KTHREAD */
#define COMMAND_MOST  64u
#define PATH_MOST     4096u

/* "PID (command) S ppid ...": the command may have blanks and brackets in it. */
bool stat_parse(const char *text, size_t length, struct stat_line *out)
{
	struct span s = span_of(text, length), word;
	const char *open = memchr(text, '(', length), *close = memrchr(text, ')', length);
	int64_t n = 0;

	if (!open || !close || close < open)
		return false;
	*out = (struct stat_line){ .command = { open + 1, close } };
	s.at = close + 1;
	if (!span_word(&s, &word) || span_length(word) != 1)
		return false;
	out->state = *word.at;
	/* As proc_pid_stat(5) numbers them. */
	for (int field = 4; field <= 22; field++) {
		if (!span_word_number(&s, &n))
			return false;
		if (field == 4)
			out->ppid = (pid_t)n;
		if (field == 9)
			out->kernel_thread = (n & KERNEL_THREAD) != 0;
	}
	out->start_ticks = (uint64_t)n;
	return true;
}

/* The number at @which of those behind a line's name, or the last one. */
static int64_t take_number(struct span line, int which)
{
	int64_t n, found = 0;

	for (int i = 0; span_word_number(&line, &n); i++)
		if (which < 0 || i == which)
			found = n;
	return found;
}

bool status_parse(const char *text, size_t length, struct status_lines *out)
{
	struct span rest = span_of(text, length), line, name;
	bool found = false;

	*out = (struct status_lines){ 0 };
	while (span_line(&rest, &line)) {
		if (!span_word(&line, &name))
			continue;
		if (span_is(name, "Uid:")) {
			out->uid = (uid_t)take_number(line, 1);
			found = true;
		} else if (span_is(name, "Gid:")) {
			out->gid = (gid_t)take_number(line, 1);
		} else if (span_is(name, "NSpid:")) {
			out->inner_pid = (pid_t)take_number(line, -1);
			break; /* what we want stands before it */
		}
	}
	return found;
}

/* "4:freezer:/docker/ID", else the unified "0::/docker/ID" */
bool freezer_parse(const char *text, size_t length, struct span *path, bool *unified)
{
	struct span rest = span_of(text, length), line;
	bool found = false;
	uint64_t id;

	while (span_line(&rest, &line)) {
		bool zero;

		if (!span_number(&line, 10, &id) || !span_skip(&line, ':'))
			continue;
		zero = id == 0 && span_skip(&line, ':');
		if (!zero && !span_begins(line, "freezer:"))
			continue;
		if (found && zero)
			continue;
		path->at = zero ? line.at : line.at + strlen("freezer:");
		path->end = line.end;
		*unified = zero;
		found = true;
		if (!zero)
			break;
	}
	return found;
}

/* "ipc:[4026531839]" */
static int read_ns(int dir, const char *name, uint64_t *ino)
{
	char target[64];
	ssize_t length = readlinkat(dir, name, target, sizeof(target));
	struct span s;

	if (length < 0)
		return -errno;
	s = span_of(target, (size_t)length);
	while (s.at < s.end && *s.at != '[')
		s.at++;
	return span_skip(&s, '[') && span_number(&s, 10, ino) ? 0 : -EINVAL;
}

static int read_namespaces(struct scan *scan, int dir, struct process *p)
{
	const struct {
		const char *name;
		uint64_t *ino;
	} links[] = { { "ns/ipc", &p->ipcns_ino },
		      { "ns/mnt", &p->mntns_ino },
		      { "ns/pid", &p->pidns_ino },
		      { "ns/user", &p->userns_ino } };
	int err;

	for (size_t i = 0; i < sizeof(links) / sizeof(links[0]); i++) {
		err = read_ns(dir, links[i].name, links[i].ino);
		if (err == 0)
			continue;
		/* One that has ended, but was not waited for, is in none. */
		if (is_gone(-err))
			return p->state == 'Z' ? 0 : err;
		scan_lacks(scan, LACK_NAMESPACES, -err);
		return 0;
	}
	return 0;
}

static void add_witness(struct scan *scan, struct witnesses *w, pid_t pid)
{
	pid_t *to = memory_add(scan->scratch, w->pid, w->count);

	if (to)
		*to = pid;
}

static int find_ipcns(struct scan *scan, uint64_t ino, pid_t pid)
{
	int found = table_find(&scan->ipcns_by_ino, ino, 0);
	struct witnesses *w;
	struct ipcns *ns;

	if (ino == 0)
		return NOBODY;
	if (found < 0) {
		ns = memory_add(scan->m, scan->s->ipcns, scan->s->ipcns_count);
		w = memory_add(scan->scratch, scan->ipcns_witnesses, scan->witness_count);
		if (!ns || !w)
			return NOBODY;
		found = (int)scan->s->ipcns_count - 1;
		ns->ino = ino;
		ns->pid = pid;
		table_put(&scan->ipcns_by_ino, scan->scratch, ino, 0, found);
	}
	scan->s->ipcns[found].processes++;
	add_witness(scan, &scan->ipcns_witnesses[found], pid);
	return found;
}

static int find_view(struct scan *scan, uint64_t ino, pid_t pid)
{
	int found = table_find(&scan->view_by_ino, ino, 0);
	struct view *view;

	if (ino == 0)
		return NOBODY;
	if (found < 0) {
		view = memory_add(scan->scratch, scan->views, scan->view_count);
		if (!view)
			return NOBODY;
		found = (int)scan->view_count - 1;
		*view = (struct view){ .ino = ino, .container = NOBODY, .shm_area = NOBODY };
		table_put(&scan->view_by_ino, scan->scratch, ino, 0, found);
	}
	add_witness(scan, &scan->views[found].witnesses, pid);
	return found;
}

/* Is this cgroup stopped?  Its version 2 file also tells of a folder above it that is. */
static bool read_frozen(struct scan *scan, const struct freezer *f)
{
	char path[PATH_MOST];
	struct span rest, line;
	static const char *const folders[] = { "freezer", ".", "unified" };

	if (strstr(f->path, "/..")) /* above our own cgroup namespace */
		return false;
	for (int i = f->unified ? 1 : 0; i < (f->unified ? 3 : 1); i++) {
		snprintf(path, sizeof(path), "sys/fs/cgroup/%s%s/%s", folders[i], f->path,
			 f->unified ? "cgroup.events" : "freezer.state");
		if (buffer_read(&scan->text, scan->top, path) < 0)
			continue;
		rest = buffer_span(&scan->text);
		while (span_line(&rest, &line))
			if (span_is(line, "FROZEN") || span_is(line, "frozen 1"))
				return true;
	}
	return false;
}

static int find_freezer(struct scan *scan, struct span text)
{
	struct freezer *f;
	struct span path;
	bool unified;
	int found;

	if (!freezer_parse(text.at, span_length(text), &path, &unified))
		return NOBODY;
	found = table_find(&scan->freezer_by_path, span_hash(path), unified);
	if (found >= 0)
		return found;
	f = memory_add(scan->scratch, scan->freezers, scan->freezer_count);
	if (!f)
		return NOBODY;
	found = (int)scan->freezer_count - 1;
	f->path = span_copy(scan->scratch, path);
	f->unified = unified;
	table_put(&scan->freezer_by_path, scan->scratch, span_hash(path), unified, found);
	return found;
}

static int read_cgroup(struct scan *scan, int dir, struct process *p, struct process_facts *facts)
{
	int err = buffer_read(&scan->text, dir, "cgroup");
	struct span text = buffer_span(&scan->text);
	struct cgroup cgroup;

	if (err < 0)
		return err;
	cgroup_parse(text.at, span_length(text), scan->m, &cgroup);
	p->cgroup = cgroup.path;
	facts->engine = cgroup.engine;
	facts->id = cgroup.id;
	facts->freezer = find_freezer(scan, text);
	return 0;
}

/* All but the namespaces of which others may not know. */
static int read_process(struct scan *scan, int dir, struct process *p, struct process_facts *facts)
{
	struct status_lines status;
	struct stat_line stat;
	struct span text;
	int err;

	err = buffer_read(&scan->text, dir, "stat");
	text = buffer_span(&scan->text);
	if (err < 0 || !stat_parse(text.at, span_length(text), &stat))
		return err < 0 ? err : -ESRCH;
	p->ppid = stat.ppid;
	p->state = stat.state;
	p->start_ticks = stat.start_ticks;
	facts->kernel_thread = stat.kernel_thread;
	if (stat.kernel_thread)
		return 0;
	p->command =
		memory_printable(scan->m, stat.command.at, span_length(stat.command), COMMAND_MOST);
	err = buffer_read(&scan->text, dir, "status");
	text = buffer_span(&scan->text);
	if (err < 0 || !status_parse(text.at, span_length(text), &status))
		return err < 0 ? err : -ESRCH;
	p->uid = status.uid;
	p->gid = status.gid;
	p->inner_pid = status.inner_pid != 0 ? status.inner_pid : p->pid;
	err = read_cgroup(scan, dir, p, facts);
	return err < 0 ? err : read_namespaces(scan, dir, p);
}

static void add_process(struct scan *scan, pid_t pid)
{
	struct process p = { .pid = pid, .container = NOBODY, .shm_area = NOBODY, .cgroup = "/" };
	struct process_facts facts = { .freezer = NOBODY, .id = "" };
	struct process_facts *facts_to;
	struct process *to;
	char name[NUMBER_ROOM];
	int dir, err;

	snprintf(name, sizeof(name), "%d", pid);
	dir = openat(scan->proc, name, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0)
		return;
	err = read_process(scan, dir, &p, &facts);
	close(dir);
	if (err < 0 || facts.kernel_thread)
		return;
	p.ipcns = find_ipcns(scan, p.ipcns_ino, pid);
	facts.view = find_view(scan, p.mntns_ino, pid);
	to = memory_add(scan->m, scan->s->processes, scan->s->process_count);
	facts_to = memory_add(scan->scratch, scan->facts, scan->fact_count);
	if (!to || !facts_to)
		return;
	*to = p;
	*facts_to = facts;
	if (p.pid == scan->s->own_pid)
		scan->s->own_process = (int)scan->s->process_count - 1;
}

static int compare_pids(const void *a, const void *b)
{
	pid_t x = *(const pid_t *)a, y = *(const pid_t *)b;

	return x < y ? -1 : x > y;
}

/* The kernel lists them in order, but a recorded machine's folder does not. */
static int list_pids(struct scan *scan, pid_t **pids, unsigned int *count)
{
	int fd = openat(scan->proc, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *e;
	uint64_t n;

	if (!d) {
		int err = -errno;

		if (fd >= 0)
			close(fd);
		return err;
	}
	while ((e = readdir(d))) {
		struct span name = span_of(e->d_name, strlen(e->d_name));
		pid_t *pid;

		if (!span_number(&name, 10, &n) || name.at != name.end || n == 0 || n > INT32_MAX)
			continue;
		pid = memory_add(scan->scratch, *pids, *count);
		if (pid)
			*pid = (pid_t)n;
	}
	closedir(d);
	if (*count != 0)
		qsort(*pids, *count, sizeof(**pids), compare_pids);
	return *count == 0 ? -ENOENT : 0;
}

static void look_at_freezers(struct scan *scan)
{
	for (unsigned int i = 0; i < scan->freezer_count; i++)
		scan->freezers[i].frozen = read_frozen(scan, &scan->freezers[i]);
	for (unsigned int i = 0; i < scan->fact_count; i++)
		if (scan->facts[i].freezer != NOBODY)
			scan->s->processes[i].frozen =
				scan->freezers[scan->facts[i].freezer].frozen;
}

int processes_gather(struct scan *scan)
{
	const struct snapshot *s = scan->s;
	unsigned int count = 0;
	pid_t *pids = NULL;
	int err, first;

	err = list_pids(scan, &pids, &count);
	if (err < 0)
		return err;
	for (unsigned int i = 0; i < count; i++)
		add_process(scan, pids[i]);
	if (memory_failed(scan->m) || memory_failed(scan->scratch))
		return -ENOMEM;
	look_at_freezers(scan);
	/* Who may not look into process 1 can still see that his own PID namespace is the first. */
	first = s->own_process != NOBODY ? s->own_process : 0;
	scan->s->pid_host = s->process_count != 0 && s->processes[0].pid == 1 &&
			    s->processes[first].pidns_ino == FIRST_PIDNS;
	return 0;
}
