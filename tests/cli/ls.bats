#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# ls.bats - coshm ls and coshm ps of a recorded machine: a writer that is the donor of a
# reader, and a process of the host.  Who owns the files is whoever has the checkout.

bats_require_minimum_version 1.5.0

setup() {
	PATH="${COSHM_BUILD:?the build folder}/cli:$PATH"
	fixtures=$BATS_TEST_DIRNAME/../fixtures
	export COSHM_INSPECT_ROOT=$fixtures/pair LC_ALL=C
	cd "$BATS_TEST_TMPDIR" || return
}

# prints COMMAND...: without what is wrong; trailing blanks are cut
prints() {
	run -0 --separate-stderr "$@"
	[[ -z $stderr ]] || { echo "$stderr"; return 1; }
	diff <(printf '%s\n' "$output" | sed 's/ *$//') -
}

# copy_machine: to damage it
copy_machine() {
	cp -a "$fixtures/pair" machine
	export COSHM_INSPECT_ROOT=$PWD/machine
}

@test "ls: objects by namespace, with the containers that share them" {
	prints coshm ls -q -s --filter KEY=0x* <<-'END'
		ipc namespace 4026532291: writer (donor), reader; /dev/shm 64M, 0 % used
		TYPE KEY        OBJECT PERMS     OWNER SIZE NATTCH STATUS CONTAINER
		sem  0x00000005 1      rw-rw-rw- 70000                    writer,reader
		msg  0x00000006 2      rw-rw---- 70000  90B               writer,reader
	END
}

@test "ls: the whole machine, also what the host has" {
	prints coshm ls -n -o TYPE,OBJECT,SIZE,NATTCH,STATUS,IPCNS,CONTAINER <<-'END'
		shm       3            4K      1        4026531839
		posix-shm host-cache 100B      0        4026531839
		shm       0           27B      2        4026532291 writer,reader
		shm       32769        3M      0 dest   4026532291 writer,reader
		sem       1                             4026532291 writer,reader
		msg       2           90B               4026532291 writer,reader
		posix-shm frames     2.9K      1        4026532291 writer,reader
		posix-sem lock        32B      0        4026532291 writer,reader
	END
}

@test "ls --tree: what containers use is below them, the rest below the namespace" {
	prints coshm ls --tree -o SIZE,NATTCH <<-'END'
		OBJECT                          SIZE NATTCH
		ipc namespace 4026531839
		|-shm 0x0000162e id 3             4K      1
		`-posix-shm /dev/shm/host-cache 100B      0
		ipc namespace 4026532291
		|-container writer
		| |-shm 0x0102b5a6 id 0          27B      2
		| `-posix-shm /dev/shm/frames   2.9K      1
		|-container reader
		| `-shm 0x0102b5a6 id 0          27B      2
		|-shm 0x00000000 id 32769         3M      0
		|-sem 0x00000005 id 1
		|-msg 0x00000006 id 2            90B
		`-posix-sem /dev/shm/sem.lock    32B      0
	END
}

@test "ls: kinds, containers and filters choose, and all of them must hold" {
	prints coshm ls -n -o OBJECT -m writer --filter CONTAINER=reader <<-'END'
		0
		32769
		frames
	END
	prints coshm ls -n -o OBJECT --filter type=s* --filter SIZE=3145728 <<<32769
	prints coshm ls -n -o OBJECT --filter 'status=de*' <<<32769
	prints coshm ls -n -o OBJECT 1 <<-'END'
		3
		host-cache
	END
	prints coshm ls -n -o OBJECT --filter TYPE=nothing <<<''
}

@test "ls: a container is known by name, the beginning of its id, and pid" {
	for name in reader 2e2e2e2e 300; do
		prints coshm ls -n -o OBJECT -q "$name" <<<2
	done
	run -2 --separate-stderr coshm ls nobody
	[[ -z $output && $stderr == *"there is no container 'nobody'"*hint:*"coshm ls"* ]]
}

