/* SPDX-License-Identifier: Apache-2.0 */
/*
 * step_latest.c - "latest", with its publisher or a reader cut off anywhere.
 */
#include "latest.h"
#include "play.h"

#define BYTES   200u
#define BUFFERS 4u
/* Of memory that had another format, and a value. */
#define OTHER_BYTES 64u
#define ON          (2 * BUFFERS) /* values to go on with: twice round */

struct latest_case {
	unsigned int before;  /* values published at setup                 */
	unsigned int overrun; /* values published while a reader is cut off */
	bool dead;            /* setup's publisher died                     */
	bool loan;
	bool sleeper;
	bool bound; /* not a file of ours, but memory that all of them have   */
};

static struct coshm_latest *pub, *sub, *looker;
static unsigned char value[BYTES];
static size_t value_bytes;
static uint64_t value_number;
static int act_rc;

static const struct latest_case *now(void)
{
	return playing->with;
}

static size_t bytes_of(uint64_t number)
{
	return 8 * (size_t)(1 + number * 7 % (BYTES / 8));
}

static struct coshm_latest *open_as(enum coshm_role role)
{
	struct coshm_open_opts o = { .size = sizeof(o), .wait = COSHM_WAIT_BLOCK };
	struct coshm_latest *ch = NULL;

	if (now()->bound)
		must_ok(coshm_latest_bind(ledger->scratch, sizeof(ledger->scratch), role, &ch));
	else
		must_ok(coshm_latest_open(NAME, role, &o, &ch));
	return ch;
}

static void publish(struct coshm_latest *ch, uint64_t number)
{
	unsigned char data[BYTES];

	message_fill(data, bytes_of(number), number);
	must_ok(coshm_latest_publish(ch, data, bytes_of(number)));
}

static int format(uint32_t bytes)
{
	return coshm_latest_format(ledger->scratch, sizeof(ledger->scratch), bytes, BUFFERS);
}

static void setup(void)
{
	struct coshm_latest *ch;

	if (now()->bound)
		must_ok(format(BYTES));
	else
		must_ok(coshm_latest_create(NAME, BYTES, BUFFERS, NULL));
	ch = open_as(COSHM_PUBLISHER);
	for (uint64_t n = 1; n <= now()->before; n++)
		publish(ch, n);
	if (!now()->dead)
		coshm_latest_close(ch);
}

/* The newest value is whole, and one of these. */
static uint64_t look(struct coshm_latest *ch, uint64_t lowest, uint64_t highest)
{
	unsigned char data[BYTES];
	uint64_t number = 0;
	size_t bytes = 0;
	int rc = coshm_latest_read(ch, data, sizeof(data), &bytes, &number);

	if (rc == -ENODATA && lowest == 0)
		return 0;
	must(rc == 0, PLAY_WRONG, "read: %d: %s", rc, coshm_errmsg());
	must(number >= lowest, PLAY_LOST, "value %d of %d is gone", (int)number, (int)lowest);
	must(number <= highest, PLAY_WRONG, "value %d was never begun", (int)number);
	must(bytes == bytes_of(number) && message_good(data, bytes, number), PLAY_TORN,
	     "value %d is torn", (int)number);
	return number;
}

static uint64_t look_victims(struct coshm_latest *ch)
{
	uint64_t begun = atomic_load(&ledger->begun), acked = atomic_load(&ledger->acked);

	return look(ch, acked > now()->before ? acked : now()->before,
		    begun > now()->before ? begun : now()->before);
}

static void go_on(struct coshm_latest *ch, uint64_t number)
{
	for (uint64_t n = number + 1; n <= number + ON; n++) {
		publish(ch, n);
		look(sub, n, n);
		look(looker, n, n);
	}
}

static void sleep_for_value(void)
{
	struct coshm_latest *ch = open_as(COSHM_SUBSCRIBER);
	int rc = coshm_latest_wait(ch, now()->before, 15 * SECOND);

	atomic_store(&ledger->woken_ns, play_now_ns());
	must(rc == 0 || (rc == -EOWNERDEAD && !play_stopping()), PLAY_WRONG, "wait: %d: %s", rc,
	     coshm_errmsg());
	if (play_stopping())
		look(ch, now()->before, now()->before + 1 + ON);
	else
		look_victims(ch);
	coshm_latest_close(ch);
}

