#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# coshm.bats - coshm pub, sub, info and rm on the command line, in one container.
# ./check runs it on a /dev/shm of its own.
# shellcheck disable=SC2154 # what start sets

bats_require_minimum_version 1.5.0

load ../await

setup() {
	PATH="${COSHM_BUILD:?the build folder}/cli:$PATH"
	cd "$BATS_TEST_TMPDIR" || return
	COSHM_DIR=$(mktemp -d /dev/shm/coshm-test.XXXXXX)
	export COSHM_DIR
	pids=() fed=()
}

# Told to stop, every program ends; channels stay until they are removed, and nothing else does.
teardown() {
	local pid

	for pid in "${pids[@]}"; do
		kill -CONT "$pid" 2>/dev/null || continue
		kill -TERM "$pid"
		wait "$pid" || true
	done
	for channel in "$COSHM_DIR"/*; do
		[[ ! -e $channel ]] || coshm rm "${channel##*/}"
	done
	rmdir "$COSHM_DIR"
}

# start NAME COMMAND...: in the background, output in NAME.out and NAME.err, pid in $NAME
start() {
	local name=$1

	shift
	(
		close_fed # or the end of what one is fed is never seen
		exec env --default-signal=HUP "$@" # who runs the tests may be under nohup
	) <&0 >"$name.out" 2>"$name.err" 3>&- &
	declare -g "$name=$!"
	pids+=("$!")
}

close_fed() {
	local fd

	for fd in "${fed[@]}"; do eval "exec $fd>&-"; done
}

# start_fed NAME COMMAND...: the same with a pipe to write into, its descriptor in $NAME_in
start_fed() {
	local name=$1 fd

	shift
	mkfifo "$name.fifo"
	exec {fd}<>"$name.fifo"
	fed+=("$fd")
	start "$name" "$@" <"$name.fifo"
	declare -g "${name}_in=$fd"
}

# end_of NAME: of what start_fed feeds
end_of() {
	local fd=${1}_in

	eval "exec ${!fd}>&-"
}

# ends PID STATUS
ends() {
	local status=0

	wait "$1" || status=$?
	[[ $status == "$2" ]]
}

# peers CHANNEL ROLE STATE N: so many of them, now
peers() {
	(($( { coshm info --json "$1" || true; } | tr -d '\n' |
		grep -oE "\"role\": \"$2\", *\"state\": \"$3\"" | wc -l) == $4))
}

# counter CHANNEL NAME
counter() {
	{ coshm info --json "$1" || true; } | grep -oP "\"$2\": \K[0-9]+" | head -n 1
}

@test "help is as it was agreed on, and given in every way" {
	diff <(coshm --help) "$BATS_TEST_DIRNAME/golden/coshm.help"
	diff <(coshm help) "$BATS_TEST_DIRNAME/golden/coshm.help"
	for command in pub sub info rm ls ps doctor clean grow top watch run; do
		diff <(coshm help $command) "$BATS_TEST_DIRNAME/golden/coshm-$command.help"
		diff <(coshm $command --help) "$BATS_TEST_DIRNAME/golden/coshm-$command.help"
		diff <(coshm $command -h) "$BATS_TEST_DIRNAME/golden/coshm-$command.help"
	done
	run -2 --separate-stderr coshm
	[[ -z $output && $stderr == Usage:* ]]
	run -2 coshm help nonsense
	run -2 coshm help pub sub
}

@test "help fits a screen of 80 columns" {
	run -1 grep -E '^.{81,}' "$BATS_TEST_DIRNAME"/golden/coshm*.help
}

@test "--version names the program and the version" {
	run -0 coshm --version
	[[ $output =~ ^coshm\ [0-9]+\.[0-9]+\.[0-9]+$ ]]
}

