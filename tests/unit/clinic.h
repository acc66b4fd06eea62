/* SPDX-License-Identifier: Apache-2.0 */
/*
 * clinic.h - for tests of the doctor: a machine by hand.  Two containers of
 * Docker, "writer" and "reader"; the second has joined the first.  A third one,
 * "other", is of nobody's concern, until a test makes it so.
 */
#ifndef COSHM_TESTS_CLINIC_H
#define COSHM_TESTS_CLINIC_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "coshm.h"
#include "doctor.h"
#include "memory.h"

enum { WRITER, READER, OTHER, MEMBERS };

#define MIB         (UINT64_C(1) << 20)
#define WRITER_ID   "1111111111112222"
#define NEW_IPCNS   1 /* the namespace of nobody, to move somebody to */
#define NEW_AREA    1
#define SECONDS(at) ((at)*INT64_C(1000000000))

struct clinic {
	struct snapshot s;
	struct container containers[MEMBERS];
	struct process processes[MEMBERS];
	struct ipcns ipcns[3];
	struct shm_area areas[4];
	struct object objects[4];
	struct use uses[4];
	struct diagnosis *diagnosis;
	bool exact; /* sizes with all digits */
};

static inline struct container clinic_container(int i)
{
	static const char *const names[] = { "writer", "reader", "other" };
	static const char *const ids[] = { WRITER_ID, "3333333333334444", "5555555555556666" };

	return (struct container){ .engine = ENGINE_DOCKER,
				   .state = CONTAINER_RUNNING,
				   .id = ids[i],
				   .name = names[i],
				   .image = "shm",
				   .service = "",
				   .project = "",
				   .pod = "",
				   .pod_namespace = "",
				   .ipc_mode = "private",
				   .pid_mode = "",
				   .runtime = "runc",
				   .label = "docker-default (enforce)",
				   .sysctls = "",
				   .own_shm = "",
				   .shm_size = 64 * MIB,
				   .started_ns = SECONDS(1000 + i),
				   .named = true,
				   .pid = 100 + i,
				   .donor = NOBODY,
				   .donor_id = "",
				   .ipcns = i == OTHER ? 2 : 0,
				   .shm_area = i == OTHER ? 2 : 0,
				   .process = i };
}

static inline void clinic_join(struct clinic *c, int joiner, int donor)
{
	struct container *j = &c->containers[joiner];

	j->donor = donor;
	j->donor_id = c->containers[donor].id;
	j->ipc_mode = memory_print(c->s.memory, "container:%s", j->donor_id);
}

static inline void clinic_move(struct clinic *c, int member, int ipcns, int area)
{
	c->containers[member].ipcns = c->processes[member].ipcns = ipcns;
	c->containers[member].shm_area = c->processes[member].shm_area = area;
	c->processes[member].ipcns_ino = c->ipcns[ipcns].ino;
}

static inline void clinic_stop(struct clinic *c, int member)
{
	c->containers[member].state = CONTAINER_STOPPED;
	c->containers[member].process = NOBODY;
	c->containers[member].ipcns = c->containers[member].shm_area = NOBODY;
}

/* Neither was told anything, and each has its own. */
static inline void clinic_part(struct clinic *c)
{
	c->containers[READER].donor = NOBODY;
	c->containers[READER].donor_id = "";
	c->containers[READER].ipc_mode = "private";
	clinic_move(c, READER, NEW_IPCNS, NEW_AREA);
}

static inline void clinic_remove_donor(struct clinic *c, int member)
{
	c->containers[member].donor = NOBODY;
	c->containers[member].donor_id = "9999999999999999";
	c->containers[member].ipc_mode = "container:9999999999999999";
}

static inline int clinic_open(void **state)
{
	struct clinic *c = calloc(1, sizeof(*c));

	assert_non_null(c);
	c->s = (struct snapshot){ .containers = c->containers,
				  .processes = c->processes,
				  .ipcns = c->ipcns,
				  .areas = c->areas,
				  .objects = c->objects,
				  .uses = c->uses,
				  .container_count = MEMBERS,
				  .process_count = MEMBERS,
				  .ipcns_count = 3,
				  .area_count = 4,
				  .own_process = NOBODY,
				  .pid_host = true,
				  .memory = memory_new() };
	for (int i = 0; i < MEMBERS; i++) {
		c->containers[i] = clinic_container(i);
		c->processes[i] = (struct process){ .pid = 100 + i,
						    .state = 'S',
						    .command = "sleep",
						    .ipcns_ino = i == OTHER ? 502 : 500,
						    .pidns_ino = 600,
						    .userns_ino = 700,
						    .container = i,
						    .ipcns = i == OTHER ? 2 : 0,
						    .shm_area = i == OTHER ? 2 : 0,
						    .maps_seen = true };
		c->ipcns[i] = (struct ipcns){ .ino = 500 + i,
					      .pid = 100 + i,
					      .seen = true,
					      .limits = { .shmmni = 4096,
							  .shmall = UINT64_MAX - (1 << 24),
							  .semmsl = 32000,
							  .semmns = 1024000000,
							  .semopm = 500,
							  .semmni = 32000,
							  .msgmni = 32000,
							  .mq_queues = 256 } };
	}
	for (int i = 0; i < 4; i++)
		c->areas[i] = (struct shm_area){ .dev_minor = 40 + i,
						 .root = "/",
						 .point = i == 3 ? "/mnt" : "/dev/shm",
						 .fs = "tmpfs",
						 .pid = 100 + i,
						 .bytes = 64 * MIB,
						 .used = MIB,
						 .free = 63 * MIB,
						 .dev_shm = i != 3,
						 .seen = true };
	c->containers[WRITER].ipc_mode = "shareable";
	clinic_join(c, READER, WRITER);
	*state = c;
	return 0;
}

