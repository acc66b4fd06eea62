/* SPDX-License-Identifier: Apache-2.0 */
/*
 * conform_shm.c - shared memory by one process: each flag and command of shmget,
 * shmat, shmdt and shmctl.
 */
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/mman.h>

#include "conform.h"
#include "transcript.h"

static int a, b, c, private1, private2, empty, found;

static void making(void)
{
	say("## shmget");
	GET(found, shmget(ABSENT, 100, 0600));
	GET(found, shmget(ABSENT, 100, IPC_EXCL | 0600));
	GET(a, shmget(KEY_A, 100, IPC_CREAT | 0640));
	SHM(a);
	GET(found, shmget(KEY_A, 100, IPC_CREAT | 0600));
	GET(found, shmget(KEY_A, 0, 0));
	GET(found, shmget(KEY_A, 1, 0));
	GET(found, shmget(KEY_A, 101, 0));
	GET(found, shmget(KEY_A, 4097, IPC_CREAT | 0600));
	GET(found, shmget(KEY_A, 100, IPC_CREAT | IPC_EXCL | 0600));
	GET(found, shmget(KEY_A, 101, IPC_CREAT | IPC_EXCL | 0600));
	GET(found, shmget(KEY_A, 100, IPC_EXCL));
	GET(found, shmget(KEY_B, 0, IPC_CREAT | 0600));
	GET(found, shmget(KEY_B, SIZE_MAX, IPC_CREAT | 0600));
	GET(found, shmget(IPC_PRIVATE, 0, 0600));
	GET(b, shmget(KEY_B, 4096, IPC_CREAT | IPC_EXCL | 0));
	SHM(b);
	GET(found, shmget(KEY_B, 0, 0600));
	GET(private1, shmget(IPC_PRIVATE, 5000, 0600));
	GET(private2, shmget(IPC_PRIVATE, 5000, IPC_CREAT | IPC_EXCL | 0777));
	SHM(private1);
	SHM(private2);
	GET(found, shmget(KEY_C, 4096, IPC_CREAT | SHM_NORESERVE | 0600));
	SHM(found);
	CALL(shmctl(found, IPC_RMID, NULL));
	GET(c, shmget(KEY_C, 12288, IPC_CREAT | 0600));
	CALL(shmget(KEY_C, 0, 0) == found);
	GET(found, shmget(ABSENT, 100, IPC_CREAT | SHM_HUGETLB | (31 << 26) | 0600));
}