@test "bad command lines are refused with 2, and nothing is made" {
	while read -r -a words; do
		run -2 --separate-stderr coshm "${words[@]}" </dev/null
		[[ -z $output && $stderr == *"Try 'coshm"*"--help'."* ]] ||
			{ echo "${words[*]}: $output $stderr"; return 1; }
	done <<-'END'
		nonsense
		--nonsense
		pub
		pub a b
		pub --nonsense a
		pub --count 0 a
		pub --count -1 a
		pub --size 0 a
		pub --rate 0 a
		pub --rate nan a
		pub --rate -5 a
		pub --subscribers 65 a
		pub --timeout 0 a
		pub --timeout 1s a
		pub --policy nonsense a
		pub --latest --policy lossless a
		pub --queue --policy overwrite a
		pub --stream --policy at-most-once a
		pub --latest --queue a
		pub --mode 999 a
		pub --mode 10000 a
		pub --group no-such-group a
		pub --group -1 a
		pub --group 4294967295 a
		pub --slots 0 a
		pub --latest --slots 5 a
		pub --max-bytes 0 a
		pub --max-bytes 7 --size 8 a
		pub --queue --max-bytes 16385 a
		sub
		sub a b
		sub --count 0 a
		sub --size x a
		sub --timeout 0 a
		sub --latest --queue a
		info
		info a b
		info --nonsense a
		info --output nonsense a
		info --filter nonsense a
		info --output= a
		info --output pid, a
		info --output pid,role,PID a
		info --json --noheadings a
		info --json --output pid a
		rm
		rm --nonsense a
		pub --dir= a
		sub --dir= a
		info --dir= a
		rm --dir= a
		ls --nonsense
		ls --output nonsense
		ls --output=
		ls --output +size
		ls --filter size
		ls --filter nonsense=1
		ls --json --output key
		ls --json --tree
		ps --output key
		ps --filter key=1
	END
	[[ -z $(ls -A "$COSHM_DIR") ]]
}

@test "names that are no names are refused, with the reason" {
	for name in .hidden -- ../up a/b 'a b' '' "$(printf '%0128d' 0)"; do
		for command in pub sub info rm; do
			run -2 --separate-stderr coshm "$command" -- "$name" </dev/null
			[[ $stderr == *"channel"*"name"* ]]
		done
	done
}

@test "lines cross in order, to a subscriber that was there first and one that came later" {
	start early coshm sub --count 1000 ticks
	await grep -q 'waiting for the channel' early.err
	seq 1000 | coshm pub ticks --subscribers 1
	ends "$early" 0
	diff <(seq 1000) early.out
	diff <(seq 1000) <(coshm sub --oldest --count 1000 ticks)
	[[ $(grep -c 'waiting for' early.err) == 1 ]]
}

@test "a line is printed as soon as it is published" {
	start_fed pub coshm pub ticks
	start sub coshm sub ticks
	await peers ticks subscriber alive 1
	for i in 1 2 3; do
		echo "line $i" >&"$pub_in"
		await grep -qx "line $i" sub.out
	done
	end_of pub
	ends "$pub" 0
	[[ ! -s pub.out && ! -s pub.err ]]
}

@test "empty lines, zero bytes and a last line without its newline are messages" {
	start sub coshm sub --count 4 ticks
	printf 'a\n\nb\0c\nlast' | coshm pub ticks --subscribers 1
	ends "$sub" 0
	cmp sub.out <(printf 'a\n\nb\0c\nlast\n')
}

@test "records cross byte by byte, small ones and large ones" {
	for size in 1 64 1024 100000; do
		head -c $((size * 5)) /dev/urandom >"in$size"
		start sub coshm sub --size $size --count 5 "records$size"
		coshm pub --size $size --subscribers 1 "records$size" <"in$size"
		ends "$sub" 0
		cmp "in$size" sub.out
	done
}

@test "an end within a record is an error, and so is a message of another size" {
	run -2 --separate-stderr coshm pub --size 8 ticks < <(printf '12345678123')
	[[ $stderr == *"cannot publish record 2: the input ends after 3 of its 8 bytes"*hint:* ]]
	run -2 --separate-stderr coshm sub --oldest --size 7 ticks
	[[ $stderr == *"message 0 of ticks: it has 8 bytes, not 7"*hint:* ]]
	[[ $(coshm sub --oldest --raw --count 1 ticks) == 12345678 ]]
}

