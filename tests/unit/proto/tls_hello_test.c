// SPDX-License-Identifier: GPL-2.0-or-later
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "guard.h"
#include "hello.h"
#include "proto/tls_hello.h"

#define LIMIT 65535

static struct hello message, records;

struct outcome {
	struct tls_hello h;
	enum tls_hello_result result;
	size_t used;
};

/* One piece, flush against a guard page. */
static void feed(struct outcome *o, const uint8_t *p, size_t len)
{
	uint8_t *copy = guard_copy(p, len);
	size_t used = 0;

	o->result = tls_hello_feed(&o->h, copy, len, &used);
	assert_in_range(used, 0, len);
	if (o->result == TLS_HELLO_MORE)
		assert_int_equal(used, len);
	o->used += used;
	guard_free(copy, len);
}

static void begin(struct outcome *o, const struct hello *in)
{
	memset(o, 0xa5, sizeof(*o));
	if (in == &message)
		tls_hello_init_message(&o->h, LIMIT);
	else
		tls_hello_init(&o->h, LIMIT);
	o->result = TLS_HELLO_MORE;
	o->used = 0;
}

static void same(const struct outcome *a, const struct outcome *b)
{
	assert_int_equal(a->result, b->result);
	assert_int_equal(a->used, b->used);
	assert_memory_equal(&a->h, &b->h, sizeof(a->h));
}

/* Whole, byte by byte, and cut in two at each place: the same outcome. */
static enum tls_hello_result feed_all(const struct hello *in, struct outcome *o)
{
	struct outcome other;

	begin(o, in);
	feed(o, in->data, in->len);
	begin(&other, in);
	for (size_t i = 0; i < in->len; i++)
		feed(&other, in->data + i, 1);
	same(&other, o);
	for (size_t at = 0; at <= in->len; at += 1 + in->len / 600) {
		begin(&other, in);
		feed(&other, in->data, at);
		feed(&other, in->data + at, in->len - at);
		same(&other, o);
	}
	return o->result;
}

static void assert_usual(const struct outcome *o, const char *host)
{
	struct str name = tls_hello_host(&o->h);
	struct str p = {NULL, 0};
	size_t at = 0;

	assert_int_equal(o->result, TLS_HELLO_DONE);
	assert_int_equal(name.len, strlen(host));
	assert_string_equal(o->h.host, host);
	assert_true(tls_hello_next_alpn(&o->h, &at, &p));
	assert_true(str_eq(p, STR("h2")));
	assert_true(tls_hello_next_alpn(&o->h, &at, &p));
	assert_true(str_eq(p, STR("http/1.1")));
	assert_false(tls_hello_next_alpn(&o->h, &at, &p));
	assert_true(tls_hello_has_alpn(&o->h, STR("h2")));
	assert_false(tls_hello_has_alpn(&o->h, STR("h3")));
	assert_int_equal(tls_hello_max_version(&o->h), TLS_1_3);
	assert_int_equal(o->h.version_count, 2);
	assert_true(o->h.grease);
	assert_false(o->h.ech);
}

static void usual(void **state)
{
	struct outcome o;

	(void)state;
	hello_usual(&message, "Www.Example.COM", 32);
	feed_all(&message, &o);
	assert_usual(&o, "www.example.com");
	hello_records(&records, &message, 16384);
	feed_all(&records, &o);
	assert_usual(&o, "www.example.com");
}

/* Records of one byte, of a few, and post-quantum sizes over segments. */
static void many_records(void **state)
{
	static const size_t sizes[] = {1, 2, 3, 5, 100, 500};
	struct outcome o;

	(void)state;
	hello_usual(&message, "example.org", 1250);
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		hello_records(&records, &message, sizes[i]);
		feed_all(&records, &o);
		assert_usual(&o, "example.org");
		assert_int_equal(o.used, records.len);
	}
}

/* What follows the hello in its record, or behind it, is not taken. */
static void bytes_behind(void **state)
{
	struct outcome o;
	size_t len;

	(void)state;
	hello_usual(&message, "example.org", 32);
	len = message.len;
	hello_u8(&message, 0xff);
	feed_all(&message, &o);
	assert_usual(&o, "example.org");
	assert_int_equal(o.used, len);
	hello_records(&records, &message, 16384);
	feed_all(&records, &o);
	assert_usual(&o, "example.org");
	assert_int_equal(o.used, records.len - 1);
	/* Nor does it change when it is fed on. */
	feed(&o, message.data, message.len);
	assert_int_equal(o.used, records.len - 1);
	assert_int_equal(o.result, TLS_HELLO_DONE);
}

