#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# shim_posix.bats - the preload library's POSIX shared memory and semaphores: the answers of
# libc, and programs that share no more than a directory.  With Python's, where there is one.

bats_require_minimum_version 1.5.0

setup() {
	load ../await
	preload=${COSHM_BUILD:?the build folder}/shim/libcoshm-preload.so
	dir=''
	# What a sanitizer takes over at its start, the library takes over as well.
	! grep -q __asan_init "$preload" || skip "not with a sanitizer: it is no preload"
	programs=$COSHM_BUILD/tests/shim
	dir=$(mktemp -d "${TMPDIR:-/tmp}/coshm-shim.XXXXXX") # where other users get to
	mount -t tmpfs -o size=8m,mode=1777 tmpfs "$dir"
	cd "$BATS_TEST_TMPDIR" || return
}

teardown() {
	[[ ! $dir ]] || { umount -l "$dir" && rmdir "$dir"; }
}

# shimmed COMMAND...: its POSIX IPC is in the directory
shimmed() {
	env LD_PRELOAD="$preload" COSHM_DIR="$dir" "$@"
}

# in_container COMMAND...: with an IPC namespace and a /dev/shm of its own, and the directory
in_container() {
	# shellcheck disable=SC2016
	unshare --ipc --mount bash -c 'mount -t tmpfs -o size=8m tmpfs /dev/shm && exec "$@"' bash "$@"
}

# in_shim COMMAND...: both
in_shim() {
	in_container env LD_PRELOAD="$preload" COSHM_DIR="$dir" "$@"
}

python_or_skip() {
	command -v python3 >/dev/null || skip "there is no Python"
}

@test "every call answers as libc's own does" {
	in_container "$programs/posix_conform" /dev/shm >native
	in_shim \
		"$programs/posix_conform" "$dir/.posix" >shim
	(($(wc -l <native) > 2900))
	diff native shim
}

@test "also where a file cannot be made without a name" {
	in_container "$programs/posix_conform" /dev/shm >native
	for what in tmpfile name; do
		in_container env LACKING=$what LD_PRELOAD="$preload $programs/liblacking.so" \
			COSHM_DIR="$dir" "$programs/posix_conform" "$dir/.posix" >shim
		diff native shim
		[[ ! $(ls -A "$dir/.posix") ]]
	done
}

@test "without a directory, every call is libc's" {
	in_container "$programs/posix_conform" /dev/shm >native
	in_container env -u COSHM_DIR LD_PRELOAD="$preload" "$programs/posix_conform" /dev/shm >shim
	diff native shim
	[[ ! -e $dir/.posix ]]
}

@test "nothing is left of a killed maker" {
	shimmed timeout 120 "$programs/posix_alone" kill "$dir/.posix"
}

@test "a forked child meets no lock that another thread held" {
	shimmed timeout 120 "$programs/posix_alone" fork "$dir/.posix"
}

@test "a signal handler meets no lock that its thread held" {
	shimmed timeout 120 "$programs/posix_alone" handler "$dir/.posix"
}

@test "the folder is made when it is needed, for whom the directory is" {
	local case mode group wanted

	run -1 shimmed "$programs/posix_use" shm missing
	[[ $output == ENOENT && ! -e $dir/.posix ]]
	for case in 0700:0:1700 0755:0:1755 0770:65534:1770 1777:0:1777 0777:0:1777 2770:65534:3770; do
		IFS=: read -r mode group wanted <<<"$case"
		rm -rf "$dir/.posix"
		chgrp "$group" "$dir" || continue # in a user namespace there is only one
		chmod "$mode" "$dir"
		(umask 077 && shimmed "$programs/posix_use" make it 1)
		[[ $(stat -c '%a %g' "$dir/.posix") == "$wanted $group" ]] || {
			stat -c "$case: %a %g" "$dir/.posix"
			return 1
		}
		[[ $(ls -A "$dir") == .posix ]]
	done
}

@test "a directory that cannot be used is an error, and never another one" {
	local at

	for at in /nowhere /dev/null "$(printf '/%01300d' 0)" "$(printf '/%05000d' 0)"; do
		run -1 env LD_PRELOAD="$preload" COSHM_DIR="$at" "$programs/posix_use" make it 1
		[[ $output =~ ^(ENOENT|ENOTDIR|ENAMETOOLONG)$ ]]
		run -1 env LD_PRELOAD="$preload" COSHM_DIR="$at" "$programs/posix_use" write it text
		[[ $output =~ ^(ENOENT|ENOTDIR|ENAMETOOLONG)$ ]]
		run -1 env LD_PRELOAD="$preload" COSHM_DIR="$at" "$programs/posix_use" remove it
		[[ $output =~ ^(ENOENT|ENOTDIR|ENAMETOOLONG)$ ]]
	done
	[[ ! -e /dev/shm/it && ! -e /dev/shm/sem.it ]]
}

@test "two containers share memory and semaphores through a common directory" {
	in_shim "$programs/posix_use" write /text hello
	run -0 in_shim "$programs/posix_use" shm /text
	[[ $output == hello ]]
	in_shim \
		timeout 60 "$programs/posix_use" rounds /turn 2000 a >one &
	in_shim \
		timeout 60 "$programs/posix_use" rounds /turn 2000 b >other
	wait $!
	[[ $(cat one other | uniq) == "2000 rounds" ]]
	diff <(ls -A "$dir/.posix") <(printf '%s\n' sem.turn-a sem.turn-b text)
}

@test "Python: memory of one container is read and written in another" {
	python_or_skip
	cat >one.py <<-'END'
		from multiprocessing.shared_memory import SharedMemory
		import time
		m = SharedMemory("python", create=True, size=10000)
		m.buf[:5] = b"hello"
		print("ready", flush=True)
		while bytes(m.buf[5000:5005]) != b"reply":
		    time.sleep(0.01)
		m.close()
		m.unlink()
	END
	cat >other.py <<-'END'
		from multiprocessing import resource_tracker
		from multiprocessing.shared_memory import SharedMemory
		m = SharedMemory("python")
		resource_tracker.unregister("/python", "shared_memory")  # it is not ours to remove
		print(bytes(m.buf[:5]).decode(), m.size)
		m.buf[5000:5005] = b"reply"
		m.close()
	END
	in_shim timeout 60 python3 one.py >one &
	await has_lines one ready 1
	run -0 in_shim timeout 60 python3 other.py
	[[ $output == "hello 10000" ]]
	wait $!
	[[ ! $(ls -A "$dir/.posix") ]]
}

@test "Python: semaphores and pools of processes, forked and spawned" {
	python_or_skip
	cat >pool.py <<-'END'
		import multiprocessing, os, sys

		def wait(semaphore, queue):
		    semaphore.acquire()
		    queue.put(os.getpid())

		if __name__ == "__main__":
		    for method in "fork", "spawn":
		        context = multiprocessing.get_context(method)
		        semaphore, queue = context.Semaphore(0), context.Queue()
		        children = [context.Process(target=wait, args=(semaphore, queue)) for _ in range(3)]
		        for child in children:
		            child.start()
		        for child in children:
		            semaphore.release()
		        print(len({queue.get() for _ in children}))
		        for child in children:
		            child.join()
		        with context.Pool(2) as pool:
		            print(pool.map(abs, [-1, -2]))
	END
	run -0 in_shim timeout 60 python3 pool.py
	[[ $(xargs <<<"$output") == "3 [1, 2] 3 [1, 2]" ]]
	[[ -d $dir/.posix && ! $(ls -A "$dir/.posix") ]]
}
