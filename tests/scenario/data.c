// SPDX-License-Identifier: GPL-2.0-or-later
#include "data.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LINE_MAX_TEXT 200

/* --- lines ---------------------------------------------------------- */

/* Off the front of @rest; false when its end hasn't come. */
static bool next_line(struct str *rest, char line[LINE_MAX_TEXT])
{
	const char *end = rest->len > 0 ? memmem(rest->p, rest->len, "\r\n", 2)
					: NULL;
	struct str text;

	if (end == NULL)
		return false;
	text = (struct str){rest->p, (size_t)(end - rest->p)};
	(void)str_copy_view(line, LINE_MAX_TEXT, text);
	*rest = str_from(*rest, text.len + 2);
	return true;
}

static unsigned int code_of(const char *line)
{
	return strspn(line, "0123456789") == 3
		       ? (unsigned int)strtoul(line, NULL, 10)
		       : 0;
}

/* The code that a client reads at @line; 0: it is text within a reply. */
static unsigned int read_code(struct announcements *a, const char *line)
{
	unsigned int code = code_of(line);

	if (a->open != 0 && code != a->open)
		return 0;
	a->open = line[3] == '-' ? code : 0;
	return code;
}

/* --- addresses ------------------------------------------------------ */

static bool set(struct ip_endpoint *ep, const char *addr, unsigned int port)
{
	ep->port = (uint16_t)port;
	return port <= UINT16_MAX && ip_addr_parse(addr, &ep->addr);
}

/* Six numbers with commas between, the first ones of @text. */
static bool six_numbers(const char *text, struct ip_endpoint *ep)
{
	const char *p = strpbrk(text, "0123456789");
	unsigned long n[6];
	char addr[IP_TEXT_MAX], *end;

	if (p == NULL)
		return false;
	for (int i = 0; i < 6; i++, p = end + 1) {
		n[i] = strtoul(p, &end, 10);
		if (end == p || n[i] > UINT8_MAX || (i < 5 && *end != ','))
			return false;
	}
	snprintf(addr, sizeof(addr), "%lu.%lu.%lu.%lu", n[0], n[1], n[2], n[3]);
	return set(ep, addr, (unsigned int)(n[4] * 256 + n[5]));
}

/* |1|192.0.2.1|1025| */
static bool extended(const char *text, struct ip_endpoint *ep)
{
	const char *end = strlen(text) > 3 ? strchr(text + 3, '|') : NULL;
	char addr[IP_TEXT_MAX];

	if (end == NULL)
		return false;
	(void)str_copy_view(addr, sizeof(addr),
			    (struct str){text + 3, (size_t)(end - text - 3)});
	return set(ep, addr, (unsigned int)strtoul(end + 1, NULL, 10));
}

/* (|||1025|), of whom the client talks to. */
static bool port_alone(const char *text, const struct peer *client,
		       struct ip_endpoint *ep)
{
	const char *p = strstr(text, "(|||");

	ep->addr = client->tcp->local.addr;
	ep->port = p != NULL ? (uint16_t)strtoul(p + 4, NULL, 10) : 0;
	return ep->port != 0;
}

/* 0: no such line; or -1: it makes no sense. */
static int read_line(struct announcements *a, const char *line,
		     struct ip_endpoint *ep)
{
	unsigned int code = a->peer->client ? read_code(a, line) : 0;
	bool good;

	if (code == 227)
		good = six_numbers(line + 4, ep);
	else if (code == 229)
		good = port_alone(line + 4, a->peer, ep);
	else if (!a->peer->client && strncmp(line, "PORT ", 5) == 0)
		good = six_numbers(line + 5, ep);
	else if (!a->peer->client && strncmp(line, "EPRT ", 5) == 0)
		good = extended(line + 5, ep);
	else
		return code == 228 ? -1 : 0;
	return good ? 1 : -1;
}

struct announcements announcements_of(const struct peer *control)
{
	return (struct announcements){
		.peer = control,
		.rest = bytes_str(&control->got),
	};
}

bool announcements_next(struct announcements *a, struct ip_endpoint *ep)
{
	char line[LINE_MAX_TEXT];

	while (next_line(&a->rest, line)) {
		struct ip_endpoint named = {0};
		int rc = read_line(a, line, &named);

		if (rc == 0)
			continue;
		*ep = rc == 1 ? named : (struct ip_endpoint){0};
		return true;
	}
	return false;
}

/* The last whole line of @got. */
static struct str last_line(struct str got)
{
	size_t end = got.p != NULL ? got.len : 0, start;

	for (; end > 0 && got.p[end - 1] != '\n'; end--)
		;
	for (start = end > 0 ? end - 1 : 0;
	     start > 0 && got.p[start - 1] != '\n'; start--)
		;
	return (struct str){end > start ? got.p + start : NULL, end - start};
}

bool data_is_listing(const struct peer *server)
{
	static const char *const verbs[] = {"LIST", "NLST", "MLSD"};
	struct str line = last_line(bytes_str(&server->got));
	bool found = false;

	if (line.len > 4)
		line.len = 4;
	for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++)
		found |= str_eq_nocase(line, str_of(verbs[i]));
	return found;
}

bool data_endpoint(struct str word, struct ip_endpoint *ep)
{
	char text[IP_TEXT_MAX], *addr = text, *end;

	(void)str_copy_view(text, sizeof(text), word);
	ep->port = 0;
	if (ip_addr_parse(text, &ep->addr))
		return true;
	end = strrchr(text, ':');
	if (end == NULL)
		return false;
	ep->port = (uint16_t)strtoul(end + 1, NULL, 10);
	*end = '\0';
	if (*addr == '[' && end > addr + 1 && end[-1] == ']') {
		addr++;
		end[-1] = '\0';
	}
	return ip_addr_parse(addr, &ep->addr);
}
