/* SPDX-License-Identifier: Apache-2.0 */
/*
 * contestant.h - what the harness asks of each thing that it measures.
 *
 * A contestant is one file that defines "contestant", linked with the harness into a program of
 * its own: a peer whose package is missing costs its own rows and no others.
 *
 * The sides of a task are processes.  Side 0 creates, then all open, work, close, and side 0
 * removes; between these steps all wait for each other.  A function that cannot do its part ends
 * the program with die(), so that the harness's loops stay as short as a program's would be.
 */
#ifndef BENCH_CONTESTANT_H
#define BENCH_CONTESTANT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define SIDES_MAX  72
#define MAIL_BYTES 2048
#define BATCH      16

enum kind {
	PAIR,   /* two sides, each sends to the other                     */
	STREAM, /* side 0 sends, every other side receives every message  */
	QUEUE,  /* each message to one of the receivers                   */
	LATEST, /* side 0 publishes values, the others read the newest    */
};

struct task {
	enum kind kind;
	const char *dir;    /* a folder of this run alone, for files and sockets */
	const char *name;   /* unique on this machine, for what has no folder    */
	size_t bytes;       /* of each message                                   */
	unsigned int side;  /* this process                                      */
	unsigned int sides; /* of them, the first are senders                    */
	unsigned int senders;
	unsigned int receivers;   /* more than sides - senders if one process has several */
	bool block;               /* sleep while waiting; else poll                       */
	bool lossy;               /* STREAM: may overwrite what was not received          */
	char (*mail)[MAIL_BYTES]; /* one box for each side, to exchange addresses       */
};

struct contestant {
	const char *name;
	unsigned int kinds; /* 1u << enum kind, for each that it serves */
	bool spins, blocks; /* how it can wait: with threads of its own, which polling would keep
			       from their CPU, it only blocks                             */
	bool lossy;         /* it has an overwriting stream             */
	size_t bytes_max;   /* of a message; 0: no limit                */

	void (*create)(const struct task *task); /* NULL: nothing to do */
	void *(*open)(const struct task *task);
	void (*close)(void *end);
	void (*remove)(const struct task *task); /* NULL: nothing to do */

	/* Both wait until it is done. */
	void (*send)(void *end, const void *data, size_t bytes);
	void (*receive)(void *end, void *data, size_t bytes);

	/* Up to BATCH messages that lie one behind the other.  NULL: it has no batches. */
	void (*send_batch)(void *end, const void *data, size_t bytes, unsigned int count);
	unsigned int (*receive_batch)(void *end, void *data, size_t bytes, unsigned int max);

	/* Without a copy.  NULL: it cannot. */
	void *(*loan)(void *end, size_t bytes);
	void (*publish)(void *end);
	const void *(*peek)(void *end);
	void (*release)(void *end);
};

extern const struct contestant contestant;

/* Wait until all sides have come here. */
void meet(const struct task *task);

/* Say what failed, and end the program: it failed, or (skip) it cannot work here. */
__attribute__((noreturn, format(printf, 1, 2))) void die(const char *format, ...);
__attribute__((noreturn, format(printf, 1, 2))) void skip(const char *format, ...);

/* Map @bytes bytes of the file @name in the task's folder; it is made if it is not there. */
void *map_file(const struct task *task, const char *name, size_t bytes);

/* Between two looks at memory that another CPU writes. */
static inline void relax(void)
{
#if defined(__x86_64__) || defined(__i386__)
	__builtin_ia32_pause();
#elif defined(__aarch64__)
	__asm__ volatile("yield");
#endif
}

#ifdef __cplusplus
}
#endif
#endif /* BENCH_CONTESTANT_H */
