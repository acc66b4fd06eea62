/* SPDX-License-Identifier: Apache-2.0 */
/*
 * served_read.c - the folder .sysv of a directory, into a snapshot; see served.h.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "layout.h"
#include "served.h"

#define NAME_ROOM 24

static const char *const prefixes[SYSV_KINDS] = {
	[SYSV_SHM] = "shm-", [SYSV_SEM] = "sem-", [SYSV_MSG] = "msg-"
};

/* ---- private copies ------------------------------------------------------------------------- */

/* An area of @count entries; what cannot be read stays zero: nothing. */
static void *copy_area(struct memory *m, int fd, uint64_t at, uint32_t count, size_t entry)
{
	char *copy = memory_get(m, (size_t)count * entry + 1);
	size_t bytes = (size_t)count * entry, done = 0;
	ssize_t got = 1;

	for (; copy && done < bytes && got > 0; done += got > 0 ? (size_t)got : 0)
		got = pread(fd, copy + done, bytes - done, (off_t)(at + done));
	return copy;
}

static uint64_t slots_at(enum sysv_kind kind)
{
	const uint64_t bytes = SYSV_OBJECTS_MAX * sizeof(struct sysv_slot_shared);

	return SYSV_SLOTS_AT + (uint64_t)kind * bytes;
}

static void find_living(struct served *t, int fd)
{
	uint32_t epoch;

	for (uint32_t i = 0; i < t->count[SYSV_AREA_TOKENS]; i++)
		t->alive[i] = served_role(t, i, &epoch) != 0 && file_byte_locked(fd, i);
}

/* Records before tokens: who came in between has none that we know. */
static bool copy_table(struct memory *m, int fd, struct served *t)
{
	t->attaches = copy_area(m, fd, SYSV_ATTACHES_AT, t->count[SYSV_AREA_ATTACHES], 8);
	t->tokens = copy_area(m, fd, SYSV_TOKENS_AT, t->count[SYSV_AREA_TOKENS],
			      sizeof(struct sysv_token_shared));
	for (int kind = 0; kind < SYSV_KINDS; kind++)
		t->slots[kind] = copy_area(m, fd, slots_at((enum sysv_kind)kind),
					   t->count[SYSV_AREA_SLOTS + kind],
					   sizeof(struct sysv_slot_shared));
	t->alive = memory_get(m, t->count[SYSV_AREA_TOKENS] + 1);
	t->attached = memory_get(m, (t->count[SYSV_AREA_SLOTS + SYSV_SHM] + 1) * sizeof(uint64_t));
	if (memory_failed(m))
		return false;
	find_living(t, fd);
	served_count(t);
	return true;
}

/* ---- one slot, again ------------------------------------------------------------------------ */

/* "shm-32769": the kind and the identifier. */
static bool parse_name(const char *name, enum sysv_kind *kind, uint32_t *id)
{
	struct span digits;
	uint64_t n;

	for (int i = 0; i < SYSV_KINDS; i++) {
		size_t length = strlen(prefixes[i]);

		if (strncmp(name, prefixes[i], length) != 0)
			continue;
		digits = span_of(name + length, strlen(name + length));
		*kind = (enum sysv_kind)i;
		if (!span_number(&digits, 10, &n) || digits.at != digits.end || n > INT_MAX)
			return false;
		*id = (uint32_t)n;
		return true;
	}
	return false;
}

static bool is_object_file(const char *name)
{
	enum sysv_kind kind;
	uint32_t id;

	return parse_name(name, &kind, &id);
}

/* Of the slot that a file is named after; SYSV_FREE: of none. */
static enum sysv_phase phase_of(int folder, const char *name)
{
	enum sysv_phase phase = SYSV_LIVE; /* who cannot tell leaves it alone */
	enum sysv_kind kind;
	uint32_t id, index, state;
	int fd;

