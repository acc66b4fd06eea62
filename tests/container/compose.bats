#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# compose.bats - container/compose.yaml on Docker.
# shellcheck disable=SC2154 # what engine.bash sets

bats_require_minimum_version 1.5.0

load engine

setup() {
	setup_containers
	export SHM_IMAGE=$IMAGE
	# As a plug-in of docker's, or a program of its own.
	if docker compose version >/dev/null 2>&1; then
		compose=(docker compose)
	else
		compose=(docker-compose)
	fi
	compose+=(-p "$prefix" -f "$BATS_TEST_DIRNAME/../../container/compose.yaml")
	# As the file's head has it.  On somebody's engine the image is there, by another name.
	if [[ $COSHM_OWN_ENGINE ]]; then
		"${compose[@]}" up -d --build 3>&-
	else
		"${compose[@]}" up -d --no-build 3>&-
	fi
}

teardown() {
	"${compose[@]}" down -t 1 3>&-
}

# container SERVICE: its id
container() {
	"${compose[@]}" ps -q "$1"
}

logs() {
	docker logs "$(container "$1")" 2>/dev/null
}

joined_again() {
	[[ $(docker exec "$(container reader)" readlink /proc/1/ns/ipc) == \
		"$(docker exec "$(container writer)" readlink /proc/1/ns/ipc)" ]]
}

@test "compose: the time crosses" {
	await more_times reader 2
	joined_again
}

@test "compose: a writer that crashes is restarted, and the reader joins it again" {
	await more_times reader 0
	kill -KILL "$(docker inspect -f '{{.State.Pid}}' "$(container writer)")"
	await joined_again
	goes_on reader
}

@test "compose: a writer that is restarted by hand is joined again, too" {
	await more_times reader 0
	"${compose[@]}" restart writer 3>&-
	await joined_again
	goes_on reader
}
