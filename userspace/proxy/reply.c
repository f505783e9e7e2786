// SPDX-License-Identifier: GPL-2.0-or-later
/* Answers of our own. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "proxy/eventlog.h"
#include "proxy/http.h"
#include "render/page.h"

#define HEAD_MAX 512

struct status_text {
	unsigned int status;
	const char *text; /* RFC 9110 15 */
};

static const struct status_text status_texts[] = {
	{400, "Bad Request"},
	{403, "Forbidden"},
	{405, "Method Not Allowed"},
	{408, "Request Timeout"},
	{410, "Gone"},
	{414, "URI Too Long"},
	{431, "Request Header Fields Too Large"},
	{502, "Bad Gateway"},
	{504, "Gateway Timeout"},
};

static const char *text_of(unsigned int status)
{
	for (size_t i = 0; i < sizeof(status_texts) / sizeof(status_texts[0]);
	     i++)
		if (status_texts[i].status == status)
			return status_texts[i].text;
	return "Error";
}

bool reply_continue(struct exchange *x)
{
	static const char text[] = "HTTP/1.1 100 Continue\r\n\r\n";
	struct side *client = &x->session->client;

	if (!side_out_room(client, sizeof(text)) ||
	    !buf_append(&client->out, text, sizeof(text) - 1))
		return false;
	(void)side_flush(client); /* what stays: see store_upload() */
	return true;
}

static struct str utc_now(const struct exchange *x, char *dst, size_t size)
{
	time_t now =
		(time_t)(exchange_relay(x)->loop->clock->wall_us() / 1000000);
	struct tm tm;
	size_t n = 0;

	if (gmtime_r(&now, &tm) != NULL)
		n = strftime(dst, size, "%Y-%m-%d %H:%M:%S UTC", &tm);
	return (struct str){dst, n};
}

char *reply_render(const struct exchange *x, const char *template, size_t *len)
{
	char time[40], event[EVENT_ID_MAX], client[IP_TEXT_MAX], status[8];
	struct page_values values = {0};
	char *page = malloc(PAGE_RENDERED_MAX);
	struct strbuf sb;

	if (page == NULL)
		return NULL;
	strbuf_init(&sb, page, PAGE_RENDERED_MAX);
	ip_addr_format(&x->session->client_addr.addr, client, sizeof(client));
	snprintf(status, sizeof(status), "%u", x->status);
	values.v[TEMPLATE_URL] = x->url;
	values.v[TEMPLATE_HOST] = x->host;
	values.v[TEMPLATE_CLIENT] = str_of(client);
	values.v[TEMPLATE_NAME] = str_of(x->name);
	values.v[TEMPLATE_REASON] = str_of(verdict_reason_name(x->reason));
	values.v[TEMPLATE_SENTENCE] =
		str_of(verdict_reason_sentence(x->reason));
	values.v[TEMPLATE_TIME] = utc_now(x, time, sizeof(time));
	values.v[TEMPLATE_EVENT] = str_of(eventlog_next_id(
		&exchange_relay(x)->events, event, sizeof(event)));
	values.v[TEMPLATE_STATUS] = str_of(status);
	values.v[TEMPLATE_STATUS_TEXT] = str_of(text_of(x->status));
	values.v[TEMPLATE_VERSION] = str_of(SLUICE_VERSION);
	page_render(&sb, template, &values);
	*len = sb.len;
	return page;
}

static bool put_reply(struct exchange *x, const char *page, size_t len)
{
	struct side *client = &x->session->client;
	char head[HEAD_MAX];
	struct strbuf sb;

	strbuf_init(&sb, head, sizeof(head));
	strbuf_printf(&sb,
		      "HTTP/1.1 %u %s\r\n"
		      "Content-Type: text/html; charset=utf-8\r\n"
		      "Content-Length: %zu\r\n"
		      "Cache-Control: no-store\r\n"
		      "X-Content-Type-Options: nosniff\r\n",
		      x->status, text_of(x->status), len);
	if (x->status == 405)
		strbuf_puts(&sb, "Allow: GET, HEAD, POST, PUT, DELETE, "
				 "OPTIONS, PATCH\r\n");
	strbuf_puts(&sb, x->keep_client
				 ? x->client_http10
					   ? "Connection: keep-alive\r\n\r\n"
					   : "\r\n"
				 : "Connection: close\r\n\r\n");
	if (x->method == HTTP1_HEAD)
		len = 0;
	return side_out_room(client, sb.len + len) &&
	       buf_append(&client->out, head, sb.len) &&
	       buf_append(&client->out, page, len);
}

void reply_drop_upstream(struct exchange *x)
{
	check_cancel(&x->check);
	exchange_end_bodies(x);
	pool_buf_put(&exchange_relay(x)->buffers, &x->held);
	session_disconnect(x->session);
	x->server_keep_alive = false;
}

void reply_page(struct exchange *x, unsigned int status)
{
	const struct config *config = exchange_config(x);
	struct session *s = x->session;
	size_t len = 0;
	char *page;

	reply_drop_upstream(x);
	x->status = status;
	x->response = RESPONSE_REPLY;
	x->keep_client = x->client_keep_alive && x->up.in_done;
	page = reply_render(
		x, status == 403 ? config->page_block : config->page_error,
		&len);
	exchange_log(x, x->method == HTTP1_HEAD ? 0 : len);
	if (page == NULL || !put_reply(x, page, len))
		exchange_abort(x, CLOSE_NO_RESOURCES);
	else
		session_deadline(s,
				 exchange_now(x) + config->http.idle_timeout);
	free(page);
}
