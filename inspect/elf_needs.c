/* SPDX-License-Identifier: Apache-2.0 */
/*
 * elf_needs.c - see elf_needs.h.
 *
 * The order is ld.so(8)'s: RPATH, of who asks and of who asked for him, unless
 * he has a RUNPATH; LD_LIBRARY_PATH; RUNPATH; the cache; standard folders.  Left
 * aside are variants of a library for newer processors, which make the same
 * calls, and $LIB and $PLATFORM, which hardly anybody uses.
 */
#include "elf_needs.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ld_cache.h"
#include "parse.h"

#define OBJECTS_MAX 1000u

struct search {
	struct memory *m;
	struct elf_needs *needs;
	struct ld_cache cache;
	const char *libc_folder; /* where the dynamic linker really is: "" if that is not known */
};

bool elf_is_libc(const char *name)
{
	static const char *const names[] = { "libc.so.",  "libpthread.so.", "librt.so.",
					     "libdl.so.", "libm.so.",       "libresolv.so.",
					     "ld-linux",  "ld64.so.",       "ld.so." };
	const char *slash = strrchr(name, '/');

	name = slash ? slash + 1 : name;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strncmp(name, names[i], strlen(names[i])) == 0)
			return true;
	return false;
}

/* Does @path name a library that the program can have?  As the dynamic linker, go on if not. */
static bool fits(struct search *s, const char *path, struct elf_object *found)
{
	const struct elf *program = &s->needs->object[0].elf;

	if (!path || elf_read_path(s->m, path, &found->elf) < 0 ||
	    found->elf.bits != program->bits || found->elf.machine != program->machine)
		return false;
	found->path = path;
	return true;
}

/* A folder of a list with $ORIGIN in it, or NULL: it has something else that we do not know. */
static const char *expand(struct memory *m, struct span folder, const char *asker)
{
	static const char *const origin[] = { "${ORIGIN}", "$ORIGIN" };
	const char *text = span_copy(m, folder), *dollar = strchr(text, '$'), *slash;
	char real[PATH_MAX];

	if (!dollar)
		return text;
	if (!realpath(asker, real))
		return NULL;
	slash = strrchr(real, '/');
	for (int i = 0; i < 2; i++) {
		size_t length = strlen(origin[i]);

		if (strncmp(dollar, origin[i], length) == 0 && !strchr(dollar + 1, '$'))
			return memory_print(m, "%.*s%.*s%s", (int)(dollar - text), text,
					    (int)(slash - real), real, dollar + length);
	}
	return NULL;
}

/* In a list of folders with colons between them; an empty one is the working directory. */
static bool in_list(struct search *s, const char *list, const char *asker, const char *name,
		    struct elf_object *found)
{
	while (list) {
		size_t length = strcspn(list, ":");
		const char *folder = expand(s->m, span_of(list, length), asker);

		if (folder &&
		    fits(s, memory_print(s->m, "%s/%s", folder[0] ? folder : ".", name), found))
			return true;
		list = list[length] == ':' ? list + length + 1 : NULL;
	}
	return false;
}

static bool by_rpath(struct search *s, unsigned int asker, const char *name,
		     struct elf_object *found)
{
	const struct elf_object *o = s->needs->object;

	if (o[asker].elf.runpath)
		return false;
	for (;;) {
		if (!o[asker].elf.runpath && o[asker].elf.rpath &&
		    in_list(s, o[asker].elf.rpath, o[asker].path, name, found))
			return true;
		if (o[asker].asker == asker)
			return false;
		asker = o[asker].asker;
	}
}

static bool by_cache(struct search *s, const char *name, struct elf_object *found)
{
	const char *path;

	for (unsigned int n = 0; (path = ld_cache_find(&s->cache, name, n)); n++)
		if (fits(s, path, found))
			return true;
	return false;
}

static bool locate(struct search *s, unsigned int asker, const char *name, struct elf_object *found)
{
	const char *path = getenv("LD_LIBRARY_PATH");
	const struct elf_object *o = &s->needs->object[asker];

	if (strchr(name, '/'))
		return fits(s, expand(s->m, span_of(name, strlen(name)), o->path), found);
	return by_rpath(s, asker, name, found) ||
	       (path && path[0] && in_list(s, path, o->path, name, found)) ||
	       (o->elf.runpath && in_list(s, o->elf.runpath, o->path, name, found)) ||
	       by_cache(s, name, found) ||
	       (s->libc_folder[0] && in_list(s, s->libc_folder, o->path, name, found)) ||
	       in_list(s,
		       s->needs->object[0].elf.bits == 64 ? "/lib64:/usr/lib64:/lib:/usr/lib" :
							    "/lib32:/usr/lib32:/lib:/usr/lib",
		       o->path, name, found);
}

static bool is_known(const struct elf_needs *needs, const char *name)
{
	for (unsigned int i = 1; i < needs->count; i++)
		if (strcmp(needs->object[i].name, name) == 0)
			return true;
	return false;
}

static int add_needed(struct search *s, unsigned int asker, const char *name)
{
	struct elf_needs *needs = s->needs;
	struct elf_object found = { .name = name, .asker = asker }, *o;

	if (elf_is_libc(name) || is_known(needs, name))
		return 0;
	if (needs->count == OBJECTS_MAX)
		return -E2BIG;
	if (!locate(s, asker, name, &found)) {
		if (!needs->missing) {
			needs->missing = name;
			needs->missing_for = needs->object[asker].path;
		}
		return memory_failed(s->m) ? -ENOMEM : 0;
	}
	o = memory_add(s->m, needs->object, needs->count);
	if (!o)
		return -ENOMEM;
	*o = found;
	return 0;
}

/* Where libc is, is where the dynamic linker is, behind all links. */
static const char *libc_folder(struct memory *m, const struct elf *program)
{
	char real[PATH_MAX];

	if (!program->interpreter || !realpath(program->interpreter, real))
		return "";
	return memory_copy(m, real, (size_t)(strrchr(real, '/') - real));
}

int elf_needs(struct memory *m, const char *path, const struct elf *program,
	      struct elf_needs *needs)
{
	struct search s = { .m = m, .needs = needs };
	struct elf_object *o;
	int err = 0;

	*needs = (struct elf_needs){ 0 };
	s.cache = ld_cache_read(m, "/etc/ld.so.cache");
	s.libc_folder = libc_folder(m, program);
	o = memory_add(m, needs->object, needs->count);
	if (!o)
		return -ENOMEM;
	*o = (struct elf_object){ .path = path, .name = path, .elf = *program };
	/* Those that are found are added behind, and have their turn. */
	for (unsigned int i = 0; i < needs->count && err == 0; i++)
		for (unsigned int n = 0; n < needs->object[i].elf.needed_count && err == 0; n++)
			err = add_needed(&s, i, needs->object[i].elf.needed[n]);
	return err;
}
