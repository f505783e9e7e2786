// SPDX-License-Identifier: GPL-2.0-or-later
/* Response heads: whole == in pieces, views inside, no ambiguous framing. */
#include "fuzz_heads.h"

static struct http1_response res;

static void check(const struct http1_response *r, enum http1_method method,
		  const uint8_t *data, size_t len)
{
	bool bodyless = r->status < 200 || r->status == 204 ||
			r->status == 304 || method == HTTP1_HEAD;

	FUZZ_CHECK(r->status >= 100 && r->status <= 999);
	FUZZ_CHECK(str_inside(r->reason, data, len));
	FUZZ_CHECK(!bodyless || r->head.framing == HTTP1_BODY_NONE);
	FUZZ_CHECK(bodyless || method == HTTP1_CONNECT ||
		   r->head.framing != HTTP1_BODY_NONE);
	FUZZ_CHECK(r->head.framing != HTTP1_BODY_CLOSE || !r->head.keep_alive);
}

static ptrdiff_t parse(const struct heads *h, const uint8_t *data, size_t len,
		       size_t seen, struct strbuf *text)
{
	ptrdiff_t n = http1_parse_response(data, len, seen, &h->limits,
					   h->method, &res);

	if (n > 0) {
		heads_check(&res.head, data, (size_t)n, &h->limits, false);
		check(&res, h->method, data, (size_t)n);
		describe_response(text, &res);
	}
	return n;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct fuzz f = fuzz_input(data, len);
	struct heads h = {heads_limits(&f), HTTP1_GET, parse};

	h.method = (enum http1_method)(fuzz_byte(&f) % (HTTP1_OTHER + 1));
	heads_fuzz(&h, &f);
	return 0;
}
