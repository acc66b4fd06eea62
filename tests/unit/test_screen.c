/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_screen.c - what coshm top shows, on screens of all sizes.
 */
#include "look.h"

#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "screen.h"

struct scene {
	struct snapshot *before, *after;
	struct screen_view view;
	struct memory *m, *lasting;
	const struct column_set *set;
	struct selection selection;
	struct filter filter;
	struct screen screen;
	char *text;
};

static void add_home(struct snapshot *s)
{
	look_ipcns(s, 500);
	look_area(s, 50, "tmpfs");
	look_container(s, "web", 0, 0);
	look_process(s, 10, 77, 0, 0, 0);
}

static void choose(struct scene *s, const char *columns)
{
	char why[WHY_BYTES];

	assert_int_equal(columns_select(s->set, columns, &s->selection, why), 0);
}

static void choose_rows(struct scene *s, const char *text)
{
	char why[WHY_BYTES];

	assert_int_equal(filter_parse(s->set, text, &s->filter, why), 0);
	s->view.order.filters = &s->filter;
	s->view.order.filter_count = 1;
}

static int setup(void **state)
{
	struct scene *scene = test_calloc(1, sizeof(*scene));

	scene->before = look_new();
	scene->after = look_new();
	add_home(scene->before);
	add_home(scene->after);
	scene->before->taken_ns = 1000000000;
	scene->after->taken_ns = 3000000000; /* two seconds later */
	scene->m = memory_new();
	scene->lasting = memory_new();
	scene->set = top_columns(scene->lasting);
	choose(scene, scene->set->standard);
	scene->view = (struct screen_view){ .before = scene->before,
					    .now = scene->after,
					    .order.filter = "",
					    .selection = &scene->selection,
					    .rows = 24,
					    .columns = 80 };
	*state = scene;
	return 0;
}

static int teardown(void **state)
{
	struct scene *s = *state;

	free(s->text);
	memory_free(s->m);
	memory_free(s->lasting);
	inspect_free(s->before);
	inspect_free(s->after);
	test_free(s);
	return 0;
}

/* The screen as lines of text. */
static const char *shown(struct scene *s)
{
	size_t bytes;
	FILE *to;

	assert_int_equal(screen_make(&s->view, s->m, &s->screen), 0);
	free(s->text);
	to = open_memstream(&s->text, &bytes);
	assert_non_null(to);
	cells_print(s->screen.cells, to);
	fclose(to);
	return s->text;
}

#define assert_shows(s, part)                                                                      \
	do {                                                                                       \
		if (!strstr(shown(s), part))                                                       \
			fail_msg("no '%s' in\n%s", part, (s)->text);                               \
	} while (0)
#define assert_hides(s, part)                                                                      \
	do {                                                                                       \
		if (strstr(shown(s), part))                                                        \
			fail_msg("'%s' in\n%s", part, (s)->text);                                  \
	} while (0)

/* Do these come one below the other? */
static void assert_order(struct scene *s, const char *a, const char *b, const char *c)
{
	const char *text = shown(s), *x = strstr(text, a), *y = strstr(text, b),
		   *z = strstr(text, c);

	if (!x || !y || !z || x > y || y > z)
		fail_msg("not %s, %s, %s in\n%s", a, b, c, text);
}

/* Three channels in both looks: small but growing, busy, and large and losing. */
static void add_channels(struct scene *scene)
{
	struct snapshot *both[] = { scene->before, scene->after };
	static const char *const names[] = { "grows", "busy", "large" };

	for (int look = 0; look < 2; look++)
		for (int i = 0; i < 3; i++) {
			int object = look_file(both[look], OBJECT_CHANNEL, 0, 7 + i, names[i]);
			struct channel *c = look_channel(both[look], object);

			both[look]->objects[object].bytes = 4096u << i;
			both[look]->objects[object].allocated = 4096;
			c->messages = i == 1 ? 1000u + 3000u * (unsigned int)look : 10;
			c->waits = i == 0 ? 20u * (unsigned int)look : 0;
			c->lost = i == 2 ? 5u * (unsigned int)look : 0;
		}
	scene->after->objects[0].allocated = 4096 * 3;
}

