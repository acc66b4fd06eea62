/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sysv.h - a System V call of the shim, cut off at each of its instructions.
 *
 * A scene is a table entry.  For each instruction of act(), in a fresh directory:
 *
 *   setup   another process makes the objects, and stays
 *   ready   the victim attaches, or whatever is not to be stepped
 *   act     the victim's call, up to the point, where it is killed
 *   check   the other one looks and goes on; killed by an alarm if it cannot;
 *           at its end it has removed everything
 */
#ifndef COSHM_TEST_SYSV_H
#define COSHM_TEST_SYSV_H

#include <errno.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/ipc.h>

#define SYSV_KEY 0x636f7368

struct sysv_scene {
	const char *name;
	void (*setup)(void);
	void (*ready)(void);
	void (*act)(void);
	void (*check)(void);
};

extern const struct sysv_scene shm_scenes[], msg_scenes[], sem_scenes[];

/* What the two processes share. */
struct sysv_ledger {
	_Atomic int id;     /* of the object                           */
	_Atomic int acked;  /* the victim's call has returned          */
	_Atomic int number; /* for the scene                           */
	_Atomic int failed;
	char text[400];
};

extern struct sysv_ledger *sysv;

/* In a process of a scene: say what is wrong, and leave. */
_Noreturn void sysv_fail(const char *file, int line, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

#define sysv_must(cond, ...)                                                                       \
	do {                                                                                       \
		if (!(cond))                                                                       \
			sysv_fail(__FILE__, __LINE__, __VA_ARGS__);                                \
	} while (0)

/* Of a call that returns -1: what it returned. */
#define sysv_ok(call)                                                                              \
	({                                                                                         \
		int sysv_rc = (int)(call);                                                         \
		sysv_must(sysv_rc >= 0, "%s: %s", #call, strerror(errno));                         \
		sysv_rc;                                                                           \
	})

#endif /* COSHM_TEST_SYSV_H */
