/* SPDX-License-Identifier: Apache-2.0 */
/*
 * token.c - who takes part, and who of them is dead.  token.h has the rules.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "attach.h"
#include "layout.h"
#include "peer.h"
#include "table.h"
#include "token.h"

/* So many may lie about dead before they are looked for. */
#define DEAD_BEFORE_LOOK 64u
/* Where a descriptor of ours does not take a number that a program counts on. */
#define FD_HIGH 400

static struct token mine; /* written under the mutex, read once image->held is true */
static pthread_mutex_t taking = PTHREAD_MUTEX_INITIALIZER;
static _Atomic int probe_fd = -1;

/*
 * In a page that the kernel clears in a child, also in one of a raw clone(2), which no
 * handler of fork's has seen: its parent's token would be dead with its parent.
 */
static struct image {
	_Atomic uint64_t self; /* SYSV_PID of this process; 0: to be asked for */
	_Atomic bool held;     /* mine is this process's                       */
} * image;

static struct flock byte_of(uint32_t index)
{
	return (struct flock){ .l_type = F_WRLCK,
			       .l_whence = SEEK_SET,
			       .l_start = LAYOUT_LOCKS + (off_t)index,
			       .l_len = 1 };
}

int token_high_fd(int fd)
{
	int high = fcntl(fd, F_DUPFD_CLOEXEC, FD_HIGH);

	if (high < 0)
		return fd;
	close(fd);
	return high;
}

