#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# demo.bats - ./demo on the engine that with-engine names: what it shows, and that
# it leaves nothing behind, however it ends.

bats_require_minimum_version 1.5.0

load engine

demo=$BATS_TEST_DIRNAME/../../demo

setup() {
	cd "$BATS_TEST_TMPDIR" || return
	mkdir tmp
	export TMPDIR=$PWD/tmp
	before=$(things)
}

teardown() {
	[[ ! ${demo_pid:-} ]] || kill -TERM -- "-$demo_pid" 2>/dev/null || true
}

# things: all that a demo makes and could leave
things() {
	if [[ $ENGINE_NAME != embedded ]]; then
		"$ENGINE" ps -a --format '{{.Names}}' | grep -E '^(writer|reader)-[0-9]+$' || true
		"$ENGINE" images --format '{{.Repository}}' | grep coshm-demo || true
	fi
	ls -A tmp
	# Programs of the embedded engine run from here.
	readlink /proc/[0-9]*/exe | grep -F "$TMPDIR" || true
}

nothing_left() {
	local now

	now=$(things)
	[[ $now == "$before" ]] || diff <(echo "$before") <(echo "$now")
}

# The time crossed: five lines, and the same key and id on both sides.
crossed() {
	[[ $(grep -c '^now time: ' <<<"$1") == 5 ]]
	[[ $(grep -E '^0x[0-9a-f]+ ' <<<"$1" | cut -d' ' -f1,2 | uniq -c) =~ ^\ *2\ 0x[^$'\n']*$ ]]
}

@test "demo: the time crosses, each command is shown, nothing is left" {
	run -0 "$demo" --engine "$ENGINE_NAME"
	crossed "$output"
	for words in 'run -d .* shm_write' 'run -d .*--ipc=container:.* shm_read' 'exec .* ipcs -m' 'stop'; do
		grep -E "^\\$ .*$words" <<<"$output"
	done
	nothing_left
}

@test "demo: without a base image it uses the tiny one" {
	if [[ $ENGINE_NAME == embedded || ! $COSHM_OWN_ENGINE ]]; then
		# Nothing to do on an engine without images, or on somebody's images.
		return
	fi
	"$ENGINE" tag debian:bookworm-slim kept:base
	"$ENGINE" rmi debian:bookworm-slim
	run "$demo" --engine "$ENGINE_NAME"
	"$ENGINE" tag kept:base debian:bookworm-slim
	"$ENGINE" rmi kept:base
	[[ $status == 0 ]]
	grep -F 'not to be had, so: the two static programs' <<<"$output"
	crossed "$output"
	nothing_left
}

@test "demo: ^C ends it at once, and nothing is left" {
	# As a terminal does it: SIGINT to the whole process group.
	env --default-signal=INT setsid "$demo" --engine "$ENGINE_NAME" >out 2>&1 3>&- &
	demo_pid=$!
	await has_lines out '^now time: ' 2
	kill -INT -- "-$demo_pid"
	status=0
	wait "$demo_pid" || status=$?
	demo_pid=''
	[[ $status == 130 ]]
	(($(lines_of out '^now time: ') < 5))
	await nothing_left
}

@test "demo: an ordinary user can run it, too" {
	if [[ $ENGINE_NAME != embedded || $(awk '{ print $3; exit }' /proc/self/uid_map) == 1 ]]; then
		return # for the others that is a matter of how they were set up
	fi
	# Where an ordinary user may go: not into the folder of this test.
	copy=$(mktemp -d /tmp/coshm-demo-copy.XXXXXX)
	cp -r "$(dirname "$demo")"/{demo,clock,scripts,container} "$copy"
	mkdir -m 777 "$copy/tmp"
	chmod -R a+rX "$copy"
	run env TMPDIR="$copy/tmp" \
		setpriv --reuid 65534 --regid 65534 --clear-groups "$copy/demo" --engine embedded
	left=$(ls -A "$copy/tmp")
	rm -r "$copy"
	[[ $status == 0 && -z $left ]]
	crossed "$output"
	nothing_left
}

@test "demo: --help, and what it does not know" {
	run -0 "$demo" --help
	[[ $output == Usage:* ]]
	for bad in --bogus --engine=lxc '--engine=' argument; do
		run -2 "$demo" "$bad"
		[[ $output == *"Try './demo --help'."* ]]
	done
}
