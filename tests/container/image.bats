#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# image.bats - the image with the coshm command, on the engine that with-engine
# names: Docker or Podman, as the embedded engine has no images.
# shellcheck disable=SC2154 # what engine.bash and run set

bats_require_minimum_version 1.5.0

load engine

setup_file() {
	# Shared by the tests, and made anew by each run: most of it is in the engine's cache.
	export TOOLS=localhost/coshm-check-$$-tools
	"$ENGINE" build --network=host -t "$TOOLS" --target coshm "$BATS_TEST_DIRNAME/../.." \
		>"$BATS_FILE_TMPDIR/log" 2>&1 || {
		tail -n 20 "$BATS_FILE_TMPDIR/log" >&2
		return 1
	}
}

teardown_file() {
	"$ENGINE" rmi -f "$TOOLS" >/dev/null 2>&1 || true
}

setup() {
	setup_containers
	# --privileged is all capabilities, where we have them all to give.
	powers=(--privileged)
	read -r most </proc/sys/kernel/cap_last_cap
	(((16#$(awk '/^CapBnd/ { print $2 }' /proc/self/status) + 1) == 1 << (most + 1))) ||
		powers=(--cap-add SYS_ADMIN --cap-add SYS_PTRACE --security-opt seccomp=unconfined
			--security-opt apparmor=unconfined)
	machine=(--pid=host "${powers[@]}")
	[[ ! ${DOCKER_HOST:-} ]] || machine+=(-v "${DOCKER_HOST#unix://}:/var/run/docker.sock")
}

teardown() {
	remove_containers
}

# coshm OPTION... -- ARGUMENT...: in a container of the image
coshm() {
	local options=()

	while [[ $1 != -- ]]; do
		options+=("$1")
		shift
	done
	shift
	"$ENGINE" run --rm --network none "${options[@]}" "$TOOLS" "$@" 3>&-
}

@test "the coshm image has the command and what it needs, in less than 40 MB" {
	bytes=$("$ENGINE" image inspect -f '{{.Size}}' "$TOOLS")
	((bytes < 40000000)) || {
		echo "$bytes bytes"
		return 1
	}
	run -0 coshm -- --version
	[[ $output == "coshm "* ]]
	run -0 coshm -- info --help
}

@test "the coshm image sees what is in its own container, and goes without more" {
	run --separate-stderr coshm -- ls
	[[ $status == [03] && $output == *"(own)"* ]]
	[[ $(wc -l <<<"$output") == 1 ]] # of no other namespace
}

@test "the coshm image sees and serves all of the machine, as root of it" {
	run_container donor --ipc=shareable --shm-size=1m -- \
		sh -c 'trap "exit 0" TERM; echo x >/dev/shm/left; echo up; tail -f /dev/null & wait'
	await logged donor out up
	donor=$(state donor Pid)
	[[ $ENGINE_NAME != docker ]] || donor=$prefix-donor
	run --separate-stderr coshm "${machine[@]}" -- ls -n -o NAME,CONTAINER "$donor"
	printf '%s\n' "$output" "$stderr"
	[[ $status == [03] && $output == left* ]]
	[[ $ENGINE_NAME != docker || $output == *"$prefix-donor"* ]]
	run --separate-stderr coshm "${machine[@]}" -- clean --yes -n "$donor"
	[[ $status == [03] && $output == *" removed "* ]]
	run ! e exec donor ls /dev/shm/left
	run -0 coshm "${machine[@]}" -- grow "$donor" 2M
	[[ $(e exec donor stat -f -c '%b * %S / 1048576' /dev/shm) == "512 * 4096 / 1048576" ]]
}
