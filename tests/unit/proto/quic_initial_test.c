// SPDX-License-Identifier: GPL-2.0-or-later
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "guard.h"
#include "proto/quic_initial.h"

/* A literal with its length: vectors hold NUL bytes. */
#define BYTES(literal) (literal), sizeof(literal) - 1

static enum quic_kind parse(const char *bytes, size_t len,
			    struct quic_packet *p)
{
	uint8_t *copy = guard_copy(bytes, len);
	enum quic_kind kind = quic_packet_parse(copy, len, p);

	if (kind == QUIC_INITIAL) {
		assert_in_range(p->len, p->pn_offset, len);
		assert_int_equal(p->kind, kind);
	}
	guard_free(copy, len);
	return kind;
}

/* Ids "dcid" and "id", token "tok", seven bytes with their number, two more. */
#define V1_HEAD "\xc1\0\0\0\1\4dcid\2id\3tok\7"
#define V1_INITIAL        \
	V1_HEAD "abcdefg" \
		"hi"

static void an_initial_packet(void **state)
{
	struct quic_packet p;
	const char *v2 = "\xd1\x6b\x33\x43\xcf\4dcid\2id\3tok\7abcdefghi";

	(void)state;
	assert_int_equal(parse(BYTES(V1_INITIAL), &p), QUIC_INITIAL);
	assert_int_equal(p.version, QUIC_V1);
	assert_int_equal(p.dcid.len, 4);
	assert_int_equal(p.scid.len, 2);
	assert_int_equal(p.token.len, 3);
	assert_int_equal(p.pn_offset, sizeof(V1_HEAD) - 1);
	assert_int_equal(p.len, sizeof(V1_HEAD) - 1 + 7);
	assert_int_equal(parse(v2, sizeof(V1_INITIAL) - 1, &p), QUIC_INITIAL);
	assert_int_equal(p.version, QUIC_V2);
	assert_int_equal(p.len, sizeof(V1_HEAD) - 1 + 7);
}

/* Any prefix that ends before the packet does is none. */
static void cut_packets(void **state)
{
	struct quic_packet p;

	(void)state;
	for (size_t n = 0; n < sizeof(V1_INITIAL) - 1; n++)
		assert_int_equal(parse(V1_INITIAL, n, &p),
				 n < sizeof(V1_HEAD) - 1 + 7 ? QUIC_NOT
							     : QUIC_INITIAL);
}

static void kinds(void **state)
{
	static const struct {
		const char *bytes;
		size_t len;
		enum quic_kind kind;
	} packets[] = {
		{BYTES("\x40\0\0\0\1\0\0\0\1a"), QUIC_NOT}, /* short */
		{BYTES("\x81\0\0\0\1\0\0\0\1a"), QUIC_NOT}, /* no fixed bit */
		{BYTES("\xc1\0\0\0\1\0\0\0\1a"), QUIC_INITIAL},
		{BYTES("\xd1\0\0\0\1\0\0\1a"), QUIC_OTHER}, /* 0-RTT */
		{BYTES("\xe1\0\0\0\1\0\0\1a"), QUIC_OTHER}, /* Handshake */
		{BYTES("\xf1\0\0\0\1\0\0tokenandtag"), QUIC_OTHER}, /* Retry */
		{BYTES("\xc1\x6b\x33\x43\xcf\0\0tokenandtag"), QUIC_OTHER},
		{BYTES("\xe1\x6b\x33\x43\xcf\0\0\1a"), QUIC_OTHER},
		{BYTES("\x80\0\0\0\0\0\0\0\0\0\1"), QUIC_NEGOTIATION},
		{BYTES("\x80\0\0\0\0\0\0"), QUIC_NOT},
		{BYTES("\x80\0\0\0\0\0\0\0\0\1"), QUIC_NOT},
		{BYTES("\xc1\xff\0\0\x1d\0\0\1a"), QUIC_UNKNOWN},
		{BYTES("\xc1\x12\x34\x56\x78\0\0"), QUIC_UNKNOWN},
		/* an id of 21 bytes is none of version 1 */
		{BYTES("\xc1\0\0\0\1\x15"
		       "aaaaaaaaaaaaaaaaaaaaa"
		       "\0\0\1a"),
		 QUIC_NOT},
		/* a length of 2^62 - 1, a token as long */
		{BYTES("\xc1\0\0\0\1\0\0\0\xff\xff\xff\xff\xff\xff\xff\xff"),
		 QUIC_NOT},
		{BYTES("\xc1\0\0\0\1\0\0\xff\xff\xff\xff\xff\xff\xff\xff\1a"),
		 QUIC_NOT},
	};
	struct quic_packet p;

	(void)state;
	for (size_t i = 0; i < sizeof(packets) / sizeof(packets[0]); i++) {
		enum quic_kind k = parse(packets[i].bytes, packets[i].len, &p);

		if (k != packets[i].kind)
			fail_msg("%zu: %d", i, (int)k);
	}
}

