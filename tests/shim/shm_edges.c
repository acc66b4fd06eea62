/* SPDX-License-Identifier: Apache-2.0 */
/*
 * shm_edges.c - segments of the shim where two things happen at once, or something is short.
 *
 *   shm_edges [--only TEXT]   a test in TAP
 *
 * Each case runs in processes of its own, which are ended if they hang.
 */
#include <fcntl.h>
#include <grp.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>

#include "layout_sysv.h"
#include "shm_edges.h"
#include "sysv_stage.h"

#define PATIENCE_MS 5000

struct edges *both;

pid_t process(void (*play)(void))
{
	pid_t pid = fork();

	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		play();
		exit(0);
	}
	return pid;
}

bool over_by(int64_t until_ms)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000 + now.tv_nsec / 1000000 >= until_ms;
}

int64_t in_ms(int64_t ms)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000 + now.tv_nsec / 1000000 + ms;
}

/* One that hangs has its signals blocked: an alarm would not end it. */
bool ended_well(pid_t pid)
{
	int64_t until = in_ms(PATIENCE_MS);
	int status = -1;

	while (waitpid(pid, &status, WNOHANG) == 0) {
		if (over_by(until)) {
			printf("# it hangs\n");
			kill(pid, SIGKILL);
			waitpid(pid, &status, 0);
			return false;
		}
		usleep(500);
	}
	return status == 0;
}

int make(void)
{
	int id = shmget(IPC_PRIVATE, BYTES, 0600);

	must(id >= 0, "shmget");
	return id;
}

void *attach(int id)
{
	void *at = shmat(id, NULL, 0);

	must(at != (void *)-1, "shmat");
	return at;
}

void removed(int id)
{
	must(shmctl(id, IPC_RMID, NULL) == 0, "IPC_RMID");
}

unsigned long attached(int id)
{
	struct shmid_ds ds;

	must(shmctl(id, IPC_STAT, &ds) == 0, "IPC_STAT");
	return ds.shm_nattch;
}

/* ---- descriptors are short ---- */

static void descriptors(rlim_t count)
{
	struct rlimit most;

	getrlimit(RLIMIT_NOFILE, &most);
	most.rlim_cur = count ? count : most.rlim_max;
	setrlimit(RLIMIT_NOFILE, &most);
}

static void child_without_token(void)
{
	int id = make();
	void *at = attach(id);
	pid_t pid;

	descriptors(3);
	pid = fork();
	descriptors(0);
	if (pid == 0)
		exit(shmdt(at) == 0 ? 0 : 1);
	must(ended_well(pid), "a child that had no token at fork");
	must(attached(id) == 1, "%lu attached and not 1", attached(id));
	removed(id);
	must(shmdt(at) == 0, "shmdt");
}

static void remove_without_descriptors(void)
{
	int id = make();

	descriptors(3);
	removed(id);
	descriptors(0);
	must(sysv_files(false) == 0, "its file was left");
}

/* ---- memory is short ---- */

#define MOST (700u << 10)

static void die_with_the_last(void)
{
	int id = shmget(IPC_PRIVATE, MOST, 0600);

	must(id >= 0, "shmget of the first");
	attach(id);
	removed(id);
	kill(getpid(), SIGKILL);
}

static void room_of_the_dead(void)
{
	int id;
	pid_t pid;

	must(unshare(CLONE_NEWNS) == 0 && mount("", "/", "", MS_PRIVATE | MS_REC, NULL) == 0 &&
		     mount("tmpfs", getenv("COSHM_DIR"), "tmpfs", 0, "size=1M") == 0,
	     "mount");
	pid = process(die_with_the_last);
	waitpid(pid, NULL, 0);
	id = shmget(IPC_PRIVATE, MOST, 0600);
	must(id >= 0, "shmget after the dead");
	removed(id);
}

/* ---- permissions ---- */

static void set_always(void)
{
	struct shmid_ds a = { .shm_perm = { .uid = 11, .gid = 12, .mode = 0600 } };
	struct shmid_ds b = { .shm_perm = { .uid = 21, .gid = 22, .mode = 0640 } };
	int id = atomic_load(&both->id) - 1;

	while (!atomic_load(&both->over)) {
		must(shmctl(id, IPC_SET, &a) == 0, "IPC_SET");
		must(shmctl(id, IPC_SET, &b) == 0, "IPC_SET");
	}
}

static void owner_whole(void)
{
	int64_t until = in_ms(1500);
	struct shmid_ds ds;
	int id = make();
	pid_t pid;

	atomic_store(&both->id, id + 1);
	pid = process(set_always);
	while (!over_by(until)) {
		struct ipc_perm *p = &ds.shm_perm;

		must(shmctl(id, IPC_STAT, &ds) == 0, "IPC_STAT");
		must((p->uid == 11 && p->gid == 12 && p->mode == 0600) ||
			     (p->uid == 21 && p->gid == 22 && p->mode == 0640) ||
			     (p->uid == 0 && p->mode == 0600),
		     "half of two: %u, %u, %o", p->uid, p->gid, p->mode);
	}
	atomic_store(&both->over, 1);
	must(ended_well(pid), "who sets");
	removed(id);
}

