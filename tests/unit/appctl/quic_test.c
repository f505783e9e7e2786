// SPDX-License-Identifier: GPL-2.0-or-later
/* Initial packets of QUIC: vectors of RFC 9001 and 9369, and what clients do. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <errno.h>
#include <string.h>
#include <cmocka.h>

#include "appctl/quic_hello.h"
#include "guard.h"
#include "hello.h"
#include "quic_seal.h"

static struct quic_crypto *crypto;
static const struct str dcid = {"\x83\x94\xc8\xf0\x3e\x51\x57\x08", 8};
static const struct str other_dcid = {"\1\2\3\4\5\6\7\x08\x09", 9};

static int set_up(void **state)
{
	(void)state;
	crypto = quic_crypto_new();
	return crypto == NULL ? -1 : 0;
}

static int tear_down(void **state)
{
	(void)state;
	quic_crypto_free(crypto);
	return 0;
}

static size_t from_hex(const char *hex, uint8_t *out, size_t size)
{
	static const char digits[] = "0123456789abcdef";
	size_t n = strlen(hex) / 2;

	assert_true(n <= size);
	for (size_t i = 0; i < n; i++)
		out[i] = (uint8_t)((strchr(digits, hex[2 * i]) - digits) << 4 |
				   (strchr(digits, hex[2 * i + 1]) - digits));
	return n;
}

static void assert_hex(const uint8_t *p, const char *hex)
{
	uint8_t want[256];
	size_t n = from_hex(hex, want, sizeof(want));

	assert_memory_equal(p, want, n);
}

/* RFC 9001 A.1, RFC 9369 A.1 */
static void keys(void **state)
{
	struct quic_keys k;

	(void)state;
	assert_int_equal(quic_crypto_keys(crypto, QUIC_V1, dcid, &k), 0);
	assert_hex(k.key, "1f369613dd76d5467730efcbe3b1a22d");
	assert_hex(k.iv, "fa044b2f42a3fd3b46fb255c");
	assert_hex(k.hp, "9f50449e04a0e810283a1e9933adedd2");
	assert_int_equal(quic_crypto_keys(crypto, QUIC_V2, dcid, &k), 0);
	assert_hex(k.key, "8b1a0bc121284290a29e0971b5cd045d");
	assert_hex(k.iv, "91f73e2351d8fa91660e909f");
	assert_hex(k.hp, "45b95e15235d6f45a6b19cbcb0294ba9");
}

/* The CRYPTO frame of RFC 9001 A.2: a ClientHello for example.com. */
static const char rfc_frame[] =
	"060040f1010000ed0303ebf8fa56f12939b9584a3896472ec40bb863cfd3e868"
	"04fe3a47f06a2b69484c00000413011302010000c000000010000e00000b6578"
	"616d706c652e636f6dff01000100000a00080006001d00170018001000070005"
	"04616c706e000500050100000000003300260024001d00209370b2c9caa47fba"
	"baf4559fedba753de171fa71f50f1ce15d43e994ec74d748002b000302030400"
	"0d0010000e0403050306030203080408050806002d00020101001c0002400100"
	"3900320408ffffffffffffffff05048000ffff07048000ffff08011001048000"
	"75300901100f088394c8f03e51570806048000ffff";

/*
 * The packets of A.2, known by their beginning and their tag: the sealer makes
 * them from the frame, and what it makes must be what the RFC prints.
 */
