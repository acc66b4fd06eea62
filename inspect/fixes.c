/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fixes.c - commands that mend, in the words of the engine that a container is
 * of.  A line with "#" in front is not for a shell: it says what to edit.
 *
 * No engine changes the IPC namespace of a container that is there: it is made
 * anew.  What it was made with is known in part; "..." stands for the rest.
 */
#include <inttypes.h>
#include <string.h>

#include "doctor_rules.h"

#define CHANNELS_DO                                                                                \
	"Channels (coshm.h, COSHM_DIR) need no common IPC namespace: one volume that is mounted "  \
	"in both will do."
#define FILL_IN                                                                                    \
	"In place of \"...\" write the other options and the command that it was made with, as "   \
	"the engine's inspect shows them. "

const char *engine_program(const struct container *c)
{
	if (!c)
		return NULL;
	switch (c->engine) {
	case ENGINE_DOCKER:
		return "docker";
	case ENGINE_PODMAN:
		return "podman";
	case ENGINE_CONTAINERD:
		return "nerdctl";
	default:
		return NULL;
	}
}

bool in_kubernetes(const struct container *c)
{
	return c && (c->pod_namespace[0] != '\0' || c->engine == ENGINE_CRIO);
}

bool in_compose(const struct container *c)
{
	return c && c->service[0] != '\0' && c->project[0] != '\0';
}

const char *word(struct doctor *d, const char *text)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				    "0123456789_./:@=,+%-";
	const char *quoted = "'";
	size_t run;

	if (text[0] != '\0' && text[strspn(text, plain)] == '\0')
		return text;
	for (; *text; text += run) {
		run = strcspn(text, "'");
		quoted = memory_print(d->m, "%s%.*s", quoted, (int)run, text);
		if (text[run] == '\'') {
			quoted = memory_print(d->m, "%s'\\''", quoted);
			run++;
		}
	}
	return memory_print(d->m, "%s'", quoted);
}

/* Compose 1 has a program of its own, and "_" in the names that it gives. */
static const char *compose_program(const struct container *c)
{
	size_t length = strlen(c->project);

	if (c->engine == ENGINE_PODMAN)
		return "podman-compose";
	return strncmp(c->name, c->project, length) == 0 && c->name[length] == '_' ?
		       "docker-compose" :
		       "docker compose";
}

static void fix_compose_up(struct doctor *d, struct finding *f, const struct container *c)
{
	add_fix(d, f, "%s -p %s up -d", compose_program(c), word(d, c->project));
	f->fix_note = "Run it in the folder of the Compose file. " CHANNELS_DO;
}

/* What it was made with, as far as that is known and matters here. */
static const char *known_options(struct doctor *d, const struct container *c, bool donor)
{
	const char *options = "";

	if (donor && c->shm_size != 0 && c->shm_size != DEFAULT_SHM_SIZE)
		options = memory_print(d->m, " --shm-size=%" PRIu64, c->shm_size);
	if (c->privileged)
		options = memory_print(d->m, "%s --privileged", options);
	if (c->pid_mode[0] != '\0' && strcmp(c->pid_mode, "private") != 0)
		options = memory_print(d->m, "%s --pid=%s", options, word(d, c->pid_mode));
	return options;
}

static void fix_run(struct doctor *d, struct finding *f, const struct party *who,
		    const char *program, const char *option, bool donor)
{
	const char *image = who->c && who->c->image[0] != '\0' ? word(d, who->c->image) : "IMAGE";

	if (engine_program(who->c))
		add_fix(d, f, "%s rm -f %s", engine_program(who->c), word(d, who->name));
	add_fix(d, f, "%s run -d --name %s %s%s ... %s ...", program,
		who->c ? word(d, who->name) : "NAME", option,
		who->c ? known_options(d, who->c, donor) : "", image);
}

static void fix_make_shareable(struct doctor *d, struct finding *f, const struct party *donor)
{
	if (in_compose(donor->c))
		add_fix(d, f, "# compose.yaml, service %s: ipc: \"shareable\"", donor->c->service);
	else
		fix_run(d, f, donor, engine_program(donor->c), "--ipc=shareable", true);
}

/* Pods are all that Kubernetes has; a pod's /dev/shm is that of all its containers. */
static void fix_pods(struct doctor *d, struct finding *f, const struct party *donor,
		     const struct party *joiner)
{
	const char *pod = in_kubernetes(donor->c) ? donor->c->pod : joiner->c->pod;

	add_fix(d, f,
		"# manifest of pod %s: list both containers in it; the containers of one pod share",
		pod);
	add_fix(d, f,
		"# or, on one node and with all programs of the host: spec.hostIPC: true in both "
		"pods");
	f->fix_note = "Channels (coshm.h, COSHM_DIR) need no common IPC namespace: in one pod an "
		      "emptyDir with medium: Memory, of two pods on one node a hostPath will do.";
}

static void fix_enter(struct doctor *d, struct finding *f, const struct party *donor,
		      const struct party *joiner)
{
	add_fix(d, f, "nsenter --target %d --ipc --mount ...", (int)donor->p->pid);
	f->fix_note = memory_print(d->m,
				   "In place of \"...\" write the command of %s: it then has %s's "
				   "namespace and files. " CHANNELS_DO,
				   joiner->name, donor->name);
}

