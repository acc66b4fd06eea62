/* SPDX-License-Identifier: Apache-2.0 */
/*
 * gather.h - what the parts of a scan share, and the order that they come in:
 *
 *   processes_gather()   procfs.c     processes, and which namespaces there are
 *   containers_gather()  containers.c by cgroup, and by namespaces alone
 *   mounts_gather()      mounts.c     what each mount namespace has at /dev/shm
 *   ipcns_start()        ipcns.c      a child process, which takes its time
 *   areas_gather()       posix.c      files in /dev/shm, and channels in volumes
 *   ipcns_gather()       ipcns.c      System V objects, message queues, limits
 *   uses_gather()        maps.c       who maps and has open what
 *
 * A recorded machine differs in where files are opened, and in having no system
 * calls: `recorded` says so.
 */
#ifndef COSHM_INSPECT_GATHER_H
#define COSHM_INSPECT_GATHER_H

#include <sys/stat.h>

#include "inspect.h"
#include "memory.h"
#include "parse.h"
#include "table.h"

/* Of the machine's first namespaces: PROC_PID_INIT_INO of the kernel, and its kin. */
#define FIRST_PIDNS UINT64_C(0xeffffffc)
#define FIRST_UTSNS UINT64_C(0xeffffffe)
#define FIRST_IPCNS UINT64_C(0xefffffff)

/* All in a namespace: whoever is asked may be gone by then, and then it is the next one. */
struct witnesses {
	pid_t *pid;
	unsigned int count;
};

/* What a mount namespace has where. */
struct view {
	uint64_t ino;
	struct witnesses witnesses;
	pid_t pid;     /* who last was found in it; 0: nobody */
	int container; /* that has a process in it, or NOBODY */
	int shm_area;
};

/* A mounted folder that may be a volume. */
struct place {
	int view;
	unsigned int dev_major, dev_minor;
	const char *root, *point, *fs;
};

/* What of a process only the scan needs. */
struct process_facts {
	int view;
	int freezer;    /* its cgroup, in the scan's freezers */
	const char *id; /* of its container, by its cgroup */
	enum engine engine;
	bool kernel_thread;
};

/* Kinds of what could not be seen: each becomes one note. */
enum lack {
	LACK_NAMESPACES,
	LACK_MAPS,
	LACK_FILES,
	LACK_MOUNTS,
	LACK_IPCNS,
	LACK_QUEUES,
	LACK_AREAS,
	LACK_FOLDERS,
	LACKS
};

struct lack_count {
	unsigned int count;
	int error; /* of the first one, errno */
};

struct freezer {
	const char *path;
	bool unified; /* version 2 */
	bool frozen;
};

/* A file's text, read whole; used again and again. */
struct buffer {
	char *data;
	size_t length, room;
};

struct scan {
	struct snapshot *s;
	const struct inspect_opts *opts;
	struct memory *m;       /* the snapshot's */
	struct memory *scratch; /* until the scan's end */
	int top;                /* folder: "/" or a recorded machine's */
	int proc;               /* its "proc" */
	bool recorded;
	pid_t child;    /* that enters namespaces; 0: none */
	int child_pipe; /* -1: none, or heard to its end */
	struct buffer text;
	struct process_facts *facts; /* one for each process */
	struct view *views;
	struct witnesses *ipcns_witnesses; /* one for each IPC namespace */
	struct place *places;
	struct freezer *freezers;
	const char **points; /* where areas are mounted */
	unsigned int fact_count, view_count, witness_count, place_count, freezer_count, point_count;
	struct table ipcns_by_ino, view_by_ino, area_by_root, area_by_device, freezer_by_path;
	struct table object_by_id;   /* of segments: namespace, id */
	struct table object_by_file; /* device, see file_number() */
	struct table use_by_pair;    /* process, object */
	uint64_t anonymous;          /* device_number() of memory without a file system */
	struct lack_count lacks[LACKS];
};

#define NUMBER_ROOM 24

