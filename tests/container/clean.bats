#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# clean.bats - coshm clean and coshm grow, run beside containers: on the machine,
# as its root, on the engine that with-engine names.
# shellcheck disable=SC2154 # what engine.bash and run set
# shellcheck disable=SC2016 # for the containers

bats_require_minimum_version 1.5.0

load engine

setup() {
	setup_containers
	coshm=$COSHM_BUILD/cli/coshm
	# Where even root may not look at each process, what would be 0 or 1 is 3.
	blind=
	"$coshm" ls --noheadings >ls.out 2>&1 || blind=1
}

teardown() {
	remove_containers
}

# It only holds the namespace; unlike sleep as PID 1, it ends when it is told to.
holder() {
	run_container donor --ipc=shareable "$@" -v "$programs:/srv:ro" -- /srv/coshm sub nothing
	await running donor
}

# called NAME: what coshm calls it.  Docker tells its name; of others a pid serves.
called() {
	if [[ $ENGINE_NAME == docker ]]; then
		echo "$prefix-$1"
	else
		state "$1" Pid
	fi
}

# clean STATUS ARGUMENT...
clean() {
	local status=$1

	shift
	[[ ! $blind ]] || status=3
	run --separate-stderr "-$status" "$coshm" clean "$@"
	printf '%s\n' "$output" "$stderr"
}

writer() {
	run_container writer "--ipc=container:$prefix-donor" -- shm_write
	await one_segment
}

one_segment() {
	[[ $(segments donor | wc -l) == 1 ]]
}

killed() {
	"$ENGINE" kill -s KILL "$prefix-$1"
	await ended "$1"
}

@test "clean: what a killed program has left in a container goes, with --yes" {
	holder
	writer
	killed writer
	e exec donor sh -c 'echo x >/dev/shm/left; echo x >/dev/shm/sem.left'
	clean 1 "$(called donor)"
	[[ $output == *"shm "*" orphan "*"is gone"* && $output == *"posix-sem "* ]]
	one_segment
	clean 0 --yes "$(called donor)"
	no_segments donor
	[[ $(e exec donor ls /dev/shm) == shm_file ]] # the key file, for the next writer
	[[ $stderr == *"left alone: posix-shm /dev/shm/shm_file: it is empty, and may be a key file"* ]]
	clean 0 "$(called donor)"
	[[ -z $output ]]
}

@test "clean: what is in use stays, and its users go on" {
	holder
	writer
	e exec donor sh -c 'echo x >/dev/shm/left'
	before=$(segments donor)
	clean 0 --yes "$(called donor)"
	[[ $output != *"shm  0x"* ]]
	[[ $(segments donor) == "$before" ]]
	run ! e exec donor ls /dev/shm/left
}

@test "clean: what a paused container may come back for stays until it goes on" {
	holder
	writer
	killed writer
	e exec donor sh -c 'echo x >/dev/shm/left'
	pid=$(state donor Pid)
	e pause donor
	clean 0 --yes "$pid"
	[[ -z $output && $stderr == *"left alone: shm "*"is paused, and could use it"* ]]
	e unpause donor
	one_segment
	e exec donor ls /dev/shm/left
	clean 0 --yes "$pid"
	no_segments donor
}

@test "clean: a channel whose peers were killed goes; one of a paused peer stays" {
	holder
	e exec donor mkdir -m 1777 /dev/shm/coshm
	for name in dead paused; do
		run_container $name "--ipc=container:$prefix-donor" -v "$programs:/srv:ro" -- \
			sh -c 'tail -f /dev/null | exec /srv/coshm pub "$1"' sh $name
		await e exec donor /srv/coshm info --json $name
	done
	killed dead
	e pause paused
	clean 0 --yes "$(state donor Pid)"
	[[ $(e exec donor ls /dev/shm/coshm) == *paused* ]]
	e unpause paused
	clean 0 --yes "$(state donor Pid)"
	[[ $(e exec donor ls /dev/shm/coshm) == paused ]]
}

@test "clean: a channel of dead peers goes from a volume, too" {
	mkdir -m 1777 volume
	for name in donor dead; do
		run_container $name "${private[@]}" -v "$programs:/srv:ro" -v "$PWD/volume:/mnt" \
			-e COSHM_DIR=/mnt -- sh -c 'tail -f /dev/null | exec /srv/coshm pub "$1"' sh $name
		await e exec $name /srv/coshm info --json $name
	done
	killed dead
	# Those that several containers have are looked into.
	run_container other "${private[@]}" -v "$programs:/srv:ro" -v "$PWD/volume:/mnt" \
		-- /srv/coshm sub nothing
	await running other
	clean 0 --yes /mnt/dead
	[[ $output == *"channel "*" dead "*" removed "* ]]
	[[ $(ls volume) == donor ]]
}

# So large is the /dev/shm that this container sees.
megabytes() {
	echo $(($(e exec "$1" stat -f -c '%b * %S' /dev/shm) >> 20))
}

@test "grow: a program that finds /dev/shm full goes on, without a restart" {
	run_container donor --ipc=shareable --shm-size=1m -- sh -c 'trap "exit 0" TERM
		until dd if=/dev/zero of=/dev/shm/data bs=64K count=32 2>/dev/null; do
			echo full; sleep 0.1
		done
		echo written; tail -f /dev/null & wait'
	await logged donor out full
	started=$(state donor Pid)
	run -0 --separate-stderr "$coshm" grow "$(called donor)" 8M
	[[ $output == "/dev/shm of $(called donor): 8M, was 1M, "*" used" ]]
	await logged donor out written
	[[ $(megabytes donor) == 8 && $(state donor Pid) == "$started" ]]
}

@test "grow: who names a joiner grows the donor's, and is told" {
	holder --shm-size=2m
	writer
	run -0 --separate-stderr "$coshm" grow "$(called writer)" +2M
	[[ $(megabytes donor) == 4 && $(megabytes writer) == 4 ]]
	[[ $ENGINE_NAME != docker || $stderr == *"$prefix-writer has joined $prefix-donor"* ]]
	run -2 --separate-stderr "$coshm" grow "$(called writer)" 1M
	[[ $stderr == *"it has 4M"* && $(megabytes donor) == 4 ]]
}
