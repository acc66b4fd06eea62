#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# watch.bats - coshm watch: a line for each change.
# ./check runs it in an IPC namespace and with a /dev/shm of its own.
# shellcheck disable=SC2154 # what run sets
# shellcheck disable=SC2030,SC2031 # each test is a subshell

bats_require_minimum_version 1.5.0

load ../await

setup() {
	PATH="${COSHM_BUILD:?the build folder}/cli:$COSHM_BUILD/tests/programs:$PATH"
	cd "$BATS_TEST_TMPDIR" || return
	COSHM_DIR=$(mktemp -d /dev/shm/coshm-watch.XXXXXX)
	export COSHM_DIR
	name=${COSHM_DIR##*/}
	pids=() ids=()
}

teardown() {
	local pid

	for pid in "${pids[@]}"; do
		kill -KILL "$pid" 2>/dev/null || continue
		wait "$pid" || true
	done
	for id in "${ids[@]}"; do ipcrm -m "$id" 2>/dev/null || true; done
	rm -rf "$COSHM_DIR" /dev/shm/*"$name"
}

# watch OPTION...: from now on, into out; others on this machine are not to disturb the tests
watch() {
	coshm watch --interval 0.05 "$@" >out 2>err 3>&- &
	watcher=$!
	pids+=("$watcher")
	await has_lines err '^coshm: watching [0-9]+ objects and [0-9]+ containers$' 1
}

# told PATTERN: a line of it comes
told() {
	await has_lines out "$1" 1
}

# segment: a System V one, its id in $id
segment() {
	id=$(ipcmk -M 20480 | grep -oE '[0-9]+$')
	ids+=("$id")
}

# hold FILE: a process that maps it, its pid in $holder
hold() {
	python3 -c 'import mmap, sys, time
with open(sys.argv[1], "r+b") as f:
    m = mmap.mmap(f.fileno(), 0)
print("mapped", flush=True)
time.sleep(1000)' "$1" >held 3>&- &
	holder=$!
	pids+=("$holder")
	await has_lines held mapped 1
}

released() {
	kill -KILL "$holder"
	wait "$holder" || true
}

@test "System V: created and removed" {
	watch
	segment
	told "Z created  shm 0x[0-9a-f]{8} id $id, 20K, in ipc namespace [0-9]+"
	ipcrm -m "$id"
	told "Z removed  shm 0x[0-9a-f]{8} id $id in ipc namespace "
}

@test "POSIX: created, attached, unlinked, detached, removed, in this order" {
	watch
	printf hello >"/dev/shm/frames-$name"
	told "created  posix-shm /dev/shm/frames-$name, 5B"
	hold "/dev/shm/frames-$name"
	told "attached posix-shm /dev/shm/frames-$name by pid $holder \(python3\).*, to read and write$"
	rm "/dev/shm/frames-$name"
	told "unlinked .*frames-$name.*: it goes with its last user$"
	released
	told "detached .*frames-$name.* by pid $holder \(python3\).*, which has ended$"
	told "removed  .*frames-$name"
	diff <(grep "frames-$name" out | cut -d ' ' -f 2) \
		<(printf '%s\n' created attached unlinked detached removed)
}

@test "what was there before is no news, and neither is what did not change" {
	segment
	old=$id
	watch
	segment
	told "created  shm .* id $id,"
	run -1 grep -E "id ${old}[ ,]" out
}

@test "the death of a channel's peer" {
	mkfifo in
	coshm sub ticks >messages 2>/dev/null 3>&- &
	pids+=("$!")
	sub=$!
	watch
	coshm pub ticks <>in 2>/dev/null 3>&- &
	pids+=("$!")
	pub=$!
	told "created  channel $COSHM_DIR/ticks"
	told "attached channel $COSHM_DIR/ticks by pid $sub \(coshm\)"
	echo line >in
	await has_lines messages line 1
	kill -KILL "$pub"
	told "died     pid [0-9]+ \(coshm\) in .*, peer of channel $COSHM_DIR/ticks$"
	told "detached channel $COSHM_DIR/ticks by pid $pub "
}

@test "--json: one object in each line" {
	watch --json --filter "NAME=frames-$name"
	printf hello >"/dev/shm/frames-$name"
	told created
	rm "/dev/shm/frames-$name"
	told removed
	python3 - "frames-$name" <<-'END'
		import json, sys
		events = [json.loads(line) for line in open("out")]
		assert [e["event"] for e in events] == ["created", "removed"], events
		for e in events:
		    assert e["name"] == sys.argv[1] and e["type"] == "posix-shm", e
		    assert e["size"] == 5 and e["pid"] is None and e["time"].endswith("Z"), e
	END
}

@test "--output: headings at once, then a row for each change" {
	watch --output EVENT,TYPE,id,SIZE,OWNER,DONOR --filter TYPE=shm
	told "^EVENT    TYPE +ID +SIZE OWNER    DONOR$"
	segment
	told "^created  shm +$id +20K root$"
	ipcrm -m "$id"
	told "^removed  shm +$id +20K root$"
}

@test "--noheadings has the usual columns, and --bytes all digits" {
	watch --noheadings --bytes --filter TYPE=shm --output +SIZE
	segment
	told "Z created  shm +$id .* 20480$"
	run -1 grep TIME out
	kill "$watcher"
	wait "$watcher"
	watch --bytes
	segment
	told "created  shm 0x[0-9a-f]{8} id $id, 20480 bytes, in ipc namespace "
}

@test "--filter and --count" {
	segment
	first=$id
	segment
	watch --filter EVENT=removed --filter TYPE=shm --count 2
	ipcrm -m "$first"
	told "removed  shm .* id $first "
	ipcrm -m "$id"
	wait "$watcher"
	run -1 grep created out
}

@test "a process by its pid" {
	printf hello >"/dev/shm/frames-$name"
	hold "/dev/shm/frames-$name"
	watch "$holder"
	released
	told "detached .* by pid $holder "
}

@test "a container that is not there yet is waited for" {
	watch no-such-container
	has_lines err "^coshm: there is no container 'no-such-container' yet$" 1
}

@test "told to stop it ends with 0, also with nobody to read" {
	for signal in INT TERM HUP; do
		# Background jobs of a shell ignore SIGINT.
		env --default-signal=INT,HUP coshm watch 2>err 3>&- >out &
		pids+=("$!")
		await has_lines err watching 1
		kill -s "$signal" "$!"
		wait "$!"
		: >err
	done
	coshm watch --interval 0.05 2>err 3>&- > >(:) &
	pids+=("$!")
	await has_lines err watching 1
	segment
	wait "$!"
}

@test "names of strangers cannot control the terminal" {
	watch
	evil=$(printf '/dev/shm/\e[2J\n\xff-%s' "$name")
	: >"$evil"
	told "created  posix-shm /dev/shm/\?\[2J\?\?-$name"
}

@test "bad command lines" {
	for words in '--interval 0' '--count 0' '--filter nonsense' '--filter NO=1' '--nonsense' \
		'--output nonsense' '--json --noheadings' '--json --output TYPE'; do
		# shellcheck disable=SC2086
		run -2 --separate-stderr coshm watch $words
		[[ -z $output && $stderr == *"Try 'coshm watch --help'."* ]]
	done
}
