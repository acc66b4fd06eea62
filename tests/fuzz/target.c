/* SPDX-License-Identifier: Apache-2.0 */
/*
 * target.c - a whole region from an enemy: open it in every role, and use it.
 *
 * What must be true for any bytes: nothing crashes, nothing is touched outside
 * of the mapping, each call returns, and what it gives back lies inside.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "coshm.h"
#include "fuzz.h"
#include "target.h"

#define GROW_MAX ((uint64_t)1 << 20)

static char dir[64];

static void remove_dir(void)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/" FUZZ_NAME, dir);
	unlink(path);
	rmdir(dir);
}

const char *fuzz_dir(void)
{
	const char *parent = getenv("FUZZ_PARENT");

	if (dir[0])
		return dir;
	snprintf(dir, sizeof(dir), "%s/coshm-fuzz-XXXXXX", parent ? parent : "/dev/shm");
	if (!mkdtemp(dir) || setenv("COSHM_DIR", dir, 1) < 0)
		abort();
	atexit(remove_dir);
	return dir;
}

void fuzz_repair(uint8_t *image, size_t bytes)
{
	uint64_t sum = UINT64_C(0xcbf29ce484222325);

	if (bytes < sizeof(struct header_shared))
		return;
	for (size_t i = 0; i < offsetof(struct header_shared, checksum); i++)
		sum = (sum ^ image[i]) * UINT64_C(0x100000001b3);
	memcpy(image + offsetof(struct header_shared, checksum), &sum, sizeof(sum));
}

void check_inside(const struct region *r, const void *data, size_t bytes)
{
	const unsigned char *p = data, *from = (const unsigned char *)r->shared;
	size_t size = (size_t)(r->geometry.region_bytes + r->geometry.ring_bytes);
	volatile unsigned char sink;

	if (p < from + LAYOUT_META_BYTES || bytes > size || p > from + size - bytes)
		abort(); /* what was given to the caller does not lie in the region */
	for (size_t i = 0; i < bytes; i += 61)
		sink = p[i];
	(void)sink;
}

void check_rc(int rc)
{
	switch (rc < 0 ? -rc : 0) {
	case 0:
	case EAGAIN:
	case EBUSY:
	case EINVAL:
	case EMSGSIZE:
	case ENOBUFS:
	case ENODATA:
	case EOWNERDEAD:
	case EPERM:
	case EPROTO:
	case EPROTONOSUPPORT:
	case EPROTOTYPE:
	case ESTALE:
	case ETIMEDOUT:
	case EUSERS:
	case ENOMEM: /* larger than can be mapped */
		break;
	default:
		fprintf(stderr, "an error that no function names: %d: %s\n", rc, coshm_errmsg());
		abort();
	}
	if (!memchr(coshm_errmsg(), '\0', 512))
		abort();
}

/* The region's file; false if it cannot be that long. */
static int put_file(const uint8_t *image, size_t bytes, bool grow, uint8_t **scratch)
{
	char path[128];
	uint64_t region_bytes;
	int fd;

	snprintf(path, sizeof(path), "%s/" FUZZ_NAME, fuzz_dir());
	unlink(path);
	fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0 || write(fd, image, bytes) != (ssize_t)bytes)
		abort();
	if (grow && bytes >= sizeof(struct header_shared)) {
		memcpy(&region_bytes, image + offsetof(struct header_shared, region_bytes),
		       sizeof(region_bytes));
		if (region_bytes > bytes && region_bytes <= GROW_MAX &&
		    ftruncate(fd, (off_t)region_bytes) < 0)
			abort();
	}
	*scratch = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (*scratch == MAP_FAILED)
		abort();
	return fd;
}

static void look_from_outside(void)
{
	struct coshm_peer peers[LAYOUT_PEERS];
	struct coshm_info info;
	int n;

	check_rc(coshm_info_read(NULL, FUZZ_NAME, &info));
	n = coshm_peers_read(NULL, FUZZ_NAME, 0, peers, LAYOUT_PEERS);
	check_rc(n);
	for (int i = 0; i < n; i++)
		if (!memchr(peers[i].command, '\0', sizeof(peers[i].command)) ||
		    !memchr(peers[i].host, '\0', sizeof(peers[i].host)))
			abort();
}

/* Memory of exactly this size: AddressSanitizer has the byte behind it. */
static void run_bound(const uint8_t *image, size_t bytes, struct script *script)
{
	size_t skip = bytes > LAYOUT_META_BYTES + 8 ? LAYOUT_META_BYTES : 0;
	void *memory;

	bytes -= skip;
	if (posix_memalign(&memory, 64, bytes) != 0)
		abort();
	memcpy(memory, image + skip, bytes);
	script->scratch = memory;
	script->scratch_bytes = bytes;
	run_latest(script, memory, bytes);
	free(memory);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static uint8_t copy[FUZZ_MAX];
	struct script script = { .op = data + FUZZ_SCRIPT, .left = FUZZ_IMAGE - FUZZ_SCRIPT };
	size_t bytes = size - FUZZ_IMAGE;
	int fd;

	if (size < FUZZ_IMAGE + 8 || size > FUZZ_MAX)
		return 0;
	fuzz_dir();
	script.wait = data[2] % 3;
	memcpy(copy, data + FUZZ_IMAGE, bytes);
	if (data[0] & FUZZ_BIND) {
		run_bound(copy, bytes, &script);
		return 0;
	}
	if (data[0] & FUZZ_REPAIR)
		fuzz_repair(copy, bytes);
	fd = put_file(copy, bytes, data[0] & FUZZ_GROW, &script.scratch);
	script.scratch_bytes = bytes;
	look_from_outside();
	switch (data[1] % 4) {
	case 1:
		run_latest(&script, NULL, 0);
		break;
	case 2:
		run_stream(&script);
		break;
	default:
		run_queue(&script);
	}
	look_from_outside();
	check_rc(data[2] & 64 ? coshm_retire(NULL, FUZZ_NAME) : coshm_remove(NULL, FUZZ_NAME));
	munmap(script.scratch, bytes);
	close(fd);
	return 0;
}
