// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * FTP's control connection: lines of real clients and servers and of the RFCs,
 * and lines that somebody could read in another way than we do. Each is parsed
 * whole, in all its beginnings, and as it grows byte by byte, flush against a
 * guard page.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "guard.h"
#include "proto/ftp.h"

#define COUNT(a)       (sizeof(a) / sizeof((a)[0]))
#define BYTES(literal) (literal), sizeof(literal) - 1
#define MAX_LINE       64
#define TEXT	       256

/* --- every way to arrive --------------------------------------------------------- */

/* Parses a line and describes what came of it in @text. */
typedef ptrdiff_t (*parse_fn)(const uint8_t *data, size_t len, size_t seen,
			      char text[TEXT]);

static ptrdiff_t parse_flush(parse_fn parse, const char *bytes, size_t len,
			     size_t seen, char text[TEXT])
{
	uint8_t *copy = guard_copy(bytes, len);
	ptrdiff_t n = parse(copy, len, seen, text);

	guard_free(copy, len);
	return n;
}

/*
 * However it arrives, the answer is the same: "" and 0 while it isn't complete,
 * then @expect; an error may show early, but not another one.
 */
static ptrdiff_t feed(parse_fn parse, const char *bytes, size_t len,
		      const char *expect)
{
	char text[TEXT] = "";
	ptrdiff_t whole = parse_flush(parse, bytes, len, 0, text);
	size_t seen = 0;

	assert_string_equal(text, expect);
	assert_true(whole <= (ptrdiff_t)len);
	for (size_t n = 0; n <= len; n++) {
		ptrdiff_t afresh = parse_flush(parse, bytes, n, 0, text);
		ptrdiff_t on = parse_flush(parse, bytes, n, seen, text);

		assert_int_equal(afresh, on);
		if (on != 0) {
			assert_int_equal(on, whole);
			assert_string_equal(text, expect);
			break;
		}
		seen = n;
	}
	return whole;
}

/* --- commands ---------------------------------------------------------------------- */

static ptrdiff_t command(const uint8_t *data, size_t len, size_t seen,
			 char text[TEXT])
{
	struct ftp_request req;
	struct strbuf sb;
	ptrdiff_t n;

	memset(&req, 0xa5, sizeof(req));
	n = ftp_parse_command(data, len, seen, MAX_LINE, &req);
	strbuf_init(&sb, text, TEXT);
	if (n < 0)
		strbuf_puts(&sb, ftp_error_name((enum ftp_error) - n));
	if (n <= 0)
		return n;
	strbuf_printf(&sb, "%s%s:", req.interrupt ? "!" : "",
		      ftp_command_name(req.command));
	ftp_write_command(&sb, &req);
	return n;
}

struct vector {
	const char *bytes;
	size_t len;
	const char *expect;
};

static void run(parse_fn parse, const struct vector *v, size_t count,
		bool whole)
{
	for (size_t i = 0; i < count; i++) {
		ptrdiff_t n = feed(parse, v[i].bytes, v[i].len, v[i].expect);

		if (whole && n != (ptrdiff_t)v[i].len)
			fail_msg("%s: %td bytes", v[i].bytes, n);
		if (!whole && n > 0)
			fail_msg("%s: was taken", v[i].bytes);
	}
}

