/* SPDX-License-Identifier: Apache-2.0 */
/* ucx.c - UCX's tagged messages over its shared memory transports; the sides swap addresses. */
#include <stdlib.h>
#include <string.h>
#include <ucp/api/ucp.h>
#include "contestant.h"

#define TAG 1

struct end {
	ucp_context_h context;
	ucp_worker_h worker;
	ucp_ep_h peer;
};

static void must(ucs_status_t status)
{
	if (status != UCS_OK)
		die("%s", ucs_status_string(status));
}

static void connect_ends(struct end *end, const struct task *task)
{
	ucp_ep_params_t params = { .field_mask = UCP_EP_PARAM_FIELD_REMOTE_ADDRESS };
	ucp_address_t *address;
	size_t bytes;

	must(ucp_worker_get_address(end->worker, &address, &bytes));
	if (bytes > MAIL_BYTES)
		die("its address takes %zu bytes", bytes);
	memcpy(task->mail[task->side], address, bytes);
	ucp_worker_release_address(end->worker, address);
	meet(task);
	params.address = (ucp_address_t *)(void *)task->mail[!task->side];
	must(ucp_ep_create(end->worker, &params, &end->peer));
}

static void *open_end(const struct task *task)
{
	struct end *end = (struct end *)calloc(1, sizeof(*end));
	ucp_params_t params = { .field_mask = UCP_PARAM_FIELD_FEATURES,
				.features = UCP_FEATURE_TAG };
	ucp_worker_params_t worker = { .field_mask = UCP_WORKER_PARAM_FIELD_THREAD_MODE,
				       .thread_mode = UCS_THREAD_MODE_SINGLE };
	ucp_config_t *config;

	if (!end)
		die("no memory");
	setenv("UCX_TLS", "posix,cma,self", 0);
	must(ucp_config_read(NULL, NULL, &config));
	must(ucp_init(&params, config, &end->context));
	ucp_config_release(config);
	must(ucp_worker_create(end->context, &worker, &end->worker));
	connect_ends(end, task);
	return end;
}

static void await(struct end *end, void *request)
{
	ucs_status_t status;

	if (!request)
		return;
	if (UCS_PTR_IS_ERR(request))
		must(UCS_PTR_STATUS(request));
	while ((status = ucp_request_check_status(request)) == UCS_INPROGRESS)
		ucp_worker_progress(end->worker);
	must(status);
	ucp_request_free(request);
}

/* A copy of what is sent may still be read, so a large message is awaited; a small one is taken
 * at once, or waits for room. */
static void send_message(void *handle, const void *data, size_t bytes)
{
	static const ucp_request_param_t none;
	struct end *end = (struct end *)handle;

	await(end, ucp_tag_send_nbx(end->peer, data, bytes, TAG, &none));
}

static void receive(void *handle, void *data, size_t bytes)
{
	static const ucp_request_param_t none;
	struct end *end = (struct end *)handle;

	await(end, ucp_tag_recv_nbx(end->worker, data, bytes, TAG, UINT64_MAX, &none));
}

/* Ready before the other side is gone: what is under way is flushed first. */
static void close_end(void *handle)
{
	static const ucp_request_param_t none;
	struct end *end = (struct end *)handle;

	await(end, ucp_ep_flush_nbx(end->peer, &none));
	await(end, ucp_ep_close_nbx(end->peer, &none));
	ucp_worker_destroy(end->worker);
	ucp_cleanup(end->context);
	free(end);
}

const struct contestant contestant = {
	.name = "UCX",
	.kinds = 1u << PAIR | 1u << STREAM,
	.spins = true,
	.open = open_end,
	.close = close_end,
	.send = send_message,
	.receive = receive,
};
