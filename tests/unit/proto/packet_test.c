// SPDX-License-Identifier: GPL-2.0-or-later
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "guard.h"
#include "proto/packet.h"

/* Headers written out; addresses 192.0.2.1 -> 192.0.2.2, ports 1000 -> 80. */
#define V4(len, frag, proto) \
	"\x45\0" len "\0\0" frag "\x40" proto "\0\0\xc0\0\2\1\xc0\0\2\2"
#define TCP_PORTS "\x03\xe8\0\x50"
#define TCP(flags)           \
	TCP_PORTS "\0\0\1\0" \
		  "\0\0\2\0" \
		  "\x50" flags "\xff\xff\0\0\0\0"
#define UDP(len) TCP_PORTS len "\0\0"
#define V6(len, next)                            \
	"\x60\0\0\0" len next "\x40"             \
	"\x20\1\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\1" \
	"\x20\1\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\2"

#define PACKET(bytes, kind, proto, payload)                    \
	{                                                      \
		bytes, sizeof(bytes) - 1, kind, proto, payload \
	}

static const struct {
	const char *bytes;
	size_t len;
	enum packet_kind kind;
	uint8_t proto;
	const char *payload; /* NULL: not looked at */
} packets[] = {
	PACKET(V4("\0\x2b", "\0\0", "\6") TCP("\x18") "abc", PACKET_TCP, 6,
	       "abc"),
	PACKET(V4("\0\x28", "\x40\0", "\6") TCP("\2"), PACKET_TCP, 6, ""),
	/* padding behind the packet; a cut-off packet; big TCP */
	PACKET(V4("\0\x29", "\0\0", "\6") TCP("\x18") "abc", PACKET_TCP, 6,
	       "a"),
	PACKET(V4("\xff\xff", "\0\0", "\6") TCP("\x18") "abc", PACKET_TCP, 6,
	       "abc"),
	PACKET(V4("\0\0", "\0\0", "\6") TCP("\x18") "abc", PACKET_TCP, 6,
	       "abc"),
	PACKET(V4("\0\x1f", "\0\0", "\x11") UDP("\0\x0b") "abc", PACKET_UDP, 17,
	       "abc"),
	PACKET(V4("\0\x1f", "\0\0", "\x11") UDP("\0\x09") "abc", PACKET_UDP, 17,
	       "a"),
	PACKET(V4("\0\x1f", "\0\0", "\x11") UDP("\0\x07") "abc", PACKET_BAD, 17,
	       NULL),
	PACKET(V4("\0\x18", "\0\0", "\1") "ping", PACKET_OTHER, 1, NULL),
	/* first, middle and last fragment */
	PACKET(V4("\0\x2b", "\x20\0", "\6") TCP("\x18") "abc", PACKET_FRAGMENT,
	       6, NULL),
	PACKET(V4("\0\x17", "\x20\1", "\6") "abc", PACKET_FRAGMENT, 6, NULL),
	PACKET(V4("\0\x17", "\0\1", "\6") "abc", PACKET_FRAGMENT, 6, NULL),
	/* lengths that contradict each other */
	PACKET(V4("\0\x13", "\0\0", "\6") TCP("\x18"), PACKET_BAD, 0, NULL),
	PACKET(V4("\0\x20", "\0\0", "\6") TCP("\x18"), PACKET_BAD, 6, NULL),
	PACKET(V6("\0\x17", "\6") TCP("\x18") "abc", PACKET_TCP, 6, "abc"),
	PACKET(V6("\0\x0b", "\x11") UDP("\0\x0b") "abc", PACKET_UDP, 17, "abc"),
	PACKET(V6("\0\x08", "\x3a") "pingpong", PACKET_OTHER, 58, NULL),
	/* hop-by-hop, routing, destination options, then UDP */
	PACKET(V6("\0\x23", "\0") "\x2b\0\0\0\0\0\0\0"
				  "\x3c\0\0\0\0\0\0\0"
				  "\x11\0\0\0\0\0\0\0" UDP("\0\x0b") "abc",
	       PACKET_UDP, 17, "abc"),
	/* authentication: lengths of four bytes, less two */
	PACKET(V6("\0\x17",
		  "\x33") "\x11\1\0\0\0\0\0\0\0\0\0\0" UDP("\0\x0b") "abc",
	       PACKET_UDP, 17, "abc"),
	/* a fragment, and a whole datagram that has the header */
	PACKET(V6("\0\x13", "\x2c") "\x11\0\0\1\0\0\0\0" UDP("\0\x0b") "abc",
	       PACKET_FRAGMENT, 17, NULL),
	PACKET(V6("\0\x13", "\x2c") "\x11\0\0\0\0\0\0\0" UDP("\0\x0b") "abc",
	       PACKET_UDP, 17, "abc"),
	/* an extension that ends behind the packet */
	PACKET(V6("\0\x08", "\0") "\x11\7\0\0\0\0\0\0", PACKET_BAD, 0, NULL),
	PACKET(V6("\0\0", "\x3b"), PACKET_OTHER, 59, NULL),
	PACKET("", PACKET_BAD, 0, NULL),
	PACKET("\x45", PACKET_BAD, 0, NULL),
	PACKET("\x75 and so on, long enough for a header of any kind",
	       PACKET_BAD, 0, NULL),
};