	if (!parse_name(name, &kind, &id))
		return phase;
	index = id % SYSV_OBJECTS_MAX;
	fd = openat(folder, SYSV_TABLE_NAME, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0)
		return phase;
	if (pread(fd, &state, sizeof(state),
		  (off_t)(slots_at(kind) + index * sizeof(struct sysv_slot_shared) +
			  offsetof(struct sysv_slot_shared, state))) == sizeof(state))
		phase = (uint32_t)SYSV_ID(SYSV_SEQUENCE(state) % SYSV_SEQUENCES, index) == id ?
				(enum sysv_phase)SYSV_PHASE(state) :
				SYSV_FREE;
	close(fd);
	return phase;
}

bool served_needs(int folder, const struct object *o)
{
	enum sysv_phase phase;

	if (object_directory(o) < 0 || !is_object_file(strrchr(o->name, '/') + 1))
		return false;
	phase = phase_of(folder, strrchr(o->name, '/') + 1);
	/* A removed segment that nobody has is only waiting for the next one to free it. */
	return phase != SYSV_FREE && !(phase == SYSV_DOOMED && o->kind == OBJECT_SHM);
}

/* ---- into the snapshot ---------------------------------------------------------------------- */

struct reader {
	struct walk *w;
	int folder;
	const char *path;
	struct served table;
	struct table pids; /* namespace, number there: the pid here */
};

static void index_pids(struct reader *r)
{
	const struct snapshot *s = r->w->scan->s;

	for (unsigned int i = 0; i < s->process_count; i++) {
		const struct process *p = &s->processes[i];
		uint64_t number = (uint64_t)p->inner_pid;

		if (p->pidns_ino != 0 && table_find(&r->pids, p->pidns_ino, number) < 0)
			table_put(&r->pids, r->w->scan->scratch, p->pidns_ino, number, p->pid);
	}
}

/* As we see it; 0: it cannot be seen, or it is gone and was of another namespace than ours. */
static pid_t pid_here(const struct reader *r, uint64_t pid)
{
	const struct snapshot *s = r->w->scan->s;
	uint32_t ns = SYSV_PID_NAMESPACE(pid), number = SYSV_PID_NUMBER(pid);
	int found;

	if (number == 0 || number > INT_MAX)
		return 0;
	if (s->own_process != NOBODY && s->processes[s->own_process].pidns_ino == ns)
		return (pid_t)number;
	found = table_find(&r->pids, ns, number);
	return found < 0 ? 0 : found;
}

