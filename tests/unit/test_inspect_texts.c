/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_inspect_texts.c - texts of the kernel, and damaged ones.
 */
#include "inspect_scene.h"

static void test_stat(void **state)
{
	struct stat_line out;
	const char *text =
		"12 (a) b (c) S 3 12 12 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 1 0 4711 9 9\n";

	(void)state;
	assert_true(stat_parse(TEXT(text), &out));
	assert_true(same(out.command, "a) b (c"));
	assert_int_equal(out.state, 'S');
	assert_int_equal(out.ppid, 3);
	assert_int_equal(out.start_ticks, 4711);
	assert_false(out.kernel_thread);
	assert_true(stat_parse(TEXT("2 (kthreadd) S 0 0 0 0 -1 2129984 0 0 0 0 0 0 0 0 20 0 1 0 7"),
			       &out));
	assert_true(out.kernel_thread);
	assert_false(stat_parse(TEXT(""), &out));
	assert_false(stat_parse(TEXT("12 )a( S 3"), &out));
	assert_false(stat_parse(TEXT("12 (a) S 3 12 12"), &out));
	assert_false(stat_parse(TEXT("12 (a) Sleeping 3"), &out));
}

static void test_status(void **state)
{
	struct status_lines out;

	(void)state;
	assert_true(status_parse(TEXT("Name:\ta\nUid:\t1\t2\t3\t4\nGid:\t5\t6\t7\t8\n"
				      "NStgid:\t90\t1\nNSpid:\t90\t17\t1\nUid:\t9\t9\n"),
				 &out));
	assert_int_equal(out.uid, 2);
	assert_int_equal(out.gid, 6);
	assert_int_equal(out.inner_pid, 1);
	assert_true(status_parse(TEXT("Uid:\n"), &out));
	assert_false(status_parse(TEXT("Name:\tUid:\n"), &out));
}

static void test_freezer(void **state)
{
	struct span path;
	bool unified;

	(void)state;
	assert_true(freezer_parse(TEXT("0::/a\n5:freezer:/docker/1\n3:cpu,cpuacct:/b\n"), &path,
				  &unified));
	assert_true(same(path, "/docker/1"));
	assert_false(unified);
	assert_true(freezer_parse(TEXT("9:name=systemd:/x\n0::/a.slice\n"), &path, &unified));
	assert_true(same(path, "/a.slice"));
	assert_true(unified);
	assert_false(freezer_parse(TEXT("4:memory:/\nfreezer:/a\n"), &path, &unified));
}

static const char shm_text[] =
	"       key      shmid perms                  size  cpid  lpid nattch   uid   gid  cuid  "
	"cgid      atime      dtime      ctime                   rss                  swap\n"
	"      5678          3  1640                 10000    11    12      2  1000  1001  1002  "
	"1003 1700000001 1700000002 1700000003                  8192                  4096\n"
	"        -1 2147483647  2600  18446744073709551615     0     0      0     0     0     0  "
	"   0          0          0          0                     0                     0\n"
	/* One huge page of 2 MiB, as Linux 6 counts it. */
	"         7          4   600               2097152     1     1      1     0     0     0  "
	"   0          0          0          0            1073741824                     0\n";

