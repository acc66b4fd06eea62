#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# pods.bats - container/kube/volume.yaml, two pods and one volume, under "podman kube play".
# shellcheck disable=SC2154 # what engine.bash sets

bats_require_minimum_version 1.5.0

load engine

setup_file() {
	export RUN_IMAGE=localhost/coshm-check-$$-run
	podman build --network=host -t "$RUN_IMAGE" --target run "$BATS_TEST_DIRNAME/../.." \
		>"$BATS_FILE_TMPDIR/log" 2>&1 || {
		tail -n 20 "$BATS_FILE_TMPDIR/log" >&2
		return 1
	}
}

teardown_file() {
	podman rmi -f "$RUN_IMAGE" >/dev/null 2>&1 || true
}

setup() {
	setup_containers
	folder=/dev/shm/$prefix
	sed -e "s|image: localhost/shm:run|image: $RUN_IMAGE|" -e "s|name: clock-|name: $prefix-|" \
		-e "s|path: /dev/shm/clock|path: $folder|" \
		"$BATS_TEST_DIRNAME/../../container/kube/volume.yaml" >volume.yaml
	podman kube play --network none volume.yaml 3>&-
}

teardown() {
	podman kube down volume.yaml 3>&- || true
	rm -rf "$folder"
}

@test "kube play: the time crosses between two pods that share a volume" {
	await more_times reader-clock 2
	[[ $(e exec reader-clock readlink /proc/1/ns/ipc) != \
		$(e exec writer-clock readlink /proc/1/ns/ipc) ]]
	no_segments writer-clock
}

@test "kube play: a writer that crashes is restarted, and takes its segment over" {
	await more_times reader-clock 0
	kill -KILL "$(podman inspect -f '{{.State.Pid}}' "$prefix-writer-clock")"
	await logged writer-clock err 'which was there'
	goes_on reader-clock
}
