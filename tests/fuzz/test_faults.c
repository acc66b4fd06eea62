/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_faults.c - what happens to the file under a channel in use.
 *
 * Where a signal cannot be prevented, a test shows that it is one: this is what
 * docs/limits.md says.
 */
#include "scene.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>

#include "fuzz.h"
#include "layout.h"

static unsigned char payload[4096];

static const struct coshm_stream_shape ring = { .size = sizeof(ring),
						.policy = COSHM_STREAM_OVERWRITE,
						.slots = 256,
						.large_bytes = sizeof(payload),
						.ring_bytes = 16 * sizeof(payload) };

/* Every slot and byte of the ring is written, and read again. */
static void play_round(struct coshm_stream *pub, struct coshm_stream *sub)
{
	struct coshm_message m;

	for (int i = 0; i < 512; i++) {
		child_check(coshm_stream_publish(pub, payload, i % 8 ? 64 : sizeof(payload), 0) ==
			    0);
		if (coshm_stream_receive(sub, payload, sizeof(payload), 0, &m) < 0)
			return;
	}
}

/* Has it open, says so, and at each word it hears, plays a round and says so. */
static void user(const struct actor *self, void *arg)
{
	struct coshm_stream *pub, *sub;

	(void)arg;
	signal(SIGBUS, SIG_DFL); /* cmocka has a handler, which would go on as a second parent */
	child_check(coshm_stream_open(NAME, COSHM_PUBLISHER, NULL, &pub) == 0);
	child_check(coshm_stream_open(NAME, COSHM_SUBSCRIBER, NULL, &sub) == 0);
	actor_say(self, 'r');
	while (actor_hear(self) != '\0') {
		play_round(pub, sub);
		actor_say(self, 'd');
	}
}

static struct actor start_user(void)
{
	struct actor a;

	assert_ok(coshm_stream_create(NAME, &ring, NULL));
	a = actor_start(user, NULL);
	assert_int_equal(actor_hear(&a), 'r');
	actor_say(&a, 'g');
	assert_int_equal(actor_hear(&a), 'd');
	return a;
}

static int open_file(void)
{
	int fd = open(scene_path(NAME), O_RDWR | O_CLOEXEC);

	assert_true(fd >= 0);
	return fd;
}

/* It was told to go on, and does not come back. */
static void assert_dies_of_sigbus(struct actor *a)
{
	int status;

	assert_int_equal(actor_hear(a), '\0');
	status = actor_end(a);
	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), SIGBUS);
}

static void test_truncated_file_is_refused_but_kills_who_has_it_mapped(void **state)
{
	struct coshm_stream *ch;
	struct coshm_info info;
	struct actor a = start_user();
	int fd = open_file();

	(void)state;
	assert_int_equal(ftruncate(fd, 13000), 0);
	actor_say(&a, 'g');
	assert_dies_of_sigbus(&a); /* no file that has a path can be sealed */
	assert_err(coshm_stream_open(NAME, COSHM_SUBSCRIBER, NULL, &ch), EPROTO, "was shortened");
	assert_err(coshm_info_read(NULL, NAME, &info), EPROTO, "was shortened");
	assert_int_equal(ftruncate(fd, 100), 0);
	assert_err(coshm_stream_open(NAME, COSHM_PUBLISHER, NULL, &ch), EPROTO, "too short");
	assert_err(coshm_remove(NULL, NAME), EPROTO, "too short");
	close(fd);
	unlink(scene_path(NAME));
}

static void punch(int fd, off_t from, off_t bytes)
{
	assert_int_equal(fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, from, bytes), 0);
}

static void test_holes_only_lose_messages(void **state)
{
	struct actor a = start_user();
	struct coshm_stream *ch;
	int fd = open_file();

	(void)state;
	punch(fd, LAYOUT_META_BYTES, 1 << 20); /* all slots and the byte ring */
	actor_say(&a, 'g');
	assert_int_equal(actor_hear(&a), 'd');
	punch(fd, 0, 4096); /* the header: nobody looks at it twice */
	actor_say(&a, 'g');
	assert_int_equal(actor_hear(&a), 'd');
	assert_err(coshm_stream_open(NAME, COSHM_SUBSCRIBER, NULL, &ch), EPROTO, "not a coshm");
	actor_kill(&a);
	close(fd);
	unlink(scene_path(NAME));
}

