/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sysv_shm.c - segments that are made, attached, changed and removed, and he who does it
 * cut off anywhere: the number of attachments is right, and there is one segment or none.
 */
#include <signal.h>
#include <sys/shm.h>
#include <unistd.h>

#include "sysv.h"

#define BYTES 8192

static struct shmid_ds look(int id)
{
	struct shmid_ds ds;

	sysv_ok(shmctl(id, IPC_STAT, &ds));
	return ds;
}

static unsigned long attached(int id)
{
	return look(id).shm_nattch;
}

static char *attach(int id)
{
	char *at = shmat(id, NULL, 0);

	sysv_must(at != (void *)-1, "shmat: %s", strerror(errno));
	return at;
}

/* The segment of this key, whoever made it; it works, and is gone then. */
static void use_and_remove(int id)
{
	char *at = attach(id);

	memset(at, 1, BYTES);
	sysv_must(attached(id) == 1, "%lu attached and not 1", attached(id));
	sysv_must(shmget(SYSV_KEY, BYTES, 0) == id, "the key has another segment");
	sysv_ok(shmctl(id, IPC_RMID, NULL));
	sysv_ok(shmdt(at));
	sysv_must(shmget(SYSV_KEY, 0, 0) < 0 && errno == ENOENT, "removed, and still there");
	sysv_must(shmctl(id, IPC_RMID, NULL) < 0 && errno == EINVAL, "removed twice");
}

static void nothing(void)
{
	/* Another segment, so that the table is there. */
	sysv_ok(shmctl(sysv_ok(shmget(IPC_PRIVATE, 1, 0600)), IPC_RMID, NULL));
}

static void one(void)
{
	atomic_store(&sysv->id, sysv_ok(shmget(SYSV_KEY, BYTES, IPC_CREAT | 0600)));
}

static char *others, *victims;

static void one_attached(void)
{
	one();
	others = attach(atomic_load(&sysv->id));
}

/* Make. */

static void act_make(void)
{
	int id = shmget(SYSV_KEY, BYTES, IPC_CREAT | IPC_EXCL | 0600);

	atomic_store(&sysv->id, id);
	atomic_store(&sysv->acked, 1);
}

static void check_make(void)
{
	int id = shmget(SYSV_KEY, BYTES, IPC_CREAT | 0600);

	sysv_ok(id);
	if (atomic_load(&sysv->acked))
		sysv_must(id == atomic_load(&sysv->id), "it was made, and is another one");
	use_and_remove(id);
}

/* Attach and detach. */

static void act_attach(void)
{
	attach(atomic_load(&sysv->id));
}

static void ready_attached(void)
{
	victims = attach(atomic_load(&sysv->id));
}

static void act_detach(void)
{
	shmdt(victims);
}

static void check_attached(void)
{
	int id = atomic_load(&sysv->id);

	sysv_must(attached(id) == 1, "%lu attached and not 1", attached(id));
	memset(others, 7, BYTES);
	sysv_ok(shmdt(others));
	sysv_must(attached(id) == 0, "%lu attached and not 0", attached(id));
	use_and_remove(id);
}

/* Remove, while the other one has it, and while nobody has. */

static void act_remove(void)
{
	shmctl(atomic_load(&sysv->id), IPC_RMID, NULL);
	atomic_store(&sysv->acked, 1);
}

static void check_remove(void)
{
	int id = shmget(SYSV_KEY, 0, 0);

	if (atomic_load(&sysv->acked))
		sysv_must(id < 0 && errno == ENOENT, "it was removed, and is there");
	if (id >= 0)
		use_and_remove(id);
	/* Whatever was left of it goes with the next one. */
	id = sysv_ok(shmget(SYSV_KEY, BYTES, IPC_CREAT | 0600));
	use_and_remove(id);
}

static void check_remove_attached(void)
{
	int id = atomic_load(&sysv->id);
	struct shmid_ds ds = look(id);

	sysv_must(ds.shm_nattch == 1, "%lu attached and not 1", ds.shm_nattch);
	sysv_must((ds.shm_perm.mode & SHM_DEST) || !atomic_load(&sysv->acked),
		  "it was removed, and does not say so");
	memset(others, 7, BYTES);
	sysv_ok(shmctl(id, IPC_RMID, NULL));
	sysv_ok(shmdt(others));
	sysv_must(shmctl(id, IPC_STAT, &ds) < 0 && errno == EINVAL,
		  "nobody has it, and it is there");
}

/* The last one to detach from a segment that was removed already. */

static void ready_last(void)
{
	victims = attach(atomic_load(&sysv->id));
	sysv_ok(shmctl(atomic_load(&sysv->id), IPC_RMID, NULL));
}

static void check_gone(void)
{
	/* Who looks for room meets it. */
	int id = sysv_ok(shmget(SYSV_KEY, BYTES, IPC_CREAT | 0600));

	use_and_remove(id);
}

/* IPC_SET: the old owner and mode, or the new ones. */

static void act_set(void)
{
	struct shmid_ds ds = { .shm_perm = { .uid = 12, .gid = 34, .mode = 0640 } };

	shmctl(atomic_load(&sysv->id), IPC_SET, &ds);
	atomic_store(&sysv->acked, 1);
}

static void check_set(void)
{
	int id = atomic_load(&sysv->id);
	struct ipc_perm p = look(id).shm_perm;
	bool new = p.uid == 12 && p.gid == 34 && (p.mode & 0777) == 0640;

	sysv_must(new || (p.uid == geteuid() && p.gid == getegid() && (p.mode & 0777) == 0600),
		  "half changed: %u, %u, %o", p.uid, p.gid, p.mode);
	sysv_must(new || !atomic_load(&sysv->acked), "it was changed, and is not");
	use_and_remove(id);
}

/* fork, with what is attached. */

static void ready_fork(void)
{
	sigset_t child;

	/* Its delivery would be a stop of its own in what is stepped. */
	sigemptyset(&child);
	sigaddset(&child, SIGCHLD);
	sigprocmask(SIG_BLOCK, &child, NULL);
	ready_attached();
}

static void act_fork(void)
{
	if (fork() == 0)
		_exit(0);
}

static void check_fork(void)
{
	/* The victim's child may be at its end, and not there yet. */
	while (attached(atomic_load(&sysv->id)) > 1)
		usleep(1000);
	check_attached();
}

const struct sysv_scene shm_scenes[] = {
	{ "shmget makes", nothing, NULL, act_make, check_make },
	{ "shmat", one_attached, NULL, act_attach, check_attached },
	{ "shmat again", one_attached, ready_attached, act_attach, check_attached },
	{ "shmdt", one_attached, ready_attached, act_detach, check_attached },
	{ "shmdt, the last of a removed one", one, ready_last, act_detach, check_gone },
	{ "IPC_RMID", one, NULL, act_remove, check_remove },
	{ "IPC_RMID, attached by the other", one_attached, NULL, act_remove,
	  check_remove_attached },
	{ "IPC_SET of shmctl", one, NULL, act_set, check_set },
	{ "fork", one_attached, ready_fork, act_fork, check_fork },
	{ 0 },
};
