/* SPDX-License-Identifier: Apache-2.0 */
/*
 * find.c - which containers somebody means by a word: the first of these that
 * fits any decides, so that a name hides ids and pids that look like it.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "inspect.h"

#define FEWEST_DIGITS 3u

static bool by_name(const struct container *c, const char *what)
{
	return strcmp(c->name, what) == 0;
}

static bool by_id(const struct container *c, const char *what)
{
	size_t length = strlen(what);

	return length >= FEWEST_DIGITS && strncmp(c->id, what, length) == 0;
}

/* "SERVICE", "PROJECT/SERVICE" */
static bool by_service(const struct container *c, const char *what)
{
	size_t project = strlen(c->project);

	if (c->service[0] == '\0')
		return false;
	return strcmp(c->service, what) == 0 ||
	       (strncmp(c->project, what, project) == 0 && what[project] == '/' &&
		strcmp(c->service, what + project + 1) == 0);
}

/* "POD", "NAMESPACE/POD" */
static bool by_pod(const struct container *c, const char *what)
{
	size_t space = strlen(c->pod_namespace);

	if (c->pod[0] == '\0')
		return false;
	return strcmp(c->pod, what) == 0 ||
	       (space != 0 && strncmp(c->pod_namespace, what, space) == 0 && what[space] == '/' &&
		strcmp(c->pod, what + space + 1) == 0);
}

static unsigned int find_all(const struct snapshot *s,
			     bool (*fits)(const struct container *c, const char *what),
			     const char *what, int *found, unsigned int max)
{
	unsigned int count = 0;

	for (unsigned int i = 0; i < s->container_count; i++)
		if (fits(&s->containers[i], what)) {
			if (count < max)
				found[count] = (int)i;
			count++;
		}
	return count;
}

static int find_process(const struct snapshot *s, const char *what)
{
	char *end;
	long pid;

	if (what[0] < '1' || what[0] > '9')
		return NOBODY;
	errno = 0;
	pid = strtol(what, &end, 10);
	if (errno != 0 || *end != '\0')
		return NOBODY;
	for (unsigned int i = 0; i < s->process_count; i++)
		if (s->processes[i].pid == pid)
			return (int)i;
	return NOBODY;
}

unsigned int inspect_find(const struct snapshot *s, const char *what, int *found, unsigned int max,
			  int *process)
{
	static bool (*const ways[])(const struct container *,
				    const char *) = { by_name, by_id, by_service, by_pod };
	unsigned int count = 0;

	*process = NOBODY;
	if (what[0] == '\0')
		return 0;
	for (size_t i = 0; count == 0 && i < sizeof(ways) / sizeof(ways[0]); i++)
		count = find_all(s, ways[i], what, found, max);
	if (count != 0)
		return count;
	*process = find_process(s, what);
	if (*process == NOBODY || s->processes[*process].container == NOBODY)
		return 0;
	if (max != 0)
		found[0] = s->processes[*process].container;
	return 1;
}
