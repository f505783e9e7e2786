// SPDX-License-Identifier: GPL-2.0-or-later
#include "feed.h"

static const struct feed feed = {feed_parse_request, &feed_limits, HTTP1_GET};

static void run(const struct vector *v, size_t count)
{
	feed_vectors(&feed, v, count);
}

/* The spelling, order and fields of common clients. */
static void clients(void **state)
{
	static const struct vector v[] = {
		{BYTES("GET /search?q=sluice&hl=en HTTP/1.1\r\n"
		       "Host: www.example.com\r\n"
		       "Connection: keep-alive\r\n"
		       "Cache-Control: max-age=0\r\n"
		       "Upgrade-Insecure-Requests: 1\r\n"
		       "User-Agent: Mozilla/5.0 (X11; Linux x86_64) "
		       "AppleWebKit/537.36 (KHTML, like Gecko) "
		       "Chrome/124.0.0.0 Safari/537.36\r\n"
		       "Accept: text/html,application/xhtml+xml,"
		       "application/xml;q=0.9,*/*;q=0.8\r\n"
		       "Accept-Encoding: gzip, deflate\r\n"
		       "Accept-Language: en-GB,en;q=0.9\r\n"
		       "Cookie: id=8a1c; theme=dark\r\n"
		       "\r\n"),
		 "GET o www.example.com /search?q=sluice&hl=en 1.1 none keep "
		 "m0"},
		{BYTES("POST /login HTTP/1.1\r\n"
		       "Host: intranet.example:8080\r\n"
		       "User-Agent: Mozilla/5.0 (Windows NT 10.0; Win64; x64; "
		       "rv:125.0) Gecko/20100101 Firefox/125.0\r\n"
		       "Accept: */*\r\n"
		       "Accept-Language: de,en-US;q=0.7,en;q=0.3\r\n"
		       "Accept-Encoding: gzip, deflate, br, zstd\r\n"
		       "Content-Type: application/x-www-form-urlencoded\r\n"
		       "Content-Length: 11\r\n"
		       "Origin: http://intranet.example:8080\r\n"
		       "Connection: keep-alive\r\n"
		       "Priority: u=0, i\r\n"
		       "\r\nname=a&pw=b"),
		 "POST o intranet.example:8080 /login 1.1 length=11 keep m2"},
		{BYTES("GET / HTTP/1.1\r\nHost: example.com\r\n"
		       "User-Agent: curl/7.88.1\r\nAccept: */*\r\n\r\n"),
		 "GET o example.com / 1.1 none keep m0"},
		{BYTES("PUT /up HTTP/1.1\r\nHost: example.com\r\n"
		       "User-Agent: curl/7.88.1\r\nAccept: */*\r\n"
		       "Transfer-Encoding: chunked\r\n"
		       "Expect: 100-continue\r\n\r\n"),
		 "PUT o example.com /up 1.1 chunked keep expect m3"},
		{BYTES("GET /file.iso HTTP/1.1\r\nHost: mirror.example\r\n"
		       "User-Agent: Wget/1.21.3\r\nAccept: */*\r\n"
		       "Accept-Encoding: identity\r\n"
		       "Connection: Keep-Alive\r\n\r\n"),
		 "GET o mirror.example /file.iso 1.1 none keep m0"},
		{BYTES("GET /chat HTTP/1.1\r\nHost: ws.example\r\n"
		       "Upgrade: websocket\r\n"
		       "Connection: keep-alive, Upgrade\r\n"
		       "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
		       "Sec-WebSocket-Version: 13\r\n\r\n"),
		 "GET o ws.example /chat 1.1 none keep upgrade m0"},
		{BYTES("GET / HTTP/1.0\r\n\r\n"), "GET o  / 1.0 none m0"},
		{BYTES("HEAD /x HTTP/1.0\r\nHost: a.example\r\n"
		       "Connection: Keep-Alive\r\n\r\n"),
		 "HEAD o a.example /x 1.0 none keep m1"},
	};

	(void)state;
	run(v, COUNT(v));
}

/* RFC 9112 2.1, 3.2, RFC 9110 9.3.7. */
static void rfc_examples(void **state)
{
	static const struct vector v[] = {
		{BYTES("GET /hello.txt HTTP/1.1\r\n"
		       "User-Agent: curl/7.64.1\r\n"
		       "Host: www.example.com\r\n"
		       "Accept-Language: en, mi\r\n\r\n"),
		 "GET o www.example.com /hello.txt 1.1 none keep m0"},
		{BYTES("GET /where?q=now HTTP/1.1\r\n"
		       "Host: www.example.org\r\n\r\n"),
		 "GET o www.example.org /where?q=now 1.1 none keep m0"},
		{BYTES("GET http://www.example.org/pub/WWW/TheProject.html "
		       "HTTP/1.1\r\nHost: www.example.org\r\n\r\n"),
		 "GET a www.example.org /pub/WWW/TheProject.html 1.1 none "
		 "keep m0"},
		{BYTES("CONNECT www.example.com:80 HTTP/1.1\r\n"
		       "Host: www.example.com\r\n\r\n"),
		 "CONNECT : www.example.com:80  1.1 none keep m5"},
		{BYTES("OPTIONS * HTTP/1.1\r\nHost: www.example.org:8001\r\n"
		       "\r\n"),
		 "OPTIONS * www.example.org:8001 * 1.1 none keep m6"},
		{BYTES("OPTIONS http://www.example.org:8001 HTTP/1.1\r\n"
		       "Host: www.example.org:8001\r\n\r\n"),
		 "OPTIONS a www.example.org:8001 / 1.1 none keep m6"},
	};

	(void)state;
	run(v, COUNT(v));
}