static void test_shm(void **state)
{
	struct sysv_table t;
	struct object o;

	(void)state;
	assert_true(sysv_open(&t, OBJECT_SHM, TEXT(shm_text)));
	assert_true(sysv_next(&t, &o));
	assert_int_equal(o.kind, OBJECT_SHM);
	assert_int_equal(o.key, 0x162e);
	assert_int_equal(o.id, 3);
	assert_int_equal(o.mode, 0640);
	assert_int_equal(o.status, STATUS_DEST);
	assert_int_equal(o.bytes, 10000);
	assert_int_equal(o.cpid, 11);
	assert_int_equal(o.lpid, 12);
	assert_int_equal(o.count, 2);
	assert_int_equal(o.uid, 1000);
	assert_int_equal(o.gid, 1001);
	assert_int_equal(o.cuid, 1002);
	assert_int_equal(o.cgid, 1003);
	assert_int_equal(o.atime, 1700000001);
	assert_int_equal(o.dtime, 1700000002);
	assert_int_equal(o.ctime, 1700000003);
	assert_int_equal(o.allocated, 12288);
	assert_int_equal(o.swapped, 4096);
	assert_true(sysv_next(&t, &o));
	assert_int_equal(o.key, -1);
	assert_int_equal(o.id, INT32_MAX);
	assert_int_equal(o.status, STATUS_LOCKED);
	assert_true(o.bytes == UINT64_MAX);
	assert_true(sysv_next(&t, &o));
	assert_int_equal(o.status, STATUS_HUGE);
	assert_int_equal(o.allocated, 2097152);
	assert_false(sysv_next(&t, &o));
}

/* A line that is short, or has a word in it, is none; the next one is. */
static void test_damaged_table(void **state)
{
	struct sysv_table t;
	struct object o;

	(void)state;
	assert_true(sysv_open(&t, OBJECT_SEM,
			      TEXT(" key semid perms new nsems uid\n1 2\n1 x 600 0 1 1\n"
				   "7 8 600 99999999999999999999 3 4\n\n7 8 600 5 3 4\n")));
	assert_true(sysv_next(&t, &o));
	assert_int_equal(o.id, 8);
	assert_int_equal(o.count, 3);
	assert_int_equal(o.uid, 4);
	assert_false(sysv_next(&t, &o));
	assert_false(sysv_open(&t, OBJECT_SEM, TEXT("")));
	assert_false(sysv_open(&t, OBJECT_SEM, TEXT("no such columns\n1 2 3\n")));
}

static void test_msg(void **state)
{
	struct sysv_table t;
	struct object o;

	(void)state;
	assert_true(
		sysv_open(&t, OBJECT_MSG,
			  TEXT("       key      msqid perms      cbytes       qnum lspid lrpid "
			       "  uid   gid  cuid  cgid      stime      rtime      ctime\n"
			       "       -5          4   622          10          2    77    78    "
			       "0     0     0     0 100 200 300\n")));
	assert_true(sysv_next(&t, &o));
	assert_int_equal(o.key, -5);
	assert_int_equal(o.mode, 0622);
	assert_int_equal(o.bytes, 10);
	assert_int_equal(o.count, 2);
	assert_int_equal(o.lpid, 77);
	assert_int_equal(o.atime, 100);
	assert_int_equal(o.dtime, 200);
	assert_int_equal(o.ctime, 300);
}

static void test_limits(void **state)
{
	struct ipc_limits l = { 0 };

	(void)state;
	limits_parse(TEXT("shmmax 18446744073692774399\nshmall 5\nshmmni\t4096\n"
			  "sem 32000\t1024000000\t500\t32001\nmsgmax 8192\nmsgmnb x\nother 1\n"
			  "msgmni 7\nqueues_max 256\n\nmsg_max 10\nmsgsize_max 8193"),
		     &l);
	assert_true(l.shmmax == UINT64_C(18446744073692774399));
	assert_int_equal(l.shmall, 5);
	assert_int_equal(l.shmmni, 4096);
	assert_int_equal(l.semmsl, 32000);
	assert_int_equal(l.semmns, 1024000000);
	assert_int_equal(l.semopm, 500);
	assert_int_equal(l.semmni, 32001);
	assert_int_equal(l.msgmax, 8192);
	assert_int_equal(l.msgmnb, 0);
	assert_int_equal(l.msgmni, 7);
	assert_int_equal(l.mq_queues, 256);
	assert_int_equal(l.mq_msg, 10);
	assert_int_equal(l.mq_msgsize, 8193);
}

