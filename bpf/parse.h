/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A frame's headers -> its flow and lengths. Headers may lie anywhere in the
 * packet, and each read is bounds-checked, by the verifier or by the kernel.
 * Every length comes from the frame or is checked against it.
 */
#ifndef SLUICE_BPF_PARSE_H
#define SLUICE_BPF_PARSE_H

#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/tcp.h>
#include <linux/udp.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "acct.h"

#ifndef AF_INET
#define AF_INET	 2
#define AF_INET6 10
#endif

/* More than two tags or eight extension headers are nobody's traffic. */
#define VLAN_TAGS_MAX  2
#define EXTENSIONS_MAX 8

#define FRAGMENT_BITS 0x3fff /* more fragments, or an offset */

/* How far reads go without a call; the verifier wants a bound. */
#define DIRECT_MAX 512

struct vlan_tag {
	__be16 tci;
	__be16 protocol; /* of what follows */
};

struct packet {
	struct acct_flow flow; /* ports 0 for other protocols */
	__u32 family;
	__u32 at;	/* the cursor: from the start of the frame */
	__u32 ip_bytes; /* from the IP header on, without padding */
	__u32 heads;	/* what each segment of this packet repeats */
	__u8 opens;	/* TCP: SYN without ACK */
};

/*
 * @size (a constant) bytes at @at of the frame. 0, or negative: it is shorter.
 * Nearly always they are where the program may read them itself, which takes a
 * tenth of the time; in fragments of the packet only the kernel finds them.
 */
static __always_inline int read_at(struct __sk_buff *skb, __u32 at, void *to,
				   __u32 size)
{
	void *end = (void *)(long)skb->data_end;
	void *from = (void *)(long)skb->data + at;

	if (at > DIRECT_MAX || from + size > end)
		return bpf_skb_load_bytes(skb, at, to, size);
	__builtin_memcpy(to, from, size);
	return 0;
}

static __always_inline void map_ipv4(__u8 addr[16], __be32 ipv4)
{
	__u32 *word = (__u32 *)addr;

	word[0] = 0;
	word[1] = 0;
	word[2] = bpf_htonl(0xffff);
	word[3] = ipv4;
}

/* The client's own address is the source of what it sends. */
static __always_inline void set_ends(struct acct_flow *f, __u32 direction,
				     const struct in6_addr *src,
				     const struct in6_addr *dst)
{
	const struct in6_addr *client = direction == ACCT_UP ? src : dst;
	const struct in6_addr *server = direction == ACCT_UP ? dst : src;

	__builtin_memcpy(f->client, client, sizeof(f->client));
	__builtin_memcpy(f->server, server, sizeof(f->server));
}

/* What the IP header says, unless there is less of it, or it can't say. */
static __always_inline void set_length(struct packet *p, __u32 rest, __u32 said)
{
	p->ip_bytes = said == 0 || said > rest ? rest : said;
}

static __always_inline int parse_ports(struct __sk_buff *skb, __u32 direction,
				       struct packet *p)
{
	struct tcphdr tcp;
	__be16 port[2];

	if (p->flow.protocol == IPPROTO_TCP) {
		if (read_at(skb, p->at, &tcp, sizeof(tcp)) < 0 ||
		    tcp.doff < sizeof(tcp) / 4)
			return ACCT_MALFORMED;
		port[0] = tcp.source;
		port[1] = tcp.dest;
		p->opens = tcp.syn && !tcp.ack;
		p->heads = p->at + tcp.doff * 4;
	} else if (p->flow.protocol == IPPROTO_UDP) {
		struct udphdr udp;

		if (read_at(skb, p->at, &udp, sizeof(udp)) < 0)
			return ACCT_MALFORMED;
		port[0] = udp.source;
		port[1] = udp.dest;
		p->heads = p->at + sizeof(udp);
	} else {
		p->heads = p->at;
		return ACCT_ATTRIBUTED;
	}
	p->flow.client_port = direction == ACCT_UP ? port[0] : port[1];
	p->flow.server_port = direction == ACCT_UP ? port[1] : port[0];
	return ACCT_ATTRIBUTED;
}

static __always_inline int parse_ipv4(struct __sk_buff *skb, __u32 direction,
				      struct packet *p)
{
	struct in6_addr src, dst;
	struct iphdr ip;