static void absolute_form(void **state)
{
	static const struct vector v[] = {
		/* The target wins and the difference is told. */
		{BYTES("GET http://a.example/x HTTP/1.1\r\n"
		       "Host: b.example\r\n\r\n"),
		 "GET a a.example /x 1.1 none keep differs m0"},
		{BYTES("GET http://a.example/ HTTP/1.1\r\nHost: A.Example:80"
		       "\r\n\r\n"),
		 "GET a a.example / 1.1 none keep m0"},
		{BYTES("GET http://a.example:81/ HTTP/1.1\r\n"
		       "Host: a.example\r\n\r\n"),
		 "GET a a.example:81 / 1.1 none keep differs m0"},
		{BYTES("GET http://a.example/ HTTP/1.1\r\nHost:\r\n\r\n"),
		 "GET a a.example / 1.1 none keep differs m0"},
		{BYTES("GET http://a.example/ HTTP/1.0\r\n\r\n"),
		 "GET a a.example / 1.0 none m0"},
		{BYTES("GET http://a.example/ HTTP/1.1\r\n\r\n"), "no_host"},
		/* No path, no path but a query, odd scheme. */
		{BYTES("GET HTTP://a.example HTTP/1.0\r\n\r\n"),
		 "GET a a.example / 1.0 none m0"},
		{BYTES("GET http://a.example?q=1 HTTP/1.0\r\n\r\n"),
		 "GET a a.example ?q=1 1.0 none m0"},
		{BYTES("GET http://[2001:db8::1]:8080/ HTTP/1.0\r\n\r\n"),
		 "GET a [2001:db8::1]:8080 / 1.0 none m0"},
		{BYTES("GET https://a.example/ HTTP/1.0\r\n\r\n"),
		 "bad_target"},
		{BYTES("GET ftp://a.example/ HTTP/1.0\r\n\r\n"), "bad_target"},
		{BYTES("GET http:///x HTTP/1.0\r\n\r\n"), "bad_target"},
		{BYTES("GET http:// HTTP/1.0\r\n\r\n"), "bad_target"},
		{BYTES("GET http://u:p@a.example/ HTTP/1.0\r\n\r\n"),
		 "bad_target"},
		{BYTES("GET http://a.example#x HTTP/1.0\r\n\r\n"),
		 "bad_target"},
		{BYTES("GET http://a.example\\@b.example/ HTTP/1.0\r\n\r\n"),
		 "bad_target"},
		{BYTES("GET http://\xc3\xa4.example/ HTTP/1.0\r\n\r\n"),
		 "bad_target"},
	};

	(void)state;
	run(v, COUNT(v));
}

static void targets(void **state)
{
	static const struct vector v[] = {
		{BYTES("GET //x HTTP/1.0\r\n\r\n"), "GET o  //x 1.0 none m0"},
		{BYTES("GET /%7e|{}^\"<>` HTTP/1.0\r\n\r\n"),
		 "GET o  /%7e|{}^\"<>` 1.0 none m0"},
		{BYTES("GET /\xc3\xa4?\xff HTTP/1.0\r\n\r\n"),
		 "GET o  /\\xc3\\xa4?\\xff 1.0 none m0"},
		{BYTES("GET /a#b HTTP/1.0\r\n\r\n"), "GET o  /a#b 1.0 none m0"},
		{BYTES("GET * HTTP/1.0\r\n\r\n"), "bad_target"},
		{BYTES("OPTIONS ** HTTP/1.0\r\n\r\n"), "bad_target"},
		{BYTES("GET x HTTP/1.0\r\n\r\n"), "bad_target"},
		{BYTES("GET a.example:80 HTTP/1.0\r\n\r\n"), "bad_target"},
		{BYTES("GET ?q HTTP/1.0\r\n\r\n"), "bad_target"},
		{BYTES("GET /a\x01 HTTP/1.0\r\n\r\n"), "bad_target"},
		{BYTES("GET /a\0b HTTP/1.0\r\n\r\n"), "bad_target"},
		{BYTES("GET /a\x7f HTTP/1.0\r\n\r\n"), "bad_target"},
		{BYTES("CONNECT / HTTP/1.0\r\n\r\n"), "bad_target"},
		{BYTES("CONNECT a.example HTTP/1.0\r\n\r\n"), "bad_target"},
		{BYTES("CONNECT a.example: HTTP/1.0\r\n\r\n"), "bad_target"},
		{BYTES("CONNECT http://a.example/ HTTP/1.0\r\n\r\n"),
		 "bad_target"},
		{BYTES("CONNECT [::1]:443 HTTP/1.0\r\n\r\n"),
		 "CONNECT : [::1]:443  1.0 none m5"},
		{BYTES("CONNECT a:443 HTTP/1.1\r\nHost: b:443\r\n\r\n"),
		 "CONNECT : a:443  1.1 none keep differs m5"},
	};

	(void)state;
	run(v, COUNT(v));
}

