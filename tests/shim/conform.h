/* SPDX-License-Identifier: Apache-2.0 */
/*
 * conform.h - the parts of the conformance suite; conform.c has the list.
 */
#ifndef COSHM_CONFORM_H
#define COSHM_CONFORM_H

#define KEY_A  0x6f0a
#define KEY_B  0x6f0b
#define KEY_C  0x6f0c
#define ABSENT 0x6fff
#define NO_ID  0x7ffffff0

void conform_shm(void);
void conform_shm_munmap(void);
void conform_shm_rights(void);
void conform_shm_life(void);
void conform_shm_limit(void);
void conform_sem(void);
void conform_sem_vector(void);
void conform_sem_wait(void);
void conform_sem_undo(void);
void conform_msg(void);
void conform_msg_take(void);
void conform_msg_wait(void);
void conform_ftok(void);

/* What the program does when it has run itself again. */
void after_shm(int id);
void after_sem(int id);

#endif