/* One file of a folder, whole: 0, or -errno. */
int buffer_read(struct buffer *b, int dir, const char *path);
struct span buffer_span(const struct buffer *b);

/* What could not be seen; what is only gone is no lack. */
void scan_lacks(struct scan *scan, enum lack lack, int error);
/* One by itself. */
__attribute__((format(printf, 2, 3))) void scan_note(struct scan *scan, const char *format, ...);
/* As one number, for tables. */
static inline uint64_t device_number(unsigned int dev_major, unsigned int dev_minor)
{
	return (uint64_t)dev_major << 32 | dev_minor;
}
/* Is there a process of this pid behind an error, or was it only gone? */
static inline bool is_gone(int error)
{
	return error == 2 || error == 3; /* ENOENT, ESRCH */
}

/* procfs.c */
struct stat_line {
	struct span command;
	char state;
	pid_t ppid;
	uint64_t start_ticks;
	bool kernel_thread;
};
struct status_lines {
	uid_t uid;
	gid_t gid;
	pid_t inner_pid;
};
bool stat_parse(const char *text, size_t length, struct stat_line *out);
bool status_parse(const char *text, size_t length, struct status_lines *out);
/* The path of a process's cgroup that can be frozen; false: there is none. */
bool freezer_parse(const char *text, size_t length, struct span *path, bool *unified);
int processes_gather(struct scan *scan);

/* containers.c */
void containers_gather(struct scan *scan);
void containers_place(struct scan *scan);

/* sysv.c */
struct sysv_table {
	enum object_kind kind;
	struct span rest;
	unsigned int columns;
	unsigned char field[32]; /* what stands in each column */
};
/* False: that is no text of /proc/sysvipc. */
bool sysv_open(struct sysv_table *t, enum object_kind kind, const char *text, size_t length);
bool sysv_next(struct sysv_table *t, struct object *object);
void limits_parse(const char *text, size_t length, struct ipc_limits *limits);
/* "QSIZE:129 NOTIFY:0 ...": bytes in a queue. */
bool mqueue_parse(const char *text, size_t length, uint64_t *bytes);

/* ipcns.c: start it, do something else meanwhile, gather, and end it in any case */
void ipcns_start(struct scan *scan);
void ipcns_gather(struct scan *scan);
void ipcns_end(struct scan *scan);

/* mounts.c */
struct mount_line {
	unsigned int dev_major, dev_minor;
	struct span root, point, fs, super; /* as they stand there: mount_unescape() them */
};
/* The next line that is one. */
bool mountinfo_next(struct span *text, struct mount_line *out);
const char *mount_unescape(struct memory *m, struct span s);
void mounts_gather(struct scan *scan);
/* The area of this folder, or a new one. */
int area_find(struct scan *scan, const struct mount_line *mount, const char *root,
	      const char *point);

/* posix.c, volumes.c */
void areas_gather(struct scan *scan);
/*
 * What tells a file apart on its device: its inode; on a recorded machine, whose
 * files have other ones, the path that it was mapped by.
 */
uint64_t file_number(const struct scan *scan, uint64_t ino, struct span path);

/* channels.c */
/* @data: what a file begins with, LAYOUT_META_BYTES at most; NULL: it is no channel. */
struct channel *channel_parse(const unsigned char *data, size_t bytes, struct memory *m);
/* What takes more than that: who of its peers is dead, and how far a latest value is. */
void channel_probe(struct channel *channel, int fd);
/* Does the process live that has place @slot of a file of ours (LAYOUT_LOCKS)? */
bool file_byte_locked(int fd, unsigned int slot);

/* mutex.c */
unsigned int mutex_count(const unsigned char *data, size_t bytes);

/* maps.c */
struct map_line {
	uint64_t start, bytes, offset, ino;
	unsigned int dev_major, dev_minor;
	bool shared, writable;
	struct span path;
};
bool maps_next(struct span *text, struct map_line *out);
void uses_gather(struct scan *scan);

#endif /* COSHM_INSPECT_GATHER_H */