static void rfc_packets(void **state)
{
	static const struct {
		uint32_t version;
		const char *head, *tag;
	} vectors[] = {
		{QUIC_V1,
		 "c000000001088394c8f03e5157080000449e7b9aec34d1b1c98dd7689fb8"
		 "ec11d242b123dc9bd8bab936b47d92ec356c0bab7df5976d27cd449f6330",
		 "e221af44860018ab0856972e194cd934"},
		{QUIC_V2,
		 "d76b3343cf088394c8f03e5157080000449ea0c95e82ffe67b6abcdb4298"
		 "b485dd04de806071bf03dceebfa162e75d6c96058bdbfb127cdfcbf90338",
		 "a18b2faa745b6fe189cf772a9f84cbfc"},
	};
	uint8_t frame[256], out[QUIC_SEAL_MAX];
	size_t n = from_hex(rfc_frame, frame, sizeof(frame));
	struct quic_packet p;
	struct quic_keys k;

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct quic_seal_params sp = {
			vectors[i].version, dcid, {NULL, 0}, 2, 1200};
		struct quic_sealed s = {.len = 0};
		uint8_t *copy;

		quic_seal(&s, crypto, &sp, dcid,
			  (struct str){(char *)frame, n});
		assert_int_equal(s.len, 1200);
		assert_hex(s.data, vectors[i].head);
		assert_hex(s.data + 1184, vectors[i].tag);
		copy = guard_copy(s.data, s.len);
		assert_int_equal(quic_packet_parse(copy, s.len, &p),
				 QUIC_INITIAL);
		assert_int_equal(
			quic_crypto_keys(crypto, p.version, p.dcid, &k), 0);
		assert_int_equal(quic_crypto_open(crypto, &k, copy, &p, out,
						  sizeof(out)),
				 1162);
		assert_memory_equal(out, frame, n);
		/* One bit anywhere, and nothing is opened. */
		for (size_t at = 0; at < 1200; at += 41) {
			copy[at] ^= 0x10;
			if (quic_packet_parse(copy, s.len, &p) == QUIC_INITIAL)
				assert_int_equal(quic_crypto_open(crypto, &k,
								  copy, &p, out,
								  sizeof(out)),
						 -EBADMSG);
			copy[at] ^= 0x10;
		}
		guard_free(copy, s.len);
	}
}

/* Packets too short to hold a sample, and rooms too small. */
static void short_packets(void **state)
{
	uint8_t out[64], data[64] = {0xc0, 0, 0, 0, 1, 0, 0, 0};
	struct quic_packet p;
	struct quic_keys k = {{0}, {0}, {0}};

	(void)state;
	for (uint8_t n = 0; n < 50; n++) {
		data[8] = n;
		assert_int_equal(quic_packet_parse(data, sizeof(data), &p),
				 QUIC_INITIAL);
		assert_int_equal(quic_crypto_open(crypto, &k, data, &p, out,
						  sizeof(out)),
				 -EBADMSG);
		assert_int_equal(quic_crypto_open(crypto, &k, data, &p, out, n),
				 -EBADMSG);
	}
}

/* --- whole hellos -------------------------------------------------------------- */

static struct hello message;
static struct quic_hello q;

static enum quic_hello_result give(const struct quic_sealed *s)
{
	uint8_t *copy = guard_copy(s->data, s->len);
	enum quic_hello_result r =
		quic_hello_datagram(&q, crypto, copy, s->len);

	guard_free(copy, s->len);
	return r;
}

/* One datagram with bytes [from, to) of the hello in one packet. */
static enum quic_hello_result give_part(struct str id, struct str keys_of,
					uint64_t pn, size_t from, size_t to)
{
	struct quic_seal_params sp = {QUIC_V1, id, {NULL, 0}, pn, 1200};
	struct quic_sealed frames = {.len = 0}, s = {.len = 0};

	quic_put_crypto(&frames, from, message.data + from, to - from);
	quic_seal(&s, crypto, &sp, keys_of,
		  (struct str){(char *)frames.data, frames.len});
	return give(&s);
}

static void assert_host(const char *host)
{
	assert_string_equal(q.hello.host, host);
	assert_true(tls_hello_has_alpn(&q.hello, STR("h2")));
}

static void one_datagram(void **state)
{
	(void)state;
	hello_usual(&message, "one.example", 32);
	quic_hello_init(&q);
	assert_int_equal(give_part(dcid, dcid, 0, 0, message.len),
			 QUIC_HELLO_DONE);
	assert_host("one.example");
}

