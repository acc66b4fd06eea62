/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cmd_grow.c - "coshm grow": a larger /dev/shm for containers that are running.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli.h"
#include "grow.h"
#include "options.h"
#include "text.h"
#include "tmpfs.h"

const char grow_usage[] =
	"Usage: coshm grow [OPTION]... CONTAINER|PID|DIR SIZE\n"
	"Enlarge the /dev/shm of a container, or a mounted tmpfs, while it is in use.\n"
	"Nothing is restarted; what is in it stays.\n"
	"\n"
	"  CONTAINER  its name, or the beginning of its id\n"
	"  PID        any process that sees it\n"
	"  DIR        where a tmpfs is mounted: a path with a slash in it\n"
	"  SIZE       what it is to be: 512M, 2G; or how much more: +512M\n"
	"\n"
	"  -j, --json     what was changed, for programs\n"
	"  -b, --bytes    sizes with all digits\n"
	"  -h, --help     show this text\n"
	"\n"
	"It lasts until the container is started again: then its --shm-size counts.\n"
	"\n"
	"Exit status: 0 it is as large as that now; 2 it was not changed, or bad command\n"
	"line.\n";

struct grow_asked {
	bool json, exact;
};

struct sizes {
	uint64_t page, wanted;
	struct tmpfs_size before, after;
};

/* A size, or "+" and how much more; rounded up to pages, as the kernel would. */
static int take_size(const char *text, struct sizes *sizes)
{
	bool more = text[0] == '+';
	uint64_t n;

	if (parse_bytes(text + more, &n) < 0 || (n == 0 && !more) ||
	    (more && __builtin_add_overflow(n, sizes->before.bytes, &n)) ||
	    __builtin_add_overflow(n, sizes->page - 1, &n) || n > INT64_MAX) {
		complain("as in 512M, 2G or +512M", "'%s' is no size", text);
		return -1;
	}
	sizes->wanted = n - n % sizes->page;
	return 0;
}

static int refuse(const struct grow_target *target, const char *hint, const char *why)
{
	complain(hint, "cannot grow %s: %s", target->label, why);
	return CLI_FAILED;
}

static int check(const struct grow_target *target, const struct sizes *sizes)
{
	char was[TEXT_ROOM], to[TEXT_ROOM], why[160];

	if (sizes->before.bytes == 0)
		return refuse(target, NULL, "it has no limit");
	if (sizes->before.read_only)
		return refuse(target, NULL, "it is mounted read-only");
	if (sizes->wanted >= sizes->before.bytes)
		return CLI_OK;
	snprintf(why, sizeof(why), "it has %s, which is more than %s",
		 text_bytes(sizes->before.bytes, false, was), text_bytes(sizes->wanted, false, to));
	return refuse(target, "name a larger size, or how much more: +SIZE", why);
}

static int complain_size(const struct grow_target *target, int err)
{
	if (err == -EMEDIUMTYPE)
		return refuse(target, "only a tmpfs has a size that can be changed",
			      "it is no tmpfs");
	return refuse(target, NULL, strerror(-err));
}

static int complain_resize(const struct grow_target *target, int err)
{
	static const char as_root[] = "run it as root of the machine, or in a container with "
				      "--privileged --pid=host";

	switch (err) {
	case -EPERM:
	case -EACCES:
		return refuse(target, as_root,
			      grow_in_user_namespace() ?
				      "we are in a user namespace that does not own it" :
				      "CAP_SYS_ADMIN is needed, and we do not have it");
	case -EINVAL:
		return refuse(target, "name the directory that the tmpfs is mounted at",
			      "no tmpfs is mounted there");
	case -ENOSYS: /* fspick(2) */
		return refuse(target, NULL, "it takes Linux 5.2 or newer");
	default:
		return refuse(target, NULL, strerror(-err));
	}
}

static int print_json(const struct grow_target *target, const struct sizes *sizes)
{
	json_t *root =
		json_pack("{s:s, s:I, s:I, s:I}", "grown", target->label, "bytes_before",
			  (json_int_t)sizes->before.bytes, "bytes", (json_int_t)sizes->after.bytes,
			  "bytes_used", (json_int_t)sizes->after.used);
	int err = root ? json_dumpf(root, stdout, JSON_INDENT(2)) : -1;

	json_decref(root);
	putchar('\n');
	if (err == 0 || ferror(stdout))
		return CLI_OK;
	complain(NULL, "no memory to show what was done");
	return CLI_FAILED;
}

static int print(const struct grow_target *target, const struct sizes *sizes,
		 const struct grow_asked *asked)
{
	char was[TEXT_ROOM], is[TEXT_ROOM], used[TEXT_ROOM];

	if (asked->json)
		return print_json(target, sizes);
	printf("%s: %s, was %s, %s used\n", target->label,
	       text_bytes(sizes->after.bytes, asked->exact, is),
	       text_bytes(sizes->before.bytes, asked->exact, was),
	       text_bytes(sizes->after.used, asked->exact, used));
	return CLI_OK;
}

static int grow(const struct grow_target *target, const char *size, const struct grow_asked *asked)
{
	struct sizes sizes = { .page = (uint64_t)sysconf(_SC_PAGESIZE) };
	int err = tmpfs_size(target->dir, &sizes.before);

	if (err < 0)
		return complain_size(target, err);
	if (take_size(size, &sizes) < 0)
		return bad_usage("grow ");
	if (check(target, &sizes) != CLI_OK)
		return CLI_FAILED;
	grow_warn(target, sizes.wanted);
	/* Somebody else may have made it larger since then: nothing is taken away from him. */
	if (sizes.wanted > sizes.before.bytes)
		err = tmpfs_resize(target->dir, target->pid, sizes.wanted);
	if (err < 0)
		return complain_resize(target, err);
	err = tmpfs_size(target->dir, &sizes.after);
	return err < 0 ? complain_size(target, err) : print(target, &sizes, asked);
}

static const char *take_option(void *to, int c, const char *text)
{
	struct grow_asked *asked = to;

	(void)text;
	if (c == 'j')
		asked->json = true;
	else
		asked->exact = true;
	return NULL;
}

int cmd_grow(int argc, char **argv)
{
	static const struct option options[] = {
		{ "json", no_argument, NULL, 'j' },
		{ "bytes", no_argument, NULL, 'b' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	static const struct syntax syntax = { .command = "grow ",
					      .usage = grow_usage,
					      .letters = "jbh",
					      .options = options,
					      .free_operands = true,
					      .take = take_option };
	struct grow_asked asked = { 0 };
	struct grow_target target;
	int status;

	if (parse_options(&syntax, &asked, NULL, argc, argv, &status) < 0)
		return status;
	if (argc - optind != 2) {
		complain(NULL, "give a container, pid or directory, and a size");
		return bad_usage("grow ");
	}
	status = grow_find(argv[optind], &target);
	if (status != CLI_OK)
		return status;
	status = grow(&target, argv[optind + 1], &asked);
	grow_free(&target);
	return status;
}
