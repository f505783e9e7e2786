// SPDX-License-Identifier: GPL-2.0
/*
 * Where packets are counted: FORWARD, LOCAL_IN and LOCAL_OUT, behind every
 * rule, so that the marks are set that this packet's rules set, and what they
 * dropped is not counted. Packets are only looked at, never held up or
 * dropped: open.
 *
 * With a flowtable (nft "flow add"), packets of established flows don't come
 * by here; such a gateway has to count by conntrack's own accounting.
 */
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/netfilter.h>
#include <linux/netfilter_ipv4.h>
#include <linux/netfilter_ipv6.h>
#include <linux/skbuff.h>
#include <net/dst.h>
#include <net/ipv6.h>
#include <net/netfilter/nf_conntrack.h>

#include "acct.h"

/*
 * Packet marks of the intercepted, see nft/sluice.nft: 0x10000000 is on what is
 * delivered to a relay, 0x40000000 on what the relay's socket sends.
 */
#define MARK_INTERCEPTED 0x50000000

/* conntrack confirms with INT_MAX; the first packet has to be told before. */
#define PRIORITY (NF_IP_PRI_LAST - 1)

/* A loop and no set: a gateway has one or a few of them. */
static bool is_lan(const struct acct_setup *setup, const struct net_device *dev)
{
	u32 i;

	if (!dev)
		return false;
	for (i = 0; i < setup->count; i++) {
		if (setup->lan[i] == dev->ifindex)
			return true;
	}
	return false;
}

static void client_of(const struct sk_buff *skb, u8 family, unsigned int dir,
		      struct in6_addr *client)
{
	bool up = dir == SLUICE_ACCT_UP;

	if (family == NFPROTO_IPV6)
		*client = up ? ipv6_hdr(skb)->saddr : ipv6_hdr(skb)->daddr;
	else
		ipv6_addr_set_v4mapped(
			up ? ip_hdr(skb)->saddr : ip_hdr(skb)->daddr, client);
}

/* The application of what has no label and begins or ends at the gateway. */
static u32 local_app(const struct acct_setup *setup, const struct sk_buff *skb,
		     unsigned int hook)
{
	if (hook == NF_INET_FORWARD)
		return 0;
	return skb->mark & MARK_INTERCEPTED ? setup->intercepted
					    : setup->gateway;
}

/* One packet in or out of a LAN interface. Segments may be unknown (tun). */
static void count(struct acct_net *an, const struct acct_setup *setup,
		  const struct sk_buff *skb, const struct nf_hook_state *state,
		  unsigned int dir)
{
	struct acct_value v = {.bytes = skb->len, .packets = 1};
	enum ip_conntrack_info info;
	const struct nf_conn *ct = nf_ct_get(skb, &info);
	struct in6_addr client;
	bool first;
	u32 app;

	if (skb_is_gso(skb) && skb_shinfo(skb)->gso_segs)
		v.packets = skb_shinfo(skb)->gso_segs;
	if (!ct || nf_ct_is_template(ct)) {
		acct_counter_add(&an->reasons[SLUICE_ACCT_NO_CONNTRACK], dir,
				 &v);
		return;
	}
	client_of(skb, state->pf, dir, &client);
	first = !nf_ct_is_confirmed(ct);
	v.flows = first;
	app = acct_label(ct);
	if (!app)
		app = local_app(setup, skb, state->hook);
	if (app) {
		if (unlikely(first))
			acct_pending_forget(an, ct, &client);
		acct_table_add(an, &client, app, dir, &v);
	} else if (!acct_pending_add(an, ct, &client, dir, first, &v)) {
		acct_counter_add(&an->reasons[SLUICE_ACCT_NO_LABEL], dir, &v);
	}
}

/* Hooks run under rcu_read_lock(). */
static unsigned int hook(void *priv, struct sk_buff *skb,
			 const struct nf_hook_state *state)
{
	struct acct_net *an = acct_net(state->net);
	const struct acct_setup *setup = rcu_dereference(an->setup);
	const struct net_device *out = state->out;

	if (unlikely(!setup))
		return NF_ACCEPT;
	/* A rule may have changed the mark, and with it the route. */
	if (state->hook == NF_INET_LOCAL_OUT && skb_dst(skb))
		out = skb_dst(skb)->dev;
	if (is_lan(setup, state->in))
		count(an, setup, skb, state, SLUICE_ACCT_UP);
	if (is_lan(setup, out))
		count(an, setup, skb, state, SLUICE_ACCT_DOWN);
	return NF_ACCEPT;
}

#define HOOK(family, where)                                       \
	{                                                         \
		.hook = hook, .pf = (family), .hooknum = (where), \
		.priority = PRIORITY,                             \
	}

static const struct nf_hook_ops hooks[] = {
	HOOK(NFPROTO_IPV4, NF_INET_FORWARD),
	HOOK(NFPROTO_IPV4, NF_INET_LOCAL_IN),
	HOOK(NFPROTO_IPV4, NF_INET_LOCAL_OUT),
	HOOK(NFPROTO_IPV6, NF_INET_FORWARD),
	HOOK(NFPROTO_IPV6, NF_INET_LOCAL_IN),
	HOOK(NFPROTO_IPV6, NF_INET_LOCAL_OUT),
};

int acct_hook_start(struct acct_net *an)
{
	int err;

	lockdep_assert_held(&an->lock);
	if (an->hooked)
		return 0;
	/* A namespace has conntrack only while somebody wants it. */
	err = nf_ct_netns_get(an->net, NFPROTO_INET);
	if (err)
		return err;
	err = nf_register_net_hooks(an->net, hooks, ARRAY_SIZE(hooks));
	if (err) {
		nf_ct_netns_put(an->net, NFPROTO_INET);
		return err;
	}
	an->hooked = true;
	schedule_delayed_work(&an->sweep, HZ);
	return 0;
}

void acct_hook_stop(struct acct_net *an)
{
	lockdep_assert_held(&an->lock);
	if (!an->hooked)
		return;
	nf_unregister_net_hooks(an->net, hooks, ARRAY_SIZE(hooks));
	nf_ct_netns_put(an->net, NFPROTO_INET);
	an->hooked = false;
}
