#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# top.bats - coshm top: one screen as text, and a live one on a terminal.
# ./check runs it in an IPC namespace and with a /dev/shm of its own.
# shellcheck disable=SC2154 # what run sets
# shellcheck disable=SC2119,SC2120 # options that most tests do not need

bats_require_minimum_version 1.5.0

load ../await

setup() {
	PATH="${COSHM_BUILD:?the build folder}/cli:$COSHM_BUILD/tests/programs:$PATH"
	cd "$BATS_TEST_TMPDIR" || return
	export TERMINFO=$BATS_TEST_TMPDIR/terminfo TERM=coshm-test LC_ALL=C.UTF-8
	tic -x -o "$TERMINFO" "$BATS_TEST_DIRNAME/terminal.ti"
	file=$(mktemp /dev/shm/coshm-top.XXXXXX)
	name=${file##*/}
	truncate -s 12345678 "$file"
	ids=()
}

teardown() {
	local id

	rm -f "$file" "${evil:-}" /dev/shm/later.coshm-top
	for id in "${ids[@]}"; do ipcrm -m "$id"; done
}

# segment BYTES: a System V one, its id in $id
segment() {
	id=$(ipcmk -M "$1" | grep -oE '[0-9]+$')
	ids+=("$id")
}

# on_terminal OPTION...: coshm top, with steps for tests/cli/terminal as input
on_terminal() {
	"$BATS_TEST_DIRNAME/terminal" coshm top --interval 0.05 "$@" 3>&-
}

once() {
	coshm top --once --interval 0.01 "$@" || (($? == 3)) # where not all can be seen
}

@test "--once prints one screen as text" {
	segment 7000000
	run --separate-stderr once
	((status == 0))
	[[ $output == "coshm top "*" by size "* ]]
	[[ $output == *"TYPE "*"OBJECT "*"CONTAINER "*"SIZE "*"GROWTH "*"USERS "*"MSGS "*"WAITS "*"LOST"* ]]
	grep -E "^posix-shm $name .* 11\.7M +0 +0$" <<<"$output"
	grep -E "^shm +$id 0x[0-9a-f]{8} .* 6\.6M +0 +0$" <<<"$output"
	grep -E "^/dev/shm .*\[ *\] +0% of " <<<"$output"
	[[ $output != *$'\e'* ]]
}

@test "--once by name, and as a tree" {
	segment 20000000
	run --separate-stderr once --sort name
	[[ $output == *" by name "*$'\n'shm*$'\n'posix-shm* ]] # digits come before letters
	run --separate-stderr once --tree
	[[ $output == *$'\n'"ipc namespace "*$'\n'*"    $id 0x"* ]]
}

@test "--output, --noheadings, --bytes and --filter" {
	segment 7000000
	run --separate-stderr once --output object,OWNER,SIZE --filter TYPE=shm --filter "ID=$id"
	[[ ${lines[-2]} =~ ^OBJECT\ +OWNER\ +SIZE$ ]]
	[[ ${lines[-1]} =~ ^$id\ 0x[0-9a-f]{8}\ +root\ +6.6M$ ]]
	run --separate-stderr once --bytes --noheadings --output NAME,SIZE --filter "NAME=$name"
	[[ $output == "$name 12345678" ]]
	run --separate-stderr once -n --filter NAME=nobody-has-this
	[[ -z $output ]]
	run --separate-stderr once --filter 'SIZE=11.7M' --filter "NAME=$name" -o +PATH
	[[ ${lines[-2]} == *" LOST PATH"* && ${lines[-1]} == *" /dev/shm/$name" ]]
}

@test "--json looks twice and prints all there is" {
	segment 7000000
	coshm top --json --interval 0.01 --sort name >out || (($? == 3))
	python3 - "$id" "$name" <<-'END'
		import json, sys
		all = json.load(open("out"))
		assert set(all) == {"taken", "areas", "objects", "notes"}, all.keys()
		segment = [o for o in all["objects"] if o["type"] == "shm" and o["id"] == int(sys.argv[1])][0]
		assert segment["size"] == 7000000 and segment["growth"] == 0 and segment["lost"] is None
		file = [o for o in all["objects"] if o["name"] == sys.argv[2]][0]
		assert file["size"] == 12345678 and file["users"] == 0 and file["path"].endswith(sys.argv[2])
		assert isinstance(file["container"], list)
	END
}

@test "--output and --filter on a live screen" {
	segment 20000000
	on_terminal --filter TYPE=shm --output OBJECT,NATTCH,IPCNS --bytes <<-END
		await 1: by size
		await NATTCH
		await $id 0x
		gone $name
		gone GROWTH
		key /$name\\r
		await nothing to show
		key q
		ends 0
	END
}

@test "--once into a full file fails and says why" {
	run -2 bash -c 'coshm top --once --interval 0.01 2>&1 >/dev/full'
	[[ $output == *"cannot write to standard output: No space left on device"* ]]
}

@test "without a terminal, or on one that cannot, it says what to do" {
	run -2 coshm top </dev/null
	[[ $output == *"standard input and output are no terminal"*"hint: coshm top --once "* ]]
	for TERM in dumb no-such-terminal; do
		"$BATS_TEST_DIRNAME/terminal" coshm top 3>&- <<-'END'
			await cannot show a live screen
			await hint: coshm top --once
			ends 2
		END
	done
}

@test "keys: sort, reverse, tree, pause, help, quit" {
	segment 20000000
	on_terminal <<-END
		await 1: by size
		key /$name\\r
		await 1: only
		await $name
		await q quit
		key s
		await 1: by growth
		key ssssS
		await 1: by lost
		key s
		await 1: by name
		key r
		await by name, reversed
		key t
		await ipc namespace
		key p
		await PAUSED
		key ph
		await sort by the next
		key h
		gone sort by the next
		key q
		ends 0
	END
}

@test "the filter is typed, corrected, and given up" {
	segment 20000000
	on_terminal <<-END
		await $name
		key /nowherx
		await only: nowherx_
		await nothing to show
		key \\x7fe\\r
		await only "nowhere"
		await q quit
		key /\\x1b
		await $name
		gone only
		key /$id 0x\\r
		gone $name
		await $id 0x
		key q
		ends 0
	END
}

@test "what comes and goes is seen, unless it is paused" {
	on_terminal <<-'END'
		key /coshm-top\r
		await only "coshm-top"
		run touch /dev/shm/later.coshm-top
		await later.coshm-top
		key p
		await PAUSED
		run rm /dev/shm/later.coshm-top
		await later.coshm-top
		key p
		gone later.coshm-top
		key q
		ends 0
	END
}

@test "terminals of all sizes, and one that changes" {
	segment 20000000
	on_terminal <<-END
		await q quit
		size 10 40
		await 10: q quit
		size 3 10
		await 1: OBJECT
		await 2: $id
		size 1 1
		size 50 200
		await 50: q quit
		await 2: /dev/shm
		key \\x1b[F\\x1b[A\\x1b[B
		size 24 80
		await 24: q quit
		key q
		ends 0
	END
}

@test "the terminal is restored after SIGTERM, SIGINT and ^C" {
	for end in 'signal TERM' 'signal INT' 'signal HUP' 'key \x03'; do
		on_terminal <<-END
			await q quit
			$end
			ends 0
		END
	done
}

@test "names of strangers cannot control the terminal" {
	evil=$(printf '/dev/shm/e\e[2J\e[?25\n\xff')
	: >"$evil"
	once >out 2>/dev/null
	on_terminal <<-END
		key /e?[\\r
		await only "e?["
		await e?[2J?[?25??
		key q
		ends 0
	END
	grep -F 'e?[2J?[?25??' out
}

@test "colors, unless NO_COLOR is set" {
	for no in '' 1; do
		mkfifo keys
		TERM=xterm-256color TERMINFO='' NO_COLOR=$no script -qfc \
			'stty rows 24 cols 80; exec coshm top' out$no <>keys >/dev/null 3>&- &
		await has_lines out$no 'q quit' 1
		printf q >keys
		wait $!
		rm keys
	done
	has_lines out $'\e\\[[0-9;]*3[123]m' 1
	run -1 grep -E $'\e\\[[0-9;]*3[0-7]m' out1
}

@test "bad command lines" {
	for words in '--interval 0' '--sort nonsense' 'web' '--nonsense' '--output nonsense' \
		'--filter SIZE' '--json --output SIZE' '--json --noheadings' '--json --tree'; do
		# shellcheck disable=SC2086
		run -2 --separate-stderr coshm top $words
		[[ -z $output && $stderr == *"Try 'coshm top --help'."* ]]
	done
}
