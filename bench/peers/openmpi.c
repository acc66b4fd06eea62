/* SPDX-License-Identifier: Apache-2.0 */
/* openmpi.c - Open MPI over shared memory (its btl vader); mpirun starts the sides. */
#include <mpi.h>
#include "contestant.h"

static int rank;

static void *open_end(const struct task *task)
{
	int started;

	(void)task;
	MPI_Initialized(&started);
	if (!started)
		MPI_Init(NULL, NULL);
	MPI_Comm_rank(MPI_COMM_WORLD, &rank);
	return &rank;
}

static void close_end(void *end)
{
	(void)end;
	MPI_Finalize();
}

static void send(void *end, const void *data, size_t bytes)
{
	(void)end;
	MPI_Send(data, (int)bytes, MPI_BYTE, !rank, 0, MPI_COMM_WORLD);
}

static void receive(void *end, void *data, size_t bytes)
{
	(void)end;
	MPI_Recv(data, (int)bytes, MPI_BYTE, !rank, 0, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
}

const struct contestant contestant = {
	.name = "Open MPI",
	.kinds = 1u << PAIR | 1u << STREAM,
	.spins = true,
	.open = open_end,
	.close = close_end,
	.send = send,
	.receive = receive,
};
