/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Table `inet sluice` as a model: the one description of the gateway's rules.
 * render/nft_text.c writes it as text, sys/nft_rule.c as netlink messages;
 * neither knows a rule that isn't here. nft/sluice.nft shows the result with
 * the packet walk explained. Pure.
 */
#ifndef SLUICE_RENDER_RULESET_H
#define SLUICE_RENDER_RULESET_H

#include <stdbool.h>
#include <stdint.h>

#include "base/ip.h"
#include "render/ruleset_set.h"

struct config;

#define RULESET_TABLE	 "sluice"
#define RULESET_CHAINS	 40
#define RULESET_RULES	 20 /* a chain */
#define RULESET_TERMS	 10 /* a rule */
#define RULESET_NAME_MAX 32

/*
 * What a rule is made of, in the order in which the kernel evaluates it. A
 * match that does not hold ends the rule, and so does a tproxy that finds no
 * socket.
 */
enum ruleset_term_kind {
	/* matches */
	TERM_IIFNAME,	   /* @set */
	TERM_OIFNAME,	   /* @set */
	TERM_NFPROTO,	   /* @family */
	TERM_L4PROTO,	   /* @set, @negate */
	TERM_L4PROTO_IS,   /* @value */
	TERM_SADDR,	   /* @set: its type says which family */
	TERM_DADDR,	   /* @set */
	TERM_PAIR_CLIENT,  /* from the client of a pair in @set to its server */
	TERM_PAIR_SERVER,  /* the other way */
	TERM_TCP_SPORT,	   /* @set */
	TERM_TCP_DPORT,	   /* @set */
	TERM_TCP_DPORT_IS, /* @value, @negate */
	TERM_TCP_FLAGS,	   /* of SYN, RST and ACK, those in @value are set */
	TERM_TO_GATEWAY,   /* the destination is an address of the gateway */
	TERM_SOCKET_TRANSPARENT,
	TERM_SOCKET_BOUND, /* not bound to the wildcard address */
	TERM_SOCKET_MARK,  /* bit @value is set; @negate: a socket without it;
			    * with @mask: of its bits, @value are set */
	TERM_PACKET_MARK,  /* bit @value is set; @negate: is not set */
	TERM_CT_NONE,	   /* of no connection, or of none that is in order */
	TERM_CT_ZONE_IS,   /* the connection's zone is @value */
	TERM_CT_PROTOCOL,  /* the connection's protocol is @value */
	TERM_CT_ORIGINAL,  /* sent by the side that opened the connection */
	TERM_CT_BITS,	   /* of the connection's mark, bits of @value are set;
			    * @negate: none of them is */
	TERM_CT_UNMARKED,  /* all of the connection's mark is zero */
	TERM_LABEL_IN,	   /* @set, @negate: its label */
	TERM_UDP_DPORT_IS, /* @value */
	TERM_TCP_RST,	   /* it is a reset */
	TERM_PAYLOAD,	   /* it carries a byte behind its TCP or UDP header */
	TERM_LIMIT,	   /* more than @rate bytes a second come here */
	TERM_METER_SADDR,  /* ... from this source; @set keeps count */
	TERM_METER_DADDR,  /* ... for this destination */
	/* statements */
	TERM_COUNTER,
	TERM_ZONE,	 /* conntrack zone @value */
	TERM_NOTRACK,	 /* conntrack doesn't look at it */
	TERM_SET_BIT,	 /* bit @value of the packet's mark */
	TERM_CT_SET_BIT, /* bit @value of the connection's mark */
	TERM_MAKE_RST,	 /* the packet becomes a reset for whom it is to */
	TERM_LABEL,	 /* the connection's label becomes application @value */
	TERM_HINT,   /* its mark becomes what map @set has for its server; no
		       * match when it has nothing */
	TERM_QUEUE,  /* to NFQUEUE @value and those behind it, @total in all;
		       * accept when nobody reads it */
	TERM_TPROXY, /* @family, port @value */
	TERM_ACCEPT,
	TERM_RETURN,
	TERM_JUMP, /* @chain */
	TERM_DROP,
	TERM_RESET,	  /* reject with tcp reset */
	TERM_PROHIBITED,  /* reject: by an administrator (ICMP) */
	TERM_UNREACHABLE, /* reject: nothing listens there (ICMP) */
	TERM_COUNT
};

