// SPDX-License-Identifier: GPL-2.0
/* Generic netlink family sluice_acct; sluice_acct.h says what it means. */
#include <linux/module.h>
#include <linux/netdevice.h>
#include <linux/slab.h>
#include <net/genetlink.h>
#include <net/sock.h>

#include "acct.h"

static struct genl_family family;

/* What only the kernel says is refused in a request. */
static const struct nla_policy policy[SLUICE_ACCT_A_MAX + 1] = {
	[SLUICE_ACCT_A_PAD] = {.type = NLA_REJECT},
	[SLUICE_ACCT_A_LAN] = {.type = NLA_NESTED},
	[SLUICE_ACCT_A_INTERCEPTED] =
		NLA_POLICY_MAX(NLA_U16, SLUICE_ACCT_APP_MAX),
	[SLUICE_ACCT_A_GATEWAY] = NLA_POLICY_MAX(NLA_U16, SLUICE_ACCT_APP_MAX),
	[SLUICE_ACCT_A_CLIENT] = {.type = NLA_REJECT},
	[SLUICE_ACCT_A_APP] = {.type = NLA_REJECT},
	[SLUICE_ACCT_A_REASON] = {.type = NLA_REJECT},
	[SLUICE_ACCT_A_DIRECTION] = {.type = NLA_REJECT},
	[SLUICE_ACCT_A_BYTES] = {.type = NLA_REJECT},
	[SLUICE_ACCT_A_PACKETS] = {.type = NLA_REJECT},
	[SLUICE_ACCT_A_FLOWS] = {.type = NLA_REJECT},
	[SLUICE_ACCT_A_ENTRIES] = {.type = NLA_REJECT},
	[SLUICE_ACCT_A_ENTRIES_MAX] = {.type = NLA_REJECT},
	[SLUICE_ACCT_A_PENDING] = {.type = NLA_REJECT},
	[SLUICE_ACCT_A_PENDING_MAX] = {.type = NLA_REJECT},
	[SLUICE_ACCT_A_PENDING_LOST] = {.type = NLA_REJECT},
};

static const struct nla_policy lan_policy[SLUICE_ACCT_LAN_A_MAX + 1] = {
	[SLUICE_ACCT_LAN_A_IFINDEX] = NLA_POLICY_MIN(NLA_S32, 1),
};

/* --- SET -------------------------------------------------------------------- */

static int lan_parse(struct net *net, const struct nlattr *lan,
		     struct acct_setup *setup, struct netlink_ext_ack *extack)
{
	const struct nlattr *attr;
	int left, err;

	/* Refuses what it doesn't know; repeated attributes are all checked. */
	err = nla_validate_nested(lan, SLUICE_ACCT_LAN_A_MAX, lan_policy,
				  extack);
	if (err)
		return err;
	setup->count = 0;
	nla_for_each_nested(attr, lan, left) {
		int index = nla_get_s32(attr);
		bool there;

		if (setup->count == SLUICE_ACCT_LAN_MAX) {
			NL_SET_ERR_MSG_ATTR(extack, attr,
					    "too many interfaces");
			return -E2BIG;
		}
		rcu_read_lock();
		there = dev_get_by_index_rcu(net, index);
		rcu_read_unlock();
		if (!there) {
			NL_SET_ERR_MSG_ATTR(extack, attr, "no such interface");
			return -ENODEV;
		}
		setup->lan[setup->count++] = index;
	}
	return 0;
}

static struct acct_setup *setup_new(const struct acct_setup *old)
{
	struct acct_setup *setup;

	setup = kzalloc(struct_size(setup, lan, SLUICE_ACCT_LAN_MAX),
			GFP_KERNEL);
	if (setup && old)
		memcpy(setup, old, struct_size(old, lan, old->count));
	return setup;
}

/* The new settings hold before the first packet is looked at. */
static int setup_replace(struct acct_net *an, struct acct_setup *setup,
			 struct acct_setup *old)
{
	int err = 0;