static void add_slot(struct reader *r, enum sysv_kind kind, uint32_t index)
{
	struct walk_file file = { 0 };
	struct served_pids pids;
	struct object o;
	struct stat stat;
	char name[NAME_ROOM];
	const char *path;
	bool has_file;

	if (!served_object(&r->table, kind, index, &o, &pids))
		return;
	o.cpid = pid_here(r, pids.cpid);
	o.lpid = pid_here(r, pids.lpid);
	snprintf(name, sizeof(name), "%s%d", prefixes[kind], (int)o.id);
	path = memory_print(r->w->scan->scratch, "%s/%s", r->path, name);
	o.name = memory_printable(r->w->scan->m, path, strlen(path), PATH_MAX);
	has_file =
		fstatat(r->folder, name, &stat, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(stat.st_mode);
	if (has_file && !walk_locate(r->w, path, &stat, &o, &file))
		return; /* two slots' */
	if (has_file)
		o.allocated = (uint64_t)stat.st_blocks * 512;
	walk_put(r->w, &o, has_file ? &file : NULL);
}

static void add_table(struct reader *r, const struct stat *stat, struct object *o,
		      const struct walk_file *file)
{
	const char *path = memory_print(r->w->scan->scratch, "%s/" SYSV_TABLE_NAME, r->path);
	uint32_t epoch;

	walk_describe(o, stat);
	o->status = 0; /* its holes are filled before anybody uses them */
	o->name = memory_printable(r->w->scan->m, path, strlen(path), PATH_MAX);
	for (uint32_t i = 0; i < r->table.count[SYSV_AREA_TOKENS]; i++)
		o->count += r->table.alive[i] &&
			    served_role(&r->table, i, &epoch) == SYSV_TOKEN_PROCESS;
	walk_put(r->w, o, file);
}

/* False: it is not to be relied on, or was seen through another mount. */
static bool read_table(struct reader *r, int fd)
{
	struct object o = { .kind = OBJECT_TABLE, .ipcns = NOBODY };
	struct scan *scan = r->w->scan;
	unsigned char head[SERVED_HEAD_BYTES];
	const char *path = memory_print(scan->scratch, "%s/" SYSV_TABLE_NAME, r->path);
	const char *why = NULL;
	struct walk_file file;
	struct stat stat;
	ssize_t got = pread(fd, head, sizeof(head), 0);

	if (got < 0 || fstat(fd, &stat) < 0)
		why = strerror(errno);
	else if (!walk_locate(r->w, path, &stat, &o, &file))
		return false;
	if (!why)
		why = served_counts(head, (size_t)got, (uint64_t)stat.st_size, r->table.count);
	if (why) {
		path = memory_print(scan->scratch, "%s/%s", r->w->point, r->path);
		scan_note(scan, "System V objects in %s: %s",
			  memory_printable(scan->scratch, path, strlen(path), PATH_MAX), why);
		return false;
	}
	if (!copy_table(scan->scratch, fd, &r->table))
		return false;
	add_table(r, &stat, &o, &file);
	index_pids(r);
	for (int kind = 0; kind < SYSV_KINDS; kind++)
		for (uint32_t i = 0; i < r->table.count[SYSV_AREA_SLOTS + kind]; i++)
			add_slot(r, (enum sysv_kind)kind, i);
	return true;
}

/* ---- files of no slot ----------------------------------------------------------------------- */

struct leftovers {
	const char **name;
	unsigned int count;
};

/* Listed before the table is read: what is made meanwhile is in its table. */
static void list_files(struct reader *r, struct leftovers *files)
{
	int fd = openat(r->folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = fd < 0 ? NULL : fdopendir(fd);
	struct memory *m = r->w->scan->scratch;
	struct dirent *e;
	const char **to;

	if (!d) {
		if (fd >= 0)
			close(fd);
		return;
	}
	while (files->count < SYSV_KINDS * SYSV_OBJECTS_MAX && (e = readdir(d))) {
		if (!is_object_file(e->d_name))
			continue;
		to = memory_add(m, files->name, files->count);
		if (to)
			*to = memory_copy(m, e->d_name, strlen(e->d_name));
	}
	closedir(d);
}

static void add_leftovers(struct reader *r, const struct leftovers *files)
{
	for (unsigned int i = 0; i < files->count && !memory_failed(r->w->scan->scratch); i++)
		if (phase_of(r->folder, files->name[i]) == SYSV_FREE)
			walk_add_file(r->w, r->folder, files->name[i],
				      memory_print(r->w->scan->scratch, "%s/%s", r->path,
						   files->name[i]));
}

bool served_walk(struct walk *w, int folder, const char *path)
{
	struct reader r = { .w = w, .folder = folder, .path = path };
	struct leftovers files = { 0 };
	struct stat stat;
	int fd;

	if (fstatat(folder, SYSV_TABLE_NAME, &stat, AT_SYMLINK_NOFOLLOW) < 0 ||
	    !S_ISREG(stat.st_mode))
		return false;
	fd = walk_open_file(folder, SYSV_TABLE_NAME);
	if (fd < 0) {
		scan_lacks(w->scan, LACK_FOLDERS, errno);
		return true;
	}
	list_files(&r, &files);
	if (read_table(&r, fd))
		add_leftovers(&r, &files);
	close(fd);
	return true;
}
