#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# clock.bats - shm_write and shm_read on the command line, in one container.
# ./check runs it in an IPC namespace and on a /dev/shm of its own.
# shellcheck disable=SC2154,SC2317 # what start sets, and what await calls

bats_require_minimum_version 1.5.0

load ../await

setup() {
	PATH="${COSHM_BUILD:?the build folder}/clock:$COSHM_BUILD/tests/programs:$PATH"
	cd "$BATS_TEST_TMPDIR" || return
	key_file=$BATS_TEST_TMPDIR/key_file
	pids=()
}

# Told to stop, every program of ours leaves nothing; what was killed or is old leaves a
# segment, which the test removes itself.
teardown() {
	local pid

	for pid in "${pids[@]}"; do
		kill -CONT "$pid" 2>/dev/null || continue
		kill -TERM "$pid"
		wait "$pid" || true
	done
	rm -f /dev/shm/shm_file
	if [[ -n $(segments) ]]; then
		ipcs -m
		remove_segments
		return 1
	fi
}

# start NAME COMMAND...: in the background, output in NAME.out and NAME.err, pid in $NAME
start() {
	local name=$1

	shift
	: >"$name.out"
	: >"$name.err"
	# Who runs the tests may be under nohup.
	env --default-signal=HUP "$@" >>"$name.out" 2>>"$name.err" 3>&- &
	declare -g "$name=$!"
	pids+=("$!")
}

segments() {
	ipcs -m | awk '/^0x/ { print $2 }'
}

# segments_are N
segments_are() {
	(($(segments | wc -l) == $1))
}

writing() {
	has_lines "${1:-writer}.err" 'writing the time' 1
}

start_writer() {
	start writer shm_write -k "$key_file"
	await writing
}

start_pair() {
	start_writer
	start reader shm_read -k "$key_file"
	await has_lines reader.out '^now time: ' 1
}

# ends PID STATUS
ends() {
	local status=0

	wait "$1" || status=$?
	[[ $status == "$2" ]]
}

kill_9() {
	kill -KILL "$1"
	wait "$1" || true
}

remove_segments() {
	local id

	for id in $(segments); do ipcrm -m "$id"; done
}

@test "--help is as it was agreed on" {
	for program in shm_write shm_read; do
		run -0 --separate-stderr "$program" --help
		[[ -z $stderr ]]
		diff <(echo "$output") "$BATS_TEST_DIRNAME/golden/$program.help"
	done
}

@test "--version names the program, the project and the version" {
	for program in shm_write shm_read; do
		run -0 "$program" --version
		[[ $output =~ ^$program\ \(coshm\)\ [0-9]+\.[0-9]+\.[0-9]+$ ]]
	done
}

@test "bad values, unknown options and arguments are refused with 2" {
	for program in shm_write shm_read; do
		for bad in --count=0 --count=-1 --count=1x --count= --interval=0 --interval=-1 \
			--interval=nan --interval=1s --interval=1e3 --interval=0.0001 \
			--project-id=0 --project-id=256 --project-id=A --key-file= \
			--bogus -z argument; do
			run -2 --separate-stderr "$program" "$bad"
			[[ -z $output && $stderr == *"Try '$program --help'."* ]] ||
				{ echo "$program $bad: $output $stderr"; return 1; }
		done
	done
	run -2 shm_read --timeout=0
	run -2 shm_write --timeout=1 # of the reader alone
}

