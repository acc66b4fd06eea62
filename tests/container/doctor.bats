#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# doctor.bats - coshm doctor, on the engine that with-engine names: each situation
# is really made, the doctor says what it is, the commands that it prints are
# really run, and then it says that all is well.
#
# The embedded engine answers no questions: containers are pids there, nobody
# knows whom they were told to join, and what needs that is skipped.
# shellcheck disable=SC2154 # what engine.bash sets

bats_require_minimum_version 1.5.0

load engine

setup() {
	setup_containers
	PATH=$COSHM_BUILD/cli:$PATH
	# Podman's answers come from a socket that somebody has to serve.
	if [[ $ENGINE_NAME == podman ]]; then
		podman system service --time=0 "unix://$PWD/socket" >service.log 2>&1 3>&- &
		service=$!
		await test -S socket
	fi
}

teardown() {
	remove_containers
	[[ ! ${compose:-} ]] || "${compose[@]}" -p "$prefix" down -t 1 >/dev/null 2>&1 3>&-
	[[ ! ${pod:-} ]] || podman pod rm -f "$pod" >/dev/null
	[[ ! ${volume:-} ]] || "$ENGINE" volume rm -f "$volume" >/dev/null
	[[ ! ${service:-} ]] || kill "$service"
}

told() {
	[[ $ENGINE_NAME != embedded ]] || not_here "no engine tells how its containers were made"
}

# up NAME OPTION...: a container that only holds what it has, and ends when it is told to
up() {
	run_container "$1" -v "$programs:/srv:ro" "${@:2}" -- /srv/coshm sub nothing
	await logged "$1" err 'waiting for'
}

# who NAME: what the doctor is told
who() {
	if [[ $ENGINE_NAME == embedded ]]; then
		state "$1" Pid
	else
		echo "$prefix-$1"
	fi
}

# asked OPTION... A B: what it finds goes to findings, what it says beside to errors
asked() {
	local options=("${@:1:$#-2}") sides=("$(who "${@: -2:1}")" "$(who "${@: -1}")")

	status=0
	CONTAINER_HOST=unix://$PWD/socket coshm doctor --json "${options[@]}" "${sides[@]}" \
		>findings 2>errors || status=$?
	cat errors findings
}

asked_all() {
	status=0
	CONTAINER_HOST=unix://$PWD/socket coshm doctor --json >findings 2>errors || status=$?
	cat errors findings
}

# members CODE MEMBER: of the first finding of that code; lists line by line
members() {
	python3 - "$@" <<-'END'
		import json, sys
		findings = json.load(open("findings"))["findings"]
		member = next(f[sys.argv[2]] for f in findings if f["code"] == sys.argv[1])
		print(*(member if isinstance(member, list) else [member]), sep="\n")
	END
}

verdict() {
	[[ $(python3 -c 'import json; print(json.load(open("findings"))["verdict"])') == "$1" ]]
}

found() {
	grep -q "\"code\": \"$1\"" findings
}

absent() {
	! found "$1"
}

# says CODE MEMBER PATTERN
says() {
	members "$1" "$2" | grep -qE -- "$3"
}

# shared A B: it says so, and that nothing is wrong
shared() {
	asked "$1" "$2"
	verdict shared
	((status == 0))
}

