/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libfuzzer.c - what libFuzzer has beside the target: mutations that aim.
 */
#include "fuzz.h"

size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max, unsigned int seed);

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max, unsigned int seed)
{
	uint64_t random = (uint64_t)seed * 2 + 1;

	if (seed % 4 == 0) /* its own ones learn from comparisons */
		return LLVMFuzzerMutate(data, size, max);
	return fuzz_mutate(data, size, max, &random);
}