/* Post-quantum keys: 1.2 KiB of them; either datagram may come first. */
static void two_datagrams_in_both_orders(void **state)
{
	(void)state;
	hello_usual(&message, "two.example", 1216);
	for (int swap = 0; swap < 2; swap++) {
		size_t cut[] = {0, 1000, message.len};

		quic_hello_init(&q);
		assert_int_equal(
			give_part(dcid, dcid, 0, cut[swap], cut[swap + 1]),
			QUIC_HELLO_MORE);
		/* the same once more: a retransmission */
		assert_int_equal(
			give_part(dcid, dcid, 1, cut[swap], cut[swap + 1]),
			QUIC_HELLO_MORE);
		assert_int_equal(
			give_part(dcid, dcid, 2, cut[1 - swap], cut[2 - swap]),
			QUIC_HELLO_DONE);
		assert_host("two.example");
	}
}

/* Chrome deals the hello out in many small frames, shuffled, among others. */
static void shuffled_frames(void **state)
{
	struct quic_seal_params sp = {QUIC_V1, dcid, {NULL, 0}, 0, 1200};
	struct quic_sealed frames = {.len = 0}, s = {.len = 0};

	(void)state;
	hello_usual(&message, "shuffled.example", 32);
	for (size_t i = 0; i < 7; i++) {
		size_t part = i * 3 % 7, from = part * message.len / 7;

		quic_put_crypto(&frames, from, message.data + from,
				(part + 1) * message.len / 7 - from);
		quic_put_int(&frames, 0x0100, 2); /* PING, PADDING */
	}
	quic_seal(&s, crypto, &sp, dcid,
		  (struct str){(char *)frames.data, frames.len});
	quic_hello_init(&q);
	assert_int_equal(give(&s), QUIC_HELLO_DONE);
	assert_host("shuffled.example");
}

/* Two Initial packets in one datagram, and one of 0-RTT between them. */
static void coalesced(void **state)
{
	struct quic_seal_params sp = {QUIC_V2, dcid, {NULL, 0}, 0, 0};
	struct quic_sealed s = {.len = 0};

	(void)state;
	hello_usual(&message, "coalesced.example", 32);
	for (size_t i = 0; i < 2; i++) {
		struct quic_sealed frames = {.len = 0};
		size_t half = message.len / 2, from = i * half;

		quic_put_crypto(&frames, from, message.data + from,
				i == 0 ? half : message.len - half);
		sp.pn = i;
		quic_seal(&s, crypto, &sp, dcid,
			  (struct str){(char *)frames.data, frames.len});
		if (i == 0)
			quic_put(&s, "\xe1\x6b\x33\x43\xcf\0\0\3abc", 11);
	}
	quic_hello_init(&q);
	assert_int_equal(give(&s), QUIC_HELLO_DONE);
	assert_host("coalesced.example");
}

/* The client takes the server's id; its keys stay those of its own first. */
static void the_servers_id(void **state)
{
	(void)state;
	hello_usual(&message, "id.example", 1216);
	quic_hello_init(&q);
	assert_int_equal(give_part(dcid, dcid, 0, 0, 900), QUIC_HELLO_MORE);
	assert_int_equal(give_part(other_dcid, dcid, 1, 900, message.len),
			 QUIC_HELLO_DONE);
	assert_host("id.example");
}

/* After a Retry keys and hello begin again. */
static void retry(void **state)
{
	struct quic_sealed retry_packet = {.len = 0};

	(void)state;
	quic_put(&retry_packet, "\xf0\0\0\0\1\0\0token0123456789abcdef", 27);
	hello_usual(&message, "retry.example", 1216);
	quic_hello_init(&q);
	assert_int_equal(give_part(dcid, dcid, 0, 900, message.len),
			 QUIC_HELLO_MORE);
	assert_int_equal(give(&retry_packet), QUIC_HELLO_MORE);
	assert_int_equal(give_part(other_dcid, other_dcid, 1, 0, 900),
			 QUIC_HELLO_MORE);
	assert_int_equal(give_part(other_dcid, other_dcid, 2, 900, message.len),
			 QUIC_HELLO_DONE);
	assert_host("retry.example");
}

