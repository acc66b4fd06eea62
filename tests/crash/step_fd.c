/* SPDX-License-Identifier: Apache-2.0 */
/*
 * step_fd.c - descriptors for poll(2), in the others' hands or in the victim's.
 *
 * A publisher is cut off that wakes the thread behind the others' descriptor,
 * or a subscriber that makes its own, arms it or gives it back.  There only the
 * thread is stopped that is stepped: the descriptor's own runs on, until both
 * are killed.
 */
#include <poll.h>

#include "latest.h"
#include "play.h"
#include "queue.h"
#include "stream.h"

#define MESSAGES  12u   /* to go on with: more than the ring has */
#define AT_LENGTH 10000 /* milliseconds */

struct fd_case {
	enum layout_kind kind;
	bool arms; /* the victim has its descriptor before it is cut off */
};

/* One handle, whatever the kind, and the number of the message that is next. */
struct peer {
	struct coshm_stream *stream;
	struct coshm_latest *latest;
	struct coshm_queue *queue;
	uint64_t next;
	int fd;
};

static struct peer sender, receiver;
static int act_rc;

static const struct fd_case *now(void)
{
	return playing->with;
}

static void setup(void)
{
	struct coshm_stream_shape s = { .size = sizeof(s), .slots = 8 };
	struct coshm_queue_shape q = { .size = sizeof(q), .slots = 8 };

	if (now()->kind == LAYOUT_STREAM)
		must_ok(coshm_stream_create(NAME, &s, NULL));
	else if (now()->kind == LAYOUT_QUEUE)
		must_ok(coshm_queue_create(NAME, &q, NULL));
	else
		must_ok(coshm_latest_create(NAME, 64, 0, NULL));
}

static struct peer open_peer(bool sends)
{
	struct coshm_open_opts o = { .size = sizeof(o), .wait = COSHM_WAIT_BLOCK };
	enum coshm_role role = sends ? COSHM_PUBLISHER : COSHM_SUBSCRIBER;
	struct peer p = { .fd = -1 };

	if (now()->kind == LAYOUT_STREAM)
		must_ok(coshm_stream_open(NAME, role, &o, &p.stream));
	else if (now()->kind == LAYOUT_LATEST)
		must_ok(coshm_latest_open(NAME, role, &o, &p.latest));
	else
		must_ok(coshm_queue_open(NAME, sends ? COSHM_PRODUCER : COSHM_CONSUMER, &o,
					 &p.queue));
	return p;
}

static void close_peer(struct peer *p)
{
	coshm_stream_close(p->stream);
	coshm_latest_close(p->latest);
	coshm_queue_close(p->queue);
	*p = (struct peer){ .fd = -1 };
}

static struct region *region_of(struct peer *p)
{
	return p->stream ? &p->stream->region : p->latest ? &p->latest->region : &p->queue->region;
}

static int send_one(struct peer *p, uint64_t number)
{
	unsigned char data[40];

	message_fill(data, sizeof(data), number);
	if (p->stream)
		return coshm_stream_publish(p->stream, data, sizeof(data), 0);
	return p->latest ? coshm_latest_publish(p->latest, data, sizeof(data)) :
			   coshm_queue_push(p->queue, data, sizeof(data), 0);
}

static int make_fd(struct peer *p)
{
	if (p->stream)
		return coshm_stream_fd(p->stream);
	return p->latest ? coshm_latest_fd(p->latest, p->next) : coshm_queue_fd(p->queue);
}

/* One look, without waiting; -EAGAIN if there is nothing, and the descriptor is armed. */
static int look_once(struct peer *p)
{
	unsigned char data[112];
	struct coshm_delivery d;
	struct coshm_message m;
	size_t bytes = 0;
	int rc;

	if (p->stream) {
		rc = coshm_stream_receive(p->stream, data, sizeof(data), 0, &m);
		bytes = rc == 0 ? m.bytes : 0;
		if (rc == -EOWNERDEAD)
			rc = -EAGAIN;
	} else if (p->queue) {
		rc = coshm_queue_receive(p->queue, data, sizeof(data), 0, &d);
		bytes = rc == 0 ? d.bytes : 0;
	} else {
		rc = coshm_latest_wait(p->latest, p->next, 0);
		if (rc == 0)
			rc = coshm_latest_read(p->latest, data, sizeof(data), &bytes, &p->next);
		else if (rc == -ETIMEDOUT || rc == -EOWNERDEAD)
			rc = -EAGAIN;
	}
	must(rc == 0 || rc == -EAGAIN, PLAY_WRONG, "%d: %s", rc, coshm_errmsg());
	must(rc < 0 || bytes == 40, PLAY_TORN, "a message of %zu bytes", bytes);
	/* Latest leaves out some; of the others each one comes. */
	must(rc < 0 || p->latest || message_good(data, 40, p->next), PLAY_LOST,
	     "message %d is torn, or is another one", (int)p->next);
	must(rc < 0 || !p->latest || message_good(data, 40, p->next - 1), PLAY_TORN,
	     "value %d is torn", (int)p->next);
	if (rc == 0 && !p->latest)
		p->next++;
	return rc;
}