	rcu_assign_pointer(an->setup, setup);
	if (setup->count)
		err = acct_hook_start(an);
	else
		acct_hook_stop(an);
	if (err) {
		rcu_assign_pointer(an->setup, old);
		kfree(setup); /* without hooks, nobody has seen it */
	} else if (old) {
		kfree_rcu(old, rcu);
	}
	return err;
}

static int do_set(struct sk_buff *skb, struct genl_info *info)
{
	struct net *net = genl_info_net(info);
	struct acct_net *an = acct_net(net);
	struct nlattr **a = info->attrs;
	struct acct_setup *setup, *old;
	int err = -ENOMEM;

	mutex_lock(&an->lock);
	old = rcu_dereference_protected(an->setup, lockdep_is_held(&an->lock));
	setup = setup_new(old);
	if (!setup)
		goto out;
	if (a[SLUICE_ACCT_A_INTERCEPTED])
		setup->intercepted = nla_get_u16(a[SLUICE_ACCT_A_INTERCEPTED]);
	if (a[SLUICE_ACCT_A_GATEWAY])
		setup->gateway = nla_get_u16(a[SLUICE_ACCT_A_GATEWAY]);
	err = 0;
	if (a[SLUICE_ACCT_A_LAN])
		err = lan_parse(net, a[SLUICE_ACCT_A_LAN], setup, info->extack);
	if (err)
		kfree(setup);
	else
		err = setup_replace(an, setup, old);
out:
	mutex_unlock(&an->lock);
	return err;
}

/* --- GET and TAKE ------------------------------------------------------------ */

/* One dump of several messages: where it is. In netlink_callback.ctx. */
struct dump {
	bool begun;
	bool take;
	unsigned int dir;
	unsigned long place;
};

static int put_value(struct sk_buff *skb, unsigned int dir,
		     const struct acct_value *v)
{
	const int pad = SLUICE_ACCT_A_PAD;

	if (nla_put_u8(skb, SLUICE_ACCT_A_DIRECTION, dir) ||
	    nla_put_u64_64bit(skb, SLUICE_ACCT_A_BYTES, v->bytes, pad) ||
	    nla_put_u64_64bit(skb, SLUICE_ACCT_A_PACKETS, v->packets, pad) ||
	    nla_put_u64_64bit(skb, SLUICE_ACCT_A_FLOWS, v->flows, pad))
		return -EMSGSIZE;
	return 0;
}

static void *put_header(struct sk_buff *skb, const struct netlink_callback *cb)
{
	return genlmsg_put(skb, NETLINK_CB(cb->skb).portid, cb->nlh->nlmsg_seq,
			   &family, NLM_F_MULTI, SLUICE_ACCT_CMD_GET);
}

static int put_entry(struct sk_buff *skb, const struct netlink_callback *cb,
		     const struct acct_key *key, unsigned int dir,
		     const struct acct_value *v)
{
	void *head = put_header(skb, cb);

	if (!head)
		return -EMSGSIZE;
	if (nla_put_in6_addr(skb, SLUICE_ACCT_A_CLIENT, &key->client) ||
	    nla_put_u16(skb, SLUICE_ACCT_A_APP, key->app) ||
	    put_value(skb, dir, v)) {
		genlmsg_cancel(skb, head);
		return -EMSGSIZE;
	}
	genlmsg_end(skb, head);
	return 0;
}

static int put_reason(struct sk_buff *skb, const struct netlink_callback *cb,
		      unsigned int reason, unsigned int dir,
		      const struct acct_value *v)
{
	void *head = put_header(skb, cb);

	if (!head)
		return -EMSGSIZE;
	if (nla_put_u8(skb, SLUICE_ACCT_A_REASON, reason) ||
	    put_value(skb, dir, v)) {
		genlmsg_cancel(skb, head);
		return -EMSGSIZE;
	}
	genlmsg_end(skb, head);
	return 0;
}

