#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# doctor.bats - coshm doctor on recorded machines: what cannot be made on every machine
# (gVisor, Kata, SELinux, Kubernetes), what is printed, and the command line.
# shellcheck disable=SC2154 # what run sets

bats_require_minimum_version 1.5.0

load ../await

setup() {
	PATH="${COSHM_BUILD:?the build folder}/cli:$PATH"
	cd "$BATS_TEST_TMPDIR" || return
	export COSHM_INSPECT_ROOT=$PWD/machine
	unset DOCKER_HOST CONTAINER_HOST
	mkdir -p machine/api/docker
	process 1 systemd 4026531839 4026531841 0::/init.scope
	listed=()
}

id() {
	printf "%064d" "$1"
}

# process PID COMMAND IPCNS MNTNS CGROUP
process() {
	local proc=machine/proc/$1 ns

	mkdir -p "$proc/ns" "$proc/attr" "$proc/root/dev/shm"
	echo "$1 ($2) S 0 $1 $1 0 -1 4194560 100 0 0 0 1 2 0 0 20 0 1 0 $((100 + $1)) 1000 100" \
		>"$proc/stat"
	printf 'Name:\t%s\nState:\tS\nUid:\t0\t0\t0\t0\nGid:\t0\t0\t0\t0\nNSpid:\t%s\n' "$2" "$1" \
		>"$proc/status"
	echo "$5" >"$proc/cgroup"
	: >"$proc/maps"
	echo unconfined >"$proc/attr/current"
	# A device for each mount namespace, unless area() says otherwise.
	printf '%s\n' '70 60 0:9 / / rw - overlay overlay rw' \
		"71 70 0:$(($4 % 1000)) / /dev/shm rw - tmpfs shm rw,size=65536k" >"$proc/mountinfo"
	for ns in "ipc $3" "mnt $4" "pid $(($4 + 500))" "user 4026531837"; do
		ln -sf "${ns% *}:[${ns#* }]" "$proc/ns/${ns% *}"
	done
	mkdir -p "machine/ipcns/$3"
	for ns in shm sem msg; do echo "       key      ${ns}id perms" >"machine/ipcns/$3/$ns"; done
	echo "kernel.shmmni 4096" >"machine/ipcns/$3/limits"
}

# docker NAME PID IPCNS IPCMODE [RUNTIME]: a container of Docker, and its process
docker() {
	process "$2" sleep "$3" $((4026532000 + $2)) \
		"0::/system.slice/docker-$(id "$2").scope"
	cat >"machine/api/docker/inspect-$(id "$2").json" <<-END
		{ "Id": "$(id "$2")", "Name": "/$1",
		  "State": { "Status": "running", "Pid": $2, "StartedAt": "2026-11-24T10:00:$2Z" },
		  "HostConfig": { "IpcMode": "$4", "Runtime": "${5:-runc}", "ShmSize": 67108864 },
		  "Config": { "Image": "shm" } }
	END
	listed+=("{ \"Id\": \"$(id "$2")\", \"Names\": [\"/$1\"], \"Image\": \"shm\",
		\"State\": \"running\", \"Labels\": {} }")
	(IFS=,; echo "[ ${listed[*]} ]") >machine/api/docker/containers.json
}

# area PID OTHER: it has the /dev/shm of that one
area() {
	cp "machine/proc/$2/mountinfo" "machine/proc/$1/mountinfo"
}

