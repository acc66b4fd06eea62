# SPDX-License-Identifier: Apache-2.0
# setup.bash - for ./demo and ./check: install what is missing, or say how.

# need WHAT=PACKAGE...: make sure of programs (or, with a slash, files), by Debian's packages
need() {
	local pair what packages=() log

	for pair; do
		what=${pair%%=*}
		if [[ $what == */* ]]; then
			compgen -G "$what" >/dev/null && continue
		else
			command -v "$what" >/dev/null && continue
		fi
		packages+=("${pair#*=}")
	done
	((${#packages[@]})) || return 0
	mapfile -t packages < <(printf '%s\n' "${packages[@]}" | sort -u)

	local run=()
	if ! command -v apt-get >/dev/null; then
		printf '%s: this needs, by the names of Debian'\''s packages: %s\n' "$0" "${packages[*]}" >&2
		printf '  hint: install them with the package manager of this system, then run %s again\n' \
			"$0" >&2
		exit 1
	elif ((EUID == 0)); then
		run=(env)
	elif command -v sudo >/dev/null && sudo -n true 2>/dev/null; then
		run=(sudo -n)
	else
		printf '%s: packages are missing, and installing them needs root. Please run:\n\n' "$0" >&2
		printf '  sudo apt-get update && sudo apt-get install -y --no-install-recommends %s\n\n' \
			"${packages[*]}" >&2
		exit 1
	fi

	printf 'installing %s ...\n' "${packages[*]}" >&2
	# Runlevel 1: what comes with a package is not started as a daemon.
	log=$({
		"${run[@]}" apt-get update &&
			"${run[@]}" env DEBIAN_FRONTEND=noninteractive RUNLEVEL=1 \
				apt-get install -y --no-install-recommends "${packages[@]}"
	} 2>&1 </dev/null) || {
		tail -n 20 <<<"$log" >&2
		printf '%s: cannot install %s: see above\n' "$0" "${packages[*]}" >&2
		exit 1
	}
}