@test "a line that is too long is refused with the limit, and those before it are there" {
	run -2 --separate-stderr coshm pub ticks < <(echo good; printf '%02000d\n' 0)
	limit=$(counter ticks message_bytes)
	[[ $stderr == *"cannot publish line 2: it is longer than $limit bytes"*hint:*--max-bytes* ]]
	[[ $(coshm sub --oldest --count 1 ticks) == good ]]
	head -c "$limit" /dev/zero | tr '\0' x | coshm pub ticks # exactly so long is allowed
	[[ $(counter ticks messages) == 2 ]]
}

@test "--count ends both, --max-bytes, --slots and --mode shape the channel" {
	(umask 077 && yes | coshm pub --count 3 --slots 8 --max-bytes 5000 --mode 0640 ticks)
	[[ $(stat -c %a "$COSHM_DIR/ticks") == 640 ]]
	[[ $(counter ticks slots) == 8 && $(counter ticks messages) == 3 ]]
	(($(counter ticks message_bytes) >= 5000))
	[[ $(coshm sub --oldest --count 2 ticks) == y$'\n'y ]]
}

@test "--group gives the channel's file to a group, by name or number, and lets it in" {
	coshm pub --group "$(id -gn)" ticks </dev/null
	[[ $(stat -c '%G %a' "$COSHM_DIR/ticks") == "$(id -gn) 660" ]]
	coshm pub --mode 0640 --group "$(id -g)" queue </dev/null
	[[ $(stat -c '%g %a' "$COSHM_DIR/queue") == "$(id -g) 640" ]]
	((EUID == 0)) || skip "the rest needs root"
	setpriv --reuid=65534 --clear-groups true 2>/dev/null || skip "this user namespace has one user"
	coshm pub --group 65534 others </dev/null
	[[ $(stat -c '%g' "$COSHM_DIR/others") == 65534 ]]
	chmod 777 "$COSHM_DIR"
	as_nobody() { setpriv --reuid=65534 --regid=65534 --clear-groups "$(command -v coshm)" "$@"; }
	echo 1 | as_nobody pub others # by the group alone
	run -2 --separate-stderr as_nobody pub --group 0 new </dev/null
	[[ $stderr == *"Operation not permitted"*hint:*--group* ]]
}

# memory_of PID FIELD: of its channel, from smaps
memory_of() {
	awk -v dir="$COSHM_DIR/" -v field="$2:" \
		'/^[0-9a-f]+-/ { ours = index($0, dir) } ours && $1 == field { $1 = ""; print }' \
		"/proc/$1/smaps"
}

# Of a program under sanitizers mlock(2) never reaches the kernel.
locks_memory() {
	! grep -q __asan_init "$COSHM_BUILD/cli/coshm"
}

@test "--prefault, --lock and --huge: the memory is there, locked, and asked to be huge" {
	coshm pub --slots 4096 ticks </dev/null
	start_fed pub coshm pub --prefault --lock --huge ticks
	start sub coshm sub --prefault ticks
	start lazy coshm sub ticks
	await peers ticks subscriber alive 2
	await peers ticks publisher alive 1
	for pid in "$pub" "$sub"; do [[ $(memory_of "$pid" Rss) == "$(memory_of "$pid" Size)" ]]; done
	[[ $(memory_of "$lazy" Rss) != "$(memory_of "$lazy" Size)" ]]
	! locks_memory || [[ $(memory_of "$pub" VmFlags) == *" lo"* ]]
	[[ $(memory_of "$sub" VmFlags) != *" lo"* ]]
	[[ ! -e /sys/kernel/mm/transparent_hugepage || $(memory_of "$pub" VmFlags) == *" hg"* ]]
	echo 1 >&"$pub_in"
	await grep -qx 1 sub.out
}

@test "--lock above the limit of locked memory is refused, with what to do" {
	((EUID == 0)) || skip "needs root"
	setpriv --reuid=65534 --clear-groups true 2>/dev/null || skip "this user namespace has one user"
	chmod 755 "$COSHM_DIR"
	coshm pub --mode 0666 ticks </dev/null
	locks_memory || return 0
	for limit in 0 8; do
		for command in pub sub; do
			run -2 --separate-stderr bash -c "ulimit -l $limit && exec setpriv --reuid=65534 \
				--clear-groups $(command -v coshm) $command --lock ticks" </dev/null
			[[ $stderr == *ticks*hint:*'ulimit -l'* ]]
		done
	done
}

