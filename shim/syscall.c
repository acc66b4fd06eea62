/* SPDX-License-Identifier: Apache-2.0 */
/*
 * syscall.c - System V calls that a program makes through syscall(2), and modules
 * that a program loads so that no preloaded library is asked.
 */
#include <dlfcn.h>
#include <stdarg.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "handlers.h"
#include "real.h"

/* A 32-bit kernel has one call for all of them, ipc(2), which nobody makes by hand. */
static long ours(long number, const long a[6], int *taken)
{
	*taken = 1;
	switch (number) {
#ifdef SYS_shmat
	case SYS_shmget:
		return shmget((key_t)a[0], (size_t)a[1], (int)a[2]);
	case SYS_shmat:
		return (long)shmat((int)a[0], (const void *)a[1], (int)a[2]);
	case SYS_shmdt:
		return shmdt((const void *)a[0]);
	case SYS_shmctl:
		return shmctl((int)a[0], (int)a[1], (struct shmid_ds *)a[2]);
#endif
#ifdef SYS_msgget
	case SYS_msgget:
		return msgget((key_t)a[0], (int)a[1]);
	case SYS_msgsnd:
		return msgsnd((int)a[0], (const void *)a[1], (size_t)a[2], (int)a[3]);
	case SYS_msgrcv:
		return msgrcv((int)a[0], (void *)a[1], (size_t)a[2], a[3], (int)a[4]);
	case SYS_msgctl:
		return msgctl((int)a[0], (int)a[1], (struct msqid_ds *)a[2]);
#endif
#ifdef SYS_semget
	case SYS_semget:
		return semget((key_t)a[0], (int)a[1], (int)a[2]);
	case SYS_semctl:
		return semctl((int)a[0], (int)a[1], (int)a[2], a[3]);
#endif
#ifdef SYS_semop /* not of a 32-bit x86 kernel, which has the others */
	case SYS_semop:
		return semop((int)a[0], (struct sembuf *)a[1], (size_t)a[2]);
	case SYS_semtimedop:
		return semtimedop((int)a[0], (struct sembuf *)a[1], (size_t)a[2],
				  (const struct timespec *)a[3]);
#endif
	case SYS_rt_sigaction:
		handlers_note();
		*taken = 0;
		return 0;
	default:
		*taken = 0;
		return 0;
	}
}

SHIM_EXPORT long syscall(long number, ...)
{
	long a[6], result;
	int taken = 0;
	va_list ap;

	va_start(ap, number);
	for (int i = 0; i < 6; i++)
		a[i] = va_arg(ap, long);
	va_end(ap);
	result = shim_dir() ? ours(number, a, &taken) : 0;
	return taken ? result : REAL(syscall)(number, a[0], a[1], a[2], a[3], a[4], a[5]);
}

/*
 * A module loaded with RTLD_DEEPBIND (PHP does that) would find libc's calls before ours.
 * dlopen looks at who called it, so libc's own must return to our caller: a jump.
 */
__attribute__((used, visibility("hidden"))) void *shim_real_dlopen(void)
{
	return (void *)REAL(dlopen);
}

_Static_assert(RTLD_DEEPBIND == 8, "the mask below");

#if defined(__x86_64__)
__asm__(".globl dlopen\n"
	".type dlopen, @function\n"
	"dlopen:\n"
	"	andl $~8, %esi\n"
	"	pushq %rdi\n"
	"	pushq %rsi\n"
	"	subq $8, %rsp\n"
	"	call shim_real_dlopen\n"
	"	addq $8, %rsp\n"
	"	popq %rsi\n"
	"	popq %rdi\n"
	"	jmp *%rax\n"
	".size dlopen, .-dlopen\n");
#elif defined(__aarch64__)
__asm__(".globl dlopen\n"
	".type dlopen, %function\n"
	"dlopen:\n"
	"	and w1, w1, #~8\n"
	"	stp x0, x1, [sp, #-32]!\n"
	"	str x30, [sp, #16]\n"
	"	bl shim_real_dlopen\n"
	"	mov x16, x0\n"
	"	ldr x30, [sp, #16]\n"
	"	ldp x0, x1, [sp], #32\n"
	"	br x16\n"
	".size dlopen, .-dlopen\n");
#else
SHIM_EXPORT void *dlopen(const char *file, int flags)
{
	return ((void *(*)(const char *, int))shim_real_dlopen())(file, flags & ~RTLD_DEEPBIND);
}
#endif
