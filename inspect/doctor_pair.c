/* SPDX-License-Identifier: Apache-2.0 */
/*
 * doctor_pair.c - do these two share?  They share System V objects if they are
 * in one IPC namespace, and POSIX ones if they have one /dev/shm.  If not, what
 * they were told says why.
 */
#include <inttypes.h>

#include "doctor_rules.h"

static void impossible(struct doctor *d, const struct party *a, const struct party *b)
{
	const struct party *who = other_kernel(a) ? a : b;
	struct finding *f =
		add_finding(d, FINDING_IMPOSSIBLE, SEVERITY_ERROR,
			    "%s and %s cannot share: %s has a kernel of its own (runtime %s)",
			    a->name, b->name, who->name, other_kernel(who));

	about(f, a, b);
	f->verdict = true;
	if (who->c->runtime[0] != '\0')
		add_evidence(d, f, "%s inspect %s: Runtime %s", engine_name(who->c->engine),
			     who->name, who->c->runtime);
	else
		add_evidence(d, f, "/proc/%d/comm is %s", (int)who->p->pid, who->p->command);
	if (in_kubernetes(who->c))
		add_fix(d, f, "# manifest of pod %s: without runtimeClassName", who->c->pod);
	else if (in_compose(who->c))
		add_fix(d, f, "# compose.yaml, service %s: runtime: runc", who->c->service);
	else
		fix_remake(d, f, who, &(struct option_words){ .run = "--runtime=runc" });
	f->fix_note = "Memory, locks and wake-ups end at that kernel, so channels over a volume "
		      "would not do either.";
}

void cannot_start(struct doctor *d, const struct party *who)
{
	struct finding *f = add_finding(d, FINDING_DONOR_GONE, SEVERITY_ERROR,
					"%s cannot be started again: the container that it was "
					"told to join is removed",
					who->name);

	about(f, who, NULL);
	f->verdict = true;
	show_told(d, f, who);
	fix_new_donor(d, f, who, NULL);
}

/* A donor is started before its joiner; a joiner that ran on is restarted after. */
static void fix_order(struct doctor *d, struct finding *f, const struct party *first,
		      const struct party *then)
{
	if (!first->p)
		fix_start(d, f, first);
	if (!then->p)
		fix_start(d, f, then);
	else if (told_to_join(then, first))
		fix_restart(d, f, then);
}

static void not_running(struct doctor *d, const struct party *a, const struct party *b)
{
	const struct party *stopped = a->p ? b : a;
	struct finding *f;

	if (donor_is_gone(stopped)) {
		cannot_start(d, stopped);
		return;
	}
	f = add_finding(d, FINDING_STOPPED, SEVERITY_ERROR, "%s and %s do not share: %s not run",
			a->name, b->name,
			a->p || b->p ? memory_print(d->m, "%s does", stopped->name) : "both do");
	about(f, a, b);
	f->verdict = true;
	show_told(d, f, a);
	show_told(d, f, b);
	if (told_to_join(a, b))
		fix_order(d, f, b, a);
	else
		fix_order(d, f, a, b);
}

/* It runs, and its namespaces cannot be told. */
static bool is_hidden(const struct party *who)
{
	return who->p ? who->p->ipcns_ino == 0 : who->c->state != CONTAINER_STOPPED;
}

static void unseen(struct doctor *d, const struct party *a, const struct party *b)
{
	const struct party *who = is_hidden(a) ? a : b;
	struct finding *f =
		add_finding(d, FINDING_UNSEEN, SEVERITY_NOTE,
			    "it cannot be told whether %s and %s share", a->name, b->name);

	about(f, a, b);
	f->verdict = true;
	if (who->p)
		add_evidence(d, f, "/proc/%d/ns/ipc cannot be read", (int)who->p->pid);
	else
		add_evidence(d, f, "%s inspect %s: it runs, but its process is not seen here",
			     engine_name(who->c->engine), who->name);
	f->fix_note = "Run this as root, on the machine itself or in a container with --pid=host "
		      "--privileged.";
}

void until_restart(struct doctor *d, const struct party *a, const struct party *b)
{
	struct finding *f =
		add_finding(d, FINDING_UNTIL_RESTART, SEVERITY_WARNING,
			    "%s%s%s memory until %s is restarted: the container that "
			    "it was told to join is removed, so it can never start "
			    "again",
			    a->name, b ? " and " : "",
			    b ? memory_print(d->m, "%s share", b->name) : " shares", a->name);

	about(f, a, b);
	f->verdict = true;
	show_told(d, f, a);
	if (b)
		show_told(d, f, b);
	fix_new_donor(d, f, a, b);
}

static void shared(struct doctor *d, const struct party *a, const struct party *b)
{
	if (donor_is_gone(a) || donor_is_gone(b))
		until_restart(d, donor_is_gone(a) ? a : b, donor_is_gone(a) ? b : a);
	else
		show_all(d,
			 add_finding(d, FINDING_SHARED, SEVERITY_FINE,
				     "%s and %s share System V and POSIX memory", a->name, b->name),
			 a, b);
}

