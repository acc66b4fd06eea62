#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# run.bats - unmodified programs under "coshm run" in two containers that share a
# folder and no IPC namespace, on the engine that with-engine names.
# shellcheck disable=SC2154 # what engine.bash and run set

bats_require_minimum_version 1.5.0

load engine

setup() {
	setup_containers
	make_folder 777
	# No container needs the library in its image: it can come with the volume.
	cp "$COSHM_BUILD/shim/libcoshm-preload.so" "$folder"
	apart=("${private[@]}" -v "$programs:/srv:ro" -v "$folder:/mnt"
		-e COSHM_PRELOAD=/mnt/libcoshm-preload.so)
}

teardown() {
	remove_containers
	remove_folder
}

# shimmed NAME PROGRAM ARGUMENT...: in a container of its own, with the folder and nothing else
shimmed() {
	run_container "$1" "${apart[@]}" -- /srv/coshm run --dir /mnt -- "${@:2}"
}

# objects: the files of segments, sets and queues in the folder
objects() {
	find "$folder/.sysv" -name '*-*' | wc -l
}

# attachments N: of the one segment
attachments() {
	[[ $("$COSHM_BUILD/cli/coshm" ls -m --dir "$folder" -n -o NATTCH,KEY |
		awk '$2 ~ /^0x08/ { print $1 }') == "$1" ]]
}

@test "the clock pair, unmodified, in two containers with an IPC namespace each" {
	shimmed writer shm_write
	await logged writer err writing
	# Its key file is in its own /dev/shm: the other container does not even see it.
	shimmed reader shm_read
	await more_times reader 2
	[[ $(e exec reader readlink /proc/1/ns/ipc) != $(e exec writer readlink /proc/1/ns/ipc) ]]
	no_segments writer
	# Both are process 1 of their container, and end as they do without us.
	e stop writer
	[[ $(state writer ExitCode) == 0 ]]
	await logged reader err 'segment'
	e stop reader
	[[ $(state reader ExitCode) == 0 ]]
	[[ $(objects) == 0 ]]
}

@test "the reader first, and a writer that is killed and started again" {
	shimmed reader shm_read
	await logged reader err 'waiting'
	shimmed writer shm_write
	await more_times reader 1
	"$ENGINE" kill -s KILL "$prefix-writer"
	await ended writer
	e start writer
	await logged writer err 'which was there'
	goes_on reader
}

@test "the attachments of a container that is killed do not count any more" {
	shimmed writer shm_write
	await logged writer err writing
	shimmed reader shm_read
	await more_times reader 0
	"$ENGINE" kill -s KILL "$prefix-reader"
	await ended reader
	shimmed second shm_read
	await more_times second 0
	await attachments 2
}
