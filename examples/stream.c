/* stream.c - "stream publish" sends batches without a copy, "stream receive" adds them up. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <coshm.h>

#define CHANNEL "orders"
#define BATCHES 100
#define BATCH   10
#define SECOND  INT64_C(1000000000)

struct order {
	uint32_t number;
	uint32_t pieces;
};

static const struct coshm_type type = { "order", sizeof(struct order), 4, 1 };

static int failed(void)
{
	fprintf(stderr, "stream: %s\n", coshm_errmsg());
	return 1;
}

static int publish(struct coshm_stream *ch)
{
	uint32_t number = 0;
	void *room;

	if (coshm_stream_wait_subscribers(ch, 1, 10 * SECOND) < 0)
		return failed();
	for (int batch = 0; batch < BATCHES; batch++) {
		for (int i = 0; i < BATCH; i++) {
			struct order *o;

			if (coshm_stream_loan(ch, sizeof(*o), SECOND, &room) < 0)
				return failed();
			o = (struct order *)room;
			o->number = number++;
			o->pieces = o->number % 7;
		}
		if (coshm_stream_publish_loans(ch) < 0) /* all ten at once */
			return failed();
	}
	return coshm_stream_drain(ch, 10 * SECOND) < 0 ? failed() : 0;
}

static int receive(struct coshm_stream *ch)
{
	struct coshm_message messages[16];
	uint32_t orders = 0, pieces = 0;
	int count;

	while (orders < BATCHES * BATCH) {
		count = coshm_stream_peek(ch, messages, 16, 10 * SECOND);
		if (count == -EINTR)
			continue;
		if (count < 0)
			return failed();
		for (int i = 0; i < count; i++)
			pieces += ((const struct order *)messages[i].data)->pieces;
		/* From here on the publisher may write over them. */
		if (coshm_stream_release(ch, (unsigned int)count) < 0)
			return failed();
		orders += (uint32_t)count;
	}
	printf("%u orders, %u pieces\n", (unsigned int)orders, (unsigned int)pieces);
	return 0;
}

int main(int argc, char **argv)
{
	int sends = argc > 1 && strcmp(argv[1], "publish") == 0, rc;
	struct coshm_create_opts create;
	struct coshm_open_opts open;
	struct coshm_stream *ch;

	memset(&create, 0, sizeof(create));
	create.size = sizeof(create);
	create.type = type;
	memset(&open, 0, sizeof(open));
	open.size = sizeof(open);
	open.type = type;
	rc = coshm_stream_create(CHANNEL, NULL, &create);
	if (rc < 0 && rc != -EEXIST)
		return failed();
	if (coshm_stream_open(CHANNEL, sends ? COSHM_PUBLISHER : COSHM_SUBSCRIBER, &open, &ch) < 0)
		return failed();
	rc = sends ? publish(ch) : receive(ch);
	coshm_stream_close(ch);
	return rc;
}
