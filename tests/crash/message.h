/* SPDX-License-Identifier: Apache-2.0 */
/*
 * message.h - messages that show when they are torn.
 *
 * Each word follows from its place and the message's number and length, so a
 * word of another message, or of the same place a lap before, is found out.
 */
#ifndef COSHM_TEST_MESSAGE_H
#define COSHM_TEST_MESSAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* @bytes: a multiple of 8 */
void message_fill(void *data, size_t bytes, uint64_t number);
bool message_good(const void *data, size_t bytes, uint64_t number);

#endif /* COSHM_TEST_MESSAGE_H */