int token_setup(void)
{
	size_t page_bytes = (size_t)sysconf(_SC_PAGESIZE);
	void *page =
		mmap(NULL, page_bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (page == MAP_FAILED)
		return -errno;
	if (madvise(page, page_bytes, MADV_WIPEONFORK) < 0) {
		int err = -errno;

		munmap(page, page_bytes);
		return err;
	}
	image = page;
	return 0;
}

uint64_t token_pid(void)
{
	/* Relaxed, both: whoever looks finds the same. */
	uint64_t pid = atomic_load_explicit(&image->self, memory_order_relaxed);
	struct stat st;

	if (pid == 0) {
		pid = SYSV_PID(getpid(),
			       stat("/proc/self/ns/pid", &st) == 0 ? (uint32_t)st.st_ino : 1);
		atomic_store_explicit(&image->self, pid, memory_order_relaxed);
	}
	return pid;
}

int token_pid_here(uint64_t pid)
{
	return SYSV_PID_NAMESPACE(pid) == SYSV_PID_NAMESPACE(token_pid()) ?
		       (int)SYSV_PID_NUMBER(pid) :
		       0;
}

static uint32_t role_of(const struct sysv_token_shared *t)
{
	return atomic_load_explicit(&t->role, memory_order_acquire); /* T2 */
}

/* We hold its lock: whatever its last owner left counts for nothing from here on. */
static void sit(struct token *token, enum sysv_token_role role)
{
	struct sysv_token_shared *t = &table_open()->tokens[token->index];
	char host[256] = "";
	struct timespec now;

	/* Relaxed, all: ordered by T1. */
	token->epoch = atomic_load_explicit(&t->epoch, memory_order_relaxed) + 1;
	if ((token->epoch & 0xffffu) == 0) /* records have these bits, which begin anew */
		attach_forget_dead(token->index);
	atomic_store_explicit(&t->epoch, token->epoch, memory_order_relaxed);
	gethostname(host, sizeof(host) - 1);
	clock_gettime(CLOCK_REALTIME, &now);
	t->since_ns = (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
	memset(t->command, 0, sizeof(t->command));
	memset(t->host, 0, sizeof(t->host));
	memcpy(t->command, program_invocation_short_name,
	       strnlen(program_invocation_short_name, sizeof(t->command) - 1));
	memcpy(t->host, host, strnlen(host, sizeof(t->host) - 1));
	atomic_store_explicit(&t->pid, token_pid(), memory_order_relaxed);
	atomic_store_explicit(&t->role, role, memory_order_release); /* T1 */
	token->held = true;
}

static bool lock_byte(int fd, uint32_t index)
{
	return peer_lock(fd, index) == 0;
}

/*
 * A dead one's.  What he has left goes by his epoch, and seems to live from the lock on until
 * that is another: his records are gone before, so that nobody counts them if we are stopped.
 */
static bool take_over(int fd, uint32_t index)
{
	struct sysv_token_shared *t = &table_open()->tokens[index];

	/* Relaxed: another one is another owner's, and then we get no lock. */
	if (token_alive(index, atomic_load_explicit(&t->epoch, memory_order_relaxed)))
		return false;
	attach_forget_dead(index);
	if (!lock_byte(fd, index))
		return false;
	/* Relaxed: dead it was already. */
	atomic_store_explicit(&t->role, 0, memory_order_relaxed);
	return true;
}

/* A free token, a dead one's, or a new one; its byte is locked then. */
static int find_token(int fd, uint32_t *index)
{
	const struct table *table = table_open();
	uint32_t backed = table_backed(SYSV_AREA_TOKENS);

	for (uint32_t i = 0; i < backed; i++)
		if (role_of(&table->tokens[i]) == 0 && lock_byte(fd, i)) {
			*index = i;
			return 0;
		}
	for (uint32_t i = 0; backed >= DEAD_BEFORE_LOOK && i < backed; i++)
		if (take_over(fd, i)) {
			*index = i;
			return 0;
		}
	for (uint32_t i = backed; i < SYSV_TOKENS; i++) {
		int err = table_back(SYSV_AREA_TOKENS, i);

		if (err < 0)
			return err;
		if (role_of(&table->tokens[i]) == 0 && lock_byte(fd, i)) {
			*index = i;
			return 0;
		}
	}
	return -ENOSPC;
}

/* The mapping keeps the lock. */
static int map_page(struct token *token, int fd, enum token_keep keep)
{
	long page_bytes = sysconf(_SC_PAGESIZE);
	int err;

	token->page = mmap(NULL, (size_t)page_bytes, PROT_READ, MAP_SHARED, fd, 0);
	if (token->page == MAP_FAILED)
		return -errno;
	if (keep != TOKEN_CHILD && madvise(token->page, (size_t)page_bytes, MADV_DONTFORK) < 0) {
		err = -errno;
		munmap(token->page, (size_t)page_bytes);
		return err;
	}
	return 0;
}

static int take_guarded(struct token *token, int fd, enum token_keep keep)
{
	int err = find_token(fd, &token->index);

	return err < 0 ? err : map_page(token, fd, keep);
}

int token_take(struct token *token, enum sysv_token_role role, enum token_keep keep)
{
	int fd, err;

	*token = (struct token){ .fd = -1 };
	peer_guard(); /* no child may get the descriptor: it would keep the lock */
	err = fd = table_file();
	if (fd >= 0)
		err = take_guarded(token, fd, keep);
	if (err >= 0)
		sit(token, role);
	if (err >= 0 && keep == TOKEN_KEEP_FD)
		token->fd = token_high_fd(fd);
	else if (fd >= 0)
		close(fd);
	peer_unguard();
	return err < 0 ? err : 0;
}

void token_hand_over(struct token *token)
{
	munmap(token->page, (size_t)sysconf(_SC_PAGESIZE));
	if (token->fd >= 0)
		close(token->fd);
	*token = (struct token){ .fd = -1 };
}

const struct token *token_mine(void)
{
	sigset_t signals;
	int err = 0, cancel;

	if (__builtin_expect(atomic_load_explicit(&image->held, memory_order_acquire), 1))
		return &mine;
	signals_block(&signals); /* a handler would wait for the thread that it interrupted */
	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &cancel);
	pthread_mutex_lock(&taking);
	/* Relaxed: under the mutex. A parent's token is not to be dropped: it is not mapped here.
	 */
	if (!atomic_load_explicit(&image->held, memory_order_relaxed))
		err = token_take(&mine, SYSV_TOKEN_PROCESS, TOKEN_OWN);
	if (err == 0)
		atomic_store_explicit(&image->held, true, memory_order_release);
	pthread_mutex_unlock(&taking);
	pthread_setcancelstate(cancel, NULL);
	signals_restore(&signals);
	if (err < 0) {
		errno = -err;
		return NULL;
	}
	return &mine;
}

void token_fork_prepare(void)
{
	pthread_mutex_lock(&taking);
}

void token_fork_done(void)
{
	pthread_mutex_unlock(&taking);
}

/* The parent's page is not mapped here: nothing is to be undone. */
void token_fork_child(const struct token *child)
{
	mine = child ? *child : (struct token){ .fd = -1 };
	if (mine.held)
		atomic_store_explicit(&table_open()->tokens[mine.index].pid, token_pid(),
				      memory_order_relaxed);
	if (image) /* Relaxed, both: this process has one thread. */
		atomic_store_explicit(&image->held, mine.held, memory_order_relaxed);
}

static bool is_table(int fd)
{
	struct stat st;

	return fd >= 0 && fstat(fd, &st) == 0 && table_is(&st);
}

/* A description that has the lock may take it again, and no other may. */
static bool has_lock(int fd, uint32_t index)
{
	return is_table(fd) && lock_byte(fd, index);
}

bool token_kept(const struct token *token)
{
	return token->held && has_lock(token->fd, token->index);
}

int token_adopt(struct token *token, int fd, uint32_t index, uint32_t epoch)
{
	int err = -ESTALE;

	if (!is_table(fd))
		return -EBADF;
	*token = (struct token){ .index = index, .epoch = epoch, .fd = -1 };
	if (token_alive(index, epoch) && has_lock(fd, index))
		err = map_page(token, fd, TOKEN_KEEP_FD);
	if (err < 0) {
		close(fd);
		return err;
	}
	fcntl(fd, F_SETFD, FD_CLOEXEC);
	token->fd = fd;
	token->held = true;
	return 0;
}

/* Programs close what is not theirs: it is opened anew then. */
static int probe(void)
{
	/* Relaxed, all: a descriptor is checked before each use. */
	int fd = atomic_load_explicit(&probe_fd, memory_order_relaxed);
	int expected = fd;

	if (is_table(fd))
		return fd;
	fd = table_file();
	if (fd < 0)
		return fd;
	fd = token_high_fd(fd);
	if (atomic_compare_exchange_strong_explicit(&probe_fd, &expected, fd, memory_order_relaxed,
						    memory_order_relaxed))
		return fd;
	close(fd);
	return expected;
}

/* Does anybody hold it? A lock that is seen is one; that there is none, only the table can tell. */
enum answer { IS_FREE, IS_LOCKED, UNKNOWN };

static enum answer ask(int fd, uint32_t index)
{
	struct flock range = byte_of(index);

	if (fcntl(fd, F_OFD_GETLK, &range) < 0)
		return UNKNOWN;
	return range.l_type == F_UNLCK ? IS_FREE : IS_LOCKED;
}

bool token_alive(uint32_t index, uint32_t epoch)
{
	const struct table *table = table_open();
	struct sysv_token_shared *t = &table->tokens[index];
	int fd;

	if (index >= table_backed(SYSV_AREA_TOKENS))
		return false;
	/* Relaxed: it changes only under the byte's lock, so a dead one's stays. */
	if (role_of(t) == 0 ||
	    ((atomic_load_explicit(&t->epoch, memory_order_relaxed) ^ epoch) & 0xffffu) != 0)
		return false;
	/* Relaxed: a descriptor is checked before it is believed that nobody holds it. */
	fd = atomic_load_explicit(&probe_fd, memory_order_relaxed);
	if (fd >= 0 && ask(fd, index) == IS_LOCKED)
		return true;
	fd = probe();
	/* Another thread may have put another file in its place since we looked. */
	return fd < 0 || ask(fd, index) != IS_FREE || !is_table(fd);
}