@test "--rate spaces messages evenly, from the first one on" {
	begin=$(date +%s%N)
	seq 21 | coshm pub --rate 40 ticks
	((took = ($(date +%s%N) - begin) / 1000000))
	echo "took $took ms"
	((took >= 500 && took < 1500))
}

@test "lossless: pub waits for the slowest that is alive, and returns when all was received" {
	yes | coshm pub --count 1 --slots 4 ticks
	start sub coshm sub ticks
	await peers ticks subscriber alive 1
	kill -STOP "$sub"
	start pub coshm pub ticks < <(seq 100)
	await peers ticks subscriber still 1
	run -1 coshm info ticks
	[[ $output == *still* ]]
	kill -0 "$pub"
	kill -CONT "$sub"
	ends "$pub" 0
	await grep -qx 100 sub.out
	diff <(seq 100) sub.out
}

@test "lossless: a subscriber that is killed is waited for no longer" {
	yes | coshm pub --count 1 --slots 4 ticks
	start sub coshm sub ticks
	await peers ticks subscriber alive 1
	kill -STOP "$sub"
	start pub coshm pub ticks < <(seq 100)
	await peers ticks subscriber still 1
	kill -KILL "$sub"
	ends "$pub" 0
	[[ $(counter ticks evicted) == 1 ]]
}

@test "lossless: --timeout gives up with 1 and says who is in the way" {
	yes | coshm pub --count 1 --slots 4 ticks
	start sub coshm sub ticks
	await peers ticks subscriber alive 1
	kill -STOP "$sub"
	run -1 --separate-stderr coshm pub --timeout 0.3 ticks < <(seq 100)
	[[ $stderr == *"gave up after 0.3 s"*"pid $sub (coshm)"*"stopped, paused or busy"*hint:* ]]
	# Room for all, but not received by all.
	kill -CONT "$sub"
	await grep -qx 4 sub.out
	kill -STOP "$sub"
	run -1 --separate-stderr coshm pub --timeout 0.3 ticks < <(echo 1)
	[[ $stderr == *"gave up after 0.3 s"*"pid $sub (coshm)"* ]]
}

@test "overwrite: pub never waits, and sub says how many messages it lost" {
	coshm pub --policy overwrite --slots 16 ticks </dev/null
	start sub coshm sub ticks
	await peers ticks subscriber alive 1
	kill -STOP "$sub"
	seq 1000 | coshm pub ticks
	kill -CONT "$sub"
	await grep -qx 1000 sub.out
	await grep -q 'lost [0-9]* messages of ticks' sub.err
	lost=$(awk '/: lost / { n += $3 } END { print n }' sub.err)
	[[ $((lost + $(wc -l <sub.out))) == 1000 ]]
	diff <(seq 1000 | tail -n "$(wc -l <sub.out)") sub.out
	[[ $(counter ticks lost) == "$lost" ]]
}

@test "latest: a newcomer gets the newest value, and only that" {
	seq 10 | coshm pub --latest newest
	[[ $(coshm sub --count 1 newest) == 10 ]]
	run -1 --separate-stderr coshm sub --timeout 0.2 newest
	[[ $output == 10 && $stderr == *"gave up after 0.2 s: no message came"* ]]
	[[ $(coshm sub --observe --count 1 newest) == 10 ]]
}

@test "latest: a stopped subscriber holds nobody up, and goes on with the newest" {
	coshm pub --latest newest </dev/null
	start sub coshm sub newest
	await peers newest subscriber alive 1
	kill -STOP "$sub"
	seq 1000 | coshm pub newest
	kill -CONT "$sub"
	await grep -qx 1000 sub.out
	[[ $(tail -n 1 sub.out) == 1000 ]]
}

@test "queue: two subscribers get each message once, between them" {
	coshm pub --queue jobs </dev/null
	for name in one two; do start $name coshm sub jobs; done
	await peers jobs consumer alive 2
	seq 20000 | coshm pub jobs
	all_there() { (($(cat one.out two.out | wc -l) >= 20000)); }
	await all_there
	diff <(seq 20000 | sort) <(cat one.out two.out | sort)
}