/* A file system of a megabyte over the scene's directory, in a namespace of our own. */
static bool small_file_system(void)
{
	return unshare(CLONE_NEWNS) == 0 && mount("", "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 &&
	       mount("tmpfs", scene_dir, "tmpfs", 0, "size=1m") == 0;
}

static void fill_up(void)
{
	int fd = open(scene_path("filler"), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

	child_check(fd >= 0);
	while (write(fd, payload, sizeof(payload)) > 0)
		;
	child_check(errno == ENOSPC);
	close(fd);
}

/* 's': no such file system can be had; 'o': all was as it has to be; then with a hole. */
static void full_disk(const struct actor *self, void *arg)
{
	struct coshm_stream_shape large = ring;
	struct coshm_stream *pub, *sub;
	int fd;

	(void)arg;
	signal(SIGBUS, SIG_DFL);
	if (!small_file_system()) {
		actor_say(self, 's');
		return;
	}
	large.ring_bytes = 1 << 20;
	child_check(coshm_stream_create("large", &large, NULL) == -ENOSPC);
	child_check(strstr(coshm_errmsg(), "cannot allocate") != NULL);
	child_check(access(scene_path("large"), F_OK) < 0);
	child_check(coshm_stream_create(NAME, &ring, NULL) == 0);
	fill_up();
	child_check(coshm_stream_create("small", NULL, NULL) == -ENOSPC);
	child_check(coshm_stream_open(NAME, COSHM_PUBLISHER, NULL, &pub) == 0);
	child_check(coshm_stream_open(NAME, COSHM_SUBSCRIBER, NULL, &sub) == 0);
	play_round(pub, sub); /* touches what nobody has touched before */
	actor_say(self, 'o');
	fd = open(scene_path(NAME), O_RDWR | O_CLOEXEC);
	child_check(fd >= 0 && fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
					 LAYOUT_META_BYTES, 1 << 20) == 0);
	fill_up();
	play_round(pub, sub);
	actor_say(self, 'x'); /* not reached */
}

static void test_full_file_system_is_an_error_at_creation(void **state)
{
	struct actor a = actor_start(full_disk, NULL);
	char said = actor_hear(&a);

	(void)state;
	if (said == 's') {
		actor_end(&a);
		skip();
	}
	assert_int_equal(said, 'o');
	assert_dies_of_sigbus(&a); /* a hole in a file of a full file system */
}

static void patch_header(size_t at, uint32_t value)
{
	uint8_t header[sizeof(struct header_shared)];
	int fd = open_file();

	assert_int_equal(pread(fd, header, sizeof(header), 0), sizeof(header));
	memcpy(header + at, &value, sizeof(value));
	fuzz_repair(header, sizeof(header));
	assert_int_equal(pwrite(fd, header, sizeof(header), 0), sizeof(header));
	close(fd);
}

static void test_another_version_is_named(void **state)
{
	struct coshm_latest *ch;
	struct coshm_info info;

	(void)state;
	assert_ok(coshm_latest_create(NAME, 8, 0, NULL));
	patch_header(offsetof(struct header_shared, version), 2);
	assert_err(coshm_latest_open(NAME, COSHM_SUBSCRIBER, NULL, &ch), EPROTONOSUPPORT,
		   "has layout 2");
	assert_err(coshm_info_read(NULL, NAME, &info), EPROTONOSUPPORT, "knows layout 1");
	patch_header(offsetof(struct header_shared, version), LAYOUT_VERSION);
	patch_header(offsetof(struct header_shared, must_understand), 0x10);
	assert_err(coshm_latest_open(NAME, COSHM_PUBLISHER, NULL, &ch), EPROTONOSUPPORT,
		   "features 0x10");
	patch_header(offsetof(struct header_shared, must_understand), 0);
	assert_ok(coshm_latest_open(NAME, COSHM_PUBLISHER, NULL, &ch));
	coshm_latest_close(ch);
	assert_ok(coshm_remove(NULL, NAME));
}

static void test_type_names_are_printable(void **state)
{
	struct coshm_create_opts o = { .size = sizeof(o), .type = { .name = "a\033[2J" } };
	struct coshm_latest *ch;

	(void)state;
	assert_err(coshm_latest_create(NAME, 8, 0, &o), EINVAL, "control character");
	o.type.name = "Gr\303\266\303\237e"; /* UTF-8 is no control character */
	assert_ok(coshm_latest_create(NAME, 8, 0, &o));
	patch_header(offsetof(struct header_shared, type_name), 0x1b5b324a);
	assert_err(coshm_latest_open(NAME, COSHM_OBSERVER, NULL, &ch), EPROTO, "control character");
	unlink(scene_path(NAME));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_truncated_file_is_refused_but_kills_who_has_it_mapped),
		cmocka_unit_test(test_holes_only_lose_messages),
		cmocka_unit_test(test_full_file_system_is_an_error_at_creation),
		cmocka_unit_test(test_another_version_is_named),
		cmocka_unit_test(test_type_names_are_printable),
	};

	return scene_run("faults", tests);
}
