/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cmd_ps.c - "coshm ps": the processes that use shared objects.
 */
#include "cli.h"
#include "show.h"

const char ps_usage[] =
	"Usage: coshm ps [OPTION]... [CONTAINER]...\n"
	"List the processes that use shared memory, semaphores, message queues and\n"
	"channels, by object; or those of some CONTAINERs alone: names, ids, pids or\n"
	"pods.  Changes nothing.\n"
	"\n"
	"  -m, --shmems          users of shared memory: System V, POSIX and channels\n"
	"  -q, --queues          users of message queues\n"
	"  -s, --semaphores      users of semaphores\n"
	"      --tree            namespaces, objects and who uses them, as a tree\n" SHOW_USAGE_FILTER
	"                        addition: OBJECT, TYPE, ID, NAME, PID, PPID, INNERPID,\n"
	"                        COMMAND, USER, CONTAINER, IMAGE, SERVICE, POD, STATE,\n"
	"                        MODE, HOW, SIZE, IPCNS, PIDNS, USERNS, CGROUP\n" SHOW_USAGE_END;

int cmd_ps(int argc, char **argv)
{
	return show_machine("ps ", ps_usage, true, argc, argv);
}
