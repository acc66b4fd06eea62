/* SPDX-License-Identifier: Apache-2.0 */
/*
 * user_name.h - how this machine calls a user; asked for once.
 */
#ifndef COSHM_CLI_USER_NAME_H
#define COSHM_CLI_USER_NAME_H

#include <sys/types.h>

/* user_name - NULL: nobody of this id is known. */
const char *user_name(uid_t uid);

#endif /* COSHM_CLI_USER_NAME_H */
