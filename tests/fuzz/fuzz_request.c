// SPDX-License-Identifier: GPL-2.0-or-later
/* Request heads: whole == in pieces, views inside, no ambiguous framing. */
#include "fuzz_heads.h"

static struct http1_request req;

static void check(const struct http1_request *r, const uint8_t *data,
		  size_t len)
{
	unsigned int hosts = 0;

	FUZZ_CHECK(str_inside(r->method_text, data, len));
	FUZZ_CHECK(str_inside(r->target, data, len));
	FUZZ_CHECK(str_inside(r->path, data, len));
	FUZZ_CHECK(r->host.len == 0 || str_inside(r->host, data, len));
	FUZZ_CHECK(r->method_text.len > 0 && r->target.len > 0);
	FUZZ_CHECK(r->head.framing != HTTP1_BODY_CLOSE);
	for (unsigned int i = 0; i < r->head.nfields; i++)
		hosts += r->head.fields[i].id == HTTP1_F_HOST;
	FUZZ_CHECK(hosts == 1 || (hosts == 0 && r->head.minor == 0));
}

static ptrdiff_t parse(const struct heads *h, const uint8_t *data, size_t len,
		       size_t seen, struct strbuf *text)
{
	ptrdiff_t n = http1_parse_request(data, len, seen, &h->limits, &req);

	if (n > 0) {
		heads_check(&req.head, data, (size_t)n, &h->limits, true);
		check(&req, data, (size_t)n);
		describe_request(text, &req);
	}
	return n;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct fuzz f = fuzz_input(data, len);
	struct heads h = {heads_limits(&f), HTTP1_GET, parse};

	heads_fuzz(&h, &f);
	return 0;
}
