/* SPDX-License-Identifier: Apache-2.0 */
/*
 * grow.c - see grow.h.
 *
 * Containers that share an IPC namespace have one /dev/shm, that of the donor.
 * Whichever of them is named, it is the one that the container really sees that
 * grows: after a restart of the donor the two are not the same any more.
 */
#include "grow.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysinfo.h>
#include <unistd.h>

#include "area.h"
#include "cli.h"
#include "look.h"
#include "text.h"

#define NAMED_MAX 8
/* The first user namespace has this number: PROC_USER_INIT_INO of the kernel. */
#define FIRST_USER_NAMESPACE 0xeffffffdu

bool grow_in_user_namespace(void)
{
	struct stat st;

	return stat("/proc/self/ns/user", &st) == 0 && st.st_ino != FIRST_USER_NAMESPACE;
}

static int find_directory(const char *path, struct grow_target *target)
{
	snprintf(target->label, sizeof(target->label), "%s", path);
	target->dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (target->dir >= 0)
		return CLI_OK;
	complain(NULL, "cannot open the directory %s: %s", path, strerror(errno));
	return CLI_FAILED;
}

static int not_found(const struct snapshot *s, const char *what)
{
	complain("coshm ls shows the containers; a directory is named with a slash in it",
		 "no container or process is called '%s'", what);
	/* It may be there all the same. */
	for (unsigned int i = 0; i < s->note_count; i++)
		say("not seen: %s", s->notes[i]);
	for (unsigned int i = 0; i < s->remark_count; i++)
		say("%s", s->remarks[i]);
	return CLI_FAILED;
}

static int several(const struct snapshot *s, const char *what, const int *found, unsigned int count)
{
	complain("give more of its id, or a name that only one has", "'%s' is %s, %s%s", what,
		 s->containers[found[0]].name, s->containers[found[1]].name,
		 count > 2 ? " and more" : "");
	return CLI_FAILED;
}

static void tell_donor(const struct snapshot *s, const struct container *c)
{
	const struct container *donor = c->donor == NOBODY ? NULL : &s->containers[c->donor];

	if (donor && donor->shm_area == c->shm_area)
		say("%s has joined %s: it is the /dev/shm of %s that grows, for both", c->name,
		    donor->name, donor->name);
	else if (donor)
		say("%s has joined %s, but no more sees its /dev/shm: the one that %s sees grows",
		    c->name, donor->name, c->name);
}

/* A container's folder is opened by openat2(2), which is younger than what makes it larger. */
static const char *open_hint(int error)
{
	if (error == ENOSYS)
		return "by name it takes Linux 5.6 or newer; name the directory, "
		       "as /proc/PID/root/dev/shm";
	return error == EACCES ? "run it as root" : NULL;
}

static int open_found(const struct snapshot *s, struct grow_target *target)
{
	const struct shm_area *area = &s->areas[target->area];

	target->pid = area->pid;
	target->dir = area_open(area);
	if (target->dir >= 0)
		return CLI_OK;
	complain(open_hint(errno), "cannot open %s: %s", target->label, strerror(errno));
	return CLI_FAILED;
}

static int find_container(const char *what, struct grow_target *target)
{
	const struct snapshot *s = target->snapshot;
	int found[NAMED_MAX], process = NOBODY;
	const struct container *c = NULL;
	unsigned int count;

	if (s->own_pid != getpid()) {
		complain(NULL, "cannot grow anything of a recorded machine");
		return CLI_FAILED;
	}
	count = inspect_find(s, what, found, NAMED_MAX, &process);
	if (count == 0 && process == NOBODY)
		return not_found(s, what);
	if (count > 1)
		return several(s, what, found, count);
	if (process == NOBODY) /* else it may see another one than its container's first */
		c = &s->containers[found[0]];
	target->area = c ? c->shm_area : s->processes[process].shm_area;
	snprintf(target->label, sizeof(target->label), "%s of %s",
		 target->area == NOBODY ? "/dev/shm" : s->areas[target->area].point,
		 c ? c->name : what);
	if (target->area == NOBODY) {
		complain(c && c->state == CONTAINER_STOPPED ? "start it first" : NULL,
			 "cannot grow %s: %s", target->label,
			 c && c->state == CONTAINER_STOPPED ? "the container is not running" :
							      "none can be seen");
		return CLI_FAILED;
	}
	if (c)
		tell_donor(s, c);
	return open_found(s, target);
}

int grow_find(const char *what, struct grow_target *target)
{
	static const struct inspect_opts quick = { .no_maps = true };
	int status;

	*target = (struct grow_target){ .dir = -1, .area = NOBODY };
	if (strchr(what, '/'))
		return find_directory(what, target);
	status = look_again(&quick, &target->snapshot);
	if (status == CLI_FAILED)
		return status;
	status = find_container(what, target);
	if (status != CLI_OK)
		grow_free(target);
	return status;
}

void grow_free(struct grow_target *target)
{
	if (target->dir >= 0)
		close(target->dir);
	inspect_free(target->snapshot);
}

/* What a memory cgroup, of either version, may use; UINT64_MAX: as much as there is. */
static uint64_t memory_limit(const char *cgroup)
{
	static const char *const files[] = { "/sys/fs/cgroup%s/memory.max",
					     "/sys/fs/cgroup/memory%s/memory.limit_in_bytes" };
	char path[4096], text[32];
	uint64_t limit = UINT64_MAX;

	for (unsigned int i = 0; i < 2 && limit == UINT64_MAX; i++) {
		FILE *file;

		if (snprintf(path, sizeof(path), i ? files[1] : files[0], cgroup) >=
		    (int)sizeof(path))
			continue;
		file = fopen(path, "re");
		if (file && fgets(text, sizeof(text), file)) {
			text[strcspn(text, "\n")] = '\0';
			if (parse_number(text, 0, UINT64_MAX, &limit) < 0)
				limit = UINT64_MAX; /* "max" */
		}
		if (file)
			fclose(file);
	}
	return limit;
}

static void warn_of_limits(const struct grow_target *target, uint64_t bytes)
{
	const struct snapshot *s = target->snapshot;
	char text[TEXT_ROOM];

	for (unsigned int i = 0; i < s->container_count; i++) {
		const struct container *c = &s->containers[i];
		uint64_t limit;

		if (c->shm_area != target->area || c->process == NOBODY)
			continue;
		limit = memory_limit(s->processes[c->process].cgroup);
		if (limit < bytes)
			say("%s may use %s of memory in all: it is killed if it fills more of "
			    "/dev/shm than that",
			    c->name, text_bytes(limit, false, text));
	}
}

void grow_warn(const struct grow_target *target, uint64_t bytes)
{
	struct sysinfo info;
	char text[TEXT_ROOM];
	uint64_t memory;

	if (sysinfo(&info) < 0)
		return;
	memory = (uint64_t)(info.totalram + info.totalswap) * info.mem_unit;
	if (bytes > memory)
		say("the machine has %s of memory and swap: filling %s would use it up",
		    text_bytes(memory, false, text), target->label);
	if (target->area != NOBODY)
		warn_of_limits(target, bytes);
}
