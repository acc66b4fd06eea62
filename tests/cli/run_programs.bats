#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# run_programs.bats - programs that others wrote, unmodified, under "coshm run": two of
# them share a folder and nothing else, each in IPC and mount namespaces of its own.
# shellcheck disable=SC2154 # what run sets

bats_require_minimum_version 1.5.0

load ../await

setup() {
	# A sanitizer's own library wants to be the first that a program loads.
	! grep -q __asan_init "${COSHM_BUILD:?the build folder}/shim/libcoshm-preload.so" ||
		skip "not with a sanitizer: it is no preload"
	shared=$BATS_TEST_TMPDIR/shared
	mkdir -m 1777 "$shared"
	# For programs that change to another user: the build may lie where that one cannot read.
	export COSHM_PRELOAD=$shared/libcoshm-preload.so
	cp "$COSHM_BUILD/shim/libcoshm-preload.so" "$shared"
	chmod 755 "$BATS_RUN_TMPDIR" "$BATS_TEST_TMPDIR"
	cd "$BATS_TEST_TMPDIR" || return
}

has() {
	local program

	for program; do
		command -v "$program" >/dev/null || skip "$program is not installed"
	done
}

# apart COMMAND...: under "coshm run", where no IPC object of another one is seen
apart() {
	# shellcheck disable=SC2016
	unshare --ipc --mount sh -c 'mount -t tmpfs tmpfs /dev/shm && exec "$@"' sh \
		"$COSHM_BUILD/cli/coshm" run --dir "$shared" -- "$@"
}

# nothing_left: no object is there any more
nothing_left() {
	[[ -z $(find "$shared" -path '*/.sysv/*-*' -o -path '*/.posix/*') ]] || {
		find "$shared"
		return 1
	}
}

@test "Python: sysv_ipc's segment, semaphore and queue" {
	/usr/bin/python3 -c 'import sysv_ipc' || skip "python3-sysv-ipc is not installed"
	cat >server.py <<-'END'
		import sysv_ipc as s
		memory = s.SharedMemory(4242, s.IPC_CREX, size=4096)
		semaphore = s.Semaphore(4242, s.IPC_CREX)
		queue = s.MessageQueue(4242, s.IPC_CREX)
		print("ready", flush=True)
		message, kind = queue.receive()
		memory.write(message.upper())
		semaphore.release()
		queue.receive(type=9)
		for thing in memory, semaphore, queue:
		    thing.remove()
	END
	cat >client.py <<-'END'
		import sysv_ipc as s
		memory = s.SharedMemory(4242)
		semaphore = s.Semaphore(4242)
		queue = s.MessageQueue(4242)
		queue.send(b"hello", type=3)
		semaphore.acquire()
		print(memory.read(5).decode())
		semaphore.release()
		queue.send(b"", type=9)
	END
	apart /usr/bin/python3 server.py >server.out 2>&1 3>&- &
	server=$!
	await grep -q ready server.out
	run -0 apart /usr/bin/python3 client.py
	[[ $output == HELLO ]]
	wait "$server"
	nothing_left
}

@test "Python: multiprocessing.shared_memory" {
	has python3
	cat >server.py <<-'END'
		import sys
		from multiprocessing import shared_memory
		memory = shared_memory.SharedMemory("there", create=True, size=64)
		memory.buf[:5] = b"hello"
		print("ready", flush=True)
		sys.stdin.readline()
		memory.close()
		memory.unlink()
	END
	cat >client.py <<-'END'
		from multiprocessing import resource_tracker, shared_memory
		memory = shared_memory.SharedMemory("there")
		# Else its tracker removes what another program made.
		resource_tracker.unregister("/there", "shared_memory")
		print(bytes(memory.buf[:5]).decode())
		memory.close()
	END
	mkfifo go
	apart /usr/bin/env python3 server.py <go >server.out 2>&1 3>&- &
	server=$!
	exec 9>go
	await grep -q ready server.out
	run -0 apart /usr/bin/env python3 client.py
	[[ $output == hello ]]
	echo >&9
	exec 9>&-
	wait "$server"
	nothing_left
}

