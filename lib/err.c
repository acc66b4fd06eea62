/* SPDX-License-Identifier: Apache-2.0 */
/*
 * err.c - the sentence behind a negative errno, one per thread.
 */
#include <stdarg.h>
#include <stdio.h>

#include "coshm.h"
#include "err.h"

static _Thread_local char buffer[512];
static _Thread_local const char *sentence;

int err_say(int err, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(buffer, sizeof(buffer), fmt, ap);
	va_end(ap);
	sentence = buffer;
	return -err;
}

int err_const(int err, const char *literal)
{
	sentence = literal;
	return -err;
}

const char *coshm_errmsg(void)
{
	return sentence ? sentence : "nothing has failed in this thread";
}
