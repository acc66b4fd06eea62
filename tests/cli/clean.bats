#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# clean.bats - coshm clean on the command line.  Each test has a box: a process
# with an IPC namespace and a /dev/shm of its own.  Every call is about that box
# alone, or what others on this machine have left would be removed.
# shellcheck disable=SC2154 # what run and start set
# shellcheck disable=SC2016 # for the box

bats_require_minimum_version 1.5.0

load ../await

setup() {
	PATH="${COSHM_BUILD:?the build folder}/cli:$COSHM_BUILD/clock:$PATH"
	cd "$BATS_TEST_TMPDIR" || return
	pids=()
	# The first namespaces have these numbers.  Elsewhere nothing is called an orphan: see
	# tests/unit/test_inspect_orphan.c.
	[[ $(readlink /proc/self/ns/user) == 'user:[4026531837]' &&
		$(readlink /proc/self/ns/pid) == 'pid:[4026531836]' ]] ||
		skip "not on this machine: its root alone sees who else could use it"
	start unshare --ipc --mount sh -c \
		'mount -t tmpfs tmpfs /dev/shm && mkdir /dev/shm/coshm && echo up && exec tail -f /dev/null'
	box=$!
	await grep up box.out
	# Where even root may not look at each process, what would be 0 or 1 is 3.
	blind=
	coshm ls --noheadings >ls.out 2>&1 || blind=1
}

# All of the box goes with its last process.
teardown() {
	local pid

	for pid in "${pids[@]}"; do
		kill -KILL "$pid" 2>/dev/null || continue
		wait "$pid" 2>/dev/null || true
	done
}

# start COMMAND...: in the background, its output in box.out; the pid is $!
start() {
	"$@" </dev/null >>box.out 2>&1 3>&- &
	pids+=("$!")
}

# in_box COMMAND...
in_box() {
	nsenter --target "$box" --ipc --mount "$@"
}

# clean STATUS ARGUMENT...: of the box, with this exit status
clean() {
	local status=$1

	shift
	[[ ! $blind || $status == 2 ]] || status=3
	run --separate-stderr "-$status" coshm clean "$@"
}

# enter COMMAND...: in the box, as start does: the pid is the command's own
enter() {
	start nsenter --target "$box" --ipc --mount "$@"
}

killed_writer() {
	enter shm_write --key-file /dev/shm/key
	writer=$!
	await attached 1
}

# attached N: to the first segment
attached() {
	[[ $(in_box ipcs -m | awk '/^0x/ { print $6; exit }') == "$1" ]]
}

segments() {
	in_box ipcs -m | grep -c '^0x' || true
}

@test "clean: the segment of a killed program is shown, and removed with --yes alone" {
	killed_writer
	clean 0 -m "$box"
	[[ ! $output =~ (^|$'\n')shm\  ]]
	kill -KILL "$writer"
	await attached 0
	clean 1 "$box"
	[[ $output == *"shm "*" orphan "*"nobody is attached, and pid $writer, which made it, is gone"* ]]
	[[ $stderr == *"would remove "*"--yes does it"* ]]
	[[ $(segments) == 1 && -e /proc/$box/root/dev/shm/key ]]
	clean 0 --yes "$box"
	[[ $output == *"shm "*" removed "* && $stderr == *"removed 1 object,"* ]]
	[[ $(segments) == 0 ]]
	clean 0 "$box"
	[[ -z $output && $stderr == *"nothing to remove"* ]]
}

@test "clean: an empty file, as the key file of a program, is left alone, and that is said" {
	in_box touch /dev/shm/key /dev/shm/other
	clean 0 --yes "$box"
	[[ -z $output ]]
	[[ $stderr == *"left alone: posix-shm /dev/shm/key and 1 more: it is empty, and may be a key file"* ]]
	[[ $(in_box ls /dev/shm) == $'coshm\nkey\nother' ]]
	in_box sh -c 'echo x >/dev/shm/other'
	clean 0 --yes --noheadings "$box"
	[[ $(in_box ls /dev/shm) == $'coshm\nkey' ]]
}

