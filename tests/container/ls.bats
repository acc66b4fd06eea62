#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# ls.bats - coshm ls and coshm ps of two real containers that share a segment, on the engine
# that with-engine names: from outside as root, and from inside one of them as nobody.
# shellcheck disable=SC2154 # what engine.bash sets

bats_require_minimum_version 1.5.0

load engine

# A folder with coshm and its libraries, which no image has; mounted at /srv in containers.
setup() {
	setup_containers
	PATH=$COSHM_BUILD/cli:$PATH
	bundle=$BATS_TEST_TMPDIR/bundle
	mkdir "$bundle"
	chmod 755 "$BATS_TEST_TMPDIR" "$bundle"
	cp -L "$COSHM_BUILD/cli/coshm" "$bundle"
	# shellcheck disable=SC2046 # no path has a space in it
	cp -L $(ldd "$bundle/coshm" | grep -oE '/[^ ]+') "$bundle"
	loader=/srv/$(basename "$(ldd "$bundle/coshm" | grep -oE '/[^ ]*/ld-[^ ]+')")
}

teardown() {
	remove_containers
}

has_segment() {
	[[ $(segments "$1") ]]
}

# pair: a writer and a reader.  A joiner of the embedded engine has the mounts of its donor.
pair() {
	run_container writer --ipc=shareable -v "$bundle:/srv:ro" -- shm_write
	await has_segment writer
	run_container reader "--ipc=container:$prefix-writer" -v "$bundle:/srv:ro" \
		-- shm_read
	await running reader
	writer=$(state writer Pid) reader=$(state reader Pid)
	read -r key id _ < <(segments writer)
}

# inside ARGUMENT...: coshm in the reader's container, as nobody
inside() {
	e exec reader setpriv --reuid=65534 --regid=65534 --clear-groups "$loader" \
		--library-path /srv /srv/coshm "$@"
}

# looks COMMAND...: with 3 it has said what it could not see, which on a machine in a
# sandbox is so for root, too
looks() {
	run --separate-stderr "$@"
	[[ $status == 0 || ($status == 3 && $stderr == *"not seen: "*) ]] ||
		{ echo "$status: $output $stderr"; return 1; }
}

# name_of PID: of a container, as coshm has it
name_of() {
	coshm ls --json 2>/dev/null | python3 -c '
import json, sys
print(*[c["container"] for c in json.load(sys.stdin)["containers"] if c["pid"] == int(sys.argv[1])])
' "$1"
}

# is_named NAME PID: as the engine names it; or, if coshm has no way to ask, as it is called then
is_named() {
	local id

	case $ENGINE_NAME in
	docker) [[ $(name_of "$2") == "$prefix-$1" ]] ;;
	podman)
		id=$("$ENGINE" inspect -f '{{.Id}}' "$prefix-$1")
		[[ $(name_of "$2") == "$prefix-$1" || $(name_of "$2") == "${id:0:12}" ]]
		;;
	*) [[ $(name_of "$2") ]] ;;
	esac
}

@test "ls: both containers share the segment, and have their engine's names" {
	local ns

	pair
	ns=$(readlink "/proc/$writer/ns/ipc" | tr -dc 0-9)
	is_named writer "$writer"
	is_named reader "$reader"
	for pid in "$writer" "$reader"; do
		looks coshm ls -n -m -o KEY,OBJECT,NATTCH,IPCNS,CONTAINER --filter TYPE=shm "$pid"
		[[ $output =~ ^$key\ +$id\ +2\ +$ns\  ]]
		[[ $output == *"$(name_of "$writer")"* && $output == *"$(name_of "$reader")"* ]]
	done
	looks coshm ls "$writer"
	[[ ${lines[0]} == "ipc namespace "*": "*"; /dev/shm 6"*"M, 0 % used" ]]
	[[ $ENGINE_NAME != docker || ${lines[0]} == *"$prefix-writer (donor), $prefix-reader;"* ]]
}

@test "ls --tree: the segment is below both containers" {
	pair
	LC_ALL=C looks coshm ls --tree "$writer"
	[[ $(grep -c "container " <<<"$output") == 2 ]]
	[[ $(grep -c -- "-shm $key id $id " <<<"$output") == 2 ]]
	[[ $output == *"container $(name_of "$writer")"*"-shm $key"* ]]
}

@test "ls --json: the configuration of the pair" {
	pair
	looks coshm ls --json
	python3 - <(echo "$output") "$writer" "$reader" "$key" "$ENGINE_NAME" <<-'END'
		import json, sys
		m = json.load(open(sys.argv[1]))
		by_pid = {c["pid"]: c for c in m["containers"]}
		writer, reader = by_pid[int(sys.argv[2])], by_pid[int(sys.argv[3])]
		assert writer["ipcns"] == reader["ipcns"] != None
		if sys.argv[5] == "docker":
		    assert reader["donor"] == writer["container"] and writer["ipc_mode"] == "shareable"
		    assert writer["state"] == "running" and writer["shm_size"] == 64 << 20
		segment, = [o for o in m["objects"] if o["ipcns"] == writer["ipcns"] and o["type"] == "shm"]
		assert segment["key"] == sys.argv[4] and segment["nattch"] == 2
		assert sorted(segment["container"]) == sorted([writer["container"], reader["container"]])
	END
}

@test "ps: who uses the segment, and how" {
	pair
	looks coshm ps -n -o COMMAND,PID,MODE,HOW --filter TYPE=shm "$writer" "$reader"
	[[ ${#lines[@]} == 2 ]]
	[[ ${lines[0]} =~ ^shm_write\ +$writer\ rw\ +mapped ]] ||
		[[ ${lines[1]} =~ ^shm_write\ +$writer\ rw\ +mapped ]]
	[[ $output =~ shm_read\ +$reader\ r\ +mapped ]]
	looks coshm ps -n -o COMMAND --filter TYPE=shm "$reader"
	[[ $output =~ ^shm_read\ *$ ]]
}

@test "a paused container's processes are paused" {
	pair
	e pause reader >/dev/null
	looks coshm ps -n -o STATE --filter TYPE=shm "$reader"
	e unpause reader >/dev/null
	[[ $ENGINE_NAME == embedded || $output =~ ^paused ]]
}

@test "from inside, as nobody: the container's own namespace" {
	pair
	looks inside ls -n -o KEY,OBJECT,PERMS,NATTCH --filter TYPE=shm
	[[ $output =~ ^$key\ +$id\ +rw-------\ +2\ *$ ]]
	looks inside ls --json
	python3 - <(echo "$output") <<-'END'
		import json, sys
		m = json.load(open(sys.argv[1]))
		assert len(m["namespaces"]) == 1 and m["namespaces"][0]["own"]
	END
	run -2 --separate-stderr inside ls "$prefix-writer"
	[[ $stderr == *"there is no container '$prefix-writer'"* ]]
}
