/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The named sets of table `inet sluice` and their elements. Pure. */
#ifndef SLUICE_RENDER_RULESET_SET_H
#define SLUICE_RENDER_RULESET_SET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/ip.h"

#define RULESET_ELEMS	   1024
#define RULESET_IFNAME_MAX 16
/* Hints of a family at most, some 100 bytes each. */
#define RULESET_HINTS	   16384
/* Pairs of a client and an FTP server, of a family. */
#define RULESET_PAIRS	   16384
/* Limits and quotas of policy, and the sets of each at most. */
#define RULESET_METERS	   16
#define RULESET_METER_SETS 7

enum ruleset_set_id {
	SET_ALIVE,	/* dead-man's switch: holds tcp while we live */
	SET_SYNCOOKIES, /* holds tcp while the kernel sends SYN cookies */
	SET_LAN,
	SET_HTTP_PORTS,
	SET_FTP_PORTS,	  /* only with FTP */
	SET_SOCKET_PORTS, /* of servers that sockets of ours are bound to */
	SET_BYPASS_CLIENTS4,
	SET_BYPASS_CLIENTS6,
	SET_BYPASS_SERVERS4,
	SET_BYPASS_SERVERS6,
	/* Only with FTP: between whom there are control connections. */
	SET_PAIRS4,
	SET_PAIRS6,
	/* Only with apps.enabled. */
	SET_CLASSIFYING, /* protocols that are queued, while the app role lives */
	SET_HINTS4,	 /* server -> mark */
	SET_HINTS6,
	SET_FIXED,
	/* As many as policy needs, in the order in which it asks for them. */
	SET_COUNT = SET_FIXED + 2 + RULESET_METERS * RULESET_METER_SETS
};

enum ruleset_set_type {
	SET_TYPE_PROTO,
	SET_TYPE_IFNAME,
	SET_TYPE_PORT,
	SET_TYPE_NET4,
	SET_TYPE_NET6,
	/* address, protocol and port of a server; a mark goes with it */
	SET_TYPE_SERVER4,
	SET_TYPE_SERVER6,
	SET_TYPE_LABEL, /* a connection's mark, of which it has the label */
	SET_TYPE_HOST4, /* single addresses */
	SET_TYPE_HOST6,
	SET_TYPE_PAIR4, /* a client's and a server's */
	SET_TYPE_PAIR6
};

enum ruleset_bypass { BYPASS_CLIENTS, BYPASS_SERVERS };

union ruleset_elem {
	uint8_t proto;
	uint16_t port; /* host order */
	uint32_t mark;
	char ifname[RULESET_IFNAME_MAX];
	struct ip_net net;
};

/* Elements are sorted as nft prints them, without duplicates or overlap. */
struct ruleset_set {
	const char *name; /* NULL: there is no such set */
	enum ruleset_set_type type;
	bool timeout;	 /* elements come and go at run time, none are listed */
	bool dynamic;	 /* ... added by rules, each with what it has seen */
	uint32_t idle_s; /* after which one goes; 0: each says itself */
	uint32_t size;	 /* most elements; 0: the kernel's own limit */
	uint32_t count;
	union ruleset_elem elems[RULESET_ELEMS];
};

struct ruleset_range {
	struct ip_addr first;
	struct ip_addr last;
};

const char *ruleset_set_name(enum ruleset_set_id id);

static inline bool ruleset_set_exists(const struct ruleset_set *set)
{
	return set->name != NULL;
}

/* No name, no element, all zero. */
void ruleset_set_clear(struct ruleset_set *set);
/* Name, type and flags of set @id (below SET_FIXED), without elements. */
void ruleset_set_init(struct ruleset_set *set, enum ruleset_set_id id);

/*
 * Add one element. 0; -EEXIST if it is there, or if a network is a part of
 * one that is; -ENOSPC. A wider network takes the place of its parts.
 */
int ruleset_set_add(struct ruleset_set *set, const union ruleset_elem *elem);

/* Take off an element that equals @elem; -ENOENT. */
int ruleset_set_del(struct ruleset_set *set, const union ruleset_elem *elem);

/* The first network in @set that shares an address with @net, or NULL. */
const struct ip_net *ruleset_set_overlap(const struct ruleset_set *set,
					 const struct ip_net *net);

/* The bypass set that @net belongs in; its family must be set. */
enum ruleset_set_id ruleset_bypass_set(enum ruleset_bypass list,
				       const struct ip_net *net);

/* First and last address of @net. */
struct ruleset_range ruleset_range(const struct ip_net *net);

/* "10.0.0.9", "10.0.0.0/8" or, for what no prefix says, "10.0.0.1-10.0.0.5". */
void ruleset_range_format(const struct ruleset_range *r, char *dst,
			  size_t size);
#define RULESET_RANGE_TEXT (2 * IP_TEXT_MAX)

#endif
