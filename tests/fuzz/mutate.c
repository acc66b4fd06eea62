/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mutate.c - damage that gets past the checksum and hits what steers the code.
 *
 * Bytes changed anywhere hit payload nine times of ten, which nobody trusts and
 * nobody looks at.  So most changes aim at a field: of the header, of the state,
 * of the channel's control, of a peer, or at the words of a slot.
 */
#include <string.h>

#include "fuzz.h"
#include "layout.h"

static uint32_t load32(const uint8_t *image, size_t at)
{
	uint32_t value;

	memcpy(&value, image + at, sizeof(value));
	return value;
}

static size_t of_peer(uint64_t r)
{
	static const uint8_t fields[] = { offsetof(struct peer_shared, role),
					  offsetof(struct peer_shared, command),
					  offsetof(struct peer_shared, position),
					  offsetof(struct peer_shared, wake) };
	/* The first seats and the publisher's are the ones that are used. */
	size_t slot = r % 3 == 0 ? LAYOUT_PUBLISHER : (r >> 8) % 4;

	return offsetof(struct region_shared, peers) + slot * sizeof(struct peer_shared) +
	       fields[(r >> 16) % sizeof(fields)];
}

static size_t of_slot(const uint8_t *image, size_t bytes, uint64_t r)
{
	size_t slot_bytes = load32(image, offsetof(struct header_shared, slot_bytes));
	size_t data = bytes - LAYOUT_META_BYTES;

	if (slot_bytes == 0 || slot_bytes > data)
		slot_bytes = 64;
	/* Its word, its length, or the first words of its payload. */
	return LAYOUT_META_BYTES + (r >> 8) % (data / slot_bytes) * slot_bytes + (r % 4) * 8;
}

size_t fuzz_aim(const uint8_t *image, size_t bytes, uint64_t *random)
{
	uint64_t r = fuzz_random(random);
	size_t at;

	if (bytes < LAYOUT_META_BYTES + 256)
		return r % (bytes - 7) & ~(size_t)7;
	switch (fuzz_random(random) % 8) {
	case 0:
		at = r % sizeof(struct header_shared);
		break;
	case 1:
		at = offsetof(struct region_shared, state) + r % sizeof(struct state_shared);
		break;
	case 2:
	case 3:
		at = offsetof(struct region_shared, control) + r % 3 * 64 + (r >> 8) % 2 * 8;
		break;
	case 4:
		at = of_peer(r);
		break;
	case 5:
		at = r % bytes;
		break;
	default:
		at = of_slot(image, bytes, r);
	}
	at &= ~(size_t)3;
	return at + 8 <= bytes ? at : bytes - 8;
}

uint64_t fuzz_value(uint64_t now, uint64_t *random)
{
	static const uint64_t extremes[] = { 0,
					     1,
					     UINT64_MAX,
					     INT64_MAX,
					     UINT32_MAX,
					     INT32_MAX,
					     UINT16_MAX,
					     0xfffe,
					     0xfffd,
					     1u << 16,
					     UINT64_C(1) << 63,
					     1u << 31,
					     4096,
					     UINT64_C(1) << 44 };
	uint64_t r = fuzz_random(random);

	switch (r >> 60) {
	case 0:
	case 1:
	case 2:
		return r;
	case 3:
	case 4:
	case 5:
		return extremes[r % (sizeof(extremes) / sizeof(extremes[0]))];
	case 6:
	case 7: /* another lap, the same code */
		return now + ((r % 9 - 4) << 16);
	case 8:
		return now ^ UINT64_C(1) << r % 64;
	case 9: /* one half of it */
		return (now & ~UINT64_C(0xffffffff)) | (uint32_t)(r >> 8);
	case 10:
		return (now & ~UINT64_C(7)) | r % 8;
	default:
		return now + r % 9 - 4;
	}
}

size_t fuzz_mutate(uint8_t *data, size_t size, size_t max, uint64_t *random)
{
	uint64_t count = 1 + fuzz_random(random) % 8, r = fuzz_random(random);
	uint64_t value;
	size_t at;

	(void)max;
	if (size < FUZZ_IMAGE + 8)
		return size;
	if (r % 64 == 0) /* shorter */
		size = FUZZ_IMAGE + 8 + (r >> 8) % (size - FUZZ_IMAGE - 7);
	data[0] = (uint8_t)(r >> 16) % 16 ? FUZZ_REPAIR : 0;
	data[0] |= (uint8_t)((r >> 24) % 8 == 0 ? FUZZ_GROW : 0);
	data[0] |= (uint8_t)((r >> 32) % 8 == 0 ? FUZZ_BIND : 0);
	data[2] = (uint8_t)(r >> 40);
	for (at = FUZZ_SCRIPT; at < FUZZ_IMAGE; at++)
		if (fuzz_random(random) % 4 == 0)
			data[at] = (uint8_t)fuzz_random(random);
	while (count-- != 0) {
		at = FUZZ_IMAGE + fuzz_aim(data + FUZZ_IMAGE, size - FUZZ_IMAGE, random);
		memcpy(&value, data + at, sizeof(value));
		value = fuzz_value(value, random);
		memcpy(data + at, &value, sizeof(value));
	}
	return size;
}
