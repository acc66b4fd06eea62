/* SPDX-License-Identifier: Apache-2.0 */
/*
 * texts_scan.c - what the kernel says of processes, mounts and IPC namespaces, and
 * the files of channels and of directories that `coshm run` serves.
 */
#include <stdlib.h>
#include <string.h>

#include "coshm.h"
#include "gather.h"
#include "layout.h"
#include "served.h"
#include "texts.h"

static void check(bool holds)
{
	if (!holds)
		abort();
}

/* A span lies in the text that it was taken from. */
static void check_span(struct span s, const char *text, size_t length)
{
	check(s.at >= text && s.at <= s.end && s.end <= text + length);
}

static void parse_stat(const char *text, size_t length)
{
	struct stat_line out;

	if (stat_parse(text, length, &out))
		check_span(out.command, text, length);
}

static void parse_status(const char *text, size_t length)
{
	struct status_lines out;

	status_parse(text, length, &out);
}

static void parse_freezer(const char *text, size_t length)
{
	struct span path;
	bool unified;

	if (freezer_parse(text, length, &path, &unified))
		check_span(path, text, length);
}

static void parse_maps(const char *text, size_t length)
{
	struct span rest = span_of(text, length);
	struct map_line line;
	size_t lines = 0;

	while (maps_next(&rest, &line)) {
		check_span(line.path, text, length);
		check(line.start + line.bytes >= line.start && ++lines <= length);
	}
	check(rest.at == rest.end);
}

static void parse_mountinfo(const char *text, size_t length)
{
	struct span rest = span_of(text, length);
	struct memory *m = memory_new();
	struct mount_line line;

	while (mountinfo_next(&rest, &line)) {
		check_span(line.root, text, length);
		check_span(line.point, text, length);
		check_span(line.fs, text, length);
		check_span(line.super, text, length);
		check(strlen(mount_unescape(m, line.root)) <= span_length(line.root));
		check(strlen(mount_unescape(m, line.point)) <= span_length(line.point));
		/* It may be the text's end. */
		check(strlen(mount_unescape(m, line.super)) <= span_length(line.super));
	}
	check(rest.at == rest.end);
	memory_free(m);
}

static void parse_table(enum object_kind kind, const char *text, size_t length)
{
	struct sysv_table t;
	struct object o;
	size_t lines = 0;

	if (!sysv_open(&t, kind, text, length))
		return;
	while (sysv_next(&t, &o)) {
		check(o.kind == kind && o.mode <= 0777 && o.name[0] == '\0');
		check(++lines <= length);
	}
}

static void parse_shm(const char *text, size_t length)
{
	parse_table(OBJECT_SHM, text, length);
}

static void parse_sem(const char *text, size_t length)
{
	parse_table(OBJECT_SEM, text, length);
}

static void parse_msg(const char *text, size_t length)
{
	parse_table(OBJECT_MSG, text, length);
}

static void parse_limits(const char *text, size_t length)
{
	struct ipc_limits limits = { 0 };

	limits_parse(text, length, &limits);
}

static void parse_mqueue(const char *text, size_t length)
{
	uint64_t bytes;

	mqueue_parse(text, length, &bytes);
}

/* The text is what an enemy has written over a channel: places and what is there now. */
static void parse_channel(const char *text, size_t length)
{
	static union {
		struct header_shared header;
		unsigned char bytes[LAYOUT_META_BYTES];
	} image;
	struct memory *m = memory_new();
	unsigned char *exact;
	struct channel *c;
	size_t bytes;

	memset(&image, 0, sizeof(image));
	image.header.magic = LAYOUT_MAGIC;
	image.header.version = LAYOUT_VERSION;
	image.header.kind = LAYOUT_STREAM;
	for (size_t i = 0; i + 3 <= length; i += 3) {
		size_t at = (size_t)(unsigned char)text[i] << 8 | (unsigned char)text[i + 1];

		image.bytes[at % sizeof(image)] = (unsigned char)text[i + 2];
	}
	bytes = length % 2 ? sizeof(image) : sizeof(struct region_shared) - length % 64;
	exact = malloc(bytes);
	check(exact != NULL);
	memcpy(exact, &image, bytes);
	c = channel_parse(exact, bytes, m);
	free(exact);
	check(!c || (c->kind <= LAYOUT_QUEUE && c->peer_count <= LAYOUT_PEERS));
	for (unsigned int i = 0; c && i < c->peer_count; i++) {
		check(c->peers[i].slot < LAYOUT_PEERS);
		check(strlen(c->peers[i].command) <= LAYOUT_COMMAND_BYTES);
		for (const char *at = c->peers[i].host; *at; at++)
			check(*at >= ' ' && *at <= '~');
	}
	memory_free(m);
}

