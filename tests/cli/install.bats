#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# install.bats - what "meson install" installs.

bats_require_minimum_version 1.5.0

@test "meson install: two programs and their man pages" {
	DESTDIR=$BATS_TEST_TMPDIR meson install --no-rebuild -C "${COSHM_BUILD:?the build folder}"
	cd "$BATS_TEST_TMPDIR/usr/local"
	diff <(find . ! -type d | sort) - <<-END
		./bin/shm_read
		./bin/shm_write
		./share/man/man1/shm_read.1
		./share/man/man1/shm_write.1
	END
	for program in shm_read shm_write; do
		run -0 "./bin/$program" --version
		grep -q "^\\.TH \"$program\"" "share/man/man1/$program.1"
	done
}
