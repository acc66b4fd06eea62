/* SPDX-License-Identifier: Apache-2.0 */
/*
 * doctor_between.c - two share a namespace: what is still in the way.
 */
#include <inttypes.h>
#include <string.h>

#include "doctor_rules.h"

static bool is_of(const struct party *who, const struct process *p)
{
	return p == who->p || (who->c && p->container == who->container);
}

static bool in_common(const struct party *a, const struct party *b, const struct object *o)
{
	return (o->ipcns != NOBODY && o->ipcns == a->ipcns && a->ipcns == b->ipcns) ||
	       (o->area != NOBODY && o->area == a->area && a->area == b->area);
}

static bool uses(const struct snapshot *s, const struct party *who, int object)
{
	for (unsigned int i = 0; i < s->use_count; i++)
		if (s->uses[i].object == object && is_of(who, &s->processes[s->uses[i].process]))
			return true;
	return false;
}

/* ---- uid and mode */

/*
 * Root passes the mode of files; System V asks for CAP_IPC_OWNER, which engines
 * give to nobody but privileged containers.
 */
static bool may_read(const struct object *o, const struct process *p, const struct container *c)
{
	bool file = o->kind > OBJECT_MSG;
	mode_t bits;

	if (p->uid == 0 && (file || !c || c->privileged))
		return true;
	if (p->uid == o->uid || (!file && p->uid == o->cuid))
		bits = o->mode >> 6;
	else if (p->gid == o->gid || (!file && p->gid == o->cgid))
		bits = o->mode >> 3;
	else
		bits = o->mode;
	return bits & 4;
}

static bool any_may_read(const struct snapshot *s, const struct party *who, const struct object *o)
{
	for (unsigned int i = 0; i < s->process_count; i++)
		if (is_of(who, &s->processes[i]) && may_read(o, &s->processes[i], who->c))
			return true;
	return false;
}

/* Who is made anew, if one has to be: a donor would leave its joiner behind. */
static const struct party *joiner_of(const struct party *a, const struct party *b)
{
	return a->c && a->c->donor != NOBODY && (!b->c || b->c->donor == NOBODY) ? a : b;
}

static void fix_denied(struct doctor *d, struct finding *f, const struct object *o,
		       const struct party *owner, const struct party *denied)
{
	const struct party *joiner = joiner_of(owner, denied);
	uid_t uid = joiner == denied ? o->uid : denied->p->uid;
	gid_t gid = joiner == denied ? o->gid : denied->p->gid;
	const char *ids = memory_print(d->m, "%u:%u", uid, gid);
	struct option_words words = {
		.run = memory_print(d->m, "--user=%s", ids),
		.compose = memory_print(d->m, "user: \"%s\"", ids),
		.kubernetes = memory_print(d->m,
					   "securityContext.runAsUser: %u, runAsGroup: %u of its "
					   "container",
					   uid, gid),
	};

	if (o->kind <= OBJECT_MSG || o->area == NOBODY) {
		fix_remake(d, f, joiner, &words);
		return;
	}
	add_fix(d, f, "chmod a+rw %s",
		word(d,
		     memory_print(d->m, "/proc/%d/root%s", (int)denied->p->pid, path_text(d, o))));
	f->fix_note = memory_print(d->m,
				   "Or let %s run with %s. The mode is what the program that makes "
				   "it asks for, less its umask.",
				   joiner->name, words.run);
}

/* What @owner uses and no process of @other may open. */
static void judge_denied(struct doctor *d, const struct party *owner, const struct party *other)
{
	const struct snapshot *s = d->s;
	struct finding *f = NULL;

	for (unsigned int i = 0; i < s->object_count; i++) {
		const struct object *o = &s->objects[i];

		if (o->kind >= OBJECT_DELETED || !in_common(owner, other, o) ||
		    (o->uses > 0 && !uses(s, owner, (int)i)) || any_may_read(s, other, o) ||
		    uses(s, other, (int)i) || (o->uses == 0 && !any_may_read(s, owner, o)))
			continue;
		if (!f) {
			f = add_finding(d, FINDING_DENIED, SEVERITY_WARNING,
					"%s may not open what %s has in shared memory", other->name,
					owner->name);
			about(f, owner, other);
			f->object = (int)i;
			add_evidence(d, f, "%s runs as uid %u, gid %u", other->name, other->p->uid,
				     other->p->gid);
			fix_denied(d, f, o, owner, other);
		}
		add_evidence(d, f, "%s is of uid %u, gid %u, mode %03o", object_text(d, o), o->uid,
			     o->gid, o->mode & 0777u);
	}
}

/* ---- SELinux */

/* "user:role:type:level"; an AppArmor profile has no such form. */
static const char *level_of(const char *label)
{
	for (unsigned int i = 0; label && i < 3; i++) {
		label = strchr(label, ':');
		label = label ? label + 1 : NULL;
	}
	return label;
}

