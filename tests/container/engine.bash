# SPDX-License-Identifier: Apache-2.0
# engine.bash - for bats files: containers of this test, on any engine.
#
# with-engine sets ENGINE, ENGINE_NAME, IMAGE and TINY_IMAGE.  Each container's
# name begins with the test's own prefix; teardown removes all of them.

load ../await

setup_containers() {
	cd "$BATS_TEST_TMPDIR" || return
	prefix=coshm-$$-$BATS_TEST_NUMBER
	containers=()
	private=() # an IPC namespace that nobody can join: Docker's default
	# shellcheck disable=SC2034 # for the bats files
	[[ $ENGINE_NAME != podman ]] || private=(--ipc=private)
	# shellcheck disable=SC2034
	programs=${COSHM_BUILD:?the build folder}/tests/programs
	# The embedded engine has the host's files and our programs from the build.
	PATH=$COSHM_BUILD/clock:$PATH
}

# not_here REASON: there is no such thing on this engine.  ./check --all fails for other skips.
not_here() {
	skip "not on this engine: $1"
}

# Joiners were made after their donors: removed in the reverse order.
remove_containers() {
	local i

	for ((i = ${#containers[@]} - 1; i >= 0; i--)); do
		"$ENGINE" rm -f "${containers[i]}" >/dev/null 2>&1 || true
	done
	containers=()
}

# make_folder MODE: $folder, on a tmpfs, for -v; containers of the embedded engine have another
# /dev/shm.  teardown calls remove_folder.
make_folder() {
	if [[ $ENGINE_NAME == embedded ]]; then
		folder=$BATS_TEST_TMPDIR/folder
		mkdir "$folder"
		mount -t tmpfs tmpfs "$folder"
	else
		folder=$(mktemp -d /dev/shm/coshm-folder.XXXXXX)
	fi
	chmod "$1" "$folder"
}

remove_folder() {
	[[ $ENGINE_NAME != embedded ]] || umount -l "$folder" || true
	rm -rf "$folder"
}

# run_container NAME OPTIONS... -- COMMAND...: detached; fails as the engine does
run_container() {
	local name=$prefix-$1 options=()

	shift
	while [[ $1 != -- ]]; do
		options+=("$1")
		shift
	done
	shift
	containers+=("$name")
	"$ENGINE" run -d --network none --name "$name" "${options[@]}" "$IMAGE" "$@" 3>&-
}

# e VERB NAME ARGUMENT...: the engine's verb on a container of this test
e() {
	local verb=$1 name=$prefix-$2

	shift 2
	"$ENGINE" "$verb" "$name" "$@" 3>&-
}

# logs NAME out|err
logs() {
	if [[ $2 == out ]]; then
		e logs "$1" 2>/dev/null
	else
		{ e logs "$1" >/dev/null; } 2>&1
	fi
}

# logged NAME out|err PATTERN [N]: at least N lines (1) match
logged() {
	(($(logs "$1" "$2" | grep -cE -- "$3") >= ${4:-1}))
}

# times NAME: how many lines with a time it has printed
times() {
	logs "$1" out | grep -c '^now time: ' || true
}

# more_times NAME N: it has printed more than N
more_times() {
	(($(times "$1") > $2))
}

# goes_on NAME: it prints at least two more times
goes_on() {
	await more_times "$1" $(($(times "$1") + 1))
}

# state NAME FIELD
state() {
	"$ENGINE" inspect -f "{{.State.$2}}" "$prefix-$1"
}

running() {
	[[ $(state "$1" Running) == true ]]
}

ended() {
	[[ $(state "$1" Running) == false ]]
}

# segments NAME: "key id owner perms bytes nattch" of each, seen from inside
segments() {
	e exec "$1" ipcs -m | grep '^0x' || true
}

no_segments() {
	[[ -z $(segments "$1") ]]
}
