/* SPDX-License-Identifier: Apache-2.0 */
/*
 * attach.c - which segments this process has attached, and how often anybody has.
 */
#include <errno.h>
#include <pthread.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "attach.h"
#include "shm.h"
#include "token.h"

/* Our own list.  From mmap and not from malloc: shmat is called where malloc must not be. */
static struct attachment *list;
static size_t list_room, list_used;
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static int cancel; /* whether the thread that has the mutex could be cancelled */

#define NO_RECORD UINT32_MAX /* attached, and known to nobody: there was no room for it */

/* ---- records in the table ---- */

static bool is_mine(uint64_t word, const struct token *t)
{
	return SYSV_ATTACH_TOKEN(word) == t->index &&
	       SYSV_ATTACH_EPOCH(word) == (t->epoch & 0xffffu);
}

static uint64_t load(uint32_t record)
{
	/* Relaxed: one word says all, and where its order matters there is a fence. */
	return atomic_load_explicit(&table_open()->attaches[record], memory_order_relaxed);
}

static bool replace(uint32_t record, uint64_t from, uint64_t to)
{
	return atomic_compare_exchange_strong_explicit(&table_open()->attaches[record], &from, to,
						       memory_order_acq_rel,
						       memory_order_relaxed /* tried again */);
}

static bool alive(uint64_t word)
{
	return token_alive(SYSV_ATTACH_TOKEN(word), SYSV_ATTACH_EPOCH(word));
}

/* Whose it was, if nobody has that token now; else 0. */
static uint64_t pid_of(uint64_t word)
{
	const struct sysv_token_shared *t = &table_open()->tokens[SYSV_ATTACH_TOKEN(word)];

	if (SYSV_ATTACH_TOKEN(word) >= table_backed(SYSV_AREA_TOKENS))
		return 0;
	/* Relaxed, both: for people. */
	if ((atomic_load_explicit(&t->epoch, memory_order_relaxed) & 0xffffu) !=
	    SYSV_ATTACH_EPOCH(word))
		return 0;
	return atomic_load_explicit(&t->pid, memory_order_relaxed);
}

/* A record of @token's with @count of segment @index. */
static int claim(const struct token *token, uint32_t index, uint32_t count)
{
	uint64_t word = SYSV_ATTACH_WORD(token->index, token->epoch, index, count);
	int err;

	for (uint32_t i = 0; i < SYSV_ATTACHES; i++) {
		err = table_back(SYSV_AREA_ATTACHES, i);
		if (err < 0)
			return err;
		if (load(i) == 0 && replace(i, 0, word))
			return (int)i;
	}
	for (uint32_t i = 0; i < SYSV_ATTACHES; i++) {
		uint64_t old = load(i);

		if (!alive(old) && replace(i, old, word))
			return (int)i;
	}
	return -ENOMEM;
}

static int add(uint32_t index)
{
	const struct token *token = token_mine();

	if (!token)
		return -errno;
	for (size_t i = 0; i < list_used; i++) {
		uint64_t word = list[i].addr ? load(list[i].record) : 0;

		if (word == 0 || SYSV_ATTACH_INDEX(word) != index || !is_mine(word, token))
			continue;
		/* Ours alone to change, as long as we live. */
		return SYSV_ATTACH_COUNT(word) < 0xffffu &&
				       replace(list[i].record, word, word + 1) ?
			       (int)list[i].record :
			       -ENOMEM;
	}
	return claim(token, index, 1);
}

int attach_record(uint32_t index)
{
	int record = add(index);

	atomic_thread_fence(memory_order_seq_cst); /* U1 */
	return record;
}

void attach_unrecord(uint32_t record)
{
	const struct token *token = token_mine();
	uint64_t word = record < table_backed(SYSV_AREA_ATTACHES) ? load(record) : 0;

	/* A child may have what its parent attached, and no record of that. */
	if (word != 0 && token && is_mine(word, token))
		replace(record, word, SYSV_ATTACH_COUNT(word) > 1 ? word - 1 : 0);
	atomic_thread_fence(memory_order_seq_cst); /* U3 */
}

/* Does this record count?  If not, it is nobody's from here on. */
static bool counts(uint32_t record, uint64_t word, const struct token *token)
{
	if ((token && is_mine(word, token)) || alive(word))
		return true;
	if (replace(record, word, 0))
		shm_left(SYSV_ATTACH_INDEX(word), pid_of(word));
	return false;
}

uint64_t attach_count(uint32_t index)
{
	const struct token *token = token_mine();
	uint32_t end = table_backed(SYSV_AREA_ATTACHES);
	uint64_t count = 0;

	atomic_thread_fence(memory_order_seq_cst); /* U2 */
	for (uint32_t i = 0; i < end; i++) {
		uint64_t word = load(i);

		if (word != 0 && SYSV_ATTACH_INDEX(word) == index && counts(i, word, token))
			count += SYSV_ATTACH_COUNT(word);
	}
	return count;
}