static void test_rates(void **state)
{
	struct scene *s = *state;

	add_channels(s);
	assert_shows(s, "stream    busy");
	assert_shows(s, "8K       0     0   1.5k      0      0");
	assert_shows(s, "4K     +4K     0      0     10      0");
	assert_shows(s, "16K       0     0      0      0      5");
	assert_shows(s, "web ");
}

static void test_no_look_before(void **state)
{
	struct scene *s = *state;

	add_channels(s);
	s->view.before = NULL;
	assert_shows(s, "8K       -     0      -      -      0");
}

static void test_sorts(void **state)
{
	struct scene *s = *state;

	add_channels(s);
	assert_order(s, "large", "busy", "grows");
	s->view.order.sort = TOP_GROWTH;
	assert_order(s, "grows", "large", "busy");
	s->view.order.sort = TOP_MESSAGES;
	assert_order(s, " busy", "large", "grows");
	s->view.order.sort = TOP_WAITS;
	assert_order(s, " grows", "large", "busy");
	s->view.order.sort = TOP_LOST;
	s->after->objects[1].channel = s->after->objects[2].channel;
	assert_order(s, "large", "busy", "grows");
	s->view.order.sort = TOP_NAME;
	assert_order(s, "busy", "grows", "large");
	s->view.order.reverse = true;
	assert_order(s, "large", "grows", "busy");
}

static void test_filter(void **state)
{
	struct scene *s = *state;

	add_channels(s);
	s->view.order.filter = "BUS";
	assert_shows(s, "stream    busy");
	assert_hides(s, "large");
	assert_shows(s, "only \"BUS\"");
	s->view.order.filter = "web";
	assert_shows(s, "large");
	s->view.order.filter = "nowhere";
	assert_shows(s, "nothing to show");
}

static void test_filter_columns(void **state)
{
	struct scene *s = *state;

	add_channels(s);
	choose_rows(s, "growth=+*");
	assert_shows(s, "stream    grows");
	assert_hides(s, "busy");
	assert_shows(s, "28K in 3 objects"); /* also of those that are not shown */
	choose_rows(s, "MSGS=1.5k");
	assert_shows(s, "stream    busy");
	assert_hides(s, "grows");
	choose_rows(s, "LOST=5");
	assert_shows(s, "stream    large");
	choose_rows(s, "CONTAINER=web");
	assert_shows(s, "busy");
	choose_rows(s, "CONTAINER=we");
	assert_shows(s, "nothing to show");
	choose_rows(s, "IPCNS=500");
	assert_shows(s, "busy");
	choose_rows(s, "PATH=*/busy");
	s->view.order.filter = "stream";
	assert_shows(s, "busy");
	s->view.order.filter = "grows";
	assert_shows(s, "nothing to show");
}

static void test_columns(void **state)
{
	struct scene *s = *state;

	add_channels(s);
	s->view.columns = 32;
	choose(s, "SIZE,PERMS,OBJECT,IPCNS");
	assert_shows(s, "\n  SIZE PERMS     OBJECT    IPCNS\n");
	assert_shows(s, "\n   16K --------- large       500\n");
	choose(s, "PERMS,SIZE");
	assert_shows(s, "\nPERMS       SIZE\n---------    16K\n");
	s->after->objects[0].name = "a-name-that-has-more-than-thirty-two-columns";
	choose(s, "NAME,SIZE");
	s->view.columns = 39;
	assert_shows(s, "\na-name-that-has-more-than-thirty     4K\n");
	s->view.columns = 60;
	assert_shows(s, "\na-name-that-has-more-than-thirty-two-columns     4K\n");
}

/* Every column alone and all at once, on screens of all widths. */
static void test_every_column(void **state)
{
	struct scene *s = *state;
	char all[1024] = "";

	add_channels(s);
	look_shm(s->after, 0, 7, 0x162e);
	assert_true(s->set->count <= SELECTION_MAX);
	for (unsigned int i = 0; i < s->set->count; i++) {
		choose(s, s->set->column[i].name);
		s->view.columns = 80;
		assert_shows(s, s->set->column[i].name);
		strcat(strcat(all, i == 0 ? "" : ","), s->set->column[i].name);
	}
	choose(s, all);
	for (s->view.columns = 0; s->view.columns < 500; s->view.columns++) {
		shown(s);
		memory_free(s->m);
		s->m = memory_new();
	}
}

