/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The fields of the kernel's own structures that the program reads, by CO-RE:
 * libbpf finds their offsets in the BTF of the kernel that it is loaded into.
 * Written by hand, so that the build needs no particular kernel.
 */
#ifndef SLUICE_BPF_KERNEL_H
#define SLUICE_BPF_KERNEL_H

#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

#define CORE __attribute__((preserve_access_index))

/* include/net/netfilter/nf_conntrack.h */
struct nf_conn {
	unsigned long status; /* IPS_* */
	__u32 mark;
} CORE;

/* include/net/inet_timewait_sock.h, include/linux/tcp.h */
struct inet_timewait_sock {
	__u32 tw_mark;
} CORE;

struct tcp_timewait_sock {
	struct inet_timewait_sock tw_sk;
} CORE;

/* include/net/inet_sock.h, include/linux/tcp.h */
struct inet_request_sock {
	__u32 ir_mark;
} CORE;

struct tcp_request_sock {
	struct inet_request_sock req;
} CORE;

/*
 * Argument of the conntrack kfuncs (net/netfilter/nf_conntrack_bpf.c), of the
 * size that all kernels from 5.18 on take. No CO-RE: it is an interface.
 */
struct bpf_ct_opts___first {
	__s32 netns_id;
	__s32 error;
	__u8 l4proto;
	__u8 dir;
	__u8 reserved[2];
};

/* Weak: loading goes on without them, and the program must not call them. */
extern struct nf_conn *bpf_skb_ct_lookup(struct __sk_buff *skb,
					 struct bpf_sock_tuple *tuple,
					 __u32 tuple__sz,
					 struct bpf_ct_opts___first *opts,
					 __u32 opts__sz) __ksym __weak;
extern void bpf_ct_release(struct nf_conn *ct) __ksym __weak;

#endif
