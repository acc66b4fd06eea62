/* SPDX-License-Identifier: Apache-2.0 */
/*
 * doctor_told.c - what containers were told about sharing, and whether they got it.
 */
#include <string.h>

#include "doctor_rules.h"

bool told_to_join(const struct party *joiner, const struct party *donor)
{
	return joiner->c && donor->container != NOBODY && joiner->c->donor == donor->container;
}

bool same_pod(const struct party *a, const struct party *b)
{
	return in_kubernetes(a->c) && in_kubernetes(b->c) && same_text(a->c->pod, b->c->pod) &&
	       strcmp(a->c->pod_namespace, b->c->pod_namespace) == 0;
}

bool same_donor(const struct party *a, const struct party *b)
{
	return a->c && b->c && same_text(a->c->donor_id, b->c->donor_id);
}

/* Without an engine's list of all that it has, one that is stopped is not seen at all. */
bool donor_is_gone(const struct party *who)
{
	return who->c && who->c->named && !in_kubernetes(who->c) && who->c->donor_id[0] != '\0' &&
	       who->c->donor == NOBODY;
}

bool has_mode(const struct party *who, const char *mode)
{
	return who->c && strcmp(who->c->ipc_mode, mode) == 0;
}

bool own_shm(const struct party *who)
{
	return who->c && who->c->own_shm[0] != '\0';
}

bool no_shm(const struct doctor *d, const struct party *who)
{
	const struct shm_area *area = who->area == NOBODY ? NULL : &d->s->areas[who->area];

	return has_mode(who, "none") ||
	       (who->c && who->p && (!area || (strcmp(area->root, "/shm") == 0 && !own_shm(who))));
}

bool shareable(const struct party *who)
{
	return has_mode(who, "shareable") ||
	       (who->c && who->c->engine == ENGINE_PODMAN &&
		(who->c->ipc_mode[0] == '\0' || who->c->pod[0] != '\0'));
}

const char *other_kernel(const struct party *who)
{
	static const char *const runtimes[] = { "runsc", "gvisor", "kata", "krun", "firecracker" };
	const char *said;

	if (!who->c)
		return NULL;
	/* Kubernetes does not tell; a process of gVisor's says it by its name. */
	said = who->c->runtime[0] != '\0' || !who->p ? who->c->runtime : who->p->command;
	for (size_t i = 0; i < sizeof(runtimes) / sizeof(runtimes[0]); i++)
		if (strstr(said, runtimes[i]))
			return said;
	return NULL;
}

bool other_users(const struct party *a, const struct party *b)
{
	return a->p->userns_ino != b->p->userns_ino && a->p->userns_ino != 0 &&
	       b->p->userns_ino != 0;
}

/* Another one that was told to join what this one was told to join, from there on; or NOBODY. */
static int find_sibling(const struct snapshot *s, const struct container *c, unsigned int from)
{
	for (; from < s->container_count; from++)
		if (&s->containers[from] != c &&
		    same_text(s->containers[from].donor_id, c->donor_id) &&
		    s->containers[from].state != CONTAINER_STOPPED)
			return (int)from;
	return NOBODY;
}

/* Told once of all who have lost one donor. */
static void judge_orphaned_joiner(struct doctor *d, const struct party *joiner)
{
	int sibling = find_sibling(d->s, joiner->c, 0);
	struct party other;

	if (!joiner->p) {
		cannot_start(d, joiner);
	} else if (sibling == NOBODY) {
		until_restart(d, joiner, NULL);
	} else if (sibling > joiner->container) {
		other = party_of_container(d, sibling);
		until_restart(d, joiner, &other);
	}
}

static void judge_donor_of(struct doctor *d, const struct party *joiner, int container)
{
	struct party donor = party_of_container(d, container);
	unsigned int before = d->out->count;

	judge_pair(d, &donor, joiner);
	if (d->out->count > before && d->out->findings[before].severity <= SEVERITY_NOTE)
		d->out->count = before;
}

/* The first container of its pod, which stands for all the others. */
static int first_of_pod(struct doctor *d, const struct party *who)
{
	struct party other;

	for (int i = 0; in_kubernetes(who->c) && i < who->container; i++) {
		other = party_of_container(d, i);
		if (other.p && same_pod(&other, who))
			return i;
	}
	return NOBODY;
}

void judge_told(struct doctor *d, int container)
{
	struct party joiner = party_of_container(d, container);
	unsigned int before = d->out->count;
	int donor = joiner.c->donor;

	if (donor_is_gone(&joiner))
		judge_orphaned_joiner(d, &joiner);
	else if (joiner.p && donor == NOBODY)
		donor = first_of_pod(d, &joiner);
	if (joiner.p && donor != NOBODY)
		judge_donor_of(d, &joiner, donor);
	for (unsigned int i = before; i < d->out->count; i++)
		d->out->findings[i].verdict = false;
}
