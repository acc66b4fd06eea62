/* SPDX-License-Identifier: Apache-2.0 */
/*
 * run_init.c - "coshm run --init": the limits of a directory, set before its
 * first program.
 */
#include "run_init.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>

#include "cli.h"
#include "create.h"
#include "run.h"

static const struct {
	size_t offset;
	bool wide, bytes;
} fields[RUN_LIMITS_END - RUN_SHMMAX] = {
#define FIELD(number, name, ...)                                                                   \
	[number - RUN_SHMMAX] = { offsetof(struct sysv_limits, name), __VA_ARGS__ }
	FIELD(RUN_SHMMAX, shmmax, true, true),   FIELD(RUN_SHMALL, shmall, true, false),
	FIELD(RUN_SHMMNI, shmmni, false, false), FIELD(RUN_SEMMSL, semmsl, false, false),
	FIELD(RUN_SEMMNS, semmns, false, false), FIELD(RUN_SEMOPM, semopm, false, false),
	FIELD(RUN_SEMMNI, semmni, false, false), FIELD(RUN_MSGMAX, msgmax, false, true),
	FIELD(RUN_MSGMNB, msgmnb, false, true),  FIELD(RUN_MSGMNI, msgmni, false, false),
#undef FIELD
};

const char *run_take_limit(struct sysv_limits *limits, enum run_limit limit, const char *text)
{
	unsigned int which = limit - RUN_SHMMAX;
	char *field = (char *)limits + fields[which].offset;
	uint64_t number;
	uint32_t narrow;

	if (fields[which].bytes && parse_bytes(text, &number) < 0)
		return "this limit takes bytes, as in 4096 or 512M";
	if (!fields[which].bytes && parse_number(text, 0, UINT64_MAX, &number) < 0)
		return "this limit takes a whole number";
	if (!fields[which].wide && number > UINT32_MAX)
		return "this limit is below 4G";
	narrow = (uint32_t)number;
	if (fields[which].wide)
		memcpy(field, &number, sizeof(number));
	else
		memcpy(field, &narrow, sizeof(narrow));
	return NULL;
}

int run_init(const char *dir, const struct sysv_limits *limits)
{
	char real[PATH_MAX];
	int err;

	if (run_check_dir(dir, real) != CLI_OK)
		return CLI_FAILED;
	err = sysv_table_create(real, limits);
	if (err == 0)
		return CLI_OK;
	if (err == -EEXIST)
		complain(
			"limits come before the first program; when none runs and nothing in it is "
			"needed any more, remove the folder " SYSV_FOLDER " in it",
			"cannot set the limits of %s: it has some", real);
	else
		complain(NULL, "cannot set the limits of %s: %s", real, strerror(-err));
	return CLI_FAILED;
}