/* Of a table whose header is whole, or not: both are read. */
static void check_counts(const char *text, size_t length, uint32_t count[SYSV_AREAS])
{
	static const uint32_t most[] = { SYSV_TOKENS, SYSV_ATTACHES, SYSV_PATHS };
	struct sysv_header_shared h = { .magic = SYSV_MAGIC, .version = SYSV_VERSION };
	unsigned char *head = calloc(1, SERVED_HEAD_BYTES);

	check(head != NULL);
	h.limits.shmmni = h.limits.semmni = h.limits.msgmni = UINT32_MAX;
	h.checksum =
		span_hash(span_of((const char *)&h, offsetof(struct sysv_header_shared, checksum)));
	memcpy(head, &h, sizeof(h));
	for (size_t i = 0; i < length; i++)
		head[SYSV_TABLE_CONTROL + i % sizeof(struct sysv_control_shared)] ^=
			(unsigned char)text[i];
	check(!served_counts(head, SERVED_HEAD_BYTES, SYSV_TABLE_BYTES, count));
	for (unsigned int i = 0; i < SYSV_AREAS; i++)
		check(count[i] <= (i < 3 ? most[i] : SYSV_OBJECTS_MAX));
	for (size_t i = 0; i < length; i++)
		head[i % sizeof(h)] ^= (unsigned char)text[i];
	served_counts(head, SERVED_HEAD_BYTES, SYSV_TABLE_BYTES, (uint32_t[SYSV_AREAS]){ 0 });
	free(head);
}

/* Entries are what the text is, again and again. */
static void *entries(const char *text, size_t length, size_t bytes)
{
	char *copy = malloc(bytes ? bytes : 1);

	check(copy != NULL);
	for (size_t i = 0; i < bytes; i++)
		copy[i] = length ? text[(i + bytes) % length] : 0;
	return copy;
}

static void parse_served(const char *text, size_t length)
{
	struct served t;
	struct served_pids pids;
	struct object o;

	check_counts(text, length, t.count);
	for (unsigned int i = 0; i < SYSV_AREAS; i++)
		t.count[i] %= 40;
	t.tokens =
		entries(text, length, t.count[SYSV_AREA_TOKENS] * sizeof(struct sysv_token_shared));
	t.attaches = entries(text, length, t.count[SYSV_AREA_ATTACHES] * sizeof(*t.attaches));
	t.alive = calloc(t.count[SYSV_AREA_TOKENS] + 1, sizeof(bool));
	t.attached = calloc(t.count[SYSV_AREA_SLOTS + SYSV_SHM] + 1, sizeof(uint64_t));
	check(t.alive && t.attached);
	for (uint32_t i = 0; i < t.count[SYSV_AREA_TOKENS]; i++)
		t.alive[i] = i % 3 != 0;
	served_count(&t);
	for (int kind = 0; kind < SYSV_KINDS; kind++) {
		uint32_t count = t.count[SYSV_AREA_SLOTS + kind];

		t.slots[kind] = entries(text, length, count * sizeof(struct sysv_slot_shared));
		for (uint32_t i = 0; i < count; i++)
			check(!served_object(&t, (enum sysv_kind)kind, i, &o, &pids) ||
			      (o.mode <= 0777 && o.id >= 0 && o.id % SYSV_OBJECTS_MAX == i &&
			       o.id <= INT32_MAX && o.name[0] == '\0'));
		free((void *)t.slots[kind]);
	}
	free((void *)t.tokens);
	free((void *)t.attaches);
	free(t.alive);
	free(t.attached);
}

/* Its length is a number of words, and no text gets it to read beyond. */
static void parse_mutexes(const char *text, size_t length)
{
	check(mutex_count((const unsigned char *)text, length) <= length / 40);
}