static void no_name_no_extensions(void **state)
{
	struct outcome o;
	size_t open;

	(void)state;
	hello_usual(&message, NULL, 32);
	assert_int_equal(feed_all(&message, &o), TLS_HELLO_DONE);
	assert_false(o.h.has_host);
	assert_int_equal(tls_hello_host(&o.h).len, 0);
	open = hello_begin(&message);
	hello_close(&message, open, 3);
	assert_int_equal(feed_all(&message, &o), TLS_HELLO_DONE);
	assert_int_equal(tls_hello_max_version(&o.h), TLS_1_2);
	assert_false(o.h.grease);
}

/* Every legal length arrives whole. */
static void name_lengths(void **state)
{
	char name[TLS_HELLO_HOST_MAX + 8];
	struct outcome o;

	(void)state;
	for (size_t len = 1; len <= TLS_HELLO_HOST_MAX; len += 7) {
		for (size_t i = 0; i < len; i++)
			name[i] = i % 50 == 49 && i + 1 < len ? '.' : 'n';
		name[len] = '\0';
		hello_usual(&message, name, 4);
		begin(&o, &message);
		feed(&o, message.data, message.len);
		assert_usual(&o, name);
	}
	memset(name, 'n', sizeof(name));
	name[60] = name[120] = name[180] = name[240] = '.';
	name[253] = '\0';
	hello_usual(&message, name, 4);
	feed_all(&message, &o);
	assert_usual(&o, name);
	name[253] = 'n';
	name[254] = '\0';
	hello_usual(&message, name, 4);
	assert_int_equal(feed_all(&message, &o), TLS_HELLO_MALFORMED);
	assert_int_equal(o.h.error, TLS_HELLO_BAD_NAME);
}

static void names_good_and_bad(void **state)
{
	static const struct {
		const char *name, *is; /* NULL: refused */
	} names[] = {
		{"a", "a"},
		{"a.b.", "a.b"},
		{"_dmarc.x-y.1", "_dmarc.x-y.1"},
		{"192.0.2.1", "192.0.2.1"},
		{"XN--Z.De", "xn--z.de"},
		{"", NULL},
		{".", NULL},
		{".a", NULL},
		{"a..b", NULL},
		{"a b", NULL},
		{"a\nb", NULL},
		{"2001:db8::1", NULL},
		{"a/b", NULL},
		{"\xc3\xa4.de", NULL},
		{"a.b..", NULL},
	};
	struct outcome o;

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		hello_usual(&message, names[i].name, 4);
		feed_all(&message, &o);
		if (names[i].is != NULL) {
			assert_usual(&o, names[i].is);
			continue;
		}
		assert_int_equal(o.result, TLS_HELLO_MALFORMED);
		assert_int_equal(o.h.error, TLS_HELLO_BAD_NAME);
	}
}

/* NUL is no byte of a name: "good.example\0.bad.example" */
static void nul_in_a_name(void **state)
{
	size_t open = hello_begin(&message), exts = hello_open(&message, 2);
	struct outcome o;

	(void)state;
	hello_sni(&message, "a.b\0.c", 6);
	hello_close(&message, exts, 2);
	hello_close(&message, open, 3);
	assert_int_equal(feed_all(&message, &o), TLS_HELLO_MALFORMED);
	assert_int_equal(o.h.error, TLS_HELLO_BAD_NAME);
}

static void ech_is_seen(void **state)
{
	struct outcome o;

	(void)state;
	for (unsigned int type = 0; type < 2; type++) {
		size_t open = hello_begin(&message);
		size_t exts = hello_open(&message, 2), ech;

		hello_sni(&message, "outer.example", 13);
		ech = hello_ext(&message, 0xfe0d);
		hello_u8(&message, type);
		hello_fill(&message, 9, type == 0 ? 200 : 0);
		hello_close(&message, ech, 2);
		hello_ext_of(&message, 41, "xyz", 3);
		hello_close(&message, exts, 2);
		hello_close(&message, open, 3);
		assert_int_equal(feed_all(&message, &o), TLS_HELLO_DONE);
		assert_string_equal(o.h.host, "outer.example");
		assert_true(o.h.ech);
		assert_int_equal(o.h.ech_inner, type == 1);
		assert_true(o.h.pre_shared_key);
	}
}

/* More protocols than are kept: the first ones, whole, and a mark. */
static void long_alpn(void **state)
{
	size_t open = hello_begin(&message), exts = hello_open(&message, 2);
	size_t ext = hello_ext(&message, 16), list = hello_open(&message, 2);
	struct outcome o;
	struct str p;
	size_t at = 0, count = 0;

	(void)state;
	for (int i = 0; i < 20; i++) {
		hello_u8(&message, 19);
		hello_fill(&message, 'p', 19);
	}
	hello_close(&message, list, 2);
	hello_close(&message, ext, 2);
	hello_close(&message, exts, 2);
	hello_close(&message, open, 3);
	assert_int_equal(feed_all(&message, &o), TLS_HELLO_DONE);
	assert_true(o.h.alpn_cut);
	while (tls_hello_next_alpn(&o.h, &at, &p)) {
		assert_int_equal(p.len, 19);
		count++;
	}
	assert_int_equal(count, TLS_HELLO_ALPN_MAX / 20);
}

