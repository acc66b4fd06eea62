/* SPDX-License-Identifier: Apache-2.0 */
/*
 * top_screen.c - see top_screen.h.  ncurses is known here alone.
 *
 * The terminal is given back by terminal_close(), also after a signal, since that
 * makes every wait end.  A program that is told to stop while it looks at a large
 * machine, and is ended for it, gives it back from its signal handler: with the
 * control sequences and settings that were looked up when it was taken.
 */
#include "top_screen.h"

#include <curses.h>
#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <term.h>
#include <termios.h>
#include <unistd.h>
#include <wctype.h>

#include "cli.h"

#undef columns /* term.h has a capability of this name */

static SCREEN *screen;
static struct termios before;
static char farewell[256];
static bool colors;

static void restore(void)
{
	(void)!write(STDOUT_FILENO, farewell, strlen(farewell));
	tcsetattr(STDOUT_FILENO, TCSANOW, &before);
}

/* Sequences with a delay in them ("$<5>") are for terminals of glass and steel. */
static void remember(const char *capability)
{
	char *sequence = tigetstr((char *)(uintptr_t)capability);
	size_t used = strlen(farewell);

	if (!sequence || sequence == (char *)-1 || strstr(sequence, "$<") ||
	    strlen(sequence) >= sizeof(farewell) - used)
		return;
	strcpy(farewell + used, sequence);
}

static int refuse(const char *why)
{
	complain("coshm top --once prints one screen as text", "cannot show a live screen: %s",
		 why);
	return -1;
}

static bool can_move(void)
{
	char *move = tigetstr((char *)(uintptr_t) "cup");

	return move && move != (char *)-1;
}

static void choose_colors(void)
{
	const char *none = getenv("NO_COLOR");

	colors = !(none && none[0] != '\0') && has_colors() && start_color() == OK;
	if (!colors)
		return;
	use_default_colors();
	init_pair(1, COLOR_GREEN, -1);
	init_pair(2, COLOR_YELLOW, -1);
	init_pair(3, COLOR_RED, -1);
}

int terminal_open(void)
{
	const char *name = getenv("TERM");
	int error;

	if (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO) ||
	    tcgetattr(STDOUT_FILENO, &before) < 0)
		return refuse("standard input and output are no terminal");
	if (!name || name[0] == '\0')
		return refuse("TERM does not say which terminal this is");
	if (setupterm(NULL, STDOUT_FILENO, &error) != OK || !can_move())
		return refuse("the terminal that TERM names cannot, or is not known");
	del_curterm(cur_term); /* newterm() makes its own */
	set_escdelay(25);
	screen = newterm(NULL, stdout, stdin);
	if (!screen)
		return refuse("the terminal does not take it");
	remember("sgr0");
	remember("cnorm");
	remember("rmcup");
	stop_before(restore);
	cbreak();
	noecho();
	nonl();
	keypad(stdscr, TRUE);
	nodelay(stdscr, TRUE);
	curs_set(0);
	choose_colors();
	return 0;
}

void terminal_close(void)
{
	if (!screen)
		return;
	endwin();
	stop_before(NULL);
	delscreen(screen);
	screen = NULL;
}

void terminal_size(unsigned int *rows, unsigned int *columns)
{
	*rows = LINES > 0 ? (unsigned int)LINES : 1;
	*columns = COLS > 0 ? (unsigned int)COLS : 1;
}

static attr_t attributes(enum style style, short *pair)
{
	*pair = 0;
	switch (style) {
	case STYLE_TITLE:
		return A_REVERSE;
	case STYLE_CHOSEN:
		return A_REVERSE | A_BOLD | A_UNDERLINE;
	case STYLE_BOLD:
		return A_BOLD;
	case STYLE_DIM:
		return A_DIM;
	case STYLE_GOOD:
		*pair = colors ? 1 : 0;
		return A_NORMAL;
	case STYLE_WARNING:
		*pair = colors ? 2 : 0;
		return A_NORMAL;
	case STYLE_BAD:
		*pair = colors ? 3 : 0;
		return A_BOLD;
	default:
		return A_NORMAL;
	}
}

void terminal_draw(const struct cells *c)
{
	erase();
	for (unsigned int row = 0; row < c->rows; row++)
		for (unsigned int column = 0; column < c->columns; column++) {
			const struct cell *cell = cells_at(c, row, column);
			wchar_t text[2] = { cell->character, L'\0' };
			cchar_t out;
			short pair;
			attr_t attrs = attributes(cell->style, &pair);

			if (cell->character != 0 && setcchar(&out, text, attrs, pair, NULL) == OK)
				mvadd_wch((int)row, (int)column, &out);
		}
	refresh();
}

static int function_key(wint_t key)
{
	switch (key) {
	case KEY_UP:
		return TERMINAL_UP;
	case KEY_DOWN:
		return TERMINAL_DOWN;
	case KEY_PPAGE:
		return TERMINAL_PAGE_UP;
	case KEY_NPAGE:
		return TERMINAL_PAGE_DOWN;
	case KEY_HOME:
		return TERMINAL_HOME;
	case KEY_END:
		return TERMINAL_END;
	case KEY_BACKSPACE:
		return TERMINAL_ERASE;
	case KEY_ENTER:
		return TERMINAL_ENTER;
	default: /* KEY_RESIZE among them: the screen has to be drawn anew, no more */
		return TERMINAL_NONE;
	}
}

static int character_key(wint_t key)
{
	switch (key) {
	case L'\r':
	case L'\n':
		return TERMINAL_ENTER;
	case 0x08:
	case 0x7f:
		return TERMINAL_ERASE;
	case 0x1b:
		return TERMINAL_ESCAPE;
	default:
		return iswprint(key) ? (int)key : TERMINAL_NONE;
	}
}

int terminal_key(int64_t wait_ns)
{
	struct pollfd in = { .fd = STDIN_FILENO, .events = POLLIN };
	int64_t wait_ms = wait_ns / 1000000;
	wint_t key;
	int ready;

	ready = poll(&in, 1, wait_ms < 0 ? 0 : wait_ms > INT_MAX ? INT_MAX : (int)wait_ms);
	switch (get_wch(&key)) {
	case KEY_CODE_YES:
		return function_key(key);
	case OK:
		return character_key(key);
	default:
		return ready > 0 ? TERMINAL_GONE : TERMINAL_NONE;
	}
}