# pod_container NAME PID IPCNS POD: of containerd, in a pod of Kubernetes
pod_container() {
	local bundle

	bundle=machine/run/containerd/io.containerd.runtime.v2.task/k8s.io/$(id "$2")
	process "$2" sleep "$3" $((4026532000 + $2)) "0::/kubepods.slice/kubepods-pod0a0a0a0a_0b0b_0c0c_0d0d_0e0e0e0e0e0$2.slice/cri-containerd-$(id "$2").scope"
	mkdir -p "$bundle"
	cat >"$bundle/config.json" <<-END
		{ "annotations": {
		    "io.kubernetes.cri.container-name": "$1",
		    "io.kubernetes.cri.container-type": "container",
		    "io.kubernetes.cri.image-name": "shop/$1:1",
		    "io.kubernetes.cri.sandbox-id": "$(id "9${4//[!0-9]/}")",
		    "io.kubernetes.cri.sandbox-name": "$4",
		    "io.kubernetes.cri.sandbox-namespace": "shop" },
		  "mounts": [], "linux": { "namespaces": [ { "type": "ipc", "path": "/proc/99/ns/ipc" } ] } }
	END
}

# prints STATUS ARGUMENT...: what coshm doctor prints is standard input
prints() {
	run "-$1" --separate-stderr coshm doctor "${@:2}"
	diff - <(printf '%s\n' "$output")
}

split() {
	docker writer 20 4026532200 shareable
	docker reader 21 4026532201 "container:$(id 20)"
	sed -i 's/10:00:20Z/10:05:40Z/' "machine/api/docker/inspect-$(id 20).json"
}

@test "a split, as people read it" {
	split
	prints 1 writer reader <<-'END'
		error: writer and reader do NOT share: writer was restarted, and reader is still
		       in the IPC namespace of before [split]
		  - /proc/20/ns/ipc is ipc:[4026532200], /proc/21/ns/ipc ipc:[4026532201]
		  - mountinfo: /dev/shm of writer is device 0:20 (tmpfs), of reader is device
		    0:21 (tmpfs)
		  - docker inspect writer: IpcMode shareable, started at 2026-11-24 10:05:40 UTC
		  - docker inspect reader: IpcMode container:000000000000, started at 2026-11-24
		    10:00:21 UTC
		  fix:
		    docker restart reader
	END
}

@test "a split, as programs read it" {
	split
	run -1 --separate-stderr coshm doctor --json writer reader
	diff - <(printf '%s\n' "$output") <<-'END'
		{
		  "verdict": "split",
		  "complete": true,
		  "not_seen": [],
		  "findings": [
		    {
		      "code": "split",
		      "severity": "error",
		      "title": "writer and reader do NOT share: writer was restarted, and reader is still in the IPC namespace of before",
		      "evidence": [
		        "/proc/20/ns/ipc is ipc:[4026532200], /proc/21/ns/ipc ipc:[4026532201]",
		        "mountinfo: /dev/shm of writer is device 0:20 (tmpfs), of reader is device 0:21 (tmpfs)",
		        "docker inspect writer: IpcMode shareable, started at 2026-11-24 10:05:40 UTC",
		        "docker inspect reader: IpcMode container:000000000000, started at 2026-11-24 10:00:21 UTC"
		      ],
		      "fix": [
		        "docker restart reader"
		      ],
		      "fix_note": null,
		      "containers": [
		        "writer",
		        "reader"
		      ],
		      "object": null
		    }
		  ]
		}
	END
}

@test "a split, as a table" {
	split
	prints 1 -o severity,CODE,CONTAINERS,FIX writer reader <<-'END'
		SEVERITY CODE  CONTAINERS    FIX
		error    split writer,reader docker restart reader
	END
	run -1 --separate-stderr coshm doctor --noheadings
	[[ $output == "error    split writer,reader writer and reader do NOT share: "* ]]
	((${#lines[@]} == 1))
}

@test "lines of one finding are below each other in a table, so that fixes can be run" {
	docker writer 20 4026532200 shareable runsc
	docker reader 21 4026532201 private
	prints 1 --noheadings --output FIX writer reader <<-'END'
		docker rm -f writer
		docker run -d --name writer --runtime=runc ... shm ...
	END
	prints 1 --output CODE,FIX writer reader <<-'END'
		CODE       FIX
		impossible docker rm -f writer
		           docker run -d --name writer --runtime=runc ... shm ...
	END
}

@test "a filter shows some findings, and the exit status is of these" {
	split
	docker joiner 22 4026532202 "container:$(id 99)"
	run -1 --separate-stderr coshm doctor --noheadings --output CODE
	[[ $output == *split* && $output == *until-restart* ]]
	run -1 --separate-stderr coshm doctor --filter code=split
	[[ $output == *"[split]"* && $output != *until-restart* ]]
	run -1 --separate-stderr coshm doctor --filter CONTAINERS=joiner --filter 'FIX=*' -n -o CODE
	[[ $output == until-restart ]]
	prints 0 --filter SEVERITY=note <<<"nothing found of what is asked for; 2 other findings"
	run -0 --separate-stderr coshm doctor --filter SEVERITY=note --output CODE
	[[ -z $output ]]
	run -0 --separate-stderr coshm doctor --json --filter CODE=shared writer reader
	[[ $output == *'"verdict": "split"'*'"findings": []'* ]]
}

@test "--bytes: sizes with all digits" {
	cp -R "$BATS_TEST_DIRNAME/../fixtures/machine-split" recorded
	export COSHM_INSPECT_ROOT=$PWD/recorded
	head -c 2048 /dev/zero >recorded/proc/100/root/dev/shm/sem.lock
	run -1 --separate-stderr coshm doctor
	[[ $output == *"nobody uses 1 object (2 KiB)"*"sem.lock"*": 2 KiB, nobody"* ]]
	run -1 --separate-stderr coshm doctor --bytes
	[[ $output == *"nobody uses 1 object (2048 bytes)"*"sem.lock"*": 2048 bytes, nobody"* ]]
}

@test "a machine where all is well" {
	docker writer 20 4026532200 shareable
	docker reader 21 4026532200 "container:$(id 20)"
	area 21 20
	prints 0 <<<"nothing found: 2 containers, 2 IPC namespaces"
	run -0 --separate-stderr coshm doctor writer reader
	[[ ${lines[0]} == "fine: writer and reader share System V and POSIX memory [shared]" ]]
}

@test "a machine with a split" {
	split
	run -1 --separate-stderr coshm doctor
	[[ ${lines[0]} == "error: writer and reader do NOT share: writer was restarted"* ]]
}

@test "gVisor" {
	docker writer 20 4026532200 shareable runsc
	docker reader 21 4026532201 private
	prints 1 writer reader <<-'END'
		error: writer and reader cannot share: writer has a kernel of its own (runtime
		       runsc) [impossible]
		  - docker inspect writer: Runtime runsc
		  fix:
		    docker rm -f writer
		    docker run -d --name writer --runtime=runc ... shm ...
		  Memory, locks and wake-ups end at that kernel, so channels over a volume would
		  not do either.
	END
}

@test "Kata" {
	docker writer 20 4026532200 shareable
	docker reader 21 4026532201 private io.containerd.kata.v2
	run -1 --separate-stderr coshm doctor writer reader
	[[ $output == *"reader has a kernel of its own (runtime"*"io.containerd.kata.v2"* ]]
}

@test "SELinux" {
	docker writer 20 4026532200 shareable
	docker reader 21 4026532200 "container:$(id 20)"
	area 21 20
	echo system_u:system_r:container_t:s0:c1,c2 >machine/proc/20/attr/current
	echo system_u:system_r:container_t:s0:c3,c4 >machine/proc/21/attr/current
	run -1 --separate-stderr coshm doctor writer reader
	# The answer comes first, then what is in the way of it.
	[[ ${lines[0]} == "fine: writer and reader share"* ]]
	[[ $output == *"error: SELinux keeps writer and reader apart: their labels differ [label]"* ]]
	[[ $output == *"/proc/21/attr/current is system_u:system_r:container_t:s0:c3,c4"* ]]
	[[ $output == *"--ipc=container:writer --security-opt=label=level:s0:c1,c2 ... shm ..."* ]]
	echo system_u:system_r:container_t:s0:c1,c2 >machine/proc/21/attr/current
	run -0 --separate-stderr coshm doctor writer reader
}

@test "Kubernetes: two pods, and two containers of one" {
	pod_container db 30 4026532300 db-0
	pod_container web 31 4026532301 web-1
	run -1 --separate-stderr coshm doctor db-0 web-1
	[[ $output == *"# manifest of pod db-0: list both containers in it"* ]]
	[[ $output == *"spec.hostIPC: true"* ]]
	[[ $output == *"emptyDir with medium:"* ]]
	pod_container web 31 4026532300 db-0
	area 31 30
	run -0 --separate-stderr coshm doctor db web
}

@test "Kubernetes: a container of before its pod was made anew" {
	pod_container db 30 4026532300 db-0
	pod_container web 31 4026532301 db-0
	run -1 --separate-stderr coshm doctor db web
	[[ $output == *"[split]"*"kubectl delete pod -n shop db-0"* ]]
}

@test "a channel in \$COSHM_DIR whose peers have died" {
	local publisher

	mkdir channels
	mkfifo in
	export COSHM_DIR=$PWD/channels
	coshm pub ticks <>in 3>&- &
	publisher=$!
	await coshm info ticks
	kill -KILL "$publisher"
	wait "$publisher" || true
	run -1 --separate-stderr coshm doctor
	[[ $output == *"[dead-peer]"* && $output == *"coshm rm --dir $COSHM_DIR ticks"* ]]
	COSHM_DIR='' run -0 --separate-stderr coshm doctor
}

@test "a namespace that cannot be seen" {
	docker writer 20 4026532200 shareable
	docker reader 21 4026532201 private
	rm machine/proc/21/ns/ipc
	run -3 --separate-stderr coshm doctor writer reader
	[[ ${lines[0]} == "note: it cannot be told whether writer and reader share [unseen]" ]]
}

@test "what is wrong on the command line" {
	docker writer 20 4026532200 shareable
	docker reader 21 4026532201 private
	while read -r line; do
		# shellcheck disable=SC2086
		run -2 --separate-stderr coshm doctor ${line%%=*}
		[[ -z $output && $stderr == *"${line#*= }"* ]] || { echo "$line: $stderr"; false; }
	done <<-'END'
		writer = give two containers, or none for the whole machine
		a b c = give two containers, or none for the whole machine
		writer nobody = there is no container, pod or process 'nobody' here
		writer 20 = 'writer' and '20' are the same
		--key-file /x writer reader = --key-file and --project-id go together
		--key-file x --project-id 1 writer reader = --key-file takes a path from / on
		--key-file /x --project-id 256 writer reader = --project-id takes 1 to 255 or a character
		--key-file /x --project-id 1 = --key-file takes two containers to compare
		--nonsense = unrecognized option
		--output nonsense = there is no column 'nonsense'
		--output CODE,code = the column CODE is asked for twice
		--filter CODE writer reader = cannot filter by 'CODE': a filter is COLUMN=VALUE
		--json --noheadings = --json has all columns, and no headings
		--json --output CODE = --json has all columns, and no headings
	END
}