static int dump_reason(struct acct_net *an, struct sk_buff *skb,
		       const struct netlink_callback *cb, unsigned int reason,
		       unsigned int dir)
{
	struct acct_counter *c = &an->reasons[reason];
	const struct dump *d = (const struct dump *)cb->ctx;
	struct acct_value v;
	int err;

	if (!acct_counter_read(c, dir, &v))
		return 0;
	err = put_reason(skb, cb, reason, dir, &v);
	if (!err && d->take)
		acct_counter_take(c, dir, &v);
	return err;
}

/* The first message of a dump has room for all of these. */
static int dump_reasons(struct acct_net *an, struct sk_buff *skb,
			const struct netlink_callback *cb)
{
	struct acct_value held[ACCT_DIRECTIONS];
	unsigned int reason, dir;
	int err = 0;

	acct_pending_sweep(an, !an->hooked, held);
	for (dir = 0; dir < ACCT_DIRECTIONS && !err; dir++) {
		for (reason = 0; reason < ACCT_REASONS && !err; reason++)
			err = dump_reason(an, skb, cb, reason, dir);
		if (!err && held[dir].packets)
			err = put_reason(skb, cb, SLUICE_ACCT_PENDING, dir,
					 &held[dir]);
	}
	return err;
}

/* A record counts as told when it is in the answer, not before. */
static int dump_entry(struct acct_net *an, struct sk_buff *skb,
		      const struct netlink_callback *cb, struct dump *d,
		      struct acct_entry *e)
{
	struct acct_value v;
	bool idle = d->dir == 0;
	int err;

	for (; d->dir < ACCT_DIRECTIONS; d->dir++) {
		if (!acct_counter_read(&e->counter, d->dir, &v))
			continue;
		idle = false;
		err = put_entry(skb, cb, &e->key, d->dir, &v);
		if (err)
			return err;
		if (d->take) {
			acct_counter_take(&e->counter, d->dir, &v);
			acct_value_add(&an->told[d->dir], &v);
		}
	}
	d->dir = 0;
	if (idle && d->take)
		acct_table_evict(e);
	return 0;
}

static int dump_entries(struct acct_net *an, struct sk_buff *skb,
			const struct netlink_callback *cb, struct dump *d)
{
	struct acct_entry *e;
	int err = 0;

	rcu_read_lock();
	for (; (e = acct_table_at(an, &d->place)); d->place++) {
		err = dump_entry(an, skb, cb, d, e);
		if (err)
			break;
	}
	rcu_read_unlock();
	return err;
}

/* Entries that come or go meanwhile are in it or not; the others are, once. */
static int dump(struct sk_buff *skb, struct netlink_callback *cb, bool take)
{
	struct acct_net *an = acct_net(sock_net(cb->skb->sk));
	struct dump *d = (struct dump *)cb->ctx;
	int err = 0;

	BUILD_BUG_ON(sizeof(*d) > sizeof(cb->ctx));
	mutex_lock(&an->lock);
	if (!d->begun) {
		d->begun = true;
		d->take = take;
		err = dump_reasons(an, skb, cb);
	}
	if (!err)
		err = dump_entries(an, skb, cb, d);
	mutex_unlock(&an->lock);
	/* Not all fitted: what did goes out, and the kernel calls again. */
	return skb->len ? (int)skb->len : err;
}

static int dump_get(struct sk_buff *skb, struct netlink_callback *cb)
{
	return dump(skb, cb, false);
}

static int dump_take(struct sk_buff *skb, struct netlink_callback *cb)
{
	return dump(skb, cb, true);
}

/* --- RESET and STATUS ---------------------------------------------------------- */

static int do_reset(struct sk_buff *skb, struct genl_info *info)
{
	struct acct_net *an = acct_net(genl_info_net(info));

	mutex_lock(&an->lock);
	acct_table_reset(an);
	mutex_unlock(&an->lock);
	return 0;
}

