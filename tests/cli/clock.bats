#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# clock.bats - shm_write and shm_read on the command line, in one container.
# ./check runs it in an IPC namespace and on a /dev/shm of its own.
# shellcheck disable=SC2154 # what start sets

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
	"$@" >"$name.out" 2>"$name.err" 3>&- &
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

# ends PID STATUS
ends() {
	local status=0

	wait "$1" || status=$?
	[[ $status == "$2" ]]
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
	run -0 --separate-stderr shm_read -k "$key_file" -n 4
	now=$(date +%s)
	[[ -z $stderr && ${#lines[@]} == 4 ]]
	last=${lines[3]#now time: }
	((last >= now - 1 && last <= now + 1))
	for i in 0 1 2 3; do [[ ${lines[i]} == "now time: $((last - 3 + i))" ]]; done
}

@test "the text is never behind the clock by more than a second, nor ahead of it" {
	start_writer
	for _ in {1..60}; do # for three seconds, at all phases of the second
		before=$(date +%s)
		text=$(segment get "$key_file")
		((text >= before - 1 && text <= $(date +%s)))
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
	kill -KILL "$writer"
	wait "$writer" || true
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
	start_writer
	start reader shm_read -k "$key_file"
	await has_lines reader.out '^now time: ' 1
	kill -KILL "$writer"
	wait "$writer" || true
	id=$(segments)
	start next shm_write -k "$key_file"
	both_attached() { [[ $(ipcs -m | awk '/^0x/ { print $6 }') == 2 ]]; }
	await both_attached
	kill -TERM "$next"
	ends "$next" 0
	[[ $(segments) == "$id" || -z $(segments) ]] # or it had looked long enough
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
	kill -KILL "$old"
	wait "$old" || true
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
	kill -KILL "$old"
	wait "$old" || true
	touch keeps_the_inode && ln "$key_file" also_keeps_it # so that the new key is another one
	start again old_write "$key_file"
	segments_are 2 || await segments_are 2
	count=$(lines_of reader.out '^now time: ')
	await has_lines reader.out '^now time: ' $((count + 2))
	remove_segments
}

@test "the reader follows an old writer that gets the segment our killed one left" {
	start_writer
	start reader shm_read -k "$key_file"
	await has_lines reader.out '^now time: ' 1
	kill -KILL "$writer"
	wait "$writer" || true
	id=$(segments)
	# As an old writer whose new key file has, by chance, the same key.
	count=$(lines_of reader.out '^now time: ')
	put_and_look() {
		segment put "$key_file" "$(date +%s)" && has_lines reader.out '^now time: ' "$1"
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
	kill -KILL "$before"
	wait "$before" || true
	await segments_are 0

	start after old_read "$key_file" # makes the segment
	await segments_are 1
	start_writer
	await has_lines after.out "^now time: $(date +%s | cut -c1-7)" 2
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
	start_writer
	start reader shm_read -k "$key_file"
	await has_lines reader.out '^now time: ' 1
	kill -KILL "$writer"
	wait "$writer" || true
	await has_lines reader.err 'the time stands still at [0-9]+: the writer is gone' 1
	cp reader.out before
	run -1 --separate-stderr shm_read -k "$key_file" -t 4
	[[ -z $output && $stderr == *"stands still"* ]] # a newcomer is not told an old time either
	cmp reader.out before
	[[ $(lines_of reader.err 'stands still') == 1 ]]
	start_writer
	await has_lines reader.out '^now time: ' $(($(wc -l <before) + 2))
}

@test "a stopped writer is told from a dead one" {
	start_writer
	start reader shm_read -k "$key_file"
	await has_lines reader.out '^now time: ' 1
	kill -STOP "$writer"
	await has_lines reader.err 'the writer lives, but does not write' 1
	count=$(wc -l <reader.out)
	kill -CONT "$writer"
	await has_lines reader.out '^now time: ' $((count + 2))
}

@test "a reader that was stopped itself prints no time that has become old meanwhile" {
	start_writer
	start reader shm_read -k "$key_file"
	await has_lines reader.out '^now time: ' 1
	kill -STOP "$reader"
	last=$(tail -n 1 reader.out)
	run -0 shm_read -k "$key_file" -n 3 # so long the writer goes on
	kill -KILL "$writer"
	wait "$writer" || true
	run -1 shm_read -k "$key_file" -t 3.5 # and so long it is dead
	kill -CONT "$reader"
	await has_lines reader.err 'stands still' 1
	[[ $(tail -n 1 reader.out) == "$last" ]]
	remove_segments
}

@test "a segment that is removed is made anew, and the reader attaches the new one" {
	start_writer
	start reader shm_read -k "$key_file"
	await has_lines reader.out '^now time: ' 1
	id=$(segments)
	ipcrm -m "$id"
	await has_lines writer.err "segment $id was removed by somebody" 1
	count=$(lines_of reader.out '^now time: ')
	await has_lines reader.out '^now time: ' $((count + 2))
	[[ $(segments) != "$id" ]]
}

@test "a writer whose key file goes away ends with 1 and takes its segment along" {
	start_writer
	rm "$key_file"
	ends "$writer" 1
	grep -q 'was removed or replaced' writer.err
	segments_are 0
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
	segment put "$key_file" hello
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
	mkfifo fifo
	run -1 shm_write -k fifo
	[[ $output == *"fifo is not a regular file"*hint:* ]]
	run -1 shm_read -k "$BATS_TEST_FILENAME/under_a_file"
	[[ $output == *"cannot look at the key file"*"Not a directory"*hint:* ]]
	segments_are 0
}
