/* SPDX-License-Identifier: Apache-2.0 */
/*
 * credentials.c - the calls by which a process becomes somebody else.
 */
#include <grp.h>
#include <sys/types.h>
#include <unistd.h>

#include "credentials.h"
#include "real.h"

_Atomic uint32_t credentials_changed;

/* libc has it, and no header. */
int capset(void *header, const void *data);

/* Counted when it has happened: what is remembered from before has another number. */
static int changed(int result)
{
	atomic_fetch_add_explicit(&credentials_changed, 1, memory_order_release);
	return result;
}

SHIM_EXPORT int setuid(uid_t uid)
{
	return changed(REAL(setuid)(uid));
}

SHIM_EXPORT int seteuid(uid_t uid)
{
	return changed(REAL(seteuid)(uid));
}

SHIM_EXPORT int setreuid(uid_t real, uid_t effective)
{
	return changed(REAL(setreuid)(real, effective));
}

SHIM_EXPORT int setresuid(uid_t real, uid_t effective, uid_t saved)
{
	return changed(REAL(setresuid)(real, effective, saved));
}

SHIM_EXPORT int setgid(gid_t gid)
{
	return changed(REAL(setgid)(gid));
}

SHIM_EXPORT int setegid(gid_t gid)
{
	return changed(REAL(setegid)(gid));
}

SHIM_EXPORT int setregid(gid_t real, gid_t effective)
{
	return changed(REAL(setregid)(real, effective));
}

SHIM_EXPORT int setresgid(gid_t real, gid_t effective, gid_t saved)
{
	return changed(REAL(setresgid)(real, effective, saved));
}

SHIM_EXPORT int setgroups(size_t count, const gid_t *groups)
{
	return changed(REAL(setgroups)(count, groups));
}

SHIM_EXPORT int initgroups(const char *user, gid_t group)
{
	return changed(REAL(initgroups)(user, group));
}

SHIM_EXPORT int capset(void *header, const void *data)
{
	return changed(REAL(capset)(header, data));
}