static void test_mqueue(void **state)
{
	uint64_t bytes = 1;

	(void)state;
	assert_true(mqueue_parse(TEXT("QSIZE:129       NOTIFY:2     SIGNO:0     NOTIFY_PID:8260\n"),
				 &bytes));
	assert_int_equal(bytes, 129);
	assert_false(mqueue_parse(TEXT("QSIZE:"), &bytes));
	assert_false(mqueue_parse(TEXT("NOTIFY:2"), &bytes));
}

static void test_mountinfo(void **state)
{
	const char *text =
		"25 24 0:23 / /dev/shm rw,relatime shared:3 master:1 - tmpfs tmpfs rw,size=64k\n"
		"garbage\n26 24 x:23 / / rw - tmpfs a b\n27 24 1:2 / /a rw\n"
		"28 24 254:1 /a\\040b /c\\134d rw - ext4 /dev/vda1 rw\n";
	struct span rest = span_of(TEXT(text));
	struct memory *m = memory_new();
	struct mount_line line;

	(void)state;
	assert_true(mountinfo_next(&rest, &line));
	assert_int_equal(line.dev_major, 0);
	assert_int_equal(line.dev_minor, 23);
	assert_true(same(line.point, "/dev/shm"));
	assert_true(same(line.fs, "tmpfs"));
	assert_true(same(line.super, "rw,size=64k"));
	assert_true(mountinfo_next(&rest, &line));
	assert_string_equal(mount_unescape(m, line.root), "/a b");
	assert_string_equal(mount_unescape(m, line.point), "/c\\d");
	assert_false(mountinfo_next(&rest, &line));
	assert_string_equal(mount_unescape(m, span_of(TEXT("\\04"))), "\\04");
	assert_string_equal(mount_unescape(m, span_of(TEXT("\\999\\"))), "\\999\\");
	memory_free(m);
}

static void test_maps(void **state)
{
	const char *text = "7f10-7f30 rw-s 00001000 00:1b 12                         /dev/shm/a b\n"
			   "bad\n30-20 r--p 0 00:00 0\n"
			   "40-50 r--p 00000000 fe:00 34\n";
	struct span rest = span_of(TEXT(text));
	struct map_line line;

	(void)state;
	assert_true(maps_next(&rest, &line));
	assert_int_equal(line.start, 0x7f10);
	assert_int_equal(line.bytes, 0x20);
	assert_int_equal(line.offset, 0x1000);
	assert_int_equal(line.dev_minor, 0x1b);
	assert_int_equal(line.ino, 12);
	assert_true(line.shared && line.writable);
	assert_true(same(line.path, "/dev/shm/a b"));
	assert_true(maps_next(&rest, &line));
	assert_int_equal(line.dev_major, 0xfe);
	assert_false(line.shared || line.writable);
	assert_true(same(line.path, ""));
	assert_false(maps_next(&rest, &line));
}

static void test_table(void **state)
{
	struct memory *m = memory_new();
	struct table t = { 0 };

	(void)state;
	assert_int_equal(table_find(&t, 1, 2), -1);
	for (int i = 0; i < 10000; i++)
		table_put(&t, m, (uint64_t)i / 100, (uint64_t)i % 100 << 32, i);
	for (int i = 0; i < 10000; i++)
		assert_int_equal(table_find(&t, (uint64_t)i / 100, (uint64_t)i % 100 << 32), i);
	assert_int_equal(table_find(&t, 0, 1), -1);
	memory_free(m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_stat),          cmocka_unit_test(test_status),
		cmocka_unit_test(test_freezer),       cmocka_unit_test(test_shm),
		cmocka_unit_test(test_damaged_table), cmocka_unit_test(test_msg),
		cmocka_unit_test(test_limits),        cmocka_unit_test(test_mqueue),
		cmocka_unit_test(test_mountinfo),     cmocka_unit_test(test_maps),
		cmocka_unit_test(test_table),
	};

	return cmocka_run_group_tests_name("inspect_texts", tests, NULL, NULL);
}