@test "Perl: IPC::SysV and IPC::Shareable" {
	has perl
	perl -MIPC::Shareable -e 1 || skip "libipc-shareable-perl is not installed"
	cat >server.pl <<-'END'
		use IPC::Shareable;
		use IPC::SysV qw(IPC_CREAT IPC_RMID);
		use IPC::Msg;
		$| = 1;
		my $queue = IPC::Msg->new(77, IPC_CREAT | 0600) or die "queue: $!";
		tie my %h, 'IPC::Shareable', { key => 'glue', create => 1, destroy => 1 };
		$h{greeting} = 'hello';
		print "ready\n";
		my $got;
		$queue->rcv($got, 100) or die "rcv: $!";
		print "$got $h{answer}\n";
		$queue->remove;
		IPC::Shareable->clean_up_all;
	END
	cat >client.pl <<-'END'
		use IPC::Shareable;
		use IPC::Msg;
		tie my %h, 'IPC::Shareable', { key => 'glue' };
		(tied %h)->shlock;
		$h{answer} = $h{greeting} . ' back';
		(tied %h)->shunlock;
		IPC::Msg->new(77, 0600)->snd(1, 'done') or die "snd: $!";
	END
	apart perl server.pl >server.out 2>&1 3>&- &
	server=$!
	await grep -q ready server.out
	apart perl client.pl
	wait "$server"
	[[ $(tail -n 1 server.out) == "done hello back" ]]
	nothing_left
}

@test "PHP: shmop, sysvshm, sysvsem and sysvmsg, whose modules are loaded deep-bound" {
	has php
	php -m | grep -q sysvmsg || skip "PHP has no sysvmsg"
	cat >server.php <<-'END'
		<?php
		$m = shmop_open(0x99, 'c', 0600, 100);
		$v = shm_attach(0x98, 10000, 0600);
		$s = sem_get(0x97, 1, 0600, true);
		$q = msg_get_queue(0x96, 0600);
		sem_acquire($s);
		echo "ready\n";
		msg_receive($q, 0, $kind, 100, $text);
		shmop_write($m, strtoupper($text), 0);
		shm_put_var($v, 1, ['answer' => 42]);
		sem_release($s);
		msg_receive($q, 5, $kind, 100, $text);
		shmop_delete($m);
		shm_remove($v);
		sem_remove($s);
		msg_remove_queue($q);
	END
	cat >client.php <<-'END'
		<?php
		$q = msg_get_queue(0x96);
		msg_send($q, 1, 'hello');
		$s = sem_get(0x97, 1, 0600, true);
		sem_acquire($s);
		$m = shmop_open(0x99, 'a', 0, 0);
		$v = shm_attach(0x98);
		echo shmop_read($m, 0, 5), ' ', shm_get_var($v, 1)['answer'], "\n";
		sem_release($s);
		msg_send($q, 5, 'done');
	END
	apart php server.php >server.out 2>&1 3>&- &
	server=$!
	await grep -q ready server.out
	run -0 apart php client.php
	[[ $output == "HELLO 42" ]]
	wait "$server"
	nothing_left
}

@test "PostgreSQL with shared_memory_type=sysv, under pgbench" {
	pg=$(echo /usr/lib/postgresql/*/bin)
	[[ -x $pg/initdb ]] || skip "PostgreSQL is not installed"
	# It refuses to be root.
	as=(setpriv --reuid=postgres --regid=postgres --clear-groups)
	mkdir data
	chown postgres: data
	"${as[@]}" "$pg/initdb" -D data -A trust >init.log 2>&1
	cat >>data/postgresql.conf <<-END
		shared_memory_type = sysv
		dynamic_shared_memory_type = posix
		listen_addresses = ''
		unix_socket_directories = '$PWD/data'
		fsync = off
	END
	# In one process, so that our signal gets there.
	apart "${as[@]}" "$pg/postgres" -D data >postgres.log 2>&1 3>&- &
	postgres=$!
	await grep -q 'ready to accept' postgres.log
	[[ $(find "$shared/.sysv" -name 'shm-*' | wc -l) == 1 ]]
	"${as[@]}" "$pg/pgbench" -h "$PWD/data" -i -q postgres
	run -0 "${as[@]}" "$pg/pgbench" -h "$PWD/data" -c 4 -j 2 -t 50 postgres
	[[ $output == *'actually processed: 200/200'* ]]
	kill -INT "$(head -n 1 data/postmaster.pid)"
	wait "$postgres"
	nothing_left
}

@test "stress-ng finds nothing wrong" {
	has stress-ng
	for stressor in shm-sysv sem-sysv msg shm sem; do
		run -0 apart stress-ng --$stressor 2 --$stressor-ops 500 --verify -t 20
		[[ $output == *'successful run completed'* ]]
	done
	nothing_left
}