void attach_all(unsigned char *indexes, uint32_t count)
{
	const struct token *token = token_mine();
	uint32_t end = table_backed(SYSV_AREA_ATTACHES);

	memset(indexes, 0, count);
	atomic_thread_fence(memory_order_seq_cst); /* U2 */
	for (uint32_t i = 0; i < end; i++) {
		uint64_t word = load(i);

		if (word != 0 && SYSV_ATTACH_INDEX(word) < count && counts(i, word, token))
			indexes[SYSV_ATTACH_INDEX(word)] = 1;
	}
}

void attach_forget_dead(uint32_t token)
{
	uint32_t end = table_backed(SYSV_AREA_ATTACHES);

	for (uint32_t i = 0; i < end; i++) {
		uint64_t word = load(i);

		if (word != 0 && SYSV_ATTACH_TOKEN(word) == token)
			counts(i, word, NULL);
	}
}

/* ---- the list of this process ---- */

int attach_remember(const struct attachment *a)
{
	size_t room = list_room ? list_room * 2 : 128;
	struct attachment *larger;

	for (size_t i = 0; i < list_used; i++)
		if (!list[i].addr) {
			list[i] = *a;
			return 0;
		}
	if (list_used == list_room) {
		larger = list_room ? mremap(list, list_room * sizeof(*list), room * sizeof(*list),
					    MREMAP_MAYMOVE) :
				     mmap(NULL, room * sizeof(*list), PROT_READ | PROT_WRITE,
					  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		if (larger == MAP_FAILED)
			return -ENOMEM;
		list = larger;
		list_room = room;
	}
	list[list_used++] = *a;
	return 0;
}

struct attachment *attach_find(const void *addr)
{
	for (size_t i = 0; i < list_used; i++)
		if (addr && list[i].addr == addr)
			return &list[i];
	return NULL;
}

struct attachment *attach_within(const void *addr, size_t bytes)
{
	const char *from = addr;

	for (size_t i = 0; i < list_used; i++)
		if (list[i].addr && list[i].addr >= from && list[i].bytes <= bytes &&
		    list[i].addr + list[i].bytes <= from + bytes)
			return &list[i];
	return NULL;
}

void attach_forget(struct attachment *a)
{
	attach_unrecord(a->record);
	a->addr = NULL;
	while (list_used > 0 && !list[list_used - 1].addr)
		list_used--;
}

/* ---- fork, and the end ---- */

static struct token child; /* taken before a fork, for it */

/* A record of the child's for each of ours, at the end of the list's room. */
static void record_for_child(uint32_t *records)
{
	for (size_t i = 0; i < list_used; i++) {
		uint64_t word = list[i].addr ? load(list[i].record) : 0;
		size_t before = 0;
		int record;

		records[i] = NO_RECORD;
		if (word == 0)
			continue;
		while (before < i && (!list[before].addr || list[before].record != list[i].record))
			before++;
		record = before < i ? /* NO_RECORD is below 0 */
				 (int)records[before] :
				 claim(&child, SYSV_ATTACH_INDEX(word), SYSV_ATTACH_COUNT(word));
		if (record >= 0)
			records[i] = (uint32_t)record;
		shm_forked(SYSV_ATTACH_INDEX(word));
	}
}

static uint32_t *child_records = MAP_FAILED;
static size_t child_records_bytes;

void attach_fork_prepare(void)
{
	pthread_mutex_lock(&mutex);
	child = (struct token){ .fd = -1 };
	child_records_bytes = list_used * sizeof(*child_records);
	if (list_used == 0)
		return;
	child_records = mmap(NULL, child_records_bytes, PROT_READ | PROT_WRITE,
			     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (child_records != MAP_FAILED && token_take(&child, SYSV_TOKEN_PROCESS, TOKEN_CHILD) == 0)
		record_for_child(child_records);
}

static void fork_end(void)
{
	if (child_records != MAP_FAILED)
		munmap(child_records, child_records_bytes);
	child_records = MAP_FAILED;
	pthread_mutex_unlock(&mutex);
}

void attach_fork_parent(void)
{
	/* If there is no child after all, that was the last mapping: the token is dead. */
	if (child.held)
		token_hand_over(&child);
	fork_end();
}

void attach_fork_child(void)
{
	for (size_t i = 0; i < list_used; i++)
		if (list[i].addr)
			list[i].record = child.held ? child_records[i] : NO_RECORD;
	token_fork_child(child.held ? &child : NULL);
	fork_end();
}

/* A segment that was removed goes with its last process, also if that does not detach it. */
__attribute__((destructor)) static void leave(void)
{
	sigset_t signals;

	attach_enter(&signals);
	for (size_t i = 0; i < list_used; i++)
		if (list[i].addr)
			shm_leave(&list[i]);
	attach_leave(&signals);
}

void attach_enter(sigset_t *signals)
{
	int was;

	signals_block(signals);
	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &was); /* open(2) is a point of it */
	pthread_mutex_lock(&mutex);
	cancel = was;
}

void attach_leave(const sigset_t *signals)
{
	int was = cancel;

	pthread_mutex_unlock(&mutex);
	pthread_setcancelstate(was, NULL);
	signals_restore(signals);
}
