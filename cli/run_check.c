/* SPDX-License-Identifier: Apache-2.0 */
/*
 * run_check.c - "coshm run --check": which calls of IPC a program makes, before
 * it is run.
 */
#include "run.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "calls.h"
#include "cli.h"

static bool has(const struct calls *c, enum ipc_call_kind kind)
{
	for (unsigned int i = 0; i < c->count; i++)
		if (c->call[i].kind == kind)
			return true;
	return false;
}

/* The first file that makes a call; NULL: none. */
static const char *who_calls(const struct calls *c, const char *name)
{
	for (unsigned int i = 0; i < c->count; i++)
		if (strcmp(c->call[i].name, name) == 0)
			return c->call[i].path;
	return NULL;
}

/* What cannot be seen from outside, and what is seen and not served. */
static void say_more(const struct calls *c)
{
	static const char *const more[][2] = {
		{ "syscall", "can make any of these calls by its number" },
		{ "dlopen", "can load libraries that make more of them" },
		{ "dlmopen", "can load libraries that make more of them, and past coshm run" },
	};

	for (size_t i = 0; i < sizeof(more) / sizeof(more[0]); i++) {
		const char *who = who_calls(c, more[i][0]);

		if (who)
			say("%s uses %s(), which %s", who, more[i][0], more[i][1]);
	}
	if (has(c, IPC_CALL_POSIX_MQ))
		say("POSIX message queues are not served: they stay in the IPC namespace");
}

static bool uses_any(const struct calls *c)
{
	for (unsigned int i = 0; i < c->count; i++)
		if (c->call[i].kind != IPC_CALL_ANY && c->call[i].kind != IPC_CALL_POSIX_MQ)
			return true;
	return false;
}

static int verdict(const struct calls *c, const struct run_program *p)
{
	if (p->verdict == RUN_UNKNOWN || c->needs->missing) {
		if (c->needs->missing)
			complain(NULL, "%s, which %s needs, is not found", c->needs->missing,
				 c->needs->missing_for);
		else
			complain(NULL, "cannot check %s: %s", p->path, p->why);
		return CLI_FAILED;
	}
	if (c->why_not)
		complain(p->hint, "%s cannot be served: %s", p->path, p->why);
	else if (!uses_any(c))
		say("%s makes no call that is served, as far as can be seen", p->path);
	else
		say("%s can be served", p->path);
	return c->why_not || !uses_any(c) ? CLI_FINDING : CLI_OK;
}

static int show(struct memory *m, const struct run_program *p, bool json, struct calls *c)
{
	struct elf_needs needs = { 0 };
	int err = 0;

	c->program = p->path;
	c->file = p->file;
	c->why_not = p->verdict == RUN_SERVED ? NULL : p->why;
	c->needs = &needs;
	if (p->elf.readable)
		err = elf_needs(m, p->file, &p->elf, &needs);
	if (err == 0) {
		c->call = ipc_calls_find(m, &needs, &c->count);
		err = c->call ? 0 : -ENOMEM;
	}
	if (err == 0 && json)
		err = calls_json(c, m);
	else if (err == 0 && uses_any(c))
		err = calls_table(c, m);
	if (err < 0) {
		complain(NULL, "cannot check %s: %s", p->path, strerror(-err));
		return CLI_FAILED;
	}
	fflush(stdout); /* what follows is said of it; main() has the last word if that fails */
	say_more(c);
	return verdict(c, p);
}

int run_check(struct memory *m, const char *name, bool json, const struct choice *choice)
{
	struct calls c = { .filters = choice->filters.count, .no_headings = choice->no_headings };
	struct run_library library = { .path = "" };
	struct run_program p = { .path = "" };
	struct filter filter[CHOOSE_MAX];

	if (choice_parse(choice, &call_columns, call_columns.standard, &c.selection, filter) < 0)
		return bad_usage("run ");
	c.filter = filter;
	if (run_find(name, p.path) != CLI_OK || run_find_library(m, &library) != CLI_OK)
		return CLI_FAILED;
	run_look(m, &library, &p);
	return show(m, &p, json, &c);
}
