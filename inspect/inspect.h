/* SPDX-License-Identifier: Apache-2.0 */
/*
 * inspect.h - the shared memory of a whole machine, as structs.
 *
 * inspect_scan() gathers facts: processes and their namespaces, containers and
 * their names, System V and POSIX objects, channels, and who uses what.  It
 * prints nothing, changes nothing, attaches to nobody's memory, and needs no
 * ptrace.  What is gone half-way is left out; what could not be seen is noted.
 *
 *   procfs.c   /proc/PID: who there is, and in which namespaces
 *   containers.c  whose container they are in
 *   mounts.c   mountinfo: which /dev/shm is whose
 *   ipcns.c    what is in each IPC namespace, entered by a child: ipcns_enter.c
 *   sysv.c     /proc/sysvipc and kernel.shm*, sem, msg*: text in, structs out
 *   posix.c    files in /dev/shm; volumes.c  channels elsewhere
 *   served.c   System V objects of directories that `coshm run` serves: served.h
 *   channels.c files of coshm, checked as a stranger's
 *   mutex.c    does a file hold process-shared pthread mutexes? by how they look
 *   object.c   what an object's name says
 *   maps.c     /proc/PID/maps and fd: who uses what
 *   cgroup.c   a process's cgroup: which engine's container it is
 *   engine.c   Docker's and Podman's API over their sockets; names for ids
 *   scan.c     all of it together
 *   doctor.c   a snapshot in, findings out: doctor.h
 *   orphan.c   which objects nobody uses any more: orphan.h
 *   changes.c  two snapshots in, what happened in between out: changes.h; same.c
 *   find.c     which containers somebody means by a word
 *
 * Beside the snapshot: what a program is made of, before it runs.
 *
 *   elf_file.c   an ELF file; elf_needs.c  its libraries; ld_cache.c  where they are
 *   ipc_calls.c  which IPC calls they make
 *
 * Things name each other by index into the snapshot's arrays; NOBODY is none.
 * All memory belongs to the snapshot.
 *
 * Threads: a snapshot belongs to one thread at a time; scans are independent.
 */
#ifndef COSHM_INSPECT_INSPECT_H
#define COSHM_INSPECT_INSPECT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define NOBODY (-1)

enum engine {
	ENGINE_NONE, /* a process of the machine itself      */
	ENGINE_DOCKER,
	ENGINE_PODMAN,
	ENGINE_CONTAINERD,
	ENGINE_CRIO,
	ENGINE_OTHER, /* a container by its namespaces alone  */
};

enum container_state {
	CONTAINER_UNKNOWN, /* no engine told */
	CONTAINER_RUNNING,
	CONTAINER_PAUSED,
	CONTAINER_STOPPED, /* exited, created, dead: it has no processes */
};

/*
 * A container.  Texts are "" where nobody told; without an engine's answer, name
 * is the id's first 12 digits.
 */
struct container {
	enum engine engine;
	enum container_state state;
	const char *id; /* all 64 digits, where that is what engines have */
	const char *name;
	const char *image;
	const char *service; /* of Compose               */
	const char *project; /* of Compose               */
	const char *pod;     /* Kubernetes' or Podman's: the name; a uid if only that is known */
	const char *pod_namespace;
	const char *ipc_mode; /* as configured: "private", "shareable", "container:ID", "host" */
	const char *pid_mode;
	const char *runtime; /* "runc", "runsc" (gVisor), "kata", ... */
	const char *label;   /* SELinux or AppArmor label of its first process */
	const char *sysctls; /* kernel.shm*, sem, msg* as configured: "NAME=VALUE NAME=VALUE" */
	const char *own_shm; /* what is mounted at /dev/shm as configured: a volume or path; "" */
	uint64_t shm_size;   /* as configured; 0: nobody told */
	int64_t started_ns;  /* CLOCK_REALTIME; 0: nobody told */
	bool privileged;
	bool named;           /* an engine told */
	pid_t pid;            /* of its first process, as we see it; 0: none */
	int donor;            /* container whose IPC namespace it was told to join, or NOBODY */
	const char *donor_id; /* the id in ipc_mode, also if that container is gone; "" */
	int ipcns;            /* where its first process is, or NOBODY */
	int shm_area;         /* its /dev/shm, or NOBODY */
	int process;          /* first process, or NOBODY */
};

