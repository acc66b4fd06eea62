/* SPDX-License-Identifier: Apache-2.0 */
/*
 * engine_json.c - values of JSON that strangers wrote: bounded, made printable.
 */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "engine_parts.h"

#define LONGEST_SYSCTLS 1024u

const char *json_text(struct memory *m, const json_t *value, size_t most)
{
	if (!json_is_string(value))
		return "";
	return memory_printable(m, json_string_value(value), json_string_length(value), most);
}

uint64_t json_uint(const json_t *value)
{
	json_int_t number = json_integer_value(value); /* 0 if it is none */

	return number > 0 ? (uint64_t)number : 0;
}

bool json_is_id(const json_t *value)
{
	return json_is_string(value) && json_string_length(value) == ID_DIGITS &&
	       strspn(json_string_value(value), "0123456789abcdef") == ID_DIGITS;
}

/* The fraction and the zone of a moment: ".123Z", "+01:00" */
static int64_t fraction_ns(const char **text)
{
	int64_t ns = 0, unit = 100000000;

	if (**text != '.')
		return 0;
	for ((*text)++; **text >= '0' && **text <= '9'; (*text)++) {
		ns += (**text - '0') * unit;
		unit /= 10;
	}
	return ns;
}

static int64_t zone_seconds(const char *text)
{
	unsigned int hours, minutes;

	if ((text[0] != '+' && text[0] != '-') ||
	    sscanf(text + 1, "%2u:%2u", &hours, &minutes) != 2)
		return 0;
	return (text[0] == '-' ? -1 : 1) * (int64_t)(hours * 3600 + minutes * 60);
}

int64_t json_moment(const json_t *value)
{
	const uint64_t last = INT64_MAX / 1000000000;
	const char *text = json_string_value(value);
	int64_t seconds, ns;
	struct tm tm = { 0 };
	uint64_t number;

	if (!text) {
		number = json_uint(value);
		return number <= last ? (int64_t)number * 1000000000 : 0;
	}
	text = strptime(text, "%Y-%m-%dT%H:%M:%S", &tm);
	if (!text)
		return 0;
	ns = fraction_ns(&text);
	seconds = timegm(&tm) - zone_seconds(text);
	return seconds > 0 && (uint64_t)seconds < last ? seconds * 1000000000 + ns : 0;
}

bool ipc_sysctl(const char *name)
{
	return strncmp(name, "kernel.shm", 10) == 0 || strncmp(name, "kernel.msg", 10) == 0 ||
	       strncmp(name, "kernel.sem", 10) == 0 || strncmp(name, "fs.mqueue.", 10) == 0;
}

const char *json_sysctls(struct memory *m, const json_t *sysctls)
{
	char text[LONGEST_SYSCTLS] = "";
	size_t length = 0;
	const char *name;
	json_t *value;

	json_object_foreach((json_t *)sysctls, name, value)
	{
		int more;

		if (!ipc_sysctl(name) || !json_is_string(value))
			continue;
		more = snprintf(text + length, sizeof(text) - length, "%s%s=%s", length ? " " : "",
				name, json_string_value(value));
		if (more < 0 || (size_t)more >= sizeof(text) - length) {
			text[length] = '\0'; /* not half of one */
			break;
		}
		length += (size_t)more;
	}
	return memory_printable(m, text, length, length);
}
