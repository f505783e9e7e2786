// SPDX-License-Identifier: GPL-2.0-or-later
#include "render/ruleset_set.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

static const struct {
	const char *name;
	enum ruleset_set_type type;
	bool timeout;
	uint32_t size;
} kinds[SET_FIXED] = {
	[SET_ALIVE] = {"alive", SET_TYPE_PROTO, true, 0},
	[SET_SYNCOOKIES] = {"syncookies", SET_TYPE_PROTO, true, 0},
	[SET_LAN] = {"lan", SET_TYPE_IFNAME, false, 0},
	[SET_HTTP_PORTS] = {"http_ports", SET_TYPE_PORT, false, 0},
	[SET_FTP_PORTS] = {"ftp_ports", SET_TYPE_PORT, false, 0},
	[SET_SOCKET_PORTS] = {"socket_ports", SET_TYPE_PORT, false, 0},
	[SET_BYPASS_CLIENTS4] = {"bypass_clients4", SET_TYPE_NET4, false, 0},
	[SET_BYPASS_CLIENTS6] = {"bypass_clients6", SET_TYPE_NET6, false, 0},
	[SET_BYPASS_SERVERS4] = {"bypass_servers4", SET_TYPE_NET4, false, 0},
	[SET_BYPASS_SERVERS6] = {"bypass_servers6", SET_TYPE_NET6, false, 0},
	[SET_PAIRS4] = {"pairs4", SET_TYPE_PAIR4, true, RULESET_PAIRS},
	[SET_PAIRS6] = {"pairs6", SET_TYPE_PAIR6, true, RULESET_PAIRS},
	[SET_CLASSIFYING] = {"classifying", SET_TYPE_PROTO, true, 0},
	[SET_HINTS4] = {"hints4", SET_TYPE_SERVER4, true, RULESET_HINTS},
	[SET_HINTS6] = {"hints6", SET_TYPE_SERVER6, true, RULESET_HINTS},
};

const char *ruleset_set_name(enum ruleset_set_id id)
{
	return kinds[id].name;
}

/* Unused elements are never looked at, and there are many. */
void ruleset_set_clear(struct ruleset_set *set)
{
	memset(set, 0, offsetof(struct ruleset_set, elems));
}

void ruleset_set_init(struct ruleset_set *set, enum ruleset_set_id id)
{
	ruleset_set_clear(set);
	set->name = kinds[id].name;
	set->type = kinds[id].type;
	set->timeout = kinds[id].timeout;
	set->size = kinds[id].size;
}

static bool is_net(const struct ruleset_set *set)
{
	return set->type == SET_TYPE_NET4 || set->type == SET_TYPE_NET6;
}

/* nft sorts interface names as little-endian integers: last byte first. */
static int compare_ifname(const char *a, const char *b)
{
	for (int i = RULESET_IFNAME_MAX - 1; i >= 0; i--) {
		if (a[i] != b[i])
			return (uint8_t)a[i] < (uint8_t)b[i] ? -1 : 1;
	}
	return 0;
}

static int compare(const struct ruleset_set *set, const union ruleset_elem *a,
		   const union ruleset_elem *b)
{
	switch (set->type) {
	case SET_TYPE_PROTO:
		return a->proto - b->proto;
	case SET_TYPE_PORT:
		return a->port - b->port;
	case SET_TYPE_LABEL:
		return a->mark < b->mark ? -1 : a->mark > b->mark;
	case SET_TYPE_IFNAME:
		return compare_ifname(a->ifname, b->ifname);
	case SET_TYPE_NET4:
	case SET_TYPE_NET6:
	case SET_TYPE_SERVER4: /* nothing of these is in the model */
	case SET_TYPE_SERVER6:
	case SET_TYPE_HOST4:
	case SET_TYPE_HOST6:
	case SET_TYPE_PAIR4:
	case SET_TYPE_PAIR6:
		break;
	}
	return memcmp(a->net.addr.bytes, b->net.addr.bytes,
		      sizeof(a->net.addr.bytes));
}

static bool covers(const struct ip_net *outer, const struct ip_net *inner)
{
	return outer->prefix <= inner->prefix &&
	       ip_net_contains(outer, &inner->addr);
}

