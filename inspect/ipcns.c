/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ipcns.c - what is in each IPC namespace: System V objects, POSIX message queues,
 * limits, and how much of them is used.
 *
 * /proc/sysvipc shows the namespace of whoever opens it, so each is entered, by a
 * child process: ipcns.h.  A recorded machine has the same texts in files.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

#include "ipcns.h"

#define HOST_MOST 64u

static uint64_t pages(uint64_t bytes)
{
	uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE);

	return bytes / page + (bytes % page != 0);
}

static void count_usage(struct ipc_usage *usage, const struct object *o)
{
	switch (o->kind) {
	case OBJECT_SHM:
		usage->shm_segments++;
		usage->shm_pages += pages(o->bytes);
		usage->shm_resident_pages += pages(o->allocated - o->swapped);
		usage->shm_swapped_pages += pages(o->swapped);
		break;
	case OBJECT_SEM:
		usage->sem_sets++;
		usage->sems += o->count;
		break;
	case OBJECT_MSG:
		usage->msg_queues++;
		break;
	default:
		usage->mq_queues++;
	}
}

static void add_object(struct scan *scan, unsigned int ns, const struct object *o)
{
	struct object *to = memory_add(scan->m, scan->s->objects, scan->s->object_count);

	if (!to)
		return;
	*to = *o;
	to->ipcns = (int)ns;
	count_usage(&scan->s->ipcns[ns].usage, to);
}

static void take_table(struct scan *scan, unsigned int ns, enum object_kind kind, struct span text)
{
	struct sysv_table table;
	struct object object;

	if (!sysv_open(&table, kind, text.at, span_length(text)))
		return;
	scan->s->ipcns[ns].seen = true;
	while (sysv_next(&table, &object))
		add_object(scan, ns, &object);
}

static void take_text(struct scan *scan, unsigned int ns, enum frame_kind kind, struct span text)
{
	switch (kind) {
	case FRAME_LIMITS:
		limits_parse(text.at, span_length(text), &scan->s->ipcns[ns].limits);
		break;
	case FRAME_SHM:
		take_table(scan, ns, OBJECT_SHM, text);
		break;
	case FRAME_SEM:
		take_table(scan, ns, OBJECT_SEM, text);
		break;
	default:
		take_table(scan, ns, OBJECT_MSG, text);
	}
}

static void take_queue(struct scan *scan, unsigned int ns, const struct queue_facts *q)
{
	struct object o = {
		.kind = OBJECT_POSIX_MQ,
		.area = NOBODY,
		.id = (int64_t)q->stat.st_ino,
		.name = memory_printable(scan->m, q->name, sizeof(q->name), sizeof(q->name)),
		.dev_major = major(q->stat.st_dev),
		.dev_minor = minor(q->stat.st_dev),
		.mode = q->stat.st_mode & 0777,
		.uid = q->stat.st_uid,
		.gid = q->stat.st_gid,
		.cuid = q->stat.st_uid,
		.cgid = q->stat.st_gid,
		.atime = q->stat.st_atime,
		.ctime = q->stat.st_ctime,
		.count = q->messages,
	};

	mqueue_parse(q->text, strnlen(q->text, sizeof(q->text)), &o.bytes);
	o.allocated = o.bytes;
	add_object(scan, ns, &o);
}

/* ---- a recorded machine --------------------------------------------------------------------- */

static void read_queue(struct scan *scan, unsigned int ns, int dir, const char *name)
{
	struct queue_facts q = { 0 };
	struct span text;

	if (name[0] == '.' || buffer_read(&scan->text, dir, name) < 0 ||
	    fstatat(dir, name, &q.stat, 0) < 0)
		return;
	text = buffer_span(&scan->text);
	if (span_length(text) < sizeof(q.text))
		memcpy(q.text, text.at, span_length(text));
	snprintf(q.name, sizeof(q.name), "%s", name);
	take_queue(scan, ns, &q);
}

