/* SPDX-License-Identifier: Apache-2.0 */
/*
 * step_region.c - channels that are made, removed and retired, and he who does it cut off anywhere.
 *
 * Whatever happens: there is one channel of the name or none, it is whole, and
 * another one can always make it, use it and remove it.
 */
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "latest.h"
#include "play.h"
#include "stream.h"

#define RACERS 7 /* and the victim */

struct region_case {
	enum layout_kind kind;
	bool leftover; /* a name is there whose remover died half-way */
};

static int act_rc, other_rc;
static struct coshm_latest *pub, *sub;

static const struct region_case *now(void)
{
	return playing->with;
}

static int create(void)
{
	struct coshm_stream_shape s = {
		.size = sizeof(s), .slots = 8, .small_bytes = 48, .large_bytes = 1000
	};

	if (now()->kind == LAYOUT_STREAM)
		return coshm_stream_create(NAME, &s, NULL);
	if (now()->kind == LAYOUT_QUEUE)
		return coshm_queue_create(NAME, NULL, NULL);
	return coshm_latest_create(NAME, 64, 0, NULL);
}

/* As coshm_retire() leaves it when it is killed before it takes the name away. */
static void make_leftover(void)
{
	struct region_shared *shared;
	char path[256];
	int fd;

	snprintf(path, sizeof(path), "%s/" NAME, getenv("COSHM_DIR"));
	fd = open(path, O_RDWR | O_CLOEXEC);
	must(fd >= 0, PLAY_WRONG, "%s: %s", path, strerror(errno));
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	must(shared != MAP_FAILED, PLAY_WRONG, "mmap: %s", strerror(errno));
	atomic_store(&shared->state.retired, 1);
}

static void setup(void)
{
	must_ok(create());
	if (now()->leftover)
		make_leftover();
}

/* A channel of this name works; -ENOENT if there is none, -ESTALE if it is on its way out. */
static int try_it(void)
{
	struct coshm_stream *stream = NULL;
	struct coshm_queue *queue = NULL;
	struct coshm_latest *p = NULL, *s = NULL;
	uint64_t sent = 4711, got = 0, number = 0;
	int rc;

	if (now()->kind == LAYOUT_STREAM) {
		rc = coshm_stream_open(NAME, COSHM_PUBLISHER, NULL, &stream);
		if (rc == 0)
			rc = coshm_stream_publish(stream, &sent, sizeof(sent), 0);
		coshm_stream_close(stream);
		return rc;
	}
	if (now()->kind == LAYOUT_QUEUE) {
		rc = coshm_queue_open(NAME, COSHM_PRODUCER, NULL, &queue);
		if (rc == 0)
			rc = coshm_queue_push(queue, &sent, sizeof(sent), 0);
		coshm_queue_close(queue);
		return rc;
	}
	rc = coshm_latest_open(NAME, COSHM_PUBLISHER, NULL, &p);
	if (rc == 0)
		rc = coshm_latest_open(NAME, COSHM_SUBSCRIBER, NULL, &s);
	if (rc == 0)
		rc = coshm_latest_publish(p, &sent, sizeof(sent));
	if (rc == 0)
		rc = coshm_latest_read(s, &got, sizeof(got), NULL, &number);
	must(rc < 0 || got == sent, PLAY_TORN, "what was sent is not what came");
	coshm_latest_close(s);
	coshm_latest_close(p);
	return rc;
}

static void must_work(void)
{
	must_ok(try_it());
	must_ok(coshm_remove(NULL, NAME));
	must(!play_exists(NAME), PLAY_DEBRIS, "removed, and still there");
}

/* Create. */

static void act_create(void)
{
	act_rc = create();
	if (act_rc == 0)
		atomic_store(&ledger->acked, 1);
}

static void check_create(void)
{
	other_rc = create();
	must(other_rc == 0 || other_rc == -EEXIST, PLAY_WRONG, "create: %s", coshm_errmsg());
	must(other_rc == -EEXIST || atomic_load(&ledger->acked) == 0, PLAY_LOST,
	     "it was made, and is gone");
	if (!play_stopping())
		must_work();
}

static void racer(void)
{
	int rc = create();

	must(rc == 0 || rc == -EEXIST, PLAY_WRONG, "create: %s", coshm_errmsg());
	if (rc == 0)
		atomic_fetch_add(&ledger->value, 1);
}

static void check_race(void)
{
	pid_t pids[RACERS];
	int status;

	for (int i = 0; i < RACERS; i++) {
		pids[i] = fork();
		if (pids[i] == 0) {
			prctl(PR_SET_PDEATHSIG, SIGKILL);
			racer();
			_exit(0);
		}
	}
	for (int i = 0; i < RACERS; i++)
		must(waitpid(pids[i], &status, 0) == pids[i] && status == 0, PLAY_WRONG,
		     "racer: 0x%x", (unsigned int)status);
	must(atomic_load(&ledger->value) <= 1, PLAY_TWICE, "%d have made it",
	     (int)atomic_load(&ledger->value));
	must(atomic_load(&ledger->value) + atomic_load(&ledger->acked) <= 1, PLAY_LOST,
	     "it was made, and is gone");
	other_rc = atomic_load(&ledger->value) == 1 ? 0 : -EEXIST;
	if (!play_stopping())
		must_work();
}

/* The stopped one has come to its end: exactly one has made it, and it is there. */
static void after_create(void)
{
	play_await_act();
	must((atomic_load(&ledger->acked) == 1) + (other_rc == 0) == 1, PLAY_TWICE,
	     "the stopped one %s it, the others %s", atomic_load(&ledger->acked) ? "made" : "not",
	     other_rc == 0 ? "also" : "not");
	must_work();
}

