/* queue.c - "queue produce" has jobs, any number of "queue consume" share them. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <coshm.h>

#define CHANNEL "jobs"
#define JOBS    1000
#define SECOND  INT64_C(1000000000)

static int failed(void)
{
	fprintf(stderr, "queue: %s\n", coshm_errmsg());
	return 1;
}

static int produce(struct coshm_queue *ch)
{
	char job[32];

	for (int i = 0; i < JOBS; i++) {
		int bytes = snprintf(job, sizeof(job), "job %d", i);

		if (coshm_queue_push(ch, job, (size_t)bytes, 10 * SECOND) < 0)
			return failed();
	}
	return 0;
}

static int consume(struct coshm_queue *ch)
{
	struct coshm_delivery d;
	unsigned int done = 0;
	int rc;

	/* For a second nothing came: that was all. */
	while ((rc = coshm_queue_take(ch, SECOND, &d)) != -ETIMEDOUT) {
		if (rc == -EINTR)
			continue;
		if (rc < 0)
			return failed();
		if (d.deliveries > 1)
			fprintf(stderr, "queue: %.*s was begun before, by one who died\n",
				(int)d.bytes, (const char *)d.data);
		/* The work is done here.  If we die at it, another consumer gets the job. */
		done++;
		if (coshm_queue_release(ch, d.data) < 0)
			return failed();
	}
	printf("%u jobs done\n", done);
	return 0;
}

int main(int argc, char **argv)
{
	int produces = argc > 1 && strcmp(argv[1], "produce") == 0, rc;
	struct coshm_queue *ch;

	rc = coshm_queue_create(CHANNEL, NULL, NULL);
	if (rc < 0 && rc != -EEXIST)
		return failed();
	if (coshm_queue_open(CHANNEL, produces ? COSHM_PRODUCER : COSHM_CONSUMER, NULL, &ch) < 0)
		return failed();
	rc = produces ? produce(ch) : consume(ch);
	coshm_queue_close(ch);
	return rc;
}