static void readers(void)
{
	sub = open_as(COSHM_SUBSCRIBER);
	looker = open_as(COSHM_OBSERVER);
	if (!now()->sleeper)
		return;
	play_sleeper(sleep_for_value);
	while (atomic_load(&sub->region.shared->state.data_sleepers) == 0)
		play_nap();
	play_nap(); /* from its bit to the futex it is not far */
}

/* The publisher is cut off. */

static void ready_publisher(void)
{
	pub = open_as(COSHM_PUBLISHER);
	atomic_store(&ledger->opened, true);
	value_number = now()->before + 1;
	value_bytes = bytes_of(value_number);
	message_fill(value, value_bytes, value_number);
}

static void act_publish(void)
{
	atomic_store(&ledger->begun, value_number);
	act_rc = coshm_latest_publish(pub, value, value_bytes);
	if (act_rc == 0)
		atomic_store(&ledger->acked, value_number);
}

static void act_loan(void)
{
	void *loan;

	atomic_store(&ledger->begun, value_number);
	act_rc = coshm_latest_loan(pub, &loan);
	if (act_rc == 0) {
		memcpy(loan, value, value_bytes);
		act_rc = coshm_latest_publish_loan(pub, value_bytes);
	}
	if (act_rc == 0)
		atomic_store(&ledger->acked, value_number);
}

static void check_publisher(void)
{
	uint64_t number = look_victims(sub);
	struct coshm_latest *other = NULL;

	look_victims(looker);
	play_check_places(&sub->region);
	if (play_stopping()) {
		must_err(coshm_latest_wait(sub, number, 2 * MILLISECOND), ETIMEDOUT);
		must_err(coshm_latest_open(NAME, COSHM_PUBLISHER, NULL, &other), EBUSY);
		return;
	}
	play_await_sleeper();
	must_err(coshm_latest_wait(sub, number, -1), EOWNERDEAD);
	go_on(open_as(COSHM_PUBLISHER), number);
}

static void after_publisher(void)
{
	uint64_t number = now()->before, last = number + 1 + ON;

	play_await_act();
	while (number < last) {
		must_ok(coshm_latest_wait(sub, number, -1));
		number = look(sub, number, last);
		look(looker, number, last);
	}
	play_await_sleeper();
}

static void rest_publisher(void)
{
	must(act_rc == 0, PLAY_WRONG, "publish: %d: %s", act_rc, coshm_errmsg());
	for (uint64_t n = value_number + 1; n <= value_number + ON; n++)
		publish(pub, n);
	while (!atomic_load(&ledger->finish))
		play_nap();
}

/* A reader is cut off, and the publisher goes on. */

static void others_of_reader(void)
{
	readers();
	pub = open_as(COSHM_PUBLISHER);
}

static void ready_reader(void)
{
	sub = open_as(COSHM_SUBSCRIBER);
	atomic_store(&ledger->opened, true);
}

static void act_read(void)
{
	act_rc = coshm_latest_read(sub, value, sizeof(value), &value_bytes, &value_number);
}

static void act_peek(void)
{
	const void *data = NULL;

	do {
		act_rc = coshm_latest_peek(sub, &data, &value_bytes, &value_number);
		if (act_rc < 0)
			return;
		memcpy(value, data, value_bytes);
	} while (coshm_latest_check(sub, value_number) < 0);
}

static void check_reader(void)
{
	uint64_t n = now()->before;

	for (unsigned int i = 0; i < now()->overrun; i++) {
		publish(pub, ++n);
		look(sub, n, n);
	}
	play_check_places(&sub->region);
	atomic_store(&ledger->value, n);
	if (!play_stopping()) {
		sub = open_as(COSHM_SUBSCRIBER);
		go_on(pub, n);
	}
}

static void after_reader(void)
{
	play_await_act();
	go_on(pub, atomic_load(&ledger->value));
	must(play_peers(&sub->region, PEER_ALIVE) == 3, PLAY_WRONG, "somebody is missing");
}

