/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Accounting by BPF: what the program and userspace/sys/bpf.c share. Both
 * include it, so only fixed-size types; every structure is free of padding
 * that the compiler could choose, since keys are compared byte by byte.
 *
 * Directions are the client's: `up` is what a LAN interface receives, `down`
 * what it sends. Addresses are 16 bytes in network order, IPv4 as ::ffff:a.b.c.d.
 */
#ifndef SLUICE_BPF_ACCT_H
#define SLUICE_BPF_ACCT_H

#include <linux/bpf.h>
#include <linux/types.h>

/* Connection mark: the application's id, 0 = none yet; and where it is from. */
#define ACCT_LABEL_MASK	 0x07ff0000U
#define ACCT_LABEL_SHIFT 16
#define ACCT_LABEL_HINT	 0x08000000U
#define ACCT_APPS	 2048 /* ids are below this */

/* On sockets of a client's leg and so on what they send; render/marks.h. */
#define ACCT_MARK_CLIENT 0x40000000U
/* Beside it, on those of FTP's data connections. */
#define ACCT_MARK_DATA	 0x08000000U
#define ACCT_PORTS	 256

enum acct_direction { ACCT_UP, ACCT_DOWN, ACCT_DIRECTIONS };

/* Why a frame belongs to no application. */
enum acct_reason {
	ACCT_ATTRIBUTED, /* it does; nothing is counted here */
	ACCT_NOT_IP,	 /* ARP, PPPoE, ... */
	ACCT_MALFORMED,	 /* headers cut short, or that contradict themselves */
	ACCT_FRAGMENT,	 /* of an IP packet; only one has the ports */
	ACCT_PROTOCOL, /* forwarded, neither TCP nor UDP: no flow to look up */
	ACCT_NO_CONNTRACK, /* conntrack never knew the flow */
	ACCT_UNLABELLED,   /* the flow got no label in time */
	ACCT_TABLE_FULL,   /* no room to remember the flow or the client */
	ACCT_REASONS
};

/*
 * What is counted of frames. An interface without hardware offloads of its own
 * (veth, bridge, tun) has @frames and @frame_bytes in its statistics: a packet
 * that is to be segmented (GSO) or was put together (GRO) is one frame there.
 * One that works with what is on the wire (a network card; or a device with
 * segmentation off, when sending) has @packets and @frame_bytes + @header_bytes.
 */
struct acct_sum {
	__u64 packets; /* segments count each */
	__u64 bytes;   /* IP packets' lengths; no Ethernet header, no padding */
	__u64 frames;  /* as the kernel handles them */
	__u64 frame_bytes;  /* with the Ethernet header */
	__u64 header_bytes; /* of segments but the first; VLAN tags set apart */
};

/* In the table of counters; each processor has its own. */
struct acct_counter {
	struct acct_sum sum;
	__u64 flows; /* with a label; in the direction of their first packet */
};

struct acct_key {
	__u8 client[16];
	__u16 app; /* 1 to ACCT_APPS - 1 */
	__u8 direction;
	__u8 zero;
};

/* A TCP or UDP flow as seen from the LAN; ports in network order. */
struct acct_flow {
	__u8 client[16];
	__u8 server[16];
	__u16 client_port;
	__u16 server_port;
	__u8 protocol;
	__u8 zero[3];
};

/*
 * A flow without a label: what it has moved so far. See "Pending flows" in
 * acct.bpf.c for who may touch it and when.
 */
struct acct_pending {
	struct bpf_spin_lock lock;
	__u8 seen_ct;
	__u8 counted;	/* labelled, and counted as a flow; sums stay 0 */
	__u8 direction; /* of the first packet */
	__u8 zero;
	__u64 tag;	   /* 0: being set up or removed */
	__u64 first, last; /* CLOCK_MONOTONIC, ns */
	struct acct_sum sum[ACCT_DIRECTIONS];
};

/* What the sweep took of a flow that got a label after its last packet. */
struct acct_swept {
	__u16 app;	/* 0: it has none, and the rest is 0 */
	__u8 direction; /* of its first packet */
	__u8 begins;	/* it was not yet counted as a flow */
	__u32 zero;
	struct acct_sum sum[ACCT_DIRECTIONS];
};

/* Flows that each processor remembers; a power of two. */
#define ACCT_RECENT 512

/* Userspace hands these to the sweep, and gets them back. */
#define ACCT_SWEEP_KEYS 256

struct acct_sweep {
	struct acct_flow flow[ACCT_SWEEP_KEYS];
	struct acct_swept swept[ACCT_SWEEP_KEYS]; /* zeroed before a run */
	__u64 idle_before;   /* last packet before this: take its bytes */
	__u64 old_before;    /* first packet before this: the same */
	__u64 forget_before; /* last packet before this: remove it, too */
	/* results; unknown to conntrack, or merely unlabelled */
	struct acct_sum no_conntrack[ACCT_DIRECTIONS];
	struct acct_sum unlabelled[ACCT_DIRECTIONS];
	__u64 flows;   /* whose bytes were taken */
	__u64 removed; /* entries */
};

/* Fixed before the program is loaded. Ids of 0: do not attribute to that. */
struct acct_config {
	__u16 intercepted;    /* what relays carry and nobody labelled better */
	__u16 gateway;	      /* to and from the gateway itself */
	__u16 conntrack;      /* the kernel has bpf_skb_ct_lookup() */
	__u16 data;	      /* data connections that relays carry */
	__u64 recent_ticks;   /* how long what was found out is good; 0: not */
	__u16 protocols[256]; /* of protocols without ports, by their number */
};

_Static_assert(sizeof(struct acct_sum) == 40, "layout");
_Static_assert(sizeof(struct acct_counter) == 48, "layout");
_Static_assert(sizeof(struct acct_key) == 20, "layout");
_Static_assert(sizeof(struct acct_flow) == 40, "layout");
_Static_assert(sizeof(struct acct_pending) == 112, "layout");
_Static_assert(sizeof(struct acct_swept) == 88, "layout");
_Static_assert(sizeof(struct acct_config) == 528, "layout");

#endif
