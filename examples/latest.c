/* latest.c - "latest publish" has a new reading now and then, "latest read" the newest. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <coshm.h>

#define CHANNEL  "thermometer"
#define READINGS 20
#define SECOND   INT64_C(1000000000)

struct reading {
	uint64_t number;
	double celsius;
};

static int failed(void)
{
	fprintf(stderr, "latest: %s\n", coshm_errmsg());
	return 1;
}

static int publish(struct coshm_latest *ch)
{
	const struct timespec pause = { 0, 10000000 };
	struct reading r;

	for (r.number = 1; r.number <= READINGS; r.number++) {
		r.celsius = 20 + (double)r.number / 10;
		if (coshm_latest_publish(ch, &r, sizeof(r)) < 0)
			return failed();
		nanosleep(&pause, NULL);
	}
	return 0;
}

static int read_all(struct coshm_latest *ch)
{
	struct reading r = { 0, 0 };
	uint64_t seen = 0;
	int rc;

	while (r.number < READINGS) {
		/* Not every reading: the newest, when there is another one. */
		rc = coshm_latest_wait(ch, seen, 10 * SECOND);
		if (rc == 0)
			rc = coshm_latest_read(ch, &r, sizeof(r), NULL, &seen);
		if (rc == -EAGAIN || rc == -EINTR || rc == -EOWNERDEAD)
			continue;
		if (rc < 0)
			return failed();
	}
	printf("reading %u: %.1f C\n", (unsigned int)r.number, r.celsius);
	return 0;
}

int main(int argc, char **argv)
{
	int writes = argc > 1 && strcmp(argv[1], "publish") == 0, rc;
	struct coshm_latest *ch;

	rc = coshm_latest_create(CHANNEL, sizeof(struct reading), 0, NULL);
	if (rc < 0 && rc != -EEXIST)
		return failed();
	if (coshm_latest_open(CHANNEL, writes ? COSHM_PUBLISHER : COSHM_SUBSCRIBER, NULL, &ch) < 0)
		return failed();
	rc = writes ? publish(ch) : read_all(ch);
	coshm_latest_close(ch);
	return rc;
}