static inline int clinic_close(void **state)
{
	struct clinic *c = *state;

	doctor_free(c->diagnosis);
	memory_free(c->s.memory);
	free(c);
	return 0;
}

/* A file of the two in the area that they share, and who uses it. */
static inline struct object *clinic_object(struct clinic *c, enum object_kind kind,
					   const char *name)
{
	struct object *o = &c->objects[c->s.object_count++];
	bool file = kind > OBJECT_MSG;

	*o = (struct object){ .kind = kind,
			      .ipcns = file ? NOBODY : 0,
			      .area = file ? 0 : NOBODY,
			      .key = 0x162e,
			      .id = 3,
			      .name = name,
			      .mode = 0600,
			      .bytes = MIB,
			      .allocated = MIB,
			      .count = 1,
			      .cpid = 100 };
	return o;
}

static inline void clinic_use(struct clinic *c, int member, const struct object *o)
{
	int object = (int)(o - c->objects);

	c->uses[c->s.use_count++] =
		(struct use){ .process = member, .object = object, .mapped = true };
	c->objects[object].uses++;
}

static inline void clinic_ask_with_key(struct clinic *c, int a, int b, const struct key_file *key)
{
	struct side sides[] = { { .container = a, .process = NOBODY },
				{ .container = b, .process = NOBODY } };

	doctor_free(c->diagnosis);
	assert_int_equal(doctor_pair(&c->s, &sides[0], &sides[1], key, c->exact, &c->diagnosis), 0);
}

static inline void clinic_ask(struct clinic *c)
{
	clinic_ask_with_key(c, WRITER, READER, NULL);
}

static inline void clinic_ask_all(struct clinic *c)
{
	doctor_free(c->diagnosis);
	assert_int_equal(doctor_machine(&c->s, c->exact, &c->diagnosis), 0);
}

static inline const struct finding *clinic_found(const struct clinic *c, enum finding_code code)
{
	for (unsigned int i = 0; i < c->diagnosis->count; i++)
		if (c->diagnosis->findings[i].code == code)
			return &c->diagnosis->findings[i];
	return NULL;
}

static inline const struct finding *clinic_finding(const struct clinic *c, enum finding_code code)
{
	const struct finding *f = clinic_found(c, code);

	if (!f)
		fail_msg("there is no finding %s", finding_code_name(code));
	return f;
}

/* The pair's verdict, and nothing beside it. */
static inline const struct finding *clinic_verdict(struct clinic *c, enum finding_code code)
{
	clinic_ask(c);
	assert_string_equal(finding_code_name(c->diagnosis->findings[0].code),
			    finding_code_name(code));
	assert_int_equal(c->diagnosis->count, 1);
	assert_true(c->diagnosis->findings[0].verdict);
	return &c->diagnosis->findings[0];
}

static inline void assert_lines(const char *const lines[FINDING_LINES], const char *const *expected,
				unsigned int count)
{
	for (unsigned int i = 0; i < count; i++) {
		assert_non_null(lines[i]);
		assert_string_equal(lines[i], expected[i]);
	}
	if (count < FINDING_LINES)
		assert_null(lines[count]);
}

#define assert_fix(f, ...)                                                                         \
	do {                                                                                       \
		const char *const lines_[] = { __VA_ARGS__ };                                      \
		assert_lines((f)->fix, lines_, sizeof(lines_) / sizeof(lines_[0]));                \
	} while (0)

#define assert_says(text, part)                                                                    \
	do {                                                                                       \
		if (!(text) || !strstr(text, part))                                                \
			fail_msg("'%s' does not say '%s'", (text) ? (text) : "", part);            \
	} while (0)

#endif /* COSHM_TESTS_CLINIC_H */