@test "queue: many publish, and what nobody has taken waits" {
	for first in 1 1001; do start pub$first coshm pub --queue jobs < <(seq $first $((first + 999))); done
	start sub coshm sub --count 2000 jobs
	for pid in "$pub1" "$pub1001" "$sub"; do ends "$pid" 0; done
	diff <(seq 2000 | sort) <(sort sub.out)
	seq 3 | coshm pub jobs
	[[ $(coshm sub --count 3 jobs | tail -n 1) == 3 ]]
}

@test "queue: a full one makes pub wait, --timeout gives up with 1" {
	run -1 --separate-stderr coshm pub --queue --slots 4 --timeout 0.2 jobs < <(seq 10)
	[[ $stderr == *"gave up after 0.2 s: "*"/jobs is full"* ]]
	[[ $(coshm sub --count 4 jobs | tr '\n' ' ') == '1 2 3 4 ' ]]
}

# What a consumer has and cannot print is not yet dealt with.
@test "queue: the message of a killed consumer goes to another, or is dropped, as asked" {
	for policy in at-least-once at-most-once; do
		coshm pub --queue --policy $policy "$policy" </dev/null
		mkfifo pipe
		exec 9<>pipe
		dd if=/dev/zero of=pipe bs=4096 oflag=nonblock 2>dd.err || true
		start victim bash -c "exec coshm sub $policy >pipe 9>&-"
		await peers $policy consumer alive 1
		echo precious | coshm pub $policy
		await grep -q pipe_write "/proc/$victim/wchan" "/proc/$victim/stack"
		kill -KILL "$victim"
		wait "$victim" || true
		exec 9>&-
		rm pipe
		if [[ $policy == at-least-once ]]; then
			run -0 --separate-stderr coshm sub --count 1 --timeout 10 $policy
			[[ $output == precious && $stderr == *"delivered again"* ]]
		else
			run -1 coshm sub --timeout 0.3 $policy
			[[ $(counter $policy lost) == 1 ]]
		fi
	done
}

@test "--subscribers waits, for every kind, and --timeout gives up with 1" {
	for kind in stream latest queue; do
		run -1 --separate-stderr coshm pub --$kind -w 1 -t 0.2 $kind < <(echo hello)
		[[ $stderr == *"gave up after 0.2 s: $kind has fewer than 1 subscribers"*hint:* ]]
		start pub coshm pub --$kind -w 1 $kind < <(echo hello)
		[[ $(coshm sub --count 1 $kind) == hello ]]
		ends "$pub" 0
	done
}

@test "a second publisher is refused, and told who is there" {
	start_fed pub coshm pub ticks
	await peers ticks publisher alive 1
	run -2 --separate-stderr coshm pub ticks </dev/null
	[[ $stderr == *"has a publisher that is alive: pid $pub (coshm) in $(hostname)"*hint:* ]]
	start sub coshm sub ticks
	await peers ticks subscriber alive 1
	echo on >&"$pub_in" # the first one is not disturbed
	await grep -qx on sub.out
}

@test "a killed publisher is announced once, and the next one goes on where it stopped" {
	start_fed pub coshm pub ticks
	start sub coshm sub ticks
	await peers ticks subscriber alive 1
	echo 1 >&"$pub_in"
	await grep -qx 1 sub.out
	kill -KILL "$pub"
	await grep -q "the publisher of .*/ticks has died: it was pid $pub (coshm)" sub.err
	run -1 coshm info ticks
	[[ $output =~ publisher\ +dead ]]
	echo 2 | coshm pub ticks
	await grep -qx 2 sub.out
	[[ $(grep -c 'has died' sub.err) == 1 ]]
	run -0 coshm info ticks
	[[ $(counter ticks evicted) == 1 ]]
}

@test "a publisher that ends in peace is not called dead" {
	start sub coshm sub ticks
	for i in 1 2; do
		echo $i | coshm pub -w 1 ticks
	done
	start_fed pub coshm pub ticks
	await peers ticks publisher alive 1
	kill -TERM "$pub"
	ends "$pub" 0
	run -1 coshm sub --timeout 0.3 ticks # longer than anybody needs to notice a death
	[[ $output != *died* ]]
	run -1 grep died sub.err
	diff <(seq 2) sub.out
}

