#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# run.bats - coshm run on the command line: what it becomes, what it refuses, and --check.
# The library that it preloads here is one of the test's own, which says that it is there.
# ./check runs it on a /dev/shm of its own.
# shellcheck disable=SC2154,SC2030,SC2031 # what run sets
# shellcheck disable=SC2016 # shells that are run are to expand it

bats_require_minimum_version 1.5.0

load ../await

# Where another user reaches them, too.
setup_file() {
	made=$(mktemp -d /dev/shm/coshm-test.XXXXXX)
	export made
	chmod 755 "$made"
	cd "$made" || return
	cat >preload.c <<-'END'
		#include <stdio.h>
		#include <stdlib.h>
		__attribute__((constructor)) static void here(void)
		{
			if (getenv("SAY"))
				fprintf(stderr, "preloaded %s\n", getenv("COSHM_DIR"));
		}
	END
	echo 'int main(void) { return 0; }' >none.c
	cat >user.c <<-'END'
		#include <sys/shm.h>
		int use(void);
		int main(void) { return shmget(1, 1, 0) == -2 && use(); }
	END
	cat >used.c <<-'END'
		#include <dlfcn.h>
		#include <mqueue.h>
		#include <semaphore.h>
		#include <unistd.h>
		int use(void)
		{
			return sem_unlink("/x") + mq_unlink("/x") + (int)syscall(0) + !dlopen("x", 0);
		}
	END
	gcc -shared -fPIC preload.c -o libcoshm-preload.so
	gcc -shared -fPIC used.c -o libused.so
	gcc user.c -L. -lused -Wl,-rpath,'$ORIGIN' -o user
	gcc none.c -o none
	gcc -static none.c -o static
	gcc none.c -Wl,--dynamic-linker=/lib/ld-musl-x86_64.so.1 -o musl
	gcc none.c -Wl,--dynamic-linker=/nowhere/ld-linux-x86-64.so.2 -o broken
	gcc -m32 none.c -o other 2>/dev/null || rm -f other
	printf '#!%s/static\n' "$made" >by_static
	printf '#!/usr/bin/env static\n' >by_env
	printf '#!/usr/bin/env -S A=b sh -e\necho "$A $0"\n' >by_env_s
	printf 'echo "a text $1"\n' >by_nothing
	printf '#!%s/loop\n' "$made" >loop
	printf '#!/nowhere/sh\n' >by_none
	chmod 755 by_* loop
}

teardown_file() {
	rm -rf --one-file-system "$made"
}

setup() {
	PATH="${COSHM_BUILD:?the build folder}/cli:$made:$PATH"
	cd "$made" || return
	mkdir volume
	mount -t tmpfs -o size=128k,mode=1777 tmpfs volume
	export COSHM_PRELOAD=$made/libcoshm-preload.so
	export COSHM_DIR=$made/volume
	unset LD_PRELOAD SAY
}

teardown() {
	umount -l "$made/volume"
	rmdir "$made/volume"
}

# As somebody whom no file here belongs to.
as_other() {
	setpriv --reuid 1234 --regid 1234 --clear-groups "$@"
}

# Not in a user namespace with one user, as ./check has without root.
needs_users() {
	as_other true || skip "there is one user"
}

# refused STATUS WORDS ARGUMENT...: nothing is printed but why, and what to do
refused() {
	local status=$1 words=$2

	shift 2
	run "-$status" --separate-stderr "$@"
	[[ -z $output && $stderr == *"$words"* ]] || {
		printf '%s\n' "$stderr"
		return 1
	}
}

@test "run: becomes the program, with the library, its arguments and its status" {
	SAY=1 run -7 --separate-stderr coshm run sh -c 'echo "$0 $@"; exit 7' -d --check x
	[[ $output == "-d --check x" && $stderr == "preloaded $made/volume" ]]
	SAY=1 run -0 --separate-stderr coshm run --dir volume/. -- ./none
	[[ $stderr == "preloaded $made/volume" ]]
	run -137 coshm run sh -c 'kill -KILL $$'
}

