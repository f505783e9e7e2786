// SPDX-License-Identifier: GPL-2.0-or-later
#include "roles/resolve/answer.h"

#include <ares.h>
#include <errno.h>
#include <string.h>

int answer_status(int ares_status)
{
	switch (ares_status) {
	case ARES_SUCCESS:
		return 0;
	case ARES_ENOTFOUND:
	case ARES_ENODATA: /* a name of something else */
		return -ENOENT;
	case ARES_ETIMEOUT:
		return -ETIMEDOUT;
	case ARES_EFORMERR:
	case ARES_ESERVFAIL:
	case ARES_ENOTIMP:
	case ARES_EREFUSED:
	case ARES_EBADRESP:
	case ARES_EBADNAME:
	case ARES_ECONNREFUSED: /* SERVFAIL and REFUSED end so, too */
		return -EPROTO;
	default:
		/* ENOMEM, EFILE and the like */
		return -EIO;
	}
}

static bool addr_of(const struct ares_addrinfo_node *node, struct ip_addr *addr)
{
	struct sockaddr_storage ss = {0};
	struct ip_endpoint ep;

	if (node->ai_addr == NULL || node->ai_addrlen > sizeof(ss))
		return false;
	memcpy(&ss, node->ai_addr, node->ai_addrlen);
	if (!ip_endpoint_from_sockaddr(&ep, &ss))
		return false;
	*addr = ep.addr;
	return true;
}

static unsigned int count_of(const struct ares_addrinfo *info, uint8_t family)
{
	unsigned int n = 0;
	struct ip_addr addr;

	for (const struct ares_addrinfo_node *node = info->nodes; node != NULL;
	     node = node->ai_next)
		n += addr_of(node, &addr) && addr.family == family;
	return n;
}

/* How many of a family may be taken when there are @others of the other. */
static unsigned int room_beside(unsigned int others)
{
	return MSG_ADDRS - (others < MSG_ADDRS / 2 ? others : MSG_ADDRS / 2);
}

static void take_addrs(const struct ares_addrinfo *info,
		       struct msg_resolved *answer)
{
	unsigned int room4 = room_beside(count_of(info, AF_INET6));
	unsigned int room6 = room_beside(count_of(info, AF_INET));
	struct ip_addr addr;

	for (const struct ares_addrinfo_node *node = info->nodes; node != NULL;
	     node = node->ai_next) {
		unsigned int *room;

		if (!addr_of(node, &addr))
			continue;
		room = addr.family == AF_INET ? &room4 : &room6;
		if (*room == 0 || answer->count == MSG_ADDRS)
			continue;
		--*room;
		answer->addrs[answer->count++] = addr;
	}
}

static void lower(uint32_t *ttl_s, int ttl)
{
	/* RFC 2181 8: with its highest bit set it is zero. */
	uint32_t t = ttl > 0 ? (uint32_t)ttl : 0;

	if (t < *ttl_s)
		*ttl_s = t;
}

static uint32_t shortest_life(const struct ares_addrinfo *info)
{
	uint32_t ttl_s = UINT32_MAX;

	for (const struct ares_addrinfo_node *n = info->nodes; n != NULL;
	     n = n->ai_next)
		lower(&ttl_s, n->ai_ttl);
	for (const struct ares_addrinfo_cname *n = info->cnames; n != NULL;
	     n = n->next)
		lower(&ttl_s, n->ttl);
	return ttl_s;
}

void answer_from(int ares_status, const struct ares_addrinfo *info,
		 struct msg_resolved *answer, uint32_t *ttl_s)
{
	memset(answer, 0, sizeof(*answer));
	*ttl_s = 0;
	answer->status = answer_status(ares_status);
	if (answer->status == 0 && info != NULL) {
		take_addrs(info, answer);
		*ttl_s = shortest_life(info);
	}
	if (answer->status == 0 && answer->count == 0)
		answer->status = -ENOENT;
}
