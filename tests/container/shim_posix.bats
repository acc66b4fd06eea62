#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# shim_posix.bats - POSIX shared memory and semaphores in two containers with IPC namespaces of
# their own and one folder: mounted on /dev/shm as it is, or elsewhere with the preload library.
# shellcheck disable=SC2154 # what engine.bash sets

bats_require_minimum_version 1.5.0

load engine

setup() {
	setup_containers
	make_folder 1777
	mounts=(-v "$COSHM_BUILD:/srv:ro")
}

teardown() {
	remove_containers
	remove_folder
}

# use NAME OPTIONS... -- ARGUMENTS...: posix_use in a container
use() {
	local name=$1 options=("${private[@]}" "${mounts[@]}")

	shift
	while [[ $1 != -- ]]; do
		options+=("$1")
		shift
	done
	shift
	run_container "$name" "${options[@]}" -- /srv/tests/shim/posix_use "$@"
}

# share OPTIONS...: two containers use memory and semaphores by the same names
share() {
	use maker "$@" -- write /text hello
	await logged_nothing_and_ended maker
	use reader "$@" -- shm /text
	await logged reader out '^hello$'
	use one "$@" -- rounds /turn 1000 a
	use other "$@" -- rounds /turn 1000 b
	await logged one out '^1000 rounds$'
	await logged other out '^1000 rounds$'
}

logged_nothing_and_ended() {
	ended "$1" && [[ -z $(logs "$1" out) ]]
}

@test "the same volume on /dev/shm, and nothing preloaded" {
	share -v "$folder:/dev/shm"
	[[ $(ls "$folder") == $'sem.turn-a\nsem.turn-b\ntext' ]]
}

@test "a volume anywhere, and the preload library" {
	share -v "$folder:/mnt" -e COSHM_DIR=/mnt -e LD_PRELOAD=/srv/shim/libcoshm-preload.so
	[[ -z $(ls "$folder") && $(ls "$folder/.posix") == $'sem.turn-a\nsem.turn-b\ntext' ]]
}
