/* SPDX-License-Identifier: Apache-2.0 */
/*
 * json.c - a snapshot and rows of it as JSON; see json.h.
 *
 * A list or object that is NULL is one that there was no memory for; jansson
 * takes a NULL for a failure and passes it on.
 */
#include "json.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "text.h"

json_t *json_printable(struct memory *m, const char *text)
{
	return text[0] == '\0' ? json_null() : json_string(text_printable(m, text));
}

json_t *json_number(uint64_t number)
{
	return json_integer(number > INT64_MAX ? INT64_MAX : (json_int_t)number);
}

json_t *json_texts(struct memory *m, const char *const *text, unsigned int count)
{
	json_t *list = json_array();

	for (unsigned int i = 0; list && i < count; i++) {
		if (json_array_append_new(list, json_string(text_printable(m, text[i]))) < 0) {
			json_decref(list);
			return NULL;
		}
	}
	return list;
}

static json_t *json_value(struct memory *m, const struct value *value)
{
	char room[TEXT_ROOM];

	switch (value->type) {
	case VALUE_NONE:
	case VALUE_UNKNOWN:
		return json_null();
	case VALUE_TEXT:
		return json_printable(m, value->text);
	case VALUE_LIST:
	case VALUE_LINES:
		return json_texts(m, value->list, value->count);
	case VALUE_RATE:
	case VALUE_GROWTH:
		return json_real(value->rate);
	case VALUE_KEY:
		return json_string(text_key((int32_t)value->number, room));
	case VALUE_MODE:
		snprintf(room, sizeof(room), "%04o", (unsigned int)value->number & 07777u);
		return json_string(room);
	default:
		return json_number(value->number);
	}
}

json_t *json_row(const struct column_set *set, const struct rows *rows, unsigned int row)
{
	json_t *object = json_object();

	for (unsigned int i = 0; object && i < set->count; i++) {
		struct value value = set->column[i].get(rows, row);
		char name[32] = "";

		for (size_t c = 0; set->column[i].name[c] != '\0' && c + 1 < sizeof(name); c++)
			name[c] = (char)tolower((unsigned char)set->column[i].name[c]);
		if (json_object_set_new(object, name, json_value(rows->memory, &value)) < 0) {
			json_decref(object);
			return NULL;
		}
	}
	return object;
}

static json_t *limits(const struct ipc_limits *l)
{
	return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}",
			 "shmmax", json_number(l->shmmax), "shmall", json_number(l->shmall),
			 "shmmni", json_number(l->shmmni), "semmsl", json_number(l->semmsl),
			 "semmns", json_number(l->semmns), "semopm", json_number(l->semopm),
			 "semmni", json_number(l->semmni), "msgmax", json_number(l->msgmax),
			 "msgmnb", json_number(l->msgmnb), "msgmni", json_number(l->msgmni),
			 "mq_queues", json_number(l->mq_queues), "mq_msg", json_number(l->mq_msg),
			 "mq_msgsize", json_number(l->mq_msgsize));
}

static json_t *usage(const struct ipc_usage *u)
{
	return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "shm_segments",
			 json_number(u->shm_segments), "shm_pages", json_number(u->shm_pages),
			 "shm_resident_pages", json_number(u->shm_resident_pages),
			 "shm_swapped_pages", json_number(u->shm_swapped_pages), "sem_sets",
			 json_number(u->sem_sets), "sems", json_number(u->sems), "msg_queues",
			 json_number(u->msg_queues), "mq_queues", json_number(u->mq_queues));
}

/* @list, or NULL if there was no memory for the element. */
static json_t *append(json_t *list, json_t *element)
{
	if (!list || json_array_append_new(list, element) == 0)
		return list;
	json_decref(list);
	return NULL;
}

