#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# kube.bats - container/kube/*.yaml under "podman kube play".
# shellcheck disable=SC2154 # what engine.bash sets

bats_require_minimum_version 1.5.0

load engine

setup() {
	setup_containers
	sed -e "s|image: localhost/shm:latest|image: $IMAGE|" -e "s|name: clock|name: $prefix|" \
		"$BATS_TEST_DIRNAME/../../container/kube/clock.yaml" >clock.yaml
	podman kube play --network none clock.yaml 3>&-
}

teardown() {
	podman kube down clock.yaml 3>&-
}

@test "kube play: the time crosses, and both containers are of the pod's namespace" {
	await more_times reader 2
	[[ $(segments reader) == "$(segments writer)" && -n $(segments writer) ]]
}

@test "kube play: a writer that crashes is restarted in the pod's namespace, the reader goes on" {
	await more_times reader 0
	key=$(segments reader | cut -d' ' -f1,2)
	# Not "podman kill": what a user has stopped is not restarted.
	kill -KILL "$(podman inspect -f '{{.State.Pid}}' "$prefix-writer")"
	await logged writer err 'which was there'
	[[ $(segments reader | cut -d' ' -f1,2) == "$key" ]]
	goes_on reader
}
