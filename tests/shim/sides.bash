# SPDX-License-Identifier: Apache-2.0
# sides.bash - for same and alike: the two sides, the kernel's System V IPC and the
# preload's.
#
# Set before:
: "${preload:?}" "${work:?a folder}" "${limit:?seconds a run may take}"

# native OUTPUT COMMAND...: in an IPC namespace of its own
native() {
	timeout -k 5 "$limit" unshare --ipc -- "${@:2}" >"$1" 2>&1 </dev/null
}

# shimmed OUTPUT COMMAND...: with the preload, in a directory of its own.  The kernel makes no
# object there: calls that pass the preload by would fail, not agree.
shimmed() {
	local dir=$work/shared status=0

	mkdir "$dir"
	chmod 755 "$work" # some calls are made by another user
	chmod 1777 "$dir"
	# shellcheck disable=SC2016
	timeout -k 5 "$limit" unshare --ipc -- bash -c '
		if [[ ! $COSHM_SAME_KERNEL ]]; then
			echo 0 >/proc/sys/kernel/shmmni && echo 0 >/proc/sys/kernel/msgmni &&
				echo "32000 1024000000 500 0" >/proc/sys/kernel/sem || exit
		fi
		COSHM_DIFFER_EXPECT=$3 COSHM_DIR=$1 LD_PRELOAD=$2 exec "${@:4}"' bash "$dir" "$preload" "$work/native" "${@:2}" \
		>"$1" 2>&1 </dev/null || status=$?
	rm -rf --one-file-system "$dir"
	return "$status"
}

# compare NUMBER NAME COMMAND...: both sides, and one line of TAP
compare() {
	local n=$1 name=$2 left=0 right=0

	native "$work/native" "${@:3}" || left=$?
	shimmed "$work/preload" "${@:3}" || right=$?
	if ((left == 0 && right == 0)) && cmp -s "$work/native" "$work/preload"; then
		printf 'ok %d %s, %d lines\n' "$n" "$name" "$(wc -l <"$work/native")"
		return 0
	fi
	printf 'not ok %d %s\n' "$n" "$name"
	((left == 0)) || printf '# natively it ended with status %d\n' "$left"
	((right == 0)) || printf '# with the preload it ended with status %d\n' "$right"
	diff -U "3" "$work/native" "$work/preload" | sed -n "s/^/# /;1,${COSHM_SAME_LINES:-40}p"
	return 1
}
