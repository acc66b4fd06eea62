/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sysv.c - texts of the kernel about one IPC namespace: /proc/sysvipc/shm, sem
 * and msg, the limits, and what a message queue's file says.
 *
 * The first line of /proc/sysvipc's texts names the columns: they are found by
 * name, so that a kernel may add some.
 */
#include <sys/shm.h>
#include <unistd.h>

#include "gather.h"

enum field {
	FIELD_NONE,
	FIELD_KEY,
	FIELD_ID,
	FIELD_PERMS,
	FIELD_BYTES,
	FIELD_CPID,
	FIELD_LPID,
	FIELD_COUNT,
	FIELD_UID,
	FIELD_GID,
	FIELD_CUID,
	FIELD_CGID,
	FIELD_ATIME,
	FIELD_DTIME,
	FIELD_CTIME,
	FIELD_RESIDENT,
	FIELD_SWAPPED,
};

/* A queue's sender and the time of it stand where a segment's attacher does. */
static const struct {
	const char *name;
	enum field field;
} fields[] = {
	{ "key", FIELD_KEY },      { "shmid", FIELD_ID },     { "semid", FIELD_ID },
	{ "msqid", FIELD_ID },     { "perms", FIELD_PERMS },  { "size", FIELD_BYTES },
	{ "cbytes", FIELD_BYTES }, { "cpid", FIELD_CPID },    { "lpid", FIELD_LPID },
	{ "lspid", FIELD_LPID },   { "nattch", FIELD_COUNT }, { "nsems", FIELD_COUNT },
	{ "qnum", FIELD_COUNT },   { "uid", FIELD_UID },      { "gid", FIELD_GID },
	{ "cuid", FIELD_CUID },    { "cgid", FIELD_CGID },    { "atime", FIELD_ATIME },
	{ "otime", FIELD_ATIME },  { "stime", FIELD_ATIME },  { "dtime", FIELD_DTIME },
	{ "rtime", FIELD_DTIME },  { "ctime", FIELD_CTIME },  { "rss", FIELD_RESIDENT },
	{ "swap", FIELD_SWAPPED },
};

static enum field field_of(struct span word)
{
	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
		if (span_is(word, fields[i].name))
			return fields[i].field;
	return FIELD_NONE;
}

bool sysv_open(struct sysv_table *t, enum object_kind kind, const char *text, size_t length)
{
	struct span line, word;
	bool has_id = false;

	*t = (struct sysv_table){ .kind = kind, .rest = span_of(text, length) };
	if (!span_line(&t->rest, &line))
		return false;
	while (t->columns < sizeof(t->field) && span_word(&line, &word)) {
		enum field field = field_of(word);

		has_id |= field == FIELD_ID;
		t->field[t->columns++] = (unsigned char)field;
	}
	return has_id;
}

static void set_mode(struct object *o, uint64_t perms)
{
	o->mode = (mode_t)(perms & 0777);
	if (o->kind != OBJECT_SHM)
		return;
	o->status |= perms & SHM_DEST ? STATUS_DEST : 0;
	o->status |= perms & SHM_LOCKED ? STATUS_LOCKED : 0;
}

static void set_field(struct object *o, enum field field, int64_t n)
{
	switch (field) {
	case FIELD_NONE:
	case FIELD_PERMS:
		break;
	case FIELD_KEY:
		o->key = (int32_t)n;
		break;
	case FIELD_ID:
		o->id = n;
		break;
	case FIELD_BYTES:
		o->bytes = (uint64_t)n;
		break;
	case FIELD_CPID:
		o->cpid = (pid_t)n;
		break;
	case FIELD_LPID:
		o->lpid = (pid_t)n;
		break;
	case FIELD_COUNT:
		o->count = (uint64_t)n;
		break;
	case FIELD_UID:
		o->uid = (uid_t)n;
		break;
	case FIELD_GID:
		o->gid = (gid_t)n;
		break;
	case FIELD_CUID:
		o->cuid = (uid_t)n;
		break;
	case FIELD_CGID:
		o->cgid = (gid_t)n;
		break;
	case FIELD_ATIME:
		o->atime = n;
		break;
	case FIELD_DTIME:
		o->dtime = n;
		break;
	case FIELD_CTIME:
		o->ctime = n;
		break;
	case FIELD_RESIDENT:
		o->allocated += (uint64_t)n;
		break;
	case FIELD_SWAPPED:
		o->allocated += (uint64_t)n;
		o->swapped = (uint64_t)n;
		break;
	}
}

/* One line, with all its columns; false: it is none. */
static bool take_line(const struct sysv_table *t, struct span line, struct object *o)
{
	struct span word;
	uint64_t perms;
	int64_t n;

	for (unsigned int i = 0; i < t->columns; i++) {
		if (t->field[i] != FIELD_PERMS) {
			if (!span_word_number(&line, &n))
				return false;
			set_field(o, (enum field)t->field[i], n);
			continue;
		}
		if (!span_word(&line, &word) || !span_number(&word, 8, &perms))
			return false;
		set_mode(o, perms);
	}
	return true;
}

/*
 * More than was asked for is only there in huge pages, which nobody has asked for in
 * part.  Newer kernels also count each as often as it has small ones in it, so that
 * the figure is of no use; none is swapped out.
 */
static void find_huge(struct object *o)
{
	uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE);
	uint64_t room = (o->bytes + page - 1) / page * page;

	if (o->kind != OBJECT_SHM || o->allocated <= room)
		return;
	o->status |= STATUS_HUGE;
	o->allocated = room;
	o->swapped = 0;
}

bool sysv_next(struct sysv_table *t, struct object *object)
{
	struct span line;

	while (span_line(&t->rest, &line)) {
		*object = (struct object){
			.kind = t->kind, .ipcns = NOBODY, .area = NOBODY, .name = ""
		};
		if (take_line(t, line, object)) {
			find_huge(object);
			return true;
		}
	}
	return false;
}

/* kernel.sem has four in a line: of a set, in all, of one call, sets. */
static void take_sem(struct span line, struct ipc_limits *limits)
{
	uint64_t *to[] = { &limits->semmsl, &limits->semmns, &limits->semopm, &limits->semmni };
	int64_t n;

	for (unsigned int i = 0; i < 4 && span_word_number(&line, &n); i++)
		*to[i] = (uint64_t)n;
}

void limits_parse(const char *text, size_t length, struct ipc_limits *limits)
{
	const struct {
		const char *name;
		uint64_t *to;
	} known[] = {
		{ "shmmax", &limits->shmmax },          { "shmall", &limits->shmall },
		{ "shmmni", &limits->shmmni },          { "msgmax", &limits->msgmax },
		{ "msgmnb", &limits->msgmnb },          { "msgmni", &limits->msgmni },
		{ "queues_max", &limits->mq_queues },   { "msg_max", &limits->mq_msg },
		{ "msgsize_max", &limits->mq_msgsize },
	};
	struct span rest = span_of(text, length), line, name;
	int64_t n;

	while (span_line(&rest, &line)) {
		if (!span_word(&line, &name))
			continue;
		if (span_is(name, "sem"))
			take_sem(line, limits);
		for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
			if (span_is(name, known[i].name) && span_word_number(&line, &n))
				*known[i].to = (uint64_t)n;
	}
}

bool mqueue_parse(const char *text, size_t length, uint64_t *bytes)
{
	struct span s = span_of(text, length);

	if (!span_begins(s, "QSIZE:"))
		return false;
	s.at += strlen("QSIZE:");
	return span_number(&s, 10, bytes);
}
