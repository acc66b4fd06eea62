/* SPDX-License-Identifier: Apache-2.0 */
/*
 * user_name.c - see user_name.h.
 */
#include "user_name.h"

#include <pwd.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

const char *user_name(uid_t uid)
{
	static struct {
		uid_t uid;
		bool asked, known;
		char name[64];
	} cache[64];
	unsigned int i = uid % 64;
	const struct passwd *user;

	if (!cache[i].asked || cache[i].uid != uid) {
		user = getpwuid(uid);
		cache[i].uid = uid;
		cache[i].asked = true;
		cache[i].known = user && strlen(user->pw_name) < sizeof(cache[i].name);
		snprintf(cache[i].name, sizeof(cache[i].name), "%s", user ? user->pw_name : "");
	}
	return cache[i].known ? cache[i].name : NULL;
}
