#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# install.bats - what "meson install" installs.

bats_require_minimum_version 1.5.0

@test "meson install: programs, library, header, man pages and completions, and nothing else" {
	DESTDIR=$BATS_TEST_TMPDIR meson install --no-rebuild -C "${COSHM_BUILD:?the build folder}"
	cd "$BATS_TEST_TMPDIR/usr/local"
	# Debian has a folder for each processor in lib; without dpkg-dev, Meson takes lib64.
	diff <(find . ! -type d | sed -E 's#^\./lib[^/]*/([a-z0-9_]*-linux-gnu[^/]*/)?#./lib/#' | sort) - <<-END
		./bin/coshm
		./bin/shm_read
		./bin/shm_write
		./include/coshm.h
		./lib/libcoshm-preload.so
		./lib/libcoshm.a
		./lib/libcoshm.so
		./lib/libcoshm.so.0
		./lib/libcoshm.so.0.1.0
		./lib/pkgconfig/coshm.pc
		./share/bash-completion/completions/coshm
		./share/man/man1/coshm-clean.1
		./share/man/man1/coshm-doctor.1
		./share/man/man1/coshm-grow.1
		./share/man/man1/coshm-info.1
		./share/man/man1/coshm-ls.1
		./share/man/man1/coshm-ps.1
		./share/man/man1/coshm-pub.1
		./share/man/man1/coshm-rm.1
		./share/man/man1/coshm-run.1
		./share/man/man1/coshm-sub.1
		./share/man/man1/coshm-top.1
		./share/man/man1/coshm-watch.1
		./share/man/man1/coshm.1
		./share/man/man1/shm_read.1
		./share/man/man1/shm_write.1
		./share/man/man3/coshm_latest.3
		./share/man/man3/coshm_queue.3
		./share/man/man3/coshm_stream.3
		./share/man/man7/coshm.7
		./share/zsh/site-functions/_coshm
	END
	for program in shm_read shm_write coshm; do
		run -0 "./bin/$program" --version
		grep -q "^\\.TH \"$program\"" "share/man/man1/$program.1"
	done
}
