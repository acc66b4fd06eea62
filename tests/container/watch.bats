#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# watch.bats - coshm watch and coshm top on the machine that containers run on, on
# the engine that with-engine names.
# shellcheck disable=SC2154 # what engine.bash sets

bats_require_minimum_version 1.5.0

load engine

setup() {
	setup_containers
	pids=()
	[[ $ENGINE_NAME != podman ]] || serve
	# It holds the namespace, and unlike sleep as PID 1 it ends when it is told to.
	program=(-v "$programs:/srv:ro" -e COSHM_DIR=/dev/shm)
}

teardown() {
	local pid

	for pid in "${pids[@]}"; do
		kill -TERM "$pid" 2>/dev/null || continue
		wait "$pid" || true
	done
	remove_containers
}

# serve: Podman has no daemon; its API, which tells names and donors, is started on demand
serve() {
	local socket=$BATS_TEST_TMPDIR/podman.sock

	"$ENGINE" system service --time 0 "unix://$socket" >service.log 2>&1 3>&- &
	pids+=("$!")
	await test -S "$socket"
	export CONTAINER_HOST=unix://$socket
}

# The engine's own client is not to go through that socket.
e_restart() {
	env -u CONTAINER_HOST "$ENGINE" restart "$prefix-$1" 3>&-
}

# holder NAME OPTION...: a container that only waits
holder() {
	(unset CONTAINER_HOST && run_container "$1" "${program[@]}" "${@:2}" -- /srv/coshm sub nothing)
	containers+=("$prefix-$1")
}

watch() {
	"$COSHM_BUILD/cli/coshm" watch --interval 0.1 "$prefix-donor" "$prefix-joiner" >out 2>err 3>&- &
	pids+=("$!")
	await has_lines err watching 1
}

told() {
	await has_lines out "$1" 1 || {
		cat out err
		return 1
	}
}

# container NAME: how coshm calls it; containers of the embedded engine, which has no names,
# by their host names
container() {
	echo "$prefix-$1"
}

@test "containers that start, are paused, go on and stop" {
	watch
	holder donor --ipc=shareable
	told "started  $(container donor)$"
	(unset CONTAINER_HOST && e pause donor)
	told "paused   $(container donor)$"
	(unset CONTAINER_HOST && e unpause donor)
	told "resumed  $(container donor)$"
	(unset CONTAINER_HOST && e stop donor)
	told "stopped  $(container donor)$"
}

@test "what a container makes is told by its name" {
	holder donor --ipc=shareable
	watch
	(unset CONTAINER_HOST && e exec donor sh -c 'echo hello >/dev/shm/frames')
	told "created  posix-shm /dev/shm/frames, 6B, in ipc namespace [0-9]+ of $(container donor)$"
	(unset CONTAINER_HOST && e exec donor ipcmk -M 4096)
	told "created  shm 0x[0-9a-f]+ id [0-9]+, 4K, in ipc namespace [0-9]+ of $(container donor)$"
	(unset CONTAINER_HOST && e stop donor)
	told "removed  posix-shm /dev/shm/frames"
	told "removed  shm 0x"
}

@test "a donor's restart is a split, and the joiner's restart joins it again" {
	[[ $ENGINE_NAME != embedded ]] ||
		not_here "plain namespaces do not say who was told to join whom"
	holder donor --ipc=shareable
	holder joiner "--ipc=container:$prefix-donor"
	watch
	e_restart donor
	told "split    $prefix-joiner is still in the ipc namespace that $prefix-donor had before: $ENGINE_NAME restart $prefix-joiner$"
	e_restart joiner
	told "joined   $prefix-joiner is in the ipc namespace of $prefix-donor$"
	(($(lines_of out ' split ') == 1))
}