@test "ls: of a container that shares nothing its namespace is shown" {
	copy_machine
	for kind in shm sem msg; do sed -i '2,$d' "machine/ipcns/4026532291/$kind"; done
	rm machine/proc/200/root/dev/shm/*
	prints coshm ls reader <<-'END'
		ipc namespace 4026532291: writer (donor), reader; /dev/shm 64M, 0 % used; no objects
	END
}

@test "ls: an unknown column is answered with those that there are" {
	run -2 --separate-stderr coshm ls -o NONSENSE
	for column in TYPE KEY OBJECT CONTAINER USERS; do
		[[ $stderr == *"$column"* ]]
	done
	# The help and the manual page name each of them.
	for command in ls ps; do
		run -2 --separate-stderr coshm "$command" -o NONSENSE
		[[ $stderr =~ hint:.*are\ ([^$'\n']*) ]]
		for column in $(tr -d , <<<"${BASH_REMATCH[1]/ and/}"); do
			coshm help "$command" | grep -qw "$column"
			grep -qE "^\*$column\*|, \*$column\*" "$BATS_TEST_DIRNAME/../../man/coshm-$command.1.scd" ||
				{ echo "coshm-$command(1) lacks $column"; return 1; }
		done
	done
}

@test "--bytes shows all digits" {
	prints coshm ls -n -b -o SIZE --filter OBJECT=32769 <<<3145728
}

@test "ls --json has raw numbers, and all of the machine" {
	run -0 --separate-stderr coshm ls --json
	python3 - <(echo "$output") <<-'END'
		import json, sys
		m = json.load(open(sys.argv[1]))
		assert [n["ipcns"] for n in m["namespaces"]] == [4026531839, 4026532291]
		assert m["namespaces"][1]["containers"] == ["writer", "reader"]
		assert m["namespaces"][1]["limits"]["shmmni"] == 4096
		assert m["namespaces"][1]["usage"]["sems"] == 4
		assert [a["size"] for a in m["areas"]] == [1 << 30, 64 << 20]
		reader = m["containers"][1]
		assert reader["container"] == "reader" and reader["donor"] == "writer"
		assert reader["service"] == "reader" and reader["shm_size"] == 64 << 20
		segment = [o for o in m["objects"] if o["id"] == 0][0]
		assert segment["key"] == "0x0102b5a6" and segment["perms"] == "0644"
		assert segment["owner"] == 70000 and segment["ctime"] == 1700000000
		assert segment["users"] == ["shm_write[200]", "shm_read[300]"]
		assert segment["container"] == ["writer", "reader"]
		assert m["notes"] == [] and len(m["objects"]) == 8
	END
}

@test "ps: processes by object, with how they use it" {
	prints coshm ps <<-'END'
		ipc namespace 4026531839: no container, 1 process; /dev/shm 1G, 0 % used
		OBJECT                    PID COMMAND   USER  CONTAINER STATE    MODE SIZE
		shm 0x0000162e id 3         1 init      root            sleeping rw     4K

		ipc namespace 4026532291: writer (donor), reader; /dev/shm 64M, 0 % used
		shm 0x0102b5a6 id 0       200 shm_write 70000 writer    sleeping rw     4K
		shm 0x0102b5a6 id 0       300 shm_read  70001 reader    sleeping r      4K
		posix-shm /dev/shm/frames 200 shm_write 70000 writer    sleeping rw    64K
	END
}

@test "ps --tree, and of one container" {
	prints coshm ps --tree -o MODE,CONTAINER reader <<-'END'
		OBJECT                   MODE CONTAINER
		ipc namespace 4026532291
		`-shm 0x0102b5a6 id 0
		  `-300 shm_read         r    reader
	END
	prints coshm ps -n -o PID --filter MODE=rw --filter CONTAINER=writer --filter HOW=mapped <<-'END'
		200
		200
	END
}

@test "ps --json has a row for each process and object" {
	run -0 --separate-stderr coshm ps --json
	python3 - <(echo "$output") <<-'END'
		import json, sys
		rows = json.load(open(sys.argv[1]))["processes"]
		assert [(r["pid"], r["container"], r["mode"]) for r in rows] == [
			(1, None, "rw"), (200, "writer", "rw"), (300, "reader", "r"),
			(200, "writer", "rw")]
		assert rows[1]["type"] == "shm" and rows[1]["size"] == 4096
	END
}

@test "what could not be seen is said, with exit status 3, and the rest is shown" {
	copy_machine
	rm -r machine/ipcns/4026531839
	run -3 --separate-stderr coshm ls -n -o OBJECT --filter TYPE=shm
	[[ $output == $'0\n32769' && $stderr == *"not seen: "* ]]
	run -3 --separate-stderr coshm ls --json
	grep -q '"notes": \[$' <<<"$output"
}

@test "without an engine containers have ids for names, said once" {
	copy_machine
	rm -r machine/api
	run --separate-stderr coshm ls -n -o CONTAINER --filter OBJECT=32769
	[[ $output == 1f1f1f1f1f1f,2e2e2e2e2e2e ]]
}

@test "a machine that is none is refused" {
	COSHM_INSPECT_ROOT=$PWD/nothing run -2 --separate-stderr coshm ls
	[[ -z $output && $stderr == *"cannot look at the machine: "* ]]
}

@test "control characters of a stranger reach neither terminal nor JSON" {
	copy_machine
	touch machine/proc/200/root/dev/shm/$'evil\e[2J\xff\n'
	for options in '-n -o NAME' --tree --json; do
		# shellcheck disable=SC2086
		coshm ls $options >out
		grep -q evil out
		run -1 grep -P '[\x00-\x08\x0e-\x1f\x7f-\xff]' out
	done
}

@test "on a narrow terminal a row is a line, and no name is cut" {
	script -qec 'stty cols 40; coshm ls -m reader' /dev/null | tr -d '\r' >out
	diff out <(coshm ls -m reader)
}