static void read_queues(struct scan *scan, unsigned int ns, const char *path)
{
	int fd = openat(scan->top, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = fd < 0 ? NULL : fdopendir(fd);

	if (!d)
		return;
	for (struct dirent *e; (e = readdir(d));)
		read_queue(scan, ns, dirfd(d), e->d_name);
	closedir(d);
}

static void read_recorded(struct scan *scan, unsigned int ns)
{
	static const char *const names[] = { [FRAME_LIMITS] = "limits",
					     [FRAME_SHM] = "shm",
					     [FRAME_SEM] = "sem",
					     [FRAME_MSG] = "msg" };
	unsigned long long ino = scan->s->ipcns[ns].ino;
	char path[128];
	int err;

	for (enum frame_kind kind = FRAME_LIMITS; kind <= FRAME_MSG; kind++) {
		snprintf(path, sizeof(path), "ipcns/%llu/%s", ino, names[kind]);
		err = buffer_read(&scan->text, scan->top, path);
		if (err == 0)
			take_text(scan, ns, kind, buffer_span(&scan->text));
	}
	if (!scan->s->ipcns[ns].seen)
		scan_lacks(scan, LACK_IPCNS, EACCES); /* whoever recorded it was refused */
	snprintf(path, sizeof(path), "ipcns/%llu/mqueue", ino);
	read_queues(scan, ns, path);
}

/* ---- this machine --------------------------------------------------------------------------- */

/* A text so far. */
static int append(struct buffer *b, FILE *from, size_t bytes)
{
	char *data;

	if (b->length + bytes > b->room) {
		data = realloc(b->data, (b->length + bytes) * 2);
		if (!data)
			return -ENOMEM;
		b->data = data;
		b->room = (b->length + bytes) * 2;
	}
	if (fread(b->data + b->length, 1, bytes, from) != bytes)
		return -EPIPE;
	b->length += bytes;
	return 0;
}

static void take_host(struct scan *scan, unsigned int container, struct span name)
{
	struct container *c = &scan->s->containers[container];

	c->name = memory_printable(scan->m, name.at, span_length(name), HOST_MOST);
}

/* What came with a frame is in scan->text. */
static void take_frame(struct scan *scan, const struct frame *f)
{
	struct queue_facts q;

	switch (f->kind) {
	case FRAME_FAILED:
		scan->s->ipcns[f->of].seen = false;
		scan_lacks(scan, LACK_IPCNS, f->number);
		break;
	case FRAME_THROUGH:
		scan->s->ipcns[f->of].pid = f->number;
		break;
	case FRAME_NO_QUEUES:
		scan_lacks(scan, LACK_QUEUES, f->number);
		break;
	case FRAME_QUEUE:
		memcpy(&q, scan->text.data, sizeof(q));
		take_queue(scan, f->of, &q);
		break;
	case FRAME_HOST:
		take_host(scan, f->of, buffer_span(&scan->text));
		break;
	default:
		if (f->bytes != 0)
			return; /* there is more to come */
		take_text(scan, f->of, (enum frame_kind)f->kind, buffer_span(&scan->text));
	}
	scan->text.length = 0;
}

static int receive(struct scan *scan, FILE *from)
{
	struct frame f;
	int err = 0;

	scan->text.length = 0;
	while (err == 0 && fread(&f, sizeof(f), 1, from) == 1) {
		err = append(&scan->text, from, f.bytes);
		if (err == 0)
			take_frame(scan, &f);
	}
	return err;
}

static int start_child(struct scan *scan)
{
	const struct enter_plan plan = { .proc = scan->proc,
					 .ipcns = scan->s->ipcns,
					 .witnesses = scan->ipcns_witnesses,
					 .ipcns_count = scan->s->ipcns_count,
					 .containers = scan->s->containers,
					 .container_count = scan->s->container_count };
	int ends[2], err;

	if (pipe2(ends, O_CLOEXEC) < 0)
		return -errno;
	fcntl(ends[1], F_SETPIPE_SZ, 1 << 20); /* it need not wait for us, as a rule */
	scan->child = fork();
	if (scan->child == 0)
		ipcns_enter(&plan, ends[1]);
	err = scan->child < 0 ? -errno : 0;
	close(ends[1]);
	if (err < 0)
		close(ends[0]);
	else
		scan->child_pipe = ends[0];
	return err;
}

static int hear_child(struct scan *scan)
{
	FILE *from = fdopen(scan->child_pipe, "r");
	int err;

	if (!from)
		return -errno;
	scan->child_pipe = -1;
	err = receive(scan, from);
	fclose(from);
	return err;
}

void ipcns_start(struct scan *scan)
{
	const struct snapshot *s = scan->s;
	int err;

	if (s->own_process != NOBODY && s->processes[s->own_process].ipcns != NOBODY)
		s->ipcns[s->processes[s->own_process].ipcns].own = true;
	err = scan->recorded ? 0 : start_child(scan);
	if (err < 0)
		scan_lacks(scan, LACK_IPCNS, -err);
}

void ipcns_gather(struct scan *scan)
{
	int err = scan->child_pipe >= 0 ? hear_child(scan) : 0;

	if (err < 0)
		scan_lacks(scan, LACK_IPCNS, -err);
	for (unsigned int i = 0; scan->recorded && i < scan->s->ipcns_count; i++)
		read_recorded(scan, i);
}

void ipcns_end(struct scan *scan)
{
	if (scan->child_pipe >= 0)
		close(scan->child_pipe);
	if (scan->child > 0)
		while (waitpid(scan->child, NULL, 0) < 0 && errno == EINTR)
			;
}