const struct ip_net *ruleset_set_overlap(const struct ruleset_set *set,
					 const struct ip_net *net)
{
	for (uint32_t i = 0; i < set->count; i++) {
		const struct ip_net *n = &set->elems[i].net;

		if (covers(n, net) || covers(net, n))
			return n;
	}
	return NULL;
}

static void remove_at(struct ruleset_set *set, uint32_t i)
{
	set->count--;
	memmove(&set->elems[i], &set->elems[i + 1],
		(set->count - i) * sizeof(set->elems[0]));
}

/* Make room for @net: whatever is a part of it goes. */
static void swallow(struct ruleset_set *set, const struct ip_net *net)
{
	for (uint32_t i = set->count; i-- > 0;) {
		if (covers(net, &set->elems[i].net))
			remove_at(set, i);
	}
}

int ruleset_set_add(struct ruleset_set *set, const union ruleset_elem *elem)
{
	const struct ip_net *other;
	uint32_t i = 0;

	if (is_net(set)) {
		other = ruleset_set_overlap(set, &elem->net);
		if (other != NULL && covers(other, &elem->net))
			return -EEXIST;
		swallow(set, &elem->net);
	}
	while (i < set->count && compare(set, &set->elems[i], elem) < 0)
		i++;
	if (i < set->count && compare(set, &set->elems[i], elem) == 0)
		return -EEXIST;
	if (set->count == RULESET_ELEMS)
		return -ENOSPC;
	memmove(&set->elems[i + 1], &set->elems[i],
		(set->count - i) * sizeof(set->elems[0]));
	set->elems[i] = *elem;
	set->count++;
	return 0;
}

int ruleset_set_del(struct ruleset_set *set, const union ruleset_elem *elem)
{
	for (uint32_t i = 0; i < set->count; i++) {
		if (compare(set, &set->elems[i], elem) != 0)
			continue;
		if (is_net(set) && set->elems[i].net.prefix != elem->net.prefix)
			continue;
		remove_at(set, i);
		return 0;
	}
	return -ENOENT;
}

enum ruleset_set_id ruleset_bypass_set(enum ruleset_bypass list,
				       const struct ip_net *net)
{
	bool v6 = net->addr.family == AF_INET6;

	if (list == BYPASS_CLIENTS)
		return v6 ? SET_BYPASS_CLIENTS6 : SET_BYPASS_CLIENTS4;
	return v6 ? SET_BYPASS_SERVERS6 : SET_BYPASS_SERVERS4;
}

struct ruleset_range ruleset_range(const struct ip_net *net)
{
	struct ruleset_range r = {.first = net->addr, .last = net->addr};
	size_t len = ip_addr_len(&net->addr);

	for (size_t bit = net->prefix; bit < len * 8; bit++)
		r.last.bytes[bit / 8] |= (uint8_t)(0x80 >> bit % 8);
	return r;
}

/* Whether the range is exactly the addresses of first/@prefix. */
static bool is_prefix(const struct ruleset_range *r, unsigned int prefix)
{
	for (unsigned int i = 0; i < ip_addr_len(&r->first); i++) {
		unsigned int keep = prefix > i * 8 ? prefix - i * 8 : 0;
		unsigned int host = keep >= 8 ? 0 : 0xffU >> keep;

		if ((r->first.bytes[i] & host) != 0 ||
		    r->last.bytes[i] != (r->first.bytes[i] | host))
			return false;
	}
	return true;
}

void ruleset_range_format(const struct ruleset_range *r, char *dst, size_t size)
{
	char first[IP_TEXT_MAX], last[IP_TEXT_MAX];

	for (unsigned int p = 0; p <= ip_addr_len(&r->first) * 8; p++) {
		struct ip_net net = {.addr = r->first, .prefix = (uint8_t)p};

		if (is_prefix(r, p)) {
			ip_net_format(&net, dst, size);
			return;
		}
	}
	snprintf(dst, size, "%s-%s",
		 ip_addr_format(&r->first, first, sizeof(first)),
		 ip_addr_format(&r->last, last, sizeof(last)));
}