@test "SIGINT, SIGTERM and SIGHUP end both at once with 0, and both leave" {
	for signal in INT TERM HUP; do
		start_fed pub coshm pub ticks
		start sub coshm sub ticks
		await peers ticks publisher alive 1
		await peers ticks subscriber alive 1
		for name in pub sub; do
			kill -"$signal" "${!name}"
			ends "${!name}" 0
		done
		run -0 coshm info ticks
		[[ $output == *"peers     none"* ]]
		rm pub.fifo
	done
}

@test "a subscriber whose output is blocked ends at once, too, and leaves" {
	mkfifo pipe
	exec 9<>pipe
	dd if=/dev/zero of=pipe bs=4096 oflag=nonblock 2>dd.err || true # fill it
	start sub bash -c "exec coshm sub ticks >pipe 9>&-"
	start pub coshm pub -w 1 ticks < <(yes | head -n 5000)
	await grep -q pipe_write "/proc/$sub/wchan" "/proc/$sub/stack"
	kill -TERM "$sub"
	ends "$sub" 0
	ends "$pub" 0
	exec 9>&-
	run -0 coshm info ticks
}

@test "a publisher that waits for room, or for subscribers, ends at once" {
	start waits coshm pub -w 1 ticks < <(echo 1)
	await peers ticks publisher alive 1
	kill -TERM "$waits"
	ends "$waits" 0
	start full coshm pub --queue --slots 2 jobs < <(seq 10)
	await peers jobs producer alive 1
	kill -INT "$full"
	ends "$full" 0
}

@test "a pipe whose reader is gone ends sub without a word" {
	seq 1000 | coshm pub ticks
	start pub coshm pub ticks < <(yes | head -n 100000)
	set -o pipefail
	[[ $(coshm sub --oldest ticks 2>sub.err | head -n 1) =~ ^[0-9y]+$ ]]
	[[ ! -s sub.err ]]
	ends "$pub" 0
}

@test "output that cannot be written is an error" {
	echo 1 | coshm pub ticks
	for words in "sub --oldest ticks" "info ticks" "info --json ticks" --help; do
		# shellcheck disable=SC2086
		coshm $words >/dev/full 2>err && return 1
		grep -q 'cannot write to standard output: No space left on device' err
	done
}

# The next file that is opened would take their place: the channel.
@test "closed standard descriptors: nothing is written into the channel" {
	echo hello | coshm pub ticks
	for words in "sub --oldest --count 1 ticks" "info ticks" "info --json ticks" --help; do
		run -2 --separate-stderr bash -c "coshm $words <&- >&-"
		[[ $stderr == *'cannot write to standard output: Bad file descriptor' ]]
		run -2 bash -c "coshm $words <&- >&- 2>&-"
	done
	run -2 --separate-stderr bash -c 'coshm pub ticks <&-'
	[[ $stderr == *'cannot read standard input: Bad file descriptor' ]]
	run -2 bash -c 'coshm pub ticks <&- >&- 2>&-'
	[[ $(coshm sub --oldest --count 1 ticks) == hello ]]
}

@test "a channel that is removed by force: both go on in a new one" {
	start_fed pub coshm pub ticks
	start sub coshm sub ticks
	await peers ticks subscriber alive 1
	run -2 --separate-stderr coshm rm ticks
	[[ $stderr == *"is in use by pid "*hint:*--force* ]]
	coshm rm --force ticks
	await grep -q 'ticks was removed or replaced: waiting for the new one' sub.err
	echo again >&"$pub_in"
	await grep -qx again sub.out
	grep -q 'ticks was removed or replaced: going on in a new one' pub.err
}

@test "a channel that another file replaced is noticed" {
	echo old | coshm pub ticks
	start sub coshm sub ticks
	await peers ticks subscriber alive 1
	mv "$COSHM_DIR/ticks" ticks.old # as rm would
	echo new | coshm pub ticks
	await grep -qx new sub.out
	grep -q 'ticks was replaced by a new file' sub.err
}