@test "run: the process stays, and a signal that comes at any time ends it" {
	local status=0

	coshm run sleep 100 3>&- &
	kill -TERM $!
	wait $! || status=$?
	((status == 143))
	coshm run sh -c 'echo $$ >pid && exec sleep 100' 3>&- &
	await test -s pid
	[[ $(<pid) == "$!" ]]
	kill -INT $! || true
	kill -TERM $!
	wait $! || true
	rm pid
}

@test "run: the environment passes through; LD_PRELOAD is kept behind the library" {
	export ASAN_OPTIONS=verify_asan_link_order=0 # of a coshm that is itself preloaded to
	run -0 env OTHER=value coshm run env
	grep -x OTHER=value <<<"$output"
	grep -x "LD_PRELOAD=$COSHM_PRELOAD" <<<"$output"
	run -0 env LD_PRELOAD="$made/libused.so" coshm run env
	[[ $output == *"LD_PRELOAD=$COSHM_PRELOAD:$made/libused.so"* ]]
	run -0 env LD_PRELOAD="$COSHM_PRELOAD $made/libused.so" coshm run env
	[[ $output == *"LD_PRELOAD=$COSHM_PRELOAD $made/libused.so"* ]]
	cd volume
	run -0 coshm run --dir . env
	[[ $output == *"COSHM_DIR=$made/volume"* ]]
}

@test "run: signals are as they came, ignored ones and blocked ones as well" {
	show=(grep -E '^Sig(Blk|Ign|Cgt)' /proc/self/status)
	for how in --default-signal --ignore-signal=PIPE,INT,HUP,TERM --block-signal=TERM,ALRM; do
		diff <(env "$how" coshm run "${show[@]}") <(env "$how" "${show[@]}")
	done
}

@test "run: standard files that were closed stay closed, and no other is left open" {
	local list='cd /proc/$$/fd && echo *' closed

	for closed in '' '<&-' '<&- 2>&-' '2>&-'; do
		eval "coshm run sh -c '$list' $closed >here"
		eval "sh -c '$list' $closed >there"
		diff here there
	done
	rm here there
}

@test "run: 127 if it is not found, 126 if it cannot be executed" {
	refused 127 "cannot run no-such-program: No such file" coshm run no-such-program
	refused 127 "cannot run ./no-such-program: No such file" coshm run ./no-such-program
	refused 127 "No such file" coshm run ''
	refused 126 "cannot run ./none.c: Permission denied" coshm run ./none.c
	refused 126 "Permission denied" coshm run ./volume
	refused 126 "/nowhere/ld-linux-x86-64.so.2: No such file" coshm run broken
	refused 126 "its interpreter /nowhere/sh cannot be executed: No such file" coshm run by_none
	refused 126 "too many interpreters" coshm run loop
	PATH=$made/volume:$PATH run -0 coshm run none # the first one that can be
}

@test "run: what a preloaded library does not reach is refused, with the reason" {
	refused 125 "it is statically linked" coshm run static
	[[ $stderr == *"hint: link it dynamically, or let both containers share"* ]]
	refused 125 "another libc (its dynamic linker is /lib/ld-musl" coshm run musl
	refused 125 "its interpreter $made/static is statically linked" coshm run by_static
	refused 125 "its interpreter $made/static is statically linked" coshm run by_env
}

@test "run: a program for another word size is refused, both are named" {
	[[ -e other ]] || skip "no compiler for it"
	refused 125 "it is for 32-bit i386, and $COSHM_PRELOAD for 64-bit x86-64" coshm run other
}

@test "run: scripts are who interprets them" {
	run -0 coshm run by_env_s
	[[ $output == "b $made/by_env_s" ]]
	run -0 coshm run by_nothing here
	[[ $output == "a text here" ]]
}

@test "run: who gains privileges is refused; who does not is served" {
	needs_users
	cp none owned
	chown 1234:1234 owned
	chmod 4755 owned
	refused 125 "it is setuid to uid 1234" coshm run owned
	run -0 --separate-stderr as_other "$(command -v coshm)" run owned
	[[ -z $stderr ]]
	run -0 setpriv --no-new-privs coshm run owned
	chmod 2755 owned
	refused 125 "it is setgid to gid 1234" coshm run owned
	chmod 2745 owned # a lock, in the old days
	run -0 coshm run owned
	rm owned
}