static bool confined(const char *label)
{
	return level_of(label) && !strstr(label, ":spc_t:") && !strstr(label, ":unconfined_t:") &&
	       !strstr(label, ":container_runtime_t:");
}

static void judge_labels(struct doctor *d, const struct party *a, const struct party *b)
{
	const struct party *joiner = joiner_of(a, b);
	struct finding *f;
	const char *level;

	if (!a->c || !b->c || !confined(a->c->label) || !confined(b->c->label) ||
	    strcmp(a->c->label, b->c->label) == 0)
		return;
	level = level_of(joiner == b ? a->c->label : b->c->label);
	f = add_finding(d, FINDING_LABEL, SEVERITY_ERROR,
			"SELinux keeps %s and %s apart: their labels differ", a->name, b->name);
	about(f, a, b);
	add_evidence(d, f, "/proc/%d/attr/current is %s", (int)a->p->pid, a->c->label);
	add_evidence(d, f, "/proc/%d/attr/current is %s", (int)b->p->pid, b->c->label);
	fix_remake(
		d, f, joiner,
		&(struct option_words){
			.run = memory_print(d->m, "--security-opt=label=level:%s", word(d, level)),
			.compose = memory_print(d->m, "security_opt: [\"label=level:%s\"]", level),
			.kubernetes = memory_print(
				d->m, "securityContext.seLinuxOptions.level: \"%s\"", level),
		});
}

/* ---- process ids and user ids that mean something else to the other */

static void fix_pids(struct doctor *d, struct finding *f, const struct party *other,
		     const struct party *joiner)
{
	const char *compose;

	if (!other->c || !joiner->c)
		return;
	if (in_compose(other->c) && strcmp(other->c->project, joiner->c->project) == 0)
		compose = memory_print(d->m, "pid: \"service:%s\"", other->c->service);
	else
		compose = memory_print(d->m, "pid: \"container:%s\"", other->name);
	fix_remake(d, f, joiner,
		   &(struct option_words){
			   .run = memory_print(d->m, "--pid=container:%s", word(d, other->name)),
			   .compose = compose,
			   .kubernetes = "shareProcessNamespace: true",
		   });
}

static void judge_pids(struct doctor *d, const struct party *a, const struct party *b)
{
	const struct snapshot *s = d->s;
	struct finding *f = NULL;

	if (a->p->pidns_ino == b->p->pidns_ino || a->p->pidns_ino == 0 || b->p->pidns_ino == 0)
		return;
	for (unsigned int i = 0; i < s->object_count; i++) {
		const struct object *o = &s->objects[i];

		if (o->mutexes == 0 || !in_common(a, b, o))
			continue;
		if (!f) {
			f = add_finding(d, FINDING_PID_LIVENESS, SEVERITY_WARNING,
					"%s and %s have different PID namespaces, and pthread "
					"mutexes in shared memory: a death of one can let both in",
					a->name, b->name);
			about(f, a, b);
			f->object = (int)i;
			add_evidence(d, f,
				     "/proc/%d/ns/pid is pid:[%" PRIu64 "], /proc/%d/ns/pid is "
				     "pid:[%" PRIu64 "]",
				     (int)a->p->pid, a->p->pidns_ino, (int)b->p->pid,
				     b->p->pidns_ino);
		}
		add_evidence(d, f, "%s holds what looks like %u process-shared mutex%s",
			     object_text(d, o), o->mutexes, o->mutexes == 1 ? "" : "es");
	}
	if (!f)
		return;
	fix_pids(d, f, joiner_of(a, b) == a ? b : a, joiner_of(a, b));
	f->fix_note = "A robust mutex keeps the number of its owner's thread, which means another "
		      "one in another PID namespace. Channels (coshm.h) keep no process ids.";
}

static void judge_users(struct doctor *d, const struct party *a, const struct party *b)
{
	struct finding *f;

	if (!other_users(a, b))
		return;
	f = add_finding(d, FINDING_USER_NAMESPACE, SEVERITY_NOTE,
			"%s and %s have different user namespaces: one's uid 0 is not the other's",
			a->name, b->name);
	about(f, a, b);
	show_users(d, f, a, b);
}

void judge_between(struct doctor *d, const struct party *a, const struct party *b)
{
	judge_denied(d, a, b);
	judge_denied(d, b, a);
	judge_labels(d, a, b);
	judge_pids(d, a, b);
	judge_users(d, a, b);
	if (a->container != NOBODY)
		judge_joiner_options(d, a->container);
	if (b->container != NOBODY)
		judge_joiner_options(d, b->container);
	if (a->ipcns != NOBODY && a->ipcns == b->ipcns)
		judge_limits(d, a->ipcns);
	if (a->area != NOBODY && a->area == b->area) {
		judge_area(d, a->area);
		judge_channels(d, a->area);
	}
	judge_orphans(d, a->ipcns == b->ipcns ? a->ipcns : NOBODY,
		      a->area == b->area ? a->area : NOBODY,
		      a->c ? a->name : memory_print(d->m, "%d", (int)a->p->pid));
}
