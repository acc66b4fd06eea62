#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# walkthrough.bats - the README's walk-through, typed as it stands there into two
# terminals, on the engine that with-engine names.
# shellcheck disable=SC2154 # what engine.bash sets

bats_require_minimum_version 1.5.0

load engine

readme=$BATS_TEST_DIRNAME/../../README.md

setup() {
	setup_containers
	# The names in the README are those of a reader's own images and containers.
	[[ $COSHM_OWN_ENGINE ]] || skip "on an engine of the test's own alone"
	terminals=()
}

teardown() {
	local name

	for name in "${terminals[@]}"; do
		"$ENGINE" rm -f "$name" >/dev/null 2>&1 || true
	done
}

# steps: the README's lines that are typed: "$ COMMAND" and "root@NAME:/# COMMAND"
steps() {
	sed -n '/^<!-- walk-through/,/^<!-- end of the walk-through/p' "$readme" |
		grep -E '^(\$|root@[a-z]+:/#) ' | sed "s/^\\\$ docker /\$ $ENGINE /"
}

# open_terminal NAME COMMAND: what appears on it is in NAME.screen, what is typed goes to fd NAME
open_terminal() {
	mkfifo "$1.keys"
	script -qfec "$2" "$1.screen" <"$1.keys" >/dev/null 2>&1 3>&- &
	exec {fd}>"$1.keys"
	declare -g "$1=$fd"
	terminals+=("$1")
	await prompts "$1" 1
}

# prompts NAME N: the shell on that terminal has asked N times
prompts() {
	(($(grep -oF "root@$1:/# " "$1.screen" | wc -l) >= $2))
}

# type NAME COMMAND: and wait until it is done; what it printed is in $output
type_line() {
	local asked before

	asked=$(grep -oF "root@$1:/# " "$1.screen" | wc -l)
	before=$(wc -c <"$1.screen")
	echo "$2" >&"${!1}"
	if [[ $2 == shm_read ]]; then # goes on until ^C
		await has_lines "$1.screen" '^now time: [0-9]+' 3
		printf '\003' >&"${!1}"
	fi
	await prompts "$1" $((asked + 1))
	[[ $2 != *'&' ]] || await has_lines "$1.screen" 'writing the time into segment' 1
	output=$(tail -c +$((before + 1)) "$1.screen" | tr -d '\r')
}

@test "the walk-through in the README works as it is written" {
	declare -A shown
	mapfile -t lines < <(steps)
	[[ ${#lines[@]} == 8 ]]

	for line in "${lines[@]}"; do
		echo "> $line"
		prompt=${line%%' '*} command=${line#*[\$\#] }
		case $prompt:$command in
		'$:'*' build '*)
			(cd "$(dirname "$readme")" && ${command/ build / build --network=host } >/dev/null)
			;;
		'$:'*' run '*)
			name=${command##*--hostname } name=${name%% *}
			open_terminal "$name" "$command"
			;;
		*)
			name=${prompt#root@} name=${name%:/#}
			type_line "$name" "$command"
			echo "$output"
			shown[$name:$command]+=$(grep -E '^0x|^now time: ' <<<"$output" || true)$'\n'
			;;
		esac
	done

	# ipcs in the writer: first empty, then one segment, which the reader has, too.
	mapfile -t writer <<<"${shown[writer:ipcs -m]}"
	[[ ${writer[0]} == '' && ${writer[1]} =~ ^0x.*\ 4096\ +1\  ]]
	mapfile -t reader <<<"${shown[reader:ipcs -m]}"
	[[ ${reader[0]%% 600 *} == "${writer[1]%% 600 *}" ]]
	mapfile -t times < <(grep '^now time: ' <<<"${shown[reader:shm_read]}")
	((${#times[@]} >= 3))
}

@test "what the README says of a private donor and of a removed one is true" {
	run_container donor -- shm_read
	if [[ $ENGINE == docker ]]; then
		run -125 run_container joiner "--ipc=container:$prefix-donor" -- shm_read
		[[ $output == *"can't join IPC of container "*": non-shareable IPC"* ]]
	else
		run_container joiner "--ipc=container:$prefix-donor" -- shm_read
	fi

	run_container other_donor --ipc=shareable -- shm_write
	run_container other_joiner "--ipc=container:$prefix-other_donor" -- shm_read
	await more_times other_joiner 0
	if [[ $ENGINE == docker ]]; then
		e rm other_donor -f
		running other_joiner
		e stop other_joiner
		run e start other_joiner
		[[ $status != 0 && $output == *"No such container"* ]]
	else # Podman does not let go of a donor that has joiners
		run e rm other_donor -f
		[[ $status != 0 && $output == *"dependent containers"* ]]
	fi
}