struct process {
	pid_t pid;
	pid_t ppid;
	pid_t inner_pid;      /* in its own PID namespace */
	uint64_t start_ticks; /* tells it from a later one with its pid */
	uid_t uid;            /* effective, as we see it */
	gid_t gid;
	char state;  /* R S D T t Z, as in /proc/PID/stat */
	bool frozen; /* by its cgroup: paused */
	const char *command;
	const char *cgroup; /* who is charged: path of its memory cgroup */
	uint64_t ipcns_ino, mntns_ino, pidns_ino, userns_ino; /* 0: could not be seen */
	int container;                                        /* or NOBODY */
	int ipcns;                                            /* or NOBODY */
	int shm_area;   /* what it has at /dev/shm, or NOBODY */
	bool maps_seen; /* false: we may not read its maps */
};

/* kernel.shm*, sem, msg* and fs.mqueue.* of one IPC namespace; 0: not seen. */
struct ipc_limits {
	uint64_t shmmax, shmall, shmmni;         /* bytes, pages, segments                   */
	uint64_t semmsl, semmns, semopm, semmni; /* a set's, all, of one call, sets           */
	uint64_t msgmax, msgmnb, msgmni;         /* bytes of a message, of a queue, queues    */
	uint64_t mq_queues, mq_msg, mq_msgsize;  /* read where there are queues          */
};

/* What of the limits is used. */
struct ipc_usage {
	uint64_t shm_segments, shm_pages, shm_resident_pages, shm_swapped_pages;
	uint64_t sem_sets, sems, msg_queues, mq_queues;
};

struct ipcns {
	uint64_t ino; /* recycled: no identity over time */
	pid_t pid;    /* somebody in it, through whom it was entered */
	unsigned int processes;
	unsigned int containers; /* that have their first process in it */
	bool own;                /* the one that we run in */
	bool seen;               /* its objects could be read; else note says why */
	struct ipc_limits limits;
	struct ipc_usage usage;
};

/* A mounted tmpfs or folder with POSIX objects: one for each device and root. */
struct shm_area {
	unsigned int dev_major, dev_minor;
	const char *root;  /* in its file system, "/" mostly */
	const char *point; /* where the process that we saw it through has it: "/dev/shm" */
	const char *fs;    /* "tmpfs", "hugetlbfs", ...       */
	pid_t pid;         /* it is /proc/PID/root/POINT      */
	uint64_t bytes, used, free; /* of the file system; bytes is 0 if it has no limit */
	unsigned int containers;    /* that have it mounted at /dev/shm */
	bool dev_shm;               /* somebody has it at /dev/shm: else a volume with channels */
	bool seen;
};

enum object_kind {
	OBJECT_SHM,       /* System V segment                      */
	OBJECT_SEM,       /* System V semaphore set                */
	OBJECT_MSG,       /* System V message queue                */
	OBJECT_POSIX_SHM, /* a file in an area                     */
	OBJECT_POSIX_SEM, /* "sem.NAME" in an area                 */
	OBJECT_POSIX_MQ,
	OBJECT_CHANNEL, /* of coshm                              */
	OBJECT_TABLE,   /* who takes part in a directory that `coshm run` serves */
	OBJECT_DELETED, /* a file without a name that is mapped  */
	OBJECT_MEMFD,   /* the same, shared by several processes */
};

#define STATUS_DEST   0x1u /* marked for destruction (SHM_DEST)           */
#define STATUS_LOCKED 0x2u
#define STATUS_HUGE   0x4u
#define STATUS_SPARSE 0x8u /* a file larger than what is allocated to it  */

/* A peer of a channel, as it stands in the file: text of a stranger's, made printable. */
struct channel_peer {
	unsigned int slot;
	uint32_t role;  /* enum coshm_role         */
	uint32_t state; /* enum coshm_peer_state   */
	uint32_t pid;   /* in its own PID namespace */
	const char *command, *host;
};

struct channel {
	uint32_t kind, policy; /* enum coshm_kind, enum coshm_stream_policy and its kin */
	uint64_t messages, bytes, lost, evicted, waits; /* counters, for rates */
	unsigned int slots;
	unsigned int peer_count, dead;
	const struct channel_peer *peers;
};

