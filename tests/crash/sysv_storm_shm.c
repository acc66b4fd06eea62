/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sysv_storm_shm.c - segments in a storm.
 *
 * Each word of a segment is 0 or its identifier, so that bytes of another one are
 * found.  What a victim has attached it notes before and after, so that the number
 * of attachments can be told between two bounds while all are stopped.
 */
#include <signal.h>
#include <sys/prctl.h>
#include <sys/shm.h>
#include <sys/wait.h>

#include "sysv_storm.h"

#define KEYS     3
#define FIRST    0x73746f
#define BYTES(k) (4096u * ((k) + 1u) + 64u)
#define WORDS    8u /* looked at in each page */

/* Owner, group and mode go together: nobody may see parts of two. */
static const struct ipc_perm owners[] = {
	{ .uid = 0, .gid = 0, .mode = 0600 },
	{ .uid = 12, .gid = 34, .mode = 0640 },
	{ .uid = 56, .gid = 78, .mode = 0606 },
	{ .uid = 90, .gid = 91, .mode = 0660 },
};
#define OWNERS (sizeof(owners) / sizeof(owners[0]))

static unsigned int dice(unsigned int sides)
{
	return (unsigned int)rand() % sides;
}

static bool gone(void)
{
	return errno == EINVAL || errno == EIDRM;
}

/* What is there is ours; then it is stamped. */
static void use(void *at, int id, size_t bytes)
{
	for (size_t page = 0; page < bytes; page += 4096)
		for (size_t i = 0; i < WORDS && page + 4 * i < bytes; i++) {
			_Atomic int *word = (_Atomic int *)at + page / 4 + i;
			int seen = atomic_load_explicit(word, memory_order_relaxed);

			/* Relaxed, both: each word is for itself. */
			storm_must(seen == 0 || seen == id + 1, "%d lies in segment %d", seen - 1,
				   id);
			atomic_store_explicit(word, id + 1, memory_order_relaxed);
		}
}

static int get(unsigned int k)
{
	int id = k < KEYS ? shmget(FIRST + (key_t)k, BYTES(k), IPC_CREAT | 0600) :
			    shmget(IPC_PRIVATE, BYTES(k), 0600);

	storm_must(id >= 0, "shmget: %s", strerror(errno));
	return id;
}

/* ---- victims ---- */

static struct {
	void *at;
	int id;
	unsigned int k;
} mine[HOLDS];

static void hold(unsigned int peer, unsigned int h)
{
	struct sysv_hold *note = &victims->holds[peer][h];
	unsigned int k = dice(KEYS + 1);
	int id = get(k);

	mine[h].id = id;
	mine[h].k = k;
	atomic_store(&note->id, id + 1);
	mine[h].at = shmat(id, NULL, 0);
	if (mine[h].at == (void *)-1) {
		storm_must(gone(), "shmat: %s", strerror(errno));
		mine[h].at = NULL;
		atomic_store(&note->id, 0);
		return;
	}
	atomic_store(&note->sure, 1);
	use(mine[h].at, id, BYTES(k));
	/* Of a private one, nobody else knows: it goes with us. */
	if (k == KEYS || dice(8) == 0)
		storm_must(shmctl(id, IPC_RMID, NULL) == 0 || gone(), "IPC_RMID: %s",
			   strerror(errno));
}

static void let_go(unsigned int peer, unsigned int h)
{
	struct sysv_hold *note = &victims->holds[peer][h];

	use(mine[h].at, mine[h].id, BYTES(mine[h].k));
	atomic_store(&note->sure, 0);
	storm_must(shmdt(mine[h].at) == 0, "shmdt: %s", strerror(errno));
	atomic_store(&note->id, 0);
	mine[h].at = NULL;
}

static void set(void)
{
	struct shmid_ds ds = { .shm_perm = owners[geteuid() == 0 ? dice(OWNERS) : 0] };
	int id = get(dice(KEYS));

	if (geteuid() != 0) {
		ds.shm_perm.uid = geteuid();
		ds.shm_perm.gid = getegid();
	}
	storm_must(shmctl(id, IPC_SET, &ds) == 0 || gone(), "IPC_SET: %s", strerror(errno));
}

static void child_play(void)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (unsigned int h = 0; h < HOLDS; h++)
		if (mine[h].at) {
			use(mine[h].at, mine[h].id, BYTES(mine[h].k));
			if (dice(2) == 0)
				storm_must(shmdt(mine[h].at) == 0, "shmdt of a child: %s",
					   strerror(errno));
		}
	if (dice(2) == 0)
		exit(0);
	_exit(0);
}