static void versions(void **state)
{
	(void)state;
	assert_true(quic_version_known(QUIC_V1));
	assert_true(quic_version_known(QUIC_V2));
	assert_true(quic_version_known(0x1a2a3a4a));
	assert_true(quic_version_known(0xff00001d));
	assert_true(quic_version_known(0x51303530));
	assert_false(quic_version_known(0));
	assert_false(quic_version_known(2));
	assert_false(quic_version_known(0x12345678));
}

/* --- frames -------------------------------------------------------------------- */

/* "offset:data " of each CRYPTO frame, and how it ended. */
static enum quic_frame_result frames(const char *bytes, size_t len, char *text,
				     size_t size)
{
	uint8_t *copy = guard_copy(bytes, len);
	struct str payload = {(const char *)copy, len}, data;
	enum quic_frame_result r;
	struct strbuf sb;
	uint64_t offset;
	size_t at = 0;

	strbuf_init(&sb, text, size);
	while ((r = quic_next_crypto(payload, &at, &offset, &data)) ==
	       QUIC_FRAME_CRYPTO) {
		assert_in_range(at, 1, len);
		strbuf_printf(&sb, "%d:%.*s ", (int)offset, (int)data.len,
			      data.p);
	}
	guard_free(copy, len);
	return r;
}

static void crypto_frames(void **state)
{
	static const struct {
		const char *bytes;
		size_t len;
		const char *text;
		enum quic_frame_result end;
	} payloads[] = {
		{BYTES(""), "", QUIC_FRAME_END},
		{BYTES("\0\0\1\0\6\0\3abc\0\6\x43\xe8\2de\0"), "0:abc 1000:de ",
		 QUIC_FRAME_END},
		{BYTES("\2\5\0\1\0\7\7\6\1\1x"), "1:x ", QUIC_FRAME_END},
		{BYTES("\3\5\0\0\0\1\2\3\6\1\1x"), "1:x ", QUIC_FRAME_END},
		{BYTES("\x1c\1\6\3bye\6\1\1x"), "1:x ", QUIC_FRAME_END},
		{BYTES("\6\0\3ab"), "", QUIC_FRAME_BAD},
		{BYTES("\6"), "", QUIC_FRAME_BAD},
		{BYTES("\2\5\0\x7f\xff\0"), "", QUIC_FRAME_BAD},
		{BYTES("\6\0\1a\x08\0"), "0:a ", QUIC_FRAME_BAD},
		{BYTES("\2\5\0\xff\xff\xff\xff\xff\xff\xff\xff\0"), "",
		 QUIC_FRAME_BAD},
	};
	char text[200];

	(void)state;
	for (size_t i = 0; i < sizeof(payloads) / sizeof(payloads[0]); i++) {
		assert_int_equal(frames(payloads[i].bytes, payloads[i].len,
					text, sizeof(text)),
				 payloads[i].end);
		assert_string_equal(text, payloads[i].text);
	}
}

/* --- the stream ---------------------------------------------------------------- */

static struct quic_stream stream;

static void add(uint64_t offset, const char *z)
{
	assert_true(quic_stream_add(&stream, offset, str_of(z)));
}

static void pieces_in_any_order(void **state)
{
	(void)state;
	quic_stream_init(&stream);
	add(6, "ghi");
	assert_int_equal(stream.ready, 0);
	add(2, "cd");
	assert_int_equal(stream.ready, 0);
	add(0, "ab");
	assert_int_equal(stream.ready, 4);
	/* What came first stays. */
	add(2, "XXef");
	assert_int_equal(stream.ready, 9);
	assert_memory_equal(stream.data, "abcdefghi", 9);
	add(9, "");
	assert_int_equal(stream.ready, 9);
}

static void a_stream_is_bounded(void **state)
{
	static char all[QUIC_STREAM_MAX + 1];

	(void)state;
	quic_stream_init(&stream);
	assert_false(quic_stream_add(&stream, QUIC_STREAM_MAX, STR("a")));
	assert_false(quic_stream_add(&stream, UINT64_MAX, STR("ab")));
	assert_false(
		quic_stream_add(&stream, 0, (struct str){all, sizeof(all)}));
	assert_int_equal(stream.ready, 0);
	assert_true(quic_stream_add(&stream, QUIC_STREAM_MAX - 1, STR("z")));
	assert_true(quic_stream_add(&stream, 0,
				    (struct str){all, sizeof(all) - 1}));
	assert_int_equal(stream.ready, QUIC_STREAM_MAX);
	assert_int_equal(stream.data[QUIC_STREAM_MAX - 1], 'z');
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_initial_packet),
		cmocka_unit_test(cut_packets),
		cmocka_unit_test(kinds),
		cmocka_unit_test(versions),
		cmocka_unit_test(crypto_frames),
		cmocka_unit_test(pieces_in_any_order),
		cmocka_unit_test(a_stream_is_bounded),
	};

	return cmocka_run_group_tests_name("quic_initial", tests, NULL, NULL);
}
