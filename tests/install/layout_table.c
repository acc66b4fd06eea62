/* SPDX-License-Identifier: Apache-2.0 */
/*
 * layout_table.c - are the tables of docs/layout.md what lib/layout.h and layout_sysv.h declare?
 *
 *   layout_table docs/layout.md
 *
 * Each row that gives an offset and a number of bytes is compared with the next
 * field below, in order; none may be missing on either side.
 */
#include <stdio.h>
#include <string.h>

#include "layout.h"
#include "layout_sem.h"
#include "layout_sysv.h"

#define SIZE(t, f) sizeof(((struct t *)0)->f)
/* A field at its offset in its own struct, with a sign in front if the table counts from there. */
#define FIELD(sign, base, t, f)                                                                    \
	{                                                                                          \
		sign, (base) + offsetof(struct t, f), SIZE(t, f), #f                               \
	}
#define HEADER(f)   FIELD("", 0, header_shared, f)
#define STATE(f)    FIELD("", offsetof(struct region_shared, state), state_shared, f)
#define COUNTERS(f) FIELD("", offsetof(struct region_shared, counters), counters_shared, f)
#define PEER(f)     FIELD("+", 0, peer_shared, f)
#define LATEST(f)   FIELD("", 0, latest_shared, f)
#define STREAM(f)   FIELD("", offsetof(struct region_shared, control), stream_control_shared, f)
#define QUEUE(f)    FIELD("", offsetof(struct region_shared, control), queue_control_shared, f)
#define SYSV(f)     FIELD("", 0, sysv_header_shared, f)
#define CONTROL(f)  FIELD("+", 0, sysv_control_shared, f)
#define TOKEN(f)    FIELD("+", 0, sysv_token_shared, f)
#define SLOT(f)     FIELD("+", 0, sysv_slot_shared, f)
#define MSG(f)      FIELD("", 0, msg_queue_shared, f)
#define PLACE(f)    FIELD("+", 0, msg_place_shared, f)
#define BLOCK(f)    FIELD("+", 0, msg_block_shared, f)
/* In the first block of a message. */
#define FIRST(f)                                                                                   \
	{                                                                                          \
		"+", offsetof(struct msg_block_shared, first.f), SIZE(msg_block_shared, first.f),  \
			#f                                                                         \
	}
#define SET(f)     FIELD("", 0, sem_set_shared, f)
#define ONE(f)     FIELD("+", 0, sem_one_shared, f)
#define SLEEPER(f) FIELD("+", 0, sem_sleeper_shared, f)
#define RECORD(f)  FIELD("+", 0, sem_record_shared, f)

