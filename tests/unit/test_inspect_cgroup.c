/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_inspect_cgroup.c - whose container a cgroup is of.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "cgroup.h"

#define A           "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define B           "fedcba9876543210fedcba9876543210fedcba9876543210fedcba9876543210"
#define UID         "0a1b2c3d-1234-5678-9abc-def012345678"
#define UID_SYSTEMD "0a1b2c3d_1234_5678_9abc_def012345678"
#define UID_STATIC                                                                                 \
	"0a1b2c3d12345678"                                                                         \
	"9abcdef012345678"

static const struct {
	const char *name, *text;
	enum engine engine;
	const char *id, *pod, *path;
} cases[] = {
	{ "the machine, v2", "0::/init.scope\n", ENGINE_NONE, "", "", "/init.scope" },
	{ "the machine, v1",
	  "5:cpu,cpuacct:/user.slice\n4:memory:/user.slice/user-0.slice\n0::/user.slice\n",
	  ENGINE_NONE, "", "", "/user.slice/user-0.slice" },
	{ "Docker, cgroupfs, v1",
	  "9:name=systemd:/docker/" A "\n4:memory:/docker/" A "\n1:cpu:/docker/" A "\n0::/\n",
	  ENGINE_DOCKER, A, "", "/docker/" A },
	{ "Docker, systemd, v2", "0::/system.slice/docker-" A ".scope\n", ENGINE_DOCKER, A, "",
	  "/system.slice/docker-" A ".scope" },
	{ "Docker, rootless",
	  "0::/user.slice/user-1000.slice/user@1000.service/user.slice/docker-" A ".scope",
	  ENGINE_DOCKER, A, "",
	  "/user.slice/user-1000.slice/user@1000.service/user.slice/docker-" A ".scope" },
	{ "Docker under a parent of somebody's", "0::/jobs/" A "\n", ENGINE_OTHER, A, "",
	  "/jobs/" A },
	{ "Docker in Docker, cgroupfs", "4:memory:/docker/" A "/docker/" B "\n", ENGINE_DOCKER, B,
	  "", "/docker/" A "/docker/" B },
	{ "Docker in Docker, systemd outside", "0::/system.slice/docker-" A ".scope/docker/" B "\n",
	  ENGINE_DOCKER, B, "", "/system.slice/docker-" A ".scope/docker/" B },
	{ "Docker in Docker: the daemon", "0::/docker/" A "/init\n", ENGINE_DOCKER, A, "",
	  "/docker/" A "/init" },
	{ "Podman in Docker", "0::/docker/" A "/libpod_parent/libpod-" B "\n", ENGINE_PODMAN, B, "",
	  "/docker/" A "/libpod_parent/libpod-" B },
	{ "Podman, systemd", "0::/machine.slice/libpod-" A ".scope/container\n", ENGINE_PODMAN, A,
	  "", "/machine.slice/libpod-" A ".scope/container" },
	{ "Podman, cgroupfs", "4:memory:/libpod_parent/libpod-" A "\n", ENGINE_PODMAN, A, "",
	  "/libpod_parent/libpod-" A },
	{ "Podman, in a pod", "0::/libpod_parent/" B "/libpod-" A "\n", ENGINE_PODMAN, A, "",
	  "/libpod_parent/" B "/libpod-" A },
	{ "Podman's monitor in a pod", "0::/libpod_parent/" B "/conmon\n", ENGINE_NONE, "", "",
	  "/libpod_parent/" B "/conmon" },
	{ "Podman, rootless",
	  "0::/user.slice/user-1000.slice/user@1000.service/user.slice/libpod-" A
	  ".scope/container\n",
	  ENGINE_PODMAN, A, "",
	  "/user.slice/user-1000.slice/user@1000.service/user.slice/libpod-" A ".scope/container" },
	{ "Podman in a service, split", "0::/system.slice/web.service/libpod-payload-" A "\n",
	  ENGINE_PODMAN, A, "", "/system.slice/web.service/libpod-payload-" A },
	{ "Podman's monitor", "0::/machine.slice/libpod-conmon-" A ".scope\n", ENGINE_NONE, "", "",
	  "/machine.slice/libpod-conmon-" A ".scope" },
	{ "Podman's monitor in Docker", "0::/docker/" B "/libpod-conmon-" A ".scope\n",
	  ENGINE_DOCKER, B, "", "/docker/" B "/libpod-conmon-" A ".scope" },
	{ "containerd, Kubernetes, systemd",
	  "0::/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod" UID_SYSTEMD
	  ".slice/cri-containerd-" A ".scope\n",
	  ENGINE_CONTAINERD, A, UID,
	  "/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod" UID_SYSTEMD
	  ".slice/cri-containerd-" A ".scope" },
	{ "containerd, Kubernetes, cgroupfs", "4:memory:/kubepods/besteffort/pod" UID "/" A "\n",
	  ENGINE_CONTAINERD, A, UID, "/kubepods/besteffort/pod" UID "/" A },
	{ "containerd, a static pod", "0::/kubepods/burstable/pod" UID_STATIC "/" A "\n",
	  ENGINE_CONTAINERD, A, UID_STATIC, "/kubepods/burstable/pod" UID_STATIC "/" A },
	{ "containerd, kubelet's own root, guaranteed",
	  "0::/kubelet.slice/kubelet-kubepods.slice/kubelet-kubepods-pod" UID_SYSTEMD
	  ".slice/cri-containerd-" A ".scope\n",
	  ENGINE_CONTAINERD, A, UID,
	  "/kubelet.slice/kubelet-kubepods.slice/kubelet-kubepods-pod" UID_SYSTEMD
	  ".slice/cri-containerd-" A ".scope" },
	{ "containerd, systemd's words without systemd",
	  "0::/system.slice/containerd.service/kubepods-pod" UID_SYSTEMD ".slice:cri-containerd:" A
	  "\n",
	  ENGINE_CONTAINERD, A, UID,
	  "/system.slice/containerd.service/kubepods-pod" UID_SYSTEMD ".slice:cri-containerd:" A },
	{ "nerdctl, cgroupfs", "0::/default/" A "\n", ENGINE_CONTAINERD, A, "", "/default/" A },
	{ "nerdctl, systemd", "0::/system.slice/nerdctl-" A ".scope\n", ENGINE_CONTAINERD, A, "",
	  "/system.slice/nerdctl-" A ".scope" },
	{ "CRI-O, systemd",
	  "0::/kubepods.slice/kubepods-pod" UID_SYSTEMD ".slice/crio-" A ".scope/container\n",
	  ENGINE_CRIO, A, UID,
	  "/kubepods.slice/kubepods-pod" UID_SYSTEMD ".slice/crio-" A ".scope/container" },
	{ "CRI-O, cgroupfs", "4:memory:/kubepods/pod" UID "/crio-" A "\n", ENGINE_CRIO, A, UID,
	  "/kubepods/pod" UID "/crio-" A },
	{ "CRI-O's monitor", "0::/kubepods.slice/crio-conmon-" A ".scope\n", ENGINE_NONE, "", "",
	  "/kubepods.slice/crio-conmon-" A ".scope" },
	{ "hybrid: memory is charged elsewhere than where 0:: says",
	  "0::/system.slice/docker-" A ".scope\n4:cpuset,memory:/docker/" A "\n", ENGINE_DOCKER, A,
	  "", "/docker/" A },
	{ "a memory cgroup that is no container's", "9:pids:/docker/" A "\n4:memory:/\n0::/\n",
	  ENGINE_DOCKER, A, "", "/" },
	{ "a cgroup that was removed", "0::/docker/" A " (deleted)\n", ENGINE_DOCKER, A, "",
	  "/docker/" A },
	{ "seen from another cgroup namespace", "0::/../docker-" A ".scope\n", ENGINE_DOCKER, A, "",
	  "/../docker-" A ".scope" },
	{ "an id that is none", "0::/docker/0123456789ABCDEF\n0::/docker-" A "0.scope\n",
	  ENGINE_NONE, "", "", "/docker-" A "0.scope" },
	{ "colons in a name", "0::/a:b/docker-" A ".scope\n", ENGINE_DOCKER, A, "",
	  "/a:b/docker-" A ".scope" },
	{ "a name that would steer a terminal", "0::/\033[2J/\r\t\200\n", ENGINE_NONE, "", "",
	  "/?[2J/???" },
};

