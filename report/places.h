/* SPDX-License-Identifier: Apache-2.0 */
/*
 * places.h - where objects belong, for listings that are grouped: a place is an
 * IPC namespace with the /dev/shm of those in it, or an area that several
 * namespaces or none have there (a volume), or, last, no place at all.
 */
#ifndef COSHM_REPORT_PLACES_H
#define COSHM_REPORT_PLACES_H

#include "inspect.h"
#include "memory.h"

/* Containers, and how they are called. */
struct members {
	int *container;
	const char **name;
	unsigned int count;
};

struct places {
	const struct snapshot *s;
	unsigned int count;       /* namespaces, then areas, then one more              */
	int *area_ipcns;          /* of each area: the namespace whose alone it is      */
	int *ipcns_area;          /* of each namespace: its /dev/shm, or NOBODY         */
	unsigned int *of_object;  /* the place of each object                           */
	unsigned int *order;      /* all objects, by place, kind and name               */
	unsigned int *first_use;  /* of each object, and behind the last                */
	struct members *in_ipcns; /* of each namespace                                  */
	struct members *in_area;  /* of each area: who has it at /dev/shm               */
	bool *donor;              /* of each container: another one was told to join it */
};

/* NULL if there is no memory.  All of it is @m's. */
const struct places *places_make(const struct snapshot *s, struct memory *m);

/* The namespace an object is in, by itself or by its area; else NOBODY. */
int places_ipcns(const struct places *p, unsigned int object);

/* Containers that share an object: who is where it is, whether they use it or not, then other
 * users. */
struct members places_sharers(const struct places *p, unsigned int object, struct memory *m);

/* Is this container one of them? */
bool places_shares(const struct places *p, int container, unsigned int object);

/* What a place is; "ipc namespace 4026532291". */
const char *places_name(const struct places *p, unsigned int place, struct memory *m);

/* A line about it: what it is, whose, and how full.  Both can be printed as they are. */
const char *places_title(const struct places *p, unsigned int place, struct memory *m);

#endif /* COSHM_REPORT_PLACES_H */
