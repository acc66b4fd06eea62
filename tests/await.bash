# SPDX-License-Identifier: Apache-2.0
# await.bash - for bats files: wait for an event instead of sleeping.

# await COMMAND...: until it succeeds.  The limit is for a failing test alone.
await() {
	local end=$((SECONDS + 60))

	until "$@" >"$BATS_TEST_TMPDIR/awaited" 2>&1; do
		if ((SECONDS >= end)); then
			cat "$BATS_TEST_TMPDIR/awaited"
			echo "waited 60 s in vain for: $*"
			return 1
		fi
		sleep 0.05
	done
}

# lines_of FILE PATTERN: how many lines match it
lines_of() {
	grep -cE -- "$2" "$1" || true
}

# has_lines FILE PATTERN N: at least N lines match
has_lines() {
	(($(lines_of "$1" "$2") >= $3))
}
