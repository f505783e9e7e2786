// SPDX-License-Identifier: GPL-2.0-or-later
/* A ClientHello, whole and in pieces: the same outcome to the last byte. */
#include "fuzz.h"
#include "proto/tls_hello.h"

struct outcome {
	struct tls_hello h;
	enum tls_hello_result result;
	size_t used;
};

static void feed(struct outcome *o, const uint8_t *p, size_t len)
{
	uint8_t *copy = fuzz_copy(p, len);
	size_t used = 0;

	o->result = tls_hello_feed(&o->h, copy, len, &used);
	FUZZ_CHECK(used <= len);
	FUZZ_CHECK(o->result != TLS_HELLO_MORE || used == len);
	o->used += used;
	free(copy);
}

/* What is promised of a hello that was read to its end. */
static void check(const struct outcome *o)
{
	const struct tls_hello *h = &o->h;
	struct str p;
	size_t at = 0;

	FUZZ_CHECK(h->host_len <= TLS_HELLO_HOST_MAX);
	FUZZ_CHECK(h->alpn_len <= TLS_HELLO_ALPN_MAX);
	FUZZ_CHECK(h->version_count <= TLS_HELLO_VERSIONS_MAX);
	FUZZ_CHECK(strlen(h->host) == h->host_len);
	FUZZ_CHECK((o->result == TLS_HELLO_MALFORMED) ==
		   (h->error != TLS_HELLO_OK));
	if (o->result != TLS_HELLO_DONE)
		return;
	FUZZ_CHECK(!h->has_host || h->host_len > 0);
	while (tls_hello_next_alpn(h, &at, &p))
		FUZZ_CHECK(p.len > 0);
	FUZZ_CHECK(at == h->alpn_len);
}

static void run(const uint8_t *p, size_t len, struct fuzz *pieces, bool bare,
		struct outcome *o)
{
	memset(o, 0, sizeof(*o));
	if (bare)
		tls_hello_init_message(&o->h, 4096);
	else
		tls_hello_init(&o->h, 4096);
	for (size_t at = 0; at < len;) {
		size_t n = pieces != NULL ? fuzz_piece(pieces, len - at)
					  : len - at;

		feed(o, p + at, n);
		at += n;
	}
	check(o);
}

/* Padding too: both were zeroed. */
static bool same_bytes(const void *a, const void *b, size_t len)
{
	return memcmp(a, b, len) == 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static struct outcome whole, pieces;
	struct fuzz f = fuzz_input(data, len);
	bool bare = fuzz_byte(&f) & 1;
	const uint8_t *p = f.p;

	len = f.len;
	run(p, len, NULL, bare, &whole);
	run(p, len, &f, bare, &pieces);
	FUZZ_CHECK(whole.result == pieces.result);
	FUZZ_CHECK(whole.used == pieces.used);
	FUZZ_CHECK(same_bytes(&whole.h, &pieces.h, sizeof(whole.h)));
	return 0;
}
