// SPDX-License-Identifier: GPL-2.0-or-later
#include <string.h>
#include <sys/socket.h>

#include "proto/ftp_line.h"

#define PORT_NUMBERS 6

/* The number of at most @max at the start of @s, taken off it. */
static bool take_number(struct str *s, unsigned int max, unsigned int *value)
{
	size_t n = 0;

	*value = 0;
	while (n < s->len && ftp_is_digit(s->p[n]) && *value <= max)
		*value = *value * 10 + (unsigned int)(s->p[n++] - '0');
	s->p += n;
	s->len -= n;
	return n > 0 && *value <= max;
}

static bool take_char(struct str *s, char c)
{
	if (s->len == 0 || s->p[0] != c)
		return false;
	s->p++;
	s->len--;
	return true;
}

/* --- PORT and 227 -------------------------------------------------------------- */

/* "h1,h2,h3,h4,p1,p2" at the start of @s, taken off it. */
static bool take_numbers(struct str *s, struct ip_endpoint *ep)
{
	unsigned int n[PORT_NUMBERS];

	*ep = (struct ip_endpoint){.addr.family = AF_INET};
	for (unsigned int i = 0; i < PORT_NUMBERS; i++) {
		if ((i > 0 && !take_char(s, ',')) ||
		    !take_number(s, 255, &n[i]))
			return false;
	}
	for (unsigned int i = 0; i < 4; i++)
		ep->addr.bytes[i] = (uint8_t)n[i];
	ep->port = (uint16_t)(n[4] << 8 | n[5]);
	return ep->port != 0;
}

bool ftp_parse_port(struct str argument, struct ip_endpoint *ep)
{
	return take_numbers(&argument, ep) && argument.len == 0;
}

bool ftp_parse_pasv(struct str text, struct ip_endpoint *ep)
{
	for (size_t i = 0; i < text.len; i++) {
		struct str rest = {text.p + i, text.len - i};

		if (!ftp_is_digit(text.p[i]) ||
		    (i > 0 && ftp_is_digit(text.p[i - 1])))
			continue;
		if (take_numbers(&rest, ep))
			return true;
	}
	return false;
}

/* --- EPRT and 229 -------------------------------------------------------------- */

/* What stands between fields: printable, and nothing that a field has. */
static bool is_delimiter(char c)
{
	return c > ' ' && c <= '~' && !ftp_is_digit(c);
}

/* Up to @delimiter, taken off @s with it. */
static bool take_field(struct str *s, char delimiter, struct str *field)
{
	const char *end = s->len > 0 ? memchr(s->p, delimiter, s->len) : NULL;

	if (end == NULL)
		return false;
	*field = (struct str){s->p, (size_t)(end - s->p)};
	s->len -= field->len + 1;
	s->p = end + 1;
	return true;
}

static bool port_of(struct str field, uint16_t *port)
{
	unsigned int value;

	if (!take_number(&field, UINT16_MAX, &value) || field.len > 0 ||
	    value == 0)
		return false;
	*port = (uint16_t)value;
	return true;
}

static bool address_of(struct str field, uint8_t family, struct ip_addr *addr)
{
	char text[IP_TEXT_MAX];

	return memchr(field.p, '\0', field.len) == NULL &&
	       str_copy_view(text, sizeof(text), field) &&
	       ip_addr_parse(text, addr) && addr->family == family;
}

bool ftp_parse_eprt(struct str argument, struct ip_endpoint *ep)
{
	struct str rest = argument, protocol, address, port;
	char d;

	*ep = (struct ip_endpoint){0};
	if (rest.len == 0 || !is_delimiter(rest.p[0]))
		return false;
	d = rest.p[0];
	rest.p++;
	rest.len--;
	if (!take_field(&rest, d, &protocol) ||
	    !take_field(&rest, d, &address) || !take_field(&rest, d, &port) ||
	    rest.len > 0 || protocol.len != 1)
		return false;
	if (protocol.p[0] != '1' && protocol.p[0] != '2')
		return false;
	return address_of(address, protocol.p[0] == '1' ? AF_INET : AF_INET6,
			  &ep->addr) &&
	       port_of(port, &ep->port);
}

/* "|||1025|)" at the start of @s */
static bool epsv_port(struct str s, uint16_t *port)
{
	struct str field;
	char d;

	if (s.len < 3 || !is_delimiter(s.p[0]) || s.p[1] != s.p[0] ||
	    s.p[2] != s.p[0])
		return false;
	d = s.p[0];
	s.p += 3;
	s.len -= 3;
	return take_field(&s, d, &field) && port_of(field, port) && s.len > 0 &&
	       s.p[0] == ')';
}

bool ftp_parse_epsv(struct str text, uint16_t *port)
{
	for (size_t i = 0; i < text.len; i++) {
		if (text.p[i] == '(' &&
		    epsv_port((struct str){text.p + i + 1, text.len - i - 1},
			      port))
			return true;
	}
	return false;
}

/* --- writing ------------------------------------------------------------------- */

void ftp_write_port(struct strbuf *sb, const struct ip_endpoint *ep)
{
	for (unsigned int i = 0; i < 4; i++)
		strbuf_printf(sb, "%u,", ep->addr.bytes[i]);
	strbuf_printf(sb, "%u,%u", ep->port >> 8, ep->port & 0xff);
}

void ftp_write_eprt(struct strbuf *sb, const struct ip_endpoint *ep)
{
	char text[IP_TEXT_MAX];

	strbuf_printf(sb, "|%c|%s|%u|", ep->addr.family == AF_INET ? '1' : '2',
		      ip_addr_format(&ep->addr, text, sizeof(text)), ep->port);
}

/* --- logging in at a proxy ----------------------------------------------------- */

/* "host", "host:port", "[address]", "[address]:port" */
static bool split_host(struct str s, struct str *host, uint16_t *port)
{
	const char *colon;

	if (take_char(&s, '[')) {
		if (!take_field(&s, ']', host))
			return false;
		return host->len > 0 &&
		       (s.len == 0 || (take_char(&s, ':') && port_of(s, port)));
	}
	*host = s;
	colon = s.len > 0 ? memchr(s.p, ':', s.len) : NULL;
	if (colon == NULL)
		return s.len > 0;
	host->len = (size_t)(colon - s.p);
	return host->len > 0 &&
	       port_of((struct str){colon + 1, s.len - host->len - 1}, port);
}

bool ftp_split_login(struct str argument, struct str *user, struct str *host,
		     uint16_t *port)
{
	const char *at = argument.len > 0
				 ? memrchr(argument.p, '@', argument.len)
				 : NULL;
	size_t n;

	if (at == NULL)
		return false;
	n = (size_t)(at - argument.p);
	*user = (struct str){argument.p, n};
	return split_host((struct str){at + 1, argument.len - n - 1}, host,
			  port);
}