static int put_setup(struct sk_buff *skb, const struct acct_setup *setup)
{
	struct nlattr *lan = nla_nest_start(skb, SLUICE_ACCT_A_LAN);
	u32 i;

	if (!lan)
		return -EMSGSIZE;
	for (i = 0; setup && i < setup->count; i++) {
		if (nla_put_s32(skb, SLUICE_ACCT_LAN_A_IFINDEX, setup->lan[i]))
			return -EMSGSIZE;
	}
	nla_nest_end(skb, lan);
	if (nla_put_u16(skb, SLUICE_ACCT_A_INTERCEPTED,
			setup ? setup->intercepted : 0) ||
	    nla_put_u16(skb, SLUICE_ACCT_A_GATEWAY, setup ? setup->gateway : 0))
		return -EMSGSIZE;
	return 0;
}

static int put_fill(struct sk_buff *skb, struct acct_net *an)
{
	if (nla_put_u32(skb, SLUICE_ACCT_A_ENTRIES,
			atomic_read(&an->entry_count)) ||
	    nla_put_u32(skb, SLUICE_ACCT_A_ENTRIES_MAX, acct_max_entries) ||
	    nla_put_u32(skb, SLUICE_ACCT_A_PENDING,
			atomic_read(&an->pending_count)) ||
	    nla_put_u32(skb, SLUICE_ACCT_A_PENDING_MAX, acct_max_pending) ||
	    nla_put_u64_64bit(skb, SLUICE_ACCT_A_PENDING_LOST,
			      atomic64_read(&an->pending_lost),
			      SLUICE_ACCT_A_PAD))
		return -EMSGSIZE;
	return 0;
}

static int do_status(struct sk_buff *skb, struct genl_info *info)
{
	struct acct_net *an = acct_net(genl_info_net(info));
	struct sk_buff *answer = genlmsg_new(GENLMSG_DEFAULT_SIZE, GFP_KERNEL);
	void *head;
	int err = -EMSGSIZE;

	if (!answer)
		return -ENOMEM;
	head = genlmsg_put_reply(answer, info, &family, 0,
				 SLUICE_ACCT_CMD_STATUS);
	if (!head)
		goto err_free;
	rcu_read_lock();
	err = put_setup(answer, rcu_dereference(an->setup));
	rcu_read_unlock();
	if (!err)
		err = put_fill(answer, an);
	if (err)
		goto err_free;
	genlmsg_end(answer, head);
	return genlmsg_reply(answer, info);

err_free:
	nlmsg_free(answer);
	return err;
}

/*
 * GENL_UNS_ADMIN_PERM: CAP_NET_ADMIN over the network namespace, so that a
 * container that owns its network can count in it. Clients' addresses are
 * nobody else's business, hence for GET and STATUS as well.
 */
static const struct genl_ops ops[] = {
	{
		.cmd = SLUICE_ACCT_CMD_SET,
		.doit = do_set,
		.flags = GENL_UNS_ADMIN_PERM,
	},
	{
		.cmd = SLUICE_ACCT_CMD_GET,
		.dumpit = dump_get,
		.flags = GENL_UNS_ADMIN_PERM,
	},
	{
		.cmd = SLUICE_ACCT_CMD_TAKE,
		.dumpit = dump_take,
		.flags = GENL_UNS_ADMIN_PERM,
	},
	{
		.cmd = SLUICE_ACCT_CMD_RESET,
		.doit = do_reset,
		.flags = GENL_UNS_ADMIN_PERM,
	},
	{
		.cmd = SLUICE_ACCT_CMD_STATUS,
		.doit = do_status,
		.flags = GENL_UNS_ADMIN_PERM,
	},
};

static struct genl_family family __ro_after_init = {
	.name = SLUICE_ACCT_FAMILY,
	.version = SLUICE_ACCT_VERSION,
	.maxattr = SLUICE_ACCT_A_MAX,
	.policy = policy,
	.netnsok = true,
	.module = THIS_MODULE,
	.ops = ops,
	.n_ops = ARRAY_SIZE(ops),
	.resv_start_op = __SLUICE_ACCT_CMD_MAX,
};

int __init acct_netlink_start(void)
{
	return genl_register_family(&family);
}

void acct_netlink_stop(void)
{
	genl_unregister_family(&family);
}

MODULE_ALIAS_GENL_FAMILY(SLUICE_ACCT_FAMILY);
