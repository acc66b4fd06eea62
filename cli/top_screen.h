/* SPDX-License-Identifier: Apache-2.0 */
/*
 * top_screen.h - the terminal of coshm top: cells out, keys in.
 */
#ifndef COSHM_CLI_TOP_SCREEN_H
#define COSHM_CLI_TOP_SCREEN_H

#include <stdint.h>

#include "cells.h"

/* Beside characters, which are themselves. */
enum terminal_key {
	TERMINAL_NONE = 0, /* time was up, or it has another size, or told to stop */
	TERMINAL_UP = -1,
	TERMINAL_DOWN = -2,
	TERMINAL_PAGE_UP = -3,
	TERMINAL_PAGE_DOWN = -4,
	TERMINAL_HOME = -5,
	TERMINAL_END = -6,
	TERMINAL_ERASE = -7, /* backspace */
	TERMINAL_ENTER = -8,
	TERMINAL_ESCAPE = -9,
	TERMINAL_GONE = -10, /* there are no more keys to come */
};

/*
 * terminal_open - take the terminal over.  0, or -1 after a complaint.  Until
 * terminal_close() nothing else may be printed; it is restored however we end.
 */
int terminal_open(void);
void terminal_close(void);

void terminal_size(unsigned int *rows, unsigned int *columns);
void terminal_draw(const struct cells *cells);

/* terminal_key - the next key, waited for so long.  A character, or enum terminal_key. */
int terminal_key(int64_t wait_ns);

#endif /* COSHM_CLI_TOP_SCREEN_H */
