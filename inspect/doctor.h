/* SPDX-License-Identifier: Apache-2.0 */
/*
 * doctor.h - what is wrong on a machine, or between two containers of it, with
 * the evidence and the command that mends it.  A snapshot in, findings out: no
 * system call is made here.
 */
#ifndef COSHM_INSPECT_DOCTOR_H
#define COSHM_INSPECT_DOCTOR_H

#include "inspect.h"

enum severity { SEVERITY_FINE, SEVERITY_NOTE, SEVERITY_WARNING, SEVERITY_ERROR };

/* One word each, in doctor.c: it is the "code" of the JSON, and tests' and scripts' handle. */
enum finding_code {
	FINDING_SHARED,        /* both share System V and POSIX memory           */
	FINDING_IMPOSSIBLE,    /* another kernel: gVisor, Kata                    */
	FINDING_UNTIL_RESTART, /* shared, but the donor is gone: the joiner can never start again */
	FINDING_SPLIT,         /* the donor was restarted, the joiner is on the old namespace */
	FINDING_DONOR_PRIVATE,
	FINDING_DONOR_OWN_SHM, /* the donor mounts its own /dev/shm               */
	FINDING_NOT_JOINED,    /* neither was told to join the other              */
	FINDING_POSIX_ONLY,
	FINDING_SYSV_ONLY,
	FINDING_CHANNELS_ONLY, /* a common volume                                 */
	FINDING_DIRECTORY,     /* they share through one that `coshm run` serves  */
	FINDING_NO_SHM,        /* one has no /dev/shm at all                      */
	FINDING_STOPPED,       /* one of them does not run                        */
	FINDING_DONOR_GONE,    /* it is stopped, and its donor is removed: it can never start */
	FINDING_UNSEEN,        /* it could not be told                            */
	FINDING_USER_NAMESPACE,
	FINDING_LABEL,        /* SELinux                                         */
	FINDING_DENIED,       /* uid and mode of an object                       */
	FINDING_PID_LIVENESS, /* other PID namespaces, and a shared pthread mutex or pid liveness */
	FINDING_SHM_FULL,     /* over 80 %                                       */
	FINDING_SIGBUS_AHEAD, /* a sparse file larger than what is free          */
	FINDING_SHM_SIZE_IGNORED, /* a joiner's --shm-size                           */
	FINDING_SYSCTL_OF_DONOR,  /* a joiner's kernel.shm* changed the donor's      */
	FINDING_FTOK,             /* keys of --key-file differ                       */
	FINDING_LIMIT,            /* a limit of System V IPC is near or reached      */
	FINDING_ORPHAN,           /* memory that nobody uses                         */
	FINDING_DEAD_PEER,        /* of a channel                                    */
};

#define FINDING_LINES 6

struct finding {
	enum finding_code code;
	enum severity severity;
	bool verdict;      /* it answers whether the two that were asked about share */
	const char *title; /* one sentence                              */
	const char *evidence[FINDING_LINES]; /* what was read where; ends with NULL or is full */
	const char *fix[FINDING_LINES];      /* commands to run, in this order            */
	const char *fix_note;         /* what they are for, or why there is none; may be NULL */
	int container_a, container_b; /* whom it is about, or NOBODY               */
	int object;                   /* or NOBODY                                 */
};

struct diagnosis {
	struct finding *findings; /* the worst first */
	unsigned int count;
	struct memory *memory;
};

/* One side of a question about two: a container, or a process of none. */
struct side {
	int container; /* or NOBODY */
	int process;   /* or NOBODY: it is stopped */
};

/* What ftok(3) reads on one side, asked for by the caller: a system call is none of ours. */
struct key_file {
	const char *path;
	int project_id;
	bool found[2];
	int error[2]; /* errno of stat(2), if not found */
	uint64_t dev[2], ino[2];
	int32_t key[2];
};

/*
 * The whole machine, or (with @a and @b) two sides of it; @exact: sizes with all digits.
 * 0, or -ENOMEM.
 */
int doctor_machine(const struct snapshot *s, bool exact, struct diagnosis **diagnosis);
int doctor_pair(const struct snapshot *s, const struct side *a, const struct side *b,
		const struct key_file *key, bool exact, struct diagnosis **diagnosis);
void doctor_free(struct diagnosis *diagnosis);

const char *finding_code_name(enum finding_code code);
const char *severity_name(enum severity severity);

#endif /* COSHM_INSPECT_DOCTOR_H */