static void request_lines(void **state)
{
	static const struct vector v[] = {
		{BYTES("GET  / HTTP/1.0\r\n\r\n"), "bad_line"},
		{BYTES("GET  HTTP/1.0\r\n\r\n"), "bad_line"},
		{BYTES("GET /  HTTP/1.0\r\n\r\n"), "bad_line"},
		{BYTES("GET / HTTP/1.0 \r\n\r\n"), "bad_line"},
		{BYTES("GET / HTTP/1.0\t\r\n\r\n"), "bad_line"},
		{BYTES("GET\t/ HTTP/1.0\r\n\r\n"), "bad_line"},
		{BYTES("GET /\tHTTP/1.0\r\n\r\n"), "bad_line"},
		{BYTES(" GET / HTTP/1.0\r\n\r\n"), "bad_line"},
		{BYTES(" / HTTP/1.0\r\n\r\n"), "bad_line"},
		{BYTES("GET /a b HTTP/1.0\r\n\r\n"), "bad_line"},
		{BYTES("GET /\r\n\r\n"), "bad_line"},
		{BYTES("GET\r\n\r\n"), "bad_line"},
		{BYTES("GET \r\n\r\n"), "bad_line"},
		{BYTES("GET / \r\n\r\n"), "bad_line"},
		{BYTES("GET / HTTP/1.0\n\n"), "bad_line"},
		{BYTES("\nGET / HTTP/1.0\r\n\r\n"), "bad_line"},
		{BYTES("GET / HTTP/1.0\r\r\n\r\n"), "bare_cr"},
		{BYTES("GET /\rX HTTP/1.0\r\n\r\n"), "bare_cr"},
		{BYTES("GET\r/ HTTP/1.0\r\n\r\n"), "bare_cr"},
		{BYTES("\rGET / HTTP/1.0\r\n\r\n"), "bare_cr"},
		{BYTES("GE(T / HTTP/1.0\r\n\r\n"), "bad_method"},
		{BYTES("GET\x0b/ HTTP/1.0\r\n\r\n"), "bad_method"},
		{BYTES("GET\x1c/ HTTP/1.0\r\n\r\n"), "bad_method"},
		{BYTES("GET\x85/ HTTP/1.0\r\n\r\n"), "bad_method"},
		{BYTES("GET\xa0/ HTTP/1.0\r\n\r\n"), "bad_method"},
		{BYTES("ABCDEFGHIJKLMNOPQRSTUVWXYZABCDEFG / HTTP/1.0\r\n\r\n"),
		 "bad_method"},
		{BYTES("ABCDEFGHIJKLMNOPQRSTUVWXYZABCDEF / HTTP/1.0\r\n\r\n"),
		 "ABCDEFGHIJKLMNOPQRSTUVWXYZABCDEF o  / 1.0 none m9"},
		{BYTES("get / HTTP/1.0\r\n\r\n"), "get o  / 1.0 none m9"},
		{BYTES("PATCH / HTTP/1.0\r\n\r\n"), "PATCH o  / 1.0 none m8"},
		{BYTES("TRACE / HTTP/1.0\r\n\r\n"), "TRACE o  / 1.0 none m7"},
		{BYTES("DELETE / HTTP/1.0\r\n\r\n"), "DELETE o  / 1.0 none m4"},
		{BYTES("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), "bad_version"},
		{BYTES("GET / HTTP/2.0\r\n\r\n"), "bad_version"},
		{BYTES("GET / HTTP/0.9\r\n\r\n"), "bad_version"},
		{BYTES("GET / HTTP/1\r\n\r\n"), "bad_version"},
		{BYTES("GET / HTTP/1.\r\n\r\n"), "bad_version"},
		{BYTES("GET / HTTP/1.10\r\n\r\n"), "bad_version"},
		{BYTES("GET / HTTP/01.1\r\n\r\n"), "bad_version"},
		{BYTES("GET / HTTP/1.x\r\n\r\n"), "bad_version"},
		{BYTES("GET / http/1.1\r\n\r\n"), "bad_version"},
		{BYTES("GET / ICY/1.1\r\n\r\n"), "bad_version"},
		{BYTES("GET / HTTP/1.2\r\nHost: a\r\n\r\n"),
		 "GET o a / 1.1 none keep m0"},
	};

	(void)state;
	run(v, COUNT(v));
}

/* Other protocols that come to port 80, and what may still become HTTP. */
static void not_http(void **state)
{
	static const struct vector v[] = {
		{BYTES("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"),
		 "not_http"},
		{BYTES("\0\0\0\x85\xffSMB"), "not_http"},
		{BYTES("\x13"
		       "BitTorrent protocol"),
		 "not_http"},
		{BYTES("<policy-file-request/>\0"), "not_http"},
		{BYTES("{\"jsonrpc\":\"2.0\"}\n"), "not_http"},
		{BYTES("GIT\x01/ HTTP/1.1\r\n"), "not_http"},
		/* Some servers end a word at any byte up to the space. */
		{BYTES("GET\x01/ HTTP/1.1\r\n"), "bad_method"},
		{BYTES("get\x02/ HTTP/1.1\r\n"), "bad_method"},
		{BYTES("\x80GET / HTTP/1.1\r\n"), "not_http"},
		{BYTES("GE"), "more"},
		{BYTES("\r\n\r\nGET / HT"), "more"},
		{BYTES("\r"), "more"},
		{BYTES(""), "more"},
		{BYTES("SSH-2.0-OpenSSH_9.2p1 Debian-2"), "more"},
	};

	(void)state;
	run(v, COUNT(v));
}

/* First lines that are text, but nobody's request. */
static void lines_of_others(void **state)
{
	static const struct vector v[] = {
		{BYTES("SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n"), "not_http"},
		{BYTES("SSH-1.99-old\n"), "not_http"},
		{BYTES("EHLO mail.example\r\n"), "not_http"},
		{BYTES("NICK me\r\nUSER me 0 * :Me\r\n"), "not_http"},
		{BYTES("CAP LS 302\r\n"), "not_http"},
		{BYTES("STLS\r\n"), "not_http"},
		{BYTES("*1\r\n$4\r\nPING\r\n"), "not_http"},
		{BYTES("INVITE sip:me@there.example SIP 2.0\r\n"), "not_http"},
		{BYTES("xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\n"),
		 "not_http"},
		{BYTES("\r\nNICK me\r\n"), "not_http"},
		/* A method, in whatever case. */
		{BYTES("GET\r\n"), "bad_line"},
		{BYTES("GET index.html\r\n"), "bad_line"},
		{BYTES("get index.html\r\n"), "bad_line"},
		{BYTES("Get\n"), "bad_line"},
		{BYTES("post x y\r\n"), "bad_version"},
		{BYTES("unlock x\r\n"), "bad_line"},
		{BYTES("QUERY x\r\n"), "bad_line"},
		{BYTES("M-SEARCH x\r\n"), "bad_line"},
		{BYTES("VERSION-CONTROL x\r\n"), "bad_line"},
		/* A target, whatever the method. */
		{BYTES("EHLO /index.php\r\n"), "bad_line"},
		{BYTES("EHLO /index.php\n"), "bad_line"},
		{BYTES("X /index.php FOO\r\n"), "bad_version"},
		{BYTES("X http://a/index.php\r\n"), "bad_line"},
		{BYTES("X rtsp://a/index.php R\r\n"), "bad_version"},
		{BYTES("X a /index.php\r\n"), "bad_version"},
		{BYTES("X \\index.php\r\n"), "bad_line"},
		{BYTES("X *\r\n"), "bad_line"},
		{BYTES("/index.php\r\n"), "not_http"},
		{BYTES("X/index.php\r\n"), "bad_method"},
		{BYTES("INVITE sip:me@there.example SIP/2.0\r\n"),
		 "bad_version"},
		/* A version. */
		{BYTES("X index HTTP/1.0\r\n"), "bad_target"},
		{BYTES("X http/1.1\r\n"), "bad_line"},
		{BYTES("BREW x HTTP/1.1\r\n"), "bad_target"},
		/* Words and lines that not everybody sees. */
		{BYTES(" EHLO a\r\n"), "bad_line"},
		{BYTES("\tEHLO a\r\n"), "bad_line"},
		{BYTES("EHLO  a\r\n"), "bad_line"},
		{BYTES("EHLO \r\n"), "bad_line"},
		{BYTES("EHLO a \r\n"), "bad_line"},
		{BYTES("EHLO\ta\r\n"), "bad_line"},
		{BYTES("EHLO\va\r\n"), "bad_method"},
		{BYTES("EHLO\xa0GET\r\n"), "bad_method"},
		{BYTES("EHLO a\0b\r\n"), "bad_target"},
		{BYTES("EHLO a\rGET x\r\n"), "bare_cr"},
		{BYTES("EHLO a\r\r\n"), "bare_cr"},
		{BYTES("EHLO a\x7f\r\n"), "bad_target"},
		{BYTES("EHLO \x80\r\n"), "bad_line"},
		{BYTES("EHLO:a\r\n"), "bad_method"},
	};

	(void)state;
	run(v, COUNT(v));
}

static void empty_lines(void **state)
{
	static const struct vector v[] = {
		{BYTES("\r\nGET / HTTP/1.0\r\n\r\n"), "GET o  / 1.0 none m0"},
		{BYTES("\r\n\r\n\r\n\r\nGET / HTTP/1.0\r\nA: b\r\n\r\n"),
		 "GET o  / 1.0 none m0"},
		{BYTES("\r\n\r\n\r\n\r\n\r\nGET / HTTP/1.0\r\n\r\n"),
		 "bad_line"},
		{BYTES("\r\n\nGET / HTTP/1.0\r\n\r\n"), "bad_line"},
		{BYTES("\r\n GET / HTTP/1.0\r\n\r\n"), "bad_line"},
	};

	(void)state;
	run(v, COUNT(v));
}

#define GET10 "GET / HTTP/1.0\r\n"

static void fields(void **state)
{
	static const struct vector v[] = {
		{BYTES(GET10 "A:b\r\nC:\r\nD: \t e f \t\r\n\r\n"),
		 "GET o  / 1.0 none m0"},
		{BYTES(GET10 "!#$%&'*+-.^_`|~09azAZ: \xff\x80\t\"\r\n\r\n"),
		 "GET o  / 1.0 none m0"},
		{BYTES(GET10 "A\r\n\r\n"), "bad_field"},
		{BYTES(GET10 ": b\r\n\r\n"), "bad_field"},
		{BYTES(GET10 "A b: c\r\n\r\n"), "bad_field"},
		{BYTES(GET10 "A(: b\r\n\r\n"), "bad_field"},
		{BYTES(GET10 "\xe4: b\r\n\r\n"), "bad_field"},
		{BYTES(GET10 "A\0: b\r\n\r\n"), "bad_field"},
		{BYTES(GET10 "A \r\n\r\n"), "bad_field"},
		{BYTES(GET10 "A: b\nC: d\r\n\r\n"), "bad_field"},
		{BYTES(GET10 "A: b\r\n\n"), "bad_field"},
		{BYTES(GET10 "A: b\n\n"), "bad_field"},
		{BYTES(GET10 "\n"), "bad_field"},
		{BYTES(GET10 "A : b\r\n\r\n"), "space_before_colon"},
		{BYTES(GET10 "A\t: b\r\n\r\n"), "space_before_colon"},
		{BYTES(GET10 "Transfer-Encoding : chunked\r\n\r\n"),
		 "space_before_colon"},
		{BYTES(GET10 "A: b\r\n c\r\n\r\n"), "folded"},
		{BYTES(GET10 "A: b\r\n\tc: d\r\n\r\n"), "folded"},
		{BYTES(GET10 " A: b\r\n\r\n"), "folded"},
		{BYTES(GET10 "A: b\r\n \r\n\r\n"), "folded"},
		{BYTES(GET10 "A: b\rc\r\n\r\n"), "bare_cr"},
		{BYTES(GET10 "A: b\r\r\n\r\n"), "bare_cr"},
		{BYTES(GET10 "A: b\r\n\r\r\n\r\n"), "bare_cr"},
		{BYTES(GET10 "A\rB: c\r\n\r\n"), "bare_cr"},
		{BYTES(GET10 "A: b\0c\r\n\r\n"), "nul"},
		{BYTES(GET10 "A: \x01\r\n\r\n"), "nul"},
		{BYTES(GET10 "A: 0123456789abcdef\x7f\r\n\r\n"), "nul"},
		{BYTES(GET10 "A: 0123456789abcdef0123456789\x1b[2J\r\n\r\n"),
		 "nul"},
		/* Wrong, but its line isn't there yet. */
		{BYTES(GET10 "A: b\0c\r"), "more"},
		{BYTES(GET10 "A : b"), "more"},
		{BYTES(GET10 "A: b\r\n\r"), "more"},
	};

	(void)state;
	run(v, COUNT(v));
}

#define GET11 "GET / HTTP/1.1\r\n"

static void hosts(void **state)
{
	static const struct vector v[] = {
		{BYTES(GET11 "\r\n"), "no_host"},
		{BYTES(GET11 "Hosts: a\r\n\r\n"), "no_host"},
		{BYTES(GET11 "Host: a\r\nHost: a\r\n\r\n"), "several_hosts"},
		{BYTES(GET10 "host: a\r\nHOST:\r\n\r\n"), "several_hosts"},
		{BYTES(GET11 "Host:\r\n\r\n"), "bad_host"},
		{BYTES(GET10 "Host: \r\n\r\n"), "bad_host"},
		{BYTES("OPTIONS * HTTP/1.1\r\nHost:\r\n\r\n"),
		 "OPTIONS *  * 1.1 none keep m6"},
		{BYTES(GET11 "Host: a b\r\n\r\n"), "bad_host"},
		{BYTES(GET11 "Host: a/b\r\n\r\n"), "bad_host"},
		{BYTES(GET11 "Host: u@a\r\n\r\n"), "bad_host"},
		{BYTES(GET11 "Host: a#b\r\n\r\n"), "bad_host"},
		{BYTES(GET11 "Host: a?b\r\n\r\n"), "bad_host"},
		{BYTES(GET11 "Host: a\"b\r\n\r\n"), "bad_host"},
		{BYTES(GET11 "Host: \xc3\xa4.example\r\n\r\n"), "bad_host"},
		{BYTES(GET11 "Host: a%4\r\n\r\n"), "bad_host"},
		{BYTES(GET11 "Host: a%zz\r\n\r\n"), "bad_host"},
		{BYTES(GET11 "Host: a%4z\r\n\r\n"), "bad_host"},
		{BYTES(GET11 "Host: a|41b\r\n\r\n"), "bad_host"},
		{BYTES(GET11 "Host: a%41b\r\n\r\n"),
		 "GET o a%41b / 1.1 none keep m0"},
		{BYTES(GET11 "Host: a_b-c.9,;=!$&'()*+~\r\n\r\n"),
		 "GET o a_b-c.9,;=!$&'()*+~ / 1.1 none keep m0"},
		{BYTES(GET11 "Host: 192.0.2.1:65535\r\n\r\n"),
		 "GET o 192.0.2.1:65535 / 1.1 none keep m0"},
		{BYTES(GET11 "Host: a:65536\r\n\r\n"), "bad_host"},
		{BYTES(GET11 "Host: a:000080\r\n\r\n"), "bad_host"},
		{BYTES(GET11 "Host: a:00080\r\n\r\n"),
		 "GET o a:00080 / 1.1 none keep m0"},
		{BYTES(GET11 "Host: a:\r\n\r\n"), "bad_host"},
		{BYTES(GET11 "Host: a:8x\r\n\r\n"), "bad_host"},
		{BYTES(GET11 "Host: a:+8\r\n\r\n"), "bad_host"},
		{BYTES(GET11 "Host: a:1:2\r\n\r\n"), "bad_host"},
		{BYTES(GET11 "Host: :80\r\n\r\n"), "bad_host"},
		{BYTES(GET11 "Host: [::1]\r\n\r\n"),
		 "GET o [::1] / 1.1 none keep m0"},
		{BYTES(GET11 "Host: [::ffff:192.0.2.1]:80\r\n\r\n"),
		 "GET o [::ffff:192.0.2.1]:80 / 1.1 none keep m0"},
		{BYTES(GET11 "Host: ::1\r\n\r\n"), "bad_host"},
		{BYTES(GET11 "Host: [::1\r\n\r\n"), "bad_host"},
		{BYTES(GET11 "Host: [::1]x:80\r\n\r\n"), "bad_host"},
		{BYTES(GET11 "Host: [::1%25eth0]\r\n\r\n"), "bad_host"},
		{BYTES(GET11 "Host: [1.2.3.4]\r\n\r\n"), "bad_host"},
		{BYTES(GET11 "Host: [v1.x]\r\n\r\n"), "bad_host"},
		{BYTES(GET11 "Host: []\r\n\r\n"), "bad_host"},
		{BYTES(GET11 "Host: [\r\n\r\n"), "bad_host"},
		/* Nothing that is an address is as long as 63, 64 or 65. */
		{BYTES(GET11 "Host: [000:0000:0000:0000:0000:0000:0000:0000"
			     ":0000:0000:0000:0000:0000]\r\n\r\n"),
		 "bad_host"},
		{BYTES(GET11 "Host: [0000:0000:0000:0000:0000:0000:0000:0000"
			     ":0000:0000:0000:0000:0000]\r\n\r\n"),
		 "bad_host"},
		{BYTES(GET11 "Host: [0000:0000:0000:0000:0000:0000:0000:0000"
			     ":0000:0000:0000:0000:0000:]\r\n\r\n"),
		 "bad_host"},
	};

	(void)state;
	run(v, COUNT(v));
}

#define POST11 "POST / HTTP/1.1\r\nHost: a\r\n"
#define POSTED "POST o a / 1.1 "

static void lengths(void **state)
{
	static const struct vector v[] = {
		{BYTES(POST11 "\r\n"), POSTED "none keep m2"},
		{BYTES(POST11 "Content-Length: 0\r\n\r\n"),
		 POSTED "length=0 keep m2"},
		{BYTES(POST11 "content-length:007\r\n\r\n"),
		 POSTED "length=7 keep m2"},
		{BYTES(POST11 "Content-Length: 9223372036854775807\r\n\r\n"),
		 POSTED "length=9223372036854775807 keep m2"},
		{BYTES(POST11 "Content-Length: 9223372036854775808\r\n\r\n"),
		 "bad_length"},
		{BYTES(POST11 "Content-Length: 18446744073709551616\r\n\r\n"),
		 "bad_length"},
		{BYTES(POST11 "Content-Length:\r\n\r\n"), "bad_length"},
		{BYTES(POST11 "Content-Length: +1\r\n\r\n"), "bad_length"},
		{BYTES(POST11 "Content-Length: -1\r\n\r\n"), "bad_length"},
		{BYTES(POST11 "Content-Length: 1 2\r\n\r\n"), "bad_length"},
		{BYTES(POST11 "Content-Length: 0x1\r\n\r\n"), "bad_length"},
		{BYTES(POST11 "Content-Length: 1;q=1\r\n\r\n"), "bad_length"},
		{BYTES(POST11 "Content-Length: 9\t\r\n\r\n"), "bad_length"},
		{BYTES(POST11 "Content-Length: \t 9\r\n\r\n"), "bad_length"},
		{BYTES("GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\n"
		       "abc"),
		 "GET o a / 1.1 length=3 keep m0"},
		{BYTES(POST11 "Content-Length: 1, 1\r\n\r\n"),
		 "several_lengths"},
		{BYTES(POST11 "Content-Length: 1,\r\n\r\n"), "several_lengths"},
		{BYTES(POST11 "Content-Length: 1\r\nContent-Length: 1\r\n\r\n"),
		 "several_lengths"},
	};

	(void)state;
	run(v, COUNT(v));
}

static void transfer_codings(void **state)
{
	static const struct vector v[] = {
		{BYTES(POST11 "Transfer-Encoding: chunked\r\n\r\n"),
		 POSTED "chunked keep m2"},
		{BYTES(POST11 "TRANSFER-ENCODING:  Chunked \r\n\r\n"),
		 POSTED "chunked keep m2"},
		/* llhttp sees no "chunked" beside a tab. */
		{BYTES(POST11 "Transfer-Encoding: chunked\t\r\n\r\n"),
		 "bad_transfer_coding"},
		{BYTES(POST11 "Transfer-Encoding:\tchunked\r\n\r\n"),
		 "bad_transfer_coding"},
		{BYTES(POST11 "Transfer-Encoding: chunked \t \r\n\r\n"),
		 "bad_transfer_coding"},
		{BYTES(POST11 "Transfer-Encoding: gzip, chunked\r\n\r\n"),
		 "bad_transfer_coding"},
		{BYTES(POST11 "Transfer-Encoding: chunked, identity\r\n\r\n"),
		 "bad_transfer_coding"},
		{BYTES(POST11 "Transfer-Encoding: identity\r\n\r\n"),
		 "bad_transfer_coding"},
		{BYTES(POST11 "Transfer-Encoding:\r\n\r\n"),
		 "bad_transfer_coding"},
		{BYTES(POST11 "Transfer-Encoding: xchunked\r\n\r\n"),
		 "bad_transfer_coding"},
		{BYTES(POST11 "Transfer-Encoding: chunked;q=1\r\n\r\n"),
		 "bad_transfer_coding"},
		{BYTES(POST11 "Transfer-Encoding: \"chunked\"\r\n\r\n"),
		 "bad_transfer_coding"},
		{BYTES(POST11 "Transfer-Encoding: chunked\r\n"
			      "Transfer-Encoding: chunked\r\n\r\n"),
		 "bad_transfer_coding"},
		{BYTES("POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n"),
		 "bad_transfer_coding"},
		{BYTES(POST11 "Transfer-Encoding: chunked\r\n"
			      "Content-Length: 1\r\n\r\n"),
		 "length_and_coding"},
		{BYTES(POST11 "Content-Length: 0\r\n"
			      "Transfer-Encoding: identity\r\n\r\n"),
		 "length_and_coding"},
	};

	(void)state;
	run(v, COUNT(v));
}

static void connection(void **state)
{
	static const struct vector v[] = {
		{BYTES(POST11 "Connection: close\r\n\r\n"), POSTED "none m2"},
		{BYTES(POST11 "Connection: a, Close ,b\r\n\r\n"),
		 POSTED "none m2"},
		{BYTES(POST11 "Connection: keep-alive\r\n"
			      "Connection: close\r\n\r\n"),
		 POSTED "none m2"},
		/* Options are tokens: quotes hide nothing. */
		{BYTES(POST11 "Connection: \"a, close\r\n\r\n"),
		 POSTED "none m2"},
		{BYTES(POST11 "Connection: \"a\\\", close ,\"\r\n\r\n"),
		 POSTED "none m2"},
		{BYTES(POST11 "Connection: \"close\"\r\n\r\n"),
		 POSTED "none keep m2"},
		{BYTES(GET10 "Connection: keep-alive, close\r\n\r\n"),
		 "GET o  / 1.0 none m0"},
		{BYTES(GET10 "Proxy-Connection: keep-alive\r\n\r\n"),
		 "GET o  / 1.0 none m0"},
		{BYTES(POST11 "Connection: upgrade\r\n\r\n"),
		 POSTED "none keep m2"},
		{BYTES(POST11 "Upgrade: x\r\n\r\n"), POSTED "none keep m2"},
		{BYTES(POST11 "Upgrade:\r\nConnection: upgrade\r\n\r\n"),
		 POSTED "none keep m2"},
		{BYTES(POST11 "Upgrade: h2c\r\nConnection: Upgrade, "
			      "HTTP2-Settings\r\nHTTP2-Settings: AAMA\r\n\r\n"),
		 POSTED "none keep upgrade m2"},
		{BYTES(GET10 "Upgrade: x\r\nConnection: upgrade\r\n\r\n"),
		 "GET o  / 1.0 none m0"},
		{BYTES(GET10 "Expect: 100-continue\r\n\r\n"),
		 "GET o  / 1.0 none m0"},
		{BYTES(POST11 "Expect: 100-Continue\r\n\r\n"),
		 POSTED "none keep expect m2"},
		{BYTES(POST11 "Expect: 200-ok\r\n\r\n"), POSTED "none keep m2"},
		{BYTES(POST11 "Expect: 100-continue\r\nUpgrade: x\r\n"
			      "Expect: y\r\n\r\n"),
		 POSTED "none keep expect m2"},
		{BYTES(POST11 "Content-Encoding: gzip\r\n"
			      "Content-Encoding: identity, BR , x-gzip\r\n"
			      "\r\n"),
		 POSTED "none keep gzip br gzip m2"},
		{BYTES(POST11 "Content-Encoding: zstd, lzma\r\n\r\n"),
		 POSTED "none keep zstd unknown m2"},
	};

	(void)state;
	run(v, COUNT(v));
}

/* Parse into memory that stays, for a look at the fields. */
static struct http1_request parsed;

static const struct http1_head *parse(const char *bytes, size_t len)
{
	ptrdiff_t n = http1_parse_request((const uint8_t *)bytes, len, 0,
					  &feed_limits, &parsed);

	assert_int_equal(n, len);
	return &parsed.head;
}

static bool is_hop(const struct http1_head *h, const char *name)
{
	for (unsigned int i = 0; i < h->nfields; i++)
		if (str_eq_nocase(h->fields[i].name, str_of(name)))
			return h->fields[i].hop;
	fail_msg("no field %s", name);
	return false;
}

/* Connection may name fields before and after it, and not those we need. */
static void hop_fields(void **state)
{
	static const char *const hop[] = {
		"X-Before",	     "X-After", "Keep-Alive",
		"Proxy-Connection",  "TE",	"Upgrade",
		"Transfer-Encoding", "Cookie",	"HTTP2-Settings"};
	static const char *const kept[] = {
		"Host",	 "X-Other",  "Content-Type",	"Content-Encoding",
		"Range", "If-Range", "Accept-Encoding", "Content-Range"};
	const struct http1_head *h;

	(void)state;
	h = parse(BYTES("POST / HTTP/1.1\r\nX-Before: 1\r\n"
			"Connection: x-before, X-AFTER, Host, Content-Type,\r\n"
			"Connection: content-encoding, Range, If-Range, "
			"Accept-Encoding, Cookie, Content-Range, close\r\n"
			"Host: a\r\nX-After: 1\r\nX-Other: 1\r\nTE: trailers"
			"\r\nKeep-Alive: 5\r\nProxy-Connection: close\r\n"
			"Upgrade: x\r\nTransfer-Encoding: chunked\r\n"
			"HTTP2-Settings: x\r\nContent-Type: a/b\r\n"
			"Content-Encoding: gzip\r\nRange: bytes=0-\r\n"
			"If-Range: \"x\"\r\nAccept-Encoding: br\r\n"
			"Content-Range: bytes 0-1/2\r\n"
			"Cookie: a=b\r\n\r\n"));
	for (size_t i = 0; i < COUNT(hop); i++)
		if (!is_hop(h, hop[i]))
			fail_msg("%s is for one hop", hop[i]);
	for (size_t i = 0; i < COUNT(kept); i++)
		if (is_hop(h, kept[i]))
			fail_msg("%s must stay", kept[i]);
}

static void field_ids(void **state)
{
	static const struct {
		const char *name;
		enum http1_field_id id;
		const char *value;
	} v[] = {
		{"accept-ENCODING", HTTP1_F_ACCEPT_ENCODING, "chunked"},
		{"Accept-Language", HTTP1_F_OTHER, "chunked"},
		{"Connection", HTTP1_F_CONNECTION, "chunked"},
		{"Content-Digest", HTTP1_F_CONTENT_DIGEST, "chunked"},
		{"Content-Disposition", HTTP1_F_CONTENT_DISPOSITION, "chunked"},
		{"Content-Encoding", HTTP1_F_CONTENT_ENCODING, "chunked"},
		{"Content-Length", HTTP1_F_CONTENT_LENGTH, "1"},
		{"Content_Length", HTTP1_F_OTHER, "chunked"},
		{"Content-MD5", HTTP1_F_CONTENT_MD5, "chunked"},
		{"Content-Range", HTTP1_F_CONTENT_RANGE, "chunked"},
		{"Content-Type", HTTP1_F_CONTENT_TYPE, "chunked"},
		{"date", HTTP1_F_DATE, "chunked"},
		{"ETag", HTTP1_F_ETAG, "chunked"},
		{"Expect", HTTP1_F_EXPECT, "chunked"},
		{"Accept", HTTP1_F_OTHER, "chunked"},
		{"HTTP2-Settings", HTTP1_F_HTTP2_SETTINGS, "chunked"},
		{"If-Range", HTTP1_F_IF_RANGE, "chunked"},
		{"Keep-Alive", HTTP1_F_KEEP_ALIVE, "chunked"},
		{"Last-Modified", HTTP1_F_LAST_MODIFIED, "chunked"},
		{"Proxy-Connection", HTTP1_F_PROXY_CONNECTION, "chunked"},
		{"range", HTTP1_F_RANGE, "chunked"},
		{"te", HTTP1_F_TE, "chunked"},
		{"Trailer", HTTP1_F_TRAILER, "chunked"},
		{"Transfer-Encoding", HTTP1_F_TRANSFER_ENCODING, "chunked"},
		{"Transfer-Encodings", HTTP1_F_OTHER, "chunked"},
		{"Upgrade", HTTP1_F_UPGRADE, "chunked"},
		{"User-Agent", HTTP1_F_USER_AGENT, "chunked"},
		{"X", HTTP1_F_OTHER, "chunked"},
		{"A-Name-That-Is-Longer-Than-Any", HTTP1_F_OTHER, "chunked"},
	};
	char head[128];

	(void)state;
	for (size_t i = 0; i < COUNT(v); i++) {
		struct strbuf sb;

		strbuf_init(&sb, head, sizeof(head));
		strbuf_printf(&sb,
			      "GET / HTTP/1.1\r\nHost: a\r\n%s: %s\r\n\r\n",
			      v[i].name, v[i].value);
		assert_int_equal(parse(head, sb.len)->fields[1].id, v[i].id);
	}
	assert_ptr_equal(http1_field(&parsed.head, HTTP1_F_HOST),
			 &parsed.head.fields[0]);
	assert_null(http1_field_next(&parsed.head, HTTP1_F_HOST, 1));
}

/* A word for each error, no two the same. */
static void error_names(void **state)
{
	(void)state;
	for (int a = 0; a < HTTP1_ERROR_COUNT; a++)
		for (int b = 0; b < a; b++)
			assert_string_not_equal(
				http1_error_name((enum http1_error)a),
				http1_error_name((enum http1_error)b));
	assert_string_equal(http1_error_name(HTTP1_LENGTH_AND_CODING),
			    "length_and_coding");
	assert_string_equal(http1_error_name(HTTP1_ERROR_COUNT), "unknown");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(clients),
		cmocka_unit_test(rfc_examples),
		cmocka_unit_test(absolute_form),
		cmocka_unit_test(targets),
		cmocka_unit_test(request_lines),
		cmocka_unit_test(not_http),
		cmocka_unit_test(lines_of_others),
		cmocka_unit_test(empty_lines),
		cmocka_unit_test(fields),
		cmocka_unit_test(hosts),
		cmocka_unit_test(lengths),
		cmocka_unit_test(transfer_codings),
		cmocka_unit_test(connection),
		cmocka_unit_test(hop_fields),
		cmocka_unit_test(field_ids),
		cmocka_unit_test(error_names),
	};

	return cmocka_run_group_tests_name("http1_request", tests, NULL, NULL);
}