	p->family = AF_INET;
	if (read_at(skb, p->at, &ip, sizeof(ip)) < 0 || ip.version != 4 ||
	    ip.ihl < sizeof(ip) / 4)
		return ACCT_MALFORMED;
	/* A packet of more than 64 KiB ("BIG TCP") says 0. */
	set_length(p, skb->len - p->at, bpf_ntohs(ip.tot_len));
	if (p->ip_bytes < ip.ihl * 4U)
		return ACCT_MALFORMED;
	map_ipv4((__u8 *)&src, ip.saddr);
	map_ipv4((__u8 *)&dst, ip.daddr);
	set_ends(&p->flow, direction, &src, &dst);
	if (ip.frag_off & bpf_htons(FRAGMENT_BITS))
		return ACCT_FRAGMENT;
	p->flow.protocol = ip.protocol;
	p->at += ip.ihl * 4;
	return parse_ports(skb, direction, p);
}

/*
 * Past the extension headers (RFC 8200 4.1); what is no such header is the
 * transport's. AH (RFC 4302 2.2) counts its length in words of four bytes.
 */
static __always_inline int skip_extensions(struct __sk_buff *skb, __u8 next,
					   struct packet *p)
{
	struct ipv6_opt_hdr ext;

#pragma unroll
	for (int i = 0; i <= EXTENSIONS_MAX; i++) {
		if (next == IPPROTO_FRAGMENT)
			return ACCT_FRAGMENT;
		if (next != IPPROTO_HOPOPTS && next != IPPROTO_ROUTING &&
		    next != IPPROTO_DSTOPTS && next != IPPROTO_MH &&
		    next != IPPROTO_AH) {
			p->flow.protocol = next;
			return ACCT_ATTRIBUTED;
		}
		if (read_at(skb, p->at, &ext, sizeof(ext)) < 0)
			return ACCT_MALFORMED;
		p->at += next == IPPROTO_AH ? (ext.hdrlen + 2) * 4
					    : (ext.hdrlen + 1) * 8;
		next = ext.nexthdr;
	}
	return ACCT_MALFORMED;
}

static __always_inline int parse_ipv6(struct __sk_buff *skb, __u32 direction,
				      struct packet *p)
{
	struct ipv6hdr ip;
	__u32 said;
	int reason;

	p->family = AF_INET6;
	if (read_at(skb, p->at, &ip, sizeof(ip)) < 0 || ip.version != 6)
		return ACCT_MALFORMED;
	/* A jumbogram (RFC 2675; also the kernel's "BIG TCP") says 0. */
	said = bpf_ntohs(ip.payload_len);
	set_length(p, skb->len - p->at, said == 0 ? 0 : said + sizeof(ip));
	set_ends(&p->flow, direction, &ip.saddr, &ip.daddr);
	p->at += sizeof(ip);
	reason = skip_extensions(skb, ip.nexthdr, p);
	if (reason != ACCT_ATTRIBUTED)
		return reason;
	return parse_ports(skb, direction, p);
}

/*
 * Fill @p, which is zeroed, from a frame that starts with its Ethernet header.
 * ACCT_ATTRIBUTED, or the reason why there is no flow; lengths are set anyway.
 */
static __always_inline int parse_frame(struct __sk_buff *skb, __u32 direction,
				       struct packet *p)
{
	struct ethhdr eth;
	struct vlan_tag tag;
	__be16 protocol;

	p->ip_bytes = 0;
	if (read_at(skb, 0, &eth, sizeof(eth)) < 0)
		return ACCT_MALFORMED;
	p->at = sizeof(eth);
	protocol = eth.h_proto;
#pragma unroll
	for (int i = 0; i < VLAN_TAGS_MAX; i++) {
		if (protocol != bpf_htons(ETH_P_8021Q) &&
		    protocol != bpf_htons(ETH_P_8021AD))
			break;
		if (read_at(skb, p->at, &tag, sizeof(tag)) < 0)
			return ACCT_MALFORMED;
		p->at += sizeof(tag);
		protocol = tag.protocol;
	}
	p->ip_bytes = skb->len - p->at;
	p->heads = p->at;
	if (protocol == bpf_htons(ETH_P_IP))
		return parse_ipv4(skb, direction, p);
	if (protocol == bpf_htons(ETH_P_IPV6))
		return parse_ipv6(skb, direction, p);
	return ACCT_NOT_IP;
}

#endif