@test "the time is now, one line a second, none left out and none twice" {
	start_writer
	run -0 --separate-stderr shm_read -k "$key_file" -n 4 -t 2 # which goes by the last new time
	now=$(date +%s)
	[[ -z $stderr && ${#lines[@]} == 4 ]]
	last=${lines[3]#now time: }
	((last >= now - 1 && last <= now + 1))
	for i in 0 1 2 3; do [[ ${lines[i]} == "now time: $((last - 3 + i))" ]]; done
}

@test "the text is never behind the clock by more than a second, nor ahead of it" {
	late() { (($(date +%-N) > 800000000)); }
	await late # a writer that keeps the beat of its start would be behind by 1.8 seconds
	start_writer
	for _ in {1..60}; do # for three seconds, at all phases of the second
		now_ns=$(date +%s%N)
		text=$(segment get "$key_file" 0)
		# Half a second is for the scheduler of a busy machine.
		((now_ns - text * 1000000000 < 1500000000 && text <= $(date +%s)))
		sleep 0.05
	done
}

@test "--interval of a fraction prints the same time again while it is now" {
	start_writer
	run -0 --separate-stderr shm_read -k "$key_file" -i 0.1 -n 15
	(($(printf '%s\n' "${lines[@]}" | uniq | wc -l) <= 4))
}

@test "--count ends the writer, and its segment with it" {
	run -0 shm_write -k "$key_file" -n 2 -i 0.1
	segments_are 0
}

@test "SIGINT, SIGTERM and SIGHUP end both at once with 0 and leave no segment" {
	for signal in INT TERM HUP; do
		start_writer
		start reader shm_read -k "$key_file"
		await has_lines reader.out '^now time: ' 1
		kill -"$signal" "$reader"
		ends "$reader" 0
		kill -"$signal" "$writer"
		ends "$writer" 0
		segments_are 0
	done
}

@test "a reader whose output is blocked ends at once, too" {
	mkfifo pipe
	exec 9<>pipe
	# Fill it: the next line of the reader blocks.
	dd if=/dev/zero of=pipe bs=4096 oflag=nonblock 2>dd.err || true
	start_writer
	start reader bash -c "exec shm_read -k '$key_file' >pipe 9>&-"
	await grep -q pipe_write "/proc/$reader/wchan" "/proc/$reader/stack"
	kill -TERM "$reader"
	ends "$reader" 0
	exec 9>&-
}

@test "output that cannot be written is an error" {
	start_writer
	shm_read -k "$key_file" >/dev/full 2>reader.err && return 1
	grep -q 'cannot write to standard output: No space left on device' reader.err
}

@test "a writer whose messages nobody takes works and ends all the same" {
	mkfifo pipe
	exec 9<>pipe
	dd if=/dev/zero of=pipe bs=4096 oflag=nonblock 2>dd.err || true # full
	start writer bash -c "exec shm_write -k '$key_file' 2>pipe 9>&-"
	run -0 shm_read -k "$key_file" -n 2
	kill -TERM "$writer"
	ends "$writer" 0
	exec 9>&-
	segments_are 0

	shm_write -k "$key_file" -n 1 2> >(true) # SIGPIPE
	shm_write -k "$key_file" -n 1 2>&-       # the key file is not its stderr
	segments_are 0
	[[ ! -s $key_file ]]
}

@test "signals that the caller has blocked end both all the same" {
	start_writer
	start reader python3 -c 'import os, signal, sys
signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM, signal.SIGINT])
os.execvp(sys.argv[1], sys.argv[1:])' shm_read -k "$key_file"
	await has_lines reader.out '^now time: ' 1
	kill -TERM "$reader"
	ends "$reader" 0
}

@test "nohup is respected" {
	start writer nohup shm_write -k "$key_file"
	await writing
	kill -HUP "$writer"
	id=$(segments)
	run -0 shm_read -k "$key_file" -n 2
	[[ $(segments) == "$id" ]]
	kill -TERM "$writer"
	ends "$writer" 0
}

@test "the key file is made with mode 0744 whatever the umask, and kept" {
	(umask 077 && exec shm_write -k "$key_file" -n 1 -i 0.01)
	[[ $(stat -c %a "$key_file") == 744 ]]
	inode=$(stat -c %i "$key_file")
	shm_write -k "$key_file" -n 1 -i 0.01
	[[ $(stat -c %i "$key_file") == "$inode" ]]
}

@test "without options the key is that of /dev/shm/shm_file and 8" {
	start writer shm_write
	await writing
	key=$(printf '0x%02x%02x%04x' 8 $(($(stat -c %d /dev/shm/shm_file) & 0xff)) \
		$(($(stat -c %i /dev/shm/shm_file) & 0xffff)))
	ipcs -m | grep -E "^$key +[0-9]+ +[^ ]+ +600 +4096 +1 "
	run -0 shm_read -n 1
}

@test "a segment left by kill -9 is adopted, not leaked" {
	start_writer
	id=$(segments)
	kill_9 "$writer"
	[[ $(segments) == "$id" ]]
	start reader shm_read -k "$key_file"
	start_writer
	[[ $(segments) == "$id" ]]
	await has_lines reader.out '^now time: ' 2
	grep -q 'which was there' writer.err
	kill -TERM "$writer"
	ends "$writer" 0
	await segments_are 0
}

@test "a second writer is refused, and told who holds the key" {
	start_writer
	run -1 shm_write -k "$key_file"
	[[ $output == *"another writer is at work: pid $writer on $(hostname) since "* ]]
	segment put "$key_file" 72 $'evil \e[31m name\n'
	run -1 shm_write -k "$key_file"
	[[ $output == *"another writer is at work: evil ?[31m name?, says the segment"* ]]
	segments_are 1
	run -0 shm_read -k "$key_file" -n 2 # the first one goes on
}

@test "each project id of a key file has its own writer" {
	start_writer
	start other shm_write -k "$key_file" -p 9
	await writing other
	segments_are 2
	for id in 8 9; do run -0 shm_read -k "$key_file" -p $id -n 2; done
	run -1 shm_write -k "$key_file" -p 9
	[[ $output == *"another writer is at work: pid $other "* ]]
}

@test "a writer stopped while it looks for an old one leaves what was there" {
	start_pair
	kill_9 "$writer"
	id=$(segments)
	start next shm_write -k "$key_file"
	both_attached() { [[ $(ipcs -m | awk '/^0x/ { print $6 }') == 2 ]]; }
	signed=$(segment get "$key_file" 72)
	await both_attached
	kill -TERM "$next"
	ends "$next" 0
	[[ $(segments) == "$id" && $(segment get "$key_file" 72) == "$signed" ]]
	[[ ! -s next.err ]]
	remove_segments
}

@test "a second writer is refused while an old writer is at work" {
	start old old_write "$key_file"
	start reader shm_read -k "$key_file"
	await has_lines reader.out '^now time: ' 1
	run -1 shm_write -k "$key_file"
	[[ $output == *"another writer is at work: an old program"* ]]
	count=$(lines_of reader.out '^now time: ')
	await has_lines reader.out '^now time: ' $((count + 2))
	remove_segments
}

@test "an old writer that is dead is followed by ours in the same segment" {
	start old old_write "$key_file"
	start reader shm_read -k "$key_file"
	await has_lines reader.out '^now time: ' 1
	id=$(segments)
	kill_9 "$old"
	start_writer
	[[ $(segments) == "$id" ]]
	count=$(lines_of reader.out '^now time: ')
	await has_lines reader.out '^now time: ' $((count + 2))
}

@test "the reader follows an old writer that comes before it, after it, and again" {
	start reader shm_read -k "$key_file"
	await has_lines reader.err 'waiting for a writer: the key file' 1
	start old old_write "$key_file"
	await has_lines reader.out '^now time: ' 2
	kill_9 "$old"
	ln "$key_file" keeps_the_inode # so that the new key is another one
	start again old_write "$key_file"
	await segments_are 2
	count=$(lines_of reader.out '^now time: ')
	await has_lines reader.out '^now time: ' $((count + 2))
	remove_segments
}

@test "the reader follows an old writer that gets the segment our killed one left" {
	start_pair
	kill_9 "$writer"
	id=$(segments)
	# As an old writer whose new key file has, by chance, the same key.
	count=$(lines_of reader.out '^now time: ')
	put_and_look() {
		segment put "$key_file" 0 "$(date +%s)" && has_lines reader.out '^now time: ' "$1"
	}
	for more in 1 2 3; do await put_and_look $((count + more)); done
	[[ $(segments) == "$id" ]]
	remove_segments
}

@test "an old reader sees our writer, whichever is first" {
	start_writer
	start before old_read "$key_file"
	await has_lines before.out "^now time: $(date +%s | cut -c1-7)" 2
	kill -TERM "$writer"
	ends "$writer" 0
	kill_9 "$before"
	await segments_are 0

	start after old_read "$key_file" # makes the segment
	await segments_are 1
	start_writer
	await has_lines after.out "^now time: $(date +%s | cut -c1-7)" 2
}

@test "what an old writer leaves may be old, or ahead, or set back" {
	segment_put() { segment put "$key_file" 0 "$1"; }
	touch "$key_file"
	segment make "$key_file" 4096
	now=$(date +%s)
	segment_put $((now + 100))
	run -1 --separate-stderr shm_read -k "$key_file" -t 0.5
	[[ -z $output ]] # ahead, and it does not move
	start reader shm_read -k "$key_file"
	await has_lines "/proc/$reader/maps" SYSV 1
	run -1 shm_read -k "$key_file" -t 0.5 # so long the first one has looked at it, too
	segment_put $((now + 101))
	await has_lines reader.out "^now time: $((now + 101))$" 1
	segment_put $((now - 50))
	await has_lines reader.out "^now time: $((now - 50))$" 1
	remove_segments
}

@test "the reader keeps what it has while an old writer makes the key file anew" {
	touch "$key_file"
	ln "$key_file" same_key
	segment make same_key 4096
	segment put same_key 0 "$(date +%s)"
	start reader shm_read -k "$key_file"
	await has_lines reader.out '^now time: ' 1
	rm "$key_file"
	put_and_look() {
		segment put same_key 0 "$(date +%s)" && has_lines reader.out '^now time: ' 3
	}
	await put_and_look
	[[ ! -s reader.err ]]
	remove_segments
	await has_lines reader.err 'the key file .* is not there, or not visible' 1
}

@test "the reader maps the segment read-only" {
	start_writer
	start reader shm_read -k "$key_file"
	await has_lines "/proc/$reader/maps" ' r--s .*SYSV' 1
	[[ $(lines_of "/proc/$reader/maps" ' rw-s ') == 0 ]]
}

@test "no writer yet: the reader makes nothing, says so once, and --timeout gives up with 1" {
	run -1 --separate-stderr shm_read -k "$key_file" -t 0.3
	[[ -z $output && ! -e $key_file ]]
	[[ $(grep -c 'waiting for a writer' <<<"$stderr") == 1 ]]
	[[ $stderr == *"gave up: no new time for 0.3 s"* ]]
	touch "$key_file"
	run -1 shm_read -k "$key_file" -t 0.3
	[[ $output == *"there is no segment of key 0x"* ]]
	segments_are 0
}

@test "a time that stands still is not printed, and is announced once" {
	start_pair
	kill_9 "$writer"
	await has_lines reader.err 'the time stands still at [0-9]+: the writer is gone' 1
	cp reader.out before
	run -1 --separate-stderr shm_read -k "$key_file" -t 4
	[[ -z $output && $stderr == *"stands still"* ]] # a newcomer is not told an old time either
	cmp reader.out before
	[[ $(lines_of reader.err 'stands still') == 1 ]]
	start_writer
	await has_lines reader.out '^now time: ' $(($(wc -l <before) + 2))
}

@test "a time is not printed again after its second" {
	start_writer
	start reader shm_read -k "$key_file" -i 0.1
	await has_lines reader.out '^now time: ' 1
	kill_9 "$writer"
	await has_lines reader.err 'stands still' 1
	(($(lines_of reader.out "^$(tail -n 1 reader.out)$") <= 10))
	remove_segments
}

@test "a writer with a longer interval is not taken for dead while it lives" {
	start writer shm_write -k "$key_file" -i 4
	await writing
	run -0 --separate-stderr shm_read -k "$key_file" -n 2
	[[ -z $stderr ]]
	kill_9 "$writer"
	start reader shm_read -k "$key_file"
	await has_lines reader.err 'stands still .*: the writer is gone' 1
	remove_segments
}

@test "a stopped writer is told from a dead one" {
	start_pair
	kill -STOP "$writer"
	await has_lines reader.err 'the writer lives, but does not write' 1
	count=$(wc -l <reader.out)
	kill -CONT "$writer"
	await has_lines reader.out '^now time: ' $((count + 2))
}

@test "a reader that was stopped itself prints no time that has become old meanwhile" {
	start_pair
	kill -STOP "$reader"
	last=$(tail -n 1 reader.out)
	run -0 shm_read -k "$key_file" -n 3 # so long the writer goes on
	kill_9 "$writer"
	run -1 shm_read -k "$key_file" -t 3.5 # and so long it is dead
	kill -CONT "$reader"
	await has_lines reader.err 'stands still' 1
	[[ $(tail -n 1 reader.out) == "$last" ]]
	remove_segments
}

@test "a segment that is removed is made anew, and the reader attaches the new one" {
	start_pair
	id=$(segments)
	ipcrm -m "$id"
	await has_lines writer.err "segment $id was removed by somebody" 1
	count=$(lines_of reader.out '^now time: ')
	await has_lines reader.out '^now time: ' $((count + 2))
	[[ $(segments) != "$id" ]]
}

@test "a writer whose key file goes away ends with 1 and takes its segment along" {
	start_pair
	rm "$key_file"
	ends "$writer" 1
	grep -q 'was removed or replaced' writer.err
	await has_lines reader.err 'the key file .* is not there, or not visible' 1
	segments_are 0 # and the reader holds on to nothing
}

@test "a segment of the wrong size is refused by both" {
	for size in 64 8192; do
		touch "$key_file"
		segment make "$key_file" $size
		for program in shm_write shm_read; do
			run -1 "$program" -k "$key_file"
			[[ $output == *"has $size bytes, a clock has 4096"*hint:* ]]
		done
		segments_are 1
		remove_segments
	done
}

@test "a segment that is not a clock is refused by both, and left as it is" {
	touch "$key_file"
	segment make "$key_file" 4096
	segment put "$key_file" 0 hello
	for program in shm_write shm_read; do
		run -1 "$program" -k "$key_file"
		[[ $output == *"is not a clock"*hint:* ]]
	done
	segments_are 1
	remove_segments
}

@test "another user is refused with owner, mode and what to do" {
	[[ $(awk 'END { print NR ":" $3 }' /proc/self/uid_map) != 1:1 ]] || skip "no second user here"
	start writer shm_write
	await writing
	for program in shm_write shm_read; do
		run -1 setpriv --reuid 65534 --regid 65534 --clear-groups "$(command -v $program)"
		[[ $output == *"Permission denied"*hint:* ]]
	done
	[[ $output == *"as uid 65534: Permission denied (owner uid 0, mode 600)"* ]]
}

@test "a key file that cannot be one is refused" {
	run -1 shm_write -k "$BATS_TEST_TMPDIR/missing/key_file"
	[[ $output == *"cannot open the key file"*"No such file or directory"*hint:* ]]
	run -1 shm_write -k "$BATS_TEST_TMPDIR"
	[[ $output == *"cannot open the key file"*"Is a directory"*hint:* ]]
	ln -s nowhere/at_all link
	run -1 shm_write -k link
	[[ $output == *"cannot open the key file link: No such file or directory"*hint:* ]]
	mkfifo fifo
	run -1 shm_write -k fifo
	[[ $output == *"fifo is not a regular file"*hint:* ]]
	run -1 shm_read -k "$BATS_TEST_FILENAME/under_a_file"
	[[ $output == *"cannot look at the key file"*"Not a directory"*hint:* ]]
	segments_are 0
}
