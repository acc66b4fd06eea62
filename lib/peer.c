/* SPDX-License-Identifier: Apache-2.0 */
/*
 * peer.c - who is attached to a region, and who of them is dead.
 *
 * Ordering edges:
 *
 *   SEAT  S1 owner: identity and the rest, then role, release
 *         ->  S2 anybody: role, acquire
 *         "if I see the role, I see whose it is; if I see none, all was left"
 *   LOCK  what an owner stored before the kernel dropped its lock
 *         ->  is seen by whoever takes the lock: the kernel's own spinlock
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

#include "err.h"
#include "peer.h"
#include "peer_core.h"
#include "wait.h"

_Static_assert(sizeof(off_t) == 8, "lock offsets are far out: build with 64-bit file offsets");

static pthread_mutex_t guard = PTHREAD_MUTEX_INITIALIZER;
static pthread_once_t guard_once = PTHREAD_ONCE_INIT;

static void guard_forks(void)
{
	pthread_atfork(peer_guard, peer_unguard, peer_unguard);
}

/* In a child made by fork, the prepare handler's lock is the child's own: it may unlock it. */
void peer_guard(void)
{
	pthread_once(&guard_once, guard_forks);
	pthread_mutex_lock(&guard);
}

void peer_unguard(void)
{
	pthread_mutex_unlock(&guard);
}

static struct flock slot_range(unsigned int slot)
{
	return (struct flock){ .l_type = F_WRLCK,
			       .l_whence = SEEK_SET,
			       .l_start = LAYOUT_LOCKS + (off_t)slot,
			       .l_len = 1 };
}

int peer_lock(int fd, unsigned int slot)
{
	struct flock range = slot_range(slot);

	if (fcntl(fd, F_OFD_SETLK, &range) == 0)
		return 0;
	return errno == EACCES ? -EAGAIN : -errno;
}

static uint32_t role_of(const struct region *r, unsigned int slot)
{
	return peer_role(&r->shared->peers[slot]);
}

static void copy_text(char *to, size_t bytes, const char *from)
{
	memset(to, 0, bytes);
	memcpy(to, from, strnlen(from, bytes - 1));
}

