#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# coshm.bats - coshm pub and coshm sub in two containers, on the engine that
# with-engine names.  Every program here is PID 1 of its container.
#
# Most tests run twice: over a shared IPC namespace, whose /dev/shm both see, and
# over a folder that is mounted in both, each with an IPC namespace of its own.
# shellcheck disable=SC2154 # what engine.bash sets

bats_require_minimum_version 1.5.0

load engine

setup() {
	setup_containers
	make_folder 755
	fed=()
}

teardown() {
	local fd

	for fd in "${fed[@]}"; do eval "exec $fd>&-"; done
	remove_containers
	remove_folder
}

# over ipc|folder: how the containers of this test share memory
over() {
	echo "over $1"
	mounts=(-v "$programs:/srv:ro" -v "$folder:/mnt")
	first=("${mounts[@]}") others=("${mounts[@]}") way=$1
	if [[ $1 == ipc ]]; then
		first+=(--ipc=shareable)
		others+=("--ipc=container:$prefix-donor")
		dir=/dev/shm/coshm
	else
		first+=("${private[@]}") others+=("${private[@]}")
		dir=/mnt
	fi
	first+=(-e "COSHM_DIR=$dir") others+=(-e "COSHM_DIR=$dir")
	# It only holds the namespace, and lends us coshm to look at channels with.  Unlike sleep
	# as PID 1, it ends when it is told to.
	run_container donor "${first[@]}" -- /srv/coshm sub nothing
	[[ $way != ipc ]] || e exec donor mkdir -m 1777 "$dir"
}

# both_ways TEST: a function
both_ways() {
	for way in ipc folder; do
		over "$way"
		"$1"
		remove_containers
	done
}

# sub NAME ARGUMENT...
sub() {
	run_container "$1" "${others[@]}" -- /srv/coshm sub "${@:2}"
}

# pub NAME ARGUMENT...: what is written into the descriptor $NAME is its input
pub() {
	local fd

	[[ -p $folder/$1.in ]] || mkfifo "$folder/$1.in"
	# shellcheck disable=SC2016
	run_container "$1" "${others[@]}" -- sh -c 'in=$1; shift; exec /srv/coshm pub "$@" <"$in"' \
		sh "/mnt/$1.in" "${@:2}"
	exec {fd}<>"$folder/$1.in"
	fed+=("$fd")
	declare -g "$1=$fd"
}

# pub_file NAME FILE ARGUMENT...: the same, from a file in the folder to its end
pub_file() {
	# shellcheck disable=SC2016
	run_container "$1" "${others[@]}" -- sh -c 'in=$1; shift; exec /srv/coshm pub "$@" <"$in"' \
		sh "/mnt/$2" "${@:3}"
}

# pub_then_sub CHANNEL OPTION...: one of each, named like that; the options are pub's
pub_then_sub() {
	pub pub "${@:2}" "$1"
	await peers "$1" publisher alive 1
	sub sub "$1"
	await peers "$1" subscriber alive 1
}

# peers CHANNEL ROLE STATE N: so many of them, now
peers() {
	(($({ e exec donor /srv/coshm info --json --dir "$dir" "$1" || true; } | tr -d '\n' |
		grep -oE "\"role\": \"$2\", *\"state\": \"$3\"" | wc -l) == $4))
}

killed() {
	"$ENGINE" kill -s KILL "$prefix-$1"
	await ended "$1"
}

ended_well() {
	await ended "$1"
	[[ $(state "$1" ExitCode) == 0 ]]
}

stream_in_order() {
	seq 20000 >"$folder/numbers"
	sub sub --count 20000 ticks
	await logged sub err 'waiting for the channel'
	pub_file pub numbers --subscribers 1 ticks
	ended_well pub
	ended_well sub
	diff <(seq 20000) <(logs sub out)
	[[ -z $(logs pub err) ]]
}

@test "stream: every line in order, from one container to another" {
	both_ways stream_in_order
}

at_once() {
	pub_then_sub ticks
	[[ $(e exec sub cat /proc/1/comm) == coshm && $(e exec pub cat /proc/1/comm) == coshm ]]
	for i in 1 2 3; do
		echo "line $i" >&"$pub"
		await logged sub out "^line $i$"
	done
}

@test "a line is in the log as soon as it is published; both programs are PID 1" {
	both_ways at_once
}

stopped() {
	pub_then_sub ticks
	e stop sub
	[[ $(state sub ExitCode) == 0 ]] # 137 if it had to be killed
	"$ENGINE" kill -s INT "$prefix-pub"
	ended_well pub
	peers ticks '[a-z]+' '[a-z]+' 0
	e exec donor /srv/coshm rm --dir "$dir" ticks
}

@test "stopped, both end with 0 long before the engine would kill them, and both leave" {
	both_ways stopped
}