static const struct {
	const char *sign;
	size_t offset, bytes;
	const char *name;
} fields[] = {
	{ "", 0, sizeof(struct header_shared), "header" },
	HEADER(magic),
	HEADER(version),
	HEADER(kind),
	HEADER(must_understand),
	HEADER(policy),
	HEADER(generation),
	HEADER(region_bytes),
	HEADER(ring_bytes),
	HEADER(slot_bytes),
	HEADER(slots),
	HEADER(page_bytes),
	HEADER(value_bytes),
	HEADER(created_ns),
	HEADER(type_bytes),
	HEADER(type_align),
	HEADER(type_version),
	HEADER(type_name),
	HEADER(unused),
	HEADER(checksum),
	{ "", offsetof(struct region_shared, state), sizeof(struct state_shared), "state" },
	STATE(data_sleepers),
	STATE(room_sleepers),
	STATE(retired),
	STATE(must_fence),
	{ "", offsetof(struct region_shared, counters), sizeof(struct counters_shared),
	  "counters" },
	COUNTERS(messages),
	COUNTERS(bytes),
	COUNTERS(lost),
	COUNTERS(evicted),
	COUNTERS(waits),
	{ "", offsetof(struct region_shared, control), SIZE(region_shared, control), "control" },
	PEER(role),
	PEER(pid),
	PEER(identity),
	PEER(since_ns),
	PEER(command),
	PEER(host),
	PEER(position),
	PEER(wake),
	PEER(epoch),
	PEER(unused),
	LATEST(magic),
	LATEST(value_bytes),
	LATEST(buffers),
	LATEST(head),
	FIELD("+", 0, latest_value_shared, bytes),
	STREAM(published),
	STREAM(claimed),
	STREAM(limit),
	STREAM(subscribers),
	FIELD("+", 0, stream_slot_shared, word),
	FIELD("+", LAYOUT_PAYLOAD, stream_large_shared, start),
	FIELD("+", LAYOUT_PAYLOAD, stream_large_shared, bytes),
	QUEUE(head),
	QUEUE(tail),
	QUEUE(again),
	FIELD("+", 0, queue_slot_shared, state),
	FIELD("+", 0, queue_slot_shared, bytes),
	{ "", 0, sizeof(struct sysv_header_shared), "header" },
	SYSV(magic),
	SYSV(version),
	SYSV(page_bytes),
	SYSV(generation),
	SYSV(created_ns),
	SYSV(limits),
	SYSV(checksum),
	{ "", SYSV_TABLE_CONTROL, sizeof(struct sysv_control_shared), "control" },
	CONTROL(lock),
	CONTROL(working),
	CONTROL(backed),
	TOKEN(role),
	TOKEN(epoch),
	TOKEN(pid),
	TOKEN(since_ns),
	TOKEN(command),
	TOKEN(host),
	TOKEN(unused),
	SLOT(state),
	SLOT(key),
	SLOT(cuid),
	SLOT(cgid),
	SLOT(perm),
	SLOT(size),
	SLOT(ctime_s),
	SLOT(atime_s),
	SLOT(dtime_s),
	SLOT(cpid),
	SLOT(lpid),
	SLOT(unused),
	{ "", 0, sizeof(struct msg_queue_shared), "queue" },
	MSG(lock),
	MSG(magic),
	MSG(head),
	MSG(tail),
	MSG(free),
	MSG(fresh),
	MSG(segments),
	MSG(places),
	MSG(crowd),
	MSG(mends),
	MSG(bytes),
	MSG(count),
	MSG(limit),
	MSG(serial),
	MSG(ticket),
	MSG(hurt),
	MSG(changed),
	MSG(used),
	PLACE(state),
	PLACE(token),
	PLACE(epoch),
	PLACE(mode),
	PLACE(type),
	PLACE(most),
	PLACE(since_ms),
	PLACE(ticket),
	PLACE(pid),
	PLACE(pid_before),
	PLACE(time_before_s),
	BLOCK(next),
	BLOCK(mark),
	BLOCK(follower),
	BLOCK(bytes),
	FIRST(type),
	FIRST(serial),
	FIRST(data),
	{ "", 0, sizeof(struct sem_set_shared), "head" },
	SET(lock),
	SET(magic),
	SET(sems),
	SET(ops),
	SET(ticket),
	SET(first),
	SET(last),
	SET(sleepers),
	SET(records),
	SET(changed),
	SET(unused),
	SET(journal),
	ONE(word),
	ONE(pid),
	ONE(holds),
	SLEEPER(owner),
	SLEEPER(ticket),
	SLEEPER(pid),
	SLEEPER(answer),
	SLEEPER(next),
	SLEEPER(before),
	SLEEPER(record),
	SLEEPER(count),
	SLEEPER(blocks),
	RECORD(owner),
	RECORD(lane),
	RECORD(pid),
	RECORD(unused),
};

/* "| **256** | **24** | **state** |..." to "256 24 state"; false if it gives no number of bytes. */
static int row_of(const char *line, char row[128])
{
	char plain[256], offset[32], bytes[32], name[64];
	size_t n = 0;

	for (; *line && n + 1 < sizeof(plain); line++)
		if (*line != '*')
			plain[n++] = *line;
	plain[n] = '\0';
	if (sscanf(plain, "| %31[0-9+] | %31[0-9] | %63[a-z_] |", offset, bytes, name) != 3)
		return 0;
	snprintf(row, 128, "%s %s %s", offset, bytes, name);
	return 1;
}

int main(int argc, char **argv)
{
	const size_t count = sizeof(fields) / sizeof(fields[0]);
	FILE *f = argc == 2 ? fopen(argv[1], "re") : NULL;
	char line[512], row[128], wanted[128];
	size_t i = 0;
	int same = f != NULL;

	while (f && fgets(line, sizeof(line), f)) {
		if (!row_of(line, row))
			continue;
		if (i < count)
			snprintf(wanted, sizeof(wanted), "%s%zu %zu %s", fields[i].sign,
				 fields[i].offset, fields[i].bytes, fields[i].name);
		if (i++ >= count || strcmp(row, wanted) != 0) {
			printf("# the table has \"%s\", the header \"%s\"\n", row,
			       i <= count ? wanted : "nothing more");
			same = 0;
			break;
		}
	}
	if (f)
		fclose(f);
	if (same && i != count) {
		printf("# the table ends before \"%s\"\n", fields[i].name);
		same = 0;
	}
	printf("%s 1 the %zu fields of docs/layout.md are those of the headers\n1..1\n",
	       same ? "ok" : "not ok", count);
	return !same;
}
