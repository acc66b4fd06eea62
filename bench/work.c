/* SPDX-License-Identifier: Apache-2.0 */
/*
 * work.c - what the sides do, and what they find.
 *
 * All of it lasts for a time and not for a number of messages, as contestants differ by a factor
 * of a thousand.  The first word of each message is its number, or END for the last one; who
 * receives looks at it, so that nothing is lost or out of order unnoticed.
 */
#include <stdlib.h>
#include <string.h>
#include "harness.h"

#define END         UINT32_MAX
#define NUMBERS     0x80000000u
#define SAMPLES_MAX (1u << 20)
#define GROUP       64 /* reads */
#define TRIPS       16

static uint64_t *samples;
static size_t sample_count;

/* One buffer for a whole batch, touched before anything is measured. */
static unsigned char *make_buffer(const struct order *order)
{
	size_t bytes = order->task.bytes * BATCH;
	unsigned char *buffer = (unsigned char *)aligned_alloc(4096, (bytes + 4095) & ~4095ul);

	if (!buffer)
		die("no memory for %zu bytes", bytes);
	memset(buffer, 1, bytes);
	return buffer;
}

static void make_samples(void)
{
	samples = (uint64_t *)malloc(SAMPLES_MAX * sizeof(*samples));
	if (!samples)
		die("no memory for the samples");
	memset(samples, 1, SAMPLES_MAX * sizeof(*samples));
}

