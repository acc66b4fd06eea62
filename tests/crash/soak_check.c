/* SPDX-License-Identifier: Apache-2.0 */
/*
 * soak_check.c - what the peers of all kinds of channel share; see soak.h.
 */
#include <stdarg.h>

#include "soak.h"

void soak_age(struct region *r)
{
	struct counters_shared *c = &r->shared->counters;
	uint64_t old = 0 - soak_round.until;

	atomic_store(&c->messages, old);
	atomic_store(&c->bytes, old);
	atomic_store(&c->lost, old);
	atomic_store(&c->evicted, old);
	atomic_store(&c->waits, old);
	for (unsigned int i = 0; i < LAYOUT_PEERS; i++) {
		atomic_store(&r->shared->peers[i].wake, (uint32_t)old);
		atomic_store(&r->shared->peers[i].epoch, UINT32_MAX); /* wraps when it is taken */
	}
}

void soak_check_counters(uint64_t messages, uint64_t bytes, uint64_t lost)
{
	uint64_t old = 0 - soak_round.until;
	struct coshm_info info;

	soak_ok(coshm_info_read(NULL, NAME, &info));
	soak_must(info.messages - old == messages, "it counts %llu messages, and not %llu",
		  (unsigned long long)(info.messages - old), (unsigned long long)messages);
	soak_must(info.bytes - old == bytes, "it counts %llu bytes, and not %llu",
		  (unsigned long long)(info.bytes - old), (unsigned long long)bytes);
	soak_must(info.lost - old == lost, "it counts %llu as lost, and not %llu",
		  (unsigned long long)(info.lost - old), (unsigned long long)lost);
	soak_must(info.evicted - old == 0, "it counts %llu dead, and nobody died",
		  (unsigned long long)(info.evicted - old));
}

void soak_await_age(void)
{
	pthread_barrier_wait(&soak->aged);
}

void soak_await_all(void)
{
	pthread_barrier_wait(&soak->seated);
}

uint32_t soak_wait(unsigned int peer)
{
	return peer % 2 ? COSHM_WAIT_BLOCK : COSHM_WAIT_ADAPTIVE;
}

size_t soak_bytes(uint64_t number, bool large)
{
	if (number % 5 != 4)
		return 8 * (size_t)(2 + number / 5 % 5);
	return large ? 8 * (size_t)(8 + number * 37 % 240) : 8 * (size_t)(2 + number * 37 % 31);
}

void soak_complain(const char *file, int line, const char *fmt, ...)
{
	va_list args;
	size_t n;

	if (atomic_exchange(&soak->complained, 1))
		return;
	n = (size_t)snprintf(soak->complaint, sizeof(soak->complaint), "%s:%d: ", file, line);
	va_start(args, fmt);
	vsnprintf(soak->complaint + n, sizeof(soak->complaint) - n, fmt, args);
	va_end(args);
}
