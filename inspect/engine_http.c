/* SPDX-License-Identifier: Apache-2.0 */
/*
 * engine_http.c - answers of an engine: over its unix socket, or recorded ones.
 *
 * An engine may be dead, hang, or be somebody else: all questions to one have one
 * deadline, and no answer is taken beyond a size.
 */
#include <curl/curl.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "engine_parts.h"

#define CONNECT_MS    300L
#define ALTOGETHER_MS 2000

struct source {
	char *path;
	CURL *curl; /* NULL: a folder */
	int64_t deadline_ms;
};

static int64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static bool make_room(struct answer *a, size_t more)
{
	size_t room = a->room ? a->room : 65536;
	char *larger;

	if (more > LONGEST_ANSWER - a->length)
		return false;
	while (room - a->length <= more) /* a NUL after it */
		room *= 2;
	if (room == a->room)
		return true;
	larger = realloc(a->text, room);
	if (!larger)
		return false;
	a->text = larger;
	a->room = room;
	return true;
}

/* More than is allowed ends the transfer: what is returned is not what was offered. */
static size_t take_bytes(char *bytes, size_t one, size_t count, void *arg)
{
	struct answer *a = arg;

	(void)one; /* always 1 */
	if (!make_room(a, count))
		return 0;
	memcpy(a->text + a->length, bytes, count);
	a->length += count;
	a->text[a->length] = '\0';
	return count;
}

struct source *source_folder(const char *path)
{
	struct source *s = calloc(1, sizeof(*s));

	if (s)
		s->path = strdup(path);
	if (s && s->path)
		return s;
	free(s);
	return NULL;
}

struct source *source_socket(const char *path)
{
	struct source *s = source_folder(path);

	if (!s)
		return NULL;
	s->curl = curl_easy_init();
	if (!s->curl) {
		source_close(s);
		return NULL;
	}
	curl_easy_setopt(s->curl, CURLOPT_UNIX_SOCKET_PATH, path);
	curl_easy_setopt(s->curl, CURLOPT_PROXY, ""); /* none, whatever the environment says */
	curl_easy_setopt(s->curl, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(s->curl, CURLOPT_CONNECTTIMEOUT_MS, CONNECT_MS);
	curl_easy_setopt(s->curl, CURLOPT_WRITEFUNCTION, take_bytes);
	s->deadline_ms = now_ms() + ALTOGETHER_MS;
	return s;
}

void source_close(struct source *s)
{
	if (!s)
		return;
	if (s->curl)
		curl_easy_cleanup(s->curl);
	free(s->path);
	free(s);
}

static bool ask(struct source *s, const char *target, struct answer *answer, char why[256])
{
	long left_ms = (long)(s->deadline_ms - now_ms()), status = 0, error = 0;
	char url[256];
	CURLcode rc;

	if (left_ms <= 0) {
		snprintf(why, 256, "it took longer than %d ms", ALTOGETHER_MS);
		return false;
	}
	snprintf(url, sizeof(url), "http://engine%s", target);
	curl_easy_setopt(s->curl, CURLOPT_URL, url);
	curl_easy_setopt(s->curl, CURLOPT_TIMEOUT_MS, left_ms);
	curl_easy_setopt(s->curl, CURLOPT_WRITEDATA, answer);
	rc = curl_easy_perform(s->curl);
	curl_easy_getinfo(s->curl, CURLINFO_RESPONSE_CODE, &status);
	curl_easy_getinfo(s->curl, CURLINFO_OS_ERRNO, &error);
	if (rc == CURLE_OK && status == 200 && answer->text)
		return true;
	answer->gone = rc == CURLE_OK && status == 404;
	if (rc == CURLE_COULDNT_CONNECT && error != 0)
		snprintf(why, 256, "%s", strerror((int)error));
	else if (rc == CURLE_WRITE_ERROR)
		snprintf(why, 256, "its answer is longer than %zu MiB", LONGEST_ANSWER >> 20);
	else if (rc != CURLE_OK)
		snprintf(why, 256, "%s", curl_easy_strerror(rc));
	else
		snprintf(why, 256, "it answered with HTTP status %ld", status);
	return false;
}

static bool read_file(const char *folder, const char *file, struct answer *answer, char why[256])
{
	char bytes[16384], *path;
	size_t got, taken = 0;
	FILE *f;

	if (asprintf(&path, "%s/%s", folder, file) < 0)
		return false;
	f = fopen(path, "re");
	free(path);
	if (!f) {
		answer->gone = errno == ENOENT;
		snprintf(why, 256, "%s", strerror(errno));
		return false;
	}
	do {
		got = fread(bytes, 1, sizeof(bytes), f);
		taken = got ? take_bytes(bytes, 1, got, answer) : 0;
	} while (got != 0 && taken == got);
	fclose(f);
	if (got == 0 && answer->text)
		return true;
	snprintf(why, 256, got ? "it is too long" : "it is empty");
	return false;
}

bool source_get(struct source *s, const char *target, const char *file, struct answer *answer,
		char why[256])
{
	*answer = (struct answer){ 0 };
	why[0] = '\0';
	if (s->curl ? ask(s, target, answer, why) : read_file(s->path, file, answer, why))
		return true;
	free(answer->text);
	answer->text = NULL;
	return false;
}