@test "another kind, policy or size than asked for is refused, and left as it is" {
	seq 3 | coshm pub --size 2 ticks
	for words in --latest --queue '--policy overwrite' '--policy at-most-once' '--size 3000'; do
		# shellcheck disable=SC2086
		run -2 --separate-stderr coshm pub $words ticks </dev/null
		[[ $stderr == *"cannot publish"*hint:* ]]
	done
	run -2 --separate-stderr coshm sub --queue ticks
	[[ $stderr == *"it is a stream, not a queue"*hint:* ]]
	run -2 --separate-stderr coshm sub --observe ticks
	[[ $stderr == *"is lossless"* ]]
	[[ $(counter ticks messages) == 3 ]]
}

@test "no such channel: info and rm fail with 2, sub waits and gives up with 1" {
	for command in info rm; do
		run -2 --separate-stderr coshm $command ticks
		[[ $stderr == *"$COSHM_DIR/ticks: No such file or directory"*hint:* ]]
	done
	run -1 --separate-stderr coshm sub --timeout 0.2 ticks
	[[ $stderr == *"gave up after 0.2 s: there is no such channel"*hint:* ]]
	run -2 --separate-stderr coshm pub --dir "$PWD/missing" ticks </dev/null
	[[ $stderr == *"cannot open the directory $PWD/missing: No such file or directory"*hint:* ]]
}

@test "a file that is no channel is refused by all, and left as it is" {
	echo mine >"$COSHM_DIR/ticks"
	for command in pub sub info rm 'rm --force'; do
		# shellcheck disable=SC2086
		run -2 --separate-stderr coshm $command ticks </dev/null
		[[ $stderr == *ticks*hint:* ]]
	done
	[[ $(cat "$COSHM_DIR/ticks") == mine ]]
	rm "$COSHM_DIR/ticks"
}

@test "another user is refused, says why, and may do as the mode lets him" {
	((EUID == 0)) || skip "needs root"
	setpriv --reuid=65534 --clear-groups true 2>/dev/null || skip "this user namespace has one user"
	chmod 755 "$COSHM_DIR"
	as_nobody() { setpriv --reuid=65534 --clear-groups "$(command -v coshm)" "$@"; }
	echo 1 | coshm pub ticks
	for command in pub sub info rm; do
		run -2 --separate-stderr as_nobody $command ticks </dev/null
		[[ $stderr == *"$COSHM_DIR/ticks: Permission denied"*hint:* ]]
	done
	run -2 --separate-stderr as_nobody pub new </dev/null
	[[ $stderr == *"Permission denied"*hint:* ]]
	echo 1 | coshm pub --latest --mode 0644 open
	[[ $(as_nobody sub --observe --count 1 open) == 1 ]]
	run -0 as_nobody info open
}

@test "a full file system is an error when the channel is made, and leaves nothing" {
	mkdir small
	mount -t tmpfs -o size=256k tmpfs small 2>/dev/null || skip "cannot mount here"
	run --separate-stderr coshm pub --dir small ticks </dev/null
	left=$(ls -A small)
	umount small
	[[ $status == 2 && -z $left ]]
	[[ $stderr == *"cannot allocate"*"No space left on device"*hint:*--slots* ]]
}

@test "--dir, COSHM_DIR and /dev/shm/coshm" {
	mkdir "$COSHM_DIR/other"
	echo dir | coshm pub --dir "$COSHM_DIR/other" ticks
	echo env | coshm pub ticks
	[[ $(coshm sub -d "$COSHM_DIR/other" -o -n 1 ticks) == dir && $(coshm sub -o -n 1 ticks) == env ]]
	coshm rm -d "$COSHM_DIR/other" ticks
	rmdir "$COSHM_DIR/other"
	echo default | env -u COSHM_DIR coshm pub "ticks-$$"
	[[ -e /dev/shm/coshm/ticks-$$ ]]
	env -u COSHM_DIR coshm rm "ticks-$$"
	rmdir /dev/shm/coshm 2>/dev/null || true # somebody else's channels may be there
}