static void test_paths(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct memory *m = memory_new();
		struct cgroup c;

		print_message("# %s\n", cases[i].name);
		assert_true(cgroup_parse(cases[i].text, strlen(cases[i].text), m, &c));
		assert_int_equal(c.engine, cases[i].engine);
		assert_string_equal(c.id, cases[i].id);
		assert_string_equal(c.pod_uid, cases[i].pod);
		assert_string_equal(c.path, cases[i].path);
		assert_false(memory_failed(m));
		memory_free(m);
	}
}

static void test_no_line(void **state)
{
	static const char *const texts[] = { "",          "\n\n",   "::",          "4:memory",
					     "4:memory:", "0::x\n", "0\0::/docker" };

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct memory *m = memory_new();
		struct cgroup c;

		assert_false(cgroup_parse(texts[i], strlen(texts[i]), m, &c));
		assert_int_equal(c.engine, ENGINE_NONE);
		assert_string_equal(c.id, "");
		assert_string_equal(c.path, "/");
		memory_free(m);
	}
}

/* Cut off anywhere, in a buffer of exactly that size: sanitizers see what is read after it. */
static void test_cut_off(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		for (size_t length = 0; length <= strlen(cases[i].text); length++) {
			char *text = malloc(length ? length : 1);
			struct memory *m = memory_new();
			struct cgroup c;

			assert_non_null(text);
			memcpy(text, cases[i].text, length);
			cgroup_parse(text, length, m, &c);
			assert_true(strlen(c.id) == 0 || strlen(c.id) == CGROUP_ID_DIGITS);
			assert_true((c.engine == ENGINE_NONE) == (c.id[0] == '\0'));
			assert_int_equal(c.path[0], '/');
			memory_free(m);
			free(text);
		}
}

static void test_long_path(void **state)
{
	static char text[100000];
	struct memory *m = memory_new();
	struct cgroup c;

	(void)state;
	memset(text, 'a', sizeof(text));
	memcpy(text, "0::/", 4);
	assert_true(cgroup_parse(text, sizeof(text), m, &c));
	assert_int_equal(strlen(c.path), 4096);
	memory_free(m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_paths),
		cmocka_unit_test(test_no_line),
		cmocka_unit_test(test_cut_off),
		cmocka_unit_test(test_long_path),
	};

	return cmocka_run_group_tests_name("inspect_cgroup", tests, NULL, NULL);
}
