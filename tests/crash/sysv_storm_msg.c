/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sysv_storm_msg.c - a queue of messages in a storm: victims 0 and 1 send, the others receive.
 *
 * Each message is accounted for by its sender and number: none is torn, none comes
 * twice, and no more are gone than were on their way to who was killed.
 */
#include <sys/msg.h>

#include "sysv_storm.h"

#define KEY   0x6d7367
#define WORDS 24u
#define TYPES 3
#define SENT  0x80u /* beside the count of its receptions: its msgsnd has returned */

struct message {
	long type;
	uint64_t words[WORDS];
};

static int find(void)
{
	int id = msgget(KEY, 0);

	storm_must(id >= 0, "msgget: %s", strerror(errno));
	return id;
}

static size_t bytes_of(uint64_t number)
{
	return 8 * (size_t)(2 + number % (WORDS - 1));
}

static void send_one(unsigned int peer)
{
	struct storm_note *n = &storm->notes[peer];
	uint64_t seq = atomic_load(&n->begun) + 1, number = seq * PRODUCERS + peer;
	struct message m = { .type = 1 + (long)(seq % TYPES), .words = { number } };

	if (seq >= SEQS)
		return;
	message_fill(m.words + 1, bytes_of(number) - 8, number);
	atomic_store(&n->begun, seq);
	if (msgsnd(find(), &m, bytes_of(number), rand() % 2 ? IPC_NOWAIT : 0) == 0)
		atomic_fetch_or(&storm->came[peer][seq], SENT);
	else
		storm_must(errno == EAGAIN, "msgsnd: %s", strerror(errno));
}

static bool receive(int flags)
{
	struct message m;
	ssize_t bytes = msgrcv(find(), &m, sizeof(m.words), 0, flags);
	uint64_t number, seq;

	if (bytes < 0) {
		storm_must(errno == ENOMSG && (flags & IPC_NOWAIT), "msgrcv: %s", strerror(errno));
		return false;
	}
	number = m.words[0];
	seq = number / PRODUCERS;
	storm_must(bytes >= 16 && (size_t)bytes == bytes_of(number) &&
			   message_good(m.words + 1, (size_t)bytes - 8, number) && seq < SEQS &&
			   m.type == 1 + (long)(seq % TYPES),
		   "a message is torn");
	storm_must((atomic_fetch_add(&storm->came[number % PRODUCERS][seq], 1) & ~SENT) == 0,
		   "message %llu came twice", (unsigned long long)number);
	atomic_fetch_add(&storm->messages, 1);
	return true;
}

void sysv_storm_msg_begin(unsigned int peer)
{
	struct storm_note *n = &storm->notes[peer];

	/* In this order: killed in between, it counts them twice, and not never. */
	atomic_fetch_add(&n->unknown, atomic_load(&n->asked));
	atomic_store(&n->asked, 0);
}

void sysv_storm_msg_step(unsigned int peer)
{
	struct storm_note *n = &storm->notes[peer];

	for (int i = rand() % 8; i >= 0; i--) {
		if (peer < PRODUCERS) {
			send_one(peer);
			continue;
		}
		atomic_store(&n->asked, 1);
		receive(rand() % 4 ? IPC_NOWAIT : 0);
		atomic_store(&n->asked, 0);
	}
}

void sysv_storm_msg_make(void)
{
	int id = msgget(KEY, IPC_CREAT | IPC_EXCL | 0600);

	storm_must(id >= 0, "msgget: %s", strerror(errno));
}

void sysv_storm_msg_audit(void)
{
	struct msqid_ds ds;

	storm_must(msgctl(find(), IPC_STAT, &ds) == 0, "IPC_STAT: %s", strerror(errno));
}

void sysv_storm_msg_remove(void)
{
	uint64_t missing = 0, allowed = 0;

	while (receive(IPC_NOWAIT))
		;
	for (unsigned int p = 0; p < PRODUCERS; p++)
		for (uint64_t seq = 1; seq <= atomic_load(&storm->notes[p].begun); seq++)
			missing += atomic_load(&storm->came[p][seq]) == SENT;
	for (unsigned int p = PRODUCERS; p < PEERS; p++)
		allowed +=
			atomic_load(&storm->notes[p].unknown) + atomic_load(&storm->notes[p].asked);
	storm_must(missing <= allowed, "%llu messages are gone, %llu may be",
		   (unsigned long long)missing, (unsigned long long)allowed);
	atomic_store(&storm->lost, missing);
	storm_must(msgctl(find(), IPC_RMID, NULL) == 0, "IPC_RMID: %s", strerror(errno));
}