/* Who has to be restarted: whoever is in another namespace than the donor, or else the older. */
static const struct party *stranded(const struct doctor *d, const struct party *a,
				    const struct party *b)
{
	const struct container *c = a->c;

	if (told_to_join(b, a))
		return b;
	if (c->donor != NOBODY && d->s->containers[c->donor].ipcns != NOBODY)
		return d->s->containers[c->donor].ipcns == a->ipcns ? b : a;
	return a->c->started_ns < b->c->started_ns ? a : b;
}

static void split(struct doctor *d, const struct party *a, const struct party *b)
{
	const struct party *joiner = stranded(d, a, b);
	struct finding *f;
	struct party donor;

	if (joiner->c->donor != NOBODY && !in_kubernetes(joiner->c)) {
		donor = party_of_container(d, joiner->c->donor);
		f = add_finding(d, FINDING_SPLIT, SEVERITY_ERROR,
				"%s and %s do NOT share: %s was restarted, and %s is still in the "
				"IPC namespace of before",
				a->name, b->name, donor.name, joiner->name);
	} else {
		f = add_finding(d, FINDING_SPLIT, SEVERITY_ERROR,
				"%s and %s do NOT share: %s is still in the IPC namespace of "
				"before",
				a->name, b->name, joiner->name);
	}
	show_all(d, f, a, b);
	if (joiner->c->donor != NOBODY && !told_to_join(joiner, joiner == a ? b : a)) {
		donor = party_of_container(d, joiner->c->donor);
		show_told(d, f, &donor);
	}
	if (donor_is_gone(joiner))
		fix_new_donor(d, f, a, b);
	else
		fix_restart(d, f, joiner);
}

static void sysv_only(struct doctor *d, const struct party *a, const struct party *b)
{
	const struct party *own = own_shm(b) || !own_shm(a) ? b : a;
	const struct party *joiner =
		told_to_join(a, b) || (!told_to_join(b, a) && own == a) ? a : b;
	struct finding *f = add_finding(d, FINDING_SYSV_ONLY, SEVERITY_WARNING,
					"%s and %s share System V memory only: each has a /dev/shm "
					"of its own",
					a->name, b->name);

	show_all(d, f, a, b);
	fix_join(d, f, joiner == a ? b : a, own != joiner, joiner);
	f->fix_note = memory_print(
		d->m, "Leave out the mount at /dev/shm that %s has (-v, --mount, --tmpfs). %s",
		own->name, f->fix_note);
}

/* As it is, with all that it has. */
static bool can_be_joined(const struct doctor *d, const struct party *donor)
{
	return shareable(donor) && !own_shm(donor) && !no_shm(d, donor);
}

static void posix_only(struct doctor *d, const struct party *a, const struct party *b)
{
	struct finding *f = add_finding(d, FINDING_POSIX_ONLY, SEVERITY_WARNING,
					"%s and %s share POSIX memory only: each has an IPC "
					"namespace of its own",
					a->name, b->name);

	show_all(d, f, a, b);
	fix_join(d, f, a, !can_be_joined(d, a), b);
	f->fix_note = memory_print(
		d->m, "Leave out the mounts at /dev/shm (-v, --mount, --tmpfs). %s", f->fix_note);
}

static bool is_of(const struct party *who, const struct process *p)
{
	return p == who->p || (who->c && p->container == who->container);
}

/* What both use of a directory that coshm run serves: its table, as a rule. */
static const struct object *common_served(const struct doctor *d, const struct party *a,
					  const struct party *b)
{
	const struct snapshot *s = d->s;
	bool used[2] = { false, false };

	for (unsigned int i = 0; i < s->use_count; i++) {
		const struct use *use = &s->uses[i];

		if (i == 0 || use->object != use[-1].object)
			used[0] = used[1] = false;
		used[0] |= is_of(a, &s->processes[use->process]);
		used[1] |= is_of(b, &s->processes[use->process]);
		if (used[0] && used[1] && object_directory(&s->objects[use->object]) >= 0)
			return &s->objects[use->object];
	}
	return NULL;
}

static void through_directory(struct doctor *d, const struct party *a, const struct party *b,
			      const struct object *o)
{
	int directory = object_directory(o);
	struct finding *f = add_finding(d, FINDING_DIRECTORY, SEVERITY_NOTE,
					"%s and %s share through %s%s%.*s alone (coshm run)",
					a->name, b->name, d->s->areas[o->area].point,
					directory > 0 ? "/" : "", directory, o->name);

	show_all(d, f, a, b);
	f->fix_note =
		"That is for programs that coshm run started; others see nothing of each other.";
}