static void look_until_nothing(struct peer *p)
{
	while (look_once(p) == 0)
		;
}

static bool readable(struct peer *p, int timeout_ms)
{
	struct pollfd wait = { .fd = p->fd, .events = POLLIN };

	return poll(&wait, 1, timeout_ms) == 1;
}

/* One by one, each of them found by poll alone. */
static void go_on(struct peer *from, struct peer *to)
{
	for (unsigned int i = 0; i < MESSAGES; i++) {
		uint64_t number = to->next;

		must_ok(send_one(from, number));
		must(readable(to, AT_LENGTH), PLAY_WEDGED, "poll does not find message %d",
		     (int)number);
		look_until_nothing(to);
		must(to->next == number + 1, PLAY_LOST, "received %d of %d", (int)to->next,
		     (int)number + 1);
	}
}

/* The sender is cut off; the others hold a descriptor. */

static void others_of_sender(void)
{
	receiver = open_peer(false);
	receiver.fd = make_fd(&receiver);
	must_ok(receiver.fd);
	while (atomic_load(&region_of(&receiver)->shared->state.data_sleepers) == 0)
		play_nap();
	play_nap(); /* from its bit to the futex it is not far */
}

static void ready_sender(void)
{
	sender = open_peer(true);
	atomic_store(&ledger->opened, true);
}

static void act_send(void)
{
	act_rc = send_one(&sender, 0);
	if (act_rc == 0)
		atomic_store(&ledger->acked, 1);
}

static bool something_there(struct peer *p)
{
	struct peer looker;
	bool there;

	if (p->queue)
		return atomic_load(&ledger->acked) != 0;
	looker = open_peer(false);
	if (p->latest)
		there = coshm_latest_wait(looker.latest, p->next, 0) == 0;
	else
		there = looker.stream->reader.next != p->next;
	close_peer(&looker);
	return there;
}

static void check_sender(void)
{
	play_check_places(region_of(&receiver));
	if (something_there(&receiver)) {
		must(readable(&receiver, AT_LENGTH), PLAY_WEDGED, "poll does not find it");
		atomic_store(&ledger->woken_ns, play_now_ns());
	}
	look_until_nothing(&receiver);
	must(receiver.next >= atomic_load(&ledger->acked), PLAY_LOST, "it is gone");
	if (play_stopping())
		return;
	sender = open_peer(true);
	go_on(&sender, &receiver);
}

static void after_sender(void)
{
	play_await_act();
	while (receiver.next <= MESSAGES) {
		must(readable(&receiver, AT_LENGTH), PLAY_WEDGED, "poll does not find message %d",
		     (int)receiver.next);
		look_until_nothing(&receiver);
	}
	close_peer(&receiver);
}

static void rest_sender(void)
{
	must_ok(act_rc);
	for (uint64_t i = 1; i <= MESSAGES; i++)
		while (send_one(&sender, i) == -EAGAIN)
			play_nap();
	while (!atomic_load(&ledger->finish))
		play_nap();
}

/* The receiver is cut off. */

static void others_of_receiver(void)
{
	sender = open_peer(true);
}

static void ready_receiver(void)
{
	receiver = open_peer(false);
	if (now()->arms) {
		receiver.fd = make_fd(&receiver);
		must_ok(receiver.fd);
		while (atomic_load(&region_of(&receiver)->shared->state.data_sleepers) == 0)
			play_nap();
		play_nap();
	}
	atomic_store(&ledger->opened, true);
}

static void act_make(void)
{
	act_rc = receiver.fd = make_fd(&receiver);
}