/* A container of the machine's own user namespace has none that could be joined. */
static const char *users_option(struct doctor *d, const struct party *donor)
{
	const struct snapshot *s = d->s;

	for (unsigned int i = 0; i < s->process_count; i++)
		if (s->processes[i].container == NOBODY &&
		    s->processes[i].userns_ino == donor->p->userns_ino)
			return "--userns=host";
	return memory_print(d->m, "--userns=container:%s", word(d, donor->name));
}

/* An engine joins containers of its own alone, and a user namespace goes with what it owns. */
static void fix_join_engine(struct doctor *d, struct finding *f, const struct party *donor,
			    const struct party *joiner)
{
	const char *option = memory_print(d->m, "--ipc=container:%s", word(d, donor->name));

	if (donor->c->engine == ENGINE_PODMAN && donor->c->pod[0] != '\0')
		option = memory_print(d->m, "--pod=%s", word(d, donor->c->pod));
	if (donor->c->engine == ENGINE_PODMAN && joiner->p && donor->p &&
	    joiner->p->userns_ino != donor->p->userns_ino)
		option = memory_print(d->m, "%s %s", option, users_option(d, donor));
	fix_run(d, f, joiner, engine_program(donor->c), option, false);
	f->fix_note = FILL_IN CHANNELS_DO;
}

static bool same_project(const struct container *a, const struct container *b)
{
	return in_compose(a) && in_compose(b) && a->engine == b->engine &&
	       strcmp(a->project, b->project) == 0;
}

static void fix_join_compose(struct doctor *d, struct finding *f, const struct party *donor,
			     const struct party *joiner)
{
	if (same_project(donor->c, joiner->c))
		add_fix(d, f, "# compose.yaml, service %s: ipc: \"service:%s\"", joiner->c->service,
			donor->c->service);
	else
		add_fix(d, f, "# compose.yaml, service %s: ipc: \"container:%s\"",
			joiner->c->service, donor->name);
	fix_compose_up(d, f, joiner->c);
}

void fix_join(struct doctor *d, struct finding *f, const struct party *donor, bool remake,
	      const struct party *joiner)
{
	if (in_kubernetes(donor->c) || in_kubernetes(joiner->c)) {
		fix_pods(d, f, donor, joiner);
		return;
	}
	if (!engine_program(donor->c)) {
		fix_enter(d, f, donor, joiner);
		return;
	}
	if (remake)
		fix_make_shareable(d, f, donor);
	if (remake && in_compose(donor->c) && !same_project(donor->c, joiner->c))
		fix_compose_up(d, f, donor->c);
	if (in_compose(joiner->c))
		fix_join_compose(d, f, donor, joiner);
	else
		fix_join_engine(d, f, donor, joiner);
}

/* "restart" or "start", of one container */
static void fix_state(struct doctor *d, struct finding *f, const struct party *who,
		      const char *verb)
{
	if (in_kubernetes(who->c))
		add_fix(d, f, "kubectl delete pod -n %s %s", word(d, who->c->pod_namespace),
			word(d, who->c->pod));
	else if (engine_program(who->c))
		add_fix(d, f, "%s %s %s", engine_program(who->c), verb, word(d, who->name));
	else
		add_fix(d, f, "# end %s, and start it again", who->name);
}

void fix_restart(struct doctor *d, struct finding *f, const struct party *who)
{
	fix_state(d, f, who, "restart");
	if (in_kubernetes(who->c))
		f->fix_note = "Its controller makes the pod anew, with one namespace for all of "
			      "its containers.";
}

void fix_start(struct doctor *d, struct finding *f, const struct party *who)
{
	fix_state(d, f, who, "start");
}

/* Made anew, a joiner must be told again whom to join. */
static const char *join_option(struct doctor *d, const struct container *c)
{
	const char *donor = c->donor == NOBODY ? c->donor_id : d->s->containers[c->donor].name;

	return donor[0] == '\0' ? "" : memory_print(d->m, "--ipc=container:%s ", word(d, donor));
}

void fix_remake(struct doctor *d, struct finding *f, const struct party *who,
		const struct option_words *option)
{
	if (in_kubernetes(who->c)) {
		add_fix(d, f, "# manifest of pod %s: %s", who->c->pod, option->kubernetes);
	} else if (in_compose(who->c)) {
		add_fix(d, f, "# compose.yaml, service %s: %s", who->c->service, option->compose);
		fix_compose_up(d, f, who->c);
	} else if (engine_program(who->c)) {
		fix_run(d, f, who, engine_program(who->c),
			memory_print(d->m, "%s%s", join_option(d, who->c), option->run), true);
		f->fix_note = FILL_IN;
	}
}

void fix_new_donor(struct doctor *d, struct finding *f, const struct party *a,
		   const struct party *b)
{
	const char *program = engine_program(a->c), *donor;

	if (!program || in_compose(a->c)) {
		if (program)
			fix_compose_up(d, f, a->c);
		return;
	}
	donor = memory_print(d->m, "%s-ipc", a->name);
	add_fix(d, f, "%s run -d --init --name %s --ipc=shareable %s sleep infinity", program,
		word(d, donor), a->c->image[0] != '\0' ? word(d, a->c->image) : "IMAGE");
	donor = memory_print(d->m, "--ipc=container:%s", word(d, donor));
	fix_run(d, f, a, program, donor, false);
	if (b)
		fix_run(d, f, b, program, donor, false);
	f->fix_note = "A donor that only holds the namespace has no reason to be restarted or "
		      "removed. " FILL_IN;
}