killed_publisher() {
	pub_then_sub ticks
	echo before >&"$pub"
	await logged sub out '^before$'
	killed pub
	await logged sub err 'the publisher of .*/ticks has died: it was pid 1 \(coshm\) in '
	peers ticks publisher dead 1
	pub next ticks
	echo after >&"$next"
	await logged sub out '^after$'
	[[ $(logs sub err | grep -c 'has died') == 1 ]]
	peers ticks publisher alive 1
}

@test "a killed publisher is noticed, and the next one goes on" {
	both_ways killed_publisher
}

killed_subscriber() {
	pub pub --slots 4 ticks
	await peers ticks publisher alive 1
	sub good ticks
	sub bad ticks
	await peers ticks subscriber alive 2
	e pause bad
	seq 100 >&"$pub"
	await peers ticks subscriber still 1
	[[ $(logs good out | wc -l) -lt 10 ]] # the publisher waits for the paused one
	killed bad
	await logged good out '^100$'
	diff <(seq 100) <(logs good out)
}

@test "lossless: a paused subscriber is waited for, a killed one is not" {
	both_ways killed_subscriber
}

paused_subscriber() {
	pub_then_sub ticks --slots 4
	e pause sub
	seq 100 >&"$pub"
	await peers ticks subscriber still 1
	peers ticks subscriber dead 0
	e unpause sub
	await logged sub out '^100$'
	diff <(seq 100) <(logs sub out)
}

@test "lossless: a paused subscriber goes on where it was, nothing is lost" {
	both_ways paused_subscriber
}

overwritten() {
	pub_then_sub ticks --policy overwrite --slots 4
	e pause sub
	seq 100 >&"$pub"
	await peers ticks subscriber still 1
	e unpause sub
	await logged sub out '^100$'
	await logged sub err 'lost [0-9]+ messages of ticks'
	lost=$(logs sub err | awk '/: lost / { n += $3 } END { print n }')
	[[ $((lost + $(logs sub out | wc -l))) == 100 ]]
}

@test "overwrite: a paused subscriber is told how much it lost" {
	both_ways overwritten
}

newest() {
	pub pub --latest value
	await peers value publisher alive 1
	echo 1 >&"$pub"
	sub sub --latest value
	await logged sub out '^1$'
	e pause sub
	seq 2 1000 >&"$pub"
	sub witness value
	await logged witness out '^1000$'
	e unpause sub
	await logged sub out '^1000$'
	killed pub
	await logged sub err 'has died'
	sub late --count 1 value # the value outlives its publisher
	ended_well late
	[[ $(logs late out) == 1000 ]]
}

@test "latest: newcomers and paused ones get the newest value, also of a dead publisher" {
	both_ways newest
}

# both_have N: different lines
both_have() {
	(($({ logs one out; logs two out; } | sort -u | wc -l) >= $1))
}

each_once() {
	seq 5000 >"$folder/numbers"
	pub_file pub numbers --queue --subscribers 2 jobs
	sub one jobs
	sub two jobs
	ended_well pub
	await both_have 5000
	diff <(seq 5000 | sort) <({ logs one out; logs two out; } | sort)
}

@test "queue: two consumers get each message once, between them" {
	both_ways each_once
}

queue_killed() {
	pub pub --queue jobs
	await peers jobs producer alive 1
	sub one jobs
	sub two jobs
	await peers jobs consumer alive 2
	e pause one
	seq 100 >&"$pub"
	await logged two out '^100$'
	killed one # what it had, if anything, goes to the other one
	killed pub
	pub next jobs
	seq 101 200 >&"$next"
	await logged two out '^200$'
	await both_have 200
}

@test "queue: consumers and producers that are paused and killed lose nothing" {
	both_ways queue_killed
}

restarted() {
	pub_then_sub ticks
	echo 1 >&"$pub"
	await logged sub out '^1$'
	e restart pub # its shell opens the pipe again
	await peers ticks publisher alive 1
	echo 2 >&"$pub"
	await logged sub out '^2$'
	[[ $(logs sub err) != *died* ]]
	e restart sub
	await peers ticks subscriber alive 1
	echo 3 >&"$pub"
	await logged sub out '^3$'
}

@test "both can be restarted" {
	both_ways restarted
}

@test "a second publisher is refused by the name of the first one's container" {
	over ipc
	mkfifo "$folder/never"
	run_container named "${others[@]}" --hostname first-one -- \
		sh -c 'exec /srv/coshm pub ticks <>/mnt/never'
	await peers ticks publisher alive 1
	: >"$folder/nothing"
	pub_file second nothing ticks
	await ended second
	[[ $(state second ExitCode) == 2 ]]
	logged second err 'has a publisher that is alive: pid 1 \(coshm\) in first-one'
}

@test "containers that share nothing do not meet, and sub says where it looks" {
	over folder
	run_container alone "${private[@]}" -v "$programs:/srv:ro" -- /srv/coshm sub -t 1 ticks
	echo 1 >"$folder/numbers"
	pub_file pub numbers ticks
	ended_well pub
	await ended alone
	[[ $(state alone ExitCode) == 1 ]]
	logged alone err '/dev/shm/coshm: No such file or directory'
	logged alone err 'hint: .*shared with this container'
}
