#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# completion.bats - what bash and zsh offer for coshm.  Every command is asked, also those
# that come later: the help is what has to be known.

bats_require_minimum_version 1.5.0

setup() {
	coshm=${COSHM_BUILD:?the build folder}/cli/coshm
	completions=$BATS_TEST_DIRNAME/../../completions
	export COSHM_DIR=$BATS_TEST_TMPDIR
	touch "$COSHM_DIR/ticks"
	export COSHM_INSPECT_ROOT=$BATS_TEST_DIRNAME/../fixtures/pair
}

# in_bash WORDS...: what is offered for the last word, one a line
in_bash() {
	bash --norc -c '
		source "$1"
		COMP_WORDS=("${@:2}") COMP_CWORD=$(($# - 2))
		_coshm
		printf "%s\n" "${COMPREPLY[@]}"
	' bash "$completions/coshm.bash" "$coshm" "$@"
}

# in_zsh WORDS...: the same, with stand-ins for the functions of the completion system
in_zsh() {
	zsh -f -c '
		_describe() { local list=${@[-1]} && print -rl -- ${(P)list} }
		compadd() { while [[ $1 != -- ]]; do shift; done; shift; print -rl -- "$@" }
		compset() { }
		_files() { print -r -- files }
		file=$1 words=("${@:2}") CURRENT=$(($# - 1))
		set --
		source $file
	' zsh "$completions/_coshm" "$coshm" "$@" | sed 's/:.*//'
}

each_shell() {
	local shell

	for shell in bash zsh; do
		if command -v "$shell" >/dev/null; then "$1" "in_$shell"; fi
	done
}

commands() {
	"$coshm" help | grep -oE '^  [a-z]+ ' | tr -d ' '
}

# offered LIST WORD
offered() {
	grep -qxF -e "$2" <<<"$1" || { echo "$2 is not among: $1"; return 1; }
}

knows_each_command() {
	local offer command

	offer=$("$1" '')
	for command in $(commands) help; do
		offered "$offer" "$command"
	done
}

@test "each command of the help is offered" {
	[[ $(commands | wc -l) -ge 6 ]]
	each_shell knows_each_command
}

knows_each_option() {
	local offer command option

	for command in $(commands); do
		offer=$("$1" "$command" -)
		for option in $("$coshm" "$command" --help | grep -E '^ *-' |
			grep -oE '^ *(-[a-zA-Z](, )?)?(--[a-z-]+(, )?)*' | tr ',' ' '); do
			offered "$offer" "$option"
		done
	done
}

@test "each option that a command's help names is offered" {
	each_shell knows_each_option
}

# with_option OPTION: commands that have it
with_option() {
	local command

	for command in $(commands); do
		! "$coshm" "$command" --help | grep -qe "$1 " || echo "$command"
	done
}

# complaint COMMAND OPTION...: what it says; some say nothing without an operand
complaint() {
	[[ $1 != info ]] || set -- "$@" ticks
	[[ $1 != run ]] || set -- "$1" --check "${@:2}" sh
	"$coshm" "$@" 2>&1 || true
}

knows_each_column() {
	local offer command column hint

	for command in $(with_option --output); do
		offer=$("$1" "$command" -o '')
		hint=$(complaint "$command" -o no-such-column)
		[[ $hint == *"the columns are "[A-Z]* ]]
		while read -r column; do
			offered "$offer" "$column"
		done < <(grep -oE '\b[A-Z_]{2,}\b' <<<"$hint")
	done
}

# Also --filter: bash has the "=" behind each.
knows_each_filter() {
	local command column columns hint

	for command in $(with_option --filter); do
		columns=$("$1" "$command" --filter '' | tr -d =)
		hint=$(complaint "$command" --filter NO_SUCH=1)
		[[ $hint == *"the columns are "[A-Z]* ]]
		while read -r column; do
			offered "$columns" "$column"
		done < <(grep -oE '\b[A-Z_]{2,}\b' <<<"${hint#*the columns are}")
	done
}

@test "columns are offered for --output and --filter" {
	[[ $(with_option --output | xargs) == *"ls ps doctor"*clean*top*watch* ]]
	each_shell knows_each_column
	each_shell knows_each_filter
}

@test "bash: columns behind others, and behind a plus" {
	offered "$(in_bash ls -o TYPE,SI)" TYPE,SIZE
	offered "$(in_bash ls -o +SI)" +SIZE
	offered "$(in_bash ls --output = SI)" SIZE
}

knows_what_there_is() {
	offered "$("$1" sub t)" ticks
	offered "$("$1" ls w)" writer
}

knows_programs() {
	offered "$("$1" run ba)" bash
}

@test "programs are offered where a command runs one" {
	each_shell knows_programs
}

@test "channels and containers that there are are offered" {
	each_shell knows_what_there_is
}

knows_folders() {
	[[ $("$1" any /usr/sh) == *$2* ]]
}

@test "folders are offered where a command's first line of help has one" {
	coshm=$BATS_TEST_TMPDIR/coshm
	printf '#!/bin/sh\necho "Usage: coshm any [OPTION]... DIR|PID"\n' >"$coshm"
	chmod +x "$coshm"
	knows_folders in_bash /usr/share
	if command -v zsh; then knows_folders in_zsh files; fi
}