/* Narrow screens keep what was named beside the usual columns. */
static void test_more_columns(void **state)
{
	struct scene *s = *state;

	add_channels(s);
	choose(s, "+PERMS");
	assert_shows(s, "LOST PERMS\n");
	s->view.columns = 76;
	assert_shows(s, "LOST PERMS\n");
	assert_hides(s, "USERS");
	s->view.columns = 25;
	assert_shows(s, "OBJECT     SIZE PERMS\n");
}

static void test_bytes(void **state)
{
	struct scene *s = *state;

	add_channels(s);
	s->view.order.exact = true;
	s->after->areas[0].used = 63 << 20;
	assert_shows(s, " 28672 in 3 objects");
	assert_shows(s, "] 98% of 67108864, 66060288 used\n");
	assert_shows(s, "4096   +4096     0      0     10      0\n");
	s->after->objects[2].bytes = UINT64_C(1) << 40;
	assert_shows(s, " 1099511627776       0     0      0 ");
}

static void test_list_alone(void **state)
{
	struct scene *s = *state;

	add_channels(s);
	s->view.no_headings = true;
	s->view.rows = s->view.columns = 0;
	choose(s, "OBJECT,SIZE");
	assert_string_equal(shown(s), "large       16K\nbusy         8K\ngrows        4K\n");
	s->view.order.filter = "nowhere";
	assert_string_equal(shown(s), "");
	s->view.rows = 4;
	s->view.columns = 80;
	s->view.order.filter = "";
	assert_shows(s, "grows");
	assert_shows(s, "q quit");
	assert_hides(s, "coshm top");
}

static void test_typing(void **state)
{
	struct scene *s = *state;

	s->view.typing = true;
	s->view.order.filter = "bu";
	assert_shows(s, "only: bu_\n");
}

static void test_tree(void **state)
{
	struct scene *s = *state;

	add_channels(s);
	s->after->containers[0].state = CONTAINER_PAUSED;
	s->view.order.by_place = true;
	assert_order(s, "500", "container web, paused", "    large");
}

static void test_help_and_message(void **state)
{
	struct scene *s = *state;

	assert_shows(s, "q quit");
	s->view.message = "not seen:\tmuch\033[2J";
	assert_shows(s, "not seen:?much?[2J\n");
	s->view.help = true;
	assert_shows(s, "sort by the next");
	assert_hides(s, "nothing to show");
	s->view.paused = true;
	s->view.help = false;
	assert_shows(s, "PAUSED");
}

static void test_bars(void **state)
{
	struct scene *s = *state;

	s->after->areas[0].used = 63 << 20;
	look_area(s->after, 51, "tmpfs");
	assert_order(s, "/dev/shm web", "[|||||", " 98% of 64M, 63M used\n");
	assert_shows(s, "  0% of 64M, 0B used\n");
	s->after->areas[1].bytes = 0; /* without a limit */
	assert_hides(s, "  0% of");
	s->after->areas[0].used = UINT64_MAX; /* nonsense is no more than full */
	assert_shows(s, "100% of 64M");
}

static void test_many_bars(void **state)
{
	struct scene *s = *state;

	for (unsigned int i = 0; i < 50; i++)
		look_area(s->after, 60 + i, "tmpfs");
	assert_shows(s, "and 46 that are less full");
	assert_int_equal(s->screen.room, 24 - 6 - 3);
}

static void assert_lines(struct scene *s, unsigned int rows, unsigned int columns)
{
	unsigned int lines = 0;

	for (const char *line = s->text; *line != '\0'; line = strchr(line, '\n') + 1) {
		assert_true(strcspn(line, "\n") <= columns);
		lines++;
	}
	assert_int_equal(lines, rows);
}

static void test_sizes(void **state)
{
	struct scene *s = *state;

	add_channels(s);
	for (s->view.rows = 1; s->view.rows < 30; s->view.rows++)
		for (s->view.columns = 1; s->view.columns < 120; s->view.columns++) {
			shown(s);
			assert_lines(s, s->view.rows, s->view.columns);
			memory_free(s->m);
			s->m = memory_new();
		}
}