@test "clean: what somebody is attached to, or has open, stays" {
	killed_writer
	enter sh -c 'exec 3>/dev/shm/open; echo opened; exec tail -f /dev/null'
	await grep opened box.out
	in_box sh -c 'echo x >/dev/shm/nobodys; echo x >/dev/shm/sem.nobodys'
	clean 0 --yes --noheadings "$box"
	[[ ${#lines[@]} == 2 ]]
	[[ $(in_box ls /dev/shm) == $'coshm\nkey\nopen' ]] # the writer has its key file open
	attached 1
}

@test "clean: beside a stopped program nothing is removed, and that is said" {
	in_box ipcmk -M 4096
	in_box sh -c 'echo x >/dev/shm/file'
	kill -STOP "$box"
	clean 0 --yes "$box"
	[[ -z $output && $stderr == *"left alone: shm "*": pid $box (tail) "*"is paused, and could use it"* ]]
	[[ $stderr == *"left alone: posix-shm /dev/shm/file: "* ]]
	[[ $(segments) == 1 && -e /proc/$box/root/dev/shm/file ]]
	kill -CONT "$box"
	clean 0 --yes "$box"
	[[ $(segments) == 0 && ! -e /proc/$box/root/dev/shm/file ]]
}

@test "clean: semaphores and queues of System V are left alone, and that is said" {
	in_box ipcmk -S 3
	in_box ipcmk -Q
	clean 0 --yes "$box"
	[[ -z $output && $stderr == *"left alone: sem "*"does not count"*"left alone: msg "* ]]
	[[ $(in_box ipcs -s | grep -c '^0x') == 1 && $(in_box ipcs -q | grep -c '^0x') == 1 ]]
}

# publish NAME: a channel of this name; its publisher is $publisher
publish() {
	mkfifo "$1"
	enter sh -c 'exec coshm pub "$1" <>"$2"' sh "$1" "$PWD/$1"
	publisher=$!
	await in_box coshm info "$1"
}

@test "clean: a channel of dead peers is removed; one in use, or left in good order, is not" {
	publish dead
	kill -KILL "$publisher"
	publish closed
	kill -TERM "$publisher"
	publish used
	await_closed() { [[ $(in_box coshm info --noheadings closed | wc -l) == 0 ]]; }
	await await_closed
	clean 0 --yes "$box"
	[[ $output == *"channel "*"dead "*"removed "*"all of its peers are dead"* ]]
	[[ $stderr == *"left alone: channel /dev/shm/coshm/closed: "*"coshm rm removes it"* ]]
	[[ $(in_box ls /dev/shm/coshm) == $'closed\nused' ]]
}

@test "clean: channels in \$COSHM_DIR and in folders that are named" {
	local name

	for name in one two three; do
		mkdir "$name"
		mkfifo "$name.in"
		start sh -c 'COSHM_DIR=$PWD/$1 exec coshm pub dead <>"$1.in"' sh "$name"
		await coshm info --dir "$name" dead
		kill -KILL "$!"
		wait "$!" || true
	done
	export COSHM_DIR=$PWD/one
	coshm ls --noheadings --dir two --output PATH >listed || true # 3 if it is blind
	grep -qx "$PWD/one/dead *" listed
	grep -qx "$PWD/two/dead *" listed
	clean 0 --yes "$PWD/one/dead"
	[[ $output == *"channel "*"dead "*" removed "* && ! -e one/dead && -e two/dead ]]
	clean 2 "$PWD/two/dead" # nobody has named its folder
	clean 1 --dir two -d three --noheadings --filter "PATH=$PWD/*/dead"
	[[ ${#lines[@]} == 2 ]]
	clean 0 --dir two -d three --yes "$PWD/two/dead" "$PWD/three/dead"
	[[ ! -e two/dead && ! -e three/dead ]]
	run -3 --separate-stderr coshm clean --dir no-such-folder "$box"
	[[ $stderr == *"not seen: channels in no-such-folder: No such file or directory"* ]]
	clean 2 --dir={1..33}
	[[ $stderr == *"too many directories"* ]]
}

@test "clean: kinds and objects that are named, alone" {
	in_box ipcmk -M 4096
	in_box ipcmk -M 8192
	in_box sh -c 'cd /dev/shm && echo x | tee a b sem.c'
	key=$(in_box ipcs -m | awk '/^0x/ { print $1; exit }')
	clean 1 --noheadings -s "$box"
	[[ $output == posix-sem* && ${#lines[@]} == 1 ]]
	clean 1 --noheadings -m "$box"
	[[ ${#lines[@]} == 4 ]]
	clean 0 --yes --noheadings "$key"
	[[ $output == "shm "*removed* && ${#lines[@]} == 1 && $(segments) == 1 ]]
	clean 1 --output result,type,size --bytes --filter SIZE=8192 "$box"
	[[ ${lines[1]} =~ ^orphan\ +shm\ +8192$ && ${#lines[@]} == 2 ]]
	clean 2 --output nonsense
	clean 2 --filter RESULT=orphan
	clean 2 --json --noheadings
	clean 0 -q "$box"
	run -2 --separate-stderr coshm clean no-such-thing
	[[ $stderr == *"there is no container or object 'no-such-thing'"*hint:* ]]
}

@test "clean: --older-than spares what is young" {
	in_box ipcmk -M 4096
	clean 0 --yes --older-than 1h "$box"
	[[ -z $output && $(segments) == 1 ]]
	aged() { coshm clean --noheadings --older-than 1 "$box" | grep -q '^shm '; }
	await aged
	for age in 1x '' 5ms -1 99999999999999999999; do
		run -2 --separate-stderr coshm clean --older-than "$age" "$box"
		[[ $stderr == *"--older-than takes seconds"* ]]
	done
}

@test "clean: --json has also what is left alone" {
	in_box ipcmk -M 4096
	in_box ipcmk -Q
	clean 1 --json "$box"
	printf '%s' "$output" | python3 -c '
import json, sys
found = {o["type"]: o for o in json.load(sys.stdin)["objects"]}
assert found["shm"]["result"] == "orphan" and found["shm"]["size"] == 4096
assert "is gone" in found["shm"]["why"]
assert found["msg"]["result"] == "unknown"'
}

@test "clean: what an ordinary user cannot see is left alone" {
	setpriv --reuid 1234 --clear-groups true || skip "there is one user"
	in_box ipcmk -M 4096
	run --separate-stderr setpriv --reuid 1234 --clear-groups "$(command -v coshm)" clean --yes "$box"
	[[ $status == 3 && -z $output && $stderr == *"not seen: "* ]]
	[[ $(segments) == 1 ]]
}

@test "clean: a recorded machine is only looked at" {
	export COSHM_INSPECT_ROOT=$BATS_TEST_DIRNAME/../fixtures/machine-split
	run -1 --separate-stderr coshm clean -n
	[[ $output == "posix-sem "*" lock "*" orphan "* && ${#lines[@]} == 1 ]]
	[[ $stderr == *"left alone: posix-shm /dev/shm/other: pid 200 "*"is paused"* ]]
	run -2 --separate-stderr coshm clean --yes
	[[ -z $output && $stderr == *"not for a recorded one"* ]]
}