static void owner_of_nobody(void)
{
	struct shmid_ds ds = { .shm_perm = { .uid = (uid_t)-1, .gid = getegid(), .mode = 0600 } };
	int id = make();

	must(shmctl(id, IPC_SET, &ds) < 0 && errno == EINVAL, "IPC_SET to user -1");
	ds.shm_perm.uid = geteuid();
	ds.shm_perm.gid = (gid_t)-1;
	must(shmctl(id, IPC_SET, &ds) < 0 && errno == EINVAL, "IPC_SET to group -1");
	removed(id);
}

static void be(uid_t uid, gid_t gid)
{
	must(setgroups(1, &gid) == 0 && setgid(uid) == 0 && setuid(uid) == 0, "setuid");
}

static void first_user(void)
{
	be(1234, 4242);
	must(shmget(7, BYTES, IPC_CREAT | 0666) >= 0, "shmget of the first user");
}

static void second_user(void)
{
	int id;

	be(1235, 4242);
	id = shmget(7, BYTES, 0666);
	must(id >= 0, "shmget of the second user");
	shmdt(attach(id));
}

static void group_of_directory(void)
{
	const char *dir = getenv("COSHM_DIR");

	sysv_files(true);
	must(chown(dir, 0, 4242) == 0 && chmod(dir, 0770) == 0, "chown");
	must(ended_well(process(first_user)), "the first user");
	must(ended_well(process(second_user)), "the second user");
	sysv_files(true);
	must(chown(dir, 0, 0) == 0 && chmod(dir, 0700) == 0, "chown");
}

/* ---- numbers that wrap ---- */

static struct sysv_token_shared *tokens(void)
{
	char path[128];
	void *at;
	int fd;

	snprintf(path, sizeof(path), "%s/" SYSV_FOLDER "/" SYSV_TABLE_NAME, getenv("COSHM_DIR"));
	fd = open(path, O_RDWR | O_CLOEXEC);
	at = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, SYSV_TOKENS_AT);
	must(at != MAP_FAILED, "mmap of the table");
	close(fd);
	return at;
}

static void die_attached(void)
{
	attach(atomic_load(&both->id) - 1);
	kill(getpid(), SIGKILL);
}

static void look_once(void)
{
	atomic_store(&both->over, (int)attached(atomic_load(&both->id) - 1));
}

/* What a dead one had attached is not counted again when its token's epoch comes round. */
static void epoch_wraps(void)
{
	struct sysv_token_shared *t;
	uint32_t epoch;
	pid_t pid;

	atomic_store(&both->id, make() + 1);
	t = tokens() + 1; /* we have the first one */
	pid = process(die_attached);
	waitpid(pid, NULL, 0);
	epoch = atomic_load(&t->epoch);
	atomic_store(&t->role, 0);
	atomic_store(&t->epoch, epoch | 0xffff);
	for (uint32_t i = 0; i <= epoch; i++) {
		must(ended_well(process(look_once)), "who looks");
		atomic_store(&t->role, 0);
	}
	must((atomic_load(&t->epoch) & 0xffff) == epoch, "it was another token");
	must(atomic_load(&both->over) == 0, "%d attached and not 0", atomic_load(&both->over));
	removed(atomic_load(&both->id) - 1);
}

static const struct {
	const char *name;
	void (*play)(void);
	bool root;
} cases[] = {
	{ "attach what the last one is leaving", last_one_leaves, false },
	{ "detach in a child that fork could not give a token", child_without_token, false },
	{ "remove without a descriptor to spare", remove_without_descriptors, false },
	{ "make where the dead have left no room", room_of_the_dead, true },
	{ "attach in a handler while fork prepares", handler_in_fork, false },
	{ "cancel a thread in its calls", cancelled_thread, false },
	{ "fork while a thread opens the table", fork_while_opening, false },
	{ "close what tells who is alive", probe_taken_away, false },
	{ "attach in a child of a raw clone", raw_clone, false },
	{ "change owner and mode at once", owner_whole, true },
	{ "give to nobody", owner_of_nobody, false },
	{ "share by the directory's group", group_of_directory, true },
	{ "take a token 65536 times", epoch_wraps, false },
};

int main(int argc, char **argv)
{
	const char *only = argc == 3 && strcmp(argv[1], "--only") == 0 ? argv[2] : "";
	int number = 0, bad = 0;

	sysv_stage("edges", argv);
	both = mmap(NULL, sizeof(*both), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (both == MAP_FAILED)
		return 2;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		bool good;

		if (!strstr(cases[i].name, only) || (cases[i].root && geteuid() != 0))
			continue;
		memset(both, 0, sizeof(*both));
		sysv_files(true);
		fflush(stdout);
		good = ended_well(process(cases[i].play));
		bad += !good;
		printf("%sok %d - %s\n", good ? "" : "not ", ++number, cases[i].name);
	}
	printf("1..%d\n", number);
	sysv_stage_leave();
	return bad != 0;
}