static void attaching(void)
{
	char *p, *q, *r;

	say("## shmat and shmdt");
	AT(p, shmat(NO_ID, NULL, 0));
	AT(p, shmat(-1, NULL, 0));
	if (!AT(p, shmat(c, NULL, 0)))
		return;
	SHM(c);
	CALL(p[0] | p[12287]);
	strcpy(p, "written");
	p[12287] = 7;
	AT(q, shmat(c, NULL, SHM_RDONLY));
	CALL(strcmp(q, "written"));
	CALL(q[12287]);
	CALL(p != q);
	SHM(c);
	CALL(shmdt(p + 1));
	CALL(shmdt(p + 4096));
	CALL(shmdt(NULL));
	CALL(shmdt(q));
	CALL(shmdt(q));
	SHM(c);
	say("## addresses");
	q = mmap(NULL, 1 << 16, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	munmap(q, 1 << 16);
	AT(r, shmat(c, q + 1, 0));
	AT(r, shmat(c, q + 4097, SHM_RND));
	CALL(r - q);
	AT(r, shmat(c, q + 4096, 0));
	AT(r, shmat(c, q + 8192, 0));
	AT(r, shmat(c, q + 8192, SHM_REMAP));
	AT(r, shmat(c, NULL, SHM_REMAP));
	AT(r, shmat(c, (char *)1, SHM_RND | SHM_REMAP));
	SHM(c);
	CALL(shmdt(q + 4096));
	SHM(c);
	CALL(shmdt(q + 8192));
	SHM(c);
	CALL(shmdt(q + 8192));
	AT(r, shmat(c, NULL, SHM_EXEC));
	CALL(strcmp(r, "written"));
	CALL(shmdt(r));
	AT(r, shmat(c, NULL, SHM_EXEC | SHM_RDONLY));
	CALL(shmdt(r));
	CALL(shmdt(p));
}

static void setting(void)
{
	struct shmid_ds s;

	say("## shmctl");
	memset(&s, 0, sizeof(s));
	CALL(shmctl(a, IPC_STAT, &s));
	s.shm_perm.mode = 07604;
	s.shm_perm.uid = 4001;
	s.shm_perm.gid = 4002;
	s.shm_segsz = 1;
	s.shm_perm.cuid = 4003;
	CALL(shmctl(a, IPC_SET, &s));
	SHM(a);
	s.shm_perm.uid = (uid_t)-1;
	CALL(shmctl(a, IPC_SET, &s));
	CALL(shmctl(a, SHM_LOCK, NULL));
	SHM(a);
	CALL(shmctl(a, SHM_LOCK, NULL));
	CALL(shmctl(a, SHM_UNLOCK, NULL));
	SHM(a);
	CALL(shmctl(a, IPC_STAT, NULL));
	CALL(shmctl(a, IPC_SET, NULL));
	CALL(shmctl(NO_ID, IPC_STAT, &s));
	CALL(shmctl(-1, IPC_STAT, &s));
	CALL(shmctl(NO_ID, IPC_SET, &s));
	CALL(shmctl(NO_ID, IPC_RMID, NULL));
	CALL(shmctl(NO_ID, SHM_LOCK, NULL));
	CALL(shmctl(a, 99, &s));
	CALL(shmctl(a, -1, &s));
	CALL(shmctl(-1, 99, &s));
}

static void listing(void)
{
	struct shm_info info;
	struct shminfo limits;
	struct shmid_ds s;
	int top, seen = 0;

	say("## IPC_INFO, SHM_INFO, SHM_STAT");
	memset(&limits, 0, sizeof(limits));
	memset(&info, 0, sizeof(info));
	top = shmctl(0, IPC_INFO, (struct shmid_ds *)&limits);
	say("shmmax %lu shmmin %lu shmmni %lu shmseg %lu shmall %lu", limits.shmmax, limits.shmmin,
	    limits.shmmni, limits.shmseg, limits.shmall);
	CALL(shmctl(0, SHM_INFO, (struct shmid_ds *)&info) == top);
	say("used_ids %d shm_tot %lu", info.used_ids, info.shm_tot);
	CALL(shmctl(NO_ID, IPC_INFO, (struct shmid_ds *)&limits) == top);
	CALL(shmctl(-1, IPC_INFO, (struct shmid_ds *)&limits));
	CALL(shmctl(-1, SHM_INFO, (struct shmid_ds *)&info));
	for (int index = 0; index <= top; index++) {
		int id = shmctl(index, SHM_STAT, &s);

		if (id == -1)
			continue;
		seen++;
		if (id != shmctl(index, SHM_STAT_ANY, &s) || shmctl(id, IPC_STAT, &s) != 0)
			say("an index without its segment");
	}
	CALL(seen);
	CALL(shmctl(top, SHM_STAT, &s) >= 0);
	CALL(shmctl(top + 1, SHM_STAT, &s));
	CALL(shmctl(top + 1, SHM_STAT_ANY, &s));
	CALL(shmctl(-1, SHM_STAT, &s));
	CALL(shmctl(top, SHM_STAT, NULL));
}

static void removing(void)
{
	char *p, *q;

	say("## IPC_RMID");
	CALL(shmctl(a, IPC_RMID, NULL));
	SHM(a);
	CALL(shmctl(a, IPC_RMID, NULL));
	AT(p, shmat(a, NULL, 0));
	GET(found, shmget(KEY_A, 0, 0));
	say("## while attached");
	AT(p, shmat(c, NULL, 0));
	CALL(shmctl(c, IPC_RMID, NULL));
	SHM(c);
	GET(found, shmget(KEY_C, 0, 0));
	AT(q, shmat(c, NULL, 0));
	SHM(c);
	CALL(strcmp(q, "written"));
	CALL(shmctl(c, IPC_RMID, NULL));
	GET(empty, shmget(KEY_C, 100, IPC_CREAT | 0600));
	SHM(empty);
	CALL(shmdt(p));
	SHM(c);
	CALL(strcmp(q, "written"));
	CALL(shmdt(q));
	SHM(c);
	AT(q, shmat(c, NULL, 0));
	CALL(shmctl(empty, IPC_RMID, NULL));
	say("## many private ones");
	for (int i = 0; i < 100; i++) {
		int id = shmget(IPC_PRIVATE, 1, 0600);

		if (id == -1 || shmctl(id, IPC_RMID, NULL) != 0 || shmat(id, NULL, 0) != (void *)-1)
			say("private segment %d is odd", i);
	}
	CALL(shmctl(b, IPC_RMID, NULL));
	CALL(shmctl(private1, IPC_RMID, NULL));
	CALL(shmctl(private2, IPC_RMID, NULL));
}

void conform_shm(void)
{
	making();
	attaching();
	setting();
	listing();
	removing();
}

/* The kernel counts mappings: munmap of the middle makes two of one. */
void conform_shm_munmap(void)
{
	char *p;

	GET(c, shmget(KEY_C, 12288, IPC_CREAT | 0600));
	AT(p, shmat(c, NULL, 0));
	p[12287] = 7;
	munmap(p + 4096, 4096);
	SHM(c);
	CALL(shmdt(p));
	SHM(c);
	AT(p, shmat(c, NULL, 0));
	munmap(p, 12288);
	SHM(c);
	CALL(shmdt(p));
	AT(p, shmat(c, NULL, 0));
	CALL(p[12287]);
	CALL(shmdt(p));
	CALL(shmctl(c, IPC_RMID, NULL));
}