static void have_child(unsigned int peer)
{
	int status = 0;
	pid_t pid;

	atomic_store(&victims->forks[peer], 1);
	pid = fork();
	if (pid == 0)
		child_play();
	storm_must(pid > 0 && waitpid(pid, &status, 0) == pid && status == 0,
		   "a child ended with status 0x%x", (unsigned int)status);
	atomic_store(&victims->forks[peer], 0);
}

void sysv_storm_shm_step(unsigned int peer)
{
	unsigned int h = dice(HOLDS);

	if (mine[h].at)
		let_go(peer, h);
	else
		hold(peer, h);
	if (dice(6) == 0)
		set();
	if (dice(12) == 0)
		have_child(peer);
}

/* ---- the auditor ---- */

static struct shmid_ds look(int id)
{
	struct shmid_ds ds;

	storm_must(shmctl(id, IPC_STAT, &ds) == 0, "IPC_STAT of what we have attached: %s",
		   strerror(errno));
	return ds;
}

static void judge_owner(const struct ipc_perm *p)
{
	for (size_t i = 0; i < OWNERS && geteuid() == 0; i++) {
		if (p->uid == owners[i].uid) {
			storm_must(p->gid == owners[i].gid && (p->mode & 0777) == owners[i].mode,
				   "owner %u, group %u, mode %o", p->uid, p->gid, p->mode);
			return;
		}
	}
	storm_must(geteuid() != 0, "owner %u", p->uid);
}

void sysv_storm_shm_audit(void)
{
	unsigned int k = dice(KEYS);
	struct shmid_ds ds;
	struct shm_info info;
	int id = get(k), most = shmctl(0, SHM_INFO, (struct shmid_ds *)&info);
	void *at = shmat(id, NULL, 0), *again;

	storm_must(most >= 0, "SHM_INFO: %s", strerror(errno));
	for (int i = 0; i <= most; i++)
		if (shmctl(i, SHM_STAT, &ds) >= 0)
			judge_owner(&ds.shm_perm);
		else
			storm_must(gone(), "SHM_STAT: %s", strerror(errno));
	if (at == (void *)-1) {
		storm_must(gone(), "shmat: %s", strerror(errno));
		return;
	}
	use(at, id, BYTES(k));
	storm_must(look(id).shm_nattch >= 1, "attached, and nobody has");
	again = shmat(id, NULL, 0); /* also if it is removed meanwhile: we have it */
	storm_must(again != (void *)-1, "shmat again: %s", strerror(errno));
	storm_must(look(id).shm_nattch >= 2, "attached twice, and nobody has");
	storm_must(shmdt(at) == 0, "shmdt: %s", strerror(errno));
	use(again, id, BYTES(k));
	storm_must(look(id).shm_nattch >= 1, "still attached, and nobody has");
	storm_must(shmdt(again) == 0, "shmdt: %s", strerror(errno));
}

/* How often the victims have @id attached, at least and at most. */
static void bounds(int id, unsigned long *least, unsigned long *most)
{
	*least = *most = 0;
	for (unsigned int p = 0; p < PEERS; p++)
		for (unsigned int h = 0; h < HOLDS; h++) {
			const struct sysv_hold *note = &victims->holds[p][h];

			if (atomic_load(&note->id) != id + 1)
				continue;
			*least += (unsigned long)atomic_load(&note->sure);
			*most += 1 + (unsigned long)atomic_load(&victims->forks[p]);
		}
}

void sysv_storm_shm_count(bool alive)
{
	unsigned long least = 0, most = 0;
	struct shmid_ds ds;
	struct shm_info info;
	int last = shmctl(0, SHM_INFO, (struct shmid_ds *)&info);

	for (int i = 0; i <= last; i++) {
		int id = shmctl(i, SHM_STAT_ANY, &ds);

		if (id < 0)
			continue;
		if (alive)
			bounds(id, &least, &most);
		storm_must(ds.shm_nattch >= least && ds.shm_nattch <= most,
			   "segment %d is attached %lu times, and not %lu to %lu times", id,
			   ds.shm_nattch, least, most);
	}
}

void sysv_storm_shm_remove(void)
{
	struct shmid_ds ds;
	struct shm_info info;
	int last;

	/* Whoever makes one takes away what the dead have left of removed ones. */
	storm_must(shmctl(get(KEYS), IPC_RMID, NULL) == 0, "IPC_RMID: %s", strerror(errno));
	last = shmctl(0, SHM_INFO, (struct shmid_ds *)&info);
	for (int i = 0; i <= last; i++) {
		int id = shmctl(i, SHM_STAT_ANY, &ds);

		if (id < 0)
			continue;
		storm_must(!(ds.shm_perm.mode & SHM_DEST),
			   "segment %d is removed, nobody has it, and it is there", id);
		storm_must(shmctl(id, IPC_RMID, NULL) == 0, "IPC_RMID: %s", strerror(errno));
	}
}
