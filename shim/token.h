/* SPDX-License-Identifier: Apache-2.0 */
/*
 * token.h - who takes part, and who of them is dead.
 *
 * A process holds an open-file-description lock on one byte of the table, which
 * a mapping keeps (lib/peer.h): the kernel drops it at its death or its exec,
 * in any PID namespace, and not while it is stopped.  One byte for everything:
 * what the process has attached and which locks it owns is written elsewhere
 * with the token's index and epoch, and counts for nothing once that is dead.
 *
 * Ordering edge:
 *
 *   TOKEN  T1 owner: epoch and the rest, then role, release
 *          ->  T2 anybody: role, acquire
 */
#ifndef COSHM_SHIM_TOKEN_H
#define COSHM_SHIM_TOKEN_H

#include <stdbool.h>

#include "layout_sysv.h"

struct token {
	bool held;
	uint32_t index;
	uint32_t epoch;
	void *page; /* the mapping that keeps the lock */
	int fd;     /* of the lock's description, if it was to be kept; else -1 */
};

enum token_keep {
	TOKEN_OWN,     /* ends with this process image                        */
	TOKEN_CHILD,   /* taken before a fork: the child inherits the mapping */
	TOKEN_KEEP_FD, /* descriptor kept, close-on-exec: it can be handed to the next image */
};

/* Once, before all else: 0 or -errno. */
int token_setup(void);

/* 0 or -errno: -ENOSPC if all are taken by living ones. */
int token_take(struct token *token, enum sysv_token_role role, enum token_keep keep);
/* Forget the mapping of a token that another process has now. */
void token_hand_over(struct token *token);

/* Is its descriptor, kept with TOKEN_KEEP_FD, still the one? Programs close what is not theirs. */
bool token_kept(const struct token *token);
/*
 * A token whose descriptor came with exec from the image before this one; 0 or -errno.
 * What is no such descriptor is left alone.
 */
int token_adopt(struct token *token, int fd, uint32_t index, uint32_t epoch);

/*
 * token_mine - this process's own token, taken at the first call; NULL with errno set.
 * Lock-free once it is there.
 */
const struct token *token_mine(void);

/*
 * fork's handlers: before and after, and in the child, which begins with the token @child that was
 * taken for it, or with none (NULL).
 */
void token_fork_prepare(void);
void token_fork_done(void);
void token_fork_child(const struct token *child);

/* The same descriptor, where it does not take a number that a program counts on. */
int token_high_fd(int fd);

/* @epoch as far as its lowest 16 bits go.  Who cannot be asked about is alive. */
bool token_alive(uint32_t index, uint32_t epoch);

/* This process, as SYSV_PID; and how that reads here: 0 for one of another namespace. */
uint64_t token_pid(void);
int token_pid_here(uint64_t pid);

#endif /* COSHM_SHIM_TOKEN_H */