/* Both use something in one mounted folder that is nobody's /dev/shm. */
static const struct shm_area *common_volume(const struct doctor *d, const struct party *a,
					    const struct party *b)
{
	const struct snapshot *s = d->s;

	for (unsigned int area = 0; area < s->area_count; area++) {
		bool used[2] = { false, false };

		for (unsigned int i = 0; i < s->use_count; i++) {
			const struct process *p = &s->processes[s->uses[i].process];

			if (s->objects[s->uses[i].object].area != (int)area)
				continue;
			used[0] |= is_of(a, p);
			used[1] |= is_of(b, p);
		}
		if (used[0] && used[1])
			return &s->areas[area];
	}
	return NULL;
}

/* Neither was told to join the other: whom to take as the donor. */
static bool first_is_donor(const struct doctor *d, const struct party *a, const struct party *b)
{
	if (!a->c != !b->c)
		return a->c;
	if (can_be_joined(d, a) != can_be_joined(d, b))
		return can_be_joined(d, a);
	return true;
}

/* A joiner is nobody's donor: others join whom it has joined, if that one still runs. */
static struct party donor_behind(struct doctor *d, const struct party *joiner)
{
	struct party donor = *joiner;

	if (joiner->c && joiner->c->donor != NOBODY)
		donor = party_of_container(d, joiner->c->donor);
	return donor.p ? donor : *joiner;
}

static struct finding *why_not(struct doctor *d, const struct party *a, const struct party *b,
			       const struct party *donor)
{
	const char *pair = memory_print(d->m, "%s and %s do not share", a->name, b->name);
	const struct shm_area *volume = common_volume(d, a, b);

	if (volume)
		return add_finding(d, FINDING_CHANNELS_ONLY, SEVERITY_WARNING,
				   "%s and %s share the channels in %s only", a->name, b->name,
				   volume->point);
	if (no_shm(d, a) || no_shm(d, b))
		return add_finding(d, FINDING_NO_SHM, SEVERITY_ERROR,
				   "%s: %s was made with --ipc=none, and has no /dev/shm", pair,
				   no_shm(d, a) ? a->name : b->name);
	if (other_users(a, b))
		return add_finding(d, FINDING_USER_NAMESPACE, SEVERITY_ERROR,
				   "%s: they have different user namespaces, and neither was told "
				   "to join the other",
				   pair);
	if (donor->c && shareable(donor) && own_shm(donor))
		return add_finding(d, FINDING_DONOR_OWN_SHM, SEVERITY_ERROR,
				   "%s: %s has a mount of its own at /dev/shm, so nobody can join "
				   "it",
				   pair, donor->name);
	if (has_mode(donor, "private"))
		return add_finding(d, FINDING_DONOR_PRIVATE, SEVERITY_ERROR,
				   "%s: the IPC namespace of %s is private", pair, donor->name);
	return add_finding(d, FINDING_NOT_JOINED, SEVERITY_ERROR,
			   "%s: neither was told to join the other's IPC namespace", pair);
}

static void strangers(struct doctor *d, const struct party *a, const struct party *b)
{
	bool first = first_is_donor(d, a, b);
	struct party donor = donor_behind(d, first ? a : b);
	const struct party *joiner = first ? b : a;
	const struct object *served = common_served(d, a, b);
	struct finding *f;

	if (served) {
		through_directory(d, a, b, served);
		return;
	}
	f = why_not(d, a, b, &donor);
	show_all(d, f, a, b);
	if (other_users(a, b))
		show_users(d, f, a, b);
	if (donor.ipcns != (first ? a : b)->ipcns) /* a split from it, beside */
		fix_restart(d, f, first ? a : b);
	fix_join(d, f, &donor, !can_be_joined(d, &donor), joiner);
	if (f->code == FINDING_CHANNELS_ONLY)
		f->fix_note =
			memory_print(d->m, "If that is all they need, leave it. %s", f->fix_note);
	if (own_shm(&donor))
		f->fix_note = memory_print(d->m,
					   "Make %s without its mount at /dev/shm (-v, --mount, "
					   "--tmpfs); --shm-size makes that larger. %s",
					   donor.name, f->fix_note ? f->fix_note : "");
}

bool judge_pair(struct doctor *d, const struct party *a, const struct party *b)
{
	bool sysv, posix, told;

	if (other_kernel(a) || other_kernel(b)) {
		impossible(d, a, b);
		return false;
	}
	if (is_hidden(a) || is_hidden(b)) {
		unseen(d, a, b);
		return false;
	}
	if (!a->p || !b->p) {
		not_running(d, a, b);
		return false;
	}
	sysv = a->p->ipcns_ino == b->p->ipcns_ino;
	posix = a->area != NOBODY && a->area == b->area;
	told = told_to_join(a, b) || told_to_join(b, a) || same_donor(a, b) || same_pod(a, b);
	if (sysv && posix)
		shared(d, a, b);
	else if (told && !sysv)
		split(d, a, b);
	else if (sysv)
		sysv_only(d, a, b);
	else if (posix)
		posix_only(d, a, b);
	else
		strangers(d, a, b);
	return sysv || posix;
}
