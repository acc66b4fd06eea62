/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cmd_ls.c - "coshm ls": all objects of the machine, and which containers share them.
 */
#include "cli.h"
#include "show.h"

const char ls_usage[] =
	"Usage: coshm ls [OPTION]... [CONTAINER]...\n"
	"List shared memory, semaphores, message queues and channels of the machine, by\n"
	"IPC namespace, with the containers that share them; or of some CONTAINERs\n"
	"alone: names, ids, pids or pods.  Changes nothing.\n"
	"\n"
	"  -m, --shmems          shared memory: System V, POSIX and channels\n"
	"  -q, --queues          message queues: System V and POSIX\n"
	"  -s, --semaphores      semaphores: System V and POSIX\n"
	"      --tree            namespaces, containers and what they use, as a tree\n" SHOW_USAGE_FILTER
	"                        addition: TYPE, KEY, OBJECT, ID, NAME, PATH, PERMS,\n"
	"                        OWNER, CREATOR, SIZE, USED, SWAPPED, NATTCH, STATUS,\n"
	"                        NSEMS, MESSAGES, LOST, PEERS, DEAD, MUTEXES, CPID, LPID,\n"
	"                        ATIME, DTIME, CTIME, IPCNS, AREA, CONTAINER, IMAGE,\n"
	"                        SERVICE, POD, USERS\n" SHOW_USAGE_END;

int cmd_ls(int argc, char **argv)
{
	return show_machine("ls ", ls_usage, false, argc, argv);
}
