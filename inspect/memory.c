/* SPDX-License-Identifier: Apache-2.0 */
/*
 * memory.c - memory that is freed all at once; memory.h says how it is used.
 */
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "memory.h"

#define BLOCK_BYTES 65536u

/* The newest block comes first; what is larger than a block gets one of its own. */
struct block {
	struct block *next;
	size_t bytes, used;
	_Alignas(max_align_t) unsigned char data[];
};

struct memory {
	struct block *blocks;
	bool failed;
};

struct memory *memory_new(void)
{
	return calloc(1, sizeof(struct memory));
}

void memory_free(struct memory *m)
{
	struct block *next;

	if (!m)
		return;
	for (struct block *b = m->blocks; b; b = next) {
		next = b->next;
		free(b);
	}
	free(m);
}

bool memory_failed(const struct memory *m)
{
	return m->failed;
}

static struct block *add_block(struct memory *m, size_t bytes)
{
	struct block *b = NULL;

	if (bytes < BLOCK_BYTES)
		bytes = BLOCK_BYTES;
	if (bytes <= SIZE_MAX - sizeof(*b))
		b = calloc(1, sizeof(*b) + bytes);
	if (!b) {
		m->failed = true;
		return NULL;
	}
	b->bytes = bytes;
	b->next = m->blocks;
	m->blocks = b;
	return b;
}

void *memory_get(struct memory *m, size_t bytes)
{
	const size_t align = _Alignof(max_align_t);
	struct block *b = m->blocks;
	void *got;

	if (m->failed)
		return NULL;
	if (bytes > SIZE_MAX - align) {
		m->failed = true;
		return NULL;
	}
	bytes = (bytes + align - 1) & ~(align - 1);
	if (!b || b->bytes - b->used < bytes) {
		b = add_block(m, bytes);
		if (!b)
			return NULL;
	}
	got = b->data + b->used;
	b->used += bytes;
	return got;
}

const char *memory_copy(struct memory *m, const char *text, size_t length)
{
	char *copy = length == SIZE_MAX ? NULL : memory_get(m, length + 1);

	if (!copy)
		return "";
	memcpy(copy, text, length);
	return copy;
}

const char *memory_print(struct memory *m, const char *format, ...)
{
	char *text = NULL;
	va_list list;
	int length;

	va_start(list, format);
	length = vsnprintf(NULL, 0, format, list);
	va_end(list);
	if (length >= 0)
		text = memory_get(m, (size_t)length + 1);
	if (!text)
		return "";
	va_start(list, format);
	vsnprintf(text, (size_t)length + 1, format, list);
	va_end(list);
	return text;
}

const char *memory_printable(struct memory *m, const char *text, size_t length, size_t most)
{
	size_t bytes = strnlen(text, length < most ? length : most);
	char *copy = memory_get(m, bytes + 1);

	if (!copy)
		return "";
	for (size_t i = 0; i < bytes; i++)
		copy[i] = text[i] >= ' ' && text[i] <= '~' ? text[i] : '?';
	return copy;
}

/* Full at 0 and at each power of two from 16 on. */
void *memory_grow(struct memory *m, void *array, unsigned int count, size_t element)
{
	void *larger;

	if (count != 0 && (count < 16 || (count & (count - 1)) != 0))
		return array;
	larger = memory_get(m, (count < 16 ? 16 : (size_t)count * 2) * element);
	if (larger && count != 0)
		memcpy(larger, array, count * element);
	return larger ? larger : array;
}
