/* SPDX-License-Identifier: Apache-2.0 */
/*
 * clean_pick.c - which objects the command line of coshm clean is about: by kind,
 * by age, by the containers that share them, and by their own names.
 */
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "clean.h"
#include "cli.h"

static bool kind_asked(const struct clean_asked *asked, enum object_kind kind)
{
	bool all = !asked->memory && !asked->queues && !asked->semaphores;

	if (kind == OBJECT_SEM || kind == OBJECT_POSIX_SEM)
		return all || asked->semaphores;
	if (kind == OBJECT_MSG || kind == OBJECT_POSIX_MQ)
		return all || asked->queues;
	return all || asked->memory;
}

static int64_t later(int64_t a, int64_t b)
{
	return a > b ? a : b;
}

/* When it was made, changed or used, whichever was last. */
static bool old_enough(const struct clean_asked *asked, const struct snapshot *s,
		       const struct object *o)
{
	int64_t last = later(later(o->atime, o->dtime), o->ctime);
	int64_t age_s = s->taken_ns / NS_PER_S - last;

	return asked->older_than_s == 0 || (age_s > 0 && (uint64_t)age_s >= asked->older_than_s);
}

/* A System V key as ipcs prints it, "0x0000162e", or an id. */
static bool is_number(const struct object *o, const char *word)
{
	char *end;
	long long number;

	if (o->kind > OBJECT_MSG || word[0] < '0' || word[0] > '9')
		return false;
	errno = 0;
	if (word[0] == '0' && (word[1] == 'x' || word[1] == 'X')) {
		number = (long long)strtoull(word, &end, 16);
		return *end == '\0' && errno == 0 && number == (long long)(uint32_t)o->key &&
		       number != 0;
	}
	number = strtoll(word, &end, 10);
	return *end == '\0' && errno == 0 && number == o->id;
}

/* A file by its path, as those who share it see it; or by its name, as shm_open(3) takes it. */
static bool is_named(const struct snapshot *s, const struct object *o, const char *word)
{
	const char *point = o->area == NOBODY ? "" : s->areas[o->area].point;
	size_t length = strlen(point);
	char path[PATH_MAX];

	if (o->name[0] == '\0')
		return false;
	if (length > 0 && strncmp(word, point, length) == 0 && word[length] == '/') {
		word += length + 1;
		return strcmp(word, o->name) == 0 ||
		       strcmp(word, object_path(o, path, sizeof(path))) == 0;
	}
	return strcmp(word + (word[0] == '/'), o->name) == 0;
}

/* Of a process it is what he sees, which may be other things than his container's first does. */
static bool shared_by(const struct places *p, unsigned int object, const int *container,
		      unsigned int count, int process)
{
	const struct object *o = &p->s->objects[object];

	for (unsigned int i = 0; process == NOBODY && i < count; i++)
		if (places_shares(p, container[i], object))
			return true;
	if (process == NOBODY)
		return false;
	return (o->ipcns != NOBODY && o->ipcns == p->s->processes[process].ipcns) ||
	       (o->area != NOBODY && o->area == p->s->processes[process].shm_area);
}

/* Containers and processes go before the ids of objects, for a number may be both. */
static bool want_word(const struct places *p, const char *word, int *found, bool *wanted)
{
	const struct snapshot *s = p->s;
	int process = NOBODY;
	unsigned int count = inspect_find(s, word, found, s->container_count, &process);
	bool is_place = count > 0 || process != NOBODY, any = is_place;

	for (unsigned int i = 0; i < s->object_count; i++) {
		const struct object *o = &s->objects[i];

		if (is_place ? shared_by(p, i, found, count, process) :
			       is_number(o, word) || is_named(s, o, word))
			wanted[i] = any = true;
	}
	return any;
}

int clean_wanted(const struct clean_asked *asked, const struct places *p, bool *wanted)
{
	const struct snapshot *s = p->s;
	int *found = calloc(s->container_count + 1, sizeof(*found));

	for (int i = 0; found && i < asked->words; i++) {
		if (!want_word(p, asked->word[i], found, wanted)) {
			complain("coshm ls shows both; an object is named by key, id, name or path",
				 "there is no container or object '%s'", asked->word[i]);
			free(found);
			return CLI_FAILED;
		}
	}
	free(found);
	if (!found) {
		complain(NULL, "no memory is left to look for them");
		return CLI_FAILED;
	}
	for (unsigned int i = 0; i < s->object_count; i++) {
		const struct object *o = &s->objects[i];

		wanted[i] = (wanted[i] || asked->words == 0) && kind_asked(asked, o->kind) &&
			    old_enough(asked, s, o);
	}
	return CLI_OK;
}