@test "run: file capabilities are refused, but for root" {
	needs_users
	cp none able
	setcap cap_net_raw+ep able || skip "no file capabilities"
	refused 125 "it has file capabilities" as_other "$(command -v coshm)" run able
	run -0 coshm run able
	rm able
}

@test "run: a program that may not be read is run, with a warning" {
	needs_users
	cp none dark
	chmod 711 dark
	run -0 --separate-stderr as_other "$(command -v coshm)" run dark
	[[ $stderr == *"dark may share nothing: it cannot be looked at: Permission denied"* ]]
	rm -f dark
}

@test "run: a directory that cannot be shared memory is refused, with the reason" {
	refused 125 "cannot open it: No such file" coshm run --dir nowhere none
	refused 125 "cannot open it: Not a directory" coshm run --dir none none
	mkdir queues
	mount -t mqueue mqueue queues
	refused 125 "no unnamed files" coshm run --dir queues none
	umount queues
	rmdir queues
	refused 125 "--dir takes the path of a directory" coshm run --dir '' none
	mount -o remount,ro,bind volume
	refused 125 "it is mounted read-only" coshm run none
	mount -o remount,rw,bind volume
	head -c 128K /dev/zero >volume/full
	refused 125 "it is full" coshm run none
	rm volume/full
	[[ -z $(ls -A volume) ]]
	unset COSHM_DIR
	refused 125 "through which directory?" coshm run none
	[[ $stderr == *"hint: --dir or COSHM_DIR name a directory of a volume"* ]]
}

@test "run: a directory that the user may not write to is refused" {
	needs_users
	chmod 755 volume
	refused 125 "uid 1234 may not write to it" as_other "$(command -v coshm)" run none
}

@test "run: a warning where most likely nobody shares the directory" {
	run -0 --separate-stderr coshm run none
	[[ -z $stderr ]]
	mkdir plain
	run -0 --separate-stderr coshm run --dir plain none
	[[ $stderr == *"is on /dev/shm: containers have one each"* ]]
	rmdir plain
}

@test "run: the library is found beside the program, or it is said that there is none" {
	unset COSHM_PRELOAD
	mkdir -p p/bin p/lib
	cp "$COSHM_BUILD/cli/coshm" p/bin
	if [[ ! -e /usr/local/lib/libcoshm-preload.so ]]; then
		refused 125 "cannot find libcoshm-preload.so" p/bin/coshm run none
	fi
	cp libcoshm-preload.so p/lib
	run -0 p/bin/coshm run env
	[[ $output == *"LD_PRELOAD=$made/p/lib/libcoshm-preload.so"* ]]
	mv p 'p q'
	refused 125 "the path has a space" 'p q/bin/coshm' run none
	rm -r 'p q'
	COSHM_PRELOAD=libcoshm-preload.so refused 125 "is no absolute path" coshm run none
	COSHM_PRELOAD=$made/none.c refused 125 "cannot use $made/none.c" coshm run none
	COSHM_PRELOAD=$made/nowhere refused 125 "cannot use $made/nowhere: No such file" coshm run none
}

@test "run: a bad command line is 125, and 2 with --check" {
	refused 125 "which program?" coshm run
	refused 125 "unrecognized option" coshm run --nonsense none
	refused 125 "these options go with --check" coshm run --json none
	refused 2 "unrecognized option" coshm run --check --nonsense none
	refused 2 "--check takes a program alone" coshm run --check none x
	refused 2 "--json has all columns, and no headings" coshm run -cjn none
}

# limits: those in the table of the volume, in the order of docs/layout.md
limits() {
	{
		od -An -v -tu8 -j40 -N16 volume/.sysv/table
		od -An -v -tu4 -j56 -N32 volume/.sysv/table
	} | xargs
}