static void rest_create(void)
{
	must(act_rc == 0 || act_rc == -EEXIST, PLAY_WRONG, "create: %d: %s", act_rc,
	     coshm_errmsg());
}

/* Remove, nobody has it open. */

static void act_remove(void)
{
	act_rc = coshm_remove(NULL, NAME);
	if (act_rc == 0)
		atomic_store(&ledger->acked, 1);
}

/* @rc: of using the old one.  One who is stopped just at its name keeps that from others. */
static void create_instead(int rc)
{
	other_rc = create();
	must(other_rc == (rc == 0 ? -EEXIST : 0) || (other_rc == -EEXIST && play_stopping()),
	     PLAY_WRONG, "create: %d: %s", other_rc, coshm_errmsg());
}

static void check_remove(void)
{
	int rc = try_it();

	must(rc == 0 || rc == -ENOENT || rc == -ESTALE, PLAY_WRONG, "%d: %s", rc, coshm_errmsg());
	must(rc != 0 || atomic_load(&ledger->acked) == 0, PLAY_WRONG, "removed, and there");
	create_instead(rc);
	if (!play_stopping())
		must_work();
}

/* What the others made while he was stopped is not his to remove. */
static void after_remove(void)
{
	play_await_act();
	if (other_rc == 0) {
		must_work();
		return;
	}
	must(atomic_load(&ledger->acked) == 1, PLAY_WRONG, "it was not removed");
	must(!play_exists(NAME), PLAY_DEBRIS, "removed, and still there");
}

static void rest_remove(void)
{
	must(act_rc == 0 || act_rc == -ENOENT, PLAY_WRONG, "remove: %d: %s", act_rc,
	     coshm_errmsg());
}

/* Retire, with a publisher, a reader and a sleeper. */

static void sleep_until_retired(void)
{
	struct coshm_latest *ch = NULL;
	int rc;

	must_ok(coshm_latest_open(NAME, COSHM_SUBSCRIBER, NULL, &ch));
	do
		rc = coshm_latest_wait(ch, 0, 100 * MILLISECOND);
	while (rc == -ETIMEDOUT && !atomic_load(&ledger->finish));
	atomic_store(&ledger->woken_ns, play_now_ns());
	must(rc == -ESTALE || rc == -ETIMEDOUT, PLAY_WRONG, "wait: %d", rc);
	coshm_latest_close(ch);
}

static void others_retire(void)
{
	must_ok(coshm_latest_open(NAME, COSHM_PUBLISHER, NULL, &pub));
	must_ok(coshm_latest_open(NAME, COSHM_SUBSCRIBER, NULL, &sub));
	play_sleeper(sleep_until_retired);
	while (atomic_load(&sub->region.shared->state.data_sleepers) == 0)
		play_nap();
}

static void act_retire(void)
{
	act_rc = coshm_retire(NULL, NAME);
	if (act_rc == 0)
		atomic_store(&ledger->acked, 1);
}

static void check_retire(void)
{
	struct coshm_latest *mine = pub;
	int rc = coshm_latest_loan(mine, &(void *){ NULL });

	must(rc == 0 || rc == -ESTALE, PLAY_WRONG, "loan: %d: %s", rc, coshm_errmsg());
	must(rc == -ESTALE || atomic_load(&ledger->acked) == 0, PLAY_WRONG, "retired, and usable");
	create_instead(rc);
	if (play_stopping())
		return;
	if (rc == 0) /* it was too early: another one does it */
		must_ok(coshm_retire(NULL, NAME));
	play_await_sleeper();
	must_err(coshm_latest_loan(mine, &(void *){ NULL }), ESTALE);
	must_err(coshm_latest_wait(sub, 0, 0), ESTALE);
	if (rc == 0)
		must_ok(create());
	must_work();
}

static void after_retire(void)
{
	play_await_act();
	play_await_sleeper();
	must_err(coshm_latest_loan(pub, &(void *){ NULL }), ESTALE);
	if (other_rc != 0)
		must_ok(create());
	must_work();
}

#define CASE(...) (&(const struct region_case){ __VA_ARGS__ })
#define CREATE                                                                                     \
	.fresh = true, .act = act_create, .check = check_create, .after = after_create,            \
	.rest = rest_create
#define RACE                                                                                       \
	.fresh = true, .slow = true, .act = act_create, .check = check_race,                       \
	.after = after_create, .rest = rest_create

const struct scenario region_scenarios[] = {
	{ .name = "region create, latest", CREATE, .with = CASE(.kind = LAYOUT_LATEST) },
	{ .name = "region create, stream", CREATE, .with = CASE(.kind = LAYOUT_STREAM) },
	{ .name = "region create, queue", CREATE, .with = CASE(.kind = LAYOUT_QUEUE) },
	{ .name = "region create, eight at once", RACE, .with = CASE(.kind = LAYOUT_STREAM) },
	{ .name = "region create over a leftover",
	  .setup = setup,
	  CREATE,
	  .with = CASE(.kind = LAYOUT_LATEST, .leftover = true) },
	{ .name = "region create over a leftover, eight at once",
	  .setup = setup,
	  RACE,
	  .with = CASE(.kind = LAYOUT_LATEST, .leftover = true) },
	{ .name = "region remove",
	  .setup = setup,
	  .fresh = true,
	  .act = act_remove,
	  .check = check_remove,
	  .after = after_remove,
	  .rest = rest_remove,
	  .with = CASE(.kind = LAYOUT_LATEST) },
	{ .name = "region retire",
	  .setup = setup,
	  .fresh = true,
	  .others = others_retire,
	  .act = act_retire,
	  .check = check_retire,
	  .after = after_retire,
	  .rest = rest_remove,
	  .with = CASE(.kind = LAYOUT_LATEST) },
	{ 0 },
};
