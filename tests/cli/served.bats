#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# served.bats - coshm ls, ps, clean and doctor of a directory that "coshm run" serves: its
# objects are shown as any others are.

# shellcheck disable=SC2154 # what run sets
# shellcheck disable=SC2016 # perl's variables
# shellcheck disable=SC2030,SC2031 # each test has its own variables

bats_require_minimum_version 1.5.0

setup() {
	load ../await
	shim=${COSHM_BUILD:?the build folder}/shim/libcoshm-preload.so
	# A sanitizer's own library wants to be the first that a program loads.
	! grep -q __asan_init "$shim" || skip "not with a sanitizer: it is no preload"
	command -v perl >/dev/null || skip "there is no perl"
	PATH="$COSHM_BUILD/cli:$PATH"
	export LC_ALL=C COSHM_DIR=
	dir=$(mktemp -d "${TMPDIR:-/tmp}/coshm-served.XXXXXX")
	cd "$BATS_TEST_TMPDIR" || return
	children=()
}

teardown() {
	local child

	for child in "${children[@]}"; do
		kill -9 "$child" 2>/dev/null || true
	done
	rm -rf "$dir"
}

# shimmed COMMAND...
shimmed() {
	env LD_PRELOAD="$shim" COSHM_DIR="$dir" "$@"
}

# make_segment KEY BYTES: its id is $id
make_segment() {
	id=$(shimmed perl -e 'printf "%d", shmget($ARGV[0], $ARGV[1], 01640) // die $!' $(($1)) "$2")
}

# attach KEY: until it is killed; its pid is $pid
attach() {
	rm -f attached
	env LD_PRELOAD="$shim" COSHM_DIR="$dir" python3 -c '
import ctypes, signal, sys
libc = ctypes.CDLL(None, use_errno=True)
libc.shmat.restype = ctypes.c_void_p
id = libc.shmget(int(sys.argv[1]), 0, 0)
at = libc.shmat(id, None, 0)
if id < 0 or at == ctypes.c_void_p(-1).value: sys.exit("cannot attach")
open("attached", "w").write("yes")
while True: signal.pause()' $(($1)) 3>&- &
	pid=$!
	children+=("$pid")
	await test -s attached
}

# shows COMMAND...: rows of this directory, without what else is wrong on the machine
shows() {
	run --separate-stderr "$@"
	((status != 2)) || { echo "$stderr"; return 1; }
	diff <(printf '%s\n' "$output" | grep -F "$dir" | sed 's/  */ /g; s/^ //; s/ $//') -
}

@test "ls: segments of a directory, by key and id" {
	make_segment 0x162e 10000
	shows coshm ls -d "$dir" -n -o TYPE,KEY,ID,PERMS,OWNER,SIZE,NATTCH,STATUS,PATH <<-END
		shm 0x0000162e $id rw-r----- $(id -un) 9.7K 0 $dir/.sysv/shm-$id
		table $(stat -c %i "$dir/.sysv/table") $(stat -c %A "$dir/.sysv/table" | cut -c 2-) $(id -un) 13.2M 0 $dir/.sysv/table
	END
	shows env COSHM_DIR="$dir" coshm ls -n -o PATH --filter TYPE=shm <<<"$dir/.sysv/shm-$id"
	shows coshm ls -d "$dir" -n -q -o PATH </dev/null
	run --separate-stderr coshm ls -d "$dir"
	[[ $output == *"directory $dir ("*shm*0x0000162e* ]]
}

@test "ls: who is attached counts, as long as he lives" {
	make_segment 7 4096
	attach 7
	shows coshm ls -d "$dir" -n -o NATTCH,TYPE,LPID,PATH --filter "PATH=$dir*" <<-END
		1 shm $pid $dir/.sysv/shm-$id
		1 table $dir/.sysv/table
	END
	shimmed perl -e 'shmctl($ARGV[0], 0, 0) or die $!' "$id"
	shows coshm ls -d "$dir" -n -o NATTCH,STATUS,KEY,PATH --filter TYPE=shm <<-END
		1 dest 0x00000000 $dir/.sysv/shm-$id
	END
	kill -9 "$pid"
	wait "$pid" || true
	shows coshm ls -d "$dir" -n -o NATTCH,STATUS,PATH --filter TYPE=shm <<-END
		0 dest $dir/.sysv/shm-$id
	END
}