static void commands(void **state)
{
	static const struct vector v[] = {
		/* curl, wget, lftp, tnftp, ncftp */
		{BYTES("USER anonymous\r\n"), "USER:USER anonymous\r\n"},
		{BYTES("PASS ftp@example.com\r\n"),
		 "PASS:PASS ftp@example.com\r\n"},
		{BYTES("EPSV\r\n"), "EPSV:EPSV\r\n"},
		{BYTES("EPSV ALL\r\n"), "EPSV:EPSV ALL\r\n"},
		{BYTES("TYPE I\r\n"), "TYPE:TYPE I\r\n"},
		{BYTES("RETR a file  with spaces \r\n"),
		 "RETR:RETR a file  with spaces \r\n"},
		{BYTES("RETR  leading\r\n"), "RETR:RETR  leading\r\n"},
		{BYTES("LIST \r\n"), "LIST:LIST \r\n"},
		{BYTES("OPTS UTF8 ON\r\n"), "OPTS:OPTS UTF8 ON\r\n"},
		{BYTES("STOR \xe6\x97\xa5\xe6\x9c\xac.txt\r\n"),
		 "STOR:STOR \xe6\x97\xa5\xe6\x9c\xac.txt\r\n"},
		{BYTES("quit\r\n"), "QUIT:quit\r\n"},
		{BYTES("xpwd\r\n"), "PWD:xpwd\r\n"},
		{BYTES("XMKD d\r\n"), "MKD:XMKD d\r\n"},
		{BYTES("SITE CHMOD 644 f\r\n"), "SITE:SITE CHMOD 644 f\r\n"},
		/* not known, and no business of ours */
		{BYTES("AVBL /\r\n"), ":AVBL /\r\n"},
		{BYTES("XCRC f\r\n"), ":XCRC f\r\n"},
		/* typed by hand into nc */
		{BYTES("NOOP\n"), "NOOP:NOOP\r\n"},
		/* Latin-1, its y with diaeresis doubled (RFC 2640 3.1) */
		{BYTES("RETR \xe4\xff\xff\r\n"), "RETR:RETR \xe4\xff\xff\r\n"},
		/* RFC 959 4.1.3: IP, Synch, ABOR; and what tnftp sends */
		{BYTES("\xff\xf4\xff\xf2"
		       "ABOR\r\n"),
		 "!ABOR:ABOR\r\n"},
		{BYTES("\xff\xf4\xf2"
		       "ABOR\r\n"),
		 "bad_verb"},
		{BYTES("\xff\xfd\x03\xff\xf1"
		       "STAT\r\n"),
		 "!STAT:STAT\r\n"},
		{BYTES("0123456789012345678901234567890123456789012345678901234"
		       "567890123\r\n"),
		 "bad_verb"},
		{BYTES("RETR 90123456789012345678901234567890123456789012345678"
		       "90123456789\r\n"),
		 "line_too_long"},
		{BYTES("RETR 90123456789012345678901234567890123456789012345678"
		       "901234567\r\n"),
		 "RETR:RETR 90123456789012345678901234567890123456789012345678"
		 "901234567\r\n"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(v); i++)
		run(command, &v[i], 1, strchr(v[i].expect, ':') != NULL);
}

static void bad_commands(void **state)
{
	static const struct vector v[] = {
		{BYTES("\r\n"), "bad_verb"},
		{BYTES(" USER a\r\n"), "bad_verb"},
		{BYTES("220 hello\r\n"), "bad_verb"},
		{BYTES("RETR\tf\r\n"), "bad_verb"},
		{BYTES("ABCDEFGHIJKLM\r\n"), "bad_verb"},
		/* one line for us, two for somebody else */
		{BYTES("RETR a\rSTOR b\r\n"), "bad_byte"},
		{BYTES("RETR a\r\r\n"), "bad_byte"},
		{BYTES("RETR a\0.txt\r\n"), "bad_byte"},
		{BYTES("RETR a\r\0.txt\r\n"), "bad_byte"},
		/* Telnet that some servers take out */
		{BYTES("RE\xff\xf1TR a\r\n"), "bad_byte"},
		{BYTES("RETR a\xff\xf4\r\n"), "bad_byte"},
		{BYTES("RETR a\xff\r\n"), "bad_byte"},
		{BYTES("\xff\xff"
		       "RETR a\r\n"),
		 "bad_verb"},
		{BYTES("\xff\xfa\x18\x01\xff\xf0NOOP\r\n"), "bad_byte"},
	};

	(void)state;
	run(command, v, COUNT(v), false);
}

/* A line without an end, and signals without one, cost what a line may cost. */
static void endless(void **state)
{
	char line[MAX_LINE + 8], text[TEXT];

	(void)state;
	memset(line, 'A', sizeof(line));
	assert_int_equal(feed(command, line, MAX_LINE, ""), 0);
	assert_int_equal(feed(command, line, MAX_LINE + 1, "line_too_long"),
			 -FTP_LINE_TOO_LONG);
	/* Its CR isn't counted, before the LF is there either. */
	line[MAX_LINE] = '\r';
	assert_int_equal(feed(command, line, MAX_LINE + 1, ""), 0);
	for (size_t i = 0; i < sizeof(line); i++)
		line[i] = (char)(i % 2 == 0 ? 0xff : 0xf1);
	assert_int_equal(feed(command, line, MAX_LINE, ""), 0);
	assert_int_equal(
		parse_flush(command, line, MAX_LINE + 2, MAX_LINE, text),
		-FTP_LINE_TOO_LONG);
	assert_int_equal(feed(command, "", 0, ""), 0);
}

/* What follows is the next command. */
static void pipelined(void **state)
{
	static const char both[] = "CWD a\r\nPWD\r\n";
	struct ftp_request req;
	ptrdiff_t n;

	(void)state;
	n = ftp_parse_command((const uint8_t *)both, sizeof(both) - 1, 0,
			      MAX_LINE, &req);
	assert_int_equal(n, 7);
	assert_int_equal(req.command, FTP_CWD);
	assert_int_equal(req.argument.len, 1);
	n = ftp_parse_command((const uint8_t *)both + 7, sizeof(both) - 8, 0,
			      MAX_LINE, &req);
	assert_int_equal(n, 5);
	assert_int_equal(req.command, FTP_PWD);
	assert_false(req.has_argument);
}

/* --- replies ----------------------------------------------------------------------- */

static ptrdiff_t reply_in(struct ftp_reply reply, const uint8_t *data,
			  size_t len, size_t seen, char text[TEXT])
{
	struct strbuf sb;
	ptrdiff_t n = ftp_parse_reply(data, len, seen, MAX_LINE, &reply);

	strbuf_init(&sb, text, TEXT);
	if (n < 0)
		strbuf_puts(&sb, ftp_error_name((enum ftp_error) - n));
	if (n <= 0)
		return n;
	strbuf_printf(&sb, "%u%s:", reply.code, reply.open ? "+" : "");
	ftp_write_reply(&sb, &reply);
	return n;
}

static ptrdiff_t first(const uint8_t *data, size_t len, size_t seen,
		       char text[TEXT])
{
	return reply_in((struct ftp_reply){0}, data, len, seen, text);
}

static ptrdiff_t further(const uint8_t *data, size_t len, size_t seen,
			 char text[TEXT])
{
	return reply_in((struct ftp_reply){.code = 211, .open = true}, data,
			len, seen, text);
}

static void replies(void **state)
{
	static const struct vector v[] = {
		{BYTES("220 (vsFTPd 3.0.3)\r\n"), "220:220 (vsFTPd 3.0.3)\r\n"},
		{BYTES("220---- Welcome to Pure-FTPd ----\r\n"),
		 "220+:220---- Welcome to Pure-FTPd ----\r\n"},
		{BYTES("211-Features:\r\n"), "211+:211-Features:\r\n"},
		{BYTES("226 Transfer complete.\n"),
		 "226:226 Transfer complete.\r\n"},
		/* IIS and some printers */
		{BYTES("200\r\n"), "200:200 \r\n"},
		{BYTES("250  two spaces\r\n"), "250:250  two spaces\r\n"},
		{BYTES("226 a\rb\0c\x1b[1m\x7f\td\xc3\xa4\r\n"),
		 "226:226 a b c [1m \td\xc3\xa4\r\n"},
		{BYTES("226 a\r\r\n"), "226:226 a \r\n"},
	};

	(void)state;
	run(first, v, COUNT(v), true);
}

static void lines_of_replies(void **state)
{
	static const struct vector v[] = {
		{BYTES(" EPSV\r\n"), "211+: EPSV\r\n"},
		{BYTES("211 End\r\n"), "211:211 End\r\n"},
		{BYTES("211\r\n"), "211:211 \r\n"},
		{BYTES("211-MDTM\r\n"), "211+:211-MDTM\r\n"},
		/* not the end: another code, no space, not at the start */
		{BYTES("226 done\r\n"), "211+:226 done\r\n"},
		{BYTES("2111 files\r\n"), "211+: 2111 files\r\n"},
		{BYTES("211\aEnd\r\n"), "211+: 211 End\r\n"},
		{BYTES("211\r End\r\n"), "211+: 211  End\r\n"},
		{BYTES(" 211 End\r\n"), "211+: 211 End\r\n"},
		{BYTES("\r\n"), "211+:\r\n"},
		{BYTES("x\r211 End\r\n"), "211+:x 211 End\r\n"},
	};

	(void)state;
	run(further, v, COUNT(v), true);
}

static void bad_replies(void **state)
{
	static const struct vector v[] = {
		{BYTES("SSH-2.0-OpenSSH_9.2\r\n"), "bad_reply"},
		{BYTES("\r\n"), "bad_reply"},
		{BYTES("22 short\r\n"), "bad_reply"},
		{BYTES("2200 long\r\n"), "bad_reply"},
		{BYTES("000 zero\r\n"), "bad_reply"},
		{BYTES("600 six\r\n"), "bad_reply"},
		{BYTES("220\ttab\r\n"), "bad_reply"},
		{BYTES(" 220 late\r\n"), "bad_reply"},
	};

	(void)state;
	run(first, v, COUNT(v), false);
}

/* --- addresses --------------------------------------------------------------------- */

typedef bool (*address_fn)(struct str text, struct ip_endpoint *ep);

static bool epsv(struct str text, struct ip_endpoint *ep)
{
	*ep = (struct ip_endpoint){0};
	return ftp_parse_epsv(text, &ep->port);
}

/* "" when it is none; a bare ":port" when it has no address. */
static void is_address(address_fn parse, const char *bytes, const char *expect)
{
	size_t len = strlen(bytes);
	uint8_t *copy = guard_copy(bytes, len);
	struct ip_endpoint ep;
	char text[IP_TEXT_MAX] = "";

	if (parse((struct str){(const char *)copy, len}, &ep)) {
		if (ep.addr.family == 0)
			snprintf(text, sizeof(text), ":%u", ep.port);
		else
			ip_endpoint_format(&ep, text, sizeof(text));
	}
	guard_free(copy, len);
	if (strcmp(text, expect) != 0)
		fail_msg("%s: %s", bytes, text);
}

static void ports(void **state)
{
	(void)state;
	is_address(ftp_parse_port, "192,0,2,1,4,1", "192.0.2.1:1025");
	is_address(ftp_parse_port, "255,255,255,255,255,255",
		   "255.255.255.255:65535");
	is_address(ftp_parse_port, "192,0,2,1,0,21", "192.0.2.1:21");
	is_address(ftp_parse_port, "192,0,2,1,0,0", "");
	is_address(ftp_parse_port, "192,0,2,256,4,1", "");
	is_address(ftp_parse_port, "192,0,2,1,4,4294967297", "");
	is_address(ftp_parse_port, "192,0,2,1,4", "");
	is_address(ftp_parse_port, "192,0,2,1,4,", "");
	is_address(ftp_parse_port, "192,0,2,1,4,1,5", "");
	is_address(ftp_parse_port, "192,0,2,1, 4,1", "");
	is_address(ftp_parse_port, "(192,0,2,1,4,1)", "");
	is_address(ftp_parse_port, "", "");
}

static void passive(void **state)
{
	(void)state;
	is_address(ftp_parse_pasv, "Entering Passive Mode (192,0,2,1,156,64).",
		   "192.0.2.1:40000");
	/* RFC 1123 4.1.2.6: without parentheses, with anything around it */
	is_address(ftp_parse_pasv, "=192,0,2,1,156,64", "192.0.2.1:40000");
	is_address(ftp_parse_pasv, "2 ways 192,0,2,1,156,64 and 5",
		   "192.0.2.1:40000");
	is_address(ftp_parse_pasv, "0192,0,2,1,156,64", "192.0.2.1:40000");
	is_address(ftp_parse_pasv, "1192,0,2,1,156,64", "");
	is_address(ftp_parse_pasv, "(192,0,2,1,156)", "");
	is_address(ftp_parse_pasv, "Entering Passive Mode", "");
	is_address(ftp_parse_pasv, "", "");
}

static void extended(void **state)
{
	(void)state;
	is_address(ftp_parse_eprt, "|1|192.0.2.1|1025|", "192.0.2.1:1025");
	is_address(ftp_parse_eprt, "|2|2001:db8::1|1025|",
		   "[2001:db8::1]:1025");
	is_address(ftp_parse_eprt, "!1!192.0.2.1!1025!", "192.0.2.1:1025");
	is_address(ftp_parse_eprt, "|2|192.0.2.1|1025|", "");
	is_address(ftp_parse_eprt, "|1|2001:db8::1|1025|", "");
	is_address(ftp_parse_eprt, "|2|::ffff:192.0.2.1|1025|", "");
	is_address(ftp_parse_eprt, "|3|192.0.2.1|1025|", "");
	is_address(ftp_parse_eprt, "|1|192.0.2.1|0|", "");
	is_address(ftp_parse_eprt, "|1|192.0.2.1|65536|", "");
	is_address(ftp_parse_eprt, "|1|192.0.2.1|1025", "");
	is_address(ftp_parse_eprt, "|1|192.0.2.1|1025|x", "");
	is_address(ftp_parse_eprt, "|1|192.0.2.1|", "");
	is_address(ftp_parse_eprt, "|1||1025|", "");
	is_address(ftp_parse_eprt, "||||", "");
	is_address(ftp_parse_eprt, "11192.0.2.1110251", "");
	is_address(ftp_parse_eprt, "", "");
	is_address(ftp_parse_eprt,
		   "|2|2001:db8:0000:0000:0000:0000:0000:0000:0000:0000:0000:"
		   "0001|1025|",
		   "");
}

static void extended_passive(void **state)
{
	(void)state;
	is_address(epsv, "Entering Extended Passive Mode (|||40000|)",
		   ":40000");
	is_address(epsv, "(!!!40000!)", ":40000");
	is_address(epsv, "(a) or (|||40000|).", ":40000");
	is_address(epsv, "(||40000|)", "");
	is_address(epsv, "(|||40000|", "");
	is_address(epsv, "(|||40000", "");
	is_address(epsv, "(|||70000|)", "");
	is_address(epsv, "(|||0|)", "");
	is_address(epsv, "(||||)", "");
	is_address(epsv, "(|1|192.0.2.1|40000|)", "");
	is_address(epsv, "(", "");
	is_address(epsv, "", "");
}

static void written(void **state)
{
	struct ip_endpoint ep = {.port = 40000};
	char text[IP_TEXT_MAX + 16];
	struct strbuf sb;

	(void)state;
	assert_true(ip_addr_parse("192.0.2.1", &ep.addr));
	strbuf_init(&sb, text, sizeof(text));
	ftp_write_port(&sb, &ep);
	assert_string_equal(text, "192,0,2,1,156,64");
	strbuf_init(&sb, text, sizeof(text));
	ftp_write_eprt(&sb, &ep);
	assert_string_equal(text, "|1|192.0.2.1|40000|");
	assert_true(ip_addr_parse("2001:db8::1", &ep.addr));
	strbuf_init(&sb, text, sizeof(text));
	ftp_write_eprt(&sb, &ep);
	assert_string_equal(text, "|2|2001:db8::1|40000|");
}

/* --- logging in at a proxy --------------------------------------------------------- */

static void splits(const char *argument, const char *expect)
{
	size_t len = strlen(argument);
	uint8_t *copy = guard_copy(argument, len);
	struct str user, host;
	uint16_t port = 21;
	char text[TEXT] = "";

	if (ftp_split_login((struct str){(const char *)copy, len}, &user, &host,
			    &port))
		snprintf(text, sizeof(text), "%.*s %.*s %u", (int)user.len,
			 user.p, (int)host.len, host.p, port);
	guard_free(copy, len);
	if (strcmp(text, expect) != 0)
		fail_msg("%s: %s", argument, text);
}

static void logins(void **state)
{
	(void)state;
	splits("anonymous@ftp.example.com", "anonymous ftp.example.com 21");
	splits("me@ftp.example.com:2121", "me ftp.example.com 2121");
	splits("me@example.com@ftp.example.com",
	       "me@example.com ftp.example.com 21");
	splits("me@192.0.2.1", "me 192.0.2.1 21");
	splits("me@[2001:db8::1]", "me 2001:db8::1 21");
	splits("me@[2001:db8::1]:2121", "me 2001:db8::1 2121");
	splits("@ftp.example.com", " ftp.example.com 21");
	splits("anonymous", "");
	splits("me@", "");
	splits("me@:21", "");
	splits("me@host:", "");
	splits("me@host:0", "");
	splits("me@host:65536", "");
	splits("me@host:21x", "");
	splits("me@2001:db8::1", "");
	splits("me@[2001:db8::1", "");
	splits("me@[]", "");
	splits("me@[::1]x", "");
	splits("", "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(commands),
		cmocka_unit_test(bad_commands),
		cmocka_unit_test(endless),
		cmocka_unit_test(pipelined),
		cmocka_unit_test(replies),
		cmocka_unit_test(lines_of_replies),
		cmocka_unit_test(bad_replies),
		cmocka_unit_test(ports),
		cmocka_unit_test(passive),
		cmocka_unit_test(extended),
		cmocka_unit_test(extended_passive),
		cmocka_unit_test(written),
		cmocka_unit_test(logins),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