static const char *const stat_seeds[] = {
	"12 (a) b (c) S 3 12 12 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 1 0 4711 9 9\n",
	"2 (kthreadd) S 0 0 0 0 -1 2129984 0 0 0 0 0 0 0 0 20 0 1 0 7 0\n", NULL
};
static const char *const status_seeds[] = {
	"Name:\ta\nUid:\t1\t2\t3\t4\nGid:\t5\t6\t7\t8\nNSpid:\t90\t17\t1\nx:\t1\n", NULL
};
static const char *const freezer_seeds[] = { "9:name=systemd:/\n6:freezer:/docker/1\n0::/\n",
					     "0::/system.slice/a.scope\n", NULL };
static const char *const maps_seeds[] = {
	"55aa0000-55ab0000 r-xp 00000000 fe:00 77         /usr/bin/writer\n"
	"7f000000-7f010000 rw-s 00000000 00:01 3          /SYSV0000162e (deleted)\n"
	"7f040000-7f042000 rw-s 00000000 00:01 44         /memfd:pool (deleted)\n"
	"7ffc5000-7ffc6000 rw-p 00000000 00:00 0 \n",
	NULL
};
static const char *const mountinfo_seeds[] = {
	"25 24 0:23 / /dev/shm rw,relatime shared:3 master:1 - tmpfs tmpfs rw,size=64k\n"
	"28 24 254:1 /a\\040b /c\\134d rw - ext4 /dev/vda1 rw\n29 1 0:4 / / rw - x  \\040",
	NULL
};
static const char *const shm_seeds[] = {
	" key shmid perms size cpid lpid nattch uid gid cuid cgid atime dtime ctime rss swap\n"
	" 5678 3 1640 10000 11 12 2 1000 1001 1002 1003 1 2 3 8192 4096\n"
	" -1 2147483647 2600 18446744073709551615 0 0 0 0 0 0 0 0 0 0 0 0\n",
	NULL
};
static const char *const sem_seeds[] = {
	" key semid perms nsems uid gid cuid cgid otime ctime\n 7 0 600 3 0 0 0 0 1 2\n", NULL
};
static const char *const msg_seeds[] = {
	" key msqid perms cbytes qnum lspid lrpid uid gid cuid cgid stime rtime ctime\n"
	" -5 4 622 10 2 77 78 0 0 0 0 100 200 300\n",
	NULL
};
static const char *const limits_seeds[] = { "shmmax 18446744073692774399\nshmall 5\n"
					    "sem 32000 1024000000 500 32001\nmsg_max 10\n",
					    NULL };
static const char *const mqueue_seeds[] = {
	"QSIZE:129        NOTIFY:2     SIGNO:0     NOTIFY_PID:8260\n", NULL
};
static const char *const channel_seeds[] = { "\x08\x01\x01\x08\x04\x11\x08\x20\x61\x08\x30\x62",
					     "\x08\x80\x02\x08\x90\x1b\x28\x01\x03",
					     "\x01\x0c\x03\x01\x10\x01", NULL };
static const char *const served_seeds[] = {
	"\1\1\1\1\4\4\4\4\5\1\5\1\2\3\4\5 3333 4444 5555 6666 7777 8888 9999 aaaa bbbb",
	"\1\2\1\2\1\1\1\1\1\1\1\1\1\1\1\1\3", NULL
};
static const char *const mutex_seeds[] = { "\1aaaaaaa\1aaa\1aaa\x90zzz....aaaaaaaabbbbbbbbcccccccc",
					   NULL };

const struct text_target scan_targets[] = {
	{ "stat", parse_stat, stat_seeds },
	{ "status", parse_status, status_seeds },
	{ "freezer", parse_freezer, freezer_seeds },
	{ "maps", parse_maps, maps_seeds },
	{ "mountinfo", parse_mountinfo, mountinfo_seeds },
	{ "sysvipc/shm", parse_shm, shm_seeds },
	{ "sysvipc/sem", parse_sem, sem_seeds },
	{ "sysvipc/msg", parse_msg, msg_seeds },
	{ "limits", parse_limits, limits_seeds },
	{ "mqueue", parse_mqueue, mqueue_seeds },
	{ "channel", parse_channel, channel_seeds },
	{ "served", parse_served, served_seeds },
	{ "mutexes", parse_mutexes, mutex_seeds },
	{ NULL, NULL, NULL },
};
