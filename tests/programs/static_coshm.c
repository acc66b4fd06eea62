/* SPDX-License-Identifier: Apache-2.0 */
/*
 * static_coshm.c - what the static coshm of the tests has instead: no table, as
 * Debian has no static libsmartcols, no names of groups, which libc looks up
 * in libraries that it loads, and nothing that looks at the whole machine.
 */
#include "info_report.h"
#include "pub.h"
#include "run.h"

int pub_find_group(const char *name, uint32_t *group)
{
	(void)name;
	(void)group;
	return -1;
}

int info_take_columns(struct info_columns *columns)
{
	(void)columns;
	return 0;
}

int info_pick_peers(struct info_view *view, const struct info_columns *columns)
{
	(void)view;
	(void)columns;
	return 0;
}

int info_print_table(const struct info_view *view, const struct info_columns *columns)
{
	(void)columns;
	return info_print_json(view);
}

int run_check(struct memory *m, const char *name, bool json, const struct choice *choice)
{
	(void)m;
	(void)json;
	(void)choice;
	complain(NULL, "cannot check %s: not in the static one", name);
	return CLI_FAILED;
}

#define NOT_IN_STATIC(name)                                                                        \
	const char name##_usage[] = "";                                                            \
	int cmd_##name(int argc, char **argv)                                                      \
	{                                                                                          \
		(void)argc;                                                                        \
		complain(NULL, "%s: not in the static one", argv[0]);                              \
		return CLI_FAILED;                                                                 \
	}

NOT_IN_STATIC(ls)
NOT_IN_STATIC(ps)
NOT_IN_STATIC(clean)
NOT_IN_STATIC(doctor)
NOT_IN_STATIC(grow)
NOT_IN_STATIC(top)
NOT_IN_STATIC(watch)
