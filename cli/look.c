/* SPDX-License-Identifier: Apache-2.0 */
/*
 * look.c - see look.h.  A recorded machine in place of this one, for tests, is
 * asked for here alone.
 */
#include "look.h"

#include <stdlib.h>

#include "cli.h"

int look_quietly(const struct inspect_opts *more, struct snapshot **snapshot, char why[256])
{
	struct inspect_opts opts = more ? *more : (struct inspect_opts){ 0 };
	const char *recorded = getenv("COSHM_INSPECT_ROOT");

	if (recorded && recorded[0] != '\0')
		opts.root = recorded;
	if (inspect_scan(&opts, snapshot, why) < 0)
		return CLI_FAILED;
	return (*snapshot)->note_count == 0 ? CLI_OK : CLI_INCOMPLETE;
}

int look_failed(const char *why)
{
	complain(NULL, "cannot look at the machine: %s", why);
	return CLI_FAILED;
}

int look_again(const struct inspect_opts *more, struct snapshot **snapshot)
{
	char why[256];
	int status = look_quietly(more, snapshot, why);

	return status == CLI_FAILED ? look_failed(why) : status;
}

int look_at_machine(const struct inspect_opts *more, struct snapshot **snapshot)
{
	int status = look_again(more, snapshot);

	if (status == CLI_FAILED)
		return status;
	for (unsigned int i = 0; i < (*snapshot)->remark_count; i++)
		say("%s", (*snapshot)->remarks[i]);
	for (unsigned int i = 0; i < (*snapshot)->note_count; i++)
		say("not seen: %s", (*snapshot)->notes[i]);
	return status;
}

const char *const *look_dirs(const struct texts *named)
{
	static const char *dirs[TEXTS_MAX + 2];
	const char *own = getenv("COSHM_DIR");
	unsigned int count = 0;

	if (own && own[0] != '\0')
		dirs[count++] = own;
	for (unsigned int i = 0; named && i < named->count; i++)
		dirs[count++] = named->text[i];
	dirs[count] = NULL;
	return dirs;
}

int64_t look_pause_ns(int64_t interval_ns, int64_t cost_ns)
{
	int64_t least = 9 * cost_ns;

	return interval_ns - cost_ns > least ? interval_ns - cost_ns : least;
}