struct object {
	enum object_kind kind;
	int ipcns;   /* the kernel's System V, POSIX_MQ: where it is; else NOBODY */
	int area;    /* files, and System V of a served directory; else NOBODY    */
	int32_t key; /* System V                                     */
	int64_t id;  /* System V: its id; else the inode             */
	const char
		*name; /* POSIX: without the first slash; System V: "", or its file in the area */
	unsigned int dev_major, dev_minor;
	mode_t mode;     /* permission bits                               */
	uid_t uid, cuid; /* owner, creator                                */
	gid_t gid, cgid;
	uint64_t bytes;     /* apparent: of a segment, file, all messages in a queue */
	uint64_t allocated; /* resident and swapped, or blocks of a file     */
	uint64_t swapped;
	uint64_t count;   /* attached, semaphores of a set, messages in a queue, mappers */
	uint32_t status;  /* STATUS_...                                    */
	pid_t cpid, lpid; /* as the kernel shows them to us: 0 if it is in no namespace of ours */
	int64_t atime, dtime, ctime; /* seconds of CLOCK_REALTIME; 0: never     */
	unsigned int mutexes; /* what looks like process-shared pthread mutexes, in files that we
				 may read */
	unsigned int uses;    /* entries of snapshot.uses                      */
	const struct channel *channel; /* OBJECT_CHANNEL                        */
};

/* A process maps or has open an object. */
struct use {
	int process;
	int object;
	bool writes;    /* mapped writable, or open for writing */
	bool mapped;    /* else only open                       */
	uint64_t bytes; /* mapped                               */
};

struct snapshot {
	struct container *containers;
	struct process *processes;
	struct ipcns *ipcns;
	struct shm_area *areas;
	struct object *objects;
	struct use *uses;     /* sorted by object, then process */
	const char **notes;   /* what could not be seen and why: the view is incomplete */
	const char **remarks; /* said once, no lack: "no engine answers, ids in place of names" */
	unsigned int container_count, process_count, ipcns_count, area_count, object_count,
		use_count, note_count, remark_count;
	int64_t taken_ns; /* CLOCK_REALTIME */
	pid_t own_pid;
	int own_process;       /* or NOBODY */
	bool pid_host;         /* we see the machine's first process */
	struct memory *memory; /* of all the above */
};

/* What to look at; zero is: all of it, of this machine. */
struct inspect_opts {
	const char *root; /* a recorded machine's folder, for tests; NULL: this one       */
	const char *const
		*dirs;         /* more directories with channels, as we see them; ends with NULL */
	bool no_engines;       /* do not ask engines for names                                 */
	bool describe_stopped; /* how stopped containers are configured: slower */
	bool no_maps;          /* leave out who maps what: much faster                          */
};

/*
 * inspect_scan - look at the machine.
 * @snapshot: inspect_free() it
 *
 * 0, also if not all could be seen: then there are notes.  Negative errno if
 * nothing could be (no memory, no /proc); @why is a sentence for people then.
 */
int inspect_scan(const struct inspect_opts *opts, struct snapshot **snapshot, char why[256]);
void inspect_free(struct snapshot *snapshot);

/*
 * inspect_find - containers by name, id or its beginning, or "NAME" of a pod; a
 * number is also a pid.  At most @max into @found; how many there are.
 * A pid that is in no container gives 0 and its process in @process.
 */
unsigned int inspect_find(const struct snapshot *s, const char *what, int *found, unsigned int max,
			  int *process);

/* What sem_open(3) puts before a name, and the folder of what it makes where `coshm run` serves. */
#define POSIX_SEM_PREFIX "sem."
#define POSIX_FOLDER     ".posix"

/* Where a file is in its area: its name, with the prefix that semaphores have. */
const char *object_path(const struct object *o, char *room, size_t bytes);
/* How many bytes of its name are the directory that `coshm run` serves it from; -1: none does. */
int object_directory(const struct object *o);
/*
 * A file in the folder .sysv of a directory that `coshm run` serves: does its table,
 * looked at again, still need it?  @folder: where the file is.
 */
bool served_needs(int folder, const struct object *o);

/* "docker", "podman", ... */
const char *engine_name(enum engine engine);

#endif /* COSHM_INSPECT_INSPECT_H */
