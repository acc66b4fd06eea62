/* SPDX-License-Identifier: Apache-2.0 */
/*
 * object.c - what the name of an object says.
 */
#include <stdio.h>
#include <string.h>

#include "inspect.h"
#include "layout_sysv.h"

const char *object_path(const struct object *o, char *room, size_t bytes)
{
	const char *slash = strrchr(o->name, '/'), *name = slash ? slash + 1 : o->name;

	snprintf(room, bytes, "%.*s%s%s", (int)(name - o->name), o->name,
		 o->kind == OBJECT_POSIX_SEM ? POSIX_SEM_PREFIX : "", name);
	return room;
}

static bool is_folder(const char *name, size_t length, const char *folder)
{
	return length == strlen(folder) && memcmp(name, folder, length) == 0;
}

int object_directory(const struct object *o)
{
	const char *slash = o->area == NOBODY ? NULL : strrchr(o->name, '/'), *at = slash;

	if (!slash)
		return -1;
	while (at > o->name && at[-1] != '/')
		at--;
	if (!is_folder(at, (size_t)(slash - at), SYSV_FOLDER) &&
	    !is_folder(at, (size_t)(slash - at), POSIX_FOLDER))
		return -1;
	return at > o->name ? (int)(at - o->name) - 1 : 0;
}