@test "run --init: makes the table, once, with the limits that are given" {
	run -0 --separate-stderr coshm run --init --shmmax 16M --msgmnb 64K --semopm 10
	[[ -z $output && -z $stderr ]]
	[[ $(limits) == "16777216 18446744073692774399 4096 32000 1024000000 10 32000 8192 65536 32000" ]]
	refused 2 "cannot set the limits of $made/volume: it has some" coshm run --init
	[[ $(limits) == 16777216\ * && $stderr == *"remove the folder .sysv"* ]]
	rm -r volume/.sysv
	run -0 coshm run --init --dir volume --shmmax 4096 --shmall 1 --shmmni 2 --semmsl 3 \
		--semmns 4 --semopm 5 --semmni 6 --msgmax 7 --msgmnb 8 --msgmni 9
	[[ $(limits) == "4096 1 2 3 4 5 6 7 8 9" ]]
}

@test "run --init: what cannot be a limit is refused, and nothing is made" {
	refused 2 "takes bytes, as in 4096 or 512M, not '1X'" coshm run --init --shmmax 1X
	refused 2 "takes a whole number, not '-1'" coshm run --init --semmni -1
	refused 2 "below 4G, not '5G'" coshm run --init --msgmax 5G
	refused 2 "shmmni, semmni and msgmni are at most" coshm run --init --shmmni 32769
	refused 2 "--init runs no program" coshm run --init none
	refused 2 "--init and --check are two" coshm run --init --check
	refused 125 "limits go with --init" coshm run --shmmax 1M none
	refused 2 "cannot open it: No such file" coshm run --init --dir nowhere
	[[ -z $(ls -A volume) ]]
}

@test "run --check: the calls of the program and of its libraries" {
	run -0 --separate-stderr coshm run --check user
	diff <(printf '%s\n' "$output" | tr -s ' ') - <<-END
		CALL TYPE FILE
		shmget shm $made/user
		sem_unlink posix-sem $made/libused.so
		mq_unlink posix-mq $made/libused.so
	END
	[[ $stderr == *"$made/libused.so uses syscall(), which can make"* ]]
	[[ $stderr == *"$made/libused.so uses dlopen(), which can load"* ]]
	[[ $stderr == *"POSIX message queues are not served"* ]]
	[[ $stderr == *"$made/user can be served" ]]
	run -0 --separate-stderr coshm run -cn user
	[[ ${#lines[@]} == 3 ]]
	run -0 --separate-stderr coshm run -cn -o TYPE --filter 'CALL=*unlink' --filter 'TYPE=*sem' user
	[[ $output == posix-sem ]]
	run -0 --separate-stderr coshm run -cj --filter TYPE=shm user
	[[ $output == *'"shmget"'* && $output != *unlink* ]]
}

@test "run --check: as JSON" {
	run -0 --separate-stderr coshm run --check --json user
	python3 - "$made" "$output" <<-'END'
		import json, sys
		made, text = sys.argv[1:]
		told = json.loads(text)
		assert told["program"] == told["file"] == made + "/user", told
		assert told["served"] is True and told["why_not"] is None and told["missing"] is None
		calls = {(c["call"], c["type"], c["file"]) for c in told["calls"]}
		assert ("shmget", "shm", made + "/user") in calls, calls
		assert ("syscall", "any", made + "/libused.so") in calls, calls
	END
	run -1 --separate-stderr coshm run --check --json by_static
	[[ $output == *'"file": "'"$made"'/static"'*'"served": false'*"is statically linked"* ]]
}

@test "run --check: a finding if it makes none, or cannot be served; 2 if it cannot be told" {
	refused 1 "none makes no call that is served" coshm run --check none
	refused 1 "static cannot be served: it is statically linked" coshm run --check static
	run -1 --separate-stderr coshm run --check musl
	refused 2 "cannot run nowhere: No such file" coshm run --check nowhere
	mv libused.so unused.so
	run -2 --separate-stderr coshm run --check user
	mv unused.so libused.so
	[[ $stderr == *"libused.so, which $made/user needs, is not found"* ]]
	unset COSHM_DIR # it takes none
	run -0 coshm run --check user
}