/* --- what is wrong ------------------------------------------------------------- */

/* Extension bodies that are broken, in an otherwise good hello. */
static void bad_extensions(void **state)
{
#define EXT(type, body, error)                      \
	{                                           \
		type, body, sizeof(body) - 1, error \
	}
	static const struct {
		unsigned int type;
		const char *body;
		size_t len;
		enum tls_hello_error error;
	} bad[] = {
		EXT(0, "", TLS_HELLO_BAD_LENGTH),
		EXT(0, "\0", TLS_HELLO_BAD_LENGTH),
		EXT(0, "\0\0", TLS_HELLO_BAD_LENGTH),
		EXT(0, "\0\4\0\0\1a\0", TLS_HELLO_BAD_LENGTH),
		EXT(0, "\0\5\0\0\1a", TLS_HELLO_BAD_LENGTH),
		EXT(0, "\0\4\1\0\1a", TLS_HELLO_BAD_NAME),
		EXT(0, "\0\4\0\0\2a", TLS_HELLO_BAD_LENGTH),
		EXT(0, "\0\10\0\0\1a\0\0\1b", TLS_HELLO_BAD_LENGTH),
		EXT(16, "", TLS_HELLO_BAD_LENGTH),
		EXT(16, "\0\0", TLS_HELLO_BAD_ALPN),
		EXT(16, "\0\3\2h2\0", TLS_HELLO_BAD_LENGTH),
		EXT(16, "\0\3\0h2", TLS_HELLO_BAD_ALPN),
		EXT(16, "\0\3\3h2", TLS_HELLO_BAD_LENGTH),
		EXT(43, "", TLS_HELLO_BAD_LENGTH),
		EXT(43, "\0", TLS_HELLO_BAD_VERSIONS),
		EXT(43, "\3\3\4\3", TLS_HELLO_BAD_VERSIONS),
		EXT(43, "\2\3\4\3", TLS_HELLO_BAD_LENGTH),
		EXT(43, "\4\3\4", TLS_HELLO_BAD_LENGTH),
		EXT(0xfe0d, "", TLS_HELLO_BAD_LENGTH),
	};
	struct outcome o;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		size_t open = hello_begin(&message);
		size_t exts = hello_open(&message, 2);

		hello_ext_of(&message, 5, "abc", 3);
		hello_ext_of(&message, bad[i].type, bad[i].body, bad[i].len);
		hello_ext_of(&message, 10, "abc", 3);
		hello_close(&message, exts, 2);
		hello_close(&message, open, 3);
		assert_int_equal(feed_all(&message, &o), TLS_HELLO_MALFORMED);
		if (o.h.error != bad[i].error)
			fail_msg("%zu: %s", i,
				 tls_hello_error_name(
					 (enum tls_hello_error)o.h.error));
	}
}

static void twice(void **state)
{
	static const unsigned int types[] = {0, 16, 43, 0xfe0d};
	static const char *const bodies[] = {"\0\4\0\0\1a", "\0\3\2h2",
					     "\2\3\4", "\1"};
	static const size_t lens[] = {6, 5, 3, 1};
	struct outcome o;

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		size_t open = hello_begin(&message);
		size_t exts = hello_open(&message, 2);

		hello_ext_of(&message, types[i], bodies[i], lens[i]);
		hello_ext_of(&message, types[i], bodies[i], lens[i]);
		hello_close(&message, exts, 2);
		hello_close(&message, open, 3);
		assert_int_equal(feed_all(&message, &o), TLS_HELLO_MALFORMED);
		assert_int_equal(o.h.error, TLS_HELLO_TWICE);
	}
}

/* Each length field of a good hello, one more and one less. */
static void lengths_must_fit(void **state)
{
	/* message, session, ciphers, methods, extensions, first extension */
	static const size_t at[] = {3, 38, 72, 79, 82, 86};
	struct outcome o;

	(void)state;
	for (size_t i = 0; i < sizeof(at) / sizeof(at[0]); i++)
		for (int by = -1; by <= 1; by += 2) {
			hello_usual(&message, "example.org", 32);
			message.data[at[i]] =
				(uint8_t)(message.data[at[i]] + by);
			feed_all(&message, &o);
			/* One byte too many in the message: it is awaited. */
			if (o.result == TLS_HELLO_DONE)
				fail_msg("length at %zu %+d", at[i], by);
		}
}