json_t *json_namespaces(const struct places *p, struct memory *m)
{
	json_t *list = json_array();

	for (unsigned int i = 0; list && i < p->s->ipcns_count; i++) {
		const struct ipcns *n = &p->s->ipcns[i];

		list = append(list,
			      json_pack("{s:o, s:i, s:b, s:b, s:i, s:o, s:o, s:o}", "ipcns",
					json_number(n->ino), "pid", (int)n->pid, "own", n->own,
					"seen", n->seen, "processes", (int)n->processes, "limits",
					limits(&n->limits), "usage", usage(&n->usage), "containers",
					json_texts(m, (const char *const *)p->in_ipcns[i].name,
						   p->in_ipcns[i].count)));
	}
	return list;
}

json_t *json_areas(const struct places *p, struct memory *m)
{
	json_t *list = json_array();

	for (unsigned int i = 0; list && i < p->s->area_count; i++) {
		const struct shm_area *a = &p->s->areas[i];
		const char *area = memory_print(m, "%u:%u%s", a->dev_major, a->dev_minor, a->root);
		json_t *ipcns = p->area_ipcns[i] == NOBODY ?
					json_null() :
					json_number(p->s->ipcns[p->area_ipcns[i]].ino);

		list = append(list,
			      json_pack("{s:o, s:o, s:o, s:i, s:o, s:o, s:o, s:b, s:b, s:o, s:o}",
					"area", json_printable(m, area), "point",
					json_printable(m, a->point), "fs", json_printable(m, a->fs),
					"pid", (int)a->pid, "size", json_number(a->bytes), "used",
					json_number(a->used), "free", json_number(a->free),
					"dev_shm", a->dev_shm, "seen", a->seen, "ipcns", ipcns,
					"containers",
					json_texts(m, (const char *const *)p->in_area[i].name,
						   p->in_area[i].count)));
	}
	return list;
}

static const char *state_name(enum container_state state)
{
	static const char *const names[] = { "", "running", "paused", "stopped" };

	return state <= CONTAINER_STOPPED ? names[state] : "";
}

static json_t *container(const struct snapshot *s, const struct container *c, struct memory *m)
{
	const struct {
		const char *member, *text;
	} texts[] = {
		{ "container", c->name },
		{ "engine", engine_name(c->engine) },
		{ "state", state_name(c->state) },
		{ "id", c->id },
		{ "image", c->image },
		{ "service", c->service },
		{ "project", c->project },
		{ "pod", c->pod },
		{ "pod_namespace", c->pod_namespace },
		{ "ipc_mode", c->ipc_mode },
		{ "pid_mode", c->pid_mode },
		{ "runtime", c->runtime },
		{ "label", c->label },
		{ "donor", c->donor == NOBODY ? "" : s->containers[c->donor].name },
		{ "donor_id", c->donor_id },
		{ "sysctls", c->sysctls },
		{ "own_shm", c->own_shm },
	};
	json_t *object = json_pack(
		"{s:i, s:o, s:o, s:b, s:o}", "pid", (int)c->pid, "shm_size",
		json_number(c->shm_size), "started",
		json_number((uint64_t)c->started_ns / 1000000000u), "privileged", c->privileged,
		"ipcns", c->ipcns == NOBODY ? json_null() : json_number(s->ipcns[c->ipcns].ino));

	for (size_t i = 0; object && i < sizeof(texts) / sizeof(texts[0]); i++) {
		if (json_object_set_new(object, texts[i].member, json_printable(m, texts[i].text)) <
		    0) {
			json_decref(object);
			return NULL;
		}
	}
	return object;
}

json_t *json_containers(const struct snapshot *s, struct memory *m)
{
	json_t *list = json_array();

	for (unsigned int i = 0; list && i < s->container_count; i++)
		list = append(list, container(s, &s->containers[i], m));
	return list;
}

int json_print(json_t *root)
{
	int err = root ? json_dumpf(root, stdout, JSON_INDENT(2)) : -1;

	json_decref(root);
	putchar('\n');
	return err < 0 && !ferror(stdout) ? -ENOMEM : 0;
}
