#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# clock.bats - shm_write and shm_read in two containers, on the engine that
# with-engine names.  Every program here is PID 1 of its container.
# shellcheck disable=SC2154 # what engine.bash sets

bats_require_minimum_version 1.5.0

load engine

setup() {
	setup_containers
}

teardown() {
	remove_containers
}

start_pair() {
	run_container writer --ipc=shareable -- shm_write
	await logged writer err 'writing the time'
	run_container reader "--ipc=container:$prefix-writer" -- shm_read
	await more_times reader 0
}

# A donor that outlives every writer: a reader that waits for one.
start_trio() {
	run_container reader --ipc=shareable -- shm_read
	await logged reader err 'waiting for a writer'
	run_container writer "--ipc=container:$prefix-reader" -- shm_write
	await more_times reader 0
}

shm_device() {
	e exec "$1" stat -c %d /dev/shm
}

@test "the time crosses from one container to another, and the log shows it at once" {
	start_pair
	await more_times reader 2
	mapfile -t lines < <(logs reader out)
	now=$(date +%s)
	first=${lines[0]#now time: }
	((first >= now - 10 && first <= now))
	for i in "${!lines[@]}"; do [[ ${lines[i]} == "now time: $((first + i))" ]]; done
	[[ -z $(logs reader err) ]]
}

@test "both sides see the same segment: key, id, 4096 bytes, mode 600" {
	run_container writer --ipc=shareable -- shm_write
	await logged writer err 'writing the time'
	read -r key id _ mode bytes attached < <(segments writer)
	[[ $mode == 600 && $bytes == 4096 && $attached == 1 ]]
	run_container reader "--ipc=container:$prefix-writer" -- shm_read
	await more_times reader 0
	[[ $(segments reader) =~ ^$key\ +$id\ +[^\ ]+\ +600\ +4096\ +2 ]]
	[[ $(segments reader) == "$(segments writer)" ]]
}

@test "both programs are PID 1" {
	start_pair
	for name in writer reader; do
		[[ $(e exec $name cat /proc/1/comm) == shm_* ]]
	done
}

@test "stopped, both end within a second and with 0, and ipcs is empty" {
	start_trio
	"$ENGINE" stop -t 1 "$prefix-writer"
	[[ $(state writer ExitCode) == 0 ]] # 137 if it had to be killed after that second
	await no_segments reader
	"$ENGINE" stop -t 1 "$prefix-reader"
	[[ $(state reader ExitCode) == 0 ]]
}

@test "SIGINT ends both as well" {
	start_trio
	for name in writer reader; do
		"$ENGINE" kill -s INT "$prefix-$name"
		await ended $name
		[[ $(state $name ExitCode) == 0 ]]
	done
}

@test "a killed writer leaves its segment, the next one adopts it, the reader goes on" {
	start_trio
	read -r key id _ < <(segments reader)
	"$ENGINE" kill -s KILL "$prefix-writer"
	await ended writer
	[[ $(segments reader) =~ ^$key\ +$id\  ]]
	run_container next "--ipc=container:$prefix-reader" -- shm_write
	await logged next err 'which was there'
	[[ $(segments reader) =~ ^$key\ +$id\  && $(segments reader | wc -l) == 1 ]]
	goes_on reader
	e stop next
	await no_segments reader
}

@test "a donor that is stopped and started splits the pair; restarting the reader cures it" {
	start_pair
	e stop writer
	e start writer
	await logged reader err 'no segment of key .* in this container'
	logged reader err 'hint: .*container was restarted, restart this one too'
	before=$(times reader)
	await logged writer err 'writing the time' 2
	run_container witness "--ipc=container:$prefix-writer" -- shm_read -n 3
	await ended witness # the writer works, for whoever joins it now
	[[ $(times reader) == "$before" ]]
	e restart reader
	await more_times reader "$before"
	goes_on reader
}

@test "a donor that is killed and started splits the pair, too; its old time is not printed" {
	start_pair
	"$ENGINE" kill -s KILL "$prefix-writer"
	await ended writer
	e start writer
	await logged writer err 'writing the time' 2
	[[ $(e exec writer readlink /proc/self/ns/ipc) != $(e exec reader readlink /proc/self/ns/ipc) ]]
	# Podman unmounts a dead container's /dev/shm in the background.  A start that comes before
	# that takes the old one over: the reader then sees the new writer hold the lock.
	if [[ $ENGINE_NAME == podman && $(shm_device writer) == "$(shm_device reader)" ]]; then
		why='the writer lives, but does not write'
	else
		why='the writer is gone, or its container was restarted'
	fi
	await logged reader err 'the time stands still at [0-9]+: '
	logged reader err "the time stands still at [0-9]+: $why\$"
	logged reader err 'container was restarted, restart this one too'
	before=$(times reader)
	e restart reader
	await more_times reader "$before"
	goes_on reader
}

@test "a private donor is refused" {
	run_container writer "${private[@]}" -- shm_write
	await logged writer err 'writing the time'
	run -125 run_container reader "--ipc=container:$prefix-writer" -- shm_read
	if [[ $ENGINE_NAME != podman ]]; then
		[[ $output == *non-shareable* ]]
	fi
}

@test "a second writer is refused by the name of the first one's container" {
	run_container writer --ipc=shareable --hostname first-writer -- shm_write
	await logged writer err 'writing the time'
	run_container second "--ipc=container:$prefix-writer" -- shm_write
	await ended second
	[[ $(state second ExitCode) == 1 ]]
	logged second err 'another writer is at work: pid 1 on first-writer since '
	run_container reader "--ipc=container:$prefix-writer" -- shm_read -n 2
	await ended reader
	[[ $(state reader ExitCode) == 0 ]]
}

@test "another user gets a clear error" {
	if [[ $ENGINE_NAME == embedded ]] && (($(awk 'END { print $3 }' /proc/self/uid_map) == 1)); then
		skip "this user namespace has one user"
	fi
	run_container writer --ipc=shareable -- shm_write
	await logged writer err 'writing the time'
	run_container reader "--ipc=container:$prefix-writer" --user 1000:1000 -- shm_read
	await ended reader
	[[ $(state reader ExitCode) == 1 ]]
	logged reader err 'cannot read segment .* as uid 1000: Permission denied \(owner uid 0, mode 600\)'
	logged reader err 'hint: .*--user'
}

@test "a paused writer is told from a dead one" {
	start_pair
	e pause writer
	await logged reader err 'the writer lives, but does not write'
	e unpause writer
	goes_on reader
}

@test "an old writer and our reader" {
	run_container reader --ipc=shareable -- shm_read
	await logged reader err 'waiting for a writer'
	for round in 1 2; do # the second one replaces the key file and leaks the first one's segment
		run_container "old$round" "--ipc=container:$prefix-reader" -v "$programs:/mnt:ro" -- \
			/mnt/old_write
		goes_on reader
		"$ENGINE" kill -s KILL "$prefix-old$round"
		await logged reader err 'stands still' "$round"
	done
}

@test "our writer and an old reader" {
	run_container writer --ipc=shareable -- shm_write
	await logged writer err 'writing the time'
	run_container reader "--ipc=container:$prefix-writer" -v "$programs:/mnt:ro" -- \
		/mnt/old_read
	goes_on reader
	logs reader out | tail -n 1 | grep "^now time: $(date +%s | cut -c1-8)"
}

@test "the tiny image runs the pair" {
	IMAGE=$TINY_IMAGE start_pair
	goes_on reader
	e stop writer
	[[ $(state writer ExitCode) == 0 ]]
	if [[ $ENGINE_NAME != embedded ]]; then
		(($("$ENGINE" image inspect -f '{{.Size}}' "$TINY_IMAGE") < 2000000))
	fi
}