static void not_tls(void **state)
{
	static const char *const bytes[] = {
		"GET / HTTP/1.1\r\n\r\n",	"SSH-2.0-x\r\n",
		"\x80\x2e\x01\x03\x01",		/* SSLv2 */
		"\x17\x03\x03\x01\x01",		/* application data */
		"\x16\x02\x01\x01\x01",		/* no such version */
		"\x16\x03\x01\x7f\xff",		/* a record of 32767 */
		"\x16\x03\x01\x01\x01\x02\x01", /* ServerHello */
	};
	struct outcome o;

	(void)state;
	for (size_t i = 0; i < sizeof(bytes) / sizeof(bytes[0]); i++) {
		records.len = 0;
		hello_bytes(&records, bytes[i], strlen(bytes[i]));
		assert_int_equal(feed_all(&records, &o), TLS_HELLO_NOT_TLS);
		assert_int_equal(o.h.error, TLS_HELLO_OK);
	}
}

static void bad_records(void **state)
{
	static const uint8_t empty[] = {22, 3, 1, 0, 0};
	static const uint8_t alert[] = {21, 3, 1, 0, 2, 1, 0};
	struct outcome o;

	(void)state;
	hello_usual(&message, "example.org", 32);
	for (int i = 0; i < 2; i++) {
		hello_records(&records, &message, 50);
		records.len = 55;
		if (i == 0)
			hello_bytes(&records, empty, sizeof(empty));
		else
			hello_bytes(&records, alert, sizeof(alert));
		assert_int_equal(feed_all(&records, &o), TLS_HELLO_MALFORMED);
		assert_int_equal(o.h.error, TLS_HELLO_BAD_RECORD);
	}
}

static void bad_sections(void **state)
{
	struct outcome o;

	(void)state;
	hello_usual(&message, "example.org", 32);
	message.data[38] = 33;
	assert_int_equal(feed_all(&message, &o), TLS_HELLO_MALFORMED);
	assert_int_equal(o.h.error, TLS_HELLO_BAD_SESSION);
	message.data[38] = 32;
	message.data[72] = 5;
	assert_int_equal(feed_all(&message, &o), TLS_HELLO_MALFORMED);
	assert_int_equal(o.h.error, TLS_HELLO_BAD_CIPHERS);
	message.data[72] = 0;
	assert_int_equal(feed_all(&message, &o), TLS_HELLO_MALFORMED);
	assert_int_equal(o.h.error, TLS_HELLO_BAD_CIPHERS);
	message.data[72] = 6;
	message.data[79] = 0;
	assert_int_equal(feed_all(&message, &o), TLS_HELLO_MALFORMED);
	assert_int_equal(o.h.error, TLS_HELLO_BAD_COMPRESSION);
}

static void limit(void **state)
{
	struct tls_hello h;

	(void)state;
	hello_usual(&message, "example.org", 500);
	tls_hello_init_message(&h, (uint32_t)message.len - 4);
	assert_int_equal(tls_hello_feed(&h, message.data, message.len, NULL),
			 TLS_HELLO_DONE);
	tls_hello_init_message(&h, (uint32_t)message.len - 5);
	assert_int_equal(tls_hello_feed(&h, message.data, message.len, NULL),
			 TLS_HELLO_MALFORMED);
	assert_int_equal(h.error, TLS_HELLO_TOO_LONG);
}

static void error_names(void **state)
{
	(void)state;
	for (int e = 0; e < TLS_HELLO_ERRORS; e++)
		assert_true(strlen(tls_hello_error_name(
				    (enum tls_hello_error)e)) > 1);
	assert_string_equal(tls_hello_error_name(TLS_HELLO_ERRORS), "?");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(usual),
		cmocka_unit_test(many_records),
		cmocka_unit_test(bytes_behind),
		cmocka_unit_test(no_name_no_extensions),
		cmocka_unit_test(name_lengths),
		cmocka_unit_test(names_good_and_bad),
		cmocka_unit_test(nul_in_a_name),
		cmocka_unit_test(ech_is_seen),
		cmocka_unit_test(long_alpn),
		cmocka_unit_test(bad_extensions),
		cmocka_unit_test(twice),
		cmocka_unit_test(lengths_must_fit),
		cmocka_unit_test(not_tls),
		cmocka_unit_test(bad_records),
		cmocka_unit_test(bad_sections),
		cmocka_unit_test(limit),
		cmocka_unit_test(error_names),
	};

	return cmocka_run_group_tests_name("tls_hello", tests, NULL, NULL);
}
