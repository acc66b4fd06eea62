/* SPDX-License-Identifier: Apache-2.0 */
/*
 * doctor_machine.c - namespaces, /dev/shm and limits that are in trouble, and
 * what joiners asked for in vain.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "coshm.h"
#include "doctor_rules.h"
#include "orphan.h"

/* From here on it is said. */
#define NEAR_PERCENT 80u

/* IPCMNI of the kernel: there are no more segments, sets or queues in a namespace. */
#define IPC_IDS_MAX 32768u

/* Without overflow, as limits may be anything up to 2^64 - 1. */
static unsigned int percent(uint64_t used, uint64_t all)
{
	if (used >= all)
		return 100;
	return (unsigned int)(used < UINT64_MAX / 100 ? used * 100 / all : used / (all / 100));
}

/* Those in a namespace, or with one /dev/shm, as people know them: "writer, reader and 3 others" */
static const char *whose(struct doctor *d, int ipcns, int area)
{
	const struct snapshot *s = d->s;
	const char *names = "";
	unsigned int count = 0;

	for (unsigned int i = 0; i < s->container_count; i++) {
		const struct container *c = &s->containers[i];

		if (c->process == NOBODY || (ipcns != NOBODY && c->ipcns != ipcns) ||
		    (area != NOBODY && c->shm_area != area))
			continue;
		if (++count <= 3)
			names = memory_print(d->m, "%s%s%s", names, count > 1 ? ", " : "", c->name);
	}
	if (count > 3)
		names = memory_print(d->m, "%s and %u others", names, count - 3);
	return count == 0 ? "this machine" : names;
}

/* The donor of those who have it, or any of them; NOBODY if no container does. */
static int owner_of_area(const struct snapshot *s, int area)
{
	int found = NOBODY;

	for (unsigned int i = 0; i < s->container_count; i++) {
		const struct container *c = &s->containers[i];

		if (c->process == NOBODY || c->shm_area != area)
			continue;
		if (found == NOBODY ||
		    (s->containers[found].donor_id[0] != '\0' && c->donor_id[0] == '\0'))
			found = (int)i;
	}
	return found;
}

/* ---- limits of System V IPC */

struct limit {
	const char *name, *what;
	uint64_t used, limit, highest;
};

/* kernel.sem is four numbers; the others are one. */
static const char *new_setting(struct doctor *d, const struct ipc_limits *l,
			       const struct limit *limit)
{
	uint64_t more = limit->limit > limit->highest / 2 ? limit->highest : limit->limit * 2;

	if (strcmp(limit->name, "kernel.sem") != 0)
		return memory_print(d->m, "%s=%" PRIu64, limit->name, more);
	return memory_print(d->m, "\"kernel.sem=%" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64 "\"",
			    l->semmsl, limit->limit == l->semmns ? more : l->semmns, l->semopm,
			    limit->limit == l->semmni ? more : l->semmni);
}

static void judge_limit(struct doctor *d, int ipcns, const struct limit *limit)
{
	const struct ipcns *ns = &d->s->ipcns[ipcns];
	bool reached = limit->used >= limit->limit;
	struct finding *f;
	const char *setting;

	if (limit->limit == 0 || percent(limit->used, limit->limit) < NEAR_PERCENT)
		return;
	f = add_finding(d, FINDING_LIMIT, reached ? SEVERITY_ERROR : SEVERITY_WARNING,
			"the limit of %s is %s in the IPC namespace of %s", limit->what,
			reached ? "reached" : "near", whose(d, ipcns, NOBODY));
	add_evidence(d, f, "ipc:[%" PRIu64 "]: %" PRIu64 " of %" PRIu64 " (%s), %u %%", ns->ino,
		     limit->used, limit->limit, limit->name, percent(limit->used, limit->limit));
	setting = new_setting(d, &ns->limits, limit);
	if (limit->limit < limit->highest) {
		add_fix(d, f, "nsenter --target %d --ipc sysctl -w %s", (int)ns->pid, setting);
		f->fix_note = memory_print(d->m,
					   "That holds while the namespace lives. For good: "
					   "--sysctl %s where the donor is made. Perhaps something "
					   "leaks: coshm clean.",
					   setting);
	} else {
		add_fix(d, f, "coshm clean");
		f->fix_note = "The kernel has no higher limit. What leaks?";
	}
}