@test "ps: who maps it" {
	make_segment 7 4096
	attach 7
	run --separate-stderr coshm ps -d "$dir" -n -o PID,MODE,HOW --filter TYPE=shm "$pid"
	[[ $output =~ ^\ *$pid\ +rw\ +mapped ]]
}

@test "ls: POSIX objects of a directory" {
	command -v python3 >/dev/null || skip "there is no Python"
	shimmed python3 -c '
import ctypes, os
libc = ctypes.CDLL(None, use_errno=True)
fd = libc.shm_open(b"/frames", os.O_CREAT | os.O_RDWR, 0o600)
os.ftruncate(fd, 4096)'
	: >"$dir/.posix/sem.ready"
	shows coshm ls -d "$dir" -n -o TYPE,NAME,PATH <<-END
		posix-shm .posix/frames $dir/.posix/frames
		posix-sem .posix/ready $dir/.posix/sem.ready
	END
}

@test "a damaged table is said" {
	make_segment 7 4096
	printf x | dd of="$dir/.sysv/table" bs=1 seek=20 conv=notrunc status=none
	run -3 --separate-stderr coshm ls -d "$dir" -n -o PATH
	[[ $output != *"$dir"* ]]
	[[ $stderr == *"System V objects in $dir/.sysv: its table is damaged"* ]]
}

# Of the first process's /dev/shm all that share it see the same files.
@test "a recorded machine: the containers, and who of them maps it" {
	local shm

	cp -a "$BATS_TEST_DIRNAME/../fixtures/pair" machine
	shm=$PWD/machine/proc/200/root/dev/shm/coshm
	mkdir "$shm"
	rmdir "$dir"
	dir=$shm
	make_segment 7 10000
	printf '7f0000040000-7f0000043000 rw-s 00000000 00:34 88 /dev/shm/coshm/.sysv/%s\n' \
		shm-0 >>machine/proc/300/maps
	export COSHM_INSPECT_ROOT=$PWD/machine
	run -0 --separate-stderr coshm ls -n -o TYPE,KEY,OBJECT,SIZE,NATTCH,IPCNS,CONTAINER,USERS,PATH \
		--filter 'NAME=coshm/*'
	diff <(sed 's/  */ /g; s/ *$//' <<<"$output") - <<-'END'
		shm 0x00000007 0 9.7K 0 4026532291 writer,reader shm_read[300] /dev/shm/coshm/.sysv/shm-0
		table coshm/.sysv/table 13.2M 0 4026532291 writer,reader /dev/shm/coshm/.sysv/table
	END
}

# In /dev/shm/coshm, where all commands look.
@test "clean: what a killed program has left, and who frees the rest" {
	((EUID == 0)) || skip "needs root"
	mountpoint -q /dev/shm && [[ ! -e /dev/shm/coshm ]] || skip "/dev/shm/coshm is in use"
	rm -rf "$dir"
	dir=/dev/shm/coshm
	mkdir "$dir"
	make_segment 7 4096
	attach 7
	run --separate-stderr coshm clean -n -o OBJECT --filter "PATH=$dir*"
	[[ $output == "" ]]
	shimmed perl -e 'shmctl($ARGV[0], 0, 0) or die $!' "$id"
	kill -9 "$pid"
	wait "$pid" || true
	run --separate-stderr coshm clean -n -o OBJECT,RESULT --filter "PATH=$dir*"
	if [[ $stderr == *"cannot be seen from here"* ]]; then
		skip "not all processes are seen"
	fi
	[[ $output =~ ^$id\ +orphan ]]
	run --separate-stderr coshm clean --yes --filter "PATH=$dir*"
	[[ ! -e $dir/.sysv/shm-$id ]]
	make_segment 8 4096
	run -2 --separate-stderr coshm clean --yes --filter "PATH=$dir*"
	[[ $stderr == *"coshm run --dir $dir -- ipcrm -m $id"* ]]
	[[ -e $dir/.sysv/shm-$id ]]
}
