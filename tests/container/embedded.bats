#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# embedded.bats - the embedded engine itself; what runs in it is tested elsewhere.
#
#   as root:          unshare --mount bats tests/container/embedded.bats
#   as anybody else:  unshare --user --map-root-user --mount bats tests/container/embedded.bats
# shellcheck disable=SC2016 # what sh -c is given expands in the container

bats_require_minimum_version 1.5.0

load ../await

embedded=$BATS_TEST_DIRNAME/../../container/embedded

setup() {
	cd "$BATS_TEST_TMPDIR" || return
	export COSHM_EMBEDDED_DIR=$PWD/containers
	mkdir containers
	mounts=$(wc -l </proc/self/mountinfo)
}

# Every test ends with the same question: is anything left?
teardown() {
	for name in containers/*; do
		[[ ! -e $name ]] || engine rm -f "${name#*/}" >/dev/null
	done
	[[ ! $(ls -A containers) && $(wc -l </proc/self/mountinfo) == "$mounts" ]]
	! readlink /proc/[0-9]*/fd/* 2>/dev/null | grep -F "$COSHM_EMBEDDED_DIR"
}

engine() {
	"$embedded" "$@" 3>&-
}

# up NAME OPTION...: a container that only sleeps
up() {
	engine run -d --name "$1" "${@:2}" image sleep 1000
}

# busy NAME BASH: one with that before an endless loop; returns when it has come there
busy() {
	engine run -d --name "$1" image bash -c "$2"'; echo up; while :; do sleep .01; done'
	await logged "$1" up
}

logged() {
	[[ $(engine logs "$1" 2>&1) == *"$2"* ]]
}

# ns KIND [NAME]: the namespace of that container, or of this test
ns() {
	${2:+engine exec "$2"} readlink "/proc/self/ns/$1"
}

# state NAME FIELD [VALUE]: prints it; fails if it is another
state() {
	engine inspect -f "{{.State.$2}}" "$1" | grep -x "${3:-.*}"
}

# gone PID: a zombie is
gone() {
	! grep -qs '^State:.[^ZX]' "/proc/$1/status"
}

# one_user: whether this user namespace has no other than root
one_user() {
	(($(awk '{ print $3; exit }' /proc/self/uid_map) == 1))
}

@test "a container has namespaces and a host name of its own" {
	up a --hostname box
	up b
	for kind in ipc mnt pid uts; do
		[[ $(ns $kind a) != "$(ns $kind)" && $(ns $kind a) != "$(ns $kind b)" ]]
	done
	[[ $(engine exec a hostname) == box && $(engine exec b hostname) == b ]]
	up host --ipc host
	[[ $(ns ipc host) == "$(ns ipc)" ]]
	[[ $(engine exec host stat -c %d /dev/shm) == "$(stat -c %d /dev/shm)" ]]
}

@test "a joiner shares the donor's IPC namespace and /dev/shm; others do not" {
	up donor --ipc shareable --shm-size 1m
	up joiner --ipc=container:donor
	up other
	[[ $(ns ipc donor) == "$(ns ipc joiner)" && $(ns mnt donor) != "$(ns mnt joiner)" ]]
	engine exec donor sh -c 'echo hello >/dev/shm/file'
	[[ $(engine exec joiner cat /dev/shm/file) == hello ]]
	[[ $(engine exec joiner df --output=size -k /dev/shm) == *1024 ]]
	run ! engine exec other test -e /dev/shm/file
}

@test "donors that cannot be joined are refused" {
	up private
	up volume --ipc shareable -v "$PWD:/dev/shm"
	for donor in private volume; do
		run -125 up joiner --ipc container:$donor
		[[ $output == *"non-shareable IPC (hint: use IpcMode:shareable for the donor container)"* ]]
	done
	engine run -d --name ended --ipc shareable image true
	await state ended Running false
	run -125 up joiner --ipc container:ended
	[[ $output == *"is not running"* ]]
	[[ ! -e containers/joiner ]]
}

@test "a restarted donor splits from its joiner; restarting the joiner cures it" {
	up donor --ipc shareable
	up joiner --ipc container:donor
	engine exec donor touch /dev/shm/old
	old=$(ns ipc joiner)
	engine restart -t 0 donor
	[[ $(ns ipc donor) != "$old" && $(ns ipc joiner) == "$old" ]]
	engine exec joiner test -e /dev/shm/old
	run ! engine exec donor test -e /dev/shm/old
	engine restart -t 0 joiner
	[[ $(ns ipc joiner) == "$(ns ipc donor)" ]]
}

@test "the command is PID 1, with default signals, and has nothing of the caller's" {
	(
		trap '' INT QUIT TERM
		exec 7>leak
		SECRET=1 up one -e A='two words'
	)
	[[ $(engine exec one sh -c "tr '\0' ' ' </proc/1/cmdline") == "sleep 1000 " ]]
	[[ $(engine exec one grep -cE '^Sig(Blk|Ign|Cgt):.0{16}' /proc/1/status) == 3 ]]
	[[ $(engine exec one ls /proc/1/fd) == $'0\n1\n2' ]]
	run ! engine exec one grep -z SECRET /proc/1/environ
	[[ $(engine exec one sh -c 'echo "$A|$PWD"') == "two words|/" ]]
}

@test "exit codes; PID 1 gets SIGTERM, and SIGKILL if it is deaf" {
	engine run -d --name a image sh -c 'kill 0; exit 7' # its process group is its own
	await state a ExitCode 7
	busy b 'trap "exit 3" TERM'
	run -5 engine exec b sh -c 'exit 5'
	up deaf # PID 1 without a handler ignores SIGTERM
	engine stop -t 1 b deaf
	state b ExitCode 3
	state deaf ExitCode 137
	run -125 engine exec b true
	[[ $output == *"is not running"* ]]
	run -125 engine run -d image no-such-program
	[[ $output == *"no-such-program: not found"* ]]
}

@test "logs: both streams, of all starts; -f ends with the container; killed, it leaves no child" {
	busy a 'echo out; echo err >&2; trap "echo end; exit" TERM'
	[[ $(engine logs a 2>/dev/null) == $'out\nup' && $(engine logs a 2>&1 >/dev/null) == err ]]
	"$embedded" logs -f a >killed 2>&1 3>&- &
	await grep err killed
	tails=$(pgrep -P $!)
	kill $!
	for pid in $tails; do await gone "$pid"; done
	engine logs -f a >log 2>&1 &
	await grep err log
	engine stop a
	wait $!
	[[ $(sort log) == $'end\nerr\nout\nup' ]]
	engine start a
	await logged a $'end\nout'
}

@test "pause stops every process, also that of exec, and unpause continues it" {
	busy a 'sleep 1000 & trap "exit 4" TERM'
	engine exec a sh -c '>/dev/shm/in; until [ -e /dev/shm/go ]; do sleep .01; done; exit 9' &
	await engine exec a test -e /dev/shm/in
	engine pause a
	state a Status paused
	engine unpause a
	state a Status running
	engine exec a touch /dev/shm/go
	status=0
	wait $! || status=$?
	[[ $status == 9 ]]
	engine pause a
	engine stop a # goes on, and ends
	state a ExitCode 4
}

@test "volumes and users" {
	mkdir src
	up a -v "$PWD/src:/mnt"
	engine exec a touch /mnt/file
	[[ -e src/file ]]
	up b -v "$PWD/src:/mnt:ro"
	run ! engine exec b rm /mnt/file
	[[ $output == *"Read-only"* ]]
	run -125 up c -v /no/such/place:/mnt
	if one_user; then
		run -125 up c --user 1234
		[[ $output == *"cannot run as user 1234"* ]]
	else
		up c --user 1234:55
		[[ $(engine exec c sh -c 'id -u; id -g; >/dev/shm/file') == $'1234\n55' ]]
	fi
}

@test "a name is taken once; rm -f frees it and kills the container" {
	up a
	run -125 up a
	[[ $output == *"is already in use"* ]]
	run -125 engine rm a
	[[ $output == *"is running"* ]]
	pid=$(state a Pid)
	engine rm a -f
	gone "$pid"
}

@test "who kills the supervisor kills the container, whatever its user" {
	for user in 0 1234; do
		[[ $user == 0 ]] || ! one_user || continue
		up a$user --user $user
		pid=$(state a$user Pid)
		kill -KILL "$(cut -d' ' -f1 containers/a$user/supervisor)"
		await gone "$pid"
		state a$user ExitCode 137
	done
}

@test "a pid that is used again is not taken for the container" {
	up a
	engine stop -t 0 a
	sleep 1000 3>&- &
	echo "$! 1" >containers/a/supervisor
	echo $! >containers/a/init
	state a Status exited
	engine stop -t 0 a
	engine rm -f a
	kill $! # it still lives
}

@test "the trace shows each namespace and mount" {
	export COSHM_EMBEDDED_TRACE=1
	run -0 up donor --ipc shareable
	[[ $output == '+ unshare --pid '*'+ unshare --mount --uts --ipc'*'+ mount -t tmpfs '* ]]
	run -0 up joiner --ipc container:donor
	[[ $output == *'+ nsenter --target '*' --ipc --mount unshare --mount --uts'* ]]
	run -0 engine exec joiner true
	[[ $output == '+ nsenter --target '*' true' ]]
	[[ ! $(engine logs joiner 2>&1) ]]
}

@test "--help, and sentences about misuse" {
	[[ $(engine --help) == Usage:* ]]
	for words in dance 'dance a' stop 'run image true' 'run -d image' 'run -d --dance image true' \
		'run -d --ipc none image true' 'inspect -f {{.Id}} a' 'stop nobody' 'stop ../containers'; do
		# shellcheck disable=SC2086
		run -125 engine $words
		[[ $output == embedded:* ]]
	done
	COSHM_EMBEDDED_DIR='' run -125 engine stop a
	[[ $output == *"COSHM_EMBEDDED_DIR must name"* ]]
}