@test "info --json has what the channel is, its peers and its counters" {
	start_fed pub coshm pub --policy overwrite ticks
	start sub coshm sub ticks
	await peers ticks subscriber alive 1
	echo hello >&"$pub_in"
	await grep -qx hello sub.out
	coshm info --json ticks >json
	for member in '"channel": "ticks"' '"kind": "stream"' '"policy": "overwrite"' '"type": null' \
		'"created": "20..-..-..T..:..:..Z"' '"generation": "[0-9a-f]{32}"' '"slots": 1024' \
		'"role": "publisher"' '"role": "subscriber"' "\"pid\": $pub" "\"pid\": $sub" \
		'"command": "coshm"' "\"host\": \"$(hostname | cut -c1-23)\"" '"state": "alive"' \
		'"position": 1'; do
		grep -qE "$member" json || { echo "no $member"; cat json; return 1; }
	done
	if command -v python3; then python3 -m json.tool <json; fi
}

@test "info shows what the channel is, and its peers as a table" {
	start_fed pub coshm pub --policy overwrite --slots 8 ticks
	start sub coshm sub ticks
	await peers ticks publisher alive 1
	await peers ticks subscriber alive 1
	# Numbers of this run, and the widths that come of them, are replaced.
	coshm info ticks | sed -E "s/20..-..-..T..:..:..Z/TIME/; s/[0-9]+ waits/N waits/; s/^(memory +)[0-9]+/\1N/
		s/ +($pub|$sub) +coshm +$(hostname | cut -c1-23) +TIME +/ PID coshm HOST TIME /
		s/ +PID COMMAND HOST +SINCE +/ PID COMMAND HOST SINCE /" |
		diff - "$BATS_TEST_DIRNAME/golden/coshm-info.output"
	diff <(coshm info --output id,Role,STATE,command,position ticks) - <<-'END'
		ID ROLE       STATE COMMAND POSITION
		 0 subscriber alive coshm          0
		64 publisher  alive coshm          0
	END
	[[ $(coshm info --noheadings -o pid ticks | sort -n | xargs) == \
		"$(printf '%s\n' "$pub" "$sub" | sort -n | xargs)" ]]
	[[ $(coshm info -n ticks | wc -l) == 2 ]]
	diff <(coshm info --filter role=sub* --bytes -o ID,ROLE ticks) - <<-'END'
		ID ROLE
		 0 subscriber
	END
	[[ $(coshm info --filter STATE=dead ticks | tail -n 1) == "peers     none" ]]
	[[ $(coshm info --json --filter ROLE=publisher ticks | grep -c '"role"') == 1 ]]
}

@test "info --filter: the exit status is of the peers that are shown" {
	start_fed pub coshm pub --policy overwrite --slots 8 ticks
	start sub coshm sub ticks
	await peers ticks subscriber alive 1
	kill -KILL "$sub"
	await peers ticks subscriber dead 1
	run -1 coshm info --filter STATE=dead ticks
	run -0 coshm info --filter STATE=alive ticks
}

@test "info --output: nothing of a channel that nobody has open, and the names if one is wrong" {
	coshm pub ticks </dev/null
	run -0 coshm info --output pid ticks
	[[ -z $output ]]
	run -2 --separate-stderr coshm info --output pid,nonsense,role ticks
	diff - <(echo "$stderr") <<-'END'
		coshm: there is no column 'nonsense'
		  hint: the columns are ID, ROLE, STATE, PID, COMMAND, HOST, SINCE and POSITION
		Try 'coshm info --help'.
	END
	run -2 --separate-stderr coshm info --output pid,role,Pid ticks
	[[ $stderr == "coshm: the column PID is asked for twice"* ]]
}

@test "every end of both leaves nothing open" {
	start_fed pub coshm pub ticks
	start sub coshm sub ticks
	await peers ticks subscriber alive 1
	descriptors() { find "/proc/$sub/fd" -mindepth 1 | wc -l; }
	before=$(descriptors)
	for _ in 1 2 3 4 5; do # five times removed and made anew
		coshm rm --force ticks
		echo more >&"$pub_in"
		await peers ticks subscriber alive 1
	done
	[[ $(descriptors) == "$before" ]]
	[[ $(grep -c coshm-test "/proc/$sub/maps") == 1 ]]
}