static void kinds(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(packets) / sizeof(packets[0]); i++) {
		size_t len = packets[i].len;
		uint8_t *copy = guard_copy(packets[i].bytes, len);
		struct packet p;

		if (packet_parse(copy, len, &p) != packets[i].kind ||
		    p.proto != packets[i].proto)
			fail_msg("%zu: %d, %d", i, (int)p.kind, p.proto);
		if (packets[i].payload != NULL) {
			assert_int_equal(p.payload.len,
					 strlen(packets[i].payload));
			assert_memory_equal(p.payload.p, packets[i].payload,
					    p.payload.len);
			assert_int_equal(p.src.port, 1000);
			assert_int_equal(p.dst.port, 80);
		}
		guard_free(copy, len);
	}
}

/* However it is cut, nothing behind the cut is touched. */
static void cut_anywhere(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(packets) / sizeof(packets[0]); i++)
		for (size_t len = 0; len < packets[i].len; len++) {
			uint8_t *copy = guard_copy(packets[i].bytes, len);
			struct packet p;

			packet_parse(copy, len, &p);
			if (p.kind == PACKET_TCP || p.kind == PACKET_UDP)
				assert_true((uint8_t *)p.payload.p +
						    p.payload.len <=
					    copy + len);
			guard_free(copy, len);
		}
}

static void addresses_and_sequence(void **state)
{
	static const char syn[] = V4("\0\x28", "\0\0", "\6") TCP("\2");
	static const char six[] = V6("\0\x14", "\6") TCP("\x10");
	char text[IP_TEXT_MAX];
	struct packet p;

	(void)state;
	packet_parse((const uint8_t *)syn, sizeof(syn) - 1, &p);
	assert_string_equal(ip_endpoint_format(&p.src, text, sizeof(text)),
			    "192.0.2.1:1000");
	assert_string_equal(ip_endpoint_format(&p.dst, text, sizeof(text)),
			    "192.0.2.2:80");
	assert_int_equal(p.tcp_flags, PACKET_TCP_SYN);
	assert_int_equal(p.tcp_seq, 0x101);
	assert_int_equal(p.tcp_ack, 0x200);
	assert_int_equal(p.l4, 20);
	packet_parse((const uint8_t *)six, sizeof(six) - 1, &p);
	assert_string_equal(ip_endpoint_format(&p.dst, text, sizeof(text)),
			    "[2001:db8::2]:80");
	assert_int_equal(p.tcp_seq, 0x100);
	assert_int_equal(p.l4, 40);
}

/* Nine extension headers are too many. */
static void long_chains(void **state)
{
	uint8_t data[40 + 10 * 8 + 11] = {0x60};
	struct packet p;

	(void)state;
	for (size_t n = 0; n <= 9; n++) {
		memset(data + 40, 0, sizeof(data) - 40);
		data[6] = n > 0 ? 60 : 17;
		for (size_t i = 0; i < n; i++)
			data[40 + 8 * i] = i + 1 < n ? 60 : 17;
		data[40 + 8 * n + 5] = 11;
		assert_int_equal(packet_parse(data, 40 + 8 * n + 11, &p),
				 n <= 8 ? PACKET_UDP : PACKET_BAD);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(kinds),
		cmocka_unit_test(cut_anywhere),
		cmocka_unit_test(addresses_and_sequence),
		cmocka_unit_test(long_chains),
	};

	return cmocka_run_group_tests_name("packet", tests, NULL, NULL);
}