struct ruleset_term {
	enum ruleset_term_kind kind;
	enum ruleset_set_id set;
	bool negate;
	uint8_t family; /* AF_INET or AF_INET6 */
	uint32_t value;
	uint32_t mask;
	uint32_t total;
	uint64_t rate; /* bytes a second; the bucket holds one second's */
	const char *chain;
};

/*
 * What puts a packet into an NFQUEUE in this kernel. Sluice asks for it with
 * the same effect either way; nft can only write the first one.
 */
enum ruleset_queue {
	QUEUE_NATIVE, /* nf_tables' own expression (CONFIG_NFT_QUEUE) */
	QUEUE_TARGET, /* the x_tables target through nft_compat */
	QUEUE_NONE    /* neither: nothing is queued */
};

/* @name is the rule's comment in the kernel: unique, and it never changes. */
struct ruleset_rule {
	const char *name;
	uint32_t count;
	struct ruleset_term terms[RULESET_TERMS];
};

enum ruleset_hook {
	HOOK_NONE, /* a chain that others jump to */
	HOOK_PREROUTING,
	HOOK_INPUT,
	HOOK_FORWARD,
	HOOK_OUTPUT
};

/* Values are the kernel's (enum nf_ip_hook_priorities). */
enum ruleset_priority {
	PRIORITY_RAW = -300,
	PRIORITY_MANGLE = -150,
	PRIORITY_TRANSLATED = -99, /* right behind NAT of destinations */
	PRIORITY_FILTER = 0
};

/* All base chains are of type filter with policy accept. */
struct ruleset_chain {
	const char *name;
	enum ruleset_hook hook;
	enum ruleset_priority priority;
	uint32_t count;
	struct ruleset_rule rules[RULESET_RULES];
};

/* Some 3 MiB, most of them never touched: keep it on the heap, zeroed. */
struct ruleset {
	enum ruleset_queue queue; /* native, until ruleset_set_queue() */
	uint32_t chain_count;
	uint32_t set_count; /* of @sets; below SET_FIXED some don't exist */
	bool intercepts;    /* else nothing needs routes (sys/route.h) */
	bool labels;	    /* conntrack has labels, of the client's leg too */
	bool data;	    /* there may be data connections of FTP */
	struct ruleset_chain chains[RULESET_CHAINS];
	struct ruleset_set sets[SET_COUNT];
};

#define RULESET_HELD 256

/*
 * Ports that aren't intercepted any more. Connections to them may still be
 * open: their packets find their sockets.
 */
struct ruleset_held {
	uint32_t count;
	uint16_t ports[RULESET_HELD];
	bool ftp; /* some of them were FTP's: it may have data connections */
};

/*
 * The rules that @c asks for, in @rs, whatever it held. Without a port to
 * intercept, now or in @held, they do no more than name what is forwarded.
 *
 * 0; -ENOENT when there are ports and no transparent service of their protocol
 * to send connections to; -EINVAL when a service's port is one of them.
 */
__attribute__((warn_unused_result)) int
ruleset_build(struct ruleset *rs, const struct config *c,
	      const struct ruleset_held *held);

/*
 * Write TERM_QUEUE as this kernel has it (nft_queue_probe()); with QUEUE_NONE
 * the rules that queue are taken out.
 */
void ruleset_set_queue(struct ruleset *rs, enum ruleset_queue queue);

/*
 * A bypass that was asked for at run time. The model is kept in step with the
 * kernel (nft_bypass_add()), so that installing again loses none.
 *
 * 0; -EEXIST when @net shares addresses with an entry, which comes out in
 * @other; -ENOSPC.
 */
__attribute__((warn_unused_result)) int
ruleset_bypass_add(struct ruleset *rs, enum ruleset_bypass list,
		   const struct ip_net *net, struct ip_net *other);

/* 0, or -ENOENT: entries go as they came, not in parts. */
__attribute__((warn_unused_result)) int
ruleset_bypass_del(struct ruleset *rs, enum ruleset_bypass list,
		   const struct ip_net *net);

#endif