/* The server's packets can't be opened, and do no harm. */
static void foreign_packets(void **state)
{
	(void)state;
	hello_usual(&message, "foreign.example", 1216);
	quic_hello_init(&q);
	assert_int_equal(give_part(dcid, other_dcid, 0, 0, 900),
			 QUIC_HELLO_MORE);
	assert_int_equal(give_part(dcid, dcid, 0, 0, 900), QUIC_HELLO_MORE);
	assert_int_equal(give_part(other_dcid, STR("x"), 0, 0, 900),
			 QUIC_HELLO_MORE);
	assert_int_equal(give_part(dcid, dcid, 0, 900, message.len),
			 QUIC_HELLO_DONE);
	assert_host("foreign.example");
}

/* It is QUIC, but whose it is can't be said. */
static void no_host(void **state)
{
	static const uint8_t unknown[] = {0xc0, 0x1a, 0x2a, 0x3a, 0x4a, 0, 0};
	static const uint8_t negotiation[] = {0x80, 0, 0, 0, 0, 0,
					      0,    0, 0, 0, 1};
	struct quic_sealed frames = {.len = 0}, s = {.len = 0};
	struct quic_seal_params sp = {QUIC_V1, dcid, {NULL, 0}, 0, 1200};

	(void)state;
	quic_hello_init(&q);
	assert_int_equal(
		quic_hello_datagram(&q, crypto, unknown, sizeof(unknown)),
		QUIC_HELLO_NO_HOST);
	assert_int_equal(quic_hello_datagram(&q, crypto, negotiation,
					     sizeof(negotiation)),
			 QUIC_HELLO_NO_HOST);
	quic_put_crypto(&frames, 0, (const uint8_t *)"GET / HTTP", 10);
	quic_seal(&s, crypto, &sp, dcid,
		  (struct str){(char *)frames.data, frames.len});
	assert_int_equal(give(&s), QUIC_HELLO_NO_HOST);
	assert_int_equal(
		quic_hello_datagram(&q, crypto, (const uint8_t *)"hello", 5),
		QUIC_HELLO_NOT);
}

static void what_looks_like_quic(void **state)
{
	static const uint8_t draft[] = {0xff, 0, 0, 0x1d};
	uint8_t negotiation[] = {0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1};
	uint8_t data[1200] = {0xc0, 0x12, 0x34, 0x56, 0x78, 0, 0};

	(void)state;
	assert_true(quic_hello_is_quic(data, 1200, true));
	assert_false(quic_hello_is_quic(data, 1199, true));
	assert_false(quic_hello_is_quic(data, 1200, false));
	memcpy(data + 1, draft, sizeof(draft));
	assert_true(quic_hello_is_quic(data, 1200, false));
	data[0] = 0x40;
	assert_false(quic_hello_is_quic(data, 1200, true));
	assert_true(quic_hello_is_quic(negotiation, 11, true));
	assert_false(quic_hello_is_quic(negotiation, 11, false));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(keys),
		cmocka_unit_test(rfc_packets),
		cmocka_unit_test(short_packets),
		cmocka_unit_test(one_datagram),
		cmocka_unit_test(two_datagrams_in_both_orders),
		cmocka_unit_test(shuffled_frames),
		cmocka_unit_test(coalesced),
		cmocka_unit_test(the_servers_id),
		cmocka_unit_test(retry),
		cmocka_unit_test(foreign_packets),
		cmocka_unit_test(no_host),
		cmocka_unit_test(what_looks_like_quic),
	};

	return cmocka_run_group_tests_name("quic", tests, set_up, tear_down);
}
