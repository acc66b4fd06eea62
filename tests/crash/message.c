/* SPDX-License-Identifier: Apache-2.0 */
/*
 * message.c - messages that show when they are torn; see message.h.
 */
#include <string.h>

#include "message.h"

static uint64_t word_of(uint64_t number, size_t bytes, size_t i)
{
	uint64_t x = (number * 1000003 + bytes) * 8191 + i;

	x ^= x >> 29;
	return x * UINT64_C(0xbf58476d1ce4e5b9);
}

void message_fill(void *data, size_t bytes, uint64_t number)
{
	uint64_t word;

	for (size_t i = 0; i + sizeof(word) <= bytes; i += sizeof(word)) {
		word = word_of(number, bytes, i);
		memcpy((unsigned char *)data + i, &word, sizeof(word));
	}
}

bool message_good(const void *data, size_t bytes, uint64_t number)
{
	uint64_t word, wrong = 0;

	for (size_t i = 0; i + sizeof(word) <= bytes; i += sizeof(word)) {
		memcpy(&word, (const unsigned char *)data + i, sizeof(word));
		wrong |= word ^ word_of(number, bytes, i);
	}
	return wrong == 0;
}