static int by_size(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

/* A sample holds one look at the clock, which is taken off again. */
static double quantile(double q, uint64_t clock)
{
	uint64_t value = samples[(size_t)((double)(sample_count - 1) * q)];

	return value > clock ? (double)(value - clock) : 0;
}

static void keep_quantiles(void)
{
	uint64_t clock = clock_ns();

	if (sample_count == 0)
		die("measured nothing");
	qsort(samples, sample_count, sizeof(*samples), by_size);
	control->p50_ns = quantile(0.5, clock);
	control->p99_ns = quantile(0.99, clock);
	control->p999_ns = quantile(0.999, clock);
}

static uint64_t after(const struct order *order, double part)
{
	return now_ns() + (uint64_t)(order->seconds * part * 1e9);
}

static void mark(void *message, uint32_t word)
{
	memcpy(message, &word, sizeof(word));
}

static uint32_t read_mark(const void *message)
{
	uint32_t word;

	memcpy(&word, message, sizeof(word));
	return word;
}

/* ---- round trip --------------------------------------------------------------------------- */

/* A message there and back. */
static void trip(const struct order *order, void *end, unsigned char *buffer, uint32_t word)
{
	mark(buffer, word);
	contestant.send(end, buffer, order->task.bytes);
	contestant.receive(end, buffer, order->task.bytes);
	if (read_mark(buffer) != word)
		die("%u came back as %u", word, read_mark(buffer));
}

/* Take samples of @each trips between @from and @until. */
static void ask(const struct order *order, void *end, unsigned char *buffer, uint32_t each,
		uint64_t from, uint64_t until)
{
	uint64_t then = now_ns(), now;

	sample_count = 0;
	do {
		for (uint32_t i = 0; i < each; i++)
			trip(order, end, buffer, i);
		now = now_ns();
		if (now > from && sample_count < SAMPLES_MAX)
			samples[sample_count++] = now - then;
		then = now;
	} while (now < until);
	keep_quantiles();
}

static void answer(const struct order *order, void *end, unsigned char *buffer)
{
	do {
		contestant.receive(end, buffer, order->task.bytes);
		contestant.send(end, buffer, order->task.bytes);
	} while (read_mark(buffer) != END);
}

/* The median comes from many trips at once, as the clock takes a good part of one; the tail
 * from single ones. */
void work_round_trip(const struct order *order, void *end)
{
	unsigned char *buffer = make_buffer(order);
	uint64_t warm, half, stop;

	if (order->task.side != 0) {
		meet(&order->task);
		answer(order, end, buffer);
		return;
	}
	make_samples();
	meet(&order->task);
	trip(order, end, buffer, 0); /* some connect only now, which takes 0.1 s */
	warm = after(order, 0.2);
	half = after(order, 0.6);
	stop = after(order, 1);
	ask(order, end, buffer, TRIPS, warm, half);
	control->group_ns = control->p50_ns / TRIPS;
	ask(order, end, buffer, 1, half, stop);
	trip(order, end, buffer, END);
}

/* ---- one way ------------------------------------------------------------------------------ */

/* Looking at the clock must cost little beside a message, and come often enough for slow ones. */
static bool time_to_look(const struct order *order, uint64_t count)
{
	return order->task.bytes > 4096 || order->task.receivers > 4 || count % GROUP == 0;
}

static void put(const struct order *order, void *end, unsigned char *buffer, uint32_t word)
{
	void *room;

	if (order->how == LOANED) {
		room = contestant.loan(end, order->task.bytes);
		mark(room, word);
		contestant.publish(end);
	} else {
		mark(buffer, word);
		contestant.send(end, buffer, order->task.bytes);
	}
}

static void put_batch(const struct order *order, void *end, unsigned char *buffer, uint32_t word)
{
	for (uint32_t i = 0; i < BATCH; i++)
		mark(buffer + i * order->task.bytes, (word + i) % NUMBERS);
	contestant.send_batch(end, buffer, order->task.bytes, BATCH);
}

/* relaxed: numbers for others to look at, who order nothing by them */
static void tell(struct line *line, uint64_t value)
{
	atomic_store_explicit(&line[control_side].value, value, memory_order_relaxed);
}

static uint64_t told(struct line *line, unsigned int side)
{
	/* relaxed: see tell() */
	return atomic_load_explicit(&line[side].value, memory_order_relaxed);
}

/* In a queue each receiver stops the first END that it meets, so it comes behind all senders. */
static void put_ends(const struct order *order, void *end, unsigned char *buffer)
{
	const struct task *task = &order->task;

	if (task->side != 0)
		return;
	for (unsigned int side = 1; side < task->senders; side++)
		while (told(control->ended, side) == 0)
			relax();
	for (unsigned int i = 0; i < (task->kind == QUEUE ? task->receivers : 1); i++) {
		if (order->how == BATCHED) {
			mark(buffer, END);
			contestant.send_batch(end, buffer, task->bytes, 1);
		} else {
			put(order, end, buffer, END);
		}
	}
}

static void sender(const struct order *order, void *end, unsigned char *buffer)
{
	uint64_t warm = after(order, 0.2), stop = after(order, 1), sent = 0, begun = 0, now;
	uint32_t number = 0;

	for (;; sent++) {
		if (time_to_look(order, sent)) {
			now = now_ns();
			if (now > stop)
				break;
			if (!begun && now > warm) {
				tell(control->begun, now);
				begun = now;
				sent = 0;
			}
			tell(control->moved, sent);
		}
		if (order->how == BATCHED) {
			put_batch(order, end, buffer, number);
			number = (number + BATCH) % NUMBERS;
		} else {
			put(order, end, buffer, number);
			number = (number + 1) % NUMBERS;
		}
	}
	tell(control->moved, sent);
	tell(control->ended, now_ns());
	if (order->task.receivers > 0)
		put_ends(order, end, buffer);
}

struct receiving {
	uint32_t next[SIDES_MAX]; /* number, for each end */
	uint64_t count, warm, begun;
	bool over;
};

static void got(const struct order *order, struct receiving *r, unsigned int which,
		const void *message)
{
	uint32_t word = read_mark(message);

	if (word == END) {
		r->over = true;
		return;
	}
	/* The newest value is read again until there is another. */
	if (order->task.kind == LATEST && word + 1 == r->next[which])
		return;
	if (order->task.kind == STREAM && !order->task.lossy && word != r->next[which])
		die("expected message %u and got %u", r->next[which], word);
	r->next[which] = (word + 1) % NUMBERS;
	r->count++;
}

static void get(const struct order *order, struct receiving *r, void *end, unsigned int which,
		unsigned char *buffer)
{
	size_t bytes = order->task.bytes;
	unsigned int count;

	if (order->how == LOANED) {
		got(order, r, which, contestant.peek(end));
		contestant.release(end);
	} else if (order->how == BATCHED) {
		count = contestant.receive_batch(end, buffer, bytes, BATCH);
		for (unsigned int i = 0; i < count; i++)
			got(order, r, which, buffer + i * bytes);
	} else {
		contestant.receive(end, buffer, bytes);
		got(order, r, which, buffer);
	}
}

static void receiver(const struct order *order, void **ends, unsigned int count,
		     unsigned char *buffer)
{
	struct receiving r = { .warm = after(order, 0.2) };

	for (uint64_t looks = 0; !r.over; looks++) {
		for (unsigned int i = 0; i < count; i++)
			get(order, &r, ends[i], i, buffer);
		if (!time_to_look(order, looks))
			continue;
		tell(control->moved, r.count);
		/* Not from this look, which may come late and then see a burst alone. */
		if (!r.begun && now_ns() > r.warm) {
			r.begun = r.warm;
			r.count = 0;
			tell(control->moved, 0); /* before others count from here */
			tell(control->begun, r.begun);
		}
	}
	tell(control->moved, r.count);
	tell(control->ended, now_ns());
}

void work_one_way(const struct order *order, void **ends, unsigned int count)
{
	const struct task *task = &order->task;
	unsigned char *buffer = make_buffer(order);
	unsigned int from = task->receivers == 0 ? 0 : task->senders;
	uint64_t moved;

	if (task->kind == LATEST && task->side == 0)
		put(order, ends[0], buffer, 0); /* to read a value, there must be one */
	meet(task);
	if (task->side < task->senders)
		sender(order, ends[0], buffer);
	else
		receiver(order, ends, count, buffer);
	meet(task);
	if (task->side != 0)
		return;
	for (unsigned int side = from; side < task->sides; side++) {
		moved = told(control->moved, side);
		/* One that was held up for all of the time has counted nothing. */
		if (told(control->begun, side) != 0 && moved > 0)
			control->per_second +=
				(double)moved * 1e9 /
				(double)(told(control->ended, side) - told(control->begun, side));
	}
	if (from == 0 && order->how == BATCHED)
		control->per_second *= BATCH;
}

/* ---- the newest value --------------------------------------------------------------------- */

static void publisher(const struct order *order, void *end, unsigned char *buffer)
{
	uint64_t next = now_ns();
	uint32_t number = 0;

	while (told(control->ended, 1) == 0) {
		if (order->pace == IDLE) {
			relax();
			continue;
		}
		if (order->pace == PACED) {
			if (now_ns() < next)
				continue;
			next += 1000;
		}
		mark(buffer, number++ % NUMBERS);
		contestant.send(end, buffer, order->task.bytes);
	}
}

/* A read takes less than the clock: for the median time many at once, for the tail each. */
static void reader(const struct order *order, void *end, unsigned char *buffer)
{
	uint64_t warm = after(order, 0.2), half = after(order, 0.6), stop = after(order, 1);
	uint64_t then = now_ns(), now;

	do {
		for (int i = 0; i < GROUP; i++)
			contestant.receive(end, buffer, order->task.bytes);
		now = now_ns();
		if (now > warm && sample_count < SAMPLES_MAX)
			samples[sample_count++] = now - then;
		then = now;
	} while (now < half);
	keep_quantiles();
	control->group_ns = control->p50_ns / GROUP;
	sample_count = 0;
	then = now_ns();
	do {
		contestant.receive(end, buffer, order->task.bytes);
		now = now_ns();
		if (sample_count < SAMPLES_MAX)
			samples[sample_count++] = now - then;
		then = now;
	} while (now < stop);
	keep_quantiles();
	tell(control->ended, now);
}

void work_read(const struct order *order, void *end)
{
	unsigned char *buffer = make_buffer(order);

	if (order->task.side == 0) {
		contestant.send(end, buffer, order->task.bytes);
		meet(&order->task);
		publisher(order, end, buffer);
	} else {
		make_samples();
		meet(&order->task);
		reader(order, end, buffer);
	}
}

/* ---- attach ------------------------------------------------------------------------------- */

void work_attach(const struct order *order, void **end)
{
	uint64_t stop, then, now;

	meet(&order->task);
	if (order->task.side == 0)
		return;
	make_samples();
	stop = after(order, 1);
	do {
		then = now_ns();
		contestant.close(*end);
		*end = contestant.open(&order->task);
		now = now_ns();
		samples[sample_count++] = now - then;
	} while (now < stop && sample_count < SAMPLES_MAX);
	keep_quantiles();
}