/* We hold the lock of the slot: sit down. */
static void sit(struct region *r, unsigned int slot)
{
	struct peer_shared *p = &r->shared->peers[slot];
	char host[256] = "";
	struct timespec now;

	gethostname(host, sizeof(host) - 1);
	clock_gettime(CLOCK_REALTIME, &now);
	p->pid = (uint32_t)getpid();
	p->since_ns = (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
	copy_text(p->command, sizeof(p->command), program_invocation_short_name);
	copy_text(p->host, sizeof(p->host), host);
	while (getrandom(p->identity, sizeof(p->identity), 0) < 0)
		;
	/* Relaxed: a position is meant only where the channel says so, later. */
	atomic_store_explicit(&p->position, 0, memory_order_relaxed);
	peer_show(p, r->role);
	r->slot = slot;
	r->self = p;
}

/* Nobody keeps a bit of a sleeper that is gone: a wake-up for it would cost for nothing. */
static void clear_sleeper(struct region *r, unsigned int slot)
{
	uint64_t bit = UINT64_C(1) << (slot % LAYOUT_SEATS);

	/* Relaxed, both: a bit cleared late costs one system call. */
	if (slot != LAYOUT_PUBLISHER)
		atomic_fetch_and_explicit(&r->shared->state.data_sleepers, ~bit,
					  memory_order_relaxed);
	if ((slot == LAYOUT_PUBLISHER) == (r->geometry.kind != LAYOUT_QUEUE))
		atomic_fetch_and_explicit(&r->shared->state.room_sleepers, ~bit,
					  memory_order_relaxed);
}

/* We hold the lock of the slot; what its last owner left there is made good. */
static bool clean(struct region *r, unsigned int slot, const struct region_kind *kind)
{
	if (role_of(r, slot) == 0)
		return false;
	if (kind->recover)
		kind->recover(r, slot);
	clear_sleeper(r, slot);
	bell_ring_everybody(r->shared); /* he may have died with their bits in his hand */
	peer_clear(&r->shared->peers[slot]);
	/* Relaxed: a number for people. */
	atomic_fetch_add_explicit(&r->shared->counters.evicted, 1, memory_order_relaxed);
	return true;
}

static int err_locks(const struct region *r, int err)
{
	return err_say(-err, "cannot lock a place in %s: %s", r->path, strerror(-err));
}

static int take_publisher(struct region *r, int fd, const struct region_kind *kind)
{
	char text[PEER_TEXT_BYTES];
	int err = peer_lock(fd, LAYOUT_PUBLISHER);

	if (err == -EAGAIN)
		return err_say(EBUSY,
			       peer_probe(r, LAYOUT_PUBLISHER) == PEER_DEAD ?
				       "a program that only reads %s keeps its publisher's place "
				       "locked, who has died: it was %s" :
				       "%s has a publisher that is alive: %s",
			       r->path, peer_describe(r, LAYOUT_PUBLISHER, text));
	if (err < 0)
		return err_locks(r, err);
	clean(r, LAYOUT_PUBLISHER, kind);
	sit(r, LAYOUT_PUBLISHER);
	return 0;
}

/* Free places first: those of the dead cost a recovery. */
static int take_seat(struct region *r, int fd, const struct region_kind *kind)
{
	for (int dead = 0; dead <= 1; dead++) {
		for (unsigned int slot = 0; slot < LAYOUT_SEATS; slot++) {
			int err;

			if (!dead && role_of(r, slot) != 0)
				continue;
			err = peer_lock(fd, slot);
			if (err == -EAGAIN)
				continue;
			if (err < 0)
				return err_locks(r, err);
			clean(r, slot, kind);
			sit(r, slot);
			return 0;
		}
	}
	return err_say(EUSERS, "all %u places of %s are taken", LAYOUT_SEATS, r->path);
}

/*
 * peer_take - take a place; r->role says which.  Guarded by the caller.
 * @fd: of the description that the region was mapped through
 */
int peer_take(struct region *r, int fd, const struct region_kind *kind)
{
	if (r->role == COSHM_PUBLISHER)
		return take_publisher(r, fd, kind);
	return take_seat(r, fd, kind);
}

/* The channel has already taken leave; the lock goes with the mapping. */
void peer_leave(struct region *r)
{
	clear_sleeper(r, r->slot);
	peer_clear(r->self);
}

/*
 * The role is read on both sides of the question to the kernel: an owner that
 * leaves clears it before its lock goes.  Who cannot be asked about is alive.
 */
enum peer_state peer_probe(struct region *r, unsigned int slot)
{
	_Atomic uint32_t *epoch = &r->shared->peers[slot].epoch;
	struct flock range = slot_range(slot);
	uint32_t before;
	int fd;

	/* Relaxed, both: ordered by S2 and LOCK; a stale one says "alive", and is asked again. */
	before = atomic_load_explicit(epoch, memory_order_relaxed);
	if (role_of(r, slot) == 0)
		return PEER_NONE;
	fd = region_probe_fd(r);
	if (fd < 0 || fcntl(fd, F_OFD_GETLK, &range) < 0 || range.l_type == F_WRLCK ||
	    fd != region_probe_fd(r))
		return PEER_ALIVE;
	if (role_of(r, slot) == 0)
		return PEER_NONE;
	if (atomic_load_explicit(epoch, memory_order_relaxed) != before)
		return PEER_ALIVE;
	return PEER_DEAD;
}

bool peer_bury(struct region *r, unsigned int slot, const struct region_kind *kind)
{
	bool buried = false;
	int fd;

	if (peer_probe(r, slot) != PEER_DEAD)
		return false;
	/* A description of its own: the probe's is shared with whatever we have forked. */
	peer_guard();
	fd = region_reopen(r, O_RDWR);
	if (fd >= 0) {
		buried = peer_lock(fd, slot) == 0 && clean(r, slot, kind);
		close(fd);
	}
	peer_unguard();
	return buried;
}

static bool publisher_to_mourn(struct region *r, uint32_t *epoch)
{
	if (!r->map) /* memory of the program's own: it has no places */
		return false;
	/* Relaxed, both: of a successor's death it is told at the next look. */
	*epoch = atomic_load_explicit(&r->shared->peers[LAYOUT_PUBLISHER].epoch,
				      memory_order_relaxed);
	return *epoch != atomic_load_explicit(&r->mourned, memory_order_relaxed) &&
	       peer_probe(r, LAYOUT_PUBLISHER) == PEER_DEAD;
}

int peer_publisher_watch(struct region *r)
{
	uint32_t epoch;

	return publisher_to_mourn(r, &epoch) ? -EOWNERDEAD : 0;
}

int peer_publisher_check(struct region *r)
{
	char text[PEER_TEXT_BYTES];
	uint32_t epoch;

	if (!publisher_to_mourn(r, &epoch))
		return 0;
	/* Relaxed: as above. */
	atomic_store_explicit(&r->mourned, epoch, memory_order_relaxed);
	return err_say(EOWNERDEAD, "the publisher of %s has died: it was %s", r->path,
		       peer_describe(r, LAYOUT_PUBLISHER, text));
}

void peer_printable(char *to, size_t to_bytes, const char *from, size_t from_bytes)
{
	size_t i;

	for (i = 0; i + 1 < to_bytes && i < from_bytes && from[i] != '\0'; i++)
		to[i] = from[i] > ' ' && from[i] <= '~' ? from[i] : '?';
	to[i] = '\0';
}

const char *peer_describe(const struct region *r, unsigned int slot, char text[PEER_TEXT_BYTES])
{
	const struct peer_shared *p = &r->shared->peers[slot];
	char command[LAYOUT_COMMAND_BYTES + 1], host[LAYOUT_HOST_BYTES + 1];

	if (role_of(r, slot) == 0) {
		snprintf(text, PEER_TEXT_BYTES, "somebody who is coming or going");
		return text;
	}
	peer_printable(command, sizeof(command), p->command, sizeof(p->command));
	peer_printable(host, sizeof(host), p->host, sizeof(p->host));
	snprintf(text, PEER_TEXT_BYTES, "pid %u (%s) in %s", p->pid, command, host);
	return text;
}
