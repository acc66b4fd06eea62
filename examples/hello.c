/* hello.c - "hello send" in one container, "hello receive" in another. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <coshm.h>

#define CHANNEL "hello"
#define SECOND  INT64_C(1000000000)

static int failed(void)
{
	fprintf(stderr, "hello: %s\n", coshm_errmsg());
	return 1;
}

int main(int argc, char **argv)
{
	int send = argc > 1 && strcmp(argv[1], "send") == 0, rc;
	struct coshm_message message;
	struct coshm_stream *ch;
	char text[112];

	/* Whoever comes first makes the channel. */
	rc = coshm_stream_create(CHANNEL, NULL, NULL);
	if (rc < 0 && rc != -EEXIST)
		return failed();
	if (coshm_stream_open(CHANNEL, send ? COSHM_PUBLISHER : COSHM_SUBSCRIBER, NULL, &ch) < 0)
		return failed();
	if (send) {
		if (coshm_stream_wait_subscribers(ch, 1, 10 * SECOND) < 0 ||
		    coshm_stream_publish(ch, "hello, world", 12, SECOND) < 0 ||
		    coshm_stream_drain(ch, SECOND) < 0)
			return failed();
	} else {
		if (coshm_stream_receive(ch, text, sizeof(text), 10 * SECOND, &message) < 0)
			return failed();
		printf("%.*s\n", (int)message.bytes, text);
	}
	coshm_stream_close(ch);
	return 0;
}