static void test_small(void **state)
{
	struct scene *s = *state;

	add_channels(s);
	s->view.rows = 10;
	s->view.columns = 40;
	assert_shows(s, "\nOBJECT         CONTAINER     SIZE   MSGS\n");
	assert_shows(s, "\nbusy           web     ");
	assert_shows(s, "8K   1.5k\n");
	s->view.rows = 3;
	s->view.columns = 10;
	assert_string_equal(shown(s), "OBJECT\nlarge\nbusy\n");
	s->view.rows = 1;
	assert_string_equal(shown(s), "large\n");
}

static void test_empty(void **state)
{
	struct scene *s = *state;

	s->view.now = look_new();
	s->view.before = NULL;
	assert_shows(s, "0B in 0 objects");
	assert_shows(s, "nothing to show");
	s->view.rows = s->view.columns = 0;
	assert_shows(s, "nothing to show\n");
	s->view.order.by_place = true;
	assert_shows(s, "nothing to show\n");
	inspect_free((struct snapshot *)(uintptr_t)s->view.now);
}

static void test_thousand(void **state)
{
	struct scene *s = *state;

	for (int i = 0; i < 1000; i++) {
		look_shm(s->after, 0, i, i);
		s->after->objects[i].bytes = 4096u * (unsigned int)(1000 - i);
	}
	assert_shows(s, "\nshm       0 0x00000000");
	assert_int_equal(s->screen.lines, 1000);
	assert_lines(s, 24, 80);
	s->view.first = 999;
	assert_shows(s, "\nshm       999 0x000003e7");
	s->view.first = 5000;
	assert_lines(s, 24, 80);
	s->view.first = 0;
	s->view.rows = s->view.columns = 0;
	shown(s);
	assert_lines(s, 1000 + 3, 400);
}

/* Names of files, containers and mount points are strangers' texts. */
static void test_hostile(void **state)
{
	struct scene *s = *state;
	static const char *const names[] = {
		"\033]0;owned\007",
		"two\nlines\r",
		"\xff\xfe\x80",
		"wide \xe6\xbc\xa2\xe5\xad\x97",
		"right to left \xe2\x80\xae",
		"%s%n",
		"",
		"\302\2332J",
	};

	for (int i = 0; i < (int)(sizeof(names) / sizeof(names[0])); i++)
		look_file(s->after, OBJECT_POSIX_SHM, 0, 7 + i, names[i]);
	s->after->areas[0].point = "/dev/\033[31m\nshm";
	s->after->containers[0].name = "\033c";
	assert_shows(s, "?]0;owned?");
	assert_shows(s, "two?lines?");
	assert_shows(s, "%s%n");
	assert_shows(s, "wide \xe6\xbc\xa2\xe5\xad\x97");
	for (int tree = 0; tree < 2; tree++) {
		s->view.order.by_place = tree == 1;
		s->view.columns = tree == 1 ? 0 : 80;
		for (const char *c = shown(s); *c != '\0'; c++)
			assert_true(*c == '\n' || (unsigned char)*c >= ' ');
		assert_hides(s, "\xe2\x80\xae");
		assert_hides(s, "\xc2\x9b");
	}
}

/* A wide character that does not fit is left out, not halved. */
static void test_wide(void **state)
{
	struct scene *s = *state;

	look_file(s->after, OBJECT_POSIX_SHM, 0, 7, "abc\xe6\xbc\xa2z");
	s->view.rows = 1;
	s->view.columns = 4;
	assert_string_equal(shown(s), "abc\n");
	s->view.columns = 5;
	assert_string_equal(shown(s), "abc\xe6\xbc\xa2\n");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_rates),
		TEST(test_no_look_before),
		TEST(test_sorts),
		TEST(test_filter),
		TEST(test_filter_columns),
		TEST(test_columns),
		TEST(test_every_column),
		TEST(test_more_columns),
		TEST(test_bytes),
		TEST(test_list_alone),
		TEST(test_typing),
		TEST(test_tree),
		TEST(test_help_and_message),
		TEST(test_bars),
		TEST(test_many_bars),
		TEST(test_sizes),
		TEST(test_small),
		TEST(test_empty),
		TEST(test_thousand),
		TEST(test_hostile),
		TEST(test_wide),
	};

	if (!setlocale(LC_CTYPE, "C.UTF-8"))
		return 1;
	return cmocka_run_group_tests_name("screen", tests, NULL, NULL);
}