void judge_limits(struct doctor *d, int ipcns)
{
	const struct ipc_limits *l = &d->s->ipcns[ipcns].limits;
	const struct ipc_usage *u = &d->s->ipcns[ipcns].usage;
	const struct limit limits[] = {
		{ "kernel.shmmni", "shared memory segments", u->shm_segments, l->shmmni,
		  IPC_IDS_MAX },
		{ "kernel.shmall", "shared memory pages", u->shm_pages, l->shmall, UINT64_MAX },
		{ "kernel.sem", "semaphore sets", u->sem_sets, l->semmni, IPC_IDS_MAX },
		{ "kernel.sem", "semaphores", u->sems, l->semmns, INT32_MAX },
		{ "kernel.msgmni", "message queues", u->msg_queues, l->msgmni, IPC_IDS_MAX },
		{ "fs.mqueue.queues_max", "POSIX message queues", u->mq_queues, l->mq_queues,
		  INT32_MAX },
	};

	for (size_t i = 0; i < sizeof(limits) / sizeof(limits[0]); i++)
		judge_limit(d, ipcns, &limits[i]);
}

/* ---- /dev/shm */

/* A pod's /dev/shm has the default size; a tmpfs of its own has another one. */
static void fix_size(struct doctor *d, struct finding *f, int area, uint64_t bytes)
{
	const struct snapshot *s = d->s;
	int owner = owner_of_area(s, area);
	const struct container *c = owner == NOBODY ? NULL : &s->containers[owner];
	uint64_t mib = (bytes + (1 << 20) - 1) >> 20;

	if (!c)
		add_fix(d, f, "mount -o remount,size=%" PRIu64 "M %s", mib,
			word(d, s->areas[area].point));
	else
		add_fix(d, f, "coshm grow %s %" PRIu64 "M", word(d, c->name), mib);
	if (in_kubernetes(c))
		f->fix_note = memory_print(d->m,
					   "That holds while the pod lives. For good: an emptyDir "
					   "volume with medium: Memory and sizeLimit: %" PRIu64
					   "Mi, mounted at /dev/shm in each container.",
					   mib);
	else if (in_compose(c))
		f->fix_note = memory_print(d->m,
					   "That holds until %s is made anew. For good: shm_size: "
					   "\"%" PRIu64 "m\" in its service.",
					   c->name, mib);
	else if (c)
		f->fix_note = memory_print(d->m,
					   "That holds until %s is started again. For good: "
					   "--shm-size=%" PRIu64 "m where it is made.",
					   c->name, mib);
}

static void judge_full(struct doctor *d, int area)
{
	const struct shm_area *a = &d->s->areas[area];
	unsigned int full = percent(a->used, a->bytes);
	struct finding *f;

	if (full < NEAR_PERCENT)
		return;
	f = add_finding(d, FINDING_SHM_FULL, full == 100 ? SEVERITY_ERROR : SEVERITY_WARNING,
			"%s of %s is %u %% full", a->point, whose(d, NOBODY, area), full);
	f->container_a = owner_of_area(d->s, area);
	add_evidence(d, f, "statfs /proc/%d/root%s: %s of %s are used, %s are free", (int)a->pid,
		     a->point, amount(d, a->used), amount(d, a->bytes), amount(d, a->free));
	fix_size(d, f, area, a->bytes > UINT64_MAX / 4 ? a->bytes : a->bytes * 2);
}

/* What is not yet allocated of the file, and would not fit. */
static uint64_t missing(const struct object *o, const struct shm_area *a)
{
	uint64_t hole = o->bytes > o->allocated ? o->bytes - o->allocated : 0;

	return hole > a->free ? hole - a->free : 0;
}

