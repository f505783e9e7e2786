/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A parsed head as text, all of it: two readings are the same when their
 * descriptions are. The first line is what tests compare with.
 */
#ifndef SLUICE_TESTS_HTTP1_DESCRIBE_H
#define SLUICE_TESTS_HTTP1_DESCRIBE_H

#include "base/str.h"
#include "proto/http1.h"

static inline void describe_body(struct strbuf *sb, const struct http1_head *h)
{
	static const char *const names[] = {"none", "length", "chunked",
					    "close"};

	strbuf_printf(sb, " 1.%u %s", h->minor, names[h->framing]);
	if (h->framing == HTTP1_BODY_LENGTH)
		strbuf_printf(sb, "=%llu", (unsigned long long)h->length);
	if (h->keep_alive)
		strbuf_puts(sb, " keep");
	if (h->upgrade)
		strbuf_puts(sb, " upgrade");
	for (unsigned int i = 0; i < h->codings.count; i++)
		strbuf_printf(sb, " %s", coding_name(h->codings.coding[i]));
	if (h->codings.unknown)
		strbuf_puts(sb, " unknown");
}

static inline void describe_fields(struct strbuf *sb,
				   const struct http1_head *h)
{
	for (unsigned int i = 0; i < h->nfields; i++) {
		const struct http1_field *f = &h->fields[i];

		strbuf_printf(sb, "\n%s%d ", f->hop ? "hop " : "", f->id);
		strbuf_printable(sb, f->name);
		strbuf_puts(sb, "=");
		strbuf_printable(sb, f->value);
	}
}

static inline void describe_request(struct strbuf *sb,
				    const struct http1_request *r)
{
	static const char forms[] = "oa:*";

	strbuf_str(sb, r->method_text);
	strbuf_printf(sb, " %c ", forms[r->form]);
	strbuf_printable(sb, r->host);
	strbuf_puts(sb, " ");
	strbuf_printable(sb, r->path);
	describe_body(sb, &r->head);
	if (r->expect_continue)
		strbuf_puts(sb, " expect");
	if (r->host_differs)
		strbuf_puts(sb, " differs");
	strbuf_printf(sb, " m%d\n", r->method);
	strbuf_printable(sb, r->target);
	describe_fields(sb, &r->head);
}

static inline void describe_response(struct strbuf *sb,
				     const struct http1_response *r)
{
	strbuf_printf(sb, "%u ", r->status);
	strbuf_printable(sb, r->reason);
	describe_body(sb, &r->head);
	describe_fields(sb, &r->head);
}

#endif
