#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# grow.bats - coshm grow on the command line, on a tmpfs of its own.
# shellcheck disable=SC2154,SC2030,SC2031 # what run sets

bats_require_minimum_version 1.5.0

load ../await

setup() {
	holder=
	PATH="${COSHM_BUILD:?the build folder}/cli:$PATH"
	cd "$BATS_TEST_TMPDIR" || return
	mkdir tmpfs
	mount -t tmpfs -o size=1m,mode=1777,nosuid,nodev,noexec,nr_inodes=100 tmpfs tmpfs
}

teardown() {
	[[ ! $holder ]] || kill -KILL "$holder"
	umount -l tmpfs
}

bytes() {
	echo $(($(stat -f -c '%b * %S' tmpfs)))
}

@test "grow: a full tmpfs takes more at once, and stays as it is otherwise" {
	before=$(findmnt -no OPTIONS tmpfs)
	run ! dd if=/dev/zero of=tmpfs/full bs=64K count=32 status=none
	run -0 --separate-stderr coshm grow ./tmpfs 4M
	[[ $output == "./tmpfs: 4M, was 1M, 1M used" && -z $stderr ]]
	[[ $(bytes) == 4194304 ]]
	dd if=/dev/zero of=tmpfs/full bs=64K count=32 status=none
	[[ $(findmnt -no OPTIONS tmpfs) == "${before/1024k/4096k}" ]]
	run -0 coshm grow ./tmpfs +1M
	[[ $(bytes) == 5242880 ]]
	run -0 coshm grow ./tmpfs 5M # it is as large as that
}

@test "grow: sizes are rounded up to pages, and shown as they are asked for" {
	run -0 coshm grow --bytes ./tmpfs 2000000
	[[ $output == "./tmpfs: 2002944, was 1048576, 0 used" ]]
	run -0 coshm grow --json ./tmpfs 2M
	[[ $output == *'"bytes_before": 2002944'*'"bytes": 2097152'*'"bytes_used": 0'* ]]
}

@test "grow: by the process that sees it" {
	unshare --mount sh -c 'mount -t tmpfs -o size=1m tmpfs /dev/shm && echo up && exec tail -f /dev/null' \
		>out 2>&1 </dev/null 3>&- &
	holder=$!
	await grep up out
	run -0 coshm grow "$holder" 3M
	[[ $output == "/dev/shm of $holder: 3M, was 1M, 0B used" ]]
	[[ $(stat -f -c %b /proc/$holder/root/dev/shm) == 768 ]]
}

# without NUMBER COMMAND...: on a kernel that lacks this system call, as older ones do
without() {
	python3 -c '
import ctypes, os, struct, sys
libc = ctypes.CDLL(None, use_errno=True)
# load the number; is it this one?; then ENOSYS; else go on
code = b"".join(struct.pack("HBBI", *op) for op in (
    (0x20, 0, 0, 0), (0x15, 0, 1, int(sys.argv[1])), (6, 0, 0, 0x50026), (6, 0, 0, 0x7fff0000)))
room = ctypes.create_string_buffer(code)
filter = ctypes.create_string_buffer(struct.pack("HP", 4, ctypes.addressof(room)))
assert libc.prctl(38, 1, 0, 0, 0) == 0 and libc.prctl(22, 2, filter) == 0
os.execvp(sys.argv[2], sys.argv[2:])' "$@"
}

@test "grow: an older kernel is told from what else may be wrong" {
	local openat2=437 fspick=433 # on all machines

	without 1000 true || skip "there is no seccomp here"
	run -2 --separate-stderr without $openat2 coshm grow $$ +1M
	[[ $stderr == *"cannot open /dev/shm of $$: Function not implemented"* ]]
	[[ $stderr == *"hint: by name it takes Linux 5.6 or newer; name the directory"* ]]
	run -2 --separate-stderr without $fspick coshm grow ./tmpfs +1M
	[[ $stderr == *"cannot grow ./tmpfs: it takes Linux 5.2 or newer"* ]]
	run -0 without $openat2 coshm grow ./tmpfs +1M
}

@test "grow: a user who is nobody here grows what is his" {
	setpriv --reuid 1234 --clear-groups true || skip "there is one user"
	setpriv --reuid 1234 --regid 1234 --clear-groups unshare --user --map-root-user --mount sh -c \
		'mount -t tmpfs -o size=1m tmpfs /dev/shm && echo up && exec tail -f /dev/null' \
		>out 2>&1 </dev/null 3>&- &
	holder=$!
	await grep up out
	run -0 setpriv --reuid 1234 --regid 1234 --clear-groups "$(command -v coshm)" grow "$holder" 3M
	[[ $output == *"/dev/shm of $holder: 3M, was 1M, 0B used" ]]
}

@test "grow: more than there is of memory is done, with a warning" {
	run -0 --separate-stderr coshm grow ./tmpfs 1000T
	[[ $stderr == *"of memory and swap"* && $(bytes) == 1099511627776000 ]]
}

# refused WORDS ARGUMENT...
refused() {
	local words=$1

	shift
	run -2 --separate-stderr coshm grow "$@"
	[[ -z $output && $stderr == *"$words"* ]] || {
		printf '%s\n' "$stderr"
		return 1
	}
}

@test "grow: what cannot be is refused, with the reason, and changes nothing" {
	mkdir tmpfs/sub disk
	refused "it has 1M, which is more than 512K" ./tmpfs 512K
	refused "no tmpfs is mounted there" ./tmpfs/sub 2M
	refused "it is no tmpfs" /proc/ 2M
	refused "cannot open the directory ./nowhere: No such file" ./nowhere 2M
	refused "no container or process is called 'nobody'" nobody 2M
	for size in 0 x 1Q 2MM '' +x 99999999999999999999 99999999999T; do
		refused "is no size" ./tmpfs "$size"
	done
	refused "give a container, pid or directory, and a size" ./tmpfs
	[[ $(bytes) == 1048576 ]]
	mount -o remount,ro,bind tmpfs
	refused "it is mounted read-only" ./tmpfs 2M
	mount -o remount,rw,bind tmpfs
	mount -o remount,size=0 tmpfs tmpfs
	refused "it has no limit" ./tmpfs 1M
}

@test "grow: without CAP_SYS_ADMIN it is refused, and that is said" {
	run -2 --separate-stderr setpriv --bounding-set -sys_admin --inh-caps -sys_admin \
		coshm grow ./tmpfs 2M
	[[ $stderr == *"CAP_SYS_ADMIN"* || $stderr == *"user namespace"* ]]
	[[ $stderr == *hint:* && $(bytes) == 1048576 ]]
}

@test "grow: nothing of a recorded machine" {
	COSHM_INSPECT_ROOT=$BATS_TEST_DIRNAME/../fixtures/machine-split refused "recorded machine" 200 1G
}