static void judge_sparse(struct doctor *d, int area)
{
	const struct snapshot *s = d->s;
	const struct shm_area *a = &s->areas[area];
	struct finding *f = NULL;
	uint64_t most = 0;

	for (unsigned int i = 0; i < s->object_count; i++) {
		const struct object *o = &s->objects[i];

		if (o->area != area || !(o->status & STATUS_SPARSE) || missing(o, a) == 0)
			continue;
		if (!f) {
			f = add_finding(d, FINDING_SIGBUS_AHEAD, SEVERITY_WARNING,
					"a file in %s of %s is larger than what is free: who "
					"writes all of it is killed by SIGBUS",
					a->point, whose(d, NOBODY, area));
			f->container_a = owner_of_area(s, area);
			f->object = (int)i;
			add_evidence(d, f, "statfs /proc/%d/root%s: %s of %s are free", (int)a->pid,
				     a->point, amount(d, a->free), amount(d, a->bytes));
		}
		add_evidence(d, f, "%s: %s, of which %s are allocated", object_text(d, o),
			     amount(d, o->bytes), amount(d, o->allocated));
		if (missing(o, a) > most)
			most = missing(o, a);
	}
	/* A file of any size can be made: one that no tmpfs can hold is not grown for. */
	if (f && most < UINT64_C(1) << 40)
		fix_size(d, f, area, a->bytes + most + a->bytes / 4);
}

void judge_area(struct doctor *d, int area)
{
	const struct shm_area *a = &d->s->areas[area];

	/* A folder of a disk is as full as the disk is: that is not what this is about. */
	if (!a->seen || a->bytes == 0 || strcmp(a->fs, "tmpfs") != 0)
		return;
	judge_full(d, area);
	judge_sparse(d, area);
}

/* ---- channels and orphans */

static void show_dead(struct doctor *d, struct finding *f, const struct channel *channel)
{
	for (unsigned int i = 0; i < channel->peer_count; i++)
		if (channel->peers[i].state == COSHM_PEER_DEAD)
			add_evidence(d, f,
				     "the lock of slot %u is free: it was pid %" PRIu32
				     " (%s) in %s",
				     channel->peers[i].slot, channel->peers[i].pid,
				     channel->peers[i].command, channel->peers[i].host);
}

/* The folder of a file, for a command: through another process, as we are gone by then. */
static const char *folder_of(struct doctor *d, const struct object *o)
{
	const struct shm_area *a = &d->s->areas[o->area];
	const char *slash = strrchr(o->name, '/');
	const char *folder = memory_print(d->m, "%s%s%.*s", a->point, slash ? "/" : "",
					  slash ? (int)(slash - o->name) : 0, o->name);

	return a->pid == d->s->own_pid ? folder :
					 memory_print(d->m, "/proc/%d/root%s", (int)a->pid, folder);
}

static void judge_channel(struct doctor *d, int object)
{
	const struct object *o = &d->s->objects[object];
	const struct channel *channel = o->channel;
	const char *slash = strrchr(o->name, '/');
	struct finding *f;

	if (!channel || channel->dead == 0)
		return;
	f = add_finding(d, FINDING_DEAD_PEER, SEVERITY_WARNING,
			"%u of %u peers of the channel %s %s dead", channel->dead,
			channel->peer_count, object_text(d, o), channel->dead == 1 ? "is" : "are");
	f->object = object;
	f->container_a = owner_of_area(d->s, o->area);
	show_dead(d, f, channel);
	if (channel->dead < channel->peer_count) {
		f->fix_note = "Who waits in the channel, or opens it next, recovers for the dead: "
			      "nothing is lost. Start the program again that died.";
		return;
	}
	add_fix(d, f, "coshm rm --dir %s %s", word(d, folder_of(d, o)),
		word(d, slash ? slash + 1 : o->name));
	f->fix_note = "Or start its programs again: they go on with what is there.";
}

void judge_channels(struct doctor *d, int area)
{
	for (unsigned int i = 0; i < d->s->object_count; i++)
		if (d->s->objects[i].kind == OBJECT_CHANNEL && d->s->objects[i].area == area)
			judge_channel(d, (int)i);
}

static void show_orphan(struct doctor *d, struct finding *f, int object, const char *why)
{
	const struct object *o = &d->s->objects[object];

	add_evidence(d, f, "%s of %s: %s, %s", object_text(d, o), whose(d, o->ipcns, o->area),
		     amount(d, o->bytes), why);
}