static void rest_reader(void)
{
	must(act_rc == 0 || (act_rc == -ENODATA && now()->before == 0), PLAY_WRONG, "read: %d: %s",
	     act_rc, coshm_errmsg());
	must(act_rc < 0 || (value_bytes == bytes_of(value_number) &&
			    message_good(value, value_bytes, value_number)),
	     PLAY_TORN, "the stopped reader has value %d torn", (int)value_number);
	must(act_rc < 0 || value_number <= atomic_load(&ledger->value) + ON, PLAY_WRONG,
	     "the stopped reader has a value %d", (int)value_number);
	while (!atomic_load(&ledger->finish))
		play_nap();
}

/* Coming and going. */

static void ready_nothing(void)
{
	atomic_store(&ledger->closing, true);
}

static void act_open_publisher(void)
{
	act_rc = coshm_latest_open(NAME, COSHM_PUBLISHER, NULL, &pub);
}

static void act_open_subscriber(void)
{
	act_rc = coshm_latest_open(NAME, COSHM_SUBSCRIBER, NULL, &sub);
}

static void ready_close(void)
{
	ready_publisher();
	ready_nothing();
}

static void ready_close_reader(void)
{
	ready_reader();
	ready_nothing();
}

static void act_close_publisher(void)
{
	coshm_latest_close(pub);
	pub = NULL;
}

static void act_close_subscriber(void)
{
	coshm_latest_close(sub);
	sub = NULL;
}

/* Of a publisher that comes or goes: another one can come, unless it is alive and there. */
static void check_place(void)
{
	struct coshm_latest *other = NULL;
	int rc;

	look(sub, now()->before, now()->before);
	/* The predecessor may be dead still. */
	if (!now()->dead)
		play_check_places(&sub->region);
	rc = coshm_latest_open(NAME, COSHM_PUBLISHER, NULL, &other);
	must(rc == 0 || (rc == -EBUSY && play_stopping()), PLAY_WRONG, "open: %d: %s", rc,
	     coshm_errmsg());
	if (rc == 0)
		go_on(other, now()->before);
	coshm_latest_close(other);
}

static void after_place(void)
{
	play_await_act();
	must(play_peers(&sub->region, PEER_DEAD) == 0, PLAY_WRONG, "one is reported dead");
}

static void rest_place(void)
{
	must(act_rc == 0 || act_rc == -EBUSY, PLAY_WRONG, "%d: %s", act_rc, coshm_errmsg());
	if (act_rc == 0 && pub)
		publish(pub, latest_next(&pub->ring));
	while (!atomic_load(&ledger->finish))
		play_nap();
}

/* In memory that the program brings there are no places: nobody is told of a death. */

static void check_bound(void)
{
	uint64_t number = look_victims(sub);

	look_victims(looker);
	must_err(coshm_latest_wait(sub, number, 2 * MILLISECOND), ETIMEDOUT);
	if (!play_stopping())
		go_on(open_as(COSHM_PUBLISHER), number);
}

static void setup_formatted(void)
{
	if (now()->before == 0)
		return;
	must_ok(format(OTHER_BYTES));
	publish(open_as(COSHM_PUBLISHER), 1);
}

static void act_format(void)
{
	act_rc = format(BYTES);
	if (act_rc == 0)
		atomic_store(&ledger->acked, 1);
}

/* It is refused; or it is what it was, with its value; or what it was to be, without one. */
static void check_format(void)
{
	struct coshm_latest *ch = NULL;
	int rc = coshm_latest_bind(ledger->scratch, sizeof(ledger->scratch), COSHM_SUBSCRIBER, &ch);
	bool other = rc == 0 && coshm_latest_value_bytes(ch) == OTHER_BYTES;

	must(rc == 0 || rc == -EPROTO, PLAY_WRONG, "bind: %d: %s", rc, coshm_errmsg());
	must(rc == 0 || atomic_load(&ledger->acked) == 0, PLAY_LOST, "it was formatted");
	must(!other || (now()->before == 1 && atomic_load(&ledger->acked) == 0), PLAY_WRONG,
	     "it is what it was");
	must(rc < 0 || other || coshm_latest_value_bytes(ch) == BYTES, PLAY_TORN,
	     "it takes values of %zu bytes", coshm_latest_value_bytes(ch));
	if (rc == 0)
		look(ch, other, other);
	coshm_latest_close(ch);
	if (play_stopping())
		return;
	must_ok(format(BYTES));
	readers();
	go_on(open_as(COSHM_PUBLISHER), 0);
}