# mend CODE: run what it says, line by line.  Whoever made the containers knows what is to
# stand in place of each "...".
mend() {
	local line

	mapfile -t fix < <(members "$1" fix)
	((${#fix[@]} > 0))
	for line in "${fix[@]}"; do
		[[ $line != '#'* ]]
		if [[ $line == *' --pod='* ]]; then # which has a network of its own
			line=${line/ ... / -v $programs:/srv:ro }
		else
			line=${line/ ... / --network none -v $programs:/srv:ro }
		fi
		line=${line/%.../\/srv\/coshm sub nothing}
		echo "> $line"
		if [[ $line =~ ' run -d '.*'--name '([^ ]+) && ${BASH_REMATCH[1]} == "$prefix"-*-ipc ]]; then
			containers=("${BASH_REMATCH[1]}" "${containers[@]}")
			line=${line/ run -d / run -d --network none }
		fi
		if [[ $line == coshm* ]]; then # which may not see all of this machine
			CONTAINER_HOST=unix://$PWD/socket bash -c "$line" || (($? == 3))
		else
			bash -c "$line" 3>&- </dev/null
		fi
	done
}

in_one_namespace() {
	[[ $(readlink "/proc/$1/ns/ipc") == "$(readlink "/proc/$2/ns/ipc")" ]]
}

@test "doctor: two that share" {
	up writer --ipc=shareable
	up reader "--ipc=container:$prefix-writer"
	shared writer reader
	[[ $(members shared title) == *"share System V and POSIX memory" ]]
	says shared evidence "^/proc/$(state writer Pid)/ns/ipc is ipc:\[[0-9]+\]"
}

@test "doctor: a donor that is private" {
	told
	up writer "${private[@]}"
	up reader "${private[@]}"
	asked writer reader
	verdict donor-private
	((status == 1))
	says donor-private evidence "$ENGINE inspect $prefix-writer: IpcMode private"
	mend donor-private
	shared writer reader
}

@test "doctor: neither was told to join the other" {
	up writer --ipc=shareable
	up reader "${private[@]}"
	asked writer reader
	verdict not-joined
	((status == 1))
	if [[ $ENGINE_NAME == embedded ]]; then
		[[ $(members not-joined fix) == "nsenter --target $(state writer Pid) --ipc --mount ..." ]]
		nsenter --target "$(state writer Pid)" --ipc --mount sleep 1000 3>&- &
		await in_one_namespace $! "$(state writer Pid)"
		run -2 coshm doctor "$(state writer Pid)" $!
		kill $!
		[[ $output == *"are the same"* ]] # container, by all that can be seen of them
		return
	fi
	mend not-joined
	shared writer reader
}

@test "doctor: a donor that was restarted" {
	told
	up writer --ipc=shareable
	up reader "--ipc=container:$prefix-writer"
	"$ENGINE" restart -t 1 "$prefix-writer" 3>&-
	asked writer reader
	verdict split
	((status == 1))
	[[ $(members split fix) == "$ENGINE restart $prefix-reader" ]]
	says split evidence "inspect $prefix-writer: IpcMode shareable, started at "
	says split evidence "inspect $prefix-reader: IpcMode container:"
	asked reader writer
	verdict split
	asked_all
	says split containers "$prefix-reader"
	((status == 1))
	mend split
	shared writer reader
}

@test "doctor: a donor that is stopped" {
	told
	up writer --ipc=shareable
	up reader "--ipc=container:$prefix-writer"
	e stop writer
	asked writer reader
	verdict stopped
	((status == 1))
	[[ $(members stopped fix) == "$ENGINE start $prefix-writer"$'\n'"$ENGINE restart $prefix-reader" ]]
	mend stopped
	shared writer reader
}

@test "doctor: a joiner that is stopped" {
	told
	up writer --ipc=shareable
	up reader "--ipc=container:$prefix-writer"
	e stop reader
	asked writer reader
	verdict stopped
	((status == 1))
	mend stopped
	shared writer reader
}

@test "doctor: a donor that is removed, under two that run on" {
	told
	[[ $ENGINE_NAME != podman ]] || not_here "Podman removes no donor that has joiners"
	up writer --ipc=shareable
	up reader "--ipc=container:$prefix-writer"
	up other "--ipc=container:$prefix-writer"
	e rm writer -f
	asked reader other
	verdict until-restart
	((status == 1))
	asked_all
	found until-restart
	asked reader other
	mend until-restart
	shared reader other
}

@test "doctor: a donor that is removed, and a joiner that can never start again" {
	told
	[[ $ENGINE_NAME != podman ]] || not_here "Podman removes no donor that has joiners"
	up writer --ipc=shareable
	up reader "--ipc=container:$prefix-writer"
	up lone
	e rm writer -f
	e stop reader
	asked reader lone
	verdict donor-gone
	((status == 1))
	mend donor-gone
	shared "reader-ipc" reader
}

@test "doctor: a donor with a tmpfs of its own at /dev/shm" {
	told
	up writer --ipc=shareable --tmpfs /dev/shm
	up reader "${private[@]}"
	asked writer reader
	verdict donor-own-shm
	((status == 1))
	mend donor-own-shm
	shared writer reader
}

@test "doctor: one volume at /dev/shm, and IPC namespaces that are private" {
	told
	volume=$prefix-shm
	"$ENGINE" volume create "$volume" >/dev/null
	up writer "${private[@]}" -v "$volume:/dev/shm"
	up reader "${private[@]}" -v "$volume:/dev/shm"
	asked writer reader
	verdict posix-only
	((status == 1))
	mend posix-only
	shared writer reader
}

@test "doctor: a joiner with a tmpfs of its own at /dev/shm" {
	told
	up writer --ipc=shareable
	if [[ $ENGINE_NAME == docker ]]; then
		# Docker lets a joiner have another one.
		up reader "--ipc=container:$prefix-writer" -v "$PWD:/dev/shm"
	else
		up reader "--ipc=container:$prefix-writer" --tmpfs /dev/shm
	fi
	asked writer reader
	verdict sysv-only
	((status == 1))
	mend sysv-only
	shared writer reader
}

@test "doctor: none at all" {
	told
	up writer --ipc=none
	up reader "${private[@]}"
	asked writer reader
	verdict no-shm
	((status == 1))
	mend no-shm
	shared writer reader
}

@test "doctor: a segment that another user may not open" {
	told
	up writer --ipc=shareable
	e exec writer bash -c '/srv/segment make /etc/hostname 4096; exec -a holder /srv/segment put /etc/hostname 0 x'
	up reader "--ipc=container:$prefix-writer" --user 1000:1000
	e exec writer ipcmk -M 4096 -p 0600
	asked writer reader
	verdict shared
	((status == 1))
	says denied evidence 'runs as uid 1000'
	says denied evidence 'mode 600'
	mend denied
	asked writer reader
	verdict shared
	absent denied
}

@test "doctor: a file that another user may not open" {
	[[ $ENGINE_NAME != embedded ]] || (($(awk '{ print $3; exit }' /proc/self/uid_map) > 1)) ||
		skip "this user namespace has one user"
	up writer --ipc=shareable
	e exec writer sh -c 'umask 077; echo x >/dev/shm/secret'
	up reader "--ipc=container:$prefix-writer" --user 1000:1000
	asked writer reader
	found denied
	((status == 1))
	says denied evidence '/dev/shm/secret is of uid 0, gid 0, mode 600'
	mend denied
	asked writer reader
	absent denied
}

@test "doctor: a mutex between two PID namespaces" {
	up writer --ipc=shareable
	up reader "--ipc=container:$prefix-writer"
	e exec writer /srv/mutex /dev/shm/table
	asked writer reader
	found pid-liveness
	((status == 1))
	says pid-liveness evidence '/dev/shm/table holds what looks like 1 process-shared mutex'
	told
	mend pid-liveness
	asked writer reader
	absent pid-liveness
}

@test "doctor: /dev/shm is nearly full" {
	up writer --ipc=shareable --shm-size=8m
	up reader "--ipc=container:$prefix-writer"
	e exec writer fallocate -l 7M /dev/shm/large
	asked writer reader
	found shm-full
	((status == 1))
	says shm-full evidence '7 MiB of 8 MiB are used'
	mend shm-full
	asked writer reader
	absent shm-full
}

@test "doctor: a sparse file that is larger than what is free" {
	up writer --ipc=shareable --shm-size=8m
	up reader "--ipc=container:$prefix-writer"
	e exec writer truncate -s 20M /dev/shm/sparse
	asked writer reader
	found sigbus-ahead
	((status == 1))
	says sigbus-ahead evidence '/dev/shm/sparse: 20 MiB, of which 0 bytes are allocated'
	mend sigbus-ahead
	asked writer reader
	absent sigbus-ahead
	e exec writer dd if=/dev/zero of=/dev/shm/sparse bs=1M count=20 conv=notrunc
}

@test "doctor: a joiner's --shm-size" {
	told
	up writer --ipc=shareable
	up reader "--ipc=container:$prefix-writer" --shm-size=128m
	asked writer reader
	found shm-size-ignored
	((status == 1))
	mend shm-size-ignored
	shared writer reader
}

@test "doctor: a joiner's --sysctl" {
	told
	up writer --ipc=shareable
	up reader "--ipc=container:$prefix-writer" --sysctl kernel.shmmni=100 ||
		skip "this engine refuses it"
	[[ $(e exec writer cat /proc/sys/kernel/shmmni) == 100 ]]
	asked writer reader
	found sysctl-of-donor
	((status == 1))
	says sysctl-of-donor evidence 'kernel.shmmni=100'
}

@test "doctor: keys of a file in the image, and of one in /dev/shm" {
	up writer --ipc=shareable
	up reader "--ipc=container:$prefix-writer"
	if [[ $ENGINE_NAME != embedded ]]; then # whose image is the machine's own files
		asked --key-file /etc/debian_version --project-id 7 writer reader
		found ftok
		((status == 1))
		says ftok title 'different keys of /etc/debian_version: it is on another device'
		bash -c "$(members ftok fix)" # a command, and a comment
	else
		e exec writer touch /dev/shm/debian_version
	fi
	asked --key-file /dev/shm/debian_version --project-id 7 writer reader
	says ftok severity fine
	says ftok evidence "ftok gives $(key writer);"
	says ftok evidence "ftok gives $(key reader);"
	asked --key-file /dev/shm/nothing --project-id A writer reader
	says ftok evidence 'No such file'
}

# key NAME: what ftok gives in there
key() {
	# shellcheck disable=SC2016
	e exec "$1" bash -c 'read -r dev inode < <(stat -c "%d %i" /dev/shm/debian_version)
		printf "0x%08x" $((7 << 24 | (dev & 255) << 16 | inode & 65535))'
}

@test "doctor: a limit is reached" {
	[[ $ENGINE_NAME != embedded ]] || not_here "embedded sets no limits"
	up writer --ipc=shareable --sysctl kernel.shmmni=4
	up reader "--ipc=container:$prefix-writer"
	for _ in 1 2 3 4; do e exec writer ipcmk -M 4096 >/dev/null; done
	run ! e exec writer ipcmk -M 4096
	asked writer reader
	found limit
	((status == 1))
	says limit title 'the limit of shared memory segments is reached'
	says limit evidence ': 4 of 4 \(kernel.shmmni\)'
	mend limit
	asked writer reader
	absent limit
	e exec writer ipcmk -M 4096
}

@test "doctor: what nobody uses" {
	up writer --ipc=shareable
	up reader "--ipc=container:$prefix-writer"
	e exec writer ipcmk -M 4096
	asked writer reader
	found orphan
	((status == 1))
	says orphan title 'nobody uses 1 object \(4 KiB\)'
	mend orphan
	shared writer reader
}

@test "doctor: a peer of a channel that was killed" {
	up writer --ipc=shareable
	e exec writer mkdir -m 1777 /dev/shm/coshm
	up reader "--ipc=container:$prefix-writer"
	run_container feed "--ipc=container:$prefix-writer" -v "$programs:/srv:ro" -- \
		sh -c 'sleep 1000 | /srv/coshm pub ticks'
	await e exec writer /srv/coshm info ticks
	"$ENGINE" kill -s KILL "$prefix-feed"
	await ended feed
	asked writer reader
	found dead-peer
	((status == 1))
	says dead-peer title '1 of 1 peers of the channel /dev/shm/coshm/ticks is dead'
	mend dead-peer
	asked writer reader
	absent dead-peer
}

@test "doctor: different user namespaces" {
	[[ $ENGINE_NAME == podman ]] || not_here "Docker has one for all its containers"
	up writer --ipc=shareable
	up reader --ipc=private --uidmap 0:100000:1000 --gidmap 0:100000:1000 ||
		skip "no user namespace can be had here"
	asked writer reader
	verdict user-namespace
	((status == 1))
	mend user-namespace
	shared writer reader
}

@test "doctor: a container in a pod of Podman, and one that is in none" {
	[[ $ENGINE_NAME == podman ]] || not_here "Podman alone has them"
	pod=$prefix-pod
	podman pod create --network none --name "$pod" >/dev/null
	containers+=("$prefix-writer")
	podman run -d --pod "$pod" --name "$prefix-writer" -v "$programs:/srv:ro" "$IMAGE" \
		/srv/coshm sub nothing 3>&-
	up reader --ipc=private
	asked writer reader
	verdict not-joined
	[[ $(members not-joined fix) == *" --pod=$pod "* ]]
	mend not-joined
	shared writer reader
}

@test "doctor: two services of Compose" {
	[[ $ENGINE_NAME == docker ]] || not_here "Compose is Docker's here"
	compose=(docker-compose)
	command -v docker-compose >/dev/null || compose=(docker compose)
	echo services: >compose.yaml
	for name in writer reader; do
		cat >>compose.yaml <<-END
			  $name:
			    image: $IMAGE
			    network_mode: none
			    volumes: ["$programs:/srv:ro"]
			    command: /srv/coshm sub nothing
		END
	done
	"${compose[@]}" -p "$prefix" up -d 3>&-
	ask_services
	verdict donor-private
	# What is to be edited is edited, and what is to be run is run.
	members donor-private fix | sed -n 's/^# compose.yaml, service //p' >edits
	while IFS= read -r line; do
		sed -i "s/^  ${line%%:*}:\$/&\n    ${line#*: }/" compose.yaml
	done <edits
	cat compose.yaml
	[[ $(wc -l <edits) == 2 ]]
	bash -c "$(members donor-private fix)" 3>&-
	ask_services
	verdict shared
	((status == 0))
}

ask_services() {
	status=0
	coshm doctor --json "$prefix/writer" "$prefix/reader" >findings 2>errors || status=$?
	cat errors findings
}

@test "doctor: one volume with a channel, and nothing else" {
	mkdir -m 1777 channels
	up writer "${private[@]}" -v "$PWD/channels:/mnt"
	up reader "${private[@]}" -v "$PWD/channels:/mnt"
	run_container pub "${private[@]}" -v "$programs:/srv:ro" -v "$PWD/channels:/mnt" -- \
		sh -c 'sleep 1000 | /srv/coshm pub --dir /mnt ticks'
	run_container sub "${private[@]}" -v "$programs:/srv:ro" -v "$PWD/channels:/mnt" -- \
		/srv/coshm sub --dir /mnt ticks
	await e exec writer /srv/coshm info --dir /mnt ticks
	asked pub sub
	verdict channels-only
	((status == 1))
}

@test "doctor: a directory that coshm run serves, and nothing else" {
	local served=("${private[@]}" -v "$COSHM_BUILD:/srv:ro" -v "$PWD/shared:/mnt"
		-e COSHM_DIR=/mnt -e LD_PRELOAD=/srv/shim/libcoshm-preload.so)

	mkdir -m 1777 shared
	run_container writer "${served[@]}" -- /srv/clock/shm_write --key-file /mnt/key
	await logged writer err 'writing the time'
	run_container reader "${served[@]}" -- /srv/clock/shm_read --key-file /mnt/key
	await more_times reader 0
	asked writer reader
	verdict directory
	((status == 0))
	run --separate-stderr coshm ls --json
	python3 - <(echo "$output") "$(state writer Pid)" "$(state reader Pid)" <<-'END'
		import json, sys
		m = json.load(open(sys.argv[1]))
		names = {c["container"] for c in m["containers"] if str(c["pid"]) in sys.argv[2:]}
		assert len(names) == 2
		here = [o for o in m["objects"] if names <= set(o["container"]) and ".sysv/" in o["name"]]
		segment, = [o for o in here if o["type"] == "shm"]
		table, = [o for o in here if o["type"] == "table"]
		assert segment["nattch"] == table["nattch"] == 2
		assert segment["size"] == 4096 and len(segment["users"]) == 2
		assert segment["cpid"] == int(sys.argv[2])
	END
}

@test "doctor: the same, nobody, and too few" {
	up writer --ipc=shareable
	run -2 coshm doctor "$(state writer Pid)" "$(state writer Pid)"
	[[ $output == *"are the same"* ]]
	run -2 coshm doctor "$(state writer Pid)" "$prefix-nobody"
	[[ $output == *"there is no container, pod or process '$prefix-nobody' here"* ]]
	run -2 coshm doctor "$(state writer Pid)"
	[[ $output == *"give two containers, or none"* ]]
}