void judge_orphans(struct doctor *d, int ipcns, int area, const char *name)
{
	const struct snapshot *s = d->s;
	struct finding *f = NULL;
	unsigned int count = 0;
	uint64_t bytes = 0;

	for (unsigned int i = 0; i < s->object_count; i++) {
		const struct object *o = &s->objects[i];
		const char *why = "";

		if (name && (o->ipcns == NOBODY || o->ipcns != ipcns) &&
		    (o->area == NOBODY || o->area != area))
			continue;
		if (object_orphan(s, (int)i, &why) != ORPHAN_YES)
			continue;
		if (!f)
			f = add_finding(d, FINDING_ORPHAN, SEVERITY_WARNING, "%s", "");
		count++;
		bytes += o->bytes;
		show_orphan(d, f, (int)i, why);
	}
	if (!f)
		return;
	f->title = memory_print(d->m, "nobody uses %u %s (%s)", count,
				count == 1 ? "object" : "objects", amount(d, bytes));
	add_fix(d, f, "coshm clean --yes%s%s", name ? " " : "", name ? word(d, name) : "");
	f->fix_note =
		"Without --yes it shows all of them, and removes nothing. A program that was to "
		"find them there when it starts again would miss them.";
}

/* ---- what a joiner asked for */

static void judge_shm_size(struct doctor *d, int joiner)
{
	const struct container *c = &d->s->containers[joiner];
	const struct shm_area *a = &d->s->areas[c->shm_area];
	struct finding *f;

	if (c->shm_size == 0 || c->shm_size == DEFAULT_SHM_SIZE || c->shm_size == a->bytes)
		return;
	f = add_finding(d, FINDING_SHM_SIZE_IGNORED, SEVERITY_WARNING,
			"the --shm-size of %s is ignored: %s decides", c->name,
			c->donor == NOBODY ? "the host" : d->s->containers[c->donor].name);
	f->container_a = joiner;
	f->container_b = c->donor;
	add_evidence(d, f, "%s inspect %s: ShmSize %s, IpcMode %.22s", engine_name(c->engine),
		     c->name, amount(d, c->shm_size), c->ipc_mode);
	add_evidence(d, f, "statfs /proc/%d/root%s: %s", (int)a->pid, a->point,
		     amount(d, a->bytes));
	if (c->shm_size > a->bytes)
		fix_size(d, f, c->shm_area, c->shm_size);
	else
		f->fix_note = "It has more than it asked for: leave the option out.";
}

static void judge_sysctls(struct doctor *d, int joiner)
{
	const struct container *c = &d->s->containers[joiner];
	const char *donor = c->donor == NOBODY ? "the host" : d->s->containers[c->donor].name;
	const struct ipcns *ns = c->ipcns == NOBODY ? NULL : &d->s->ipcns[c->ipcns];
	struct finding *f;

	if (c->sysctls[0] == '\0')
		return;
	f = add_finding(
		d, FINDING_SYSCTL_OF_DONOR, SEVERITY_WARNING,
		"the --sysctl of %s has changed the limits of %s, whose namespace it joined",
		c->name, donor);
	f->container_a = joiner;
	f->container_b = c->donor;
	add_evidence(d, f, "%s inspect %s: Sysctls %s", engine_name(c->engine), c->name,
		     c->sysctls);
	if (ns)
		add_evidence(d, f,
			     "ipc:[%" PRIu64 "]: kernel.shmmni %" PRIu64 ", kernel.shmmax %" PRIu64
			     ", kernel.shmall %" PRIu64,
			     ns->ino, ns->limits.shmmni, ns->limits.shmmax, ns->limits.shmall);
	f->fix_note = memory_print(d->m,
				   "Give it to %s when that is made anew, and not to %s: whoever "
				   "joins last changes it for all.",
				   donor, c->name);
}

void judge_joiner_options(struct doctor *d, int container)
{
	const struct container *c = &d->s->containers[container];

	if (c->process == NOBODY || c->state == CONTAINER_STOPPED)
		return;
	if (c->donor == NOBODY && strcmp(c->ipc_mode, "host") != 0)
		return;
	if (c->shm_area != NOBODY)
		judge_shm_size(d, container);
	judge_sysctls(d, container);
}