static void after_format(void)
{
	play_await_act();
	readers();
	go_on(open_as(COSHM_PUBLISHER), 0);
}

static void rest_format(void)
{
	must_ok(act_rc);
	while (!atomic_load(&ledger->finish))
		play_nap();
}

#define CASE(...)                                                                                  \
	.with = &(const struct latest_case)                                                        \
	{                                                                                          \
		__VA_ARGS__                                                                        \
	}
#define ROW(name_, ...)                                                                            \
	{                                                                                          \
		.name = "latest " name_, .setup = setup, __VA_ARGS__                               \
	}
#define PUBLISHER                                                                                  \
	.others = readers, .ready = ready_publisher, .check = check_publisher,                     \
	.after = after_publisher, .rest = rest_publisher
#define READER                                                                                     \
	.others = others_of_reader, .ready = ready_reader, .check = check_reader,                  \
	.after = after_reader, .rest = rest_reader
#define PLACE .others = readers, .check = check_place, .after = after_place, .rest = rest_place
#define READER_PLACE                                                                               \
	.others = others_of_reader, .check = check_reader, .after = after_place, .rest = rest_place
/* fresh: what lies in the ledger is made anew for each point */
#define BOUND                                                                                      \
	.fresh = true, .others = readers, .ready = ready_publisher, .act = act_publish,            \
	.check = check_bound, .after = after_publisher, .rest = rest_publisher
#define FORMAT                                                                                     \
	.fresh = true, .setup = setup_formatted, .act = act_format, .check = check_format,         \
	.after = after_format, .rest = rest_format
#define PUBLISH        PUBLISHER, .act = act_publish
#define OPEN_PUBLISHER PLACE, .ready = ready_nothing, .act = act_open_publisher

const struct scenario latest_scenarios[] = {
	ROW("publish, first", PUBLISH, CASE(.before = 0)),
	ROW("publish, at the wrap", PUBLISH, CASE(.before = 7)),
	ROW("publish, one sleeps", PUBLISH, CASE(.before = 3, .sleeper = true), .slow = true),
	ROW("publish after take-over", PUBLISH, CASE(.before = 5, .dead = true)),
	ROW("loan and publish", PUBLISHER, .act = act_loan, CASE(.before = 4)),
	ROW("read, empty", READER, .act = act_read, CASE(.before = 0)),
	ROW("read", READER, .act = act_read, CASE(.before = 5, .overrun = 1)),
	ROW("read, overrun", READER, .act = act_read, CASE(.before = 5, .overrun = BUFFERS)),
	ROW("peek and check, overrun", READER, .act = act_peek,
	    CASE(.before = 5, .overrun = BUFFERS)),
	ROW("open publisher", OPEN_PUBLISHER, CASE(.before = 5)),
	ROW("take over from the dead", OPEN_PUBLISHER, CASE(.before = 5, .dead = true)),
	ROW("close publisher", PLACE, .ready = ready_close, .act = act_close_publisher,
	    CASE(.before = 5)),
	ROW("open subscriber", READER_PLACE, .ready = ready_nothing, .act = act_open_subscriber,
	    CASE(.before = 5, .overrun = 2)),
	ROW("close subscriber", READER_PLACE, .ready = ready_close_reader,
	    .act = act_close_subscriber, CASE(.before = 5, .overrun = 2)),
	ROW("bound, publish, first", BOUND, CASE(.bound = true)),
	ROW("bound, publish, at the wrap", BOUND, CASE(.bound = true, .before = 7)),
	{ .name = "latest format", FORMAT, CASE(.bound = true) },
	{ .name = "latest format, what had another format",
	  FORMAT,
	  CASE(.bound = true, .before = 1) },
	{ 0 },
};