static void act_arm(void)
{
	(void)look_once(&receiver); /* or there is something by now */
}

static void ready_closing(void)
{
	ready_receiver();
	atomic_store(&ledger->closing, true);
}

static void act_close(void)
{
	close_peer(&receiver);
}

static void check_receiver(void)
{
	play_check_places(region_of(&sender));
	if (play_stopping()) {
		must_ok(send_one(&sender, 0));
		return;
	}
	receiver = open_peer(false);
	receiver.fd = make_fd(&receiver);
	must_ok(receiver.fd);
	go_on(&sender, &receiver);
}

static void after_receiver(void)
{
	play_await_act();
	for (uint64_t i = 1; i < MESSAGES && !atomic_load(&ledger->closing); i++)
		while (send_one(&sender, i) == -EAGAIN)
			play_nap();
	must(play_peers(region_of(&sender), PEER_DEAD) == 0, PLAY_WRONG, "one is reported dead");
}

static void rest_receiver(void)
{
	must_ok(act_rc);
	while (receiver.fd >= 0 && receiver.next < MESSAGES) {
		must(readable(&receiver, AT_LENGTH), PLAY_WEDGED, "poll does not find message %d",
		     (int)receiver.next);
		look_until_nothing(&receiver);
	}
	while (!atomic_load(&ledger->finish))
		play_nap();
}

/* One dies with a message, while another one only polls: nobody else is there to recover for it. */

static void poll_for_message(void)
{
	receiver = open_peer(false);
	receiver.fd = make_fd(&receiver);
	must_ok(receiver.fd);
	while (!atomic_load(&ledger->opened))
		play_nap();
	look_until_nothing(&receiver);
	atomic_store(&ledger->value, 1);
	must(readable(&receiver, AT_LENGTH), PLAY_WEDGED,
	     "poll does not find the dead one's message");
	atomic_store(&ledger->woken_ns, play_now_ns());
	must(look_once(&receiver) == 0, PLAY_LOST, "there is nothing");
	close_peer(&receiver);
}

static void others_polling(void)
{
	play_sleeper(poll_for_message);
}

static void ready_holder(void)
{
	struct coshm_delivery d;
	struct peer own = open_peer(true);

	receiver = open_peer(false);
	must_ok(send_one(&own, 0));
	must_ok(coshm_queue_take(receiver.queue, 0, &d));
	atomic_store(&ledger->opened, true);
	while (atomic_load(&ledger->value) == 0)
		play_nap();
}

static void act_hold(void)
{
	getpid();
}

static void check_polling(void)
{
	play_await_sleeper();
}

#define CASE(...)                                                                                  \
	.with = &(const struct fd_case)                                                            \
	{                                                                                          \
		__VA_ARGS__                                                                        \
	}
#define ROW(name_, ...)                                                                            \
	{                                                                                          \
		.name = "descriptor of " name_, .setup = setup, .slow = true, __VA_ARGS__          \
	}
#define SENDER                                                                                     \
	.others = others_of_sender, .ready = ready_sender, .act = act_send, .check = check_sender, \
	.after = after_sender, .rest = rest_sender
#define RECEIVER                                                                                   \
	.others = others_of_receiver, .check = check_receiver, .after = after_receiver,            \
	.rest = rest_receiver
#define ALL(name_, KIND)                                                                           \
	ROW(name_ ": woken", SENDER, CASE(.kind = KIND)),                                          \
		ROW(name_ ": made", RECEIVER, .ready = ready_receiver, .act = act_make,            \
		    CASE(.kind = KIND)),                                                           \
		ROW(name_ ": armed", RECEIVER, .ready = ready_receiver, .act = act_arm,            \
		    CASE(.kind = KIND, .arms = true)),                                             \
		ROW(name_ ": closed", RECEIVER, .ready = ready_closing, .act = act_close,          \
		    CASE(.kind = KIND, .arms = true))

const struct scenario fd_scenarios[] = {
	ALL("latest", LAYOUT_LATEST),
	ALL("stream", LAYOUT_STREAM),
	ALL("queue", LAYOUT_QUEUE),
	ROW("queue: held by one that dies", .others = others_polling, .ready = ready_holder,
	    .act = act_hold, .check = check_polling, .only_killed = true,
	    CASE(.kind = LAYOUT_QUEUE)),
	{ 0 },
};
