/* SPDX-License-Identifier: Apache-2.0 */
/*
 * doctor_rules.h - what the doctor's rules share: the findings they write, the
 * two that are asked about, and the commands that mend.
 *
 *   doctor.c          both questions, and the order of the findings
 *   doctor_pair.c     do these two share?
 *   doctor_told.c     what containers were told, and whether they got it
 *   doctor_show.c     what was read where
 *   doctor_between.c  two share: what is still in the way
 *   doctor_machine.c  namespaces, /dev/shm and limits that are in trouble
 *   doctor_key.c      do both make one key of a file?
 *   fixes.c           commands, in the words of each engine
 */
#ifndef COSHM_INSPECT_DOCTOR_RULES_H
#define COSHM_INSPECT_DOCTOR_RULES_H

#include "doctor.h"
#include "memory.h"

/* What engines give a container without --shm-size. */
#define DEFAULT_SHM_SIZE (UINT64_C(64) << 20)

struct doctor {
	const struct snapshot *s;
	struct memory *m;
	struct diagnosis *out;
	bool exact;           /* sizes with all digits */
	struct finding spare; /* is written where there is no memory for another one */
};

/* Who is asked about, a container or a process of none. */
struct party {
	int container, process;
	const struct container *c; /* or NULL            */
	const struct process *p;   /* or NULL: it is stopped */
	const char *name;
	int ipcns, area;
};

struct party party_of(struct doctor *d, const struct side *side);
struct party party_of_container(struct doctor *d, int container);

/* A new finding; its address holds until the next one.  Never NULL. */
__attribute__((format(printf, 4, 5))) struct finding *add_finding(struct doctor *d,
								  enum finding_code code,
								  enum severity severity,
								  const char *title, ...);
/* One more line of it; what is over FINDING_LINES is left out. */
__attribute__((format(printf, 3, 4))) void add_evidence(struct doctor *d, struct finding *f,
							const char *format, ...);
__attribute__((format(printf, 3, 4))) void add_fix(struct doctor *d, struct finding *f,
						   const char *format, ...);
void about(struct finding *f, const struct party *a, const struct party *b);

/* "64 MiB", or "67108864 bytes" */
const char *amount(struct doctor *d, uint64_t bytes);
/* "/dev/shm/frame": what has an area, as those who have it there see it */
const char *path_text(struct doctor *d, const struct object *o);
/* "shm 0x0000162e (id 3)", "/dev/shm/frame" */
const char *object_text(struct doctor *d, const struct object *o);
/* A word of a command: in quotes, where a shell would take it for more than one. */
const char *word(struct doctor *d, const char *text);
bool same_text(const char *a, const char *b); /* and not "" */

/* ---- doctor_show.c: evidence */

void show_told(struct doctor *d, struct finding *f, const struct party *who);
void show_users(struct doctor *d, struct finding *f, const struct party *a, const struct party *b);
/* Of a verdict: whom it is about, their namespaces, /dev/shm, and what they were told. */
void show_all(struct doctor *d, struct finding *f, const struct party *a, const struct party *b);

/* ---- doctor_told.c: what they were told */

bool told_to_join(const struct party *joiner, const struct party *donor);
bool same_donor(const struct party *a, const struct party *b);
/* Podman's pods have a donor; Kubernetes tells of none, and all containers of its pods share. */
bool same_pod(const struct party *a, const struct party *b);
/* It was told to join one that is there no more. */
bool donor_is_gone(const struct party *who);
bool has_mode(const struct party *who, const char *mode);
/* Who may be joined as it is.  Podman's are, unless they were told otherwise. */
bool shareable(const struct party *who);
/* A mount at /dev/shm that no engine made: Docker refuses to share the namespace then. */
bool own_shm(const struct party *who);
/* --ipc=none: no mount at /dev/shm, but at most a folder of /dev.  Podman tells no mode of it. */
bool no_shm(const struct doctor *d, const struct party *who);
/* gVisor and Kata have a kernel for each container, or pod: the runtime that says so, or NULL. */
const char *other_kernel(const struct party *who);
/* They have different user namespaces.  Not if one of these could not be seen. */
bool other_users(const struct party *a, const struct party *b);

/* ---- fixes.c */

/* The engine's program, or NULL: no container, or one that no engine has told of. */
const char *engine_program(const struct container *c);
bool in_kubernetes(const struct container *c);
bool in_compose(const struct container *c);

/* Let @joiner use @donor's IPC namespace; where @remake, the donor must be made anew first. */
void fix_join(struct doctor *d, struct finding *f, const struct party *donor, bool remake,
	      const struct party *joiner);
void fix_restart(struct doctor *d, struct finding *f, const struct party *who);
void fix_start(struct doctor *d, struct finding *f, const struct party *who);
/* Make it anew with one more option, in the words of "run", a Compose file and a pod's manifest. */
struct option_words {
	const char *run, *compose, *kubernetes;
};
void fix_remake(struct doctor *d, struct finding *f, const struct party *who,
		const struct option_words *option);
/* Those who lost their donor get one that only holds the namespace; @b may be NULL. */
void fix_new_donor(struct doctor *d, struct finding *f, const struct party *a,
		   const struct party *b);

/* ---- the rules */

/* Adds the verdict.  Whether both use one IPC namespace, or one /dev/shm. */
bool judge_pair(struct doctor *d, const struct party *a, const struct party *b);
/* Of a pair, and of one alone (@b is NULL where nobody else joined what it joined). */
void cannot_start(struct doctor *d, const struct party *who);
void until_restart(struct doctor *d, const struct party *a, const struct party *b);
void judge_between(struct doctor *d, const struct party *a, const struct party *b);
void judge_key(struct doctor *d, const struct party *a, const struct party *b,
	       const struct key_file *key);
void judge_limits(struct doctor *d, int ipcns);
void judge_area(struct doctor *d, int area);
void judge_channels(struct doctor *d, int area);
/* What nobody uses, in these two, which this container has; or (NULL) anywhere. */
void judge_orphans(struct doctor *d, int ipcns, int area, const char *name);
/* What a joiner asked for and did not get, or changed for its donor. */
void judge_joiner_options(struct doctor *d, int container);
/* A container that was told to share, and does not, or not for long. */
void judge_told(struct doctor *d, int container);

#endif /* COSHM_INSPECT_DOCTOR_RULES_H */
