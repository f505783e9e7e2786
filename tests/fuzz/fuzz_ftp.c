// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Both directions of FTP's control connection, in pieces. What is written anew
 * is one line, and reads the same; an address that is written reads the same.
 */
#include "fuzz.h"
#include "proto/ftp.h"

#define MAX_LINE 512

/* One LF, at the end, behind the one CR. */
static void check_line(const struct strbuf *sb)
{
	FUZZ_CHECK(!sb->cut && sb->len >= 2);
	FUZZ_CHECK(memcmp(sb->data + sb->len - 2, "\r\n", 2) == 0);
	FUZZ_CHECK(memchr(sb->data, '\r', sb->len - 2) == NULL);
	FUZZ_CHECK(memchr(sb->data, '\n', sb->len - 2) == NULL);
}

static void check_endpoint(const struct ip_endpoint *ep)
{
	struct ip_endpoint again;
	char text[IP_TEXT_MAX + 16];
	struct strbuf sb;

	FUZZ_CHECK(ep->port != 0);
	strbuf_init(&sb, text, sizeof(text));
	ftp_write_eprt(&sb, ep);
	FUZZ_CHECK(ftp_parse_eprt((struct str){text, sb.len}, &again));
	FUZZ_CHECK(ip_addr_equal(&ep->addr, &again.addr));
	FUZZ_CHECK(ep->port == again.port);
	if (ep->addr.family != AF_INET)
		return;
	strbuf_init(&sb, text, sizeof(text));
	ftp_write_port(&sb, ep);
	FUZZ_CHECK(ftp_parse_port((struct str){text, sb.len}, &again));
	FUZZ_CHECK(ip_addr_equal(&ep->addr, &again.addr));
	FUZZ_CHECK(ep->port == again.port);
}

/* The text on the heap by itself, so that nobody reads beyond it. */
static void check_addresses(struct str text)
{
	uint8_t *copy = fuzz_copy((const uint8_t *)text.p, text.len);
	struct str flush = {(const char *)copy, text.len}, user, host;
	struct ip_endpoint ep;
	uint16_t port = 21;

	if (ftp_parse_port(flush, &ep))
		check_endpoint(&ep);
	if (ftp_parse_pasv(flush, &ep))
		check_endpoint(&ep);
	if (ftp_parse_eprt(flush, &ep))
		check_endpoint(&ep);
	if (ftp_parse_epsv(flush, &port))
		FUZZ_CHECK(port != 0);
	if (ftp_split_login(flush, &user, &host, &port)) {
		FUZZ_CHECK(host.len > 0 && port != 0);
		FUZZ_CHECK(user.len + host.len < flush.len);
	}
	free(copy);
}

static void check_command(const struct ftp_request *req)
{
	char text[2 * MAX_LINE];
	struct ftp_request again;
	struct strbuf sb;

	strbuf_init(&sb, text, sizeof(text));
	ftp_write_command(&sb, req);
	check_line(&sb);
	FUZZ_CHECK(ftp_parse_command((const uint8_t *)text, sb.len, 0, MAX_LINE,
				     &again) == (ptrdiff_t)sb.len);
	FUZZ_CHECK(again.command == req->command && !again.interrupt);
	FUZZ_CHECK(str_eq(again.argument, req->argument));
	check_addresses(req->argument);
}

static void check_reply(const struct ftp_reply *reply, bool within)
{
	struct ftp_reply again = {.code = reply->code, .open = within};
	char text[2 * MAX_LINE];
	struct strbuf sb;

	FUZZ_CHECK(reply->code >= 100 && reply->code < 600);
	strbuf_init(&sb, text, sizeof(text));
	ftp_write_reply(&sb, reply);
	check_line(&sb);
	FUZZ_CHECK(ftp_parse_reply((const uint8_t *)text, sb.len, 0,
				   MAX_LINE + 1, &again) == (ptrdiff_t)sb.len);
	FUZZ_CHECK(again.code == reply->code && again.open == reply->open);
	FUZZ_CHECK(again.marked == reply->marked);
	/* A line within a reply may have got a space before it. */
	FUZZ_CHECK(again.text.len == reply->text.len ||
		   (!reply->marked && again.text.len == reply->text.len + 1));
	check_addresses(reply->text);
}

/* The bytes as they come: the next line, or 0 while there is none. */
static ptrdiff_t next(const uint8_t *data, size_t len, size_t seen,
		      bool command, struct ftp_reply *reply)
{
	bool within = reply->open;
	struct ftp_request req;
	ptrdiff_t n;

	if (command) {
		n = ftp_parse_command(data, len, seen, MAX_LINE, &req);
		if (n > 0)
			check_command(&req);
		return n;
	}
	n = ftp_parse_reply(data, len, seen, MAX_LINE, reply);
	if (n > 0)
		check_reply(reply, within);
	return n;
}

static void parse_pieces(struct fuzz *f, bool command)
{
	struct ftp_reply reply = {0};
	const uint8_t *data = f->p;
	size_t left = f->len, len = 0, seen = 0;

	while (left > 0) {
		size_t piece = fuzz_piece(f, left);
		ptrdiff_t n;

		len += piece;
		left -= piece;
		while ((n = next(data, len, seen, command, &reply)) > 0) {
			FUZZ_CHECK((size_t)n <= len);
			data += n;
			len -= (size_t)n;
			seen = 0;
		}
		if (n < 0)
			return;
		seen = len;
		FUZZ_CHECK(len <= 2 * MAX_LINE + 2);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	uint8_t *copy = fuzz_copy(data, len);
	struct fuzz f = fuzz_input(copy, len);
	bool command = fuzz_byte(&f) % 2 == 0;

	parse_pieces(&f, command);
	free(copy);
	return 0;
}
