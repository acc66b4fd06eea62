/* SPDX-License-Identifier: Apache-2.0 */
/*
 * memory.h - memory that is freed all at once: a snapshot's texts and arrays.
 */
#ifndef COSHM_INSPECT_MEMORY_H
#define COSHM_INSPECT_MEMORY_H

#include <stdbool.h>
#include <stddef.h>

struct memory;

struct memory *memory_new(void); /* NULL: none left */
void memory_free(struct memory *m);

/* Zeroed, aligned for anything; NULL if there is none, and from then on always. */
void *memory_get(struct memory *m, size_t bytes);
/* A text; "" if there is no memory. */
const char *memory_copy(struct memory *m, const char *text, size_t length);
__attribute__((format(printf, 2, 3))) const char *memory_print(struct memory *m, const char *format,
							       ...);

/*
 * A stranger's text for people's terminals: its first @most bytes at most, up to
 * a NUL, with "?" for each that is no printable ASCII.
 */
const char *memory_printable(struct memory *m, const char *text, size_t length, size_t most);

/* Has any of the calls failed?  Asked once, at the end, in place of after each. */
bool memory_failed(const struct memory *m);

/*
 * memory_add - one more element, zeroed, at the end of an array of @count that
 * grows by doubling; NULL if there is no memory.  Others' addresses change.
 */
#define memory_add(m, array, count)                                                                \
	((array) = memory_grow((m), (array), (count), sizeof(*(array))),                           \
	 memory_failed(m) ? NULL : &(array)[(count)++])

/* For memory_add() alone. */
void *memory_grow(struct memory *m, void *array, unsigned int count, size_t element);

#endif /* COSHM_INSPECT_MEMORY_H */
